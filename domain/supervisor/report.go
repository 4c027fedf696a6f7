package supervisor

import (
	"encoding/json"
	"time"

	"ogham/domain/task"
)

// SpecFacts are the few facts of a spec that the status report shows.
type SpecFacts struct {
	DataSource         string
	Stream             string
	Replicas           int
	DurationSeconds    int64
	EmitTimeLagMetrics bool
}

// Measurements are what was measured of a running supervisor, none of which is in the log.
type Measurements struct {
	// Latest are the ends of the partitions that were fetched last, at LatestAt. A zero LatestAt says that they were
	// never fetched: the report then leaves its fields out.
	Latest   task.Offsets
	LatestAt time.Time
	// LagMillis is the time by which the tasks are behind, per partition; nil where it is not measured.
	LagMillis task.Offsets
	// Tasks holds what the tasks told last, by task id.
	Tasks map[string]TaskMeasure
	// Failed holds the errors of the last run, where it failed. Those that only repeat what was told before are not in the
	// log.
	Failed []ErrorEvent
}

// TaskMeasure is what a task told of itself last.
type TaskMeasure struct {
	// Current holds the next offsets to read, nil before the task told any.
	Current task.Offsets
	Status  task.RunnerStatus
}

// StatusReport is Druid's answer to a supervisor's status.
type StatusReport struct {
	ID             string        `json:"id"`
	GenerationTime Instant       `json:"generationTime"`
	Payload        StatusPayload `json:"payload"`
}

// StatusPayload is the supervisor's part of a StatusReport. Members that Druid leaves out are nil.
type StatusPayload struct {
	DataSource         string        `json:"dataSource"`
	Stream             string        `json:"stream"`
	Partitions         int           `json:"partitions"`
	Replicas           int           `json:"replicas"`
	DurationSeconds    int64         `json:"durationSeconds"`
	ActiveTasks        []TaskEntry   `json:"activeTasks"`
	PublishingTasks    []TaskEntry   `json:"publishingTasks"`
	LatestOffsets      *task.Offsets `json:"latestOffsets,omitempty"`
	MinimumLag         task.Offsets  `json:"minimumLag"`
	AggregateLag       int64         `json:"aggregateLag"`
	MinimumLagMillis   *task.Offsets `json:"minimumLagMillis,omitempty"`
	OffsetsLastUpdated *Instant      `json:"offsetsLastUpdated,omitempty"`
	Suspended          bool          `json:"suspended"`
	Healthy            bool          `json:"healthy"`
	State              string        `json:"state"`
	DetailedState      string        `json:"detailedState"`
	RecentErrors       []ErrorEntry  `json:"recentErrors"`
}

// The types of a TaskEntry.
const (
	EntryActive     = "ACTIVE"
	EntryPublishing = "PUBLISHING"
)

// TaskEntry is a task in a StatusReport.
type TaskEntry struct {
	ID               string        `json:"id"`
	StartingOffsets  task.Offsets  `json:"startingOffsets"`
	StartTime        *Instant      `json:"startTime"`
	RemainingSeconds *int64        `json:"remainingSeconds"`
	Type             string        `json:"type"`
	CurrentOffsets   task.Offsets  `json:"currentOffsets"`
	Lag              *task.Offsets `json:"lag,omitempty"`
}

// ErrorEntry is an entry of recentErrors as the report shows it.
type ErrorEntry struct {
	Timestamp       Instant `json:"timestamp"`
	ExceptionClass  string  `json:"exceptionClass"`
	Message         string  `json:"message"`
	StreamException bool    `json:"streamException"`
}

// Instant is a time that JSON shows as Druid does: UTC, always with three digits of milliseconds.
type Instant time.Time

// String returns the JSON text without its quotes.
func (i Instant) String() string { return time.Time(i).UTC().Format("2006-01-02T15:04:05.000Z") }

// MarshalJSON writes the instant as a string.
func (i Instant) MarshalJSON() ([]byte, error) { return json.Marshal(i.String()) }

// UnmarshalJSON reads what MarshalJSON wrote.
func (i *Instant) UnmarshalJSON(b []byte) error {
	var t time.Time
	if err := json.Unmarshal(b, &t); err != nil {
		return err
	}
	*i = Instant(t)
	return nil
}

// Report builds the status report of a supervisor as of now. It shares nothing with its arguments that is changed later.
func Report(s *State, v SpecFacts, m Measurements, now time.Time) StatusReport {
	p := StatusPayload{
		DataSource: v.DataSource, Stream: v.Stream, Partitions: len(s.Partitions), Replicas: v.Replicas,
		DurationSeconds: v.DurationSeconds, ActiveTasks: []TaskEntry{}, PublishingTasks: []TaskEntry{},
		MinimumLag: task.Offsets{}, Suspended: s.Suspended, Healthy: Healthy(s.Detailed), State: BasicState(s.Detailed),
		DetailedState: s.Detailed, RecentErrors: reportErrors(recentErrors(s.Health.RecentErrors, m.Failed)),
	}
	for _, n := range s.ActiveNumbers() {
		p.ActiveTasks = append(p.ActiveTasks, activeEntries(s, s.Active[n], v, m, now)...)
	}
	for _, g := range s.Pending {
		p.PublishingTasks = append(p.PublishingTasks, publishingEntries(s, g, m, now)...)
	}
	if !m.LatestAt.IsZero() {
		latest, at := orEmpty(m.Latest), Instant(m.LatestAt)
		p.LatestOffsets, p.OffsetsLastUpdated = &latest, &at
		p.MinimumLag = MinimumLag(s, m)
		p.AggregateLag = AggregateLag(p.MinimumLag)
		if v.EmitTimeLagMetrics && m.LagMillis != nil {
			lag := m.LagMillis.Clone()
			p.MinimumLagMillis = &lag
		}
	}
	return StatusReport{ID: s.ID, GenerationTime: Instant(now), Payload: p}
}

