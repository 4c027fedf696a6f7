package overlord

import (
	"slices"
	"testing"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// readOne runs a supervisor with one task that has read ten records of each partition.
func readOne(t *testing.T) (*house, *Service, *fakeWorker) {
	t.Helper()
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	w := h.worker("w1", 8)
	h.topic.grow(10)
	if err := s.Submit(t.Context(), testSpec(t, func(io map[string]any) { io["taskDuration"], io["taskCount"] = "PT1H", 1 }), false); err != nil {
		t.Fatal(err)
	}
	h.until("a task has read", func() bool { return len(w.running()) == 1 && w.read(10) && started(h, 1) })
	return h, s, w
}

// TestATaskThatCannotEndWhereItsGroupDoesIsReplaced: its group would else wait until completionTimeout, and then read all
// again.
func TestATaskThatCannotEndWhereItsGroupDoesIsReplaced(t *testing.T) {
	h, s, w := readOne(t)
	first := w.running()[0]
	w.mu.Lock()
	w.cannotEnd = true
	w.mu.Unlock()
	if err := s.Handoff(t.Context(), "clicks", []int{0}); err != nil {
		t.Fatal(err)
	}
	h.until("the range is committed", func() bool { c := h.state("clicks").Committed; return c["0"] == 10 && c["1"] == 10 })
	stopped := decoded[*supervisor.TaskStopped](h, "clicks")
	if len(stopped) != 1 || stopped[0].TaskID != first || stopped[0].Reason != "Failed to set end offsets, killing task" {
		t.Errorf("stopped: %+v, want %s alone", stopped, first)
	}
	if given := decoded[*supervisor.TaskGroupAbandoned](h, "clicks"); len(given) > 0 {
		t.Errorf("the group was given up: %+v", given[0])
	}
	checkCommits(h, "clicks", 10)
}

// TestAFullSequenceIsClosedThoughItsNoticeIsLost: the heartbeats tell it too, and the task is not told to read on.
func TestAFullSequenceIsClosedThoughItsNoticeIsLost(t *testing.T) {
	h, s, w := readOne(t)
	w.mu.Lock()
	for _, x := range w.tasks {
		x.full, x.status = true, task.RunnerPaused
	}
	w.mu.Unlock()
	h.until("its sequence is closed", func() bool { return len(decoded[*supervisor.CheckpointReached](h, "clicks")) == 1 })
	h.until("it reads on in the next one", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, x := range w.tasks {
			return !x.full && x.status == task.RunnerReading && len(x.a.Sequences) == 2
		}
		return false
	})
	h.topic.grow(5)
	h.until("it has read", func() bool { return w.read(15) })
	if _, err := s.Suspend(t.Context(), "clicks"); err != nil {
		t.Fatal(err)
	}
	h.until("both sequences are committed", func() bool { c := h.state("clicks").Committed; return c["0"] == 15 && c["1"] == 15 })
	var sequences []int
	for _, p := range decoded[*supervisor.SegmentsPublished](h, "clicks") {
		sequences = append(sequences, p.Sequence)
	}
	if !slices.Equal(sequences, []int{0, 1}) {
		t.Errorf("sequences %v were committed, want 0 and 1", sequences)
	}
	checkCommits(h, "clicks", 15)
}

// TestStopTaskCountBoundsHowManyGroupsFinishAtOnce keeps the groups that finished first from being committed, so that the
// others have to read on although their time is over.
func TestStopTaskCountBoundsHowManyGroupsFinishAtOnce(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	w := h.worker("w1", 8)
	w.mu.Lock()
	w.holds = true
	w.mu.Unlock()
	h.topic.mu.Lock()
	h.topic.ends = task.Offsets{"0": 10, "1": 10, "2": 10}
	h.topic.mu.Unlock()
	if err := s.Submit(t.Context(), testSpec(t, func(io map[string]any) { io["taskCount"], io["stopTaskCount"] = 3, 1 }), false); err != nil {
		t.Fatal(err)
	}
	pending := func() int { return len(h.state("clicks").Pending) }
	h.until("one group publishes", func() bool { return pending() == 1 })
	// A user's wish counts, and is not bound.
	if err := s.Handoff(t.Context(), "clicks", []int{0, 1, 2}); err != nil {
		t.Fatal(err)
	}
	h.until("all groups publish", func() bool { return pending() >= 3 })
	duration := 0
	for _, e := range decoded[*supervisor.PublishingStarted](h, "clicks") {
		if e.Reason == reasonDuration {
			duration++
		}
	}
	if duration != 1 {
		t.Errorf("%d groups finish because their time is over, one may at once", duration)
	}
	w.mu.Lock()
	w.holds = false
	w.mu.Unlock()
	h.until("all is committed", func() bool { c := h.state("clicks").Committed; return c["0"] == 10 && c["1"] == 10 && c["2"] == 10 })
}

// TestAGroupThatDoesNotFinishInTimeIsGivenUp: its range is read again from what is committed, and what would have followed
// it goes with it.
func TestAGroupThatDoesNotFinishInTimeIsGivenUp(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	w := h.worker("w1", 8)
	w.mu.Lock()
	w.holds = true
	w.mu.Unlock()
	h.topic.grow(10)
	sp := testSpec(t, func(io map[string]any) { io["taskCount"], io["completionTimeout"] = 1, "PT0.5S" })
	if err := s.Submit(t.Context(), sp, false); err != nil {
		t.Fatal(err)
	}
	h.until("a group is given up", func() bool { return len(decoded[*supervisor.TaskGroupAbandoned](h, "clicks")) > 0 })
	e := decoded[*supervisor.TaskGroupAbandoned](h, "clicks")[0]
	if want := "No task in pending completion taskGroup[0] succeeded before completion timeout elapsed"; e.Reason != want {
		t.Errorf("given up because %q, want %q", e.Reason, want)
	}
	w.mu.Lock()
	w.holds = false
	w.mu.Unlock()
	h.until("it is read again and committed", func() bool { c := h.state("clicks").Committed; return c["0"] == 10 && c["1"] == 10 })
	checkCommits(h, "clicks", 10)
}
