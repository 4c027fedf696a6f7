package segment

import (
	"bytes"
	"cmp"
	"math"

	"github.com/cespare/xxhash/v2"
)

// smileHashSeed is Druid's seed, a negative int.
const smileHashSeed = 0xffffffff9747b28c

// JSONKey is the place of a value in the order of an auto column: text first,
// by UTF-16 units, then numbers, then everything else by a hash.
type JSONKey struct {
	class byte
	num   float64
	long  bool
	n     int64 // of a long
	hash  int64
	doc   []byte
	text  []byte
}

// The classes, in order.
const (
	classText = iota
	classNumber
	classOther
)

// NewJSONKey makes the key of a document that a SmileWriter wrote.
func NewJSONKey(doc []byte) JSONKey {
	k := JSONKey{class: classOther, doc: doc}
	if len(doc) <= len(smileHeader) {
		return k
	}
	switch t := doc[len(smileHeader)]; {
	case t == smileStartArray, t == smileStartObject, t == smileTrue, t == smileFalse:
		var d xxhash.Digest
		d.ResetWithSeed(smileHashSeed)
		_, _ = d.Write(doc)
		k.hash = int64(d.Sum64())
		return k
	}
	n, err := parseSmile("", doc)
	if err != nil {
		return k
	}
	switch n.kind {
	case nodeString:
		k.class, k.text = classText, n.text
	case nodeLong:
		k.class, k.num, k.long, k.n = classNumber, float64(int64(n.num)), true, int64(n.num)
	case nodeDouble:
		k.class, k.num = classNumber, math.Float64frombits(n.num)
	}
	return k
}

// Compare orders two keys. Different documents are never equal: where Druid's
// comparison sees no difference, as between 1 and 1.0, longs come first, by
// their value.
func (k *JSONKey) Compare(o *JSONKey) int {
	if k.class != o.class {
		return int(k.class) - int(o.class)
	}
	c := 0
	switch k.class {
	case classText:
		return CompareUTF16(k.text, o.text)
	case classNumber:
		if c = cmp.Compare(javaOrder(k.num), javaOrder(o.num)); c == 0 {
			c = compareAlike(k, o)
		}
	default:
		c = cmp.Compare(k.hash, o.hash)
	}
	if c == 0 {
		c = bytes.Compare(k.doc, o.doc)
	}
	return c
}

// Alike says whether Druid's order of rows sees no difference between two keys:
// numbers that are the same double.
func (k *JSONKey) Alike(o *JSONKey) bool {
	return k.class == classNumber && o.class == classNumber && javaOrder(k.num) == javaOrder(o.num)
}

// compareAlike orders numbers that are equal as doubles.
func compareAlike(a, b *JSONKey) int {
	switch {
	case a.long && b.long:
		return cmp.Compare(a.n, b.n)
	case a.long:
		return -1
	case b.long:
		return 1
	}
	return 0
}

// javaOrder maps doubles so that their order is that of Java's Double.compare:
// -0.0 before 0.0, NaN last.
func javaOrder(f float64) uint64 {
	if f != f {
		return math.MaxUint64
	}
	b := math.Float64bits(f)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}
