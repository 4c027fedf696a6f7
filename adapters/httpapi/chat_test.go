package httpapi_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"ogham/adapters/httpapi"
	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// oneWorker is the worker of the process.
type oneWorker struct {
	host  string
	tasks []string

	mu  sync.Mutex
	off bool
}

func (w *oneWorker) Host() string      { return w.host }
func (w *oneWorker) Running() []string { return w.tasks }

func (w *oneWorker) Enabled() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.off
}

func (w *oneWorker) SetEnabled(on bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.off = !on
}

const chat = "/druid/worker/v1/chat/"

// running is a service with a supervisor whose task t1 reads and t2 waits for a slot.
func running(t *testing.T, change ...func(*httpapi.Config)) *service {
	t.Helper()
	s := serve(t, change...)
	s.create(t, "edits")
	if err := s.runTasks(); err != nil {
		t.Fatal(err)
	}
	return s
}

// runTasks gives the supervisor edits the tasks of running.
func (s *service) runTasks() error {
	s.live = map[string]task.OrderReply{"t1": {Report: &task.Report{
		Status: task.RunnerPublishing, CurrentOffsets: task.Offsets{"0": 7}, Finishing: true, Sequences: []task.Sequence{{Number: 2, Start: task.Offsets{"0": 3}, End: task.Offsets{"0": 9}}},
	}}}
	s.control = func(task.Control) (task.ControlReply, error) { return task.ControlReply{}, nil }
	return s.decide(context.Background(), "edits",
		supervisor.FormGroup{Key: "g", BaseSequenceName: "base", Start: task.Offsets{"0": 0}},
		supervisor.CreateTask{TaskID: "t1", Group: "g"}, supervisor.CreateTask{TaskID: "t2", Group: "g"},
		supervisor.AssignTask{TaskID: "t1", WorkerID: "w", Host: "h", Port: 1},
		supervisor.StartTask{TaskID: "t1", StartTime: time.Now().UTC()})
}

func TestChatAnswersForTheTaskOfThePathOnly(t *testing.T) {
	s := running(t)
	for _, id := range []string{"t2", "nope"} {
		if got := s.get(t, chat+id+"/status"); got.status != 503 || !strings.Contains(got.text, "Can't find chatHandler for handler["+id+"]") {
			t.Errorf("task %s, which does not run: %d %s", id, got.status, got.text)
		}
	}
	got := s.get(t, chat+"t1/status", "X-Druid-Task-Id", "other")
	if got.status != 400 || got.text != `{"error":"Requested taskId[other] doesn't match with taskId[t1]"}` {
		t.Errorf("another task's id in the header: %d %s", got.status, got.text)
	}
	got = s.get(t, chat+"t1/status", "X-Druid-Task-Id", "t1")
	if got.status != 200 || got.text != `"PUBLISHING"` || got.header.Get("X-Druid-Task-Id") != "t1" {
		t.Errorf("status: %d %s %v", got.status, got.text, got.header)
	}
	for path, want := range map[string]string{
		"/offsets/end": `{"0":9}`, "/offsets/current": `{"0":7}`, "/checkpoints": `{"2":{"0":3}}`, "/unparseableEvents": "",
	} {
		if got := s.get(t, chat+"t1"+path); got.status != 200 || got.text != want {
			t.Errorf("%s: %d %q, want %q", path, got.status, got.text, want)
		}
	}
	for path, method := range map[string]string{"/pause": "GET", "/resume": "GET", "/stop": "GET", "/status": "POST", "/rowStats": "POST"} {
		if got := s.ask(t, method, chat+"t1"+path, "{}"); got.status != 405 {
			t.Errorf("%s %s: %d, want 405", method, path, got.status)
		}
	}
	s.mu.Lock()
	s.live["t1"] = task.OrderReply{}
	s.mu.Unlock()
	if got := s.get(t, chat+"t1/rowStats"); got.status != 503 || !strings.Contains(got.text, "did not answer") {
		t.Errorf("a task that does not answer: %d %s", got.status, got.text)
	}
	delete(s.live, "t1")
	if got := s.get(t, chat+"t1/rowStats"); got.status != 503 || !strings.Contains(got.text, "Can't find chatHandler") {
		t.Errorf("a task that is gone: %d %s", got.status, got.text)
	}
}

// noLeader is the error of a control that nobody takes.
type noLeader struct{}

func (noLeader) Error() string     { return "nobody leads" }
func (noLeader) NotLeader() string { return "" }

