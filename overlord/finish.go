package overlord

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// orderTries is how often an order is tried whose answer the decision waits for.
const orderTries = 2

// earlyStops is the step that notices that new partitions ask all groups to finish.
func (r *run) earlyStops(context.Context) error {
	l := &r.a.loop
	if !l.earlyStop.IsZero() && !r.a.term.cfg.Now().Before(l.earlyStop) {
		l.earlyStop = time.Time{}
		for _, g := range r.a.state.Active {
			l.early[g.Key] = true // a wish of this leader only: it is no fact and may be lost with it
		}
	}
	return nil
}

// stopsExhausted reports whether as many groups publish as may at once.
func (a *actor) stopsExhausted() bool { return len(a.state.Pending) >= a.spec.IOConfig.AllowedStops() }

// finishDue tells the groups to finish whose time has come, those that began first first.
func (r *run) finishDue(ctx context.Context) error {
	due := map[string]string{} // key to reason
	err := r.decide(ctx, func(context.Context) error {
		a := r.a
		if a.spec == nil || !a.state.Exists() || a.state.Suspended {
			return nil // tend hands these over
		}
		now := a.term.cfg.Now()
		groups := make([]*supervisor.Group, 0, len(a.state.Active))
		for _, n := range a.state.ActiveNumbers() {
			groups = append(groups, a.state.Active[n])
		}
		began := func(g *supervisor.Group) time.Time {
			if t := a.state.StartedAt(g); !t.IsZero() {
				return t
			}
			return now
		}
		slices.SortStableFunc(groups, func(x, y *supervisor.Group) int { return began(x).Compare(began(y)) })
		stopped := 0
		for _, g := range groups {
			late := !began(g).Add(a.spec.IOConfig.TaskDuration).After(now) && !a.loop.unread[g.Key].After(now) && len(a.state.Pending)+stopped < a.spec.IOConfig.AllowedStops()
			early := g.HandoffEarly || a.loop.early[g.Key]
			if (early || late) && !a.busy[g.Key] {
				a.busy[g.Key] = true
				delete(a.loop.early, g.Key)
				due[g.Key] = reasonDuration
				if early {
					due[g.Key] = reasonEarly
				}
				stopped++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for key, reason := range due {
		wg.Go(func() { r.a.finish(ctx, key, reason) })
	}
	wg.Wait()
	return nil
}

// Why a group finishes: its taskDuration is over, somebody asked for it before, its supervisor goes on otherwise, or a task
// of it met an offset that is gone.
const (
	reasonDuration = "taskDuration"
	reasonEarly    = "handoff"
	reasonHandover = "handover"
	reasonGone     = "offset not available"
)

// nothingRead reports whether a group may read on because a successor would begin where it stands. Druid replaces it all
// the same: on a quiet topic that is work for nothing, and a task that needs longer than taskDuration to its first
// record would never get there. Bounds on message times move with the group, so a group that has some is replaced; so is
// one that stands behind the end of a topic, which was made anew: its successor's start is checked. While tasks wait for a
// slot none is kept for nothing: the next in turn gets it. A supervisor whose
// health waits for tasks to succeed goes on as Druid's does: on a quiet topic it would else never be healthy again. So does
// one that is idle, which shall have no tasks.
func (a *actor) nothingRead(g *supervisor.Group, end task.Offsets) bool {
	if !end.Equal(g.Start) || g.MinTime != nil || g.MaxTime != nil || a.term.pool.short() {
		return false
	}
	switch a.state.Detailed {
	case supervisor.StateUnhealthyTasks, supervisor.StateLostContact, supervisor.StateIdle:
		return false
	}
	for p, latest := range a.measures.get().Latest {
		if at, ok := end[p]; ok && at > latest {
			return false
		}
	}
	for _, p := range a.state.Partitions { // some that came later wait for the next group
		if n, ok := a.state.Reads().GroupNumber(p, a.spec.IOConfig.TaskCount); ok && n == g.Number {
			if _, reads := g.Start[p]; !reads {
				return false
			}
		}
	}
	return true
}

// finish pauses the tasks of a group, makes the highest offset of all replicas its end and tells them. The caller has
// set busy.
func (a *actor) finish(ctx context.Context, key, reason string) {
	defer func() { _ = a.do(ctx, func(context.Context) { delete(a.busy, key) }) }()
	end, seq, ok := a.pauseGroup(ctx, key, reason)
	var orders []task.Order
	err := a.do(ctx, func(ctx context.Context) {
		g := a.state.Group(key)
		if g == nil || g.Publishing {
			return
		}
		if ok && reason == reasonDuration && a.nothingRead(g, end) {
			a.loop.unread[key] = a.term.cfg.Now().Add(a.period())
			for _, id := range g.TaskIDs {
				// A user's pause ends with the task's duration: nothing stands still for ever without a word.
				if _, err := a.decide(ctx, supervisor.ResumeTask{TaskID: id}, byOverlord); err != nil {
					a.log.Warn("resume task", "task", id, "error", err)
				}
				orders = append(orders, a.numbered(task.Order{Op: task.OpResume, TaskID: id}))
			}
			return
		}
		if !ok {
			a.giveUp(ctx, g, "All tasks in group["+strconv.Itoa(g.Number)+"] failed to transition to publishing state")
			return
		}
		_, err := a.decide(ctx, supervisor.Checkpoint{
			Group: key, Sequence: seq, End: end, Final: true, Reason: reason,
			Deadline: a.term.cfg.Now().Add(a.completionTimeout()).UTC(),
		}, byOverlord)
		if err != nil {
			a.log.Warn("finish task group", "group", key, "error", err)
			return
		}
		delete(a.loop.unread, key)
		a.soon()
		orders = a.endOrders(a.state.Group(key))
	})
	if err == nil {
		a.sendEnds(ctx, orders)
	}
}

// readPause is how long a group goes on that begins to read when its time is over: segments of its first rows alone would
// be many.
const readPause = time.Second

// noteRead brings the end of a group forward that had read nothing when its time was over, and now has.
func (a *actor) noteRead(r task.Report) {
	g := a.state.GroupOf(r.TaskID)
	if g == nil || a.loop.unread[g.Key].IsZero() || r.CurrentOffsets.Equal(g.Start) {
		return
	}
	if at := a.term.cfg.Now().Add(readPause); at.Before(a.loop.unread[g.Key]) {
		a.loop.unread[g.Key] = at
		a.bringForward()
	}
}

// checkpoint closes the open sequence of a group that has filled a segment limit; its tasks read on behind it.
func (a *actor) checkpoint(ctx context.Context, key string, by origin) {
	defer func() { _ = a.do(ctx, func(context.Context) { delete(a.busy, key) }) }()
	end, seq, ok := a.pauseGroup(ctx, key, "")
	var orders []task.Order
	err := a.do(ctx, func(ctx context.Context) {
		if !ok {
			return
		}
		if _, err := a.decide(ctx, supervisor.Checkpoint{Group: key, Sequence: seq, End: end}, by); err != nil {
			a.log.Warn("checkpoint task group", "group", key, "error", err)
			return
		}
		if g := a.state.Group(key); g != nil {
			orders = a.endOrders(g)
		}
	})
	if err == nil {
		a.sendEnds(ctx, orders)
	}
}

// pauseGroup pauses every task of the group that reads, and stops those that cannot. It answers the highest offsets and
// the open sequence's number; false where no task is left that read anything.
func (a *actor) pauseGroup(ctx context.Context, key, reason string) (task.Offsets, int, bool) {
	var orders []task.Order
	var end task.Offsets
	seq := 0
	if err := a.do(ctx, func(ctx context.Context) {
		g := a.state.Group(key)
		if g == nil || g.Publishing {
			return
		}
		end, seq = g.Open().Start.Clone(), g.Open().Number
		for _, id := range g.TaskIDs {
			t := a.state.Tasks[id]
			if t == nil {
				continue
			}
			if t.State != task.StateReading {
				why := "Killing task [" + id + "] which hasn't been assigned to a worker"
				if reason == reasonHandover {
					why = "Killing task for graceful shutdown"
				}
				a.stopTask(ctx, id, why)
				continue
			}
			orders = append(orders, a.numbered(task.Order{Op: task.OpPause, TaskID: id}))
		}
	}); err != nil || len(orders) == 0 {
		return nil, 0, false
	}
	replies := a.sendAll(ctx, orders)
	alive := 0
	err := a.do(ctx, func(ctx context.Context) {
		for i, r := range replies {
			if r.err != nil || len(r.reply.Offsets) == 0 {
				why := "Task [" + orders[i].TaskID + "] returned empty offsets after pause"
				if r.err != nil {
					why = "An exception occurred while waiting for task [" + orders[i].TaskID + "] to pause: [" + r.err.Error() + "]"
				}
				a.stopTask(ctx, orders[i].TaskID, why)
				continue
			}
			alive++
			for p, from := range end {
				if at, ok := r.reply.Offsets[p]; ok && at > from {
					end[p] = at
				}
			}
		}
	})
	return end, seq, err == nil && alive > 0
}

// endOrders tells the live tasks of a group the end of its newest closed sequence.
func (a *actor) endOrders(g *supervisor.Group) []task.Order {
	if g == nil {
		return nil
	}
	number := g.Open().Number
	if !g.Publishing {
		number--
	}
	var orders []task.Order
	for _, id := range g.TaskIDs {
		if t := a.state.Tasks[id]; t != nil && (t.State == task.StateReading || t.State == task.StatePublishing) {
			orders = append(orders, a.endOrder(g, id, number)...)
		}
	}
	return orders
}

// endOrder tells a task the end of a sequence; none where it has none.
func (a *actor) endOrder(g *supervisor.Group, id string, number int) []task.Order {
	q := g.Sequence(number)
	if q == nil || q.End == nil {
		return nil
	}
	return []task.Order{a.numbered(task.Order{
		Op: task.OpSetEnd, TaskID: id, Sequence: number, End: q.End, Finish: g.Publishing && number == g.Open().Number,
	})}
}

// sendEnds sends orders that set ends. A task that can never end there is stopped, and replaced: its group would wait for it
// for ever. One that does not answer is told again at its next heartbeat.
func (a *actor) sendEnds(ctx context.Context, orders []task.Order) {
	results := a.sendAll(ctx, orders)
	_ = a.do(ctx, func(ctx context.Context) {
		for i, r := range results {
			if r.reply.Code == task.CodeEnd && a.state.Tasks[orders[i].TaskID] != nil {
				a.log.Warn("a task cannot end where its group does", "task", orders[i].TaskID, "error", r.err)
				a.loop.refused++
				a.stopTask(ctx, orders[i].TaskID, "Failed to set end offsets, killing task")
			}
		}
	})
}

func (a *actor) completionTimeout() time.Duration {
	if a.spec == nil {
		return 30 * time.Minute
	}
	return a.spec.IOConfig.CompletionTimeout
}

// giveUp abandons a group; its tasks are stopped by tend.
func (a *actor) giveUp(ctx context.Context, g *supervisor.Group, reason string) {
	if _, err := a.decide(ctx, supervisor.AbandonGroup{Group: g.Key, Reason: reason}, byOverlord); err != nil {
		a.log.Warn("abandon task group", "group", g.Key, "error", err)
	}
	a.soon()
}

// maxPendingFailures is how many tasks of a group may fail after it was told to finish. Druid gives the group up at the
// first; a replacement reads the same range again instead.
const maxPendingFailures = 3

// checkPending is the step that looks after groups that were told to finish.
func (r *run) checkPending(ctx context.Context) error {
	a := r.a
	now := a.term.cfg.Now()
	for _, g := range slices.Clone(a.state.Pending) {
		switch {
		case a.state.Group(g.Key) == nil: // given up with one before it
		case g.Failures >= maxPendingFailures, !g.Deadline.After(now):
			a.giveUp(ctx, g, "No task in pending completion taskGroup["+strconv.Itoa(g.Number)+"] succeeded before completion timeout elapsed")
		case len(g.TaskIDs) == 0 && !g.Done():
			if _, err := a.decide(ctx, supervisor.CreateTask{TaskID: a.newTaskID(g.BaseSequenceName), Group: g.Key}, byOverlord); err != nil {
				return err
			}
		}
	}
	return nil
}
