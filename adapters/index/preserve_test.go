package index

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ogham/domain/row"
)

// fieldParser reads records that are JSON objects of numbers, texts and nulls; what is not there is missing.
type fieldParser struct {
	names []string
	rows  row.Rows
}

func (p *fieldParser) Parse(r *Record) (*row.Rows, error) {
	var fields map[string]any
	if err := json.Unmarshal(r.Value, &fields); err != nil {
		return nil, err
	}
	p.rows = row.Rows{Count: 1, Width: len(p.names)}
	for _, name := range p.names {
		v := row.Value{}
		switch x, there := fields[name]; x := x.(type) {
		case float64:
			v = row.Value{Kind: row.Long, Num: uint64(int64(x))}
		case string:
			v = row.Value{Kind: row.String, Text: []byte(x)}
		default:
			if there {
				v.Kind = row.Null
			}
		}
		p.rows.Values = append(p.rows.Values, v)
	}
	return &p.rows, nil
}

func (p *fieldParser) Discovered() []string { return nil }

func (p *fieldParser) Event(r *Record, _ int) string { return string(r.Value) }

// preserving is a config whose metrics may be aggregated already.
func preserving(t testing.TB, dir string) Config {
	c := lineConfig(t)
	c.Dir = dir
	c.Schema.PreserveExisting = true
	c.Schema.Metrics = []row.Metric{
		{Agg: row.AggCount, Name: "n"}, {Agg: row.AggLongSum, Name: "sum", FieldName: "x"},
		{Agg: row.AggLongMax, Name: "most", FieldName: "x"}, {Agg: row.AggStringLast, Name: "last", FieldName: "x", MaxStringBytes: 9},
	}
	c.Parser = &fieldParser{names: c.Schema.Fields()}
	return c
}

// stored gives the rows of the one segment that the records make.
func stored(t rapid.TB, b *Builder, split func(i int) bool, records []Record) string {
	t.Helper()
	for i := range records {
		if err := b.AddBatch(records[i : i+1]); err != nil {
			t.Fatal(err)
		}
		if split(i) {
			if err := b.Persist(context.Background()); err != nil {
				t.Fatal(err)
			}
		}
	}
	built, err := b.Finish(context.Background())
	if err != nil || len(built) != 1 {
		t.Fatalf("built %v, %v", built, err)
	}
	return built[0].Dir
}

func TestMetricsThatARowHasAlreadyAreCombined(t *testing.T) {
	for _, c := range []struct {
		what    string
		records []Record
		want    []string
		errors  int64
	}{
		{"inputs", lines(`{"t":1,"w":"a","x":4}`, `{"t":1,"w":"a","x":5}`), []string{`"n":2`, `"sum":9`, `"most":5`}, 0},
		{"all there", lines(`{"t":1,"w":"a","x":4,"n":10,"sum":20,"most":3}`), []string{`"n":10`, `"sum":20`, `"most":3`}, 0},
		{"some there", lines(`{"t":1,"w":"a","x":4,"sum":20}`), []string{`"n":1`, `"sum":20`, `"most":4`}, 0},
		{"mixed", lines(`{"t":1,"w":"a","x":4}`, `{"t":1,"w":"a","x":1,"n":10,"sum":20,"most":3}`), []string{`"n":11`, `"sum":24`, `"most":4`}, 0},
		{"null is there", lines(`{"t":1,"w":"a","x":4,"n":null,"sum":null}`), []string{`"n":0`, `"sum":null`, `"most":4`}, 0},
		{"texts of numbers", lines(`{"t":1,"w":"a","n":"3"}`), []string{`"n":3`, `"sum":null`}, 0},
		{"no number", lines(`{"t":1,"w":"a","x":1,"n":"many","sum":"x"}`), []string{`"n":0`, `"sum":null`, `"most":1`}, 1},
	} {
		t.Run(c.what, func(t *testing.T) {
			b := newTestBuilder(t, preserving(t, t.TempDir()))
			got := rowsOf(t, stored(t, b, func(int) bool { return false }, c.records))
			for _, w := range c.want {
				if strings.Count(got, "\n") != 1 || !strings.Contains(got, w) {
					t.Errorf("stored is %s, want one row with %s", got, w)
				}
			}
			if n := b.Counters().ProcessedWithError; n != c.errors {
				t.Errorf("%d rows with an error, want %d", n, c.errors)
			}
			for _, e := range b.ParseExceptions() {
				if all := strings.Join(e.Details, ";"); !strings.Contains(all, "[n]") || !strings.Contains(all, "[sum]") {
					t.Errorf("the error does not name the fields n and sum: %s", all)
				}
			}
		})
	}
}

