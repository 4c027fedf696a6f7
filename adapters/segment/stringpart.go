package segment

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"
)

// stringPartData is a string column, as its headers describe it.
type stringPartData struct {
	name       string
	rows       int
	allNull    bool // no data at all
	hasNull    bool
	multi      bool
	bitmapType string

	plain *indexed     // dictionary, one of the two
	front *frontHeader // front-coded

	ids     *intPart // of rows, or of all values of multi-value rows
	offsets *intPart // multi-value: where each row begins, and the end
	ends    []byte   // multi-value, uncompressed: where each row ends, in bytes
	bitmaps *indexed // nil when there are none
}

// dictionaryMarker tells an encoded dictionary from a GenericIndexed.
const (
	dictionaryMarker     = 127
	dictionaryFrontCoded = 1
)

// nullString is the column without data.
func nullString(r *Reader, name string, p partHeader) (*stringPartData, error) {
	if p.NumRows != int64(r.rows) {
		return nil, corruptf(name, "%d rows, the segment has %d", p.NumRows, r.rows)
	}
	return &stringPartData{name: name, rows: r.rows, allNull: true, hasNull: true, bitmapType: p.Bitmap.Type}, nil
}

// readString reads the headers of a string column.
func (r *Reader) readString(c *cursor, p partHeader, multi bool) *stringPartData {
	s := &stringPartData{name: c.part, bitmapType: p.Bitmap.Type}
	order, ok := byteOrder(p.ByteOrder)
	if !ok && p.ByteOrder != "" {
		c.corrupt("byte order %.40q", p.ByteOrder)
	}
	if !ok {
		order = binary.BigEndian
	}
	version, flags := c.u8(), uint32(0)
	switch version {
	case 0:
	case 1:
		flags = flagMultiOld
	case 2, 3:
		if f := c.take(4); f != nil {
			flags = binary.BigEndian.Uint32(f)
		}
	default:
		c.corrupt("string column of version %d", version)
	}
	if flags&^(flagMultiOld|flagMulti|flagNoBitmaps) != 0 || flags&flagMultiOld != 0 && flags&flagMulti != 0 {
		c.corrupt("string column with flags %#x", flags)
	}
	s.readDictionary(c, r.internal)
	s.multi = flags&(flagMultiOld|flagMulti) != 0
	if c.err == nil && s.multi != multi {
		c.corrupt("the descriptor's hasMultipleValues is %v, the flags are %#x", multi, flags)
	}
	s.readIDs(c, version, flags, order, r.internal)
	if flags&flagNoBitmaps == 0 {
		s.bitmaps = c.indexed(r.internal)
		if card := s.cardinality(); c.err == nil && s.bitmaps.count != card {
			c.corrupt("%d bitmaps for %d values", s.bitmaps.count, card)
		}
	}
	r.checkRows(c, s.rows)
	return s
}

func (s *stringPartData) readDictionary(c *cursor, internal func(string) ([]byte, bool)) {
	if len(c.b) > 0 && c.b[0] == dictionaryMarker {
		s.front = readFrontHeader(c)
		s.hasNull = s.front.hasNull
		return
	}
	s.plain = c.indexed(internal)
	if c.err == nil && s.plain.count > 0 {
		_, s.hasNull, c.err = s.plain.at(0)
	}
}

func (s *stringPartData) cardinality() int {
	switch {
	case s.allNull:
		return 1
	case s.front != nil:
		return s.front.len()
	}
	return s.plain.count
}

