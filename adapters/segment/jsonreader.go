package segment

import (
	"encoding/binary"
	"encoding/json"
	"math/bits"
)

// jsonPart is an auto column, as its headers describe it.
type jsonPart struct {
	name    string
	rows    int
	logical string
	variant bool
	nested  bool
	scalar  JSONType // of a column of one scalar type

	strings stringPartData // its dictionary only
	longs   []byte         // the values of a dictionary, little-endian
	doubles []byte
	arrays  [][]uint32
	ids     *intPart

	bitmapType string
	bitmaps    *indexed

	offsets, values *blobPart // of a nested column
	fields          *indexed
	types           []byte
}

// readJSON reads the headers of an auto column. Its own internal file says
// little; the others are found by name.
func (r *Reader) readJSON(c *cursor, raw json.RawMessage) *jsonPart {
	var h nestedPart
	if err := json.Unmarshal(raw, &h); err != nil {
		c.corrupt("descriptor: %v", err)
		return nil
	}
	p := &jsonPart{name: c.part, logical: h.LogicalType, variant: h.Variant, bitmapType: h.Bitmap.Type, rows: r.rows}
	if p.bitmapType == "" {
		p.bitmapType = r.bitmapType
	}
	order, ok := byteOrder(h.ByteOrder)
	if !ok || order != binary.LittleEndian {
		c.err = &UnsupportedError{Column: c.part, Feature: "an auto column of byte order " + h.ByteOrder}
		return nil
	}
	if version := c.u8(); version != 0 {
		c.corrupt("auto column of version %d", version)
	}
	if name := string(c.take(int64(c.vbyte()))); c.err == nil && name != c.part {
		c.corrupt("the column calls itself %.40q", name)
	}
	if p.variant {
		c.u8()
	}
	p.nested = p.logical == nestedType
	known := p.nested
	for t, name := range jsonTypeNames {
		if name != p.logical {
			continue
		}
		known = true
		if !p.variant && t&jsonArrays == 0 {
			p.scalar = t
		}
	}
	if !known {
		c.corrupt("logical type %.40q", p.logical)
	}
	if c.err != nil {
		return nil
	}
	if p.nested {
		p.readNested(c, r)
	} else {
		p.readLiterals(c, r)
	}
	return p
}

// file is a cursor over an internal file of the column.
func (p *jsonPart) file(c *cursor, r *Reader, suffix string) *cursor {
	b, ok := r.internal(p.name + "." + suffix)
	if !ok {
		c.corrupt("no internal file %q", p.name+"."+suffix)
	}
	return &cursor{part: p.name + "." + suffix, b: b, err: c.err}
}

func (p *jsonPart) readNested(c *cursor, r *Reader) {
	p.fields = c.indexed(nil)
	p.types = c.take(int64(p.fields.count))
	f := p.file(c, r, fileRaw)
	if version := f.u8(); version != 1 {
		f.corrupt("nested values of version %d", version)
	}
	if n := f.u31(); f.err == nil && n != p.rows {
		f.corrupt("%d rows, the segment has %d", n, p.rows)
	}
	if c.err = f.err; c.err != nil {
		return
	}
	for _, x := range []struct {
		to     **blobPart
		suffix string
	}{{&p.offsets, fileBlobOffsets}, {&p.values, fileBlobValues}} {
		f := p.file(c, r, fileRaw+x.suffix)
		*x.to = readBlobs(f)
		if c.err = f.err; c.err != nil {
			return
		}
	}
}

// readLiterals reads the dictionaries and the rows' ids of a column without
// objects.
func (p *jsonPart) readLiterals(c *cursor, r *Reader) {
	steps := []func() *cursor{
		func() *cursor {
			f := p.file(c, r, fileStrings)
			p.strings.name = f.part
			p.strings.readDictionary(f, r.internal)
			if f.err == nil && !p.strings.hasNull {
				f.corrupt("a dictionary without null")
			}
			return f
		},
		func() *cursor { f := p.file(c, r, fileLongs); p.longs = f.fixed(8, p.scalar != 0); return f },
		func() *cursor { f := p.file(c, r, fileDoubles); p.doubles = f.fixed(8, p.scalar != 0); return f },
		func() *cursor { f := p.file(c, r, fileArrays); p.arrays = readArrays(f); return f },
	}
	switch p.scalar {
	case JSONString:
		steps = steps[:1]
	case JSONLong:
		steps = steps[1:2]
	case JSONDouble:
		steps = steps[2:3]
	}
	steps = append(steps, func() *cursor {
		f := p.file(c, r, fileEncoded)
		p.ids = f.compressedInts(true, binary.LittleEndian, r.internal)
		if f.err == nil && p.ids.n != p.rows {
			f.corrupt("%d rows, the segment has %d", p.ids.n, p.rows)
		}
		return f
	}, func() *cursor {
		f := p.file(c, r, fileValueIndexes)
		p.bitmaps = f.indexed(r.internal)
		if card := p.cardinality(); f.err == nil && p.bitmaps.count != card {
			f.corrupt("%d bitmaps for %d values", p.bitmaps.count, card)
		}
		return f
	})
	for _, step := range steps {
		if f := step(); c.err == nil {
			c.err = f.err
		}
		if c.err != nil {
			return
		}
	}
}

// stringCount is the ids of strings, and of null.
func (p *jsonPart) stringCount() int {
	if p.scalar == JSONLong || p.scalar == JSONDouble {
		return 1
	}
	return p.strings.cardinality()
}