func TestPreservedMetricsDoNotDependOnSpills(t *testing.T) {
	dir, run := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		var records []Record
		splits := map[int]bool{}
		for i := range rapid.IntRange(1, 30).Draw(r, "records") {
			value := fmt.Sprintf(`{"t":%d,"w":%q,"x":%d`, rapid.IntRange(1, 2).Draw(r, "t"), rapid.SampledFrom([]string{"a", "b"}).Draw(r, "w"), i)
			for _, name := range []string{"n", "sum", "most", "last"} {
				if rapid.Bool().Draw(r, name) {
					value += fmt.Sprintf(`,%q:%s`, name, rapid.SampledFrom([]string{"null", "7", "-3"}).Draw(r, "value"))
				}
			}
			records = append(records, Record{Offset: int64(i), Value: []byte(value + "}")})
			splits[i] = rapid.Bool().Draw(r, "split")
		}
		build := func(split func(int) bool) string {
			run++
			b, err := NewBuilder(preserving(t, fmt.Sprintf("%s/%d", dir, run)))
			if err != nil {
				r.Fatal(err)
			}
			defer b.Close()
			return rowsOf(t, stored(r, b, split, records))
		}
		whole := build(func(int) bool { return false })
		if parts := build(func(i int) bool { return splits[i] }); parts != whole {
			r.Fatalf("in parts\n%s\nat once\n%s", parts, whole)
		}
	})
}

func TestListedCoordinatesAreStored(t *testing.T) {
	c := lineConfig(t)
	c.Schema.Dimensions = []row.Dimension{{Name: "lat"}, {Name: "at", Spatial: true, Coordinates: []string{"lat", "lon"}}}
	c.Parser = &fieldParser{names: c.Schema.Fields()}
	got := rowsOf(t, stored(t, newTestBuilder(t, c), func(int) bool { return false }, lines(`{"t":1,"lat":1,"lon":2,"x":1}`)))
	if !strings.Contains(got, `"lat":"1"`) || !strings.Contains(got, `"at":"1,2"`) {
		t.Errorf("stored is %s, want lat beside the joined text", got)
	}
}

func TestPreservingHoldsBesideSpatialDimensions(t *testing.T) {
	c := preserving(t, t.TempDir())
	c.Schema.Dimensions = []row.Dimension{{Name: "at", Spatial: true, Coordinates: []string{"lat", "lon"}}}
	c.Parser = &fieldParser{names: c.Schema.Fields()}
	got := rowsOf(t, stored(t, newTestBuilder(t, c), func(int) bool { return false }, lines(`{"t":1,"lat":1,"lon":2,"x":1,"sum":7,"n":3}`)))
	if !strings.Contains(got, `"at":"1,2"`) || !strings.Contains(got, `"sum":7`) || !strings.Contains(got, `"n":3`) {
		t.Errorf("stored is %s, want the place and what was aggregated before", got)
	}
}

func TestSpatialDimensionsAreStoredAsJoinedText(t *testing.T) {
	c := lineConfig(t)
	c.Schema.Dimensions = append(c.Schema.Dimensions, row.Dimension{Name: "at", Spatial: true, Coordinates: []string{"lat", "lon"}})
	c.Parser = &fieldParser{names: c.Schema.Fields()}
	b := newTestBuilder(t, c)
	got := rowsOf(t, stored(t, b, func(i int) bool { return i == 1 }, lines(
		`{"t":1,"w":"a","x":1,"lat":1,"lon":"2.5"}`, `{"t":1,"w":"a","x":1,"lat":"bad","lon":2}`, `{"t":1,"w":"a","x":1,"at":"1,2.5"}`)))
	if strings.Count(got, "\n") != 2 || !strings.Contains(got, `"at":"1,2.5"`) || !strings.Contains(got, `"at":null`) || strings.Contains(got, "lat") {
		t.Errorf("stored is\n%s\nwant the two rows at 1,2.5 in one and one at null, and no coordinates", got)
	}
}
