package supervisor_test

import (
	"encoding/json"
	"testing"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

var reportFacts = supervisor.SpecFacts{DataSource: "edits", Stream: "edits_topic", Replicas: 1, DurationSeconds: 60}

func TestReportIsDruidsJSON(t *testing.T) {
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	now := at("2026-11-23T15:28:12.334Z")
	pending := supervisor.NewState("edits")
	pending.Detailed = supervisor.StatePending

	running := supervisor.NewState("edits")
	running.Detailed = supervisor.StateRunning
	running.Partitions = []task.Partition{"0", "1"}
	running.Committed = task.Offsets{"1": 400}
	running.Active = map[int]*supervisor.Group{0: {Key: "b", Start: task.Offsets{"0": 0, "1": 0}, TaskIDs: []string{"t2", "t3"}}}
	running.Pending = []*supervisor.Group{{
		Key: "a", Start: task.Offsets{"0": 0}, TaskIDs: []string{"t1"}, Publishing: true, Deadline: now.Add(90 * time.Second),
		Sequences: []supervisor.GroupSequence{{Sequence: task.Sequence{End: task.Offsets{"0": 300}}}},
	}}
	running.Tasks = map[string]*supervisor.Task{"t1": {ID: "t1"}, "t2": {ID: "t2", StartedAt: at("2026-11-23T15:28:04.718Z")}, "t3": {ID: "t3"}}
	running.Health.RecentErrors = []supervisor.ErrorEvent{{Timestamp: now.UnixMilli(), ExceptionClass: "X", Message: "m", StreamException: true}}
	measured := supervisor.Measurements{
		Latest: task.Offsets{"0": 1000, "1": 1000}, LatestAt: at("2026-11-23T15:28:12.1Z"),
		Tasks: map[string]supervisor.TaskMeasure{"t2": {Current: task.Offsets{"0": 429}}},
	}
	for _, c := range []struct {
		name string
		s    *supervisor.State
		m    supervisor.Measurements
		want string
	}{
		{"never fetched", pending, supervisor.Measurements{}, `{"id":"edits","generationTime":"2026-11-23T15:28:12.334Z","payload":{` +
			`"dataSource":"edits","stream":"edits_topic","partitions":0,"replicas":1,"durationSeconds":60,"activeTasks":[],"publishingTasks":[],` +
			`"minimumLag":{},"aggregateLag":0,"suspended":false,"healthy":true,"state":"PENDING","detailedState":"PENDING","recentErrors":[]}}`},
		{"running", running, measured, `{"id":"edits","generationTime":"2026-11-23T15:28:12.334Z","payload":{` +
			`"dataSource":"edits","stream":"edits_topic","partitions":2,"replicas":1,"durationSeconds":60,"activeTasks":[` +
			`{"id":"t2","startingOffsets":{"0":0,"1":0},"startTime":"2026-11-23T15:28:04.718Z","remainingSeconds":52,"type":"ACTIVE","currentOffsets":{"0":429},"lag":{"0":571}},` +
			`{"id":"t3","startingOffsets":{"0":0,"1":0},"startTime":null,"remainingSeconds":null,"type":"ACTIVE","currentOffsets":{},"lag":{}}],` +
			`"publishingTasks":[{"id":"t1","startingOffsets":{"0":0},"startTime":null,"remainingSeconds":90,"type":"PUBLISHING","currentOffsets":{"0":300}}],` +
			`"latestOffsets":{"0":1000,"1":1000},"minimumLag":{"0":571,"1":600},"aggregateLag":1171,"offsetsLastUpdated":"2026-11-23T15:28:12.100Z",` +
			`"suspended":false,"healthy":true,"state":"RUNNING","detailedState":"RUNNING",` +
			`"recentErrors":[{"timestamp":"2026-11-23T15:28:12.334Z","exceptionClass":"X","message":"m","streamException":true}]}}`},
	} {
		got, err := json.Marshal(supervisor.Report(c.s, reportFacts, c.m, now))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != c.want {
			t.Errorf("%s: report is\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestReportDurationsNeverGoBelowZero(t *testing.T) {
	now := time.Unix(1000, 0)
	s := supervisor.NewState("edits")
	s.Active = map[int]*supervisor.Group{0: {Key: "b", TaskIDs: []string{"t"}}}
	s.Tasks = map[string]*supervisor.Task{"t": {ID: "t", StartedAt: now.Add(-time.Hour)}}
	r := supervisor.Report(s, reportFacts, supervisor.Measurements{}, now)
	if got := *r.Payload.ActiveTasks[0].RemainingSeconds; got != 0 {
		t.Errorf("remaining seconds of an overdue task: %d, want 0", got)
	}
}

func TestSuspendedSupervisorMeasuresFromTheCommit(t *testing.T) {
	s := supervisor.NewState("edits")
	s.Suspended, s.Committed = true, task.Offsets{"0": 10}
	s.Pending = []*supervisor.Group{{Key: "a", TaskIDs: []string{"t"}}}
	m := supervisor.Measurements{
		Latest: task.Offsets{"0": 30}, LatestAt: time.Unix(1, 0),
		Tasks: map[string]supervisor.TaskMeasure{"t": {Current: task.Offsets{"0": 30}}},
	}
	if got := supervisor.MinimumLag(s, m); got["0"] != 20 {
		t.Errorf("lag is %v, want 20", got)
	}
}
