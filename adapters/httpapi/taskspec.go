package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// taskPayload is a Kafka task as Druid writes it.
type taskPayload struct {
	Type         string          `json:"type"`
	ID           string          `json:"id"`
	Resource     taskResource    `json:"resource"`
	DataSchema   json.RawMessage `json:"dataSchema"`
	TuningConfig json.RawMessage `json:"tuningConfig"`
	IOConfig     taskIO          `json:"ioConfig"`
	Context      map[string]any  `json:"context"`
	GroupID      string          `json:"groupId"`
	DataSource   string          `json:"dataSource"`
}

type taskResource struct {
	AvailabilityGroup string `json:"availabilityGroup"`
	RequiredCapacity  int    `json:"requiredCapacity"`
}

type taskIO struct {
	Type                 string          `json:"type"`
	TaskGroupID          int             `json:"taskGroupId"`
	BaseSequenceName     string          `json:"baseSequenceName"`
	StartPartitions      seekable        `json:"startPartitions"`
	EndPartitions        seekable        `json:"endPartitions"`
	StartSequenceNumbers seekable        `json:"startSequenceNumbers"`
	EndSequenceNumbers   seekable        `json:"endSequenceNumbers"`
	ConsumerProperties   json.RawMessage `json:"consumerProperties"`
	PollTimeout          int64           `json:"pollTimeout"`
	UseTransaction       bool            `json:"useTransaction"`
	MinimumMessageTime   string          `json:"minimumMessageTime,omitempty"`
	MaximumMessageTime   string          `json:"maximumMessageTime,omitempty"`
	InputFormat          json.RawMessage `json:"inputFormat"`
	ConfigOverrides      any             `json:"configOverrides"`
	MultiTopic           bool            `json:"multiTopic"`
	// RefreshRejectionPeriodsInMinutes is Druid's name of the task duration.
	RefreshRejectionPeriodsInMinutes int64 `json:"refreshRejectionPeriodsInMinutes"`
}

// seekable is Druid's form of offsets, under both the new names and the old.
type seekable struct {
	Type                       string       `json:"type"`
	Stream                     string       `json:"stream"`
	Topic                      string       `json:"topic"`
	PartitionSequenceNumberMap task.Offsets `json:"partitionSequenceNumberMap"`
	PartitionOffsetMap         task.Offsets `json:"partitionOffsetMap"`
	ExclusivePartitions        *[]string    `json:"exclusivePartitions,omitempty"`
}

func seekableOf(kind, stream string, o task.Offsets) seekable {
	q := seekable{Type: kind, Stream: stream, Topic: stream, PartitionSequenceNumberMap: o, PartitionOffsetMap: o}
	if kind == "start" {
		q.ExclusivePartitions = &[]string{}
	}
	return q
}

// taskSpec answers the task as Druid would have made it from the supervisor's spec of its time.
func (s *Server) taskSpec(c echo.Context) error {
	t, ok := s.cfg.Views.Task(segment(c, "id"))
	if !ok {
		return c.NoContent(http.StatusNotFound)
	}
	p, err := payloadOf(t)
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, struct {
		Task    string      `json:"task"`
		Payload taskPayload `json:"payload"`
	}{t.ID, p})
}

func payloadOf(t supervisor.TaskRecord) (taskPayload, error) {
	parsed, err := spec.Parse(t.Spec)
	if err != nil {
		//nolint:errorlint // not wrapped: the spec was accepted when the task was made, the refusal is not the client's
		return taskPayload{}, fmt.Errorf("read the spec of task %s: %s", t.ID, err)
	}
	io, stream := parsed.IOConfig, parsed.IOConfig.Stream()
	end := make(task.Offsets, len(t.Start))
	for p := range t.Start {
		end[p] = task.NoEnd
	}
	return taskPayload{
		Type: taskType, ID: t.ID, Resource: taskResource{t.BaseSequenceName, 1},
		DataSchema: parsed.DataSchemaJSON(), TuningConfig: parsed.TaskTuningConfig(),
		IOConfig: taskIO{
			Type: "kafka", TaskGroupID: t.GroupNumber, BaseSequenceName: t.BaseSequenceName,
			StartPartitions: seekableOf("end", stream, t.Start), EndPartitions: seekableOf("end", stream, end),
			StartSequenceNumbers: seekableOf("start", stream, t.Start), EndSequenceNumbers: seekableOf("end", stream, end),
			ConsumerProperties: io.ConsumerPropertiesRaw, PollTimeout: io.PollTimeout.Milliseconds(), UseTransaction: true,
			MinimumMessageTime: bound(t.MinTime), MaximumMessageTime: bound(t.MaxTime),
			InputFormat: io.InputFormat.Raw, MultiTopic: io.IsPattern(),
			RefreshRejectionPeriodsInMinutes: int64(io.TaskDuration / time.Minute),
		},
		Context: taskContext(t, parsed), GroupID: groupID(t.SupervisorID), DataSource: t.SupervisorID,
	}, nil
}

