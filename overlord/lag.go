package overlord

import (
	"context"
	"slices"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// reports says whether the ends of the topics are looked at, as Druid's reporting thread does: never in a first run, but
// also while runs fail.
func reports(detailed string) bool {
	switch detailed {
	case supervisor.StatePending, supervisor.StateConnecting, supervisor.StateDiscovering, supervisor.StateCreating:
		return false
	}
	return true
}

// fetchEnds fetches the ends of the topics beside the actor when it is time, and with emitTimeLagMetrics how old what is
// read next is.
func (a *actor) fetchEnds(ctx context.Context, now time.Time) {
	if a.loop.fetching || a.stream == nil || !reports(a.state.Detailed) || !a.state.Exists() || now.Before(a.loop.fetch) {
		return
	}
	ps := slices.Clone(a.state.Partitions)
	if len(ps) == 0 {
		return
	}
	a.loop.fetching = true
	stream, version, every := a.stream, a.specOf, a.spec.TuningConfig.OffsetFetchPeriod
	timeLag := a.spec.IOConfig.EmitTimeLagMetrics
	a.spawn(ctx, func(ctx context.Context) {
		ends, err := stream.Latest(ctx, ps, freshness(every))
		var behind task.Offsets
		if err == nil && timeLag {
			behind = a.timeLag(ctx, stream, ends)
		}
		_ = a.do(ctx, func(context.Context) {
			now := a.term.cfg.Now()
			if a.loop.fetch.IsZero() {
				every = spread(a.id, every) // as runs: all begin at once with a new leader
			}
			a.loop.fetching, a.loop.fetch = false, now.Add(every)
			if err != nil || version != a.state.SpecVersion {
				return // errors of reporting are no errors of the supervisor
			}
			a.measures.setLatest(ends, behind, now.UTC())
			a.term.cfg.Sampler.Sample(a.id, now.UTC(), a.measures.get())
		})
	})
}

// timeLag returns by how many milliseconds the newest record of each partition is newer than the last one that was read;
// than the next one to be read, where none was. Druid takes the beginning of 1970 for a partition that nothing was read
// of. A partition that is read to its end has no lag, and one whose records cannot be looked at now none that is told.
func (a *actor) timeLag(ctx context.Context, stream Stream, ends task.Offsets) task.Offsets {
	var last task.Offsets // the records to compare with
	if err := a.do(ctx, func(context.Context) { last = a.lastRead(ends) }); err != nil {
		return nil
	}
	lag, newest := task.Offsets{}, task.Offsets{}
	for p, end := range ends {
		if end == 0 {
			lag[p] = 0
		}
	}
	for p, at := range last {
		switch {
		case at >= ends[p]-1:
			lag[p] = 0
			delete(last, p)
		default:
			newest[p] = ends[p] - 1
		}
	}
	to, err := stream.Timestamps(ctx, newest)
	if err != nil {
		return lag
	}
	from, err := stream.Timestamps(ctx, last)
	if err != nil {
		return lag
	}
	for p, at := range to {
		if begin, ok := from[p]; ok {
			lag[p] = max(at-begin, 0)
		}
	}
	return lag
}

// lastRead returns, for each partition whose position is known, the offset of the record before it, or of the one at it
// where the group that reads it has read none.
func (a *actor) lastRead(ends task.Offsets) task.Offsets {
	current := supervisor.HighestOffsets(a.state, a.measures.get())
	last := task.Offsets{}
	for p := range ends {
		if at, ok := a.state.Committed[p]; ok {
			last[p] = max(at-1, 0)
		}
	}
	for _, g := range a.state.Active {
		for p, from := range a.state.Named(g, g.Start) {
			if _, ok := ends[p]; !ok {
				continue
			}
			if _, committed := last[p]; !committed || last[p] < from-1 {
				last[p] = from
			}
			if at := current[p]; at > from {
				last[p] = at - 1
			}
		}
	}
	return last
}
