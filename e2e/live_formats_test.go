//go:build integration

package e2e

import (
	"bytes"
	"encoding/base64"
	endian "encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/bufbuild/protocompile"
	"github.com/twmb/avro"
	"github.com/twmb/avro/ocf"
	"github.com/twmb/franz-go/pkg/kgo"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"
)

const editSchema = `{"type":"record","name":"Edit","fields":[{"name":"ts","type":"string"},{"name":"page","type":["null","string"]},{"name":"n","type":"long"},
	{"name":"ratio","type":"double"},{"name":"tags","type":{"type":"array","items":"string"}},{"name":"user","type":{"type":"record","name":"User","fields":[{"name":"name","type":"string"}]}}]}`

const editProto = `syntax = "proto3"; message Edit { message User { string name = 1; }
	string ts = 1; optional string page = 2; int64 n = 3; double ratio = 4; repeated string tags = 5; User user = 6; }`

// edit is row i of the cases in binary formats.
func edit(i int) map[string]any {
	e := map[string]any{
		"ts": fmt.Sprintf("2026-03-01T00:%02d:00Z", i), "page": nil, "n": int64(i) * 1_000_000_007, "ratio": float64(i) / 3,
		"tags": []any{fmt.Sprintf("t%d", i%3), "all"}, "user": map[string]any{"name": fmt.Sprintf("user%d", i%4)},
	}
	if i%3 > 0 {
		e["page"] = fmt.Sprintf("page \u65e5%d", i%5)
	}
	return e
}

const edits = 30

// formatCases have the input formats that the recordings have not, or have with other options.
func formatCases(t *testing.T) []liveCase {
	all := append(textCases(), kafkaCase())
	for name, f := range binaryFormats(t) {
		dims := `{"dataSchema":{"dimensionsSpec":{"dimensions":["page",{"type":"long","name":"n"},{"type":"double","name":"ratio"},"tags","who"]}},"ioConfig":{"inputFormat":%s}}`
		flatten := `"flattenSpec":{"fields":[{"type":"path","name":"who","expr":"$.user.name"}]}`
		c := liveOf(name, fmt.Sprintf(dims, f.format[:len(f.format)-1]+","+flatten+"}"), nil)
		twin := liveOf(name, fmt.Sprintf(dims, `{"type":"json",`+flatten+`}`), nil)
		for i := range edits {
			row := edit(i)
			if strings.HasPrefix(name, "protobuf") && i == 0 {
				delete(row, "n") // a zero is not written, and nothing is read
				delete(row, "ratio")
			}
			text, err := json.Marshal(row)
			if err != nil {
				t.Fatal(err)
			}
			c.records = append(c.records, &kgo.Record{Value: f.encode(i)})
			twin.records = append(twin.records, &kgo.Record{Value: text})
		}
		c.twin = &twin.ingestCase
		all = append(all, c)
	}
	return all
}

