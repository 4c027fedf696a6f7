package row

import (
	"math"
	"strconv"
)

// Kind is what an input format found for a field.
type Kind uint8

// The kinds of Values. Lists hold scalars, nulls and objects; whatever is deeper arrives as its text.
const (
	Missing Kind = iota // the field is absent
	Null
	String
	Long
	Double
	Bool
	List
	Object // a nested object, or a list within a list: Text is Druid's (Java's) text of it
)

// Value is one field of one row. Text is borrowed from the parser until it reads the next record.
type Value struct {
	Kind Kind
	// NestedList tells a list within a list from an object; both have Kind Object.
	NestedList bool
	// Num is the long, the bits of the double, 1 for true, or for a list first element<<32 | number of elements.
	Num uint64
	// Text is a string's value in UTF-8, a long's digits, or an object's text. Empty for other kinds.
	Text []byte
}

// Rows is what a parser found in one record: Count rows of Width values each, in the order of Schema.Fields, followed by
// discovered fields. A parser reuses it from record to record.
type Rows struct {
	Count, Width int
	Values       []Value
	// Elems holds the elements of all lists.
	Elems []Value
	// Order, kept only when fields are discovered, holds for each row its fields in order of first occurrence.
	Order [][]int32
}

// Row gives the values of row i.
func (r *Rows) Row(i int) []Value { return r.Values[i*r.Width : (i+1)*r.Width] }

// ListOf gives the elements of a value of Kind List.
func (r *Rows) ListOf(v *Value) []Value {
	first, n := int(v.Num>>32), int(uint32(v.Num))
	return r.Elems[first : first+n]
}

// Flat says whether a list holds scalars only; others are not discovered as dimensions.
func Flat(elems []Value) bool {
	for i := range elems {
		if elems[i].Kind == Object {
			return false
		}
	}
	return true
}

// AppendText appends the text that a value has in a string dimension and in messages.
func (r *Rows) AppendText(dst []byte, v *Value) []byte {
	switch v.Kind {
	case String, Object:
		return append(dst, v.Text...)
	case Long:
		return strconv.AppendInt(dst, int64(v.Num), 10)
	case Double:
		return AppendDouble(dst, math.Float64frombits(v.Num))
	case Bool:
		return strconv.AppendBool(dst, v.Num != 0)
	case List:
		dst = append(dst, '[')
		elems := r.ListOf(v)
		for i := range elems {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = r.AppendText(dst, &elems[i])
		}
		return append(dst, ']')
	}
	return append(dst, "null"...)
}

// javaClass is the class that Druid's messages name for a value.
func (v *Value) javaClass() string {
	switch v.Kind {
	case Bool:
		return "class java.lang.Boolean"
	case List:
		return "class java.util.ArrayList"
	case Object:
		if v.NestedList {
			return "class java.util.ArrayList"
		}
		return "class java.util.LinkedHashMap"
	case Long:
		return "class java.lang.Long"
	case Double:
		return "class java.lang.Double"
	}
	return "class java.lang.String"
}
