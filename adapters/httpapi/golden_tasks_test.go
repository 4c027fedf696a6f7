package httpapi_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"ogham/adapters/httpapi"
	"ogham/adapters/httpapi/goldentest"
	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// The task that 12-task-level tells about.
const (
	goldenTask  = "index_kafka_gold_edits_work_dc2f8e1a5d96d2b_aijlhhna"
	goldenGroup = "index_kafka_gold_edits_work_dc2f8e1a5d96d2b"
	goldenID    = "gold_edits_work"
)

// TestGoldenTaskRoutes replays what was asked about one running task, after putting one in its place.
func TestGoldenTaskRoutes(t *testing.T) {
	s := serve(t, func(c *httpapi.Config) { c.Worker = &oneWorker{host: "127.0.0.1:18091", tasks: []string{goldenTask}} })
	ctx, cancel := context.WithTimeout(context.Background(), client.Timeout)
	defer cancel()
	all := exchangesOf(t, "12-task-level")
	if got, err := goldentest.Send(ctx, s.address, all[0]); err != nil || got.Status != 200 {
		t.Fatalf("create: %v %+v", err, got)
	}
	start := task.Offsets{"0": 0, "1": 0}
	if err := s.decide(ctx, goldenID,
		supervisor.FormGroup{Key: "g", BaseSequenceName: goldenGroup, Start: start},
		supervisor.CreateTask{TaskID: goldenTask, Group: "g"},
		supervisor.AssignTask{TaskID: goldenTask, WorkerID: "w", Incarnation: "i", Host: "127.0.0.1", Port: 18101},
		supervisor.StartTask{TaskID: goldenTask, StartTime: time.Now().UTC()}); err != nil {
		t.Fatal(err)
	}
	s.asked = map[int]map[string]task.Stats{0: {goldenTask: {
		Totals: task.Counters{Processed: 500, ProcessedBytes: 53588, Unparseable: 5}, OneM: task.Rates{Processed: 92.5},
	}}}
	for i := range 3 {
		s.parse = append(s.parse, task.ParseException{
			Input: "{}", ErrorType: "unparseable", Details: []string{"Timestamp[null] is unparseable! Event: {} (Record: 1)"}, TimeOfExceptionMillis: int64(i),
		})
	}
	report := &task.Report{
		TaskID: goldenTask, Status: task.RunnerReading, StartTime: time.Now().UTC(), CurrentOffsets: task.Offsets{"0": 255, "1": 250},
		Sequences: []task.Sequence{{Start: start}}, Stats: s.asked[0][goldenTask],
	}
	s.live = map[string]task.OrderReply{goldenTask: {Report: report, ParseExceptions: s.parse}}
	s.control = func(c task.Control) (task.ControlReply, error) {
		switch c.Op {
		case task.ControlPause:
			report.Status = task.RunnerPaused
			return task.ControlReply{Offsets: report.CurrentOffsets}, nil
		case task.ControlSetEnd:
			return task.ControlReply{Code: task.CodeRefused, Message: "Task must be paused before changing the end offsets"}, nil
		}
		report.Status = task.RunnerReading
		return task.ControlReply{}, nil
	}
	s.workers = []task.Heartbeat{{WorkerID: "w", Host: "127.0.0.1", Port: 18091, Version: "0", Capacity: 4, Tasks: []task.Report{{TaskID: goldenTask}}}}

	shaped := []string{"24-reports-live", "51-chat-rowStats", "54-chat-liveReports", "53-chat-time-start", "57-chat-rowStats-full", "06-stats", "39-workers", "44-status", "42-totalWorkerCapacity"}
	for _, name := range []string{
		"02-tasks-early", "03-task-status-early", "06-stats", "07-parse-errors", "08-tasks-running", "09-tasks-state-running", "10-tasks-state-pending",
		"11-tasks-state-waiting", "12-tasks-state-complete", "13-tasks-state-bogus", "14-tasks-type", "15-tasks-type-other", "16-tasks-datasource-unknown",
		"17-tasks-bad-interval", "18-tasks-max", "19-runningTasks", "20-pendingTasks", "21-waitingTasks", "22-task", "23-task-status", "31-segments-of-task",
		"32-taskStatus-post", "33-taskStatus-post-empty", "34-unknown-task", "35-unknown-task-status", "36-unknown-task-reports", "37-unknown-task-log",
		"38-unknown-task-shutdown", "39-workers", "40-leader", "41-isLeader", "42-totalWorkerCapacity", "43-status-health", "44-status",
		"24-reports-live", "26-log-accept-json", "30-log-bad-offset", "45-worker-config", "46-locks-post", "47-chat-status", "48-chat-offsets-current",
		"49-chat-offsets-end", "50-chat-checkpoints", "51-chat-rowStats", "52-chat-unparseableEvents", "53-chat-time-start", "54-chat-liveReports",
		"55-chat-unknown-task", "56-chat-unknown-endpoint", "57-chat-rowStats-full", "58-chat-pause", "59-chat-status-paused", "60-chat-pause-again",
		"61-chat-resume", "62-chat-resume-again", "63-chat-set-end-bad-body", "64-chat-set-end-not-paused", "65-chat-health", "66-mm-enabled", "67-mm-tasks",
		"69-shutdown-task", "71-shutdown-task-again", "86-shutdownAllTasks",
	} {
		i := slices.IndexFunc(all, func(x goldentest.Exchange) bool { return x.File == name })
		if i < 0 {
			t.Fatalf("there is no exchange %s", name)
		}
		mode := goldentest.Exact
		if slices.Contains(shaped, name) {
			mode = goldentest.Shape
		}
		got, err := goldentest.Send(ctx, s.address, all[i])
		if err != nil {
			t.Fatal(err)
		}
		if diffs := goldentest.Compare(all[i], got, mode); diffs != nil {
			t.Errorf("%s:\n  %s", name, strings.Join(diffs, "\n  "))
		}
	}
}