func (p *jsonPart) cardinality() int {
	return p.stringCount() + len(p.longs)/8 + len(p.doubles)/8 + len(p.arrays)
}

// fixed reads a dictionary of values of a width and gives its values.
func (c *cursor) fixed(width int, withNull bool) []byte {
	if version := c.u8(); version != 0 {
		c.corrupt("dictionary of version %d", version)
	}
	want := byte(fixedSorted)
	if withNull {
		want |= fixedNull
	}
	if flags := c.u8(); c.err == nil && flags != want {
		c.corrupt("dictionary with flags %#x, not %#x", flags, want)
	}
	return c.take(int64(width) * int64(c.leInt()))
}

// leInt reads a little-endian number that must not be negative.
func (c *cursor) leInt() int {
	b := c.take(4)
	if b == nil {
		return 0
	}
	v := int32(binary.LittleEndian.Uint32(b))
	if v < 0 {
		c.corrupt("negative length or count %d", v)
		return 0
	}
	return int(v)
}

// readArrays reads front-coded lists of ids: each has its prefix of the one before.
func readArrays(c *cursor) [][]uint32 {
	if version := c.u8(); version != 0 {
		c.corrupt("arrays of version %d", version)
	}
	bucket := int(c.u8())
	if c.err == nil && (bits.OnesCount(uint(bucket)) != 1 || bucket > 128) {
		c.corrupt("buckets of %d arrays", bucket)
	}
	if hasNull := c.u8(); hasNull > 1 {
		c.corrupt("arrays with null flag %d", hasNull)
	}
	count := c.vbyte()
	body := cursor{part: c.part, b: c.take(int64(c.vbyte())), err: c.err}
	if c.err == nil && count > len(body.b) {
		c.corrupt("%d arrays in %d bytes", count, len(body.b))
	}
	if c.err != nil || count == 0 {
		return nil
	}
	// The ends of the buckets are not needed to read them all in order.
	body.take(4 * int64((count-1)/bucket))
	arrays := make([][]uint32, 0, count)
	var before []uint32
	for i := 0; i < count && body.err == nil; i++ {
		prefix := 0
		if i%bucket > 0 {
			if prefix = body.vbyte(); prefix > len(before) {
				body.corrupt("array with a prefix of %d ids", prefix)
				prefix = 0
			}
		}
		rest := body.take(4 * int64(body.vbyte()))
		ids := make([]uint32, 0, prefix+len(rest)/4)
		if prefix > 0 {
			ids = append(ids, before[:prefix]...)
		}
		for ; len(rest) > 0; rest = rest[4:] {
			ids = append(ids, binary.LittleEndian.Uint32(rest))
		}
		before = ids
		arrays = append(arrays, ids)
	}
	c.err = body.err
	return arrays
}

// blobPart is bytes that run on through compressed blocks.
type blobPart struct {
	name  string
	codec Codec
	ends  []byte
	data  []byte
}

func readBlobs(c *cursor) *blobPart {
	p := &blobPart{name: c.part}
	if version := c.u8(); version != 1 {
		c.corrupt("blocks of version %d", version)
	}
	if p.codec = Codec(c.u8()); c.err == nil && (!p.codec.known() || p.codec == CodecNone) {
		c.corrupt("unknown codec %#x", uint8(p.codec))
	}
	if size := c.u31(); c.err == nil && size != maxBlock {
		c.corrupt("blocks of %d bytes", size)
	}
	p.ends = c.take(4 * int64(c.u31()))
	p.data = c.b
	return p
}

// blobReader reads ranges of the bytes, keeping the last block.
type blobReader struct {
	part  *blobPart
	block int // -1 for none
	raw   []byte
	buf   []byte
}

func (r *blobReader) load(block int) error {
	if block == r.block {
		return nil
	}
	p := r.part
	if block >= len(p.ends)/4 {
		return corruptf(p.name, "block %d of %d", block, len(p.ends)/4)
	}
	start, end := int64(0), int64(int32(binary.LittleEndian.Uint32(p.ends[4*block:])))
	if block > 0 {
		start = int64(int32(binary.LittleEndian.Uint32(p.ends[4*block-4:])))
	}
	if start < 0 || end < start || end > int64(len(p.data)) {
		return corruptf(p.name, "block %d lies at %d..%d of %d bytes", block, start, end, len(p.data))
	}
	if r.buf == nil {
		r.buf = make([]byte, maxBlock)
	}
	r.block = -1
	raw, err := decompress(p.codec, r.buf, p.data[start:end])
	if err != nil {
		return corruptf(p.name, "block %d: %v", block, err)
	}
	r.block, r.raw = block, raw
	return nil
}

// read appends the bytes from, to-1; how many there are is not believed before
// they are seen.
func (r *blobReader) read(dst []byte, from, to uint64) ([]byte, error) {
	for from < to {
		if from/maxBlock >= uint64(len(r.part.ends)/4) {
			return dst, corruptf(r.part.name, "byte %d of %d blocks", from, len(r.part.ends)/4)
		}
		if err := r.load(int(from / maxBlock)); err != nil {
			return dst, err
		}
		at := int(from % maxBlock)
		if at >= len(r.raw) {
			return dst, corruptf(r.part.name, "byte %d of a block of %d", at, len(r.raw))
		}
		n := min(to-from, uint64(len(r.raw)-at))
		dst = append(dst, r.raw[at:at+int(n)]...)
		from += n
	}
	return dst, nil
}
