package filter_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"ogham/domain/filter"
	"ogham/domain/row"
)

// FuzzFilter reads any JSON as a filter and applies it to rows of all kinds: nothing may panic, and what a filter says
// certainly holds must not be what its negation says.
func FuzzFilter(f *testing.F) {
	file, err := os.Open("testdata/filters.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			f.Fatal(err)
		}
		f.Add(string(r.Filter), "a", int64(1))
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
