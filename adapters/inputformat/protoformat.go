package inputformat

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/twmb/franz-go/pkg/sr"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
	"google.golang.org/protobuf/types/known/wrapperspb"

	"ogham/adapters/index"
	"ogham/domain/row"
)

// protoUnmarshal leaves required fields to the producer and bounds how deep messages are nested.
var protoUnmarshal = proto.UnmarshalOptions{AllowPartial: false, RecursionLimit: maxDepth}

// protoSpec is the inputFormat protobuf.
type protoSpec struct {
	FlattenSpec *flattenSpec    `json:"flattenSpec"`
	Decoder     json.RawMessage `json:"protoBytesDecoder"`
}

// protoFinder finds the type of a record and where its message begins, as avroFinder does.
type protoFinder interface {
	find(b []byte) (t protoreflect.MessageDescriptor, data []byte, err error)
	// fork gives a finder of the same types for another goroutine.
	fork() protoFinder
}

const protoBroken = "Fail to decode protobuf message!"

// protoRecords reads records of one message each.
type protoRecords struct {
	table
	flat   *flattener
	finder protoFinder
}

func (c config) protobuf(s protoSpec) (reader, error) {
	p := &protoRecords{table: newTable(c.fields, c.discover)}
	var err error
	if p.flat, err = newFlattener(&p.table, flattening{spec: s.FlattenSpec, nested: c.nested, keepNull: true}); err != nil {
		return nil, err
	}
	p.flat.discovers = unnested
	p.finder, err = c.protoFinder(s.Decoder)
	return p, err
}

// unnested are the values that are discovered in messages: neither lists nor objects.
func unnested(_ *row.Rows, v *row.Value) bool { return v.Kind < row.List }

// Parse implements index.Parser.
func (p *protoRecords) Parse(r *index.Record) (*row.Rows, error) {
	p.reset()
	if err := p.Keep(r); err != nil {
		return nil, err
	}
	return &p.rows, nil
}

// Fork implements index.Forker.
func (p *protoRecords) Fork() (index.Keeper, bool) {
	if p.discover || !p.flat.forks() {
		return nil, false
	}
	f := &protoRecords{table: newTable(p.names, false), finder: p.finder.fork()}
	f.flat = p.flat.fork(&f.table)
	return f, true
}

// Keep implements index.Keeper.
func (p *protoRecords) Keep(r *index.Record) error {
	t, data, err := p.finder.find(r.Value)
	if err != nil {
		return err
	}
	m, err := decodeProto(t, data)
	if err != nil {
		return &row.RecordError{Message: protoBroken}
	}
	c := protoConverter{rows: &p.rows}
	root, err := c.message(m)
	if err != nil {
		return &row.RecordError{Message: "Protobuf message could not be parsed" + row.Place{Record: 1}.String()}
	}
	return p.flat.add(root)
}

// Kept implements index.Keeper.
func (p *protoRecords) Kept() *row.Rows { return &p.rows }

// Forget implements index.Keeper.
func (p *protoRecords) Forget() { p.reset() }

// Event implements index.Parser.
func (p *protoRecords) Event(r *index.Record, i int) string { return event(p, r, i) }

func (p *protoRecords) everything() reader {
	all := &protoRecords{table: newTable(nil, true), finder: p.finder}
	all.flat = p.flat.everything(&all.table)
	return all
}

func (c config) protoFinder(spec json.RawMessage) (protoFinder, error) {
	var s struct {
		Type             string `json:"type"`
		Descriptor       string `json:"descriptor"`
		DescriptorString string `json:"descriptorString"`
		ProtoMessageType string `json:"protoMessageType"`
		registrySpec
	}
	if err := json.Unmarshal(spec, &s); err != nil {
		return nil, fmt.Errorf("read protoBytesDecoder: %w", err)
	}
	switch s.Type {
	case "file":
		b, err := fetch("descriptor", s.Descriptor)
		if err != nil {
			return nil, err
		}
		t, err := messageOf(b, s.ProtoMessageType)
		return oneMessage{t}, err
	case "inline":
		b, err := base64.StdEncoding.DecodeString(s.DescriptorString)
		if err != nil {
			return nil, errors.New("descriptorString is not base64")
		}
		t, err := messageOf(b, s.ProtoMessageType)
		return oneMessage{t}, err
	case "schema_registry":
		r, err := c.formats.registry(s.registrySpec)
		return &registeredMessages{registry: r, files: map[int]protoreflect.FileDescriptor{}}, err
	}
	return nil, &UnsupportedError{What: fmt.Sprintf("protoBytesDecoder type %q", s.Type)}
}

// messageOf finds a message type in a set of descriptors, by its short or its full name; without a name it is the first.
func messageOf(set []byte, name string) (protoreflect.MessageDescriptor, error) {
	var fds descriptorpb.FileDescriptorSet
	if err := proto.Unmarshal(set, &fds); err != nil || len(fds.GetFile()) == 0 {
		return nil, errors.New("Invalid descriptor: it is no set of file descriptors") //nolint:staticcheck // Druid's words
	}
	files, err := protodesc.FileOptions{AllowUnresolvable: true}.NewFiles(withKnownFiles(&fds))
	if err != nil {
		return nil, fmt.Errorf("invalid descriptor: %w", err)
	}
	var names []string
	for _, fd := range fds.GetFile() {
		f, err := files.FindFileByPath(fd.GetName())
		if err != nil {
			return nil, fmt.Errorf("invalid descriptor: %w", err)
		}
		if t := findMessage(f.Messages(), name, &names); t != nil {
			return t, nil
		}
	}
	if name == "" {
		return nil, errors.New("No message types found in the descriptor") //nolint:staticcheck // Druid's words
	}
	return nil, fmt.Errorf("Protobuf message type %s not found in the specified descriptor. Available messages types are [%s]", //nolint:staticcheck // Druid's words
		name, strings.Join(names, ", "))
}

