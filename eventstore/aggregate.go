package eventstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// identity is what an aggregate is called, in the program and in subjects.
type identity struct {
	id       string
	token    string
	overlord bool
}

// Aggregate is the handle of one consistency boundary. It remembers the hash of
// the last event it saw, so that an append needs no read before it. It is safe
// for concurrent use, though one goroutine should own an aggregate.
type Aggregate struct {
	store  *Store
	who    identity
	filter string

	mu   sync.Mutex
	head head // guarded by mu
}

// head is the last known event of an aggregate.
type head struct {
	seq  uint64
	hash string
}

// Aggregate returns a handle on a supervisor with its tasks. It does no IO.
func (s *Store) Aggregate(supervisorID string) *Aggregate {
	return s.aggregate(identity{id: supervisorID, token: supervisorToken(supervisorID)})
}

// OverlordAggregate returns a handle on an overlord's events (KindOverlord),
// which no supervisor's fence covers, whatever its name.
func (s *Store) OverlordAggregate(name string) *Aggregate {
	return s.aggregate(identity{id: name, token: overlordToken(name), overlord: true})
}

func (s *Store) aggregate(who identity) *Aggregate {
	return &Aggregate{store: s, who: who, filter: s.subj.boundary(who.token)}
}

// ID is the supervisor's id, or the overlord's name.
func (a *Aggregate) ID() string { return a.who.id }

func (a *Aggregate) known() head {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.head
}

func (a *Aggregate) learn(h head) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if h.seq >= a.head.seq {
		a.head = h
	}
}

// Append stores the events behind what the caller saw last: expected is the log
// sequence of the aggregate's last event, 0 where it has none. All of them are
// stored, or none, and the answer is the sequence of the last.
//
// A lost race is a *ConflictError. Calling it again with the same events and
// the same expected sequence is harmless. An *UnavailableError with Unknown set
// means that the events may be stored: reload before deciding again.
func (a *Aggregate) Append(ctx context.Context, expected uint64, events []NewEvent) (uint64, error) {
	s := a.store
	if r := s.readOnly.Load(); r != nil {
		return 0, r
	}
	if len(events) == 0 {
		return expected, nil
	}
	if len(events) > maxBatchEvents {
		return 0, &TooLargeError{What: "batch", Size: len(events), Limit: maxBatchEvents}
	}
	until := time.Now().Add(s.cfg.AppendTimeout)
	prev, err := a.hashAt(ctx, expected)
	if err != nil {
		return 0, err
	}
	sealed, msgs, err := a.seal(prev, events)
	if err != nil {
		return 0, err
	}
	last, err := a.publish(ctx, until, expected, sealed, msgs)
	if err != nil {
		return 0, err
	}
	for _, m := range msgs { // a message whose fate is not known may still be on its way
		m.release()
	}
	hash := sealed[len(sealed)-1].Hash
	a.learn(head{seq: last, hash: hash})
	s.guard.saw(last, hash)
	return last, nil
}

// hashAt returns the hash of the event at seq, which the caller takes for the
// aggregate's last.
func (a *Aggregate) hashAt(ctx context.Context, seq uint64) (string, error) {
	if seq == 0 {
		return "", nil
	}
	if h := a.known(); h.seq == seq {
		return h.hash, nil
	}
	e, err := a.store.at(ctx, seq)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return "", &ConflictError{Aggregate: a.who.id, Expected: seq}
	}
	if err != nil {
		return "", err
	}
	if got := a.store.ownerOf(&e); got != a.who {
		return "", fmt.Errorf("aggregate %q: event %d is of %q", a.who.id, seq, got.id)
	}
	return e.Hash, nil
}

// LastSequence returns the log sequence of the aggregate's last event, 0 where
// it has none.
func (a *Aggregate) LastSequence(ctx context.Context) (uint64, error) {
	e, err := a.last(ctx)
	if err != nil {
		return 0, err
	}
	return e.Sequence, nil
}

