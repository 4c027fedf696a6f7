package index

import (
	"encoding/binary"
	"slices"

	"ogham/adapters/segment"
	"ogham/domain/row"
)

// part is a run of rows in their final order: a frozen index in memory, or one that was spilled. Columns are named by
// number: dimensions from 0, metrics by the complement of theirs.
type part interface {
	length() int
	// dims is how many dimensions the part has; any after them are null in all its rows.
	dims() int
	dictionary(dim int) *sortedDict
	timeRange() (low, high int64)
	// numbers describes a numeric column.
	numbers(col int) numRange
	times(dst []int64, at int) error
	// ids gives entries of the dictionary.
	ids(dim int, dst []uint32, at int) error
	// nums gives raw bits, and which of them are null.
	nums(col int, dst []uint64, nulls []bool, at int) error
	// blobs gives the aggregates of a complex metric, which must not be written to.
	blobs(metric int, dst [][]byte, at int) error
}

// numRange is what is known of a numeric column: its extremes in the order of ordered, and whether it has nulls.
type numRange struct {
	low, high uint64
	nullable  bool
}

func (r *numRange) add(v uint64) {
	r.low, r.high = min(r.low, v), max(r.high, v)
}

func emptyRange() numRange { return numRange{low: ^uint64(0)} }

func (r numRange) union(o numRange) numRange {
	return numRange{min(r.low, o.low), max(r.high, o.high), r.nullable || o.nullable}
}

// sortedDict is a string column's dictionary in the order of a segment. Values have ranks from 1, null is 0. A column
// with lists has entries beside: each is a list of ranks (a single value is a list of one), in the order of rows; a row
// holds the number of its entry. Without lists the entries are the ranks themselves.
type sortedDict struct {
	count   int // values, null not counted
	value   func(rank uint32) []byte
	hasNull bool
	ends    []uint32 // entries' ends in elems; nil without lists
	elems   []uint32
}

func (d *sortedDict) entries() int {
	if d.ends != nil {
		return len(d.ends)
	}
	return d.count + 1
}

// entry gives the ranks of an entry of a dictionary with lists.
func (d *sortedDict) entry(e uint32) []uint32 {
	start := uint32(0)
	if e > 0 {
		start = d.ends[e-1]
	}
	return d.elems[start:d.ends[e]]
}

// frozen is a memory that no longer changes, with its rows put in order.
type frozen struct {
	m       *memory
	order   []uint32 // nil: rows are in order as they came
	dicts   []*sortedDict
	entryOf [][]uint32 // per string dimension, id to entry
	listOf  [][]uint32 // the same for lists
	ranges  map[int]numRange
	ranks   map[int][]uint32 // of json dimensions, see rowRanks
	low     int64
	high    int64
}

func freeze(m *memory) *frozen {
	f := &frozen{
		m: m, dicts: make([]*sortedDict, len(m.dims)), entryOf: make([][]uint32, len(m.dims)),
		listOf: make([][]uint32, len(m.dims)), ranges: map[int]numRange{}, ranks: map[int][]uint32{},
	}
	for i := range m.dims {
		if m.dims[i].values != nil {
			f.freezeStrings(i)
			if ranks := m.plan.rowRanks(m.dims[i].Type, f.dicts[i]); ranks != nil {
				f.ranks[i] = ranks
			}
		} else {
			f.ranges[i] = measure(&m.dims[i].nums, &m.dims[i].nulls, m.dims[i].Type, m.rows)
		}
	}
	for i := range m.metrics {
		if m.metrics[i].blobs != nil {
			continue
		}
		f.ranges[^i] = measure(&m.metrics[i].nums, &m.metrics[i].nulls, m.metrics[i].typ, m.rows)
	}
	f.low, f.high = m.time.at(0), m.time.at(0)
	for r := range m.rows {
		t := m.time.at(r)
		f.low, f.high = min(f.low, t), max(f.high, t)
	}
	f.sort()
	return f
}

func measure(nums *slab[uint64], nulls *bitset, t row.Type, rows int) numRange {
	r := emptyRange()
	for i := range rows {
		if !nulls.get(i) {
			r.add(ordered(t, nums.at(i)))
		}
	}
	r.nullable = nulls.any
	return r
}

// freezeStrings sorts a dictionary, and its lists if there are any.
func (f *frozen) freezeStrings(i int) {
	d := &f.m.dims[i]
	ids := sortIDs(d.values)
	if d.Type == row.TypeJSON {
		ids = sortJSON(d.values)
	}
	rank := make([]uint32, d.values.len())
	for r, id := range ids {
		rank[id] = uint32(r) + 1
	}
	sd := &sortedDict{count: len(ids), hasNull: d.hasNull}
	sd.value = func(r uint32) []byte { return d.values.value(ids[r-1]) }
	f.dicts[i], f.entryOf[i] = sd, rank
	if d.lists != nil {
		f.freezeLists(i, rank)
	}
}

