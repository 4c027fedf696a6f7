package overlord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

const (
	// pausePatience is how long a client waits for a task to come to rest before it is told that it will, as in Druid.
	pausePatience = 2 * time.Second
	// resumePatience is how long it waits for a task to read on, as in Druid.
	resumePatience = 5 * time.Second
	// controlPatience bounds a control as a whole: two orders to every task of a group, and a question to Kafka.
	controlPatience = 25 * time.Second
)

// Control carries out what a client asks of a running task. A node that does not lead passes it to the one that does.
func (s *Service) Control(ctx context.Context, c task.Control) (task.ControlReply, error) {
	ctx, cancel := context.WithTimeout(ctx, controlPatience)
	defer cancel()
	if t := s.leading(); t != nil {
		return t.control(ctx, c), nil
	}
	data, err := json.Marshal(c)
	if err != nil {
		return task.ControlReply{}, fmt.Errorf("control task %s: %w", c.TaskID, err)
	}
	m, err := s.cfg.NATS.RequestWithContext(ctx, task.SubjectControl, data)
	if err != nil {
		return task.ControlReply{}, &NotLeaderError{URL: s.LeaderURL()}
	}
	var reply task.ControlReply
	if err := json.Unmarshal(m.Data, &reply); err != nil {
		return task.ControlReply{}, fmt.Errorf("control task %s: answer of the leader: %w", c.TaskID, err)
	}
	return reply, nil
}

// onControl answers what another node passes on.
func (t *term) onControl(m *nats.Msg) {
	var c task.Control
	if !t.lease.Valid() || json.Unmarshal(m.Data, &c) != nil {
		return
	}
	t.run.Go(func() {
		ctx, cancel := context.WithTimeout(t.ctx, controlPatience)
		defer cancel()
		data, err := json.Marshal(t.control(ctx, c))
		if err == nil {
			err = m.Respond(data)
		}
		if err != nil {
			t.cfg.Logger.Warn("answer a control", "task", c.TaskID, "op", c.Op, "error", err)
		}
	})
}

func refuseControl(code, format string, args ...any) task.ControlReply {
	return task.ControlReply{Code: code, Message: fmt.Sprintf(format, args...)}
}

func (t *term) control(ctx context.Context, c task.Control) task.ControlReply {
	a, err := t.actor(ctx, c.SupervisorID, false)
	if a == nil || err != nil {
		return refuseControl(task.CodeUnknownTask, "task [%s] does not run", c.TaskID)
	}
	switch c.Op {
	case task.ControlPause:
		return a.controlPause(ctx, c.TaskID)
	case task.ControlResume:
		return a.controlResume(ctx, c.TaskID)
	case task.ControlStop:
		const reason = "Stop request from user"
		return a.controlPut(ctx, c.TaskID, reason, func(r *supervisor.FinalReport) supervisor.Command {
			return supervisor.StopTask{TaskID: c.TaskID, Reason: reason, Report: r}
		})
	case task.ControlShutdown:
		const reason = "shut down request via HTTP endpoint"
		return a.controlPut(ctx, c.TaskID, reason, func(r *supervisor.FinalReport) supervisor.Command {
			return supervisor.FailTask{TaskID: c.TaskID, ErrorMsg: reason, Killed: true, Report: r}
		})
	case task.ControlSetEnd:
		return a.controlEnd(ctx, c)
	}
	return refuseControl(task.CodeRefused, "control %q is not known", c.Op)
}

// decided is what became of a user's command about a task.
type decided struct {
	worker string
	order  task.Order // what its task is to be told
	ending bool       // its group is about to get an end, with which the task reads on
	reply  task.ControlReply
}

// decideControl decides a user's command about a task, and the order that follows from it.
func (a *actor) decideControl(ctx context.Context, id string, c supervisor.Command, op task.Op) (d decided) {
	var err error
	if doErr := a.do(ctx, func(ctx context.Context) {
		if t := a.state.Tasks[id]; t != nil {
			d.worker = t.WorkerID
		}
		if _, err = a.decide(ctx, c, byUser); err != nil {
			return
		}
		if g := a.state.GroupOf(id); g != nil {
			d.ending = a.busy[g.Key]
		}
		d.order = a.numbered(task.Order{Op: op, TaskID: id})
	}); doErr != nil {
		err = doErr
	}
	d.reply = controlError(err)
	return d
}

