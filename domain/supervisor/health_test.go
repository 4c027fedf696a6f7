package supervisor_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// life is a supervisor that tests of health drive run by run; a group and a task exist to fail and to succeed.
type life struct {
	*world
	t     *testing.T
	tasks int
}

func newLife(t *testing.T, suspended bool) *life {
	l := &life{world: newWorld(supervisor.DefaultThresholds), t: t}
	l.must(supervisor.SubmitSpec{Spec: json.RawMessage("{}"), Stream: supervisor.Stream{Name: "t"}, Suspended: suspended})
	return l
}

func (l *life) must(c supervisor.Command) []supervisor.Event {
	l.t.Helper()
	events, err := l.do(c)
	if err != nil {
		l.t.Fatalf("%T: %v", c, err)
	}
	return events
}

// run makes a whole run in Druid's order and returns every state that was shown on the way.
func (l *life) run(errs ...supervisor.ErrorEvent) []string {
	return l.runWith(func() {}, errs...)
}

// runWith does something after the tasks were discovered, where a run finds how its tasks ended.
func (l *life) runWith(found func(), errs ...supervisor.ErrorEvent) []string {
	l.t.Helper()
	var shown []string
	from := len(l.log)
	l.must(supervisor.Propose{Trigger: supervisor.TriggerRunBegin})
	if len(errs) == 0 || l.state.Health.OneSuccessfulRun {
		if len(errs) == 0 {
			l.must(supervisor.NotePartitions{Partitions: []task.Partition{"0"}})
			l.must(supervisor.Propose{Trigger: supervisor.TriggerPartitionsOK})
		}
		found()
		if !l.state.Suspended && l.state.Detailed != supervisor.StateIdle {
			l.must(supervisor.Propose{Trigger: supervisor.TriggerCreateBegin})
		}
	}
	l.must(supervisor.EndRun{Errors: errs})
	for _, r := range l.log[from:] {
		if m := r.Event.Moved(); m != nil && supervisor.TaskOf(r.Event) == "" {
			shown = append(shown, m.To)
		}
	}
	return shown
}

var (
	streamError = supervisor.ErrorEvent{ExceptionClass: "T", Message: "timeout", StreamException: true}
	otherError  = supervisor.ErrorEvent{ExceptionClass: "O", Message: "other"}
)

// task makes a task that reads.
func (l *life) task() string {
	l.tasks++
	id := fmt.Sprint("t", l.tasks)
	if l.state.Active[0] == nil {
		l.must(supervisor.FormGroup{Key: "g" + id, BaseSequenceName: "s" + id, Start: l.state.Committed.Max(task.Offsets{"0": 0})})
	}
	l.must(supervisor.CreateTask{TaskID: id, Group: l.state.Active[0].Key})
	l.must(supervisor.AssignTask{TaskID: id, WorkerID: "w"})
	l.must(supervisor.StartTask{TaskID: id, StartTime: l.now})
	return id
}

func (l *life) failTask() { l.must(supervisor.FailTask{TaskID: l.task(), ErrorMsg: "broken"}) }

func (l *life) succeedTask() {
	id := l.task()
	g := l.state.GroupOf(id)
	end := task.Offsets{"0": g.Start["0"] + 1}
	l.must(supervisor.Checkpoint{Group: g.Key, End: end, Final: true})
	l.must(supervisor.PublishSegments{TaskID: id, Start: g.Start, End: end})
	l.must(supervisor.SucceedTask{TaskID: id})
}

func (l *life) want(what, state string, counts ...int) {
	l.t.Helper()
	if l.state.Detailed != state {
		l.t.Errorf("%s: %s, want %s", what, l.state.Detailed, state)
	}
	c := l.state.Health.Counts
	got := []int{c.FailedRuns, c.SuccessfulRuns, c.FailedTasks, c.SuccessfulTasks}
	for i, n := range counts {
		if i%2 == 1 {
			n = min(n, 3) // successes are counted to their threshold only
		}
		if got[i] != n {
			l.t.Errorf("%s: counts %v, want %v", what, got, counts)
			break
		}
	}
	for _, p := range l.problems {
		l.t.Error(p)
	}
	l.problems = nil
}

