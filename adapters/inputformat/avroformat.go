package inputformat

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/sr"

	"ogham/adapters/index"
	"ogham/domain/row"
)

// avroSpec is the inputFormat avro_stream or avro_ocf.
type avroSpec struct {
	FlattenSpec         *flattenSpec    `json:"flattenSpec"`
	Decoder             json.RawMessage `json:"avroBytesDecoder"`
	Schema              json.RawMessage `json:"schema"`
	BinaryAsString      bool            `json:"binaryAsString"`
	ExtractUnionsByType bool            `json:"extractUnionsByType"`
}

// avroFinder finds the schema of a record and where its data begins. The error is a *row.RecordError, or the task's.
type avroFinder interface {
	find(b []byte) (t *avroType, data []byte, err error)
	// broken is the message for data that does not decode.
	broken() string
	// fork gives a finder of the same schemas for another goroutine.
	fork() avroFinder
}

// avroRecords reads records of Avro data.
type avroRecords struct {
	table
	flat  *flattener
	bytes avroFinder
	ocf   *ocfReader // reads container files instead
	d     avroDecoder
	// typ is the schema of the record that is being read; names and wanted are made of the one before, which most
	// records share.
	typ, known *avroType
	targets    []int // of each field, the slot; skipped: it is not wanted
	all        bool  // every field is decoded
}

func (c config) avro(kind string, s avroSpec) (reader, error) {
	p := &avroRecords{table: newTable(c.fields, c.discover)}
	p.d.asString, p.d.explode = s.BinaryAsString, s.ExtractUnionsByType
	var err error
	if p.flat, err = newFlattener(&p.table, flattening{spec: s.FlattenSpec, nested: c.nested, keepNull: true, withoutJQ: true}); err != nil {
		return nil, err
	}
	p.hook(p.flat)
	if kind == "avro_ocf" {
		p.rows.Apart = true
		p.ocf, err = newOCFReader(s.Schema)
		return p, err
	}
	p.bytes, err = c.avroBytes(s.Decoder)
	return p, err
}

// hook has the flattener ask the schema what is discovered, in the order of Java's set of the names.
func (p *avroRecords) hook(f *flattener) {
	f.finish = withoutNulls
	f.named = func(key []byte) bool {
		for i := range p.typ.fields {
			if p.typ.fields[i].name == string(key) {
				return p.typ.fields[i].discovered
			}
		}
		return false
	}
	f.order = func(members []row.Member) []row.Member {
		hashOrder(members, func(m row.Member) string { return string(m.Key) }, 0)
		return members
	}
	p.all = len(f.all) > 0 || f.t.discover
}

// withoutNulls drops nulls of lists, as Druid does for Avro.
func withoutNulls(rows *row.Rows, v row.Value) row.Value {
	switch v.Kind {
	case row.List:
		elems := rows.ListOf(&v)
		kept := make([]row.Value, 0, len(elems))
		for i := range elems {
			if elems[i].Kind != row.Null {
				kept = append(kept, withoutNulls(rows, elems[i]))
			}
		}
		return rows.NewList(kept)
	case row.Object:
		members := append([]row.Member(nil), rows.MembersOf(&v)...)
		for i := range members {
			members[i].Value = withoutNulls(rows, members[i].Value)
		}
		return rows.NewObject(members)
	}
	return v
}

// Parse implements index.Parser.
func (p *avroRecords) Parse(r *index.Record) (*row.Rows, error) {
	p.reset()
	if p.ocf != nil {
		return p.parseFile(r.Value)
	}
	if err := p.Keep(r); err != nil {
		return nil, err
	}
	return &p.rows, nil
}

// Fork implements index.Forker. Files have rows that stand for themselves, of which a Keeper cannot tell.
func (p *avroRecords) Fork() (index.Keeper, bool) {
	if p.discover || p.ocf != nil || !p.flat.forks() {
		return nil, false
	}
	f := &avroRecords{table: newTable(p.names, false), bytes: p.bytes.fork()}
	f.d.asString, f.d.explode = p.d.asString, p.d.explode
	f.flat = p.flat.fork(&f.table)
	f.hook(f.flat)
	return f, true
}

// Keep implements index.Keeper.
func (p *avroRecords) Keep(r *index.Record) error {
	t, data, err := p.bytes.find(r.Value)
	if err != nil {
		return err
	}
	p.d.start(data, &p.rows)
	if err := p.record(t); err != nil {
		var field *FieldError
		if errors.As(err, &field) {
			return err
		}
		return &row.RecordError{Message: p.bytes.broken()}
	}
	return nil
}

