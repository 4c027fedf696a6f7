package segment

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"strings"
)

// JSONType is a type that values of an auto column have; as a set of bits it
// is what a segment says of a field.
type JSONType uint8

// The types.
const (
	JSONString      JSONType = 1 << 0
	JSONLong        JSONType = 1 << 2
	JSONDouble      JSONType = 1 << 3
	JSONStringArray JSONType = 1 << 4
	JSONLongArray   JSONType = 1 << 5
	JSONDoubleArray JSONType = 1 << 6

	jsonArrays = JSONStringArray | JSONLongArray | JSONDoubleArray
)

var jsonTypeNames = map[JSONType]string{
	JSONString: "STRING", JSONLong: "LONG", JSONDouble: "DOUBLE",
	JSONStringArray: "ARRAY<STRING>", JSONLongArray: "ARRAY<LONG>", JSONDoubleArray: "ARRAY<DOUBLE>",
}

// nestedType is the logical type of a column with objects.
const nestedType = "COMPLEX<json>"

// array is the type of lists of a scalar type.
func (t JSONType) array() JSONType {
	switch t {
	case JSONLong:
		return JSONLongArray
	case JSONDouble:
		return JSONDoubleArray
	case JSONString:
		return JSONStringArray
	}
	return t
}

// fieldTypes is what the values of a field were.
type fieldTypes struct {
	types JSONType
	// untyped says that there were lists without any element but null.
	untyped bool
}

// single is the type if there is but one, else 0.
func (f fieldTypes) single() JSONType {
	switch {
	case f.types == 0 && f.untyped:
		return JSONLongArray
	case bits.OnesCount8(uint8(f.types)) != 1 || f.untyped && f.types&jsonArrays == 0:
		return 0
	}
	return f.types
}

// stored is the set that the segment holds.
func (f fieldTypes) stored() JSONType {
	if f.untyped && bits.OnesCount8(uint8(f.types)) == 1 {
		return f.types | f.types.array()
	}
	return f.types
}

// written is the set that a column with objects holds of a field: as Druid's FieldTypeInfo.Writer has it, lists without any
// element but null are lists of what takes all the others, of longs where there is nothing else.
func (f fieldTypes) written() JSONType {
	types := f.stored()
	switch {
	case !f.untyped || types&jsonArrays != 0:
		return types
	case types == 0:
		return JSONLongArray
	}
	return types | types.widest().array()
}

// widest is the type that takes all of a set.
func (t JSONType) widest() JSONType {
	w := JSONLong
	switch {
	case t&(JSONString|JSONStringArray) != 0:
		w = JSONString
	case t&(JSONDouble|JSONDoubleArray) != 0:
		w = JSONDouble
	}
	if t&jsonArrays != 0 {
		return w.array()
	}
	return w
}

// leaf is a value of a field: a scalar, or a list of scalars of one type.
type leaf struct {
	typ   JSONType // 0: null
	num   uint64   // long, or bits of a double
	text  []byte
	elems []leaf
	// untyped: a list without any element but null
	untyped bool
}

// canonicalNaN is Java's.
const canonicalNaN = 0x7ff8000000000000

// scalarLeaf takes a scalar as it is; Booleans are longs.
func scalarLeaf(n *node) leaf {
	switch n.kind {
	case nodeBool, nodeLong:
		return leaf{typ: JSONLong, num: n.num}
	case nodeDouble:
		return doubleLeaf(math.Float64frombits(n.num))
	case nodeString:
		return leaf{typ: JSONString, text: n.text}
	}
	return leaf{}
}

func doubleLeaf(f float64) leaf {
	if f != f {
		return leaf{typ: JSONDouble, num: canonicalNaN}
	}
	return leaf{typ: JSONDouble, num: math.Float64bits(f)}
}

// listLeaf takes a list of scalars; ok is false for one with a list or an
// object in it. The elements get the type that takes all of them.
func listLeaf(n *node) (l leaf, ok bool) {
	elem := JSONType(0)
	for i := range n.elems {
		switch n.elems[i].kind {
		case nodeList, nodeObject:
			return l, false
		case nodeString:
			elem |= JSONString
		case nodeDouble:
			elem |= JSONDouble
		case nodeBool, nodeLong:
			elem |= JSONLong
		}
	}
	l.untyped = elem == 0
	if l.untyped {
		elem = JSONString
	}
	elem = elem.widest()
	l.typ = elem.array()
	l.elems = make([]leaf, len(n.elems))
	for i := range n.elems {
		l.elems[i] = elementLeaf(&n.elems[i], elem)
	}
	return l, true
}

func elementLeaf(n *node, to JSONType) leaf {
	l := scalarLeaf(n)
	switch {
	case l.typ == 0 || l.typ == to:
		return l
	case to == JSONDouble:
		return doubleLeaf(float64(int64(l.num)))
	case n.kind == nodeBool:
		return leaf{typ: JSONString, text: strconv.AppendBool(nil, n.num != 0)}
	case l.typ == JSONLong:
		return leaf{typ: JSONString, text: strconv.AppendInt(nil, int64(l.num), 10)}
	}
	text := strings.Trim(string(appendJavaDouble(nil, math.Float64frombits(l.num), 64)), `"`)
	return leaf{typ: JSONString, text: []byte(text)}
}

// jsonWalker finds the fields of values.
type jsonWalker struct {
	path []byte
	emit func(path []byte, l *leaf)
	// objects says that there was an object.
	objects bool
}

// jsonRoot is the path of a value itself.
const jsonRoot = "$"

func (w *jsonWalker) walk(n *node) {
	w.path = append(w.path[:0], jsonRoot...)
	w.visit(n)
}

func (w *jsonWalker) visit(n *node) {
	at := len(w.path)
	switch n.kind {
	case nodeNull:
	case nodeObject:
		w.objects = true
		for i := range n.elems {
			w.path = appendPathKey(w.path[:at], n.keys[i])
			w.visit(&n.elems[i])
		}
	case nodeList:
		if l, ok := listLeaf(n); ok {
			w.emit(w.path, &l)
			return
		}
		for i := range n.elems {
			w.path = strconv.AppendInt(append(w.path[:at], '['), int64(i), 10)
			w.path = append(w.path, ']')
			w.visit(&n.elems[i])
		}
	default:
		l := scalarLeaf(n)
		w.emit(w.path, &l)
	}
	w.path = w.path[:at]
}

// appendPathKey appends a key as Druid's normalized JSON paths have it.
func appendPathKey(path, key []byte) []byte {
	for _, c := range key {
		switch c {
		case '.', '\'', '"', '[', ']':
			path = append(append(path, "['"...), key...)
			return append(path, "']"...)
		}
	}
	return append(append(path, '.'), key...)
}

// arrayKey is the dictionary's key of a list of ids.
func arrayKey(dst []byte, ids []uint32) []byte {
	for _, id := range ids {
		dst = binary.BigEndian.AppendUint32(dst, id)
	}
	return dst
}
