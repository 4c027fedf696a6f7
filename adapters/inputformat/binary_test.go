package inputformat_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/bufbuild/protocompile"
	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/domain/row"
)

const avroSchema = `{"type":"record","name":"Edit","namespace":"wiki","fields":[
	{"name":"ts","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"page","type":"string"},
	{"name":"added","type":["null","int"],"default":null},
	{"name":"delta","type":"float"},
	{"name":"big","type":"double"},
	{"name":"robot","type":"boolean"},
	{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["NEW","OLD"]}},
	{"name":"hash","type":{"type":"fixed","name":"Hash","size":2}},
	{"name":"raw","type":"bytes"},
	{"name":"tags","type":{"type":"array","items":["null","string"]}},
	{"name":"words","type":{"type":"array","items":"string"}},
	{"name":"props","type":{"type":"map","values":"long"}},
	{"name":"user","type":{"type":"record","name":"User","fields":[{"name":"name","type":"string"},{"name":"friend","type":["null","User"],"default":null}]}},
	{"name":"either","type":["int","string","User"]}]}`

func avroRecord(t *testing.T) []byte {
	t.Helper()
	b, err := avro.MustParse(avroSchema).Encode(map[string]any{
		"ts": int64(1767225600000), "page": "Main", "added": 5, "delta": float32(1.1), "big": 2.5, "robot": true, "kind": "OLD",
		"hash": []byte{0xAB, 0xCD}, "raw": []byte("abc"), "tags": []any{"x", nil, "y"}, "words": []string{"v", "w"},
		"props": map[string]any{"a": int64(7)}, "user": map[string]any{"name": "ann", "friend": map[string]any{"name": "bob", "friend": nil}},
		"either": "text",
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func inline(more string) string {
	return `{"type":"avro_stream","avroBytesDecoder":{"type":"schema_inline","schema":` + avroSchema + `}` + more + `}`
}

func TestAvroRecordsBecomeRows(t *testing.T) {
	schema := discovering()
	// Booleans, maps, records and unions of several types are not discovered, as in Druid; the order is that of Java's set.
	got := parse(t, newParser(t, inline(""), schema), schema, &index.Record{Value: avroRecord(t)})
	want := []string{"ts=1767225600000", "page=Main", "added=5", "delta=1.1", "big=2.5", "kind=OLD", "hash=q80=", "raw=YWJj", "words=[v, w]"}
	checkFields(t, got, want)
	if got := parse(t, newParser(t, inline(`,"binaryAsString":true`), schema), schema, &index.Record{Value: avroRecord(t)}); !strings.Contains(got[0], "raw=abc") {
		t.Errorf("binaryAsString gives %q", got)
	}
	schema.DiscoverTypes = true
	got = parse(t, newParser(t, inline(""), schema), schema, &index.Record{Value: avroRecord(t)})
	checkFields(t, []string{strings.ReplaceAll(got[0], ", ", ",")}, append(slices.DeleteFunc(want, func(s string) bool { return s == "words=[v, w]" }),
		"words=[v,w]", "robot=true", "tags=[x,y]", "props={a=7}", "user={name=ann,friend={name=bob,friend=null}}", "either=text"))
}

// checkFields compares the fields of one row, in any order. Values have no spaces but in lists.
func checkFields(t *testing.T, got, want []string) {
	t.Helper()
	if len(got) != 1 {
		t.Fatalf("rows %q, want one", got)
	}
	fields := strings.Split(strings.ReplaceAll(got[0], ", ", ",\x00"), " ")
	for i := range fields {
		fields[i] = strings.ReplaceAll(fields[i], "\x00", " ")
	}
	want = slices.Clone(want)
	slices.Sort(fields)
	slices.Sort(want)
	if !slices.Equal(fields, want) {
		t.Errorf("fields\n got %q\nwant %q", fields, want)
	}
}

func TestAvroIsFlattenedByPaths(t *testing.T) {
	schema := discovering()
	fields := `,"flattenSpec":{"useFieldDiscovery":false,"fields":[{"type":"path","name":"friend","expr":"$.user.friend.name"},
		{"type":"path","name":"second","expr":"$.tags[2]"},{"type":"path","name":"union","expr":"$.either.string"},
		{"type":"root","name":"r","expr":"page"},{"type":"tree","name":"t","nodes":["robot"]},"either"]}`
	for more, union := range map[string]string{"": "null", `,"extractUnionsByType":true`: "text"} {
		got := parse(t, newParser(t, inline(fields+more), schema), schema, &index.Record{Value: avroRecord(t)})
		checkFields(t, got, []string{"friend=bob", "second=y", "union=" + union, "r=Main", "t=true", "either=text"})
	}
	if _, err := inputformat.New(json.RawMessage(inline(`,"flattenSpec":{"fields":[{"type":"jq","name":"q","expr":"."}]}`)), schema); err == nil {
		t.Error("jq over Avro is taken")
	}
}

// TestAvroOnlyDecodesWhatIsWanted: other fields are gone past, whatever their types.
func TestAvroOnlyDecodesWhatIsWanted(t *testing.T) {
	schema := row.Schema{Timestamp: row.Timestamp{Column: "ts"}, Dimensions: []row.Dimension{{Name: "either"}, {Name: "none"}}}
	rows, err := newParser(t, inline(""), schema).Parse(&index.Record{Value: avroRecord(t)})
	if err != nil {
		t.Fatal(err)
	}
	vals := rows.Row(0)
	if vals[0].Num != 1767225600000 || string(vals[1].Text) != "text" || vals[2].Kind != row.Missing {
		t.Errorf("values %+v", vals)
	}
}

// refusal is the message of a record that cannot be read.
func refusal(t *testing.T, p index.Parser, value []byte) string {
	t.Helper()
	_, err := p.Parse(&index.Record{Value: value})
	var bad *row.RecordError
	if !errors.As(err, &bad) {
		t.Fatalf("%x: %v, want a record error", value, err)
	}
	return bad.Message
}

func TestDamagedAvroIsUnparseable(t *testing.T) {
	whole := avroRecord(t)
	p := newParser(t, inline(""), discovering())
	for n := range len(whole) {
		if got := refusal(t, p, whole[:n]); got != "Fail to decode avro message!" {
			t.Fatalf("%d bytes: %s", n, got)
		}
	}
	many := newParser(t, `{"type":"avro_stream","avroBytesDecoder":{"type":"multiple_schemas_inline","schemas":{"7":`+avroSchema+`}}}`, discovering())
	for value, want := range map[string]string{
		"\x01\x00":                     "record must have at least 5 bytes carrying version and schemaId",
		"\x02\x00\x00\x00\x07":         "found record of arbitrary version [2]",
		"\x01\x00\x00\x00\x08":         "Failed to find schema for id [8]",
		"\x01\x00\x00\x00\x07\x00\x00": "Fail to decode avro message with schemaId [7].",
	} {
		if got := refusal(t, many, []byte(value)); got != want {
			t.Errorf("%x: %q, want %q", value, got, want)
		}
	}
	schema := discovering()
	if got := parse(t, many, schema, &index.Record{Value: append([]byte("\x01\x00\x00\x00\x07"), whole...)}); len(got) != 1 {
		t.Errorf("rows %q", got)
	}
}

func TestAvroContainerFilesAreReadFromARecord(t *testing.T) {
	const written = `{"type":"record","name":"E","fields":[{"name":"ts","type":"long"},{"name":"page","type":"string"}]}`
	const wanted = `{"type":"record","name":"E","fields":[{"name":"page","type":"string"},{"name":"ts","type":"double"},{"name":"n","type":"int","default":9}]}`
	for _, codec := range []ocf.WriterOpt{nil, ocf.WithCodec(ocf.SnappyCodec()), ocf.WithCodec(ocf.DeflateCodec(6)), ocf.WithCodec(ocf.MustZstdCodec(nil, nil))} {
		var file bytes.Buffer
		opts := []ocf.WriterOpt{ocf.WithBlockCount(2)}
		if codec != nil {
			opts = append(opts, codec)
		}
		w, err := ocf.NewWriter(&file, avro.MustParse(written), opts...)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 3 {
			if err := w.Encode(map[string]any{"ts": int64(i), "page": fmt.Sprint("p", i)}); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		schema := discovering()
		p := newParser(t, `{"type":"avro_ocf"}`, schema)
		for range 2 {
			got := parse(t, p, schema, &index.Record{Value: file.Bytes()})
			if want := []string{"page=p0 ts=0", "page=p1 ts=1", "page=p2 ts=2"}; !slices.Equal(got, want) {
				t.Fatalf("rows %q, want %q", got, want)
			}
		}
		got := parse(t, newParser(t, `{"type":"avro_ocf","schema":`+wanted+`}`, schema), schema, &index.Record{Value: file.Bytes()})
		if len(got) != 3 || !strings.Contains(got[2], "ts=2.0") || !strings.Contains(got[2], "n=9") {
			t.Fatalf("rows by another schema %q", got)
		}
		for n := range file.Len() - 1 {
			if rows, err := p.Parse(&index.Record{Value: file.Bytes()[:n]}); err == nil && rows.Count == 3 {
				t.Fatalf("%d of %d bytes give all rows", n, file.Len())
			}
		}
	}
}

const protoText = `syntax = "proto3";
package wiki;
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";
import "google/protobuf/struct.proto";
message Other { int32 x = 1; }
message Edit {
  string page = 1; int64 added_count = 2; uint32 big = 3; float delta = 4; bool robot = 5; bytes raw = 6;
  enum Kind { NONE = 0; NEW = 1; }
  Kind kind = 7; repeated string tags = 8; map<string, int32> props = 9; Inner inner = 10;
  google.protobuf.Timestamp ts = 11; google.protobuf.StringValue wrapped = 12; google.protobuf.Struct extra = 13;
  message Inner { string name = 1; Inner next = 2; }
}`

const protoJSON = `{"page":"Main","addedCount":"5","big":4294967295,"delta":1.1,"robot":true,"raw":"YWJj","kind":"NEW","tags":["x","y"],
	"props":{"a":7},"inner":{"name":"ann","next":{"name":"bob"}},"ts":"2026-01-01T00:00:00Z","wrapped":"w","extra":{"k":[1,"two",null,{"z":true}]}}`

// protoMessage gives a message of protoText and the set of descriptors.
func protoMessage(t testing.TB) (message, set []byte) {
	t.Helper()
	c := protocompile.Compiler{Resolver: protocompile.WithStandardImports(&protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(map[string]string{"edit.proto": protoText}),
	})}
	files, err := c.Compile(context.Background(), "edit.proto")
	if err != nil {
		t.Fatal(err)
	}
	m := dynamicpb.NewMessage(files[0].Messages().ByName("Edit"))
	if err := protojson.Unmarshal([]byte(protoJSON), m); err != nil {
		t.Fatal(err)
	}
	if message, err = proto.Marshal(m); err != nil {
		t.Fatal(err)
	}
	fds := &descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(protoreflect.FileDescriptor(files[0]))}}
	if set, err = proto.Marshal(fds); err != nil {
		t.Fatal(err)
	}
	return message, set
}

var protoFields = []string{"page=Main", "addedCount=5", "big=-1", "delta=1.1", "robot=true", "raw=YWJj", "kind=NEW", "ts=2026-01-01T00:00:00Z", "wrapped=w"}

func TestProtobufMessagesBecomeRows(t *testing.T) {
	message, set := protoMessage(t)
	file := filepath.Join(t.TempDir(), "edit.desc")
	if err := os.WriteFile(file, set, 0o600); err != nil {
		t.Fatal(err)
	}
	inlined := base64.StdEncoding.EncodeToString(set)
	for _, decoder := range []string{
		`{"type":"inline","descriptorString":"` + inlined + `","protoMessageType":"Edit"}`,
		`{"type":"inline","descriptorString":"` + inlined + `","protoMessageType":"wiki.Edit"}`,
		`{"type":"file","descriptor":"file://` + file + `","protoMessageType":"Edit"}`,
		`{"type":"file","descriptor":"` + file + `","protoMessageType":"Edit"}`,
	} {
		schema := discovering()
		p := newParser(t, `{"type":"protobuf","protoBytesDecoder":`+decoder+`}`, schema)
		checkFields(t, parse(t, p, schema, &index.Record{Value: message}), protoFields)
		if got := refusal(t, p, []byte{0x0A, 0xFF}); got != "Fail to decode protobuf message!" {
			t.Errorf("a damaged message: %s", got)
		}
	}
	schema := discovering()
	p := newParser(t, `{"type":"protobuf","protoBytesDecoder":{"type":"inline","descriptorString":"`+inlined+`","protoMessageType":"Edit"},
		"flattenSpec":{"useFieldDiscovery":false,"fields":[{"type":"path","name":"next","expr":"$.inner.next.name"},
		{"type":"jq","name":"tags","expr":".tags|length"},{"type":"path","name":"k","expr":"$.extra.k[1]"},{"type":"path","name":"z","expr":"$.extra.k[3].z"}]}}`, schema)
	checkFields(t, parse(t, p, schema, &index.Record{Value: message}), []string{"next=bob", "tags=2", "k=two", "z=true"})
	for decoder, want := range map[string]string{
		`{"type":"inline","descriptorString":"%"}`:                                         "base64",
		`{"type":"inline","descriptorString":"AAAA"}`:                                      "Invalid descriptor",
		`{"type":"inline","descriptorString":"` + inlined + `","protoMessageType":"None"}`: "Available messages types are [wiki.Other, wiki.Edit",
		`{"type":"file","descriptor":"/no/such/file"}`:                                     "Cannot read descriptor file",
	} {
		_, err := inputformat.New(json.RawMessage(`{"type":"protobuf","protoBytesDecoder":`+decoder+`}`), schema)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", decoder, err, want)
		}
	}
}

