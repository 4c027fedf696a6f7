//go:build integration

package inputformat_test

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/adapters/segment"
	"ogham/domain/row"
)

// TestDruidFindsTheSegmentsEqual has Druid's own tool compare what is built from the inputs with what Druid built.
func TestDruidFindsTheSegmentsEqual(t *testing.T) {
	tools := druidTools(t)
	for _, name := range []string{
		"single-string", "multi-value", "nulls-empty", "numeric-dims", "metrics-norollup", "rollup", "many-blocks",
		"high-cardinality", "spills", "spills-rollup", "schemaless", "lzf", "zstd", "uncompressed", "long-auto",
		"uncompressed-blocks", "concise", "front-coded", "auto-discovery",
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(goldens(t), "segments", name)
			k := readTask(t, filepath.Join(dir, "spec.json"))
			_, built := build(t, k.config(t), recordsOf(readLines(t, filepath.Join(dir, "input.ndjson"))), 10)
			out, err := exec.Command("bash", filepath.Join(tools, "dump-segment.sh"), "--same",
				filepath.Join(dir, "index.zip"), built[0].Dir).CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		})
	}
}

func druidTools(t *testing.T) string {
	t.Helper()
	if tools := os.Getenv("OGHAM_DRUID_TOOLS"); tools != "" {
		return tools
	}
	return filepath.Join(goldens(t), "..", "tools", "druid")
}

// nestedRecords have fields of every kind that an auto column stores in a way of its own.
func nestedRecords() []index.Record {
	list := func(s ...string) []string { return s }
	columns := map[string][]string{
		"str": list(`"a"`, `null`, `""`, `"\uffff"`, `"\ud83d\ude00"`), "long": list(`1`, `null`, `-9007199254740993`, `true`),
		"dbl": list(`1.5`, `-0.0`, `1e300`, `null`), "num": list(`1`, `1.0`, `2.5`, `null`), "mix": list(`1`, `"x"`, `2.5`, `true`),
		"arr": list(`[]`, `[1,2]`, `[null]`, `null`, `[3]`), "sarr": list(`["a",null]`, `["b","a","b"]`, `[]`),
		"darr": list(`[1,2.5]`, `[0.5]`), "marr": list(`[1,"a",2.5,true]`, `7`, `"s"`), "earr": list(`[]`, `[null,null]`),
		"larr": list(`5`, `[]`, `[1]`), "obj": list(`{"a":1,"b":{"c":"x"}}`, `null`, `{"a":"s","d":[1,2]}`, `{"d":["x"],"e.f":2.5}`, `{}`),
		"objs": list(`[{"k":1},{"k":"two","v":[true]}]`, `[[1,2],[3]]`, `{"k":null,"l":1}`, `"scalar"`), "empty": list(`{}`, `null`),
		"wide": list(`{"l":12345678901,"d":2.5,"s":"`+strings.Repeat("w", 3000)+`"}`, `{"l":-1}`, `{"d":1}`), "none": list(`null`),
		"once": list(`1`),
	}
	names := slices.Sorted(maps.Keys(columns))
	var out []index.Record
	for i := range 40 {
		b := fmt.Appendf(nil, `{"t":%d`, i/3)
		for k, name := range names {
			values := columns[name]
			if (i+k)%7 > 0 && !(name == "once" && i != 11) {
				b = fmt.Appendf(b, `,%q:%s`, name, values[(i+i/len(values))%len(values)])
			}
		}
		out = append(out, index.Record{Offset: int64(i), Value: append(b, '}')})
	}
	return out
}

// TestDruidReadsNestedColumns has Druid's own tool print segments with auto columns of all kinds.
func TestDruidReadsNestedColumns(t *testing.T) {
	gran, err := row.ParseGranularity("DAY")
	if err != nil {
		t.Fatal(err)
	}
	none, err := row.ParseGranularity("NONE")
	if err != nil {
		t.Fatal(err)
	}
	schema := row.Schema{
		Timestamp: row.Timestamp{Column: "t", Format: row.FormatMillis}, DiscoverDimensions: true, DiscoverTypes: true,
		SegmentGranularity: gran, QueryGranularity: none, Dimensions: []row.Dimension{{Name: "mix", Type: row.TypeJSON}},
	}
	for name, spec := range map[string]string{
		"default": ``,
		"concise": `{"bitmap":{"type":"concise"},"dimensionCompression":"uncompressed","jsonCompression":"zstd","longEncoding":"auto",
			"stringDictionaryEncoding":{"type":"frontCoded","bucketSize":4,"formatVersion":1}}`,
		"lzf": `{"dimensionCompression":"lzf","jsonCompression":"uncompressed"}`,
	} {
		t.Run(name, func(t *testing.T) {
			indexSpec, err := segment.ParseIndexSpec([]byte(spec))
			if err != nil {
				t.Fatal(err)
			}
			_, built := build(t, index.Config{
				Schema: schema, Parser: inputformat.NewJSON(schema), Dir: t.TempDir(), MaxRowsInMemory: 9, IndexSpec: indexSpec,
				TimestampSpecJSON:    []byte(`{"column":"t","format":"millis","missingValue":null}`),
				QueryGranularityJSON: []byte(`{"type":"none"}`), MaxParseExceptions: -1,
			}, nestedRecords(), 10)
			out, err := exec.Command("bash", filepath.Join(druidTools(t), "dump-segment.sh"), built[0].Dir, "rows").Output()
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			compareLines(t, dump(t, built[0].Dir), strings.Split(strings.TrimSpace(string(out)), "\n"))
		})
	}
}

// TestDruidReadsComplexMetrics has Druid's own tool print aggregates that are more than numbers.
func TestDruidReadsComplexMetrics(t *testing.T) {
	schema := rollupDay(t, row.Dimension{Name: "k"})
	for agg := row.AggLongAny; agg <= row.AggHyperUnique; agg++ {
		schema.Metrics = append(schema.Metrics, row.Metric{Agg: agg, Name: agg.String(), FieldName: "v", MaxStringBytes: 20})
	}
	schema.Metrics = append(schema.Metrics,
		row.Metric{Agg: row.AggLongLast, Name: "byOther", FieldName: "v", TimeColumn: "at"},
		row.Metric{Agg: row.AggHyperUnique, Name: "users", FieldName: "u", Round: true})
	var records []index.Record
	for i := range 3000 {
		v := []string{`null`, fmt.Sprint(i), fmt.Sprintf("%d.25", i), `"12"`}[i%4]
		records = append(records, index.Record{Offset: int64(i), Value: fmt.Appendf(nil,
			`{"t":%d,"k":"k%d","v":%s,"u":["user-%d","x"],"at":%d}`, i*7919%1000, i%5, v, i, i*1e9)})
	}
	_, built := build(t, index.Config{
		Schema: schema, Parser: inputformat.NewJSON(schema), Dir: t.TempDir(), MaxRowsInMemory: 3, MaxParseExceptions: -1,
		TimestampSpecJSON:    []byte(`{"column":"t","format":"millis","missingValue":null}`),
		QueryGranularityJSON: []byte(`"DAY"`),
	}, records, 100)
	out, err := exec.Command("bash", filepath.Join(druidTools(t), "dump-segment.sh"), built[0].Dir, "rows").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	compareLines(t, dump(t, built[0].Dir), strings.Split(strings.TrimSpace(string(out)), "\n"))
}
