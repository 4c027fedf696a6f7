package overlord

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

// reading is a house whose supervisor has one group of so many replicas, each on a worker of its own and read to 10.
func reading(t *testing.T, replicas int, duration string) (h *house, s *Service, workers []*fakeWorker, ids []string) {
	t.Helper()
	h = newHouse(t)
	s, _ = h.overlord("one")
	leads(h, s)
	h.topic.grow(10)
	for i := range replicas {
		workers = append(workers, h.worker(fmt.Sprint("w", i), 4))
	}
	sp := testSpec(t, func(io map[string]any) { io["taskCount"], io["replicas"], io["taskDuration"] = 1, replicas, duration })
	if err := s.Submit(t.Context(), sp, false); err != nil {
		t.Fatal(err)
	}
	h.until("all replicas read to the end", func() bool {
		ids = nil
		for _, w := range workers {
			if len(w.running()) != 1 || !w.read(10) {
				return false
			}
			ids = append(ids, w.running()...)
		}
		st := h.state("clicks")
		return !slices.ContainsFunc(ids, func(id string) bool { return st.Tasks[id] == nil || st.Tasks[id].State != task.StateReading })
	})
	return h, s, workers, ids
}

func (w *fakeWorker) status(id string) task.RunnerStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t := w.tasks[id]; t != nil {
		return t.status
	}
	return ""
}

func (w *fakeWorker) beats(n int) {
	for range n {
		w.beat(w.h.t.Context())
	}
}

func control(t *testing.T, s *Service, c task.Control) task.ControlReply {
	t.Helper()
	c.SupervisorID = "clicks"
	reply, err := s.Control(t.Context(), c)
	if err != nil {
		t.Fatalf("%s of task %s: %v", c.Op, c.TaskID, err)
	}
	return reply
}

// pause makes a task rest as a client does: one that is told that it has not come to rest yet asks again.
func (h *house) pause(s *Service, id string) (r task.ControlReply) {
	h.t.Helper()
	h.until("task "+id+" rests", func() bool {
		r = control(h.t, s, task.Control{Op: task.ControlPause, TaskID: id})
		return r.Code != task.CodeAccepted
	})
	return r
}

func (h *house) last(kind string) *eventstore.Event {
	var found *eventstore.Event
	for _, e := range h.events("clicks") {
		if e.Type == kind {
			found = &e
		}
	}
	return found
}

func TestAUsersPauseLastsUntilTheResume(t *testing.T) {
	h, s, w, ids := reading(t, 1, "PT1H")
	id := ids[0]
	for range 2 {
		r := h.pause(s, id)
		if r.Code != "" || !r.Offsets.Equal(task.Offsets{"0": 10, "1": 10}) {
			t.Fatalf("pause: %+v", r)
		}
	}
	w[0].beats(20) // each shows the leader a task that stands still
	h.until("the leader has seen it", func() bool { return s.Measurements("clicks").Tasks[id].Status == task.RunnerPaused })
	if got := w[0].status(id); got != task.RunnerPaused {
		t.Fatalf("the task is %s after the leader saw that it is paused", got)
	}
	if e := h.last("TaskPaused"); e == nil || e.Actor != "user" {
		t.Errorf("the pause is told by %+v, want an event of the user", e)
	}
	for range 2 {
		if r := control(t, s, task.Control{Op: task.ControlResume, TaskID: id}); r.Code != "" {
			t.Fatalf("resume: %+v", r)
		}
	}
	if got := w[0].status(id); got != task.RunnerReading {
		t.Fatalf("the task is %s after it was resumed", got)
	}
	if e := h.last("TaskResumed"); e == nil || e.Actor != "user" {
		t.Errorf("the resume is told by %+v, want an event of the user", e)
	}
}

func TestAPauseOutlivesTheLeaderAndEndsWithTheTasksDuration(t *testing.T) {
	h, s, w, ids := reading(t, 1, "PT8S")
	if r := h.pause(s, ids[0]); r.Code != "" {
		t.Fatal(r)
	}
	h.topic.grow(10)
	two, _ := h.overlord("two")
	if _, err := two.Control(t.Context(), task.Control{Op: task.ControlPause, TaskID: ids[0], SupervisorID: "clicks"}); err != nil {
		t.Fatalf("a node that does not lead could not pass a control on: %v", err)
	}
	if !h.state("clicks").Tasks[ids[0]].Paused {
		t.Fatal("the pause is not in the log")
	}
	h.until("what was read before the pause is committed, and the next group reads", func() bool {
		c := h.state("clicks").Committed
		return c["0"] >= 10 && w[0].read(20)
	})
}

