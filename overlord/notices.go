package overlord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// onNotice hands a task's notice to its supervisor's actor, which answers.
func (t *term) onNotice(m *nats.Msg) {
	var n task.Notice
	answer := func(r task.NoticeReply) {
		data, err := json.Marshal(r)
		if err == nil {
			err = m.Respond(data)
		}
		if err != nil {
			t.cfg.Logger.Warn("answer a notice", "task", n.TaskID, "kind", n.Kind, "error", err)
		}
	}
	if err := json.Unmarshal(m.Data, &n); err != nil {
		answer(task.NoticeReply{Code: task.CodeGone, Message: "unreadable notice: " + err.Error()})
		return
	}
	a, err := t.actor(t.ctx, n.SupervisorID, false)
	if a == nil || err != nil {
		answer(task.NoticeReply{Code: task.CodeGone, Message: fmt.Sprintf("no supervisor [%s]", n.SupervisorID)})
		return
	}
	select {
	case a.inbox <- func(ctx context.Context) { answer(a.notice(ctx, n)) }:
	default:
		answer(task.NoticeReply{Code: task.CodeRetry, Message: "the supervisor is busy"})
	}
}

// notice decides what a task asks or tells.
func (a *actor) notice(ctx context.Context, n task.Notice) task.NoticeReply {
	t := a.state.Tasks[n.TaskID]
	if t == nil || t.WorkerID != n.WorkerID || t.Incarnation != n.Incarnation {
		return task.NoticeReply{Code: task.CodeGone, Message: fmt.Sprintf("task [%s] is not wanted any more", n.TaskID)}
	}
	by := origin{actor: "task:" + n.TaskID}
	switch n.Kind {
	case task.NoticeStarted:
		return a.answer(a.decide(ctx, supervisor.StartTask{TaskID: n.TaskID, StartTime: a.term.cfg.Now().UTC()}, by))
	case task.NoticeCheckpoint:
		return a.onCheckpoint(ctx, n, by)
	case task.NoticeReset:
		return a.onReset(ctx, n, by)
	case task.NoticeAllocate:
		return a.onAllocate(ctx, n, by)
	case task.NoticePublish:
		return a.onPublish(ctx, n, by)
	case task.NoticeSucceeded:
		return a.ended(ctx, n, supervisor.SucceedTask{TaskID: n.TaskID, Report: report(n)}, by)
	case task.NoticeFailed:
		return a.ended(ctx, n, supervisor.FailTask{TaskID: n.TaskID, ErrorMsg: n.ErrorMsg, Report: report(n)}, by)
	case task.NoticeStopped:
		return a.ended(ctx, n, supervisor.StopTask{TaskID: n.TaskID, Reason: "Worker [" + n.WorkerID + "] is shutting down", Report: report(n)}, by)
	}
	return task.NoticeReply{Code: task.CodeGone, Message: "unknown kind of notice: " + n.Kind}
}

func report(n task.Notice) *supervisor.FinalReport {
	if n.Stats == nil {
		return nil
	}
	return &supervisor.FinalReport{Stats: *n.Stats, RecordsProcessed: n.RecordsProcessed, ParseExceptions: n.ParseExceptions}
}

// answer turns the outcome of a decision into a reply.
func (a *actor) answer(_ uint64, err error) task.NoticeReply {
	var refused *supervisor.Refusal
	switch {
	case err == nil:
		return task.NoticeReply{}
	case !errors.As(err, &refused):
		return task.NoticeReply{Code: task.CodeRetry, Message: err.Error()}
	case refused.Code == supervisor.CodeAhead:
		return task.NoticeReply{Code: task.CodeRetry, Message: refused.Message}
	case refused.Code == supervisor.CodeConflict || refused.Code == supervisor.CodeInvalid:
		return task.NoticeReply{Code: task.CodeConflict, Message: refused.Message}
	}
	return task.NoticeReply{Code: task.CodeGone, Message: refused.Message}
}

func (a *actor) onCheckpoint(ctx context.Context, n task.Notice, by origin) task.NoticeReply {
	g := a.state.GroupOf(n.TaskID)
	switch {
	case g == nil:
		return task.NoticeReply{Code: task.CodeGone, Message: "the task group is gone"}
	case g.Publishing || n.Sequence < g.Open().Number:
		// The end is decided already; the order is on its way or comes again with the next heartbeat.
		return task.NoticeReply{}
	case n.Sequence > g.Open().Number:
		return task.NoticeReply{Code: task.CodeConflict, Message: fmt.Sprintf("No such previous checkpoint [%d] found", n.Sequence)}
	}
	a.startCheckpoint(ctx, g.Key, by)
	return task.NoticeReply{}
}

