package overlord

import (
	"context"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// reasonUser is why a group finishes whose end a user has set.
const reasonUser = "offsets/end"

// controlEnd makes the offsets that a user gives to one task the end of its whole group's open sequence. Druid tells the
// one task alone, so that its replicas and the supervisor read past it; here the end is decided like any other checkpoint,
// and what follows begins exactly there.
func (a *actor) controlEnd(ctx context.Context, c task.Control) task.ControlReply {
	var reply *task.ControlReply
	answer := make(chan task.ControlReply, 1)
	if err := a.do(ctx, func(ctx context.Context) {
		var g *supervisor.Group
		if g, reply = a.mayEnd(c); reply != nil {
			return
		}
		a.busy[g.Key] = true
		key, stream := g.Key, a.stream
		a.spawn(ctx, func(ctx context.Context) { answer <- a.setUserEnd(ctx, key, stream, c) })
	}); err != nil {
		return controlError(err)
	}
	if reply != nil {
		return *reply
	}
	select {
	case r := <-answer:
		return r
	case <-ctx.Done():
		return refuseControl(task.CodeAccepted, "the end of task [%s] was not set in time; it may yet be", c.TaskID)
	case <-a.done:
		return controlError(errEnded)
	}
}

// mayEnd answers at once where the state tells that the end cannot be set, or that it is set already.
func (a *actor) mayEnd(c task.Control) (*supervisor.Group, *task.ControlReply) {
	refused := func(code, format string, args ...any) (*supervisor.Group, *task.ControlReply) {
		r := refuseControl(code, format, args...)
		return nil, &r
	}
	t, g := a.state.Tasks[c.TaskID], a.state.GroupOf(c.TaskID)
	if t == nil || g == nil || t.State != task.StateReading && t.State != task.StatePublishing {
		return refused(task.CodeUnknownTask, "task [%s] does not run", c.TaskID)
	}
	open := g.Open()
	if len(c.End) == 0 {
		return refused(task.CodeRefused, "Request body must contain a map of { partition:endOffset }")
	}
	for p := range c.End {
		if _, ok := open.Start[p]; !ok {
			return refused(task.CodeRefused, "Request contains partitions not being handled by this task, my partitions: %v", open.Start.Partitions())
		}
	}
	switch {
	case g.Publishing && c.Finish && open.End.Equal(c.End), !c.Finish && open.Number > 0 && open.Start.Equal(c.End):
		r := task.ControlReply{Offsets: c.End} // told twice
		return nil, &r
	case g.Publishing:
		return refused(task.CodeRefused, "Sequence [%s] has already endOffsets set, cannot set to [%s]",
			supervisor.SequenceName(g.BaseSequenceName, open.Number), c.End.Text())
	case !t.Paused:
		return refused(task.CodeRefused, "Task must be paused before changing the end offsets")
	case len(c.End) != len(open.Start):
		return refused(task.CodeRefused, "Request must contain the end offset of every partition of the task, my partitions: %v", open.Start.Partitions())
	case a.busy[g.Key] || a.stream == nil:
		return refused(task.CodeRetry, "the task group of [%s] is being told another end", c.TaskID)
	}
	return g, nil
}

// setUserEnd pauses the group, compares the end with where its tasks and the topic are, and decides it. Where that cannot
// be, the tasks read on with their next heartbeats. The caller has set busy.
func (a *actor) setUserEnd(ctx context.Context, key string, stream Stream, c task.Control) task.ControlReply {
	defer func() { _ = a.do(ctx, func(context.Context) { delete(a.busy, key) }) }()
	if reply := beyondTopic(ctx, stream, c.End); reply.Code != "" {
		return reply
	}
	at, seq, ok := a.pauseGroup(ctx, key, reasonUser)
	if !ok {
		return refuseControl(task.CodeUnknownTask, "no task of the group of [%s] reads any more", c.TaskID)
	}
	for _, p := range c.End.Partitions() {
		if c.End[p] < at[p] {
			return refuseControl(task.CodeRefused, "End sequence must be >= current sequence for partition [%s] (current: %d)", p, at[p])
		}
	}
	var orders []task.Order
	var reply task.ControlReply
	if err := a.do(ctx, func(ctx context.Context) {
		_, err := a.decide(ctx, supervisor.Checkpoint{
			Group: key, Sequence: seq, End: c.End, Final: c.Finish, Reason: reasonUser,
			Deadline: a.term.cfg.Now().Add(a.completionTimeout()).UTC(),
		}, byUser)
		if reply = controlError(err); err != nil {
			return
		}
		a.soon()
		orders = a.endOrders(a.state.Group(key))
	}); err != nil {
		return controlError(err)
	}
	if reply.Code != "" {
		return reply
	}
	a.sendEnds(ctx, orders) // a task that did not hear it is told again at its next heartbeat
	return task.ControlReply{Offsets: c.End}
}

// beyondTopic refuses ends that the topic does not reach yet: the group that follows would begin where nothing is, and
// this one would be given up when completionTimeout is over.
func beyondTopic(ctx context.Context, stream Stream, end task.Offsets) task.ControlReply {
	latest, err := stream.Latest(ctx, end.Partitions(), 0)
	if err != nil {
		return refuseControl(task.CodeRetry, "the end of the topic is not known: %s", err)
	}
	for _, p := range end.Partitions() {
		if last, ok := latest[p]; ok && end[p] > last {
			return refuseControl(task.CodeRefused, "End sequence must be <= the end of the topic for partition [%s] (end: %d)", p, last)
		}
	}
	return task.ControlReply{}
}
