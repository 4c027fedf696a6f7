package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"ogham/adapters/segment"
)

// TestIngestGoldens has one server ingest every recorded case, and compares what it counts, saves, reports and publishes
// with what Druid did.
func TestIngestGoldens(t *testing.T) {
	t.Parallel()
	cases := ingestGoldens(t)
	b := newBroker(t)
	b.produce(cases, (*ingestCase).topic)
	s := newServer(t, "ingest", "-D", fmt.Sprintf("druid.worker.capacity=%d", len(cases))).start()
	t.Run("cases", func(t *testing.T) {
		for i := range cases {
			c := &cases[i]
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				in := s.ingest(t, c, c.dataSource(), c.topic(), b.servers)
				c.checkTold(t, in)
				c.checkDescriptors(t, in.segments)
				c.checkStored(t, in.segments)
				c.checkSegmentMetadata(t, in.segments)
			})
		}
	})
	checkHistory(t, s.events(t))
}

// dataSource and topic are those of the recording.
func (c *ingestCase) dataSource() string {
	return c.spec["spec"].(map[string]any)["dataSchema"].(map[string]any)["dataSource"].(string)
}

func (c *ingestCase) topic() string {
	return c.spec["spec"].(map[string]any)["ioConfig"].(map[string]any)["topic"].(string)
}

// recorded is a file of the recording that holds an exchange.
func (c *ingestCase) recorded(t *testing.T, file string) json.RawMessage {
	t.Helper()
	var x struct {
		Response struct {
			Status int
			Body   string
		}
	}
	if c.read(t, file, &x); x.Response.Status != 200 {
		return nil
	}
	return json.RawMessage(x.Response.Body)
}

// rowTotals are what a task has counted by kind.
type rowTotals struct {
	Totals struct{ BuildSegments map[string]json.Number }
}

// savedError is a saved parse error without its time.
type savedError struct {
	Input, ErrorType string
	Details          []string
}

// checkTold compares the counters, the saved errors and the final report.
func (c *ingestCase) checkTold(t *testing.T, in ingested) {
	t.Helper()
	var got, want map[string]map[string]rowTotals
	unmarshal(t, in.stats, &got)
	unmarshal(t, c.recorded(t, "stats"), &want)
	if g, w := sumOf(got), sumOf(want); !reflect.DeepEqual(g, w) {
		t.Errorf("the stats count %v, recorded %v", g, w)
	}
	for what, raw := range map[string][2]json.RawMessage{
		"parseErrors": {in.parseErrors, c.recorded(t, "parse-errors")}, "unparseableEvents": {in.unparseable, c.recorded(t, "unparseable-events")},
	} {
		var got, want []savedError
		unmarshal(t, raw[0], &got)
		unmarshal(t, raw[1], &want)
		if !(len(got) == 0 && len(want) == 0) && !reflect.DeepEqual(got, want) {
			t.Errorf("%s are\n%+v\nrecorded\n%+v", what, got, want)
		}
	}
	type report struct {
		IngestionStatsAndErrors struct {
			Payload struct {
				IngestionState    string
				UnparseableEvents map[string][]savedError
				RowStats          map[string]map[string]json.Number
				ErrorMsg          *string
				RecordsProcessed  map[string]int64
			}
		}
	}
	var ours, theirs report
	unmarshal(t, in.report, &ours)
	unmarshal(t, c.recorded(t, "task-report"), &theirs)
	if !reflect.DeepEqual(ours, theirs) {
		t.Errorf("the report is\n%+v\nrecorded\n%+v", ours, theirs)
	}
}

func unmarshal(t *testing.T, b []byte, v any) {
	t.Helper()
	if len(bytes.TrimSpace(b)) == 0 {
		return
	}
	if err := json.Unmarshal(b, v); err != nil {
		t.Fatalf("%v: %s", err, clip(string(b)))
	}
}

// sumOf adds what all tasks of a supervisor count.
func sumOf(groups map[string]map[string]rowTotals) map[string]int64 {
	sum := map[string]int64{}
	for _, tasks := range groups {
		for _, task := range tasks {
			for kind, n := range task.Totals.BuildSegments {
				v, _ := n.Int64()
				sum[kind] += v
			}
		}
	}
	return sum
}

