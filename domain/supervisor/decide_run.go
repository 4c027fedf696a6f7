package supervisor

import (
	"fmt"
	"slices"

	"ogham/domain/task"
)

func (d *Decider) run(s *State, c Command) ([]Event, error) {
	if !s.Exists() {
		return nil, nil // a terminated supervisor only drains; nothing is proposed any more
	}
	switch c := c.(type) {
	case Propose:
		return d.propose(s, c.Trigger)
	case NotePartitions:
		return d.notePartitions(s, c)
	case EndRun:
		return d.endRun(s, c)
	}
	return nil, &Refusal{CodeInvalid, fmt.Sprintf("unknown command %T", c)}
}

func (d *Decider) propose(s *State, trigger string) ([]Event, error) {
	t := d.move(s, trigger, s.Health.facts(d.thresholds, s.Suspended, s.Health.RecentErrors))
	if t == nil {
		return nil, nil
	}
	return one(&RunStepCompleted{Base: Base{t}, Step: trigger, Health: s.Health.entered(t.To)})
}

func (d *Decider) notePartitions(s *State, c NotePartitions) ([]Event, error) {
	anew, reads := s.Recreated(c.TopicIDs), s.Reads()
	known := make(map[task.Partition]bool, len(s.Partitions))
	for _, p := range s.Partitions {
		known[p] = true
	}
	added := []task.Partition{}
	for _, p := range c.Partitions {
		if !known[p] && !slices.Contains(anew, reads.TopicOf(p)) {
			known[p] = true
			added = append(added, p)
		}
	}
	ids := map[string]string{}
	for topic, id := range c.TopicIDs {
		if s.TopicIDs[topic] == "" && id != "" {
			ids[topic] = id
		}
	}
	if len(added) == 0 && len(ids) == 0 {
		return nil, nil
	}
	var removed []task.Partition // only where the topic is another one now: partitions of a topic do not go
	for _, p := range s.Partitions {
		if ids[reads.TopicOf(p)] != "" && !slices.Contains(c.Partitions, p) {
			removed = append(removed, p)
		}
	}
	task.SortPartitions(added)
	return one(&PartitionsChanged{Added: added, Late: len(added) > 0 && len(s.Partitions) > 0, Removed: removed, TopicIDs: ids})
}

// endRun decides Druid's end of a run: it is an event where it changes the fold. That a failed one would add the same
// errors once more is told less and less often: a supervisor that fails for long would else fill the log, each run.
func (d *Decider) endRun(s *State, c EndRun) ([]Event, error) {
	ok := len(c.Errors) == 0
	counts := s.Health.afterRun(d.thresholds, ok)
	recent := s.Health.RecentErrors
	if !ok {
		recent = newestErrors(recent, c.Errors, d.thresholds.MaxStoredExceptionEvents)
	}
	t := d.move(s, TriggerRunEnd, counts.facts(d.thresholds, s.Suspended, recent))
	if t != nil {
		counts = counts.entered(t.To)
	}
	switch {
	case !ok && t == nil && counts == s.Health.Counts && repeats(s.Health.RecentErrors, c.Errors):
		return nil, nil
	case !ok:
		return one(&RunFailed{Base: Base{t}, Errors: c.Errors, Keep: d.thresholds.MaxStoredExceptionEvents, Health: counts})
	case t == nil && counts == s.Health.Counts:
		return nil, nil
	case s.Health.FailedRuns > 0:
		return one(&RunRecovered{Base: Base{t}, Health: counts})
	}
	return one(&RunStepCompleted{Base: Base{t}, Step: TriggerRunEnd, Health: counts})
}
