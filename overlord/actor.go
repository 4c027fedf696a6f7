package overlord

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

// mailboxSize bounds the requests that wait for one actor. A sender waits where it is full.
const mailboxSize = 64

// retireAfter is how long the actor of a supervisor that is gone waits for somebody to ask for it again.
const retireAfter = 5 * time.Second

// actor owns one supervisor. Every field below the line is touched by its own goroutine only, or by closures that it
// runs (do).
type actor struct {
	term  *term
	id    string
	agg   *eventstore.Aggregate
	log   *slog.Logger
	inbox chan func(context.Context)
	done  chan struct{} // closed when the actor has ended
	jobs  sync.WaitGroup

	measures measures

	// ---- owned by the actor's goroutine
	state   *supervisor.State
	decider *supervisor.Decider
	stale   bool      // an append's outcome is unknown: reload before deciding
	touched time.Time // when somebody last asked for anything
	spec    *spec.Supervisor
	specOf  int // the SpecVersion that spec was parsed from
	stream  Stream
	loop    runLoop
	scaler  *scaler // nil for a supervisor without an autoscaler
	// scalerOf is the SpecVersion that scaler was made for.
	scalerOf int
	reports  map[string]liveReport
	busy     map[string]bool // groups whose open sequence somebody is giving an end
	repeats  map[string]bool // tasks that are being told again what they have not followed
	orders   uint64          // how many orders were given a number
}

// liveReport is what a worker last said of a task.
type liveReport struct {
	at     time.Time
	report task.Report
	asked  time.Time // when its worker was last ordered to run it
	missed int       // heartbeats of its worker since the assignment that did not name it
}

// numbered gives an order its place among all that this actor gives. What is decided earlier counts as earlier, whenever
// it arrives; so the number is taken where the order is decided.
func (a *actor) numbered(o task.Order) task.Order {
	a.orders++
	o.Number = a.orders
	return o
}

// origin says who caused a decision.
type origin struct {
	actor string
	cause []string
}

var byOverlord = origin{actor: "overlord"}

func newActor(t *term, id string) *actor {
	return &actor{
		term: t, id: id, agg: t.cfg.Store.Aggregate(id), log: t.cfg.Logger.With("supervisor", id),
		inbox: make(chan func(context.Context), mailboxSize), done: make(chan struct{}),
		state: supervisor.NewState(id), decider: supervisor.NewDecider(t.cfg.Thresholds),
		reports: map[string]liveReport{}, busy: map[string]bool{}, repeats: map[string]bool{}, touched: t.cfg.Now(),
	}
}

// load brings the state up to the log.
func (a *actor) load(ctx context.Context) error {
	if a.state.Sequence == 0 {
		a.state = a.term.cfg.Catalog.Snapshot(a.id)
	}
	_, err := a.agg.Load(ctx, a.state.Sequence, func(e eventstore.Event) error {
		r, err := eventstore.Decode(e)
		if err != nil {
			return err
		}
		a.state = supervisor.Evolve(a.state, r)
		return nil
	})
	if err != nil {
		return fmt.Errorf("load supervisor %s: %w", a.id, err)
	}
	a.stale = false
	return nil
}

// run is the actor's goroutine.
func (a *actor) run(ctx context.Context) {
	defer close(a.done)
	defer a.closeStream()
	defer a.jobs.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	now := a.term.cfg.Now()
	a.loop.reset(now, now)
	a.loop.adopted = a.state.SpecVersion > 0
	if a.state.SpecVersion > 0 && !a.state.Health.OneSuccessfulRun {
		a.loop.reset(now, now.Add(a.startDelay()))
	}
	for {
		wait := a.tick(ctx)
		if a.state.Drained() && !a.loop.running && a.term.cfg.Now().Sub(a.touched) > retireAfter && a.term.retire(a) {
			return
		}
		timer.Reset(wait)
		select {
		case <-ctx.Done():
			return
		case fn := <-a.inbox:
			a.guarded(ctx, fn)
		case <-timer.C:
		}
	}
}

// guarded runs one request; a panic in it is a fault of ours that makes the run fail and nothing else.
func (a *actor) guarded(ctx context.Context, fn func(context.Context)) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("supervisor actor", "panic", p)
			a.loop.errs = append(a.loop.errs, errorEvent(&panicError{p}, a.term.cfg.Now()))
			a.stale = true
		}
	}()
	fn(ctx)
}

