package inputformat_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"pgregory.net/rapid"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/domain/row"
)

// drawSchema draws a schema over the fields that drawRecord fills.
func drawSchema(t *rapid.T) row.Schema {
	gran := func(name string) row.Granularity {
		g, err := row.ParseGranularity(name)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	s := row.Schema{
		Timestamp:          row.Timestamp{Column: "t", Format: row.FormatMillis},
		Rollup:             rapid.Bool().Draw(t, "rollup"),
		QueryGranularity:   gran(rapid.SampledFrom([]string{"NONE", "SECOND", "MINUTE"}).Draw(t, "query granularity")),
		SegmentGranularity: gran(rapid.SampledFrom([]string{"MINUTE", "HOUR", "DAY"}).Draw(t, "segment granularity")),
	}
	all := []row.Dimension{
		{Name: "s"},
		{Name: "m", MultiValueHandling: row.Array},
		{Name: "n", MultiValueHandling: row.SortedSet},
		{Name: "l", Type: row.TypeLong},
		{Name: "d", Type: row.TypeDouble},
		{Name: "f", Type: row.TypeFloat},
		{Name: "j", Type: row.TypeJSON},
	}
	// The field m is a list where it is there at all, j anything.
	casts := rapid.SampledFrom([]string{"", "", "STRING", "LONG", "DOUBLE", "ARRAY<STRING>", "ARRAY<LONG>", "ARRAY<DOUBLE>"})
	all[6].Cast = casts.Draw(t, "cast")
	if cast := casts.Draw(t, "cast of a list"); cast != "" {
		all[1] = row.Dimension{Name: "m", Type: row.TypeJSON, Cast: cast}
	}
	for _, i := range rapid.Permutation([]int{0, 1, 2, 3, 4, 5, 6}).Draw(t, "order")[:rapid.IntRange(0, 7).Draw(t, "dimensions")] {
		s.Dimensions = append(s.Dimensions, all[i])
	}
	s.TimePosition = rapid.IntRange(0, len(s.Dimensions)).Draw(t, "dimensions before the time")
	s.DiscoverDimensions = len(s.Dimensions) == 0 || rapid.Bool().Draw(t, "discover")
	s.DiscoverTypes = s.DiscoverDimensions && rapid.Bool().Draw(t, "discover types")
	for i := range rapid.IntRange(0, 3).Draw(t, "metrics") {
		// The bytes of HLL sketches depend on the order of values; package index compares what they hold.
		agg := row.Aggregator(rapid.IntRange(0, int(row.AggHyperUnique)+1).Draw(t, "aggregator"))
		if agg > row.AggHyperUnique {
			agg = row.AggThetaSketch
		}
		s.Metrics = append(s.Metrics, row.Metric{
			Agg: agg, Sketch: row.Sketch{Size: row.MinThetaSize}, Name: fmt.Sprintf("x%d", i),
			FieldName: "v", MaxStringBytes: 3, TimeColumn: rapid.SampledFrom([]string{"", "__time", "l"}).Draw(t, "time column"),
		})
	}
	return s
}

// drawRecord draws a record with one or two rows, some of them broken. Sums are of small whole numbers, so that they do
// not depend on the order of adding.
func drawRecord(t *rapid.T) []byte {
	if rapid.IntRange(0, 30).Draw(t, "broken") == 0 {
		return []byte(`{"t":1,"s":`)
	}
	var out []byte
	word := rapid.SampledFrom([]any{nil, "", "a", "b", "\uffff", "\U0001F600", 7, true, 1.5})
	words := rapid.SliceOfN(word, 0, 3)
	for range rapid.IntRange(1, 2).Draw(t, "rows") {
		row := map[string]any{"t": rapid.Int64Range(0, 200).Draw(t, "time") * 1000}
		add := func(name string, v any) {
			if rapid.IntRange(0, 4).Draw(t, "present") > 0 {
				row[name] = v
			}
		}
		add("s", word.Draw(t, "s"))
		add("m", words.Draw(t, "m"))
		add("n", words.Draw(t, "n"))
		add("l", rapid.SampledFrom([]any{nil, 1, -1, "12", "x", int64(1) << 62, -(int64(1) << 62)}).Draw(t, "l"))
		add("d", rapid.SampledFrom([]any{nil, 0.0, -1.5, "NaN", 1e300, "-0.0"}).Draw(t, "d"))
		add("f", rapid.SampledFrom([]any{nil, 0.5, -1.5, "Infinity", true}).Draw(t, "f"))
		add("j", rapid.SampledFrom([]any{
			nil, 1, 1.0, 1.5, "1", true, []any{}, []any{1, nil}, []any{"a", 2.5}, []any{[]any{1}, 2}, map[string]any{},
			map[string]any{"a": 1, "b": map[string]any{"c": []any{1, 2}}}, map[string]any{"a": "x", "b": nil},
		}).Draw(t, "j"))
		add("v", rapid.SampledFrom([]any{nil, 1, 2.5, "3", "x", -4}).Draw(t, "v"))
		b, err := json.Marshal(row)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, b...)
	}
	return out
}

