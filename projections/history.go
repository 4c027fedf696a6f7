package projections

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"ogham/domain/supervisor"
)

// historyFold holds the versions of every supervisor that ever was, oldest first.
type historyFold struct{ lists[supervisor.Version] }

func newHistoryFold() *historyFold { return &historyFold{newLists[supervisor.Version]()} }

func (f *historyFold) name() string { return "history" }
func (f *historyFold) layout() int  { return 1 }

func (f *historyFold) apply(e fact) {
	switch ev := e.Event.(type) {
	case *supervisor.SupervisorCreated:
		f.add(e, ev.Spec)
	case *supervisor.SpecUpdated:
		if !ev.Unchanged {
			f.add(e, ev.Spec)
		}
	case *supervisor.SupervisorSuspended:
		f.add(e, ev.Spec)
	case *supervisor.SupervisorResumed:
		f.add(e, ev.Spec)
	case *supervisor.ScaleDecided:
		f.add(e, ev.Spec)
	case *supervisor.SupervisorTerminated:
		f.add(e, tombstone(e.supervisorID))
	}
}

func (f *historyFold) add(e fact, spec json.RawMessage) {
	// Milliseconds are all that the answer shows, and all that a snapshot keeps.
	at := supervisor.Instant(e.Time.UTC().Truncate(time.Millisecond))
	f.of[e.supervisorID] = append(f.of[e.supervisorID], supervisor.Version{Spec: spec, Version: at})
}

// tombstone is what Druid writes for a terminated supervisor. The key that comes twice is Druid's: its type wrapper and
// its class both write one.
func tombstone(id string) json.RawMessage {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	// A string always encodes.
	_ = enc.Encode(id)
	name := bytes.TrimRight(b.Bytes(), "\n")
	return slices.Concat(
		json.RawMessage(`{"type":"NoopSupervisorSpec","id":null,"dataSources":[`), name,
		json.RawMessage(`],"suspended":false,"type":"noop","source":"noop"}`))
}

// History returns the versions of a supervisor, newest first; false where the id was never used.
func (r *Runner) History(id string) ([]supervisor.Version, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	versions, ok := r.history.of[id]
	if !ok {
		return nil, false
	}
	newest := slices.Clone(versions)
	slices.Reverse(newest)
	return newest, true
}

// HistoryIDs returns every id that was ever used, sorted.
func (r *Runner) HistoryIDs() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Sorted(maps.Keys(r.history.of))
}
