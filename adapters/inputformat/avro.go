package inputformat

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/twmb/avro"

	"ogham/domain/row"
)

type avroKind uint8

const (
	avroNull avroKind = iota
	avroBoolean
	avroInt // and long, which is written alike
	avroFloat
	avroDouble
	avroBytes
	avroString
	avroFixed
	avroEnum
	avroArray
	avroMap
	avroRecord
	avroUnion
)

var avroPrimitives = map[string]avroKind{
	"null": avroNull, "boolean": avroBoolean, "int": avroInt, "long": avroInt, "float": avroFloat, "double": avroDouble,
	"bytes": avroBytes, "string": avroString,
}

// avroType is a schema as it is decoded by. Logical types count for nothing, as in Druid: a time is its number.
type avroType struct {
	kind     avroKind
	name     string // of a union's branch
	fields   []avroMember
	elem     *avroType // of a list or a map
	branches []*avroType
	symbols  []string
	size     int
	// exploded says that a union of several types comes out as an object with the type's name, if that is asked for.
	exploded bool
}

type avroMember struct {
	name       string
	key        []byte // name
	typ        *avroType
	discovered bool // it is a scalar, or a list of scalars, by its schema
}

// compileAvro compiles the text of a schema.
func compileAvro(text string) (*avroType, error) {
	s, err := avro.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("avro schema: %w", err)
	}
	return avroOf(s)
}

// compileReferring compiles a schema with those that it refers to, which come first.
func compileReferring(text string, refs []reference) (*avroType, error) {
	var cache avro.SchemaCache
	c := avroCompiler{named: map[string]*avroType{}}
	for _, ref := range refs {
		s, err := cache.Parse(ref.text)
		if err != nil {
			return nil, fmt.Errorf("avro schema %q: %w", ref.name, err)
		}
		if _, err := c.compile(s.Root()); err != nil {
			return nil, fmt.Errorf("avro schema %q: %w", ref.name, err)
		}
	}
	s, err := cache.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("avro schema: %w", err)
	}
	return c.record(s)
}

func avroOf(s *avro.Schema) (*avroType, error) {
	c := avroCompiler{named: map[string]*avroType{}}
	return c.record(s)
}

// record compiles a schema that must be that of a record.
func (c *avroCompiler) record(s *avro.Schema) (*avroType, error) {
	t, err := c.compile(s.Root())
	if err != nil {
		return nil, fmt.Errorf("avro schema: %w", err)
	}
	if t.kind != avroRecord {
		return nil, errors.New("avro schema: it must be a record")
	}
	return t, nil
}

type avroCompiler struct {
	named map[string]*avroType
	space string // the namespace that names are in
}

func (c *avroCompiler) compile(n *avro.SchemaNode) (*avroType, error) {
	if kind, ok := avroPrimitives[n.Type]; ok {
		return &avroType{kind: kind, name: n.Type}, nil
	}
	t := &avroType{name: n.Type}
	switch n.Type {
	case "record", "error":
		t.kind = avroRecord
	case "enum":
		t.kind, t.symbols = avroEnum, n.Symbols
	case "fixed":
		t.kind, t.size = avroFixed, n.Size
	case "array", "map":
		t.kind = avroArray
		inner := n.Items
		if n.Type == "map" {
			t.kind, inner = avroMap, n.Values
		}
		var err error
		t.elem, err = c.compile(inner)
		return t, err
	case "union":
		return t, c.union(t, n)
	default:
		for _, name := range []string{n.Type, c.space + "." + n.Type} {
			if known := c.named[name]; known != nil {
				return known, nil
			}
		}
		return nil, fmt.Errorf("type %q is not known", n.Type)
	}
	t.name = n.Name
	full := n.Name
	if n.Namespace != "" {
		full = n.Namespace + "." + n.Name
	}
	c.named[full] = t
	outer := c.space
	defer func() { c.space = outer }()
	c.space = n.Namespace
	for i := range n.Fields {
		inner, err := c.compile(&n.Fields[i].Type)
		if err != nil {
			return nil, err
		}
		t.fields = append(t.fields, avroMember{n.Fields[i].Name, []byte(n.Fields[i].Name), inner, inner.discovered()})
	}
	return t, nil
}

func (c *avroCompiler) union(t *avroType, n *avro.SchemaNode) error {
	t.kind = avroUnion
	types := 0
	for i := range n.Branches {
		b, err := c.compile(&n.Branches[i])
		if err != nil {
			return err
		}
		if b.kind != avroNull {
			types++
		}
		t.branches = append(t.branches, b)
	}
	t.exploded = types > 1
	return nil
}

