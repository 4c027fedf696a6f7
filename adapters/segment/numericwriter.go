package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// LongWriter writes a column of longs. It is used by one goroutine.
type LongWriter struct{ numericWriter[int64] }

// FloatWriter writes a column of floats. It is used by one goroutine.
type FloatWriter struct{ numericWriter[float32] }

// DoubleWriter writes a column of doubles. It is used by one goroutine.
type DoubleWriter struct{ numericWriter[float64] }

// numericWriter is the part that the three share; they differ in the bytes of
// a value.
type numericWriter[T int64 | float32 | float64] struct {
	w      *Writer
	name   string
	kind   valueType
	codec  Codec
	blocks *blockStream // codec none: only its spool is used
	raw    []byte
	width  int
	rows   int64
	nulls  rowSet
	closed bool
	// of longs under auto: the plain values, packed when all are known
	stats *longStats
	plain *spool

	one  [1]T
	null [1]bool
}

func newNumericWriter[T int64 | float32 | float64](w *Writer, name string, kind valueType) numericWriter[T] {
	return newNumbers[T](w, name, kind, w.spec.MetricCompression, 0)
}

// newNumbers makes a writer of values with a codec and two spools of its own.
func newNumbers[T int64 | float32 | float64](w *Writer, name string, kind valueType, codec Codec, spools int) numericWriter[T] {
	width := kind.width()
	c := numericWriter[T]{
		w: w, name: name, kind: kind, codec: codec, width: width,
		blocks: newBlockStream(w.pool, codec, w.spoolPath(spools)),
		raw:    make([]byte, 0, numbersPerBlock(width)*width),
	}
	if kind == kindLong && w.spec.LongEncoding == longsAuto {
		c.stats, c.plain = newLongStats(), &spool{path: w.spoolPath(spools + 1)}
	}
	return c
}

// numbersPerBlock is the number of plain values in a block.
func numbersPerBlock(width int) int { return maxBlock / width }

// Append adds a row.
func (c *numericWriter[T]) Append(v T) error {
	if at := len(c.raw); at+c.width < cap(c.raw) && c.rows < maxRows && c.w.usable(c.closed) == nil {
		c.raw = c.raw[:at+c.width]
		putNumber(c.raw[at:], v)
		c.rows++
		return nil
	}
	c.one[0] = v
	return c.AppendBatch(c.one[:], nil)
}

// AppendNull adds a null row.
func (c *numericWriter[T]) AppendNull() error {
	c.one[0], c.null[0] = 0, true
	return c.AppendBatch(c.one[:], c.null[:])
}

// AppendBatch adds a row per value. Where nulls is true the row is null and
// the value is not looked at; nulls may be nil. Both belong to the caller.
func (c *numericWriter[T]) AppendBatch(vs []T, nulls []bool) error {
	if err := c.w.usable(c.closed); err != nil {
		return err
	}
	if nulls != nil && len(nulls) != len(vs) {
		return c.w.fail(fmt.Errorf("append to column %q: %d values, %d nulls", c.name, len(vs), len(nulls)))
	}
	if err := c.w.addRows(&c.rows, len(vs)); err != nil {
		return err
	}
	row := c.rows - int64(len(vs))
	for len(vs) > 0 {
		k := min(len(vs), (cap(c.raw)-len(c.raw))/c.width)
		if nulls == nil {
			c.raw = appendNumbers(c.raw, vs[:k])
		} else {
			c.raw = c.appendNullable(vs[:k], nulls[:k], row)
			nulls = nulls[k:]
		}
		vs, row = vs[k:], row+int64(k)
		if len(c.raw) == cap(c.raw) {
			if err := c.flush(); err != nil {
				return c.w.fail(fmt.Errorf("append to column %q: %w", c.name, err))
			}
		}
	}
	return nil
}

func (c *numericWriter[T]) appendNullable(vs []T, nulls []bool, row int64) []byte {
	at := len(c.raw)
	raw := appendNumbers(c.raw, vs)
	for i, null := range nulls {
		if null {
			if c.name == timeColumn {
				c.w.nullTime = true
			}
			clear(raw[at+i*c.width : at+(i+1)*c.width])
			c.nulls.add(row + int64(i))
		}
	}
	return raw
}

func putNumber[T int64 | float32 | float64](dst []byte, v T) {
	switch v := any(v).(type) {
	case int64:
		binary.LittleEndian.PutUint64(dst, uint64(v))
	case float64:
		binary.LittleEndian.PutUint64(dst, math.Float64bits(v))
	case float32:
		binary.LittleEndian.PutUint32(dst, math.Float32bits(v))
	}
}

