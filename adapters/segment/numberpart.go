package segment

import (
	"encoding/binary"
	"math/bits"
)

// numberPart is the values of a numeric column, as its headers describe them.
type numberPart struct {
	name   string
	kind   valueType
	order  binary.ByteOrder
	rows   int
	per    int // values in a block; all of them with codec none
	codec  Codec
	blocks *indexed
	run    []byte // codec none

	packed bool    // bits below, by delta or table
	bits   int     // of a packed value
	base   int64   // delta
	table  []int64 // table, nil for delta

	nulls      []byte
	bitmapType string
}

// Encodings of longs other than plain.
const (
	encodingDelta = 0
	encodingTable = 1
)

// packedFlag is what the codec byte of a packed column has lost.
const packedFlag = 126

// packedTail is the padding at the end of packed bits.
const packedTail = 4

func byteOrder(name string) (binary.ByteOrder, bool) {
	switch name {
	case littleEndian:
		return binary.LittleEndian, true
	case "BIG_ENDIAN":
		return binary.BigEndian, true
	}
	return nil, false
}

// readNumber reads the headers of a numeric column.
func (r *Reader) readNumber(c *cursor, kind valueType, p partHeader) *numberPart {
	n := &numberPart{name: c.part, kind: kind, bitmapType: p.Bitmap.Type}
	var ok bool
	if n.order, ok = byteOrder(p.ByteOrder); !ok {
		c.corrupt("byte order %.40q", p.ByteOrder)
	}
	v := &cursor{part: c.part, b: c.str32(), err: c.err}
	n.readValues(v, r.internal)
	if c.err = v.err; c.err != nil {
		return n
	}
	if len(c.b) > 0 {
		n.nulls = c.str32()
	}
	r.checkRows(c, n.rows)
	return n
}

// internal finds an internal file.
func (r *Reader) internal(name string) ([]byte, bool) {
	b, ok := r.files[name]
	return b, ok
}

// checkRows takes the number of rows from __time, which is read first, and
// compares every other column with it.
func (r *Reader) checkRows(c *cursor, n int) {
	if c.part == timeColumn {
		r.rows = n
	}
	if c.err == nil && n != r.rows {
		c.corrupt("%d rows, the segment has %d", n, r.rows)
	}
}

func (n *numberPart) readValues(v *cursor, internal func(string) ([]byte, bool)) {
	if version := v.u8(); version != 2 {
		v.corrupt("values of version %d", version)
	}
	n.rows = v.u31()
	perAt := *v
	v.take(4)
	code := v.u8()
	n.codec = Codec(code)
	if !n.codec.known() {
		n.codec = Codec(code + packedFlag)
		n.packed = n.codec.known() && n.kind == kindLong
		if !n.packed {
			v.corrupt("unknown codec %#x", code)
		}
	}
	n.bits = 8 * n.kind.width()
	extra := 0
	if n.packed {
		n.readEncoding(v)
		extra = packedTail
	}
	if v.err != nil {
		return
	}
	if n.codec == CodecNone {
		n.per = max(n.rows, 1)
		n.run = v.take((int64(n.rows)*int64(n.bits)+7)/8 + int64(extra))
		return
	}
	if n.per = perAt.perBlock(n.bits, extra); perAt.err != nil {
		v.err = perAt.err
		return
	}
	n.blocks = v.indexed(internal)
	v.blockCount(n.blocks, n.rows, n.per)
}

// blockCount checks the number of blocks against the number of values.
func (c *cursor) blockCount(x *indexed, n, per int) {
	if c.err == nil && int64(x.count) != (int64(n)+int64(per)-1)/int64(per) {
		c.corrupt("%d blocks of %d values for %d values", x.count, per, n)
	}
}

// readEncoding reads the header of packed longs.
func (n *numberPart) readEncoding(v *cursor) {
	encoding := v.u8()
	if version := v.u8(); v.err == nil && version != 1 {
		v.corrupt("long encoding of version %d", version)
	}
	switch encoding {
	case encodingDelta:
		n.base = v.i64()
		n.bits = v.u31()
		if v.err == nil && packedBits(n.bits) != n.bits {
			v.corrupt("packed values of %d bits", n.bits)
		}
	case encodingTable:
		size := v.u31()
		if v.err == nil && (size < 1 || size > 256) {
			v.corrupt("a table of %d values", size)
		}
		if v.err != nil {
			return
		}
		n.table = make([]int64, size)
		for i := range n.table {
			n.table[i] = v.i64()
		}
		n.bits = packedBits(bits.Len(uint(size - 1)))
	default:
		v.corrupt("unknown long encoding %d", encoding)
	}
}

// packedBits is the smallest width that values are packed in and that holds
// need bits.
func packedBits(need int) int {
	for _, b := range []int{1, 2, 4, 8, 12, 16, 20, 24, 32, 40, 48, 56, 64} {
		if need <= b {
			return b
		}
	}
	return -1
}

// block returns the bytes and the number of values of block i.
func (n *numberPart) block(i int, buf []byte) ([]byte, int, error) {
	count := min(n.per, n.rows-i*n.per)
	b := n.run
	if n.codec != CodecNone {
		src, _, err := n.blocks.at(i)
		if err != nil {
			return nil, 0, err
		}
		if b, err = decompress(n.codec, buf, src); err != nil {
			return nil, 0, corruptf(n.name, "block %d: %v", i, err)
		}
	}
	if int64(len(b))*8 < int64(count)*int64(n.bits) {
		return nil, 0, corruptf(n.name, "block %d has %d bytes for %d values of %d bits", i, len(b), count, n.bits)
	}
	return b, count, nil
}

// unpack decodes packed longs from b, beginning at value from.
func (n *numberPart) unpack(dst []int64, b []byte, from int) error {
	at := int64(from) * int64(n.bits)
	for i := range dst {
		v := packedAt(b, at, n.bits)
		at += int64(n.bits)
		if n.table == nil {
			dst[i] = n.base + int64(v)
			continue
		}
		if v >= uint64(len(n.table)) {
			return corruptf(n.name, "value %d of a table of %d", v, len(n.table))
		}
		dst[i] = n.table[v]
	}
	return nil
}

// packedAt reads width bits, most significant first, from bit at on.
func packedAt(b []byte, at int64, width int) uint64 {
	i := int(at >> 3)
	if width < 8 {
		return uint64(b[i]) >> (8 - width - int(at&7)) & (1<<width - 1)
	}
	v := uint64(0)
	if at&7 != 0 { // widths of 12 and 20 begin in the middle of a byte
		v = uint64(b[i] & 0x0f)
		i++
		width -= 4
	}
	for ; width >= 8; width -= 8 {
		v = v<<8 | uint64(b[i])
		i++
	}
	if width == 4 {
		v = v<<4 | uint64(b[i]>>4)
	}
	return v
}
