package segment

import (
	"encoding/binary"
	"errors"
	"slices"
)

// encodedIDs are the ids of an auto column's rows with their bitmaps.
type encodedIDs struct {
	c       *JSONWriter
	ids     *intStream
	bitmaps *bitmapStream
}

func (c *JSONWriter) newEncoded(card int) *encodedIDs {
	return &encodedIDs{
		c: c, ids: newIntStream(c.w.pool, c.encodedCodec(), byteWidth(card), c.w.spoolPath(spoolPart)),
		bitmaps: newBitmapStream(c.w, card, false),
	}
}

func (e *encodedIDs) append(ids []uint32) error {
	e.bitmaps.addRows(ids)
	return e.ids.append(ids)
}

func (e *encodedIDs) writeIDs() error {
	e.bitmaps.finish()
	if err := e.ids.finish(); err != nil {
		return err
	}
	return e.c.internal(fileEncoded, func(s *smooshWriter) error { return e.ids.writeTo(s, true) })
}

func (e *encodedIDs) writeIndexes() error { return e.c.internal(fileValueIndexes, e.bitmaps.writeTo) }

func (e *encodedIDs) close() {
	e.bitmaps.wait()
	_ = e.ids.close()
}

// jsonNumbers are the values of a field of longs or doubles; nothing for other
// types.
type jsonNumbers struct {
	longs   *numericWriter[int64]
	doubles *numericWriter[float64]
	one64   []int64
	oneF    []float64
}

func (c *JSONWriter) newNumbers(t JSONType) *jsonNumbers {
	n := &jsonNumbers{}
	switch codec := c.w.spec.DimensionCompression; t {
	case JSONLong:
		w := newNumbers[int64](c.w, c.name, kindLong, codec, spoolNumber)
		n.longs = &w
	case JSONDouble:
		w := newNumbers[float64](c.w, c.name, kindDouble, codec, spoolNumber)
		n.doubles = &w
	}
	return n
}

// append adds the values of global ids.
func (n *jsonNumbers) append(d *jsonDictionary, ids []uint32) error {
	switch {
	case n.longs != nil:
		n.one64 = n.one64[:0]
		for _, id := range ids {
			n.one64 = append(n.one64, d.longAt(id))
		}
		return n.longs.AppendBatch(n.one64, nil)
	case n.doubles != nil:
		n.oneF = n.oneF[:0]
		for _, id := range ids {
			n.oneF = append(n.oneF, d.doubleAt(id))
		}
		return n.doubles.AppendBatch(n.oneF, nil)
	}
	return nil
}

// writeTo writes the values, after calling before, if set, with the sizes of
// the longs and of the doubles.
func (n *jsonNumbers) writeTo(s *smooshWriter, before func(longs, doubles int64) error) error {
	if before == nil {
		before = func(int64, int64) error { return nil }
	}
	switch {
	case n.longs != nil:
		return n.longs.writeValuesTo(s, func(size int64) error { return before(size, 0) })
	case n.doubles != nil:
		return n.doubles.writeValuesTo(s, func(size int64) error { return before(0, size) })
	}
	return before(0, 0)
}

func (n *jsonNumbers) close() {
	if n.longs != nil {
		n.longs.abort()
	}
	if n.doubles != nil {
		n.doubles.abort()
	}
}

// elementIndex is the index of the elements of arrays.
type elementIndex struct {
	d       *jsonDictionary
	ids     []uint32 // global ids of all elements, ascending
	local   map[uint32]uint32
	bitmaps *bitmapStream
	row     []uint32
}

// newElements indexes the elements of the arrays that fields have.
func (c *JSONWriter) newElements(fields []*jsonField) *elementIndex {
	e := &elementIndex{d: c.a.dict, local: map[uint32]uint32{}}
	for _, f := range fields {
		for _, v := range f.values {
			e.row = e.d.elements(e.row[:0], v.id)
			for _, id := range e.row {
				e.local[id] = 0
			}
		}
	}
	for id := range e.local {
		e.ids = append(e.ids, id)
	}
	slices.Sort(e.ids)
	for i, id := range e.ids {
		e.local[id] = uint32(i)
	}
	e.bitmaps = newBitmapStream(c.w, len(e.ids), true)
	return e
}

func (e *elementIndex) add(row int64, ids []uint32) {
	for i, id := range ids {
		e.row = e.d.elements(e.row[:0], id)
		for j, el := range e.row {
			e.row[j] = e.local[el]
		}
		e.bitmaps.addMulti(row+int64(i), e.row)
	}
}

func (e *elementIndex) writeTo(s *smooshWriter) error {
	e.bitmaps.finish()
	return e.bitmaps.writeTo(s)
}

func (e *elementIndex) close() { e.bitmaps.wait() }

// writeNested writes a column with objects: the dictionaries, the raw values,
// and each field.
func (c *JSONWriter) writeNested() error {
	d := c.a.dict
	err := errors.Join(
		c.writeStrings(), c.internalBytes(fileLongs, d.longBytes(fixedSorted)),
		c.internalBytes(fileDoubles, d.doubleBytes(fixedSorted)), c.internalBytes(fileArrays, d.arrayBytes()),
		c.writeRaw(), c.writeNulls(),
	)
	for i, f := range c.a.fields {
		if err != nil {
			return err
		}
		err = c.writeField(i, f)
		f.values = nil
	}
	return err
}