// knownFiles have the well-known types, which a set need not bring with it.
var knownFiles = []protoreflect.FileDescriptor{
	anypb.File_google_protobuf_any_proto, durationpb.File_google_protobuf_duration_proto,
	emptypb.File_google_protobuf_empty_proto, fieldmaskpb.File_google_protobuf_field_mask_proto,
	structpb.File_google_protobuf_struct_proto, timestamppb.File_google_protobuf_timestamp_proto,
	wrapperspb.File_google_protobuf_wrappers_proto,
}

// withKnownFiles adds the well-known files that a set imports and lacks.
func withKnownFiles(fds *descriptorpb.FileDescriptorSet) *descriptorpb.FileDescriptorSet {
	has := map[string]bool{}
	for _, f := range fds.GetFile() {
		has[f.GetName()] = true
	}
	out := &descriptorpb.FileDescriptorSet{File: slices.Clone(fds.GetFile())}
	for i := 0; i < len(out.GetFile()); i++ {
		for _, dep := range out.GetFile()[i].GetDependency() {
			for _, known := range knownFiles {
				if known.Path() == dep && !has[dep] {
					has[dep] = true
					out.File = append(out.File, protodesc.ToFileDescriptorProto(known))
				}
			}
		}
	}
	return out
}

func findMessage(ms protoreflect.MessageDescriptors, name string, seen *[]string) protoreflect.MessageDescriptor {
	for i := range ms.Len() {
		t := ms.Get(i)
		*seen = append(*seen, string(t.FullName()))
		full := string(t.FullName())
		if name == "" || full == name || string(t.Name()) == name || strings.HasSuffix(full, "."+name) {
			return t
		}
		if inner := findMessage(t.Messages(), name, seen); inner != nil {
			return inner
		}
	}
	return nil
}

// oneMessage is one type for all records.
type oneMessage struct {
	t protoreflect.MessageDescriptor
}

func (o oneMessage) fork() protoFinder { return o }

func (o oneMessage) find(b []byte) (protoreflect.MessageDescriptor, []byte, error) {
	return o.t, b, nil
}

// registeredMessages finds types in a schema registry: a zero, the schema's id, and the place of the message type in the
// schema stand before the message.
type registeredMessages struct {
	registry *registry
	files    map[int]protoreflect.FileDescriptor
}

func (s *registeredMessages) fork() protoFinder {
	return &registeredMessages{registry: s.registry, files: map[int]protoreflect.FileDescriptor{}}
}

func (s *registeredMessages) find(b []byte) (protoreflect.MessageDescriptor, []byte, error) {
	refused := &row.RecordError{Message: protoBroken}
	if len(b) < avroHeader+1 {
		return nil, nil, refused
	}
	id := int(int32(binary.BigEndian.Uint32(b[1:])))
	place, rest, ok := messageIndex(b[avroHeader:])
	if !ok {
		return nil, nil, refused
	}
	file, err := s.file(id)
	if err != nil {
		return nil, nil, err
	}
	ms := file.Messages()
	var t protoreflect.MessageDescriptor
	for _, i := range place {
		if i < 0 || i >= ms.Len() {
			return nil, nil, refused
		}
		t = ms.Get(i)
		ms = t.Messages()
	}
	return t, rest, nil
}

// messageIndex reads the path to a message type: how many numbers, then the numbers; a zero alone is the first type.
func messageIndex(b []byte) (path []int, rest []byte, ok bool) {
	d := avroDecoder{b: b}
	n, err := d.long()
	if err != nil || n < 0 || n > 100 {
		return nil, nil, false
	}
	if n == 0 {
		return []int{0}, b[d.at:], true
	}
	for range n {
		i, err := d.long()
		if err != nil || i < 0 || i > 1<<20 {
			return nil, nil, false
		}
		path = append(path, int(i))
	}
	return path, b[d.at:], true
}

func (s *registeredMessages) file(id int) (protoreflect.FileDescriptor, error) {
	if f := s.files[id]; f != nil {
		return f, nil
	}
	found, err := s.registry.schema(id)
	var unknown *unknownSchemaError
	if errors.As(err, &unknown) {
		return nil, &row.RecordError{Message: fmt.Sprintf("Failed to fetch Protobuf schema id[%d] from registry. Check if the schema "+
			"exists in the registry. Otherwise it could mean that there is malformed data in the stream or data that doesn't conform "+
			"to the schema specified.", id)}
	}
	if err != nil {
		return nil, err
	}
	if found.Type != sr.TypeProtobuf {
		return nil, &row.RecordError{Message: protoBroken}
	}
	refs, err := s.registry.referenced(found, map[string]bool{})
	if err != nil && !notFound(err) {
		return nil, err
	}
	f, err := compileProto(found.Schema, refs)
	if err != nil {
		return nil, &row.RecordError{Message: fmt.Sprintf("Fail to decode protobuf message! Schema id[%d] of the registry: %v", id, err)}
	}
	if len(s.files) >= maxSchemas {
		clear(s.files)
	}
	s.files[id] = f
	return f, nil
}

// compileProto compiles the text of a .proto file with those that it imports.
func compileProto(text string, refs []reference) (protoreflect.FileDescriptor, error) {
	const name = "schema.proto"
	sources := map[string]string{name: text}
	for _, r := range refs {
		sources[r.name] = r.text
	}
	c := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(maps.Clone(sources)),
	})}
	files, err := c.Compile(context.Background(), name)
	if err != nil {
		return nil, fmt.Errorf("compile the schema: %w", err)
	}
	return files[0], nil
}
