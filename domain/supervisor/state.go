package supervisor

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"ogham/domain/task"
)

// State is the folded value of one supervisor with its tasks. It is changed by Evolve only, and belongs to whoever
// folds it: it is not safe for concurrent use.
type State struct {
	ID string `json:"id"`
	// Sequence is the log sequence of the newest event that was folded: the fence of the next append.
	Sequence uint64 `json:"sequence"`
	// Detailed is the machine's state.
	Detailed string `json:"detailed"`
	// Spec is the canonical spec; SpecVersion counts its changes, so that a group knows whether it is of this one.
	Spec        json.RawMessage `json:"spec,omitempty"`
	SpecVersion int             `json:"specVersion"`
	Suspended   bool            `json:"suspended"`
	CreatedAt   time.Time       `json:"createdAt,omitzero"`
	// ScaledAt is when an autoscaler changed the taskCount of this spec last, zero where none did.
	ScaledAt time.Time `json:"scaledAt,omitzero"`
	// Epoch is that of the newest event's leader.
	Epoch  uint64 `json:"epoch"`
	Health Health `json:"health"`

	// Stream is the topic that is read; with MultiTopic it is a pattern. Offsets of topics that were read before, and are
	// no more, stay in Committed and Remembered under their full names: "topic:0".
	Stream     string `json:"stream,omitempty"`
	MultiTopic bool   `json:"multiTopic,omitempty"`
	// TopicIDs are Kafka's ids of the topics that offsets speak of, by name. A topic that was found by a program that
	// did not look for ids, or on a broker without any, is absent.
	TopicIDs  map[string]string `json:"topicIds,omitempty"`
	Committed task.Offsets      `json:"committed,omitempty"`
	// Remembered are the end offsets of the newest group that was told to finish, per partition: the next group
	// starts there without waiting for the commit.
	Remembered task.Offsets `json:"remembered,omitempty"`
	// Generation counts the resets: a group of an older one may not commit any more.
	Generation int `json:"generation"`

	// Partitions are all that were found, sorted; Late are those found after the first discovery, which start at
	// the earliest offset until something of them is committed.
	Partitions []task.Partition `json:"partitions,omitempty"`
	Late       []task.Partition `json:"late,omitempty"`

	// Active holds at most one group per number, Pending the groups that were told to finish, oldest first.
	Active  map[int]*Group   `json:"active,omitempty"`
	Pending []*Group         `json:"pending,omitempty"`
	Tasks   map[string]*Task `json:"tasks,omitempty"`

	// Intervals holds the version and the next partition number of each interval that ever got a segment.
	Intervals map[string]*Interval `json:"intervals,omitempty"`
	// Identities are those given to the slots of a sequence that is not committed yet, by the sequence's name.
	Identities map[string][]task.SegmentIdentity `json:"identities,omitempty"`
}

// Interval is what segment identities of one interval share.
type Interval struct {
	Start   int64  `json:"start"`
	End     int64  `json:"end"`
	Version string `json:"version"`
	Next    int    `json:"next"`
}

// Group is a task group: its tasks read the same partitions from the same start.
type Group struct {
	// Key names the group among all of the supervisor's, ever.
	Key              string `json:"key"`
	Number           int    `json:"number"`
	BaseSequenceName string `json:"baseSequenceName"`
	SpecVersion      int    `json:"specVersion"`
	// Spec is the spec that the group was formed under, set once the supervisor has another.
	Spec       json.RawMessage `json:"spec,omitempty"`
	Generation int             `json:"generation"`
	Start      task.Offsets    `json:"start"`
	Sequences  []GroupSequence `json:"sequences"`
	MinTime    *int64          `json:"minTime,omitempty"`
	MaxTime    *int64          `json:"maxTime,omitempty"`
	FormedAt   time.Time       `json:"formedAt"`
	TaskIDs    []string        `json:"taskIds,omitempty"`
	// Publishing is set once the group was told to finish, Deadline is when it must have.
	Publishing bool      `json:"publishing,omitempty"`
	Deadline   time.Time `json:"deadline,omitzero"`
	// HandoffEarly asks for the finish at the next run.
	HandoffEarly bool `json:"handoffEarly,omitempty"`
	// Earlier is the stream that the group was formed under, whose names its offsets have; set once the supervisor reads,
	// or has read, another one.
	Earlier *Stream `json:"earlier,omitempty"`
	// Failures counts the tasks that failed since the group was told to finish.
	Failures int `json:"failures,omitempty"`
}

// GroupSequence is a sequence of a group, and, once committed, the segments that hold it.
type GroupSequence struct {
	task.Sequence
	Published bool           `json:"published,omitempty"`
	Segments  []task.Segment `json:"segments,omitempty"`
}