// startCheckpoint closes the open sequence of a group beside the actor, unless somebody is telling it something already:
// the heartbeats of a task that waits for an end ask again.
func (a *actor) startCheckpoint(ctx context.Context, key string, by origin) {
	if a.busy[key] {
		return
	}
	a.busy[key] = true
	a.spawn(ctx, func(ctx context.Context) { a.checkpoint(ctx, key, by) })
}

// onReset looks after a task whose next record is gone. As in Druid the offset is stored as resetOffsets stores it, the
// group is killed, and the next run, which finds the offset gone, begins where the spec says. But Druid throws away what
// the group has read and not committed: here it is published first, and the group that follows meets the same gap with
// nothing to lose.
func (a *actor) onReset(ctx context.Context, n task.Notice, by origin) task.NoticeReply {
	g := a.state.GroupOf(n.TaskID)
	switch {
	case g == nil:
		return task.NoticeReply{Code: task.CodeGone, Message: "the task group is gone"}
	case len(n.Start) == 0:
		return task.NoticeReply{Code: task.CodeConflict, Message: "the offsets to reset are missing"}
	case g.Publishing: // what is between its position and its end is gone as well: it can never get there
	case !n.Start.Matches(g.Start):
		if !a.busy[g.Key] {
			a.busy[g.Key] = true
			key := g.Key
			a.spawn(ctx, func(ctx context.Context) { a.finish(ctx, key, reasonGone) })
		}
		return task.NoticeReply{}
	case !a.state.CommittedBefore(g):
		return task.NoticeReply{Code: task.CodeRetry, Message: "what was read before is not committed yet"}
	}
	a.log.Warn("a task's next record is gone", "task", n.TaskID, "offsets", n.Start)
	reply := a.answer(a.decide(ctx, supervisor.ResetOffsets{Offsets: n.Start}, by))
	if reply.Code == "" {
		a.clearLags()
		a.tend(ctx)
		a.soon()
	}
	return reply
}

func (a *actor) onAllocate(ctx context.Context, n task.Notice, by origin) task.NoticeReply {
	version := a.term.cfg.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	reply := a.answer(a.decide(ctx, supervisor.AllocateSegments{TaskID: n.TaskID, Sequence: n.Sequence, Slots: n.Slots, Version: version}, by))
	if reply.Code != "" {
		return reply
	}
	g := a.state.GroupOf(n.TaskID)
	name := supervisor.SequenceName(g.BaseSequenceName, n.Sequence)
	if q := g.Sequence(n.Sequence); q != nil && q.Published {
		return task.NoticeReply{AlreadyPublished: true, Segments: q.Segments}
	}
	for _, slot := range n.Slots {
		id := supervisor.IdentityOf(a.state, name, slot)
		if id == nil {
			return task.NoticeReply{Code: task.CodeRetry, Message: "the segment's identity is not known yet"}
		}
		reply.Identities = append(reply.Identities, *id)
	}
	return reply
}

func (a *actor) onPublish(ctx context.Context, n task.Notice, by origin) task.NoticeReply {
	_, err := a.decide(ctx, supervisor.PublishSegments{
		TaskID: n.TaskID, Sequence: n.Sequence, Start: n.Start, End: n.End, Segments: n.Segments,
	}, by)
	var refused *supervisor.Refusal
	if errors.As(err, &refused) && refused.Code == supervisor.CodePublished {
		q := a.state.GroupOf(n.TaskID).Sequence(n.Sequence)
		return task.NoticeReply{AlreadyPublished: true, Segments: q.Segments}
	}
	if err == nil {
		a.soon()
	}
	return a.answer(0, err)
}

// ended records a task's own end.
func (a *actor) ended(ctx context.Context, n task.Notice, c supervisor.Command, by origin) task.NoticeReply {
	_, err := a.decide(ctx, c, by)
	if err == nil {
		a.forget(n.TaskID)
		a.tend(ctx)
		a.soonAfter(c)
	}
	return a.answer(0, err)
}
