package row

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"unsafe"
)

// Kind is what an input format found for a field.
type Kind uint8

// The kinds of Values. Lists and objects hold values of any kind, lists and objects among them.
const (
	Missing Kind = iota // the field is absent
	Null
	String
	Long
	Double
	Bool
	List
	Object
)

// Value is one field of one row, or a part of one. Text is borrowed from the parser until it reads the next record.
type Value struct {
	Kind Kind
	// Num is the long, the bits of the double, 1 for true, or for a list or an object the place of its elements in
	// Rows.Elems or its members in Rows.Members: first<<32 | number.
	Num uint64
	// Text is a string's value in UTF-8, or a long's digits, which may be left out; of a double only where it
	// is not Java's text of it, as for one that was a float. Empty for other kinds.
	Text []byte
}

// Member is one field of an object.
type Member struct {
	Key   []byte
	Value Value
}

// Rows is what a parser found in one record: Count rows of Width values each, in the order of Schema.Fields, followed by
// discovered fields. A parser reuses it from record to record.
type Rows struct {
	Count, Width int
	Values       []Value
	// Elems holds the elements of all lists, those of one list behind each other; Members the same for objects.
	Elems   []Value
	Members []Member
	// Order, kept only when fields are discovered, holds for each row its fields in order of first occurrence.
	Order [][]int32
	// Exact says that the fields in Order are discovered whatever their values; otherwise those are that have a scalar or
	// a list of scalars.
	Exact bool
	// Apart says that each row stands for itself: one without a time loses no other. Broken then holds what gave no row,
	// and Lines the line of each row, if the format has lines.
	Apart  bool
	Broken []Broken
	Lines  []int
	// Placeless says that messages of errors name no place: Broken's have it if they need one.
	Placeless bool
	// places is where the members of the object that is being made are, by key.
	places map[string]int32
}

// Broken is a part of a record that gave no row.
type Broken struct {
	Input, Message string // Message has no place behind it
	// Before is the number of rows before it, Line its line, 0 if the format has none.
	Before, Line int
}

// LineOf gives the line of row i, 0 if the format has no lines.
func (r *Rows) LineOf(i int) int {
	if i < len(r.Lines) {
		return r.Lines[i]
	}
	return 0
}

// Row gives the values of row i.
func (r *Rows) Row(i int) []Value { return r.Values[i*r.Width : (i+1)*r.Width] }

// ListOf gives the elements of a value of Kind List.
func (r *Rows) ListOf(v *Value) []Value {
	first, n := int(v.Num>>32), int(uint32(v.Num))
	return r.Elems[first : first+n]
}

// MembersOf gives the members of a value of Kind Object, in their order; no key comes twice.
func (r *Rows) MembersOf(v *Value) []Member {
	first, n := int(v.Num>>32), int(uint32(v.Num))
	return r.Members[first : first+n]
}

// NewList makes a list of elements, which it copies. Lists and objects among them must have been made before.
func (r *Rows) NewList(elems []Value) Value {
	first := len(r.Elems)
	r.Elems = append(r.Elems, elems...)
	return Value{Kind: List, Num: uint64(first)<<32 | uint64(len(elems))}
}

const (
	// fewMembers is how many members are compared with each other before a map of their keys is made.
	fewMembers = 16
	// keepPlaces bounds the members of an object whose map is kept.
	keepPlaces = 1024
)

// NewObject makes an object of members, which it copies. A key that comes twice keeps its first place and its last
// value, as in Java's maps. Lists and objects among the values must have been made before.
func (r *Rows) NewObject(members []Member) Value {
	first := len(r.Members)
	if len(members) > fewMembers {
		r.addMany(first, members)
	} else {
		for i := range members {
			m := &members[i]
			if k := slices.IndexFunc(r.Members[first:], func(o Member) bool { return bytes.Equal(o.Key, m.Key) }); k >= 0 {
				r.Members[first+k].Value = m.Value
				continue
			}
			r.Members = append(r.Members, *m)
		}
	}
	return Value{Kind: Object, Num: uint64(first)<<32 | uint64(len(r.Members)-first)}
}

// addMany adds an object's members from first on. The map is kept from object to object, unless it was of a huge one, and
// has keys for the time of one only, which are the members' own bytes.
func (r *Rows) addMany(first int, members []Member) {
	if r.places == nil {
		r.places = make(map[string]int32, len(members))
	}
	for i := range members {
		m := &members[i]
		key := unsafe.String(unsafe.SliceData(m.Key), len(m.Key))
		if k, ok := r.places[key]; ok {
			r.Members[k].Value = m.Value
			continue
		}
		r.places[key] = int32(len(r.Members))
		r.Members = append(r.Members, *m)
	}
	if len(members) > keepPlaces {
		r.places = nil
		return
	}
	clear(r.places)
}

// Reset forgets all rows and keeps Width.
func (r *Rows) Reset() {
	r.Count = 0
	r.Values, r.Elems, r.Members = r.Values[:0], r.Elems[:0], r.Members[:0]
}

// Flat says whether a list holds scalars only; others are not discovered as dimensions.
func Flat(elems []Value) bool {
	for i := range elems {
		if elems[i].Kind >= List {
			return false
		}
	}
	return true
}

// AppendText appends the text that a value has in a string dimension and in messages: that of Java's objects, so that
// lists and objects look like [a, null] and {a=1, b=[x]}.
func (r *Rows) AppendText(dst []byte, v *Value) []byte {
	switch v.Kind {
	case String:
		return append(dst, v.Text...)
	case Long:
		return strconv.AppendInt(dst, int64(v.Num), 10)
	case Double:
		if len(v.Text) > 0 {
			return append(dst, v.Text...)
		}
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
	case Object:
		dst = append(dst, '{')
		for i, m := range r.MembersOf(v) {
			if i > 0 {
				dst = append(dst, ", "...)
			}
			dst = r.AppendText(append(append(dst, m.Key...), '='), &m.Value)
		}
		return append(dst, '}')
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
		return "class java.util.LinkedHashMap"
	case Long:
		return "class java.lang.Long"
	case Double:
		return "class java.lang.Double"
	}
	return "class java.lang.String"
}
