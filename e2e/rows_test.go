package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ogham/adapters/segment"
)

// row is a row as a segment holds it. Row n of a test is always the same, so that the rows that come out can be checked
// by their id alone, and the multiset of rows by counting ids.
type row struct {
	Time   int64
	Page   string
	User   string
	Tags   string // joined; multi-value in the segment
	Note   string // "null", or the text in quotes: null and empty are told apart
	ID     int64
	Shift  string // a long that may be null
	Ratio  float32
	Weight string // a double that may be null
	Count  int64
	Bytes  int64
	Price  float64
	Low    int64
	High   float64
	Score  float32
}

// rowTime is the first timestamp of the rows, which spread over rowHours hours.
var rowTime = time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)

const rowHours = 3

// notes holds texts whose order differs by UTF-8 and by UTF-16, the empty one, and what looks like null.
var notes = []string{"", "null", "zeta", "Ärger", "日本", "\U00010400deseret", "\uffee halfwidth", "a\"quoted\\\n"}

var tagSets = [][]string{nil, {"red"}, {"red", "blue"}, {"z", "a", "m"}, {"x", "x"}}

// rowOf is row n.
func rowOf(n int64) row {
	r := row{
		Time: rowTime.UnixMilli() + n*7919%(rowHours*3_600_000),
		Page: "page_" + strconv.FormatInt(n%503, 10), User: "user_" + strconv.FormatInt(n*7%20011, 10),
		Note: "null", ID: n, Shift: "null", Ratio: float32(n%1024) / 8, Weight: "null",
		Count: 1, Bytes: n % 90_000, Price: float64(n%30_000) / 100, Low: n%7 - 3, High: float64(n%11) * 0.1, Score: float32(n%100) / 4,
	}
	tags := slices.Clone(tagSets[n%int64(len(tagSets))])
	slices.Sort(tags)
	r.Tags = strings.Join(tags, "|")
	if n%3 != 0 {
		r.Note = strconv.Quote(notes[n/3%int64(len(notes))])
	}
	if n%4 != 0 {
		r.Shift = strconv.FormatInt(n*1_000_003-5_000_000_000, 10)
	}
	if n%5 != 0 {
		r.Weight = strconv.FormatFloat(float64(n)/3, 'g', -1, 64)
	}
	return r
}

// message is row n as it is produced.
func message(n int64) []byte {
	r := rowOf(n)
	m := map[string]any{
		"ts": time.UnixMilli(r.Time).UTC().Format("2006-01-02T15:04:05.000Z"), "page": r.Page, "user": r.User, "id": n,
		"ratio": r.Ratio, "bytes": r.Bytes, "price": r.Price, "low": r.Low, "high": r.High, "score": r.Score,
	}
	if tags := tagSets[n%int64(len(tagSets))]; tags != nil {
		m["tags"] = tags
	}
	if n%3 != 0 {
		m["note"] = notes[n/3%int64(len(notes))]
	}
	if n%4 != 0 {
		m["shift"] = n*1_000_003 - 5_000_000_000
	}
	if n%5 != 0 {
		m["weight"] = float64(n) / 3
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // a map of plain values always encodes
	}
	return b
}

// dumped is a row as a dump prints it.
type dumped struct {
	Time   int64           `json:"__time"`
	Page   string          `json:"page"`
	User   string          `json:"user"`
	Tags   json.RawMessage `json:"tags"`
	Note   *string         `json:"note"`
	ID     int64           `json:"id"`
	Shift  *int64          `json:"shift"`
	Ratio  float32         `json:"ratio"`
	Weight *float64        `json:"weight"`
	Count  int64           `json:"cnt"`
	Bytes  int64           `json:"bytes"`
	Price  float64         `json:"price"`
	Low    int64           `json:"low"`
	High   float64         `json:"high"`
	Score  float32         `json:"score"`
}

func (d dumped) row() (row, error) {
	r := row{
		Time: d.Time, Page: d.Page, User: d.User, Note: "null", ID: d.ID, Shift: "null", Ratio: d.Ratio, Weight: "null",
		Count: d.Count, Bytes: d.Bytes, Price: d.Price, Low: d.Low, High: d.High, Score: d.Score,
	}
	if d.Note != nil {
		r.Note = strconv.Quote(*d.Note)
	}
	if d.Shift != nil {
		r.Shift = strconv.FormatInt(*d.Shift, 10)
	}
	if d.Weight != nil {
		r.Weight = strconv.FormatFloat(*d.Weight, 'g', -1, 64)
	}
	if len(d.Tags) > 0 && d.Tags[0] == '[' {
		var list []string
		if err := json.Unmarshal(d.Tags, &list); err != nil {
			return row{}, fmt.Errorf("tags %s: %w", d.Tags, err)
		}
		r.Tags = strings.Join(list, "|")
		return r, nil
	}
	var one *string
	if err := json.Unmarshal(d.Tags, &one); err != nil {
		return row{}, fmt.Errorf("tags %q: %w", d.Tags, err)
	}
	if one != nil {
		r.Tags = *one
	}
	return r, nil
}

