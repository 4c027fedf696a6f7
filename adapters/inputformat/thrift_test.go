package inputformat_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/thrift/lib/go/thrift"
	"pgregory.net/rapid"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
)

// The definitions of the tests: every kind of type, with unions, defaults and what a struct may hold of itself.
const (
	sharedIDL = `namespace java com.example.shared
enum Kind { NEW = 3, OLD }
typedef i64 Millis
const string ANON = "anonymous"
struct User { 1: required string name; 2: optional User friend }`
	editIDL = `/* An edit
   of a page. */
include "shared.thrift"
namespace java com.example
# text
typedef map<string, list<i32>> Counts
union Either { 1: i32 number, 2: string text, 3: shared.User user }
exception Oops { 1: string why } (message = "why")
service Wiki extends shared.Base { void put(1: Edit edit) throws (1: Oops oops), oneway void ping() }
struct Edit {
  1: shared.Millis ts
  2: string page (go.tag = "x", flag),
  3: optional i32 added
  4: double delta
  5: bool robot = 1
  6: shared.Kind kind = shared.Kind.OLD;
  7: binary raw
  8: list<string> words
  9: set<i16> numbers
  10: map<i32, string> props
  11: Counts counts
  12: shared.User user
  13: Either either
  14: byte small
  15: i8 tiny = -0x10
  16: uuid id
  17: optional string by = shared.ANON
  18: list<double> scores = [1, 2.5]
  19: optional i64 none = 7
  20: map<shared.Kind, bool> kinds = {shared.Kind.NEW: true}
  300: i32 far
}`
)

// thriftDir has the definitions as files.
func thriftDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"edit.thrift": editIDL, "shared.thrift": sharedIDL} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func thriftFormat(file, class, more string) string {
	return fmt.Sprintf(`{"type":"thrift","thriftFile":%q,"thriftClass":%q%s}`, file, class, more)
}

// thriftProtocols are the encoders of Thrift's own library.
var thriftProtocols = map[string]func(thrift.TTransport) thrift.TProtocol{
	"binary":  func(t thrift.TTransport) thrift.TProtocol { return thrift.NewTBinaryProtocolConf(t, nil) },
	"compact": func(t thrift.TTransport) thrift.TProtocol { return thrift.NewTCompactProtocolConf(t, nil) },
	"json":    func(t thrift.TTransport) thrift.TProtocol { return thrift.NewTJSONProtocol(t) },
}

// put writes by a protocol; the test ends where the library refuses.
type put func(ctx context.Context, p thrift.TProtocol) error

func encodeThrift(t interface{ Fatal(...any) }, protocol string, write put) []byte {
	buffer := thrift.NewTMemoryBuffer()
	p := thriftProtocols[protocol](buffer)
	if err := write(context.Background(), p); err != nil {
		t.Fatal(protocol, err)
	}
	if err := p.Flush(context.Background()); err != nil {
		t.Fatal(protocol, err)
	}
	return bytes.Clone(buffer.Bytes())
}

func all(steps ...put) put {
	return func(ctx context.Context, p thrift.TProtocol) error {
		for _, step := range steps {
			if err := step(ctx, p); err != nil {
				return err
			}
		}
		return nil
	}
}

func field(id int16, wire thrift.TType, value put) put {
	return all(func(ctx context.Context, p thrift.TProtocol) error { return p.WriteFieldBegin(ctx, "", wire, id) }, value,
		func(ctx context.Context, p thrift.TProtocol) error { return p.WriteFieldEnd(ctx) })
}

func structure(fields ...put) put {
	return all(func(ctx context.Context, p thrift.TProtocol) error { return p.WriteStructBegin(ctx, "") }, all(fields...),
		func(ctx context.Context, p thrift.TProtocol) error {
			if err := p.WriteFieldStop(ctx); err != nil {
				return err
			}
			return p.WriteStructEnd(ctx)
		})
}

func text(s string) put {
	return func(ctx context.Context, p thrift.TProtocol) error { return p.WriteString(ctx, s) }
}

func data(s string) put {
	return func(ctx context.Context, p thrift.TProtocol) error { return p.WriteBinary(ctx, []byte(s)) }
}

func truth(v bool) put {
	return func(ctx context.Context, p thrift.TProtocol) error { return p.WriteBool(ctx, v) }
}

