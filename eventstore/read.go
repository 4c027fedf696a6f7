package eventstore

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// ErrStop ends a reading without an error, where the function given to Replay
// or Tail returns it.
var ErrStop = errors.New("stop reading")

const (
	// pullMessages bounds what is on its way to a reader.
	pullMessages = 2000
	// stallAfter is how long a bounded reading may hear nothing, although an
	// event is known to be there, before it asks anew.
	stallAfter = 10 * time.Second
	// giveUpAfter is how long it goes on like that, or without a server.
	giveUpAfter = 30 * time.Second
	// orphanAfter is when the server drops a consumer that a dead reader left.
	orphanAfter = 30 * time.Second
)

// reading is one pass over the log.
type reading struct {
	filters []string
	// from and last are log sequences, both included. The event at last exists
	// unless live is set; 0 there is no end.
	from, last uint64
	live       bool
	// raw, where set, takes every message as it is, in place of fn.
	raw func(seq uint64, msg jetstream.Msg)
}

func (r *reading) done() bool { return r.last != 0 && r.from > r.last }

// read feeds fn until the reading is done. Each event passed raises r.from, so
// that a new consumer goes on where the old one was lost.
func (s *Store) read(ctx context.Context, r reading, fn func(Event) error) error {
	progress := time.Now()
	for backoff := firstBackoff; !r.done(); backoff = min(2*backoff, lastBackoff) {
		before := r.from
		err := s.readOnce(ctx, &r, fn)
		var stop *stopError
		switch {
		case errors.As(err, &stop):
			if errors.Is(stop.err, ErrStop) {
				return nil
			}
			return stop.err
		case r.done():
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, nats.ErrConnectionClosed):
			return s.unavailable("read the log", err)
		}
		switch {
		case r.from > before:
			progress, backoff = time.Now(), firstBackoff
		case !r.live && time.Since(progress) > giveUpAfter:
			return s.unavailable("read the log", fmt.Errorf("no event after %d, though there is one at %d: %w", r.from-1, r.last, err))
		}
		if err := wait(ctx, backoff); err != nil {
			return err
		}
	}
	return nil
}

// stopError carries an error that ends the whole reading, as against one of
// the connection.
type stopError struct{ err error }

func (e *stopError) Error() string { return e.err.Error() }

var errStalled = errors.New("no message came")

func (s *Store) readOnce(ctx context.Context, r *reading, fn func(Event) error) error {
	openCtx, cancel := context.WithTimeout(ctx, s.cfg.AttemptTimeout)
	defer cancel()
	cons, err := s.js.OrderedConsumer(openCtx, s.cfg.Stream, jetstream.OrderedConsumerConfig{
		FilterSubjects:    r.filters,
		DeliverPolicy:     jetstream.DeliverByStartSequencePolicy,
		OptStartSeq:       r.from,
		InactiveThreshold: orphanAfter,
		MaxResetAttempts:  1,
	})
	if err != nil {
		return fmt.Errorf("open a consumer: %w", err)
	}
	it, err := cons.Messages(jetstream.PullMaxMessages(pullMessages), jetstream.PullHeartbeat(time.Second))
	if err != nil {
		return fmt.Errorf("open a consumer: %w", err)
	}
	defer s.dropConsumer(cons)
	defer it.Stop()
	defer context.AfterFunc(ctx, it.Stop)()

	var stalled atomic.Bool
	var watchdog *time.Timer
	if !r.live {
		watchdog = time.AfterFunc(stallAfter, func() { stalled.Store(true); it.Stop() })
		defer watchdog.Stop()
	}
	for !r.done() {
		msg, err := it.Next()
		if err != nil {
			if stalled.Load() {
				return errStalled
			}
			return err
		}
		if watchdog != nil {
			watchdog.Reset(stallAfter)
		}
		if err := s.pass(r, msg, fn); err != nil {
			return &stopError{err: err}
		}
	}
	return nil
}

// pass hands one message on, unless it was passed before or lies beyond the end.
func (s *Store) pass(r *reading, msg jetstream.Msg, fn func(Event) error) error {
	meta, err := msg.Metadata()
	if err != nil {
		return fmt.Errorf("read the log: %w", err)
	}
	seq := meta.Sequence.Stream
	if seq < r.from {
		return nil
	}
	if r.last != 0 && seq > r.last {
		r.from = seq
		return nil
	}
	if r.raw != nil {
		r.raw(seq, msg)
		r.from = seq + 1
		return nil
	}
	e, err := s.open(msg.Subject(), seq, msg.Headers(), msg.Data())
	if err != nil {
		return s.corrupt(seq, err)
	}
	if err := fn(e); err != nil {
		return err
	}
	r.from = seq + 1
	return nil
}

// dropConsumer frees the server's side at once rather than after orphanAfter:
// loading ten thousand aggregates would leave as many behind. Nobody waits for
// the answer.
func (s *Store) dropConsumer(cons jetstream.Consumer) {
	info := cons.CachedInfo()
	if info == nil {
		return
	}
	subject := "$JS.API.CONSUMER.DELETE." + s.cfg.Stream + "." + info.Name
	_ = s.nc.PublishRequest(subject, s.nc.NewRespInbox(), nil)
}
