package worker_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"ogham/adapters/kafka"
	"ogham/domain/task"
	"ogham/worker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	topic = "edits"
	// deadline is for what must be given one; a slow machine does not come near it.
	deadline = 10 * time.Minute
)

// until polls a condition; tests never sleep. The only bound is go test's own, shortly before which it says what did not
// come.
func until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	var over <-chan time.Time
	if at, bounded := t.Deadline(); bounded {
		limit := time.NewTimer(time.Until(at) - 10*time.Second)
		defer limit.Stop()
		over = limit.C
	}
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-over:
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