func TestChatControlsAnswerAsDruids(t *testing.T) {
	s := running(t)
	var last task.Control
	reply, err := task.ControlReply{}, error(nil)
	s.control = func(c task.Control) (task.ControlReply, error) { last = c; return reply, err }
	for _, c := range []struct {
		path, body string
		reply      task.ControlReply
		status     int
		text       string
	}{
		{"pause", "", task.ControlReply{Offsets: task.Offsets{"0": 4}}, 200, `{"0":4}`},
		{"pause", "", task.ControlReply{Code: task.CodeAccepted, Message: "not yet"}, 202, "not yet"},
		{"pause", "", task.ControlReply{Code: task.CodeState, Message: "Cannot pause"}, 409, "Cannot pause"},
		{"pause", "", task.ControlReply{Code: task.CodeUnknownTask}, 503, "Can't find chatHandler"},
		{"resume", "", task.ControlReply{}, 200, ""},
		{"stop", "", task.ControlReply{}, 200, ""},
		{"stop", "", task.ControlReply{Code: task.CodeRetry, Message: "later"}, 503, "later"},
		{"offsets/end", `{"0":9}`, task.ControlReply{Offsets: task.Offsets{"0": 9}}, 200, `{"0":9}`},
		{"offsets/end?finish=false", `{"0":"9"}`, task.ControlReply{Code: task.CodeRefused, Message: "too low"}, 400, "too low"},
		{"offsets/end", `{"x":9}`, task.ControlReply{}, 400, "no partition"},
		{"offsets/end", `{"0":-9}`, task.ControlReply{}, 400, "cannot end at"},
		{"offsets/end", `[`, task.ControlReply{}, 400, "not JSON"},
	} {
		reply = c.reply
		got := s.ask(t, http.MethodPost, chat+"t1/"+c.path, c.body, "Content-Type", "application/json")
		if got.status != c.status || !strings.Contains(got.text, c.text) || c.text == "" && got.text != "" {
			t.Errorf("%s %s, answered %+v: %d %s, want %d %s", c.path, c.body, c.reply, got.status, got.text, c.status, c.text)
		}
	}
	reply = task.ControlReply{}
	for path, finish := range map[string]bool{"": true, "?finish=true": true, "?finish=false": false, "?finish=1": false} {
		s.ask(t, http.MethodPost, chat+"t1/offsets/end"+path, `{"0":9}`, "Content-Type", "application/json")
		if last.Op != task.ControlSetEnd || last.Finish != finish || last.SupervisorID != "edits" || last.TaskID != "t1" || last.End["0"] != 9 {
			t.Errorf("offsets/end%s: asked for %+v", path, last)
		}
	}
	err = noLeader{}
	if got := s.ask(t, http.MethodPost, chat+"t1/pause", ""); got.status != 503 || got.header.Get("Retry-After") == "" {
		t.Errorf("nobody leads: %d %v", got.status, got.header)
	}
}

func TestLogsAreGivenFromAnyOffsetToTheEnd(t *testing.T) {
	s := running(t)
	s.logs = map[string]string{"t1": "0123456789"}
	const base = "/druid/indexer/v1/task/"
	for offset, want := range map[string]string{"": "0123456789", "?offset=3": "3456789", "?offset=-4": "6789", "?offset=-99": "0123456789", "?offset=99": "", "?offset=10": ""} {
		got := s.get(t, base+"t1/log"+offset)
		if got.status != 200 || got.text != want || got.header.Get("Content-Type") != "text/plain;charset=utf-8" {
			t.Errorf("log%s: %d %q %v, want %q", offset, got.status, got.text, got.header, want)
		}
	}
	if got := s.get(t, "/druid/worker/v1/task/t1/log?offset=8"); got.status != 200 || got.text != "89" {
		t.Errorf("the worker's own route: %d %q", got.status, got.text)
	}
	delete(s.logs, "t1")
	for id, want := range map[string]string{"t1": "Worker [w], which runs it, does not answer", "t2": "it may not have begun running yet"} {
		if got := s.get(t, base+id+"/log"); got.status != 404 || !strings.Contains(got.text, want) {
			t.Errorf("no log of %s: %d %s", id, got.status, got.text)
		}
	}
	if err := s.decide(context.Background(), "edits", supervisor.FailTask{TaskID: "t1", ErrorMsg: "gone"}); err != nil {
		t.Fatal(err)
	}
	if got := s.get(t, base+"t1/log"); got.status != 404 || !strings.Contains(got.text, "Worker [w] ended without handing it over") {
		t.Errorf("the log of an ended task that nobody has: %d %s", got.status, got.text)
	}
}

