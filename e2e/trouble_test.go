package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// hasErrors wants a status to say what went wrong.
func hasErrors(t *testing.T, st status, stream bool) {
	t.Helper()
	p := st.Payload
	if p.Healthy || p.State != "UNHEALTHY_SUPERVISOR" {
		t.Errorf("state is %s, healthy %v", p.State, p.Healthy)
	}
	if len(p.RecentErrors) == 0 {
		t.Fatal("there are no recentErrors")
	}
	e := p.RecentErrors[len(p.RecentErrors)-1]
	if e.Message == "" || e.ExceptionClass == "" || e.StreamError != stream {
		t.Errorf("the last error is %+v", e)
	}
}

// TestBrokerComesLate submits a supervisor over a broker that is not there, and starts the broker afterwards.
func TestBrokerComesLate(t *testing.T) {
	t.Parallel()
	const rows = 4000
	dead := newDeadPort(t)
	s := newServer(t, "late").start()
	s.submit(specOf("late", "late", dead.addr, impatient))
	hasErrors(t, s.waitState("late", "UNABLE_TO_CONNECT_TO_STREAM"), true)
	if code, body, err := s.call("GET", pathOf("late", "/health"), nil); err != nil || code != 503 {
		t.Errorf("health of an unhealthy supervisor: %d %s %v", code, body, err)
	}
	b := dead.live()
	b.createTopic("late", 2)
	p := b.producer("late", 2)
	p.send(rows)
	p.flush()
	s.waitState("late", "RUNNING")
	s.waitRows("late", rows)
	s.checkRows("late", rows)
	events := s.events(t)
	checkHistory(t, events)
	if count(events, "RunFailed") == 0 || count(events, "RunRecovered") == 0 {
		t.Errorf("%d runs failed, %d recovered", count(events, "RunFailed"), count(events, "RunRecovered"))
	}
}

// TestTopicComesLate does the same with a topic that is not there.
func TestTopicComesLate(t *testing.T) {
	t.Parallel()
	const rows = 4000
	b := newBroker(t)
	s := newServer(t, "notopic").start()
	s.submit(specOf("notopic", "notopic", b.servers, impatient))
	hasErrors(t, s.waitState("notopic", "UNABLE_TO_CONNECT_TO_STREAM"), true)
	b.createTopic("notopic", 2)
	p := b.producer("notopic", 2)
	p.send(rows)
	p.flush()
	s.waitState("notopic", "RUNNING")
	s.waitRows("notopic", rows)
	s.checkRows("notopic", rows)
	checkHistory(t, s.events(t))
}

var garbage = []string{
	`{"ts":"2026-03-01T10:00:00.000Z","page":"cut o`, `not json at all`, `{"page":"no time"}`, `{"ts":"yesterday","page":"x"}`, ``, `[1,2`,
}

// TestUnparseableRows puts garbage between the rows: it is counted and left out, and the rows are there once.
func TestUnparseableRows(t *testing.T) {
	t.Parallel()
	const rows, partitions = 6000, 2
	b := newBroker(t)
	b.createTopic("garbage", partitions)
	p := b.producer("garbage", partitions)
	bad := 0
	for p.sent < rows {
		p.send(10)
		p.record(p.sent/10%partitions, []byte(garbage[bad%len(garbage)]))
		bad++
	}
	p.flush()
	s := newServer(t, "garbage").start()
	s.submit(specOf("garbage", "garbage", b.servers, func(spec sections) {
		spec.io["taskDuration"] = "PT2S"
		spec.tuning["maxSavedParseExceptions"] = 5
	}))
	s.waitRows("garbage", rows)
	s.checkRows("garbage", rows)
	if n := unparseable(t, s, "garbage"); n != int64(bad) {
		t.Errorf("%d rows were counted as unparseable, %d were sent", n, bad)
	}
}

