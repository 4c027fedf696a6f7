package overlord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

// beaconEvery is how often the leader says that it leads.
const beaconEvery = time.Second

// term is one period of leadership: its lease, its actors, its view of the workers.
type term struct {
	cfg    *Config
	lease  *eventstore.Lease
	cancel context.CancelCauseFunc
	began  time.Time
	pool   *pool
	ctx    context.Context // ends with the term; actors that are made during it run under it

	mu     sync.Mutex
	actors map[string]*actor // guarded by mu
	ended  bool              // guarded by mu
	run    sync.WaitGroup
}

// takeOver loads every supervisor and breaks the fence of the leader before, each with one event.
func (t *term) takeOver(ctx context.Context) error {
	last, err := t.cfg.Store.State(ctx)
	if err != nil {
		return fmt.Errorf("read the state of the log: %w", err)
	}
	if err := t.cfg.Catalog.WaitFor(ctx, last.Last); err != nil {
		return fmt.Errorf("wait for the projections: %w", err)
	}
	if err := t.announce(ctx); err != nil {
		return err
	}
	return sideBySide(ctx, t.cfg.Catalog.Live(), t.take)
}

// take loads one supervisor, breaks the fence of the leader before and starts its actor.
func (t *term) take(ctx context.Context, id string) error {
	a := newActor(t, id)
	if err := a.load(ctx); err != nil {
		return err
	}
	if a.state.Drained() {
		return nil
	}
	if _, err := a.decide(ctx, supervisor.TakeLead{Node: t.cfg.NodeID}, byOverlord); err != nil {
		return fmt.Errorf("take supervisor %s over: %w", id, err)
	}
	for _, x := range a.state.Tasks {
		if x.WorkerID != "" {
			t.pool.adopt(a.id, x.ID, x.WorkerID, x.Incarnation)
		}
	}
	t.start(a)
	return nil
}

// takenAtOnce is how many supervisors a new leader takes over side by side: each waits for the log to be on disk.
const takenAtOnce = 16