// Kept implements index.Keeper.
func (p *avroRecords) Kept() *row.Rows { return &p.rows }

// Forget implements index.Keeper.
func (p *avroRecords) Forget() { p.reset() }

// parseFile reads a container file. A damaged one gives no rows.
func (p *avroRecords) parseFile(b []byte) (*row.Rows, error) {
	err := p.ocf.read(b, func(t *avroType, data []byte, count int64) error {
		p.d.start(data, &p.rows)
		for range count {
			if err := p.record(t); err != nil {
				return err
			}
		}
		return nil
	})
	var field *FieldError
	switch {
	case errors.As(err, &field):
		return nil, err
	case err != nil:
		return nil, &row.RecordError{Message: "Fail to read avro container file: " + err.Error()}
	}
	return &p.rows, nil
}

// record decodes a record and makes a row of it.
func (p *avroRecords) record(t *avroType) error {
	p.typ = t
	if t != p.known {
		p.known, p.targets = t, p.targets[:0]
		for _, f := range t.fields {
			slot, wanted := p.slots[f.name]
			if !wanted {
				slot = skipped
			}
			p.targets = append(p.targets, slot)
		}
	}
	if !p.all && !p.d.explode {
		return p.fields(t)
	}
	members := p.d.members[:0]
	for i := range t.fields {
		f := &t.fields[i]
		if p.targets[i] == skipped && !p.all {
			if err := p.d.skip(f.typ); err != nil {
				return err
			}
			continue
		}
		p.d.members = members
		v, err := p.d.value(f.typ)
		if err != nil {
			return err
		}
		members = append(p.d.members, row.Member{Key: f.key, Value: v})
	}
	root := p.rows.NewObject(members)
	p.d.members = members[:0]
	return p.flat.addPlain(root, p.plain(root))
}

// fields decodes a record straight into the slots of a row: nobody asks for the record as a whole.
func (p *avroRecords) fields(t *avroType) error {
	p.newRow()
	for i := range t.fields {
		f := &t.fields[i]
		slot := p.targets[i]
		if slot == skipped {
			if err := p.d.skip(f.typ); err != nil {
				p.dropRow()
				return err
			}
			continue
		}
		v, err := p.d.value(f.typ)
		if err != nil {
			p.dropRow()
			return err
		}
		if v.Kind <= row.Null {
			p.flat.known(slot, &row.Member{Key: f.key, Value: v})
			continue
		}
		p.flat.put(slot, v)
	}
	p.rows.Count++
	return nil
}

// plain gives the record as its fields go into columns: unions are not exploded there.
func (p *avroRecords) plain(root row.Value) row.Value {
	if !p.d.explode {
		return root
	}
	members := append([]row.Member(nil), p.rows.MembersOf(&root)...)
	for i := range members {
		for _, f := range p.typ.fields {
			if f.name != string(members[i].Key) || !f.typ.exploded {
				continue
			}
			v := row.Value{Kind: row.Null}
			if inner := p.rows.MembersOf(&members[i].Value); len(inner) == 1 {
				v = inner[0].Value
			}
			members[i].Value = v
		}
	}
	return p.rows.NewObject(members)
}

// Event implements index.Parser.
func (p *avroRecords) Event(r *index.Record, i int) string { return event(p, r, i) }

func (p *avroRecords) everything() reader {
	all := &avroRecords{table: newTable(nil, true), bytes: p.bytes, ocf: p.ocf}
	all.rows.Apart = p.rows.Apart
	all.d.asString, all.d.explode = p.d.asString, p.d.explode
	all.flat = p.flat.everything(&all.table)
	all.hook(all.flat)
	return all
}

func (c config) avroBytes(spec json.RawMessage) (avroFinder, error) {
	var s struct {
		Type    string                     `json:"type"`
		Schema  json.RawMessage            `json:"schema"`
		Schemas map[string]json.RawMessage `json:"schemas"`
		registrySpec
	}
	if err := json.Unmarshal(spec, &s); err != nil {
		return nil, fmt.Errorf("read avroBytesDecoder: %w", err)
	}
	switch s.Type {
	case "schema_inline":
		t, err := compileAvro(string(s.Schema))
		return inlineSchema{t}, err
	case "multiple_schemas_inline":
		out := inlineSchemas{schemas: map[int32]*avroType{}}
		for text, schema := range s.Schemas {
			id, err := strconv.ParseInt(text, 10, 32)
			if err != nil {
				return nil, fmt.Errorf("schema id %q is no number", text)
			}
			if out.schemas[int32(id)], err = compileAvro(string(schema)); err != nil {
				return nil, fmt.Errorf("schema %d: %w", id, err)
			}
		}
		return &out, nil
	case "schema_registry":
		r, err := c.formats.registry(s.registrySpec)
		return &registeredSchemas{registry: r, compiled: map[int]*avroType{}}, err
	}
	return nil, &UnsupportedError{What: fmt.Sprintf("avroBytesDecoder type %q", s.Type)}
}

