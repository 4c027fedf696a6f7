package worker

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"ogham/domain/task"
)

// memoryLogs keeps logs in memory.
type memoryLogs struct {
	mu     sync.Mutex
	logs   map[string]*memoryLog
	kept   []string
	broken error
}

type memoryLog struct {
	bytes.Buffer
	closed bool
	broken error
}

func (l *memoryLog) Write(b []byte) (int, error) {
	if l.broken != nil {
		return 0, l.broken
	}
	return l.Buffer.Write(b)
}

func (l *memoryLog) Close() error { l.closed = true; return nil }

func (m *memoryLogs) Create(id string) (io.WriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken != nil {
		return nil, m.broken
	}
	l := &memoryLog{}
	m.logs[id] = l
	return l, nil
}

func (m *memoryLogs) Keep(id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.kept = append(m.kept, id)
	return nil
}

func logged(t *testing.T, logs *memoryLogs) (*taskLog, *slog.Logger, *bytes.Buffer, *Worker) {
	t.Helper()
	var node bytes.Buffer
	w := &Worker{cfg: Config{
		Logs: logs, Logger: slog.New(slog.NewTextHandler(&node, nil)),
		Mask: func(s string) string { return strings.ReplaceAll(s, "sesame", "***") },
	}}
	l, log := newTaskLog(w, "t1")
	return l, log, &node, w
}

func TestATaskWritesIntoItsOwnLogAndItsWorkers(t *testing.T) {
	logs := &memoryLogs{logs: map[string]*memoryLog{}}
	l, log, node, w := logged(t, logs)
	log.With("a", 1).Info("open sesame", "key", "sesame", "error", errors.New("no sesame"), "list", []string{"sesame"})
	log.Debug("not worth it")
	l.tell("for the task alone", "spec", `{"key":"sesame"}`)
	l.close(w, "t1")
	log.Info("too late for the task")
	own := logs.logs["t1"].String()
	for _, want := range []string{`level=INFO msg="open ***" a=1 key=*** error="no ***" list=[***]`, "for the task alone"} {
		if !strings.Contains(own, want) {
			t.Errorf("the task's log lacks %s:\n%s", want, own)
		}
	}
	if strings.Contains(own, "sesame") || strings.Contains(own, "not worth") || strings.Contains(own, "too late") || !strings.HasPrefix(own, "time=2") {
		t.Errorf("the task's log is\n%s", own)
	}
	if got := node.String(); !strings.Contains(got, "task=t1 a=1") || strings.Contains(got, "alone") || !strings.Contains(got, "too late") {
		t.Errorf("the worker's log is\n%s", got)
	}
	if !logs.logs["t1"].closed || len(logs.kept) != 1 {
		t.Errorf("closed %v, handed over %v", logs.logs["t1"].closed, logs.kept)
	}
}

func TestAFullTaskLogStillTellsErrors(t *testing.T) {
	logs := &memoryLogs{logs: map[string]*memoryLog{}}
	l, log, _, _ := logged(t, logs)
	l.size = logMost - 10
	log.Info("does not fit")
	log.Info("nor does this")
	log.Error("why it failed")
	own := logs.logs["t1"].String()
	if strings.Contains(own, "fit") || strings.Contains(own, "nor") || !strings.Contains(own, "this log is full") || !strings.Contains(own, "why it failed") {
		t.Errorf("the log is\n%s", own)
	}
	l.size = logMost + logReserve
	log.Error("one more")
	if strings.Contains(logs.logs["t1"].String(), "one more") {
		t.Error("the log has no end")
	}
}

func TestADiskThatTakesNoLogStopsNoTask(t *testing.T) {
	logs := &memoryLogs{logs: map[string]*memoryLog{}}
	_, log, node, _ := logged(t, logs)
	logs.logs["t1"].broken = errors.New("disk full")
	log.Info("one")
	log.Info("two")
	logs.logs["t1"].broken = nil
	log.Info("three")
	if own := logs.logs["t1"].String(); !strings.Contains(own, "three") {
		t.Errorf("the log was given up: %s", own)
	}
	if n := strings.Count(node.String(), "task's log takes no more"); n != 1 {
		t.Errorf("the worker said %d times that the log takes no more, want once", n)
	}
	logs.broken = errors.New("no folder")
	l, log, node, w := logged(t, logs)
	log.Info("into the worker's log alone")
	l.close(w, "t1")
	if !strings.Contains(node.String(), "alone") || len(logs.kept) > 0 {
		t.Errorf("without a log of its own: %s, handed over %v", node, logs.kept)
	}
}

func TestADisabledWorkerTakesNoTask(t *testing.T) {
	w := &Worker{cfg: Config{WorkerID: "w1", Host: "h", Port: 7, Capacity: 1, Logger: slog.New(slog.DiscardHandler)}, changed: make(chan struct{}, 1), running: map[string]*runner{}}
	w.SetEnabled(false)
	if r := w.assign(task.Assignment{TaskID: "t1"}); r.Code != task.CodeNoCapacity || w.Enabled() {
		t.Errorf("a disabled worker answers %+v", r)
	}
	if h := w.heartbeat(time.Now()); !h.Disabled {
		t.Error("its heartbeat does not say so")
	}
	w.SetEnabled(true)
	if r := w.assign(task.Assignment{TaskID: "t1"}); r.Code == task.CodeNoCapacity || !w.Enabled() || w.Host() != "h:7" {
		t.Errorf("an enabled worker answers %+v", r)
	}
}
