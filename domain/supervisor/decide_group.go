package supervisor

import (
	"fmt"

	"ogham/domain/task"
)

func (d *Decider) group(s *State, c Command) ([]Event, error) {
	switch c := c.(type) {
	case FormGroup:
		if !s.Exists() || s.Suspended || s.Active[c.Number] != nil {
			return nil, nil
		}
		return one(&TaskGroupFormed{
			Key: c.Key, Number: c.Number, BaseSequenceName: c.BaseSequenceName, Start: c.Start, MinTime: c.MinTime, MaxTime: c.MaxTime,
		})
	case CreateTask:
		g := s.Group(c.Group)
		if g == nil {
			return nil, &Refusal{CodeGone, fmt.Sprintf("task group [%s] is gone", c.Group)}
		}
		if s.Tasks[c.TaskID] != nil {
			return nil, &Refusal{CodeInvalid, fmt.Sprintf("Task[%s] already exists", c.TaskID)}
		}
		return one(&TaskCreated{
			TaskBase: TaskBase{Base{&Transition{task.StateNone, task.StatePending, task.TriggerCreate}}, c.TaskID},
			Group:    g.Key, GroupNumber: g.Number, BaseSequenceName: g.BaseSequenceName, Start: g.Start,
		})
	case Checkpoint:
		return d.checkpoint(s, c)
	case AbandonGroup:
		g := s.Group(c.Group)
		if g == nil {
			return nil, nil
		}
		return one(d.abandon(s, g, c.Reason))
	}
	return nil, &Refusal{CodeInvalid, fmt.Sprintf("unknown command %T", c)}
}

func (d *Decider) checkpoint(s *State, c Checkpoint) ([]Event, error) {
	g := s.Group(c.Group)
	if g == nil || g.Publishing {
		return nil, &Refusal{CodeGone, fmt.Sprintf("task group [%s] reads no more", c.Group)}
	}
	open := g.Open()
	if c.Sequence != open.Number {
		return nil, &Refusal{CodeInvalid, fmt.Sprintf("sequence [%d] of task group [%s] is closed already", c.Sequence, c.Group)}
	}
	for p, from := range open.Start {
		if to, ok := c.End[p]; !ok || to < from || to == task.NoEnd {
			return nil, &Refusal{CodeInvalid, fmt.Sprintf("end offset [%d] of partition [%s] is not past its start [%d]", c.End[p], p, from)}
		}
	}
	if !c.Final {
		return one(&CheckpointReached{Group: g.Key, Number: g.Number, Sequence: open.Number, End: c.End})
	}
	var moves []TaskMove
	for _, id := range g.TaskIDs {
		t := s.Tasks[id]
		if t == nil {
			continue
		}
		if to, err := d.tasks.Next(t.State, task.TriggerPublish); err == nil {
			moves = append(moves, TaskMove{id, Transition{t.State, to, task.TriggerPublish}})
		}
	}
	return one(&PublishingStarted{
		Group: g.Key, Number: g.Number, Sequence: open.Number, End: c.End, Deadline: c.Deadline, Reason: c.Reason, Tasks: moves,
	})
}

// abandon gives up g and every group that begins where g would have ended.
func (d *Decider) abandon(s *State, g *Group, reason string) *TaskGroupAbandoned {
	keys := []string{g.Key}
	if g.Publishing {
		after := false
		for _, p := range s.Pending {
			if p == g {
				after = true
			} else if after && overlaps(p, g) {
				keys = append(keys, p.Key)
			}
		}
		for _, n := range s.ActiveNumbers() {
			if a := s.Active[n]; overlaps(a, g) {
				keys = append(keys, a.Key)
			}
		}
	}
	return &TaskGroupAbandoned{Groups: keys, Reason: reason}
}

func overlaps(a, b *Group) bool {
	for p := range a.Start {
		if _, ok := b.Start[p]; ok {
			return true
		}
	}
	return false
}
