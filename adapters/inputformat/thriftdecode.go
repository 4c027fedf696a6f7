package inputformat

import (
	"errors"
	"math"

	"ogham/adapters/inputformat/thriftidl"
	"ogham/domain/row"
)

// thriftWire is a type as the binary protocol numbers it. The other protocols' are mapped to it.
type thriftWire uint8

const (
	wireStop   thriftWire = 0
	wireBool   thriftWire = 2
	wireI8     thriftWire = 3
	wireDouble thriftWire = 4
	wireI16    thriftWire = 6
	wireI32    thriftWire = 8
	wireI64    thriftWire = 10
	wireString thriftWire = 11
	wireStruct thriftWire = 12
	wireMap    thriftWire = 13
	wireSet    thriftWire = 14
	wireList   thriftWire = 15
	wireUUID   thriftWire = 16
)

// thriftProtocol reads a record's parts in their order. Numbers of elements were held against what is left of the record.
type thriftProtocol interface {
	begin() error // a struct
	// field reads what stands before a field's value; wireStop: the struct ends.
	field() (wire thriftWire, id int16, err error)
	fieldEnd() error
	end()
	integer(wire thriftWire) (int64, error) // a bool is 0 or 1
	double() (float64, error)
	text() ([]byte, error)
	data() ([]byte, error)
	uuid() ([]byte, error) // as text
	list() (elem thriftWire, n int, err error)
	listEnd() error
	pairs() (key, value thriftWire, n int, err error)
	pairsEnd() error
}

var (
	errThriftShort  = errors.New("it ends too early")
	errThriftBad    = errors.New("it is damaged")
	errThriftDeep   = errors.New("it is nested too deep")
	errThriftMany   = errors.New("it has too many values")
	errThriftKey    = errors.New("a key of a map is no text and no number")
	errThriftUnion  = errors.New("a union has no field that is known, or several")
	errThriftAbsent = errors.New("a required field is missing")
)

// thriftDecoder makes values of records as Thrift's simple JSON writes them, which Druid reads: a bool is 1 or 0, an enum
// its number, binary is text, fields without a value are left out.
type thriftDecoder struct {
	p       thriftProtocol
	binary  thriftBinary
	compact thriftCompact
	rows    *row.Rows
	members []row.Member // of the structs and maps that are being read, those of an inner one last
	elems   []row.Value
	depth   int
	left    int // how many values there may still be
}

// minThriftValues is how many values any record may have; a longer one as many as it has bytes. Fields that do not come and
// are there all the same let few bytes make many.
const minThriftValues = 1 << 20

func (d *thriftDecoder) decode(b []byte, s *thriftStruct, rows *row.Rows) (row.Value, error) {
	if len(b) == 0 {
		return row.Value{}, errThriftShort
	}
	d.rows, d.depth, d.left = rows, 0, max(minThriftValues, len(b))
	d.members, d.elems = d.members[:0], d.elems[:0]
	if cap(d.members) > keepValues {
		d.members = nil
	}
	if cap(d.elems) > keepValues {
		d.elems = nil
	}
	d.p = d.thriftProtocolOf(b)
	return d.structure(s)
}

func (d *thriftDecoder) spend(n int) error {
	if d.left -= n; d.left < 0 {
		return errThriftMany
	}
	return nil
}

func (d *thriftDecoder) in() error {
	if d.depth++; d.depth > maxDepth {
		return errThriftDeep
	}
	return nil
}

func (d *thriftDecoder) structure(s *thriftStruct) (row.Value, error) {
	if err := d.in(); err != nil {
		return row.Value{}, err
	}
	if err := d.spend(len(s.fields)); err != nil {
		return row.Value{}, err
	}
	first := len(d.members)
	for i := range s.fields {
		d.members = append(d.members, row.Member{Key: s.fields[i].name})
	}
	if err := d.fields(s, first); err != nil {
		return row.Value{}, err
	}
	kept := first
	for i := range s.fields {
		m := d.members[first+i]
		if m.Value.Kind == row.Missing {
			v, err := d.missing(&s.fields[i])
			if err != nil {
				return v, err
			}
			if m.Value = v; v.Kind == row.Missing {
				continue
			}
		}
		d.members[kept] = m
		kept++
	}
	if s.union && kept != first+1 {
		return row.Value{}, errThriftUnion
	}
	v := d.rows.NewObject(d.members[first:kept])
	d.members = d.members[:first]
	d.depth--
	return v, nil
}