func real64(v float64) put {
	return func(ctx context.Context, p thrift.TProtocol) error { return p.WriteDouble(ctx, v) }
}

func uuid(v [16]byte) put {
	return func(ctx context.Context, p thrift.TProtocol) error { return p.WriteUUID(ctx, v) }
}

func whole(wire thrift.TType, v int64) put {
	return func(ctx context.Context, p thrift.TProtocol) error {
		switch wire {
		case thrift.BYTE:
			return p.WriteByte(ctx, int8(v))
		case thrift.I16:
			return p.WriteI16(ctx, int16(v))
		case thrift.I32:
			return p.WriteI32(ctx, int32(v))
		}
		return p.WriteI64(ctx, v)
	}
}

func list(elem thrift.TType, set bool, values ...put) put {
	return func(ctx context.Context, p thrift.TProtocol) error {
		begin, end := p.WriteListBegin, p.WriteListEnd
		if set {
			begin, end = p.WriteSetBegin, p.WriteSetEnd
		}
		if err := begin(ctx, elem, len(values)); err != nil {
			return err
		}
		if err := all(values...)(ctx, p); err != nil {
			return err
		}
		return end(ctx)
	}
}

func pairs(key, value thrift.TType, keysAndValues ...put) put {
	return func(ctx context.Context, p thrift.TProtocol) error {
		if err := p.WriteMapBegin(ctx, key, value, len(keysAndValues)/2); err != nil {
			return err
		}
		if err := all(keysAndValues...)(ctx, p); err != nil {
			return err
		}
		return p.WriteMapEnd(ctx)
	}
}

func edit() put {
	user := structure(field(1, thrift.STRING, text("ann")), field(2, thrift.STRUCT, structure(field(1, thrift.STRING, text("bob")))))
	return structure(
		field(1, thrift.I64, whole(thrift.I64, 1767225600000)), field(2, thrift.STRING, text("Mäin")), field(4, thrift.DOUBLE, real64(2.5)),
		field(5, thrift.BOOL, truth(false)), field(6, thrift.I32, whole(thrift.I32, 3)), field(7, thrift.STRING, data("abc")),
		field(8, thrift.LIST, list(thrift.STRING, false, text("v"), text("w"))),
		field(9, thrift.SET, list(thrift.I16, true, whole(thrift.I16, -3), whole(thrift.I16, 300))),
		field(10, thrift.MAP, pairs(thrift.I32, thrift.STRING, whole(thrift.I32, 7), text("seven"))),
		field(11, thrift.MAP, pairs(thrift.STRING, thrift.LIST, text("a"), list(thrift.I32, false, whole(thrift.I32, 1), whole(thrift.I32, -1)))),
		field(12, thrift.STRUCT, user), field(13, thrift.STRUCT, structure(field(2, thrift.STRING, text("either")))),
		// Fields that the definitions do not have, or have of another type.
		field(3, thrift.I64, whole(thrift.I64, 1)), field(40, thrift.LIST, list(thrift.MAP, false, pairs(thrift.BOOL, thrift.STRUCT, truth(true), user))),
		field(41, thrift.BOOL, truth(true)), field(42, thrift.SET, list(thrift.BOOL, true, truth(false))), field(43, thrift.UUID, uuid([16]byte{})),
		field(14, thrift.BYTE, whole(thrift.BYTE, -128)), field(16, thrift.UUID, uuid([16]byte{1, 2, 15: 255})), field(300, thrift.I32, whole(thrift.I32, 1<<30)),
	)
}

