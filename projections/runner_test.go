package projections_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"ogham/domain/supervisor"
	"ogham/eventstore"
	"ogham/projections"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// follow runs a runner until the test or the returned function ends it.
func follow(t *testing.T, log projections.Log, dir string) (*projections.Runner, func()) {
	t.Helper()
	r, err := projections.Open(projections.Config{Dir: dir, SnapshotEvery: 5, KeepTasks: 3})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx, log) }()
	stopped := false
	stop := func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		if err := <-done; err != nil {
			t.Errorf("run: %v", err)
		}
	}
	t.Cleanup(stop)
	return r, stop
}

// patience bounds each wait. It is far above what is needed: only a test that fails waits so long.
const patience = 3 * time.Minute

func wait(t *testing.T, r *projections.Runner, seq uint64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.WaitFor(ctx, seq); err != nil {
		t.Fatal(err)
	}
}

// answers is everything that a runner says, as text.
func answers(t *testing.T, r *projections.Runner) string {
	t.Helper()
	now := time.Date(2026, 11, 23, 13, 0, 0, 0, time.UTC)
	all := map[string]any{"supervisors": r.Supervisors(), "tasks": r.Tasks(), "position": r.Position()}
	for _, id := range append(r.HistoryIDs(), "nope") {
		history, _ := r.History(id)
		report, ok := r.Status(id, supervisor.Measurements{LatestAt: now, Latest: offsets(0, 100, 1, 100)}, now)
		stream, committed := r.Committed(id)
		all[id] = []any{history, report, ok, stream, committed, r.RecentErrors(id)}
	}
	for _, task := range r.Tasks() {
		all["spec of "+task.ID] = task.Spec
	}
	b, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// diff shows the first line in which two texts differ.
func diff(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("line %d:\n%s\n%s", i, as[i], bs[i])
		}
	}
	return fmt.Sprintf("%d against %d lines", len(as), len(bs))
}

func TestRebuiltEqualsFollowedLive(t *testing.T) {
	w := newWorld(t)
	live, _ := follow(t, w.log, t.TempDir())
	w.story()
	wait(t, live, w.log.last())
	want := answers(t, live)

	rebuilt, _ := follow(t, w.log, t.TempDir())
	wait(t, rebuilt, w.log.last())
	if got := answers(t, rebuilt); got != want {
		t.Errorf("rebuilt from an empty disk, the answers differ from those followed live: %s", diff(got, want))
	}

	w.log.repeat = 3
	repeated, _ := follow(t, w.log, t.TempDir())
	wait(t, repeated, w.log.last())
	if got := answers(t, repeated); got != want {
		t.Errorf("delivered three times, the answers differ: %s", diff(got, want))
	}
}

// TestRestartFromAnyPointAndAnyLostSnapshot stops after each event, loses one of the snapshots, and goes on.
func TestRestartFromAnyPointAndAnyLostSnapshot(t *testing.T) {
	whole := newWorld(t)
	whole.story()
	reference, _ := follow(t, whole.log, "")
	wait(t, reference, whole.log.last())
	want := answers(t, reference)

	names := []string{"status", "history", "recenterrors", "tasks", "commits", "lag"}
	for cut := 0; cut <= len(whole.log.events); cut += 3 {
		dir := t.TempDir()
		part := newMemLog()
		part.events = append(part.events, whole.log.events[:cut]...)
		r, stop := follow(t, part, dir)
		wait(t, r, uint64(cut))
		stop()
		lost := filepath.Join(dir, names[cut/3%len(names)]+".json")
		if cut%2 == 0 {
			if err := os.Remove(lost); err != nil {
				t.Fatal(err)
			}
		} else if err := os.WriteFile(lost, []byte(`{"layout":1,"sequence":99,"sha256":"","data":{}}`), 0o644); err != nil {
			t.Fatal(err)
		}
		r, stop = follow(t, whole.log, dir)
		wait(t, r, whole.log.last())
		if got := answers(t, r); got != want {
			t.Errorf("restarted after event %d without %s: %s", cut, filepath.Base(lost), diff(got, want))
		}
		stop()
	}
}

