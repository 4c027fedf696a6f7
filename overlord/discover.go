package overlord

import (
	"context"
	"slices"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// freshness is how old an answer about the topics may be that a run, or the reporting of lag, goes by: a quarter of their
// period. Whoever asks about a cluster within that time is answered from one request. It is bounded by what Druid's own
// consumer is satisfied with (metadata.max.age.ms of 10 s).
func freshness(period time.Duration) time.Duration { return min(period/4, 10*time.Second) }

// discover finds the partitions. It answers false where the run cannot go on: it failed and never succeeded before.
func (r *run) discover(ctx context.Context) (bool, error) {
	found, err := r.stream.Partitions(ctx, freshness(r.period))
	if err == nil && len(found.Partitions) == 0 {
		err = newStreamISE("No partitions found for stream [%s]", r.reads.Name)
		if r.reads.Pattern {
			err = newStreamISE("No partitions found for topics that match given pattern [%s]."+
				"Check that the pattern regex is correct and matching topics exists", r.reads.Name)
		}
	}
	asked := err
	goOn := true
	err = r.decide(ctx, func(ctx context.Context) error {
		if asked != nil {
			r.fail(asked)
			goOn = r.a.state.Health.OneSuccessfulRun && len(r.a.state.Partitions) > 0
			return nil
		}
		return r.found(ctx, found)
	})
	if err != nil {
		return false, err
	}
	return goOn, nil
}

// found takes note of what the stream has.
func (r *run) found(ctx context.Context, found Found) error {
	a := r.a
	r.topics = map[string]bool{}
	for _, p := range found.Partitions {
		r.topics[r.reads.TopicOf(p)] = true
	}
	for _, topic := range a.state.Recreated(found.TopicIDs) {
		if err := r.recreated(ctx, topic, found.TopicIDs[topic]); err != nil {
			return err
		}
	}
	known := len(a.state.Partitions)
	if _, err := a.decide(ctx, supervisor.NotePartitions{Partitions: found.Partitions, TopicIDs: found.TopicIDs}, byOverlord); err != nil {
		return err
	}
	if known > 0 && len(a.state.Partitions) > known && len(a.state.Active) > 0 && a.loop.earlyStop.IsZero() {
		a.loop.earlyStop = a.term.cfg.Now().Add(a.term.cfg.RepartitionDelay)
	}
	_, err := a.decide(ctx, supervisor.Propose{Trigger: supervisor.TriggerPartitionsOK}, byOverlord)
	return err
}

// recreated deals with a topic that was deleted and made anew under its name. The offsets of the old one say nothing
// about it, so nothing of it is read before they are gone: by a reset, or by ourselves where the spec says so, or where
// there are none. Groups that read the old topic can read no further: what they have is published first.
func (r *run) recreated(ctx context.Context, topic, id string) error {
	a := r.a
	of := func(p task.Partition) bool { return a.state.Reads().TopicOf(p) == topic }
	groups := a.state.GroupsOf(topic)
	for _, g := range groups {
		if !g.Publishing {
			a.loop.early[g.Key] = true
		}
	}
	stored := slices.ContainsFunc(a.state.Committed.Plus(a.state.Remembered).Partitions(), of)
	automatic := a.spec.TuningConfig.ResetOffsetAutomatically
	if len(groups) == 0 && (automatic || !stored) {
		remove := slices.DeleteFunc(slices.Clone(a.state.Partitions), func(p task.Partition) bool { return !of(p) })
		for p := range a.state.Committed.Plus(a.state.Remembered) {
			if of(p) && !slices.Contains(remove, p) {
				remove = append(remove, p)
			}
		}
		task.SortPartitions(remove)
		if len(remove) > 0 {
			if _, err := a.decide(ctx, supervisor.ResetOffsets{Remove: remove}, byOverlord); err != nil {
				return err
			}
			if stored {
				r.anew[topic] = true // the next run reads it, as after any partial reset
				r.fail(newStreamISE("Topic [%s] was deleted and made anew (its id was [%s] and is [%s]) - automatically resetting its sequences",
					topic, r.ids[topic], id))
			}
			return nil
		}
	}
	r.anew[topic] = true
	way := "You can clear them and start reading the new topic by using the supervisor's reset API."
	if automatic {
		way = "They are reset automatically once the tasks have published what they read of it."
	}
	r.fail(newStreamISE("Topic [%s] was deleted and made anew (its id was [%s] and is [%s]): the stored sequenceNumbers are of the topic"+
		" that is gone, or of another cluster's. %s", topic, r.ids[topic], id, way))
	return nil
}

// readable reports whether a partition may be read: its topic is there and is the one that offsets are of.
func (r *run) readable(p task.Partition) bool {
	topic := r.reads.TopicOf(p)
	// Where nothing could be found out, what was known before counts.
	return !r.anew[topic] && (len(r.topics) == 0 || !r.reads.Pattern || r.topics[topic])
}

// verify looks at the topics again after their offsets were asked for: offsets are asked for by name, and may be those of
// a topic that was made anew since the run began.
func (r *run) verify(ctx context.Context) error {
	found, err := r.stream.Partitions(ctx, 0)
	if err != nil {
		return err
	}
	return r.decide(ctx, func(context.Context) error {
		for _, topic := range r.a.state.Recreated(found.TopicIDs) {
			if !r.anew[topic] {
				r.anew[topic] = true
				r.fail(newStreamISE("Topic [%s] was deleted and made anew during the run", topic))
			}
		}
		return nil
	})
}
