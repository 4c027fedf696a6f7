package supervisor

import (
	"fmt"
	"slices"

	"ogham/domain/task"
)

// working returns the group and the sequence that a task's request is about.
func (d *Decider) working(s *State, taskID string, sequence int) (*Group, *GroupSequence, error) {
	g := s.GroupOf(taskID)
	if g == nil {
		return nil, nil, &Refusal{CodeGone, fmt.Sprintf("task [%s] is not wanted any more", taskID)}
	}
	q := g.Sequence(sequence)
	if q == nil {
		return nil, nil, &Refusal{CodeConflict, fmt.Sprintf("task group [%s] has no sequence [%d]", g.Key, sequence)}
	}
	return g, q, nil
}

// allocate gives each slot an identity, the same again for the same slot of the same sequence: so replicas and
// replacements of a task build the same segments. An interval that lies within one that has segments joins it, as Druid
// does, because a segment of a newer version would hide the older ones.
func (d *Decider) allocate(s *State, c AllocateSegments) ([]Event, error) {
	g, q, err := d.working(s, c.TaskID, c.Sequence)
	if err != nil || q.Published { // a replica that is too late: the sequence has its segments
		return nil, err
	}
	name := SequenceName(g.BaseSequenceName, c.Sequence)
	next := map[string]*Interval{}
	var fresh []task.SegmentIdentity
	asked := map[task.SegmentSlot]bool{}
	for _, slot := range c.Slots {
		if slot.End <= slot.Start {
			return nil, &Refusal{CodeInvalid, fmt.Sprintf("segment interval [%d/%d] is empty", slot.Start, slot.End)}
		}
		if asked[slot] || IdentityOf(s, name, slot) != nil {
			continue
		}
		asked[slot] = true
		iv, err := intervalFor(s, next, slot, c.Version)
		if err != nil {
			return nil, err
		}
		fresh = append(fresh, task.SegmentIdentity{
			SegmentSlot: slot, IntervalStart: iv.Start, IntervalEnd: iv.End, Version: iv.Version, PartitionNum: iv.Next,
		})
		iv.Next++
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	return one(&SegmentsAllocated{TaskID: c.TaskID, SequenceName: name, Identities: fresh})
}

// IdentityOf returns the identity that a slot of a sequence was given, or nil.
func IdentityOf(s *State, sequenceName string, slot task.SegmentSlot) *task.SegmentIdentity {
	for i, id := range s.Identities[sequenceName] {
		if id.SegmentSlot == slot {
			return &s.Identities[sequenceName][i]
		}
	}
	return nil
}

// intervalFor returns a copy of the interval that the slot's segment belongs to, kept in next while one command goes on.
func intervalFor(s *State, next map[string]*Interval, slot task.SegmentSlot, version string) (*Interval, error) {
	for _, known := range []map[string]*Interval{next, s.Intervals} {
		for key, iv := range known {
			switch {
			case iv.Start <= slot.Start && slot.End <= iv.End:
				if next[key] == nil {
					c := *iv
					next[key] = &c
				}
				return next[key], nil
			case iv.Start < slot.End && slot.Start < iv.End:
				return nil, &Refusal{CodeConflict, fmt.Sprintf("Could not allocate segment for row with timestamp[%s]: "+
					"the interval of its segmentGranularity overlaps segments of a finer one", formatMillis(slot.Start))}
			}
		}
	}
	iv := &Interval{Start: slot.Start, End: slot.End, Version: version}
	next[IntervalKey(slot.Start, slot.End)] = iv
	return iv, nil
}

// publish is the one commit point: the start offsets must be the committed ones.
func (d *Decider) publish(s *State, c PublishSegments) ([]Event, error) {
	g, q, err := d.working(s, c.TaskID, c.Sequence)
	if err != nil {
		return nil, err
	}
	start, end := s.Named(g, c.Start), s.Named(g, c.End)
	switch {
	case q.Published:
		return nil, &Refusal{CodePublished, fmt.Sprintf("sequence [%d] of task group [%s] is committed already", c.Sequence, g.Key)}
	case q.End == nil:
		return nil, &Refusal{CodeInvalid, fmt.Sprintf("sequence [%d] of task group [%s] is still open", c.Sequence, g.Key)}
	case !q.Start.Equal(c.Start) || !q.End.Equal(c.End):
		return nil, &Refusal{CodeConflict, fmt.Sprintf("Driver for sequence[%s] attempted to publish invalid metadata[%v].",
			SequenceName(g.BaseSequenceName, c.Sequence), c.End)}
	case g.Generation != s.Generation:
		return nil, &Refusal{CodeConflict, "the supervisor was reset after the task began: its offsets may not be committed"}
	case !earlierCommitted(s, g, c.Sequence) || start.AheadOf(s.Committed):
		return nil, &Refusal{CodeAhead, fmt.Sprintf("The new start metadata state[%v] is ahead of the last committed end state[%v]. Try resetting the supervisor.", start, s.Committed)}
	case !start.Matches(s.Committed):
		return nil, &Refusal{CodeConflict, fmt.Sprintf("Inconsistency between stored metadata state[%v] and target state[%v]. Try resetting the supervisor.", s.Committed, start)}
	}
	if c.Start.Equal(c.End) {
		if len(c.Segments) > 0 {
			return nil, &Refusal{CodeConflict, "a sequence whose offsets did not move cannot have segments"}
		}
		return nil, nil
	}
	name := SequenceName(g.BaseSequenceName, c.Sequence)
	for i, seg := range c.Segments {
		if !owns(s.Identities[name], seg) {
			return nil, &Refusal{CodeConflict, fmt.Sprintf("segment [%s] was not allocated for sequence [%s]", seg.ID, name)}
		}
		if slices.ContainsFunc(c.Segments[:i], func(o task.Segment) bool { return sameIdentity(o, seg) }) {
			return nil, &Refusal{CodeConflict, fmt.Sprintf("segment [%s] of sequence [%s] is there twice", seg.ID, name)}
		}
	}
	return one(&SegmentsPublished{
		Group: g.Key, Number: g.Number, TaskID: c.TaskID, Sequence: c.Sequence, SequenceName: name,
		Stream: s.Stream, Start: start, End: end, Segments: c.Segments,
	})
}

// earlierCommitted reports whether everything that was read before the sequence is committed. Offsets alone do not tell
// while a partition has none committed: Druid then takes any start, and the groups before it can never commit.
func earlierCommitted(s *State, g *Group, sequence int) bool {
	for _, p := range s.Pending {
		if p == g {
			break
		}
		if s.follows(g, p) && !p.Done() {
			return false
		}
	}
	for i := range g.Sequences {
		q := &g.Sequences[i]
		if q.Number < sequence && !q.Published && !q.Start.Equal(q.End) {
			return false
		}
	}
	return true
}

// CommittedBefore reports whether everything that was read before the group is committed.
func (s *State) CommittedBefore(g *Group) bool { return earlierCommitted(s, g, 0) }

func sameIdentity(a, b task.Segment) bool {
	return a.Start == b.Start && a.End == b.End && a.Version == b.Version && a.PartitionNum == b.PartitionNum
}

func owns(identities []task.SegmentIdentity, seg task.Segment) bool {
	for _, id := range identities {
		if id.IntervalStart == seg.Start && id.IntervalEnd == seg.End && id.Version == seg.Version && id.PartitionNum == seg.PartitionNum {
			return true
		}
	}
	return false
}