func controlError(err error) task.ControlReply {
	var refused *supervisor.Refusal
	switch {
	case err == nil:
		return task.ControlReply{}
	case errors.As(err, &refused) && refused.Code == supervisor.CodeGone:
		return task.ControlReply{Code: task.CodeUnknownTask, Message: refused.Message}
	case errors.As(err, &refused) && strings.HasPrefix(refused.Message, "Cannot pause"):
		return task.ControlReply{Code: task.CodeState, Message: refused.Message}
	case errors.As(err, &refused):
		return task.ControlReply{Code: task.CodeRefused, Message: refused.Message}
	}
	return task.ControlReply{Code: task.CodeRetry, Message: err.Error()}
}

// controlPause makes one task of its group stand still. The pause is a fact: it outlives this leader, and ends with a
// resume or with the next end of the group's sequence, at the latest after taskDuration.
func (a *actor) controlPause(ctx context.Context, id string) task.ControlReply {
	d := a.decideControl(ctx, id, supervisor.PauseTask{TaskID: id}, task.OpPause)
	if d.reply.Code != "" {
		return d.reply
	}
	wait, cancel := context.WithTimeout(ctx, pausePatience)
	defer cancel()
	rested, err := a.term.order(wait, d.worker, d.order)
	switch {
	case err != nil, rested.Code == task.CodeOvertaken: // where it still counts it comes again with the task's next heartbeat
		return refuseControl(task.CodeAccepted, "Request accepted but task has not yet paused")
	case rested.Code == "":
		return task.ControlReply{Offsets: rested.Offsets}
	}
	// It has read everything meanwhile, or is ending: there is nothing left to pause.
	_ = a.do(ctx, func(ctx context.Context) {
		if _, err := a.decide(ctx, supervisor.ResumeTask{TaskID: id}, byOverlord); err != nil {
			a.log.Debug("undo a pause", "task", id, "error", err)
		}
	})
	if rested.Code == task.CodeUnknownTask {
		return refuseControl(task.CodeUnknownTask, "%s", rested.Message)
	}
	return refuseControl(task.CodeState, "%s", rested.Message)
}

func (a *actor) controlResume(ctx context.Context, id string) task.ControlReply {
	d := a.decideControl(ctx, id, supervisor.ResumeTask{TaskID: id}, task.OpResume)
	switch {
	case d.reply.Code != "":
		return d.reply
	case d.worker == "":
		return refuseControl(task.CodeUnknownTask, "task [%s] does not run yet", id)
	case d.ending:
		return task.ControlReply{}
	}
	wait, cancel := context.WithTimeout(ctx, resumePatience)
	defer cancel()
	resumed, err := a.term.order(wait, d.worker, d.order)
	switch {
	case err != nil:
		return refuseControl(task.CodeAccepted, "task [%s] has not resumed yet", id)
	case resumed.Code == task.CodeOvertaken: // by what makes it rest for an end, or by the user's next pause
		return task.ControlReply{}
	case resumed.Code != "":
		return task.ControlReply{Code: resumed.Code, Message: resumed.Message}
	}
	return task.ControlReply{Offsets: resumed.Offsets}
}

// controlPut ends a task without publishing, and the next run replaces it.
func (a *actor) controlPut(ctx context.Context, id, reason string, end func(*supervisor.FinalReport) supervisor.Command) task.ControlReply {
	var reply task.ControlReply
	if err := a.do(ctx, func(ctx context.Context) {
		if a.state.Tasks[id] == nil {
			reply = refuseControl(task.CodeUnknownTask, "task [%s] does not run", id)
			return
		}
		_, err := a.put(ctx, id, end(a.lastKnown(id)), byUser, reason)
		reply = controlError(err)
	}); err != nil {
		return controlError(err)
	}
	return reply
}

