package overlord

import (
	"context"
	"testing"
	"time"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/eventstore"
)

func TestTasksThatFailOneAfterTheOtherAreReplacedFurtherAndFurtherApart(t *testing.T) {
	now := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	cfg := Config{Now: func() time.Time { return now }}
	cfg.fill()
	for failed, want := range []time.Duration{
		200 * time.Millisecond, 400 * time.Millisecond, 800 * time.Millisecond, 1600 * time.Millisecond, 3200 * time.Millisecond,
		6400 * time.Millisecond, 12800 * time.Millisecond, 25600 * time.Millisecond, 30 * time.Second, 30 * time.Second,
	} {
		a := &actor{term: &term{cfg: &cfg}, state: supervisor.NewState("x"), spec: &spec.Supervisor{}}
		a.spec.IOConfig.Period = 30 * time.Second
		a.state.Health.FailedTasks = failed
		a.loop.began, a.loop.next = now, now.Add(a.period())
		a.soonAfter(supervisor.FailTask{})
		if got := a.loop.next.Sub(now); got != want {
			t.Errorf("after %d failures the next run comes after %s, want %s", failed, got, want)
		}
		a.loop.next, a.state.Health.FailedTasks, a.loop.refused = now.Add(a.period()), 0, failed
		a.soonAfter(supervisor.StopTask{})
		if got := a.loop.next.Sub(now); got != want {
			t.Errorf("after %d refusals the next run comes after %s, want %s", failed, got, want)
		}
		a.soonAfter(supervisor.SucceedTask{})
		if got := a.loop.next.Sub(now); got != cfg.MinRunGap {
			t.Errorf("after a success the next run comes after %s, want %s", got, cfg.MinRunGap)
		}
	}
}

// TestTasksThatAWorkerRefusesAreReplacedFurtherAndFurtherApart has a worker that tells of free slots and takes nothing.
func TestTasksThatAWorkerRefusesAreReplacedFurtherAndFurtherApart(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	w := h.worker("w1", 8)
	h.topic.grow(10)
	refuse := func(yes bool) { w.mu.Lock(); defer w.mu.Unlock(); w.refuses = yes }
	refuse(true)
	if err := s.Submit(t.Context(), testSpec(t, func(io map[string]any) { io["taskCount"] = 1 }), false); err != nil {
		t.Fatal(err)
	}
	refused := func() (n int) {
		a, err := s.leading().actor(t.Context(), "clicks", false)
		if err == nil && a != nil {
			err = a.do(t.Context(), func(context.Context) { n = a.loop.refused })
		}
		if err != nil {
			t.Error(err)
		}
		return n
	}
	const tries = 4
	h.until("a task was refused some times", func() bool { return refused() >= tries })
	refuse(false)
	h.until("a task has succeeded", func() bool { return refused() == 0 })
	if n := len(decoded[*supervisor.TaskCreated](h, "clicks")); n < tries {
		t.Errorf("%d tasks were made, %d were refused", n, tries)
	}
}

func TestOverALogThatIsReadOnlyNobodyCampaigns(t *testing.T) {
	h := newHouse(t)
	store, err := eventstore.Open(t.Context(), h.nc, eventstore.Config{
		Upcasters: eventstore.DomainUpcasters(), SyncedServer: true, ReadOnly: true, Logger: quiet(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- New(Config{Store: store, NATS: h.nc, Catalog: h, Logger: quiet(), Now: time.Now}).Run(ctx)
	}()
	s, _ := h.overlord("two")
	leads(h, s)
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if epoch := s.leading().lease.Epoch; epoch != 1 {
		t.Errorf("the one that may append leads in epoch %d, want the first", epoch)
	}
}

func TestAWorkerThatIsGivenManyTasksAtOnceHasTimeToTakeThem(t *testing.T) {
	now := time.Date(2026, 11, 23, 20, 0, 0, 0, time.UTC)
	cfg := Config{Now: func() time.Time { return now }}
	cfg.fill()
	a := &actor{term: &term{cfg: &cfg}, reports: map[string]liveReport{}}
	for _, c := range []struct {
		missed int
		since  time.Duration
		want   bool
	}{
		{50, cfg.OrderTimeout / 2, false}, // it beats with each task that it starts
		{missedBeats - 1, time.Hour, false},
		{missedBeats, cfg.OrderTimeout + time.Millisecond, true},
	} {
		a.reports["x"] = liveReport{missed: c.missed, at: now.Add(-c.since)}
		if got := a.vanished("x", now); got != c.want {
			t.Errorf("after %d beats in %s: vanished %v, want %v", c.missed, c.since, got, c.want)
		}
	}
}