func wantShown(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%s: shown %v, want %v", what, got, want)
	}
}

func TestWorkedSequenceOfTheReference(t *testing.T) {
	l := newLife(t, false)
	l.want("1 created", supervisor.StatePending, 0, 0, 0, 0)
	l.run()
	l.want("2 run ok", supervisor.StateRunning, 0, 1, 0, 0)
	l.runWith(l.failTask)
	l.want("3 task failed", supervisor.StateRunning, 0, 2, 1, 0)
	l.runWith(l.failTask)
	l.want("4 replacement failed", supervisor.StateRunning, 0, 3, 2, 0)
	shown := l.runWith(l.failTask)
	l.want("5 third failed", supervisor.StateUnhealthyTasks, 0, 4, 3, 0)
	wantShown(t, "5 before the run ends", shown, supervisor.StateUnhealthyTasks)
	if m := l.log[len(l.log)-1].Event.Moved(); m == nil || m.Trigger != supervisor.TriggerCreateBegin {
		t.Errorf("5: moved by %+v, want the proposal to create tasks", m)
	}
	l.runWith(l.succeedTask)
	l.want("6 a task succeeds", supervisor.StateUnhealthyTasks, 0, 5, 0, 1)
	l.runWith(l.succeedTask)
	l.want("7 one more", supervisor.StateUnhealthyTasks, 0, 6, 0, 2)
	wantShown(t, "7 and one more", l.runWith(l.succeedTask), supervisor.StateRunning)
	l.want("7 and one more", supervisor.StateRunning, 0, 7, 0, 3)
	l.run(streamError)
	l.want("8 broker gone", supervisor.StateRunning, 1, 0, 0, 3)
	l.run(streamError)
	l.want("9 again", supervisor.StateRunning, 2, 0, 0, 3)
	l.run(streamError)
	l.want("10 again", supervisor.StateLostContact, 3, 0, 0, 3)
	l.run()
	l.run()
	l.want("11 two good runs", supervisor.StateLostContact, 0, 2, 0, 3)
	l.run()
	l.want("11 three good runs", supervisor.StateRunning, 0, 3, 0, 3)
}

func TestUsualStartShowsEachFirstRunStateOnce(t *testing.T) {
	l := newLife(t, false)
	wantShown(t, "first run", l.run(), supervisor.StateConnecting, supervisor.StateDiscovering, supervisor.StateCreating, supervisor.StateRunning)
	wantShown(t, "second run", l.run())
}

func TestSuspendedStartShowsNoCreatingTasks(t *testing.T) {
	l := newLife(t, true)
	wantShown(t, "first run", l.run(), supervisor.StateConnecting, supervisor.StateDiscovering, supervisor.StateSuspended)
	wantShown(t, "second run", l.run())
}

func TestGoodRunThatEndsEarlyLeavesTheFirstRunsStates(t *testing.T) {
	for steps, state := range []string{supervisor.StatePending, supervisor.StateConnecting, supervisor.StateDiscovering, supervisor.StateCreating} {
		l := newLife(t, false)
		for _, trigger := range []string{supervisor.TriggerRunBegin, supervisor.TriggerPartitionsOK, supervisor.TriggerCreateBegin}[:steps] {
			l.must(supervisor.Propose{Trigger: trigger})
		}
		l.want("in the first run", state)
		l.must(supervisor.EndRun{})
		l.want("after a good end in "+state, supervisor.StateRunning, 0, 1)
	}
}

func TestFailingFirstRunsAreUnableToConnect(t *testing.T) {
	l := newLife(t, false)
	l.run(streamError)
	l.want("first failure", supervisor.StateConnecting, 1, 0)
	l.run(streamError)
	l.want("second failure", supervisor.StateConnecting, 2, 0)
	l.run(streamError)
	l.want("third failure", supervisor.StateUnableToConnect, 3, 0)
	l.run(streamError)
	l.want("fourth failure", supervisor.StateUnableToConnect, 3, 0) // more than the threshold say nothing
	l.run()
	l.run()
	l.want("two good runs", supervisor.StateUnableToConnect, 0, 2)
	l.run()
	l.want("three good runs", supervisor.StateRunning, 0, 3)
}

