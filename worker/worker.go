package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ogham/domain/task"
)

// endedKept is how many ended tasks a worker remembers, so that an order to start one that comes late starts nothing.
const endedKept = 1000

const (
	// ordersAtOnce bounds the orders that are carried out side by side.
	ordersAtOnce = 64
	// ordersWaiting bounds those that wait for that; the client drops what comes beyond. A leader that takes over gives a
	// worker all its tasks at once.
	ordersWaiting = 4096
)

// Worker runs tasks. Make it with New, then Run it once.
type Worker struct {
	cfg    Config
	nc     *nats.Conn
	leader *leader
	// changed is sent to (capacity 1) when a heartbeat should not wait for its turn.
	changed chan struct{}
	tasks   sync.WaitGroup

	beating sync.Mutex // a heartbeat is sent before the next is composed

	mu       sync.Mutex // guards what follows
	running  map[string]*runner
	ended    []string // oldest first
	stopping bool
	disabled bool
	// ctx is that of the running tasks, set by Run.
	ctx context.Context //nolint:containedctx // tasks outlive the order that starts them; Run owns both
}

// New checks the configuration. The connection stays the caller's.
func New(nc *nats.Conn, cfg Config) (*Worker, error) {
	if err := cfg.fill(); err != nil {
		return nil, err
	}
	return &Worker{
		cfg: cfg, nc: nc, leader: &leader{nc: nc},
		changed: make(chan struct{}, 1), running: make(map[string]*runner),
	}, nil
}

// Run works until ctx ends, then stops its tasks in good order and returns when everything it started has ended.
func (w *Worker) Run(ctx context.Context) error {
	if err := w.clean(); err != nil {
		return err
	}
	hard, kill := context.WithCancel(context.WithoutCancel(ctx))
	defer kill()
	w.mu.Lock()
	w.ctx = hard
	w.mu.Unlock()

	orders := make(chan *nats.Msg, ordersWaiting)
	subOrders, err := w.nc.ChanSubscribe(task.SubjectWorkerPrefix+w.cfg.WorkerID, orders)
	if err != nil {
		return fmt.Errorf("subscribe to orders: %w", err)
	}
	defer unsubscribe(subOrders)
	subBeacon, err := w.nc.Subscribe(task.SubjectBeacon, w.leader.onBeacon)
	if err != nil {
		return fmt.Errorf("subscribe to the leader's beacon: %w", err)
	}
	defer unsubscribe(subBeacon)
	flush, cancel := context.WithTimeout(ctx, w.cfg.NoticeTimeout) // the client wants a deadline
	defer cancel()
	if err := w.nc.FlushWithContext(flush); err != nil && ctx.Err() == nil {
		return fmt.Errorf("subscribe: %w", err)
	}

	var own sync.WaitGroup
	defer own.Wait()
	quit := make(chan struct{})
	defer close(quit) // runs before own.Wait
	own.Go(func() { w.beat(quit) })
	own.Go(func() { w.serve(quit, orders) })

	<-ctx.Done()
	w.shutdown(kill)
	return nil
}

// clean removes what tasks of an earlier incarnation left.
func (w *Worker) clean() error {
	if err := os.MkdirAll(w.cfg.TaskDir, 0o755); err != nil {
		return fmt.Errorf("make task folder: %w", err)
	}
	entries, err := os.ReadDir(w.cfg.TaskDir)
	if err != nil {
		return fmt.Errorf("read task folder: %w", err)
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(w.cfg.TaskDir, e.Name())); err != nil {
			return fmt.Errorf("remove a stale task: %w", err)
		}
	}
	return nil
}

func unsubscribe(s *nats.Subscription) {
	// It fails only where the connection is closed, and then there is nothing left to undo.
	_ = s.Unsubscribe()
}

// shutdown lets tasks end in good order within the grace period, then ends them.
func (w *Worker) shutdown(kill context.CancelFunc) {
	w.mu.Lock()
	w.stopping = true
	running := make([]*runner, 0, len(w.running))
	for _, r := range w.running {
		running = append(running, r)
	}
	w.mu.Unlock()
	w.poke()
	for _, r := range running {
		r.stop(stopShutdown)
	}
	done := make(chan struct{})
	go func() {
		w.tasks.Wait()
		close(done)
	}()
	t := time.NewTimer(w.cfg.Grace)
	defer t.Stop()
	select {
	case <-done:
	case <-t.C:
		kill()
		<-done
	}
	w.sendHeartbeat(time.Now())
}