// put decides the end of a task and orders its worker to stop it.
func (a *actor) put(ctx context.Context, id string, c supervisor.Command, by origin, reason string) (uint64, error) {
	worker := a.state.Tasks[id].WorkerID
	seq, err := a.decide(ctx, c, by)
	if err != nil {
		return 0, err
	}
	a.forget(id)
	a.soonAfter(c)
	if worker == "" {
		return seq, nil
	}
	a.spawn(ctx, func(ctx context.Context) {
		if _, err := a.term.order(ctx, worker, task.Order{Op: task.OpStop, TaskID: id, Reason: reason}); err != nil {
			a.log.Debug("stop task", "task", id, "error", err) // its next heartbeat brings the order again
		}
	})
	return seq, nil
}

// lastKnown is what a task had counted at its last heartbeat, nil where it told nothing yet.
func (a *actor) lastKnown(id string) *supervisor.FinalReport {
	r := a.reports[id].report
	if r.StartTime.IsZero() {
		return nil
	}
	return &supervisor.FinalReport{Stats: r.Stats}
}

// ShutdownReason is Druid's text for a task that a user ends.
const ShutdownReason = "Shutdown request from user"

// Shutdown fails a live task and has it stopped; one that has ended already is left as it is. The supervisor replaces it.
func (s *Service) Shutdown(ctx context.Context, supervisorID, taskID string) error {
	report := s.accountOf(ctx, supervisorID, taskID)
	return s.run(ctx, supervisorID, false, func(ctx context.Context, a *actor) (uint64, error) {
		if a.state.Tasks[taskID] == nil {
			return a.state.Sequence, nil
		}
		if report == nil {
			report = a.lastKnown(taskID)
		}
		return a.put(ctx, taskID, supervisor.FailTask{TaskID: taskID, ErrorMsg: ShutdownReason, Killed: true, Report: report}, byUser, ShutdownReason)
	})
}

// accountOf asks a running task for what will be its final report; nil where it does not answer at once.
func (s *Service) accountOf(ctx context.Context, supervisorID, taskID string) *supervisor.FinalReport {
	t := s.leading()
	if t == nil {
		return nil
	}
	a, _ := t.actor(ctx, supervisorID, false)
	if a == nil {
		return nil
	}
	worker := ""
	if err := a.do(ctx, func(context.Context) {
		if x := a.state.Tasks[taskID]; x != nil {
			worker = x.WorkerID
		}
	}); err != nil || worker == "" {
		return nil
	}
	reply, err := s.Ask(ctx, worker, taskID)
	if err != nil {
		return nil
	}
	return &supervisor.FinalReport{Stats: reply.Report.Stats, RecordsProcessed: reply.RecordsProcessed, ParseExceptions: reply.ParseExceptions}
}

// NotRunningError says that a task does not run on the worker that was asked for it.
type NotRunningError struct{ TaskID string }

// NotRunning marks the error for the HTTP API.
func (e *NotRunningError) NotRunning() {}

func (e *NotRunningError) Error() string { return "task [" + e.TaskID + "] does not run" }

// askPatience bounds the wait for what a running task says of itself.
const askPatience = 2 * time.Second

// Ask asks a running task what it does and what it counted; the Report of the answer is never nil. Any node may. The
// error is a *NotRunningError where nobody runs the task.
func (s *Service) Ask(ctx context.Context, worker, taskID string) (task.OrderReply, error) {
	data, err := json.Marshal(task.Order{Op: task.OpStats, TaskID: taskID})
	if err != nil {
		return task.OrderReply{}, fmt.Errorf("ask task %s: %w", taskID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, askPatience)
	defer cancel()
	m, err := s.cfg.NATS.RequestWithContext(ctx, task.SubjectWorkerPrefix+eventstore.EncodeToken(worker), data)
	if errors.Is(err, nats.ErrNoResponders) {
		return task.OrderReply{}, &NotRunningError{taskID}
	}
	if err != nil {
		return task.OrderReply{}, fmt.Errorf("ask task %s on worker %s: %w", taskID, worker, err)
	}
	var reply task.OrderReply
	if err := json.Unmarshal(m.Data, &reply); err != nil {
		return task.OrderReply{}, fmt.Errorf("ask task %s on worker %s: answer: %w", taskID, worker, err)
	}
	if reply.Code != "" || reply.Report == nil {
		return task.OrderReply{}, &NotRunningError{taskID}
	}
	return reply, nil
}
