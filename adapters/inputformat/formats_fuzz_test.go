package inputformat_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"slices"
	"sync/atomic"
	"testing"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/domain/row"
)

// readTwice reads a record by a new parser and again by a warm one, for a schema that takes everything and for one that
// takes little: nothing panics, errors are the record's or a flattenSpec's, and both times give the same.
func readTwice(t *testing.T, format string, r *index.Record) {
	t.Helper()
	listed := row.Schema{Timestamp: row.Timestamp{Column: "ts"}, Dimensions: []row.Dimension{{Name: "a"}, {Name: "kafka.key"}}}
	for _, schema := range []row.Schema{discovering(), listed} {
		p, err := inputformat.New(json.RawMessage(format), schema)
		if err != nil {
			t.Fatalf("%s: %v", format, err)
		}
		var before string
		for again := range 2 {
			rows, err := p.Parse(r)
			var bad *row.RecordError
			var field *inputformat.FieldError
			if err != nil && !errors.As(err, &bad) && !errors.As(err, &field) {
				t.Fatalf("%s: %v is no error of a record", format, err)
			}
			now := ""
			if err != nil {
				now = err.Error()
			} else {
				for i := range rows.Count {
					for k := range rows.Row(i)[:len(schema.Fields())] {
						now = string(rows.AppendText([]byte(now+"|"), &rows.Row(i)[k]))
					}
					now += p.Event(r, i)
				}
				for _, b := range rows.Broken {
					now += b.Message
				}
			}
			if again == 1 && now != before {
				t.Fatalf("%s: %q, then %q", format, before, now)
			}
			before = now
		}
		keepBehind(t, format, p, schema, r)
	}
}

// keepBehind reads a record by a Keeper behind others: it gives what Parse gives, and leaves what is kept alone.
func keepBehind(t *testing.T, format string, p index.Parser, schema row.Schema, r *index.Record) {
	t.Helper()
	f, ok := p.(index.Forker)
	if !ok {
		return
	}
	k, ok := f.Fork()
	if !ok {
		return
	}
	text := func(rows *row.Rows, from, to int) (out string) {
		for i := from; i < to; i++ {
			for j := range rows.Row(i)[:len(schema.Fields())] {
				v := rows.Row(i)[j]
				out = string(rows.AppendText(append([]byte(out), '|', byte('0'+v.Kind)), &v))
			}
		}
		return out
	}
	want, bad := "", error(nil)
	if rows, err := p.Parse(r); err != nil {
		bad = err
	} else {
		want = text(rows, 0, rows.Count)
	}
	for range 3 {
		first := k.Kept().Count
		before := text(k.Kept(), 0, first)
		err := k.Keep(r)
		if (err == nil) != (bad == nil) || err != nil && err.Error() != bad.Error() {
			t.Fatalf("%s: kept with the error %v, parsed with %v", format, err, bad)
		}
		rows := k.Kept()
		if err != nil && rows.Count != first {
			t.Fatalf("%s: %d rows are kept of a bad record", format, rows.Count-first)
		}
		if got := text(rows, first, rows.Count); got != want {
			t.Fatalf("%s: kept %q, parsed %q", format, got, want)
		}
		if now := text(rows, 0, first); now != before {
			t.Fatalf("%s: what was kept changed from %q to %q", format, before, now)
		}
		other := *r
		other.Key = slices.Clone(r.Key)
		slices.Reverse(other.Key)
		_ = k.Keep(&other) // whatever it is, the rows before it stay as they are
	}
}

// FuzzTextFormats reads one text by every format of texts.
func FuzzTextFormats(f *testing.F) {
	for _, r := range readRecorded(f) {
		if r.Base64 == "" && len(r.Value) < 60 {
			f.Add([]byte(r.Value))
		}
	}
	formats := []string{
		`{"type":"csv","columns":["ts","a","b"],"listDelimiter":"|","tryParseNumbers":true}`,
		`{"type":"csv","findColumnsFromHeader":true,"skipHeaderRows":1}`,
		`{"type":"tsv","columns":["ts","a"],"delimiter":"||"}`,
		`{"type":"regex","pattern":"([^ ]*) ?(.*)"}`,
		`{"type":"json","keepNullColumns":true}`,
		`{"type":"json","flattenSpec":{"fields":[{"type":"path","name":"a","expr":"$.b.c"},{"type":"tree","name":"t","nodes":["x","y"]},"ts"]}}`,
		`{"type":"json","useJsonNodeReader":true,"flattenSpec":{"fields":[{"type":"path","name":"a","expr":"$..b[?(@.c > 1)]"},{"type":"jq","name":"q","expr":".a"}]}}`,
		`{"type":"json","assumeNewlineDelimited":true,"featureSpec":{"ALLOW_COMMENTS":true,"ALLOW_YAML_COMMENTS":true,"ALLOW_UNQUOTED_FIELD_NAMES":true,
			"ALLOW_SINGLE_QUOTES":true,"ALLOW_UNQUOTED_CONTROL_CHARS":true,"ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER":true,"ALLOW_NUMERIC_LEADING_ZEROS":true,
			"ALLOW_LEADING_DECIMAL_POINT_FOR_NUMBERS":true,"ALLOW_NON_NUMERIC_NUMBERS":true,"ALLOW_MISSING_VALUES":true,"ALLOW_TRAILING_COMMA":true}}`,
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 2000 {
			t.Skip("scans of deep documents take their time")
		}
		for _, format := range formats {
			readTwice(t, format, &index.Record{Value: in})
		}
	})
}