// do runs fn in the actor's goroutine and waits for it. It returns an error where the actor has ended.
func (a *actor) do(ctx context.Context, fn func(context.Context)) error {
	finished := make(chan struct{})
	wrapped := func(ctx context.Context) {
		defer close(finished)
		a.touched = a.term.cfg.Now()
		fn(ctx)
	}
	select {
	case a.inbox <- wrapped:
	case <-a.done:
		return errEnded
	case <-ctx.Done():
		return ctx.Err()
	}
	select {
	case <-finished:
		return nil
	case <-a.done:
		select {
		case <-finished: // it was the actor's last request
			return nil
		default:
			return errEnded
		}
	case <-ctx.Done():
		return ctx.Err()
	}
}

var errEnded = errors.New("the supervisor's actor has ended")

// post is do without waiting, for what may be lost: it is said again by the next heartbeat.
func (a *actor) post(fn func(context.Context)) {
	select {
	case a.inbox <- fn:
	default:
	}
}

// spawn runs fn beside the actor; the actor does not end before it.
func (a *actor) spawn(ctx context.Context, fn func(context.Context)) {
	a.jobs.Go(func() {
		defer func() {
			if p := recover(); p != nil {
				a.log.Error("supervisor job", "panic", p)
				a.post(func(context.Context) { a.loop.errs = append(a.loop.errs, errorEvent(&panicError{p}, a.term.cfg.Now())) })
			}
		}()
		fn(ctx)
	})
}

// decide decides, appends and evolves. It returns the last event's log sequence, that of the newest event where nothing
// was to be done.
func (a *actor) decide(ctx context.Context, c supervisor.Command, by origin) (uint64, error) {
	if !a.term.lease.Valid() {
		return 0, &NotLeaderError{}
	}
	for try := 0; ; try++ {
		if a.stale {
			if err := a.load(ctx); err != nil {
				return 0, err
			}
		}
		events, err := a.decider.Decide(a.state, c)
		if err != nil || len(events) == 0 {
			return a.state.Sequence, err
		}
		err = a.append(ctx, events, by)
		var conflict *eventstore.ConflictError
		if !errors.As(err, &conflict) {
			return a.state.Sequence, err
		}
		a.stale = true
		if err := a.load(ctx); err != nil {
			return 0, err
		}
		if a.state.Epoch > a.term.lease.Epoch {
			a.term.depose(fmt.Errorf("supervisor %s has events of epoch %d", a.id, a.state.Epoch))
			return 0, &NotLeaderError{}
		}
		if try == 5 {
			return 0, fmt.Errorf("decide %T: %w", c, err)
		}
	}
}

func (a *actor) append(ctx context.Context, events []supervisor.Event, by origin) error {
	now := a.term.cfg.Now().UTC()
	batch := make([]eventstore.NewEvent, len(events))
	for i, e := range events {
		n, err := eventstore.Encode(e)
		if err != nil {
			return err
		}
		n.SupervisorID, n.ID, n.Time = a.id, a.term.cfg.NewID(), now
		n.Epoch, n.Actor, n.Cause = a.term.lease.Epoch, by.actor, by.cause
		batch[i] = n
	}
	if err := a.term.cfg.Writable(); err != nil {
		return err
	}
	last, err := a.agg.Append(ctx, a.state.Sequence, batch)
	if err != nil {
		a.stale = true
		var away *eventstore.UnavailableError
		if errors.As(err, &away) && away.Full {
			a.term.cfg.Full()
		}
		return err
	}
	first := last - uint64(len(events)) + 1
	for i, e := range events {
		a.state = supervisor.Evolve(a.state, supervisor.Recorded{
			Sequence: first + uint64(i), ID: batch[i].ID, Time: now, Epoch: batch[i].Epoch, Event: e,
		})
		a.trace(e)
	}
	return nil
}

func (a *actor) trace(e supervisor.Event) {
	if t := e.Moved(); t != nil {
		a.log.Info(fmt.Sprintf("%T", e)[len("*supervisor."):], "task", supervisor.TaskOf(e), "from", t.From, "to", t.To, "trigger", t.Trigger)
	}
}

// current returns the parsed spec of the state, and the error of one that this version does not understand any more.
func (a *actor) current() (*spec.Supervisor, error) {
	if a.spec != nil && a.specOf == a.state.SpecVersion {
		return a.spec, nil
	}
	s, err := spec.ParseStored(a.state.Spec)
	if err != nil {
		return nil, fmt.Errorf("read the stored spec: %w", err)
	}
	a.closeStream()
	a.spec, a.specOf = s, a.state.SpecVersion
	a.measures.reset()
	return s, nil
}

func (a *actor) closeStream() {
	if a.stream != nil {
		a.stream.Close()
		a.stream = nil
	}
}
