package inputformat_test

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ogham/adapters/index"
	"ogham/domain/row"
)

func TestSegmentsHaveTheRowsDruidStored(t *testing.T) {
	for _, name := range []string{
		"single-string", "multi-value", "nulls-empty", "numeric-dims", "metrics-norollup", "rollup", "many-blocks",
		"high-cardinality", "spills", "spills-rollup", "schemaless", "lzf", "zstd", "uncompressed", "long-auto",
		"uncompressed-blocks", "concise", "front-coded", "auto-discovery",
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(goldens(t), "segments", name)
			k := readTask(t, filepath.Join(dir, "spec.json"))
			_, built := build(t, k.config(t), recordsOf(readLines(t, filepath.Join(dir, "input.ndjson"))), 10)
			if len(built) != 1 {
				t.Fatalf("built %d segments", len(built))
			}
			compareLines(t, dump(t, built[0].Dir), readLines(t, filepath.Join(dir, "rows.json")))
			checkDescriptor(t, built[0], filepath.Join(dir, "segment.json"))
		})
	}
}

// checkDescriptor compares what is published of a segment.
func checkDescriptor(t *testing.T, s index.Built, path string) {
	t.Helper()
	var want struct{ Interval, Dimensions, Metrics string }
	readJSON(t, path, &want)
	if got := row.FormatISO(s.IntervalStart) + "/" + row.FormatISO(s.IntervalEnd); got != want.Interval {
		t.Errorf("interval %s, want %s", got, want.Interval)
	}
	if got := strings.Join(s.Dimensions, ","); got != want.Dimensions {
		t.Errorf("dimensions %s, want %s", got, want.Dimensions)
	}
	if got := strings.Join(s.Metrics, ","); got != want.Metrics {
		t.Errorf("metrics %s, want %s", got, want.Metrics)
	}
}

func readJSON(t testing.TB, path string, v any) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

type scanned struct {
	SegmentID string
	Columns   []string
	Events    [][]any
}

func TestIngestIsWhatDruidMadeOfIt(t *testing.T) {
	for _, name := range []string{
		"granularity-hour", "json-types-and-nested", "late-early-periods", "multi-value-handling", "null-and-empty",
		"parse-errors", "rollup-aggregators", "schema-discovery", "schema-discovery-string", "timestamp-auto", "timestamp-missing-value",
		"timestamp-posix", "timestamp-joda-pattern", "transform-and-filter", "json-flatten", "kafka-format", "tsv", "csv-multivalue",
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(goldens(t), "ingest", name)
			k := readTask(t, filepath.Join(dir, "spec.json"))
			if name == "late-early-periods" {
				// P10000D around the day of the recording.
				low, high := int64(1795392000000-10000*86400000), int64(1795392000000+10000*86400000)
				k.schema.MinTime, k.schema.MaxTime = &low, &high
			}
			b, built := build(t, k.config(t), messages(t, dir, k.topic), 7)
			checkScan(t, dir, built)
			checkCounters(t, dir, b.Counters())
			checkErrors(t, dir, b.ParseExceptions())
		})
	}
}

func messages(t testing.TB, dir, topic string) []index.Record {
	t.Helper()
	var list []struct {
		Partition         int32
		Offset, Timestamp int64
		Key, Value        *string
		Headers           []struct{ Key, Value string }
	}
	readJSON(t, filepath.Join(dir, "messages.json"), &list)
	var out []index.Record
	for _, m := range list {
		r := index.Record{Partition: m.Partition, Offset: m.Offset, TimestampMillis: m.Timestamp, Topic: topic}
		if m.Value != nil {
			r.Value = fromBase64(t, *m.Value)
		}
		if m.Key != nil {
			r.Key = fromBase64(t, *m.Key)
		}
		for _, h := range m.Headers {
			r.Headers = append(r.Headers, index.Header{Key: h.Key, Value: fromBase64(t, h.Value)})
		}
		out = append(out, r)
	}
	return out
}

