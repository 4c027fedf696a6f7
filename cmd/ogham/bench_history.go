package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nuid"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

const (
	// pastSupervisors share the history; their tasks have run every hour, one after another.
	pastSupervisors = 100
	// pastBatch is what one supervisor adds to the log before the next has its turn.
	pastBatch = 900
	// pastTail is what comes after the last snapshot: almost as much as may come before the next one is written.
	pastTail = 4_900
	// pastEvery is how often there is one while the log is read from its beginning.
	pastEvery = 20_000
	// pastEnd is how many events a supervisor's last hour may still have, with the one that suspends it.
	pastEnd = 8
)

// start measures how long a server needs that was killed over a long log: its snapshots are as old as they may be.
func (b *bench) start(ctx context.Context) error {
	dir, n := filepath.Join(b.dir, "past"), b.history/pastEvery*pastEvery+pastTail
	kept := b.past
	if kept == "" {
		kept = dir
	}
	broker, err := startBenchBroker(ctx, b.errs, pastBroker(kept))
	if err != nil {
		return err
	}
	defer broker.stop()
	if err := createTopics(ctx, broker.addr, "past_", pastSupervisors); err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	written, err := b.keepPast(ctx, kept, broker.addr, n)
	if err != nil {
		return fmt.Errorf("write a history: %w", err)
	}
	if kept != dir { // servers note in the log which topics they saw, and the next broker's are others
		if err := os.CopyFS(dir, os.DirFS(kept)); err != nil {
			return fmt.Errorf("copy the history: %w", err)
		}
	}
	fmt.Fprintf(b.out, "Start over a log of %s events, %s MB:\n\n", grouped(int64(n)),
		grouped(bytesBelow(filepath.Join(dir, "jetstream"))/1_000_000))
	t := table{head: []string{"", "answers after", "right after", "peak memory"}}
	var want string
	for _, name := range []string{"no snapshots: all of the log is read", "snapshots, killed", "the same once more", "and again"} {
		b.progress("start, %s", name)
		began := time.Now()
		s, err := b.serve(ctx, dir)
		if err != nil {
			return err
		}
		up := time.Since(began)
		got := ""
		waitFor(ctx, benchTimeout, func() bool { got = s.past(ctx); return got != "" && (want == "" || got == want) })
		took := time.Since(began)
		peak := peakMemory(s.pid)
		if want == "" {
			want = got
			waitFor(ctx, time.Minute, func() bool { return snapshotsReach(dir, uint64(n-pastTail)) })
			// A server that starts reads what is in the window of message ids again, which here would be everything.
			if err := sleep(ctx, time.Until(written.Add(eventstore.DuplicateWindow+time.Second))); err != nil {
				return err
			}
		}
		s.kill()
		if got != want || got == "" {
			return fmt.Errorf("after the start, %s: %d bytes of answers, want the %d of before", name, len(got), len(want))
		}
		t.add(name, seconds(up), seconds(took), megabytes(peak))
	}
	t.write(b.out)
	fmt.Fprintln(b.out)
	return nil
}

// pastMark is the file in a history's folder that says what was written: the broker's port, and the number of events.
const pastMark = "past.txt"

// pastBroker is the port of the broker that a kept history's supervisors name, 0 where there is none.
func pastBroker(dir string) (port int) {
	mark, err := os.ReadFile(filepath.Join(dir, pastMark))
	if err != nil {
		return 0
	}
	_, _ = fmt.Sscan(string(mark), &port)
	return port
}

// keepPast writes the history unless the folder has one of so many events, and says when it was written.
func (b *bench) keepPast(ctx context.Context, dir, bootstrap string, n int) (time.Time, error) {
	path := filepath.Join(dir, pastMark)
	if mark, err := os.ReadFile(path); err == nil {
		var port, events int
		if _, err := fmt.Sscan(string(mark), &port, &events); err != nil || events != n {
			return time.Time{}, fmt.Errorf("folder %s has another history than one of %d events (%s)", dir, n, bytes.TrimSpace(mark))
		}
		info, err := os.Stat(path)
		if err != nil {
			return time.Time{}, err
		}
		return info.ModTime(), nil
	}
	b.progress("writing %s events of %d supervisors", grouped(int64(n)), pastSupervisors)
	if err := writePast(ctx, dir, bootstrap, n); err != nil {
		return time.Time{}, err
	}
	_, port, err := net.SplitHostPort(bootstrap)
	if err != nil {
		return time.Time{}, err
	}
	return time.Now(), os.WriteFile(path, fmt.Appendf(nil, "%s %d\n", port, n), 0o600)
}

