package overlord

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"ogham/domain/task"
)

func TestAHeartbeatConcernsOnlyThoseWithTasksThere(t *testing.T) {
	now := time.Unix(1000, 0)
	p := newPool(time.Minute, now)
	beat := func(worker string, tasks ...string) (about, news map[string]bool) {
		h := task.Heartbeat{WorkerID: worker, Incarnation: "i", Capacity: 1}
		for _, id := range tasks {
			h.Tasks = append(h.Tasks, task.Report{TaskID: id})
		}
		return p.heard(h, now)
	}
	beat("w1")
	if _, ok := p.place("a", "ta", nil, now); !ok {
		t.Fatal("no place for ta")
	}
	for _, s := range []string{"b", "c"} {
		if _, ok := p.place(s, "t"+s, nil, now); ok {
			t.Fatalf("a place for t%s", s)
		}
	}
	if about, news := beat("w1", "ta"); len(about) != 1 || !about["a"] || len(news) != 0 {
		t.Errorf("a beat with the same tasks is about %v, news for %v; want a alone", about, news)
	}
	if about, news := beat("w1"); !about["a"] || len(news) != 2 || !news["b"] || !news["c"] {
		t.Errorf("a beat with a task less is about %v, news for %v; want a, and news for b and c", about, news)
	}
	if _, news := beat("w1"); len(news) != 0 {
		t.Errorf("nobody waits, and there is news for %v", news)
	}
	_, _ = p.place("b", "tb", nil, now)
	p.release("ta") // it was refused: no heartbeat has ever named it
	if about, news := beat("w1"); len(about) != 0 || !news["b"] {
		t.Errorf("after a release a beat is about %v, news for %v", about, news)
	}
	if _, news := beat("w2"); len(news) != 0 {
		t.Errorf("a worker that comes is news for %v, though nobody waits", news)
	}
}

func TestSupervisorsOfANewLeaderAreSpreadOverThePeriod(t *testing.T) {
	const period, n = 30 * time.Second, 1000
	var early int
	for i := range n {
		at := spread(fmt.Sprint("supervisor-", i), period)
		if at < period/2 || at > period {
			t.Fatalf("supervisor %d runs again after %s", i, at)
		}
		if at < period*3/4 {
			early++
		}
	}
	if early < n/3 || early > n*2/3 {
		t.Errorf("%d of %d run again within three quarters of the period", early, n)
	}
}

func TestSideBySideDoesEachOnceAndStopsAtAnError(t *testing.T) {
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprint(i))
	}
	var mu sync.Mutex
	done := map[string]int{}
	err := sideBySide(t.Context(), ids, func(_ context.Context, id string) error {
		mu.Lock()
		defer mu.Unlock()
		done[id]++
		return nil
	})
	if err != nil || len(done) != 100 || done["7"] != 1 {
		t.Errorf("%d of 100 are done, %v", len(done), err)
	}
	broken, begun := errors.New("broken"), 0
	err = sideBySide(t.Context(), ids, func(_ context.Context, id string) error {
		mu.Lock()
		defer mu.Unlock()
		begun++
		return broken
	})
	if !errors.Is(err, broken) || begun > 2*takenAtOnce {
		t.Errorf("%d were begun, %v", begun, err)
	}
	over, end := context.WithCancel(t.Context())
	end()
	if err := sideBySide(over, ids, func(context.Context, string) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}
