package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// taskEntry is what the tests look at in Druid's entry of a task.
type taskEntry struct {
	ID         string
	StatusCode string
	Location   struct {
		Host string
		Port int
	}
}

func (s *server) tasks(id string) []taskEntry {
	s.t.Helper()
	var all []taskEntry
	s.must("GET", "/druid/indexer/v1/tasks?datasource="+id, nil, &all)
	return all
}

// running waits for the one running task of a supervisor that is not among the ones known.
func (s *server) running(id string, known ...string) taskEntry {
	s.t.Helper()
	var found taskEntry
	eventually(s.t, "a task of "+id+" runs", func() (bool, string) {
		all := s.tasks(id)
		for _, e := range all {
			if e.StatusCode == "RUNNING" && e.Location.Host != "" && !strings.Contains(strings.Join(known, " "), e.ID) {
				found = e
				return true, ""
			}
		}
		return false, fmt.Sprint(all)
	})
	return found
}

// waitLog waits until a task's log says something.
func (s *server) waitLog(task, want string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("the log of %s says %q", task, want), func() (bool, string) {
		code, b, err := s.call("GET", "/druid/indexer/v1/task/"+task+"/log", nil)
		return code == 200 && strings.Contains(string(b), want), fmt.Sprint(code, err, " ", clip(string(b)))
	})
}

func (s *server) waitOffsets(task string, want int64) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("task %s has read to %d", task, want), func() (bool, string) {
		code, b, err := s.call("GET", "/druid/worker/v1/chat/"+task+"/offsets/current", nil)
		return code == 200 && string(b) == fmt.Sprintf(`{"0":%d}`, want), fmt.Sprint(code, err, " ", string(b))
	})
}

