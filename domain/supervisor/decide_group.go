package supervisor

import (
	"fmt"
	"slices"

	"ogham/domain/task"
)

func (d *Decider) group(s *State, c Command) ([]Event, error) {
	switch c := c.(type) {
	case FormGroup:
		return d.form(s, c)
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
			MinTime: g.MinTime, MaxTime: g.MaxTime,
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

// form forms a group where that is still wanted: whoever asks has looked at the topic meanwhile, and the state may have
// moved on. Then nothing is formed, and the next run plans anew.
func (d *Decider) form(s *State, c FormGroup) ([]Event, error) {
	switch {
	case len(c.Start) == 0:
		return nil, &Refusal{CodeInvalid, fmt.Sprintf("task group [%s] has no partitions", c.Key)}
	case s.Group(c.Key) != nil:
		return nil, &Refusal{CodeInvalid, fmt.Sprintf("task group [%s] already exists", c.Key)}
	case !s.Exists() || s.Suspended || s.Active[c.Number] != nil:
		return nil, nil
	case !c.Start.Matches(s.Committed.Plus(s.Remembered)):
		return nil, nil // a reset came in between
	}
	for _, a := range s.Active {
		if overlaps(s.Named(a, a.Start), c.Start) {
			return nil, nil // a group of an older taskCount still reads some of the partitions
		}
	}
	return one(&TaskGroupFormed{
		Key: c.Key, Number: c.Number, BaseSequenceName: c.BaseSequenceName, Start: c.Start, MinTime: c.MinTime, MaxTime: c.MaxTime,
	})
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
	if len(c.End) != len(open.Start) {
		return nil, &Refusal{CodeInvalid, fmt.Sprintf("the end offsets name partitions that task group [%s] does not read", c.Group)}
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
	var keys []string
	for _, lost := range s.withFollowers(func(o *Group) bool { return o == g }) {
		keys = append(keys, lost.Key)
	}
	return &TaskGroupAbandoned{Groups: keys, Reason: reason}
}

// withFollowers returns the groups that match and all that begin where one of them would have ended, directly or by
// way of others, in the order in which they were told to finish.
func (s *State) withFollowers(match func(*Group) bool) []*Group {
	all := slices.Clone(s.Pending)
	for _, n := range s.ActiveNumbers() {
		all = append(all, s.Active[n])
	}
	var lost []*Group
	for _, g := range all {
		if match(g) || slices.ContainsFunc(lost, func(p *Group) bool { return s.follows(g, p) }) {
			lost = append(lost, g)
		}
	}
	return lost
}

// follows reports whether g, which comes after p, reads a partition behind p. A group that reads on after a reset, or
// another topic, follows none from before it.
func (s *State) follows(g, p *Group) bool {
	return p.Publishing && p.Generation == g.Generation && overlaps(s.Named(p, p.Start), s.Named(g, g.Start))
}

func overlaps(a, b task.Offsets) bool {
	for p := range a {
		if _, ok := b[p]; ok {
			return true
		}
	}
	return false
}
