package inputformat_test

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/domain/row"
)

const benchStart = 1795132800000 // 2026-11-20T00:00:00Z

// benchRecords makes click-stream rows of about 165 bytes, 10 ms apart.
func benchRecords(n int) []index.Record {
	rnd := rand.New(rand.NewPCG(1, 2))
	countries := []string{"DE", "US", "FR", "GB", "JP", "IN", "BR", "CA", "AU", "SE"}
	languages := []string{"en", "de", "fr"}
	out := make([]index.Record, n)
	for i := range out {
		out[i] = index.Record{Partition: int32(benchTick(i) & 1), Offset: int64(benchTick(i) / 2), Value: fmt.Appendf(nil,
			`{"timestamp":"%s","page":"page_%d","user":"user_%d","country":"%s","language":"%s","isRobot":%t,"added":%d,"deleted":%d,"delta":%.3f}`,
			row.FormatISO(benchStart+benchTick(i)*10), rnd.IntN(20000), rnd.IntN(50000), countries[rnd.IntN(10)], languages[rnd.IntN(3)],
			rnd.IntN(10) == 0, rnd.IntN(1000), rnd.IntN(100), rnd.Float64()*1000-500)}
	}
	return out
}

func benchSchema(rollup bool) row.Schema {
	hour, _ := row.ParseGranularity("HOUR")
	day, _ := row.ParseGranularity("DAY")
	s := row.Schema{
		Timestamp:          row.Timestamp{Column: "timestamp", Format: row.FormatISO8601},
		Dimensions:         []row.Dimension{{Name: "page"}, {Name: "user"}, {Name: "country"}, {Name: "language"}},
		SegmentGranularity: day,
	}
	if rollup {
		s.Rollup, s.QueryGranularity = true, hour
		s.Metrics = []row.Metric{
			{Agg: row.AggCount, Name: "count"},
			{Agg: row.AggLongSum, Name: "added", FieldName: "added"},
			{Agg: row.AggLongSum, Name: "deleted", FieldName: "deleted"},
			{Agg: row.AggDoubleSum, Name: "delta", FieldName: "delta"},
		}
		return s
	}
	s.Dimensions = append(s.Dimensions, row.Dimension{Name: "isRobot"},
		row.Dimension{Name: "added", Type: row.TypeLong}, row.Dimension{Name: "deleted", Type: row.TypeLong},
		row.Dimension{Name: "delta", Type: row.TypeDouble})
	return s
}

func benchBuilder(b testing.TB, rollup bool, memory int64) *index.Builder {
	b.Helper()
	s := benchSchema(rollup)
	x, err := index.NewBuilder(index.Config{
		Schema: s, Parser: inputformat.NewJSON(s), Dir: b.TempDir(), MaxBytesInMemory: memory, MaxRowsInMemory: 150_000, MaxParseExceptions: -1,
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = x.Close() })
	return x
}

const (
	benchBatch = 1000
	// benchFetch is how many rows of one of the two partitions come one after the other.
	benchFetch = 5000
)

// benchTick is when record i was made: partitions take turns by fetches, not by rows.
func benchTick(i int) int64 {
	window, at := i/(2*benchFetch), i%(2*benchFetch)
	return int64(window*2*benchFetch + at%benchFetch*2 + at/benchFetch)
}

// setTime writes the time of day into an ISO time: making the rows must not cost what reading them does.
func setTime(iso []byte, ms int64) {
	put := func(at int, v int64) { iso[at], iso[at+1] = byte('0'+v/10), byte('0'+v%10) }
	put(11, ms/3600000%24)
	put(14, ms/60000%60)
	put(17, ms/1000%60)
	put(20, ms%1000/10)
	iso[22] = byte('0' + ms%10)
}

// feed adds n rows of the pool, each with its own time.
func feed(b testing.TB, x *index.Builder, records []index.Record, n int) {
	b.Helper()
	for done := 0; done < n; {
		at := done % len(records)
		k := min(benchBatch, n-done, len(records)-at)
		if done >= len(records) {
			for i := range k {
				setTime(records[at+i].Value[len(`{"timestamp":"`):], benchTick(done+i)*10)
			}
		}
		if err := x.AddBatch(records[at : at+k]); err != nil {
			b.Fatal(err)
		}
		done += k
	}
}

// cpu gives the processor time of the process: on a machine that others use too it tells more than the clock.
func cpu() int64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return u.Utime.Nano() + u.Stime.Nano()
}

// csvRecords are the same rows as lines of CSV.
func csvRecords(b testing.TB, n int) []index.Record {
	b.Helper()
	records := benchRecords(n)
	for i := range records {
		var fields [9]string
		if err := json.Unmarshal(records[i].Value, &struct {
			Timestamp, Page, User, Country, Language *string
			IsRobot                                  *bool
			Added, Deleted                           *json.Number
			Delta                                    *json.Number
		}{&fields[0], &fields[1], &fields[2], &fields[3], &fields[4], new(bool), (*json.Number)(&fields[6]), (*json.Number)(&fields[7]), (*json.Number)(&fields[8])}); err != nil {
			b.Fatal(err)
		}
		fields[5] = strconv.FormatBool(i%10 == 0)
		records[i].Value = []byte(strings.Join(fields[:], ","))
	}
	return records
}