func textCases() []liveCase {
	dims := `"dataSchema":{"dimensionsSpec":{"dimensions":["page","tags",{"type":"long","name":"n"}]}}`
	in := func(format string) string { return `{` + dims + `,"ioConfig":{"inputFormat":` + format + `}}` }
	csv := texts("ts,page,tags,n\n2026-03-01T00:00:00Z,\"a, b\",x|y,1\n2026-03-01T00:00:01Z,,|,2\n", "n,ts,extra,page\n5,2026-03-01T00:00:02Z,e,\"say \"\"hi\"\"\"", "ts,page", "bad header\nrow,1")
	spans := func(format string, lines ...string) string {
		return `{"dataSchema":{"timestampSpec":` + format + `,"dimensionsSpec":{"dimensions":[{"type":"long","name":"i"}]},"granularitySpec":{"segmentGranularity":"YEAR"}}}`
	}
	times := func(values ...string) []*kgo.Record {
		var rows []string
		for i, v := range values {
			rows = append(rows, fmt.Sprintf(`{"ts":%s,"i":%d}`, v, i))
		}
		return texts(rows...)
	}
	flatten := `{"type":"json","flattenSpec":{"useFieldDiscovery":false,"fields":["page",{"type":"root","name":"ts","expr":"ts"},{"type":"path","name":"tags","expr":"$.list[*].k"},
		{"type":"jq","name":"n","expr":".list | length"},{"type":"tree","name":"deep","nodes":["o","p"]}]},"keepNullColumns":true}`
	return []liveCase{
		liveOf("csv_header", in(`{"type":"csv","findColumnsFromHeader":true,"listDelimiter":"|"}`), csv),
		liveOf("csv_skip", in(`{"type":"csv","columns":["ts","page","tags","n"],"skipHeaderRows":1,"tryParseNumbers":true}`),
			texts("skipped\n2026-03-01T00:00:00Z,a,b,1", "2026-03-01T00:00:01Z,x,y,2", "1\n2026-03-01T00:00:02Z,12,1.5,3\n2026-03-01T00:00:03Z,,,")),
		liveOf("tsv_semicolon", in(`{"type":"tsv","delimiter":";","listDelimiter":"|","columns":["ts","page","tags","n"]}`),
			texts("2026-03-01T00:00:00Z;a;x|y;1", "2026-03-01T00:00:01Z;\"b;\";|x;", "2026-03-01T00:00:02Z", "junk;a;b;c")),
		liveOf("regex", in(`{"type":"regex","pattern":"^(\\S+) \\[([^\\]]*)\\] (\\S+) (\\d+)$","columns":["ts","page","tags","n"],"listDelimiter":"|"}`),
			texts("2026-03-01T00:00:00Z [a b] x|y 1", "2026-03-01T00:00:01Z [] z 22", "no match", "2026-03-01T00:00:02Z [c] | 3\n2026-03-01T00:00:03Z [d] q 4")),
		liveOf("flatten", `{"dataSchema":{"dimensionsSpec":{"dimensions":["page","tags",{"type":"long","name":"n"},"deep"]}},"ioConfig":{"inputFormat":`+flatten+`}}`,
			texts(`{"ts":"2026-03-01T00:00:00Z","page":"p","list":[{"k":"a"},{"k":"b"}],"o":{"p":"q"}}`, `{"ts":"2026-03-01T00:00:01Z","list":[],"o":{"p":{"x":1}}}`,
				`{"ts":"2026-03-01T00:00:02Z","page":["m","n"],"list":[{"j":1},{"k":null}]}`)),
		liveOf("json_lines", in(`{"type":"json","assumeNewlineDelimited":true,"featureSpec":{"ALLOW_COMMENTS":true,"ALLOW_SINGLE_QUOTES":true,"ALLOW_UNQUOTED_FIELD_NAMES":true}}`),
			texts(`{ts:'2026-03-01T00:00:00Z', page:'a' /* c */}`+"\n"+`{"ts":"2026-03-01T00:00:01Z","page":"b"}`, `{"ts":"2026-03-01T00:00:02Z","page":"c"}`+"\nbroken\n"+`{"ts":"2026-03-01T00:00:03Z","page":"d"}`)),
		liveOf("json_nodes", in(`{"type":"json","useJsonNodeReader":true}`),
			texts(`{"ts":"2026-03-01T00:00:00Z","page":"a"}{"ts":"2026-03-01T00:00:01Z","page":"b"}`, `{"ts":"2026-03-01T00:00:02Z","page":"c"} {broken`, `{"ts":"x","page":"d"}{"ts":"2026-03-01T00:00:03Z","page":"e"}`)),
		liveOf("time_micro", spans(`{"column":"ts","format":"micro"}`), times(`1772323200123456`, `"1772323200123456"`, `1.5`, `"x"`, `null`)),
		liveOf("time_nano", spans(`{"column":"ts","format":"nano"}`), times(`1772323200123456789`, `"1772323200123456789"`, `""`)),
		liveOf("time_ruby", spans(`{"column":"ts","format":"ruby"}`), times(`1772323200.25`, `"1772323200.123456"`, `1772323200`)),
		liveOf("time_millis", spans(`{"column":"ts","format":"millis"}`), times(`1772323200123`, `"1772323200123"`, `"2026-03-01"`, `1772323200123.9`)),
		liveOf("time_zone", spans(`{"column":"ts","format":"EEE MMM dd HH:mm:ss Z yyyy"}`), times(`"Sun Mar 01 10:20:30 +0530 2026"`, `"Sun Mar 01 10:20:30 -0800 2026"`, `"Mon Mar 01 10:20:30 +0000 2026"`, `"nonsense"`)),
	}
}

