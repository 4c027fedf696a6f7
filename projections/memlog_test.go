package projections_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

// memLog is a log in memory that behaves as the store does: Tail gives what is there, then what comes.
type memLog struct {
	mu     sync.Mutex
	events []eventstore.Event
	more   chan struct{}
	// repeat delivers every event so many times, with those before it.
	repeat int
}

func newMemLog() *memLog { return &memLog{more: make(chan struct{}), repeat: 1} }

func (l *memLog) State(context.Context) (eventstore.State, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return eventstore.State{Last: uint64(len(l.events)), Events: uint64(len(l.events))}, nil
}

func (l *memLog) Tail(ctx context.Context, q eventstore.Query, fn func(eventstore.Event) error) error {
	next := int(max(q.FromSeq, 1)) - 1
	for {
		l.mu.Lock()
		batch, more := append([]eventstore.Event(nil), l.events[min(next, len(l.events)):]...), l.more
		l.mu.Unlock()
		for range l.repeat {
			for _, e := range batch {
				if err := fn(e); err != nil {
					return err
				}
			}
		}
		next += len(batch)
		select {
		case <-more:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (l *memLog) append(e eventstore.Event) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	e.Sequence = uint64(len(l.events) + 1)
	l.events = append(l.events, e)
	close(l.more)
	l.more = make(chan struct{})
	return e.Sequence
}

func (l *memLog) last() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return uint64(len(l.events))
}

// world decides commands for several supervisors as their actors would, and appends to the log.
type world struct {
	t       *testing.T
	log     *memLog
	decider *supervisor.Decider
	states  map[string]*supervisor.State
	now     time.Time
}

func newWorld(t *testing.T) *world {
	return &world{
		t: t, log: newMemLog(), decider: supervisor.NewDecider(supervisor.DefaultThresholds),
		states: map[string]*supervisor.State{}, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC),
	}
}

func (w *world) state(id string) *supervisor.State {
	if w.states[id] == nil {
		w.states[id] = supervisor.NewState(id)
	}
	return w.states[id]
}

func (w *world) do(id string, commands ...supervisor.Command) {
	w.t.Helper()
	for _, c := range commands {
		events, err := w.decider.Decide(w.state(id), c)
		if err != nil {
			w.t.Fatalf("decide %T for %s: %v", c, id, err)
		}
		for _, e := range events {
			w.record(id, e)
		}
	}
}

func (w *world) record(id string, e supervisor.Event) {
	w.t.Helper()
	w.now = w.now.Add(1500 * time.Millisecond)
	n, err := eventstore.Encode(e)
	if err != nil {
		w.t.Fatal(err)
	}
	stored := eventstore.Event{
		Kind: n.Kind, SupervisorID: id, TaskID: n.TaskID, Type: n.Type, Token: n.Token, Data: n.Data,
		ID: fmt.Sprintf("e%d", w.log.last()+1), Time: w.now, SchemaVersion: 1, Epoch: 1,
	}
	stored.Sequence = w.log.append(stored)
	rec, err := eventstore.Decode(stored)
	if err != nil {
		w.t.Fatal(err)
	}
	w.states[id] = supervisor.Evolve(w.state(id), rec)
}

const specText = `{"type":"kafka","spec":{"dataSchema":{"dataSource":%q,"timestampSpec":{"column":"ts"},"dimensionsSpec":{}},` +
	`"ioConfig":{"topic":%q,"inputFormat":{"type":"json"},"taskDuration":%q,"consumerProperties":{"bootstrap.servers":"h:1"}}},"suspended":%t}`

func specFor(id, topic, duration string, suspended bool) []byte {
	return fmt.Appendf(nil, specText, id, topic, duration, suspended)
}

func offsets(pairs ...int64) task.Offsets {
	o := task.Offsets{}
	for i := 0; i < len(pairs); i += 2 {
		o[task.PartitionOf(int32(pairs[i]))] = pairs[i+1]
	}
	return o
}

