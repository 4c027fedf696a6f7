package index

import (
	"cmp"
	"context"
	"fmt"
)

// run is a stretch of the merged rows: the next n rows of a part. A run that combines is one row that is added to the
// row before it. Eight bytes a run; there are few where parts follow each other in time, at most one a row.
type run struct {
	part  uint32
	count uint32 // combineBit: add to the row before
}

const (
	combineBit = 1 << 31
	maxRun     = combineBit - 1
)

// mergeBlock is how many rows of each part are looked at a time; with many parts it is less, to bound the memory.
const (
	mergeBlock       = 4096
	mergeBlockBudget = 1 << 20 // rows over all parts
	minMergeBlock    = 64
)

func blockFor(parts int) int {
	return max(minMergeBlock, min(mergeBlock, mergeBlockBudget/max(parts, 1)))
}

// rowMerger merges parts by key.
type rowMerger struct {
	plan   *keyPlan
	heads  []mergeHead
	rollup bool
	runs   []run
	rows   int64
	// last is the part of the last row, -1 before the first; its key is kept, as its block may be gone.
	last      int
	lastKey   uint64
	lastRest  []uint64
	lastNulls []bool
}

// mergeHead is where one part stands.
type mergeHead struct {
	reader *keyReader
	keys   []uint64
	rest   [][]uint64 // per column beyond the key, a block of ordered values
	nulls  [][]bool
	at     int // row of keys[0]
	pos    int
	total  int
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
	for i := range plan.rest {
		vals, nulls, err := h.reader.column(&plan.rest[i], n, at)
		if err != nil {
			return false, err
		}
		copy(h.rest[i], vals)
		copy(h.nulls[i], nulls)
	}
	return false, nil
}

// mergeRows gives the merged order of the parts' rows.
func mergeRows(
	ctx context.Context, parts []part, plan *keyPlan, remap func(part, dim int) []uint32, rollup bool,
) (*rowMerger, error) {
	m := &rowMerger{plan: plan, rollup: rollup, last: -1}
	if len(parts) == 1 {
		m.emit(0, parts[0].length())
		return m, nil
	}
	block := blockFor(len(parts))
	heap := partHeap{less: func(a, b int) bool { return m.compare(a, b) < 0 }}
	m.heads = make([]mergeHead, len(parts))
	for i, p := range parts {
		h := &m.heads[i]
		h.reader = newKeyReader(p, plan, func(d int) []uint32 { return remap(i, d) }, block)
		h.keys, h.total = make([]uint64, block), p.length()
		for range plan.rest {
			h.rest = append(h.rest, make([]uint64, block))
			h.nulls = append(h.nulls, make([]bool, block))
		}
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
		if err := m.step(&heap, block); err != nil {
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
		m.runs = append(m.runs, run{uint32(p), 1 | combineBit})
		start++
		h.pos++
	}
	m.advance(p, heap.second())
	if h.pos > start {
		m.emit(p, h.pos-start)
	}
	m.last = p
	if m.rollup {
		m.keep(h)
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

// keep notes the key of the row before where a part stands.
func (m *rowMerger) keep(h *mergeHead) {
	m.lastKey = h.keys[h.pos-1]
	m.lastRest, m.lastNulls = m.lastRest[:0], m.lastNulls[:0]
	for i := range h.rest {
		m.lastRest = append(m.lastRest, h.rest[i][h.pos-1])
		m.lastNulls = append(m.lastNulls, h.nulls[i][h.pos-1])
	}
}

// sameAsLast says whether the row where a part stands equals the last one in all columns.
func (m *rowMerger) sameAsLast(p int) bool {
	h := &m.heads[p]
	if h.key() != m.lastKey {
		return false
	}
	for i := range m.plan.rest {
		null := m.plan.rest[i].nullable && h.nulls[i][h.pos]
		if m.plan.rest[i].nullable && null != m.lastNulls[i] || !null && h.rest[i][h.pos] != m.lastRest[i] {
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
		if c.nullable {
			r = compareNumbers(x.rest[i][x.pos], x.nulls[i][x.pos], y.rest[i][y.pos], y.nulls[i][y.pos])
		} else {
			r = cmp.Compare(x.rest[i][x.pos], y.rest[i][y.pos])
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
	if k := len(m.runs); k > 0 && m.runs[k-1].part == uint32(part) && m.runs[k-1].count&combineBit == 0 {
		if int64(m.runs[k-1].count)+int64(n) <= maxRun {
			m.runs[k-1].count += uint32(n)
			return
		}
	}
	m.runs = append(m.runs, run{uint32(part), uint32(n)})
}
