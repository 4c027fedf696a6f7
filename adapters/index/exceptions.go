package index

import (
	"errors"
	"slices"

	"ogham/domain/row"
)

// ParseExceptions gives the saved parse errors as of the last batch, newest first.
func (b *Builder) ParseExceptions() []row.ParseException {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.mu.saved)
}

// unparseable notes a record that the parser refused. Any other error of a parser is the task's.
func (b *Builder) unparseable(r *Record, err error) error {
	var bad *row.RecordError
	if !errors.As(err, &bad) {
		return err
	}
	b.counters.Unparseable++
	return b.note(r, row.ErrorUnparseable, bad.Input, []string{bad.Message})
}

// badTime notes a record, whose rows begin at first, with a row whose time cannot be read.
func (b *Builder) badTime(r *Record, rows *row.Rows, first, i int, at row.Place) error {
	text := string(rows.AppendText(nil, &rows.Values[(first+i)*rows.Width+b.plan.timeSlot]))
	event := row.ShortEvent(b.plan.parser.Event(r, i))
	b.counters.Unparseable++
	return b.note(r, row.ErrorUnparseable, event, []string{row.TimestampMessage(text, event) + at.String()})
}

func (b *Builder) timeOutOfRange(r *Record, i int, t int64, at row.Place) error {
	event := b.plan.parser.Event(r, i)
	b.counters.Unparseable++
	return b.note(r, row.ErrorUnparseable, event, []string{row.TimeRangeMessage(t, event) + at.String()})
}

// badTransform notes a row whose time a transform made impossible. Any other error of a transform is the task's.
func (b *Builder) badTransform(r *Record, i int, err error) error {
	var bad *row.RecordError
	if !errors.As(err, &bad) {
		return err
	}
	b.counters.Unparseable++
	return b.note(r, row.ErrorUnparseable, b.plan.parser.Event(r, i), []string{bad.Message})
}

// processedWithError notes a stored row with columns that could not be converted.
func (b *Builder) processedWithError(r *Record, i int, details []string) error {
	b.counters.ProcessedWithError++
	event := ""
	if b.keeps() {
		event = b.plan.parser.Event(r, i)
	}
	return b.note(r, row.ErrorProcessedWithError, event, details)
}

func (b *Builder) keeps() bool {
	return b.cfg.MaxSavedParseExceptions > 0 || b.cfg.LogParseException != nil
}

// note saves and logs an error, and fails when there have been too many.
func (b *Builder) note(r *Record, kind, input string, details []string) error {
	if b.keeps() {
		e := row.ParseException{
			Input: input, ErrorType: kind, Details: details, TimeOfExceptionMillis: b.cfg.Now(),
			Source: row.Source{Topic: r.Topic, Partition: r.Partition}, Offset: r.Offset,
		}
		if b.cfg.LogParseException != nil {
			b.cfg.LogParseException(e)
		}
		b.save(e)
	}
	limit := b.cfg.MaxParseExceptions
	if limit >= 0 && b.counters.Unparseable+b.counters.ProcessedWithError > int64(limit) {
		return &ParseLimitError{Limit: limit}
	}
	return nil
}

// save keeps the newest errors in a ring.
func (b *Builder) save(e row.ParseException) {
	if b.cfg.MaxSavedParseExceptions <= 0 {
		return
	}
	b.savedNew = true
	if len(b.saved) < b.cfg.MaxSavedParseExceptions {
		b.saved = append(b.saved, e)
		return
	}
	b.saved[b.next] = e
	b.next = (b.next + 1) % len(b.saved)
}

func (b *Builder) newestFirst() []row.ParseException {
	out := make([]row.ParseException, 0, len(b.saved))
	for i := range b.saved {
		out = append(out, b.saved[(b.next+i)%len(b.saved)])
	}
	slices.Reverse(out)
	return out
}
