package eventstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/synadia-io/orbit.go/jetstreamext"
)

// Codes of the server that nats.go has no name for.
const (
	codeClusterNotAvailable  jetstream.ErrorCode = 10008
	codeClusterNotLeader     jetstream.ErrorCode = 10009
	codeStreamOffline        jetstream.ErrorCode = 10118
	codeInsufficient         jetstream.ErrorCode = 10023
	codeNoMemory             jetstream.ErrorCode = 10028
	codeStorageExceeded      jetstream.ErrorCode = 10047
	codeStoreFailed          jetstream.ErrorCode = 10077
	codeDuplicateInFlight    jetstream.ErrorCode = 10158
	codeFenceNotReady        jetstream.ErrorCode = 10163
	codeAccountExceeded      jetstream.ErrorCode = 10002
	codeBatchIncomplete      jetstream.ErrorCode = 10176
	codeBatchDuplicateID     jetstream.ErrorCode = 10201
	codeBatchTooManyInFlight jetstream.ErrorCode = 10210
)

const (
	firstBackoff = 2 * time.Millisecond
	lastBackoff  = 250 * time.Millisecond
	// ackBatchEvery is how many events of a batch are sent before the server has
	// to say that it keeps up.
	ackBatchEvery = 100
)

// seal turns new events into a chain of messages, and refuses what the server
// would refuse.
func (a *Aggregate) seal(prev string, events []NewEvent) ([]Event, []*outgoing, error) {
	s := a.store
	limit := int(s.nc.MaxPayload())
	sealed := make([]Event, len(events))
	msgs := make([]*outgoing, len(events))
	for i := range events {
		e, err := s.seal(a.who, &events[i], prev)
		if err != nil {
			return nil, nil, err
		}
		m := message(&e)
		if size := m.size + batchHeaderBytes + len(a.filter); size > limit {
			return nil, nil, &TooLargeError{What: "event", Type: e.Type, ID: e.ID, Size: size, Limit: limit}
		}
		sealed[i], msgs[i], prev = e, m, e.Hash
	}
	return sealed, msgs, nil
}

// verdict is what an answer to a publish means for the append.
type verdict int

const (
	stored   verdict = iota
	lostRace         // the fence or the message id says no: read who was first
	unknown          // no answer: it may be stored, now or soon
	busy             // certainly not stored, and worth another attempt
	full             // certainly not stored, no space
	refused          // certainly not stored, and would not be the next time
)

// judge is the one place that decides what may be tried again.
func judge(err error) verdict {
	if err == nil {
		return stored
	}
	if code := codeOf(err); code != 0 {
		switch code {
		case jetstream.JSErrCodeStreamWrongLastSequence, // unreplicated, or replicated and long past
			jetstream.JSErrCodeStreamWrongLastSequenceConstant, // replicated, another in flight
			codeDuplicateInFlight, codeBatchDuplicateID:        // the id came before: most likely our own first try
			return lostRace
		case codeClusterNotAvailable, codeClusterNotLeader, codeStreamOffline, codeFenceNotReady,
			codeBatchTooManyInFlight, jetstream.JSErrCodeJetStreamNotEnabled:
			return busy
		case codeBatchIncomplete: // a message of the batch was lost on the way, or the leader changed
			return busy
		case codeInsufficient, codeNoMemory, codeStorageExceeded, codeAccountExceeded, codeStoreFailed:
			return full
		default:
			return refused
		}
	}
	switch {
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrNoStreamResponse),
		errors.Is(err, nats.ErrReconnectBufExceeded): // nobody took it
		return busy
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrBadSubject):
		return refused
	default: // time-outs, lost connections, unreadable answers
		return unknown
	}
}

// publish sends the messages until the outcome is known, the time is up or the context ends.
func (a *Aggregate) publish(ctx context.Context, until time.Time, expected uint64, events []Event, msgs []*outgoing) (uint64, error) {
	msgs[0].fence(a.store.cfg.Stream, a.filter, expected)
	last, duplicate, err := a.send(ctx, until, msgs)
	if err == nil && !duplicate {
		return last, nil
	}
	ctx, cancel := context.WithDeadline(ctx, until)
	defer cancel()
	op := fmt.Sprintf("append to %q", a.who.id)
	inDoubt := false
	for backoff := firstBackoff; ; backoff = min(2*backoff, lastBackoff) {
		v := judge(err)
		if duplicate {
			v = lostRace
		}
		switch v {
		case stored:
			return last, nil
		case lostRace:
			last, done, rerr := a.resolve(ctx, expected, events, duplicate, last)
			if done {
				return last, rerr
			}
			if rerr != nil {
				err = rerr
			}
			// The fence says no, and yet nothing is there: one is in flight, ours or
			// another's.
			inDoubt = true
		case unknown:
			inDoubt = true
		case full:
			// A failed write may have left a whole event behind, for the next start to find.
			inDoubt = inDoubt || hasCode(err, codeStoreFailed)
			return 0, &UnavailableError{Op: op, Full: true, Unknown: inDoubt, Err: err}
		case refused:
			return 0, fmt.Errorf("%s: %w", op, err)
		case busy:
		}
		if werr := wait(ctx, backoff); werr != nil {
			return 0, &UnavailableError{Op: op, Unknown: inDoubt, Err: errors.Join(err, werr)}
		}
		last, duplicate, err = a.send(ctx, until, msgs)
	}
}