func TestShutdownEndsOneTaskOrAllOfADataSource(t *testing.T) {
	s := running(t)
	const base = "/druid/indexer/v1"
	if got := s.ask(t, http.MethodPost, base+"/task/t1/shutdown", ""); got.status != 200 || got.text != `{"task":"t1"}` {
		t.Fatalf("shutdown: %d %s", got.status, got.text)
	}
	got := s.get(t, base+"/task/t1/status")
	if !strings.Contains(got.text, `"errorMsg":"Shutdown request from user"`) || !strings.Contains(got.text, `"duration":-1`) || !strings.Contains(got.text, `"FAILED"`) {
		t.Errorf("status after the shutdown: %s", got.text)
	}
	if got := s.ask(t, http.MethodPost, base+"/datasources/edits/shutdownAllTasks", ""); got.status != 200 || got.text != `{"dataSource":"edits"}` {
		t.Errorf("shutdownAllTasks: %d %s", got.status, got.text)
	}
	if got := s.get(t, base+"/tasks?state=pending"); got.text != "[]" {
		t.Errorf("tasks that wait after the shutdown of all: %s", got.text)
	}
	if got := s.ask(t, http.MethodPost, base+"/datasources/edits/shutdownAllTasks", ""); got.status != 404 || got.text != "" {
		t.Errorf("shutdownAllTasks of none: %d %s", got.status, got.text)
	}
}

func TestTheWorkersRouteShutsATaskDown(t *testing.T) {
	s := running(t)
	var asked []task.Control
	s.control = func(c task.Control) (task.ControlReply, error) {
		asked = append(asked, c)
		return task.ControlReply{}, nil
	}
	for id, want := range map[string]int{"t1": 200, "t2": 200, "nope": 404} {
		if got := s.ask(t, http.MethodPost, "/druid/worker/v1/task/"+id+"/shutdown", ""); got.status != want {
			t.Errorf("task %s: %d %s, want %d", id, got.status, got.text, want)
		}
	}
	if len(asked) != 2 || asked[0].Op != task.ControlShutdown || asked[0].SupervisorID != "edits" {
		t.Errorf("asked for %+v", asked)
	}
}

func TestAWorkerCanBeDisabled(t *testing.T) {
	s := running(t, func(c *httpapi.Config) { c.Worker = &oneWorker{host: "h:1"} })
	const base = "/druid/worker/v1"
	for _, c := range []struct{ method, path, want string }{
		{"GET", "/enabled", `{"h:1":true}`}, {"POST", "/disable", `{"h:1":"disabled"}`}, {"GET", "/enabled", `{"h:1":false}`},
		{"POST", "/enable", `{"h:1":"enabled"}`}, {"GET", "/enabled", `{"h:1":true}`}, {"GET", "/tasks", `[]`},
	} {
		if got := s.ask(t, c.method, base+c.path, ""); got.status != 200 || got.text != c.want {
			t.Errorf("%s %s: %d %s, want %s", c.method, c.path, got.status, got.text, c.want)
		}
	}
	s.workers = []task.Heartbeat{{WorkerID: "w", Host: "h", Port: 1, Version: "5", Capacity: 2}}
	const lord = "/druid/indexer/v1"
	for path, want := range map[string]string{"disable": `{"h:1":"disabled"}`, "enable": `{"h:1":"enabled"}`} {
		if got := s.ask(t, "POST", lord+"/worker/h:1/"+path, ""); got.status != 200 || got.text != want {
			t.Errorf("%s by way of the overlord: %d %s", path, got.status, got.text)
		}
		if got := s.get(t, lord+"/workers"); strings.Contains(got.text, `"version":""`) != (path == "disable") {
			t.Errorf("workers after %s: %s", path, got.text)
		}
	}
	if got := s.ask(t, "POST", lord+"/worker/h:2/disable", ""); got.status != 404 || !strings.Contains(got.text, "h:2") {
		t.Errorf("a worker that is not there: %d %s", got.status, got.text)
	}
	if got := running(t).get(t, base+"/enabled"); got.status != 404 {
		t.Errorf("a process without a worker: %d", got.status)
	}
}

func TestSelfDiscoveryFollowsReadiness(t *testing.T) {
	ready := true
	s := serve(t, func(c *httpapi.Config) { c.Ready = func() bool { return ready } })
	for _, want := range []int{200, 503} {
		if got := s.get(t, "/status/selfDiscovered"); got.status != want || got.text != "" {
			t.Errorf("selfDiscovered: %d %q, want %d", got.status, got.text, want)
		}
		if got := s.get(t, "/status/selfDiscovered/status"); got.status != 200 || strings.Contains(got.text, "true") != (want == 200) {
			t.Errorf("selfDiscovered/status: %d %s", got.status, got.text)
		}
		ready = false
	}
}