// MinimumLag returns, for each partition whose end is known, how far the foremost task is from it. Where no task told
// its offset, the committed one counts, and 0 where there is none. A suspended or idle supervisor has only the committed
// ones, as in Druid.
func MinimumLag(s *State, m Measurements) task.Offsets {
	current := task.Offsets{}
	if !s.Suspended && s.Detailed != StateIdle {
		current = HighestOffsets(s, m)
	}
	lag := make(task.Offsets, len(m.Latest))
	for p, end := range m.Latest {
		at, ok := current[p]
		if !ok {
			at = s.Committed[p]
		}
		lag[p] = end - at
	}
	return lag
}

// AggregateLag is the sum of the positive lags.
func AggregateLag(lag task.Offsets) int64 {
	var sum int64
	for _, l := range lag {
		sum += max(l, 0)
	}
	return sum
}

// HighestOffsets returns the highest offset that any task of a group told, per partition.
func HighestOffsets(s *State, m Measurements) task.Offsets {
	highest := task.Offsets{}
	for _, g := range s.Pending {
		highest = highest.Max(s.Named(g, g.End()))
		highest = s.maxOfTasks(highest, g, m)
	}
	for _, g := range s.Active {
		highest = s.maxOfTasks(highest, g, m)
	}
	return highest
}

func (s *State) maxOfTasks(highest task.Offsets, g *Group, m Measurements) task.Offsets {
	for _, id := range g.TaskIDs {
		highest = highest.Max(s.Named(g, m.Tasks[id].Current))
	}
	return highest
}

func activeEntries(s *State, g *Group, v SpecFacts, m Measurements, now time.Time) []TaskEntry {
	var entries []TaskEntry
	for _, id := range g.TaskIDs {
		t := s.Tasks[id]
		if t == nil {
			continue
		}
		current := orEmpty(m.Tasks[id].Current)
		lag := task.Offsets{}
		if !m.LatestAt.IsZero() {
			for p, at := range current {
				lag[p] = m.Latest[p] - at
				if _, ok := m.Latest[p]; !ok {
					lag[p] = 0
				}
			}
		}
		e := TaskEntry{ID: id, StartingOffsets: orEmpty(g.Start), Type: EntryActive, CurrentOffsets: current, Lag: &lag}
		if !t.StartedAt.IsZero() {
			end := t.StartedAt.Add(time.Duration(v.DurationSeconds) * time.Second)
			e.StartTime, e.RemainingSeconds = startTime(t), secondsUntil(end, now)
		}
		entries = append(entries, e)
	}
	return entries
}

func publishingEntries(s *State, g *Group, m Measurements, now time.Time) []TaskEntry {
	var entries []TaskEntry
	for _, id := range g.TaskIDs {
		t := s.Tasks[id]
		if t == nil {
			continue
		}
		current := m.Tasks[id].Current
		if current == nil {
			current = g.End()
		}
		e := TaskEntry{ID: id, StartingOffsets: orEmpty(g.Start), StartTime: startTime(t), Type: EntryPublishing, CurrentOffsets: orEmpty(current)}
		if !g.Deadline.IsZero() {
			e.RemainingSeconds = secondsUntil(g.Deadline, now)
		}
		entries = append(entries, e)
	}
	return entries
}

func startTime(t *Task) *Instant {
	if t.StartedAt.IsZero() {
		return nil
	}
	at := Instant(t.StartedAt)
	return &at
}

func secondsUntil(end, now time.Time) *int64 {
	s := max(int64(end.Sub(now)/time.Second), 0)
	return &s
}

// recentErrors are those of the log, with the errors of a last run that repeated them, which Druid shows with each run.
func recentErrors(told, failed []ErrorEvent) []ErrorEvent {
	failed = failed[max(0, len(failed)-len(told)):]
	rest := len(told) - len(failed)
	for i, e := range failed {
		if known := told[rest+i]; e.Timestamp <= known.Timestamp || !sameFailure(e, known) {
			return told
		}
	}
	return newestErrors(told, failed, len(told))
}

func reportErrors(errors []ErrorEvent) []ErrorEntry {
	entries := make([]ErrorEntry, len(errors))
	for i, e := range errors {
		entries[i] = ErrorEntry{Instant(time.UnixMilli(e.Timestamp)), e.ExceptionClass, e.Message, e.StreamException}
	}
	return entries
}

// orEmpty returns a copy that is never nil, since Druid shows {} and not null.
func orEmpty(o task.Offsets) task.Offsets {
	if o == nil {
		return task.Offsets{}
	}
	return o.Clone()
}
