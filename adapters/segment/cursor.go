package segment

import (
	"encoding/binary"
	"math/bits"
)

// cursor reads the fields of a part. After the first that is missing or
// impossible it holds an error and answers zeros.
type cursor struct {
	part string
	b    []byte
	err  error
}

func (c *cursor) corrupt(format string, args ...any) {
	if c.err == nil {
		c.err = corruptf(c.part, format, args...)
	}
	c.b = nil
}

func (c *cursor) take(n int64) []byte {
	if n < 0 || n > int64(len(c.b)) {
		c.corrupt("%d bytes needed, %d are left", n, len(c.b))
		return nil
	}
	p := c.b[:n:n]
	c.b = c.b[n:]
	return p
}

func (c *cursor) u8() byte {
	if p := c.take(1); p != nil {
		return p[0]
	}
	return 0
}

// u31 reads a big-endian number that must not be negative.
func (c *cursor) u31() int {
	p := c.take(4)
	if p == nil {
		return 0
	}
	v := int32(binary.BigEndian.Uint32(p))
	if v < 0 {
		c.corrupt("negative length or count %d", v)
		return 0
	}
	return int(v)
}

func (c *cursor) i64() int64 {
	if p := c.take(8); p != nil {
		return int64(binary.BigEndian.Uint64(p))
	}
	return 0
}

// vbyte reads a number of seven bits a byte whose last byte has its top bit set.
func (c *cursor) vbyte() int {
	v := 0
	for shift := 0; shift < 35; shift += 7 {
		x := c.u8()
		if c.err != nil {
			return 0
		}
		v |= int(x&0x7f) << shift
		if x&0x80 != 0 {
			if v > maxChunk {
				break
			}
			return v
		}
	}
	c.corrupt("a number is too long")
	return 0
}

// str32 reads a length and that many bytes.
func (c *cursor) str32() []byte { return c.take(int64(c.u31())) }

// perBlock reads a number of values per block and checks it against the block
// size; valueBits is the width of a value, extra what a block has at its end.
func (c *cursor) perBlock(valueBits, extra int) int {
	per := c.u31()
	if c.err == nil && (bits.OnesCount(uint(per)) != 1 || (int64(per)*int64(valueBits)+7)/8+int64(extra) > maxBlock) {
		c.corrupt("blocks of %d values of %d bits", per, valueBits)
	}
	return per
}

// indexed is a GenericIndexed: a list of byte strings with random access.
type indexed struct {
	part   string
	sorted bool
	count  int
	ends   []byte
	order  binary.ByteOrder
	// files holds the values: one area, or for version 2 one per 2^shift
	// elements, where the ends start again at zero.
	files [][]byte
	shift uint
}

// indexed reads a GenericIndexed; internal finds the files of version 2.
func (c *cursor) indexed(internal func(name string) ([]byte, bool)) *indexed {
	version, flag := c.u8(), c.u8()
	x := &indexed{part: c.part, sorted: flag == 1, order: binary.BigEndian, shift: 31}
	switch {
	case c.err != nil:
	case version == 1:
		size := c.u31()
		body := cursor{part: c.part, b: c.take(int64(size)), err: c.err}
		x.count = body.u31()
		x.ends = body.take(4 * int64(x.count))
		x.files = [][]byte{body.b}
		if c.err == nil {
			c.err = body.err
		}
	case version == 2 && internal != nil:
		c.indexedFiles(x, internal)
	default:
		c.corrupt("list of version %d", version)
	}
	if c.err != nil {
		*x = indexed{part: c.part, order: binary.BigEndian}
	}
	return x
}

func (c *cursor) indexedFiles(x *indexed, internal func(name string) ([]byte, bool)) {
	shift := c.u31()
	x.count = c.u31()
	base := string(c.str32())
	if c.err != nil {
		return
	}
	if shift > 30 {
		c.corrupt("list with 2^%d elements a file", shift)
		return
	}
	x.shift, x.order = uint(shift), binary.LittleEndian
	head, ok := internal(base + "_header")
	if !ok || int64(len(head)) < 4*int64(x.count) {
		c.corrupt("no complete internal file %q", base+"_header")
		return
	}
	x.ends = head[:4*x.count]
	for i := 0; i<<x.shift < x.count; i++ {
		name := base + "_value_" + itoa(i)
		values, ok := internal(name)
		if !ok {
			c.corrupt("no internal file %q", name)
			return
		}
		x.files = append(x.files, values)
	}
}

// at returns element i, which must be below count.
func (x *indexed) at(i int) (b []byte, null bool, err error) {
	start, end := int64(0), int64(int32(x.order.Uint32(x.ends[4*i:])))
	if i&(1<<x.shift-1) != 0 {
		start = int64(int32(x.order.Uint32(x.ends[4*i-4:])))
	}
	values := x.files[i>>x.shift]
	if start < 0 || end < start+4 || end > int64(len(values)) {
		return nil, false, corruptf(x.part, "element %d lies at %d..%d of %d bytes", i, start, end, len(values))
	}
	if end == start+4 {
		return nil, int32(binary.BigEndian.Uint32(values[start:])) == -1, nil
	}
	return values[start+4 : end : end], false, nil
}

// strings returns all elements of a short list.
func (x *indexed) strings() ([]nullable, error) {
	list := make([]nullable, x.count)
	for i := range list {
		b, null, err := x.at(i)
		if err != nil {
			return nil, err
		}
		list[i] = nullable{b, null}
	}
	return list, nil
}
