package overlord

import (
	"slices"
	"sync"
	"time"

	"ogham/domain/task"
)

// pool is the leader's view of the workers and of who runs on them. It is safe for concurrent use.
type pool struct {
	timeout time.Duration

	mu       sync.Mutex
	workers  map[string]*workerView
	assigned map[string]placement // task id → where it was put
	waiting  map[string]*waiter   // by task id: those that asked for a place in vain
	asked    int                  // how many tasks have waited, ever
	round    int                  // how often those that wait were told to ask again
	freed    bool                 // there is a place that no heartbeat tells of
	since    time.Time            // when the term began: silence is counted from here
}

// waiter is a task without a place.
type waiter struct {
	supervisor string
	avoid      []string
	turn       int // who asked first has the lowest
	round      int // when it asked last
}

type workerView struct {
	beat task.Heartbeat
	seen time.Time
}

type placement struct{ supervisor, worker, incarnation string }

func newPool(timeout time.Duration, now time.Time) *pool {
	return &pool{timeout: timeout, workers: map[string]*workerView{}, assigned: map[string]placement{}, waiting: map[string]*waiter{}, since: now}
}

// heard takes a heartbeat. It returns the supervisors that it is about: those that have given the worker a task, and where
// a worker came, changed its incarnation or freed a slot those that wait for a place.
func (p *pool) heard(h task.Heartbeat, now time.Time) (about, news map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.workers[h.WorkerID]
	changed := p.freed || w == nil || w.beat.Incarnation != h.Incarnation || len(h.Tasks) < len(w.beat.Tasks) || w.beat.Stopping != h.Stopping || w.beat.Disabled != h.Disabled
	p.workers[h.WorkerID] = &workerView{beat: h, seen: now}
	about = map[string]bool{}
	for _, at := range p.assigned {
		if at.worker == h.WorkerID {
			about[at.supervisor] = true
		}
	}
	if changed {
		news, p.freed = p.wakeLocked(), false
	}
	return about, news
}

// wakeLocked gives the supervisors whose tasks wait. Those tasks that did not ask again when they were told to the last
// time are gone.
func (p *pool) wakeLocked() map[string]bool {
	news := map[string]bool{}
	for id, w := range p.waiting {
		if w.round < p.round {
			delete(p.waiting, id)
			continue
		}
		news[w.supervisor] = true
	}
	p.round++
	return news
}

// short reports whether tasks wait for a place.
func (p *pool) short() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.waiting) > 0
}

// list returns the workers that are alive, by id.
func (p *pool) list(now time.Time) []task.Heartbeat {
	p.mu.Lock()
	defer p.mu.Unlock()
	var all []task.Heartbeat
	for _, w := range p.workers {
		if now.Sub(w.seen) <= p.timeout {
			all = append(all, w.beat)
		}
	}
	slices.SortFunc(all, func(a, b task.Heartbeat) int {
		if a.WorkerID < b.WorkerID {
			return -1
		}
		return 1
	})
	return all
}

// fate says whether a task's worker is there, not known yet, or lost. A worker that this leader has never heard gets its
// time-out from the beginning of the term.
func (p *pool) fate(worker, incarnation string, now time.Time) (alive, lost, everSeen bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.workers[worker]
	switch {
	case w == nil:
		return false, now.Sub(p.since) > p.timeout, false
	case w.beat.Incarnation != incarnation:
		return false, true, false
	}
	silent := now.Sub(w.seen) > p.timeout
	return !silent, silent, true
}

// place reserves a slot for a task on the worker with the most free ones. It returns false where none is free. A worker to
// avoid is never taken: as in Druid, whose replicas share an availability group, a replica waits for a worker of its own,
// since two copies that die together are no more than one. Who asked first comes first, as in Druid's queue: else a group
// that is replaced could take its own place again and again. A supervisor whose task finds none is told of by heard once
// that may have changed.
func (p *pool) place(supervisor, taskID string, avoid []string, now time.Time) (task.Heartbeat, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var best *workerView
	bestFree := 0
	for _, w := range p.workers {
		free := w.beat.Capacity - p.usedLocked(w)
		if w.beat.Stopping || w.beat.Disabled || now.Sub(w.seen) > p.timeout || free <= 0 || slices.Contains(avoid, w.beat.WorkerID) {
			continue
		}
		if best == nil || free > bestFree || free == bestFree && w.beat.WorkerID < best.beat.WorkerID {
			best, bestFree = w, free
		}
	}
	w := p.waiting[taskID]
	if w == nil {
		p.asked++
		w = &waiter{supervisor: supervisor, turn: p.asked}
	}
	first := 0 // how many come first
	for _, o := range p.waiting {
		if o.turn < w.turn && best != nil && !slices.Contains(o.avoid, best.beat.WorkerID) {
			first++
		}
	}
	if best == nil || first >= bestFree {
		w.avoid, w.round, p.waiting[taskID] = avoid, p.round, w
		p.freed = p.freed || best != nil // those that come first are told with the next heartbeat
		return task.Heartbeat{}, false
	}
	delete(p.waiting, taskID)
	p.assigned[taskID] = placement{supervisor, best.beat.WorkerID, best.beat.Incarnation}
	return best.beat, true
}

// usedLocked counts the slots of a worker that are taken: by what it says it runs and by what it was given since.
func (p *pool) usedLocked(w *workerView) int {
	used := len(w.beat.Tasks)
	for id, at := range p.assigned {
		if at.worker == w.beat.WorkerID && at.incarnation == w.beat.Incarnation &&
			!slices.ContainsFunc(w.beat.Tasks, func(r task.Report) bool { return r.TaskID == id }) {
			used++
		}
	}
	return used
}

// adopt notes a placement from the log, release forgets one.
func (p *pool) adopt(supervisor, taskID, worker, incarnation string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.assigned[taskID] = placement{supervisor, worker, incarnation}
}

func (p *pool) release(taskID string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.waiting, taskID)
	if _, ok := p.assigned[taskID]; ok {
		delete(p.assigned, taskID)
		p.freed = true
	}
}