// unparseable sums what the tasks reported when they had ended; the first of each group have read everything.
func unparseable(t *testing.T, s *server, id string) (sum int64) {
	t.Helper()
	type ended struct {
		Data struct {
			Report struct {
				Stats struct {
					Totals struct {
						Unparseable int64 `json:"unparseable"`
					} `json:"totals"`
				} `json:"stats"`
			} `json:"report"`
		} `json:"data"`
	}
	eventually(t, "two tasks reported", func() (bool, string) {
		all, err := lines[ended](s, "/ogham/v1/events?type=TaskSucceeded&supervisor="+id)
		sum = 0
		for _, e := range all {
			sum += e.Data.Report.Stats.Totals.Unparseable
		}
		return len(all) >= 2, fmt.Sprint(len(all), err)
	})
	return sum
}

// TestTooManyUnparseableRows lets no row be bad: the tasks fail, the supervisor says so, and recovers with another spec.
func TestTooManyUnparseableRows(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.createTopic("strict", 1)
	p := b.producer("strict", 1)
	p.send(10)
	p.record(0, []byte(garbage[0]))
	p.send(10)
	p.flush()
	s := newServer(t, "strict").start()
	s.submit(specOf("strict", "strict", b.servers, func(spec sections) { spec.tuning["maxParseExceptions"] = 0 }))
	st := s.waitState("strict", "UNHEALTHY_TASKS")
	if st.Payload.Healthy || st.Payload.State != "UNHEALTHY_TASKS" {
		t.Errorf("state is %s, healthy %v", st.Payload.State, st.Payload.Healthy)
	}
	s.submit(specOf("strict", "strict", b.servers, nil))
	s.waitRows("strict", 20)
	s.waitState("strict", "RUNNING")
	s.checkRows("strict", 20)
	checkHistory(t, s.events(t))
}

// TestBadSpecs wants a clear answer to each, and nothing in the log.
func TestBadSpecs(t *testing.T) {
	t.Parallel()
	s := newServer(t, "badspec").start()
	change := func(fn func(sections)) string { return string(specOf("bad", "bad", "127.0.0.1:1", fn)) }
	for name, c := range map[string]struct{ body, says string }{
		"no JSON":         {`{"type":"kafka",`, ""},
		"nothing":         {``, ""},
		"no type":         {`{"spec":{}}`, "type"},
		"other type":      {`{"type":"kinesis","spec":{}}`, "kinesis"},
		"no topic":        {change(func(x sections) { delete(x.io, "topic") }), "topic"},
		"no brokers":      {change(func(x sections) { x.io["consumerProperties"] = map[string]any{} }), "bootstrap.servers"},
		"no data source":  {change(func(x sections) { delete(x.schema, "dataSource") }), "dataSource"},
		"no input format": {change(func(x sections) { delete(x.io, "inputFormat") }), "inputFormat"},
		"no schema":       {change(func(x sections) { x.io["inputFormat"] = map[string]any{"type": "avro_stream"} }), "avroBytesDecoder"},
		"no tasks ever":   {change(func(x sections) { x.io["taskCount"] = 0 }), "taskCount"},
		"no duration":     {change(func(x sections) { x.io["taskDuration"] = "PT0S" }), "taskDuration"},
		"odd duration":    {change(func(x sections) { x.io["taskDuration"] = "soon" }), "soon"},
		"odd granularity": {change(func(x sections) { x.schema["granularitySpec"] = map[string]any{"segmentGranularity": "FORTNIGHT"} }), "FORTNIGHT"},
		"odd metric":      {change(func(x sections) { x.schema["metricsSpec"] = []any{map[string]any{"type": "mode", "name": "m"}} }), "mode"},
	} {
		code, body, err := s.call("POST", supervisorPath, []byte(c.body))
		var answer struct{ Error string }
		if err != nil || code != 400 || json.Unmarshal(body, &answer) != nil || answer.Error == "" {
			t.Errorf("%s: %d %s %v", name, code, clip(string(body)), err)
		}
		if !strings.Contains(answer.Error, c.says) {
			t.Errorf("%s: the error does not speak of %s: %s", name, c.says, answer.Error)
		}
	}
	for _, e := range s.events(t) {
		if e.Supervisor != "" {
			t.Errorf("event %d %s of %s", e.Sequence, e.Type, e.Supervisor)
		}
	}
}

// smallDisk mounts a disk of so many megabytes, where the machine lets us.
func smallDisk(t *testing.T, megabytes int) (dir string, ok bool) {
	t.Helper()
	dir = t.TempDir()
	if err := mountSmall(dir, megabytes); err != nil {
		t.Logf("no small disk can be mounted: %v", err)
		return dir, false
	}
	t.Cleanup(func() { unmount(t, dir) })
	return dir, true
}