func TestThreeFailuresAfterASuccessOnTheWayUpLoseContact(t *testing.T) {
	l := newLife(t, false)
	for range 3 {
		l.run(streamError)
	}
	l.run()
	l.run(streamError)
	l.run(streamError)
	l.want("two failures after a success", supervisor.StateUnableToConnect, 2, 0)
	l.run(streamError)
	l.want("three failures after a success", supervisor.StateLostContact, 3, 0)
}

func TestInterruptedFailuresNeverReachTheThreshold(t *testing.T) {
	l := newLife(t, false)
	l.run()
	for i, ok := range []bool{false, false, true, false, false} {
		if ok {
			l.run()
		} else {
			l.run(streamError)
		}
		l.want(fmt.Sprint("run ", i), supervisor.StateRunning)
	}
}

func TestLabelFollowsTheNewestError(t *testing.T) {
	l := newLife(t, false)
	l.run()
	for range 3 {
		l.run(otherError)
	}
	l.want("no error of the stream", supervisor.StateUnhealthy)
	l.run(otherError, streamError)
	l.want("the newest is of the stream", supervisor.StateLostContact)
	l.run(streamError, otherError)
	l.want("the newest is not", supervisor.StateUnhealthy)
	if n := len(l.state.Health.RecentErrors); n != supervisor.DefaultThresholds.MaxStoredExceptionEvents {
		t.Errorf("%d recent errors are kept", n)
	}
}

func TestRunThresholdWinsOverTasks(t *testing.T) {
	l := newLife(t, false)
	l.run()
	for range 3 {
		l.failTask()
	}
	for range 3 {
		l.run(streamError)
	}
	l.want("both thresholds", supervisor.StateLostContact, 3, 0, 3, 0)
	l.run()
	l.want("runs are good again, tasks are not", supervisor.StateUnhealthyTasks, 0, 1, 3, 0)
}

func TestUnhealthyTasksKeepRunningAndCreating(t *testing.T) {
	l := newLife(t, false)
	l.run()
	for range 3 {
		l.failTask()
	}
	l.run()
	l.want("tasks failed", supervisor.StateUnhealthyTasks)
	l.task()
	if len(l.state.Tasks) != 1 {
		t.Errorf("tasks %v, want a new one", l.state.TaskIDs())
	}
}

func TestOneTaskFailureLongAfterUnhealthyTasksDoesNotHoldUpALostContact(t *testing.T) {
	l := newLife(t, false)
	l.run()
	for range 3 {
		l.failTask()
	}
	l.run()
	for range 3 {
		l.succeedTask()
	}
	l.run()
	l.want("well again", supervisor.StateRunning)
	if c := l.state.Health.Counts; c.HitRuns || c.HitTasks {
		t.Errorf("a full recovery leaves flags: %+v", c)
	}
	l.failTask()
	for range 3 {
		l.run(streamError)
	}
	l.want("lost contact", supervisor.StateLostContact)
	for range 3 {
		l.run()
	}
	l.want("Druid would wait for three good tasks", supervisor.StateRunning)
}

func TestIdleFromTheFirstRunOn(t *testing.T) {
	l := newLife(t, false)
	idle := func() { l.must(supervisor.Propose{Trigger: supervisor.TriggerIdleYes}) }
	wantShown(t, "first run", l.runWith(idle), supervisor.StateConnecting, supervisor.StateDiscovering, supervisor.StateIdle)
	wantShown(t, "quiet", l.run())
	wantShown(t, "moving", l.runWith(func() { l.must(supervisor.Propose{Trigger: supervisor.TriggerIdleNo}) }), supervisor.StateRunning)
	wantShown(t, "quiet again", l.runWith(idle), supervisor.StateIdle)
}

