package kafka

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// asked is a cluster that counts questions, and a clock.
type asked struct {
	mu    sync.Mutex
	now   time.Time
	round [][]string
	gate  chan struct{} // a question waits for it; nil: for nothing
	err   error
}

func (a *asked) rounds(t *testing.T) *rounds[string, int] {
	t.Helper()
	var wg sync.WaitGroup
	t.Cleanup(wg.Wait)
	r := newRounds(func(do func()) error { wg.Go(do); return nil }, time.Minute, func(ctx context.Context, keys []string) (map[string]answer[int], error) {
		a.mu.Lock()
		a.round = append(a.round, keys)
		n, gate, err := len(a.round), a.gate, a.err
		a.mu.Unlock()
		if gate != nil {
			<-gate
		}
		if err != nil {
			return nil, err
		}
		found := map[string]answer[int]{}
		for _, k := range keys {
			found[k] = answer[int]{value: n}
		}
		return found, nil
	})
	r.now = func() time.Time { a.mu.Lock(); defer a.mu.Unlock(); return a.now }
	return r
}

func (a *asked) pass(d time.Duration) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now = a.now.Add(d)
}

func (a *asked) questions() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.round)
}

func TestAnswersAreGivenAgainUntilTheyAreTooOld(t *testing.T) {
	a := &asked{now: time.Unix(1000, 0)}
	r := a.rounds(t)
	get := func(k string, maxAge time.Duration) int {
		t.Helper()
		found, err := r.get(t.Context(), []string{k}, maxAge)
		if err != nil {
			t.Fatal(err)
		}
		return found[k].value
	}
	if n := get("a", time.Second); n != 1 {
		t.Fatalf("the first answer is of round %d", n)
	}
	a.pass(900 * time.Millisecond)
	if n := get("a", time.Second); n != 1 {
		t.Errorf("asked again (round %d) though the answer is young enough", n)
	}
	if n := get("a", 0); n != 2 {
		t.Errorf("an answer of round %d where a new one was wanted", n)
	}
	a.pass(1100 * time.Millisecond)
	if n := get("a", time.Second); n != 3 {
		t.Errorf("an old answer, of round %d", n)
	}
}

func TestManyWhoAskMakeFewRounds(t *testing.T) {
	a := &asked{now: time.Unix(1000, 0)}
	r := a.rounds(t)
	const keys, period = 1000, 30 * time.Second
	begin := a.questions()
	for range 4 { // periods, in which each asks once, one after the other
		for i := range keys {
			if _, err := r.get(t.Context(), []string{fmt.Sprint(i)}, period/4); err != nil {
				t.Fatal(err)
			}
			a.pass(period / keys)
		}
		if begin == 0 {
			begin = a.questions() // the first period is about what nobody knew
		}
	}
	if n := a.questions() - begin; n > 3*9 {
		t.Errorf("%d rounds in three periods", n)
	}
}

func TestWhoAsksDuringARoundIsGatheredIntoTheNext(t *testing.T) {
	a := &asked{now: time.Unix(1000, 0), gate: make(chan struct{})}
	r := a.rounds(t)
	var wg sync.WaitGroup
	ask := func(k string) { wg.Go(func() { _, _ = r.get(t.Context(), []string{k}, 0) }) }
	ask("first")
	until(t, func() bool { return a.questions() == 1 })
	for i := range 100 {
		ask(fmt.Sprint(i))
	}
	until(t, func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.next != nil && len(r.next.keys) == 100 })
	left, leave := context.WithCancel(t.Context())
	leave()
	if _, err := r.get(left, []string{"gone"}, 0); !errors.Is(err, context.Canceled) {
		t.Errorf("who gave up got %v", err)
	}
	close(a.gate)
	wg.Wait()
	if n := a.questions(); n != 2 {
		t.Errorf("%d rounds, want 2", n)
	}
}

