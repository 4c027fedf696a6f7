package filter

import (
	"encoding/json"
	"slices"
	"strconv"

	"ogham/domain/row"
)

// comparison matches where each column has a value in common with each other one.
type comparison struct {
	columns []compared
	values  [][]text // of the columns of the row at hand
}

// compared is one of the columns, with the function that is applied to its values, if any.
type compared struct {
	at      int
	time    bool
	extract extraction
}

func parseComparison(p *parser, m members, path string) matcher {
	var list []json.RawMessage
	if err := json.Unmarshal(m["dimensions"], &list); err != nil || len(list) < 2 {
		return p.fail(path+".dimensions", "dimensions must have a least 2 dimensions")
	}
	c := &comparison{}
	for i, raw := range list {
		c.columns = append(c.columns, p.compared(raw, path+".dimensions["+strconv.Itoa(i)+"]"))
	}
	return c
}

// compared reads a name, or a dimension of one of the types that name just a column and a function.
func (p *parser) compared(raw json.RawMessage, path string) (c compared) {
	name, err := scalarText(raw)
	if err != nil {
		var spec struct {
			Type, Dimension string
			ExtractionFn    json.RawMessage
		}
		// A name is written back as a dimension of the class's own name.
		plain := []string{"", "default", "extraction", "LegacyDimensionSpec"}
		if err := json.Unmarshal(raw, &spec); err != nil || spec.Dimension == "" || !slices.Contains(plain, spec.Type) {
			p.refuse(path, "only dimensions of the types default and extraction are supported here")
			return c
		}
		name = spec.Dimension
		if len(spec.ExtractionFn) > 0 && string(spec.ExtractionFn) != "null" {
			c.extract = p.extraction(spec.ExtractionFn, path+".extractionFn")
		}
	}
	c.at, c.time = p.column(name), name == row.TimeColumn
	return c
}

func (c *comparison) match(f *Filter, _ bool) bool {
	c.values = c.values[:0]
	for i := range c.columns {
		values := c.columns[i].values(f)
		for _, before := range c.values {
			if !common(before, values) {
				return false
			}
		}
		c.values = append(c.values, values)
	}
	return true
}

// text is a value of a column; some is false for a null.
type text struct {
	text string
	some bool
}

func common(xs, ys []text) bool {
	for _, x := range xs {
		if slices.Contains(ys, x) {
			return true
		}
	}
	return false
}

// values gives the texts of a column's values. A null is one value, and so is an empty list, of which no function makes
// anything.
func (c *compared) values(f *Filter) []text {
	v := f.row.Column(c.at)
	if v.Kind != row.List {
		return []text{c.value(f, v)}
	}
	list := f.row.Rows().ListOf(v)
	if len(list) == 0 {
		return []text{{}}
	}
	out := make([]text, len(list))
	for i := range list {
		if list[i].Kind <= row.Null && f.nullTexts {
			out[i] = c.extracted(f, text{"null", true})
			continue
		}
		out[i] = c.value(f, &list[i])
	}
	return out
}

func (c *compared) value(f *Filter, v *row.Value) (t text) {
	if v.Kind > row.Null {
		t = text{string(f.row.Rows().AppendText(nil, v)), true}
	}
	return c.extracted(f, t)
}

func (c *compared) extracted(f *Filter, t text) text {
	if c.extract != nil {
		t.text, t.some = c.extract.apply(f, argument{text: t.text, some: t.some, time: c.time})
	}
	if !t.some {
		t.text = ""
	}
	return t
}
