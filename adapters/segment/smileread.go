package segment

import (
	"math"
	"unicode/utf8"
)

// nodeKind is what a value of a document is.
type nodeKind uint8

const (
	nodeNull nodeKind = iota
	nodeBool
	nodeLong
	nodeDouble
	nodeString
	nodeList
	nodeObject
)

// node is a value of a document. Its text is part of the document's bytes.
type node struct {
	kind  nodeKind
	num   uint64 // 1 for true, the long, or the bits of the double
	text  []byte
	elems []node
	keys  [][]byte // of an object, as many as elems
}

// maxSmileDepth bounds the nesting of what is read.
const maxSmileDepth = 1100

// smileReader reads one document.
type smileReader struct {
	cursor
	names [][]byte
}

// parseSmile reads a document; no bytes are null.
func parseSmile(part string, b []byte) (node, error) {
	if len(b) == 0 {
		return node{}, nil
	}
	r := smileReader{cursor: cursor{part: part, b: b}}
	if h := r.take(int64(len(smileHeader))); h != nil && string(h[:3]) != smileHeader[:3] {
		r.corrupt("a value that is not SMILE")
	}
	n := r.value(0)
	if r.err == nil && len(r.b) > 0 {
		r.corrupt("%d bytes after a value", len(r.b))
	}
	return n, r.err
}

func (r *smileReader) value(depth int) (n node) {
	if depth > maxSmileDepth {
		r.corrupt("a value that is nested too deep")
	}
	switch t := r.u8(); {
	case r.err != nil:
	case t == smileEmptyString:
		n = node{kind: nodeString, text: []byte{}}
	case t == smileNull:
	case t == smileFalse || t == smileTrue:
		n = node{kind: nodeBool, num: uint64(t - smileFalse)}
	case t == smileInt32 || t == smileInt64:
		n = node{kind: nodeLong, num: r.vint()}
	case t == smileFloat64:
		n = node{kind: nodeDouble, num: r.sevens(10)}
	case t == smileFloat32:
		f := math.Float32frombits(uint32(r.sevens(5)))
		n = node{kind: nodeDouble, num: math.Float64bits(float64(f))}
	case t >= smileTinyASCII && t < smileTinyUnicode:
		n = node{kind: nodeString, text: r.text(int(t) - smileTinyASCII + 1)}
	case t >= smileTinyUnicode && t < smileSmallInt:
		n = node{kind: nodeString, text: r.text(int(t) - smileTinyUnicode + 2)}
	case t >= smileSmallInt && t < smileLongASCII:
		z := uint64(t - smileSmallInt)
		n = node{kind: nodeLong, num: z>>1 ^ -(z & 1)}
	case t == smileLongASCII || t == smileLongUnicode:
		n = node{kind: nodeString, text: r.longText()}
	case t == smileStartArray:
		n.kind = nodeList
		for r.err == nil && !r.ends(smileEndArray) {
			n.elems = append(n.elems, r.value(depth+1))
		}
	case t == smileStartObject:
		n.kind = nodeObject
		for r.err == nil && !r.ends(smileEndObject) {
			n.keys = append(n.keys, r.key())
			n.elems = append(n.elems, r.value(depth+1))
		}
	default:
		r.corrupt("a value with token %#x", t)
	}
	return n
}

// ends goes past the end of a container if that is what follows.
func (r *smileReader) ends(token byte) bool {
	if len(r.b) > 0 && r.b[0] == token {
		r.b = r.b[1:]
		return true
	}
	return false
}

// vint reads a number whose last byte has its top bit set, and undoes zigzag.
func (r *smileReader) vint() uint64 {
	z := uint64(0)
	for range 10 {
		c := r.u8()
		if c&0x80 != 0 {
			z = z<<6 | uint64(c&0x3f)
			return z>>1 ^ -(z & 1)
		}
		z = z<<7 | uint64(c)
	}
	r.corrupt("a number is too long")
	return 0
}

// sevens reads bytes of seven bits.
func (r *smileReader) sevens(n int64) (v uint64) {
	for _, c := range r.take(n) {
		v = v<<7 | uint64(c&0x7f)
	}
	return v
}

func (r *smileReader) text(n int) []byte {
	t := r.take(int64(n))
	if !utf8.Valid(t) {
		r.corrupt("a value with text that is not UTF-8")
	}
	return t
}

// longText reads text up to its end mark, which no UTF-8 contains.
func (r *smileReader) longText() []byte {
	for i, c := range r.b {
		if c == smileEndOfString {
			t := r.text(i)
			r.take(1)
			return t
		}
	}
	r.corrupt("a value with text without end")
	return nil
}

func (r *smileReader) key() []byte {
	t := r.u8()
	var k []byte
	switch {
	case r.err != nil || t == smileKeyEmpty:
		return nil
	case t >= smileKeyRefLong && t < smileKeyRefLong+4:
		return r.name(int(t-smileKeyRefLong)<<8 | int(r.u8()))
	case t >= smileKeyRef && t < smileKeyASCII:
		return r.name(int(t - smileKeyRef))
	case t == smileKeyLong:
		k = r.longText()
	case t >= smileKeyASCII && t < smileKeyUnicode:
		k = r.text(int(t) - smileKeyASCII + 1)
	case t >= smileKeyUnicode && t < 0xf8:
		k = r.text(int(t) - smileKeyUnicode + 2)
	default:
		r.corrupt("a key with token %#x", t)
		return nil
	}
	if len(r.names) == smileMaxNames {
		r.names = r.names[:0]
	}
	r.names = append(r.names, k)
	return k
}

func (r *smileReader) name(ref int) []byte {
	if ref >= len(r.names) {
		r.corrupt("a key that refers to key %d of %d", ref, len(r.names))
		return nil
	}
	return r.names[ref]
}
