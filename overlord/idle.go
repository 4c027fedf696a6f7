package overlord

import (
	"context"
	"time"

	"ogham/domain/supervisor"
)

// idleCheck proposes IDLE for a supervisor whose topic has been quiet for long enough with nothing left to read, and
// RUNNING where it moves.
func (r *run) idleCheck(ctx context.Context) error {
	a := r.a
	cfg := a.term.cfg.Idle
	if c := a.spec.IOConfig.IdleConfig; c != nil {
		after := c.InactiveAfterMillis
		if after <= 0 {
			after = cfg.InactiveAfterMillis
		}
		cfg.Enabled, cfg.InactiveAfterMillis = c.Enabled, after
	}
	if !cfg.Enabled || a.state.Suspended {
		return nil
	}
	m := a.measures.get()
	if m.Latest == nil {
		return nil // nothing is known of the topic's ends yet
	}
	now := a.term.cfg.Now()
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
	moved := a.loop.ends == nil || !a.loop.ends.Equal(m.Latest)
	a.loop.ends = m.Latest
	trigger := ""
	switch {
	case moved || lag > 0:
		a.loop.activeAt, trigger = now, supervisor.TriggerIdleNo
	case now.Sub(a.loop.activeAt) > time.Duration(cfg.InactiveAfterMillis)*time.Millisecond && a.state.Detailed != supervisor.StateIdle:
		trigger = supervisor.TriggerIdleYes
	default:
		return nil
	}
	_, err := a.decide(ctx, supervisor.Propose{Trigger: trigger}, byOverlord)
	return err
}
