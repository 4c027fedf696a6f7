package supervisor_test

import (
	"encoding/json"
	"testing"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// everyEvent has one of each type.
func everyEvent() []supervisor.Event {
	return []supervisor.Event{
		&supervisor.SupervisorCreated{}, &supervisor.SpecUpdated{}, &supervisor.SupervisorSuspended{}, &supervisor.SupervisorResumed{},
		&supervisor.SupervisorTerminated{}, &supervisor.SupervisorReset{}, &supervisor.OffsetsReset{}, &supervisor.HandoffRequested{}, &supervisor.ScaleDecided{},
		&supervisor.LeaderElected{}, &supervisor.RunStepCompleted{}, &supervisor.RunFailed{}, &supervisor.RunRecovered{},
		&supervisor.PartitionsChanged{}, &supervisor.TaskGroupFormed{}, &supervisor.TaskGroupAbandoned{}, &supervisor.CheckpointReached{},
		&supervisor.PublishingStarted{}, &supervisor.SegmentsAllocated{}, &supervisor.SegmentsPublished{}, &supervisor.TaskCreated{},
		&supervisor.TaskAssigned{}, &supervisor.TaskStarted{}, &supervisor.TaskPaused{}, &supervisor.TaskResumed{}, &supervisor.TaskSucceeded{},
		&supervisor.TaskFailed{}, &supervisor.TaskStopped{},
	}
}

// TestEvolveTakesWhateverWasRecorded folds events that say hardly anything, or speak of what is there, into an empty
// state and into a busy one: a fold may not fail, whoever wrote the log.
func TestEvolveTakesWhateverWasRecorded(t *testing.T) {
	for _, data := range []string{
		`{}`,
		`{"taskId":"t1","group":"g1","key":"g1","groups":["g1","g2"],"sequence":0,"end":{"0":3},"start":{"0":1},"numbers":[0],"taskGroupIds":[0,9],"added":["0"],"removed":["0"],"sequenceName":"s_0","identities":[{}],"tasks":[{"taskId":"t1"},{"taskId":"t9"}],"errors":[{}]}`,
		`{"taskId":"t9","group":"g9","groups":["g9"],"sequence":9,"errors":[{},{}],"keep":1}`,
	} {
		for _, e := range everyEvent() {
			if err := json.Unmarshal([]byte(data), e); err != nil {
				t.Fatalf("%T: %v", e, err)
			}
			for _, s := range []*supervisor.State{supervisor.NewState("x"), busy(t)} {
				before := s.Sequence
				s = supervisor.Evolve(s, supervisor.Recorded{Sequence: before + 1, Event: e})
				if s.Sequence != before+1 {
					t.Errorf("%T: sequence %d, want %d", e, s.Sequence, before+1)
				}
				if _, err := json.Marshal(s); err != nil {
					t.Errorf("%T: %v", e, err)
				}
			}
		}
	}
}

// busy has a publishing group and an active one, with tasks.
func busy(t *testing.T) *supervisor.State {
	t.Helper()
	w := newWorld(supervisor.DefaultThresholds)
	for _, c := range []supervisor.Command{
		supervisor.SubmitSpec{Spec: json.RawMessage("{}"), Stream: supervisor.Stream{Name: "t"}},
		supervisor.FormGroup{Key: "g1", BaseSequenceName: "s", Start: task.Offsets{"0": 1}},
		supervisor.CreateTask{TaskID: "t1", Group: "g1"},
		supervisor.AssignTask{TaskID: "t1", WorkerID: "w"},
		supervisor.StartTask{TaskID: "t1"},
		supervisor.Checkpoint{Group: "g1", End: task.Offsets{"0": 3}, Final: true},
		supervisor.FormGroup{Key: "g2", BaseSequenceName: "s2", Start: task.Offsets{"0": 3}},
	} {
		if _, err := w.do(c); err != nil {
			t.Fatalf("%T: %v", c, err)
		}
	}
	return w.state
}

func TestEventSaysOfWhichTaskItIs(t *testing.T) {
	for _, e := range everyEvent() {
		if err := json.Unmarshal([]byte(`{"taskId":"t1"}`), e); err != nil {
			t.Fatal(err)
		}
		want := ""
		switch e.(type) {
		case *supervisor.TaskCreated, *supervisor.TaskAssigned, *supervisor.TaskStarted, *supervisor.TaskPaused, *supervisor.TaskResumed, *supervisor.TaskSucceeded, *supervisor.TaskFailed, *supervisor.TaskStopped:
			want = "t1"
		}
		if got := supervisor.TaskOf(e); got != want {
			t.Errorf("%T is of task %q, want %q", e, got, want)
		}
	}
}

// Logs were written while the offsets of a topic were forgotten when it was not read any more: its next group began anew.
func TestOffsetsOfADroppedTopicGiveWayToALogThatBeganAnew(t *testing.T) {
	w := newWorld(supervisor.DefaultThresholds)
	for _, e := range []supervisor.Event{
		&supervisor.SupervisorCreated{Stream: "t|u", MultiTopic: true},
		&supervisor.TaskGroupFormed{Key: "g1", Start: task.Offsets{"t:0": 0, "u:0": 0}},
		&supervisor.PublishingStarted{Group: "g1", End: task.Offsets{"t:0": 10, "u:0": 20}, Tasks: []supervisor.TaskMove{{TaskID: "t1"}}},
		&supervisor.SpecUpdated{Stream: "t", MultiTopic: true, KeptTopics: []string{"t"}},
		&supervisor.SegmentsPublished{Group: "g1", Stream: "t", Start: task.Offsets{"t:0": 0}, End: task.Offsets{"t:0": 10}},
		&supervisor.SpecUpdated{Stream: "t|u", MultiTopic: true, KeptTopics: []string{"t"}},
		&supervisor.TaskGroupFormed{Key: "g2", Start: task.Offsets{"t:0": 10, "u:0": 0}},
	} {
		w.record(e)
	}
	if !w.state.Committed.Equal(task.Offsets{"t:0": 10}) || !w.state.Remembered.Equal(task.Offsets{}) {
		t.Errorf("committed %v, remembered %v", w.state.Committed, w.state.Remembered)
	}
	w.record(&supervisor.PublishingStarted{Group: "g2", End: task.Offsets{"t:0": 11, "u:0": 5}, Tasks: []supervisor.TaskMove{{TaskID: "t2"}}})
	w.record(&supervisor.SegmentsPublished{Group: "g2", Stream: "t|u", Start: task.Offsets{"t:0": 10, "u:0": 0}, End: task.Offsets{"t:0": 11, "u:0": 5}})
	if want := (task.Offsets{"t:0": 11, "u:0": 5}); !w.state.Committed.Equal(want) {
		t.Errorf("committed %v, want %v", w.state.Committed, want)
	}
}