func TestIdleShowsFailuresAtTheNextBeginning(t *testing.T) {
	l := newLife(t, false)
	l.runWith(func() { l.must(supervisor.Propose{Trigger: supervisor.TriggerIdleYes}) })
	for range 3 {
		l.run(streamError)
	}
	l.want("at the end of the third failure", supervisor.StateIdle, 3, 0)
	l.must(supervisor.Propose{Trigger: supervisor.TriggerRunBegin})
	l.want("at the next beginning", supervisor.StateLostContact)
	// While it recovers it is not idle, and so creates tasks.
	l.run()
	l.task()
	l.run()
	l.run()
	l.want("three good runs", supervisor.StateRunning, 0, 3)
	l.runWith(func() { l.must(supervisor.Propose{Trigger: supervisor.TriggerIdleYes}) })
	l.want("the next", supervisor.StateIdle)
}

func TestIdleFirstRunThatFailsConnectsAgain(t *testing.T) {
	l := newLife(t, false)
	for _, trigger := range []string{supervisor.TriggerRunBegin, supervisor.TriggerPartitionsOK, supervisor.TriggerIdleYes} {
		l.must(supervisor.Propose{Trigger: trigger})
	}
	l.must(supervisor.EndRun{Errors: []supervisor.ErrorEvent{otherError}})
	l.want("failed", supervisor.StateIdle, 1, 0)
	l.must(supervisor.Propose{Trigger: supervisor.TriggerRunBegin})
	l.want("next", supervisor.StateConnecting)
}

func TestStoppingWinsOverEveryUnhealthyState(t *testing.T) {
	l := newLife(t, false)
	for range 3 {
		l.run(streamError)
	}
	l.must(supervisor.TerminateSupervisor{})
	l.want("terminated while unable to connect", supervisor.StateStopping)
	l.run()
	l.want("a run that was in progress", supervisor.StateStopping)
}

func TestUpdateForgetsHealthAndErrors(t *testing.T) {
	l := newLife(t, false)
	for range 3 {
		l.run(streamError)
	}
	l.must(supervisor.SubmitSpec{Spec: json.RawMessage("{}"), Stream: supervisor.Stream{Name: "t"}})
	l.want("updated", supervisor.StatePending, 0, 0, 0, 0)
	if l.state.Health.RecentErrors != nil || l.state.Health.HitRuns || l.state.Health.OneSuccessfulRun {
		t.Errorf("an update leaves %+v", l.state.Health)
	}
}

func TestHealthySupervisorAtRestAppendsNothing(t *testing.T) {
	l := newLife(t, false)
	for range supervisor.DefaultThresholds.Healthiness {
		l.run()
	}
	n := len(l.log)
	for range 100 {
		l.run()
	}
	if len(l.log) != n {
		t.Errorf("100 good runs appended %d events", len(l.log)-n)
	}
}