// last reads the aggregate's last event; one with sequence 0 says there is none.
func (a *Aggregate) last(ctx context.Context) (Event, error) {
	e, err := a.store.lastOf(ctx, a.filter)
	if err == nil && e.Sequence != 0 {
		a.learn(head{seq: e.Sequence, hash: e.Hash})
	}
	return e, err
}

// Append is Aggregate(supervisorID).Append for callers that keep no handle; it
// costs one read more.
func (s *Store) Append(ctx context.Context, supervisorID string, expected uint64, events []NewEvent) (uint64, error) {
	return s.Aggregate(supervisorID).Append(ctx, expected, events)
}

// Load is Aggregate(supervisorID).Load for callers that keep no handle.
func (s *Store) Load(ctx context.Context, supervisorID string, after uint64, fn func(Event) error) (uint64, error) {
	return s.Aggregate(supervisorID).Load(ctx, after, fn)
}

// LastSequence is Aggregate(supervisorID).LastSequence for callers that keep no
// handle.
func (s *Store) LastSequence(ctx context.Context, supervisorID string) (uint64, error) {
	return s.Aggregate(supervisorID).LastSequence(ctx)
}

func (s *Store) ownerOf(e *Event) identity {
	if e.Kind == KindOverlord {
		return identity{id: e.SupervisorID, token: overlordToken(e.SupervisorID), overlord: true}
	}
	return identity{id: e.SupervisorID, token: supervisorToken(e.SupervisorID)}
}

// at reads one event from the stream's leader; jetstream.ErrMsgNotFound is
// passed on.
func (s *Store) at(ctx context.Context, seq uint64) (Event, error) {
	return s.get(ctx, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.stream.GetMsg(ctx, seq)
	})
}

// lastOf reads the last event on a filter; one with sequence 0 says that there
// is none.
func (s *Store) lastOf(ctx context.Context, filter string) (Event, error) {
	e, err := s.get(ctx, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.stream.GetLastMsgForSubject(ctx, filter)
	})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Event{}, nil
	}
	return e, err
}

// nextOf reads the first event on a filter at seq or after it; one with
// sequence 0 says that there is none.
func (s *Store) nextOf(ctx context.Context, filter string, seq uint64) (Event, error) {
	e, err := s.get(ctx, func(ctx context.Context) (*jetstream.RawStreamMsg, error) {
		return s.stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(filter))
	})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Event{}, nil
	}
	return e, err
}

func (s *Store) get(ctx context.Context, read func(context.Context) (*jetstream.RawStreamMsg, error)) (Event, error) {
	m, err := patiently(ctx, &s.cfg, read)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return Event{}, err
	}
	if err != nil {
		return Event{}, s.unavailable("read the log", err)
	}
	e, err := s.open(m.Subject, m.Sequence, m.Header, m.Data)
	if err != nil {
		return Event{}, s.corrupt(m.Sequence, err)
	}
	return e, nil
}

// patiently reads, and waits out a server that is just starting or electing.
func patiently[T any](ctx context.Context, cfg *Config, read func(context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, cfg.AppendTimeout)
	defer cancel()
	for backoff := firstBackoff; ; backoff = min(2*backoff, lastBackoff) {
		attempt, cancel := context.WithTimeout(ctx, cfg.AttemptTimeout)
		v, err := read(attempt)
		cancel()
		if err == nil {
			return v, nil
		}
		if j := judge(err); j != busy && j != unknown {
			return v, err
		}
		if werr := wait(ctx, backoff); werr != nil {
			return v, errors.Join(err, werr)
		}
	}
}

func (s *Store) corrupt(seq uint64, err error) *DamagedError {
	return &DamagedError{
		Stream: s.cfg.Stream, Sequence: seq,
		Problems: []string{fmt.Sprintf("event %d: %v", seq, err)},
	}
}