// csvOfAll has the columns of all schemas.
const csvOfAll = `{"type":"csv","columns":["t","s","m","n","l","d","f","j","v"],"listDelimiter":"|","skipHeaderRows":0}`

// drawLines draws a record of some lines, of which not all have a time.
func drawLines(t *rapid.T) (out []byte) {
	for range rapid.SampledFrom([]int{1, 1, 1, 0, 2, 3}).Draw(t, "lines") {
		line := rapid.SampledFrom([]string{"60000", "1", "3700000", "86400000", "", "late", "9999999999999999"}).Draw(t, "time")
		for range rapid.IntRange(0, 9).Draw(t, "fields") {
			line += "," + rapid.SampledFrom([]string{"", "a", "b|a", "1", "-2.5", "7|x", `"a,""b"`, "\xff"}).Draw(t, "field")
		}
		out = append(out, line+"\n"...)
	}
	return out
}

// folders gives the bytes of all files of the segments.
func folders(t *rapid.T, built []index.Built) map[string][]byte {
	out := map[string][]byte{}
	for _, s := range built {
		files, err := os.ReadDir(s.Dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(filepath.Join(s.Dir, f.Name()))
			if err != nil {
				t.Fatal(err)
			}
			out[fmt.Sprintf("%d/%s", s.IntervalStart, f.Name())] = b
		}
	}
	return out
}