// registryServer is a schema registry with three schemas, of which one refers to another. It wants a password.
func registryServer(t testing.TB, broken *atomic.Bool, asked *atomic.Int32) *httptest.Server {
	t.Helper()
	answer := func(w http.ResponseWriter, v any) {
		w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
		if err := json.NewEncoder(w).Encode(v); err != nil {
			t.Error(err)
		}
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /schemas/ids/{id}", func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch id := r.PathValue("id"); id {
		case "1":
			answer(w, map[string]any{"schema": avroSchema})
		case "2":
			answer(w, map[string]any{
				"schema":     `{"type":"record","name":"Outer","fields":[{"name":"ts","type":"long"},{"name":"in","type":"ref.Inner"}]}`,
				"references": []any{map[string]any{"name": "ref.Inner", "subject": "inner", "version": 3}},
			})
		case "3":
			answer(w, map[string]any{"schemaType": "PROTOBUF", "schema": protoText})
		default:
			w.WriteHeader(http.StatusNotFound)
			answer(w, map[string]any{"error_code": 40403, "message": "Schema " + id + " not found"})
		}
	})
	mux.HandleFunc("GET /subjects/inner/versions/3", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"subject": "inner", "version": 3, "id": 9, "schema": `{"type":"record","name":"Inner","namespace":"ref","fields":[{"name":"v","type":"string"}]}`})
	})
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case broken.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case user != "u" || password != "p" || r.Header.Get("X-Tenant") != "t1":
			w.WriteHeader(http.StatusUnauthorized)
		default:
			mux.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func framed(id uint32, rest ...byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, id), rest...)
}

