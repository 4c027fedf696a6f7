package storetest

import (
	"context"
	"errors"
	"reflect"
	"sync"
	"testing"

	"ogham/eventstore"
)

// Run runs the suite.
func Run(t *testing.T, env Env) {
	for name, test := range map[string]func(*testing.T, Env){
		"LoadReturnsWhatWasAppended":            loadReturnsWhatWasAppended,
		"TasksShareTheSupervisorsFence":         tasksShareTheFence,
		"StaleAppendIsAConflict":                staleAppendIsAConflict,
		"RepeatedAppendIsOneAppend":             repeatedAppendIsOneAppend,
		"LostAnswerIsFoundOut":                  lostAnswerIsFoundOut,
		"RacingWritersLeaveNoGap":               racingWritersLeaveNoGap,
		"UsedIDWithOtherContentIsRefused":       usedIDIsRefused,
		"BadEventsAreRefused":                   badEventsAreRefused,
		"TooLargeIsRefusedBeforeSending":        tooLargeIsRefused,
		"OverlordIsApartFromSupervisor":         overlordIsApart,
		"ReplayPicksByEveryField":               replayPicks,
		"TailFollowsAndResumesWithoutAGap":      tailFollows,
		"UpcastersRaiseAndRefuse":               upcastersRaise,
		"OtherConfigurationIsRefused":           driftIsRefused,
		"OneLeaseAtATime":                       oneLeaseAtATime,
		"LeaseOfACutOffLeaderIsLostAndFollowed": cutOffLeaderIsFollowed,
	} {
		t.Run(name, func(t *testing.T) { test(t, env) })
	}
}

func mustAppend(t testing.TB, a *eventstore.Aggregate, expected uint64, events ...eventstore.NewEvent) uint64 {
	t.Helper()
	last, err := a.Append(Context(t), expected, events)
	if err != nil {
		t.Fatalf("append after %d: %v", expected, err)
	}
	return last
}

func load(t testing.TB, a *eventstore.Aggregate, after uint64) []eventstore.Event {
	t.Helper()
	var out []eventstore.Event
	_, err := a.Load(Context(t), after, func(e eventstore.Event) error {
		out = append(out, e)
		return nil
	})
	if err != nil {
		t.Fatalf("load %q after %d: %v", a.ID(), after, err)
	}
	return out
}

func idsOf(events []eventstore.Event) []string {
	out := make([]string, len(events))
	for i := range events {
		out[i] = events[i].ID
	}
	return out
}

func newIDs(events []eventstore.NewEvent) []string {
	out := make([]string, len(events))
	for i := range events {
		out[i] = events[i].ID
	}
	return out
}

func loadReturnsWhatWasAppended(t *testing.T, env Env) {
	s := env.fresh(t)
	a := s.Aggregate("wiki edits.*.> ünï")
	if got := load(t, a, 0); len(got) != 0 {
		t.Fatalf("a new aggregate holds %v", got)
	}
	first := NewEvent("SupervisorCreated", "PENDING")
	rest := []eventstore.NewEvent{NewTaskEvent("task.1", "TaskCreated", "NOT_STARTED"), NewEvent("RunFailed", "")}
	rest[0].Cause = []string{first.ID, "ev-x"}
	seq := mustAppend(t, a, 0, first)
	last := mustAppend(t, a, seq, rest...)
	got := load(t, s.Aggregate(a.ID()), 0)
	if want := newIDs(append([]eventstore.NewEvent{first}, rest...)); !reflect.DeepEqual(idsOf(got), want) {
		t.Fatalf("loaded %v, want %v", idsOf(got), want)
	}
	if got[2].Sequence != last || last != seq+2 {
		t.Errorf("last event is %d, append said %d after %d", got[2].Sequence, last, seq)
	}
	for i, n := range append([]eventstore.NewEvent{first}, rest...) {
		e := got[i]
		if !e.Time.Equal(n.Time) || e.Actor != n.Actor || string(e.Data) != string(n.Data) || e.Epoch != n.Epoch ||
			e.Type != n.Type || e.Kind != n.Kind || e.TaskID != n.TaskID || e.SupervisorID != a.ID() || e.SchemaVersion != 1 ||
			len(e.Cause) != len(n.Cause) {
			t.Errorf("event %d came back as %+v, appended was %+v", i, e, n)
		}
	}
	if got[0].PrevHash != "" || got[1].PrevHash != got[0].Hash || got[2].PrevHash != got[1].Hash {
		t.Error("the hashes are not a chain")
	}
	if got[0].Token != "PENDING" || got[2].Token != eventstore.NoToken {
		t.Errorf("tokens are %q and %q", got[0].Token, got[2].Token)
	}
	if tail := load(t, s.Aggregate(a.ID()), seq); !reflect.DeepEqual(tail, got[1:]) {
		t.Errorf("load after %d gave %v", seq, idsOf(tail))
	}
	if n, err := s.LastSequence(Context(t), a.ID()); err != nil || n != last {
		t.Errorf("LastSequence = %d, %v, want %d", n, err, last)
	}
	report, err := s.Verify(Context(t))
	if err != nil || report.Events != 3 || report.Aggregates != 1 || report.Last != last {
		t.Errorf("Verify = %+v, %v", report, err)
	}
}