// tally counts the rows that came out.
type tally struct {
	seen  map[int64]int
	wrong []string
}

func newTally() *tally { return &tally{seen: map[int64]int{}} }

// add reads a dump: one JSON object per row.
func (c *tally) add(dump io.Reader) error {
	dec := json.NewDecoder(dump)
	for {
		var d dumped
		if err := dec.Decode(&d); err == io.EOF {
			return nil
		} else if err != nil {
			return fmt.Errorf("read a dump: %w", err)
		}
		r, err := d.row()
		if err != nil {
			return err
		}
		c.seen[r.ID]++
		if want := rowOf(r.ID); r != want && len(c.wrong) < 5 {
			c.wrong = append(c.wrong, fmt.Sprintf("row %d is\n  %+v, produced was\n  %+v", r.ID, r, want))
		}
	}
}

// check wants exactly the rows that ids yields, each once.
func (c *tally) check(t *testing.T, ids func(yield func(int64) bool)) {
	t.Helper()
	for _, w := range c.wrong {
		t.Error(w)
	}
	var missing, doubled, extra []int64
	want := 0
	for id := range ids {
		want++
		switch n := c.seen[id]; {
		case n == 0:
			missing = append(missing, id)
		case n > 1:
			doubled = append(doubled, id)
		}
		delete(c.seen, id)
	}
	for id := range c.seen {
		extra = append(extra, id)
	}
	slices.Sort(extra)
	if len(missing)+len(doubled)+len(extra) > 0 {
		t.Errorf("of %d rows, %d are missing %v, %d are there more than once %v; %d are there that should not be %v",
			want, len(missing), head(missing), len(doubled), head(doubled), len(extra), head(extra))
	}
}

func head(ids []int64) []int64 { return ids[:min(len(ids), 20)] }

// upTo yields 0 to n-1.
func upTo(n int64) func(yield func(int64) bool) {
	return func(yield func(int64) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

// readSegments tallies committed segments with our own reader; their row counts must be the committed ones.
func readSegments(t *testing.T, all []published) *tally {
	t.Helper()
	c := newTally()
	for _, p := range all {
		dir := p.place(t)
		r, err := segment.Open(dir)
		if err != nil {
			t.Errorf("a committed segment cannot be read: %v", err)
			continue
		}
		if int64(r.Rows()) != p.Rows {
			t.Errorf("%s has %d rows, committed were %d", dir, r.Rows(), p.Rows)
		}
		var b bytes.Buffer
		if err := r.DumpRows(&b); err != nil {
			t.Errorf("dump %s: %v", dir, err)
		}
		if err := r.Close(); err != nil {
			t.Errorf("close %s: %v", dir, err)
		}
		if err := c.add(&b); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
	}
	return c
}

// checkRows wants the committed segments of a supervisor to hold exactly rows 0 to n-1.
func (s *server) checkRows(id string, n int64) []published {
	s.t.Helper()
	all, err := s.segments(id)
	if err != nil {
		s.t.Fatal(err)
	}
	readSegments(s.t, all).check(s.t, upTo(n))
	return all
}

// sections are the parts of a spec that a test may change.
type sections struct{ io, tuning, schema, context map[string]any }

// specOf is a supervisor spec over the rows; change may alter it before it is encoded.
func specOf(id, topic, brokers string, change func(sections)) []byte {
	typed := func(kind, name string) map[string]any { return map[string]any{"type": kind, "name": name} }
	metric := func(kind, name string) map[string]any {
		return map[string]any{"type": kind, "name": name, "fieldName": name}
	}
	schema := map[string]any{
		"dataSource":    id,
		"timestampSpec": map[string]any{"column": "ts", "format": "iso"},
		"dimensionsSpec": map[string]any{"dimensions": []any{
			"page", "user", "tags", "note", typed("long", "id"), typed("long", "shift"), typed("float", "ratio"), typed("double", "weight"),
		}},
		"metricsSpec": []any{
			map[string]any{"type": "count", "name": "cnt"},
			metric("longSum", "bytes"), metric("doubleSum", "price"),
			metric("longMin", "low"), metric("doubleMax", "high"), metric("floatSum", "score"),
		},
		"granularitySpec": map[string]any{"segmentGranularity": "HOUR", "queryGranularity": "NONE", "rollup": false},
	}
	io := map[string]any{
		"topic": topic, "inputFormat": map[string]any{"type": "json"}, "consumerProperties": map[string]any{"bootstrap.servers": brokers},
		"taskCount": 2, "replicas": 1, "taskDuration": "PT3S", "startDelay": "PT0.1S", "period": "PT0.5S", "useEarliestOffset": true,
		"completionTimeout": "PT2M",
	}
	tuning := map[string]any{"type": "kafka", "offsetFetchPeriod": "PT5S"}
	about := map[string]any{}
	if change != nil {
		change(sections{io, tuning, schema, about})
	}
	b, err := json.Marshal(map[string]any{
		"type": "kafka", "spec": map[string]any{"dataSchema": schema, "ioConfig": io, "tuningConfig": tuning}, "context": about,
	})
	if err != nil {
		panic(err) // plain maps always encode
	}
	return b
}
