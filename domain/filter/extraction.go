package filter

import (
	"encoding/json"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ogham/domain/calendar"
	"ogham/domain/expr"
	"ogham/domain/joda"
	"ogham/domain/row"
)

// extraction is an extraction function, Druid's older way to compute with the value of a column. some is false for a
// null, given or taken.
type extraction interface {
	apply(f *Filter, s string, some bool) (out string, ok bool)
}

// ofText is an extraction of texts, of which null is null.
type ofText func(s string) (string, bool)

func (t ofText) apply(_ *Filter, s string, some bool) (string, bool) {
	if !some {
		return "", false
	}
	return t(s)
}

// program is an extraction that an expression of the column v does.
type program struct{ of *expr.Program }

type oneText string

func (t oneText) Input(int) expr.Value { return expr.OfString(string(t)) }

func (p program) apply(f *Filter, s string, some bool) (string, bool) {
	if !some {
		return "", false
	}
	v, err := p.of.Eval(&f.env, oneText(s))
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
		"identity":    func(members, string) extraction { return ofText(func(s string) (string, bool) { return s, true }) },
		"upper":       func(members, string) extraction { return p.program("upper(v)") },
		"lower":       func(members, string) extraction { return p.program("lower(v)") },
		"strlen":      func(members, string) extraction { return strlen{} },
		"substring":   p.substring,
		"regex":       p.regexExtraction,
		"partial":     p.partial,
		"searchQuery": p.searchExtraction,
		"cascade":     p.cascade,
		"stringFormat": func(m members, path string) extraction {
			format, ok := m.text("format")
			if !ok {
				p.fail(path+".format", "format string should not be empty")
			}
			return p.program("format(" + literal(format) + ", v)")
		},
		"bucket":     p.bucket,
		"timeFormat": p.timeFormat,
		"lookup":     p.lookup,
	}[kind]
	if read == nil {
		p.refuse(path+".type", "extractionFn '"+kind+"' is not supported")
		return nil
	}
	return read(m, path)
}

// literal writes a text as a literal of the expression language.
func literal(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`, "\r", `\r`, "\t", `\t`).Replace(s) + "'"
}

func (p *parser) program(source string) extraction {
	of, err := expr.Compile(source)
	if err != nil {
		p.fail("", err.Error())
		return nil
	}
	return program{of}
}

// strlen gives the length of a text; that of a null is 0.
type strlen struct{}

func (strlen) apply(_ *Filter, s string, _ bool) (string, bool) {
	return strconv.Itoa(expr.TextLength(s)), true
}

func (p *parser) substring(m members, path string) extraction {
	index, _ := m.text("index")
	length, has := m.text("length")
	if !has {
		length = "-1"
	}
	for _, text := range []string{index, length} {
		if n, err := strconv.Atoi(text); err != nil || text == index && n < 0 {
			p.fail(path+".index", "substring must have an index of 0 or more, and a whole number as length")
			return nil
		}
	}
	return p.program("substring(v, " + index + ", " + length + ")")
}

// group reads the group of a regular expression, 1 without one.
func group(m members, re *regexp.Regexp) (int, bool) {
	text, has := m.text("index")
	if !has {
		return min(1, re.NumSubexp()), true
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
		p.fail(path+".index", "the expression has no group of this number")
		return nil
	}
	replace := m.flag("replaceMissingValue")
	with, has := m.text("replaceMissingValueWith")
	return ofText(func(s string) (string, bool) {
		if found := re.FindStringSubmatch(s); found != nil {
			return found[g], true
		}
		if replace {
			return with, has
		}
		return s, true
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

func (c cascade) apply(f *Filter, s string, some bool) (string, bool) {
	for _, e := range c {
		s, some = e.apply(f, s, some)
	}
	return s, some
}

func (p *parser) cascade(m members, path string) extraction {
	var list []json.RawMessage
	if err := json.Unmarshal(m["extractionFns"], &list); err != nil || len(list) == 0 {
		p.fail(path+".extractionFns", "extractionFns should not be empty")
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

func (p *parser) timeFormat(m members, path string) extraction {
	source, has := m.text("format")
	if !has {
		source = "yyyy-MM-dd'T'HH:mm:ss.SSSZZ"
	}
	pattern, err := joda.Compile(source)
	if err != nil {
		p.fail(path+".format", err.Error())
		return nil
	}
	name, _ := m.text("timeZone")
	loc, ok := calendar.Zone(name)
	if !ok {
		p.fail(path+".timeZone", "time zone "+quote(name)+" is not known")
		return nil
	}
	if locale, has := m.text("locale"); has && !strings.HasPrefix(locale, "en") {
		p.refuse(path+".locale", "only English is supported as locale")
	}
	if m.has("granularity") && !isNone(m["granularity"]) {
		p.refuse(path+".granularity", "granularity of timeFormat is not supported, use an expression")
	}
	millis := m.flag("asMillis")
	return ofText(func(s string) (string, bool) {
		ms, ok := timeOf(s, millis)
		if !ok {
			return "", false
		}
		return string(pattern.Append(nil, ms, loc)), true
	})
}

// isNone says whether a granularity is none: by its name, or in the form that it is stored in.
func isNone(granularity json.RawMessage) bool {
	var spec struct{ Type string }
	if json.Unmarshal(granularity, &spec.Type) != nil && json.Unmarshal(granularity, &spec) != nil {
		return false
	}
	return strings.EqualFold(spec.Type, "none")
}

// timeOf reads the time of a column: a number of milliseconds, or an ISO time.
func timeOf(s string, millis bool) (int64, bool) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && (millis || len(s) > 9) {
		return n, true
	}
	if millis {
		return 0, false
	}
	if ms, ok := row.ParseISO(s); ok {
		return ms, true
	}
	t, err := time.Parse(time.RFC3339, s)
	return t.UnixMilli(), err == nil
}

func (p *parser) lookup(m members, path string) extraction {
	var spec struct {
		Type string            `json:"type"`
		Map  map[string]string `json:"map"`
	}
	if err := json.Unmarshal(m["lookup"], &spec); err != nil || spec.Type != "map" {
		p.refuse(path+".lookup", "only lookups of type map are supported: there are no others where tasks run")
		return nil
	}
	retain := m.flag("retainMissingValue")
	with, has := m.text("replaceMissingValueWith")
	return ofText(func(s string) (string, bool) {
		if out, ok := spec.Map[s]; ok {
			return out, true
		}
		if retain {
			return s, true
		}
		return with, has
	})
}
