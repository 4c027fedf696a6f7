package projections

import (
	"slices"
	"time"

	"ogham/domain/supervisor"
)

// keepErrors bounds what is remembered per supervisor.
const keepErrors = 100

// taskFailedClass stands in for the exception class of a task that failed, of which only the text is known.
const taskFailedClass = "TaskFailed"

// errorsFold remembers the newest failures of each supervisor, of its runs and of its tasks. Other than the recentErrors
// of the status report it outlives updates, suspension and termination.
type errorsFold struct{ lists[supervisor.PastError] }

func newErrorsFold() *errorsFold { return &errorsFold{newLists[supervisor.PastError]()} }

func (f *errorsFold) name() string { return "recenterrors" }
func (f *errorsFold) layout() int  { return 1 }

func (f *errorsFold) apply(e fact) {
	switch ev := e.Event.(type) {
	case *supervisor.RunFailed:
		for _, one := range ev.Errors {
			f.add(e, supervisor.PastError{ErrorEntry: supervisor.ErrorEntry{
				Timestamp: supervisor.Instant(time.UnixMilli(one.Timestamp).UTC()), ExceptionClass: one.ExceptionClass,
				Message: one.Message, StreamException: one.StreamException,
			}})
		}
	case *supervisor.TaskFailed:
		f.add(e, supervisor.PastError{TaskID: ev.TaskID, ErrorEntry: supervisor.ErrorEntry{
			Timestamp:      supervisor.Instant(e.Time.UTC().Truncate(time.Millisecond)),
			ExceptionClass: taskFailedClass, Message: ev.ErrorMsg,
		}})
	}
}

func (f *errorsFold) add(e fact, p supervisor.PastError) {
	p.LogSequence = e.Sequence
	all := append(f.of[e.supervisorID], p)
	if extra := len(all) - keepErrors; extra > 0 {
		all = slices.Delete(all, 0, extra)
	}
	f.of[e.supervisorID] = all
}

// RecentErrors returns the failures of a supervisor that are still remembered, oldest first.
func (r *Runner) RecentErrors(id string) []supervisor.PastError {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.errors.of[id])
}
