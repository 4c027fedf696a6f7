package segment

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"
)

// complexData is a complex metric's column, as its headers describe it.
type complexData struct {
	name, typeName string
	rows           int

	list *indexed // one element a row

	// of pairs of time and number
	low          int64
	ints         bool
	width        int
	index, cells *blobPart
}

// readComplex reads the headers of a complex metric's column; nil is one of a
// type that is not known.
func (r *Reader) readComplex(c *cursor, typeName string) *complexData {
	d := &complexData{name: c.part, typeName: typeName, rows: r.rows, width: 8}
	switch typeName {
	case TypeHyperUnique, TypeHLLSketch, TypeThetaSketch:
		d.readList(c, r)
	case TypePairLongString:
		if len(c.b) > 0 && c.b[0] == pairVersion {
			return nil
		}
		d.readList(c, r)
	case TypePairLongFloat:
		d.width = 4
		d.readPairs(c)
	case TypePairLongLong, TypePairLongDouble:
		d.readPairs(c)
	default:
		return nil
	}
	return d
}

func (d *complexData) readList(c *cursor, r *Reader) {
	if len(c.b) > 0 && c.b[0] == dictionaryMarker { // complexMetricCompression
		c.err = &UnsupportedError{Column: d.name, Feature: "a compressed complex column"}
		return
	}
	d.list = c.indexed(r.internal)
	if c.err == nil && d.list.count != d.rows {
		c.corrupt("%d rows, the segment has %d", d.list.count, d.rows)
	}
}

func (d *complexData) readPairs(c *cursor) {
	if version := c.u8(); c.err == nil && version != pairVersion {
		c.corrupt("pairs of version %d", version)
	}
	d.ints = c.u8()&pairInts != 0
	c.take(2)
	if b := c.take(8); b != nil {
		d.low = int64(binary.LittleEndian.Uint64(b))
	}
	d.index, d.cells = readCells(c), readCells(c)
}

// readCells reads bytes in blocks, and where the blocks begin.
func readCells(c *cursor) *blobPart {
	p := &blobPart{name: c.part, codec: CodecLZ4}
	in := cursor{part: c.part, b: c.take(int64(c.leInt())), err: c.err}
	places := in.take(int64(in.leInt()))
	if in.err == nil && (len(places) < 4 || len(places)%4 != 0) {
		in.corrupt("%d bytes of places of blocks", len(places))
	}
	p.data = in.take(int64(in.leInt()))
	if c.err = in.err; c.err == nil {
		p.ends = places[4:]
	}
	return p
}

// ComplexColumn reads a complex metric's column. It is used by one goroutine.
type ComplexColumn struct {
	data         *complexData
	index, cells blobReader
	buf          []byte
}

// Complex returns a complex metric's column.
func (r *Reader) Complex(name string) (*ComplexColumn, error) {
	col, err := r.column(name, kindComplex)
	if err != nil {
		return nil, err
	}
	if col.complex == nil {
		return nil, fmt.Errorf("segment column %q is not a complex metric: %w", name, ErrNoColumn)
	}
	d := col.complex
	return &ComplexColumn{data: d, index: blobReader{part: d.index, block: -1}, cells: blobReader{part: d.cells, block: -1}}, nil
}

// Len is the number of rows.
func (c *ComplexColumn) Len() int { return c.data.rows }

// TypeName is the type of the column's values.
func (c *ComplexColumn) TypeName() string { return c.data.typeName }

// Bytes returns the bytes of a row, valid until the next call.
func (c *ComplexColumn) Bytes(row int) ([]byte, error) {
	if row < 0 || row >= c.data.rows {
		return nil, fmt.Errorf("read column %q: row %d of %d", c.data.name, row, c.data.rows)
	}
	if c.data.list != nil {
		b, null, err := c.data.list.at(row)
		if null {
			return nil, err
		}
		return b, err
	}
	var bounds [16]byte
	raw, err := c.index.read(bounds[:0], uint64(8*row), uint64(8*row+16))
	if err != nil {
		return nil, err
	}
	from, to := binary.LittleEndian.Uint64(raw), binary.LittleEndian.Uint64(raw[8:])
	if to < from {
		return nil, corruptf(c.data.name, "row %d ends at %d and begins at %d", row, to, from)
	}
	c.buf, err = c.cells.read(c.buf[:0], from, to)
	return c.buf, err
}

// AppendJSON appends a row's value as Druid's tools print it: pairs as their
// two sides, sketches in base64.
func (c *ComplexColumn) AppendJSON(dst []byte, row int) ([]byte, error) {
	b, err := c.Bytes(row)
	if err != nil {
		return dst, err
	}
	d := c.data
	if b == nil && d.list != nil && d.typeName == TypeHyperUnique {
		return append(dst, "null"...), nil
	}
	v := cursor{part: d.name, b: b}
	switch {
	case d.list != nil && d.typeName != TypePairLongString:
		return append(base64.StdEncoding.AppendEncode(append(dst, '"'), b), '"'), nil
	case d.typeName == TypePairLongString:
		dst = strconv.AppendInt(append(dst, `{"lhs":`...), v.i64(), 10)
		text := v.str32()
		if v.err == nil && !utf8.Valid(text) {
			v.corrupt("text that is not UTF-8")
		}
		if dst = append(dst, `,"rhs":`...); len(text) == 0 {
			return append(dst, "null}"...), v.err
		}
		return append(appendJSONString(dst, string(text)), '}'), v.err
	}
	return d.appendPair(dst, &v)
}

func (d *complexData) appendPair(dst []byte, v *cursor) ([]byte, error) {
	delta := int64(0)
	if d.ints {
		delta = int64(v.leInt())
	} else if b := v.take(8); b != nil {
		delta = int64(binary.LittleEndian.Uint64(b))
	}
	dst = strconv.AppendInt(append(dst, `{"lhs":`...), d.low+delta, 10)
	dst = append(dst, `,"rhs":`...)
	if null := v.u8(); null != 0 {
		return append(dst, "null}"...), v.err
	}
	b := v.take(int64(d.width))
	switch {
	case b == nil:
	case d.typeName == TypePairLongLong:
		dst = strconv.AppendInt(dst, int64(binary.LittleEndian.Uint64(b)), 10)
	case d.typeName == TypePairLongDouble:
		dst = appendJavaDouble(dst, math.Float64frombits(binary.LittleEndian.Uint64(b)), 64)
	default:
		dst = appendJavaDouble(dst, float64(math.Float32frombits(binary.LittleEndian.Uint32(b))), 32)
	}
	return append(dst, '}'), v.err
}
