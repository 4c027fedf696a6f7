package index

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ogham/adapters/segment"
	"ogham/domain/row"
)

// lineParser reads records of lines "millis,word,number"; an empty word is null, "!" is a syntax error. It stands for
// any input format, so that the index is tested without one.
type lineParser struct {
	rows  row.Rows
	apart bool // each line stands for itself
}

func (p *lineParser) Parse(r *Record) (*row.Rows, error) {
	value := r.Value
	p.rows = row.Rows{Width: 3, Apart: p.apart}
	number := 0
	for line := range bytes.SplitSeq(value, []byte("\n")) {
		fields := bytes.Split(line, []byte(","))
		number++
		if len(fields) != 3 && p.apart {
			p.rows.Broken = append(p.rows.Broken, row.Broken{
				Input: string(line), Message: "no row", Before: p.rows.Count, Line: number,
			})
			continue
		}
		if len(fields) != 3 {
			return nil, &row.RecordError{Input: string(value), Message: row.SyntaxMessage(string(value))}
		}
		p.rows.Count++
		p.rows.Lines = append(p.rows.Lines, number)
		p.rows.Values = append(p.rows.Values, row.Value{Kind: row.String, Text: fields[0]})
		for _, f := range fields[1:] {
			v := row.Value{Kind: row.String, Text: f}
			if len(f) == 0 {
				v = row.Value{Kind: row.Null}
			}
			p.rows.Values = append(p.rows.Values, v)
		}
	}
	return &p.rows, nil
}

func (p *lineParser) Discovered() []string { return nil }

func (p *lineParser) Event(r *Record, i int) string {
	return "{" + strings.Split(string(r.Value), "\n")[i] + "}"
}

func lineConfig(t testing.TB) Config {
	t.Helper()
	hour, err := row.ParseGranularity("HOUR")
	if err != nil {
		t.Fatal(err)
	}
	return Config{
		Schema: row.Schema{
			Timestamp:          row.Timestamp{Column: "t", Format: row.FormatMillis},
			Dimensions:         []row.Dimension{{Name: "w"}},
			Metrics:            []row.Metric{{Agg: row.AggCount, Name: "n"}, {Agg: row.AggLongSum, Name: "sum", FieldName: "x"}},
			Rollup:             true,
			SegmentGranularity: hour,
		},
		Parser: &lineParser{}, Dir: t.TempDir(), MaxParseExceptions: -1, MaxSavedParseExceptions: 2,
		Now: func() int64 { return 42 },
	}
}