// freezeLists makes the entries: all single values, null among them, and all lists.
func (f *frozen) freezeLists(i int, rank []uint32) {
	lists, sd := f.m.dims[i].lists, f.dicts[i]
	var elems []uint32
	type span struct{ start, end, id uint32 }
	spans := make([]span, 0, sd.count+lists.len())
	for r := range uint32(sd.count + 1) {
		spans = append(spans, span{uint32(len(elems)), uint32(len(elems)) + 1, 0})
		elems = append(elems, r)
	}
	for id := uint32(1); int(id) < lists.len(); id++ {
		start := uint32(len(elems))
		for b := lists.value(id); len(b) > 0; b = b[4:] {
			elems = append(elems, rank[binary.LittleEndian.Uint32(b)])
		}
		spans = append(spans, span{start, uint32(len(elems)), id | listBit})
	}
	slices.SortFunc(spans, func(a, b span) int {
		return slices.Compare(elems[a.start:a.end], elems[b.start:b.end])
	})
	singles := make([]uint32, sd.count+1)
	f.listOf[i] = make([]uint32, lists.len())
	sd.elems = make([]uint32, 0, len(elems))
	sd.ends = make([]uint32, 0, len(spans))
	for e, s := range spans {
		if s.id == 0 {
			singles[elems[s.start]] = uint32(e)
		} else {
			f.listOf[i][s.id&^listBit] = uint32(e)
		}
		sd.elems = append(sd.elems, elems[s.start:s.end]...)
		sd.ends = append(sd.ends, uint32(len(sd.elems)))
	}
	for id, r := range rank {
		rank[id] = singles[r]
	}
	rank[0] = singles[0]
}

// sortIDs gives the ids of all values, null not among them, in the order of a segment. Nearly all are told apart by the
// eight bytes after what all values have in common, mapped so that their order is that of UTF-16.
func sortIDs(d *dict) []uint32 {
	n := d.len() - 1
	if n == 0 {
		return nil
	}
	common := d.value(1)
	for id := uint32(2); int(id) <= n && len(common) > 0; id++ {
		common = commonPrefix(common, d.value(id))
	}
	heads, ids := make([]uint64, n), make([]uint32, n)
	for i := range heads {
		heads[i], ids[i] = utf16Head(d.value(uint32(i) + 1)[len(common):]), uint32(i)+1
	}
	heads, ids = sortKeys(heads, ids, 64)
	for start := 0; start < n; {
		end := start + 1
		for end < n && heads[end] == heads[start] {
			end++
		}
		if end-start > 1 {
			slices.SortFunc(ids[start:end], func(a, b uint32) int { return segment.CompareUTF16(d.value(a), d.value(b)) })
		}
		start = end
	}
	return ids
}

// utf16Head gives a number by which values are in the order of UTF-16, as far as their first eight bytes tell.
func utf16Head(v []byte) uint64 {
	if len(v) >= 8 {
		if b := binary.BigEndian.Uint64(v); b&0x8080808080808080 == 0 {
			return b
		}
	}
	head := uint64(0)
	for _, c := range v[:min(len(v), 8)] {
		head = head<<8 | uint64(utf16Byte[c])
	}
	return head << (8 * uint(8-min(len(v), 8)))
}

func commonPrefix(a, b []byte) []byte {
	n := min(len(a), len(b))
	i := 0
	for i < n && a[i] == b[i] {
		i++
	}
	return a[:i]
}

// utf16Byte maps the bytes of UTF-8 so that comparing mapped bytes compares UTF-16 units: the first bytes of characters
// beyond U+FFFF, surrogates there, come before those of U+E000 to U+FFFF.
var utf16Byte = func() (m [256]byte) {
	for c := range 256 {
		m[c] = byte(c)
	}
	m[0xEE], m[0xEF] = 0xFE, 0xFF
	for c := 0xF0; c <= 0xFF; c++ {
		m[c] = byte(c - 2)
	}
	return m
}()

func (f *frozen) length() int                    { return f.m.rows }
func (f *frozen) dims() int                      { return len(f.m.dims) }
func (f *frozen) dictionary(dim int) *sortedDict { return f.dicts[dim] }
func (f *frozen) timeRange() (low, high int64)   { return f.low, f.high }
func (f *frozen) numbers(col int) numRange       { return f.ranges[col] }

func (f *frozen) times(dst []int64, at int) error {
	for i := range dst {
		dst[i] = f.m.time.at(f.row(at + i))
	}
	return nil
}

func (f *frozen) row(at int) int {
	if f.order == nil {
		return at
	}
	return int(f.order[at])
}

func (f *frozen) ids(dim int, dst []uint32, at int) error {
	d := &f.m.dims[dim]
	entryOf, listOf := f.entryOf[dim], f.listOf[dim]
	for i := range dst {
		id := d.ids.at(f.row(at + i))
		if id&listBit == 0 {
			dst[i] = entryOf[id]
		} else {
			dst[i] = listOf[id&^listBit]
		}
	}
	return nil
}

func (f *frozen) nums(col int, dst []uint64, nulls []bool, at int) error {
	var n *slab[uint64]
	var z *bitset
	if col >= 0 {
		n, z = &f.m.dims[col].nums, &f.m.dims[col].nulls
	} else {
		n, z = &f.m.metrics[^col].nums, &f.m.metrics[^col].nulls
	}
	for i := range dst {
		dst[i] = n.at(f.row(at + i))
	}
	for i := range nulls {
		nulls[i] = z.get(f.row(at + i))
	}
	return nil
}

func (f *frozen) blobs(metric int, dst [][]byte, at int) error {
	b := f.m.metrics[metric].blobs
	for i := range dst {
		dst[i] = b.get(f.row(at + i))
	}
	return nil
}