// TestAFailureThatStaysIsToldLessAndLess has runs fail each half minute for two days, for one reason and for several, of a
// supervisor that runs and of a suspended one: a thousand of them are an event each few seconds otherwise.
func TestAFailureThatStaysIsToldLessAndLess(t *testing.T) {
	moving := func(run int) []supervisor.ErrorEvent {
		e := streamError
		e.Message = fmt.Sprintf("Previous sequenceNumber [7] is beyond the end [%d] of partition [0]", run)
		return []supervisor.ErrorEvent{e}
	}
	for name, c := range map[string]struct {
		suspended bool
		errs      func(run int) []supervisor.ErrorEvent
		most      int
	}{
		"one error":                {false, func(int) []supervisor.ErrorEvent { return []supervisor.ErrorEvent{streamError} }, 60},
		"a suspended supervisor":   {true, func(int) []supervisor.ErrorEvent { return []supervisor.ErrorEvent{streamError} }, 60},
		"two errors in each run":   {false, func(int) []supervisor.ErrorEvent { return []supervisor.ErrorEvent{otherError, streamError} }, 60},
		"more errors than is kept": {false, func(int) []supervisor.ErrorEvent { return make([]supervisor.ErrorEvent, 5) }, 60},
		"a number that moves":      {false, moving, 60},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLife(t, c.suspended)
			l.run()
			const period = 30 * 1000
			var last supervisor.ErrorEvent
			fail := func(run int) {
				errs := append([]supervisor.ErrorEvent(nil), c.errs(run)...)
				for i := range errs {
					errs[i].Timestamp = int64(run * period)
				}
				l.run(errs...)
				last = errs[len(errs)-1]
			}
			from := len(l.log)
			const day = 24 * 120
			for run := range 2 * day {
				fail(run)
			}
			if n := len(l.log) - from; n > c.most {
				t.Errorf("%d failed runs appended %d events, want at most %d", 2*day, n, c.most)
			}
			recent := l.state.Health.RecentErrors
			if len(recent) != 3 || last.Timestamp-recent[2].Timestamp > 3600_000 {
				t.Errorf("the log's newest errors are %+v, the last run failed at %d: want three, and an hour between at most", recent, last.Timestamp)
			}
			report := supervisor.Report(l.state, reportFacts, supervisor.Measurements{Failed: []supervisor.ErrorEvent{last}}, l.now)
			shown := report.Payload.RecentErrors
			if n := len(shown); n != 3 || time.Time(shown[n-1].Timestamp).UnixMilli() != last.Timestamp {
				t.Errorf("the status shows %v, want three errors and that of the last run, at %d", shown, last.Timestamp)
			}

			// What is new is told at once, and so is the end of it.
			from = len(l.log)
			other := supervisor.ErrorEvent{ExceptionClass: "N", Message: "new", Timestamp: last.Timestamp + period}
			l.run(other)
			if recent := l.state.Health.RecentErrors; recent[2] != other {
				t.Errorf("after another error the newest are %+v", recent)
			}
			l.run()
			if n := len(l.log) - from; n < 2 {
				t.Errorf("another failure and a good run are told by %d events", n)
			}
			from = len(l.log)
			fail(2*day + 3)
			if len(l.log) == from {
				t.Error("a failure after a good run is not told")
			}
		})
	}
}

func TestTheStatusRepeatsOnlyWhatTheLogTells(t *testing.T) {
	s := supervisor.NewState("clicks")
	show := func(failed ...supervisor.ErrorEvent) string {
		var shown []string
		for _, e := range supervisor.Report(s, reportFacts, supervisor.Measurements{Failed: failed}, epochStart).Payload.RecentErrors {
			shown = append(shown, fmt.Sprint(e.Message, " ", time.Time(e.Timestamp).UnixMilli()))
		}
		return fmt.Sprint(shown)
	}
	at := func(e supervisor.ErrorEvent, ms int64) supervisor.ErrorEvent { e.Timestamp = ms; return e }
	if got := show(at(streamError, 9)); got != "[]" {
		t.Errorf("without any error in the log: %s", got)
	}
	s.Health.RecentErrors = []supervisor.ErrorEvent{at(otherError, 1), at(streamError, 2)}
	for _, c := range []struct {
		failed []supervisor.ErrorEvent
		want   string
	}{
		{nil, "[other 1 timeout 2]"},
		{[]supervisor.ErrorEvent{at(streamError, 2)}, "[other 1 timeout 2]"},
		{[]supervisor.ErrorEvent{at(streamError, 5)}, "[timeout 2 timeout 5]"},
		{[]supervisor.ErrorEvent{at(otherError, 5)}, "[other 1 timeout 2]"},
		{[]supervisor.ErrorEvent{at(otherError, 4), at(streamError, 5)}, "[other 4 timeout 5]"},
		{[]supervisor.ErrorEvent{at(streamError, 3), at(otherError, 4), at(streamError, 5)}, "[other 4 timeout 5]"},
	} {
		if got := show(c.failed...); got != c.want {
			t.Errorf("after a run with %+v the status shows %s, want %s", c.failed, got, c.want)
		}
	}
}

func TestStoppedTasksCountNeitherWay(t *testing.T) {
	l := newLife(t, false)
	l.run()
	l.failTask()
	l.must(supervisor.StopTask{TaskID: l.task(), Reason: "unwanted"})
	l.want("stopped", supervisor.StateRunning, 0, 1, 1, 0)
}