func TestThriftRecordsBecomeRows(t *testing.T) {
	schema := discovering()
	schema.DiscoverTypes = true
	p := newParser(t, thriftFormat(filepath.Join(thriftDir(t), "edit.thrift"), "com.example.Edit", ""), schema)
	want := "ts=1767225600000 page=Mäin delta=2.5 robot=0 kind=3 raw=abc words=[v, w] numbers=[-3, 300] props={7=seven} counts={a=[1, -1]} " +
		"user={name=ann, friend={name=bob}} either={text=either} small=-128 tiny=-16 id=01020000-0000-0000-0000-0000000000ff " +
		"by=anonymous scores=[1.0, 2.5] kinds={3=1} far=1073741824"
	for name := range thriftProtocols {
		b := encodeThrift(t, name, edit())
		for form, value := range map[string][]byte{
			"plain": b, "base64": []byte(base64.StdEncoding.EncodeToString(b)), "base64 of URLs": []byte(base64.RawURLEncoding.EncodeToString(b) + "\n"),
		} {
			if got := parse(t, p, schema, &index.Record{Value: value}); len(got) != 1 || got[0] != want {
				t.Errorf("%s, %s:\n got %q\nwant %q", name, form, got, want)
			}
		}
		if got := p.Event(&index.Record{Value: b}, 0); !strings.HasPrefix(got, "{ts=1767225600000, page=Mäin, delta=2.5, robot=0, kind=3, ") || !strings.HasSuffix(got, ", far=1073741824}") {
			t.Errorf("%s: the event is %s", name, got)
		}
	}
}

func TestThriftRecordsAreFlattened(t *testing.T) {
	schema := discovering()
	flat := `,"flattenSpec":{"useFieldDiscovery":false,"fields":["page",{"type":"path","name":"friend","expr":"$.user.friend.name"},
		{"type":"jq","name":"sum","expr":".counts.a | add"},{"type":"tree","name":"seven","nodes":["props","7"]}]}`
	p := newParser(t, thriftFormat(filepath.Join(thriftDir(t), "edit.thrift"), "Edit", flat), schema)
	got := parse(t, p, schema, &index.Record{Value: encodeThrift(t, "compact", edit())})
	if want := "page=Mäin friend=bob sum=0 seven=seven"; len(got) != 1 || got[0] != want {
		t.Errorf("rows %q, want %q", got, want)
	}
	// Without types only scalars and lists of them are discovered, as of JSON.
	p = newParser(t, thriftFormat(filepath.Join(thriftDir(t), "edit.thrift"), "Edit", ""), schema)
	if got := parse(t, p, schema, &index.Record{Value: encodeThrift(t, "binary", edit())})[0]; strings.Contains(got, "user=") || !strings.Contains(got, "words=[v, w]") {
		t.Errorf("discovered %s", got)
	}
}

func TestDamagedThriftIsUnparseable(t *testing.T) {
	file := filepath.Join(thriftDir(t), "edit.thrift")
	p := newParser(t, thriftFormat(file, "Edit", ""), discovering())
	for name := range thriftProtocols {
		b := encodeThrift(t, name, edit())
		for n := range len(b) {
			if got := refusal(t, p, b[:n]); got != "Failed to deserialize Thrift data" {
				t.Fatalf("%s, %d of %d bytes: %s", name, n, len(b), got)
			}
		}
	}
	// A field of each kind that says that more follows than there is.
	huge := binary.BigEndian.AppendUint32(nil, 0x7fffffff)
	deep := newParser(t, `{"type":"thrift","thriftIdl":"struct S { 1: list<S> s }","thriftClass":"S"}`, discovering())
	for what, b := range map[string][]byte{
		"a text":             append([]byte{11, 0, 2}, append(huge, 0)...),
		"a list":             append([]byte{15, 0, 8, 11}, append(huge, 0)...),
		"a set":              append([]byte{14, 0, 9, 6}, append(huge, 0)...),
		"a map":              append([]byte{13, 0, 10, 8, 11}, append(huge, 0)...),
		"a list, passed by":  append([]byte{15, 0, 99, 2}, append(huge, 0)...),
		"a negative length":  {11, 0, 2, 0xff, 0xff, 0xff, 0xff, 0},
		"a compact text":     {0x28, 0xff, 0xff, 0xff, 0xff, 0x0f, 0},
		"a compact list":     {0x89, 0xf8, 0xff, 0xff, 0xff, 0xff, 0x0f, 0},
		"an endless number":  append([]byte{0x16}, append(bytes.Repeat([]byte{0xff}, 20), 0)...),
		"an unknown type":    {99, 0, 1, 0},
		"JSON's list":        []byte(`{"8":{"lst":["str",2000000000,"a"]}}`),
		"JSON's other list":  []byte(`{"8":{"lst":["str",2,"a"]}}`),
		"JSON's longer list": []byte(`{"8":{"lst":["str",1,"a","b"]}}`),
		"JSON's fractions":   []byte(`{"1":{"i64":1.5}}`),
		"no object":          []byte(`[]`),
	} {
		if got := refusal(t, p, b); got != "Failed to deserialize Thrift data" {
			t.Errorf("%s: %s", what, got)
		}
	}
	for what, b := range map[string][]byte{
		"binary":          append(bytes.Repeat([]byte{15, 0, 1, 12, 0, 0, 0, 1}, 100_000), make([]byte, 100_001)...),
		"compact":         append(bytes.Repeat([]byte{0x19, 0x1c}, 100_000), make([]byte, 100_001)...),
		"json":            []byte(strings.Repeat(`{"1":{"lst":["rec",1,`, 100_000) + strings.Repeat(`]}}`, 100_000)),
		"binary, skipped": append(bytes.Repeat([]byte{12, 0, 9}, 100_000), make([]byte, 100_001)...),
	} {
		if got := refusal(t, deep, b); got != "Failed to deserialize Thrift data" {
			t.Errorf("deep %s: %s", what, got)
		}
	}
	// Fields that do not come and are there all the same are bounded too.
	var many strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "%d: i32 f%d\n", i+1, i)
	}
	wide := newParser(t, fmt.Sprintf(`{"type":"thrift","thriftIdl":%q,"thriftClass":"L"}`, "struct W {"+many.String()+"} struct L { 1: list<W> l }"), discovering())
	b := append([]byte{15, 0, 1, 12, 0, 1, 0, 0}, make([]byte, 1<<16+1)...)
	if got := refusal(t, wide, b); got != "Failed to deserialize Thrift data" {
		t.Errorf("a list of %d wide structs: %s", 1<<16, got)
	}
}

