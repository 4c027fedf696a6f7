package segment

import "encoding/binary"

// frontHeader is a front-coded dictionary: buckets of values, each stored as
// what it does not share with another.
type frontHeader struct {
	part    string
	version byte
	bucket  int
	hasNull bool
	count   int // without null
	ends    []byte
	data    []byte
}

func readFrontHeader(c *cursor) *frontHeader {
	f := &frontHeader{part: c.part}
	c.u8() // the marker
	if encoding := c.u8(); encoding != dictionaryFrontCoded {
		c.corrupt("dictionary of encoding %d", encoding)
	}
	if f.version = c.u8(); f.version > 1 {
		c.corrupt("front-coded dictionary of version %d", f.version)
	}
	if f.bucket = int(c.u8()); f.bucket == 0 || f.bucket&(f.bucket-1) != 0 {
		c.corrupt("front-coded buckets of %d", f.bucket)
	}
	f.hasNull = c.u8() != 0
	f.count = c.vbyte()
	body := c.take(int64(c.vbyte()))
	if c.err != nil {
		f.count = 0
		return f
	}
	// A value takes a byte at least, which bounds the count.
	if f.count > len(body) {
		c.corrupt("%d values in %d bytes", f.count, len(body))
		return f
	}
	ends := 4 * max(f.buckets()-1, 0)
	if ends > len(body) {
		c.corrupt("%d buckets in %d bytes", f.buckets(), len(body))
		return f
	}
	f.ends, f.data = body[:ends], body[ends:]
	return f
}

func (f *frontHeader) buckets() int { return (f.count + f.bucket - 1) / f.bucket }

func (f *frontHeader) len() int {
	if f.hasNull {
		return f.count + 1
	}
	return f.count
}

// open checks every bucket.
func (f *frontHeader) open() (*frontDictionary, error) {
	d := &frontDictionary{f: f, at: -1}
	for b := range f.buckets() {
		if err := d.load(b); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// frontDictionary decodes a bucket at a time. It is used by one goroutine.
type frontDictionary struct {
	f    *frontHeader
	at   int // the bucket decoded, -1 for none
	buf  []byte
	ends []int
}

// Len implements Dictionary.
func (d *frontDictionary) Len() int { return d.f.len() }

// Value implements Dictionary.
func (d *frontDictionary) Value(i int) ([]byte, bool) {
	if d.f.hasNull {
		if i == 0 {
			return nil, true
		}
		i--
	}
	if b := i / d.f.bucket; b != d.at {
		_ = d.load(b) // open has seen it succeed
	}
	i %= d.f.bucket
	start := 0
	if i > 0 {
		start = d.ends[i-1]
	}
	return d.buf[start:d.ends[i]:d.ends[i]], false
}

// load decodes a bucket.
func (d *frontDictionary) load(bucket int) error {
	f := d.f
	bound := func(b int) int64 { return int64(int32(binary.LittleEndian.Uint32(f.ends[4*b:]))) }
	start, end := int64(0), int64(len(f.data))
	if bucket > 0 {
		start = bound(bucket - 1)
	}
	if bucket < f.buckets()-1 {
		end = bound(bucket)
	}
	if start < 0 || end < start || end > int64(len(f.data)) {
		return corruptf(f.part, "front-coded bucket at %d..%d of %d bytes", start, end, len(f.data))
	}
	c := cursor{part: f.part, b: f.data[start:end]}
	d.at, d.buf, d.ends = bucket, d.buf[:0], d.ends[:0]
	from := 0 // where the value begins that prefixes are taken from
	for i := range min(f.bucket, f.count-bucket*f.bucket) {
		prefix := 0
		if i > 0 {
			prefix = c.vbyte()
			until := d.ends[i-1]
			if f.version == 0 {
				until = d.ends[0]
			}
			if prefix > until-from {
				c.corrupt("front-coded prefix of %d bytes", prefix)
			}
		}
		suffix := c.take(int64(c.vbyte()))
		if c.err != nil {
			d.at = -1
			return c.err
		}
		at := len(d.buf)
		d.buf = append(d.buf, d.buf[from:from+prefix]...)
		d.buf = append(d.buf, suffix...)
		d.ends = append(d.ends, len(d.buf))
		if f.version == 1 {
			from = at
		}
	}
	return nil
}
