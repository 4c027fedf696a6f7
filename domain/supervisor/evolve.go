package supervisor

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"ogham/domain/task"
)

// Evolve folds a recorded event into s and returns it. It never fails: what was recorded has happened.
func Evolve(s *State, r Recorded) *State {
	s.Sequence, s.Epoch = r.Sequence, max(s.Epoch, r.Epoch)
	switch e := r.Event.(type) {
	case *SupervisorCreated:
		s.CreatedAt = r.Time
		s.newSpec(e.Spec, Stream{e.Stream, e.MultiTopic}, e.Suspended)
	case *SpecUpdated:
		s.newSpec(e.Spec, Stream{e.Stream, e.MultiTopic}, e.Suspended)
	case *SupervisorSuspended:
		s.newSpec(e.Spec, s.Reads(), true)
	case *SupervisorResumed:
		s.newSpec(e.Spec, s.Reads(), false)
	case *ScaleDecided:
		s.replaceSpec(e.Spec)
		s.ScaledAt = r.Time
	case *SupervisorTerminated, *LeaderElected:
	case *SupervisorReset:
		s.reset()
	case *OffsetsReset:
		s.resetOffsets(e)
	case *HandoffRequested:
		for _, n := range e.Numbers {
			if g := s.Active[n]; g != nil {
				g.HandoffEarly = true
			}
		}
	default:
		s.evolveWork(r)
	}
	if t := r.Event.Moved(); t != nil && !isTaskEvent(r.Event) {
		s.Detailed = t.To
	}
	return s
}

func (s *State) evolveWork(r Recorded) {
	switch e := r.Event.(type) {
	case *RunStepCompleted:
		s.Health.Counts = e.Health
	case *RunRecovered:
		s.Health.Counts = e.Health
	case *RunFailed:
		s.Health.Counts = e.Health
		s.Health.RecentErrors = newestErrors(s.Health.RecentErrors, e.Errors, e.Keep)
	case *PartitionsChanged:
		gone := func(p task.Partition) bool { return slices.Contains(e.Removed, p) }
		s.Partitions, s.Late = slices.DeleteFunc(s.Partitions, gone), slices.DeleteFunc(s.Late, gone)
		s.Partitions = append(s.Partitions, e.Added...)
		task.SortPartitions(s.Partitions)
		if e.Late {
			s.Late = append(s.Late, e.Added...)
		}
		if len(e.TopicIDs) > 0 {
			s.TopicIDs = maps.Clone(s.TopicIDs)
			if s.TopicIDs == nil {
				s.TopicIDs = map[string]string{}
			}
			maps.Copy(s.TopicIDs, e.TopicIDs)
		}
	case *TaskGroupFormed:
		s.formGroup(e, r.Time)
	case *TaskGroupAbandoned:
		for _, key := range e.Groups {
			s.giveUp(key, e.Reason)
		}
	case *CheckpointReached:
		if g := s.Group(e.Group); g != nil {
			s.unpause(g)
			open := g.Open()
			open.End = e.End
			g.Sequences = append(g.Sequences, GroupSequence{Sequence: task.Sequence{Number: open.Number + 1, Start: e.End.Clone()}})
		}
	case *PublishingStarted:
		s.startPublishing(e)
	case *SegmentsAllocated:
		s.keepIdentities(e)
	case *SegmentsPublished:
		s.commit(e)
	default:
		s.evolveTask(r)
	}
}

func isTaskEvent(e Event) bool {
	switch e.(type) {
	case *TaskCreated, *TaskAssigned, *TaskStarted, *TaskPaused, *TaskResumed, *TaskSucceeded, *TaskFailed, *TaskStopped:
		return true
	}
	return false
}

// TaskOf returns the id of the task that the event is of, empty for the supervisor's own events.
func TaskOf(e Event) string {
	switch e := e.(type) {
	case *TaskCreated:
		return e.TaskID
	case *TaskAssigned:
		return e.TaskID
	case *TaskStarted:
		return e.TaskID
	case *TaskPaused:
		return e.TaskID
	case *TaskResumed:
		return e.TaskID
	case *TaskSucceeded:
		return e.TaskID
	case *TaskFailed:
		return e.TaskID
	case *TaskStopped:
		return e.TaskID
	}
	return ""
}

