package segment

import "encoding/binary"

// intPart is a list of ids or row offsets of a fixed width, in blocks or, where
// blocks is nil, in one run.
type intPart struct {
	name   string
	n      int
	width  int
	per    int
	codec  Codec
	order  binary.ByteOrder
	blocks *indexed
	run    []byte
}

// compressedInts reads a list in blocks; withWidth tells compressed VSize ints
// from compressed ints.
func (c *cursor) compressedInts(withWidth bool, order binary.ByteOrder, internal func(string) ([]byte, bool)) *intPart {
	p := &intPart{name: c.part, width: 4, order: order}
	if version := c.u8(); version != 2 {
		c.corrupt("compressed ids of version %d", version)
	}
	if withWidth {
		p.width = c.idWidth()
	}
	p.n = c.u31()
	p.per = c.perBlock(8*p.width, 0)
	p.codec = Codec(c.u8())
	if c.err == nil && (!p.codec.known() || p.codec == CodecNone) {
		c.corrupt("unknown codec %#x", uint8(p.codec))
	}
	p.blocks = c.indexed(internal)
	c.blockCount(p.blocks, p.n, p.per)
	return p
}

func (c *cursor) idWidth() int {
	w := int(c.u8())
	if c.err == nil && (w < 1 || w > 4) {
		c.corrupt("ids of %d bytes", w)
	}
	return w
}

// plainInts reads an uncompressed list.
func (c *cursor) plainInts() *intPart {
	p := &intPart{name: c.part, order: binary.BigEndian}
	if version := c.u8(); version != 0 {
		c.corrupt("ids of version %d", version)
	}
	p.width = c.idWidth()
	p.run = c.str32()
	if c.err == nil {
		n := len(p.run) - (4 - p.width)
		if n < 0 || n%p.width != 0 {
			c.corrupt("%d bytes of ids of %d bytes", len(p.run), p.width)
			return p
		}
		p.n = n / p.width
	}
	p.per = max(p.n, 1)
	return p
}

// intReader decodes an intPart, keeping the last block.
type intReader struct {
	part  *intPart
	block int // the block that raw holds, -1 for none
	raw   []byte
	count int
	buf   []byte
}

func newIntReader(p *intPart) *intReader { return &intReader{part: p, block: -1} }

func (r *intReader) load(block int) error {
	if block == r.block {
		return nil
	}
	p := r.part
	count := min(p.per, p.n-block*p.per)
	raw := p.run
	if p.blocks != nil {
		if r.buf == nil {
			r.buf = make([]byte, maxBlock)
		}
		r.block = -1
		src, _, err := p.blocks.at(block)
		if err != nil {
			return err
		}
		if raw, err = decompress(p.codec, r.buf, src); err != nil {
			return corruptf(p.name, "block %d of ids: %v", block, err)
		}
	}
	if len(raw) < count*p.width {
		return corruptf(p.name, "block %d of ids has %d bytes for %d ids of %d", block, len(raw), count, p.width)
	}
	r.block, r.raw, r.count = block, raw, count
	return nil
}

// read decodes values from index start on; the caller has checked the range.
func (r *intReader) read(start int, dst []uint32) error {
	for len(dst) > 0 {
		if err := r.load(start / r.part.per); err != nil {
			return err
		}
		from := start - r.block*r.part.per
		k := min(len(dst), r.count-from)
		decodeInts(dst[:k], r.raw[from*r.part.width:], r.part.width, r.part.order == binary.LittleEndian)
		dst, start = dst[k:], start+k
	}
	return nil
}

func decodeInts(dst []uint32, b []byte, width int, little bool) {
	switch {
	case width == 1:
		for i := range dst {
			dst[i] = uint32(b[i])
		}
	case width == 2 && little:
		for i := range dst {
			dst[i] = uint32(binary.LittleEndian.Uint16(b[2*i:]))
		}
	case width == 3 && little:
		for i := range dst {
			v := b[3*i : 3*i+3]
			dst[i] = uint32(v[0]) | uint32(v[1])<<8 | uint32(v[2])<<16
		}
	case width == 4 && little:
		for i := range dst {
			dst[i] = binary.LittleEndian.Uint32(b[4*i:])
		}
	default:
		for i := range dst {
			v := uint32(0)
			for _, x := range b[width*i : width*i+width] {
				v = v<<8 | uint32(x)
			}
			dst[i] = v
		}
	}
}
