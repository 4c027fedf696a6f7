package tasklogs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"ogham/adapters/natsserver"
	"ogham/adapters/tasklogs"
	"ogham/eventstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// network is a NATS server that stores meet on.
func network(t *testing.T) func() *nats.Conn {
	t.Helper()
	srv, err := natsserver.Start(natsserver.Config{StoreDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(srv.Shutdown)
	return func() *nats.Conn {
		nc, err := srv.Connect()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(nc.Close)
		return nc
	}
}

// node is one process's store, and how to end it as kill -9 does: without a word.
type node struct {
	*tasklogs.Store
	live, dir string
	stop      func()
}

func start(t *testing.T, nc *nats.Conn, name string, change func(*tasklogs.Config)) *node {
	t.Helper()
	root := t.TempDir()
	cfg := tasklogs.Config{LiveDir: filepath.Join(root, "live"), Dir: filepath.Join(root, "kept"), Node: name, NATS: nc, Logger: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&cfg)
	}
	s, err := tasklogs.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	n := &node{Store: s, live: cfg.LiveDir, dir: cfg.Dir}
	ended := false
	n.stop = func() {
		if ended {
			return
		}
		ended = true
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(n.stop)
	until(t, name+" answers to its name", func() bool {
		_, err := nc.Request("ogham.rt.tasklog.read."+eventstore.EncodeToken(name), []byte(`{"name":"x.log"}`), time.Second)
		return err == nil
	})
	return n
}

// until polls a condition. The only bound is go test's own, shortly before which it says what did not come.
func until(t *testing.T, what string, ok func() bool) {
	t.Helper()
	var over <-chan time.Time
	if at, bounded := t.Deadline(); bounded {
		limit := time.NewTimer(time.Until(at) - 10*time.Second)
		defer limit.Stop()
		over = limit.C
	}
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-over:
			t.Fatalf("it did not happen: %s", what)
		}
	}
}

// whole reads a log through a store, part after part.
func whole(t *testing.T, s *tasklogs.Store, id, at string, offset int64) (string, bool) {
	t.Helper()
	var out bytes.Buffer
	for {
		p, ok, err := s.Read(t.Context(), id, at, offset)
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			return out.String(), false
		}
		out.Write(p.Data)
		if offset = p.Start + int64(len(p.Data)); offset >= p.Size {
			return out.String(), true
		}
	}
}

