package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"ogham/adapters/kafka"
	"ogham/domain/row"
	"ogham/domain/task"
	"ogham/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	topic    = "edits"
	deadline = 30 * time.Second
)

// until polls a condition; tests never sleep.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	limit := time.NewTimer(deadline)
	defer limit.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatalf("never came: %s", what)
		}
	}
}

func natsServer(t *testing.T) *nats.Conn {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(deadline) {
		t.Fatal("nats server is not ready")
	}
	return connect(t, s.ClientURL())
}

func connect(t *testing.T, url string) *nats.Conn {
	t.Helper()
	closed := make(chan struct{})
	nc, err := nats.Connect(url, nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); <-closed })
	return nc
}

// leader is a scripted overlord. It commits as the real one does: only a sequence that starts at the committed offsets.
type leader struct {
	t     *testing.T
	nc    *nats.Conn
	epoch uint64
	subs  []*nats.Subscription

	mu        sync.Mutex
	notices   []task.Notice
	committed task.Offsets
	segments  map[string][]task.Segment // by task-independent sequence key
	published []task.Segment
	// script answers first; a nil reply means the usual one, silence that there is none.
	script func(n task.Notice) (reply *task.NoticeReply, silence bool)
}

func newLeader(t *testing.T, nc *nats.Conn, epoch uint64) *leader {
	l := &leader{t: t, nc: nc, epoch: epoch, committed: task.Offsets{}, segments: map[string][]task.Segment{}}
	l.listen()
	return l
}

func (l *leader) listen() {
	l.t.Helper()
	sub := func(subject string, f nats.MsgHandler) {
		s, err := l.nc.Subscribe(subject, f)
		if err != nil {
			l.t.Fatal(err)
		}
		l.subs = append(l.subs, s)
	}
	sub(task.SubjectNoticePrefix+strconv.FormatUint(l.epoch, 10), l.onNotice)
	sub(task.SubjectWho, func(m *nats.Msg) {
		b, _ := json.Marshal(task.Beacon{Epoch: l.epoch, Node: "leader"})
		_ = m.Respond(b)
	})
	if err := l.nc.Flush(); err != nil {
		l.t.Fatal(err)
	}
}

func (l *leader) resign() {
	for _, s := range l.subs {
		_ = s.Unsubscribe()
	}
	l.subs = nil
	_ = l.nc.Flush()
}

func (l *leader) onNotice(m *nats.Msg) {
	var n task.Notice
	if err := json.Unmarshal(m.Data, &n); err != nil {
		l.t.Errorf("notice: %v", err)
		return
	}
	l.mu.Lock()
	l.notices = append(l.notices, n)
	script := l.script
	l.mu.Unlock()
	var reply *task.NoticeReply
	if script != nil {
		var silence bool
		if reply, silence = script(n); silence {
			return
		}
	}
	if reply == nil {
		r := l.usual(n)
		reply = &r
	}
	data, _ := json.Marshal(reply)
	_ = m.Respond(data)
}

func (l *leader) usual(n task.Notice) task.NoticeReply {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch n.Kind {
	case task.NoticeAllocate:
		var r task.NoticeReply
		for _, slot := range n.Slots {
			r.Identities = append(r.Identities, task.SegmentIdentity{
				SegmentSlot: slot, IntervalStart: slot.Start, IntervalEnd: slot.End,
				Version: "2026-11-23T00:00:00.000Z", PartitionNum: 10*n.Sequence + slot.Ordinal,
			})
		}
		return r
	case task.NoticePublish:
		key := fmt.Sprint(n.Sequence, n.Start, n.End)
		if earlier, ok := l.segments[key]; ok {
			return task.NoticeReply{AlreadyPublished: true, Segments: earlier}
		}
		if !n.Start.Matches(l.committed) {
			return task.NoticeReply{Code: task.CodeConflict, Message: fmt.Sprintf("Inconsistency between %v and %v", l.committed, n.Start)}
		}
		l.committed = l.committed.Plus(n.End)
		l.segments[key] = n.Segments
		l.published = append(l.published, n.Segments...)
	}
	return task.NoticeReply{}
}

