package inputformat

import (
	"cmp"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"slices"

	"ogham/adapters/index"
	"ogham/adapters/inputformat/thriftidl"
	"ogham/domain/row"
)

// thriftSpec is the inputFormat thrift. Druid's has a jar of classes (thriftJar) where this one has the definitions that
// the classes were generated from, as a file or as text.
type thriftSpec struct {
	FlattenSpec *flattenSpec `json:"flattenSpec"`
	ThriftFile  string       `json:"thriftFile"`
	ThriftIDL   string       `json:"thriftIdl"`
	ThriftClass string       `json:"thriftClass"`
}

const thriftBroken = "Failed to deserialize Thrift data"

// thriftRecords reads records of one struct each, in any of the protocols binary, compact and JSON, plain or in Base64:
// which it is, each record's bytes tell.
type thriftRecords struct {
	table
	flat *flattener
	root *thriftStruct
	d    thriftDecoder
}

func (c config) thrift(s thriftSpec) (reader, error) {
	p := &thriftRecords{table: newTable(c.fields, c.discover)}
	var err error
	if p.flat, err = newFlattener(&p.table, flattening{spec: s.FlattenSpec, nested: c.nested}); err != nil {
		return nil, err
	}
	name, source := s.ThriftFile, fetchIDL
	if s.ThriftIDL != "" {
		name, source = "thriftIdl", givenIDL(s.ThriftIDL)
	}
	if name == "" {
		return nil, errors.New("thriftFile or thriftIdl must be given")
	}
	file, err := thriftidl.Parse(name, source)
	if err != nil {
		return nil, fmt.Errorf("read the thrift definitions: %w", err)
	}
	found, err := file.Struct(s.ThriftClass)
	if err != nil {
		return nil, err
	}
	p.root = compileThrift(found)
	return p, nil
}

// givenIDL gives the text of a spec, which cannot include files: it has no place that they could be relative to.
func givenIDL(text string) thriftidl.Source {
	return func(from, name string) (string, []byte, error) {
		if from != "" {
			return "", nil, errors.New("thriftIdl includes another file: name the file as thriftFile instead")
		}
		return name, []byte(text), nil
	}
}

// fetchIDL reads a file. One that is included lies where it says, seen from the file that includes it, and is fetched as
// that one was: a document of the network reads no file here.
func fetchIDL(from, name string) (string, []byte, error) {
	if from != "" {
		base, err := url.Parse(from)
		if err != nil {
			return "", nil, errors.New("thriftFile is no path and no URL")
		}
		if base.Scheme == "" {
			if !filepath.IsAbs(name) {
				name = filepath.Join(filepath.Dir(from), name)
			}
		} else {
			at, err := base.Parse(name)
			if err != nil || at.Scheme != base.Scheme {
				return "", nil, errors.New("thriftFile: an included file must lie where the file does")
			}
			name = at.String()
		}
	}
	b, err := fetch("thriftFile", name)
	return name, b, err
}

// Parse implements index.Parser.
func (p *thriftRecords) Parse(r *index.Record) (*row.Rows, error) {
	p.reset()
	root, err := p.d.decode(thriftPlain(r.Value), p.root, &p.rows)
	if err != nil {
		return nil, &row.RecordError{Message: thriftBroken}
	}
	if err := p.flat.add(root); err != nil {
		return nil, err
	}
	return &p.rows, nil
}

// Event implements index.Parser.
func (p *thriftRecords) Event(r *index.Record, i int) string { return event(p, r, i) }

func (p *thriftRecords) everything() reader {
	all := &thriftRecords{table: newTable(nil, true), root: p.root}
	all.flat = p.flat.everything(&all.table)
	return all
}

// thriftPlain decodes Base64, which is told by the last byte: a plain record ends in a zero, or in the brace of JSON. What
// is no digit of either alphabet is left out, as Druid's decoder does.
func thriftPlain(b []byte) []byte {
	if len(b) == 0 || b[len(b)-1] == 0 || b[len(b)-1] == '}' {
		return b
	}
	digits := make([]byte, 0, len(b))
	for _, c := range b {
		switch {
		case c == '=':
			return base64Of(digits)
		case c == '-':
			digits = append(digits, '+')
		case c == '_':
			digits = append(digits, '/')
		case c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			digits = append(digits, c)
		}
	}
	return base64Of(digits)
}

