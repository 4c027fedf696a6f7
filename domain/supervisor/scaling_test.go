package supervisor_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// fleet is a supervisor over some partitions that is scaled again and again. It plans its groups as an overlord does: by
// the partition's number and the taskCount of the moment.
type fleet struct {
	*world
	t          *rapid.T
	partitions []task.Partition
	taskCount  int
	made       int
	ledger     ledger
}

func (f *fleet) must(c supervisor.Command) []supervisor.Event {
	remembered := f.state.Remembered.Clone()
	events, err := f.do(c)
	if err != nil {
		f.t.Fatalf("%T: %v\n%s", c, err, f.describe())
	}
	for _, e := range events {
		for _, problem := range f.ledger.note(e, remembered, f.state) {
			f.problem("%s", problem)
		}
	}
	if len(f.problems) > 0 {
		f.t.Fatalf("after %T%+v: %v\n%s", c, c, f.problems, f.describe())
	}
	return events
}

// run forms the groups that are missing and gives each a task that reads.
func (f *fleet) run() {
	read := map[task.Partition]bool{}
	for _, g := range f.state.Active {
		for p := range g.Start {
			read[p] = true
		}
	}
	for number := range f.taskCount {
		start, waits := task.Offsets{}, f.state.Active[number] != nil
		for i, p := range f.partitions {
			if i%f.taskCount != number {
				continue
			}
			waits = waits || read[p]
			at, ok := f.state.Remembered[p]
			if !ok {
				at = f.state.Committed[p]
			}
			start[p] = at
		}
		if waits || len(start) == 0 {
			continue
		}
		f.made++
		key := fmt.Sprint("g", f.made)
		if len(f.must(supervisor.FormGroup{Key: key, Number: number, BaseSequenceName: "s" + text(start), Start: start})) == 0 {
			f.t.Fatalf("group %d from %v was not formed:\n%s", number, start, f.describe())
		}
	}
	for _, g := range f.state.Active {
		f.staff(g)
	}
	for _, g := range f.state.Pending {
		f.staff(g)
	}
}

// staff gives a group without a task one.
func (f *fleet) staff(g *supervisor.Group) {
	if len(g.TaskIDs) > 0 || g.SpecVersion != f.state.SpecVersion && !g.Publishing {
		return
	}
	f.made++
	id := fmt.Sprint("t", f.made)
	f.must(supervisor.CreateTask{TaskID: id, Group: g.Key})
	f.must(supervisor.AssignTask{TaskID: id, WorkerID: "w"})
	f.must(supervisor.StartTask{TaskID: id, StartTime: f.now})
}

// finish tells a group to finish behind what it has read meanwhile; one without a task is given up.
func (f *fleet) finish(g *supervisor.Group) {
	if len(g.TaskIDs) == 0 {
		f.must(supervisor.AbandonGroup{Group: g.Key, Reason: "no task"})
		return
	}
	end := g.Open().Start.Clone()
	for _, p := range end.Partitions() {
		end[p] += int64(rapid.IntRange(0, 3).Draw(f.t, "read"))
	}
	f.must(supervisor.Checkpoint{Group: g.Key, Sequence: g.Open().Number, End: end, Final: true, Deadline: f.now.Add(time.Hour)})
}

// publish lets a group that was told to finish commit, where everything before it is committed.
func (f *fleet) publish(g *supervisor.Group) {
	if len(g.TaskIDs) == 0 || !f.state.CommittedBefore(g) {
		return
	}
	q, id := g.Sequences[0], g.TaskIDs[0]
	name := supervisor.SequenceName(g.BaseSequenceName, q.Number)
	if !q.Start.Equal(q.End) {
		f.must(supervisor.AllocateSegments{TaskID: id, Slots: []task.SegmentSlot{{Start: 0, End: 3600_000}}, Version: "v"})
		f.must(supervisor.PublishSegments{TaskID: id, Start: q.Start, End: q.End, Segments: segments(f.state, name)})
	}
	f.must(supervisor.SucceedTask{TaskID: id})
}