// seen gives the notices of a kind.
func (l *leader) seen(kind string) []task.Notice {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []task.Notice
	for _, n := range l.notices {
		if n.Kind == kind {
			out = append(out, n)
		}
	}
	return out
}

func (l *leader) setScript(f func(task.Notice) (*task.NoticeReply, bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.script = f
}

// bench is a worker with all that it works with.
type bench struct {
	t       *testing.T
	nc      *nats.Conn
	cluster *kfake.Cluster
	leader  *leader
	worker  string
	dir     string
	pusher  *pusher
	stop    func()

	mu       sync.Mutex
	beat     task.Heartbeat
	beats    int
	builders []*memoryBuilder
}

func newBench(t *testing.T, tune ...func(*worker.Config)) *bench {
	t.Helper()
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, topic))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	b := &bench{t: t, nc: natsServer(t), cluster: c, worker: "w1", dir: t.TempDir()}
	b.leader = newLeader(t, b.nc, 1)
	b.pusher = &pusher{root: t.TempDir()}
	sub, err := b.nc.Subscribe(task.SubjectHeartbeatPrefix+"*", func(m *nats.Msg) {
		var h task.Heartbeat
		if json.Unmarshal(m.Data, &h) == nil {
			b.mu.Lock()
			b.beat, b.beats = h, b.beats+1
			b.mu.Unlock()
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sub.Unsubscribe() })
	cfg := worker.Config{
		WorkerID: b.worker, Capacity: 2, TaskDir: filepath.Join(b.dir, "tasks"), Pusher: b.pusher,
		NewConsumer: func(r worker.ConsumerRequest) (worker.Consumer, error) {
			return kafka.NewConsumer(kafka.ConsumerConfig{Properties: r.Properties, Topic: r.Topic, Start: r.Start})
		},
		NewBuilder:     b.newBuilder,
		HeartbeatEvery: 20 * time.Millisecond, RetryFirst: 2 * time.Millisecond, RetryMost: 20 * time.Millisecond,
		NoticeTimeout: 200 * time.Millisecond, PollFor: 50 * time.Millisecond, OutOfRangePause: 20 * time.Millisecond,
	}
	for _, f := range tune {
		f(&cfg)
	}
	w, err := worker.New(b.nc, cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- w.Run(ctx) }()
	b.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("worker: %v", err)
		}
	})
	t.Cleanup(b.stop)
	until(t, "first heartbeat", func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.beats > 0 })
	return b
}

func (b *bench) heartbeat() task.Heartbeat {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.beat
}

// report is what the newest heartbeat says of a task.
func (b *bench) report(id string) (task.Report, bool) {
	for _, r := range b.heartbeat().Tasks {
		if r.TaskID == id {
			return r, true
		}
	}
	return task.Report{}, false
}

func (b *bench) spec(ioConfig, tuning string) json.RawMessage {
	return json.RawMessage(`{"type":"kafka","spec":{
		"dataSchema":{"dataSource":"edits","timestampSpec":{"column":"ts","format":"auto"},
			"dimensionsSpec":{"dimensions":["page"]},"granularitySpec":{"segmentGranularity":"DAY","queryGranularity":"NONE","rollup":false}},
		"ioConfig":{"topic":"edits","inputFormat":{"type":"json"},"useEarliestOffset":true,
			"consumerProperties":{"bootstrap.servers":"` + b.cluster.ListenAddrs()[0] + `","fetch.max.wait.ms":"20"}` + ioConfig + `},
		"tuningConfig":{"type":"kafka"` + tuning + `}}}`)
}

func (b *bench) assignment(id string, tuning string, sequences ...task.Sequence) *task.Assignment {
	return &task.Assignment{
		TaskID: id, SupervisorID: "edits", BaseSequenceName: "index_kafka_edits_0", Spec: b.spec("", tuning), Sequences: sequences,
	}
}

