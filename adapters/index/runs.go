package index

import "math/bits"

// runList is the order of merged rows as runs: the next rows of one part. There are few where parts follow each other in
// time, at most one a row. A run is a word of 32 bits, and words lie in blocks that never move: at most one a row of
// millions is what a merge keeps the most of.
type runList struct {
	blocks [][]uint32
	// Of a word the upper bit is combineBit, the lower countBits are how many rows, and between them is the part.
	countBits int
	// part and count are the run that may go on.
	part, count int
}

const (
	// combineBit marks one row that is added to the row before it.
	combineBit = 1 << 31
	runBlock   = 1 << 14
)

// newRunList is for so many parts, fewer than 1<<30.
func newRunList(parts int) runList {
	return runList{countBits: 31 - max(1, bits.Len(uint(parts-1)))}
}

// add appends the next n rows of a part.
func (l *runList) add(part, n int) {
	if part != l.part {
		l.end()
		l.part = part
	}
	l.count += n
}

// combine appends a part's next row, which is added to the row before it.
func (l *runList) combine(part int) {
	l.end()
	l.push(combineBit | uint32(part)<<l.countBits | 1)
}

// end closes the run that may go on.
func (l *runList) end() {
	for most := 1<<l.countBits - 1; l.count > 0; {
		n := min(l.count, most)
		l.push(uint32(l.part)<<l.countBits | uint32(n))
		l.count -= n
	}
}

func (l *runList) push(word uint32) {
	k := len(l.blocks)
	if k == 0 || len(l.blocks[k-1]) == runBlock {
		size := runBlock
		if k == 0 {
			size = 16 // many merges are of a few rows
		}
		l.blocks = append(l.blocks, make([]uint32, 0, size))
		k++
	}
	l.blocks[k-1] = append(l.blocks[k-1], word)
}

// split gives the part of a word, and how many rows.
func (l *runList) split(word uint32) (part, count int) {
	return int(word &^ combineBit >> l.countBits), int(word & (1<<l.countBits - 1))
}
