package inputformat_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/domain/row"
)

// recorded is what Druid 33's reader of a format made of the bytes of one record: rows and errors in their order.
type recorded struct {
	Format         json.RawMessage
	TS             json.RawMessage
	Value, Base64  string
	DimensionsSpec struct {
		Dimensions           []string
		IncludeAllDimensions bool
		UseSchemaDiscovery   bool
	} `json:"dims"`
	Rows []struct {
		TS           int64
		Dims         []string
		Event        map[string]any
		Error, Input string
	}
	// Thrown is the exception of a reader that cannot be made, or that gives up.
	Thrown string
}

// otherwise are records of which we make something else, and why.
func otherwise(r *recorded) string {
	var f struct {
		FeatureSpec            map[string]bool
		AssumeNewlineDelimited bool
		FlattenSpec            struct{ Fields []struct{ Type, Expr string } }
	}
	if json.Unmarshal(r.Format, &f) != nil {
		return "no format"
	}
	switch {
	case len(f.FeatureSpec) > 0 && !f.AssumeNewlineDelimited:
		return "a featureSpec counts for us; Druid's readers of whole records leave it out"
	case len(f.FlattenSpec.Fields) == 1 && f.FlattenSpec.Fields[0].Expr == "empty":
		return "a query without a result is null; Druid's task fails"
	case bytes.Contains(r.Format, []byte(`(?=`)):
		return "what Go's patterns have not is refused"
	case bytes.Contains(r.Format, []byte(`"lines"`)):
		return "Druid 33 has no such format"
	case r.Thrown != "" && bytes.Contains(r.Format, []byte("findColumnsFromHeader")) && bytes.Contains([]byte(r.Thrown), []byte("Duplicate")):
		return "a header with the same name twice loses its record"
	}
	return ""
}

