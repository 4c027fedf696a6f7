package projections

import (
	"encoding/json"
	"maps"
	"slices"

	"ogham/domain/supervisor"
)

// Live returns the ids of the supervisors that exist or have yet to drain, sorted: those that a leader takes over.
func (r *Runner) Live() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var ids []string
	for _, id := range slices.Sorted(maps.Keys(r.status.states)) {
		if !r.status.states[id].Drained() {
			ids = append(ids, id)
		}
	}
	return ids
}

// Snapshot returns a copy of a supervisor's state that is the caller's; a new state where the id is unknown or, which
// only a defect of ours can cause, the copy fails: the caller then folds the log itself.
func (r *Runner) Snapshot(id string) *supervisor.State {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s := r.status.states[id]
	if s == nil {
		return supervisor.NewState(id)
	}
	data, err := json.Marshal(s)
	out := &supervisor.State{}
	if err != nil || json.Unmarshal(data, out) != nil {
		return supervisor.NewState(id)
	}
	return out
}
