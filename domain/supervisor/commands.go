package supervisor

import (
	"encoding/json"
	"time"

	"ogham/domain/task"
)

// Command asks for a decision. The set is sealed.
type Command interface{ command() }

type cmd struct{}

func (cmd) command() {}

// SubmitSpec creates the supervisor, or updates it. Now is when.
type SubmitSpec struct {
	cmd
	Spec json.RawMessage
	// Stream is what the spec reads; KeptTopics are those of the state's topics that are of it.
	Stream     Stream
	KeptTopics []string
	Suspended  bool
	// SkipIfUnmodified leaves a supervisor alone whose spec is equal.
	SkipIfUnmodified bool
}

// SuspendSupervisor carries the spec with its suspended flag set, ResumeSupervisor the one without.
type SuspendSupervisor struct {
	cmd
	Spec json.RawMessage
}

// ResumeSupervisor is the reverse of SuspendSupervisor.
type ResumeSupervisor struct {
	cmd
	Spec json.RawMessage
}

// TerminateSupervisor ends it.
type TerminateSupervisor struct{ cmd }

// ResetSupervisor forgets the committed offsets.
type ResetSupervisor struct{ cmd }

// ResetOffsets sets committed offsets, or removes those of partitions.
type ResetOffsets struct {
	cmd
	Stream  string
	Offsets task.Offsets
	Remove  []task.Partition
}

// RequestHandoff asks groups to finish at the next run.
type RequestHandoff struct {
	cmd
	Numbers []int
}

// ScaleTasks gives the supervisor another taskCount, which Spec has. It is decided on what is known at SpecVersion.
type ScaleTasks struct {
	cmd
	SpecVersion        int
	Spec               json.RawMessage
	From, To           int
	Reason             string
	Samples            []LagSample
	Groups, Partitions int
}

// TakeLead records that Node leads from now on.
type TakeLead struct {
	cmd
	Node string
}

// Propose is one of the steps of a run that may move the machine.
type Propose struct {
	cmd
	Trigger string
}

// NotePartitions reports the partitions that the stream has now, and the ids of its topics. Topics that were made anew
// are passed over.
type NotePartitions struct {
	cmd
	Partitions []task.Partition
	TopicIDs   map[string]string
}

// EndRun ends a run with the errors that were met since the end of the run before.
type EndRun struct {
	cmd
	Errors []ErrorEvent
}

// FormGroup forms an active group where the number has none.
type FormGroup struct {
	cmd
	Key              string
	Number           int
	BaseSequenceName string
	Start            task.Offsets
	MinTime, MaxTime *int64
}

// CreateTask adds a task to an active group.
type CreateTask struct {
	cmd
	TaskID string
	Group  string
}

// AssignTask gives a pending task to a worker.
type AssignTask struct {
	cmd
	TaskID, WorkerID, Incarnation, Host string
	Port                                int
}

// StartTask records that the worker runs it.
type StartTask struct {
	cmd
	TaskID    string
	StartTime time.Time
}

// PauseTask lets a task that reads stand still where it is, until ResumeTask or the next end of its group's sequence.
type PauseTask struct {
	cmd
	TaskID string
}

// ResumeTask ends what PauseTask began.
type ResumeTask struct {
	cmd
	TaskID string
}

// Checkpoint closes the open sequence of a group at End; Final also tells the group to finish before Deadline.
type Checkpoint struct {
	cmd
	Group    string
	Sequence int
	End      task.Offsets
	Final    bool
	Deadline time.Time
	Reason   string
}

// AbandonGroup gives a group up, and with it all groups of its number that start where it would have ended.
type AbandonGroup struct {
	cmd
	Group  string
	Reason string
}

// AllocateSegments asks for identities. Version is the one that an interval gets that has none.
type AllocateSegments struct {
	cmd
	TaskID   string
	Sequence int
	Slots    []task.SegmentSlot
	Version  string
}

// PublishSegments commits a sequence.
type PublishSegments struct {
	cmd
	TaskID     string
	Sequence   int
	Start, End task.Offsets
	Segments   []task.Segment
}

// SucceedTask records the good end of a task.
type SucceedTask struct {
	cmd
	TaskID string
	Report *FinalReport
}

// FailTask records that a task failed. Killed says that it was ended from outside, and told nothing itself.
type FailTask struct {
	cmd
	TaskID, ErrorMsg string
	Killed           bool
	Report           *FinalReport
}

// StopTask records that a task is not wanted any more, or gone without its fault.
type StopTask struct {
	cmd
	TaskID, Reason string
	Report         *FinalReport
}