// FuzzKafkaFormat reads keys, headers and values of any bytes.
func FuzzKafkaFormat(f *testing.F) {
	f.Add([]byte(`{"k":1}`), "env", []byte("p"), []byte(`{"a":1}{"b":null}`))
	f.Add([]byte(`[1]`), "", []byte("\xff\xfe\xd8"), []byte("x,y"))
	f.Fuzz(func(t *testing.T, key []byte, name string, header, value []byte) {
		if len(key)+len(value) > 2000 {
			t.Skip("long records tell no more")
		}
		r := &index.Record{Key: key, Value: value, Topic: "t", TimestampMillis: 5, Headers: []index.Header{{Key: name, Value: header}, {Key: name}}}
		readTwice(t, `{"type":"kafka","headerFormat":{"type":"string","encoding":"UTF-16"},"keyFormat":{"type":"json"},"valueFormat":{"type":"json"}}`, r)
		readTwice(t, `{"type":"kafka","headerFormat":{"type":"string"},"keyFormat":{"type":"csv","columns":["a"]},"valueFormat":{"type":"csv","columns":["ts","a"]}}`, r)
	})
}

// FuzzAvro decodes any bytes as data, as data behind an id, and as a container file.
func FuzzAvro(f *testing.F) {
	f.Add([]byte("\x00\x02a\x00\x00"))
	f.Add([]byte("Obj\x01\x02\x16avro.schema\x04{}\x00"))
	recursive := `{"type":"record","name":"N","fields":[{"name":"ts","type":"long"},{"name":"a","type":{"type":"array","items":["null","N",{"type":"map","values":"double"}]}},
		{"name":"e","type":{"type":"enum","name":"E","symbols":["X"]}},{"name":"empty","type":{"type":"array","items":"null"}}]}`
	f.Fuzz(func(t *testing.T, in []byte) {
		if len(in) > 2000 {
			t.Skip("long records tell no more")
		}
		for _, format := range []string{
			`{"type":"avro_stream","extractUnionsByType":true,"flattenSpec":{"fields":[{"type":"path","name":"p","expr":"$.a[0].N.ts"}]},"avroBytesDecoder":{"type":"schema_inline","schema":` + recursive + `}}`,
			`{"type":"avro_stream","avroBytesDecoder":{"type":"multiple_schemas_inline","schemas":{"1":` + recursive + `}}}`,
			`{"type":"avro_ocf"}`,
		} {
			readTwice(t, format, &index.Record{Value: in})
		}
	})
}

// FuzzProtobuf decodes any bytes as a message.
func FuzzProtobuf(f *testing.F) {
	message, set := protoMessage(f)
	f.Add(message)
	format := `{"type":"protobuf","protoBytesDecoder":{"type":"inline","protoMessageType":"Edit","descriptorString":"` + base64.StdEncoding.EncodeToString(set) + `"}}`
	f.Fuzz(func(t *testing.T, in []byte) {
		readTwice(t, format, &index.Record{Value: in})
	})
}

// FuzzRegistered decodes any bytes as what stands behind the id of a schema of a registry.
func FuzzRegistered(f *testing.F) {
	var broken atomic.Bool
	var asked atomic.Int32
	server := registryServer(f, &broken, &asked)
	formats := &inputformat.Formats{}
	where := `"type":"schema_registry","url":"` + server.URL + `","headers":{"X-Tenant":"t1"},"config":{"basic.auth.credentials.source":"USER_INFO","basic.auth.user.info":"u:p"}`
	message, _ := protoMessage(f)
	f.Add(uint8(1), []byte("\x02a\x00\x00"))
	f.Add(uint8(2), []byte{2, 2, 'x'})
	f.Add(uint8(3), append([]byte{2, 2}, message...))
	f.Add(uint8(3), []byte{0, 8, 5})
	f.Add(uint8(4), []byte{})
	f.Fuzz(func(t *testing.T, id uint8, rest []byte) {
		for _, format := range []string{`{"type":"avro_stream","avroBytesDecoder":{` + where + `}}`, `{"type":"protobuf","protoBytesDecoder":{` + where + `}}`} {
			p, err := formats.New(json.RawMessage(format), discovering())
			if err != nil {
				t.Fatal(err)
			}
			// All further ids are unknown to the registry, which is asked once for each.
			record := &index.Record{Value: framed(uint32(id%5), rest...)}
			first, err := p.Parse(record)
			var bad *row.RecordError
			if err != nil && !errors.As(err, &bad) {
				t.Fatalf("%x: %v is no error of a record", record.Value, err)
			}
			if err != nil {
				continue
			}
			count := first.Count
			for i := range count {
				p.Event(record, i)
			}
			if again, err := p.Parse(record); err != nil || again.Count != count {
				t.Fatalf("%x has %d rows, then %v", record.Value, count, err)
			}
		}
	})
}