func newTestBuilder(t testing.TB, c Config) *Builder {
	t.Helper()
	b, err := NewBuilder(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}

func lines(values ...string) []Record {
	out := make([]Record, len(values))
	for i, v := range values {
		out[i] = Record{Partition: int32(i % 2), Offset: int64(i), Value: []byte(v)}
	}
	return out
}

func rowsOf(t testing.TB, dir string) string {
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
	return out.String()
}

func TestRowsThatStandApartLoseNoOther(t *testing.T) {
	c := lineConfig(t)
	c.Parser, c.MaxSavedParseExceptions = &lineParser{apart: true}, 9
	b := newTestBuilder(t, c)
	if err := b.AddBatch(lines("1000,a,1\n!\nbad,b,1\n2000,c,1\n?", "?")); err != nil {
		t.Fatal(err)
	}
	if got := b.Counters(); got.Processed != 2 || got.Unparseable != 4 {
		t.Errorf("counters %+v, want 2 processed and 4 unparseable", got)
	}
	want := []string{
		"no row (Record: 1, Line: 1)",
		"no row (Record: 3, Line: 5)",
		"Timestamp[bad] is unparseable! Event: {!} (Record: 2, Line: 3)",
		"no row (Record: 2, Line: 2)",
	}
	saved := b.ParseExceptions()
	if len(saved) != len(want) {
		t.Fatalf("%d errors saved, want %d: %+v", len(saved), len(want), saved)
	}
	for i, w := range want {
		if got := saved[i].Details[0]; got != w {
			t.Errorf("error %d is %q, want %q", i, got, w)
		}
	}
}

// brokenParser fails as no record should make a parser fail.
type brokenParser struct{ lineParser }

func (p *brokenParser) Parse(*Record) (*row.Rows, error) { return nil, errors.New("out of order") }

func TestAParserThatFailsFailsTheTask(t *testing.T) {
	c := lineConfig(t)
	c.Parser = &brokenParser{}
	b := newTestBuilder(t, c)
	if err := b.AddBatch(lines("1000,a,1")); err == nil || err.Error() != "out of order" {
		t.Errorf("AddBatch returned %v, want the parser's error", err)
	}
	if got := b.Counters(); got.Unparseable != 0 || got.ProcessedBytes != 8 {
		t.Errorf("counters %+v, want the bytes and nothing unparseable", got)
	}
}

func TestRowsGoToTheirIntervalsAndCount(t *testing.T) {
	c := lineConfig(t)
	low := int64(1000)
	c.Schema.MinTime = &low
	b := newTestBuilder(t, c)
	records := lines("1000,a,1", "1000,a,2", "3600000,b,x", "2000,,3\n2000,,", "bad,a,1", "!", "999,a,1", "3600000,b,5")
	records = append(records, Record{Partition: 7, Offset: 1})
	if err := b.AddBatch(records); err != nil {
		t.Fatal(err)
	}
	got := b.Counters()
	if got.Processed != 5 || got.ProcessedWithError != 1 || got.Unparseable != 2 || got.ThrownAway != 2 || got.ProcessedBytes != 67 {
		t.Errorf("counters %+v", got)
	}
	if n := got.RecordsProcessed; n[row.Source{}] != 2 || n[row.Source{Partition: 1}] != 4 || len(n) != 2 {
		t.Errorf("rows by partition %v", n)
	}
	if b.Rows() != 3 || b.MaxSegmentRows() != 2 || b.Bytes() <= 0 {
		t.Errorf("%d rows, at most %d, %d bytes", b.Rows(), b.MaxSegmentRows(), b.Bytes())
	}
	saved := b.ParseExceptions()
	if len(saved) != 2 || saved[0].Input != "!" || saved[0].Offset != 5 || saved[0].TimeOfExceptionMillis != 42 ||
		saved[1].Details[0] != "Timestamp[bad] is unparseable! Event: {bad,a,1} (Record: 1)" {
		t.Errorf("saved errors %+v", saved)
	}
	built, err := b.Finish(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(built) != 2 || built[0].IntervalStart != 0 || built[0].IntervalEnd != 3600000 || built[0].Rows != 2 || built[1].Rows != 1 {
		t.Fatalf("built %+v", built)
	}
	if got, want := rowsOf(t, built[0].Dir), `{"__time":1000,"w":"a","n":2,"sum":3}`+"\n"+`{"__time":2000,"w":null,"n":2,"sum":3}`+"\n"; got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	if got, want := rowsOf(t, built[1].Dir), `{"__time":3600000,"w":"b","n":2,"sum":5}`+"\n"; got != want {
		t.Errorf("rows %s, want %s", got, want)
	}
	if err := b.AddBatch(lines("1000,a,1")); !errors.Is(err, ErrClosed) {
		t.Errorf("add after finish: %v", err)
	}
}

func TestParseLimitFailsTheBatch(t *testing.T) {
	c := lineConfig(t)
	c.MaxParseExceptions = 1
	logged := 0
	c.LogParseException = func(row.ParseException) { logged++ }
	b := newTestBuilder(t, c)
	if err := b.AddBatch(lines("1,a,x")); err != nil {
		t.Fatal(err)
	}
	var limit *ParseLimitError
	if err := b.AddBatch(lines("1,a,1", "!")); !errors.As(err, &limit) || err.Error() != "Max parse exceptions[1] exceeded" {
		t.Fatalf("error %v", err)
	}
	if err := b.AddBatch(lines("1,a,1")); !errors.As(err, &limit) {
		t.Errorf("later batch: %v", err)
	}
	if n := b.Counters(); n.Processed != 1 || n.ProcessedWithError != 1 || n.Unparseable != 1 || logged != 2 {
		t.Errorf("counters %+v, %d logged", n, logged)
	}
}

func TestSpillsLeaveNoFilesAndKeepMemoryBounded(t *testing.T) {
	c := lineConfig(t)
	c.Schema.Rollup = false
	c.MaxBytesInMemory = 1 << 20
	b := newTestBuilder(t, c)
	batch := make([]Record, 500)
	for i := range 40 {
		for j := range batch {
			batch[j] = Record{Value: strconv.AppendInt([]byte(strconv.Itoa(i*500+j)+",word-that-is-longer-than-a-slot-"), int64(i*j), 10)}
			batch[j].Value = append(batch[j].Value, ",1"...)
		}
		if err := b.AddBatch(batch); err != nil {
			t.Fatal(err)
		}
		if n := b.Bytes(); n > 2<<20 {
			t.Fatalf("%d bytes in memory", n)
		}
	}
	if n := len(b.sinks[0].parts); n < 2 {
		t.Errorf("%d parts were spilled", n)
	}
	built, err := b.Finish(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(c.Dir, "*"))
	if err != nil || len(files) != 1 || files[0] != built[0].Dir || built[0].Rows != 20000 {
		t.Errorf("files %v, %v, built %+v", files, err, built)
	}
}

func TestNothingIsBuiltFromNothing(t *testing.T) {
	b := newTestBuilder(t, lineConfig(t))
	if err := b.Persist(context.Background()); err != nil {
		t.Fatal(err)
	}
	built, err := b.Finish(context.Background())
	if err != nil || len(built) != 0 {
		t.Errorf("built %v, %v", built, err)
	}
	if err := errors.Join(b.Close(), b.Close()); err != nil {
		t.Error(err)
	}
}

func TestASealedBuilderKeepsNothingInMemory(t *testing.T) {
	b := newTestBuilder(t, lineConfig(t))
	for _, batch := range [][]Record{lines("1,a,1", "3600000,b,1"), lines("2,a,1")} {
		if err := b.AddBatch(batch); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(b.Seal(), b.Seal()); err != nil {
		t.Fatal(err)
	}
	if err := b.AddBatch(lines("3,a,1")); !errors.Is(err, ErrClosed) {
		t.Errorf("add after seal: %v", err)
	}
	<-b.behind.done
	for _, m := range b.behind.memories {
		if m != nil {
			t.Error("a spilled memory is kept")
		}
	}
	built, err := b.Finish(context.Background())
	if err != nil || len(built) != 2 || built[0].Rows+built[1].Rows != 3 {
		t.Errorf("built %+v, %v", built, err)
	}
	if n := b.Counters().Processed; n != 3 {
		t.Errorf("%d processed", n)
	}
}

func TestFailedFinishLeavesNoFolder(t *testing.T) {
	c := lineConfig(t)
	b := newTestBuilder(t, c)
	if err := b.AddBatch(lines("1,a,1", "3600000,b,1")); err != nil {
		t.Fatal(err)
	}
	// The second segment's folder is in the way.
	if err := os.WriteFile(filepath.Join(c.Dir, "segment-1"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if built, err := b.Finish(context.Background()); err == nil {
		t.Fatalf("built %v", built)
	}
	if _, err := os.Stat(filepath.Join(c.Dir, "segment-0")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the first segment is still there: %v", err)
	}
}

func TestFailedSpillStopsTheBuilder(t *testing.T) {
	b := newTestBuilder(t, lineConfig(t))
	if err := b.AddBatch(lines("1,a,1")); err != nil {
		t.Fatal(err)
	}
	if err := b.spill.f.Close(); err != nil {
		t.Fatal(err)
	}
	err := b.Persist(context.Background())
	if err == nil {
		t.Fatal("no error from a closed file")
	}
	if again := b.AddBatch(lines("1,a,1")); !errors.Is(again, os.ErrClosed) {
		t.Errorf("later batch: %v, after %v", again, err)
	}
	f, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	b.spill.f = f // for Close
}

func TestConfigIsChecked(t *testing.T) {
	for name, breakIt := range map[string]func(*Config){
		"parser": func(c *Config) { c.Parser = nil },
		"folder": func(c *Config) { c.Dir = "" },
		"column": func(c *Config) { c.Schema.Timestamp.Column = "" },
		"twice":  func(c *Config) { c.Schema.Metrics[0].Name = "w" },
		"field":  func(c *Config) { c.Schema.Metrics[1].FieldName = "" },
		"time":   func(c *Config) { c.Schema.Dimensions[0].Name = row.TimeColumn },
	} {
		c := lineConfig(t)
		breakIt(&c)
		if b, err := NewBuilder(c); err == nil {
			_ = b.Close()
			t.Errorf("%s: no error", name)
		}
	}
}

func TestDictionaryGivesEachStringOneID(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := newDict()
		ids := map[string]uint32{"": d.intern(nil)}
		for _, s := range rapid.SliceOfN(rapid.StringOfN(rapid.RuneFrom([]rune("aé\x00")), 0, 20, -1), 0, 500).Draw(t, "strings") {
			id := d.intern([]byte(s))
			if want, ok := ids[s]; ok && id != want {
				t.Fatalf("%q has ids %d and %d", s, want, id)
			}
			ids[s] = id
			if string(d.value(id)) != s {
				t.Fatalf("id %d of %q has value %q", id, s, d.value(id))
			}
		}
		if len(ids)+1 != d.len() {
			t.Fatalf("%d ids for %d strings", d.len()-1, len(ids))
		}
		sorted := sortIDs(d)
		for i := 1; i < len(sorted); i++ {
			if segment.CompareUTF16(d.value(sorted[i-1]), d.value(sorted[i])) >= 0 {
				t.Fatalf("%q is before %q", d.value(sorted[i-1]), d.value(sorted[i]))
			}
		}
	})
}

func TestKeysAreSortedStably(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := rapid.IntRange(1, 64).Draw(t, "bits")
		n := rapid.IntRange(1, 3000).Draw(t, "rows")
		seed := rapid.Uint64().Draw(t, "seed")
		// Rows of few runs are merged, others are sorted by digits.
		runs := rapid.SampledFrom([]int{0, 1, 2, 3, 7, 40}).Draw(t, "runs")
		keys, order := make([]uint64, n), make([]uint32, n)
		for i := range keys {
			seed = seed*6364136223846793005 + 1442695040888963407
			keys[i], order[i] = seed>>11>>(64-max(width, 11))&(1<<(width-1)|1<<(width/2)-1), uint32(i)
		}
		for i := range runs {
			slices.Sort(keys[i*n/runs : (i+1)*n/runs])
		}
		original := slices.Clone(keys)
		sorted, rows := sortKeys(keys, order, width)
		for i := range sorted {
			if original[rows[i]] != sorted[i] {
				t.Fatalf("row %d has key %d, sorted as %d", rows[i], original[rows[i]], sorted[i])
			}
			if i > 0 && (sorted[i-1] > sorted[i] || sorted[i-1] == sorted[i] && rows[i-1] >= rows[i]) {
				t.Fatalf("rows %d and %d are out of order", i-1, i)
			}
		}
	})
}