// inlineSchema is one schema for all records.
type inlineSchema struct{ t *avroType }

func (s inlineSchema) find(b []byte) (*avroType, []byte, error) { return s.t, b, nil }

func (s inlineSchema) fork() avroFinder { return s }

func (s inlineSchema) broken() string { return "Fail to decode avro message!" }

// inlineSchemas has a schema for each id, which stands before the data.
type inlineSchemas struct {
	schemas map[int32]*avroType
	id      int32 // of the last record
}

// avroHeader is a version or a zero, and the id of a schema.
const avroHeader = 5

func (s *inlineSchemas) find(b []byte) (*avroType, []byte, error) {
	if len(b) < avroHeader {
		return nil, nil, &row.RecordError{Message: "record must have at least 5 bytes carrying version and schemaId"}
	}
	if b[0] != 1 {
		return nil, nil, &row.RecordError{Message: fmt.Sprintf("found record of arbitrary version [%d]", int8(b[0]))}
	}
	s.id = int32(binary.BigEndian.Uint32(b[1:]))
	t := s.schemas[s.id]
	if t == nil {
		return nil, nil, &row.RecordError{Message: fmt.Sprintf("Failed to find schema for id [%d]", s.id)}
	}
	return t, b[avroHeader:], nil
}

func (s *inlineSchemas) fork() avroFinder { return &inlineSchemas{schemas: s.schemas} }

func (s *inlineSchemas) broken() string {
	return fmt.Sprintf("Fail to decode avro message with schemaId [%d].", s.id)
}

// registeredSchemas finds schemas in a registry. What the registry does not know is the record's fault, a registry that
// cannot be asked is the task's: its records are read again by the task that replaces it.
type registeredSchemas struct {
	registry *registry
	compiled map[int]*avroType
	id       int
}

func (s *registeredSchemas) find(b []byte) (*avroType, []byte, error) {
	if len(b) < avroHeader {
		return nil, nil, &row.RecordError{Message: fmt.Sprintf("Failed to decode avro message, not enough bytes to decode (%d)", len(b))}
	}
	s.id = int(int32(binary.BigEndian.Uint32(b[1:])))
	if t := s.compiled[s.id]; t != nil {
		return t, b[avroHeader:], nil
	}
	found, err := s.registry.schema(s.id)
	var unknown *unknownSchemaError
	if errors.As(err, &unknown) {
		return nil, nil, &row.RecordError{Message: fmt.Sprintf("Failed to fetch Avro schema id[%d] from registry. Check if the schema "+
			"exists in the registry. Otherwise it could mean that there is malformed data in the stream or data that doesn't conform "+
			"to the schema specified.", s.id)}
	}
	if err != nil {
		return nil, nil, err
	}
	refs, err := s.registry.referenced(found, map[string]bool{})
	if err != nil && !notFound(err) {
		return nil, nil, err
	}
	t, err := compileFound(found, refs, err)
	if err != nil {
		return nil, nil, &row.RecordError{Message: fmt.Sprintf("No Avro schema id[%d] in registry: %v", s.id, err)}
	}
	if len(s.compiled) >= maxSchemas {
		clear(s.compiled)
	}
	s.compiled[s.id] = t
	return t, b[avroHeader:], nil
}

func (s *registeredSchemas) fork() avroFinder {
	return &registeredSchemas{registry: s.registry, compiled: map[int]*avroType{}}
}

func (s *registeredSchemas) broken() string {
	return fmt.Sprintf("Fail to decode Avro message for schema id[%d]", s.id)
}

// compileFound compiles a schema with those that it refers to, if they were found.
func compileFound(found sr.Schema, refs []reference, missing error) (*avroType, error) {
	switch {
	case missing != nil:
		return nil, missing
	case found.Type != sr.TypeAvro:
		return nil, fmt.Errorf("it is a schema of type %s", found.Type)
	}
	return compileReferring(found.Schema, refs)
}
