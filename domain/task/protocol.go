package task

import (
	"encoding/json"
	"time"
)

// Sequence is a run of offsets of one task between two checkpoints. End is nil while the sequence is open.
type Sequence struct {
	Number int     `json:"number"`
	Start  Offsets `json:"start"`
	End    Offsets `json:"end,omitempty"`
}

// Assignment is all that a worker needs to run a task.
type Assignment struct {
	TaskID           string `json:"taskId"`
	SupervisorID     string `json:"supervisorId"`
	GroupNumber      int    `json:"groupNumber"`
	BaseSequenceName string `json:"baseSequenceName"`
	// Spec is the supervisor's canonical spec.
	Spec json.RawMessage `json:"spec"`
	// Sequences are those that are not committed yet, in order; the last one may be open.
	Sequences []Sequence `json:"sequences"`
	// TopicIDs are Kafka's ids of the topics to be read, by name: another topic of the same name is not read.
	TopicIDs map[string]string `json:"topicIds,omitempty"`
	// FormedAt is when the task's group was formed, and its bounds were set.
	FormedAt time.Time `json:"formedAt,omitzero"`
	// MinimumMessageTime and MaximumMessageTime bound rows, in milliseconds; nil is no bound.
	MinimumMessageTime *int64 `json:"minimumMessageTime,omitempty"`
	MaximumMessageTime *int64 `json:"maximumMessageTime,omitempty"`
}

// RunnerStatus is what a running task is doing, in Druid's words.
type RunnerStatus string

// The runner statuses of Druid's SeekableStreamIndexTaskRunner.
const (
	RunnerNotStarted RunnerStatus = "NOT_STARTED"
	RunnerStarting   RunnerStatus = "STARTING"
	RunnerReading    RunnerStatus = "READING"
	RunnerPaused     RunnerStatus = "PAUSED"
	RunnerPublishing RunnerStatus = "PUBLISHING"
)

// Counters are the row counters of a task (`buildSegments`).
type Counters struct {
	Processed          int64 `json:"processed"`
	ProcessedBytes     int64 `json:"processedBytes"`
	ProcessedWithError int64 `json:"processedWithError"`
	ThrownAway         int64 `json:"thrownAway"`
	Unparseable        int64 `json:"unparseable"`
}

// Rates are moving averages of Counters, per second.
type Rates struct {
	Processed          float64 `json:"processed"`
	ProcessedBytes     float64 `json:"processedBytes"`
	ProcessedWithError float64 `json:"processedWithError"`
	ThrownAway         float64 `json:"thrownAway"`
	Unparseable        float64 `json:"unparseable"`
}

// Stats are totals and moving averages over 1, 5 and 15 minutes.
type Stats struct {
	Totals Counters `json:"totals"`
	OneM   Rates    `json:"1m"`
	FiveM  Rates    `json:"5m"`
	Fifth  Rates    `json:"15m"`
}

// ParseException is a saved row or record that could not be (fully) ingested.
type ParseException struct {
	Input                 string    `json:"input"`
	ErrorType             string    `json:"errorType"`
	Details               []string  `json:"details"`
	TimeOfExceptionMillis int64     `json:"timeOfExceptionMillis"`
	Partition             Partition `json:"partition,omitempty"`
	Offset                int64     `json:"offset,omitempty"`
}

// Report is the state of one running task in a worker's heartbeat.
type Report struct {
	TaskID         string       `json:"taskId"`
	SupervisorID   string       `json:"supervisorId"`
	Status         RunnerStatus `json:"status"`
	StartTime      time.Time    `json:"startTime,omitzero"`
	CurrentOffsets Offsets      `json:"currentOffsets,omitempty"`
	// Sequences are the sequences as the task knows them, so that the overlord sees whether its orders arrived.
	Sequences []Sequence `json:"sequences,omitempty"`
	// Checkpointing is set while the task rests because its open sequence is full, and waits for its end.
	Checkpointing bool `json:"checkpointing,omitempty"`
	// Finishing is set once the task has been given its final end offsets.
	Finishing bool  `json:"finishing,omitempty"`
	Stats     Stats `json:"stats"`
}

// Heartbeat is what a worker says of itself about once a second on SubjectHeartbeat.
type Heartbeat struct {
	WorkerID string `json:"workerId"`
	// Incarnation differs for every start of the worker process: a task given to another incarnation is gone.
	Incarnation string `json:"incarnation"`
	Host        string `json:"host"`
	Port        int    `json:"port"`
	Version     string `json:"version"`
	Capacity    int    `json:"capacity"`
	Stopping    bool   `json:"stopping,omitempty"`
	// Disabled says that an operator lets the worker run dry: it takes no new tasks.
	Disabled bool     `json:"disabled,omitempty"`
	Tasks    []Report `json:"tasks"`
}