// TestGoldenTaskOfAFullSpec compares the task that was made from a spec with nearly every field: it has the spec's context,
// and the bounds of its group's messages.
func TestGoldenTaskOfAFullSpec(t *testing.T) {
	s := serve(t)
	ctx, cancel := context.WithTimeout(context.Background(), client.Timeout)
	defer cancel()
	all := exchangesOf(t, "03-create-full")
	posted, err := spec.Parse([]byte(*all[0].Request.Body))
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(x goldentest.Exchange) bool { return x.File == "14-task-spec" })
	x := all[i]
	id := x.Request.Path[strings.LastIndexByte(x.Request.Path, '/')+1:]
	from, to := int64(1709048473202), int64(1881850273202)
	if err := s.decide(ctx, "gold_edits_full",
		supervisor.SubmitSpec{Spec: posted.Canonical(), Stream: supervisor.Stream{Name: posted.IOConfig.Stream()}},
		supervisor.FormGroup{Key: "g", BaseSequenceName: id[:len(id)-9], Start: task.Offsets{"0": 0, "2": 0}, MinTime: &from, MaxTime: &to},
		supervisor.CreateTask{TaskID: id, Group: "g"}); err != nil {
		t.Fatal(err)
	}
	got, err := goldentest.Send(ctx, s.address, x)
	if err != nil {
		t.Fatal(err)
	}
	if diffs := goldentest.Compare(x, got, goldentest.Exact); diffs != nil {
		t.Errorf("%s:\n  %s", x.File, strings.Join(diffs, "\n  "))
	}
}

