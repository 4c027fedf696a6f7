package httpapi

import (
	"context"
	"encoding/json"
	"time"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

// Overlord takes the commands. A command is answered once its events are durable and the read models behind [Views] have
// applied them, so that who asks next sees what was done. A refusal is a *supervisor.Refusal. A node that does not lead
// refuses commands with an error that has the method NotLeader, see [NotLeader].
type Overlord interface {
	// Submit creates the supervisor of the spec's id, or updates it.
	Submit(ctx context.Context, s *spec.Supervisor, skipIfUnmodified bool) error
	// Suspend and Resume answer the canonical spec that now holds.
	Suspend(ctx context.Context, id string) (json.RawMessage, error)
	Resume(ctx context.Context, id string) (json.RawMessage, error)
	Terminate(ctx context.Context, id string) error
	Reset(ctx context.Context, id string) error
	// ResetOffsets sets the committed offsets of the partitions given.
	ResetOffsets(ctx context.Context, id, stream string, offsets task.Offsets) error
	// Handoff asks task groups to publish early; unknown numbers are no error.
	Handoff(ctx context.Context, id string, groups []int) error

	// Measurements returns what was measured of a supervisor last; the zero value where nothing was. It does not block.
	Measurements(id string) supervisor.Measurements
	// Stats asks the running tasks for their counters, by group number and task id. A task that does not answer is left
	// out.
	Stats(ctx context.Context, id string) (map[int]map[string]task.Stats, error)
	// ParseErrors returns the saved parse errors of the running tasks, newest first.
	ParseErrors(ctx context.Context, id string) ([]task.ParseException, error)

	// Ask asks a running task of a worker what it does and what it counted; the Report of the answer is never nil. Every
	// node may. The error has the method NotRunning where nobody runs the task.
	Ask(ctx context.Context, worker, taskID string) (task.OrderReply, error)
	// Control carries out what a client asks of a running task. A node that does not lead passes it on.
	Control(ctx context.Context, c task.Control) (task.ControlReply, error)
	// Shutdown fails a task and has it stopped; one that has ended is left as it is.
	Shutdown(ctx context.Context, supervisorID, taskID string) error

	// SetWorkerEnabled lets the worker at host:port take new tasks, or stops it from taking them; false where there is none.
	SetWorkerEnabled(ctx context.Context, host string, on bool) (bool, error)

	// IsLeader says whether this node leads; LeaderURL is the leader's base URL, empty where none is known.
	IsLeader() bool
	LeaderURL() string
	// Workers returns the last heartbeat of each worker that is alive.
	Workers() []task.Heartbeat
}

// NotLeader is implemented by the error of a command that only the leader takes. The URL is the leader's, or empty.
type NotLeader interface{ NotLeader() (leaderURL string) }

// NotRunning is implemented by the error of a question to a task that nobody runs.
type NotRunning interface{ NotRunning() }

// Worker is the worker of this process.
type Worker interface {
	// Host is its name and port as /workers shows it.
	Host() string
	// Running are the ids of its tasks, sorted.
	Running() []string
	// Enabled says whether it takes new tasks, SetEnabled lets it or stops it from taking them. Running tasks go on.
	Enabled() bool
	SetEnabled(on bool)
}

// TaskLogs gives what tasks wrote, wherever it is kept.
type TaskLogs interface {
	// Read returns what a task wrote from an offset on, not all at once; a negative offset counts from the end. Node is the
	// worker that ran it, empty where none did. It is false where nobody that answers has the log.
	Read(ctx context.Context, taskID, node string, offset int64) (LogPart, bool, error)
}

// LogPart is a part of a task's log: Data begins at Start, and the whole log has Size bytes now. It is an alias of a plain
// struct, so that who keeps the logs needs no conversion.
type LogPart = struct {
	Start int64
	Size  int64
	Data  []byte
}

// RetryAfter is implemented by an error that passes by itself.
type RetryAfter interface{ RetryAfter() time.Duration }

// Views are the read models. What they return is the caller's, except where a type says that it is shared. They answer
// from memory.
type Views interface {
	// Supervisors returns those that exist, by id.
	Supervisors() []supervisor.Summary
	Supervisor(id string) (supervisor.Summary, bool)
	// Status builds the report of a supervisor that exists.
	Status(id string, m supervisor.Measurements, now time.Time) (supervisor.StatusReport, bool)
	// History returns the versions of a supervisor, newest first; false where the id was never used.
	History(id string) ([]supervisor.Version, bool)
	// HistoryIDs returns every id that was ever used, sorted.
	HistoryIDs() []string
	// RecentErrors returns the failures of a supervisor that are still remembered, oldest first.
	RecentErrors(id string) []supervisor.PastError
	// Tasks returns all that are kept: those that run in the order of their creation, then the ended ones, newest first.
	Tasks() []supervisor.TaskRecord
	Task(id string) (supervisor.TaskRecord, bool)
	// Committed returns the committed offsets of a supervisor.
	Committed(id string) (stream string, offsets task.Offsets)
	// Lag returns the samples of a supervisor, oldest first.
	Lag(id string) []supervisor.LagPoint
}

// Log gives the events. *eventstore.Store is one.
type Log interface {
	// Replay hands over the query's events up to what was last when it began.
	Replay(ctx context.Context, q eventstore.Query, fn func(eventstore.Event) error) error
	// Tail does the same and then follows, until the context ends or fn fails.
	Tail(ctx context.Context, q eventstore.Query, fn func(eventstore.Event) error) error
}
