package filter_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"ogham/domain/filter"
	"ogham/domain/row"
)

// FuzzDimension reads any JSON as a dimension and asks what it makes of a text, of nothing and of a time.
func FuzzDimension(f *testing.F) {
	for _, source := range []string{
		`"v"`, `5`, `{"dimension":"v"}`, `{"type":"default","dimension":"v","outputType":"LONG"}`,
		`{"type":"extraction","dimension":"v","extractionFn":{"type":"cascade","extractionFns":[{"type":"upper"},{"type":"substring","index":1}]}}`,
		`{"type":"extraction","dimension":"__time","extractionFn":{"type":"timeFormat","format":"yyyy-MM"}}`,
		`{"type":"listFiltered","delegate":"v","values":["a",null],"isWhitelist":false}`,
		`{"type":"regexFiltered","delegate":{"type":"prefixFiltered","delegate":"v","prefix":"a"},"pattern":"a|b"}`,
		`{"type":"prefixFiltered","delegate":{"type":"extraction","dimension":"v","extractionFn":{"type":"strlen"}},"prefix":"1"}`,
	} {
		f.Add(source, "abc", int64(1_790_000_000_000))
	}
	f.Fuzz(func(t *testing.T, source, text string, ms int64) {
		d, err := filter.ParseDimension(json.RawMessage(source))
		if err != nil {
			return
		}
		if out, ok, kept := d.Value(text, true); d.Plain() && (out != text || !ok || !kept) {
			t.Fatalf("%s makes %q of %q", source, out, text)
		}
		if out, ok, _ := d.Value("", false); ok && out == "" && d.Plain() {
			t.Fatalf("%s makes an empty text of a null", source)
		}
		if d.Column == row.TimeColumn && !d.Plain() {
			d.TimeValue(ms)
		}
	})
}

// FuzzFilter reads any JSON as a filter and applies it to rows of all kinds: nothing may panic, and what a filter says
// certainly holds must not be what its negation says.
func FuzzFilter(f *testing.F) {
	for _, name := range []string{"testdata/filters.jsonl", "testdata/spatial.jsonl", "testdata/extractions.jsonl"} {
		file, err := os.Open(name)
		if err != nil {
			f.Fatal(err)
		}
		lines := bufio.NewScanner(file)
		for lines.Scan() {
			var r struct{ Filter, X json.RawMessage }
			if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
				f.Fatal(err)
			}
			source := string(r.Filter)
			if r.X != nil {
				source = `{"type":"bound","dimension":"v","lower":"1","ordering":"version","extractionFn":` + string(r.X) + `}`
			}
			f.Add(source, "a", int64(1))
		}
		if err := file.Close(); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, source, text string, number int64) {
		m, err := filter.Parse(json.RawMessage(source))
		if err != nil {
			return
		}
		negated, err := filter.Parse(json.RawMessage(`{"type":"not","field":` + source + `}`))
		if err != nil {
			t.Fatalf("%s is a filter, its negation is none: %v", source, err)
		}
		for _, v := range []any{nil, text, number, true, []any{text, number, nil}, map[string]any{text: number}, 1.5} {
			if n, ok := v.(int64); ok {
				v = json.Number(mustJSON(n))
			}
			if f, ok := v.(float64); ok {
				v = json.Number(mustJSON(f))
			}
			rows := &row.Rows{}
			field := valueOf(rows, v)
			fields := map[string]row.Value{"v": field, "w": valueOf(rows, text), "__time": {Kind: row.Long, Num: uint64(number)}}
			holds, err1 := m.Match(&testRow{rows: rows, names: m.Columns(), fields: fields})
			denied, err2 := negated.Match(&testRow{rows: rows, names: negated.Columns(), fields: fields})
			if err1 == nil && err2 == nil && holds && denied {
				t.Fatalf("%s and its negation hold for %v", source, v)
			}
		}
	})
}

func mustJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(text)
}
