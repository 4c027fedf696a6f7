package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// The types of complex columns that are written.
const (
	TypeHyperUnique    = "hyperUnique"
	TypePairLongLong   = "serializablePairLongLong"
	TypePairLongDouble = "serializablePairLongDouble"
	TypePairLongFloat  = "serializablePairLongFloat"
	TypePairLongString = "serializablePairLongString"
	TypeHLLSketch      = "HLLSketch"
	TypeThetaSketch    = "thetaSketch"
)

const complexPartTag = "complex"

type complexPart struct {
	Type     string `json:"type"`
	TypeName string `json:"typeName"`
}

func (w *Writer) beginComplex(name, typeName string, abort func()) error {
	if err := w.claim(name); err != nil {
		return err
	}
	w.abort = abort
	if err := w.smoosh.begin(name); err != nil {
		return w.fail(err)
	}
	return w.writeDescriptor(descriptor{kindComplex, false, []any{complexPart{complexPartTag, typeName}}})
}

// ComplexWriter writes a metric's column of bytes that belong to its
// aggregator, one list element a row. It is used by one goroutine.
type ComplexWriter struct {
	w    *Writer
	name string
	// nulls says that no bytes are a null. Druid reads them as an empty sketch otherwise, or cannot read them.
	nulls  bool
	rows   int64
	ends   []byte
	spool  spool
	closed bool
}

// Complex begins a column of one of the types whose rows are byte strings:
// sketches, and pairs of time and string.
func (w *Writer) Complex(name, typeName string) (*ComplexWriter, error) {
	c := &ComplexWriter{w: w, name: name, nulls: typeName == TypeHyperUnique, spool: spool{path: w.spoolPath(0)}}
	if err := w.beginComplex(name, typeName, func() { _ = c.spool.close() }); err != nil {
		return nil, err
	}
	return c, nil
}

// AppendBatch adds a row per element, which it copies. A hyperUnique of no bytes is null.
func (c *ComplexWriter) AppendBatch(elems [][]byte) error {
	if err := c.w.usable(c.closed); err != nil {
		return err
	}
	if err := c.w.addRows(&c.rows, len(elems)); err != nil {
		return err
	}
	for _, b := range elems {
		if c.spool.size+int64(len(b))+int64(len(c.ends)) > maxChunk-8192 {
			return c.w.fail(&UnsupportedError{Column: c.name, Feature: "writing a part of 2 GiB and more"})
		}
		if err := writeElement(&c.spool, b, c.nulls && len(b) == 0); err != nil {
			return c.w.fail(fmt.Errorf("append to column %q: %w", c.name, err))
		}
		c.ends = binary.BigEndian.AppendUint32(c.ends, uint32(c.spool.size))
	}
	return nil
}

// Close ends the column. It must have as many rows as every other.
func (c *ComplexWriter) Close() error {
	if err := c.w.usable(c.closed); err != nil {
		return err
	}
	c.closed = true
	s := c.w.smoosh
	err := errors.Join(writeIndexedHeader(s, 0, len(c.ends)/4, c.spool.size), s.write(c.ends))
	if err == nil {
		err = c.spool.copyTo(s)
	}
	if err != nil {
		return c.w.fail(fmt.Errorf("write column %q: %w", c.name, errors.Join(err, c.spool.close())))
	}
	return c.w.endColumn(c.rows)
}

// PairLongString is the row of a column of times and strings; a null string is
// stored as an empty one.
func PairLongString(time int64, text []byte) []byte {
	b := binary.BigEndian.AppendUint64(make([]byte, 0, 12+len(text)), uint64(time))
	return append(binary.BigEndian.AppendUint32(b, uint32(len(text))), text...)
}

// PairWriter writes a metric's column of times and numbers. It is used by one
// goroutine. The rows wait in a spool for the least time, which each stores
// its distance from.
type PairWriter struct {
	w         *Writer
	name      string
	width     int // of a number
	rows      int64
	low, high int64
	spool     spool
	closed    bool
	buf       []byte
}

const (
	pairVersion  = 3
	pairInts     = 0x80
	pairRowBytes = 17 // time, null flag, number
)

// Pairs begins a column of times and longs, doubles or floats.
func (w *Writer) Pairs(name, typeName string) (*PairWriter, error) {
	c := &PairWriter{w: w, name: name, width: 8, low: math.MaxInt64, high: math.MinInt64, spool: spool{path: w.spoolPath(2)}}
	if typeName == TypePairLongFloat {
		c.width = 4
	}
	if err := w.beginComplex(name, typeName, func() { _ = c.spool.close() }); err != nil {
		return nil, err
	}
	return c, nil
}

