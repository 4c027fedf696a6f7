package inputformat_test

import (
	"slices"
	"testing"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/domain/row"
)

// rollupDay rolls up by a json dimension, with the count of rows.
func rollupDay(t *testing.T, dims ...row.Dimension) row.Schema {
	t.Helper()
	day, err := row.ParseGranularity("DAY")
	if err != nil {
		t.Fatal(err)
	}
	return row.Schema{
		Timestamp: row.Timestamp{Column: "t", Format: row.FormatMillis}, Dimensions: dims, Rollup: true,
		Metrics: []row.Metric{{Agg: row.AggCount, Name: "n"}}, SegmentGranularity: day, QueryGranularity: day,
	}
}

// rowsOf builds one segment of records and gives its rows, spilled after so many rows.
func rowsOf(t *testing.T, schema row.Schema, maxRows int, records ...string) []string {
	t.Helper()
	var list []index.Record
	for i, r := range records {
		list = append(list, index.Record{Offset: int64(i), Value: []byte(r)})
	}
	_, built := build(t, index.Config{
		Schema: schema, Parser: inputformat.NewJSON(schema), Dir: t.TempDir(), MaxRowsInMemory: maxRows, MaxParseExceptions: -1,
	}, list, 10)
	if len(built) != 1 {
		t.Fatalf("built %d segments", len(built))
	}
	return dump(t, built[0].Dir)
}

func TestAutoValuesThatDruidTakesForEqualStayTwo(t *testing.T) {
	schema := rollupDay(t, row.Dimension{Name: "j", Type: row.TypeJSON})
	want := []string{
		`{"__time":0,"j":1,"n":2}`, `{"__time":0,"j":1.0,"n":1}`,
		`{"__time":0,"j":9007199254740992,"n":1}`, `{"__time":0,"j":9007199254740993,"n":2}`,
	}
	for _, maxRows := range []int{0, 1, 2} {
		got := rowsOf(t, schema, maxRows, `{"t":1,"j":1.0}`, `{"t":2,"j":1}`, `{"t":3,"j":9007199254740993}`, `{"t":4,"j":1}`,
			`{"t":5,"j":9007199254740992}`, `{"t":6,"j":9007199254740993}`)
		if !slices.Equal(got, want) {
			t.Errorf("spilled after %d rows: %q, want %q", maxRows, got, want)
		}
	}
}

func TestRollupCombinesEqualNestedValues(t *testing.T) {
	schema := rollupDay(t, row.Dimension{Name: "j", Type: row.TypeJSON}, row.Dimension{Name: "s"})
	got := rowsOf(t, schema, 2, `{"t":1,"j":{"a":[1,2]},"s":"x"}`, `{"t":2,"j":null,"s":"x"}`, `{"t":3,"j":{"a":[1,2]},"s":"x"}`,
		`{"t":4,"s":"x"}`, `{"t":5,"j":{"a":[2,1]},"s":"x"}`, `{"t":6,"j":"text","s":"y"}`)
	slices.Sort(got)
	want := []string{
		`{"__time":0,"j":"text","s":"y","n":1}`, `{"__time":0,"j":null,"s":"x","n":2}`,
		`{"__time":0,"j":{"a":[1,2]},"s":"x","n":2}`, `{"__time":0,"j":{"a":[2,1]},"s":"x","n":1}`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}
