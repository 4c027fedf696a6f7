package segment

import (
	"encoding/binary"
	"math/bits"
)

// conciseWriter builds a concise bitmap: words of 31 rows each, where blocks
// without rows, or with all, become fills. It chooses words as Druid's does.
type conciseWriter struct {
	words []uint32
	// block is the block that is being filled, and bits its rows.
	block int64
	bits  uint32
}

// The literals that are fills of one block.
const (
	conciseZeros = conciseLiteral
	conciseFull  = 1<<32 - 1
)

// maxConciseRows keeps every fill within its 25 bits.
const maxConciseRows = 1 << 30

// add adds the rows from, to-1; they come in ascending order.
func (c *conciseWriter) add(from, to int64) {
	for from < to {
		block, low := from/conciseBlock, from%conciseBlock
		if block != c.block {
			c.flush()
			c.fill(block - c.block - 1)
			c.block, c.bits = block, 0
		}
		n := min(conciseBlock-low, to-from)
		c.bits |= (1<<n - 1) << low
		from += n
	}
}

// flush ends the block.
func (c *conciseWriter) flush() {
	if c.block < 0 {
		return
	}
	if word := conciseLiteral | c.bits; word == conciseFull {
		c.repeat(word, 1)
	} else {
		c.words = append(c.words, word)
	}
}

// fill adds blocks without rows.
func (c *conciseWriter) fill(blocks int64) {
	if blocks > 0 {
		c.repeat(conciseZeros, uint32(blocks))
	}
}

// repeat adds blocks that are all zeros or all ones. They join the word before
// where that is a fill of the same kind, or a literal that differs from such a
// block in one bit at most.
func (c *conciseWriter) repeat(literal, blocks uint32) {
	kind, flip := uint32(0), uint32(0)
	if literal == conciseFull {
		kind, flip = conciseOnes, conciseLiteral-1
	}
	if n := len(c.words); n > 0 {
		last := &c.words[n-1]
		odd := (*last ^ flip) &^ conciseLiteral
		switch {
		case *last&conciseLiteral == 0 && *last&conciseOnes == kind:
			*last += blocks
			return
		case *last&conciseLiteral == 0:
		case odd == 0:
			*last = kind | blocks
			return
		case odd&(odd-1) == 0:
			*last = kind | blocks | uint32(1+bits.TrailingZeros32(odd))<<25
			return
		}
	}
	if blocks == 1 {
		c.words = append(c.words, literal)
	} else {
		c.words = append(c.words, kind|(blocks-1))
	}
}

// appendConcise appends a bitmap; an empty one is no bytes at all.
func (c *conciseWriter) append(dst []byte, cs []container) []byte {
	if len(cs) == 0 {
		return dst
	}
	c.words, c.block = c.words[:0], -1
	for i := range cs {
		cs[i].ranges(c.add)
	}
	c.flush()
	for _, w := range c.words {
		dst = binary.BigEndian.AppendUint32(dst, w)
	}
	return dst
}

// ranges calls add for the rows of a container, ascending.
func (c *container) ranges(add func(from, to int64)) {
	base := int64(c.key) << 16
	le := binary.LittleEndian
	switch {
	case c.run:
		for b := c.data[2:]; len(b) >= 4; b = b[4:] {
			from := base + int64(le.Uint16(b))
			add(from, from+int64(le.Uint16(b[2:]))+1)
		}
	case int(c.card)+1 > arrayMax:
		for i := 0; i < bitmapBytes; i += 8 {
			at := base + 8*int64(i)
			for w := le.Uint64(c.data[i:]); w != 0; w &= w - 1 {
				row := at + int64(bits.TrailingZeros64(w))
				add(row, row+1)
			}
		}
	default:
		for b := c.data; len(b) >= 2; b = b[2:] {
			row := base + int64(le.Uint16(b))
			add(row, row+1)
		}
	}
}

// bitmapCoder appends bitmaps of the segment's type.
type bitmapCoder struct {
	concise bool
	words   conciseWriter
}

func (b *bitmapCoder) append(dst []byte, cs []container) []byte {
	if b.concise {
		return b.words.append(dst, cs)
	}
	return appendRoaring(dst, cs)
}
