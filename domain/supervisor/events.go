package supervisor

import (
	"encoding/json"
	"time"

	"ogham/domain/task"
)

// Transition says how an event moved a machine.
type Transition struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Trigger string `json:"trigger"`
}

// TaskMove is the transition of one of the tasks that an event of their group moved.
type TaskMove struct {
	TaskID string `json:"taskId"`
	Transition
}

// Event is a fact about a supervisor or one of its tasks. The set is sealed.
type Event interface {
	event()
	// Moved returns the transition of the event's own machine, nil where it moved none.
	Moved() *Transition
}

// Recorded is an event as the log holds it.
type Recorded struct {
	Sequence uint64
	ID       string
	Time     time.Time
	Epoch    uint64
	Event    Event
}

// Base is what every event has.
type Base struct {
	Transition *Transition `json:"transition,omitempty"`
}

func (Base) event() {}

// Moved implements Event.
func (b Base) Moved() *Transition { return b.Transition }

// SupervisorCreated says that a spec was accepted for an id that no supervisor had.
type SupervisorCreated struct {
	Base
	Spec json.RawMessage `json:"spec"`
	// Stream is the topic; with MultiTopic it is a pattern.
	Stream     string `json:"stream"`
	MultiTopic bool   `json:"multiTopic,omitempty"`
	// KeptTopics are the topics that were read before and that this stream reads too: it goes on from their offsets.
	KeptTopics []string `json:"keptTopics,omitempty"`
	Suspended  bool     `json:"suspended,omitempty"`
}

// SpecUpdated says that the supervisor goes on with another spec; its groups of the older one finish. Unchanged tells
// that the spec is equal to the one before (Druid restarts the supervisor, but adds nothing to its history).
type SpecUpdated struct {
	Base
	Spec json.RawMessage `json:"spec"`
	// Stream is the topic; with MultiTopic it is a pattern.
	Stream     string `json:"stream"`
	MultiTopic bool   `json:"multiTopic,omitempty"`
	// KeptTopics are the topics that were read before and that this stream reads too: it goes on from their offsets.
	KeptTopics []string `json:"keptTopics,omitempty"`
	Suspended  bool     `json:"suspended,omitempty"`
	Unchanged  bool     `json:"unchanged,omitempty"`
}

// SupervisorSuspended says that the supervisor stops reading; what was read is published.
type SupervisorSuspended struct {
	Base
	Spec json.RawMessage `json:"spec"`
}

// SupervisorResumed says that the supervisor reads again.
type SupervisorResumed struct {
	Base
	Spec json.RawMessage `json:"spec"`
}

// SupervisorTerminated says that the supervisor is gone for its users; its groups finish.
type SupervisorTerminated struct{ Base }

// SupervisorReset says that the committed offsets were forgotten and all groups given up.
type SupervisorReset struct{ Base }

// OffsetsReset says that committed offsets were set, and the groups of these partitions given up. Removed partitions
// have no committed offset any more.
type OffsetsReset struct {
	Base
	Offsets task.Offsets     `json:"offsets,omitempty"`
	Removed []task.Partition `json:"removed,omitempty"`
}

// ScaleDecided says that an autoscaler gave the supervisor another taskCount, which Spec has; its groups finish, and the
// next ones share the partitions anew.
type ScaleDecided struct {
	Base
	Spec json.RawMessage `json:"spec"`
	From int             `json:"fromTaskCount"`
	To   int             `json:"toTaskCount"`
	// Reason is a sentence for people; the decision can be made again from what follows.
	Reason string `json:"reason"`
	// Samples are the lags that it was made from, oldest first. Groups is the number of active groups, Partitions that of
	// the partitions at that moment.
	Samples    []LagSample `json:"samples"`
	Groups     int         `json:"activeGroups"`
	Partitions int         `json:"partitions"`
}

// LagSample is the lag of a supervisor at one moment, in records, as its autoscaler aggregates it.
type LagSample struct {
	At  time.Time `json:"at"`
	Lag int64     `json:"lag"`
}

// LeaderElected says that another leader decides for the supervisor from here on; the fence of the one before is broken.
type LeaderElected struct {
	Base
	Node string `json:"node"`
}

// RunStepCompleted says that a step of a run changed the machine or the health.
type RunStepCompleted struct {
	Base
	Step   string `json:"step"`
	Health Counts `json:"health"`
}

// RunFailed says that a run ended with errors, oldest first.
type RunFailed struct {
	Base
	Errors []ErrorEvent `json:"errors"`
	// Keep is the number of errors that recentErrors holds.
	Keep   int    `json:"keep"`
	Health Counts `json:"health"`
}

// RunRecovered says that a run succeeded after one that failed.
type RunRecovered struct {
	Base
	Health Counts `json:"health"`
}

// PartitionsChanged says that partitions, or topics, were found that the supervisor did not know.
type PartitionsChanged struct {
	Base
	Added []task.Partition `json:"added"`
	// Late is set for partitions found after the first discovery.
	Late bool `json:"late,omitempty"`
	// Removed are partitions that a topic had before it was made anew, and has no more.
	Removed []task.Partition `json:"removed,omitempty"`
	// TopicIDs are Kafka's ids of topics that were found, by name: what is read from here on is of these topics, and of
	// no others that have their names.
	TopicIDs map[string]string `json:"topicIds,omitempty"`
}

