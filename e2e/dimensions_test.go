package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/adapters/segment"
	rows "ogham/domain/row"
	"ogham/domain/spec"
	"ogham/worker"
)

// dimensionCase is what Druid's own incremental index and merger made of rows: persisted at the cuts, and merged.
type dimensionCase struct {
	Name       string
	Dims       json.RawMessage
	Metrics    json.RawMessage
	Rollup     bool
	Rows       []json.RawMessage
	Cuts       []int
	Adds       []string // what was wrong with each row
	MergedDims []string
	Files      map[string][]byte // the segment's internal files
}

// build has the index make a segment of the case's rows.
func (c *dimensionCase) build(t *testing.T) (*index.Builder, index.Built) {
	t.Helper()
	posted := `{"type":"kafka","spec":{"dataSchema":{"dataSource":"d","timestampSpec":{"column":"t","format":"millis"},"dimensionsSpec":` +
		string(c.Dims) + `,"metricsSpec":` + cmp.Or(string(c.Metrics), "[]") + `,"granularitySpec":{"segmentGranularity":"DAY","queryGranularity":"NONE","rollup":` +
		strconv.FormatBool(c.Rollup) + `}},"ioConfig":{"topic":"t","inputFormat":{"type":"json"},"consumerProperties":{"bootstrap.servers":"h:1"}},
		"tuningConfig":{"type":"kafka","indexSpec":{"dimensionCompression":"uncompressed","metricCompression":"none"}}}}`
	s, err := spec.Parse([]byte(posted))
	if err != nil {
		t.Fatal(err)
	}
	if u := s.Unsupported(); len(u) > 0 {
		t.Fatal(u)
	}
	schema, err := worker.SchemaOf(s, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	indexSpec, err := segment.ParseIndexSpec(s.TuningConfig.IndexSpec)
	if err != nil {
		t.Fatal(err)
	}
	b, err := index.NewBuilder(index.Config{
		Schema: schema, Parser: inputformat.NewJSON(schema), Dir: t.TempDir(), MaxParseExceptions: -1, MaxSavedParseExceptions: len(c.Rows),
		IndexSpec:         indexSpec,
		TimestampSpecJSON: s.DataSchema.TimestampSpec.Raw, QueryGranularityJSON: s.DataSchema.GranularitySpec.QueryGranularity.Raw,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	for at, cuts := 0, append(slices.Clone(c.Cuts), len(c.Rows)); len(cuts) > 0; cuts = cuts[1:] {
		var batch []index.Record
		for ; at < cuts[0]; at++ {
			batch = append(batch, index.Record{Offset: int64(at), Value: c.Rows[at]})
		}
		if err := b.AddBatch(batch); err != nil {
			t.Fatal(err)
		}
		if err := b.Persist(context.Background()); err != nil {
			t.Fatal(err)
		}
	}
	built, err := b.Finish(context.Background())
	if err != nil || len(built) != 1 {
		t.Fatalf("%d segments, %v", len(built), err)
	}
	return b, built[0]
}

// compressed are the endings of files that are always compressed, which need not be the same to the byte. What the first
// holds is in the bitmaps too.
var compressed = regexp.MustCompile(`\.__(encodedColumn|raw_compressed|raw_offsets)$`)

// TestDimensionsAreDruids: where rows stand, what castToType makes of values and which are errors, and the bytes of the
// segments, are what Druid's classes made of the same rows.
func TestDimensionsAreDruids(t *testing.T) {
	cases := 0
	for line := range bytes.Lines(unpacked(t, filepath.Join("testdata", "dimensions.jsonl"))) {
		var c dimensionCase
		unmarshal(t, line, &c)
		cases++
		t.Run(c.Name, func(t *testing.T) {
			b, built := c.build(t)
			if !reflect.DeepEqual(built.Dimensions, c.MergedDims) && len(c.MergedDims) > 0 {
				t.Errorf("the dimensions are %q, want %q", built.Dimensions, c.MergedDims)
			}
			c.checkErrors(t, b.ParseExceptions(), b.Counters())
			got := internalFiles(t, built.Dir)
			for name, want := range c.Files {
				have, ok := got[name]
				delete(got, name)
				switch {
				case !ok:
					t.Errorf("there is no file %s", name)
				case !bytes.Equal(have, want) && !compressed.MatchString(name):
					t.Errorf("%s is\n%q, want\n%q", name, have, want)
				}
			}
			for name := range got {
				t.Errorf("there is a file %s, which Druid has not", name)
			}
		})
	}
	if cases < 100 {
		t.Errorf("%d cases were recorded, want 100 or more", cases)
	}
}

// checkErrors compares what was wrong with rows, which the newest is told of first.
func (c *dimensionCase) checkErrors(t *testing.T, saved []rows.ParseException, counters rows.Counters) {
	t.Helper()
	var got, want []string
	for _, e := range slices.Backward(saved) {
		got = append(got, strings.Join(e.Details, ","))
	}
	for _, text := range c.Adds {
		if _, text, ok := strings.Cut(text, "exceptions: ["); ok {
			want = append(want, strings.TrimSuffix(strings.TrimSuffix(text, "]"), ","))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the errors are\n%q, want\n%q", got, want)
	}
	if counters.ProcessedWithError != int64(len(want)) || counters.Processed != int64(len(c.Rows)-len(want)) {
		t.Errorf("the counters are %+v, want %d of %d rows with errors", counters, len(want), len(c.Rows))
	}
}

// internalFiles reads the files within a segment's only chunk.
func internalFiles(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	chunk, err := os.ReadFile(filepath.Join(dir, "00000.smoosh"))
	if err != nil {
		t.Fatal(err)
	}
	contents, err := os.ReadFile(filepath.Join(dir, "meta.smoosh"))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for line := range strings.Lines(string(contents)) {
		var number, start, end int
		name, place, _ := strings.Cut(strings.TrimSpace(line), ",")
		if n, _ := fmt.Sscanf(place, "%d,%d,%d", &number, &start, &end); n == 3 {
			files[name] = chunk[start:end]
		}
	}
	return files
}