// descriptor is what the tests compare of a published segment.
type descriptor struct {
	DataSource, Interval, Dimensions, Metrics string
	ShardSpec                                 map[string]any
	BinaryVersion                             int
	Size                                      int64
}

// byInterval orders descriptors by their interval as text, then by partition.
func byInterval(a, b descriptor) int {
	if c := strings.Compare(a.Interval, b.Interval); c != 0 {
		return c
	}
	return strings.Compare(fmt.Sprint(a.ShardSpec["partitionNum"]), fmt.Sprint(b.ShardSpec["partitionNum"]))
}

func descriptorOf(t *testing.T, p published) (d descriptor) {
	t.Helper()
	unmarshal(t, p.Descriptor, &d)
	return d
}

// checkDescriptors compares what is published of the segments.
func (c *ingestCase) checkDescriptors(t *testing.T, all []published) {
	t.Helper()
	var got, want []descriptor
	c.read(t, "segments", &want)
	for _, p := range all {
		got = append(got, descriptorOf(t, p))
	}
	slices.SortFunc(got, byInterval)
	slices.SortFunc(want, byInterval)
	if len(got) != len(want) {
		t.Fatalf("%d segments are published, recorded were %d: %+v", len(got), len(want), got)
	}
	for i, w := range want {
		c.checkDescriptor(t, got[i], w)
	}
}

// checkDescriptor wants the same of one segment. Sizes may differ by an eighth: no two compressors agree.
func (c *ingestCase) checkDescriptor(t *testing.T, got, want descriptor) {
	t.Helper()
	if d := math.Abs(float64(got.Size - want.Size)); d > float64(want.Size)/8 {
		t.Errorf("segment %s has %d bytes, recorded were %d", got.Interval, got.Size, want.Size)
	}
	if got.Size = want.Size; !sameJSON(got, want) {
		t.Errorf("a segment is published as\n%+v\nrecorded\n%+v", got, want)
	}
}

// sameJSON compares the JSON forms, in which numbers are what they are.
func sameJSON(a, b any) bool {
	x, err1 := json.Marshal(a)
	y, err2 := json.Marshal(b)
	return err1 == nil && err2 == nil && bytes.Equal(x, y)
}

// scanned is a segment in the answer to a scan query.
type scanned struct {
	SegmentID string
	Columns   []string
	Events    [][]any
}

// checkStored compares the rows of each segment: in the order stored, where one partition was read.
func (c *ingestCase) checkStored(t *testing.T, all []published) {
	t.Helper()
	var want []scanned
	c.read(t, "scan", &want)
	if len(want) != len(all) {
		t.Errorf("%d segments are stored, recorded were %d", len(all), len(want))
	}
	for _, w := range want {
		i := slices.IndexFunc(all, func(p published) bool {
			return strings.Contains(w.SegmentID, "_"+strings.ReplaceAll(descriptorOf(t, p).Interval, "/", "_")+"_")
		})
		if i < 0 {
			t.Errorf("segment %s is missing", w.SegmentID)
			continue
		}
		var got, rows [][]any
		for _, line := range dumpOf(t, all[i]) {
			row := make([]any, len(w.Columns))
			for k, name := range w.Columns {
				row[k] = line[name]
			}
			got = append(got, row)
		}
		rows = append(rows, w.Events...)
		if c.partitions() > 1 {
			slices.SortFunc(got, byText)
			slices.SortFunc(rows, byText)
		}
		compareRows(t, w.SegmentID, w.Columns, got, rows)
	}
}

// dumpOf has our reader print the rows of a segment.
func dumpOf(t *testing.T, p published) (rows []map[string]any) {
	t.Helper()
	r, err := segment.Open(p.place(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var b bytes.Buffer
	if err := r.DumpRows(&b); err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(b.Bytes()) {
		var row map[string]any
		if err := decodeNumbers(line, &row); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		rows = append(rows, row)
	}
	return rows
}

func byText(a, b []any) int { return strings.Compare(fmt.Sprint(a...), fmt.Sprint(b...)) }

// compareRows wants the same values in the same order.
func compareRows(t *testing.T, what string, columns []string, got, want [][]any) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s has %d rows, want %d:\n%v\nwant\n%v", what, len(got), len(want), clip(fmt.Sprint(got)), clip(fmt.Sprint(want)))
		return
	}
	wrong := 0
	for i := range want {
		for k := range want[i] {
			if !sameValue(got[i][k], want[i][k]) {
				if wrong++; wrong < 10 {
					t.Errorf("%s: row %d, %s is %v, want %v", what, i, columns[k], got[i][k], want[i][k])
				}
			}
		}
	}
}