func TestSnapshotAheadOfTheLogIsDropped(t *testing.T) {
	w := newWorld(t)
	w.story()
	dir := t.TempDir()
	r, stop := follow(t, w.log, dir)
	wait(t, r, w.log.last())
	stop()

	older := newWorld(t)
	older.begin("edits", "PT1M")
	r, _ = follow(t, older.log, dir)
	wait(t, r, older.log.last())
	if got := len(r.Supervisors()); got != 1 {
		t.Errorf("over an older log there are %d supervisors, want 1", got)
	}
	if got := r.Position(); got != older.log.last() {
		t.Errorf("position is %d, the log ends at %d", got, older.log.last())
	}
}

func TestWaitForEndsWithTheContextAndWithTheRunner(t *testing.T) {
	w := newWorld(t)
	r, stop := follow(t, w.log, "")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := r.WaitFor(ctx, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("wait with an ended context: %v", err)
	}
	waited := make(chan error, 1)
	go func() { waited <- r.WaitFor(context.Background(), 1) }()
	stop()
	if err := <-waited; !errors.Is(err, projections.ErrStopped) {
		t.Errorf("wait on a stopped runner: %v, want ErrStopped", err)
	}
}

// failingLog breaks after some events.
type failingLog struct{ *memLog }

func (l failingLog) Tail(ctx context.Context, q eventstore.Query, fn func(eventstore.Event) error) error {
	for _, e := range l.events {
		if err := fn(e); err != nil {
			return err
		}
	}
	return errBroken
}

func TestRunTellsWhyTheLogCannotBeRead(t *testing.T) {
	w := newWorld(t)
	w.begin("edits", "PT1M")
	r, err := projections.Open(projections.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Run(context.Background(), failingLog{w.log}); !errors.Is(err, errBroken) {
		t.Errorf("run: %v, want the log's error", err)
	}
	if err := r.WaitFor(context.Background(), 1000); !errors.Is(err, projections.ErrStopped) || !errors.Is(err, errBroken) {
		t.Errorf("wait: %v, want ErrStopped and the cause", err)
	}
	w.log.append(eventstore.Event{Kind: eventstore.KindSupervisor, SupervisorID: "x", Type: "FromTheFuture"})
	r, err = projections.Open(projections.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var unknown *eventstore.UnknownTypeError
	if err := r.Run(context.Background(), w.log); !errors.As(err, &unknown) {
		t.Errorf("run over an unknown type of event: %v, want *UnknownTypeError", err)
	}
}

func TestADamagedLogLeavesTheSnapshotsAsTheyAre(t *testing.T) {
	w := newWorld(t)
	w.story()
	dir := t.TempDir()
	r, stop := follow(t, w.log, dir)
	wait(t, r, w.log.last())
	want := answers(t, r)
	stop()
	before := files(t, dir)

	for name, log := range map[string]projections.Log{"shorter": newMemLog(), "unreadable": failingLog{newMemLog()}} {
		r, err := projections.Open(projections.Config{Dir: dir, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() { ended <- r.ReadOn(ctx, log) }()
		wait(t, r, w.log.last())
		if got := answers(t, r); got != want {
			t.Errorf("over a log that is %s: %s", name, diff(got, want))
		}
		select {
		case err := <-ended:
			t.Errorf("over a log that is %s the runner ended: %v", name, err)
		default:
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run over a log that is %s: %v", name, err)
		}
		if after := files(t, dir); !maps.Equal(after, before) {
			t.Errorf("over a log that is %s the snapshots were changed", name)
		}
	}
}

func TestASnapshotIsTakenAtTheEndOfCatchingUp(t *testing.T) {
	w := newWorld(t)
	w.story()
	dir, last := t.TempDir(), w.log.last()
	follow(t, w.log, dir)
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	var at uint64
	for end := time.After(patience); at+5 <= last; {
		select {
		case <-poll.C:
		case <-end:
			t.Fatalf("the newest snapshot is of event %d, want one of the last five up to %d", at, last)
		}
		if s, ok := eventstore.ReadSnapshotFile(filepath.Join(dir, "lag.json"), 1); ok {
			at = s.Sequence
		}
	}
}

// files returns the content of each file of a folder.
func files(t *testing.T, dir string) map[string]string {
	t.Helper()
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(all) == 0 {
		t.Fatalf("no files in %s: %v", dir, err)
	}
	content := map[string]string{}
	for _, f := range all {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		content[f] = string(data)
	}
	return content
}
