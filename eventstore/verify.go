package eventstore

import (
	"context"
	"errors"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// VerifyReport says what Verify went through.
type VerifyReport struct {
	// Events and Aggregates count what was held against its hashes.
	Events     uint64
	Aggregates int
	// Last is the last log sequence looked at.
	Last uint64
}

// Verify walks the whole log and holds every event against its own hash and
// every aggregate's events against their chain. A problem is a *DamagedError,
// with the report beside it; the log it was given stays as it is.
func (s *Store) Verify(ctx context.Context) (VerifyReport, error) {
	st, err := s.State(ctx)
	if err != nil {
		return VerifyReport{}, err
	}
	f := findings{stream: s.cfg.Stream}
	f.state(st)
	w := walk{store: s, prev: map[string]string{}, found: &f}
	if st.Events > 0 {
		if err := w.run(ctx, reading{from: 1, last: st.Last}); err != nil {
			return w.report(), err
		}
	}
	if d := f.damage(); d != nil {
		return w.report(), d
	}
	return w.report(), nil
}

// VerifyRest holds against their hashes what Open left of the VerifyEvents
// newest events, so that a start need not wait for them. Where it finds damage
// the store becomes one for reading only, the answer is the *DamagedError, and
// the next Open looks at all of them before it lets anybody append.
func (s *Store) VerifyRest(ctx context.Context) error {
	opened := &s.guard.opened
	if s.Damage() != nil || opened.from <= 1 {
		return nil
	}
	from := firstOf(s.cfg.VerifyEvents, opened.next-1)
	if from >= opened.from {
		return nil
	}
	f := findings{stream: s.cfg.Stream}
	w := walk{store: s, prev: map[string]string{}, partial: from > 1, found: &f}
	if err := w.read(ctx, reading{from: from, last: opened.from - 1}); err != nil {
		return err
	}
	opened.follows(&w)
	d := f.damage()
	if d == nil {
		return nil
	}
	s.guard.suspect()
	s.spoil(d)
	return d
}

// walk reads events in order and notes each that does not fit.
type walk struct {
	store *Store
	// prev is the last hash by aggregate token.
	prev map[string]string
	// partial says that the walk begins amid the log: an aggregate's first event
	// seen is taken as it is.
	partial bool
	found   *findings
	// firsts, where set, are the events that such a walk takes as they are, by
	// aggregate token.
	firsts map[string]link

	from   uint64
	next   uint64
	events uint64
	open   string // id of the batch whose commit has not come yet
	// batchBefore is the id of the batch that the first event is of, which may have begun before it.
	batchBefore string
}

// link is what an event says of the one before it.
type link struct {
	seq      uint64
	prevHash string
	owner    string
}

// follows holds what the walk took as it was against the walk before it.
func (w *walk) follows(before *walk) {
	if before.next != w.from {
		before.found.add(before.next, "events %d to %d are gone", before.next, w.from-1)
	}
	if before.open != "" && before.open != w.batchBefore {
		before.found.add(w.from, "batch %s before event %d is not whole", before.open, w.from)
	}
	for token, l := range w.firsts {
		if prev, seen := before.prev[token]; (seen || !before.partial) && l.prevHash != prev {
			before.found.add(l.seq, "event %d does not follow the event of %q before it", l.seq, l.owner)
		}
	}
}

func (w *walk) report() VerifyReport {
	r := VerifyReport{Events: w.events, Aggregates: len(w.prev)}
	if w.next > 0 {
		r.Last = w.next - 1
	}
	return r
}

// run looks at every message of the reading, whose last is the log's.
func (w *walk) run(ctx context.Context, r reading) error {
	if err := w.read(ctx, r); err != nil {
		return err
	}
	if w.open != "" {
		w.found.add(w.next-1, "batch %s at the end is not whole", w.open)
	}
	return nil
}

// read looks at every message. One that is not an event is a finding, not an
// end: the walk goes on after it.
func (w *walk) read(ctx context.Context, r reading) error {
	w.from, w.next = r.from, r.from
	r.raw = w.message
	return w.store.read(ctx, r, nil)
}

func (w *walk) message(seq uint64, msg jetstream.Msg) {
	if seq != w.next {
		w.found.add(w.next, "events %d to %d are gone", w.next, seq-1)
	}
	w.next = seq + 1
	w.batch(seq, msg.Headers())
	e, err := w.store.open(msg.Subject(), seq, msg.Headers(), msg.Data())
	if err != nil {
		w.found.add(seq, "event %d: %v", seq, err)
		if !errors.Is(err, errHashMismatch) {
			return
		}
		e.Hash = header(msg.Headers(), HeaderHash)
		e.PrevHash = header(msg.Headers(), HeaderPrevHash)
	}
	a, err := w.store.subj.parse(msg.Subject())
	if err != nil {
		return
	}
	w.events++
	prev, seen := w.prev[a.aggregateToken]
	if (seen || !w.partial) && e.PrevHash != prev {
		w.found.add(seq, "event %d does not follow the event of %q before it", seq, a.supervisorID)
	}
	if !seen && w.firsts != nil {
		w.firsts[a.aggregateToken] = link{seq: seq, prevHash: e.PrevHash, owner: a.supervisorID}
	}
	w.prev[a.aggregateToken] = e.Hash
}

func (w *walk) batch(seq uint64, h nats.Header) {
	id := header(h, "Nats-Batch-Id")
	if seq == w.from {
		w.batchBefore = id
	}
	if w.open != "" && id != w.open {
		w.found.add(seq, "batch %s before event %d is not whole", w.open, seq)
	}
	w.open = ""
	if batchOpen(h) {
		w.open = id
	}
}