// begin makes a supervisor and brings it to its first task.
func (w *world) begin(id, duration string) {
	w.do(id, supervisor.TakeLead{Node: "n1"},
		supervisor.SubmitSpec{Spec: specFor(id, "t_"+id, duration, false), Stream: supervisor.Stream{Name: "t_" + id}},
		supervisor.Propose{Trigger: supervisor.TriggerRunBegin},
		supervisor.NotePartitions{Partitions: []task.Partition{"0", "1"}},
		supervisor.Propose{Trigger: supervisor.TriggerPartitionsOK},
		supervisor.Propose{Trigger: supervisor.TriggerCreateBegin})
	w.group(id, "g1", "task1", offsets(0, 0, 1, 0))
	w.do(id, supervisor.EndRun{})
}

func (w *world) group(id, key, taskID string, start task.Offsets) {
	w.do(id, supervisor.FormGroup{Key: key, BaseSequenceName: "base_" + key, Start: start},
		supervisor.CreateTask{TaskID: id + taskID, Group: key},
		supervisor.AssignTask{TaskID: id + taskID, WorkerID: "w1", Incarnation: "i1", Host: "h", Port: 9},
		supervisor.StartTask{TaskID: id + taskID, StartTime: w.now})
}

// publish ends a group with one segment.
func (w *world) publish(id, key, taskID string, start, end task.Offsets) {
	slot := task.SegmentSlot{Start: 0, End: 3600_000}
	w.do(id, supervisor.Checkpoint{Group: key, End: end, Final: true, Deadline: w.now.Add(time.Hour), Reason: "taskDuration"},
		supervisor.AllocateSegments{TaskID: id + taskID, Slots: []task.SegmentSlot{slot}, Version: "v1"})
	given := supervisor.IdentityOf(w.state(id), "base_"+key+"_0", slot)
	w.do(id, supervisor.PublishSegments{TaskID: id + taskID, Start: start, End: end, Segments: []task.Segment{{
		ID: id + "_" + key, Start: given.IntervalStart, End: given.IntervalEnd, Version: given.Version, PartitionNum: given.PartitionNum,
		Dimensions: []string{"a"}, Rows: 7, Size: 70, LoadSpec: []byte(`{"type":"local","path":"/x"}`),
	}}}, supervisor.SucceedTask{TaskID: id + taskID, Report: &supervisor.FinalReport{Stats: task.Stats{Totals: task.Counters{Processed: 7}}}})
}

// story is a life of several supervisors in which every type of event occurs that a projection cares for.
func (w *world) story() {
	w.begin("edits", "PT1M")
	w.publish("edits", "g1", "task1", offsets(0, 0, 1, 0), offsets(0, 10, 1, 12))
	w.group("edits", "g2", "task2", offsets(0, 10, 1, 12))
	w.do("edits", supervisor.FailTask{TaskID: "editstask2", ErrorMsg: "disk full"},
		supervisor.EndRun{Errors: []supervisor.ErrorEvent{{Timestamp: w.now.UnixMilli(), ExceptionClass: "X", Message: "m", StreamException: true}}},
		supervisor.SubmitSpec{Spec: specFor("edits", "t_edits", "PT1M", false), Stream: supervisor.Stream{Name: "t_edits"}},
		supervisor.SubmitSpec{Spec: specFor("edits", "t_edits", "PT5M", false), Stream: supervisor.Stream{Name: "t_edits"}},
		supervisor.SuspendSupervisor{Spec: specFor("edits", "t_edits", "PT5M", true)},
		supervisor.ResumeSupervisor{Spec: specFor("edits", "t_edits", "PT5M", false)},
		supervisor.ResetOffsets{Offsets: offsets(1, 5), Remove: []task.Partition{"0"}})
	w.begin("a b", "PT2M")
	w.do("a b", supervisor.StopTask{TaskID: "a btask1", Reason: "worker stops"}, supervisor.ResetSupervisor{}, supervisor.TerminateSupervisor{})
	w.begin("gone", "PT2M")
	w.publish("gone", "g1", "task1", offsets(0, 0, 1, 0), offsets(0, 3, 1, 0))
	w.do("gone", supervisor.TerminateSupervisor{},
		supervisor.SubmitSpec{Spec: specFor("gone", "other", "PT2M", true), Stream: supervisor.Stream{Name: "other"}, Suspended: true})
	w.log.append(eventstore.Event{Kind: eventstore.KindOverlord, SupervisorID: "n1", Type: "Whatever", Time: w.now})
}

var errBroken = errors.New("broken")