// Task is a task of a group, or one whose group is gone and that has yet to be stopped.
type Task struct {
	ID          string    `json:"id"`
	GroupKey    string    `json:"groupKey"`
	GroupNumber int       `json:"groupNumber"`
	State       string    `json:"state"`
	WorkerID    string    `json:"workerId,omitempty"`
	Incarnation string    `json:"incarnation,omitempty"`
	Host        string    `json:"host,omitempty"`
	Port        int       `json:"port,omitempty"`
	CreatedAt   time.Time `json:"createdAt"`
	AssignedAt  time.Time `json:"assignedAt,omitzero"`
	StartedAt   time.Time `json:"startedAt,omitzero"`
	// Paused says that a user made the task stand still.
	Paused bool `json:"paused,omitempty"`
	// Unwanted says why the group is gone, once it is. Done tells that its work is committed: by another replica, since
	// the task still lives.
	Unwanted string `json:"unwanted,omitempty"`
	Done     bool   `json:"done,omitempty"`
}

// NewState returns the state of a supervisor that does not exist.
func NewState(id string) *State { return &State{ID: id, Detailed: StateNone} }

// Exists reports whether the supervisor is there for its users: created and not terminated.
func (s *State) Exists() bool { return s.Detailed != StateNone && s.Detailed != StateStopping }

// Drained reports whether nothing is left to do for a supervisor that was terminated.
func (s *State) Drained() bool {
	return !s.Exists() && len(s.Active) == 0 && len(s.Pending) == 0 && len(s.Tasks) == 0
}

// ActiveNumbers returns the numbers of the active groups, ascending.
func (s *State) ActiveNumbers() []int {
	return slices.Sorted(maps.Keys(s.Active))
}

// TaskIDs returns the ids of all live tasks, ascending.
func (s *State) TaskIDs() []string {
	return slices.Sorted(maps.Keys(s.Tasks))
}

// Group returns the group with this key, active or pending, or nil.
func (s *State) Group(key string) *Group {
	for _, g := range s.Pending {
		if g.Key == key {
			return g
		}
	}
	for _, g := range s.Active {
		if g.Key == key {
			return g
		}
	}
	return nil
}

// GroupOf returns the group of a live task, or nil where the group is gone.
func (s *State) GroupOf(taskID string) *Group {
	t := s.Tasks[taskID]
	if t == nil {
		return nil
	}
	return s.Group(t.GroupKey)
}

// groups returns all groups, the pending ones first.
func (s *State) groups() []*Group {
	gs := slices.Clone(s.Pending)
	for _, n := range s.ActiveNumbers() {
		gs = append(gs, s.Active[n])
	}
	return gs
}

// PendingOf returns the pending groups of a number, oldest first.
func (s *State) PendingOf(number int) []*Group {
	var gs []*Group
	for _, g := range s.Pending {
		if g.Number == number {
			gs = append(gs, g)
		}
	}
	return gs
}

// StartedAt returns when the first of the group's tasks began, and the zero time where none did.
func (s *State) StartedAt(g *Group) time.Time {
	var first time.Time
	for _, id := range g.TaskIDs {
		if t := s.Tasks[id]; t != nil && !t.StartedAt.IsZero() && (first.IsZero() || t.StartedAt.Before(first)) {
			first = t.StartedAt
		}
	}
	return first
}

// Open returns the newest sequence of the group.
func (g *Group) Open() *GroupSequence { return &g.Sequences[len(g.Sequences)-1] }

// End returns the group's final end offsets, nil while it reads.
func (g *Group) End() task.Offsets {
	if !g.Publishing {
		return nil
	}
	return g.Open().End
}

// Sequence returns the sequence with this number, or nil.
func (g *Group) Sequence(number int) *GroupSequence {
	for i := range g.Sequences {
		if g.Sequences[i].Number == number {
			return &g.Sequences[i]
		}
	}
	return nil
}

// Done reports whether the group was told to finish and all that it read is committed.
func (g *Group) Done() bool {
	if !g.Publishing {
		return false
	}
	for i := range g.Sequences {
		q := &g.Sequences[i]
		if !q.Published && !q.Start.Equal(q.End) {
			return false
		}
	}
	return true
}

// Uncommitted returns what a task of the group has to do: its sequences from the first that is not committed.
func (g *Group) Uncommitted() []task.Sequence {
	var qs []task.Sequence
	for _, q := range g.Sequences {
		if !q.Published {
			qs = append(qs, q.Sequence)
		}
	}
	return qs
}

// SequenceName is Druid's name of a sequence: the base name and its number.
func SequenceName(base string, number int) string { return fmt.Sprintf("%s_%d", base, number) }

// IntervalKey names an interval in State.Intervals.
func IntervalKey(start, end int64) string { return fmt.Sprintf("%d/%d", start, end) }
