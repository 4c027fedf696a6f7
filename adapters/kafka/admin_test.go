package kafka

import (
	"context"
	"errors"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func newCluster(t *testing.T, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(2)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func servers(c *kfake.Cluster) string {
	out := ""
	for i, a := range c.ListenAddrs() {
		if i > 0 {
			out += ","
		}
		out += a
	}
	return out
}

func newAdmin(t *testing.T, props map[string]any) *Admin {
	t.Helper()
	clients := NewClients(nil)
	t.Cleanup(clients.Close)
	a, err := clients.Admin(props)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func producer(t *testing.T, c *kfake.Cluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	cl, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cl.Close)
	return cl
}

func produce(t *testing.T, cl *kgo.Client, topic string, partition int32, values ...string) {
	t.Helper()
	for _, v := range values {
		r := &kgo.Record{Topic: topic, Partition: partition, Value: []byte(v)}
		if err := cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
}

// offsetsOf asks for offsets of the topic edits.
func offsetsOf(t *testing.T, ask func(context.Context, map[string][]int32, time.Duration) (map[string]map[int32]int64, error), ps []int32) (map[int32]int64, error) {
	t.Helper()
	found, err := ask(t.Context(), map[string][]int32{"edits": ps}, 0)
	return found["edits"], err
}

func TestAdminListsPartitionsAndOffsets(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(4, "edits"))
	a := newAdmin(t, map[string]any{"bootstrap.servers": servers(c)})
	produce(t, producer(t, c), "edits", 2, "a", "b", "c")

	found, err := a.Topic(t.Context(), "edits", 0)
	ps, id := found.Partitions, found.ID
	if err != nil || id == "" || !slices.Equal(ps, []int32{0, 1, 2, 3}) {
		t.Fatalf("partitions %v, %v", ps, err)
	}
	latest, err := offsetsOf(t, a.LatestOffsets, ps)
	if err != nil || latest[2] != 3 || latest[0] != 0 || len(latest) != 4 {
		t.Fatalf("latest %v, %v", latest, err)
	}
	earliest, err := offsetsOf(t, a.EarliestOffsets, ps)
	if err != nil || earliest[2] != 0 || len(earliest) != 4 {
		t.Fatalf("earliest %v, %v", earliest, err)
	}
	some, err := offsetsOf(t, a.LatestOffsets, []int32{2, 9})
	if err != nil || len(some) != 1 || some[2] != 3 {
		t.Fatalf("with an unknown partition %v, %v", some, err)
	}
}

func TestAdminShowsLastStableOffset(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "edits"))
	cl := producer(t, c, kgo.TransactionalID("tx"))
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	produce(t, cl, "edits", 0, "open", "open")

	for level, want := range map[string]int64{"read_committed": 0, "read_uncommitted": 2} {
		a := newAdmin(t, map[string]any{"bootstrap.servers": servers(c), "isolation.level": level})
		latest, err := offsetsOf(t, a.LatestOffsets, []int32{0})
		if err != nil || latest[0] != want {
			t.Errorf("%s: %v, %v; want %d", level, latest, err, want)
		}
	}
	if err := cl.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
}

func TestAdminMissingTopic(t *testing.T) {
	c := newCluster(t)
	a := newAdmin(t, map[string]any{"bootstrap.servers": servers(c), "allow.auto.create.topics": "false"})
	const message = "org.apache.druid.java.util.common.ISE: No partitions found for stream [nope]"
	for range 2 {
		_, err := a.Topic(t.Context(), "nope", 0)
		wantStreamError(t, err, ClassISE, message)
		if !errors.Is(err, ErrNoPartitions) {
			t.Errorf("%v is not ErrNoPartitions", err)
		}
	}
	_, err := a.Topic(t.Context(), "", 0)
	wantStreamError(t, err, classInvalidTopic, "org.apache.kafka.common.errors.InvalidTopicException: Topic '' is invalid")
}

func TestAdminCreatesTopicWhereAllowed(t *testing.T) {
	c := newCluster(t, kfake.AllowAutoTopicCreation(), kfake.DefaultNumPartitions(3))
	a := newAdmin(t, map[string]any{"bootstrap.servers": servers(c)})
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		found, err := a.Topic(t.Context(), "fresh", 0)
		ps := found.Partitions
		if err == nil && len(ps) == 3 {
			return
		}
		if err != nil && !errors.Is(err, ErrNoPartitions) {
			t.Fatal(err)
		}
		select {
		case <-t.Context().Done():
			t.Fatal("not created")
		case <-tick.C:
		}
	}
}

func TestAdminDeadPort(t *testing.T) {
	// No port that a system hands out: it might be taken by then.
	a := newAdmin(t, map[string]any{"bootstrap.servers": "127.0.0.1:1", "default.api.timeout.ms": 600})
	_, err := a.Topic(t.Context(), "edits", 0)
	wantStreamError(t, err, ClassTimeout, "org.apache.kafka.common.errors.TimeoutException: Timeout expired while fetching topic metadata")
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("%v is not ErrUnreachable", err)
	}
	_, err = offsetsOf(t, a.LatestOffsets, []int32{0})
	if !errors.Is(err, ErrUnreachable) {
		t.Errorf("offsets: %v", err)
	}
}

func TestAdminSilentPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0") // takes connections in its backlog and never says a word
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := newAdmin(t, map[string]any{"bootstrap.servers": l.Addr().String(), "default.api.timeout.ms": 600})
	_, err = a.Topic(t.Context(), "edits", 0)
	wantStreamError(t, err, ClassTimeout, "org.apache.kafka.common.errors.TimeoutException: Timeout expired while fetching topic metadata")

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Topic(ctx, "edits", 0); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestClientsAreShared(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "edits"))
	clients := NewClients(nil)
	props := map[string]any{"bootstrap.servers": servers(c)}
	a, err := clients.Admin(props)
	if err != nil {
		t.Fatal(err)
	}
	b, err := clients.Admin(props)
	if err != nil || a.shared != b.shared {
		t.Fatalf("two clients for one cluster (%v)", err)
	}
	a.Close()
	a.Close()
	if _, err := b.Topic(t.Context(), "edits", 0); err != nil {
		t.Fatal(err)
	}
	b.Close()
	if len(clients.shared) != 0 {
		t.Errorf("%d clients left", len(clients.shared))
	}
	if _, err := b.Topic(t.Context(), "edits", 0); !errors.Is(err, ErrClosed) {
		t.Errorf("after the last handle is closed: %v", err)
	}
	clients.Close()
	if _, err := clients.Admin(props); !errors.Is(err, ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

func wantStreamError(t *testing.T, err error, class, message string) {
	t.Helper()
	var s *StreamError
	if !errors.As(err, &s) || s.ExceptionClass != class || s.Message != message {
		t.Fatalf("got %T %v (%+v), want %s: %s", err, err, s, class, message)
	}
}
