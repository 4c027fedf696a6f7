package httpapi_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"ogham/adapters/httpapi"
	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
	"ogham/projections"
)

// What the wiring relies on.
var (
	_ httpapi.Log     = (*eventstore.Store)(nil)
	_ projections.Log = (*eventstore.Store)(nil)
	_ httpapi.Views   = (*projections.Runner)(nil)
)

// memLog is a log in memory that behaves as the store does.
type memLog struct {
	mu     sync.Mutex
	events []eventstore.Event
	more   chan struct{}
	// broken, where set, ends every replay after its events.
	broken error
}

func newMemLog() *memLog { return &memLog{more: make(chan struct{})} }

func (l *memLog) State(context.Context) (eventstore.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return eventstore.State{Last: uint64(len(l.events))}, nil
}

func (l *memLog) since(n int) ([]eventstore.Event, chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]eventstore.Event(nil), l.events[min(n, len(l.events)):]...), l.more, l.broken
}

func (l *memLog) append(e eventstore.Event) eventstore.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Sequence = uint64(len(l.events) + 1)
	l.events = append(l.events, e)
	close(l.more)
	l.more = make(chan struct{})
	return e
}

// picks does what the store's subjects and bounds do.
func picks(q eventstore.Query, e eventstore.Event) bool {
	kind := q.Kind
	if q.To != "" {
		kind = cmp.Or(kind, eventstore.KindSupervisor)
	}
	return (q.SupervisorID == "" || e.SupervisorID == q.SupervisorID) && (kind == "" || e.Kind == kind) &&
		(q.Type == "" || e.Type == q.Type) && (q.To == "" || e.Token == q.To) && e.Sequence >= q.FromSeq &&
		(q.ToSeq == 0 || e.Sequence <= q.ToSeq) && (q.Since.IsZero() || !e.Time.Before(q.Since)) &&
		(q.Until.IsZero() || e.Time.Before(q.Until))
}

