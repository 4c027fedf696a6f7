package filter

import (
	"math"

	"ogham/domain/row"
)

// predicate decides about one value of a column.
type predicate interface {
	// null decides about a null; known false: it is unknown.
	null() (matched, known bool)
	// text decides about a text, which is only lent.
	text(s []byte) bool
	// long and double decide about numbers. ok is false where the filter takes them as their texts.
	long(n int64) (matched, ok bool)
	double(x float64) (matched, ok bool)
}

// column applies a predicate to a column.
type column struct {
	at   int
	time bool // it is the time column
	of   predicate
	// extract, if set, turns a value's text into the one that the predicate sees; then numbers are texts too.
	extract extraction
}

func (c *column) match(f *Filter, unknown bool) bool {
	v := f.row.Column(c.at)
	switch v.Kind {
	case row.Missing, row.Null:
		return c.onNull(f, unknown)
	case row.List:
		rows := f.row.Rows()
		elems := rows.ListOf(v)
		if len(elems) == 0 {
			return c.onNull(f, unknown)
		}
		for i := range elems {
			f.text = rows.AppendText(f.text[:0], &elems[i])
			if c.onText(f, f.text, unknown) {
				return true
			}
		}
		return false
	case row.String:
		return c.onText(f, v.Text, unknown)
	case row.Long:
		if c.extract == nil {
			if matched, ok := c.of.long(int64(v.Num)); ok {
				return matched
			}
		}
	case row.Double:
		if c.extract == nil {
			if matched, ok := c.of.double(math.Float64frombits(v.Num)); ok {
				return matched
			}
		}
	}
	f.text = f.row.Rows().AppendText(f.text[:0], v)
	return c.onText(f, f.text, unknown)
}

func (c *column) onNull(f *Filter, unknown bool) bool {
	if c.extract != nil {
		if s, ok := c.extract.apply(f, argument{}); ok {
			return c.of.text([]byte(s))
		}
	}
	matched, known := c.of.null()
	return matched || !known && unknown
}

func (c *column) onText(f *Filter, s []byte, unknown bool) bool {
	if c.extract == nil {
		return c.of.text(s)
	}
	out, ok := c.extract.apply(f, argument{text: string(s), some: true, time: c.time})
	if !ok {
		matched, known := c.of.null()
		return matched || !known && unknown
	}
	return c.of.text([]byte(out))
}

// texts makes a predicate of texts only, for which nulls are unknown.
type texts func(s []byte) bool

func (t texts) null() (matched, known bool)       { return false, false }
func (t texts) text(s []byte) bool                { return t(s) }
func (t texts) long(int64) (matched, ok bool)     { return false, false }
func (t texts) double(float64) (matched, ok bool) { return false, false }

// dimension reads the members that most filters have: the column and the extraction function.
func (p *parser) dimension(m members, member, path string, of predicate) matcher {
	name, ok := m.text(member)
	if !ok {
		return p.fail(path+"."+member, member+" must not be null")
	}
	c := &column{at: p.column(name), time: name == row.TimeColumn, of: of}
	if m.has("extractionFn") {
		c.extract = p.extraction(m["extractionFn"], path+".extractionFn")
	}
	return c
}
