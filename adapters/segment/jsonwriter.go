package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// JSONOptions describes an auto or json column.
type JSONOptions struct {
	// Values are the distinct values, SMILE documents that a SmileWriter wrote,
	// null first if it is there. They are read several times.
	Values Dictionary
	// CastTo is the type that the column is declared to have, and that all its
	// values have; 0: the values decide.
	CastTo JSONType
}

// JSONWriter writes a column whose type follows from its values: strings,
// longs, doubles, arrays of them, a mixture, or nested objects. It is used by
// one goroutine.
//
// It keeps the ids of the rows in a spool until all are known, and then writes
// the parts of the column one after the other.
type JSONWriter struct {
	w    *Writer
	name string
	o    JSONOptions
	card int
	rows int64
	// hasNull says that the first value is null, nulls that some row is.
	hasNull, nulls bool
	ids            spool
	buf            []byte
	closed         bool

	a *jsonAnalysis
}

// The spools that a JSONWriter uses at a time.
const (
	spoolPart   = 0
	spoolNumber = 1 // and the one after it
	spoolRows   = 3
)

// JSON begins an auto or json column.
func (w *Writer) JSON(name string, o JSONOptions) (*JSONWriter, error) {
	if o.Values == nil {
		return nil, fmt.Errorf("begin column %q: no values", name)
	}
	c := &JSONWriter{w: w, name: name, o: o, card: o.Values.Len(), ids: spool{path: w.spoolPath(spoolRows)}}
	if c.card > 0 {
		_, c.hasNull = o.Values.Value(0)
	}
	if err := w.claim(name); err != nil {
		return nil, err
	}
	if name == timeColumn {
		return nil, w.fail(fmt.Errorf("begin column %q: it holds longs", name))
	}
	w.abort = func() { _ = c.ids.close() }
	return c, nil
}

// AppendBatch adds a row per id, a place in the values.
func (c *JSONWriter) AppendBatch(ids []uint32) error {
	if err := c.w.usable(c.closed); err != nil {
		return err
	}
	if err := c.w.addRows(&c.rows, len(ids)); err != nil {
		return err
	}
	b := c.buf[:0]
	for _, id := range ids {
		if int64(id) >= int64(c.card) {
			return c.w.fail(fmt.Errorf("append to column %q: id %d, there are %d values", c.name, id, c.card))
		}
		c.nulls = c.nulls || id == 0 && c.hasNull
		b = binary.LittleEndian.AppendUint32(b, id)
	}
	c.buf = b
	if err := c.ids.write(b); err != nil {
		return c.w.fail(fmt.Errorf("append to column %q: %w", c.name, err))
	}
	return nil
}

// Close ends the column. It must have as many rows as every other.
func (c *JSONWriter) Close() error {
	if err := c.w.usable(c.closed); err != nil {
		return err
	}
	c.closed = true
	if err := c.finish(); err != nil {
		return c.w.fail(fmt.Errorf("write column %q: %w", c.name, errors.Join(err, c.ids.close())))
	}
	return nil
}

func (c *JSONWriter) finish() error {
	var err error
	if c.a, err = analyzeJSON(c.name, c.o.Values, c.o.CastTo); err != nil {
		return err
	}
	l := c.a.layout(c.o.CastTo)
	if err := c.writeOwn(l); err != nil {
		return err
	}
	switch {
	case l.nested:
		err = c.writeNested()
	case l.scalar != 0:
		err = c.writeScalar(l.scalar)
	default:
		err = c.writeVariant()
	}
	if err != nil {
		return err
	}
	return c.ids.close()
}

// nestedPart is the part of an auto column's descriptor.
type nestedPart struct {
	Type        string `json:"type"`
	LogicalType string `json:"logicalType"`
	HasNulls    bool   `json:"hasNulls"`
	Variant     bool   `json:"isVariantType"`
	Enforce     bool   `json:"enforceLogicalType"`
	ByteOrder   string `json:"byteOrder"`
	Bitmap      typed  `json:"bitmapSerdeFactory"`
}

const (
	kindComplex   valueType = "COMPLEX"
	nestedPartTag           = "nestedCommonFormat"
)

// writeOwn writes the column's own internal file.
func (c *JSONWriter) writeOwn(l jsonLayout) error {
	s := c.w.smoosh
	if err := s.begin(c.name); err != nil {
		return err
	}
	part := nestedPart{nestedPartTag, l.logical, c.nulls, l.variant, c.o.CastTo != 0, littleEndian, typed{c.w.spec.Bitmap}}
	if err := c.w.writeDescriptor(descriptor{kindComplex, false, []any{part}}); err != nil {
		return err
	}
	b := append(appendVByte([]byte{0}, len(c.name)), c.name...)
	if l.variant {
		b = append(b, byte(l.types))
	}
	if l.nested {
		var paths []nullable
		for _, f := range c.a.fields {
			paths = append(paths, nullable{[]byte(f.path), false})
		}
		b = appendIndexed(b, paths)
		for _, f := range c.a.fields {
			b = append(b, byte(f.written()))
		}
	}
	if err := s.write(b); err != nil {
		return err
	}
	return c.w.endColumn(c.rows)
}

