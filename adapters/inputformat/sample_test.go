package inputformat_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/domain/row"
)

// sampledRecord is a record and what is to become of its rows.
type sampledRecord struct {
	text            string
	rows, good, bad int // bad rows are stored and have an error
	errors          int // rows, or the record, that are not stored
}

func drawSampled(t *rapid.T) sampledRecord {
	one := func(time string, n any) string {
		key := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key")
		return fmt.Sprintf(`{"t":%q,"k":%q,"n":%s}`, time, key, mustJSON(n))
	}
	const at = "2026-01-01T00:00:00Z"
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		return sampledRecord{text: one(at, 1), rows: 1, good: 1}
	case 1:
		return sampledRecord{text: one(at, 1) + one(at, "many"), rows: 2, good: 1, bad: 1}
	case 2:
		return sampledRecord{text: one(at, 1) + one("never", 1), rows: 2, errors: 2}
	case 3:
		return sampledRecord{text: "{broken", rows: 1, errors: 1}
	}
	return sampledRecord{text: one("1950-06-01T00:00:00Z", nil), rows: 1, good: 1}
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// TestSampleTellsWhatBecameOfEveryRow holds a sample against what its records are made of: with rollup, the counts of the
// stored rows add up to the rows that were stored.
func TestSampleTellsWhatBecameOfEveryRow(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		schema := index.SampledSchema(row.Schema{
			Timestamp: row.Timestamp{Column: "t", Format: row.FormatISO8601}, Rollup: true, QueryGranularity: row.GranularityNone(),
			Dimensions: []row.Dimension{{Name: "k"}, {Name: "n", Type: row.TypeLong}}, Metrics: []row.Metric{{Agg: row.AggCount, Name: "rows"}},
		})
		parser, err := inputformat.New(json.RawMessage(`{"type":"json"}`), schema)
		if err != nil {
			rt.Fatal(err)
		}
		s, err := index.NewSampler(index.Config{Schema: schema, Parser: parser, Dir: t.TempDir()})
		if err != nil {
			rt.Fatal(err)
		}
		defer func() {
			if err := s.Close(); err != nil {
				rt.Error(err)
			}
		}()
		var want sampledRecord
		for i, r := range rapid.SliceOfN(rapid.Custom(drawSampled), 0, 12).Draw(rt, "records") {
			want.rows, want.good, want.bad, want.errors = want.rows+r.rows, want.good+r.good, want.bad+r.bad, want.errors+r.errors
			if err := s.Add(i, &index.Record{Offset: int64(i), Value: []byte(r.text)}); err != nil {
				rt.Fatal(err)
			}
		}
		got, err := s.Finish(t.Context())
		if err != nil {
			rt.Fatal(err)
		}
		checkSample(rt, got, want)
	})
}

func checkSample(t *rapid.T, got *index.Sample, want sampledRecord) {
	if len(got.Rows) != want.rows || got.Indexed != int64(want.good) || got.ThrownAway != 0 {
		t.Fatalf("%d rows, %d indexed and %d thrown away, want %d, %d and none", len(got.Rows), got.Indexed, got.ThrownAway, want.rows, want.good)
	}
	place := map[string]int{}
	for i, c := range got.Columns {
		place[c.Name] = i
	}
	stored, errors := 0, 0
	for _, x := range got.Rows {
		if x.Error != "" {
			errors++
		}
		if x.Stored == nil {
			continue
		}
		n := 0
		if err := json.Unmarshal(x.Stored[place["rows"]], &n); err != nil || len(x.Stored) != len(got.Columns) {
			t.Fatalf("row %d of record %d is stored as %s: %v", x.Row, x.Record, x.Stored, err)
		}
		stored += n
	}
	if stored != want.good+want.bad || errors != want.bad+want.errors {
		t.Errorf("%d rows are stored and %d have errors, want %d and %d: %+v", stored, errors, want.good+want.bad, want.bad+want.errors, got.Rows)
	}
}
