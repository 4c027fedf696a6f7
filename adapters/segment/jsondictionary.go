package segment

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// jsonDictionary holds the distinct literals of an auto column. Their ids
// count on through the four lists: null and the strings, longs, doubles, and
// arrays, which are lists of ids.
type jsonDictionary struct {
	strings stringList // sorted, null not among them
	longs   []int64
	doubles []uint64 // bits, in Java's order
	arrays  []string // keys, sorted

	stringIDs map[string]uint32
	longIDs   map[int64]uint32
	doubleIDs map[uint64]uint32
	arrayIDs  map[string]uint32
	key       []byte
}

func newJSONDictionary() *jsonDictionary {
	return &jsonDictionary{
		stringIDs: map[string]uint32{}, longIDs: map[int64]uint32{}, doubleIDs: map[uint64]uint32{},
		arrayIDs: map[string]uint32{},
	}
}

// addScalars notes the scalars of a value.
func (d *jsonDictionary) addScalars(l *leaf) {
	switch {
	case l.typ&jsonArrays != 0:
		for i := range l.elems {
			d.addScalars(&l.elems[i])
		}
	case l.typ == JSONString:
		if _, ok := d.stringIDs[string(l.text)]; !ok {
			d.stringIDs[string(l.text)] = 0
		}
	case l.typ == JSONLong:
		d.longIDs[int64(l.num)] = 0
	case l.typ == JSONDouble:
		d.doubleIDs[l.num] = 0
	}
}

// numberScalars sorts the scalars and gives them their ids.
func (d *jsonDictionary) numberScalars() {
	d.strings, d.longs, d.doubles = nil, nil, nil
	for s := range d.stringIDs {
		d.strings = append(d.strings, s)
	}
	slices.SortFunc(d.strings, compareStrings)
	for n := range d.longIDs {
		d.longs = append(d.longs, n)
	}
	slices.Sort(d.longs)
	for b := range d.doubleIDs {
		d.doubles = append(d.doubles, b)
	}
	slices.SortFunc(d.doubles, func(a, b uint64) int {
		return cmp.Compare(javaOrder(math.Float64frombits(a)), javaOrder(math.Float64frombits(b)))
	})
	id := uint32(1)
	for _, s := range d.strings {
		d.stringIDs[s] = id
		id++
	}
	for _, n := range d.longs {
		d.longIDs[n] = id
		id++
	}
	for _, b := range d.doubles {
		d.doubleIDs[b] = id
		id++
	}
}

func compareStrings(a, b string) int { return CompareUTF16([]byte(a), []byte(b)) }

// addArray notes an array, whose elements have ids.
func (d *jsonDictionary) addArray(l *leaf) {
	if l.typ&jsonArrays == 0 {
		return
	}
	if key := d.arrayOf(l); d.arrayIDs[string(key)] == 0 {
		d.arrayIDs[string(key)] = 1
	}
}

func (d *jsonDictionary) arrayOf(l *leaf) []byte {
	key := d.key[:0]
	for i := range l.elems {
		key = binary.BigEndian.AppendUint32(key, d.id(&l.elems[i]))
	}
	d.key = key
	return key
}

// numberArrays sorts the arrays, by their elements' ids, and numbers them.
func (d *jsonDictionary) numberArrays() {
	d.arrays = nil
	for a := range d.arrayIDs {
		d.arrays = append(d.arrays, a)
	}
	slices.SortFunc(d.arrays, strings.Compare) // keys are big-endian
	for i, a := range d.arrays {
		d.arrayIDs[a] = uint32(d.scalars() + i)
	}
}

// id gives the id of a literal that was noted.
func (d *jsonDictionary) id(l *leaf) uint32 {
	switch {
	case l.typ == 0:
		return 0
	case l.typ == JSONString:
		return d.stringIDs[string(l.text)]
	case l.typ == JSONLong:
		return d.longIDs[int64(l.num)]
	case l.typ == JSONDouble:
		return d.doubleIDs[l.num]
	}
	return d.arrayIDs[string(d.arrayOf(l))]
}

// scalars is the number of ids of null and scalars.
func (d *jsonDictionary) scalars() int { return 1 + len(d.strings) + len(d.longs) + len(d.doubles) }

// len is the number of ids.
func (d *jsonDictionary) len() int { return d.scalars() + len(d.arrays) }

// longAt and doubleAt give the value of an id of theirs, and 0 for null.
func (d *jsonDictionary) longAt(id uint32) int64 {
	if id == 0 {
		return 0
	}
	return d.longs[int(id)-1-len(d.strings)]
}

func (d *jsonDictionary) doubleAt(id uint32) float64 {
	if id == 0 {
		return 0
	}
	return math.Float64frombits(d.doubles[int(id)-1-len(d.strings)-len(d.longs)])
}

// elements gives the ids of an array's elements; none for another id.
func (d *jsonDictionary) elements(dst []uint32, id uint32) []uint32 {
	at := int(id) - d.scalars()
	if at < 0 {
		return dst
	}
	for key := []byte(d.arrays[at]); len(key) > 0; key = key[4:] {
		dst = append(dst, binary.BigEndian.Uint32(key))
	}
	return dst
}

// stringList is the dictionary of strings as it is written, null first.
type stringList []string

// Len implements Dictionary.
func (l stringList) Len() int { return len(l) + 1 }

// Value implements Dictionary.
func (l stringList) Value(i int) ([]byte, bool) {
	if i == 0 {
		return nil, true
	}
	return []byte(l[i-1]), false
}

// Flags of a dictionary of fixed-width values.
const (
	fixedNull   = 1
	fixedSorted = 2
)

// fixedHeader begins a dictionary of fixed-width values.
func fixedHeader(flags byte, count int) []byte {
	return binary.LittleEndian.AppendUint32([]byte{0, flags}, uint32(count))
}

func (d *jsonDictionary) longBytes(flags byte) []byte {
	b := fixedHeader(flags, len(d.longs))
	for _, n := range d.longs {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	return b
}

func (d *jsonDictionary) doubleBytes(flags byte) []byte {
	b := fixedHeader(flags, len(d.doubles))
	for _, n := range d.doubles {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	return b
}

func idBytes(ids []uint32) []byte {
	b := fixedHeader(fixedSorted, len(ids))
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint32(b, id)
	}
	return b
}

// arrayBucket is the bucket size of front-coded arrays.
const arrayBucket = 4

// arrayBytes encodes the arrays front-coded: in each bucket they leave out the
// ids that they share with the one before.
func (d *jsonDictionary) arrayBytes() []byte {
	var ends, values []byte
	var before []uint32
	for i := range d.arrays {
		ids := d.elements(nil, uint32(d.scalars()+i))
		if i%arrayBucket == 0 {
			if i > 0 {
				ends = binary.LittleEndian.AppendUint32(ends, uint32(len(values)))
			}
			before = nil
		}
		n := 0
		for n < len(before) && n < len(ids) && before[n] == ids[n] {
			n++
		}
		if i%arrayBucket > 0 {
			values = appendVByte(values, n)
		}
		before, ids = ids, ids[n:]
		values = appendVByte(values, len(ids))
		for _, id := range ids {
			values = binary.LittleEndian.AppendUint32(values, id)
		}
	}
	b := []byte{0, arrayBucket, 0}
	b = appendVByte(b, len(d.arrays))
	b = appendVByte(b, len(ends)+len(values))
	return bytes.Join([][]byte{b, ends, values}, nil)
}