// TaskGroupFormed says that a group of partitions will be read from Start on.
type TaskGroupFormed struct {
	Base
	Key              string       `json:"key"`
	Number           int          `json:"number"`
	BaseSequenceName string       `json:"baseSequenceName"`
	Start            task.Offsets `json:"start"`
	MinTime          *int64       `json:"minimumMessageTime,omitempty"`
	MaxTime          *int64       `json:"maximumMessageTime,omitempty"`
}

// TaskGroupAbandoned says that a group was given up: what it read and did not commit is read again.
type TaskGroupAbandoned struct {
	Base
	// Groups are the keys of all that are given up for this reason.
	Groups []string `json:"groups"`
	Reason string   `json:"reason"`
}

// CheckpointReached says that the open sequence of a group is closed at End and the next one begins there.
type CheckpointReached struct {
	Base
	Group    string       `json:"group"`
	Number   int          `json:"number"`
	Sequence int          `json:"sequence"`
	End      task.Offsets `json:"end"`
}

// PublishingStarted says that a group was told to finish at End.
type PublishingStarted struct {
	Base
	Group    string       `json:"group"`
	Number   int          `json:"number"`
	Sequence int          `json:"sequence"`
	End      task.Offsets `json:"end"`
	Deadline time.Time    `json:"deadline"`
	Reason   string       `json:"reason"`
	// Tasks are those that now publish. A task of the group that never began is not wanted any more.
	Tasks []TaskMove `json:"tasks"`
}

// HandoffRequested says that a user asked for groups to finish before their time.
type HandoffRequested struct {
	Base
	Numbers []int `json:"taskGroupIds"`
}

// SegmentsAllocated says which identities the segments of a sequence have.
type SegmentsAllocated struct {
	Base
	TaskID       string                 `json:"taskId"`
	SequenceName string                 `json:"sequenceName"`
	Identities   []task.SegmentIdentity `json:"identities"`
}

// SegmentsPublished is the one commit point: the segments hold exactly the records from Start to End. Partitions have the
// names that they have in Stream, which the supervisor reads at that moment; where it reads their topic no more they have
// its name in front.
type SegmentsPublished struct {
	Base
	Group        string         `json:"group"`
	Number       int            `json:"number"`
	TaskID       string         `json:"taskId"`
	Sequence     int            `json:"sequence"`
	SequenceName string         `json:"sequenceName"`
	Stream       string         `json:"stream"`
	Start        task.Offsets   `json:"start"`
	End          task.Offsets   `json:"end"`
	Segments     []task.Segment `json:"segments,omitempty"`
}

// TaskBase is what every event of a task has; its Transition is the task's.
type TaskBase struct {
	Base
	TaskID string `json:"taskId"`
}

// TaskCreated says that a group got one more task.
type TaskCreated struct {
	TaskBase
	Group            string       `json:"group"`
	GroupNumber      int          `json:"groupNumber"`
	BaseSequenceName string       `json:"baseSequenceName"`
	Start            task.Offsets `json:"start"`
	// MinTime and MaxTime are the group's bounds of messages, in milliseconds; nil is no bound.
	MinTime *int64 `json:"minimumMessageTime,omitempty"`
	MaxTime *int64 `json:"maximumMessageTime,omitempty"`
}

// TaskAssigned says which worker was told to run a task.
type TaskAssigned struct {
	TaskBase
	WorkerID    string `json:"workerId"`
	Incarnation string `json:"incarnation"`
	Host        string `json:"host"`
	Port        int    `json:"port"`
}

// TaskStarted says that a worker runs the task.
type TaskStarted struct {
	TaskBase
	StartTime time.Time `json:"startTime"`
}

// TaskPaused says that a user made a task stand still. It reads on when it is resumed, or when its group's open sequence
// gets its end.
type TaskPaused struct{ TaskBase }

// TaskResumed says that a task that a user paused reads on.
type TaskResumed struct{ TaskBase }

// TaskSucceeded says that all that the task was told to read is committed. Its group is done.
type TaskSucceeded struct {
	TaskBase
	Health Counts       `json:"health"`
	Report *FinalReport `json:"report,omitempty"`
}

// TaskFailed says that a task ended by its own fault or its worker's; it counts against the tasks' health.
type TaskFailed struct {
	TaskBase
	Health   Counts `json:"health"`
	ErrorMsg string `json:"errorMsg"`
	// Killed says that the task was ended from outside: by a user, or with its worker.
	Killed bool         `json:"killed,omitempty"`
	Report *FinalReport `json:"report,omitempty"`
}

// TaskStopped says that a task was ended because it was not wanted any more; it counts neither way. A replica whose work
// another one had committed has succeeded by it.
type TaskStopped struct {
	TaskBase
	Reason string       `json:"reason"`
	Report *FinalReport `json:"report,omitempty"`
}

// FinalReport is what a task had counted when it ended.
type FinalReport struct {
	Stats            task.Stats               `json:"stats"`
	RecordsProcessed map[task.Partition]int64 `json:"recordsProcessed,omitempty"`
	ParseExceptions  []task.ParseException    `json:"parseExceptions,omitempty"`
}
