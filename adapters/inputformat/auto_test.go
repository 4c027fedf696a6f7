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

func TestAlikeAutoValuesLeaveTheOrderToTheDimensionsBehind(t *testing.T) {
	schema := rollupDay(t, row.Dimension{Name: "j", Type: row.TypeJSON}, row.Dimension{Name: "k"})
	schema.Rollup, schema.Metrics = false, nil
	want := []string{
		`{"__time":0,"j":null,"k":"z"}`, `{"__time":0,"j":1,"k":"a"}`, `{"__time":0,"j":1.0,"k":"b"}`, `{"__time":0,"j":1,"k":"b"}`,
		`{"__time":0,"j":1.0,"k":"c"}`, `{"__time":0,"j":2,"k":"a"}`,
	}
	for _, maxRows := range []int{0, 1, 2, 3} {
		got := rowsOf(t, schema, maxRows, `{"t":1,"j":1.0,"k":"c"}`, `{"t":2,"j":1.0,"k":"b"}`, `{"t":3,"j":1,"k":"b"}`,
			`{"t":4,"j":2,"k":"a"}`, `{"t":5,"j":1,"k":"a"}`, `{"t":6,"k":"z"}`)
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

func TestFirstAndLastAreByTheTimeOfTheRows(t *testing.T) {
	schema := rollupDay(t, row.Dimension{Name: "k"})
	for _, m := range []row.Metric{
		{Agg: row.AggLongFirst, Name: "lf", FieldName: "v"}, {Agg: row.AggLongLast, Name: "ll", FieldName: "v"},
		{Agg: row.AggDoubleFirst, Name: "df", FieldName: "v"}, {Agg: row.AggDoubleLast, Name: "dl", FieldName: "v", TimeColumn: "at"},
		{Agg: row.AggFloatFirst, Name: "ff", FieldName: "v"}, {Agg: row.AggFloatLast, Name: "fl", FieldName: "v"},
		{Agg: row.AggStringFirst, Name: "sf", FieldName: "s", MaxStringBytes: 4},
		{Agg: row.AggStringLast, Name: "sl", FieldName: "s", MaxStringBytes: 1024},
		{Agg: row.AggLongAny, Name: "la", FieldName: "v"},
	} {
		schema.Metrics = append(schema.Metrics, m)
	}
	want := []string{
		`{"__time":0,"k":"a","df":{"lhs":5,"rhs":1.5},"dl":{"lhs":99,"rhs":7.0},"ff":{"lhs":5,"rhs":1.5},"fl":{"lhs":30,"rhs":null},` +
			`"la":7,"lf":{"lhs":5,"rhs":1},"ll":{"lhs":30,"rhs":null},"n":4,"sf":{"lhs":5,"rhs":"hél"},"sl":{"lhs":20,"rhs":"last"}}`,
		`{"__time":0,"k":"b","df":{"lhs":7,"rhs":null},"dl":{"lhs":-9223372036854775808,"rhs":null},"ff":{"lhs":7,"rhs":null},` +
			`"fl":{"lhs":7,"rhs":null},"la":null,"lf":{"lhs":7,"rhs":null},"ll":{"lhs":7,"rhs":null},"n":1,` +
			`"sf":{"lhs":4611686018427387903,"rhs":null},"sl":{"lhs":-4611686018427387904,"rhs":null}}`,
	}
	for _, maxRows := range []int{0, 1, 2} {
		got := rowsOf(t, schema, maxRows, `{"t":20,"k":"a","v":7,"s":"last","at":99}`, `{"t":5,"k":"a","v":1.5,"s":"héllo","at":1}`,
			`{"t":30,"k":"a","v":null}`, `{"t":10,"k":"a","v":3,"s":"x","at":50}`, `{"t":7,"k":"b"}`)
		if !slices.Equal(got, want) {
			t.Errorf("spilled after %d rows: %q, want %q", maxRows, got, want)
		}
	}
}