// Append adds a row: a time, and the bits of a number unless it is null.
func (c *PairWriter) Append(time int64, null bool, bits uint64) error {
	if err := c.w.usable(c.closed); err != nil {
		return err
	}
	if err := c.w.addRows(&c.rows, 1); err != nil {
		return err
	}
	c.low, c.high = min(c.low, time), max(c.high, time)
	b := binary.LittleEndian.AppendUint64(c.buf[:0], uint64(time))
	if null {
		b = append(b, 1)
	} else {
		b = append(b, 0)
	}
	b = binary.LittleEndian.AppendUint64(b, bits)
	c.buf = b
	if err := c.spool.write(b); err != nil {
		return c.w.fail(fmt.Errorf("append to column %q: %w", c.name, err))
	}
	return nil
}

// Close ends the column. It must have as many rows as every other.
func (c *PairWriter) Close() error {
	if err := c.w.usable(c.closed); err != nil {
		return err
	}
	c.closed = true
	if err := c.finish(); err != nil {
		return c.w.fail(fmt.Errorf("write column %q: %w", c.name, errors.Join(err, c.spool.close())))
	}
	return c.w.endColumn(c.rows)
}

func (c *PairWriter) finish() error {
	span := c.high - c.low
	if c.low < c.high && span < 0 || c.low > c.high {
		span, c.low = math.MaxInt64, 0
	}
	head := []byte{pairVersion, 0, 0, 0}
	ints := span <= math.MaxInt32
	if ints {
		head[1] = pairInts
	}
	s := c.w.smoosh
	if err := s.write(binary.LittleEndian.AppendUint64(head, uint64(c.low))); err != nil {
		return err
	}
	cells := newCellWriter(c.w)
	defer cells.close()
	var rest []byte // of a row that a piece of the spool cut
	err := c.spool.each(func(b []byte) error {
		rest = append(rest, b...)
		at := 0
		for ; len(rest)-at >= pairRowBytes; at += pairRowBytes {
			if err := cells.add(c.cell(rest[at:at+pairRowBytes], ints)); err != nil {
				return err
			}
		}
		rest = append(rest[:0], rest[at:]...)
		return nil
	}, func() error { return nil })
	if err != nil {
		return err
	}
	return cells.writeTo(s)
}

// cell encodes a row.
func (c *PairWriter) cell(r []byte, ints bool) []byte {
	delta := int64(binary.LittleEndian.Uint64(r)) - c.low
	b := c.buf[:0]
	if ints {
		b = binary.LittleEndian.AppendUint32(b, uint32(delta))
	} else {
		b = binary.LittleEndian.AppendUint64(b, uint64(delta))
	}
	if b = append(b, r[8]); r[8] == 0 {
		b = append(b, r[9:9+c.width]...)
	}
	c.buf = b
	return b
}

// cellWriter writes cells of any length: where each begins, and their bytes,
// both in blocks.
type cellWriter struct {
	index, cells *cellBlocks
	at           uint64
	buf          [8]byte
}

func newCellWriter(w *Writer) *cellWriter {
	return &cellWriter{index: newCellBlocks(w.spoolPath(0)), cells: newCellBlocks(w.spoolPath(1))}
}

func (c *cellWriter) add(b []byte) error {
	binary.LittleEndian.PutUint64(c.buf[:], c.at)
	c.at += uint64(len(b))
	return errors.Join(c.index.add(c.buf[:]), c.cells.add(b))
}

func (c *cellWriter) writeTo(s *smooshWriter) error {
	binary.LittleEndian.PutUint64(c.buf[:], c.at)
	if err := c.index.add(c.buf[:]); err != nil {
		return err
	}
	for _, b := range []*cellBlocks{c.index, c.cells} {
		if err := b.writeTo(s); err != nil {
			return err
		}
	}
	return nil
}

func (c *cellWriter) close() { _ = errors.Join(c.index.close(), c.cells.close()) }

// cellBlocks writes bytes that run on through blocks of 64 KiB, each lz4.
type cellBlocks struct {
	blobs blobBlocks
}

func newCellBlocks(path string) *cellBlocks {
	return &cellBlocks{blobs: *newBlobBlocks(CodecLZ4, path)}
}

func (c *cellBlocks) add(p []byte) error { return c.blobs.add(p) }

// writeTo writes, each with its size in front, the places of the blocks and
// the blocks.
func (c *cellBlocks) writeTo(s *smooshWriter) error {
	if len(c.blobs.raw) > 0 {
		if err := c.blobs.flush(); err != nil {
			return err
		}
	}
	places := append(make([]byte, 4), c.blobs.ends...)
	head := binary.LittleEndian.AppendUint32(nil, uint32(4+len(places)+4+int(c.blobs.spool.size)))
	head = binary.LittleEndian.AppendUint32(head, uint32(len(places)))
	head = append(head, places...)
	head = binary.LittleEndian.AppendUint32(head, uint32(c.blobs.spool.size))
	if err := s.write(head); err != nil {
		return err
	}
	return c.blobs.spool.copyTo(s)
}

func (c *cellBlocks) close() error { return c.blobs.close() }
