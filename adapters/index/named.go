package index

import (
	"slices"
	"unsafe"

	"ogham/adapters/segment"
	"ogham/domain/filter"
	"ogham/domain/row"
)

// nullOfMany stands for a null among several values of a combination, in UTF-16.
const nullOfMany = "\x00\x00"

// namedValue is a value of a field that is not counted as it is; a null where some is false.
type namedValue struct {
	text []byte
	some bool
}

// readNamed gives what a dimension makes of a field's values, slot -1 being the row's time. It is valid until the next
// call.
func (m *memory) readNamed(d *filter.Dimension, slot int, rows *row.Rows, vals []row.Value) []namedValue {
	m.named = m.named[:0]
	if slot < 0 {
		m.addNamed(d.TimeValue(m.rowTime))
		return m.named
	}
	switch v := &vals[slot]; {
	case v.Kind <= row.Null:
		m.addNamed(d.Value("", false))
	case v.Kind == row.List:
		for i := range rows.ListOf(v) {
			m.addNamed(d.Value(m.textOf(rows, &rows.ListOf(v)[i]), true))
		}
	default:
		m.addNamed(d.Value(m.textOf(rows, v), true))
	}
	return m.named
}

// textOf gives a value's text until the next call.
func (m *memory) textOf(rows *row.Rows, v *row.Value) string {
	m.state = rows.AppendText(m.state[:0], v)
	return unsafe.String(unsafe.SliceData(m.state), len(m.state))
}

func (m *memory) addNamed(text string, some, kept bool) {
	if !kept {
		return
	}
	n := len(m.named)
	if m.named = m.named[:min(n+1, cap(m.named))]; len(m.named) == n {
		m.named = append(m.named, namedValue{})
	}
	v := &m.named[n] // with the memory of a value before
	v.text, v.some = append(v.text[:0], text...), some
}

// appendNamed appends the values as a part of a combination: in order, nulls first, unless all are.
func appendNamed(out []byte, values []namedValue, x *row.Metric) []byte {
	if !slices.ContainsFunc(values, func(v namedValue) bool { return v.some }) {
		return out
	}
	slices.SortFunc(values, func(a, b namedValue) int {
		switch {
		case a.some && b.some:
			return segment.CompareUTF16(a.text, b.text)
		case a.some:
			return 1
		case b.some:
			return -1
		}
		return 0
	})
	for i, v := range values {
		if i > 0 {
			out = append(out, valueSeparator...)
		}
		switch {
		case v.some:
			out = sketchText(out, v.text, x)
		case len(values) > 1:
			out = append(out, nullOfMany...)
		}
	}
	return out
}