// newSpec is what Druid does by making a new supervisor object: counters, errors and first-run knowledge start anew.
// Groups, tasks and offsets stay: groups of an older spec version are told to finish by the next run.
func (s *State) newSpec(spec []byte, stream Stream, suspended bool) {
	s.replaceSpec(spec)
	s.Suspended, s.ScaledAt = suspended, time.Time{}
	s.Health = Health{}
	s.Partitions, s.Late = nil, nil
	if s.Reads() != stream {
		s.turnTo(stream)
	}
}

// replaceSpec makes all groups those of an older spec, which are told to finish.
func (s *State) replaceSpec(spec []byte) {
	for _, g := range s.groups() {
		if g.Spec == nil && s.Spec != nil {
			g.Spec = s.Spec // a replacement of one of its tasks has to build the same segments
		}
	}
	s.Spec = spec
	s.SpecVersion++
}

// Why tasks are killed after a reset, in Druid's words.
const (
	reasonReset        = "DataSourceMetadata is not found while reset"
	reasonResetOffsets = "DataSourceMetadata is updated while reset offsets is called"
	reasonResetPart    = "DataSourceMetadata is updated while reset"
)

func (s *State) reset() {
	s.Committed, s.Remembered, s.TopicIDs = nil, nil, nil
	for _, g := range s.groups() {
		s.giveUp(g.Key, reasonReset)
	}
	s.Generation++
	s.Partitions, s.Late = nil, nil
}

func (s *State) resetOffsets(e *OffsetsReset) {
	s.Committed = s.Committed.Plus(e.Offsets)
	for _, p := range e.Removed {
		delete(s.Committed, p)
		delete(s.Remembered, p)
	}
	for p := range e.Offsets {
		delete(s.Remembered, p)
	}
	reason := reasonResetOffsets
	if len(e.Offsets) == 0 {
		reason = reasonResetPart
	}
	// A group that begins where one of these would have ended has to go as well, whatever partition they share.
	for _, g := range s.withFollowers(func(g *Group) bool {
		for p := range s.Named(g, g.Start) {
			if _, ok := e.Offsets[p]; ok || slices.Contains(e.Removed, p) {
				return true
			}
		}
		return false
	}) {
		s.giveUp(g.Key, reason)
	}
	s.forgetTopics(e.Offsets, e.Removed)
}

// giveUp forgets a group whose work is thrown away.
func (s *State) giveUp(key, reason string) {
	if g := s.Group(key); g != nil {
		s.release(g, reason, false)
		s.dropGroup(key, true)
	}
}

// release leaves the live tasks of a group without one.
func (s *State) release(g *Group, reason string, done bool) {
	for _, id := range g.TaskIDs {
		if t := s.Tasks[id]; t != nil {
			t.Unwanted, t.Done = reason, done
		}
	}
}

func (s *State) formGroup(e *TaskGroupFormed, at time.Time) {
	if s.Active == nil {
		s.Active = map[int]*Group{}
	}
	s.believe(e.Start)
	s.Active[e.Number] = &Group{
		Key: e.Key, Number: e.Number, BaseSequenceName: e.BaseSequenceName, SpecVersion: s.SpecVersion, Generation: s.Generation,
		Start: e.Start, MinTime: e.MinTime, MaxTime: e.MaxTime, FormedAt: at,
		Sequences: []GroupSequence{{Sequence: task.Sequence{Start: e.Start.Clone()}}},
	}
}

// believe forgets stored offsets that a group was not formed at. Nobody forms such a group; but logs were written while
// the offsets of a topic were forgotten when it was not read any more.
func (s *State) believe(start task.Offsets) {
	for p, at := range start {
		for _, known := range []*task.Offsets{&s.Committed, &s.Remembered} {
			if stored, ok := (*known)[p]; ok && at < stored {
				*known = known.Clone()
				delete(*known, p)
			}
		}
	}
}