func (l *memLog) read(ctx context.Context, q eventstore.Query, live bool, fn func(eventstore.Event) error) error {
	next, given := 0, 0
	for {
		batch, more, broken := l.since(next)
		for _, e := range batch {
			if !picks(q, e) {
				continue
			}
			if err := fn(e); err != nil {
				return err
			}
			if given++; given == q.Limit {
				return nil
			}
		}
		next += len(batch)
		if !live {
			return broken
		}
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *memLog) Replay(ctx context.Context, q eventstore.Query, fn func(eventstore.Event) error) error {
	return l.read(ctx, q, false, fn)
}

func (l *memLog) Tail(ctx context.Context, q eventstore.Query, fn func(eventstore.Event) error) error {
	return l.read(ctx, q, true, fn)
}

// overlord decides as the real one does, one supervisor after the other, without Kafka and workers.
type overlord struct {
	log   *memLog
	views *projections.Runner

	mu       sync.Mutex
	decider  *supervisor.Decider
	states   map[string]*supervisor.State
	measured map[string]supervisor.Measurements
	asked    map[int]map[string]task.Stats
	parse    []task.ParseException
	workers  []task.Heartbeat
	live     map[string]task.OrderReply // what running tasks say
	control  func(task.Control) (task.ControlReply, error)
	logs     map[string]string
	leader   string // where another one leads
	follows  bool
	fails    error
}

func (o *overlord) state(id string) *supervisor.State {
	if o.states[id] == nil {
		o.states[id] = supervisor.NewState(id)
	}
	return o.states[id]
}

// decide appends what the command leads to, and waits for the projections, as the interface promises.
func (o *overlord) decide(ctx context.Context, id string, commands ...supervisor.Command) error {
	last, err := o.append(id, commands)
	if err != nil {
		return err
	}
	return o.views.WaitFor(ctx, last)
}

func (o *overlord) append(id string, commands []supervisor.Command) (last uint64, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.fails != nil {
		return 0, o.fails
	}
	for _, c := range commands {
		events, err := o.decider.Decide(o.state(id), c)
		if err != nil {
			return 0, err
		}
		for _, e := range events {
			n, err := eventstore.Encode(e)
			if err != nil {
				return 0, err
			}
			stored := o.log.append(eventstore.Event{
				Kind: n.Kind, SupervisorID: id, TaskID: n.TaskID, Type: n.Type, Token: n.Token, Data: n.Data, SchemaVersion: 1, Epoch: 3,
				ID: fmt.Sprintf("e%d", len(o.log.events)+1), Source: "/ogham", AggregateSubject: "supervisor/" + id, Time: time.Now().UTC(), Actor: "test",
			})
			rec, err := eventstore.Decode(stored)
			if err != nil {
				return 0, err
			}
			o.states[id] = supervisor.Evolve(o.state(id), rec)
			last = stored.Sequence
		}
	}
	return last, nil
}

// run is a first run that finds everything well.
func (o *overlord) run(ctx context.Context, id string) error {
	return o.decide(ctx, id,
		supervisor.Propose{Trigger: supervisor.TriggerRunBegin}, supervisor.NotePartitions{Partitions: []task.Partition{"0", "1"}},
		supervisor.Propose{Trigger: supervisor.TriggerPartitionsOK}, supervisor.Propose{Trigger: supervisor.TriggerCreateBegin}, supervisor.EndRun{})
}

func (o *overlord) Submit(ctx context.Context, s *spec.Supervisor, skip bool) error {
	err := o.decide(ctx, s.ID(), supervisor.SubmitSpec{
		Spec: s.Canonical(), Stream: supervisor.Stream{Name: s.IOConfig.Stream(), Pattern: s.IOConfig.IsPattern()}, Suspended: s.Suspended, SkipIfUnmodified: skip,
	})
	if err != nil {
		return err
	}
	return o.run(ctx, s.ID())
}

func (o *overlord) switched(id string, suspended bool) json.RawMessage {
	o.mu.Lock()
	defer o.mu.Unlock()
	s, err := spec.Parse(o.state(id).Spec)
	if err != nil {
		return nil
	}
	return s.WithSuspended(suspended).Canonical()
}

func (o *overlord) Suspend(ctx context.Context, id string) (json.RawMessage, error) {
	now := o.switched(id, true)
	if err := o.decide(ctx, id, supervisor.SuspendSupervisor{Spec: now}); err != nil {
		return nil, err
	}
	return now, o.run(ctx, id)
}

func (o *overlord) Resume(ctx context.Context, id string) (json.RawMessage, error) {
	now := o.switched(id, false)
	if err := o.decide(ctx, id, supervisor.ResumeSupervisor{Spec: now}); err != nil {
		return nil, err
	}
	return now, o.run(ctx, id)
}

func (o *overlord) Terminate(ctx context.Context, id string) error {
	return o.decide(ctx, id, supervisor.TerminateSupervisor{})
}

func (o *overlord) Reset(ctx context.Context, id string) error {
	return o.decide(ctx, id, supervisor.ResetSupervisor{})
}

func (o *overlord) ResetOffsets(ctx context.Context, id, stream string, offsets task.Offsets) error {
	return o.decide(ctx, id, supervisor.ResetOffsets{Stream: stream, Offsets: offsets})
}

func (o *overlord) Handoff(ctx context.Context, id string, groups []int) error {
	return o.decide(ctx, id, supervisor.RequestHandoff{Numbers: groups})
}

func (o *overlord) Measurements(id string) supervisor.Measurements {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.measured[id]
}

func (o *overlord) Stats(context.Context, string) (map[int]map[string]task.Stats, error) {
	return o.asked, nil
}

func (o *overlord) ParseErrors(context.Context, string) ([]task.ParseException, error) {
	return o.parse, nil
}

// notRunning is the error of a question to a task that does not run.
type notRunning struct{}

func (notRunning) Error() string { return "it does not run" }
func (notRunning) NotRunning()   {}

func (o *overlord) Ask(_ context.Context, worker, taskID string) (task.OrderReply, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	r, ok := o.live[taskID]
	if !ok || worker == "" {
		return r, notRunning{}
	}
	if r.Report == nil {
		return r, errors.New("no answer")
	}
	return r, nil
}

func (o *overlord) Control(_ context.Context, c task.Control) (task.ControlReply, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.control(c)
}

func (o *overlord) SetWorkerEnabled(_ context.Context, host string, on bool) (bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i := range o.workers {
		if fmt.Sprintf("%s:%d", o.workers[i].Host, o.workers[i].Port) == host {
			o.workers[i].Disabled = !on
			return true, nil
		}
	}
	return false, nil
}

func (o *overlord) Shutdown(ctx context.Context, supervisorID, taskID string) error {
	return o.decide(ctx, supervisorID, supervisor.FailTask{TaskID: taskID, ErrorMsg: "Shutdown request from user", Killed: true})
}

// Read gives a log in parts of four bytes.
func (o *overlord) Read(_ context.Context, taskID, node string, offset int64) (httpapi.LogPart, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	text, ok := o.logs[taskID]
	if !ok {
		return httpapi.LogPart{}, false, nil
	}
	size := int64(len(text))
	if offset < 0 {
		offset += size
	}
	offset = min(max(offset, 0), size)
	return httpapi.LogPart{Start: offset, Size: size, Data: []byte(text[offset:min(offset+4, size)])}, true, nil
}

func (o *overlord) IsLeader() bool { return !o.follows }

func (o *overlord) LeaderURL() string {
	if o.follows {
		return o.leader
	}
	return "http://127.0.0.1:18081"
}

func (o *overlord) Workers() []task.Heartbeat { return o.workers }

// service is a server over a fake overlord, a log in memory and real projections.
type service struct {
	*overlord
	address string
	server  *httpapi.Server
	logged  *syncBuffer
	stop    func()
}

// assemble makes a service that neither listens nor folds its log yet.
func assemble(change ...func(*httpapi.Config)) (*service, error) {
	log := newMemLog()
	views, err := projections.Open(projections.Config{})
	if err != nil {
		return nil, err
	}
	o := &overlord{
		log: log, views: views, decider: supervisor.NewDecider(supervisor.DefaultThresholds), states: map[string]*supervisor.State{},
		measured: map[string]supervisor.Measurements{},
	}
	out := &syncBuffer{}
	cfg := httpapi.Config{Overlord: o, Views: views, Log: log, TaskLogs: o, Version: "0.1", Logger: slog.New(slog.NewJSONHandler(out, nil))}
	for _, f := range change {
		f(&cfg)
	}
	return &service{overlord: o, server: httpapi.New(cfg), logged: out}, nil
}

func serve(t *testing.T, change ...func(*httpapi.Config)) *service {
	t.Helper()
	s, err := assemble(change...)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = ln.Addr().String()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- s.server.Serve(ctx, ln) }()
	go func() { ended <- s.views.Run(ctx, s.log) }()
	s.stop = sync.OnceFunc(func() {
		cancel()
		for range 2 {
			if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
				t.Errorf("the service ended with %v", err)
			}
		}
	})
	t.Cleanup(s.stop)
	return s
}

// syncBuffer collects the log.
type syncBuffer struct {
	mu  sync.Mutex
	all []byte
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = append(b.all, p...)
	return len(p), nil
}

func (b *syncBuffer) clear() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.all = b.all[:0]
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return string(b.all)
}
