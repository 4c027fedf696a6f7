package overlord

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"ogham/adapters/natsserver"
	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

// house is a log, a topic and workers that behave, around the overlords under test.
type house struct {
	t     *testing.T
	srv   *natsserver.Server
	nc    *nats.Conn
	store *eventstore.Store
	topic *fakeTopic
	// silence is the WorkerTimeout of overlords, and answer their OrderTimeout. A slow machine must not come near either
	// where the test is not about it.
	silence, answer time.Duration
}

func newHouse(t *testing.T) *house {
	t.Helper()
	srv, err := natsserver.Start(natsserver.Config{StoreDir: t.TempDir(), Logger: quiet()})
	if err != nil {
		t.Fatal(err)
	}
	nc, err := srv.Connect()
	if err != nil {
		t.Fatal(err)
	}
	store, err := eventstore.Open(t.Context(), nc, eventstore.Config{
		Upcasters: eventstore.DomainUpcasters(), SyncedServer: true, CheckpointFile: filepath.Join(t.TempDir(), "checkpoint"), Logger: quiet(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = store.Close()
		nc.Close()
		srv.Shutdown()
	})
	return &house{
		t: t, srv: srv, nc: nc, store: store, topic: &fakeTopic{ends: task.Offsets{"0": 0, "1": 0}}, silence: time.Minute, answer: time.Minute,
	}
}

func quiet() *slog.Logger {
	level := slog.LevelError
	if os.Getenv("OGHAM_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

// Live, Snapshot and WaitFor make a house the Catalog of its overlords: it folds the log at each question.
func (h *house) Live() []string {
	var ids []string
	seen := map[string]bool{}
	_ = h.store.Replay(context.Background(), eventstore.Query{Kind: eventstore.KindSupervisor}, func(e eventstore.Event) error {
		if !seen[e.SupervisorID] {
			seen[e.SupervisorID] = true
			ids = append(ids, e.SupervisorID)
		}
		return nil
	})
	return ids
}

func (h *house) Snapshot(id string) *supervisor.State { return supervisor.NewState(id) }

func (h *house) WaitFor(context.Context, uint64) error { return nil }

func (h *house) Sample(string, time.Time, supervisor.Measurements) {}

// state folds a supervisor from the log.
func (h *house) state(id string) *supervisor.State {
	s := supervisor.NewState(id)
	_, err := h.store.Load(h.t.Context(), id, 0, func(e eventstore.Event) error {
		r, err := eventstore.Decode(e)
		if err == nil {
			s = supervisor.Evolve(s, r)
		}
		return err
	})
	if err != nil {
		h.t.Error(err)
	}
	return s
}

// events returns the types of a supervisor's events, in order.
func (h *house) events(id string) []eventstore.Event {
	var all []eventstore.Event
	if _, err := h.store.Load(h.t.Context(), id, 0, func(e eventstore.Event) error { all = append(all, e); return nil }); err != nil {
		h.t.Error(err)
	}
	return all
}

// overlord starts one and waits until it leads; stop ends it in order.
func (h *house) overlord(node string) (s *Service, stop func()) {
	h.t.Helper()
	s = New(Config{
		Store: h.store, NATS: h.nc, Catalog: h, Sampler: h, OpenStream: h.topic.open,
		Thresholds: supervisor.DefaultThresholds, NodeID: node, URL: "http://" + node, Logger: quiet(), Now: time.Now, NewID: nuid.Next,
		WorkerTimeout: h.silence, OrderTimeout: h.answer, MinRunGap: 20 * time.Millisecond,
		RepartitionDelay: 100 * time.Millisecond,
	})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := s.Run(ctx); err != nil {
			h.t.Error(err)
		}
	}()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	h.t.Cleanup(stop)
	return s, stop
}

// until polls a condition. The only bound is go test's own, shortly before which it says what did not come.
func (h *house) until(what string, ok func() bool) {
	h.t.Helper()
	var over <-chan time.Time
	if at, bounded := h.t.Deadline(); bounded {
		limit := time.NewTimer(time.Until(at) - 10*time.Second)
		defer limit.Stop()
		over = limit.C
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-over:
			h.t.Fatalf("it did not happen: %s", what)
		}
	}
}

// fakeTopic is a topic whose ends the test moves.
type fakeTopic struct {
	mu   sync.Mutex
	ends task.Offsets
	ids  map[string]string
	err  error
}

// open is the topic for a supervisor, which sees the partitions whose names have the form of its own.
func (f *fakeTopic) open(sp *spec.Supervisor) (Stream, error) {
	return formed{f, sp.IOConfig.IsPattern()}, nil
}

type formed struct {
	*fakeTopic
	pattern bool
}

func (f formed) Partitions(ctx context.Context, age time.Duration) (Found, error) {
	found, err := f.fakeTopic.Partitions(ctx, age)
	found.Partitions = slices.DeleteFunc(found.Partitions, func(p task.Partition) bool { topic, _, _ := p.Split(); return (topic != "") != f.pattern })
	return found, err
}

func (f *fakeTopic) Partitions(context.Context, time.Duration) (Found, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return Found{Partitions: f.ends.Partitions(), TopicIDs: maps.Clone(f.ids)}, f.err
}

func (f *fakeTopic) Earliest(_ context.Context, ps []task.Partition) (task.Offsets, error) {
	o := task.Offsets{}
	for _, p := range ps {
		o[p] = 0
	}
	return o, nil
}

func (f *fakeTopic) Latest(_ context.Context, ps []task.Partition, _ time.Duration) (task.Offsets, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	o := task.Offsets{}
	for _, p := range ps {
		o[p] = f.ends[p]
	}
	return o, f.err
}

// Timestamps has a record for each second.
func (f *fakeTopic) Timestamps(_ context.Context, at task.Offsets) (task.Offsets, error) {
	o := task.Offsets{}
	for p, n := range at {
		o[p] = 1000 * n
	}
	return o, nil
}

func (f *fakeTopic) Close() {}

// set makes the stream another one.
func (f *fakeTopic) set(ends task.Offsets, ids map[string]string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ends, f.ids = ends, ids
}

func (f *fakeTopic) grow(n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for p := range f.ends {
		f.ends[p] += n
	}
}

func (f *fakeTopic) growOne(p task.Partition, n int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ends[p] += n
}

func (f *fakeTopic) fail(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.err = err
}

// fakeWorker runs tasks that read the fake topic at once, and follows its orders.
type fakeWorker struct {
	h           *house
	id          string
	incarnation string
	capacity    int
	// most is how many records a task reads of a partition between two beats; 0 for all.
	most      int64
	holds     bool // nothing is published
	refuses   bool // no task is taken, though there are slots
	cannotEnd bool // the next order to end is refused for good
	// late, where it is set, is called with each order before it is followed, which waits for it.
	late   func(task.Order)
	mu     sync.Mutex
	tasks  map[string]*fakeTask
	orders sync.WaitGroup
	stop   func()
}

type fakeTask struct {
	a         task.Assignment
	status    task.RunnerStatus
	at        task.Offsets
	finishing bool
	started   time.Time
	resumed   int
	full      bool // it rests because its open sequence is full
	bad       []task.ParseException
	epoch     uint64 // of the newest order that was followed, with its number
	number    uint64
	overtaken int // orders that came behind it and were not followed
}

func (h *house) worker(id string, capacity int) *fakeWorker {
	h.t.Helper()
	w := &fakeWorker{h: h, id: id, incarnation: nuid.Next(), capacity: capacity, tasks: map[string]*fakeTask{}}
	sub, err := h.nc.Subscribe(task.SubjectWorkerPrefix+eventstore.EncodeToken(id), func(m *nats.Msg) {
		var o task.Order
		if err := json.Unmarshal(m.Data, &o); err != nil {
			h.t.Error(err)
		}
		answer := func() {
			data, _ := json.Marshal(w.order(o))
			_ = m.Respond(data)
		}
		w.mu.Lock()
		late := w.late
		w.mu.Unlock()
		if late == nil {
			answer()
			return
		}
		w.orders.Go(func() {
			late(o)
			answer()
		})
	})
	if err != nil {
		h.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			w.beat(ctx)
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
		}
	}()
	w.stop = sync.OnceFunc(func() { cancel(); <-done; _ = sub.Unsubscribe(); w.orders.Wait() })
	h.t.Cleanup(w.stop)
	return w
}

