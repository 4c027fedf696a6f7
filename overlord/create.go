package overlord

import (
	"context"
	"hash/fnv"
	"time"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// plan is a group to be formed: where each of its partitions starts, as far as the log knows.
type plan struct {
	number int
	known  task.Offsets     // remembered, or committed
	stored []task.Partition // the partitions of known
	check  []task.Partition // committed ones, whose availability is to be checked
	early  []task.Partition // ones without a stored offset that start at the earliest
	end    []task.Partition // ones that start at the end
}

// create is the last step: it forms the groups that are missing and the tasks that their groups lack.
func (r *run) create(ctx context.Context) error {
	var plans []plan
	var s *spec.Supervisor
	err := r.decide(ctx, func(ctx context.Context) error {
		a := r.a
		if a.state.Suspended || !a.state.Exists() || a.state.Detailed == supervisor.StateIdle {
			return nil
		}
		if _, err := a.decide(ctx, supervisor.Propose{Trigger: supervisor.TriggerCreateBegin}, byOverlord); err != nil {
			return err
		}
		s, plans = a.spec, r.missing()
		return nil
	})
	if err != nil || s == nil {
		return err
	}
	if err := r.formAll(ctx, s, plans); err != nil {
		return err
	}
	return r.decide(ctx, func(ctx context.Context) error { return r.fill(ctx, s) })
}

// formAll forms the planned groups.
func (r *run) formAll(ctx context.Context, s *spec.Supervisor, plans []plan) error {
	if len(plans) == 0 {
		return nil
	}
	b, err := r.bounds(ctx, plans)
	if err == nil {
		err = r.verify(ctx)
	}
	if err != nil {
		r.note(err)
		return nil
	}
	for _, p := range plans {
		start, err := r.startOffsets(ctx, s, p, b)
		if err != nil {
			r.note(err)
			break // as Druid: no group of this and any later number in this run
		}
		if err := r.decide(ctx, func(ctx context.Context) error { return r.form(ctx, s, p, start) }); err != nil {
			return err
		}
	}
	return nil
}

// missing plans a group for each number that has partitions and no active group. A number waits whose partitions a group
// of an older taskCount still reads: where it will begin is not known yet.
func (r *run) missing() []plan {
	a := r.a
	late := map[task.Partition]bool{}
	for _, p := range a.state.Late {
		late[p] = true
	}
	waits := map[int]bool{}
	for _, g := range a.state.Active {
		for p := range a.state.Named(g, g.Start) {
			if number, ok := r.reads.GroupNumber(p, a.spec.IOConfig.TaskCount); ok {
				waits[number] = true
			}
		}
	}
	byNumber := map[int]*plan{}
	var order []int
	for _, p := range a.state.Partitions {
		number, ok := r.reads.GroupNumber(p, a.spec.IOConfig.TaskCount)
		if !ok || waits[number] || a.state.Active[number] != nil || !r.readable(p) {
			continue
		}
		pl := byNumber[number]
		if pl == nil {
			pl = &plan{number: number, known: task.Offsets{}}
			byNumber[number] = pl
			order = append(order, number)
		}
		if o, ok := a.state.Remembered[p]; ok {
			pl.known[p] = o
			pl.stored = append(pl.stored, p)
		} else if o, ok := a.state.Committed[p]; ok {
			pl.known[p] = o
			pl.stored = append(pl.stored, p)
			pl.check = append(pl.check, p)
		} else if late[p] || a.spec.IOConfig.UseEarliestOffset {
			pl.early = append(pl.early, p)
		} else {
			pl.end = append(pl.end, p)
		}
	}
	plans := make([]plan, 0, len(order))
	for _, n := range order {
		plans = append(plans, *byNumber[n])
	}
	return plans
}

// bounds are the first and the last offset that partitions have, as far as plans ask for them.
type bounds struct{ earliest, latest task.Offsets }

// bounds asks for what all plans need, with one question each.
func (r *run) bounds(ctx context.Context, plans []plan) (b bounds, err error) {
	var first, last []task.Partition
	for _, p := range plans {
		first = append(append(first, p.check...), p.early...)
		last = append(append(last, p.stored...), p.end...)
	}
	if len(first) > 0 {
		if b.earliest, err = r.stream.Earliest(ctx, first); err != nil {
			return b, err
		}
	}
	if len(last) > 0 {
		b.latest, err = r.stream.Latest(ctx, last, 0)
	}
	return b, err
}

// startOffsets completes a plan with what the topics say.
func (r *run) startOffsets(ctx context.Context, s *spec.Supervisor, p plan, b bounds) (task.Offsets, error) {
	start := p.known.Clone()
	if err := r.available(ctx, s, p, b); err != nil {
		return nil, err
	}
	for _, ask := range []struct {
		ps    []task.Partition
		found task.Offsets
	}{{p.early, b.earliest}, {p.end, b.latest}} {
		for _, q := range ask.ps {
			o, ok := ask.found[q]
			if !ok {
				return nil, newISE("unable to fetch sequence number for partition[%s] from stream", q.DruidText())
			}
			start[q] = o
		}
	}
	return start, nil
}

// available checks stored offsets against what the topics hold. One beyond the end Druid does not look for: its tasks
// then wait until a topic that was made anew has grown as long as the old one was, and leave all that is before it out.
func (r *run) available(ctx context.Context, s *spec.Supervisor, p plan, b bounds) error {
	for _, q := range p.check {
		if first, ok := b.earliest[q]; ok && p.known[q] < first {
			return r.notAvailable(ctx, s, q, p.known[q])
		}
	}
	for _, q := range p.stored {
		if end, ok := b.latest[q]; ok && p.known[q] > end {
			return newStreamISE("Previous sequenceNumber [%d] is beyond the end [%d] of partition [%s]: the topic was made anew, or has"+
				" lost records. You can clear the previous sequenceNumber and start reading from a valid message by using the"+
				" supervisor's reset API.", p.known[q], end, q.DruidText())
		}
	}
	return nil
}

// notAvailable is the failure of a committed offset that the topic has no more; where the spec says so the offset is
// dropped, and the next run starts the partition as if it were new.
func (r *run) notAvailable(ctx context.Context, s *spec.Supervisor, p task.Partition, offset int64) error {
	if !s.TuningConfig.ResetOffsetAutomatically {
		return newStreamISE("Previous sequenceNumber [%d] is no longer available for partition [%s]. You can clear the previous"+
			" sequenceNumber and start reading from a valid message by using the supervisor's reset API.", offset, p.DruidText())
	}
	err := r.decide(ctx, func(ctx context.Context) error {
		_, err := r.a.decide(ctx, supervisor.ResetOffsets{Remove: []task.Partition{p}}, byOverlord)
		return err
	})
	if err != nil {
		return err
	}
	return newStreamISE("Previous sequenceNumber [%d] is no longer available for partition [%s] - automatically resetting sequence", offset, p.DruidText())
}

// form decides one group.
func (r *run) form(ctx context.Context, s *spec.Supervisor, p plan, start task.Offsets) error {
	a := r.a
	for q := range start {
		if !r.readable(q) {
			return nil // its topic was made anew meanwhile
		}
	}
	now := a.term.cfg.Now().UTC()
	var minTime, maxTime *int64
	if at := s.IOConfig.LateMessageRejectionStartDateTime; at != nil {
		minTime = millis(*at)
	} else if late := s.IOConfig.LateMessageRejectionPeriod; late != nil {
		minTime = millis(now.Add(-*late))
	}
	if early := s.IOConfig.EarlyMessageRejectionPeriod; early != nil {
		maxTime = millis(now.Add(s.IOConfig.TaskDuration).Add(*early))
	}
	offsets := make(map[string]int64, len(start))
	for q, o := range start {
		offsets[string(q)] = o
	}
	base := s.BaseSequenceName(offsets, minTime, maxTime)
	_, err := a.decide(ctx, supervisor.FormGroup{
		Key: base + "-" + a.term.cfg.NewID(), Number: p.number, BaseSequenceName: base, Start: start,
		MinTime: minTime, MaxTime: maxTime,
	}, byOverlord)
	return err
}

// fill creates the tasks that active groups of the current spec lack.
func (r *run) fill(ctx context.Context, s *spec.Supervisor) error {
	a := r.a
	for _, n := range a.state.ActiveNumbers() {
		g := a.state.Active[n]
		if g.SpecVersion != a.state.SpecVersion || a.busy[g.Key] || r.lost(g) {
			continue
		}
		for len(g.TaskIDs) < s.IOConfig.Replicas {
			if _, err := a.decide(ctx, supervisor.CreateTask{TaskID: a.newTaskID(g.BaseSequenceName), Group: g.Key}, byOverlord); err != nil {
				return err
			}
		}
	}
	a.tend(ctx)
	return nil
}

// lost reports whether a group reads a topic that is gone: another task could read nothing of it.
func (r *run) lost(g *supervisor.Group) bool {
	for p := range g.Start {
		if r.anew[r.reads.TopicOf(p)] {
			return true
		}
	}
	return false
}

// newTaskID is the base sequence name with eight letters from a to p, as Druid's.
func (a *actor) newTaskID(base string) string {
	h := fnv.New32a()
	h.Write([]byte(a.term.cfg.NewID()))
	v := h.Sum32()
	letters := make([]byte, 8)
	for i := range letters {
		letters[i] = 'a' + byte(v&15)
		v >>= 4
	}
	return base + "_" + string(letters)
}

func millis(t time.Time) *int64 {
	ms := t.UnixMilli()
	return &ms
}
