package index

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"

	"ogham/adapters/segment"
	"ogham/domain/row"
)

// orderColumn is a metric that a Sampler adds to a schema: the number of a row, of which rollup keeps the least. So every
// stored row tells from which row on it was made. Druid's sampler has a column of this name for the same purpose.
const orderColumn = "__internal_sampler_order"

// SampledSchema is a schema whose rows a Sampler can tell apart. It has one segment for all time: a sample may be spread
// over years.
func SampledSchema(s row.Schema) row.Schema {
	s.Metrics = append(slices.Clone(s.Metrics), row.Metric{Agg: row.AggLongMin, Name: orderColumn, FieldName: orderColumn})
	s.SegmentGranularity = row.GranularityAll()
	return s
}

// Sampler runs a few records through a Builder and reads back what became of each row: the rows are written to a segment
// and read from it, so that what is shown is what a task would have stored. It is for one goroutine at a time.
type Sampler struct {
	builder *Builder
	parser  *numbered
	rows    []SampledRow
	heard   []row.ParseException // of the record being added
}

// SampledRow is one row of a record, or a part of a record that gave no row.
type SampledRow struct {
	// Record counts the records added, from 0; Row is the row's number in its record, -1 where there is none.
	Record, Row int
	// Input is the text of what gave no row.
	Input string
	// Error says why the row, or some column of it, could not be read; empty where nothing is wrong.
	Error string
	// Stored is the row as it was stored, a JSON value for each of Sample.Columns but the number; nil where it was not
	// stored, or added to an earlier row.
	Stored []json.RawMessage

	number int64
}

// Sample is what became of the records.
type Sample struct {
	Rows []SampledRow
	// Columns are __time, the dimensions in order and the metrics in the schema's order; none if nothing was stored.
	Columns []segment.ColumnInfo
	// Indexed counts the rows that were stored without an error, ThrownAway those that the schema does not want.
	Indexed, ThrownAway int64
}

// NewSampler takes a Config as NewBuilder does; its schema must come from SampledSchema, its parser be made for that, and
// it may log no parse errors. The caller ends with Close.
func NewSampler(c Config) (*Sampler, error) {
	slot := slices.Index(c.Schema.Fields(), orderColumn)
	if slot < 0 {
		return nil, errors.New("sampler: the schema numbers no rows")
	}
	s := &Sampler{parser: &numbered{Parser: c.Parser, slot: slot}}
	c.Parser = s.parser
	c.MaxParseExceptions = math.MaxInt
	c.LogParseException = func(e row.ParseException) { s.heard = append(s.heard, e) }
	b, err := NewBuilder(c)
	if err != nil {
		return nil, err
	}
	s.builder = b
	return s, nil
}

// numbered is a parser that gives each row its number.
type numbered struct {
	Parser
	slot int
	next int64
	// of the last record
	first  int64
	count  int
	apart  bool
	broken []row.Broken
}

// Parse implements Parser.
func (p *numbered) Parse(r *Record) (*row.Rows, error) {
	p.first, p.count, p.apart, p.broken = p.next, 0, false, nil
	rows, err := p.Parser.Parse(r)
	if err != nil {
		return nil, err
	}
	for i := range rows.Count {
		rows.Values[i*rows.Width+p.slot] = row.Value{Kind: row.Long, Num: uint64(p.next)}
		p.next++
	}
	p.count = rows.Count
	if p.apart = rows.Apart; p.apart {
		p.broken = rows.Broken
	}
	return rows, nil
}

// Add adds the record with the given number. An error ends the sample, as it would fail a task.
func (s *Sampler) Add(record int, r *Record) error {
	s.heard = s.heard[:0]
	before := s.kept()
	if err := s.builder.AddBatch([]Record{*r}); err != nil {
		return err
	}
	p := s.parser
	switch {
	case r.Value == nil:
		return nil
	case p.count == 0 && len(p.broken) == 0: // the parser refused the record
		for _, e := range s.heard {
			s.rows = append(s.rows, SampledRow{Record: record, Row: -1, Input: e.Input, Error: errorText(e), number: -1})
		}
		return nil
	}
	from := len(s.rows)
	broken := p.broken
	for i := 0; i <= p.count; i++ {
		for ; len(broken) > 0 && broken[0].Before == i; broken = broken[1:] {
			s.rows = append(s.rows, SampledRow{Record: record, Row: -1, Input: broken[0].Input, Error: broken[0].Message, number: -1})
		}
		if i < p.count {
			s.rows = append(s.rows, SampledRow{Record: record, Row: i, number: p.first + int64(i)})
		}
	}
	if len(s.heard) > 0 && !p.apart && s.kept() == before { // one row without a time took the others with it
		for i := range s.rows[from:] {
			s.rows[from+i].Error = errorText(s.heard[0])
		}
		return nil
	}
	s.blame(r, s.rows[from:])
	return nil
}