func fromBase64(t testing.TB, s string) []byte {
	t.Helper()
	v, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{}, v...)
}

// checkScan compares the rows in the order stored.
func checkScan(t *testing.T, dir string, built []index.Built) {
	t.Helper()
	var want []scanned
	readJSON(t, filepath.Join(dir, "scan.json"), &want)
	if len(built) != len(want) {
		t.Fatalf("built %d segments, want %d", len(built), len(want))
	}
	for i, s := range want {
		if !strings.Contains(s.SegmentID, row.FormatISO(built[i].IntervalStart)+"_"+row.FormatISO(built[i].IntervalEnd)) {
			t.Errorf("segment %d is %s_%s, want %s", i, row.FormatISO(built[i].IntervalStart),
				row.FormatISO(built[i].IntervalEnd), s.SegmentID)
		}
		lines := dump(t, built[i].Dir)
		if len(lines) != len(s.Events) {
			t.Fatalf("segment %s has %d rows, want %d: %q", s.SegmentID, len(lines), len(s.Events), lines)
		}
		for j, line := range lines {
			var got map[string]any
			if err := json.Unmarshal([]byte(line), &got); err != nil {
				t.Fatalf("%s: %v", line, err)
			}
			for c, name := range s.Columns {
				if !same(got[name], s.Events[j][c]) && !hasAddress(s.Events[j][c]) {
					t.Errorf("row %d column %s is %v, want %v (%s)", j, name, got[name], s.Events[j][c], line)
				}
			}
		}
	}
}

// hasAddress says whether a recorded value has the address of a Java object, which is another in each run.
func hasAddress(v any) bool {
	text, err := json.Marshal(v)
	return err == nil && strings.Contains(string(text), "[Ljava.lang.Object;@")
}

// same compares values; floats of float columns are printed with float precision by one side and not by the other.
func same(a, b any) bool {
	x, ok1 := a.(float64)
	y, ok2 := b.(float64)
	if ok1 && ok2 {
		return x == y || float32(x) == float32(y) && math.Abs(x-y) < 1e-6*math.Abs(x)
	}
	return reflect.DeepEqual(a, b)
}

func checkCounters(t *testing.T, dir string, got row.Counters) {
	t.Helper()
	var c struct {
		StatsTotalsFull []struct {
			BuildSegments struct{ Processed, ProcessedBytes, ProcessedWithError, ThrownAway, Unparseable int64 }
		}
	}
	readJSON(t, filepath.Join(dir, "case.json"), &c)
	want := c.StatsTotalsFull[0].BuildSegments
	if got.Processed != want.Processed || got.ProcessedBytes != want.ProcessedBytes ||
		got.ProcessedWithError != want.ProcessedWithError || got.ThrownAway != want.ThrownAway ||
		got.Unparseable != want.Unparseable {
		t.Errorf("counters %+v, want %+v", got, want)
	}
	rows := int64(0)
	for _, n := range got.RecordsProcessed {
		rows += n
	}
	if rows != got.Processed+got.ProcessedWithError {
		t.Errorf("%d rows by partition, %d processed", rows, got.Processed+got.ProcessedWithError)
	}
}

// checkErrors compares the saved errors, newest first, where the case saves any.
func checkErrors(t *testing.T, dir string, got []row.ParseException) {
	t.Helper()
	var u struct {
		Response struct {
			JSON []struct {
				Input, ErrorType string
				Details          []string
			}
		}
	}
	readJSON(t, filepath.Join(dir, "unparseable-events.json"), &u)
	want := u.Response.JSON
	if len(got) != len(want) {
		t.Fatalf("%d errors saved, want %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		g := got[i]
		if g.Input != w.Input || g.ErrorType != w.ErrorType || !slices.Equal(g.Details, w.Details) {
			t.Errorf("error %d\n got %s %q %q\nwant %s %q %q", i, g.ErrorType, g.Input, g.Details, w.ErrorType, w.Input, w.Details)
		}
	}
}