func wantConflict(t testing.TB, err error, expected, actual uint64) {
	t.Helper()
	var c *eventstore.ConflictError
	if !errors.As(err, &c) {
		t.Fatalf("got %v, want a conflict", err)
	}
	if c.Expected != expected || c.Actual != actual {
		t.Errorf("conflict says %d and %d, want %d and %d", c.Expected, c.Actual, expected, actual)
	}
}

func tasksShareTheFence(t *testing.T, env Env) {
	s := env.fresh(t)
	a, other := s.Aggregate("a"), s.Aggregate("ab")
	seq := mustAppend(t, a, 0, NewEvent("SupervisorCreated", "PENDING"))
	mustAppend(t, other, 0, NewEvent("SupervisorCreated", "PENDING"))
	taskSeq := mustAppend(t, a, seq, NewTaskEvent("t1", "TaskCreated", "x"))
	_, err := s.Append(Context(t), "a", seq, []eventstore.NewEvent{NewEvent("SpecUpdated", "")})
	wantConflict(t, err, seq, taskSeq)
	_, err = s.Append(Context(t), "a", seq, []eventstore.NewEvent{NewTaskEvent("t2", "TaskCreated", "x")})
	wantConflict(t, err, seq, taskSeq)
	if got := load(t, other, 0); len(got) != 1 {
		t.Errorf("%q holds %v", other.ID(), idsOf(got))
	}
}

func staleAppendIsAConflict(t *testing.T, env Env) {
	s := env.fresh(t)
	a, b := s.Aggregate("x"), s.Aggregate("x")
	seq := mustAppend(t, a, 0, NewEvent("A", ""))
	_, err := b.Append(Context(t), 0, []eventstore.NewEvent{NewEvent("B", "")})
	wantConflict(t, err, 0, seq)
	_, err = b.Append(Context(t), 0, []eventstore.NewEvent{NewEvent("B", ""), NewEvent("B", "")})
	wantConflict(t, err, 0, seq)
	seq2 := mustAppend(t, a, seq, NewEvent("A", ""), NewEvent("A", ""))
	_, err = b.Append(Context(t), seq, []eventstore.NewEvent{NewEvent("B", ""), NewEvent("B", "")})
	wantConflict(t, err, seq, seq2)
	_, err = b.Append(Context(t), seq2+5, []eventstore.NewEvent{NewEvent("B", "")})
	var c *eventstore.ConflictError
	if !errors.As(err, &c) {
		t.Errorf("an expected sequence from the future gave %v, want a conflict", err)
	}
	if got := load(t, a, 0); len(got) != 3 {
		t.Errorf("the refused appends left %d events, want 3", len(got))
	}
}

func repeatedAppendIsOneAppend(t *testing.T, env Env) {
	s := env.fresh(t)
	one := []eventstore.NewEvent{NewEvent("A", "")}
	many := []eventstore.NewEvent{NewEvent("B", ""), NewTaskEvent("t", "B", "x"), NewEvent("B", "")}
	a := s.Aggregate("x")
	seq := mustAppend(t, a, 0, one...)
	if again := mustAppend(t, s.Aggregate("x"), 0, one...); again != seq {
		t.Errorf("repeated append is at %d, the first was at %d", again, seq)
	}
	last := mustAppend(t, a, seq, many...)
	if again := mustAppend(t, s.Aggregate("x"), seq, many...); again != last {
		t.Errorf("repeated batch ends at %d, the first ended at %d", again, last)
	}
	end := mustAppend(t, a, last, NewEvent("C", ""))
	// The same, after somebody went on behind it.
	if again := mustAppend(t, s.Aggregate("x"), seq, many...); again != last {
		t.Errorf("repeated batch ends at %d, the first ended at %d", again, last)
	}
	if got := load(t, a, 0); len(got) != 5 || got[4].Sequence != end {
		t.Errorf("the aggregate holds %v", idsOf(got))
	}
}