func TestThriftStructsAreChecked(t *testing.T) {
	p := newParser(t, `{"type":"thrift","thriftIdl":"union U { 1: i32 a, 2: i64 b } struct S { 1: required string a, 2: U u, 3: map<list<i32>, i32> m }","thriftClass":"S"}`, discovering())
	a := field(1, thrift.STRING, text("x"))
	for name := range thriftProtocols {
		for what, write := range map[string]put{
			"a required field is missing":     structure(field(2, thrift.STRUCT, structure(field(1, thrift.I32, whole(thrift.I32, 1))))),
			"a required field of other type":  structure(field(1, thrift.I32, whole(thrift.I32, 1))),
			"a union without a field":         structure(a, field(2, thrift.STRUCT, structure())),
			"a union of an unknown field":     structure(a, field(2, thrift.STRUCT, structure(field(9, thrift.I32, whole(thrift.I32, 1))))),
			"a union of two fields":           structure(a, field(2, thrift.STRUCT, structure(field(1, thrift.I32, whole(thrift.I32, 1)), field(2, thrift.I64, whole(thrift.I64, 1))))),
			"a list of elements of its own":   structure(a, field(2, thrift.STRUCT, structure(field(1, thrift.LIST, list(thrift.BYTE, false))))),
			"a map whose keys are containers": structure(a, field(3, thrift.MAP, pairs(thrift.LIST, thrift.I32, list(thrift.I32, false), whole(thrift.I32, 1)))),
		} {
			if name == "json" && strings.HasPrefix(what, "a map") {
				continue // such a map has no form in JSON
			}
			if got := refusal(t, p, encodeThrift(t, name, write)); got != "Failed to deserialize Thrift data" {
				t.Errorf("%s: %s: %s", name, what, got)
			}
		}
	}
}