func (b *bench) order(o task.Order) task.OrderReply {
	b.t.Helper()
	if o.Epoch == 0 {
		o.Epoch = b.leader.epoch
	}
	data, _ := json.Marshal(o)
	m, err := b.nc.Request(task.SubjectWorkerPrefix+b.worker, data, deadline)
	if err != nil {
		b.t.Fatalf("order %s: %v", o.Op, err)
	}
	var r task.OrderReply
	if err := json.Unmarshal(m.Data, &r); err != nil {
		b.t.Fatal(err)
	}
	return r
}

func (b *bench) mustOrder(o task.Order) task.OrderReply {
	b.t.Helper()
	r := b.order(o)
	if r.Code != "" {
		b.t.Fatalf("order %s: %s %s", o.Op, r.Code, r.Message)
	}
	return r
}

func (b *bench) assign(a *task.Assignment) {
	b.t.Helper()
	b.mustOrder(task.Order{Op: task.OpAssign, TaskID: a.TaskID, Assignment: a})
}

func (b *bench) setEnd(id string, sequence int, end task.Offsets, finish bool) task.OrderReply {
	b.t.Helper()
	return b.order(task.Order{Op: task.OpSetEnd, TaskID: id, Sequence: sequence, End: end, Finish: finish})
}

// produce writes n records to each of the four partitions.
func (b *bench) produce(n int, opts ...kgo.Opt) *kgo.Client {
	b.t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(cl.Close)
	b.write(cl, n)
	return cl
}

func (b *bench) write(cl *kgo.Client, n int) {
	b.t.Helper()
	var rs []*kgo.Record
	for i := range n {
		for p := range int32(4) {
			rs = append(rs, &kgo.Record{Topic: topic, Partition: p, Value: fmt.Appendf(nil, `{"ts":"2026-11-23T00:00:00Z","page":"%d/%d"}`, p, i)})
		}
	}
	if err := cl.ProduceSync(b.t.Context(), rs...).FirstErr(); err != nil {
		b.t.Fatal(err)
	}
}

func all(n int64) task.Offsets { return task.Offsets{"0": n, "1": n, "2": n, "3": n} }

func open(number int, start task.Offsets) task.Sequence {
	return task.Sequence{Number: number, Start: start}
}

// readTo waits for a task to stand at offsets.
func (b *bench) readTo(id string, want task.Offsets) {
	b.t.Helper()
	until(b.t, fmt.Sprintf("%s at %v", id, want), func() bool {
		r, ok := b.report(id)
		return ok && r.CurrentOffsets.Equal(want)
	})
}

func (b *bench) gone(id string) {
	b.t.Helper()
	until(b.t, id+" gone", func() bool { _, ok := b.report(id); return !ok })
}

// wantCommitted checks that the committed segments hold each record of each partition's range exactly once.
func (b *bench) wantCommitted(from, to task.Offsets) {
	b.t.Helper()
	got := map[string]int{}
	b.leader.mu.Lock()
	published := slices.Clone(b.leader.published)
	b.leader.mu.Unlock()
	for _, s := range published {
		var path string
		if err := json.Unmarshal(s.LoadSpec, &path); err != nil {
			b.t.Fatal(err)
		}
		data, err := os.ReadFile(filepath.Join(path, "rows.json"))
		if err != nil {
			b.t.Fatal(err)
		}
		var keys []string
		if err := json.Unmarshal(data, &keys); err != nil {
			b.t.Fatal(err)
		}
		for _, k := range keys {
			got[k]++
		}
	}
	want := map[string]int{}
	for p, end := range to {
		for o := from[p]; o < end; o++ {
			want[fmt.Sprintf("%s@%d", p, o)] = 1
		}
	}
	if !maps.Equal(got, want) {
		b.t.Fatalf("committed %d keys, want %d; committed %v", len(got), len(want), got)
	}
}

