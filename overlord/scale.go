package overlord

import (
	"context"
	"time"

	"ogham/domain/autoscale"
	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
)

var byAutoscaler = origin{actor: "autoscaler"}

// scaler collects a supervisor's lag and says when it is looked at. It begins anew whenever the supervisor does, and
// nothing of it is in the log but the decisions to scale, which carry what they were made from.
type scaler struct {
	config *spec.AutoScalerConfig
	window *autoscale.Window
	sample time.Time // when the next lag is collected
	decide time.Time // when the lags are looked at next
}

// newScaler makes the scaler of a supervisor that began at the given time; nil for one without an autoscaler.
func newScaler(s *spec.Supervisor, began time.Time) *scaler {
	if !s.IOConfig.Scales() {
		return nil
	}
	c := s.IOConfig.AutoScalerConfig
	first := began.Add(c.ScaleActionStartDelay)
	return &scaler{config: c, window: autoscale.NewWindow(c), sample: first, decide: first.Add(c.LagCollectionRange)}
}

// due reports whether a time has come, and moves it by whole periods beyond now: what an overlord that was busy missed is
// not made up for.
func due(at *time.Time, period time.Duration, now time.Time) bool {
	if now.Before(*at) {
		return false
	}
	*at = at.Add(period)
	if !at.After(now) {
		*at = now.Add(period)
	}
	return true
}

// scale collects the lag and looks at what was collected when it is time, and returns when it is next; zero for a
// supervisor that does not scale. As in Druid, where both are notices of one queue, no decision falls into a run.
func (a *actor) scale(ctx context.Context, now time.Time) time.Time {
	if a.spec == nil || a.specOf != a.state.SpecVersion || !a.state.Exists() || a.state.Suspended {
		a.scaler, a.scalerOf = nil, 0
		return time.Time{}
	}
	if a.scalerOf != a.specOf {
		a.scaler, a.scalerOf = newScaler(a.spec, a.loop.made), a.specOf
	}
	s := a.scaler
	if s == nil {
		return time.Time{}
	}
	if due(&s.sample, s.config.LagCollectionInterval, now) {
		s.window.Push(autoscale.Sample{At: now.UTC(), Lag: autoscale.Lag(a.lag(), s.config.LagAggregate)})
	}
	if !a.loop.running && due(&s.decide, s.config.ScaleActionPeriod, now) {
		a.decideScale(ctx, now)
	}
	if a.loop.running && !now.Before(s.decide) {
		return s.sample // the end of the run wakes the actor
	}
	if s.decide.Before(s.sample) {
		return s.decide
	}
	return s.sample
}

// lag is the lag of each partition as the status report shows it; nil before the ends of the topic were fetched.
func (a *actor) lag() task.Offsets {
	m := a.measures.get()
	if m.LatestAt.IsZero() {
		return nil
	}
	return supervisor.MinimumLag(a.state, m)
}

// decideScale looks at the collected lags, and appends the decision where they ask for another taskCount.
func (a *actor) decideScale(ctx context.Context, now time.Time) {
	s, current := a.scaler, a.spec.IOConfig.TaskCount
	skip := func(why string) { a.log.Debug("not scaled", "taskCount", current, "reason", why) }
	switch {
	case a.state.Detailed == supervisor.StateIdle:
		skip("the supervisor is idle")
		return
	case len(a.state.Pending) > 0:
		skip("There are tasks pending completion")
		return
	case len(a.state.Active) < a.groupNumbers():
		// Druid counts the groups that are there, and would make a supervisor smaller whose groups are being formed.
		skip("not all task groups are formed")
		return
	}
	at := autoscale.Situation{
		Samples: s.window.Samples(), Groups: len(a.state.Active), TaskCount: current, Partitions: len(a.state.Partitions),
		Now: now, LastAction: a.state.ScaledAt,
	}
	d := autoscale.Decide(s.config, at)
	if !d.Scale {
		skip(d.Reason)
		return
	}
	scaled := a.spec.WithTaskCount(d.TaskCount)
	version := a.state.SpecVersion
	_, err := a.decide(ctx, supervisor.ScaleTasks{
		SpecVersion: version, Spec: scaled.Canonical(), From: current, To: d.TaskCount, Reason: d.Reason,
		Samples: at.Samples, Groups: at.Groups, Partitions: at.Partitions,
	}, byAutoscaler)
	if err != nil {
		a.log.Warn("scale", "from", current, "to", d.TaskCount, "error", err)
		return
	}
	if a.state.SpecVersion != version+1 {
		return // somebody else decided meanwhile
	}
	a.log.Info("scaled", "from", current, "to", d.TaskCount, "reason", d.Reason)
	// The same topic and the same client: neither the stream nor what is measured begins anew.
	a.spec, a.specOf, a.scalerOf = scaled, a.state.SpecVersion, a.state.SpecVersion
	s.window.Clear()
	a.tend(ctx)
	a.soon()
}

// groupNumbers is how many groups the partitions that are known make.
func (a *actor) groupNumbers() int {
	numbers := map[int]bool{}
	for _, p := range a.state.Partitions {
		if n, ok := a.state.Reads().GroupNumber(p, a.spec.IOConfig.TaskCount); ok {
			numbers[n] = true
		}
	}
	return len(numbers)
}

// clearLags forgets the collected lags: offsets that were reset say nothing about the load.
func (a *actor) clearLags() {
	if a.scaler != nil {
		a.scaler.window.Clear()
	}
}
