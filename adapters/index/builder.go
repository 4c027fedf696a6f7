package index

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	"ogham/domain/row"
)

// Builder builds the segments of one sequence. AddBatch, SetTimeBounds, Persist, Seal, Finish and Close are for one goroutine at a time;
// Counters, ParseExceptions, Rows, Bytes and MaxSegmentRows may be called from any.
type Builder struct {
	cfg   Config
	plan  *plan
	spill *spillFile

	sinks  map[int64]*sink
	last   *sink // of the row before
	spare  []*memory
	behind *persist // the spill under way
	err    error    // final once set
	sealed bool     // no more rows come
	over   bool

	ahead    *ahead
	staged   staged
	inMemory int64 // rows not frozen
	bucket   struct{ start, end int64 }
	times    []int64
	good     []int                // the rows of a record that have a time, where each stands for itself
	saved    []row.ParseException // ring of the newest, next is its oldest
	next     int

	// mu guards what other goroutines may ask for; it is taken once a batch.
	mu struct {
		sync.Mutex
		counters  row.Counters
		saved     []row.ParseException
		rows, max int64
		bytes     int64
	}
	counters row.Counters
	savedNew bool
	// partition is that of the row before, and partitionRows how many rows of it RecordsProcessed lacks.
	partition     row.Source
	partitionRows int64
}

// NewBuilder makes the folder and its spill file. The caller ends with Close.
func NewBuilder(c Config) (*Builder, error) {
	if err := c.fill(); err != nil {
		return nil, err
	}
	c.Schema.Timestamp = c.Schema.Timestamp.Own()
	plan := newPlan(c.Schema, c.Parser)
	if err := plan.bind(c.Transform); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(c.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make index folder: %w", err)
	}
	spill, err := newSpillFile(c.Dir)
	if err != nil {
		return nil, err
	}
	b := &Builder{cfg: c, plan: plan, spill: spill, sinks: map[int64]*sink{}}
	b.ahead = newAhead(c.Parser, b.plan.width)
	b.counters.RecordsProcessed = map[row.Source]int64{}
	b.publish()
	return b, nil
}

// checkEvery is how many records are added between looks at the memory.
const checkEvery = 64

// AddBatch adds records in order and copies what it keeps of them. It spills when a limit is reached, and waits for the
// spill before if that is still under way. A *ParseLimitError says that the task must fail; after any error the Builder
// is of no further use but for its counters and Close.
func (b *Builder) AddBatch(records []Record) error {
	if err := b.usable(); err != nil {
		return err
	}
	if b.sealed {
		return ErrClosed
	}
	defer b.publish()
	add := b.addInTurn
	if b.ahead.helps(len(records)) {
		add = b.addAhead
	}
	if err := add(records); err != nil {
		return b.fail(err)
	}
	return nil
}

func (b *Builder) addInTurn(records []Record) error {
	for i := range records {
		if err := b.addRecord(&records[i], parsed(b.plan.parser, &records[i])); err != nil {
			return err
		}
		if err := b.spillIfFull(i, len(records)); err != nil {
			return err
		}
	}
	return nil
}

// spillIfFull looks at the limits after record i of a batch.
func (b *Builder) spillIfFull(i, records int) error {
	rowsFull := b.rowsFull()
	if rowsFull && len(b.staged.at) > 0 {
		if err := b.flush(); err != nil {
			return err
		}
		rowsFull = b.rowsFull() // rollup may have combined some
	}
	if !rowsFull && i%checkEvery != checkEvery-1 && i != records-1 {
		return nil
	}
	if !rowsFull && !b.memoryFull() {
		return nil
	}
	if err := b.flush(); err != nil {
		return err
	}
	return b.startPersist()
}

// rowsFull says whether the rows in memory may be as many as are allowed.
func (b *Builder) rowsFull() bool {
	return b.cfg.MaxRowsInMemory > 0 && b.inMemory+int64(len(b.staged.at)) >= int64(b.cfg.MaxRowsInMemory)
}

func (b *Builder) usable() error {
	if b.err != nil {
		return b.err
	}
	if b.over {
		return ErrClosed
	}
	return nil
}

func (b *Builder) fail(err error) error {
	if b.err == nil {
		b.err = err
	}
	return b.err
}

// parsing is what became of a record: count rows from the first, or an error, or none of a tombstone.
type parsing struct {
	rows         *row.Rows
	first, count int
	err          error
}

// parsed reads a record by itself.
func parsed(p Parser, r *Record) (x parsing) {
	if r.Value == nil {
		return x
	}
	if x.rows, x.err = p.Parse(r); x.err == nil {
		x.count = x.rows.Count
	}
	return x
}