func TestAUsersEndIsTheGroupsCheckpoint(t *testing.T) {
	h, s, w, ids := reading(t, 2, "PT1H")
	h.topic.grow(20)
	end := task.Offsets{"0": 25, "1": 22}
	set := func(finish bool) task.ControlReply {
		return control(t, s, task.Control{Op: task.ControlSetEnd, TaskID: ids[0], End: end, Finish: finish})
	}
	if r := set(true); r.Code != task.CodeRefused || r.Message != "Task must be paused before changing the end offsets" {
		t.Fatalf("end of a task that reads: %+v", r)
	}
	h.until("both have read on", func() bool { return w[0].read(30) && w[1].read(30) })
	end = task.Offsets{"0": 30, "1": 30}
	h.topic.grow(5)
	h.until("and on", func() bool { return w[0].read(35) && w[1].read(35) })
	if r := h.pause(s, ids[0]); r.Code != "" {
		t.Fatal(r)
	}
	for want, bad := range map[string]task.Offsets{
		"Request body must contain a map of":                                       nil,
		"Request contains partitions not being handled by this task":               {"0": 40, "7": 1},
		"Request must contain the end offset of every partition":                   {"0": 40},
		"End sequence must be >= current sequence for partition [0] (current: 35)": end,
		"End sequence must be <= the end of the topic for partition [1] (end: 35)": {"0": 35, "1": 36},
	} {
		r := control(t, s, task.Control{Op: task.ControlSetEnd, TaskID: ids[0], End: bad, Finish: true})
		if r.Code != task.CodeRefused || !strings.HasPrefix(r.Message, want) {
			t.Errorf("end %v: %+v, want a refusal: %s", bad, r, want)
		}
	}
	// A checkpoint first, then the end: replicas publish the same, and what follows begins where it stands.
	end = task.Offsets{"0": 35, "1": 35}
	for range 2 {
		if r := set(false); r.Code != "" || !r.Offsets.Equal(end) {
			t.Fatalf("checkpoint: %+v", r)
		}
	}
	if e := h.last("CheckpointReached"); e == nil || e.Actor != "user" {
		t.Errorf("the checkpoint is told by %+v, want an event of the user", e)
	}
	h.topic.grow(5)
	h.until("both read on behind the checkpoint", func() bool { return w[0].read(40) && w[1].read(40) })
	if r := h.pause(s, ids[0]); r.Code != "" {
		t.Fatal(r)
	}
	end = task.Offsets{"0": 40, "1": 40}
	if r := set(true); r.Code != "" {
		t.Fatalf("end: %+v", r)
	}
	h.until("all is committed", func() bool { return h.state("clicks").Committed.Equal(end) })
	if e := h.last("PublishingStarted"); e == nil || e.Actor != "user" {
		t.Errorf("the end is told by %+v, want an event of the user", e)
	}
	h.until("the next group begins there", func() bool {
		g := h.state("clicks").Active[0]
		return g != nil && g.Start.Equal(end) && len(g.TaskIDs) == 2
	})
}

func TestShutdownFailsATaskAndTheNextRunReplacesIt(t *testing.T) {
	h, s, w, ids := reading(t, 1, "PT1H")
	for range 2 { // the second finds it ended, as in Druid
		if err := s.Shutdown(t.Context(), "clicks", ids[0]); err != nil {
			t.Fatal(err)
		}
	}
	e := h.last("TaskFailed")
	if e == nil || e.Actor != "user" {
		t.Fatalf("the shutdown is told by %+v, want an event of the user", e)
	}
	r, err := eventstore.Decode(*e)
	if err != nil {
		t.Fatal(err)
	}
	failed := r.Event.(*supervisor.TaskFailed)
	if !failed.Killed || failed.ErrorMsg != "Shutdown request from user" || failed.Report == nil || failed.Report.RecordsProcessed["0"] != 7 {
		t.Errorf("the task failed with %+v", failed)
	}
	h.until("another task reads", func() bool {
		now := w[0].running()
		return len(now) == 1 && now[0] != ids[0] && w[0].read(10)
	})
	if _, err := s.Ask(t.Context(), "w0", ids[0]); err == nil {
		t.Error("the worker still runs what was shut down")
	}
}

func TestAStoppedTaskIsReplacedAndCountsNeitherWay(t *testing.T) {
	h, s, w, ids := reading(t, 1, "PT1H")
	if r := control(t, s, task.Control{Op: task.ControlStop, TaskID: ids[0]}); r.Code != "" {
		t.Fatal(r)
	}
	if e := h.last("TaskStopped"); e == nil || e.Actor != "user" {
		t.Errorf("the stop is told by %+v, want an event of the user", e)
	}
	if n := h.state("clicks").Health.FailedTasks; n != 0 {
		t.Errorf("a stop counts as %d failures", n)
	}
	h.until("another task reads", func() bool {
		now := w[0].running()
		return len(now) == 1 && now[0] != ids[0]
	})
	for _, op := range []task.ControlOp{task.ControlPause, task.ControlResume, task.ControlStop, task.ControlShutdown, task.ControlSetEnd} {
		if r := control(t, s, task.Control{Op: op, TaskID: ids[0]}); r.Code != task.CodeUnknownTask {
			t.Errorf("%s of a task that has ended: %+v", op, r)
		}
	}
}