// sameValue compares values of JSON. Numbers are the same when they differ by no more than the order of additions, or
// the one was printed as a float; an address of a Java object is another in each run.
func sameValue(a, b any) bool {
	x, ok1 := a.(json.Number)
	y, ok2 := b.(json.Number)
	if ok1 && ok2 {
		f, err1 := x.Float64()
		g, err2 := y.Float64()
		return x == y || err1 == nil && err2 == nil && (float32(f) == float32(g) || same(f, g)) && !(isWhole(x) && isWhole(y))
	}
	if isAddress(b) {
		return true
	}
	return reflect.DeepEqual(a, b)
}

// same tells whether two sums are the same up to the order in which they were added.
func same(a, b float64) bool { return math.Abs(a-b) <= 1e-9*max(math.Abs(a), math.Abs(b), 1) }

// isAddress says whether a recorded value has the address of a Java object.
func isAddress(v any) bool { return strings.Contains(fmt.Sprint(v), "[Ljava.lang.Object;@") }

// columnsOfAddresses are those whose size depends on addresses.
func (c *ingestCase) columnsOfAddresses(t *testing.T) map[string]bool {
	t.Helper()
	var all []scanned
	c.read(t, "scan", &all)
	found := map[string]bool{}
	for _, s := range all {
		for _, row := range s.Events {
			for i, v := range row {
				if isAddress(v) {
					found[s.Columns[i]] = true
				}
			}
		}
	}
	return found
}

func isWhole(n json.Number) bool { return !strings.ContainsAny(string(n), ".eE") }

// checkSegmentMetadata compares what our reader says of the columns with Druid's segmentMetadata query.
func (c *ingestCase) checkSegmentMetadata(t *testing.T, all []published) {
	t.Helper()
	var want []map[string]any
	c.read(t, "segment-metadata", &want)
	addressed := c.columnsOfAddresses(t)
	for _, w := range want {
		interval := w["intervals"].([]any)[0].(string)
		i := slices.IndexFunc(all, func(p published) bool { return bytes.Contains(p.Descriptor, []byte(`"`+interval+`"`)) })
		if i < 0 {
			t.Errorf("there is no segment of %s", interval)
			continue
		}
		got := metadataOf(t, all[i])
		for name, column := range w["columns"].(map[string]any) {
			m := column.(map[string]any)
			delete(m, "typeSignature")
			delete(m, "errorMessage")
			ours := got["columns"].(map[string]any)[name]
			if o, ok := ours.(map[string]any); ok && addressed[name] {
				o["size"], m["size"], got["size"], w["size"] = nil, nil, nil, nil
			}
			if !reflect.DeepEqual(ours, column) {
				t.Errorf("%s: column %s is\n%v\nrecorded\n%v", interval, name, ours, column)
			}
		}
		if g, w := len(got["columns"].(map[string]any)), len(w["columns"].(map[string]any)); g != w {
			t.Errorf("%s has %d columns, recorded were %d", interval, g, w)
		}
		for _, key := range []string{"size", "numRows", "aggregators", "queryGranularity", "rollup"} {
			if !reflect.DeepEqual(got[key], w[key]) {
				t.Errorf("%s: %s is %v, recorded %v", interval, key, got[key], w[key])
			}
		}
	}
}

func metadataOf(t *testing.T, p published) map[string]any {
	t.Helper()
	r, err := segment.Open(p.place(t))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	var b bytes.Buffer
	if err := r.DumpMetadata(&b); err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := decodeNumbers(b.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	columns := map[string]any{}
	for _, c := range got["columns"].([]any) {
		m := c.(map[string]any)
		columns[m["name"].(string)] = m
		delete(m, "name")
	}
	got["columns"] = columns
	return got
}