func (w *fakeWorker) order(o task.Order) task.OrderReply {
	w.mu.Lock()
	defer w.mu.Unlock()
	t := w.tasks[o.TaskID]
	if t != nil && o.Number > 0 {
		behind := o.Epoch < t.epoch || o.Epoch == t.epoch && o.Number < t.number
		if behind && (o.Op == task.OpPause && t.status == task.RunnerReading || o.Op == task.OpResume && t.status == task.RunnerPaused) {
			t.overtaken++
			return task.OrderReply{Code: task.CodeOvertaken}
		}
		if !behind {
			t.epoch, t.number = o.Epoch, o.Number
		}
	}
	if o.Op == task.OpAssign {
		if t == nil {
			if len(w.tasks) >= w.capacity || w.refuses {
				return task.OrderReply{Code: task.CodeNoCapacity}
			}
			at := task.Offsets{}
			for p, from := range o.Assignment.Sequences[0].Start {
				at[p] = from
			}
			w.tasks[o.TaskID] = &fakeTask{
				a: *o.Assignment, status: task.RunnerReading, at: at, started: time.Now(),
				finishing: o.Assignment.Sequences[len(o.Assignment.Sequences)-1].End != nil,
			}
		}
		return task.OrderReply{}
	}
	if t == nil {
		return task.OrderReply{Code: task.CodeUnknownTask}
	}
	switch o.Op {
	case task.OpStats:
		return task.OrderReply{
			Report:          &task.Report{TaskID: o.TaskID, Status: t.status, StartTime: t.started, Stats: task.Stats{Totals: task.Counters{Processed: 7}}},
			ParseExceptions: slices.Clone(t.bad), RecordsProcessed: map[task.Partition]int64{"0": 7},
		}
	case task.OpPause:
		t.status = task.RunnerPaused
		return task.OrderReply{Offsets: t.at.Clone()}
	case task.OpResume:
		t.resumed++
		if !t.full {
			t.status = task.RunnerReading
		}
	case task.OpStop:
		delete(w.tasks, o.TaskID)
	case task.OpSetEnd:
		if w.cannotEnd {
			w.cannotEnd = false
			return task.OrderReply{Code: task.CodeEnd, Message: "past it"}
		}
		t.full = false
		q := &t.a.Sequences[len(t.a.Sequences)-1]
		if q.Number != o.Sequence || q.End != nil {
			return task.OrderReply{}
		}
		q.End = o.End
		if o.Finish {
			t.finishing = true
		} else {
			t.a.Sequences = append(t.a.Sequences, task.Sequence{Number: q.Number + 1, Start: o.End.Clone()})
		}
		t.status = task.RunnerReading
	}
	return task.OrderReply{}
}

