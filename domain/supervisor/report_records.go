package supervisor

import (
	"encoding/json"
	"time"

	"ogham/domain/task"
)

// Summary is what a list of supervisors shows of one.
type Summary struct {
	ID        string
	Detailed  string
	Suspended bool
	// Stream is the topic or the pattern.
	Stream string
	// Spec is the canonical spec; it is shared and must not be changed.
	Spec json.RawMessage
}

// Version is one entry of a supervisor's history: a spec, or the tombstone of a termination.
type Version struct {
	Spec    json.RawMessage `json:"spec"`
	Version Instant         `json:"version"`
}

// TaskRecord is what is kept of a task, also after its end.
type TaskRecord struct {
	ID               string       `json:"id"`
	SupervisorID     string       `json:"supervisorId"`
	GroupKey         string       `json:"groupKey"`
	GroupNumber      int          `json:"groupNumber"`
	BaseSequenceName string       `json:"baseSequenceName"`
	Start            task.Offsets `json:"start"`
	// MinTime and MaxTime bound its messages, in milliseconds; nil is no bound.
	MinTime *int64 `json:"minTime,omitempty"`
	MaxTime *int64 `json:"maxTime,omitempty"`
	// State is the task machine's.
	State       string    `json:"state"`
	WorkerID    string    `json:"workerId,omitempty"`
	Host        string    `json:"host,omitempty"`
	Port        int       `json:"port,omitempty"`
	CreatedAt   time.Time `json:"createdAt"`
	AssignedAt  time.Time `json:"assignedAt,omitzero"`
	StartedAt   time.Time `json:"startedAt,omitzero"`
	EndedAt     time.Time `json:"endedAt,omitzero"`
	EndSequence uint64    `json:"endSequence,omitempty"`
	ErrorMsg    string    `json:"errorMsg,omitempty"`
	// Stopped says that the task was ended because it was not wanted any more.
	Stopped bool `json:"stopped,omitempty"`
	// Killed says that the task failed because it was ended from outside.
	Killed bool         `json:"killed,omitempty"`
	Report *FinalReport `json:"report,omitempty"`
	// Spec is the canonical spec that the task was made from; it is shared and must not be changed.
	Spec json.RawMessage `json:"-"`
}

// Ended reports whether the task is over.
func (t *TaskRecord) Ended() bool { return task.Final(t.State) }

// PastError is a failure that is remembered longer than the status report shows it.
type PastError struct {
	// LogSequence is the place in the log of the event that told it.
	LogSequence uint64 `json:"logSequence"`
	// TaskID is set where a task failed, and not a run of the supervisor.
	TaskID string `json:"taskId,omitempty"`
	ErrorEntry
}

// LagPoint is the lag of a supervisor at one time, in records over all partitions.
type LagPoint struct {
	At    Instant `json:"at"`
	Total int64   `json:"total"`
	Max   int64   `json:"max"`
}
