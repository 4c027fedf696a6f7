package filter

import (
	"encoding/json"
	"regexp"
	"strings"

	"ogham/domain/row"
)

// Dimension is a column as queries name it, Druid's DimensionSpec: with an extraction function, or with conditions on its
// values. It is for one goroutine at a time.
type Dimension struct {
	// Column is what is read.
	Column  string
	extract *Extraction
	keep    func(text string, some bool) bool // nil: all values
}

// ParseDimension reads a dimension. The error is a *Problem or an *Unsupported.
func ParseDimension(raw json.RawMessage) (*Dimension, error) {
	d := &Dimension{}
	p := &parser{filter: &Filter{}, names: map[string]int{}}
	p.named(raw, "", d, 0)
	if p.err == nil && d.Column == row.TimeColumn && d.extract == nil && d.keep != nil {
		// Druid's task fails over its first row.
		p.fail("", "time dimension must provide an extraction function")
	}
	return d, p.err
}

// Plain says that the values are those of the column.
func (d *Dimension) Plain() bool { return d.extract == nil && d.keep == nil }

// Value gives what is made of a value, a null where some is false: kept is false where it is left out, and ok is false
// where it is a null. The text is valid until the next call.
func (d *Dimension) Value(text string, some bool) (out string, ok, kept bool) {
	if d.extract != nil {
		text, some = d.extract.Apply(text, some)
	}
	return text, some, d.keep == nil || d.keep(text, some)
}

// TimeValue is Value for a time of the column __time, in milliseconds.
func (d *Dimension) TimeValue(ms int64) (out string, ok, kept bool) {
	text, some := d.extract.ApplyTime(ms)
	return text, some, d.keep == nil || d.keep(text, some)
}

// named reads a dimension into d. Of conditions within each other Druid only knows the outermost.
func (p *parser) named(raw json.RawMessage, path string, d *Dimension, depth int) {
	var m members
	if err := json.Unmarshal(raw, &m); err != nil || m == nil {
		if len(raw) > 0 {
			if text, err := scalarText(raw); err == nil {
				d.Column = text
				return
			}
		}
		p.fail(path, "a dimension must be a text or an object")
		return
	}
	switch kind, _ := m.text("type"); kind {
	case "listFiltered", "regexFiltered", "prefixFiltered":
		if depth == maxDepth {
			p.fail(path, "dimensions are nested too deep")
			return
		}
		if !m.has("delegate") {
			p.fail(path+".delegate", "delegate must not be null")
			return
		}
		p.named(m["delegate"], path+".delegate", d, depth+1)
		d.keep = p.condition(kind, m, path)
	case "extraction":
		d.Column, _ = m.text("dimension")
		if !m.has("extractionFn") {
			p.fail(path+".extractionFn", "extractionFn must not be null")
			return
		}
		d.extract = &Extraction{}
		inner := &parser{filter: &d.extract.filter, names: map[string]int{}}
		d.extract.of = inner.extraction(m["extractionFn"], path+".extractionFn")
		if p.err == nil {
			p.err = inner.err
		}
	case "lookup":
		p.refuse(path+".type", "a dimension of type 'lookup' is not supported: use one of type 'extraction' with an extractionFn 'lookup'")
	default:
		d.Column, _ = m.text("dimension")
	}
}

// condition reads which values of a dimension are left in.
func (p *parser) condition(kind string, m members, path string) func(string, bool) bool {
	switch kind {
	case "regexFiltered":
		re := p.regexp(m, "pattern", path)
		if re == nil {
			return nil
		}
		whole := regexp.MustCompile(`\A(?:` + re.String() + `)\z`)
		return func(text string, some bool) bool { return some && whole.MatchString(text) }
	case "prefixFiltered":
		prefix, ok := m.text("prefix")
		if !ok {
			p.fail(path+".prefix", "prefix must not be null")
			return nil
		}
		return func(text string, some bool) bool { return some && strings.HasPrefix(text, prefix) }
	}
	var values []*string
	if err := json.Unmarshal(m["values"], &values); !m.has("values") || err != nil || len(values) == 0 {
		p.fail(path+".values", "values must not be empty")
		return nil
	}
	listed, null := map[string]bool{}, false
	for _, v := range values {
		if v == nil {
			null = true
		} else {
			listed[*v] = true
		}
	}
	white := !m.has("isWhitelist") || m.flag("isWhitelist")
	return func(text string, some bool) bool {
		if !some {
			return null == white
		}
		return listed[text] == white
	}
}