// writeRaw writes the values as they came.
func (c *JSONWriter) writeRaw() error {
	codec := c.w.spec.JSONCompression
	offsets := newBlobBlocks(codec, c.w.spoolPath(spoolPart))
	values := newBlobBlocks(codec, c.w.spoolPath(spoolNumber))
	defer func() { _ = errors.Join(offsets.close(), values.close()) }()
	end, buf := uint64(0), []byte(nil)
	err := c.eachRow(func(_ int64, ids []uint32) error {
		buf = buf[:0]
		for _, id := range ids {
			doc, _ := c.o.Values.Value(int(id))
			if err := values.add(doc); err != nil {
				return err
			}
			end += uint64(len(doc))
			buf = binary.LittleEndian.AppendUint64(buf, end)
		}
		return offsets.add(buf)
	})
	if err != nil {
		return err
	}
	return errors.Join(
		c.internal(fileRaw+fileBlobOffsets, offsets.writeTo), c.internal(fileRaw+fileBlobValues, values.writeTo),
		c.internalBytes(fileRaw, binary.BigEndian.AppendUint32([]byte{1}, uint32(c.rows))),
	)
}

// writeNulls writes the bitmap of the null rows, if there are any.
func (c *JSONWriter) writeNulls() error {
	if !c.nulls {
		return nil
	}
	var nulls rowSet
	err := c.eachRow(func(row int64, ids []uint32) error {
		for i, id := range ids {
			if id == 0 {
				nulls.add(row + int64(i))
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	b := nulls.encode(c.w.bitmapCoder())
	return c.internalBytes(fileNullIndex, append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...))
}

// writeField writes one field: the global ids in it, its numbers, the rows'
// places among those ids, and their bitmaps.
func (c *JSONWriter) writeField(i int, f *jsonField) error {
	globals, table := f.localIDs(c.card)
	s, plain := c.w.smoosh, c.w.spec.DimensionCompression == CodecUncompressed
	var ids idStream = &plainIDs{width: byteWidth(int(globals[len(globals)-1])),
		ends: spool{path: c.w.spoolPath(spoolPart)}, values: spool{path: c.w.spoolPath(spoolRows + 1)}}
	version := byte(0)
	if !plain {
		width := byteWidth(int(globals[len(globals)-1]))
		ids = singleIDs{newIntStream(c.w.pool, c.w.spec.DimensionCompression, width, c.w.spoolPath(spoolPart))}
		version = 2
	}
	defer func() { _ = ids.close() }()
	single := f.single()
	numbers := c.newNumbers(single)
	defer numbers.close()
	bitmaps := newBitmapStream(c.w, len(globals), false)
	defer bitmaps.wait()
	el := &elementIndex{}
	if single&jsonArrays != 0 {
		el = c.newElements([]*jsonField{f})
		defer el.close()
	}
	global := make([]uint32, rowsPerJSONChunk)
	err := c.eachRow(func(row int64, rows []uint32) error {
		mapIDs(rows, table)
		bitmaps.addRows(rows)
		if err := ids.append(rows); err != nil {
			return err
		}
		g := global[:len(rows)]
		for i, local := range rows {
			g[i] = globals[local]
		}
		if len(el.ids) > 0 {
			el.add(row, g)
		}
		return numbers.append(c.a.dict, g)
	})
	if err != nil {
		return err
	}
	bitmaps.finish()
	return c.internal(fileField+itoa(i), func(*smooshWriter) error {
		head := append([]byte{version, 0, 0, 0, 0}, idBytes(globals)...)
		if err := s.write(head); err != nil {
			return err
		}
		err := numbers.writeTo(s, func(longs, doubles int64) error {
			sizes := binary.LittleEndian.AppendUint32(nil, uint32(longs))
			return s.write(binary.LittleEndian.AppendUint32(sizes, uint32(doubles)))
		})
		if err != nil {
			return err
		}
		if err := errors.Join(ids.finish(), ids.writeTo(s), bitmaps.writeTo(s)); err != nil || len(el.ids) == 0 {
			return err
		}
		return errors.Join(s.write(idBytes(el.ids)), el.writeTo(s))
	})
}

// localIDs gives the global ids that a field has, ascending, and for each of
// the column's values its place among them. Null is among them where some
// value has none.
func (f *jsonField) localIDs(card int) (globals, table []uint32) {
	table = make([]uint32, card)
	for _, v := range f.values {
		table[v.value] = v.id
	}
	seen := map[uint32]uint32{}
	for _, id := range table {
		seen[id] = 0
	}
	for id := range seen {
		globals = append(globals, id)
	}
	slices.Sort(globals)
	for i, id := range globals {
		seen[id] = uint32(i)
	}
	for i, id := range table {
		table[i] = seen[id]
	}
	return globals, table
}
