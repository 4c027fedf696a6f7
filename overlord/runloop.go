package overlord

import (
	"context"
	"errors"
	"hash/fnv"
	"maps"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

const (
	// idleTick is how often an actor looks after its tasks while nothing happens; quietTick where they only wait for a
	// place, of which they are told, and restTick where there are none.
	idleTick  = time.Second
	quietTick = 5 * time.Second
	restTick  = 30 * time.Second
	// unwritablePause is how long an actor waits with its next run after the log took nothing.
	unwritablePause = 2 * time.Second
	// maxBackOff bounds how often the gap before the run after a failed task is doubled; the period bounds the gap.
	maxBackOff = 16
)

// runLoop is when an actor's next run is due and what the one in progress has met.
type runLoop struct {
	running   bool
	made      time.Time // when the supervisor began as it is now: with its spec, or with this leader
	next      time.Time
	began     time.Time
	errs      []supervisor.ErrorEvent
	earlyStop time.Time            // when all groups finish because of new partitions; zero: never
	early     map[string]bool      // groups that this asks to finish
	unread    map[string]time.Time // until when groups without anything to publish read on
	fetch     time.Time            // when the ends of the topic are fetched next
	fetching  bool
	tended    time.Time
	adopted   bool         // the supervisor is older than its leader: its second run is spread
	refused   int          // tasks that no worker took or that could not end, since one last succeeded
	activeAt  time.Time    // when the topic last moved (idle check)
	ends      task.Offsets // the ends of the topic at the idle check before
}

// reset makes the next run due at the given time, as for a supervisor object that was made now.
func (l *runLoop) reset(now, next time.Time) {
	l.made, l.next, l.fetch, l.earlyStop = now, next, time.Time{}, time.Time{}
	l.early, l.errs, l.ends = map[string]bool{}, nil, nil
	l.unread, l.activeAt, l.refused = map[string]time.Time{}, time.Time{}, 0
}

// tick does what is due and returns how long nothing will be.
func (a *actor) tick(ctx context.Context) time.Duration {
	now := a.term.cfg.Now()
	if now.Sub(a.loop.tended) >= idleTick/4 {
		a.loop.tended = now
		a.guarded(ctx, a.tend)
	}
	if a.state.Drained() {
		return idleTick
	}
	if !a.loop.running && !now.Before(a.loop.next) {
		a.startRun(ctx, now)
	}
	a.fetchEnds(ctx, now)
	wait := a.quiet()
	if at := a.scale(ctx, now); !at.IsZero() {
		wait = min(wait, max(at.Sub(now), 0))
	}
	if !a.loop.running {
		wait = min(wait, max(a.loop.next.Sub(now), 0))
	}
	if a.stream != nil && !a.loop.fetching && reports(a.state.Detailed) && len(a.state.Partitions) > 0 {
		wait = min(wait, max(a.loop.fetch.Sub(now), idleTick/4))
	}
	return max(wait, time.Millisecond)
}

// quiet returns for how long nothing has to be looked after: a thousand supervisors without work should cost nothing.
func (a *actor) quiet() time.Duration {
	if !a.state.Exists() || a.state.Suspended && len(a.state.Active) > 0 {
		return idleTick
	}
	for _, t := range a.state.Tasks {
		if t.State != task.StatePending {
			return idleTick
		}
	}
	for _, g := range a.state.Active {
		if g.SpecVersion != a.state.SpecVersion {
			return idleTick
		}
	}
	if len(a.state.Tasks) > 0 {
		return quietTick
	}
	return restTick
}

// soon makes the next run due as soon as the least gap allows. Druid drops such a run where the one before began less
// than a second ago; a failed task would then wait for the whole period.
func (a *actor) soon() { a.soonBehind(a.term.cfg.MinRunGap) }

// soonBehind makes the next run due once the gap behind the beginning of the last is over, if it is not due before.
func (a *actor) soonBehind(gap time.Duration) {
	if at := maxTime(a.loop.began.Add(gap), a.term.cfg.Now()); at.Before(a.loop.next) {
		a.loop.next = at
	}
}

// soonAfter makes the next run due after the end of a task. A task that failed, or that was refused, is replaced at once,
// but where that goes on the runs come further and further apart, up to the period: what one replacement met the next will
// meet, and each costs the log some events for ever.
func (a *actor) soonAfter(end supervisor.Command) {
	inVain := a.loop.refused
	switch end.(type) {
	case supervisor.FailTask:
		inVain = max(inVain, a.state.Health.FailedTasks)
	case supervisor.SucceedTask:
		inVain, a.loop.refused = 0, 0
	}
	a.soonBehind(min(a.term.cfg.MinRunGap<<min(inVain, maxBackOff), a.period()))
}

func (a *actor) startRun(ctx context.Context, now time.Time) {
	a.loop.running, a.loop.began = true, now
	a.loop.next = now.Add(a.period())
	if a.loop.adopted {
		a.loop.adopted, a.loop.next = false, now.Add(spread(a.id, a.period()))
	}
	a.spawn(ctx, func(ctx context.Context) {
		r := &run{a: a, anew: map[string]bool{}}
		err := r.steps(ctx)
		_ = a.do(ctx, func(ctx context.Context) { r.end(ctx, err) })
	})
}

// spread returns a time between half the period and the whole, another one for another id. A new leader begins with all
// supervisors at once; without it all their runs would come at once for ever after.
func spread(id string, period time.Duration) time.Duration {
	h := fnv.New32a()
	h.Write([]byte(id))
	return period - time.Duration(float64(period)/2*float64(h.Sum32())/(1<<32))
}

// period is the time between two runs: the spec's, and never less than Druid's least.
func (a *actor) period() time.Duration {
	if a.spec == nil {
		return time.Second
	}
	return max(a.spec.IOConfig.Period, time.Second)
}

// run is one pass of the run loop. Its goroutine talks to Kafka and to workers; the closures given to do decide.
type run struct {
	a          *actor
	stream     Stream
	version    int
	generation int
	reads      supervisor.Stream
	period     time.Duration
	ids        map[string]string // the topics' ids when the run began
	topics     map[string]bool   // those that there are; empty where that could not be found out
	anew       map[string]bool   // those of them that are others than before
	errs       []supervisor.ErrorEvent
}

// errSuperseded ends a run whose supervisor was changed meanwhile: the next one begins with the new spec.
var errSuperseded = errors.New("the supervisor was changed during the run")

// steps are Druid's: partitions, tasks, their status, taskDuration, pending groups, active groups, creation.
func (r *run) steps(ctx context.Context) error {
	goOn := false
	if err := r.decide(ctx, func(ctx context.Context) (err error) { goOn, err = r.begin(ctx); return err }); err != nil {
		return err
	}
	if goOn {
		found, err := r.discover(ctx)
		if err != nil || !found {
			return err
		}
	}
	if err := r.decide(ctx, r.earlyStops); err != nil {
		return err
	}
	if err := r.finishDue(ctx); err != nil {
		return err
	}
	if err := r.decide(ctx, r.checkPending); err != nil {
		return err
	}
	if !goOn {
		return nil
	}
	if err := r.idleCheck(ctx); err != nil {
		return err
	}
	return r.create(ctx)
}

// decide runs fn in the actor. An error of the log or of leadership ends the run.
func (r *run) decide(ctx context.Context, fn func(context.Context) error) error {
	var err error
	if doErr := r.a.do(ctx, func(ctx context.Context) {
		if r.superseded() {
			err = errSuperseded
			return
		}
		err = fn(ctx)
	}); doErr != nil {
		return doErr
	}
	return err
}

// superseded reports whether the supervisor was updated or reset since the run began: what the run found out is of no use.
func (r *run) superseded() bool {
	return r.stream != nil && (r.version != r.a.state.SpecVersion || r.generation != r.a.state.Generation)
}

// begin proposes the beginning and opens the topic. It answers false for a supervisor that only drains.
func (r *run) begin(ctx context.Context) (bool, error) {
	a := r.a
	if !a.state.Exists() {
		return false, nil
	}
	s, err := a.current()
	if err != nil {
		r.fail(err)
		return false, nil
	}
	if a.stream == nil {
		if a.stream, err = a.term.cfg.OpenStream(s); err != nil {
			a.stream = nil
			r.fail(err)
			return false, nil
		}
	}
	r.stream, r.version, r.generation, r.reads = a.stream, a.state.SpecVersion, a.state.Generation, a.state.Reads()
	r.period, r.ids = a.period(), maps.Clone(a.state.TopicIDs)
	_, err = a.decide(ctx, supervisor.Propose{Trigger: supervisor.TriggerRunBegin}, byOverlord)
	return true, err
}

func (r *run) fail(err error) {
	r.errs = append(r.errs, errorEvent(err, r.a.term.cfg.Now()))
	r.a.log.Warn("run", "error", err)
}

// note records an error that ended a step, unless it only says that the run is over.
func (r *run) note(err error) {
	if err == nil || errors.Is(err, errSuperseded) || errors.Is(err, errEnded) || errors.Is(err, context.Canceled) || unwritable(err) {
		return
	}
	r.fail(err)
}

// unwritable reports whether an error says that nothing can be decided now, by this leader or by any.
func unwritable(err error) bool {
	var (
		notLeader   *NotLeaderError
		unavailable *eventstore.UnavailableError
		readOnly    *eventstore.ReadOnlyError
	)
	return errors.As(err, &notLeader) || errors.As(err, &unavailable) || errors.As(err, &readOnly)
}

// end closes the run and sets when the next is due.
func (r *run) end(ctx context.Context, err error) {
	a := r.a
	a.loop.running = false
	now := a.term.cfg.Now()
	if unwritable(err) {
		a.log.Warn("run", "error", err)
		a.loop.next = now.Add(unwritablePause)
		return
	}
	r.note(err)
	if errors.Is(err, errSuperseded) || r.superseded() {
		if r.version != a.state.SpecVersion {
			a.loop.next = now.Add(a.startDelay())
		} else {
			a.loop.next = now.Add(a.term.cfg.MinRunGap)
		}
		return
	}
	errs := append(a.loop.errs, r.errs...)
	a.loop.errs = nil
	if _, err := a.decide(ctx, supervisor.EndRun{Errors: errs}, byOverlord); err != nil {
		a.loop.errs = errs
		a.log.Warn("end of run", "error", err)
		a.loop.next = now.Add(unwritablePause)
		return
	}
	a.measures.setFailed(errs)
	a.scheduleDeadlines(now)
}

// scheduleDeadlines brings the next run forward to the first deadline of a group.
func (a *actor) scheduleDeadlines(now time.Time) {
	earlier := func(t time.Time) {
		if t = maxTime(t, now.Add(a.term.cfg.MinRunGap)); t.Before(a.loop.next) {
			a.loop.next = t
		}
	}
	if a.spec != nil && a.state.Exists() {
		for _, g := range a.state.Active {
			if began := a.state.StartedAt(g); !began.IsZero() {
				due := maxTime(began.Add(a.spec.IOConfig.TaskDuration), a.loop.unread[g.Key])
				if due.After(now) || !a.stopsExhausted() {
					earlier(due)
				}
			}
		}
	}
	for _, g := range a.state.Pending {
		earlier(g.Deadline)
	}
	if !a.loop.earlyStop.IsZero() {
		earlier(a.loop.earlyStop)
	}
}

func (a *actor) startDelay() time.Duration {
	if s, err := a.current(); err == nil {
		return s.IOConfig.StartDelay
	}
	return time.Second
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