func TestParseErrorsAreTheNewestOfAllThatWereTold(t *testing.T) {
	_, s, w, ids := reading(t, 1, "PT1H")
	if got, err := s.ParseErrors(t.Context(), "clicks"); err != nil || len(got) != 0 {
		t.Fatalf("parse errors of a spec that saves none: %v %v", got, err)
	}
	m := &measures{}
	bad := func(at ...int64) (all []task.ParseException) {
		for _, ms := range at {
			all = append(all, task.ParseException{Input: "{", TimeOfExceptionMillis: ms, Offset: ms})
		}
		return all
	}
	for _, step := range []struct{ told, want []task.ParseException }{
		{bad(3, 1), bad(3, 1)}, {bad(3, 1), bad(3, 1)}, {nil, bad(3, 1)}, {bad(2), bad(3, 2, 1)}, {bad(9, 8), bad(9, 8, 3)},
	} {
		if got := m.keepErrors(step.told, 3); fmt.Sprint(got) != fmt.Sprint(step.want) {
			t.Errorf("told %v: %v, want %v", step.told, got, step.want)
		}
	}
	stats, err := s.Stats(t.Context(), "clicks")
	if err != nil || stats[0][ids[0]].Totals.Processed != 7 {
		t.Errorf("stats %v %v, want what the task says when it is asked", stats, err)
	}
	w[0].stop()
	if stats, err = s.Stats(t.Context(), "clicks"); err != nil || len(stats) != 0 {
		t.Errorf("stats %v %v of a task that does not answer, want none", stats, err)
	}
}

// holdFirst makes the worker follow the first order of this kind only when it is let go, or the test ends; held is closed
// once it has come.
func (w *fakeWorker) holdFirst(op task.Op) (held <-chan struct{}, letGo func()) {
	come, going := make(chan struct{}), make(chan struct{})
	letGo = sync.OnceFunc(func() { close(going) })
	w.h.t.Cleanup(letGo)
	var first sync.Once
	w.mu.Lock()
	defer w.mu.Unlock()
	w.late = func(o task.Order) {
		if o.Op == op {
			first.Do(func() { close(come); <-going })
		}
	}
	return come, letGo
}

// overtaken returns how many orders a worker's task has refused because a later one had come before.
func (w *fakeWorker) overtaken(id string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t := w.tasks[id]; t != nil {
		return t.overtaken
	}
	return 0
}

func TestAPauseThatComesLateDoesNotUndoTheResume(t *testing.T) {
	h, s, w, ids := reading(t, 1, "PT1H")
	id := ids[0]
	held, letGo := w[0].holdFirst(task.OpPause)
	paused := make(chan task.ControlReply, 1)
	go func() {
		r, err := s.Control(context.Background(), task.Control{Op: task.ControlPause, TaskID: id, SupervisorID: "clicks"})
		if err != nil {
			t.Error(err)
		}
		paused <- r
	}()
	<-held
	if r := control(t, s, task.Control{Op: task.ControlResume, TaskID: id}); r.Code != "" {
		t.Fatalf("resume: %+v", r)
	}
	letGo()
	if r := <-paused; r.Code != task.CodeAccepted {
		t.Errorf("the pause is answered %+v, want that it was accepted", r)
	}
	h.until("the pause has come", func() bool { return w[0].overtaken(id) > 0 })
	if got := w[0].status(id); got != task.RunnerReading || h.state("clicks").Tasks[id].Paused {
		t.Errorf("the task is %s after its resume", got)
	}
}

// The leader repeats a pause that a task has not followed; while it does, the user resumes the task.
func TestAResumeDoesNotWaitForAPauseThatIsRepeated(t *testing.T) {
	h, s, w, ids := reading(t, 1, "PT1H")
	id := ids[0]
	if r := h.pause(s, id); r.Code != "" {
		t.Fatalf("pause: %+v", r)
	}
	held, letGo := w[0].holdFirst(task.OpPause)
	w[0].mu.Lock()
	w[0].tasks[id].status = task.RunnerReading // it has forgotten the pause
	w[0].mu.Unlock()
	<-held
	if r := control(t, s, task.Control{Op: task.ControlResume, TaskID: id}); r.Code != "" {
		t.Fatalf("resume: %+v", r)
	}
	if w[0].resumed(id) == 0 {
		t.Error("the task was not told to read on")
	}
	letGo()
	h.until("the pause has come", func() bool { return w[0].overtaken(id) > 0 })
	if got := w[0].status(id); got != task.RunnerReading {
		t.Errorf("the task is %s after its resume", got)
	}
}

func (w *fakeWorker) resumed(id string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t := w.tasks[id]; t != nil {
		return t.resumed
	}
	return 0
}