// TestABatchReadByManyGivesTheSameSegments: a large batch is read in chunks, by as many goroutines as there are cores, and
// its rows are added column by column; small ones are read and added row by row. Rows, counters and saved errors are the
// same.
func TestABatchReadByManyGivesTheSameSegments(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	rapid.Check(t, func(t *rapid.T) {
		runtime.GOMAXPROCS(rapid.SampledFrom([]int{1, 4}).Draw(t, "cores"))
		schema := drawSchema(t)
		if len(schema.Dimensions) == 0 {
			schema.Dimensions = []row.Dimension{{Name: "s"}}
		}
		schema.DiscoverDimensions, schema.DiscoverTypes = false, false
		lines := rapid.Bool().Draw(t, "lines of csv")
		parser := func() index.Parser { return inputformat.NewJSON(schema) }
		record := drawRecord
		if lines {
			record = drawLines
			parser = func() index.Parser {
				p, err := (&inputformat.Formats{}).New(json.RawMessage(csvOfAll), schema)
				if err != nil {
					t.Fatal(err)
				}
				return p
			}
		}
		drawn := make([][]byte, rapid.IntRange(1, 60).Draw(t, "records"))
		for i := range drawn {
			drawn[i] = record(t)
			if rapid.IntRange(0, 20).Draw(t, "tombstone") == 0 {
				drawn[i] = nil
			}
		}
		records := make([]index.Record, rapid.IntRange(600, 3000).Draw(t, "copies"))
		for i := range records {
			records[i] = index.Record{Offset: int64(i), Value: drawn[i*i%len(drawn)]}
		}
		limit := rapid.SampledFrom([]int{0, 5, 100, -1}).Draw(t, "errors borne")
		build := func(batches ...int) (files map[string][]byte, told string) {
			dir, err := os.MkdirTemp("", "many-*")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(dir)
			b, err := index.NewBuilder(index.Config{
				Schema: schema, Parser: parser(), Dir: dir, MaxRowsInMemory: 500,
				MaxParseExceptions: limit, MaxSavedParseExceptions: 7,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			for i, rest := 0, records; len(rest) > 0 && err == nil; i++ {
				n := min(batches[i%len(batches)], len(rest))
				err = b.AddBatch(rest[:n])
				rest = rest[n:]
			}
			told = fmt.Sprintf("%v %+v %+v", err, b.Counters(), b.ParseExceptions())
			if err != nil {
				return nil, told
			}
			built, err := b.Finish(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			return folders(t, built), told
		}
		want, wantTold := build(10)
		// The last has rows of both kinds in one index.
		for _, batches := range [][]int{{len(records)}, {600, 7}} {
			got, told := build(batches...)
			if told != wantTold {
				t.Fatalf("batches of %v: %s\nbatches of ten: %s", batches, told, wantTold)
			}
			if len(want) != len(got) {
				t.Fatalf("batches of %v: %d files, want %d", batches, len(got), len(want))
			}
			for name, w := range want {
				if !bytes.Equal(w, got[name]) {
					t.Fatalf("batches of %v: %s differs", batches, name)
				}
			}
		}
	})
}

func TestAnySplitGivesTheSameSegments(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		schema := drawSchema(t)
		records := make([]index.Record, rapid.IntRange(0, 120).Draw(t, "records"))
		for i := range records {
			records[i] = index.Record{Offset: int64(i), Value: drawRecord(t)}
		}
		make := func(maxRows int) *index.Builder {
			dir, err := os.MkdirTemp("", "split-*")
			if err != nil {
				t.Fatal(err)
			}
			b, err := index.NewBuilder(index.Config{
				Schema: schema, Parser: inputformat.NewJSON(schema), Dir: dir, MaxRowsInMemory: maxRows, MaxParseExceptions: -1,
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
				_ = os.RemoveAll(dir)
			})
			return b
		}
		whole := make(0)
		if err := whole.AddBatch(records); err != nil {
			t.Fatal(err)
		}
		split := make(rapid.IntRange(0, 20).Draw(t, "max rows"))
		for rest := records; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "batch")
			if err := split.AddBatch(rest[:n]); err != nil {
				t.Fatal(err)
			}
			rest = rest[n:]
			if rapid.IntRange(0, 3).Draw(t, "persist") == 0 {
				if err := split.Persist(context.Background()); err != nil {
					t.Fatal(err)
				}
			}
		}
		if rapid.Bool().Draw(t, "seal") {
			if err := split.Seal(); err != nil {
				t.Fatal(err)
			}
		}
		a, err := whole.Finish(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		b, err := split.Finish(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		want, got := folders(t, a), folders(t, b)
		if len(want) != len(got) {
			t.Fatalf("%d files, want %d", len(got), len(want))
		}
		for name, w := range want {
			if !bytes.Equal(w, got[name]) {
				t.Fatalf("%s differs", name)
			}
		}
		x, y := whole.Counters(), split.Counters()
		if fmt.Sprint(x) != fmt.Sprint(y) {
			t.Fatalf("counters %+v and %+v", x, y)
		}
	})
}

func TestRowsFromBeforeADimensionWasFoundCombineWithLaterOnes(t *testing.T) {
	minute, err := row.ParseGranularity("MINUTE")
	if err != nil {
		t.Fatal(err)
	}
	for _, types := range []bool{false, true} {
		schema := row.Schema{
			Timestamp: row.Timestamp{Column: "t", Format: row.FormatMillis}, Rollup: true, QueryGranularity: minute,
			SegmentGranularity: minute, DiscoverDimensions: true, DiscoverTypes: types,
			Metrics: []row.Metric{{Agg: row.AggCount, Name: "n"}},
		}
		b, err := index.NewBuilder(index.Config{
			Schema: schema, Parser: inputformat.NewJSON(schema), Dir: t.TempDir(), MaxParseExceptions: -1,
		})
		if err != nil {
			t.Fatal(err)
		}
		var records []index.Record
		for i, v := range []string{`{"t":0,"a":"x"}`, `{"t":0}`, `{"t":0,"a":"x","b":"y"}`, `{"t":0,"a":"x"}`, `{"t":0,"b":null}`} {
			records = append(records, index.Record{Offset: int64(i), Value: []byte(v)})
		}
		if err := b.AddBatch(records); err != nil {
			t.Fatal(err)
		}
		if got := b.Rows(); got != 3 {
			t.Errorf("types discovered %t: %d rows are in memory, want 3: those with and without b, and the one with neither", types, got)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}