func TestReportsOfRunningAndEndedTasks(t *testing.T) {
	s := serve(t)
	s.create(t, "edits")
	ctx := context.Background()
	commands := []supervisor.Command{
		supervisor.FormGroup{Key: "g", BaseSequenceName: "base", Start: task.Offsets{"0": 0}},
		supervisor.CreateTask{TaskID: "t1", Group: "g"},
		supervisor.CreateTask{TaskID: "t2", Group: "g"},
		supervisor.AssignTask{TaskID: "t1", WorkerID: "w", Host: "h", Port: 1},
		supervisor.StartTask{TaskID: "t1", StartTime: time.Now().UTC()},
	}
	if err := s.decide(ctx, "edits", commands...); err != nil {
		t.Fatal(err)
	}
	s.asked = map[int]map[string]task.Stats{0: {"t1": {Totals: task.Counters{Processed: 3}}}}
	s.live = map[string]task.OrderReply{"t1": {Report: &task.Report{Stats: s.asked[0]["t1"]}}}
	const base = "/druid/indexer/v1"
	if got := s.get(t, base+"/supervisor/edits/stats"); !strings.Contains(got.text, `"t2":{}`) || !strings.Contains(got.text, `"processed":3`) || !strings.Contains(got.text, `"processed":0.0`) {
		t.Errorf("stats: %s", got.text)
	}
	if got := s.get(t, base+"/task/t1/reports"); got.status != 200 || !strings.Contains(got.text, `"ingestionState":"BUILD_SEGMENTS"`) {
		t.Errorf("live report: %d %s", got.status, got.text)
	}
	const none = "No task reports were found for this task. The task may not exist, or it may not have completed yet."
	if got := s.get(t, base+"/task/t2/reports"); got.status != 404 || got.text != none {
		t.Errorf("report of a pending task: %d %s", got.status, got.text)
	}
	if got := s.get(t, base+"/pendingTasks"); !strings.Contains(got.text, `"runnerStatusCode":"PENDING"`) || !strings.Contains(got.text, `"host":null,"port":-1`) {
		t.Errorf("pending tasks: %s", got.text)
	}
	report := &supervisor.FinalReport{
		Stats: task.Stats{Totals: task.Counters{Processed: 9}}, RecordsProcessed: map[task.Partition]int64{"0": 9, "a:b:1": 2},
		ParseExceptions: []task.ParseException{{Input: "x", ErrorType: "unparseable", TimeOfExceptionMillis: 1}, {Input: "y", ErrorType: "unparseable", TimeOfExceptionMillis: 2}},
	}
	if err := s.decide(ctx, "edits", supervisor.FailTask{TaskID: "t1", ErrorMsg: "disk full", Report: report}); err != nil {
		t.Fatal(err)
	}
	var all map[string]struct {
		Payload struct {
			ErrorMsg          string
			UnparseableEvents map[string][]struct{ Input string }
			RecordsProcessed  map[string]int64
		}
	}
	got := s.get(t, base+"/task/t1/reports")
	if err := json.Unmarshal([]byte(got.text), &all); err != nil {
		t.Fatalf("%v: %s", err, got.text)
	}
	p := all["ingestionStatsAndErrors"].Payload
	if p.ErrorMsg != "disk full" || len(p.UnparseableEvents["buildSegments"]) != 2 || p.UnparseableEvents["buildSegments"][0].Input != "y" ||
		p.RecordsProcessed["KafkaTopicPartition{partition=0, topic='null', multiTopicPartition=false}"] != 9 ||
		p.RecordsProcessed["KafkaTopicPartition{partition=1, topic='a:b', multiTopicPartition=true}"] != 2 {
		t.Errorf("final report: %s", got.text)
	}
	if got := s.get(t, base+"/completeTasks?n=1"); !strings.Contains(got.text, `"errorMsg":"disk full"`) || !strings.Contains(got.text, `"runnerStatusCode":"NONE"`) {
		t.Errorf("complete tasks: %s", got.text)
	}
	if got := s.get(t, base+"/tasks?max=0"); strings.Contains(got.text, "disk full") || !strings.Contains(got.text, `"t2"`) {
		t.Errorf("max bounds complete tasks only: %s", got.text)
	}
}
