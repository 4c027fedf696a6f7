package projections

import (
	"encoding/json"
	"slices"
	"strings"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// tasksFold holds every task that lives, and the newest ones that ended, with what they reported.
type tasksFold struct {
	keep  int
	tasks map[string]*taskRow
	// ended are the ids of ended tasks in the order of their end.
	ended []string
	// specs holds each supervisor's current spec, which the next task is made from.
	specs map[string]*specRow
}

// specRow is a spec, shared by the tasks that were made from it. Sequence names it in a snapshot.
type specRow struct {
	Sequence uint64          `json:"sequence"`
	Spec     json.RawMessage `json:"spec"`
}

type taskRow struct {
	supervisor.TaskRecord
	spec *specRow
}

func newTasksFold(keep int) *tasksFold {
	f := &tasksFold{keep: keep}
	f.clear()
	return f
}

func (f *tasksFold) name() string { return "tasks" }
func (f *tasksFold) layout() int  { return 1 }

func (f *tasksFold) clear() {
	f.tasks, f.ended, f.specs = map[string]*taskRow{}, nil, map[string]*specRow{}
}

// tasksDump is the snapshot's shape: each spec once.
type tasksDump struct {
	Specs   map[uint64]json.RawMessage       `json:"specs"`
	Current map[string]uint64                `json:"current"`
	Tasks   map[string]supervisor.TaskRecord `json:"tasks"`
	SpecOf  map[string]uint64                `json:"specOf"`
	Ended   []string                         `json:"ended"`
}

func (f *tasksFold) dump() any {
	d := tasksDump{
		Specs: map[uint64]json.RawMessage{}, Current: map[string]uint64{}, Tasks: map[string]supervisor.TaskRecord{},
		SpecOf: map[string]uint64{}, Ended: f.ended,
	}
	for id, s := range f.specs {
		d.Specs[s.Sequence], d.Current[id] = s.Spec, s.Sequence
	}
	for id, t := range f.tasks {
		d.Tasks[id] = t.TaskRecord
		if t.spec != nil {
			d.Specs[t.spec.Sequence], d.SpecOf[id] = t.spec.Spec, t.spec.Sequence
		}
	}
	return d
}

func (f *tasksFold) load(data json.RawMessage) error {
	var d tasksDump
	if err := json.Unmarshal(data, &d); err != nil {
		return err
	}
	f.clear()
	specs := map[uint64]*specRow{}
	for seq, s := range d.Specs {
		specs[seq] = &specRow{Sequence: seq, Spec: s}
	}
	for id, seq := range d.Current {
		f.specs[id] = specs[seq]
	}
	for id, t := range d.Tasks {
		f.tasks[id] = &taskRow{TaskRecord: t, spec: specs[d.SpecOf[id]]}
	}
	f.ended = d.Ended
	return nil
}

func (f *tasksFold) apply(e fact) {
	switch ev := e.Event.(type) {
	case *supervisor.SupervisorCreated:
		f.setSpec(e, ev.Spec)
	case *supervisor.SpecUpdated:
		f.setSpec(e, ev.Spec)
	case *supervisor.SupervisorSuspended:
		f.setSpec(e, ev.Spec)
	case *supervisor.SupervisorResumed:
		f.setSpec(e, ev.Spec)
	case *supervisor.ScaleDecided:
		f.setSpec(e, ev.Spec)
	case *supervisor.TaskCreated:
		f.tasks[ev.TaskID] = &taskRow{spec: f.specs[e.supervisorID], TaskRecord: supervisor.TaskRecord{
			ID: ev.TaskID, SupervisorID: e.supervisorID, GroupKey: ev.Group, GroupNumber: ev.GroupNumber,
			BaseSequenceName: ev.BaseSequenceName, Start: ev.Start, MinTime: ev.MinTime, MaxTime: ev.MaxTime, State: movedTo(ev, task.StatePending), CreatedAt: e.Time,
		}}
	case *supervisor.PublishingStarted:
		for _, m := range ev.Tasks {
			if t := f.tasks[m.TaskID]; t != nil {
				t.State = m.To
			}
		}
	default:
		f.applyTask(e)
	}
}

func (f *tasksFold) applyTask(e fact) {
	t := f.tasks[supervisor.TaskOf(e.Event)]
	if t == nil || t.Ended() {
		return
	}
	t.State = movedTo(e.Event, t.State)
	switch ev := e.Event.(type) {
	case *supervisor.TaskAssigned:
		t.WorkerID, t.Host, t.Port, t.AssignedAt = ev.WorkerID, ev.Host, ev.Port, e.Time
	case *supervisor.TaskStarted:
		t.StartedAt = ev.StartTime
	case *supervisor.TaskSucceeded:
		f.end(t, e, ev.Report)
	case *supervisor.TaskFailed:
		t.ErrorMsg, t.Killed = ev.ErrorMsg, ev.Killed
		f.end(t, e, ev.Report)
	case *supervisor.TaskStopped:
		if t.State != task.StateSuccess { // else a replica committed its work
			t.ErrorMsg, t.Stopped = ev.Reason, true
		}
		f.end(t, e, ev.Report)
	}
}

func movedTo(e supervisor.Event, state string) string {
	if t := e.Moved(); t != nil {
		return t.To
	}
	return state
}

func (f *tasksFold) setSpec(e fact, spec json.RawMessage) {
	f.specs[e.supervisorID] = &specRow{Sequence: e.Sequence, Spec: spec}
}

func (f *tasksFold) end(t *taskRow, e fact, report *supervisor.FinalReport) {
	t.EndedAt, t.EndSequence, t.Report = e.Time, e.Sequence, report
	f.ended = append(f.ended, t.ID)
	if extra := len(f.ended) - f.keep; extra > 0 {
		for _, id := range f.ended[:extra] {
			delete(f.tasks, id)
		}
		f.ended = f.ended[extra:]
	}
}

func (t *taskRow) record() supervisor.TaskRecord {
	r := t.TaskRecord
	if t.spec != nil {
		r.Spec = t.spec.Spec
	}
	return r
}

// Tasks returns all that are kept: those that live in the order of their creation, then the ended ones, newest first.
func (r *Runner) Tasks() []supervisor.TaskRecord {
	r.mu.RLock()
	defer r.mu.RUnlock()
	all := make([]supervisor.TaskRecord, 0, len(r.tasks.tasks))
	for _, t := range r.tasks.tasks {
		if !t.Ended() {
			all = append(all, t.record())
		}
	}
	slices.SortFunc(all, func(a, b supervisor.TaskRecord) int {
		if c := a.CreatedAt.Compare(b.CreatedAt); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	for _, id := range slices.Backward(r.tasks.ended) {
		all = append(all, r.tasks.tasks[id].record())
	}
	return all
}

// Task returns one task that is kept.
func (r *Runner) Task(id string) (supervisor.TaskRecord, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	t := r.tasks.tasks[id]
	if t == nil {
		return supervisor.TaskRecord{}, false
	}
	return t.record(), true
}