// sideBySide does the same for each id, some at a time. After the first error it begins no more, and returns it.
func sideBySide(ctx context.Context, ids []string, do func(context.Context, string) error) error {
	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	next := make(chan string)
	var wg sync.WaitGroup
	for range min(takenAtOnce, len(ids)) {
		wg.Go(func() {
			for id := range next {
				if err := do(ctx, id); err != nil {
					fail(err)
				}
			}
		})
	}
feed:
	for _, id := range ids {
		select {
		case next <- id:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// announce records the term in the overlord's own events. It says which epochs there were even if the lease's bucket is
// lost.
func (t *term) announce(ctx context.Context) error {
	agg := t.cfg.Store.OverlordAggregate(eventstore.OverlordName)
	n, err := eventstore.Encode(&supervisor.LeaderElected{Node: t.cfg.NodeID})
	if err != nil {
		return err
	}
	n.Kind, n.ID, n.Time = eventstore.KindOverlord, t.cfg.NewID(), t.cfg.Now().UTC()
	n.Epoch, n.Actor = t.lease.Epoch, "overlord"
	for try := 0; ; try++ {
		last, err := agg.LastSequence(ctx)
		if err == nil {
			_, err = agg.Append(ctx, last, []eventstore.NewEvent{n})
		}
		var conflict *eventstore.ConflictError
		if err == nil || !errors.As(err, &conflict) || try == 5 {
			if err != nil {
				err = fmt.Errorf("record the lead: %w", err)
			}
			return err
		}
	}
}

// start runs a loaded actor under the term, unless its supervisor has one by now. It returns the one that runs, nil where
// the term has ended.
func (t *term) start(a *actor) *actor {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return nil
	}
	if other := t.actors[a.id]; other != nil {
		return other
	}
	t.actors[a.id] = a
	t.run.Go(func() { a.run(t.ctx) })
	return a
}

// retire forgets an actor that has nothing left to do; false where somebody has just asked for it.
func (t *term) retire(a *actor) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(a.inbox) > 0 {
		return false
	}
	if t.actors[a.id] == a {
		delete(t.actors, a.id)
	}
	return true
}

// actor returns the running actor of a supervisor; create makes one for an id that has none.
func (t *term) actor(ctx context.Context, id string, create bool) (*actor, error) {
	t.mu.Lock()
	a := t.actors[id]
	t.mu.Unlock()
	if a != nil || !create {
		return a, nil
	}
	a = newActor(t, id)
	if err := a.load(ctx); err != nil {
		return nil, err
	}
	if a = t.start(a); a == nil {
		return nil, &NotLeaderError{}
	}
	return a, nil
}

// these returns the running actors of some supervisors: what one worker says does not concern the others.
func (t *term) these(ids map[string]bool) []*actor {
	t.mu.Lock()
	defer t.mu.Unlock()
	some := make([]*actor, 0, len(ids))
	for id := range ids {
		if a := t.actors[id]; a != nil {
			some = append(some, a)
		}
	}
	return some
}

// depose ends the term because the log shows that another one leads.
func (t *term) depose(why error) { t.cancel(fmt.Errorf("deposed: %w", why)) }

// wait returns once every actor has ended.
func (t *term) wait() {
	t.mu.Lock()
	t.ended = true
	t.mu.Unlock()
	t.run.Wait()
}

// beacon says who leads until the term ends.
func (t *term) beacon(ctx context.Context, b task.Beacon) {
	data, err := json.Marshal(b)
	if err != nil {
		return
	}
	ticker := time.NewTicker(beaconEvery)
	defer ticker.Stop()
	for {
		if err := t.cfg.NATS.Publish(task.SubjectBeacon, data); err != nil {
			t.cfg.Logger.Warn("publish the leader's beacon", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// listen subscribes to what workers and tasks say. Messages of one subscription are handled in order; a notice is
// answered by its supervisor's actor.
func (t *term) listen() (func(), error) {
	var subs []*nats.Subscription
	stop := func() {
		for _, s := range subs {
			_ = s.Unsubscribe()
		}
	}
	who, err := json.Marshal(task.Beacon{Epoch: t.lease.Epoch, Node: t.cfg.NodeID, URL: t.cfg.URL})
	if err != nil {
		return nil, err
	}
	for subject, handle := range map[string]nats.MsgHandler{
		task.SubjectHeartbeatPrefix + "*":                    t.onHeartbeat,
		task.SubjectNoticePrefix + fmt.Sprint(t.lease.Epoch): t.onNotice,
		task.SubjectControl:                                  t.onControl,
		task.SubjectWho: func(m *nats.Msg) {
			if t.lease.Valid() {
				_ = m.Respond(who)
			}
		},
	} {
		sub, err := t.cfg.NATS.Subscribe(subject, handle)
		if err != nil {
			stop()
			return nil, fmt.Errorf("subscribe to %s: %w", subject, err)
		}
		subs = append(subs, sub)
	}
	return stop, nil
}

func (t *term) onHeartbeat(m *nats.Msg) {
	var h task.Heartbeat
	if err := json.Unmarshal(m.Data, &h); err != nil {
		t.cfg.Logger.Warn("heartbeat", "subject", m.Subject, "error", err)
		return
	}
	about, news := t.pool.heard(h, t.cfg.Now())
	bySupervisor := map[string][]task.Report{}
	for _, r := range h.Tasks {
		bySupervisor[r.SupervisorID] = append(bySupervisor[r.SupervisorID], r)
		about[r.SupervisorID] = true
	}
	maps.Copy(about, news)
	for _, a := range t.these(about) {
		reports, news := bySupervisor[a.id], news[a.id]
		delete(bySupervisor, a.id)
		a.post(func(ctx context.Context) {
			a.beat(ctx, h)
			for _, r := range reports {
				a.heard(ctx, h, r)
			}
			if news {
				a.tend(ctx)
			}
		})
	}
	for _, reports := range bySupervisor { // of supervisors that are gone
		for _, r := range reports {
			t.run.Go(func() {
				_, _ = t.order(t.ctx, h.WorkerID, task.Order{Op: task.OpStop, TaskID: r.TaskID, Reason: "the supervisor is gone"})
			})
		}
	}
}

// order sends one order to a worker and waits for its answer.
func (t *term) order(ctx context.Context, worker string, o task.Order) (task.OrderReply, error) {
	o.Epoch = t.lease.Epoch
	data, err := json.Marshal(o)
	if err != nil {
		return task.OrderReply{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, t.cfg.OrderTimeout)
	defer cancel()
	m, err := t.cfg.NATS.RequestWithContext(ctx, task.SubjectWorkerPrefix+eventstore.EncodeToken(worker), data)
	if err != nil {
		return task.OrderReply{}, fmt.Errorf("order %s to worker %s: %w", o.Op, worker, err)
	}
	var reply task.OrderReply
	if err := json.Unmarshal(m.Data, &reply); err != nil {
		return task.OrderReply{}, fmt.Errorf("order %s to worker %s: answer: %w", o.Op, worker, err)
	}
	return reply, nil
}