// scalar says whether Druid counts a type as primitive, which it does not do for Booleans.
func (t *avroType) scalar() bool {
	switch t.kind {
	case avroString, avroBytes, avroInt, avroFloat, avroDouble, avroEnum, avroFixed:
		return true
	}
	return false
}

func (t *avroType) discovered() bool {
	flat := t.scalar() || t.kind == avroArray && t.elem.scalar()
	if t.kind != avroUnion || len(t.branches) != 2 {
		return flat
	}
	for i, b := range t.branches {
		other := t.branches[1-i]
		if b.kind == avroNull && (other.scalar() || other.kind == avroArray && other.elem.scalar()) {
			return true
		}
	}
	return false
}

// avroDecoder decodes data into values.
type avroDecoder struct {
	rows *row.Rows
	b    []byte
	at   int
	// asString makes bytes text instead of base64, explode unions of several types objects.
	asString, explode bool
	depth             int
	// elems and members hold those of the lists and objects that are being read, the innermost last.
	elems   []row.Value
	members []row.Member
	left    int // how many more elements may be read
}

var (
	errAvroShort = errors.New("the data ends too early")
	errAvroBad   = errors.New("the data is malformed")
	errAvroDeep  = errors.New("the data is nested too deep")
	errAvroMany  = errors.New("the data has too many elements")
)

// minAvroElems is how many elements data may have beyond its bytes: elements of no length, nulls for one, take none, and
// a few bytes could ask for millions of them.
const minAvroElems = 4096

func (d *avroDecoder) start(b []byte, rows *row.Rows) {
	d.b, d.at, d.rows, d.depth, d.left = b, 0, rows, 0, len(b)+minAvroElems
	d.elems, d.members = d.elems[:0], d.members[:0]
}

func (d *avroDecoder) long() (int64, error) {
	u, n := binary.Uvarint(d.b[d.at:])
	if n <= 0 {
		if n == 0 {
			return 0, errAvroShort
		}
		return 0, errAvroBad
	}
	d.at += n
	return int64(u>>1) ^ -int64(u&1), nil
}

// take gives the next n bytes.
func (d *avroDecoder) take(n int64) ([]byte, error) {
	if n < 0 {
		return nil, errAvroBad
	}
	if n > int64(len(d.b)-d.at) {
		return nil, errAvroShort
	}
	b := d.b[d.at : d.at+int(n) : d.at+int(n)]
	d.at += int(n)
	return b, nil
}

func (d *avroDecoder) block() ([]byte, error) {
	n, err := d.long()
	if err != nil {
		return nil, err
	}
	return d.take(n)
}

// value decodes the next value.
func (d *avroDecoder) value(t *avroType) (row.Value, error) {
	switch t.kind {
	case avroNull:
		return row.Value{Kind: row.Null}, nil
	case avroBoolean:
		b, err := d.take(1)
		if err != nil {
			return row.Value{}, err
		}
		return boolean(b[0] == 1), nil
	case avroInt:
		n, err := d.long()
		return row.Value{Kind: row.Long, Num: uint64(n)}, err
	case avroFloat:
		b, err := d.take(4)
		if err != nil {
			return row.Value{}, err
		}
		return float(math.Float32frombits(binary.LittleEndian.Uint32(b))), nil
	case avroDouble:
		b, err := d.take(8)
		if err != nil {
			return row.Value{}, err
		}
		return row.Value{Kind: row.Double, Num: binary.LittleEndian.Uint64(b)}, nil
	case avroString:
		b, err := d.block()
		return row.Value{Kind: row.String, Text: row.JavaUTF8(b)}, err
	case avroBytes:
		b, err := d.block()
		return d.binary(b), err
	case avroFixed:
		b, err := d.take(int64(t.size))
		return d.binary(b), err
	case avroEnum:
		n, err := d.long()
		if err == nil && (n < 0 || n >= int64(len(t.symbols))) {
			err = errAvroBad
		}
		if err != nil {
			return row.Value{}, err
		}
		return row.Value{Kind: row.String, Text: []byte(t.symbols[n])}, nil
	}
	return d.compound(t)
}

// compound decodes a value that holds others. It is apart since a function with a defer costs every scalar.
func (d *avroDecoder) compound(t *avroType) (row.Value, error) {
	if d.depth++; d.depth > maxDepth {
		return row.Value{}, errAvroDeep
	}
	defer func() { d.depth-- }()
	switch t.kind {
	case avroUnion:
		return d.union(t)
	case avroRecord:
		return d.record(t)
	}
	return d.many(t)
}

