package expr

import "strings"

// Type is what kind of value an expression has: a scalar, JSON, or an array of another type.
type Type uint32

// The types that are no arrays. Booleans are longs, and a null without any other type is a string.
const (
	String Type = iota
	Long
	Double
	JSON

	// arrayStep is added for each level of arrays.
	arrayStep Type = 4
	// unknown is the type that nothing is known of.
	unknown Type = 1<<32 - 1
)

// maxArrayDepth bounds arrays of arrays; parsers of rows stop at the same depth.
const maxArrayDepth = 1000

// Array gives the type of an array of t.
func (t Type) Array() Type { return t + arrayStep }

// IsArray says whether t is an array.
func (t Type) IsArray() bool { return t >= arrayStep && t != unknown }

// Elem gives the type of an array's elements; that of what is no array is itself.
func (t Type) Elem() Type {
	if t.IsArray() {
		return t - arrayStep
	}
	return t
}

// asArray gives the type of an array made of a value: itself if it is one already.
func (t Type) asArray() Type {
	if t.IsArray() {
		return t
	}
	return t.Array()
}

func (t Type) depth() int { return int(t / arrayStep) }

func (t Type) numeric() bool { return t == Long || t == Double }

func (t Type) primitive() bool { return t < JSON }

// String gives the name that Druid has for a type.
func (t Type) String() string {
	switch t {
	case String:
		return "STRING"
	case Long:
		return "LONG"
	case Double:
		return "DOUBLE"
	case JSON:
		return "COMPLEX<json>"
	case unknown:
		return "unknown"
	}
	d := t.depth()
	return strings.Repeat("ARRAY<", d) + (t % arrayStep).String() + strings.Repeat(">", d)
}

// parseType reads a type's name, as cast and json_value take it; case is ignored.
func parseType(name string) (Type, bool) {
	switch strings.ToUpper(name) {
	case "STRING":
		return String, true
	case "LONG":
		return Long, true
	case "DOUBLE":
		return Double, true
	case "COMPLEX<JSON>":
		return JSON, true
	case "STRING_ARRAY":
		return String.Array(), true
	case "LONG_ARRAY":
		return Long.Array(), true
	case "DOUBLE_ARRAY":
		return Double.Array(), true
	}
	depth := 0
	for len(name) > 6 && strings.EqualFold(name[:6], "ARRAY<") && name[len(name)-1] == '>' {
		name = name[6 : len(name)-1]
		depth++
	}
	if depth == 0 || depth > maxArrayDepth {
		return 0, false
	}
	elem, ok := parseType(name)
	if !ok {
		return 0, false
	}
	return elem + Type(depth)*arrayStep, true
}

// numericType is the common type of two numbers.
func numericType(a, b Type) Type {
	if a == Long && (b == Long || b == unknown) {
		return Long
	}
	return Double
}

// operatorType is the type that an operator is expected to give for operands of two types.
func operatorType(a, b Type) Type {
	switch {
	case a == unknown:
		return b
	case b == unknown || a == b && (a.IsArray() || a == JSON):
		return a
	case a == JSON && !b.IsArray() || b == JSON && !a.IsArray():
		return JSON
	case a.IsArray() || b.IsArray():
		return unknown
	case a == String && b == String:
		return String
	}
	return numericType(a, b)
}

// functionType is the type that a function is expected to give for arguments of two types: a string wins.
func functionType(a, b Type) Type {
	if a != unknown && b != unknown && a.primitive() && b.primitive() && (a == String || b == String) {
		return String
	}
	return operatorType(a, b)
}

// leastRestrictive is the narrowest type that both types can be cast to.
func leastRestrictive(a, b Type) Type {
	switch {
	case a == unknown || a == b:
		return b
	case b == unknown:
		return a
	case a == JSON || b == JSON:
		return JSON
	case a.IsArray() && b == a.Elem():
		return a
	case a.IsArray() || b.IsArray():
		return leastRestrictive(a.Elem(), b.Elem()).Array()
	case a == String || b == String:
		return String
	}
	return numericType(a, b)
}