// beat lets the tasks read to the end of the topic, publishes what is closed, and tells how they are.
func (w *fakeWorker) beat(ctx context.Context) {
	w.h.topic.mu.Lock()
	ends := w.h.topic.ends.Clone()
	w.h.topic.mu.Unlock()
	w.mu.Lock()
	hb := task.Heartbeat{WorkerID: w.id, Incarnation: w.incarnation, Host: "127.0.0.1", Port: 1, Capacity: w.capacity}
	held := w.holds
	var closed []*fakeTask
	for id, t := range w.tasks {
		if t.status == task.RunnerReading {
			for p := range t.at {
				to := ends[p]
				if w.most > 0 {
					to = min(to, t.at[p]+w.most)
				}
				t.at[p] = max(t.at[p], to)
			}
		}
		if t.finishing {
			t.status = task.RunnerPublishing
			c := *t
			closed = append(closed, &c)
		}
		hb.Tasks = append(hb.Tasks, task.Report{
			TaskID: id, SupervisorID: t.a.SupervisorID, Status: t.status, StartTime: t.started,
			CurrentOffsets: t.at.Clone(), Sequences: append([]task.Sequence(nil), t.a.Sequences...), Finishing: t.finishing, Checkpointing: t.full,
		})
	}
	w.mu.Unlock()
	data, _ := json.Marshal(hb)
	_ = w.h.nc.Publish(task.SubjectHeartbeatPrefix+eventstore.EncodeToken(w.id), data)
	for _, t := range closed {
		if !held && w.publish(ctx, t) {
			w.mu.Lock()
			delete(w.tasks, t.a.TaskID)
			w.mu.Unlock()
		}
	}
}

