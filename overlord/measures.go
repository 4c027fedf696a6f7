package overlord

import (
	"maps"
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
	tasks    map[string]supervisor.TaskMeasure
	stats    map[string]groupStats
}

type groupStats struct {
	group int
	stats task.Stats
}

func (m *measures) reset() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.latest, m.latestAt = nil, time.Time{}
}

func (m *measures) setLatest(o task.Offsets, at time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.latest, m.latestAt = o, at
}

func (m *measures) setTask(id string, group int, r task.Report) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.tasks == nil {
		m.tasks, m.stats = map[string]supervisor.TaskMeasure{}, map[string]groupStats{}
	}
	m.tasks[id] = supervisor.TaskMeasure{Current: r.CurrentOffsets, Status: r.Status}
	m.stats[id] = groupStats{group, r.Stats}
}

func (m *measures) dropTask(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.tasks, id)
	delete(m.stats, id)
}

func (m *measures) get() supervisor.Measurements {
	m.mu.Lock()
	defer m.mu.Unlock()
	return supervisor.Measurements{Latest: m.latest.Clone(), LatestAt: m.latestAt, Tasks: maps.Clone(m.tasks)}
}

// byGroup returns the newest stats of each task by group number.
func (m *measures) byGroup() map[int]map[string]task.Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := map[int]map[string]task.Stats{}
	for id, s := range m.stats {
		if all[s.group] == nil {
			all[s.group] = map[string]task.Stats{}
		}
		all[s.group][id] = s.stats
	}
	return all
}