// fill writes a file until the disk is full and returns its name.
func fill(t *testing.T, dir string) string {
	t.Helper()
	name := filepath.Join(dir, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 64<<10)
	for err == nil {
		if _, err = f.Write(block); err != nil && len(block) > 1 {
			block, err = block[:len(block)/4], nil
		}
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	return name
}

// TestDeepStorageIsFull fills the disk of the segments while tasks publish, and frees it again. Where no disk can be
// mounted a file stands where the folder of the data source belongs, which a push cannot pass either.
func TestDeepStorageIsFull(t *testing.T) {
	t.Parallel()
	const rows, partitions = 6000, 2
	dir, mounted := smallDisk(t, 16)
	blocker := filepath.Join(dir, "full")
	if mounted {
		blocker = fill(t, dir)
	} else if err := os.WriteFile(blocker, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	b := newBroker(t)
	b.createTopic("full", partitions)
	p := b.producer("full", partitions)
	p.send(rows)
	p.flush()
	s := newServer(t, "full", "-D", "druid.storage.storageDirectory="+dir, "-D", "druid.supervisor.taskUnhealthinessThreshold=1").start()
	s.submit(specOf("full", "full", b.servers, func(spec sections) { spec.io["taskDuration"] = "PT1S" }))
	if st := s.waitState("full", "UNHEALTHY_TASKS"); st.Payload.Healthy {
		t.Error("the supervisor calls itself healthy")
	}
	for _, e := range s.events(t) {
		if e.Type == "TaskFailed" && mounted && !strings.Contains(e.Data.ErrorMsg, "no space left") {
			t.Errorf("a task failed for another reason: %s", e.Data.ErrorMsg)
		}
	}
	if err := os.Remove(blocker); err != nil {
		t.Fatal(err)
	}
	s.waitRows("full", rows)
	s.checkRows("full", rows)
	s.waitState("full", "RUNNING")
	checkHistory(t, s.events(t))
}

// TestDataDirIsFull fills the disk of the log and of the tasks, and frees it again: a command is refused rather than
// forgotten, and everything goes on by itself.
func TestDataDirIsFull(t *testing.T) {
	t.Parallel()
	const partitions = 2
	dir, mounted := smallDisk(t, 128)
	if !mounted {
		t.Skip("only a machine that lets the test mount a disk can show this")
	}
	b := newBroker(t)
	b.createTopic("nospace", partitions)
	s := serverIn(t, filepath.Join(dir, "data"), "nospace", "-D", "druid.storage.storageDirectory="+t.TempDir()).start()
	s.submit(specOf("nospace", "nospace", b.servers, func(spec sections) { spec.io["taskDuration"] = "PT1S" }))
	p := b.producer("nospace", partitions)
	p.send(2000)
	p.flush()
	s.waitRows("nospace", 2000)
	blocker := fill(t, dir)
	acked := 0
	eventually(t, "a command is refused", func() (bool, string) {
		what := []string{"/suspend", "/resume"}[acked%2]
		code, body, err := s.call("POST", pathOf("nospace", what), nil)
		if err == nil && code == 200 {
			acked++ // there was room in a block that is there already
			return false, string(body)
		}
		return err == nil && code >= 500, fmt.Sprint(code, string(body), err)
	})
	p.send(2000)
	p.flush()
	if err := os.Remove(blocker); err != nil {
		t.Fatal(err)
	}
	eventually(t, "commands are taken again", func() (bool, string) {
		code, body, err := s.call("POST", pathOf("nospace", "/resume"), nil)
		return err == nil && (code == 200 || code == 400), fmt.Sprint(code, string(body), err)
	})
	s.waitRows("nospace", 4000)
	s.checkRows("nospace", 4000)
	s.waitState("nospace", "RUNNING")
	events := s.events(t)
	checkHistory(t, events)
	if n := count(events, suspended) + count(events, resumed); n < acked {
		t.Errorf("%d commands were acknowledged, %d are in the log", acked, n)
	}
	s.stop()
	ogham(t, "log", "verify", "--data-dir", s.dir)
}