// wantClean checks that nothing of any task is left on the worker's disk, and no copy that is not committed.
func (b *bench) wantClean() {
	b.t.Helper()
	until(b.t, "empty task folder", func() bool {
		left, err := os.ReadDir(filepath.Join(b.dir, "tasks"))
		return err == nil && len(left) == 0
	})
	b.leader.mu.Lock()
	committed := len(b.leader.published)
	b.leader.mu.Unlock()
	left, err := os.ReadDir(b.pusher.root)
	if err != nil || len(left) != committed {
		b.t.Fatalf("%d copies in deep storage, %d committed (%v)", len(left), committed, err)
	}
}

// memoryBuilder keeps records' places instead of building columns: what the runner is responsible for is which record
// enters which sequence. Records that are not JSON objects are unparseable, as for the real one.
type memoryBuilder struct {
	request worker.BuilderRequest
	mu      sync.Mutex
	keys    []string
	row     row.Counters
	bad     []row.ParseException
	persist int
	closed  bool
}

func (b *bench) newBuilder(r worker.BuilderRequest) (worker.Builder, error) {
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return nil, err
	}
	m := &memoryBuilder{request: r, row: row.Counters{RecordsProcessed: map[int32]int64{}}}
	b.mu.Lock()
	b.builders = append(b.builders, m)
	b.mu.Unlock()
	return m, nil
}

func (m *memoryBuilder) AddBatch(records []worker.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range records {
		if string(r.Value) == "panic" {
			panic("poisoned")
		}
		m.row.ProcessedBytes += int64(len(r.Value))
		if !json.Valid(r.Value) {
			m.row.Unparseable++
			m.bad = append([]row.ParseException{{Input: string(r.Value), ErrorType: row.ErrorUnparseable, Partition: r.Partition, Offset: r.Offset}}, m.bad...)
			continue
		}
		m.row.Processed++
		m.row.RecordsProcessed[r.Partition]++
		m.keys = append(m.keys, fmt.Sprintf("%d@%d", r.Partition, r.Offset))
	}
	return nil
}

func (m *memoryBuilder) Counters() row.Counters {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.row
	c.RecordsProcessed = maps.Clone(c.RecordsProcessed)
	return c
}

func (m *memoryBuilder) ParseExceptions() []row.ParseException {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.bad)
}
func (m *memoryBuilder) Rows() int64           { return m.Counters().Processed }
func (m *memoryBuilder) MaxSegmentRows() int64 { return m.Rows() }
func (m *memoryBuilder) Bytes() int64          { return m.Counters().ProcessedBytes }
func (m *memoryBuilder) Persist(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.persist++
	return nil
}

func (m *memoryBuilder) Finish(context.Context) ([]worker.Built, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.keys) == 0 {
		return nil, nil
	}
	dir := filepath.Join(m.request.Dir, "segment")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	data, err := json.Marshal(m.keys)
	if err != nil {
		return nil, err
	}
	const day = 1795392000000 // 2026-11-23
	return []worker.Built{{
		IntervalStart: day, IntervalEnd: day + 86400000, Dir: dir, Rows: int64(len(m.keys)), Size: int64(len(data)), Dimensions: []string{"page"},
	}}, os.WriteFile(filepath.Join(dir, "rows.json"), data, 0o644)
}

func (m *memoryBuilder) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return os.RemoveAll(m.request.Dir)
}

// pusher is deep storage in a folder, which can be full.
type pusher struct {
	root string
	mu   sync.Mutex
	fail int // how many pushes still fail
	hits int
}

var errDiskFull = errors.New("no space left on device")

func (p *pusher) Push(_ context.Context, dir string, _ worker.SegmentID, uuid string) (json.RawMessage, int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hits++
	if p.fail > 0 {
		p.fail--
		return nil, 0, errDiskFull
	}
	to := filepath.Join(p.root, uuid)
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		return nil, 0, err
	}
	spec, err := json.Marshal(to)
	return spec, 1, err
}

func (p *pusher) Delete(_ context.Context, loadSpec json.RawMessage) error {
	var path string
	if err := json.Unmarshal(loadSpec, &path); err != nil {
		return err
	}
	return os.RemoveAll(path)
}