func (b *Builder) addRecord(r *Record, x parsing) error {
	if r.Value == nil {
		b.counters.ThrownAway++
		return nil
	}
	b.counters.ProcessedBytes += int64(len(r.Value))
	if x.err != nil {
		if err := b.flush(); err != nil {
			return err
		}
		return b.unparseable(r, x.err)
	}
	rows := x.rows
	if rows.Apart {
		return b.addApart(r, x)
	}
	b.times = b.times[:0]
	for i := range x.count {
		t, ok := b.timeOf(rows, x.first+i)
		if !ok || t < row.MinInstant || t >= row.MaxInstant {
			if err := b.flush(); err != nil {
				return err
			}
		}
		// One row without a time loses the record, as Druid's reader makes all rows of a record before it gives one.
		if !ok {
			return b.badTime(r, rows, x.first, i, row.Place{Record: 1})
		}
		if t < row.MinInstant || t >= row.MaxInstant {
			return b.timeOutOfRange(r, i, t, row.Place{Record: 1})
		}
		b.times = append(b.times, t)
	}
	for i := range x.count {
		if err := b.addRow(r, rows, x.first, i, b.times[i]); err != nil {
			return err
		}
	}
	return nil
}

// addApart adds the rows of a record in which each stands for itself. Druid reads all of them before it stores one.
func (b *Builder) addApart(r *Record, x parsing) error {
	rows := x.rows
	b.times, b.good = b.times[:0], b.good[:0]
	place := row.Place{Record: 1}
	broken := rows.Broken
	for i := 0; i <= x.count; i++ {
		for ; len(broken) > 0 && broken[0].Before == i; broken = broken[1:] {
			at := row.Place{}
			if !rows.Placeless {
				at = row.Place{Record: place.Record, Line: broken[0].Line}
			}
			if err := b.flush(); err != nil {
				return err
			}
			b.counters.Unparseable++
			if err := b.note(r, row.ErrorUnparseable, broken[0].Input, []string{broken[0].Message + at.String()}); err != nil {
				return err
			}
		}
		if i == x.count {
			break
		}
		t, ok := b.timeOf(rows, x.first+i)
		if ok && t >= row.MinInstant && t < row.MaxInstant {
			place.Record++
			b.times, b.good = append(b.times, t), append(b.good, i)
			continue
		}
		err := b.flush()
		at := row.Place{Record: place.Record, Line: rows.LineOf(x.first + i)}
		if rows.Placeless {
			at = row.Place{}
		}
		switch {
		case err != nil:
		case !ok:
			err = b.badTime(r, rows, x.first, i, at)
		default:
			err = b.timeOutOfRange(r, i, t, at)
		}
		if err != nil {
			return err
		}
	}
	for k, i := range b.good {
		if err := b.addRow(r, rows, x.first, i, b.times[k]); err != nil {
			return err
		}
	}
	return nil
}

// SetTimeBounds sets the message times between which the rows of further batches are kept, in milliseconds; nil is no bound.
func (b *Builder) SetTimeBounds(least, most *int64) {
	b.cfg.Schema.MinTime, b.cfg.Schema.MaxTime = least, most
}

// timeOf gives the time of a row.
func (b *Builder) timeOf(rows *row.Rows, i int) (t int64, ok bool) {
	return b.cfg.Schema.Timestamp.Time(&rows.Values[i*rows.Width+b.plan.timeSlot])
}

// addRow adds row i of a record, whose rows begin at first, and whose time is known.
func (b *Builder) addRow(r *Record, rows *row.Rows, first, i int, t int64) error {
	s, at := &b.cfg.Schema, first+i
	if b.cfg.Transform != nil {
		var keep bool
		var err error
		if t, keep, err = b.cfg.Transform.Filter(rows, at, t); err != nil {
			return b.badTransform(r, i, err)
		}
		if !keep {
			b.counters.ThrownAway++
			return nil
		}
	}
	if s.MinTime != nil && t < *s.MinTime || s.MaxTime != nil && t > *s.MaxTime {
		b.counters.ThrownAway++
		return nil
	}
	if b.cfg.Transform != nil {
		if err := b.cfg.Transform.Fill(); err != nil {
			return err
		}
	}
	for j := range b.plan.spatials {
		b.plan.spatials[j].Join(rows, rows.Row(at))
	}
	k := b.last
	if k == nil || t < k.start || t >= k.end {
		k = b.sinkAt(t)
	}
	if s.DiscoverDimensions {
		k.discover(b.plan, rows, at)
	}
	if t < b.bucket.start || t >= b.bucket.end {
		b.bucket.start, b.bucket.end = s.QueryGranularity.Bucket(t)
	}
	// A bucket that begins before the interval counts from the interval's start, as Druid's index does it.
	start := max(b.bucket.start, k.start)
	if b.staged.on {
		return b.stage(k, r, rows, first, i, start)
	}
	before := k.memory.rows
	k.memory.rowTime = t
	details := k.memory.add(rows, rows.Row(at), start)
	if k.memory.failed != nil {
		return k.memory.failed
	}
	b.inMemory += int64(k.memory.rows - before)
	b.countRow(r)
	if details == nil {
		b.counters.Processed++
		return nil
	}
	return b.processedWithError(r, i, details)
}

