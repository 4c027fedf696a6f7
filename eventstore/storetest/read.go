package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"ogham/eventstore"
)

func replayPicks(t *testing.T, env Env) {
	s := env.fresh(t)
	all := fill(t, s)
	id := func(i ...int) (out []string) {
		for _, n := range i {
			out = append(out, all[n].ID)
		}
		return out
	}
	for _, c := range []struct {
		name string
		q    eventstore.Query
		want []string
	}{
		{"all", eventstore.Query{}, id(0, 1, 2, 3, 4, 5)},
		{"supervisor", eventstore.Query{SupervisorID: "a"}, id(0, 2, 3, 5)},
		{"kind", eventstore.Query{Kind: eventstore.KindTask}, id(2, 4)},
		{"type", eventstore.Query{Type: "RunFailed"}, id(3, 5)},
		{"state", eventstore.Query{To: "RUNNING"}, id(5)},
		{"status", eventstore.Query{To: "RUNNING", Kind: eventstore.KindTask}, id(4)},
		{"supervisor and type", eventstore.Query{SupervisorID: "b", Type: "TaskCreated"}, id(4)},
		{"from", eventstore.Query{FromSeq: all[3].Sequence}, id(3, 4, 5)},
		{"from and to", eventstore.Query{FromSeq: all[1].Sequence, ToSeq: all[2].Sequence}, id(1, 2)},
		{"to, amid a filter", eventstore.Query{SupervisorID: "a", ToSeq: all[4].Sequence}, id(0, 2, 3)},
		{"from beyond", eventstore.Query{FromSeq: all[5].Sequence + 1}, nil},
		{"since", eventstore.Query{Since: all[4].Time}, id(4, 5)},
		{"until", eventstore.Query{Until: all[1].Time}, id(0)},
		{"limit", eventstore.Query{Limit: 2}, id(0, 1)},
		{"limit after since", eventstore.Query{Since: all[1].Time, Limit: 2, SupervisorID: "a"}, id(2, 3)},
		{"nothing", eventstore.Query{SupervisorID: "c"}, nil},
	} {
		var got []string
		err := s.Replay(Context(t), c.q, func(e eventstore.Event) error {
			got = append(got, e.ID)
			return nil
		})
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %v, %v, want %v", c.name, got, err, c.want)
		}
	}
	stop := errors.New("enough")
	if err := s.Replay(Context(t), eventstore.Query{}, func(eventstore.Event) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("the callback's error came back as %v", err)
	}
	if err := s.Replay(Context(t), eventstore.Query{}, func(eventstore.Event) error { return eventstore.ErrStop }); err != nil {
		t.Errorf("ErrStop came back as %v", err)
	}
	for _, q := range []eventstore.Query{{Type: "a.b"}, {To: "*"}, {Kind: "thing"}} {
		if err := s.Replay(Context(t), q, nil); err == nil {
			t.Errorf("query %+v was taken", q)
		}
	}
}

// fill writes six events on two supervisors and returns them as stored.
func fill(t *testing.T, s *eventstore.Store) []eventstore.Event {
	t.Helper()
	a, b := s.Aggregate("a"), s.Aggregate("b")
	la := mustAppend(t, a, 0, NewEvent("SupervisorCreated", "PENDING"))
	lb := mustAppend(t, b, 0, NewEvent("SupervisorCreated", "PENDING"))
	la = mustAppend(t, a, la, NewTaskEvent("t1", "TaskCreated", "NOT_STARTED"), NewEvent("RunFailed", ""))
	mustAppend(t, b, lb, NewTaskEvent("t2", "TaskCreated", "RUNNING"))
	mustAppend(t, a, la, NewEvent("RunFailed", "RUNNING"))
	var all []eventstore.Event
	err := s.Replay(Context(t), eventstore.Query{}, func(e eventstore.Event) error {
		all = append(all, e)
		return nil
	})
	if err != nil || len(all) != 6 {
		t.Fatalf("replay gave %v, %v", idsOf(all), err)
	}
	return all
}