func (w *fakeWorker) publish(ctx context.Context, t *fakeTask) bool {
	for _, q := range t.a.Sequences {
		if q.Start.Equal(q.End) {
			continue
		}
		r, ok := w.notice(ctx, t, task.Notice{Kind: task.NoticeAllocate, Sequence: q.Number, Slots: []task.SegmentSlot{{Start: 0, End: 3600_000}}})
		if !ok {
			return r.Code == task.CodeGone
		}
		if r.AlreadyPublished {
			continue
		}
		id := r.Identities[0]
		seg := task.Segment{ID: fmt.Sprint(id.PartitionNum), Start: id.IntervalStart, End: id.IntervalEnd, Version: id.Version, PartitionNum: id.PartitionNum, Rows: 1}
		if r, ok = w.notice(ctx, t, task.Notice{Kind: task.NoticePublish, Sequence: q.Number, Start: q.Start, End: q.End, Segments: []task.Segment{seg}}); !ok {
			return r.Code == task.CodeGone || r.Code == task.CodeConflict
		}
	}
	r, ok := w.notice(ctx, t, task.Notice{Kind: task.NoticeSucceeded, Stats: &task.Stats{}})
	return ok || r.Code == task.CodeGone
}

func (w *fakeWorker) notice(ctx context.Context, t *fakeTask, n task.Notice) (task.NoticeReply, bool) {
	n.SupervisorID, n.TaskID, n.WorkerID, n.Incarnation = t.a.SupervisorID, t.a.TaskID, w.id, w.incarnation
	who, err := w.h.nc.RequestWithContext(withTimeout(ctx), task.SubjectWho, nil)
	if err != nil {
		return task.NoticeReply{}, false
	}
	var b task.Beacon
	_ = json.Unmarshal(who.Data, &b)
	data, _ := json.Marshal(n)
	m, err := w.h.nc.RequestWithContext(withTimeout(ctx), task.SubjectNoticePrefix+fmt.Sprint(b.Epoch), data)
	if err != nil {
		return task.NoticeReply{}, false
	}
	var r task.NoticeReply
	_ = json.Unmarshal(m.Data, &r)
	return r, r.Code == ""
}

func withTimeout(ctx context.Context) context.Context {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	context.AfterFunc(ctx, cancel)
	return ctx
}

// slow lets tasks read no more than this many records of a partition between two beats; 0 is as fast as they can.
func (w *fakeWorker) slow(most int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.most = most
}

// topicIDs are those that the tasks were told.
func (w *fakeWorker) topicIDs() map[string]string {
	w.mu.Lock()
	defer w.mu.Unlock()
	ids := map[string]string{}
	for _, t := range w.tasks {
		maps.Copy(ids, t.a.TopicIDs)
	}
	return ids
}

func (w *fakeWorker) running() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var ids []string
	for id := range w.tasks {
		ids = append(ids, id)
	}
	return ids
}

// read reports whether every task has come to this offset.
func (w *fakeWorker) read(to int64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, t := range w.tasks {
		for _, o := range t.at {
			if o < to {
				return false
			}
		}
	}
	return true
}

func testSpec(t *testing.T, change func(io map[string]any)) *spec.Supervisor {
	t.Helper()
	io := map[string]any{
		"topic": "t", "inputFormat": map[string]any{"type": "json"}, "consumerProperties": map[string]any{"bootstrap.servers": "127.0.0.1:1"},
		"taskCount": 2, "taskDuration": "PT0.3S", "startDelay": "PT0.01S", "period": "PT1S", "useEarliestOffset": true,
	}
	if change != nil {
		change(io)
	}
	tuning := map[string]any{"type": "kafka", "offsetFetchPeriod": "PT1S", "resetOffsetAutomatically": io["resetOffsetAutomatically"] == true}
	delete(io, "resetOffsetAutomatically")
	body, _ := json.Marshal(map[string]any{"type": "kafka", "spec": map[string]any{
		"dataSchema": map[string]any{"dataSource": "clicks", "timestampSpec": map[string]any{"column": "t"}, "dimensionsSpec": map[string]any{"dimensions": []string{"a"}}},
		"ioConfig":   io, "tuningConfig": tuning,
	}})
	s, err := spec.Parse(body)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