func readRecorded(t testing.TB) []recorded {
	t.Helper()
	file, err := os.Open("testdata/text-formats.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var out []recorded
	s := bufio.NewScanner(file)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		var r recorded
		d := json.NewDecoder(bytes.NewReader(s.Bytes()))
		d.UseNumber()
		if err := d.Decode(&r); err != nil {
			t.Fatalf("%s: %v", s.Bytes(), err)
		}
		out = append(out, r)
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func (r *recorded) bytes(t testing.TB) []byte {
	if r.Base64 == "" {
		return []byte(r.Value)
	}
	b, err := base64.StdEncoding.DecodeString(r.Base64)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (r *recorded) schema(t testing.TB) row.Schema {
	d := r.DimensionsSpec
	s := row.Schema{
		Timestamp: row.Timestamp{Column: "ts"}, DiscoverTypes: d.UseSchemaDiscovery,
		DiscoverDimensions: len(d.Dimensions) == 0 || d.IncludeAllDimensions || d.UseSchemaDiscovery,
		SegmentGranularity: row.GranularityAll(),
	}
	if len(r.TS) > 0 {
		s.Timestamp = readTimestamp(t, r.TS)
	}
	for _, name := range d.Dimensions {
		s.Dimensions = append(s.Dimensions, row.Dimension{Name: name})
	}
	return s
}

func TestTextFormatsAreReadAsDruidReadsThem(t *testing.T) {
	for _, r := range readRecorded(t) {
		if otherwise(&r) != "" {
			continue
		}
		schema := r.schema(t)
		p, err := inputformat.New(r.Format, schema)
		if r.Thrown != "" {
			if err == nil {
				_, err = p.Parse(&index.Record{Value: r.bytes(t)})
			}
			if err == nil {
				t.Errorf("%s over %q: Druid throws %s", r.Format, r.Value, r.Thrown)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", r.Format, err)
			continue
		}
		compareRows(t, &r, p, schema)
		compareErrors(t, &r, schema)
	}
}

func compareRows(t *testing.T, r *recorded, p index.Parser, schema row.Schema) {
	t.Helper()
	rows, err := p.Parse(&index.Record{Value: r.bytes(t)})
	if err != nil {
		rows = &row.Rows{Width: 1}
	}
	at := 0
	for _, want := range r.Rows {
		if want.Error != "" {
			continue
		}
		for at < rows.Count && !hasTime(rows, at, schema.Timestamp) {
			at++
		}
		if at == rows.Count {
			t.Errorf("%s over %q: too few rows, Druid has %v", r.Format, r.Value, want.Event)
			return
		}
		got := event(t, p, rows, at, schema)
		names := slices.Clone(r.DimensionsSpec.Dimensions)
		for _, f := range got {
			if f.name != schema.Timestamp.Column && !slices.Contains(names, f.name) {
				names = append(names, f.name)
			}
		}
		if !slices.Equal(names, want.Dims) {
			t.Errorf("%s over %q: dimensions %q, Druid has %q", r.Format, r.Value, names, want.Dims)
		}
		for _, f := range got {
			if w, ok := want.Event[f.name]; ok && !reflect.DeepEqual(plain(f.value), plain(w)) {
				t.Errorf("%s over %q: %s is %#v, Druid has %#v", r.Format, r.Value, f.name, f.value, w)
			}
		}
		at++
	}
}

func hasTime(rows *row.Rows, i int, ts row.Timestamp) bool {
	_, ok := ts.Time(&rows.Row(i)[0])
	return ok
}

type eventField struct {
	name  string
	value any
}

// event gives the fields of a row that are discovered, in order.
func event(t *testing.T, p index.Parser, rows *row.Rows, i int, schema row.Schema) (out []eventField) {
	t.Helper()
	names := append(schema.Fields(), p.Discovered()...)
	for _, slot := range rows.Order[i] {
		v := &rows.Row(i)[slot]
		if !rows.Exact && (v.Kind <= row.Null || v.Kind == row.Object || v.Kind == row.List && !row.Flat(rows.ListOf(v))) {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(inputformat.AppendValue(nil, rows, v)))
		d.UseNumber()
		var value any
		if err := d.Decode(&value); err != nil {
			t.Fatalf("%s: %v", inputformat.AppendValue(nil, rows, v), err)
		}
		out = append(out, eventField{names[slot], value})
	}
	return out
}

// plain gives decimals as doubles, which are written in more than one way.
func plain(v any) any {
	switch x := v.(type) {
	case json.Number:
		if strings.ContainsAny(string(x), ".eE") {
			f, _ := x.Float64()
			return f
		}
	case []any:
		out := make([]any, len(x))
		for i := range x {
			out[i] = plain(x[i])
		}
		return out
	case map[string]any:
		out := map[string]any{}
		for k := range x {
			out[k] = plain(x[k])
		}
		return out
	}
	return v
}

func compareErrors(t *testing.T, r *recorded, schema row.Schema) {
	t.Helper()
	p, err := inputformat.New(r.Format, schema)
	if err != nil {
		t.Fatal(err)
	}
	b, err := index.NewBuilder(index.Config{
		Schema: schema, Parser: p, Dir: t.TempDir(), MaxParseExceptions: -1, MaxSavedParseExceptions: 100,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.AddBatch([]index.Record{{Value: r.bytes(t)}}); err != nil {
		t.Errorf("%s over %q: %v", r.Format, r.Value, err)
	}
	saved := b.ParseExceptions()
	slices.Reverse(saved)
	at := 0
	for _, want := range r.Rows {
		if want.Error == "" {
			continue
		}
		if at == len(saved) {
			t.Errorf("%s over %q: no error, Druid has %q", r.Format, r.Value, want.Error)
			return
		}
		if got := saved[at]; got.Details[0] != want.Error || got.Input != want.Input {
			t.Errorf("%s over %q:\n got %q of %q\nwant %q of %q", r.Format, r.Value, got.Details[0], got.Input, want.Error, want.Input)
		}
		at++
	}
	if at != len(saved) {
		t.Errorf("%s over %q: errors %+v, Druid has %d", r.Format, r.Value, saved, at)
	}
}
