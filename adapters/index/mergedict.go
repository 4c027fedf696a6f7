package index

import (
	"bytes"
	"slices"
)

// mergedDict is a string column's dictionary over all parts of an interval.
type mergedDict struct {
	sortedDict
	// remap takes each part's entries to the merged ones; nil: they are the same.
	remap [][]uint32
}

// entryRemap gives a part's remap; nil: entries stay as they are.
func (m *mergedDict) entryRemap(part int) []uint32 {
	if m.remap == nil {
		return nil
	}
	return m.remap[part]
}

// nullEntry is the entry of a row that is null.
const nullEntry = 0

// valuePlace is where a merged value is found.
type valuePlace struct{ part, rank uint32 }

// mergeDicts merges the parts' dictionaries of a dimension; a part may lack it. What it keeps is eight bytes a value and
// four for each value of each part.
func mergeDicts(parts []part, dim int, compare func(a, b []byte) int) *mergedDict {
	dicts := make([]*sortedDict, len(parts))
	for i, p := range parts {
		if dim < p.dims() {
			dicts[i] = p.dictionary(dim)
		} else {
			dicts[i] = &sortedDict{hasNull: true}
		}
	}
	if len(dicts) == 1 {
		return &mergedDict{sortedDict: *dicts[0]}
	}
	m := &mergedDict{remap: make([][]uint32, len(parts))}
	lists := false
	for i, d := range dicts {
		m.remap[i] = make([]uint32, d.count+1)
		m.hasNull = m.hasNull || d.hasNull
		lists = lists || d.ends != nil
	}
	places := mergeValues(dicts, m.remap, compare, forgetter(parts))
	m.count = len(places)
	m.value = func(rank uint32) []byte {
		p := places[rank-1]
		return dicts[p.part].value(p.rank)
	}
	if lists {
		m.mergeLists(dicts)
	}
	return m
}

// forgetEvery is how many values are merged before the pages that they were read from are given back.
const forgetEvery = 1 << 16

// forgetter gives what gives back the pages of the parts' spill file.
func forgetter(parts []part) func() {
	for _, p := range parts {
		if s, ok := p.(*spillPart); ok {
			return s.file.forget
		}
	}
	return func() {}
}

// mergeValues merges the values, noting each part's new ranks. It calls forget from time to time.
func mergeValues(dicts []*sortedDict, remap [][]uint32, compare func(a, b []byte) int, forget func()) []valuePlace {
	var places []valuePlace
	steps := 0
	next := make([]uint32, len(dicts)) // the rank that each stands at
	heads := make([][]byte, len(dicts))
	var heap partHeap
	heap.less = func(a, b int) bool {
		if c := compare(heads[a], heads[b]); c != 0 {
			return c < 0
		}
		return a < b
	}
	for i, d := range dicts {
		if d.count > 0 {
			next[i], heads[i] = 1, d.value(1)
			heap.push(i)
		}
	}
	var last []byte
	for len(heap.items) > 0 {
		if steps++; steps%forgetEvery == 0 {
			forget()
		}
		i := heap.items[0]
		if len(places) == 0 || !bytes.Equal(heads[i], last) {
			places = append(places, valuePlace{uint32(i), next[i]})
			last = heads[i]
		}
		remap[i][next[i]] = uint32(len(places))
		if next[i]++; int(next[i]) > dicts[i].count {
			heap.pop()
			continue
		}
		heads[i] = dicts[i].value(next[i])
		heap.down(0)
	}
	forget()
	return places
}

// mergeLists makes the entries of all parts, and turns the remaps of ranks into remaps of entries.
func (m *mergedDict) mergeLists(dicts []*sortedDict) {
	type span struct{ start, end, part, entry uint32 }
	var elems []uint32
	var spans []span
	for r := range uint32(m.count + 1) {
		spans = append(spans, span{uint32(len(elems)), uint32(len(elems)) + 1, ^uint32(0), r})
		elems = append(elems, r)
	}
	for i, d := range dicts {
		for e := range d.ends {
			list := d.entry(uint32(e))
			start := uint32(len(elems))
			for _, r := range list {
				elems = append(elems, m.remap[i][r])
			}
			spans = append(spans, span{start, uint32(len(elems)), uint32(i), uint32(e)})
		}
	}
	slices.SortFunc(spans, func(a, b span) int {
		return slices.Compare(elems[a.start:a.end], elems[b.start:b.end])
	})
	rankEntry := make([]uint32, m.count+1)
	entries := make([][]uint32, len(dicts))
	for i, d := range dicts {
		entries[i] = make([]uint32, len(d.ends))
	}
	for i, s := range spans {
		list := elems[s.start:s.end]
		if i == 0 || !slices.Equal(list, elems[spans[i-1].start:spans[i-1].end]) {
			m.elems = append(m.elems, list...)
			m.ends = append(m.ends, uint32(len(m.elems)))
		}
		e := uint32(len(m.ends) - 1)
		if s.part == ^uint32(0) {
			rankEntry[s.entry] = e
		} else {
			entries[s.part][s.entry] = e
		}
	}
	for i, d := range dicts {
		if d.ends != nil {
			m.remap[i] = entries[i]
			continue
		}
		for r, g := range m.remap[i] {
			m.remap[i][r] = rankEntry[g]
		}
	}
}

// Len is the number of values that the segment stores.
func (m *mergedDict) Len() int {
	if m.hasNull {
		return m.count + 1
	}
	return m.count
}

// Value gives value i of the segment's dictionary, null first if it is there.
func (m *mergedDict) Value(i int) (b []byte, isNull bool) {
	if !m.hasNull {
		i++
	}
	if i == 0 {
		return nil, true
	}
	return m.value(uint32(i)), false
}

// partHeap is a binary heap of part numbers.
type partHeap struct {
	items []int
	less  func(a, b int) bool
}

func (h *partHeap) push(p int) {
	h.items = append(h.items, p)
	for i := len(h.items) - 1; i > 0; {
		up := (i - 1) / 2
		if !h.less(h.items[i], h.items[up]) {
			return
		}
		h.items[i], h.items[up] = h.items[up], h.items[i]
		i = up
	}
}

// pop removes the first.
func (h *partHeap) pop() {
	n := len(h.items) - 1
	h.items[0] = h.items[n]
	h.items = h.items[:n]
	h.down(0)
}

// down restores the order after item i has grown.
func (h *partHeap) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(h.items) {
			return
		}
		if c+1 < len(h.items) && h.less(h.items[c+1], h.items[c]) {
			c++
		}
		if !h.less(h.items[c], h.items[i]) {
			return
		}
		h.items[i], h.items[c] = h.items[c], h.items[i]
		i = c
	}
}

// second gives the item that follows the first, -1 if there is none.
func (h *partHeap) second() int {
	switch {
	case len(h.items) < 2:
		return -1
	case len(h.items) > 2 && h.less(h.items[2], h.items[1]):
		return h.items[2]
	}
	return h.items[1]
}
