package expr

import (
	"math"
	"strconv"

	"ogham/domain/row"
)

// Value is the result of an expression, or a column's value given to one. The zero value is null.
//
// The text of a Value may lie in memory of the Env or of the row that it was computed from: it is valid until the Env is
// reset or the row replaced.
type Value struct {
	typ  Type
	some bool   // not null
	num  uint64 // of a long, or the bits of a double
	str  string
	box  any // the []Value of an array, or a tree of JSON
}

// Null is a null of a type.
func Null(t Type) Value { return Value{typ: t} }

// OfString makes a string.
func OfString(s string) Value { return Value{typ: String, some: true, str: s} }

// OfLong makes a long.
func OfLong(n int64) Value { return Value{typ: Long, some: true, num: uint64(n)} }

// OfDouble makes a double.
func OfDouble(f float64) Value { return Value{typ: Double, some: true, num: math.Float64bits(f)} }

// OfBool makes the long that stands for a Boolean.
func OfBool(b bool) Value {
	if b {
		return OfLong(1)
	}
	return OfLong(0)
}

// OfJSON makes a value of type COMPLEX<json>. The tree is made of nil, bool, int64, float64, string, []any and *Object;
// a nil is a null.
func OfJSON(tree any) Value { return Value{typ: JSON, some: tree != nil, box: tree} }

// OfArray makes an array. The elements must be of the type or null; they belong to the Value from then on.
func OfArray(elem Type, elems []Value) Value {
	return Value{typ: elem.Array(), some: true, box: elems}
}

// Type gives the value's type.
func (v Value) Type() Type { return v.typ }

// IsNull says whether there is no value.
func (v Value) IsNull() bool { return !v.some }

// Long gives a long's number.
func (v Value) Long() int64 { return int64(v.num) }

// Double gives a double's number.
func (v Value) Double() float64 { return math.Float64frombits(v.num) }

// Text gives a string's text.
func (v Value) Text() string { return v.str }

// TextBytes gives the bytes of a string's text, which must not be changed.
func (v Value) TextBytes() []byte { return bytesOf(v.str) }

// Elems gives an array's elements, which must not be changed.
func (v Value) Elems() []Value {
	elems, _ := v.box.([]Value)
	return elems
}

// Tree gives the tree of a value of type JSON, as described at OfJSON.
func (v Value) Tree() any { return v.box }

// array gives the elements that a value has as an array: those of an array, or itself; ok is false for a null and for
// what cannot be one.
func (v Value) array() (elems []Value, ok bool) {
	switch {
	case !v.some:
		return nil, false
	case v.typ.IsArray():
		return v.Elems(), true
	case v.typ == JSON:
		if u := fromTree(v.box); u.typ != JSON {
			return u.array()
		}
		return nil, false
	}
	return []Value{v}, true
}

// single gives the element of an array that has just one.
func (v Value) single() (Value, bool) {
	if elems := v.Elems(); v.some && len(elems) == 1 {
		return elems[0], true
	}
	return Value{}, false
}

// numericNull says that a value has no number, in which case the numbers of asLong and its like are 0.
func (v Value) numericNull() bool {
	_, ok := v.number()
	return !ok
}

// number is what a value counts as: long or double.
type number struct {
	long   int64
	double float64
	isLong bool
}

func (n number) asLong() int64 {
	if n.isLong {
		return n.long
	}
	return toLong(n.double)
}

func (n number) asDouble() float64 {
	if n.isLong {
		return float64(n.long)
	}
	return n.double
}

func (v Value) number() (n number, ok bool) {
	if !v.some {
		return n, false
	}
	switch v.typ {
	case Long:
		return number{long: v.Long(), isLong: true}, true
	case Double:
		return number{double: v.Double()}, true
	case String:
		return parseNumber(v.str)
	case JSON:
		switch t := v.box.(type) {
		case bool:
			return number{long: OfBool(t).Long(), isLong: true}, true
		case int64:
			return number{long: t, isLong: true}, true
		case float64:
			return number{double: t}, true
		case string:
			return parseNumber(t)
		}
		return n, false
	}
	if one, single := v.single(); single {
		if !one.typ.primitive() { // what is no number and no text counts as 0, as in Druid
			return number{isLong: true}, one.some
		}
		return one.number()
	}
	return n, false
}

func (v Value) asLong() int64 {
	if v.typ == Long {
		return v.Long()
	}
	n, _ := v.number()
	return n.asLong()
}

// asInt is Java's intValue: a long loses its upper half, a double saturates.
func (v Value) asInt() int {
	n, _ := v.number()
	if n.isLong {
		return int(int32(n.long))
	}
	return int(min(max(toLong(n.double), math.MinInt32), math.MaxInt32))
}

func (v Value) asDouble() float64 {
	if v.typ == Double {
		return v.Double()
	}
	n, _ := v.number()
	return n.asDouble()
}

// Bool says whether a value is true: a number above zero, the text true in any case.
func (v Value) Bool() bool {
	if !v.some {
		return false
	}
	switch v.typ {
	case Long:
		return v.Long() > 0
	case Double:
		return v.Double() > 0
	case String:
		return isTrue(v.str)
	case JSON:
		if t := fromTree(v.box); t.typ.primitive() {
			return t.Bool()
		}
		return false
	}
	if one, ok := v.single(); ok && one.typ.primitive() && one.some {
		if one.typ.numeric() {
			return one.asLong() > 0
		}
		return one.Bool()
	}
	return false
}

// asString gives a value's text, as Java prints it; ok is false for a null.
func (e *Env) asString(v Value) (s string, ok bool) {
	if v.typ == String || !v.some {
		return v.str, v.some
	}
	if one, single := v.single(); single && v.typ.IsArray() {
		if !one.some {
			return "", false
		}
		v = one
	}
	return e.build(func(dst []byte) []byte { return appendText(dst, v) }), true
}

// appendText appends what Java prints for a value.
func appendText(dst []byte, v Value) []byte {
	if !v.some {
		return append(dst, "null"...)
	}
	switch v.typ {
	case String:
		return append(dst, v.str...)
	case Long:
		return strconv.AppendInt(dst, v.Long(), 10)
	case Double:
		return row.AppendDouble(dst, v.Double())
	case JSON:
		return appendTreeText(dst, v.box)
	}
	dst = append(dst, '[')
	for i, elem := range v.Elems() {
		if i > 0 {
			dst = append(dst, ", "...)
		}
		dst = appendText(dst, elem)
	}
	return append(dst, ']')
}
