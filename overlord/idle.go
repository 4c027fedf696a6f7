package overlord

import (
	"context"
	"slices"
	"time"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// idleConfig is the spec's, or the service's where the spec has none.
func (a *actor) idleConfig() spec.IdleConfig {
	cfg := a.term.cfg.Idle
	if c := a.spec.IOConfig.IdleConfig; c != nil {
		cfg.Enabled = c.Enabled
		if c.InactiveAfterMillis > 0 {
			cfg.InactiveAfterMillis = c.InactiveAfterMillis
		}
	}
	return cfg
}

// idleCheck proposes IDLE for a supervisor whose topic has been quiet for long enough with nothing left to read, and
// RUNNING where it moves. In the first run of a supervisor, or of a leader, the ends of the topic are asked for now, and
// compared with what is committed: where all of it is, the topic has been quiet for ever, and no task is made.
func (r *run) idleCheck(ctx context.Context) error {
	a := r.a
	var partitions []task.Partition
	first, enabled := false, false
	if err := r.decide(ctx, func(context.Context) error {
		enabled = a.idleConfig().Enabled && !a.state.Suspended
		first = a.loop.ends == nil
		partitions = slices.Clone(a.state.Partitions)
		return nil
	}); err != nil || !enabled {
		return err
	}
	var latest task.Offsets
	if first {
		var err error
		if latest, err = r.stream.Latest(ctx, partitions, 0); err != nil {
			return err
		}
	}
	return r.decide(ctx, func(ctx context.Context) error {
		if first {
			a.measures.setLatest(latest, nil, a.term.cfg.Now().UTC())
			a.loop.ends = task.Offsets{}
			for p := range latest {
				if at, ok := a.state.Committed[p]; ok {
					a.loop.ends[p] = at
				}
			}
		}
		return a.proposeIdle(ctx)
	})
}

func (a *actor) proposeIdle(ctx context.Context) error {
	m := a.measures.get()
	if m.Latest == nil {
		return nil // nothing is known of the topic's ends yet
	}
	now, after := a.term.cfg.Now(), time.Duration(a.idleConfig().InactiveAfterMillis)*time.Millisecond
	quiet := a.loop.ends.Equal(m.Latest) && a.unread(m) == 0
	a.loop.ends = m.Latest
	trigger := ""
	switch {
	case !quiet:
		a.loop.activeAt, trigger = now, supervisor.TriggerIdleNo
	case now.Sub(a.loop.activeAt) > after && a.state.Detailed != supervisor.StateIdle:
		trigger = supervisor.TriggerIdleYes
	default:
		return nil
	}
	_, err := a.decide(ctx, supervisor.Propose{Trigger: trigger}, byOverlord)
	return err
}

// unread is how many records no task has read yet, of all partitions.
func (a *actor) unread(m supervisor.Measurements) int64 {
	lag := int64(0)
	for p, end := range m.Latest {
		at, ok := a.state.Committed[p]
		for _, t := range m.Tasks {
			if o, has := t.Current[p]; has && (!ok || o > at) {
				at, ok = o, true
			}
		}
		lag += max(end-at, 0)
	}
	return lag
}
