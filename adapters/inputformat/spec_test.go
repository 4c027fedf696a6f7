package inputformat_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/adapters/segment"
	"ogham/domain/row"
	"ogham/domain/transform"
)

// goldens gives the folder of recordings: beside the repository, or where OGHAM_GOLDENS says, or the copies in testdata.
func goldens(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("OGHAM_GOLDENS"); dir != "" {
		return dir
	}
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the package")
		}
		dir = up
	}
	dir = filepath.Join(dir, "..", "shared", "goldens")
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return "testdata"
	}
	return dir
}

// task is what the tests read of a supervisor spec.
type task struct {
	schema      row.Schema
	topic       string
	format      json.RawMessage
	indexSpec   segment.IndexSpec
	timestamp   json.RawMessage
	queryGran   json.RawMessage
	maxRows     int
	savedErrors int
}

type dimensionSpec struct {
	Type, Name, MultiValueHandling string
	CreateBitmapIndex              *bool
}

func readTask(t testing.TB, path string) task {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Spec struct {
			DataSchema struct {
				TimestampSpec  json.RawMessage
				DimensionsSpec struct {
					Dimensions           []json.RawMessage
					DimensionExclusions  []string
					IncludeAllDimensions bool
					UseSchemaDiscovery   bool
				}
				MetricsSpec []struct {
					Type, Name, FieldName, Expression string
				}
				GranularitySpec struct {
					SegmentGranularity, QueryGranularity json.RawMessage
					Rollup                               *bool
				}
				TransformSpec json.RawMessage
			}
			IOConfig struct {
				Topic       string
				InputFormat json.RawMessage
			}
			TuningConfig struct {
				IndexSpec               json.RawMessage
				MaxRowsInMemory         int
				MaxSavedParseExceptions int
			}
		}
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	d := s.Spec.DataSchema
	k := task{topic: s.Spec.IOConfig.Topic, format: s.Spec.IOConfig.InputFormat, timestamp: d.TimestampSpec, queryGran: d.GranularitySpec.QueryGranularity}
	k.maxRows, k.savedErrors = s.Spec.TuningConfig.MaxRowsInMemory, s.Spec.TuningConfig.MaxSavedParseExceptions
	if k.indexSpec, err = segment.ParseIndexSpec(s.Spec.TuningConfig.IndexSpec); err != nil {
		t.Fatal(err)
	}
	k.schema.Timestamp = readTimestamp(t, d.TimestampSpec)
	for _, r := range d.DimensionsSpec.Dimensions {
		k.schema.Dimensions = append(k.schema.Dimensions, readDimension(t, r))
	}
	k.schema.DimensionExclusions = d.DimensionsSpec.DimensionExclusions
	k.schema.DiscoverDimensions = d.DimensionsSpec.IncludeAllDimensions || len(k.schema.Dimensions) == 0 ||
		d.DimensionsSpec.UseSchemaDiscovery
	k.schema.DiscoverTypes = d.DimensionsSpec.UseSchemaDiscovery
	for _, m := range d.MetricsSpec {
		agg, ok := row.ParseAggregator(m.Type)
		if !ok {
			t.Fatalf("aggregator %s", m.Type)
		}
		k.schema.Metrics = append(k.schema.Metrics, row.Metric{Agg: agg, Name: m.Name, FieldName: m.FieldName, Expression: m.Expression})
	}
	k.schema.TransformSpec = d.TransformSpec
	k.schema.Rollup = d.GranularitySpec.Rollup == nil || *d.GranularitySpec.Rollup
	k.schema.SegmentGranularity = readGranularity(t, d.GranularitySpec.SegmentGranularity, "DAY")
	k.schema.QueryGranularity = readGranularity(t, d.GranularitySpec.QueryGranularity, "NONE")
	return k
}

