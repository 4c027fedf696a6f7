package projections

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
)

// statusFold holds each supervisor's state as the domain folds it.
type statusFold struct {
	states map[string]*supervisor.State
	facts  map[string]supervisor.SpecFacts
}

func newStatusFold() *statusFold {
	f := &statusFold{}
	f.clear()
	return f
}

func (f *statusFold) name() string { return "status" }
func (f *statusFold) layout() int  { return 3 }
func (f *statusFold) dump() any    { return f.states }

func (f *statusFold) clear() {
	f.states, f.facts = map[string]*supervisor.State{}, map[string]supervisor.SpecFacts{}
}

func (f *statusFold) load(data json.RawMessage) error {
	states := map[string]*supervisor.State{}
	if err := json.Unmarshal(data, &states); err != nil {
		return err
	}
	f.states = states
	for id, s := range states {
		f.readSpec(id, s)
	}
	return nil
}

func (f *statusFold) apply(e fact) {
	s := f.states[e.supervisorID]
	if s == nil {
		s = supervisor.NewState(e.supervisorID)
	}
	version := s.SpecVersion
	s = supervisor.Evolve(s, e.Recorded)
	f.states[e.supervisorID] = s
	if s.SpecVersion != version {
		f.readSpec(e.supervisorID, s)
	}
}

// readSpec keeps the few facts of the spec that reports show, so that a query parses nothing.
func (f *statusFold) readSpec(id string, s *supervisor.State) {
	f.facts[id] = factsOf(id, s)
}

// factsOf reads the facts of a state's spec. A spec that cannot be read any more, which an older program wrote, leaves
// those that the state itself knows.
func factsOf(id string, s *supervisor.State) supervisor.SpecFacts {
	parsed, err := spec.Parse(s.Spec)
	if err != nil {
		return supervisor.SpecFacts{DataSource: id, Stream: s.Stream, Replicas: 1}
	}
	io := parsed.IOConfig
	return supervisor.SpecFacts{
		DataSource: parsed.ID(), Stream: io.Stream(), Replicas: io.Replicas,
		DurationSeconds: int64(io.TaskDuration / time.Second), EmitTimeLagMetrics: io.EmitTimeLagMetrics,
	}
}

func (f *statusFold) existing(id string) (*supervisor.State, bool) {
	s := f.states[id]
	return s, s != nil && s.Exists()
}

func summaryOf(s *supervisor.State) supervisor.Summary {
	return supervisor.Summary{ID: s.ID, Detailed: s.Detailed, Suspended: s.Suspended, Stream: s.Stream, Spec: s.Spec}
}

// Supervisors returns those that exist, by id.
func (r *Runner) Supervisors() []supervisor.Summary {
	r.mu.RLock()
	defer r.mu.RUnlock()
	var all []supervisor.Summary
	for _, id := range slices.Sorted(maps.Keys(r.status.states)) {
		if s, ok := r.status.existing(id); ok {
			all = append(all, summaryOf(s))
		}
	}
	return all
}

// Supervisor returns one that exists.
func (r *Runner) Supervisor(id string) (supervisor.Summary, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s, ok := r.status.existing(id)
	if !ok {
		return supervisor.Summary{}, false
	}
	return summaryOf(s), true
}

// Status builds the report of a supervisor that exists.
func (r *Runner) Status(id string, m supervisor.Measurements, now time.Time) (supervisor.StatusReport, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	s, ok := r.status.existing(id)
	if !ok {
		return supervisor.StatusReport{}, false
	}
	return supervisor.Report(s, r.status.facts[id], m, now), true
}