func kafkaCase() liveCase {
	c := liveOf("kafka_named", `{"dataSchema":{"timestampSpec":{"column":"k_time","format":"millis"},"dimensionsSpec":{"dimensions":["page","h_env","k_key","k_topic","part","off",{"type":"long","name":"n"}]}},
		"ioConfig":{"inputFormat":{"type":"kafka","timestampColumnName":"k_time","topicColumnName":"k_topic","headerColumnPrefix":"h_","keyColumnName":"k_key","headerFormat":{"type":"string","encoding":"ISO-8859-1"},
		"keyFormat":{"type":"csv","columns":["x"],"findColumnsFromHeader":false},"valueFormat":{"type":"json","flattenSpec":{"fields":[{"type":"path","name":"page","expr":"$.in.page"}]}}}}}`, nil)
	c.records = texts(`{"in":{"page":"a"},"n":1}`, `{"in":{},"n":"2"}`, `broken`, `{"n":3,"k_key":"mine"}`)
	for i, r := range c.records {
		r.Key = fmt.Appendf(nil, "key%d,more", i)
		r.Headers = []kgo.RecordHeader{{Key: "env", Value: []byte("pr\xf6d")}, {Key: "env", Value: []byte("second")}}
	}
	c.records[1].Key, c.records[3].Headers = nil, nil
	return c
}

type binaryFormat struct {
	format string
	encode func(i int) []byte
}

// binaryFormats are those that Druid has in extensions.
func binaryFormats(t *testing.T) map[string]binaryFormat {
	t.Helper()
	schema := avro.MustParse(editSchema)
	encode := func(i int) []byte {
		b, err := schema.Encode(edit(i))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	compiled, err := (&protocompile.Compiler{Resolver: &protocompile.SourceResolver{
		Accessor: protocompile.SourceAccessorFromMap(map[string]string{"edit.proto": editProto}),
	}}).Compile(t.Context(), "edit.proto")
	if err != nil {
		t.Fatal(err)
	}
	set, err := proto.Marshal(&descriptorpb.FileDescriptorSet{File: []*descriptorpb.FileDescriptorProto{protodesc.ToFileDescriptorProto(compiled[0])}})
	if err != nil {
		t.Fatal(err)
	}
	message := compiled[0].Messages().ByName("Edit")
	protobuf := func(i int) []byte {
		text, err := json.Marshal(edit(i))
		m := dynamicpb.NewMessage(message)
		if err == nil {
			err = protojson.Unmarshal(text, m)
		}
		b, err2 := proto.Marshal(m)
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		return b
	}
	registry := newRegistry(t, map[string]map[string]any{
		"/schemas/ids/7": {"schema": editSchema}, "/schemas/ids/8": {"schema": editProto, "schemaType": "PROTOBUF"},
	})
	framed := func(id uint32, payload []byte) []byte {
		return append(endian.BigEndian.AppendUint32([]byte{0}, id), payload...)
	}
	return map[string]binaryFormat{
		"avro_inline":   {`{"type":"avro_stream","avroBytesDecoder":{"type":"schema_inline","schema":` + editSchema + `}}`, encode},
		"avro_several":  {`{"type":"avro_stream","avroBytesDecoder":{"type":"multiple_schemas_inline","schemas":{"3":` + editSchema + `}}}`, func(i int) []byte { return append([]byte{1, 0, 0, 0, 3}, encode(i)...) }},
		"avro_registry": {`{"type":"avro_stream","avroBytesDecoder":{"type":"schema_registry","url":"` + registry + `"}}`, func(i int) []byte { return framed(7, encode(i)) }},
		"avro_ocf": {`{"type":"avro_ocf"}`, func(i int) []byte {
			var file bytes.Buffer
			w, err := ocf.NewWriter(&file, schema)
			if err == nil {
				err = w.Encode(edit(i))
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return file.Bytes()
		}},
		"protobuf_inline":   {`{"type":"protobuf","protoBytesDecoder":{"type":"inline","descriptorString":"` + base64.StdEncoding.EncodeToString(set) + `","protoMessageType":"Edit"}}`, protobuf},
		"protobuf_registry": {`{"type":"protobuf","protoBytesDecoder":{"type":"schema_registry","url":"` + registry + `"}}`, func(i int) []byte { return framed(8, append([]byte{0}, protobuf(i)...)) }},
	}
}

// newRegistry is a schema registry in the test process.
func newRegistry(t *testing.T, answers map[string]map[string]any) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		w.Header().Set("Content-Type", "application/vnd.schemaregistry.v1+json")
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(s.Close)
	return s.URL
}
