package autoscale

import (
	"slices"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// Sample is one collected lag.
type Sample = supervisor.LagSample

// Window holds the newest lags: as many as lagCollectionRangeMillis holds intervals, and one more. It is not safe for
// concurrent use.
type Window struct {
	most    int
	samples []Sample
}

// NewWindow makes an empty window.
func NewWindow(c *spec.AutoScalerConfig) *Window {
	return &Window{most: int(c.LagCollectionRange/c.LagCollectionInterval) + 1}
}

// Push takes a lag. One below zero, which says that the ends of the topic are older than what the tasks read, counts as
// none; the oldest lag makes room.
func (w *Window) Push(s Sample) {
	s.Lag = max(s.Lag, 0)
	if len(w.samples) == w.most {
		w.samples = slices.Delete(w.samples, 0, 1)
	}
	w.samples = append(w.samples, s)
}

// Clear forgets all lags.
func (w *Window) Clear() { w.samples = nil }

// Samples returns a copy of what the window holds, oldest first.
func (w *Window) Samples() []Sample { return slices.Clone(w.samples) }

// Lag is a supervisor's lag as its autoscaler counts it: the SUM, the MAX or the AVERAGE over its partitions, the last one
// rounded down; 0 where nothing is known. A partition whose lag is below zero counts 0 in each of them, as in the status
// report and in Druid 37; in 33 it would hide the lag of another one.
func Lag(partitions task.Offsets, aggregate string) int64 {
	var sum, highest int64
	for _, l := range partitions {
		sum += max(l, 0)
		highest = max(highest, l)
	}
	switch {
	case aggregate == "MAX":
		return highest
	case aggregate == "AVERAGE" && len(partitions) > 0:
		return sum / int64(len(partitions))
	}
	return sum
}