// float is a value of 32 bits: its text is that of Java's float.
func float(f float32) row.Value {
	return row.Value{Kind: row.Double, Num: math.Float64bits(float64(f)), Text: row.AppendFloat(nil, f)}
}

func (d *avroDecoder) binary(b []byte) row.Value {
	if d.asString {
		return row.Value{Kind: row.String, Text: row.JavaUTF8(b)}
	}
	return row.Value{Kind: row.String, Text: base64.StdEncoding.AppendEncode(nil, b)}
}

func (d *avroDecoder) union(t *avroType) (row.Value, error) {
	n, err := d.long()
	if err != nil {
		return row.Value{}, err
	}
	if n < 0 || n >= int64(len(t.branches)) {
		return row.Value{}, errAvroBad
	}
	b := t.branches[n]
	v, err := d.value(b)
	if err != nil || !d.explode || !t.exploded {
		return v, err
	}
	if b.kind == avroNull {
		return d.rows.NewObject(nil), nil
	}
	return d.rows.NewObject([]row.Member{{Key: []byte(b.name), Value: v}}), nil
}

func (d *avroDecoder) record(t *avroType) (row.Value, error) {
	first := len(d.members)
	for i := range t.fields {
		v, err := d.value(t.fields[i].typ)
		if err != nil {
			return v, err
		}
		d.members = append(d.members, row.Member{Key: t.fields[i].key, Value: v})
	}
	v := d.rows.NewObject(d.members[first:])
	d.members = d.members[:first]
	return v, nil
}

// many decodes the blocks of a list or a map.
func (d *avroDecoder) many(t *avroType) (row.Value, error) {
	firstElem, firstMember := len(d.elems), len(d.members)
	for {
		n, err := d.blockCount()
		if err != nil {
			return row.Value{}, err
		}
		if n == 0 {
			break
		}
		for range n {
			var key []byte
			if t.kind == avroMap {
				if key, err = d.block(); err != nil {
					return row.Value{}, err
				}
			}
			v, err := d.value(t.elem)
			if err != nil {
				return v, err
			}
			if t.kind == avroMap {
				d.members = append(d.members, row.Member{Key: row.JavaUTF8(key), Value: v})
			} else {
				d.elems = append(d.elems, v)
			}
		}
	}
	if t.kind == avroMap {
		v := d.rows.NewObject(d.members[firstMember:])
		d.members = d.members[:firstMember]
		return v, nil
	}
	v := d.rows.NewList(d.elems[firstElem:])
	d.elems = d.elems[:firstElem]
	return v, nil
}

// blockCount reads how many elements follow, 0 at the end.
func (d *avroDecoder) blockCount() (int64, error) {
	n, err := d.long()
	if err != nil || n == 0 {
		return 0, err
	}
	if n < 0 {
		if n = -n; n < 0 {
			return 0, errAvroBad
		}
		if _, err := d.long(); err != nil { // the block's length
			return 0, err
		}
	}
	if n > int64(d.left) {
		return 0, errAvroMany
	}
	d.left -= int(n)
	return n, nil
}

// skip goes past the next value.
func (d *avroDecoder) skip(t *avroType) error {
	n := int64(0)
	switch t.kind {
	case avroNull:
		return nil
	case avroBoolean:
		n = 1
	case avroInt, avroEnum:
		_, err := d.long()
		return err
	case avroFloat:
		n = 4
	case avroDouble:
		n = 8
	case avroFixed:
		n = int64(t.size)
	case avroString, avroBytes:
		_, err := d.block()
		return err
	default:
		return d.skipNested(t)
	}
	_, err := d.take(n)
	return err
}

func (d *avroDecoder) skipNested(t *avroType) error {
	if d.depth++; d.depth > maxDepth {
		return errAvroDeep
	}
	defer func() { d.depth-- }()
	switch t.kind {
	case avroUnion:
		n, err := d.long()
		if err != nil {
			return err
		}
		if n < 0 || n >= int64(len(t.branches)) {
			return errAvroBad
		}
		return d.skip(t.branches[n])
	case avroRecord:
		for i := range t.fields {
			if err := d.skip(t.fields[i].typ); err != nil {
				return err
			}
		}
		return nil
	}
	for {
		n, err := d.blockCount()
		if err != nil || n == 0 {
			return err
		}
		for range n {
			if t.kind == avroMap {
				if _, err := d.block(); err != nil {
					return err
				}
			}
			if err := d.skip(t.elem); err != nil {
				return err
			}
		}
	}
}
