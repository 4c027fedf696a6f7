package eventstore

import (
	"context"
	"fmt"
	"time"
)

// Query says which events to read. The zero Query is all of them.
type Query struct {
	// SupervisorID limits to one supervisor and its tasks.
	SupervisorID string
	// Kind limits to one kind of event.
	Kind Kind
	// Type limits to one event type.
	Type string
	// To limits to events that reached a state: a supervisor's detailedState, or,
	// where Kind is KindTask, a task's status.
	To string
	// FromSeq is the first log sequence to read; 0 is the beginning.
	FromSeq uint64
	// ToSeq is the last log sequence to read; 0 is no bound.
	ToSeq uint64
	// Since and Until bound the events' own times, Since included and Until not.
	// The server's clock is not asked: it can be set back.
	Since, Until time.Time
	// Limit ends the reading after so many events; 0 is no limit.
	Limit int
}

// filters are the subjects that hold the query's events; they never overlap,
// which JetStream refuses. Nil stands for the whole log.
func (s subjects) filters(q Query) ([]string, error) {
	for what, name := range map[string]string{"type": q.Type, "state": q.To} {
		if name != "" && !validName(name) {
			return nil, fmt.Errorf("query: %s %q is not a name of letters, digits, _ and -", what, name)
		}
	}
	kinds := []Kind{KindSupervisor, KindTask, KindOverlord}
	switch {
	case q.Kind == KindSupervisor, q.Kind == KindTask, q.Kind == KindOverlord:
		kinds = []Kind{q.Kind}
	case q.Kind != "":
		return nil, fmt.Errorf("query: unknown kind %q", q.Kind)
	case q.To != "":
		// A task's RUNNING is not a supervisor's.
		kinds = []Kind{KindSupervisor}
	case q.SupervisorID != "":
		kinds = []Kind{KindSupervisor, KindTask}
	case q.Type == "":
		return nil, nil
	}
	or := func(name string) string {
		if name == "" {
			return "*"
		}
		return name
	}
	id := "*"
	if q.SupervisorID != "" {
		id = supervisorToken(q.SupervisorID)
	}
	var out []string
	for _, k := range kinds {
		f := s.prefix + "." + string(k) + "." + id + "."
		if k == KindOverlord && q.SupervisorID != "" {
			f = s.prefix + "." + string(k) + "." + overlordToken(q.SupervisorID) + "."
		}
		out = append(out, f+or(q.Type)+"."+or(q.To))
	}
	return out, nil
}

// picks says whether an event that came through the filters is wanted.
func (q Query) picks(e *Event) bool {
	return (q.Since.IsZero() || !e.Time.Before(q.Since)) && (q.Until.IsZero() || e.Time.Before(q.Until))
}

// Replay reads the query's events in order and ends at what was last when it
// began. An error of fn ends it and is returned as it is, ErrStop as nil.
func (s *Store) Replay(ctx context.Context, q Query, fn func(Event) error) error {
	filters, err := s.subj.filters(q)
	if err != nil {
		return err
	}
	last, err := s.lastMatching(ctx, filters)
	if err != nil {
		return err
	}
	if q.ToSeq != 0 {
		last = min(last, q.ToSeq)
	}
	r := reading{filters: filters, from: max(q.FromSeq, 1), last: last}
	if r.from > r.last {
		return nil
	}
	return s.query(ctx, q, r, fn)
}

// Tail reads as Replay does and then follows the log, without a gap or a repeat
// in between, across lost connections and restarts of the server, until the
// context ends (its error is returned), fn fails, or a bound of the query is
// reached. To resume, set FromSeq to the last sequence seen plus one.
func (s *Store) Tail(ctx context.Context, q Query, fn func(Event) error) error {
	filters, err := s.subj.filters(q)
	if err != nil {
		return err
	}
	return s.query(ctx, q, reading{filters: filters, from: max(q.FromSeq, 1), last: q.ToSeq, live: true}, fn)
}

func (s *Store) query(ctx context.Context, q Query, r reading, fn func(Event) error) error {
	left := q.Limit
	return s.read(ctx, r, func(e Event) error {
		if !q.picks(&e) {
			return nil
		}
		if err := s.raise(&e); err != nil {
			return err
		}
		if err := fn(e); err != nil {
			return err
		}
		if left--; q.Limit > 0 && left == 0 {
			return ErrStop
		}
		return nil
	})
}

// lastMatching is the last log sequence on any of the filters, 0 for none.
func (s *Store) lastMatching(ctx context.Context, filters []string) (uint64, error) {
	if filters == nil {
		st, err := s.State(ctx)
		return st.Last, err
	}
	var last uint64
	for _, f := range filters {
		e, err := s.lastOf(ctx, f)
		if err != nil {
			return 0, err
		}
		last = max(last, e.Sequence)
	}
	return last, nil
}

// Load hands over the aggregate's events after a log sequence, in order, and
// returns the sequence of its last. It holds the chain of hashes: where it is
// broken, the answer is a *DamagedError and fn has not seen the event. After
// must be 0 or the sequence of an event of this aggregate.
func (a *Aggregate) Load(ctx context.Context, after uint64, fn func(Event) error) (uint64, error) {
	s := a.store
	prev, err := a.hashAt(ctx, after)
	if err != nil {
		return 0, err
	}
	end, err := a.last(ctx)
	if err != nil {
		return 0, err
	}
	if end.Sequence < after {
		return 0, s.corrupt(after, fmt.Errorf("it is gone from the log, the last of %q is %d", a.who.id, end.Sequence))
	}
	if end.Sequence == after {
		return after, nil
	}
	r := reading{filters: []string{a.filter}, from: after + 1, last: end.Sequence}
	err = s.read(ctx, r, func(e Event) error {
		if e.PrevHash != prev {
			return s.corrupt(e.Sequence, fmt.Errorf("it does not follow the event of %q before it", a.who.id))
		}
		prev = e.Hash
		if err := s.raise(&e); err != nil {
			return err
		}
		return fn(e)
	})
	if err != nil {
		return 0, err
	}
	return end.Sequence, nil
}