func lostAnswerIsFoundOut(t *testing.T, env Env) {
	d := &lossyDialer{}
	cfg := env.Config()
	s := Open(t, env.Connect(t, dialer(d)), cfg)
	a := s.Aggregate("x")
	seq := mustAppend(t, a, 0, NewEvent("A", ""))
	for _, events := range [][]eventstore.NewEvent{
		{NewEvent("B", "")},
		{NewEvent("B", ""), NewEvent("C", ""), NewEvent("D", "")},
	} {
		c := d.cutAnswer()
		seq = mustAppend(t, a, seq, events...)
		select {
		case <-c.lost:
		default:
			t.Fatal("no answer was lost: the test shows nothing")
		}
	}
	if got := load(t, a, 0); len(got) != 5 || got[4].Sequence != seq {
		t.Errorf("the aggregate holds %v, the last append said %d", idsOf(got), seq)
	}
}

func racingWritersLeaveNoGap(t *testing.T, env Env) {
	const writers, wins = 4, 15
	cfg := env.Config()
	s := Open(t, env.Connect(t), cfg)
	ctx := Context(t)
	var wg sync.WaitGroup
	errs := make(chan error, writers)
	for w := range writers {
		mine := Open(t, env.Connect(t), cfg).Aggregate("x")
		wg.Go(func() { errs <- raceOne(ctx, mine, w, wins) })
	}
	wg.Wait()
	for range writers {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	got := load(t, s.Aggregate("x"), 0)
	byActor := map[string]int{}
	for _, e := range got {
		byActor[e.Actor]++
	}
	// A writer's odd wins are batches of two.
	for actor, n := range byActor {
		if n != wins+wins/2 {
			t.Errorf("writer %s has %d events, want %d", actor, n, wins+wins/2)
		}
	}
	if _, err := s.Verify(ctx); err != nil {
		t.Error(err)
	}
	if len(got) != writers*(wins+wins/2) || got[len(got)-1].Sequence != uint64(len(got)) {
		t.Errorf("%d events, the last at %d: want no gap", len(got), got[len(got)-1].Sequence)
	}
}

func raceOne(ctx context.Context, a *eventstore.Aggregate, writer, wins int) error {
	var last uint64
	for won := 0; won < wins; {
		events := []eventstore.NewEvent{NewEvent("A", "")}
		if won%2 == 1 {
			events = append(events, NewTaskEvent("t", "B", "x"))
		}
		for i := range events {
			events[i].Actor = string(rune('a' + writer))
		}
		seq, err := a.Append(ctx, last, events)
		var c *eventstore.ConflictError
		switch {
		case errors.As(err, &c):
			if last, err = a.LastSequence(ctx); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			won, last = won+1, seq
		}
	}
	return nil
}

func usedIDIsRefused(t *testing.T, env Env) {
	s := env.fresh(t)
	a := s.Aggregate("x")
	first := NewEvent("A", "")
	seq := mustAppend(t, a, 0, first)
	twin := NewEvent("A", "")
	twin.ID = first.ID
	var d *eventstore.DuplicateIDError
	if _, err := a.Append(Context(t), seq, []eventstore.NewEvent{twin}); !errors.As(err, &d) || d.Sequence != seq {
		t.Errorf("a used id, rightly fenced: %v", err)
	}
	if _, err := a.Append(Context(t), 0, []eventstore.NewEvent{twin}); !errors.As(err, &d) {
		t.Errorf("a used id with another body in place of a retry: %v", err)
	}
	if _, err := a.Append(Context(t), seq, []eventstore.NewEvent{NewEvent("B", ""), twin}); !errors.As(err, &d) {
		t.Errorf("a used id in a batch: %v", err)
	}
	if _, err := s.Append(Context(t), "y", 0, []eventstore.NewEvent{twin}); !errors.As(err, &d) {
		t.Errorf("the id of another aggregate's event: %v", err)
	}
	if got := load(t, a, 0); len(got) != 1 {
		t.Errorf("the aggregate holds %v, want one event", idsOf(got))
	}
}
