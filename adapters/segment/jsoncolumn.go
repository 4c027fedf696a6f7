package segment

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"github.com/RoaringBitmap/roaring/v2"
)

// JSONColumn reads an auto or json column. It is used by one goroutine.
type JSONColumn struct {
	part    *jsonPart
	strings Dictionary
	ids     *intReader
	offsets blobReader
	values  blobReader
	doc     []byte
	id      [1]uint32
}

// JSON returns an auto or json column. Its dictionary is checked first.
func (r *Reader) JSON(name string) (*JSONColumn, error) {
	col, err := r.column(name, kindComplex)
	if err != nil {
		return nil, err
	}
	if col.json == nil {
		return nil, fmt.Errorf("segment column %q is not an auto column: %w", name, ErrNoColumn)
	}
	p := col.json
	c := &JSONColumn{part: p, offsets: blobReader{part: p.offsets, block: -1}, values: blobReader{part: p.values, block: -1}}
	if p.nested {
		return c, nil
	}
	c.ids = newIntReader(p.ids)
	if p.scalar != JSONLong && p.scalar != JSONDouble {
		c.strings, err = p.strings.dictionary()
	}
	return c, err
}

// Len is the number of rows.
func (c *JSONColumn) Len() int { return c.part.rows }

// LogicalType is the type that queries see: STRING, LONG, DOUBLE, an ARRAY of
// one of them, or COMPLEX<json>.
func (c *JSONColumn) LogicalType() string { return c.part.logical }

// Indexed says whether values have bitmaps: those of a column that is of one
// scalar type.
func (c *JSONColumn) Indexed() bool { return c.part.scalar != 0 }

// Cardinality is the number of distinct values, null included, of a column
// without objects.
func (c *JSONColumn) Cardinality() int { return c.part.cardinality() }

// Bitmap returns the rows that have a value, by its id.
func (c *JSONColumn) Bitmap(id int) (*roaring.Bitmap, error) {
	if c.part.nested || id < 0 || id >= c.part.cardinality() {
		return nil, errNoID(c.part.name, id, c.part.cardinality())
	}
	b, _, err := c.part.bitmaps.at(id)
	if err != nil {
		return nil, err
	}
	return toRoaring(c.part.bitmapType, c.part.name, b, c.part.rows)
}

// AppendJSON appends the JSON of a row's value, as Druid's tools print it.
func (c *JSONColumn) AppendJSON(dst []byte, row int) ([]byte, error) {
	n, err := c.node(row)
	if err != nil {
		return dst, err
	}
	return n.appendJSON(dst), nil
}

// node reads a row.
func (c *JSONColumn) node(row int) (node, error) {
	if row < 0 || row >= c.part.rows {
		return node{}, fmt.Errorf("read column %q: row %d of %d", c.part.name, row, c.part.rows)
	}
	if c.part.nested {
		return c.nested(row)
	}
	if err := c.ids.read(row, c.id[:]); err != nil {
		return node{}, err
	}
	return c.literal(c.id[0], true)
}

// literal gives the value of an id; the elements of arrays are scalars.
func (c *JSONColumn) literal(id uint32, arrays bool) (node, error) {
	p := c.part
	if int64(id) >= int64(p.cardinality()) {
		return node{}, corruptf(p.name, "id %d of %d", id, p.cardinality())
	}
	at := int(id)
	if id == 0 {
		return node{}, nil
	}
	if at < p.stringCount() {
		v, _ := c.strings.Value(at)
		return node{kind: nodeString, text: v}, nil
	}
	at -= p.stringCount()
	if at < len(p.longs)/8 {
		return node{kind: nodeLong, num: binary.LittleEndian.Uint64(p.longs[8*at:])}, nil
	}
	at -= len(p.longs) / 8
	if at < len(p.doubles)/8 {
		return node{kind: nodeDouble, num: binary.LittleEndian.Uint64(p.doubles[8*at:])}, nil
	}
	at -= len(p.doubles) / 8
	if !arrays {
		return node{}, corruptf(p.name, "an array in an array")
	}
	n := node{kind: nodeList}
	for _, e := range p.arrays[at] {
		v, err := c.literal(e, false)
		if err != nil {
			return n, err
		}
		if v.kind == nodeString { // the dictionary may reuse its bytes
			v.text = append([]byte(nil), v.text...)
		}
		n.elems = append(n.elems, v)
	}
	return n, nil
}

// nested reads a raw value.
func (c *JSONColumn) nested(row int) (node, error) {
	var bounds [16]byte
	from := uint64(0)
	at := uint64(8 * row)
	var raw []byte
	var err error
	if row > 0 {
		at -= 8
	}
	if raw, err = c.offsets.read(bounds[:0], at, uint64(8*row+8)); err != nil {
		return node{}, err
	}
	if row > 0 {
		from, raw = binary.LittleEndian.Uint64(raw), raw[8:]
	}
	to := binary.LittleEndian.Uint64(raw)
	if to < from {
		return node{}, corruptf(c.part.name, "row %d ends at %d and begins at %d", row, to, from)
	}
	if c.doc, err = c.values.read(c.doc[:0], from, to); err != nil {
		return node{}, err
	}
	return parseSmile(c.part.name, c.doc)
}

// appendJSON prints as Druid's tools do.
func (n *node) appendJSON(dst []byte) []byte {
	switch n.kind {
	case nodeBool:
		return strconv.AppendBool(dst, n.num != 0)
	case nodeLong:
		return strconv.AppendInt(dst, int64(n.num), 10)
	case nodeDouble:
		return appendJavaDouble(dst, math.Float64frombits(n.num), 64)
	case nodeString:
		return appendJSONString(dst, string(n.text))
	case nodeList, nodeObject:
		open, end := byte('['), byte(']')
		if n.kind == nodeObject {
			open, end = '{', '}'
		}
		dst = append(dst, open)
		for i := range n.elems {
			if i > 0 {
				dst = append(dst, ',')
			}
			if n.kind == nodeObject {
				dst = append(appendJSONString(dst, string(n.keys[i])), ':')
			}
			dst = n.elems[i].appendJSON(dst)
		}
		return append(dst, end)
	}
	return append(dst, "null"...)
}

// appendSmile writes the value.
func (n *node) appendSmile(s *SmileWriter) {
	switch n.kind {
	case nodeBool:
		s.Bool(n.num != 0)
	case nodeLong:
		s.Long(int64(n.num))
	case nodeDouble:
		s.Double(math.Float64frombits(n.num))
	case nodeString:
		s.String(n.text)
	case nodeList:
		s.StartArray()
		for i := range n.elems {
			n.elems[i].appendSmile(s)
		}
		s.EndArray()
	case nodeObject:
		s.StartObject()
		for i := range n.elems {
			s.Key(n.keys[i])
			n.elems[i].appendSmile(s)
		}
		s.EndObject()
	default:
		s.Null()
	}
}