// poke makes the next heartbeat come at once.
func (w *Worker) poke() {
	select {
	case w.changed <- struct{}{}:
	default:
	}
}

func (w *Worker) beat(quit <-chan struct{}) {
	t := time.NewTicker(w.cfg.HeartbeatEvery)
	defer t.Stop()
	w.sendHeartbeat(time.Now())
	for {
		select {
		case <-quit:
			return
		case now := <-t.C:
			w.sendHeartbeat(now)
		case <-w.changed:
			w.sendHeartbeat(time.Now())
		}
	}
}

// sendHeartbeat tells how the tasks are. The last one, which says that none is left, may not be followed by one of before.
func (w *Worker) sendHeartbeat(now time.Time) {
	w.beating.Lock()
	defer w.beating.Unlock()
	data, err := json.Marshal(w.heartbeat(now))
	if err == nil {
		err = w.nc.Publish(task.SubjectHeartbeatPrefix+w.cfg.WorkerID, data)
	}
	if err != nil {
		w.cfg.Logger.Debug("heartbeat not sent", "error", err)
	}
}

func (w *Worker) heartbeat(now time.Time) task.Heartbeat {
	w.mu.Lock()
	running := make([]*runner, 0, len(w.running))
	for _, r := range w.running {
		running = append(running, r)
	}
	h := task.Heartbeat{
		WorkerID: w.cfg.WorkerID, Incarnation: w.cfg.Incarnation, Host: w.cfg.Host, Port: w.cfg.Port,
		Version: w.cfg.Version, Capacity: w.cfg.Capacity, Stopping: w.stopping, Disabled: w.disabled,
	}
	w.mu.Unlock()
	h.Tasks = make([]task.Report, 0, len(running))
	for _, r := range running {
		h.Tasks = append(h.Tasks, r.report(now))
	}
	slices.SortFunc(h.Tasks, func(a, b task.Report) int { return strings.Compare(a.TaskID, b.TaskID) })
	return h
}

// assign starts a task, unless it runs or ran already.
func (w *Worker) assign(a task.Assignment) task.OrderReply {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, ok := w.running[a.TaskID]; ok {
		return task.OrderReply{}
	}
	switch {
	case slices.Contains(w.ended, a.TaskID):
		return refuse(task.CodeRefused, "task [%s] has ended on this worker already", a.TaskID)
	case w.stopping:
		return refuse(task.CodeNoCapacity, "worker [%s] is shutting down", w.cfg.WorkerID)
	case w.disabled:
		return refuse(task.CodeNoCapacity, "worker [%s] is disabled", w.cfg.WorkerID)
	case len(w.running) >= w.cfg.Capacity:
		return refuse(task.CodeNoCapacity, "all %d slots of worker [%s] are taken", w.cfg.Capacity, w.cfg.WorkerID)
	}
	r, err := newRunner(w, a)
	if err != nil {
		return refuse(task.CodeRefused, "%s", err)
	}
	w.running[a.TaskID] = r
	ctx := w.ctx
	w.tasks.Go(func() {
		r.run(ctx)
		w.forget(a.TaskID)
	})
	return task.OrderReply{}
}

func (w *Worker) forget(id string) {
	w.mu.Lock()
	delete(w.running, id)
	w.ended = append(w.ended, id)
	if len(w.ended) > endedKept {
		w.ended = slices.Delete(w.ended, 0, len(w.ended)-endedKept)
	}
	w.mu.Unlock()
	w.poke()
}

// Host is the worker's name and port, as its heartbeats tell them.
func (w *Worker) Host() string { return net.JoinHostPort(w.cfg.Host, strconv.Itoa(w.cfg.Port)) }

// Running are the ids of the tasks that run here, sorted.
func (w *Worker) Running() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.running))
}

// Enabled says whether the worker takes new tasks.
func (w *Worker) Enabled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.disabled
}

// SetEnabled lets the worker take new tasks, or stops it from taking them. Running tasks go on. It is not remembered over
// a restart, as in Druid, where it is a flag in the memory of the worker (WorkerTaskManager.disabled).
func (w *Worker) SetEnabled(on bool) {
	w.mu.Lock()
	w.disabled = !on
	w.mu.Unlock()
	w.poke()
}

func (w *Worker) find(id string) *runner {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.running[id]
}