// Op is an order of the overlord to a worker about one task.
type Op string

// The orders. Each may be repeated without harm.
const (
	// OpAssign starts a task; a task that runs already is left alone.
	OpAssign Op = "assign"
	// OpPause answers with the offsets at which the task now rests.
	OpPause Op = "pause"
	// OpResume lets a paused task read on.
	OpResume Op = "resume"
	// OpSetEnd closes the open sequence at End; with Finish the task publishes and ends, else it opens the next.
	OpSetEnd Op = "setEnd"
	// OpStop ends a task without publishing.
	OpStop Op = "stop"
	// OpEnable and OpDisable let the worker take new tasks, or stop it from taking them; they are about no task.
	OpEnable  Op = "enable"
	OpDisable Op = "disable"
	// OpStats answers with row counters, averages and saved parse exceptions as of now. It changes nothing, so that anybody
	// may ask, whatever the epoch.
	OpStats Op = "stats"
)

// Order is a request to SubjectWorker.
type Order struct {
	Op    Op     `json:"op"`
	Epoch uint64 `json:"epoch"`
	// Number counts the orders to the tasks of a supervisor that make them rest, read on or end, within the epoch and in
	// the order in which they were decided, from 1: they may arrive in another. 0 is an order without a place.
	Number     uint64      `json:"number,omitempty"`
	TaskID     string      `json:"taskId"`
	Assignment *Assignment `json:"assignment,omitempty"`
	Sequence   int         `json:"sequence,omitempty"`
	End        Offsets     `json:"end,omitempty"`
	Finish     bool        `json:"finish,omitempty"`
	Reason     string      `json:"reason,omitempty"`
}

// OrderReply answers an Order. Code is empty on success.
type OrderReply struct {
	Code            string           `json:"code,omitempty"`
	Message         string           `json:"message,omitempty"`
	Offsets         Offsets          `json:"offsets,omitempty"`
	Report          *Report          `json:"report,omitempty"`
	ParseExceptions []ParseException `json:"parseExceptions,omitempty"`
	// RecordsProcessed are the rows added per partition (stats).
	RecordsProcessed map[Partition]int64 `json:"recordsProcessed,omitempty"`
}

// Codes of a refused Order.
const (
	// CodeUnknownTask: no such task runs here.
	CodeUnknownTask = "unknownTask"
	// CodeNoCapacity: every slot is taken.
	CodeNoCapacity = "noCapacity"
	// CodeStaleEpoch: the order comes from a leader that is none any more.
	CodeStaleEpoch = "staleEpoch"
	// CodeRefused: the task cannot do that now; Message says why.
	CodeRefused = "refused"
	// CodeEnd: the task can never end there, because it has read past it or was told another end. It is to be replaced.
	CodeEnd = "end"
	// CodeOvertaken: a later order has come before this one, and counts.
	CodeOvertaken = "overtaken"
)

// Control is what a client asks of one running task, as it would ask Druid's chat handler. The leader decides it, so that
// the log tells what was done to the task: a node that does not lead passes it on.
type Control struct {
	Op           ControlOp `json:"op"`
	SupervisorID string    `json:"supervisorId"`
	TaskID       string    `json:"taskId"`
	// End and Finish are those of ControlSetEnd.
	End    Offsets `json:"end,omitempty"`
	Finish bool    `json:"finish,omitempty"`
}

// ControlOp names a Control.
type ControlOp string

// The controls.
const (
	ControlPause  ControlOp = "pause"
	ControlResume ControlOp = "resume"
	// ControlSetEnd gives the open sequence of the task's whole group its end.
	ControlSetEnd ControlOp = "setEnd"
	ControlStop   ControlOp = "stop"
	// ControlShutdown fails the task, as a worker's own route does.
	ControlShutdown ControlOp = "shutdown"
)

// ControlReply answers a Control. Code is empty on success.
type ControlReply struct {
	Code    string  `json:"code,omitempty"`
	Message string  `json:"message,omitempty"`
	Offsets Offsets `json:"offsets,omitempty"`
}

// Codes of a refused Control, beside CodeUnknownTask, CodeRefused and CodeRetry.
const (
	// CodeAccepted: it is decided, and the task has not followed yet.
	CodeAccepted = "accepted"
	// CodeState: the task is in no state for that.
	CodeState = "state"
)

// SegmentSlot asks for the identity of one segment of a sequence.
type SegmentSlot struct {
	// Start and End bound the segment's interval, milliseconds, end exclusive.
	Start int64 `json:"start"`
	End   int64 `json:"end"`
	// Ordinal counts the segments of one sequence in one interval, from 0.
	Ordinal int `json:"ordinal"`
}

