package overlord

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// measures holds what is measured of a supervisor, for those who ask. It is safe for concurrent use.
type measures struct {
	mu       sync.Mutex
	latest   task.Offsets
	latestAt time.Time
	behind   task.Offsets // milliseconds; nil where that is not measured
	tasks    map[string]supervisor.TaskMeasure
	failed   []supervisor.ErrorEvent // of the last run
	// errors are the newest parse errors that were told so far, newest first.
	errors []task.ParseException
}

func (m *measures) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.latest, m.latestAt, m.behind, m.errors, m.failed = nil, time.Time{}, nil, nil, nil
}

// keepErrors adds what tasks tell to the parse errors that are known, and returns the newest of all.
func (m *measures) keepErrors(told []task.ParseException, limit int) []task.ParseException {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := slices.Concat(m.errors, told)
	slices.SortStableFunc(all, func(a, b task.ParseException) int {
		return cmp.Or(cmp.Compare(b.TimeOfExceptionMillis, a.TimeOfExceptionMillis), cmp.Compare(a.Partition, b.Partition),
			cmp.Compare(b.Offset, a.Offset), cmp.Compare(a.Input, b.Input), slices.Compare(a.Details, b.Details))
	})
	all = slices.CompactFunc(all, func(a, b task.ParseException) bool {
		return a.TimeOfExceptionMillis == b.TimeOfExceptionMillis && a.Partition == b.Partition && a.Offset == b.Offset &&
			a.Input == b.Input && slices.Equal(a.Details, b.Details)
	})
	m.errors = all[:min(limit, len(all))]
	return slices.Clone(m.errors)
}

func (m *measures) setLatest(ends, behind task.Offsets, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.latest, m.latestAt = ends, at
	if behind != nil {
		m.behind = behind
	}
}

func (m *measures) setTask(id string, r task.Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tasks == nil {
		m.tasks = map[string]supervisor.TaskMeasure{}
	}
	m.tasks[id] = supervisor.TaskMeasure{Current: r.CurrentOffsets, Status: r.Status}
}

// setFailed keeps the errors of the last run, none where it was good. They are not changed any more.
func (m *measures) setFailed(errs []supervisor.ErrorEvent) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failed = errs
}

func (m *measures) dropTask(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tasks, id)
}

func (m *measures) get() supervisor.Measurements {
	m.mu.Lock()
	defer m.mu.Unlock()
	return supervisor.Measurements{
		Latest: m.latest.Clone(), LatestAt: m.latestAt, LagMillis: m.behind.Clone(), Tasks: maps.Clone(m.tasks), Failed: m.failed,
	}
}
