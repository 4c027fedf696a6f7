package projections

import (
	"slices"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// keepLag bounds the samples that are kept per supervisor.
const keepLag = 1000

// Sample is a measurement of a supervisor's offsets.
type Sample struct {
	SupervisorID string
	At           time.Time
	// Current holds the next offsets to be read, Latest the ends of the partitions. A partition that Current lacks is
	// read from 0.
	Current, Latest task.Offsets
}

// lagFold holds the lag of each supervisor over the last samples. A sample keeps sums and not partitions, so that ten
// thousand supervisors with a thousand samples each fit in memory. Samples are not in the log: a lost snapshot loses them.
type lagFold struct{ lists[supervisor.LagPoint] }

func newLagFold() *lagFold { return &lagFold{newLists[supervisor.LagPoint]()} }

func (f *lagFold) name() string { return "lag" }
func (f *lagFold) layout() int  { return 1 }

// apply forgets a supervisor that was terminated: one that is made again under its name starts with no past.
func (f *lagFold) apply(e fact) {
	if _, ok := e.Event.(*supervisor.SupervisorTerminated); ok {
		delete(f.of, e.supervisorID)
	}
}

func (f *lagFold) add(s Sample) {
	points := f.of[s.SupervisorID]
	if n := len(points); n > 0 && !s.At.After(time.Time(points[n-1].At)) {
		return // told twice
	}
	p := supervisor.LagPoint{At: supervisor.Instant(s.At.UTC().Truncate(time.Millisecond))}
	for part, end := range s.Latest {
		lag := max(end-s.Current[part], 0)
		p.Total += lag
		p.Max = max(p.Max, lag)
	}
	points = append(points, p)
	if extra := len(points) - keepLag; extra > 0 {
		points = slices.Delete(points, 0, extra)
	}
	f.of[s.SupervisorID] = points
}

// Sample folds a measurement in. One that is not newer than the last is ignored.
func (r *Runner) Sample(s Sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.lag.add(s)
}

// Lag returns the samples of a supervisor, oldest first.
func (r *Runner) Lag(id string) []supervisor.LagPoint {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.lag.of[id])
}