func base64Of(digits []byte) []byte {
	if len(digits)%4 == 1 { // six bits are no byte
		digits = digits[:len(digits)-1]
	}
	out := make([]byte, base64.RawStdEncoding.DecodedLen(len(digits)))
	n, err := base64.RawStdEncoding.Decode(out, digits)
	if err != nil {
		return nil
	}
	return out[:n]
}

// thriftStruct is a struct as it is decoded by.
type thriftStruct struct {
	union  bool
	fields []thriftField // in the order of their ids, in which Thrift writes them
}

type thriftField struct {
	id       int16
	name     []byte
	typ      *thriftType
	required bool
	// fills says that a field that does not come is there all the same: with its default, or as a zero.
	fills   bool
	initial *thriftidl.Const
}

type thriftType struct {
	kind      thriftidl.Kind
	wire      thriftWire
	key, elem *thriftType
	structure *thriftStruct
}

var thriftWires = map[thriftidl.Kind]thriftWire{
	thriftidl.Bool: wireBool, thriftidl.I8: wireI8, thriftidl.I16: wireI16, thriftidl.I32: wireI32, thriftidl.Enum: wireI32,
	thriftidl.I64: wireI64, thriftidl.Double: wireDouble, thriftidl.String: wireString, thriftidl.Binary: wireString,
	thriftidl.UUID: wireUUID, thriftidl.List: wireList, thriftidl.Set: wireSet, thriftidl.Map: wireMap,
	thriftidl.StructKind: wireStruct,
}

func compileThrift(s *thriftidl.Struct) *thriftStruct {
	return thriftCompiler{}.structure(s)
}

// thriftCompiler keeps the structs that were met: they may hold one another.
type thriftCompiler map[*thriftidl.Struct]*thriftStruct

func (c thriftCompiler) structure(s *thriftidl.Struct) *thriftStruct {
	if known := c[s]; known != nil {
		return known
	}
	out := &thriftStruct{union: s.Union}
	c[s] = out
	for _, f := range s.Fields {
		scalar := f.Type.Kind <= thriftidl.Double
		out.fields = append(out.fields, thriftField{
			id: f.ID, name: []byte(f.Name), typ: c.typ(f.Type), required: f.Required, initial: f.Default,
			// Java's scalars are never null, and its objects are what the constructor made them.
			fills: !s.Union && (scalar && !f.Optional || !scalar && f.Default != nil),
		})
	}
	slices.SortFunc(out.fields, func(a, b thriftField) int { return cmp.Compare(a.id, b.id) })
	return out
}

func (c thriftCompiler) typ(t *thriftidl.Type) *thriftType {
	out := &thriftType{kind: t.Kind, wire: thriftWires[t.Kind]}
	if t.Key != nil {
		out.key = c.typ(t.Key)
	}
	if t.Elem != nil {
		out.elem = c.typ(t.Elem)
	}
	if t.Struct != nil {
		out.structure = c.structure(t.Struct)
	}
	return out
}

// field finds a field by its id; -1: there is none.
func (s *thriftStruct) field(id int16) int {
	at, found := slices.BinarySearchFunc(s.fields, id, func(f thriftField, id int16) int { return cmp.Compare(f.id, id) })
	if !found {
		return -1
	}
	return at
}

// thriftProtocolOf tells the protocol of a record as Thrift's own guess does, which rests on what the first field can be.
// Where that gives up, a first byte up to 16 is a type of the binary protocol.
func (d *thriftDecoder) thriftProtocolOf(b []byte) thriftProtocol {
	last := len(b) - 1
	if b[0] == '{' && b[last] == '}' {
		return newThriftJSON(b)
	}
	compact := b[last] == 0 && (b[0] > 0x10 || last > 0 && b[1]&0x80 != 0)
	if compact {
		d.compact = thriftCompact{thriftBytes: thriftBytes{b: b}, last: d.compact.last[:0]}
		return &d.compact
	}
	d.binary = thriftBinary{thriftBytes{b: b}}
	return &d.binary
}

// thriftUUID writes the sixteen bytes of a UUID.
func thriftUUID(b []byte) []byte {
	const hex = "0123456789abcdef"
	out := make([]byte, 0, 36)
	for i, c := range b {
		if i == 4 || i == 6 || i == 8 || i == 10 {
			out = append(out, '-')
		}
		out = append(out, hex[c>>4], hex[c&15])
	}
	return out
}