// benchParsers are the scanners with what they read.
func benchParsers(b *testing.B, s row.Schema, n int) map[string]func() (index.Parser, []index.Record) {
	return map[string]func() (index.Parser, []index.Record){
		"json": func() (index.Parser, []index.Record) { return inputformat.NewJSON(s), benchRecords(n) },
		"kafka": func() (index.Parser, []index.Record) {
			p, err := inputformat.New(json.RawMessage(`{"type":"kafka","valueFormat":{"type":"json"}}`), s)
			if err != nil {
				b.Fatal(err)
			}
			return p, benchRecords(n)
		},
		"avro": func() (index.Parser, []index.Record) {
			p, err := inputformat.New(json.RawMessage(`{"type":"avro_stream","avroBytesDecoder":{"type":"schema_inline","schema":{"type":"record","name":"row","fields":[
				{"name":"timestamp","type":"string"},{"name":"page","type":"string"},{"name":"user","type":"string"},{"name":"country","type":"string"},
				{"name":"language","type":"string"},{"name":"isRobot","type":"string"},{"name":"added","type":"string"},{"name":"deleted","type":"string"},
				{"name":"delta","type":"string"}]}}}`), s)
			if err != nil {
				b.Fatal(err)
			}
			records := csvRecords(b, n)
			for i := range records {
				var out []byte
				for _, f := range strings.Split(string(records[i].Value), ",") {
					out = append(binary.AppendVarint(out, int64(len(f))), f...)
				}
				records[i].Value = out
			}
			return p, records
		},
		"flatten": func() (index.Parser, []index.Record) {
			p, err := inputformat.New(json.RawMessage(`{"type":"json","flattenSpec":{"fields":[{"type":"path","name":"p","expr":"$.page"}]}}`), s)
			if err != nil {
				b.Fatal(err)
			}
			return p, benchRecords(n)
		},
		"csv": func() (index.Parser, []index.Record) {
			p, err := inputformat.New(json.RawMessage(`{"type":"csv","columns":["timestamp","page","user","country","language","isRobot","added","deleted","delta"]}`), s)
			if err != nil {
				b.Fatal(err)
			}
			return p, csvRecords(b, n)
		},
	}
}

// BenchmarkParse is the scanners alone.
func BenchmarkParse(b *testing.B) {
	for name, open := range benchParsers(b, benchSchema(false), 100_000) {
		b.Run(name, func(b *testing.B) {
			p, records := open()
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				if _, err := p.Parse(&records[i%len(records)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkAddFormat is BenchmarkAddBatch without rollup by format.
func BenchmarkAddFormat(b *testing.B) {
	s := benchSchema(false)
	for name, open := range benchParsers(b, s, 500_000) {
		b.Run(name, func(b *testing.B) {
			p, records := open()
			x, err := index.NewBuilder(index.Config{Schema: s, Parser: p, Dir: b.TempDir(), MaxRowsInMemory: 150_000, MaxParseExceptions: -1})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = x.Close() })
			b.ReportAllocs()
			b.ResetTimer()
			start := cpu()
			for done := 0; done < b.N; done += benchBatch {
				at := done % len(records)
				if err := x.AddBatch(records[at : at+min(benchBatch, b.N-done)]); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/row")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkAddBatch parses and indexes, with persists in the background when memory is full. An op is a row.
func BenchmarkAddBatch(b *testing.B) {
	for _, rollup := range []bool{false, true} {
		b.Run(fmt.Sprintf("rollup=%t", rollup), func(b *testing.B) {
			records := benchRecords(500_000)
			x := benchBuilder(b, rollup, 0)
			b.ReportAllocs()
			b.ResetTimer()
			start := cpu()
			feed(b, x, records, b.N)
			b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/row")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}

// BenchmarkFinish is the last persist and the merge of rows that are in several spills. An op is a row.
func BenchmarkFinish(b *testing.B) {
	for _, rollup := range []bool{false, true} {
		b.Run(fmt.Sprintf("rollup=%t", rollup), func(b *testing.B) {
			records := benchRecords(500_000)
			x := benchBuilder(b, rollup, 0)
			feed(b, x, records, b.N)
			b.ReportAllocs()
			b.ResetTimer()
			start := cpu()
			built, err := x.Finish(context.Background())
			if err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/row")
			b.ReportMetric(float64(built[0].Size)/float64(b.N), "B/row")
		})
	}
}

// BenchmarkTask is a whole sequence; it reports the process's peak of resident memory beyond what the input takes. An op
// is a row, so run it with -benchtime 5000000x.
func BenchmarkTask(b *testing.B) {
	for _, rollup := range []bool{false, true} {
		b.Run(fmt.Sprintf("rollup=%t", rollup), func(b *testing.B) {
			records := benchRecords(20_000)
			x := benchBuilder(b, rollup, 0)
			b.ResetTimer()
			start := cpu()
			feed(b, x, records, b.N)
			if _, err := x.Finish(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(cpu()-start)/float64(b.N), "cpu-ns/row")
			var u syscall.Rusage
			if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(float64(u.Maxrss)/1024, "peak-MB")
		})
	}
}
