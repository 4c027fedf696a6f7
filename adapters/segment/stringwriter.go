package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Dictionary is the sorted list of a string column's distinct values.
type Dictionary interface {
	// Len is the number of values, null included.
	Len() int
	// Value returns value i: unique, ascending in UTF-16 order, null first.
	// The bytes are only read, and only until the next call.
	Value(i int) (b []byte, isNull bool)
}

// StringOptions describes a string column.
type StringOptions struct {
	// Dictionary holds the values; unused when AllNull is set.
	Dictionary Dictionary
	// MultiValue makes a column of lists.
	MultiValue bool
	// NoBitmaps leaves out the bitmap index.
	NoBitmaps bool
	// AllNull makes the column that has no data; nothing may be appended.
	AllNull bool
}

// Flag bits of a string column.
const (
	flagMultiOld  = 1 << 0
	flagMulti     = 1 << 1
	flagNoBitmaps = 1 << 2
)

// StringWriter writes a string column. It is used by one goroutine.
type StringWriter struct {
	w       *Writer
	name    string
	o       StringOptions
	card    int
	hasNull bool
	rows    int64
	closed  bool

	ids     idStream
	bitmaps *bitmapStream
	one     [1]uint32
}

// idStream is where the ids of the rows go: compressed or not, single or multi.
type idStream interface {
	append(ids []uint32) error                 // one row each
	appendMulti(row int64, ids []uint32) error // one row
	finish() error
	writeTo(w *smooshWriter) error
	close() error
}

// String begins a string column. Its dictionary is written at once.
func (w *Writer) String(name string, o StringOptions) (*StringWriter, error) {
	c := &StringWriter{w: w, name: name, o: o}
	if o.AllNull {
		if err := w.beginNull(name); err != nil {
			return nil, err
		}
		return c, nil
	}
	if o.Dictionary == nil {
		return nil, fmt.Errorf("begin column %q: no dictionary", name)
	}
	c.card = o.Dictionary.Len()
	if err := w.beginColumn(name, kindString, o.MultiValue, c.abort); err != nil {
		return nil, err
	}
	if err := c.begin(); err != nil {
		return nil, w.fail(fmt.Errorf("begin column %q: %w", name, err))
	}
	return c, nil
}

func (c *StringWriter) begin() error {
	s, plain := c.w.smoosh, c.w.spec.DimensionCompression == CodecUncompressed
	version, flags := byte(2), uint32(0)
	if c.o.NoBitmaps {
		flags |= flagNoBitmaps
	}
	switch {
	case plain && c.o.NoBitmaps:
		version = 3
		if c.o.MultiValue {
			flags |= flagMultiOld
		}
	case plain && c.o.MultiValue:
		version = 1
	case plain:
		version = 0
	case c.o.MultiValue:
		flags |= flagMulti
	}
	head := []byte{version}
	if version >= 2 {
		head = binary.BigEndian.AppendUint32(head, flags)
	}
	if err := s.write(head); err != nil {
		return err
	}
	var err error
	if c.hasNull, err = c.w.writeDictionary(c.o.Dictionary); err != nil {
		return err
	}
	width := byteWidth(c.card)
	switch {
	case plain:
		c.ids = newPlainIDs(c.w, width, c.o.MultiValue)
	case c.o.MultiValue:
		c.ids = newMultiIDs(c.w, width)
	default:
		c.ids = singleIDs{newIntStream(c.w.pool, c.w.spec.DimensionCompression, width, c.w.spoolPath(0))}
	}
	if !c.o.NoBitmaps {
		c.bitmaps = newBitmapStream(c.w, c.card, c.o.MultiValue)
	}
	return nil
}

// The markers in front of an element. They are shared, and only read.
var (
	valueMarker = []byte{0, 0, 0, 0}
	nullMarker  = []byte{0xff, 0xff, 0xff, 0xff}
)