// SegmentIdentity is what a slot was given: the segment's interval, which may be wider than the slot's where segments of
// a coarser granularity are there already, its version and its partition number.
type SegmentIdentity struct {
	SegmentSlot
	IntervalStart int64  `json:"intervalStart"`
	IntervalEnd   int64  `json:"intervalEnd"`
	Version       string `json:"version"`
	PartitionNum  int    `json:"partitionNum"`
}

// Segment is a segment in deep storage, ready to be published.
type Segment struct {
	ID           string          `json:"id"`
	Start        int64           `json:"start"`
	End          int64           `json:"end"`
	Version      string          `json:"version"`
	PartitionNum int             `json:"partitionNum"`
	Dimensions   []string        `json:"dimensions"`
	Metrics      []string        `json:"metrics"`
	Size         int64           `json:"size"`
	Rows         int64           `json:"rows"`
	LoadSpec     json.RawMessage `json:"loadSpec"`
}

// Notice kinds: what a task tells the leader.
const (
	NoticeStarted    = "started"
	NoticeCheckpoint = "checkpoint"
	NoticeAllocate   = "allocate"
	NoticePublish    = "publish"
	// NoticeReset: a record that the task is to read next is gone, and the spec asks for a reset in that case.
	NoticeReset     = "reset"
	NoticeSucceeded = "succeeded"
	NoticeFailed    = "failed"
	// NoticeStopped: the worker ends the task in good order without publishing, because it is shutting down.
	NoticeStopped = "stopped"
)

// Notice is a request from a task to the leader on SubjectNotice. It may be repeated without harm until answered.
type Notice struct {
	Kind         string `json:"kind"`
	SupervisorID string `json:"supervisorId"`
	TaskID       string `json:"taskId"`
	WorkerID     string `json:"workerId"`
	Incarnation  string `json:"incarnation"`
	// Sequence is the number of the sequence that checkpoint, allocate and publish are about.
	Sequence int `json:"sequence,omitempty"`
	// Start and End are the sequence's offsets (publish); Start alone holds the offsets that are gone (reset).
	Start Offsets `json:"start,omitempty"`
	End   Offsets `json:"end,omitempty"`
	// Slots is what allocate asks for.
	Slots []SegmentSlot `json:"slots,omitempty"`
	// Segments is what publish commits; empty where the offsets moved and no row was kept.
	Segments []Segment `json:"segments,omitempty"`
	// ErrorMsg says why the task failed.
	ErrorMsg string `json:"errorMsg,omitempty"`
	// Stats and ParseExceptions are the final ones (succeeded, failed), RecordsProcessed rows added per partition.
	Stats            *Stats              `json:"stats,omitempty"`
	ParseExceptions  []ParseException    `json:"parseExceptions,omitempty"`
	RecordsProcessed map[Partition]int64 `json:"recordsProcessed,omitempty"`
}

// NoticeReply answers a Notice. Code is empty on success.
type NoticeReply struct {
	Code       string            `json:"code,omitempty"`
	Message    string            `json:"message,omitempty"`
	Identities []SegmentIdentity `json:"identities,omitempty"`
	// AlreadyPublished says that another copy of the sequence was committed first, with these segments: the asker
	// deletes its own where they lie elsewhere.
	AlreadyPublished bool      `json:"alreadyPublished,omitempty"`
	Segments         []Segment `json:"segments,omitempty"`
}

// Codes of a refused Notice. A worker tries again on CodeRetry, a time-out or no answer, and gives up on the others.
const (
	// CodeRetry: not now (no leader, the log is not writable, an earlier sequence is not committed yet).
	CodeRetry = "retry"
	// CodeGone: the leader does not know the task, or knows it as ended: throw its work away and stop.
	CodeGone = "gone"
	// CodeConflict: the sequence's start offsets are not the committed ones: throw its work away and fail.
	CodeConflict = "conflict"
)

// Beacon is published by the leader about once a second on SubjectBeacon, and answered on SubjectWho.
type Beacon struct {
	Epoch uint64 `json:"epoch"`
	Node  string `json:"node"`
	URL   string `json:"url"`
}

// Subjects of the overlord's and the workers' conversation. None of them is stored.
const (
	SubjectBeacon          = "ogham.rt.leader"
	SubjectWho             = "ogham.rt.leader.who"
	SubjectHeartbeatPrefix = "ogham.rt.heartbeat."
	SubjectWorkerPrefix    = "ogham.rt.worker."
	SubjectNoticePrefix    = "ogham.rt.notice."
	// SubjectControl is answered by the leader alone.
	SubjectControl = "ogham.rt.control"
)