// past is what a server says of the history: every supervisor with its state, one's past, and the newest tasks. It is
// empty until the last events of the log are in it, which are those that suspend.
func (s *benchServer) past(ctx context.Context) string {
	body, err := s.send(ctx, http.MethodGet, "/druid/indexer/v1/supervisor?state=true", "")
	var all []struct{ DetailedState string }
	if err != nil || json.Unmarshal(body, &all) != nil || len(all) != pastSupervisors {
		return ""
	}
	for _, one := range all {
		if one.DetailedState != "SUSPENDED" {
			return ""
		}
	}
	out := string(body)
	for _, path := range []string{"/druid/indexer/v1/supervisor/past_7/history", "/druid/indexer/v1/tasks?state=complete&max=100"} {
		if body, err = s.send(ctx, http.MethodGet, path, ""); err != nil {
			return ""
		}
		out += string(body)
	}
	return out
}

// snapshotsReach says whether every projection's snapshot is of that event or a later one.
func snapshotsReach(dir string, seq uint64) bool {
	files, _ := filepath.Glob(filepath.Join(dir, "projections", "*.json"))
	for _, f := range files {
		if at, ok := snapshotSequence(f); !ok || at < seq {
			return false
		}
	}
	return len(files) > 0
}

// writePast writes events as supervisors would have, in batches, into the log of a server that does not run.
func writePast(ctx context.Context, dir, bootstrap string, n int) (err error) {
	c, err := parseConfig("server", []string{"-data-dir", dir}, nil, io.Discard, nil)
	if err != nil {
		return err
	}
	a := &app{cfg: c, log: slog.New(slog.DiscardHandler), failed: make(chan error, 8)}
	defer func() { err = errors.Join(err, a.stop()) }()
	nc, err := a.connect()
	if err != nil {
		return err
	}
	store, err := a.openStore(ctx, nc)
	if err != nil {
		return err
	}
	all := make([]*pastSupervisor, pastSupervisors)
	for i := range all {
		if all[i], err = newPast(i, bootstrap); err != nil {
			return err
		}
		all[i].log = store.Aggregate(all[i].state.ID)
	}
	left := n - pastSupervisors*pastEnd
	turn := min(pastBatch, max(left/pastSupervisors, 1))
	for i := 0; left > 0; i = (i + 1) % len(all) {
		k := min(left, turn)
		if err := all[i].goOn(ctx, k); err != nil {
			return err
		}
		left -= k
	}
	for _, p := range all {
		if err := p.suspend(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pastSupervisor makes up the history of a supervisor by deciding as the real one does.
type pastSupervisor struct {
	spec    *spec.Supervisor
	state   *supervisor.State
	decider *supervisor.Decider
	log     *eventstore.Aggregate
	at      time.Time
	round   int64
	batch   []eventstore.NewEvent
	script  []func() supervisor.Command
}

func newPast(i int, bootstrap string) (*pastSupervisor, error) {
	id := "past_" + strconv.Itoa(i)
	t := usualTask()
	raw := bytes.Replace(t.spec(bootstrap, id), []byte(`"dataSource":"bench"`), []byte(`"dataSource":"`+id+`"`), 1)
	sp, err := spec.Parse(raw)
	if err != nil {
		return nil, err
	}
	p := &pastSupervisor{
		spec: sp, state: supervisor.NewState(id), decider: supervisor.NewDecider(supervisor.DefaultThresholds),
		at: time.Date(2026, 1, 1, 0, 0, i, 0, time.UTC),
	}
	p.script = p.opening()
	return p, nil
}

func (p *pastSupervisor) opening() []func() supervisor.Command {
	fixed := func(c supervisor.Command) func() supervisor.Command { return func() supervisor.Command { return c } }
	steps := []func() supervisor.Command{
		fixed(supervisor.SubmitSpec{Spec: p.spec.Canonical(), Stream: supervisor.Stream{Name: p.spec.IOConfig.Stream()}}),
		fixed(supervisor.Propose{Trigger: supervisor.TriggerRunBegin}),
		fixed(supervisor.NotePartitions{Partitions: []task.Partition{"0", "1"}}),
		fixed(supervisor.Propose{Trigger: supervisor.TriggerPartitionsOK}), fixed(supervisor.Propose{Trigger: supervisor.TriggerCreateBegin}),
	}
	return append(steps, fixed(supervisor.EndRun{}), fixed(supervisor.EndRun{}), fixed(supervisor.EndRun{}))
}

// hour is one task from its group's forming to its end.
func (p *pastSupervisor) hour() []func() supervisor.Command {
	p.round++
	id := p.state.ID
	group := fmt.Sprintf("%s_%d", id, p.round)
	taskID := fmt.Sprintf("index_kafka_%s_%015x_%08d", id, p.round, p.round)
	offsets := func(round int64) task.Offsets {
		return task.Offsets{"0": round * 1_800_000, "1": round * 1_800_000}
	}
	day := p.at.UnixMilli() / 86_400_000 * 86_400_000
	return []func() supervisor.Command{
		func() supervisor.Command {
			return supervisor.FormGroup{Key: group, BaseSequenceName: "index_kafka_" + group, Start: offsets(p.round - 1)}
		},
		func() supervisor.Command { return supervisor.CreateTask{TaskID: taskID, Group: group} },
		func() supervisor.Command {
			return supervisor.AssignTask{TaskID: taskID, WorkerID: "worker-1", Incarnation: "past", Host: "127.0.0.1", Port: 8090}
		},
		func() supervisor.Command { return supervisor.StartTask{TaskID: taskID, StartTime: p.at} },
		func() supervisor.Command {
			return supervisor.AllocateSegments{TaskID: taskID, Slots: []task.SegmentSlot{{Start: day, End: day + 86_400_000}}, Version: p.at.Format("2006-01-02T15:04:05.000Z")}
		},
		func() supervisor.Command {
			return supervisor.Checkpoint{Group: group, End: offsets(p.round), Final: true, Deadline: p.at.Add(30 * time.Minute), Reason: "taskDuration"}
		},
		func() supervisor.Command {
			c := supervisor.PublishSegments{TaskID: taskID, Start: offsets(p.round - 1), End: offsets(p.round)}
			for _, given := range p.state.Identities[supervisor.SequenceName("index_kafka_"+group, 0)] {
				c.Segments = append(c.Segments, task.Segment{
					ID: fmt.Sprintf("%s_%d_%s_%d", id, given.IntervalStart, given.Version, given.PartitionNum), Start: given.IntervalStart, End: given.IntervalEnd,
					Version: given.Version, PartitionNum: given.PartitionNum, Size: 118_800_000, Rows: 3_600_000,
					Dimensions: []string{"page", "user", "country", "language", "isRobot", "added", "deleted", "delta"},
					LoadSpec:   json.RawMessage(`{"type":"local","path":"/segments/` + id + `/index.zip"}`),
				})
			}
			return c
		},
		func() supervisor.Command { return supervisor.SucceedTask{TaskID: taskID} },
	}
}

// goOn lives on for n events and stores them.
func (p *pastSupervisor) goOn(ctx context.Context, n int) error {
	for len(p.batch) < n {
		if len(p.script) == 0 {
			p.script = p.hour()
		}
		if err := p.step(); err != nil {
			return err
		}
	}
	return p.store(ctx)
}

func (p *pastSupervisor) step() error {
	next := p.script[0]
	p.script = p.script[1:]
	return p.decide(next())
}

// decide may be ahead of the log: the sequence of the state is put right by store.
func (p *pastSupervisor) decide(c supervisor.Command) error {
	p.at = p.at.Add(450 * time.Second)
	events, err := p.decider.Decide(p.state, c)
	if err != nil {
		return fmt.Errorf("%s: %T: %w", p.state.ID, c, err)
	}
	for _, e := range events {
		n, err := eventstore.Encode(e)
		if err != nil {
			return err
		}
		n.ID, n.Time, n.Actor, n.Epoch = nuid.Next(), p.at, "overlord", 1
		p.state = supervisor.Evolve(p.state, supervisor.Recorded{Sequence: p.state.Sequence, ID: n.ID, Time: p.at, Epoch: 1, Event: e})
		p.batch = append(p.batch, n)
	}
	return nil
}

func (p *pastSupervisor) store(ctx context.Context) error {
	last, err := p.log.Append(ctx, p.state.Sequence, p.batch)
	if err != nil {
		return err
	}
	p.state.Sequence = last
	p.batch = p.batch[:0]
	return nil
}

// suspend ends the history with pastEnd events at most: nothing happens while the start is measured.
func (p *pastSupervisor) suspend(ctx context.Context) error {
	for len(p.script) > 0 {
		if err := p.step(); err != nil {
			return err
		}
	}
	if err := p.decide(supervisor.SuspendSupervisor{Spec: p.spec.WithSuspended(true).Canonical()}); err != nil {
		return err
	}
	return p.store(ctx)
}

// snapshotSequence reads which event a snapshot is of, whatever the layout of its data.
func snapshotSequence(path string) (uint64, bool) {
	for layout := 1; layout < 20; layout++ {
		if s, ok := eventstore.ReadSnapshotFile(path, layout); ok {
			return s.Sequence, true
		}
	}
	return 0, false
}
