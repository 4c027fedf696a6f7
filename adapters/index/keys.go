package index

import (
	"cmp"
	"math/bits"

	"ogham/domain/row"
)

// timeCol is the number of the time column among the columns of a key.
const timeCol = 1 << 30

// ordered maps the bits of a number so that unsigned comparison is Druid's order: -0.0 before 0.0, NaN last.
func ordered(t row.Type, b uint64) uint64 {
	switch t {
	case row.TypeLong:
		return b ^ 1<<63
	case row.TypeFloat:
		if b>>31 != 0 {
			return uint64(^uint32(b))
		}
		return b | 1<<31
	}
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

// keyCol is one column of the sort key.
type keyCol struct {
	col  int // timeCol, or a dimension
	typ  row.Type
	bits int
	numRange
}

// keyPlan says how rows compare. The leading columns that fit are packed into one 64-bit key each row; the others, if
// any, are compared one by one when keys are equal.
type keyPlan struct {
	packed, rest []keyCol
	bits         int
}

// planKeys plans the key of rows: the dimensions in order, with the time before the one numbered timeAt or, where there is
// none, last. Each dimension's type, number of entries and range come from the functions.
func planKeys(low, high int64, timeAt int, dims []dimPlan, entries func(d int) int, numbers func(d int) numRange) keyPlan {
	var k keyPlan
	for d := range len(dims) + 1 {
		if d == timeAt {
			k.add(keyCol{
				col: timeCol, typ: row.TypeLong,
				numRange: numRange{low: ordered(row.TypeLong, uint64(low)), high: ordered(row.TypeLong, uint64(high))},
			})
		}
		if d == len(dims) {
			break
		}
		c := keyCol{col: d, typ: dims[d].Type}
		if hasDict(c.typ) {
			c.high = uint64(max(entries(d)-1, 0))
		} else {
			c.numRange = numbers(d)
		}
		k.add(c)
	}
	return k
}

func (k *keyPlan) add(c keyCol) {
	if c.low > c.high { // all null
		c.low, c.high = 0, 0
	}
	span := c.high - c.low
	fits := span != ^uint64(0)
	if c.nullable {
		span++
	}
	c.bits = bits.Len64(span)
	if fits && len(k.rest) == 0 && k.bits+c.bits <= 64 {
		k.bits += c.bits
		if c.bits > 0 {
			k.packed = append(k.packed, c)
		}
		return
	}
	if c.high != c.low || c.nullable {
		k.rest = append(k.rest, c)
	}
}

// pack gives the key's part of a value.
func (c *keyCol) pack(v uint64, null bool) uint64 {
	if !c.nullable {
		return v - c.low
	}
	if null {
		return 0
	}
	return v - c.low + 1
}

// compareNumbers orders two values of a column that is not packed: null first.
func compareNumbers(a uint64, aNull bool, b uint64, bNull bool) int {
	switch {
	case aNull && bNull:
		return 0
	case aNull:
		return -1
	case bNull:
		return 1
	}
	return cmp.Compare(a, b)
}

// keyReader makes the keys of a part's rows, block by block.
type keyReader struct {
	part  part
	plan  *keyPlan
	remap func(d int) []uint32 // entries of the part to those of the plan; nil: the same
	times []int64
	ids   []uint32
	nums  []uint64
	nulls []bool
}

func newKeyReader(p part, k *keyPlan, remap func(d int) []uint32, block int) *keyReader {
	return &keyReader{
		part: p, plan: k, remap: remap, times: make([]int64, block), ids: make([]uint32, block),
		nums: make([]uint64, block), nulls: make([]bool, block),
	}
}

// keys fills dst with the packed keys of the rows from at.
func (r *keyReader) keys(dst []uint64, at int) error {
	clear(dst)
	for i := range r.plan.packed {
		c := &r.plan.packed[i]
		vals, nulls, err := r.column(c, len(dst), at)
		if err != nil {
			return err
		}
		shift := uint(c.bits) & 63
		switch {
		case c.bits == 64:
			for j, v := range vals {
				dst[j] = c.pack(v, nulls[j])
			}
		case c.nullable:
			for j, v := range vals {
				dst[j] = dst[j]<<shift | c.pack(v, nulls[j])
			}
		default:
			for j, v := range vals {
				dst[j] = dst[j]<<shift | (v - c.low)
			}
		}
	}
	return nil
}

// column gives a column's ordered values; nulls is meaningful for nullable columns only.
func (r *keyReader) column(c *keyCol, n, at int) (vals []uint64, nulls []bool, err error) {
	vals, nulls = r.nums[:n], r.nulls[:n]
	switch {
	case c.col == timeCol:
		if err := r.part.times(r.times[:n], at); err != nil {
			return nil, nil, err
		}
		for i, t := range r.times[:n] {
			vals[i] = uint64(t) ^ 1<<63
		}
	case c.col >= r.part.dims():
		missing := uint64(0)
		if remap := r.remap(c.col); remap != nil {
			missing = uint64(remap[0])
		}
		for i := range vals {
			vals[i], nulls[i] = missing, true
		}
	case hasDict(c.typ):
		if err := r.part.ids(c.col, r.ids[:n], at); err != nil {
			return nil, nil, err
		}
		remap := r.remap(c.col)
		for i, id := range r.ids[:n] {
			if remap != nil {
				id = remap[id]
			}
			vals[i] = uint64(id)
		}
	default:
		if err := r.part.nums(c.col, vals, nulls, at); err != nil {
			return nil, nil, err
		}
		for i := range vals {
			vals[i] = ordered(c.typ, vals[i])
		}
	}
	return vals, nulls, nil
}
