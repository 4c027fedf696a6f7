package index

import (
	"cmp"
	"slices"
)

// sort finds the order of the rows: by packed key, then by the columns that did not fit, then as they came.
func (f *frozen) sort() {
	m := f.m
	k := planKeys(f.low, f.high, m.plan.schema.TimePosition, f.dimPlans(), func(d int) int { return f.dicts[d].entries() },
		func(d int) numRange { return f.ranges[d] })
	keys := make([]uint64, m.rows)
	r := newKeyReader(f, &k, func(d int) []uint32 { return f.ranks[d] }, slabRows)
	for at := 0; at < m.rows; at += slabRows {
		// Reading a part in memory cannot fail.
		_ = r.keys(keys[at:min(at+slabRows, m.rows)], at)
	}
	if len(k.rest) == 0 && slices.IsSorted(keys) {
		return
	}
	order := make([]uint32, m.rows)
	for i := range order {
		order[i] = uint32(i)
	}
	keys, order = sortKeys(keys, order, k.bits)
	if len(k.rest) > 0 {
		f.sortTies(keys, order, k.rest)
	}
	f.order = order
}

func (f *frozen) dimPlans() []dimPlan {
	plans := make([]dimPlan, len(f.m.dims))
	for i := range f.m.dims {
		plans[i] = f.m.dims[i].dimPlan
	}
	return plans
}

// sortTies orders rows of equal keys by the columns beyond the key.
func (f *frozen) sortTies(keys []uint64, order []uint32, rest []keyCol) {
	for start := 0; start < len(keys); {
		end := start + 1
		for end < len(keys) && keys[end] == keys[start] {
			end++
		}
		if end-start > 1 {
			slices.SortStableFunc(order[start:end], func(a, b uint32) int { return f.compareRest(int(a), int(b), rest) })
		}
		start = end
	}
}

// compareRest compares two rows, numbered as they came, by some columns. f.order is not set yet.
func (f *frozen) compareRest(a, b int, rest []keyCol) int {
	for i := range rest {
		c := &rest[i]
		var r int
		switch {
		case c.col == timeCol:
			r = cmp.Compare(f.m.time.at(a), f.m.time.at(b))
		case hasDict(c.typ):
			var e [2]uint32
			_ = f.ids(c.col, e[:1], a)
			_ = f.ids(c.col, e[1:], b)
			if ranks := f.ranks[c.col]; ranks != nil {
				e[0], e[1] = ranks[e[0]], ranks[e[1]]
			}
			r = cmp.Compare(e[0], e[1])
		default:
			d := &f.m.dims[c.col]
			r = compareNumbers(ordered(c.typ, d.nums.at(a)), d.nulls.get(a), ordered(c.typ, d.nums.at(b)), d.nulls.get(b))
		}
		if r != 0 {
			return r
		}
	}
	return 0
}