func readTimestamp(t testing.TB, raw json.RawMessage) row.Timestamp {
	t.Helper()
	var s struct {
		Column, Format string
		MissingValue   string
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		t.Fatal(err)
	}
	if s.Format == "" {
		s.Format = "auto"
	}
	ts, err := row.ParseTimestamp(s.Column, s.Format)
	if err != nil {
		t.Fatal(err)
	}
	if s.MissingValue != "" {
		ms, ok := row.ParseISO(s.MissingValue)
		if !ok {
			t.Fatalf("missing value %q", s.MissingValue)
		}
		ts.MissingValue = &ms
	}
	return ts
}

func readDimension(t testing.TB, raw json.RawMessage) row.Dimension {
	t.Helper()
	var d dimensionSpec
	if raw[0] == '"' {
		if err := json.Unmarshal(raw, &d.Name); err != nil {
			t.Fatal(err)
		}
	} else if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatal(err)
	}
	typ, ok := row.ParseType(d.Type)
	if !ok {
		t.Fatalf("dimension type %q", d.Type)
	}
	out := row.Dimension{Name: d.Name, Type: typ, NoBitmap: d.CreateBitmapIndex != nil && !*d.CreateBitmapIndex}
	switch strings.ToUpper(d.MultiValueHandling) {
	case "ARRAY":
		out.MultiValueHandling = row.Array
	case "SORTED_SET":
		out.MultiValueHandling = row.SortedSet
	}
	return out
}

func readGranularity(t testing.TB, raw json.RawMessage, missing string) row.Granularity {
	t.Helper()
	name := missing
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &name); err != nil {
			t.Fatal(err)
		}
	}
	g, err := row.ParseGranularity(name)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// config gives the index config of a task.
func (k task) config(t testing.TB) index.Config {
	t.Helper()
	transformer, schema, err := transform.Compile(k.schema)
	if err != nil {
		t.Fatal(err)
	}
	p, err := inputformat.New(k.format, schema)
	if err != nil {
		t.Fatal(err)
	}
	return index.Config{
		Schema: schema, Parser: p, Transform: transformer, Dir: t.TempDir(), MaxRowsInMemory: k.maxRows, IndexSpec: k.indexSpec,
		TimestampSpecJSON: k.timestamp, QueryGranularityJSON: k.queryGran, MaxParseExceptions: -1,
		MaxSavedParseExceptions: k.savedErrors,
	}
}

// build adds the records in batches of a size and finishes.
func build(t testing.TB, c index.Config, records []index.Record, batch int) (*index.Builder, []index.Built) {
	t.Helper()
	b, err := index.NewBuilder(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	for at := 0; at < len(records); at += batch {
		if err := b.AddBatch(records[at:min(at+batch, len(records))]); err != nil {
			t.Fatal(err)
		}
	}
	built, err := b.Finish(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return b, built
}

// dump gives a segment's rows, one JSON object a line.
func dump(t testing.TB, dir string) []string {
	t.Helper()
	r, err := segment.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out bytes.Buffer
	if err := r.DumpRows(&out); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
}

// readLines reads a file, or the same with .gz, by lines.
func readLines(t testing.TB, path string) []string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		f, err := os.Open(path + ".gz")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		z, err := gzip.NewReader(f)
		if err != nil {
			t.Fatal(err)
		}
		var out []string
		s := bufio.NewScanner(z)
		s.Buffer(nil, 1<<20)
		for s.Scan() {
			out = append(out, s.Text())
		}
		if err := s.Err(); err != nil {
			t.Fatal(err)
		}
		return out
	}
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(raw), "\n"), "\n")
}

func recordsOf(lines []string) []index.Record {
	out := make([]index.Record, len(lines))
	for i, l := range lines {
		out[i] = index.Record{Offset: int64(i), Value: []byte(l)}
	}
	return out
}

func compareLines(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "(none)", "(none)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Fatalf("row %d of %d\n got %s\nwant %s", i, len(want), g, w)
		}
	}
}