// TestTasksOnAnotherMachine asks about a task, and of it, through its worker and through the overlord, gives it an end by
// hand, kills its worker, and finds every log and every row.
func TestTasksOnAnotherMachine(t *testing.T) {
	t.Parallel()
	urls, _ := natsServers(t, 1)
	h := &house{t: t, nats: urls, dir: t.TempDir()}
	lord := h.start("overlord", "overlord-1")
	leaderOf(t, lord)
	worker := h.start("worker", "worker-1")
	b := newBroker(t)
	b.createTopic("apart", 1)
	p := b.producer("apart", 1)
	p.send(1000)
	p.flush()
	lord.submit(specOf("apart", "apart", b.servers, func(spec sections) { spec.io["taskDuration"] = "PT1H" }))
	first := lord.running("apart")
	if at := fmt.Sprintf("http://%s:%d", first.Location.Host, first.Location.Port); at != worker.url() {
		t.Errorf("the task's location is %s, its worker is %s", at, worker.url())
	}
	chat := func(id string) string { return "/druid/worker/v1/chat/" + id }
	lord.waitLog(first.ID, "task reads")
	for _, s := range []*server{lord, worker} {
		s.waitOffsets(first.ID, 1000)
	}

	// A pause by way of the worker holds, whoever asks, until the end that is set.
	worker.must("POST", chat(first.ID)+"/pause", nil, nil)
	p.send(500)
	p.flush()
	for _, s := range []*server{lord, worker} {
		var status string
		if s.must("GET", chat(first.ID)+"/status", nil, &status); status != "PAUSED" {
			t.Errorf("%s says that the paused task is %s", s.name, status)
		}
	}
	worker.must("POST", chat(first.ID)+"/offsets/end", []byte(`{"0":1200}`), nil)
	lord.waitRows("apart", 1200)
	second := lord.running("apart", first.ID)
	lord.waitOffsets(second.ID, 1500)
	lord.waitLog(first.ID, "sequence is committed")
	var reports struct {
		Ingestion struct {
			Payload struct {
				IngestionState string
				RowStats       struct{ BuildSegments struct{ Processed int64 } }
			}
		} `json:"ingestionStatsAndErrors"`
	}
	eventually(t, "the report of the task that was told its end", func() (bool, string) {
		lord.must("GET", "/druid/indexer/v1/task/"+first.ID+"/reports", nil, &reports)
		pl := reports.Ingestion.Payload
		return pl.IngestionState == "COMPLETED" && pl.RowStats.BuildSegments.Processed == 1200, fmt.Sprintf("%+v", pl)
	})

	kept := filepath.Join(lord.dir, "task-logs", first.ID+".log")
	eventually(t, "the overlord has a copy of the log", func() (bool, string) {
		b, err := os.ReadFile(kept)
		return strings.Contains(string(b), "task succeeded"), fmt.Sprint(err, " ", clip(string(b)))
	})

	// A worker that is killed takes its task with it; what it wrote comes back with its disk.
	worker.kill()
	eventually(t, "the log of a worker that is gone is said to be so", func() (bool, string) {
		code, body, err := lord.call("GET", "/druid/indexer/v1/task/"+second.ID+"/log", nil)
		return code == 404 && strings.Contains(string(body), "worker-1"), fmt.Sprint(code, err, " ", string(body))
	})
	lord.waitLog(first.ID, "sequence is committed") // that of the task before was handed over in time
	if code, body, err := lord.call("GET", chat(second.ID)+"/status", nil); err != nil || code != 503 {
		t.Errorf("chat with a task whose worker is gone: %d %v %s", code, err, body)
	}
	worker.start()
	lord.waitLog(second.ID, "task reads")
	third := lord.running("apart", first.ID, second.ID)
	lord.waitOffsets(third.ID, 1500)
	lord.must("POST", "/druid/indexer/v1/task/"+third.ID+"/shutdown", nil, nil)
	fourth := lord.running("apart", first.ID, second.ID, third.ID)
	lord.waitOffsets(fourth.ID, 1500)

	// A disabled worker keeps its task and takes no other.
	place := strings.TrimPrefix(worker.url(), "http://")
	lord.must("POST", "/druid/indexer/v1/worker/"+place+"/disable", nil, nil)
	var enabled map[string]bool
	if worker.must("GET", "/druid/worker/v1/enabled", nil, &enabled); enabled[place] {
		t.Errorf("the worker says %v after it was disabled", enabled)
	}
	eventually(t, "the overlord knows that the worker is disabled", func() (bool, string) {
		_, body, _ := lord.call("GET", "/druid/indexer/v1/workers", nil)
		return strings.Contains(string(body), `"version":""`), string(body)
	})
	worker.must("POST", "/druid/worker/v1/task/"+fourth.ID+"/shutdown", nil, nil)
	eventually(t, "its replacement waits", func() (bool, string) {
		_, body, _ := lord.call("GET", "/druid/indexer/v1/pendingTasks", nil)
		return strings.Contains(string(body), "index_kafka_apart"), string(body)
	})
	lord.must("POST", "/druid/indexer/v1/worker/"+place+"/enable", nil, nil)
	fifth := lord.running("apart", first.ID, second.ID, third.ID, fourth.ID)
	lord.waitOffsets(fifth.ID, 1500)
	lord.must("POST", pathOf("apart", "/suspend"), nil, nil)
	lord.waitRows("apart", 1500)
	lord.checkRows("apart", 1500)
	for _, e := range lord.events(t) {
		if e.Type == "TaskFailed" && e.Task == third.ID && (e.Data.ErrorMsg != "Shutdown request from user" || e.Actor != "user") {
			t.Errorf("the shutdown is told by %+v", e)
		}
	}
	checkHistory(t, lord.events(t))
}

// TestTheLogOfATaskHidesPasswords reads a task's log, which tells the spec that it was made from.
func TestTheLogOfATaskHidesPasswords(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.createTopic("hidden", 1)
	s := newServer(t, "hidden").start()
	s.submit(specOf("hidden", "hidden", b.servers, func(spec sections) {
		props, _ := spec.io["consumerProperties"].(map[string]any)
		props["ssl.key.password"] = "open sesame"
	}))
	id := s.running("hidden").ID
	s.waitLog(id, "spec of the task")
	_, body, err := s.call("GET", "/druid/indexer/v1/task/"+id+"/log", nil)
	if err != nil || strings.Contains(string(body), "sesame") {
		t.Errorf("the log is %v\n%s", err, body)
	}
}