// TestThriftDefinitionsAreFetched reads the definitions by path, by URL and as text; those that are included lie beside.
func TestThriftDefinitionsAreFetched(t *testing.T) {
	dir := thriftDir(t)
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	schema := discovering()
	record := &index.Record{Value: encodeThrift(t, "compact", edit())}
	for _, place := range []string{filepath.Join(dir, "edit.thrift"), "file://" + filepath.Join(dir, "edit.thrift"), server.URL + "/edit.thrift"} {
		p := newParser(t, thriftFormat(place, "com.example.Edit$Inner.Edit", ""), schema)
		if got := parse(t, p, schema, record); len(got) != 1 || !strings.Contains(got[0], "page=Mäin") {
			t.Errorf("%s: rows %q", place, got)
		}
	}
	http.DefaultClient.CloseIdleConnections()
	if err := os.WriteFile(filepath.Join(dir, "thief.thrift"), []byte(`include "file:///etc/hostname" struct A {}`), 0o600); err != nil {
		t.Fatal(err)
	}
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("password=hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for format, want := range map[string]string{
		thriftFormat(server.URL+"/thief.thrift", "A", ""):                                         "must lie where the file does",
		thriftFormat(server.URL+"/none.thrift", "A", ""):                                          "status 404",
		thriftFormat(filepath.Join(dir, "none"), "A", ""):                                         "no such file",
		thriftFormat(dir, "A", ""):                                                                "no file of at most",
		thriftFormat(secret, "A", ""):                                                             "line 1: here must be",
		thriftFormat("http://u:hunter2@127.0.0.1:1/x", "A", ""):                                   "connection refused",
		thriftFormat("ftp://u:hunter2@h/x", "A", ""):                                              "must be of file, http or https",
		thriftFormat(filepath.Join(dir, "edit.thrift"), "Nope", ""):                               `no struct of this name, there are Edit, Either, Oops`,
		`{"type":"thrift","thriftIdl":"include \"shared.thrift\" struct A {}","thriftClass":"A"}`: "name the file as thriftFile",
		`{"type":"thrift","thriftIdl":"struct A { 1: B b }","thriftClass":"A"}`:                   "thriftIdl: line 1: a type is neither",
		`{"type":"thrift","thriftClass":"A"}`:                                                     "thriftFile or thriftIdl must be given",
	} {
		_, err := inputformat.New(json.RawMessage(format), schema)
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v, want %q", format, err, want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// shape is a random type with what a random value of it is written as and comes out as.
type shape struct {
	idl  string
	wire thrift.TType
	// key says that it may be the key of a map.
	key  bool
	draw func(*rapid.T) (put, string)
}

// shapes draws types; definitions collects the structs that they need.
func shapes(t *rapid.T, depth int, definitions *strings.Builder, count *int) shape {
	numbers := map[string]thrift.TType{"byte": thrift.BYTE, "i16": thrift.I16, "i32": thrift.I32, "i64": thrift.I64}
	kinds := []string{"bool", "byte", "i16", "i32", "i64", "double", "string", "binary", "uuid"}
	if depth > 0 {
		kinds = append(kinds, "list", "set", "map", "struct", "list", "map", "struct")
	}
	kind := rapid.SampledFrom(kinds).Draw(t, "kind")
	s := shape{idl: kind, wire: numbers[kind], key: true}
	switch kind {
	case "bool":
		s.wire, s.draw = thrift.BOOL, func(t *rapid.T) (put, string) {
			v := rapid.Bool().Draw(t, "bool")
			return truth(v), map[bool]string{false: "0", true: "1"}[v]
		}
	case "byte", "i16", "i32", "i64":
		bits := map[string]int{"byte": 8, "i16": 16, "i32": 32, "i64": 64}[kind]
		s.draw = func(t *rapid.T) (put, string) {
			v := rapid.Int64().Draw(t, "number") >> (64 - bits)
			return whole(s.wire, v), fmt.Sprint(v)
		}
	case "double":
		s.wire, s.draw = thrift.DOUBLE, func(t *rapid.T) (put, string) {
			v := rapid.Int32().Draw(t, "double")
			return real64(float64(v%100_000) / 4), javaDouble(float64(v%100_000) / 4)
		}
	case "string", "binary":
		s.wire, s.draw = thrift.STRING, func(t *rapid.T) (put, string) {
			v := rapid.String().Draw(t, "text")
			if kind == "binary" {
				return data(v), v
			}
			return text(v), v
		}
	case "uuid":
		s.wire, s.draw = thrift.UUID, func(t *rapid.T) (put, string) {
			v := thrift.Tuuid(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "uuid"))
			return uuid(v), v.String()
		}
	case "list", "set":
		elem := shapes(t, depth-1, definitions, count)
		s.idl, s.wire, s.key = kind+"<"+elem.idl+">", map[string]thrift.TType{"list": thrift.LIST, "set": thrift.SET}[kind], false
		s.draw = func(t *rapid.T) (put, string) {
			var puts []put
			var texts []string
			for range rapid.IntRange(0, 20).Draw(t, "elements") {
				p, text := elem.draw(t)
				puts, texts = append(puts, p), append(texts, text)
			}
			return list(elem.wire, kind == "set", puts...), "[" + strings.Join(texts, ", ") + "]"
		}
	case "map":
		key, elem := shapes(t, 0, definitions, count), shapes(t, depth-1, definitions, count)
		s.idl, s.wire, s.key = "map<"+key.idl+", "+elem.idl+">", thrift.MAP, false
		s.draw = func(t *rapid.T) (put, string) {
			var puts []put
			var texts []string
			seen := map[string]bool{}
			for range rapid.IntRange(0, 20).Draw(t, "pairs") {
				k, name := key.draw(t)
				v, text := elem.draw(t)
				if !seen[name] {
					puts, texts = append(puts, k, v), append(texts, name+"="+text)
				}
				seen[name] = true
			}
			return pairs(key.wire, elem.wire, puts...), "{" + strings.Join(texts, ", ") + "}"
		}
	case "struct":
		s.wire, s.key = thrift.STRUCT, false
		s.idl, s.draw = structShape(t, depth, definitions, count)
	}
	return s
}

func javaDouble(v float64) string {
	text := fmt.Sprint(v)
	if !strings.Contains(text, ".") {
		text += ".0"
	}
	return text
}

// structShape draws a struct whose fields are optional and have ids with gaps; some do not come.
func structShape(t *rapid.T, depth int, definitions *strings.Builder, count *int) (string, func(*rapid.T) (put, string)) {
	type member struct {
		id   int16
		name string
		shape
	}
	var members []member
	var body strings.Builder
	id := int16(0)
	for i := range rapid.IntRange(0, 8).Draw(t, "fields") {
		id += int16(rapid.IntRange(1, 300).Draw(t, "gap"))
		m := member{id, fmt.Sprintf("f%d", i), shapes(t, depth-1, definitions, count)}
		members = append(members, m)
		fmt.Fprintf(&body, "  %d: optional %s %s\n", m.id, m.idl, m.name)
	}
	*count++
	name := fmt.Sprintf("S%d", *count)
	fmt.Fprintf(definitions, "struct %s {\n%s}\n", name, body.String())
	return name, func(t *rapid.T) (put, string) {
		var puts []put
		var texts []string
		for _, m := range members {
			p, text := m.draw(t)
			if rapid.Bool().Draw(t, "comes") {
				puts, texts = append(puts, field(m.id, m.wire, p)), append(texts, m.name+"="+text)
			}
		}
		return structure(puts...), "{" + strings.Join(texts, ", ") + "}"
	}
}

func TestAnyThriftValueComesOutAsItWentIn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var definitions strings.Builder
		count := 0
		name, draw := structShape(t, 3, &definitions, &count)
		definitions.WriteString("struct Root { 1: " + name + " value }")
		schema := discovering()
		schema.DiscoverTypes = true
		format, err := json.Marshal(map[string]string{"type": "thrift", "thriftIdl": definitions.String(), "thriftClass": "Root"})
		if err != nil {
			t.Fatal(err)
		}
		p, err := inputformat.New(format, schema)
		if err != nil {
			t.Fatalf("%v\n%s", err, definitions.String())
		}
		for range 3 {
			write, want := draw(t)
			for protocol := range thriftProtocols {
				b := encodeThrift(t, protocol, structure(field(1, thrift.STRUCT, write)))
				rows, err := p.Parse(&index.Record{Value: b})
				if err != nil {
					t.Fatalf("%s: %v, definitions\n%s\nrecord %q", protocol, err, definitions.String(), b)
				}
				slot := rows.Order[0][0]
				if got := string(rows.AppendText(nil, &rows.Row(0)[slot])); got != want {
					t.Fatalf("%s: got %q, want %q", protocol, got, want)
				}
			}
		}
	})
}

// FuzzThrift reads bytes by definitions of every kind of type.
func FuzzThrift(f *testing.F) {
	for name := range thriftProtocols {
		f.Add(encodeThrift(f, name, edit()))
	}
	format := thriftFormat(filepath.Join(thriftDir(f), "edit.thrift"), "Edit",
		`,"flattenSpec":{"fields":[{"type":"path","name":"a","expr":"$.user.friend.name"}]}`)
	f.Fuzz(func(t *testing.T, b []byte) { readTwice(t, format, &index.Record{Value: b}) })
}
