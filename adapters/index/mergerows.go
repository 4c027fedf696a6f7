package index

import (
	"cmp"
	"context"
	"fmt"
)

// mergeBlock is how many rows of each part are looked at a time; with many parts or columns it is less, to bound the
// memory.
const (
	mergeBlock       = 4096
	mergeBlockBudget = 1 << 20 // values over all parts
	minMergeBlock    = 64
)

// blockFor plans for keys and the columns beyond them.
func blockFor(parts, rest int) int {
	return max(minMergeBlock, min(mergeBlock, mergeBlockBudget/max(parts*(1+rest), 1)))
}

// rowMerger merges parts by key.
type rowMerger struct {
	plan   *keyPlan
	heads  []mergeHead
	rollup bool
	runs   runList
	rows   int64
	// last is the part of the last row, -1 before the first; its key is kept, as its block may be gone.
	last      int
	lastKey   uint64
	lastRest  []uint64
	lastNulls []bool
	// err is the first error of comparing, which has no other way to tell.
	err error
}

// mergeHead is where one part stands.
type mergeHead struct {
	reader *keyReader
	keys   []uint64
	rest   []restBlock // per column beyond the key
	at     int         // row of keys[0]
	pos    int
	total  int
}

// restBlock is a block of ordered values of a column. It is read when two rows of one key are compared, which some
// schemas never see.
type restBlock struct {
	read  bool
	vals  []uint64
	nulls []bool
}

func (h *mergeHead) key() uint64 { return h.keys[h.pos] }

// fill reads the block that starts at row at; done says that there is none.
func (h *mergeHead) fill(plan *keyPlan, at, block int) (done bool, err error) {
	n := min(block, h.total-at)
	if n <= 0 {
		return true, nil
	}
	h.at, h.pos = at, 0
	h.keys = h.keys[:n]
	if err := h.reader.keys(h.keys, at); err != nil {
		return false, err
	}
	for i := range h.rest {
		h.rest[i].read = false
	}
	return false, nil
}

// restOf gives column i beyond the key, a block like keys.
func (m *rowMerger) restOf(h *mergeHead, i int) *restBlock {
	b := &h.rest[i]
	if b.read {
		return b
	}
	vals, nulls, err := h.reader.column(&m.plan.rest[i], len(h.keys), h.at)
	if err != nil && m.err == nil {
		m.err = err
	}
	b.vals, b.nulls, b.read = append(b.vals[:0], vals...), append(b.nulls[:0], nulls...), true
	if err != nil {
		b.vals, b.nulls = make([]uint64, len(h.keys)), make([]bool, len(h.keys))
	}
	return b
}

// mergeRows gives the merged order of the parts' rows.
func mergeRows(
	ctx context.Context, parts []part, plan *keyPlan, remap func(part, dim int) []uint32, rollup bool,
) (*rowMerger, error) {
	m := &rowMerger{plan: plan, rollup: rollup, last: -1, runs: newRunList(len(parts))}
	defer m.runs.end()
	if len(parts) == 1 {
		m.emit(0, parts[0].length())
		return m, nil
	}
	block := blockFor(len(parts), len(plan.rest))
	heap := partHeap{less: func(a, b int) bool { return m.compare(a, b) < 0 }}
	m.heads = make([]mergeHead, len(parts))
	for i, p := range parts {
		h := &m.heads[i]
		h.reader = newKeyReader(p, plan, func(d int) []uint32 { return remap(i, d) }, block)
		h.keys, h.total = make([]uint64, block), p.length()
		h.rest = make([]restBlock, len(plan.rest))
		if _, err := h.fill(plan, 0, block); err != nil {
			return nil, err
		}
	}
	for i := range parts {
		heap.push(i)
	}
	for len(heap.items) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("merge rows: %w", err)
		}
		if err := cmp.Or(m.step(&heap, block), m.err); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// step takes rows of the first part for as long as they come before those of the others, within a block.
func (m *rowMerger) step(heap *partHeap, block int) error {
	p := heap.items[0]
	h := &m.heads[p]
	start := h.pos
	if m.rollup && m.last >= 0 && m.last != p && m.sameAsLast(p) {
		m.runs.combine(p)
		start++
		h.pos++
	}
	m.advance(p, heap.second())
	if h.pos > start {
		m.emit(p, h.pos-start)
	}
	m.last = p
	if m.rollup {
		m.keep(h, heap.second())
	}
	if h.pos < len(h.keys) {
		heap.down(0)
		return nil
	}
	done, err := h.fill(m.plan, h.at+len(h.keys), block)
	if err != nil {
		return err
	}
	if done {
		heap.pop()
	} else {
		heap.down(0)
	}
	return nil
}

// keep notes the key of the row before where a part stands, of which the whole matters to the row of the same key alone
// where other stands.
func (m *rowMerger) keep(h *mergeHead, other int) {
	m.lastKey = h.keys[h.pos-1]
	m.lastRest, m.lastNulls = m.lastRest[:0], m.lastNulls[:0]
	if other < 0 || m.heads[other].key() != m.lastKey {
		return
	}
	for i := range h.rest {
		b := m.restOf(h, i)
		m.lastRest = append(m.lastRest, b.vals[h.pos-1])
		m.lastNulls = append(m.lastNulls, b.nulls[h.pos-1])
	}
}

// sameAsLast says whether the row where a part stands equals the last one in all columns.
func (m *rowMerger) sameAsLast(p int) bool {
	h := &m.heads[p]
	if h.key() != m.lastKey {
		return false
	}
	for i := range m.lastRest {
		c, b := &m.plan.rest[i], m.restOf(h, i)
		null := c.nullable && b.nulls[h.pos]
		if c.nullable && null != m.lastNulls[i] || !null && b.vals[h.pos] != m.lastRest[i] {
			return false
		}
	}
	return true
}

// advance moves a part on over the rows that come before the row where another stands. Rows equal to it stay behind
// those of an earlier part only; the part's own first row, if any is left, is always taken.
func (m *rowMerger) advance(p, other int) {
	h := &m.heads[p]
	if other < 0 {
		h.pos = len(h.keys)
		return
	}
	limit := m.heads[other].key()
	keys, pos := h.keys, h.pos
	if keys[len(keys)-1] < limit {
		h.pos = len(keys)
		return
	}
	for pos < len(keys) && keys[pos] < limit {
		pos++
	}
	h.pos = pos
	for h.pos < len(keys) && keys[h.pos] == limit && m.compare(p, other) < 0 {
		h.pos++
	}
}

// compare orders the rows where two parts stand: by key, by the other columns, then the earlier part first.
func (m *rowMerger) compare(a, b int) int {
	x, y := &m.heads[a], &m.heads[b]
	if c := cmp.Compare(x.key(), y.key()); c != 0 {
		return c
	}
	for i := range m.plan.rest {
		c := &m.plan.rest[i]
		var r int
		if v, w := m.restOf(x, i), m.restOf(y, i); c.nullable {
			r = compareNumbers(v.vals[x.pos], v.nulls[x.pos], w.vals[y.pos], w.nulls[y.pos])
		} else {
			r = cmp.Compare(v.vals[x.pos], w.vals[y.pos])
		}
		if r != 0 {
			return r
		}
	}
	return cmp.Compare(a, b)
}

// emit adds n rows of a part.
func (m *rowMerger) emit(part, n int) {
	m.rows += int64(n)
	m.runs.add(part, n)
}
