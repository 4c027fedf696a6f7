package overlord

import (
	"errors"
	"slices"
	"testing"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

func leads(h *house, s *Service) { h.until("the overlord leads", s.IsLeader) }

func TestGroupsFollowOneAnotherAndCommitWithoutGaps(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	h.worker("w1", 8)
	h.topic.grow(10)
	if err := s.Submit(t.Context(), testSpec(t, nil), false); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int64{110, 210} {
		h.until("everything is committed", func() bool {
			c := h.state("clicks").Committed
			if c["0"] == n-100 || c["0"] == 10 {
				h.topic.mu.Lock()
				h.topic.ends["0"], h.topic.ends["1"] = n, n
				h.topic.mu.Unlock()
			}
			return c["0"] == n && c["1"] == n
		})
	}
	at := task.Offsets{"0": 0, "1": 0}
	for _, e := range h.events("clicks") {
		if e.Type != "SegmentsPublished" {
			continue
		}
		r, err := eventstore.Decode(e)
		if err != nil {
			t.Fatal(err)
		}
		p := r.Event.(*supervisor.SegmentsPublished)
		for q, from := range p.Start {
			if at[q] != from {
				t.Fatalf("partition %s was committed up to %d, and then from %d", q, at[q], from)
			}
			at[q] = p.End[q]
		}
	}
	if d := h.state("clicks").Detailed; d != supervisor.StateRunning {
		t.Errorf("detailedState %s, want RUNNING", d)
	}
}

func TestSuspendPublishesWhatWasRead(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	w := h.worker("w1", 8)
	h.topic.grow(10)
	if err := s.Submit(t.Context(), testSpec(t, func(io map[string]any) { io["taskDuration"] = "PT1H" }), false); err != nil {
		t.Fatal(err)
	}
	h.until("both tasks have read", func() bool {
		if !w.read(10) {
			return false
		}
		n := 0
		for _, x := range h.state("clicks").Tasks {
			if x.State == task.StateReading {
				n++
			}
		}
		return n == 2
	})
	if _, err := s.Suspend(t.Context(), "clicks"); err != nil {
		t.Fatal(err)
	}
	h.until("all is committed and suspended", func() bool {
		st := h.state("clicks")
		return st.Committed["0"] == 10 && st.Committed["1"] == 10 && st.Detailed == supervisor.StateSuspended && len(st.Tasks) == 0
	})
	h.until("no task runs any more", func() bool { return len(w.running()) == 0 })
	var refused *supervisor.Refusal
	if _, err := s.Suspend(t.Context(), "clicks"); !errors.As(err, &refused) || refused.Code != supervisor.CodeAlreadySuspended {
		t.Errorf("second suspend: %v", err)
	}
	if _, err := s.Resume(t.Context(), "clicks"); err != nil {
		t.Fatal(err)
	}
	h.until("it runs again", func() bool { return h.state("clicks").Detailed == supervisor.StateRunning })
	if err := s.Terminate(t.Context(), "clicks"); err != nil {
		t.Fatal(err)
	}
	h.until("it has drained", func() bool { return h.state("clicks").Drained() })
}

func TestReplicasRunOnDifferentWorkersAndALostOneIsReplaced(t *testing.T) {
	h := newHouse(t)
	h.silence = 5 * time.Second
	s, _ := h.overlord("one")
	leads(h, s)
	w1, w2 := h.worker("w1", 8), h.worker("w2", 8)
	h.until("both workers are known", func() bool { return len(s.Workers()) == 2 })
	err := s.Submit(t.Context(), testSpec(t, func(io map[string]any) {
		io["taskDuration"], io["replicas"], io["taskCount"] = "PT1H", 2, 1
	}), false)
	if err != nil {
		t.Fatal(err)
	}
	h.until("a copy runs on each", func() bool { return len(w1.running()) == 1 && len(w2.running()) == 1 })
	lost := w1.running()[0]
	w1.stop()
	h.until("the lost copy has failed", func() bool { return h.state("clicks").Tasks[lost] == nil })
	h.until("another copy waits for a worker of its own", func() bool { return len(h.state("clicks").Tasks) == 2 })
	w3 := h.worker("w3", 8)
	h.until("it is replaced", func() bool { return len(w3.running()) == 1 })
	if n := len(w2.running()); n != 1 {
		t.Errorf("the worker of one copy runs %d", n)
	}
	h.topic.grow(5)
	h.until("the copies have read", func() bool { return w2.read(5) && w3.read(5) })
	if _, err := s.Suspend(t.Context(), "clicks"); err != nil {
		t.Fatal(err)
	}
	h.until("it is committed once", func() bool { st := h.state("clicks"); return st.Committed["0"] == 5 && len(st.Tasks) == 0 })
}

func TestANewLeaderAdoptsWhatRunsAndFencesTheOldOne(t *testing.T) {
	h := newHouse(t)
	one, stopOne := h.overlord("one")
	leads(h, one)
	w := h.worker("w1", 8)
	if err := one.Submit(t.Context(), testSpec(t, func(io map[string]any) { io["taskDuration"] = "PT1H" }), false); err != nil {
		t.Fatal(err)
	}
	h.until("it runs", func() bool { return h.state("clicks").Detailed == supervisor.StateRunning && len(w.running()) == 2 })
	before := w.running()
	slices.Sort(before)
	stopOne()
	two, _ := h.overlord("two")
	leads(h, two)
	if err := one.Terminate(t.Context(), "clicks"); err == nil {
		t.Error("the overlord that was stopped still takes commands")
	}
	h.topic.grow(7)
	h.until("the tasks have read", func() bool { return w.read(7) })
	if _, err := two.Suspend(t.Context(), "clicks"); err != nil {
		t.Fatal(err)
	}
	h.until("the adopted tasks published", func() bool {
		st := h.state("clicks")
		return st.Committed["0"] == 7 && st.Committed["1"] == 7
	})
	created := 0
	for _, e := range h.events("clicks") {
		if e.Type == "TaskCreated" {
			created++
			if !slices.Contains(before, e.TaskID) {
				t.Errorf("task %s was created although the running ones could be adopted", e.TaskID)
			}
		}
	}
	if created != 2 {
		t.Errorf("%d tasks were created, want 2", created)
	}
}

func TestAStreamThatFailsMakesTheSupervisorUnhealthyAndRecovers(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	h.worker("w1", 8)
	h.topic.fail(newStreamISE("No partitions found for stream [%s]", "t"))
	if err := s.Submit(t.Context(), testSpec(t, nil), false); err != nil {
		t.Fatal(err)
	}
	h.until("it cannot connect", func() bool { return h.state("clicks").Detailed == supervisor.StateUnableToConnect })
	st := h.state("clicks")
	if n := len(st.Health.RecentErrors); n != 3 || !st.Health.RecentErrors[0].StreamException {
		t.Errorf("recentErrors %+v, want three stream exceptions", st.Health.RecentErrors)
	}
	h.topic.fail(nil)
	h.until("it runs", func() bool { return h.state("clicks").Detailed == supervisor.StateRunning })
}

// TestAQuietGroupGivesItsSlotToOneThatWaits: there is one slot for two groups. The one whose partition is empty does not
// keep it while the other has rows to read.
func TestAQuietGroupGivesItsSlotToOneThatWaits(t *testing.T) {
	for _, full := range []task.Partition{"0", "1"} {
		h := newHouse(t)
		s, _ := h.overlord("one")
		leads(h, s)
		h.worker("w1", 1)
		if err := s.Submit(t.Context(), testSpec(t, nil), false); err != nil {
			t.Fatal(err)
		}
		for n := int64(3); n <= 9; n += 3 {
			h.topic.growOne(full, 3)
			h.until("the rows of partition "+string(full)+" are committed", func() bool { return h.state("clicks").Committed[full] == n })
		}
	}
}

func TestAGroupThatReadNothingReadsOn(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	w := h.worker("w1", 8)
	if err := s.Submit(t.Context(), testSpec(t, nil), false); err != nil {
		t.Fatal(err)
	}
	h.until("its tasks read", func() bool { return len(w.running()) == 2 })
	before := w.running()
	slices.Sort(before)
	paused := map[string]int{}
	h.until("each was paused more than once, and resumed", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for id, task := range w.tasks {
			paused[id] = task.resumed
		}
		return len(paused) == 2 && paused[before[0]] > 1 && paused[before[1]] > 1
	})
	after := w.running()
	if slices.Sort(after); !slices.Equal(before, after) {
		t.Errorf("tasks %v were replaced by %v although there was nothing to read", before, after)
	}
	h.topic.grow(3)
	h.until("what came is committed", func() bool { c := h.state("clicks").Committed; return c["0"] == 3 && c["1"] == 3 })
}
