package worker

import (
	"ogham/domain/row"
	"ogham/domain/task"
)

// sequence is one run of offsets of a task with the segments being built of it.
type sequence struct {
	task.Sequence
	// builder is nil until the first record: many sequences have none.
	builder Builder
	// handed says that it was read to its end and is the publisher's now.
	handed bool
}

// takes reports whether the sequence takes the partition's record at an offset.
func (s *sequence) takes(p task.Partition, offset int64) bool {
	return s.End == nil || offset < s.End[p]
}

// full reports whether everything up to the end has been read.
func (s *sequence) full(position task.Offsets) bool {
	if s.End == nil {
		return false
	}
	for p, end := range s.End {
		if position[p] < end {
			return false
		}
	}
	return true
}

// moved reports whether there is anything between start and end.
func (s *sequence) moved() bool {
	for p, end := range s.End {
		if end > s.Start[p] {
			return true
		}
	}
	return false
}

// tally adds up the counters of a task's builders, the closed ones too.
type tally struct {
	counters task.Counters
	records  map[task.Partition]int64
	// saved are parse exceptions, newest first.
	saved []task.ParseException
}

func (t *tally) add(c row.Counters, name func(row.Source) task.Partition) {
	t.counters.Processed += c.Processed
	t.counters.ProcessedBytes += c.ProcessedBytes
	t.counters.ProcessedWithError += c.ProcessedWithError
	t.counters.ThrownAway += c.ThrownAway
	t.counters.Unparseable += c.Unparseable
	if t.records == nil {
		t.records = make(map[task.Partition]int64)
	}
	for p, n := range c.RecordsProcessed {
		t.records[name(p)] += n
	}
}

// remember puts newer exceptions before those that are there, and keeps at most limit.
func (t *tally) remember(newer []row.ParseException, limit int, name func(row.Source) task.Partition) {
	if len(newer) == 0 || limit <= 0 {
		return
	}
	out := make([]task.ParseException, 0, min(limit, len(newer)+len(t.saved)))
	for _, e := range newer {
		out = append(out, task.ParseException{
			Input: e.Input, ErrorType: e.ErrorType, Details: e.Details, TimeOfExceptionMillis: e.TimeOfExceptionMillis,
			Partition: name(e.Source), Offset: e.Offset,
		})
	}
	out = append(out, t.saved...)
	t.saved = out[:min(limit, len(out))]
}

func (t *tally) clone() tally {
	c := tally{counters: t.counters, saved: t.saved, records: make(map[task.Partition]int64, len(t.records))}
	for p, n := range t.records {
		c.records[p] = n
	}
	return c
}