func appendNumbers[T int64 | float32 | float64](dst []byte, vs []T) []byte {
	at := len(dst)
	switch vs := any(vs).(type) {
	case []int64:
		dst = dst[:at+8*len(vs)]
		out := dst[at:]
		for i, v := range vs {
			binary.LittleEndian.PutUint64(out[8*i:], uint64(v))
		}
	case []float64:
		dst = dst[:at+8*len(vs)]
		out := dst[at:]
		for i, v := range vs {
			binary.LittleEndian.PutUint64(out[8*i:], math.Float64bits(v))
		}
	case []float32:
		dst = dst[:at+4*len(vs)]
		out := dst[at:]
		for i, v := range vs {
			binary.LittleEndian.PutUint32(out[4*i:], math.Float32bits(v))
		}
	}
	return dst
}

func (c *numericWriter[T]) flush() error {
	if c.stats != nil {
		for b := c.raw; len(b) > 0; b = b[8:] {
			c.stats.add(int64(binary.LittleEndian.Uint64(b)))
		}
		err := c.plain.write(c.raw)
		c.raw = c.raw[:0]
		return err
	}
	return c.flushPlain()
}

// flushPlain ends a block of plain values.
func (c *numericWriter[T]) flushPlain() error {
	if c.codec == CodecNone {
		c.blocks.at += int64(len(c.raw))
		err := c.blocks.spool.write(c.raw)
		c.raw = c.raw[:0]
		return err
	}
	raw, err := c.blocks.next(c.raw)
	c.raw = raw
	return err
}

// Close ends the column. It must have as many rows as every other.
func (c *numericWriter[T]) Close() error {
	if err := c.w.usable(c.closed); err != nil {
		return err
	}
	c.closed = true
	if err := c.finish(); err != nil {
		return c.w.fail(fmt.Errorf("write column %q: %w", c.name, err))
	}
	return c.w.endColumn(c.rows)
}

func (c *numericWriter[T]) finish() error {
	s := c.w.smoosh
	if err := c.writeValuesTo(s, s.i32); err != nil {
		return err
	}
	if nulls := c.nulls.encode(c.w.bitmapCoder()); len(nulls) > 0 {
		return errors.Join(s.i32(int64(len(nulls))), s.write(nulls))
	}
	return nil
}

// writeValuesTo writes the values, after calling before with their size.
func (c *numericWriter[T]) writeValuesTo(s *smooshWriter, before func(size int64) error) error {
	if len(c.raw) > 0 {
		if err := c.flush(); err != nil {
			return err
		}
	}
	head, size, err := c.encode()
	if err != nil {
		return err
	}
	if err := errors.Join(before(int64(len(head))+size), s.write(head)); err != nil {
		return err
	}
	return c.writeValues()
}

// encode finishes the blocks; it gives the header of the values and the size of
// what follows it.
func (c *numericWriter[T]) encode() (head []byte, size int64, err error) {
	per, code := numbersPerBlock(c.width), []byte{byte(c.codec)}
	if c.stats != nil {
		p := c.stats.choose()
		if err := c.pack(p); err != nil {
			return nil, 0, err
		}
		if p != nil {
			per = p.perBlock()
			code = append([]byte{byte(c.codec) - packedFlag}, p.header()...)
		}
	}
	if err := c.blocks.drain(); err != nil {
		return nil, 0, err
	}
	size = c.blocks.size()
	if c.codec == CodecNone {
		per, size = 0, c.blocks.at
	}
	head = binary.BigEndian.AppendUint32([]byte{2}, uint32(c.rows))
	head = binary.BigEndian.AppendUint32(head, uint32(per))
	return append(head, code...), size, nil
}

// pack encodes the plain values of a column under auto; nil leaves them plain.
func (c *numericWriter[T]) pack(p *packing) error {
	if p != nil {
		s := packedStream{p: p, per: p.perBlock(), codec: c.codec, blocks: c.blocks}
		s.out.out = make([]byte, 0, maxBlock)
		return c.plain.each(s.add, s.finish)
	}
	add := func(b []byte) error {
		for len(b) > 0 {
			k := min(len(b), cap(c.raw)-len(c.raw))
			c.raw, b = append(c.raw, b[:k]...), b[k:]
			if len(c.raw) < cap(c.raw) {
				continue
			}
			if err := c.flushPlain(); err != nil {
				return err
			}
		}
		return nil
	}
	return c.plain.each(add, func() error {
		if len(c.raw) == 0 {
			return nil
		}
		return c.flushPlain()
	})
}

func (c *numericWriter[T]) writeValues() error {
	if c.codec == CodecNone {
		return c.blocks.spool.copyTo(c.w.smoosh)
	}
	return c.blocks.writeTo(c.w.smoosh)
}

func (c *numericWriter[T]) abort() {
	_ = c.blocks.close()
	if c.plain != nil {
		_ = c.plain.close()
	}
}