// kept counts the rows that came further than to their time.
func (s *Sampler) kept() int64 {
	c := s.builder.Counters()
	return c.Processed + c.ProcessedWithError + c.ThrownAway
}

// blame gives errors to the rows that they are of, which are found by their text. Errors come in the order of the rows,
// first those of rows without a time.
func (s *Sampler) blame(r *Record, rows []SampledRow) {
	at, kind := 0, ""
	for _, e := range s.heard {
		if e.ErrorType != kind {
			at, kind = 0, e.ErrorType
		}
		i := slices.IndexFunc(rows[at:], func(x SampledRow) bool {
			if x.Row < 0 {
				return false
			}
			event := s.parser.Event(r, x.Row)
			return e.Input == event || e.Input == row.ShortEvent(event)
		})
		if i >= 0 { // else it is of a part without a row, which has its error
			rows[at+i].Error = errorText(e)
			at += i + 1
		}
	}
}

func errorText(e row.ParseException) string { return strings.Join(e.Details, "; ") }

// Rows is the number of rows so far, those that are thrown away left out.
func (s *Sampler) Rows() int { return len(s.rows) - int(s.builder.Counters().ThrownAway) }

// Bytes is the memory that the index holds.
func (s *Sampler) Bytes() int64 { return s.builder.Bytes() }

// Finish reads back what was stored. Afterwards the Sampler takes no more records.
func (s *Sampler) Finish(ctx context.Context) (*Sample, error) {
	c := s.builder.Counters()
	out := &Sample{Rows: s.rows, Indexed: c.Processed, ThrownAway: c.ThrownAway}
	built, err := s.builder.Finish(ctx)
	if err != nil {
		return nil, err
	}
	at := make(map[int64]*SampledRow, len(out.Rows))
	for i := range out.Rows {
		at[out.Rows[i].number] = &out.Rows[i]
	}
	for _, b := range built {
		if err := s.read(b.Dir, out, at); err != nil {
			return nil, fmt.Errorf("read the sample back: %w", err)
		}
	}
	return out, nil
}

// read takes the rows out of a segment and removes it.
func (s *Sampler) read(dir string, out *Sample, at map[int64]*SampledRow) (err error) {
	r, err := segment.Open(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close(), os.RemoveAll(dir)) }()
	out.Columns = s.columns(r.Columns())
	var dump bytes.Buffer
	if err := r.DumpRows(&dump); err != nil {
		return err
	}
	lines := json.NewDecoder(&dump)
	for range r.Rows() {
		var values map[string]json.RawMessage
		if err := lines.Decode(&values); err != nil {
			return err
		}
		n, err := strconv.ParseInt(string(values[orderColumn]), 10, 64)
		x := at[n]
		if err != nil || x == nil {
			return fmt.Errorf("a row has the number %s", values[orderColumn])
		}
		for _, c := range out.Columns {
			x.Stored = append(x.Stored, values[c.Name])
		}
	}
	return nil
}

// columns puts the metrics into the schema's order and leaves the number out.
func (s *Sampler) columns(all []segment.ColumnInfo) []segment.ColumnInfo {
	var out []segment.ColumnInfo
	metrics := map[string]segment.ColumnInfo{}
	for _, c := range all {
		if c.Dimension || c.Name == row.TimeColumn {
			out = append(out, c)
			continue
		}
		metrics[c.Name] = c
	}
	for _, m := range s.builder.cfg.Schema.Metrics {
		if c, ok := metrics[m.Name]; ok && m.Name != orderColumn {
			out = append(out, c)
		}
	}
	return out
}

// Close removes what the sampler wrote.
func (s *Sampler) Close() error { return s.builder.Close() }