// send publishes once: one event by itself, several as an atomic batch.
func (a *Aggregate) send(ctx context.Context, until time.Time, msgs []*outgoing) (last uint64, duplicate bool, err error) {
	s := a.store
	end := time.Now().Add(s.cfg.AttemptTimeout)
	if until.Before(end) {
		end = until
	}
	ctx, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	if len(msgs) == 1 {
		answer, err := s.nc.RequestMsgWithContext(ctx, &msgs[0].Msg)
		if err != nil {
			return 0, false, err
		}
		return readAck(s.ackForm, answer.Data)
	}
	batch := make([]*nats.Msg, len(msgs))
	for i, m := range msgs {
		batch[i] = &m.Msg
	}
	// Waiting for the first message's answer costs a round trip and a write; on a
	// long batch it is worth that to learn early that the server takes none.
	ack, err := jetstreamext.PublishMsgBatch(ctx, s.js, batch, jetstreamext.BatchFlowControl{
		AckFirst: len(msgs) > ackBatchEvery, AckEvery: ackBatchEvery, AckTimeout: s.cfg.AttemptTimeout,
	})
	if err != nil {
		return 0, hasCode(err, codeBatchDuplicateID), err
	}
	return ack.Sequence, false, nil
}

func hasCode(err error, code jetstream.ErrorCode) bool { return codeOf(err) == code }

// codeOf returns the server's error code, or 0 where it did not answer one. The
// client has its own errors for some codes, which carry the code inside.
func codeOf(err error) jetstream.ErrorCode {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.ErrorCode
	}
	var js jetstream.JetStreamError
	if errors.As(err, &js) && js.APIError() != nil {
		return js.APIError().ErrorCode
	}
	return 0
}

// resolve finds out who came after expected: ours, and the append is done;
// another's, and it is lost; nobody yet, and done is false. Where the server
// took ours for a duplicate, dupSeq is where it says the first one is, or 0.
func (a *Aggregate) resolve(
	ctx context.Context, expected uint64, events []Event, duplicate bool, dupSeq uint64,
) (last uint64, done bool, err error) {
	s := a.store
	next, err := s.nextOf(ctx, a.filter, expected+1)
	if err != nil {
		return 0, isDamage(err), err
	}
	first := &events[0]
	if next.Sequence != 0 && next.ID == first.ID {
		return a.confirm(ctx, next, events)
	}
	if next.Sequence == 0 {
		if !duplicate {
			return 0, false, nil
		}
		// The id is in the window, and not where ours would be: it was used before.
		return 0, true, &DuplicateIDError{ID: first.ID, Sequence: dupSeq}
	}
	conflict := &ConflictError{Aggregate: a.who.id, Expected: expected, Actual: next.Sequence}
	if head, err := a.last(ctx); err == nil {
		conflict.Actual = head.Sequence
	}
	return 0, true, conflict
}

// confirm holds the stored events against ours: the ids are equal, the contents
// must be too.
func (a *Aggregate) confirm(ctx context.Context, first Event, events []Event) (uint64, bool, error) {
	if first.Hash != events[0].Hash {
		return 0, true, &DuplicateIDError{ID: first.ID, Sequence: first.Sequence}
	}
	if len(events) == 1 {
		return first.Sequence, true, nil
	}
	// A batch is stored whole and in one piece.
	seq := first.Sequence + uint64(len(events)) - 1
	tail, err := a.store.at(ctx, seq)
	switch {
	case errors.Is(err, jetstream.ErrMsgNotFound):
		return 0, true, a.store.corrupt(first.Sequence, fmt.Errorf("its batch of %d is not whole", len(events)))
	case err != nil:
		return 0, isDamage(err), err
	case tail.Hash != events[len(events)-1].Hash:
		return 0, true, &DuplicateIDError{ID: tail.ID, Sequence: tail.Sequence}
	}
	return seq, true, nil
}

func isDamage(err error) bool {
	var d *DamagedError
	return errors.As(err, &d)
}

func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