// internal writes an internal file of the column.
func (c *JSONWriter) internal(suffix string, write func(s *smooshWriter) error) error {
	s := c.w.smoosh
	if err := s.begin(c.name + "." + suffix); err != nil {
		return err
	}
	if err := write(s); err != nil {
		return err
	}
	return s.end()
}

func (c *JSONWriter) internalBytes(suffix string, b []byte) error {
	return c.internal(suffix, func(s *smooshWriter) error { return s.write(b) })
}

// The names of internal files.
const (
	fileStrings       = "__stringDictionary"
	fileLongs         = "__longDictionary"
	fileDoubles       = "__doubleDictionary"
	fileArrays        = "__arrayDictionary"
	fileElements      = "__arrayElementDictionary"
	fileEncoded       = "__encodedColumn"
	fileLongValues    = "__longColumn"
	fileDoubleValues  = "__doubleColumn"
	fileValueIndexes  = "__valueIndexes"
	fileElementIndex  = "__arrayElementIndexes"
	fileRaw           = "__raw"
	fileNullIndex     = "__nullIndex"
	fileField         = "__field_"
	fileBlobOffsets   = "_offsets"
	fileBlobValues    = "_compressed"
	rowsPerJSONChunk  = 4096
	bytesPerJSONChunk = 4 * rowsPerJSONChunk
)

func (c *JSONWriter) writeStrings() error {
	return c.internal(fileStrings, func(*smooshWriter) error {
		_, err := c.w.writeDictionary(c.a.dict.strings)
		return err
	})
}

// eachRow gives the ids of the rows, some at a time; ids are overwritten.
func (c *JSONWriter) eachRow(f func(row int64, ids []uint32) error) error {
	ids := make([]uint32, 0, rowsPerJSONChunk)
	row := int64(0)
	return c.ids.scan(func(b []byte) error {
		for len(b) > 0 {
			n := min(len(b), bytesPerJSONChunk)
			ids = ids[:0]
			for p := b[:n]; len(p) > 0; p = p[4:] {
				ids = append(ids, binary.LittleEndian.Uint32(p))
			}
			if err := f(row, ids); err != nil {
				return err
			}
			row += int64(len(ids))
			b = b[n:]
		}
		return nil
	})
}

// rootIDs gives the global id of each value as a whole.
func (c *JSONWriter) rootIDs() []uint32 {
	ids := make([]uint32, c.card)
	if len(c.a.fields) > 0 {
		for _, v := range c.a.fields[0].values {
			ids[v.value] = v.id
		}
	}
	return ids
}

// encodedCodec is that of the ids: always a compressed one.
func (c *JSONWriter) encodedCodec() Codec {
	if d := c.w.spec.DimensionCompression; d != CodecUncompressed {
		return d
	}
	return CodecLZ4
}

// writeScalar writes a column of one scalar type. The ids of its dictionary
// are the global ones, as it has only one kind of literals.
func (c *JSONWriter) writeScalar(t JSONType) error {
	var err error
	switch t {
	case JSONLong:
		err = c.internalBytes(fileLongs, c.a.dict.longBytes(fixedNull|fixedSorted))
	case JSONDouble:
		err = c.internalBytes(fileDoubles, c.a.dict.doubleBytes(fixedNull|fixedSorted))
	default:
		err = c.writeStrings()
	}
	if err != nil {
		return err
	}
	e := c.newEncoded(c.a.dict.len())
	defer e.close()
	numbers := c.newNumbers(t)
	defer numbers.close()
	table := c.rootIDs()
	err = c.eachRow(func(_ int64, ids []uint32) error {
		mapIDs(ids, table)
		return errors.Join(e.append(ids), numbers.append(c.a.dict, ids))
	})
	if err != nil {
		return err
	}
	if err := e.writeIDs(); err != nil {
		return err
	}
	switch t {
	case JSONLong:
		err = c.internal(fileLongValues, func(s *smooshWriter) error { return numbers.writeTo(s, nil) })
	case JSONDouble:
		err = c.internal(fileDoubleValues, func(s *smooshWriter) error { return numbers.writeTo(s, nil) })
	}
	if err != nil {
		return err
	}
	return e.writeIndexes()
}

func mapIDs(ids, table []uint32) {
	for i, id := range ids {
		ids[i] = table[id]
	}
}

// writeVariant writes a column of arrays, or of values of different types.
func (c *JSONWriter) writeVariant() error {
	d := c.a.dict
	if err := errors.Join(
		c.writeStrings(), c.internalBytes(fileLongs, d.longBytes(fixedSorted)),
		c.internalBytes(fileDoubles, d.doubleBytes(fixedSorted)), c.internalBytes(fileArrays, d.arrayBytes()),
	); err != nil {
		return err
	}
	e := c.newEncoded(d.len())
	defer e.close()
	el := c.newElements(c.a.fields)
	defer el.close()
	table := c.rootIDs()
	err := c.eachRow(func(row int64, ids []uint32) error {
		mapIDs(ids, table)
		el.add(row, ids)
		return e.append(ids)
	})
	if err != nil {
		return err
	}
	return errors.Join(
		c.internalBytes(fileElements, idBytes(el.ids)), e.writeIDs(), e.writeIndexes(),
		c.internal(fileElementIndex, el.writeTo),
	)
}