func tailFollows(t *testing.T, env Env) {
	d := &lossyDialer{}
	cfg := env.Config()
	reader := Open(t, env.Connect(t, dialer(d)), cfg)
	a := Open(t, env.Connect(t), cfg).Aggregate("x")
	last := mustAppend(t, a, 0, NewEvent("A", ""), NewEvent("A", ""))

	ctx, cancel := context.WithCancel(Context(t))
	defer cancel()
	seen := make(chan uint64, 1000)
	ended := make(chan error, 1)
	go func() {
		ended <- reader.Tail(ctx, eventstore.Query{SupervisorID: "x"}, func(e eventstore.Event) error {
			seen <- e.Sequence
			return nil
		})
	}()
	next := uint64(1)
	expect := func(upTo uint64) {
		t.Helper()
		for ; next <= upTo; next++ {
			select {
			case seq := <-seen:
				if seq != next {
					t.Fatalf("the tail gave %d, want %d", seq, next)
				}
			case err := <-ended:
				t.Fatalf("the tail ended: %v", err)
			case <-ctx.Done():
				t.Fatalf("the tail never gave %d", next)
			}
		}
	}
	expect(last)
	for range 3 {
		last = mustAppend(t, a, last, NewEvent("B", ""))
		expect(last)
		// The next events go to a connection that is lost with them.
		c := d.cutAnswer()
		for range 5 {
			last = mustAppend(t, a, last, NewEvent("C", ""))
		}
		select {
		case <-c.lost:
		case <-ctx.Done():
			t.Fatal("nothing was lost: the test shows nothing")
		}
		expect(last)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the tail ended with %v", err)
	}
	var resumed []uint64
	err := reader.Tail(Context(t), eventstore.Query{FromSeq: last - 1, Limit: 2}, func(e eventstore.Event) error {
		resumed = append(resumed, e.Sequence)
		return nil
	})
	if err != nil || fmt.Sprint(resumed) != fmt.Sprint([]uint64{last - 1, last}) {
		t.Errorf("resumed with %v, %v", resumed, err)
	}
}

func oneLeaseAtATime(t *testing.T, env Env) {
	cfg := env.Config()
	one, two := Open(t, env.Connect(t), cfg), Open(t, env.Connect(t), cfg)
	first, err := one.Campaign(Context(t), "one", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if !first.Valid() || first.Epoch == 0 {
		t.Errorf("a new lease: epoch %d, valid %t", first.Epoch, first.Valid())
	}
	short, cancel := context.WithTimeout(Context(t), 300*time.Millisecond)
	defer cancel()
	if l, err := two.Campaign(short, "two", time.Minute); err == nil || l != nil {
		t.Fatalf("a second lease beside the first: %v", err)
	}
	won := make(chan *eventstore.Lease, 1)
	go func() {
		l, err := two.Campaign(Context(t), "two", time.Minute)
		if err != nil {
			t.Error(err)
		}
		won <- l
	}()
	if err := first.Resign(Context(t)); err != nil {
		t.Fatal(err)
	}
	if first.Valid() {
		t.Error("a lease given back still holds")
	}
	<-first.Lost()
	second := <-won
	if second == nil {
		t.Fatal("nobody follows")
	}
	if second.Epoch <= first.Epoch {
		t.Errorf("epoch %d follows %d", second.Epoch, first.Epoch)
	}
	if err := errors.Join(second.Resign(Context(t)), second.Resign(Context(t))); err != nil {
		t.Error(err)
	}
}

func cutOffLeaderIsFollowed(t *testing.T, env Env) {
	cfg := env.Config()
	nc := env.Connect(t)
	one, two := Open(t, nc, cfg), Open(t, env.Connect(t), cfg)
	first, err := one.Campaign(Context(t), "one", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	nc.Close()
	second, err := two.Campaign(Context(t), "two", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	// Two leases never overlap: the first had to be over when the second began.
	if first.Valid() {
		t.Error("the leader that was cut off still holds its lease")
	}
	<-first.Lost()
	if second.Epoch <= first.Epoch {
		t.Errorf("epoch %d follows %d", second.Epoch, first.Epoch)
	}
	if err := second.Resign(Context(t)); err != nil {
		t.Error(err)
	}
}