func writeElement(s interface{ write(p []byte) error }, v []byte, null bool) error {
	if null {
		return s.write(nullMarker)
	}
	if err := s.write(valueMarker); err != nil {
		return err
	}
	return s.write(v)
}

// Append adds a row with one value.
func (c *StringWriter) Append(id uint32) error {
	c.one[0] = id
	return c.AppendBatch(c.one[:])
}

// AppendBatch adds a row of one value per id.
func (c *StringWriter) AppendBatch(ids []uint32) error {
	if err := c.ready(ids); err != nil {
		return err
	}
	if err := c.w.addRows(&c.rows, len(ids)); err != nil {
		return err
	}
	if c.o.MultiValue {
		for i := range ids {
			if err := c.addMulti(c.rows-int64(len(ids)-i), ids[i:i+1]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := c.ids.append(ids); err != nil {
		return c.w.fail(fmt.Errorf("append to column %q: %w", c.name, err))
	}
	if c.bitmaps != nil {
		c.bitmaps.addRows(ids)
	}
	return nil
}

// AppendMulti adds one row with the values in their order. A row without any
// counts as null, which the dictionary must then have; a single-value column
// takes one value or none.
func (c *StringWriter) AppendMulti(ids []uint32) error {
	if len(ids) == 0 && !c.hasNull {
		return c.w.fail(fmt.Errorf("append to column %q: an empty row needs null in the dictionary", c.name))
	}
	if !c.o.MultiValue {
		switch len(ids) {
		case 0:
			return c.Append(0)
		case 1:
			return c.Append(ids[0])
		}
		return c.w.fail(fmt.Errorf("append to column %q: %d values in a single-value column", c.name, len(ids)))
	}
	if err := c.ready(ids); err != nil {
		return err
	}
	if err := c.w.addRows(&c.rows, 1); err != nil {
		return err
	}
	return c.addMulti(c.rows-1, ids)
}

func (c *StringWriter) addMulti(row int64, ids []uint32) error {
	if err := c.ids.appendMulti(row, ids); err != nil {
		return c.w.fail(fmt.Errorf("append to column %q: %w", c.name, err))
	}
	if c.bitmaps != nil {
		if len(ids) == 0 {
			c.one[0] = 0
			ids = c.one[:]
		}
		c.bitmaps.addMulti(row, ids)
	}
	return nil
}

// ready checks that the column can take the ids.
func (c *StringWriter) ready(ids []uint32) error {
	if err := c.w.usable(c.closed); err != nil {
		return err
	}
	if c.o.AllNull {
		return c.w.fail(fmt.Errorf("append to column %q: it was declared all-null", c.name))
	}
	top := uint32(0)
	for _, id := range ids {
		top = max(top, id)
	}
	if len(ids) > 0 && int64(top) >= int64(c.card) {
		return c.w.fail(fmt.Errorf("append to column %q: id %d, the dictionary has %d values", c.name, top, c.card))
	}
	return nil
}

// Close ends the column. It must have as many rows as every other.
func (c *StringWriter) Close() error {
	if err := c.w.usable(c.closed); err != nil {
		return err
	}
	c.closed = true
	if c.o.AllNull {
		return nil
	}
	if err := c.finish(); err != nil {
		return c.w.fail(fmt.Errorf("write column %q: %w", c.name, err))
	}
	return c.w.endColumn(c.rows)
}

func (c *StringWriter) finish() error {
	if c.bitmaps != nil {
		c.bitmaps.finish()
	}
	if err := c.ids.finish(); err != nil {
		return err
	}
	if err := c.ids.writeTo(c.w.smoosh); err != nil {
		return err
	}
	if c.bitmaps != nil {
		return c.bitmaps.writeTo(c.w.smoosh)
	}
	return nil
}

func (c *StringWriter) abort() {
	if c.bitmaps != nil {
		c.bitmaps.wait()
	}
	if c.ids != nil {
		_ = errors.Join(c.ids.close())
	}
}
