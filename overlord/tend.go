package overlord

import (
	"context"
	"fmt"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// missedBeats is how many heartbeats of its worker may leave a task out before it counts as vanished: the first may
// have been written before the assignment arrived.
const missedBeats = 3

// tend makes what workers do follow from the state: groups that are not wanted finish, tasks without a group stop, tasks
// of lost workers end, tasks without a worker get one. It is called again and again, and changes nothing where all is
// well.
func (a *actor) tend(ctx context.Context) {
	a.handOver(ctx)
	now := a.term.cfg.Now()
	for _, id := range a.state.TaskIDs() {
		t := a.state.Tasks[id]
		if t == nil {
			continue
		}
		if a.state.Group(t.GroupKey) == nil {
			a.stopTask(ctx, id, orText(t.Unwanted, "Killing task ["+id+"]: its task group is gone"))
			continue
		}
		if t.State == task.StatePending {
			a.assign(ctx, t)
			continue
		}
		alive, lost, seen := a.term.pool.fate(t.WorkerID, t.Incarnation, now)
		switch {
		case lost && seen:
			a.failTask(ctx, id, fmt.Sprintf("Worker [%s] was silent for %s: its tasks are lost", t.WorkerID, a.term.cfg.WorkerTimeout))
		case lost:
			a.lostWorker(ctx, t)
		case alive && t.State == task.StateNotStarted && a.vanished(id, now):
			a.stopTask(ctx, id, "Worker ["+t.WorkerID+"] did not take the task")
		case alive && a.vanished(id, now):
			a.failTask(ctx, id, "Worker ["+t.WorkerID+"] does not run the task any more")
		}
	}
}

// orText is text, or what stands for it where it is empty: tasks of logs of before it was kept.
func orText(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

// vanished reports whether a worker that is alive has left a task out for long enough. Beats alone do not tell: a worker
// that is given many tasks at once beats with each that it starts, while the orders for others still wait.
func (a *actor) vanished(id string, now time.Time) bool {
	r := a.reports[id]
	return r.missed >= missedBeats && now.Sub(r.at) > a.term.cfg.OrderTimeout
}

// lostWorker ends a task whose worker process is another one now, or was never heard by this leader. What ended with the
// process that led before is not held against the tasks.
func (a *actor) lostWorker(ctx context.Context, t *supervisor.Task) {
	if t.AssignedAt.Before(a.term.began) {
		a.endTask(ctx, t.ID, supervisor.StopTask{TaskID: t.ID, Reason: "Worker [" + t.WorkerID + "] did not survive the restart"})
		return
	}
	a.failTask(ctx, t.ID, "Worker ["+t.WorkerID+"] was restarted: its tasks are lost")
}

// handOver tells every active group to finish that is of an older spec, or whose supervisor is suspended or terminated.
func (a *actor) handOver(ctx context.Context) {
	for _, n := range a.state.ActiveNumbers() {
		g := a.state.Active[n]
		unwanted := g.SpecVersion != a.state.SpecVersion || a.state.Suspended || !a.state.Exists()
		if !unwanted || a.busy[g.Key] {
			continue
		}
		a.busy[g.Key] = true
		key := g.Key
		a.spawn(ctx, func(ctx context.Context) { a.finish(ctx, key, reasonHandover) })
	}
}

// assign gives a pending task to a worker with a free slot.
func (a *actor) assign(ctx context.Context, t *supervisor.Task) {
	g := a.state.Group(t.GroupKey)
	var avoid []string
	for _, id := range g.TaskIDs {
		if o := a.state.Tasks[id]; o != nil && o != t && o.WorkerID != "" {
			avoid = append(avoid, o.WorkerID)
		}
	}
	w, ok := a.term.pool.place(a.id, t.ID, avoid, a.term.cfg.Now())
	if !ok {
		return // it waits for a slot, for as long as it takes
	}
	_, err := a.decide(ctx, supervisor.AssignTask{
		TaskID: t.ID, WorkerID: w.WorkerID, Incarnation: w.Incarnation, Host: w.Host, Port: w.Port,
	}, byOverlord)
	if err != nil {
		a.term.pool.release(t.ID)
		a.log.Warn("assign task", "task", t.ID, "error", err)
		return
	}
	a.reports[t.ID] = liveReport{at: a.term.cfg.Now(), asked: a.term.cfg.Now()}
	a.sendAssign(ctx, a.state.Tasks[t.ID])
}

// sendAssign sends the order to run a task, beside the actor. A refusal ends the task; silence is tried again when the
// worker's heartbeats leave the task out.
func (a *actor) sendAssign(ctx context.Context, t *supervisor.Task) {
	g := a.state.Group(t.GroupKey)
	if g == nil {
		return
	}
	id, worker, spec := t.ID, t.WorkerID, a.state.Spec
	if g.Spec != nil {
		spec = g.Spec
	}
	order := task.Order{Op: task.OpAssign, TaskID: id, Assignment: &task.Assignment{
		TaskID: id, SupervisorID: a.id, GroupNumber: g.Number, BaseSequenceName: g.BaseSequenceName, Spec: spec,
		Sequences: g.Uncommitted(), FormedAt: g.FormedAt, TopicIDs: a.state.TopicIDsOf(g), MinimumMessageTime: g.MinTime, MaximumMessageTime: g.MaxTime,
	}}
	a.spawn(ctx, func(ctx context.Context) {
		reply, err := a.term.order(ctx, worker, order)
		if err != nil || reply.Code != task.CodeNoCapacity && reply.Code != task.CodeRefused {
			return
		}
		why := "Worker [" + worker + "] refused the task: " + reply.Message
		_ = a.do(ctx, func(ctx context.Context) {
			if reply.Code == task.CodeRefused { // it cannot be run: the next one would not be either
				a.failTask(ctx, id, why)
				return
			}
			a.loop.refused++
			a.stopTask(ctx, id, why)
		})
	})
}

// stopTask ends a task that is not wanted any more: first the decision, then the order.
func (a *actor) stopTask(ctx context.Context, id, reason string) {
	t := a.state.Tasks[id]
	if t == nil {
		return
	}
	if _, err := a.put(ctx, id, supervisor.StopTask{TaskID: id, Reason: reason, Report: a.lastKnown(id)}, byOverlord, reason); err != nil {
		a.log.Warn("end task", "task", id, "error", err)
	}
}

// failTask records the end of a task that cannot tell it any more.
func (a *actor) failTask(ctx context.Context, id, msg string) {
	a.endTask(ctx, id, supervisor.FailTask{TaskID: id, ErrorMsg: msg, Killed: true, Report: a.lastKnown(id)})
}

// endTask decides the end of a task and forgets what was measured of it.
func (a *actor) endTask(ctx context.Context, id string, c supervisor.Command) {
	if _, err := a.decide(ctx, c, byOverlord); err != nil {
		a.log.Warn("end task", "task", id, "error", err)
		return
	}
	a.forget(id)
	a.soonAfter(c)
}

// forget drops what was placed and measured of a task that has ended.
func (a *actor) forget(id string) {
	delete(a.reports, id)
	a.term.pool.release(id)
	a.measures.dropTask(id)
}

// heard compares what a worker says of one task with what it should do.
func (a *actor) heard(ctx context.Context, h task.Heartbeat, r task.Report) {
	t := a.state.Tasks[r.TaskID]
	if t == nil || t.WorkerID != h.WorkerID || t.Incarnation != h.Incarnation {
		a.spawn(ctx, func(ctx context.Context) {
			_, _ = a.term.order(ctx, h.WorkerID, task.Order{Op: task.OpStop, TaskID: r.TaskID, Reason: "the task is not wanted any more"})
		})
		return
	}
	a.reports[r.TaskID] = liveReport{at: a.term.cfg.Now(), report: r}
	a.measures.setTask(r.TaskID, r)
	if t.State == task.StateNotStarted && r.Status != task.RunnerNotStarted && !r.StartTime.IsZero() {
		if _, err := a.decide(ctx, supervisor.StartTask{TaskID: t.ID, StartTime: r.StartTime.UTC()}, byOverlord); err != nil {
			a.log.Warn("start task", "task", t.ID, "error", err)
			return
		}
		a.bringForward()
	}
	a.noteRead(r)
	a.align(ctx, r)
}

// align sends an order again that the task has not followed.
func (a *actor) align(ctx context.Context, r task.Report) {
	t, g := a.state.Tasks[r.TaskID], a.state.GroupOf(r.TaskID)
	if g == nil || a.busy[g.Key] || a.repeats[r.TaskID] || r.Status == task.RunnerNotStarted || r.Status == task.RunnerStarting {
		return
	}
	open := -1
	for _, q := range r.Sequences {
		if q.End == nil {
			open = q.Number
		}
	}
	var orders []task.Order
	switch {
	case open >= 0 && (g.Publishing || open < g.Open().Number):
		orders = a.endOrder(g, r.TaskID, open)
	case g.Publishing && !r.Finishing:
		orders = a.endOrder(g, r.TaskID, g.Open().Number)
	case r.Checkpointing && open == g.Open().Number:
		// Its notice is on its way, or was answered by a leader that is gone: it may not be told to read on.
		a.startCheckpoint(ctx, g.Key, origin{actor: "task:" + r.TaskID})
	case r.Status == task.RunnerReading && t.Paused:
		orders = append(orders, a.numbered(task.Order{Op: task.OpPause, TaskID: r.TaskID}))
	case r.Status == task.RunnerPaused && !t.Paused:
		orders = append(orders, a.numbered(task.Order{Op: task.OpResume, TaskID: r.TaskID}))
	}
	if len(orders) == 0 {
		return
	}
	// A task that rests for its end would read past it where it were told to read on before. Anything else may follow at once.
	marked, key := a.repeats, r.TaskID
	if orders[0].Op == task.OpSetEnd {
		marked, key = a.busy, g.Key
	}
	marked[key] = true
	a.spawn(ctx, func(ctx context.Context) {
		defer func() { _ = a.do(ctx, func(context.Context) { delete(marked, key) }) }()
		a.sendEnds(ctx, orders)
	})
}

// beat notes the tasks that a worker's heartbeat does not name.
func (a *actor) beat(ctx context.Context, h task.Heartbeat) {
	named := map[string]bool{}
	for _, r := range h.Tasks {
		named[r.TaskID] = true
	}
	for id, t := range a.state.Tasks {
		if t.WorkerID != h.WorkerID || t.Incarnation != h.Incarnation || named[id] {
			continue
		}
		l, now := a.reports[id], a.term.cfg.Now()
		if l.at.IsZero() {
			l.at = now
		}
		l.missed++
		if t.State == task.StateNotStarted && now.Sub(l.asked) > a.term.cfg.OrderTimeout {
			l.asked = now
			a.sendAssign(ctx, t)
		}
		a.reports[id] = l
	}
}

// bringForward makes the next run due no later than the first deadline of a group: a task has begun, or has begun to read.
func (a *actor) bringForward() {
	if !a.loop.running {
		a.scheduleDeadlines(a.term.cfg.Now())
	}
}

type orderResult struct {
	reply task.OrderReply
	err   error
}

// sendAll sends orders side by side, each to its task's worker, and waits for all answers.
func (a *actor) sendAll(ctx context.Context, orders []task.Order) []orderResult {
	results := make([]orderResult, len(orders))
	if len(orders) == 0 {
		return results
	}
	workers := make([]string, len(orders))
	if err := a.do(ctx, func(context.Context) {
		for i, o := range orders {
			if t := a.state.Tasks[o.TaskID]; t != nil {
				workers[i] = t.WorkerID
			}
		}
	}); err != nil {
		for i := range results {
			results[i].err = err
		}
		return results
	}
	done := make(chan struct{}, len(orders))
	for i := range orders {
		go func() {
			defer func() { done <- struct{}{} }()
			results[i] = a.sendOne(ctx, workers[i], orders[i])
		}()
	}
	for range orders {
		<-done
	}
	return results
}

func (a *actor) sendOne(ctx context.Context, worker string, o task.Order) orderResult {
	var res orderResult
	for range orderTries {
		res.reply, res.err = a.term.order(ctx, worker, o)
		if res.err == nil && res.reply.Code != "" {
			res.err = fmt.Errorf("%s: %s", res.reply.Code, res.reply.Message)
			return res
		}
		if res.err == nil || ctx.Err() != nil {
			return res
		}
	}
	return res
}