func (f *fleet) scale(to int) {
	if to == f.taskCount {
		return
	}
	events := f.must(supervisor.ScaleTasks{
		SpecVersion: f.state.SpecVersion, Spec: json.RawMessage(fmt.Sprint(to)), From: f.taskCount, To: to, Reason: "lag",
		Samples: []supervisor.LagSample{{At: f.now, Lag: 1}}, Groups: len(f.state.Active), Partitions: len(f.partitions),
	})
	if len(events) > 0 {
		f.taskCount = to
	}
}

// handOver finishes some of the groups of an older taskCount, as an overlord does one by one.
func (f *fleet) handOver(all bool) {
	for _, n := range f.state.ActiveNumbers() {
		if g := f.state.Active[n]; g.SpecVersion != f.state.SpecVersion && (all || rapid.Bool().Draw(f.t, "finish")) {
			f.finish(g)
		}
	}
}

func (f *fleet) step() {
	switch rapid.IntRange(0, 7).Draw(f.t, "step") {
	case 0:
		f.scale(rapid.IntRange(1, 7).Draw(f.t, "to"))
	case 1, 2:
		f.handOver(false)
	case 3:
		f.run()
	case 4:
		if ns := f.state.ActiveNumbers(); len(ns) > 0 {
			f.finish(f.state.Active[rapid.SampledFrom(ns).Draw(f.t, "number")])
		}
	case 5, 6:
		if n := len(f.state.Pending); n > 0 {
			f.publish(f.state.Pending[rapid.IntRange(0, n-1).Draw(f.t, "pending")])
		}
	case 7:
		if ids := f.state.TaskIDs(); len(ids) > 0 {
			f.must(supervisor.FailTask{TaskID: rapid.SampledFrom(ids).Draw(f.t, "task"), ErrorMsg: "lost"})
		}
	}
}

// TestScalingKeepsEveryRecordOnce scales a supervisor at any moment, with tasks that are lost and groups that commit in any
// order: the ledger wants each partition committed without a gap or a record twice, and in the end the groups are those of
// the last taskCount, and everything that was read is committed.
func TestScalingKeepsEveryRecordOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := &fleet{world: newWorld(supervisor.DefaultThresholds), t: t, taskCount: 1, ledger: newLedger()}
		for i := range rapid.IntRange(1, 6).Draw(t, "partitions") {
			f.partitions = append(f.partitions, task.PartitionOf(int32(i)))
		}
		f.must(supervisor.SubmitSpec{Spec: json.RawMessage("0"), Stream: supervisor.Stream{Name: "t"}})
		f.must(supervisor.NotePartitions{Partitions: f.partitions})
		f.run()
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			f.step()
		}
		// Calm: what was scaled is handed over, everything is published, and the groups of now are formed.
		for range 2*len(f.partitions) + len(f.state.Pending) + 2 {
			f.run()
			f.handOver(true)
			for _, g := range append([]*supervisor.Group(nil), f.state.Pending...) {
				if f.state.Group(g.Key) != nil {
					f.publish(g)
				}
			}
		}
		f.run()
		if n := len(f.state.Pending); n > 0 {
			t.Fatalf("%d groups never come to their end:\n%s", n, f.describe())
		}
		read := map[task.Partition]int{}
		for n, g := range f.state.Active {
			for p, at := range g.Start {
				i, _ := p.Number()
				if int(i)%f.taskCount != n || g.SpecVersion != f.state.SpecVersion {
					t.Errorf("partition %s is read by group %d of version %d, with %d tasks", p, n, g.SpecVersion, f.taskCount)
				}
				if committed, ok := f.state.Committed[p]; ok && committed != at {
					t.Errorf("partition %s is committed up to %d, and read from %d on", p, committed, at)
				}
				read[p]++
			}
		}
		for _, p := range f.partitions {
			if read[p] != 1 {
				t.Errorf("partition %s is read by %d groups", p, read[p])
			}
		}
	})
}
