package index

import "ogham/domain/row"

// staged are rows of one interval that are known to be kept and wait to be added together, column by column, so that the
// cache misses of a column's dictionary overlap. They borrow from a chunk, whose last row sends them on. Nobody else sees
// that they wait: they are added before anything that depends on what came before it, such as the limit of errors.
type staged struct {
	on      bool // the rows at hand are a chunk's
	into    *memory
	rows    *row.Rows
	at      []int   // places in rows
	times   []int64 // truncated
	entries []stagedRow
}

// stagedRow is what counting a row takes.
type stagedRow struct {
	record *Record
	row    int // of the record
	// What the counters were with this row's record.
	processedBytes, thrownAway int64
}

// stage keeps a row for the next flush.
func (b *Builder) stage(k *sink, r *Record, rows *row.Rows, first, i int, time int64) error {
	s := &b.staged
	if len(s.at) > 0 && s.into != k.memory {
		if err := b.flush(); err != nil {
			return err
		}
	}
	s.into, s.rows = k.memory, rows
	s.at, s.times = append(s.at, first+i), append(s.times, time)
	s.entries = append(s.entries, stagedRow{r, i, b.counters.ProcessedBytes, b.counters.ThrownAway})
	return nil
}

// flush adds the staged rows and counts them. Where one of them exceeds the limit of errors, those behind it count as not
// read.
func (b *Builder) flush() error {
	s := &b.staged
	if len(s.at) == 0 {
		return nil
	}
	m, entries := s.into, s.entries
	before := m.rows
	m.addMany(s.rows, s.at, s.times)
	b.inMemory += int64(m.rows - before)
	s.at, s.times, s.entries, s.rows, s.into = s.at[:0], s.times[:0], s.entries[:0], nil, nil
	for j := range entries {
		e := &entries[j]
		b.countRow(e.record)
		details := m.many.details(j)
		if details == nil {
			b.counters.Processed++
			continue
		}
		now := b.counters
		b.counters.ProcessedBytes, b.counters.ThrownAway = e.processedBytes, e.thrownAway
		if err := b.processedWithError(e.record, e.row, details); err != nil {
			return err
		}
		b.counters.ProcessedBytes, b.counters.ThrownAway = now.ProcessedBytes, now.ThrownAway
	}
	return nil
}

// stages says whether rows can be added column by column: nothing in the schema looks at a row as a whole.
func (p *plan) stages() bool {
	for i := range p.metrics {
		if p.metrics[i].Agg.Complex() {
			return false
		}
	}
	return len(p.spatials) == 0 && !p.schema.DiscoverDimensions
}