func (n *node) write(t *testing.T, id, text string) io.WriteCloser {
	t.Helper()
	w, err := n.Create(id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	return w
}

func (n *node) keep(t *testing.T, id, text string) {
	t.Helper()
	if err := n.write(t, id, text).Close(); err != nil {
		t.Fatal(err)
	}
	if err := n.Keep(id); err != nil {
		t.Fatal(err)
	}
}

func TestALogIsReadFromAnotherProcessWhileTheTaskRuns(t *testing.T) {
	connect := network(t)
	w := start(t, connect(), "w1", nil)
	lord := start(t, connect(), "lord", func(c *tasklogs.Config) { c.Collect = true })
	text := strings.Repeat("0123456789abcdef", 50_000) // more than fits into a message
	f := w.write(t, "t1", text)
	defer f.Close()
	until(t, "the other process gives what is there", func() bool { got, ok := whole(t, lord.Store, "t1", "w1", 0); return ok && got == text })
	if got, ok := whole(t, lord.Store, "t1", "w1", -5); !ok || got != "bcdef" {
		t.Errorf("the last five bytes are %q %v", got, ok)
	}
	if _, err := io.WriteString(f, "more"); err != nil {
		t.Fatal(err)
	}
	if got, _ := whole(t, lord.Store, "t1", "w1", int64(len(text))); got != "more" {
		t.Errorf("what came since is %q", got)
	}
	if _, ok := whole(t, lord.Store, "t2", "w1", 0); ok {
		t.Error("there is a log of a task that wrote none")
	}
}

func TestAnEndedTasksLogOutlivesItsWorker(t *testing.T) {
	connect := network(t)
	w := start(t, connect(), "w1", nil)
	lord := start(t, connect(), "lord", func(c *tasklogs.Config) { c.Collect = true })
	other := start(t, connect(), "other", nil)
	text := strings.Repeat("x", 600_000)
	w.keep(t, "t1", text)
	until(t, "the overlord has a copy", func() bool {
		b, err := os.ReadFile(filepath.Join(lord.dir, "t1.log"))
		return err == nil && string(b) == text
	})
	w.stop()
	for name, s := range map[string]*node{"the overlord": lord, "another process": other} {
		if got, ok := whole(t, s.Store, "t1", "w1", 0); !ok || got != text {
			t.Errorf("%s gives %d bytes, %v, after the worker is gone", name, len(got), ok)
		}
	}
}

func TestALogIsReadByAnOverlordThatCameAfterIt(t *testing.T) {
	connect := network(t)
	w := start(t, connect(), "w1", nil)
	collects := func(c *tasklogs.Config) { c.Collect = true }
	first := start(t, connect(), "first", collects)
	w.keep(t, "t1", "all of it")
	until(t, "the first overlord has a copy", func() bool {
		b, err := os.ReadFile(filepath.Join(first.dir, "t1.log"))
		return err == nil && string(b) == "all of it"
	})
	late := start(t, connect(), "late", collects)
	read := func(when string) {
		t.Helper()
		if got, ok := whole(t, late.Store, "t1", "w1", 0); !ok || got != "all of it" {
			t.Errorf("the late overlord gives %q, %v, %s", got, ok, when)
		}
	}
	read("while the worker has it")
	// A folder where the log was cannot be read: the worker has it, and cannot give it.
	kept := filepath.Join(w.dir, "t1.log")
	if err := errors.Join(os.Remove(kept), os.Mkdir(kept, 0o755)); err != nil {
		t.Fatal(err)
	}
	read("while the worker cannot give it")
	w.stop()
	read("after the worker is gone")
	first.stop()
	if got, ok := whole(t, late.Store, "t1", "w1", 0); ok {
		t.Errorf("%q is given after all that had it are gone", got)
	}
}

func TestWhatAKilledWorkerWroteIsHandedOverWhenItIsBack(t *testing.T) {
	connect := network(t)
	root := t.TempDir()
	same := func(c *tasklogs.Config) { c.LiveDir, c.Dir = filepath.Join(root, "live"), filepath.Join(root, "kept") }
	lord := start(t, connect(), "lord", func(c *tasklogs.Config) { c.Collect = true })
	w := start(t, connect(), "w1", same)
	f := w.write(t, "t1", "its last words")
	defer f.Close()
	w.stop()
	if _, ok := whole(t, lord.Store, "t1", "w1", 0); ok {
		t.Fatal("somebody has the log of a worker that is gone")
	}
	back := start(t, connect(), "w1", same)
	until(t, "the overlord has a copy", func() bool {
		b, err := os.ReadFile(filepath.Join(lord.dir, "t1.log"))
		return err == nil && string(b) == "its last words"
	})
	if left, err := os.ReadDir(back.live); err != nil || len(left) > 0 {
		t.Errorf("%d logs are still where running tasks write, %v", len(left), err)
	}
}

func TestALogThatCannotBeFetchedIsFetchedLater(t *testing.T) {
	connect := network(t)
	lord := start(t, connect(), "lord", func(c *tasklogs.Config) { c.Collect, c.RetryEvery = true, 10*time.Millisecond })
	// It offers a log and is gone before anybody can ask for it.
	nc := connect()
	if err := nc.Publish("ogham.rt.tasklog.offer", []byte(`{"node":"w1","name":"t1.log","size":5}`)); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	if err := os.MkdirAll(filepath.Join(root, "kept"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "kept", "t1.log"), []byte("words"), 0o644); err != nil {
		t.Fatal(err)
	}
	start(t, connect(), "w1", func(c *tasklogs.Config) { c.Dir = filepath.Join(root, "kept") })
	until(t, "the log is there", func() bool {
		b, err := os.ReadFile(filepath.Join(lord.dir, "t1.log"))
		return err == nil && string(b) == "words"
	})
	if left, err := filepath.Glob(filepath.Join(lord.dir, "*.partial")); err != nil || len(left) > 0 {
		t.Errorf("%v are left of tries that failed, %v", left, err)
	}
}

func TestASharedFolderIsNotCopiedInto(t *testing.T) {
	connect := network(t)
	shared := t.TempDir()
	w := start(t, connect(), "w1", func(c *tasklogs.Config) { c.Dir = shared })
	start(t, connect(), "lord", func(c *tasklogs.Config) { c.Dir, c.Collect = shared, true })
	w.keep(t, "t1", "a")
	at := func(id string) time.Time {
		st, err := os.Stat(filepath.Join(shared, id+".log"))
		if err != nil {
			t.Fatal(err)
		}
		return st.ModTime()
	}
	first := at("t1")
	third := start(t, connect(), "third", func(c *tasklogs.Config) { c.Collect = true })
	w.keep(t, "t2", "b")
	until(t, "one with a folder of its own has a copy", func() bool { _, err := os.Stat(filepath.Join(third.dir, "t2.log")); return err == nil })
	if !at("t1").Equal(first) {
		t.Error("the log was written again")
	}
}

func TestOldLogsAreDeleted(t *testing.T) {
	connect := network(t)
	dir := t.TempDir()
	now := time.Now()
	for name, age := range map[string]time.Duration{"old.log": 3 * time.Hour, "new.log": time.Hour, "notes.txt": 99 * time.Hour, "a.log.1.partial": 99 * time.Hour, "b.log.2.partial": time.Hour} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(file, now.Add(-age), now.Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	start(t, connect(), "w1", func(c *tasklogs.Config) {
		c.Dir, c.Retain, c.FirstClean, c.CleanEvery = dir, 2*time.Hour, time.Millisecond, time.Millisecond
	})
	there := func(name string) bool { _, err := os.Stat(filepath.Join(dir, name)); return err == nil }
	until(t, "the old ones are gone", func() bool { return !there("old.log") && !there("a.log.1.partial") })
	for _, name := range []string{"new.log", "notes.txt", "b.log.2.partial"} {
		if !there(name) {
			t.Errorf("%s is gone", name)
		}
	}
}

// TestAnyIDNamesALogOfItsOwn writes the logs of tasks with any names and reads them back.
func TestAnyIDNamesALogOfItsOwn(t *testing.T) {
	connect := network(t)
	n := start(t, connect(), "w1", nil)
	seen := map[string]bool{}
	check := func(id string) error {
		if seen[id] {
			return nil
		}
		seen[id] = true
		text := fmt.Sprintf("log of %q", id)
		n.keep(t, id, text)
		if got, ok := whole(t, n.Store, id, "", 0); !ok || got != text {
			return fmt.Errorf("the log of %q is %q %v", id, got, ok)
		}
		return nil
	}
	for _, id := range []string{"index_kafka_a_0123456789abcde_abcdefgh", "..", ".", "a/b", `a\b`, "a b", "über", "a\x00b", "a_b", strings.Repeat("x", 300), strings.Repeat("x", 301), ".hidden"} {
		if err := check(id); err != nil {
			t.Error(err)
		}
	}
	rapid.Check(t, func(rt *rapid.T) {
		if err := check(rapid.String().Draw(rt, "id")); err != nil {
			rt.Error(err)
		}
	})
	if _, err := os.Stat(filepath.Join(n.dir, "index_kafka_a_0123456789abcde_abcdefgh.log")); err != nil {
		t.Errorf("Druid's name of a log is not used: %v", err)
	}
}