func TestAFailedRoundFailsAllWhoWaitAndIsForgotten(t *testing.T) {
	a := &asked{now: time.Unix(1000, 0), err: errors.New("down")}
	r := a.rounds(t)
	if _, err := r.get(t.Context(), []string{"a"}, time.Hour); err == nil || err.Error() != "down" {
		t.Fatalf("got %v", err)
	}
	a.mu.Lock()
	a.err = nil
	a.mu.Unlock()
	if found, err := r.get(t.Context(), []string{"a"}, time.Hour); err != nil || found["a"].value != 2 {
		t.Errorf("afterwards %v, %v", found, err)
	}
}

// patience bounds each wait. It is far above what is needed: only a test that fails waits so long.
const patience = 3 * time.Minute

func until(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !ok(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("it did not happen")
		}
	}
}

func TestAThousandTopicsAreAskedForTogether(t *testing.T) {
	const n = 1000
	var topics []string
	for i := range n {
		topics = append(topics, fmt.Sprint("t", i))
	}
	c := newCluster(t, kfake.SeedTopics(2, topics...))
	var requests atomic.Int64
	for _, key := range []int16{2, 3} { // ListOffsets, Metadata
		c.ControlKey(key, func(kmsg.Request) (kmsg.Response, error, bool) {
			c.KeepControl()
			requests.Add(1)
			return nil, nil, false
		})
	}
	clients := NewClients(nil)
	t.Cleanup(clients.Close)
	var wg sync.WaitGroup
	all := make(chan struct{}) // closed once all are there, since it is not told how fast they come
	for _, topic := range topics {
		a, err := clients.Admin(map[string]any{"bootstrap.servers": servers(c)})
		if err != nil {
			t.Fatal(err)
		}
		wg.Go(func() {
			<-all
			found, err := a.Topic(t.Context(), topic, time.Minute)
			if err != nil || len(found.Partitions) != 2 || found.ID == "" {
				t.Errorf("%s: %v, %v", topic, found, err)
			}
			ends, err := a.LatestOffsets(t.Context(), map[string][]int32{topic: {0, 1}}, time.Minute)
			if err != nil || len(ends[topic]) != 2 {
				t.Errorf("%s: %v, %v", topic, ends, err)
			}
			first, err := a.EarliestOffsets(t.Context(), map[string][]int32{topic: {0, 1}}, 0)
			if err != nil || len(first[topic]) != 2 {
				t.Errorf("%s: %v, %v", topic, first, err)
			}
		})
	}
	close(all)
	wg.Wait()
	if got := requests.Load(); got > n/5 {
		t.Errorf("%d requests for %d topics", got, n)
	}
	t.Logf("%d requests for %d topics", requests.Load(), n)
}

func TestOneBrokerThatIsSilentDoesNotKeepTheOthersAnswers(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(2, "edits")) // two brokers, a partition each
	a := newAdmin(t, map[string]any{"bootstrap.servers": servers(c), "default.api.timeout.ms": 20000})
	leader := int32(0)
	for partition, node := range []int32{0, 1} {
		if err := c.MoveTopicPartition("edits", int32(partition), node); err != nil {
			t.Fatal(err)
		}
	}
	stop := make(chan struct{})
	t.Cleanup(func() { close(stop) })
	c.ControlKey(2, func(req kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		if c.CurrentNode() == leader {
			c.SleepControl(func() { <-stop })
		}
		return nil, nil, false
	})
	found, err := a.LatestOffsets(t.Context(), map[string][]int32{"edits": {1}}, 0)
	if err != nil || len(found["edits"]) != 1 {
		t.Fatalf("the other broker's partition: %v, %v", found, err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := a.LatestOffsets(t.Context(), map[string][]int32{"edits": {0}}, 0)
		done <- err
	}()
	found, err = a.LatestOffsets(t.Context(), map[string][]int32{"edits": {1}}, 0)
	if err != nil || len(found["edits"]) != 1 {
		t.Fatalf("beside the silent one: %v, %v", found, err)
	}
}