// fields reads the fields of a struct into the members from first on. A field that is not known, or of another type than
// the definitions say, is passed over.
func (d *thriftDecoder) fields(s *thriftStruct, first int) error {
	if err := d.p.begin(); err != nil {
		return err
	}
	for {
		wire, id, err := d.p.field()
		if err != nil {
			return err
		}
		if wire == wireStop {
			d.p.end()
			return nil
		}
		if at := s.field(id); at >= 0 && s.fields[at].typ.wire == wire {
			var v row.Value
			if v, err = d.value(s.fields[at].typ); err == nil {
				d.members[first+at].Value = v
			}
		} else {
			err = d.skip(wire)
		}
		if err != nil {
			return err
		}
		if err := d.p.fieldEnd(); err != nil {
			return err
		}
	}
}

// missing is the value of a field that did not come.
func (d *thriftDecoder) missing(f *thriftField) (row.Value, error) {
	switch {
	case f.required:
		return row.Value{}, errThriftAbsent
	case !f.fills:
		return row.Value{}, nil
	case f.initial != nil:
		return d.constant(f.typ, f.initial)
	case f.typ.kind == thriftidl.Double:
		return row.Value{Kind: row.Double}, nil
	}
	return row.Value{Kind: row.Long}, nil
}

func (d *thriftDecoder) value(t *thriftType) (row.Value, error) {
	switch t.kind {
	case thriftidl.Double:
		v, err := d.p.double()
		return row.Value{Kind: row.Double, Num: math.Float64bits(v)}, err
	case thriftidl.String:
		b, err := d.p.text()
		return row.Value{Kind: row.String, Text: row.JavaUTF8(b)}, err
	case thriftidl.Binary:
		b, err := d.p.data()
		return row.Value{Kind: row.String, Text: row.JavaUTF8(b)}, err
	case thriftidl.UUID:
		b, err := d.p.uuid()
		return row.Value{Kind: row.String, Text: b}, err
	case thriftidl.StructKind:
		return d.structure(t.structure)
	case thriftidl.List, thriftidl.Set:
		return d.listOf(t)
	case thriftidl.Map:
		return d.mapOf(t)
	}
	n, err := d.p.integer(t.wire)
	return row.Value{Kind: row.Long, Num: uint64(n)}, err
}

func (d *thriftDecoder) listOf(t *thriftType) (row.Value, error) {
	if err := d.in(); err != nil {
		return row.Value{}, err
	}
	wire, n, err := d.p.list()
	if err == nil && n > 0 && wire != t.elem.wire {
		err = errThriftBad
	}
	if err == nil {
		err = d.spend(n)
	}
	if err != nil {
		return row.Value{}, err
	}
	first := len(d.elems)
	for range n {
		v, err := d.value(t.elem)
		if err != nil {
			return v, err
		}
		d.elems = append(d.elems, v)
	}
	v := d.rows.NewList(d.elems[first:])
	d.elems = d.elems[:first]
	d.depth--
	return v, d.p.listEnd()
}

func (d *thriftDecoder) mapOf(t *thriftType) (row.Value, error) {
	if err := d.in(); err != nil {
		return row.Value{}, err
	}
	key, value, n, err := d.p.pairs()
	if err == nil && n > 0 && (key != t.key.wire || value != t.elem.wire) {
		err = errThriftBad
	}
	if err == nil {
		err = d.spend(n)
	}
	if err != nil {
		return row.Value{}, err
	}
	first := len(d.members)
	for range n {
		key, err := d.key(t.key)
		if err != nil {
			return row.Value{}, err
		}
		v, err := d.value(t.elem)
		if err != nil {
			return v, err
		}
		d.members = append(d.members, row.Member{Key: key, Value: v})
	}
	v := d.rows.NewObject(d.members[first:])
	d.members = d.members[:first]
	d.depth--
	return v, d.p.pairsEnd()
}