func (s *stringPartData) readIDs(c *cursor, version byte, flags uint32, order binary.ByteOrder, internal func(string) ([]byte, bool)) {
	switch {
	case c.err != nil:
	case version == 2 && flags&flagMulti != 0:
		if v := c.u8(); v != 3 {
			c.corrupt("row offsets of version %d", v)
		}
		s.offsets = c.compressedInts(false, order, internal)
		s.ids = c.compressedInts(true, order, internal)
		if c.err == nil && s.offsets.n == 0 {
			c.corrupt("no row offsets")
		}
		s.rows = s.offsets.n - 1
	case version == 2 && flags&flagMultiOld != 0:
		c.err = &UnsupportedError{Column: s.name, Feature: "the old compressed multi-value form"}
	case version == 2:
		s.ids = c.compressedInts(true, order, internal)
		s.rows = s.ids.n
	case flags&flagMulti != 0:
		c.corrupt("string column of version %d with flags %#x", version, flags)
	case s.multi:
		s.readPlainLists(c)
	default:
		s.ids = c.plainInts()
		s.rows = s.ids.n
	}
}

// readPlainLists reads the uncompressed multi-value form.
func (s *stringPartData) readPlainLists(c *cursor) {
	if v := c.u8(); v != 1 {
		c.corrupt("lists of ids of version %d", v)
	}
	width := c.idWidth()
	body := cursor{part: c.part, b: c.str32()}
	if c.err != nil {
		return
	}
	s.rows = body.u31()
	s.ends = body.take(4 * int64(s.rows))
	if body.err != nil {
		c.err = body.err
		return
	}
	n := (len(body.b) - (4 - width)) / width
	if n < 0 {
		c.corrupt("%d bytes of ids of %d bytes", len(body.b), width)
		return
	}
	s.ids = &intPart{name: c.part, n: n, width: width, per: max(n, 1), order: binary.BigEndian, run: body.b}
}

// bitmap returns the rows of value id.
func (s *stringPartData) bitmap(id int) (*roaring.Bitmap, error) {
	if id < 0 || id >= s.cardinality() {
		return nil, errNoID(s.name, id, s.cardinality())
	}
	if s.allNull {
		m := roaring.New()
		m.AddRange(0, uint64(s.rows))
		return m, nil
	}
	if s.bitmaps == nil {
		return nil, &UnsupportedError{Column: s.name, Feature: "a bitmap of a column without index"}
	}
	b, _, err := s.bitmaps.at(id)
	if err != nil {
		return nil, err
	}
	return toRoaring(s.bitmapType, s.name, b, s.rows)
}

// dictionary returns the values after checking them all, so that none fails
// when it is asked for.
func (s *stringPartData) dictionary() (Dictionary, error) {
	var d Dictionary
	switch {
	case s.allNull:
		return nullDictionary{}, nil
	case s.front != nil:
		f, err := s.front.open()
		if err != nil {
			return nil, err
		}
		d = f
	default:
		for i := range s.plain.count {
			if _, _, err := s.plain.at(i); err != nil {
				return nil, err
			}
		}
		d = plainDictionary{s.plain}
	}
	var prev []byte
	for i := range d.Len() {
		v, null := d.Value(i)
		if null && i > 0 || i > 1 && CompareUTF16(prev, v) >= 0 || i == 1 && !s.hasNull && CompareUTF16(prev, v) >= 0 {
			return nil, corruptf(s.name, "value %d of the dictionary is out of order", i)
		}
		if !utf8.Valid(v) {
			return nil, corruptf(s.name, "value %d of the dictionary is not UTF-8", i)
		}
		prev = v
		if s.front != nil {
			prev = append([]byte(nil), v...)
		}
	}
	return d, nil
}

// plainDictionary is a checked GenericIndexed.
type plainDictionary struct{ x *indexed }

// Len implements Dictionary.
func (d plainDictionary) Len() int { return d.x.count }

// Value implements Dictionary. The bytes stay valid until the Reader's Close.
func (d plainDictionary) Value(i int) ([]byte, bool) {
	b, null, _ := d.x.at(i)
	return b, null
}

// nullDictionary is that of a column without data.
type nullDictionary struct{}

// Len implements Dictionary.
func (nullDictionary) Len() int { return 1 }

// Value implements Dictionary.
func (nullDictionary) Value(int) ([]byte, bool) { return nil, true }