func (s *State) startPublishing(e *PublishingStarted) {
	g := s.Group(e.Group)
	if g == nil || g.Publishing {
		return
	}
	s.unpause(g)
	g.Open().End = e.End
	g.Publishing, g.Deadline, g.HandoffEarly = true, e.Deadline, false
	delete(s.Active, g.Number)
	s.Pending = append(s.Pending, g)
	if g.Generation == s.Generation { // else these are offsets from before a reset
		s.Remembered = s.Remembered.Plus(s.Named(g, e.End))
	}
	for _, m := range e.Tasks {
		if t := s.Tasks[m.TaskID]; t != nil {
			t.State = m.To
		}
	}
	if len(e.Tasks) == 0 && g.Done() {
		s.dropGroup(g.Key, false)
	}
}

func (s *State) keepIdentities(e *SegmentsAllocated) {
	if s.Identities == nil {
		s.Identities = map[string][]task.SegmentIdentity{}
	}
	if s.Intervals == nil {
		s.Intervals = map[string]*Interval{}
	}
	s.Identities[e.SequenceName] = append(s.Identities[e.SequenceName], e.Identities...)
	for _, id := range e.Identities {
		key := IntervalKey(id.IntervalStart, id.IntervalEnd)
		iv := s.Intervals[key]
		if iv == nil {
			iv = &Interval{Start: id.IntervalStart, End: id.IntervalEnd, Version: id.Version}
			s.Intervals[key] = iv
		}
		iv.Next = max(iv.Next, id.PartitionNum+1)
	}
}

func (s *State) commit(e *SegmentsPublished) {
	s.Committed = s.Committed.Plus(e.End)
	s.Late = slices.DeleteFunc(s.Late, func(p task.Partition) bool { _, ok := e.End[p]; return ok })
	for p, end := range e.End {
		if at, ok := s.Remembered[p]; ok && at <= end {
			delete(s.Remembered, p)
		}
	}
	delete(s.Identities, e.SequenceName)
	if g := s.Group(e.Group); g != nil {
		if q := g.Sequence(e.Sequence); q != nil {
			q.Published, q.Segments = true, e.Segments
		}
	}
}

// dropGroup forgets a group and the identities of what it did not commit, which nobody will publish. Its live tasks stay
// without one until they are stopped. The ends of a group that is given up are no place to start from.
func (s *State) dropGroup(key string, giveUp bool) {
	g := s.Group(key)
	if g == nil {
		return
	}
	if s.Active[g.Number] == g {
		delete(s.Active, g.Number)
	}
	s.Pending = slices.DeleteFunc(s.Pending, func(p *Group) bool { return p == g })
	s.dropIdentities(g)
	if g.Generation != s.Generation {
		return
	}
	for p := range s.Named(g, g.Start) {
		committed, ok := s.Committed[p]
		if giveUp && g.Publishing || ok && s.Remembered[p] <= committed {
			delete(s.Remembered, p)
			s.rememberPending(p)
		}
	}
}

// dropIdentities forgets those of a group that is gone. Another one may have its name: a group that reads on from where
// one stands that read nothing.
func (s *State) dropIdentities(g *Group) {
	if slices.ContainsFunc(s.groups(), func(o *Group) bool { return o.BaseSequenceName == g.BaseSequenceName }) {
		return
	}
	for _, q := range g.Sequences {
		delete(s.Identities, SequenceName(g.BaseSequenceName, q.Number))
	}
}

// rememberPending takes the end of the newest group that still publishes the partition for the next one's start.
func (s *State) rememberPending(p task.Partition) {
	for _, g := range slices.Backward(s.Pending) {
		if end, ok := s.Named(g, g.Open().End)[p]; ok && g.Generation == s.Generation {
			if committed, ok := s.Committed[p]; !ok || end > committed {
				s.Remembered = s.Remembered.Plus(task.Offsets{p: end})
			}
			return
		}
	}
}

func formatMillis(ms int64) string {
	t := time.UnixMilli(ms).UTC()
	return fmt.Sprintf("%s.%03dZ", t.Format("2006-01-02T15:04:05"), t.Nanosecond()/1e6)
}
