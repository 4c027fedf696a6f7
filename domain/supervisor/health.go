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

// Counts are the counters and flags behind the health. Runs, and tasks that succeed, are counted up to their threshold
// only, since more say nothing: so a run that changes nothing leaves the fold as it was. Events carry the counts that they lead to, so that
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
	c.FailedRuns = min(c.FailedRuns+1, t.Unhealthiness)
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

// maxRepeatGap is after how many milliseconds at most a failure that stays the same is told again: the log shows that it
// lasted, and a supervisor that fails for a year adds as much to it as one that is healthy adds in some hours.
const maxRepeatGap = 3600_000

// repeats reports whether a run that failed says nothing that the newest errors do not say already. What stays is told
// again after twice the time that lay between the two last times, and at least every maxRepeatGap.
func repeats(told, errs []ErrorEvent) bool {
	n := min(len(errs), len(told))
	if n == 0 {
		return false
	}
	for i := 1; i <= n; i++ {
		if !sameFailure(told[len(told)-i], errs[len(errs)-i]) {
			return false
		}
	}
	newest, wait := told[len(told)-1].Timestamp, int64(maxRepeatGap)
	if before := len(told) - n - 1; before >= 0 {
		wait = min(wait, 2*(newest-told[before].Timestamp))
	}
	since := errs[len(errs)-1].Timestamp - newest
	return since >= 0 && since < wait
}

// sameFailure reports whether two errors differ in time and in numbers only: an offset or a lag in the message moves while
// the failure stays.
func sameFailure(a, b ErrorEvent) bool {
	return a.ExceptionClass == b.ExceptionClass && a.StreamException == b.StreamException && sameButDigits(a.Message, b.Message)
}

// sameButDigits compares two texts without their decimal digits.
func sameButDigits(a, b string) bool {
	digit := func(c byte) bool { return '0' <= c && c <= '9' }
	i, j := 0, 0
	for {
		for i < len(a) && digit(a[i]) {
			i++
		}
		for j < len(b) && digit(b[j]) {
			j++
		}
		if i == len(a) || j == len(b) {
			return i == len(a) && j == len(b)
		}
		if a[i] != b[j] {
			return false
		}
		i, j = i+1, j+1
	}
}

// newestErrors appends and drops the oldest beyond keep.
func newestErrors(old, more []ErrorEvent, keep int) []ErrorEvent {
	all := append(append(make([]ErrorEvent, 0, len(old)+len(more)), old...), more...)
	if extra := len(all) - keep; extra > 0 {
		all = all[extra:]
	}
	return all
}
