package filter

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"

	"ogham/domain/expr"
	"ogham/domain/row"
)

// Extraction is an extraction function, Druid's older way to compute with the value of a column. It is for one goroutine
// at a time, as it keeps memory from value to value.
type Extraction struct {
	filter Filter
	of     extraction
}

// ParseExtraction reads an extraction function. The error is a *Problem or an *Unsupported.
func ParseExtraction(raw json.RawMessage) (*Extraction, error) {
	x := &Extraction{}
	p := &parser{filter: &x.filter, names: map[string]int{}}
	x.of = p.extraction(raw, "")
	return x, p.err
}

// Apply gives what the function makes of a text, or of a null where some is false; ok is false for a null. The text is
// valid until the next call.
func (x *Extraction) Apply(text string, some bool) (out string, ok bool) {
	x.filter.env.Reset()
	return x.of.apply(&x.filter, argument{text: text, some: some})
}

// ApplyTime gives what the function makes of a time of the column __time, in milliseconds.
func (x *Extraction) ApplyTime(ms int64) (out string, ok bool) {
	x.filter.env.Reset()
	return x.of.apply(&x.filter, argument{text: strconv.FormatInt(ms, 10), some: true, time: true})
}

// argument is what an extraction function is applied to.
type argument struct {
	text string
	some bool // no null
	time bool // a time in milliseconds, of the column __time
}

// extraction is one function; ok is false for a null.
type extraction interface {
	apply(f *Filter, in argument) (out string, ok bool)
}

// ofText is an extraction of texts, of which null is null.
type ofText func(s string) (string, bool)

func (t ofText) apply(_ *Filter, in argument) (string, bool) {
	if !in.some {
		return "", false
	}
	return t(in.text)
}

// ofAll is an extraction that makes something of a null, too.
type ofAll func(s string, some bool) (string, bool)

func (t ofAll) apply(_ *Filter, in argument) (string, bool) { return t(in.text, in.some) }

// program is an extraction that an expression of the column v does.
type program struct{ of *expr.Program }

type oneText string

func (t oneText) Input(int) expr.Value { return expr.OfString(string(t)) }

func (p program) apply(f *Filter, in argument) (string, bool) {
	if !in.some {
		return "", false
	}
	v, err := p.of.Eval(&f.env, oneText(in.text))
	if err != nil {
		if f.err == nil {
			f.err = err
		}
		return "", false
	}
	return f.env.Text(v)
}

func (p *parser) extraction(raw json.RawMessage, path string) extraction {
	var m members
	if err := json.Unmarshal(raw, &m); err != nil || m == nil {
		p.fail(path, "an extractionFn must be an object")
		return nil
	}
	kind, _ := m.text("type")
	read := map[string]func(m members, path string) extraction{
		"identity":     func(members, string) extraction { return ofText(func(s string) (string, bool) { return s, true }) },
		"upper":        p.casing("upper"),
		"lower":        p.casing("lower"),
		"strlen":       func(members, string) extraction { return ofText(length) },
		"substring":    p.substring,
		"regex":        p.regexExtraction,
		"partial":      p.partial,
		"searchQuery":  p.searchExtraction,
		"cascade":      p.cascade,
		"stringFormat": p.stringFormat,
		"bucket":       p.bucket,
		"time":         p.reformatted,
		"timeFormat":   p.timeFormat,
		"lookup":       p.lookup,
	}[kind]
	if read == nil {
		message, known := refusedExtractions[kind]
		if known {
			p.refuse(path+".type", "extractionFn '"+kind+"' is not supported: "+message)
		} else {
			p.fail(path+".type", "extractionFn '"+kind+"' is not known")
		}
		return nil
	}
	return read(m, path)
}

// refusedExtractions are functions of Druid that no task has here, with the reason.
var refusedExtractions = map[string]string{
	"javascript":       "there is no JavaScript here, use an expression",
	"registeredLookup": "no lookups are loaded where tasks run, use a lookup of type map in the spec itself",
}

// literal writes a text as a literal of the expression language.
func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + "'"
}

// program compiles an expression of v; path is where it comes from.
func (p *parser) program(source, path string) extraction {
	of, err := expr.Compile(source)
	if err != nil {
		p.fail(path, err.Error())
		return nil
	}
	return program{of}
}

// casing makes upper and lower, of a language where one is named: in Turkish and Azeri the letter i has other cases.
func (p *parser) casing(function string) func(m members, path string) extraction {
	return func(m members, path string) extraction {
		change := p.program(function+"(v)", path)
		tag, has := m.text("locale")
		if !has {
			tag, _ = m.text("localeString") // the name under which Druid writes what it reads as locale
		}
		language, _, _ := strings.Cut(tag, "-")
		switch strings.ToLower(language) {
		case "tr", "az":
			dotted := strings.NewReplacer("i", "\u0130")
			if function == "lower" {
				dotted = strings.NewReplacer("I\u0307", "i", "I", "\u0131", "\u0130", "i")
			}
			return cascade{ofText(func(s string) (string, bool) { return dotted.Replace(s), true }), change}
		case "lt":
			p.refuse(path+".locale", "the cases of locale '"+tag+"' are not supported")
		}
		return change
	}
}

// length gives the length of a text.
func length(s string) (string, bool) { return strconv.Itoa(expr.TextLength(s)), true }

func (p *parser) substring(m members, path string) extraction {
	index, _ := m.text("index")
	if n, err := strconv.Atoi(index); err != nil || n < 0 {
		p.fail(path+".index", "index must be a whole number of 0 or more")
		return nil
	}
	length, has := m.text("length")
	if !has {
		length = "-1"
	} else if n, err := strconv.Atoi(length); err != nil || n < 1 {
		p.fail(path+".length", "length must be strictly positive")
		return nil
	}
	return p.program("substring(v, "+index+", "+length+")", path)
}

