package supervisor

import (
	"fmt"

	"ogham/domain/task"
)

func (d *Decider) task(s *State, c Command) ([]Event, error) {
	switch c := c.(type) {
	case AssignTask:
		b, err := d.taskBase(s, c.TaskID, task.TriggerAssign)
		if err != nil {
			return nil, err
		}
		return one(&TaskAssigned{b, c.WorkerID, c.Incarnation, c.Host, c.Port})
	case StartTask:
		if t := s.Tasks[c.TaskID]; t != nil && t.State == task.StateReading {
			return nil, nil
		}
		b, err := d.taskBase(s, c.TaskID, task.TriggerStart)
		if err != nil {
			return nil, err
		}
		return one(&TaskStarted{b, c.StartTime})
	case PauseTask:
		return d.pause(s, c)
	case ResumeTask:
		t := s.Tasks[c.TaskID]
		if t == nil {
			return nil, goneTask(c.TaskID)
		}
		if !t.Paused {
			return nil, nil
		}
		return one(&TaskResumed{TaskBase{TaskID: c.TaskID}})
	case SucceedTask:
		return d.succeed(s, c)
	case FailTask:
		return d.fail(s, c)
	case StopTask:
		return d.stop(s, c)
	}
	return nil, &Refusal{CodeInvalid, fmt.Sprintf("unknown command %T", c)}
}

func (d *Decider) taskBase(s *State, id, trigger string) (TaskBase, error) {
	t := s.Tasks[id]
	if t == nil {
		return TaskBase{}, goneTask(id)
	}
	to, err := d.tasks.Next(t.State, trigger)
	if err != nil {
		return TaskBase{}, &Refusal{CodeGone, fmt.Sprintf("task [%s]: %s", id, err)}
	}
	return TaskBase{Base{&Transition{t.State, to, trigger}}, id}, nil
}

func goneTask(id string) *Refusal {
	return &Refusal{CodeGone, fmt.Sprintf("Cannot find any task with id: [%s]", id)}
}

// pause takes a task that reads. The states that Druid's text names are those of its runner.
func (d *Decider) pause(s *State, c PauseTask) ([]Event, error) {
	t := s.Tasks[c.TaskID]
	switch {
	case t == nil:
		return nil, goneTask(c.TaskID)
	case t.State != task.StateReading:
		return nil, &Refusal{CodeInvalid, fmt.Sprintf("Cannot pause task as it is currently in state[%s]. Pausable states are [READING, PAUSED].", t.State)}
	case t.Paused:
		return nil, nil
	}
	return one(&TaskPaused{TaskBase{TaskID: c.TaskID}})
}

// stop ends a task that is not wanted. A replica that began and whose group is committed by another one has succeeded, as
// in Druid, but it is not counted: the group was.
func (d *Decider) stop(s *State, c StopTask) ([]Event, error) {
	trigger := task.TriggerStop
	if t := s.Tasks[c.TaskID]; t != nil && t.Done {
		if _, err := d.tasks.Next(t.State, task.TriggerSucceed); err == nil {
			trigger = task.TriggerSucceed
		}
	}
	b, err := d.taskBase(s, c.TaskID, trigger)
	if err != nil {
		return nil, err
	}
	return one(&TaskStopped{b, c.Reason, c.Report})
}

func (d *Decider) succeed(s *State, c SucceedTask) ([]Event, error) {
	if t := s.Tasks[c.TaskID]; t != nil && t.Done {
		return d.stop(s, StopTask{TaskID: c.TaskID, Reason: t.Unwanted, Report: c.Report})
	}
	b, err := d.taskBase(s, c.TaskID, task.TriggerSucceed)
	if err != nil {
		return nil, err
	}
	g := s.GroupOf(c.TaskID)
	if g == nil {
		return nil, &Refusal{CodeGone, fmt.Sprintf("the group of task [%s] is gone", c.TaskID)}
	}
	if !g.Done() {
		return nil, &Refusal{CodeInvalid, fmt.Sprintf("task [%s] cannot have succeeded: not all of its sequences are committed", c.TaskID)}
	}
	return one(&TaskSucceeded{b, s.Health.afterTask(d.thresholds, true), c.Report})
}

// fail records a failure. A task that is lost after its last commit has done its work: that is a success.
func (d *Decider) fail(s *State, c FailTask) ([]Event, error) {
	g := s.GroupOf(c.TaskID)
	done := g != nil && g.Done()
	if done {
		if _, err := d.taskBase(s, c.TaskID, task.TriggerSucceed); err == nil {
			return d.succeed(s, SucceedTask{TaskID: c.TaskID, Report: c.Report})
		}
	}
	b, err := d.taskBase(s, c.TaskID, task.TriggerFail)
	if err != nil {
		return nil, err
	}
	if g == nil || done { // given up before, or a copy that never began and is not needed: its end counts neither way
		b.Transition.Trigger = task.TriggerStop
		return one(&TaskStopped{b, c.ErrorMsg, c.Report})
	}
	return one(&TaskFailed{b, s.Health.afterTask(d.thresholds, false), c.ErrorMsg, c.Killed, c.Report})
}
