package supervisor

// Thresholds are Druid's druid.supervisor.* properties. Every one is at least 1, and MaxStoredExceptionEvents at least
// the greater of the two run thresholds.
type Thresholds struct {
	Healthiness              int
	Unhealthiness            int
	TaskHealthiness          int
	TaskUnhealthiness        int
	MaxStoredExceptionEvents int
}

// DefaultThresholds are Druid's.
var DefaultThresholds = Thresholds{3, 3, 3, 3, 3}

// ErrorEvent is one entry of recentErrors.
type ErrorEvent struct {
	// Timestamp is in milliseconds.
	Timestamp       int64  `json:"timestamp"`
	ExceptionClass  string `json:"exceptionClass"`
	Message         string `json:"message"`
	StreamException bool   `json:"streamException"`
}

// Health is what the machine's guards count, and the newest errors.
type Health struct {
	Counts
	RecentErrors []ErrorEvent `json:"recentErrors,omitempty"`
}

// Counts are the counters and flags behind the health. Successes are counted up to their threshold only, since more say
// nothing: so a run that changes nothing leaves the fold as it was. Events carry the counts that they lead to, so that
// a fold does not depend on the thresholds of the day.
type Counts struct {
	FailedRuns       int  `json:"failedRuns"`
	SuccessfulRuns   int  `json:"successfulRuns"`
	FailedTasks      int  `json:"failedTasks"`
	SuccessfulTasks  int  `json:"successfulTasks"`
	OneSuccessfulRun bool `json:"oneSuccessfulRun,omitempty"`
	// HitRuns and HitTasks remember that a threshold of failures was hit since the last full recovery.
	HitRuns  bool `json:"hitRuns,omitempty"`
	HitTasks bool `json:"hitTasks,omitempty"`
}

func (c Counts) facts(t Thresholds, suspended bool, newest []ErrorEvent) Facts {
	f := Facts{
		FailedToThreshold:      c.FailedRuns >= t.Unhealthiness,
		TasksFailedToThreshold: c.FailedTasks >= t.TaskUnhealthiness,
		SuccessfulRun:          c.OneSuccessfulRun,
		Suspended:              suspended,
	}
	if n := len(newest); n > 0 {
		f.NewestIsStream = newest[n-1].StreamException
	}
	waitsForRuns := c.HitRuns && c.SuccessfulRuns < t.Healthiness
	waitsForTasks := c.HitTasks && c.SuccessfulTasks < t.TaskHealthiness
	f.Recovered = !waitsForRuns && !waitsForTasks
	return f
}

// afterRun are the counts after a run ended.
func (c Counts) afterRun(t Thresholds, ok bool) Counts {
	if ok {
		c.OneSuccessfulRun = true
		c.FailedRuns = 0
		c.SuccessfulRuns = min(c.SuccessfulRuns+1, t.Healthiness)
		return c
	}
	c.SuccessfulRuns = 0
	c.FailedRuns++
	return c
}

// afterTask are the counts after one more task ended.
func (c Counts) afterTask(t Thresholds, ok bool) Counts {
	if ok {
		c.FailedTasks = 0
		c.SuccessfulTasks = min(c.SuccessfulTasks+1, t.TaskHealthiness)
		return c
	}
	c.SuccessfulTasks = 0
	c.FailedTasks++
	return c
}

// entered are the counts after a transition. A threshold that was hit stays remembered until the supervisor is wholly
// well again. Druid never forgets it while the supervisor lives, so that one task failure long after a phase of
// UNHEALTHY_TASKS holds up the recovery from a lost contact by hours (docs/compatibility.md).
func (c Counts) entered(state string) Counts {
	switch state {
	case StateUnhealthyTasks:
		c.HitTasks = true
	case StateUnhealthy, StateUnableToConnect, StateLostContact:
		c.HitRuns = true
	case StateRunning, StateSuspended, StateIdle:
		c.HitRuns, c.HitTasks = false, false
	}
	return c
}

// newestErrors appends and drops the oldest beyond keep.
func newestErrors(old, more []ErrorEvent, keep int) []ErrorEvent {
	all := append(append(make([]ErrorEvent, 0, len(old)+len(more)), old...), more...)
	if extra := len(all) - keep; extra > 0 {
		all = all[extra:]
	}
	return all
}