func TestSchemasComeFromARegistry(t *testing.T) {
	var broken atomic.Bool
	var asked atomic.Int32
	server := registryServer(t, &broken, &asked)
	formats := &inputformat.Formats{Env: func(name string) (string, bool) { return "u:p", name == "REGISTRY_USER" }}
	where := `"type":"schema_registry","urls":["` + server.URL + `"],"headers":{"X-Tenant":"t1"},"config":{"basic.auth.credentials.source":"USER_INFO",
		"druid.dynamic.config.provider":{"type":"environment","variables":{"basic.auth.user.info":"REGISTRY_USER"}}}`
	schema := discovering()
	open := func(format string) index.Parser {
		p, err := formats.New(json.RawMessage(format), schema)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	avroFormat := `{"type":"avro_stream","avroBytesDecoder":{` + where + `}}`
	p := open(avroFormat)
	for range 2 {
		if got := parse(t, p, schema, &index.Record{Value: framed(1, avroRecord(t)...)}); !strings.Contains(got[0], "page=Main") {
			t.Errorf("rows %q", got)
		}
	}
	if got := parse(t, open(avroFormat), schema, &index.Record{Value: framed(1, avroRecord(t)...)}); len(got) != 1 || asked.Load() != 1 {
		t.Errorf("the schema was asked for %d times by two parsers", asked.Load())
	}
	nested := open(`{"type":"avro_stream","flattenSpec":{"fields":[{"type":"path","name":"v","expr":"$.in.v"}]},"avroBytesDecoder":{` + where + `}}`)
	checkFields(t, parse(t, nested, schema, &index.Record{Value: framed(2, 2, 2, 'x')}), []string{"v=x", "ts=1"})
	for range 2 { // the second time without asking again
		if got := refusal(t, p, framed(44)); !strings.HasPrefix(got, "Failed to fetch Avro schema id[44] from registry.") {
			t.Errorf("an unknown schema: %s", got)
		}
	}
	message, _ := protoMessage(t)
	protobuf := open(`{"type":"protobuf","protoBytesDecoder":{` + where + `}}`)
	checkFields(t, parse(t, protobuf, schema, &index.Record{Value: framed(3, append([]byte{2, 2}, message...)...)}), protoFields)
	checkFields(t, parse(t, protobuf, schema, &index.Record{Value: framed(3, 0, 8, 5)}), []string{"x=5"})
	for _, bad := range [][]byte{framed(3), framed(3, 2, 99), framed(3, 0, 0xFF), framed(1, 0), {0}} {
		refusal(t, protobuf, bad)
	}

	broken.Store(true)
	_, err := p.Parse(&index.Record{Value: framed(2)})
	var record *row.RecordError
	if err == nil || errors.As(err, &record) {
		t.Errorf("a registry in trouble gives %v, want an error that fails the task: the record is not the record's fault", err)
	}
	if text := fmt.Sprint(err); strings.Contains(text, "u:p") || strings.Contains(text, "u%3Ap") {
		t.Errorf("the error tells the password: %s", text)
	}
}

func TestRegistriesThatCannotBeReachedAsAskedAreRefused(t *testing.T) {
	for config, want := range map[string]string{
		`"url":"registry:8081"`: "http://host:port",
		`"url":"http://r:1","config":{"basic.auth.user.info":"x"}`:                                                      "user:password",
		`"url":"http://r:1","config":{"ssl.truststore.location":"/t"}`:                                                  "ssl.truststore.location",
		`"url":"http://r:1","config":{"basic.auth.credentials.source":"SASL_INHERIT"}`:                                  "SASL_INHERIT",
		`"url":"http://r:1","config":{"druid.dynamic.config.provider":{"type":"environment","variables":{"a":"NONE"}}}`: "NONE is not set",
	} {
		_, err := inputformat.New(json.RawMessage(`{"type":"avro_stream","avroBytesDecoder":{"type":"schema_registry",`+config+`}}`), discovering())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", config, err, want)
		}
	}
}
