package overlord

import (
	"testing"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

func idle(after int) func(map[string]any) {
	return func(io map[string]any) {
		io["idleConfig"] = map[string]any{"enabled": true, "inactiveAfterMillis": after}
	}
}

// TestASupervisorWithoutLagIsIdleInItsFirstRun: what is committed is all that there is, so there has been nothing to do
// for ever, however long inactiveAfterMillis is.
func TestASupervisorWithoutLagIsIdleInItsFirstRun(t *testing.T) {
	h := newHouse(t)
	one, stop := h.overlord("one")
	leads(h, one)
	w := h.worker("w1", 8)
	h.topic.grow(10)
	if err := one.Submit(t.Context(), testSpec(t, nil), false); err != nil {
		t.Fatal(err)
	}
	h.until("all is committed", func() bool { c := h.state("clicks").Committed; return c["0"] == 10 && c["1"] == 10 })
	if _, err := one.Suspend(t.Context(), "clicks"); err != nil {
		t.Fatal(err)
	}
	h.until("no task is left", func() bool {
		st := h.state("clicks")
		return st.Detailed == supervisor.StateSuspended && len(st.Tasks) == 0
	})
	created := len(decoded[*supervisor.TaskCreated](h, "clicks"))
	if err := one.Submit(t.Context(), testSpec(t, idle(3600_000)), false); err != nil {
		t.Fatal(err)
	}
	h.until("it is idle", func() bool { return h.state("clicks").Detailed == supervisor.StateIdle })
	stop()
	two, _ := h.overlord("two")
	leads(h, two)
	h.topic.grow(5)
	h.until("it reads what came, and runs", func() bool {
		st := h.state("clicks")
		return st.Detailed == supervisor.StateRunning && len(w.running()) == 2
	})
	if n := len(decoded[*supervisor.TaskCreated](h, "clicks")); n != created+2 {
		t.Errorf("%d tasks were made after there was something to read, want 2", n-created)
	}
	h.until("it is committed", func() bool { c := h.state("clicks").Committed; return c["0"] == 15 && c["1"] == 15 })
	checkCommits(h, "clicks", 15)
}

func TestAnIdleSupervisorsTasksEndByTaskDuration(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	w := h.worker("w1", 8)
	if err := s.Submit(t.Context(), testSpec(t, idle(1)), false); err != nil {
		t.Fatal(err)
	}
	h.until("it is idle and has no tasks", func() bool {
		st := h.state("clicks")
		return st.Detailed == supervisor.StateIdle && len(st.Tasks) == 0 && len(w.running()) == 0
	})
	for _, e := range decoded[*supervisor.TaskStopped](h, "clicks") {
		t.Errorf("a task was stopped: %s", e.Reason)
	}
}

// TestATaskWhoseNextRecordIsGone drives both halves: what was read is published, and the group that then stands at the gap
// with nothing to lose has the offset reset.
func TestATaskWhoseNextRecordIsGoneIsResetAfterWhatWasReadIsPublished(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	w := h.worker("w1", 8)
	h.topic.grow(10)
	if err := s.Submit(t.Context(), testSpec(t, func(io map[string]any) { io["taskDuration"], io["taskCount"] = "PT1H", 1 }), false); err != nil {
		t.Fatal(err)
	}
	h.until("a task has read", func() bool { return len(w.running()) == 1 && w.read(10) && started(h, 1) })
	ask := func() task.NoticeReply {
		w.mu.Lock()
		var asking *fakeTask
		for _, x := range w.tasks {
			c := *x
			asking = &c
		}
		w.mu.Unlock()
		if asking == nil {
			return task.NoticeReply{Code: task.CodeGone}
		}
		r, _ := w.notice(t.Context(), asking, task.Notice{Kind: task.NoticeReset, Start: task.Offsets{"0": 10}})
		return r
	}
	if r := ask(); r.Code != "" {
		t.Fatalf("answered %+v", r)
	}
	h.until("what was read is committed", func() bool { c := h.state("clicks").Committed; return c["0"] == 10 && c["1"] == 10 })
	h.until("the next group stands there", func() bool {
		g := h.state("clicks").Active[0]
		return g != nil && g.Start["0"] == 10 && started(h, 1) && len(w.running()) == 1
	})
	h.until("its offset is reset", func() bool { ask(); return len(decoded[*supervisor.OffsetsReset](h, "clicks")) > 0 })
	if e := decoded[*supervisor.OffsetsReset](h, "clicks")[0]; !e.Offsets.Equal(task.Offsets{"0": 10}) {
		t.Errorf("reset to %v, want partition 0 at 10", e.Offsets)
	}
	h.until("its task was killed", func() bool {
		for _, e := range decoded[*supervisor.TaskStopped](h, "clicks") {
			if e.Reason == "DataSourceMetadata is updated while reset offsets is called" {
				return true
			}
		}
		return false
	})
	checkCommits(h, "clicks", 10)
}

// started reports whether the active groups have this many tasks that read.
func started(h *house, n int) bool {
	st := h.state("clicks")
	reading := 0
	for _, g := range st.Active {
		for _, id := range g.TaskIDs {
			if st.Tasks[id].State == task.StateReading {
				reading++
			}
		}
	}
	return reading == n
}

// TestAFailureThatStaysIsShownWithEachRun: what the log is spared, the status of the leader has.
func TestAFailureThatStaysIsShownWithEachRun(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	h.topic.fail(newStreamISE("No partitions found for stream [t]"))
	if err := s.Submit(t.Context(), testSpec(t, nil), false); err != nil {
		t.Fatal(err)
	}
	h.until("a run has failed that the log does not tell", func() bool {
		told := h.state("clicks").Health.RecentErrors
		failed := s.Measurements("clicks").Failed
		return len(told) == 3 && len(failed) == 1 && failed[0].Timestamp > told[2].Timestamp && failed[0].Message == told[2].Message
	})
	h.topic.fail(nil)
	h.until("it is well again", func() bool {
		return h.state("clicks").Health.FailedRuns == 0 && len(s.Measurements("clicks").Failed) == 0
	})
}
