package filter_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"ogham/domain/filter"
	"ogham/domain/row"
)

// recorded is a filter and for which values of column v it holds in Druid 33 ('1'), does not ('0') or fails ('E'), in the
// order of testdata/filtervalues.json; or the error with which Druid refuses it. Column w is "b" and u is "a".
type recorded struct {
	Filter json.RawMessage `json:"filter"`
	Match  string          `json:"match"`
	Err    string          `json:"err"`
}

// testRow is one row of named columns.
type testRow struct {
	rows   *row.Rows
	fields map[string]row.Value
	names  []string
}

func (r *testRow) Rows() *row.Rows { return r.rows }

func (r *testRow) Column(i int) *row.Value {
	v := r.fields[r.names[i]]
	return &v
}

// valueOf makes a field of decoded JSON.
func valueOf(rows *row.Rows, v any) row.Value {
	switch v := v.(type) {
	case string:
		return row.Value{Kind: row.String, Text: []byte(v)}
	case bool:
		n := uint64(0)
		if v {
			n = 1
		}
		return row.Value{Kind: row.Bool, Num: n}
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return row.Value{Kind: row.Long, Num: uint64(n)}
		}
		f, _ := v.Float64()
		return row.Value{Kind: row.Double, Num: math.Float64bits(f)}
	case []any:
		list := make([]row.Value, len(v))
		for i := range v {
			list[i] = valueOf(rows, v[i])
		}
		return rows.NewList(list)
	case map[string]any:
		var members []row.Member
		for key, item := range v {
			members = append(members, row.Member{Key: []byte(key), Value: valueOf(rows, item)})
		}
		return rows.NewObject(members)
	}
	return row.Value{Kind: row.Null}
}

const at = 1772362800000 // the time of all rows

// different are recorded filters that we treat otherwise on purpose.
var different = map[string]string{
	`"ordering": "natural"`:                      "refused: Druid fails on each row",
	`"COMPLEX<json>"`:                            "refused: Druid fails on each row",
	`"ARRAY<LONG>", "lower"`:                     "refused: Druid fails on each row",
	`"ARRAY<STRING>", "lower"`:                   "refused as the other ranges of arrays",
	`"sortedValues": ["a", "1"]`:                 "Druid trusts that the values are sorted; we do not need it",
	`["a", "b"]}`:                                "an array that is equal to a list matches it; in Druid none does",
	`"matchValue": [1, 2]`:                       "as above",
	`"timeFormat", "format": "yyyy", "timeZone"`: "Druid fails on what is no time; for us it is null",
}

func TestFiltersMatchWhatDruidMatches(t *testing.T) {
	checkFilters(t, "testdata/filters.jsonl", "testdata/filtervalues.json")
}

// TestSpatialFiltersMatchWhatDruidMatches leaves out where Druid fails: a point that has fewer coordinates than the bound.
func TestSpatialFiltersMatchWhatDruidMatches(t *testing.T) {
	checkFilters(t, "testdata/spatial.jsonl", "testdata/spatialvalues.json")
}

// checkFilters has the recorded filters of a file decide about the values of another one.
func checkFilters(t *testing.T, filters, valuesOf string) {
	t.Helper()
	data, err := os.ReadFile(valuesOf)
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	var values []any
	if err := d.Decode(&values); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(filters)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var want recorded
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		for part, why := range different {
			if strings.Contains(string(want.Filter), part) && why != "" {
				want.Match = ""
			}
		}
		checkFilter(t, &want, values)
	}
}

func checkFilter(t *testing.T, want *recorded, values []any) {
	t.Helper()
	f, err := filter.Parse(want.Filter)
	switch {
	case want.Err != "":
		if err == nil {
			t.Errorf("%s is taken; Druid refuses it: %s", want.Filter, want.Err)
		}
		return
	case want.Match == "":
		return
	case err != nil:
		if !strings.Contains(err.Error(), "not supported") {
			t.Errorf("%s is refused: %v", want.Filter, err)
		}
		return
	}
	for i, v := range values {
		rows := &row.Rows{}
		r := &testRow{rows: rows, names: f.Columns(), fields: map[string]row.Value{
			"v": valueOf(rows, v), "w": valueOf(rows, "b"), "u": valueOf(rows, "a"), "__time": {Kind: row.Long, Num: at},
		}}
		got, err := f.Match(r)
		text, _ := json.Marshal(v)
		if err != nil {
			if want.Match[i] != 'E' {
				t.Errorf("%s fails for %s: %v", want.Filter, text, err)
			}
			continue
		}
		if string(text) == "[[1],[2]]" && strings.Contains(string(want.Filter), `"v + 1"`) {
			continue // a list in a list counts as a number in Druid, but not in a list of results
		}
		if want.Match[i] != 'E' && got != (want.Match[i] == '1') {
			t.Errorf("%s holds for %s: %t, Druid says %c", want.Filter, text, got, want.Match[i])
		}
	}
}