// stringFormat makes a text of a format of Java's; what becomes of a null says nullHandling.
func (p *parser) stringFormat(m members, path string) extraction {
	format, _ := m.text("format")
	if format == "" {
		p.fail(path+".format", "format string should not be empty")
		return nil
	}
	of := p.program("format("+literal(format)+", v)", path+".format")
	if of == nil {
		return nil
	}
	// The function of expressions goes on where Java's format fails: it puts its arguments behind the format.
	var trial Filter
	if out, _ := of.apply(&trial, argument{text: "a", some: true}); trial.err != nil || out == format+"; a" {
		p.fail(path+".format", "format '"+format+"' is none for one text")
	}
	handling, has := m.text("nullHandling")
	instead, some := "null", true
	switch strings.ToLower(handling) {
	case "nullstring":
	case "emptystring":
		instead = ""
	case "returnnull":
		some = false
	default:
		if has {
			p.fail(path+".nullHandling", "nullHandling must be nullString, emptyString or returnNull")
		}
	}
	return formatted{of, argument{text: instead, some: some}}
}

// formatted is a function that takes something else for a null.
type formatted struct {
	of      extraction
	instead argument
}

func (x formatted) apply(f *Filter, in argument) (string, bool) {
	if !in.some {
		in = x.instead
	}
	return x.of.apply(f, in)
}

// group reads the group of a regular expression, 1 without one.
func group(m members, re *regexp.Regexp) (int, bool) {
	text, has := m.text("index")
	if !has {
		return 1, re.NumSubexp() > 0
	}
	n, err := strconv.Atoi(text)
	return n, err == nil && n >= 0 && n <= re.NumSubexp()
}

func (p *parser) regexExtraction(m members, path string) extraction {
	re := p.regexp(m, "expr", path)
	if re == nil {
		return nil
	}
	g, ok := group(m, re)
	if !ok {
		p.fail(path+".index", "the expression has no group of this number, which is 1 where none is given")
		return nil
	}
	replace := m.flag("replaceMissingValue")
	with, has := m.text("replaceMissingValueWith")
	return ofAll(func(s string, some bool) (string, bool) {
		if some {
			if found := re.FindStringSubmatchIndex(s); found != nil {
				if found[2*g] < 0 {
					return "", false
				}
				return s[found[2*g]:found[2*g+1]], true
			}
		}
		if replace {
			return with, has
		}
		return s, some
	})
}

func (p *parser) partial(m members, path string) extraction {
	re := p.regexp(m, "expr", path)
	if re == nil {
		return nil
	}
	return ofText(func(s string) (string, bool) { return s, re.MatchString(s) })
}

func (p *parser) searchExtraction(m members, path string) extraction {
	match := p.searchQuery(m["query"], path+".query")
	if match == nil {
		return nil
	}
	return ofText(func(s string) (string, bool) { return s, match([]byte(s)) })
}

// cascade applies one function after the other.
type cascade []extraction

func (c cascade) apply(f *Filter, in argument) (string, bool) {
	if len(c) == 0 { // as in Druid
		return "", false
	}
	for _, e := range c {
		text, some := e.apply(f, in)
		in = argument{text: text, some: some}
	}
	return in.text, in.some
}

func (p *parser) cascade(m members, path string) extraction {
	var list []json.RawMessage
	if err := json.Unmarshal(m["extractionFns"], &list); err != nil || list == nil {
		p.fail(path+".extractionFns", "extractionFns should not be null")
		return nil
	}
	var c cascade
	for i, raw := range list {
		if p.depth++; p.depth > maxDepth || p.err != nil {
			p.fail(path, "extraction functions are nested too deep")
			return nil
		}
		c = append(c, p.extraction(raw, path+".extractionFns["+strconv.Itoa(i)+"]"))
		p.depth--
	}
	return c
}

func (p *parser) bucket(m members, path string) extraction {
	number := func(name string, otherwise float64) float64 {
		text, has := m.text(name)
		x, ok := row.ParseDouble(text)
		if has && (!ok || math.IsInf(x, 0) || x != x) {
			p.fail(path+"."+name, name+" must be a number")
		}
		if !has {
			return otherwise
		}
		return x
	}
	size, offset := number("size", 1), number("offset", 0)
	return ofText(func(s string) (string, bool) {
		x, ok := row.ParseDouble(s)
		if !ok {
			return "", false
		}
		b := math.Floor((x-offset)/size)*size + offset
		if b == math.Trunc(b) && math.Abs(b) < 1<<62 {
			return strconv.FormatInt(int64(b), 10), true
		}
		return string(row.AppendDouble(nil, b)), true
	})
}

func (p *parser) lookup(m members, path string) extraction {
	var spec struct {
		Type string             `json:"type"`
		Map  map[string]*string `json:"map"`
	}
	if err := json.Unmarshal(m["lookup"], &spec); err != nil || spec.Type != "map" {
		p.refuse(path+".lookup", "only lookups of type map are supported: there are no others where tasks run")
		return nil
	}
	retain := m.flag("retainMissingValue")
	with, has := m.text("replaceMissingValueWith")
	if retain && with != "" {
		p.fail(path+".replaceMissingValueWith", "Cannot specify a [replaceMissingValueWith] and set [retainMissingValue] to true")
	}
	return ofAll(func(s string, some bool) (string, bool) {
		if some {
			if out := spec.Map[s]; out != nil {
				return *out, true
			}
		}
		if retain {
			return s, some
		}
		return with, has
	})
}