// bound shows a bound of message times; empty is none.
func bound(ms *int64) string {
	if ms == nil {
		return ""
	}
	return instant(time.UnixMilli(*ms))
}

// taskContext is the context of the spec with what a supervisor adds to it.
func taskContext(t supervisor.TaskRecord, parsed *spec.Supervisor) map[string]any {
	all := map[string]any{}
	if parsed != nil && parsed.Context != nil {
		var given map[string]json.RawMessage
		_ = json.Unmarshal(parsed.Context, &given) // it was read when the spec was
		for name, value := range given {
			all[name] = value
		}
	}
	if _, given := all["forceTimeChunkLock"]; !given {
		all["forceTimeChunkLock"] = true
	}
	// Offsets always encode.
	checkpoints, _ := json.Marshal(map[string]task.Offsets{"0": t.Start})
	all["checkpoints"], all["useLineageBasedSegmentAllocation"], all["IS_INCREMENTAL_HANDOFF_SUPPORTED"] = string(checkpoints), true, true
	return all
}

// report is one part of a task's reports.
type report struct {
	Type    string `json:"type"`
	TaskID  string `json:"taskId"`
	Payload any    `json:"payload"`
}

// finalPayload is what an ended task reports.
type finalPayload struct {
	IngestionState                string           `json:"ingestionState"`
	UnparseableEvents             map[string]any   `json:"unparseableEvents"`
	RowStats                      counters         `json:"rowStats"`
	ErrorMsg                      *string          `json:"errorMsg"`
	SegmentAvailabilityConfirmed  bool             `json:"segmentAvailabilityConfirmed"`
	SegmentAvailabilityWaitTimeMs int64            `json:"segmentAvailabilityWaitTimeMs"`
	RecordsProcessed              map[string]int64 `json:"recordsProcessed"`
}

// livePayload is what a running task reports.
type livePayload struct {
	IngestionState    string         `json:"ingestionState"`
	UnparseableEvents map[string]any `json:"unparseableEvents"`
	RowStats          rowStats       `json:"rowStats"`
}

const (
	stateBuilding  = "BUILD_SEGMENTS"
	stateCompleted = "COMPLETED"
	reportType     = "ingestionStatsAndErrors"
)

func (s *Server) taskReports(c echo.Context) error {
	t, ok := s.cfg.Views.Task(segment(c, "id"))
	switch {
	case !ok:
		return c.NoContent(http.StatusNotFound)
	case !t.Ended():
		return s.liveReport(c, t)
	case t.Report == nil:
		return noReports(c)
	}
	parsed, err := spec.Parse(t.Spec)
	if err != nil {
		parsed = nil // of an older version; the report does not depend on it
	}
	return writeJSON(c, http.StatusOK, map[string]report{
		reportType:    {reportType, t.ID, finalPayloadOf(t)},
		"taskContext": {"taskContext", t.ID, taskContext(t, parsed)},
	})
}

// finalPayloadOf shows what an ended task had told.
func finalPayloadOf(t supervisor.TaskRecord) finalPayload {
	p := finalPayload{
		IngestionState: stateBuilding, ErrorMsg: entryOf(t).ErrorMsg, RecordsProcessed: map[string]int64{},
	}
	p.UnparseableEvents = unparseableEvents(t, t.Report.ParseExceptions)
	if t.State == task.StateSuccess {
		p.IngestionState, p.SegmentAvailabilityConfirmed = stateCompleted, true // Druid's word for an end without an error
	}
	p.RowStats.BuildSegments = t.Report.Stats.Totals
	for part, n := range t.Report.RecordsProcessed {
		p.RecordsProcessed[part.DruidText()] = n
	}
	return p
}

// noReports answers where a task never told anything.
func noReports(c echo.Context) error {
	return write(c, http.StatusNotFound, mimeJSON, []byte("No task reports were found for this task. The task may not exist, or it may not have completed yet."))
}

// liveReport answers what the running task says of itself, 404 where it has no place yet or does not answer.
func (s *Server) liveReport(c echo.Context, t supervisor.TaskRecord) error {
	if t.WorkerID == "" {
		return noReports(c)
	}
	ctx, cancel := s.bound(c)
	defer cancel()
	reply, err := s.cfg.Overlord.Ask(ctx, t.WorkerID, t.ID)
	if err != nil {
		return noReports(c)
	}
	return writeJSON(c, http.StatusOK, liveReportOf(t, reply))
}