// sinkAt gives the sink of a time, which may be new.
func (b *Builder) sinkAt(t int64) *sink {
	start, end := b.cfg.Schema.SegmentGranularity.Bucket(t)
	k := b.sinks[start]
	if k == nil {
		k = &sink{start: start, end: end}
		b.sinks[start] = k
	}
	if k.memory == nil {
		k.memory = b.newMemory(k)
	}
	b.last = k
	return k
}

// newMemory gives an empty index, one used before if there is one.
func (b *Builder) newMemory(k *sink) *memory {
	if n := len(b.spare); n > 0 {
		m := b.spare[n-1]
		b.spare = b.spare[:n-1]
		for _, d := range k.found {
			m.addDim(d)
		}
		return m
	}
	return newMemory(b.plan, k.found)
}

// memoryFull says whether half the budget is used; the other half is for the spill under way.
func (b *Builder) memoryFull() bool {
	n := int64(0)
	for _, k := range b.sinks {
		if k.memory == nil {
			continue
		}
		if n += k.memory.bytes(); n >= b.cfg.MaxBytesInMemory/2 || k.memory.full() {
			return true
		}
	}
	return false
}

// sortedSinks gives the sinks by time.
func (b *Builder) sortedSinks() []*sink {
	keys := slices.Sorted(maps.Keys(b.sinks))
	out := make([]*sink, len(keys))
	for i, k := range keys {
		out[i] = b.sinks[k]
	}
	return out
}

// Close waits for background work and removes the temporary files. Finished segments stay.
func (b *Builder) Close() error {
	if b.spill == nil {
		return nil
	}
	err := b.waitPersist()
	if b.err != nil || errors.Is(err, b.err) {
		err = nil // it was returned before
	}
	b.over = true
	err = errors.Join(err, b.spill.close())
	b.spill, b.sinks, b.spare, b.last = nil, nil, nil, nil
	return err
}

// countRow counts a stored row for the partition of its record.
func (b *Builder) countRow(r *Record) {
	if r.Partition != b.partition.Partition || r.Topic != b.partition.Topic {
		b.countRows()
		b.partition = row.Source{Topic: r.Topic, Partition: r.Partition}
	}
	b.partitionRows++
}

// countRows adds the rows of the last partition to the counters: once a change of partition, not once a row.
func (b *Builder) countRows() {
	if b.partitionRows > 0 {
		b.counters.RecordsProcessed[b.partition] += b.partitionRows
		b.partitionRows = 0
	}
}

// publish makes counters and sizes visible to other goroutines.
func (b *Builder) publish() {
	b.countRows()
	rows, most, bytes := int64(0), int64(0), int64(0)
	for _, k := range b.sinks {
		n := k.rows()
		rows += n
		most = max(most, n)
		if k.memory != nil {
			bytes += k.memory.bytes()
		}
	}
	if b.behind != nil {
		bytes += b.behind.bytes
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	records := b.mu.counters.RecordsProcessed
	if records == nil {
		records = map[row.Source]int64{}
	}
	maps.Copy(records, b.counters.RecordsProcessed)
	b.mu.counters = b.counters
	b.mu.counters.RecordsProcessed = records
	b.mu.rows, b.mu.max, b.mu.bytes = rows, most, bytes
	if b.savedNew {
		b.savedNew = false
		b.mu.saved = b.newestFirst()
	}
}

// Counters gives the row counters as of the last batch.
func (b *Builder) Counters() row.Counters {
	b.mu.Lock()
	defer b.mu.Unlock()
	c := b.mu.counters
	c.RecordsProcessed = maps.Clone(c.RecordsProcessed)
	return c
}

// Rows gives the rows stored in all intervals, in memory and spilled.
func (b *Builder) Rows() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.rows
}

// MaxSegmentRows gives the rows of the interval that has most of them.
func (b *Builder) MaxSegmentRows() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.max
}

// Bytes gives the memory that the index holds, a spill under way included.
func (b *Builder) Bytes() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.mu.bytes
}