// key reads a map's key, whose text is the name of a member. Containers have none.
func (d *thriftDecoder) key(t *thriftType) ([]byte, error) {
	if t.kind >= thriftidl.List {
		return nil, errThriftKey
	}
	v, err := d.value(t)
	if err != nil {
		return nil, err
	}
	return d.keyText(&v), nil
}

func (d *thriftDecoder) keyText(v *row.Value) []byte {
	if v.Kind == row.String {
		return v.Text
	}
	return d.rows.AppendText(nil, v)
}

// skip passes over a value of any type.
func (d *thriftDecoder) skip(wire thriftWire) (err error) {
	switch wire {
	case wireBool, wireI8, wireI16, wireI32, wireI64:
		_, err = d.p.integer(wire)
	case wireDouble:
		_, err = d.p.double()
	case wireString:
		_, err = d.p.text()
	case wireUUID:
		_, err = d.p.uuid()
	case wireStruct, wireMap, wireSet, wireList:
		if err = d.in(); err != nil {
			return err
		}
		switch wire {
		case wireStruct:
			err = d.fields(&thriftStruct{}, 0)
		case wireMap:
			err = d.skipPairs()
		default:
			err = d.skipList()
		}
		d.depth--
	default:
		return errThriftBad
	}
	return err
}

func (d *thriftDecoder) skipList() error {
	wire, n, err := d.p.list()
	if err != nil {
		return err
	}
	for range n {
		if err := d.skip(wire); err != nil {
			return err
		}
	}
	return d.p.listEnd()
}

func (d *thriftDecoder) skipPairs() error {
	key, value, n, err := d.p.pairs()
	if err != nil {
		return err
	}
	for range n {
		if err := d.skip(key); err != nil {
			return err
		}
		if err := d.skip(value); err != nil {
			return err
		}
	}
	return d.p.pairsEnd()
}

// constant makes the value of a default.
func (d *thriftDecoder) constant(t *thriftType, c *thriftidl.Const) (row.Value, error) {
	if err := d.spend(1); err != nil {
		return row.Value{}, err
	}
	switch t.kind {
	case thriftidl.Double:
		return row.Value{Kind: row.Double, Num: math.Float64bits(c.Double)}, nil
	case thriftidl.String, thriftidl.Binary, thriftidl.UUID:
		return row.Value{Kind: row.String, Text: []byte(c.Text)}, nil
	case thriftidl.List, thriftidl.Set:
		elems := make([]row.Value, len(c.List))
		for i := range elems {
			var err error
			if elems[i], err = d.constant(t.elem, c.List[i]); err != nil {
				return row.Value{}, err
			}
		}
		return d.rows.NewList(elems), nil
	case thriftidl.Map, thriftidl.StructKind:
		return d.constantMembers(t, c)
	}
	return row.Value{Kind: row.Long, Num: uint64(c.Int)}, nil
}

// constantMembers makes a map or a struct; of a struct, what its default leaves out is as in a record that has not come.
func (d *thriftDecoder) constantMembers(t *thriftType, c *thriftidl.Const) (row.Value, error) {
	var members []row.Member
	if t.kind == thriftidl.Map {
		for i := range c.List {
			if t.key.kind >= thriftidl.List {
				return row.Value{}, errThriftKey
			}
			k, err := d.constant(t.key, c.Keys[i])
			if err != nil {
				return k, err
			}
			v, err := d.constant(t.elem, c.List[i])
			if err != nil {
				return v, err
			}
			members = append(members, row.Member{Key: d.keyText(&k), Value: v})
		}
		return d.rows.NewObject(members), nil
	}
	if err := d.in(); err != nil {
		return row.Value{}, err
	}
	for i := range t.structure.fields {
		f := &t.structure.fields[i]
		v, err := d.constantField(f, c)
		if err != nil {
			return v, err
		}
		if v.Kind != row.Missing {
			members = append(members, row.Member{Key: f.name, Value: v})
		}
	}
	d.depth--
	return d.rows.NewObject(members), nil
}

func (d *thriftDecoder) constantField(f *thriftField, c *thriftidl.Const) (row.Value, error) {
	for i, id := range c.Fields {
		if id == f.id {
			return d.constant(f.typ, c.List[i])
		}
	}
	return d.missing(f)
}
