package worker_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ogham/domain/task"
	"ogham/worker"
)

func TestTaskReadsExactlyItsRange(t *testing.T) {
	b := newBench(t)
	b.produce(50)
	start := task.Offsets{"0": 0, "1": 10, "2": 49, "3": 50}
	b.assign(b.assignment("t1", "", open(0, start)))
	b.readTo("t1", all(50))
	if n := len(b.leader.seen(task.NoticeStarted)); n != 1 {
		t.Fatalf("%d notices of the start", n)
	}
	if got := b.mustOrder(task.Order{Op: task.OpPause, TaskID: "t1"}).Offsets; !got.Equal(all(50)) {
		t.Fatalf("paused at %v", got)
	}
	if r, _ := b.report("t1"); !r.StartTime.Before(time.Now()) || r.StartTime.IsZero() {
		t.Errorf("start time %v", r.StartTime)
	}
	if r := b.setEnd("t1", 0, all(50), true); r.Code != "" {
		t.Fatal(r)
	}
	until(t, "success", func() bool { return len(b.leader.seen(task.NoticeSucceeded)) == 1 })
	b.gone("t1")
	b.wantCommitted(start, all(50))
	b.wantClean()
	n := b.leader.seen(task.NoticeSucceeded)[0]
	if n.Stats.Totals.Processed != 50+40+1 || n.RecordsProcessed["1"] != 40 || n.Incarnation == "" || n.WorkerID != "w1" {
		t.Errorf("%+v", n)
	}
	if p := b.leader.seen(task.NoticePublish)[0]; p.Segments[0].ID != "edits_2026-11-23T00:00:00.000Z_2026-11-24T00:00:00.000Z_2026-11-23T00:00:00.000Z" {
		t.Errorf("segment id %s", p.Segments[0].ID)
	}
}

func TestReplicasBuildTheSame(t *testing.T) {
	b := newBench(t)
	b.produce(30)
	b.assign(b.assignment("ahead", "", open(0, all(0))))
	b.readTo("ahead", all(30))
	end := b.mustOrder(task.Order{Op: task.OpPause, TaskID: "ahead"}).Offsets
	// The other replica may be anywhere when it is told the same end; more than the range is in the topic.
	b.produce(30)
	b.assign(b.assignment("behind", "", open(0, all(0))))
	end = end.Max(b.mustOrder(task.Order{Op: task.OpPause, TaskID: "behind"}).Offsets)
	for _, id := range []string{"ahead", "behind"} {
		if r := b.setEnd(id, 0, end, true); r.Code != "" {
			t.Fatal(id, r)
		}
	}
	until(t, "both succeed", func() bool { return len(b.leader.seen(task.NoticeSucceeded)) == 2 })
	b.wantCommitted(all(0), end)
	b.wantClean()
}

func TestEndIsRefusedBehindThePosition(t *testing.T) {
	b := newBench(t)
	b.produce(10)
	b.assign(b.assignment("t1", "", open(0, all(0))))
	b.readTo("t1", all(10))
	for want, end := range map[string]task.Offsets{
		"End sequence must be >= current sequence for partition [0] (current: 10)":             {"0": 9, "1": 10, "2": 10, "3": 10},
		"Request contains partitions not being handled by this task, my partitions: [0 1 2 3]": {"0": 10},
		"Request body must contain a map of { partition:endOffset }":                           {},
	} {
		if r := b.setEnd("t1", 0, end, true); r.Code != task.CodeEnd && len(end) > 0 || r.Message != want {
			t.Errorf("%v: %+v", end, r)
		}
	}
	if r := b.setEnd("t1", 3, all(10), true); r.Code != task.CodeRefused {
		t.Errorf("another sequence: %+v", r)
	}
	// Refused orders leave the task reading; a good one may be repeated, a different one may not follow.
	hold := make(chan struct{})
	b.leader.setScript(func(n task.Notice) (*task.NoticeReply, bool) {
		if n.Kind == task.NoticePublish {
			<-hold
		}
		return nil, false
	})
	for range 3 {
		if r := b.setEnd("t1", 0, all(10), true); r.Code != "" {
			t.Fatal(r)
		}
	}
	if r := b.setEnd("t1", 0, all(11), true); r.Code != task.CodeEnd || r.Message != "Sequence [0] has already endOffsets set, cannot set to [{0=11, 1=11, 2=11, 3=11}]" {
		t.Errorf("another end: %+v", r)
	}
	until(t, "publishing", func() bool { r, _ := b.report("t1"); return r.Status == task.RunnerPublishing })
	if r := b.order(task.Order{Op: task.OpPause, TaskID: "t1"}); r.Code != task.CodeRefused || !strings.Contains(r.Message, "state[PUBLISHING]") {
		t.Errorf("pause while publishing: %+v", r)
	}
	close(hold)
	b.gone("t1")
	b.wantCommitted(all(0), all(10))
}

func TestCheckpointPublishesWhileReadingGoesOn(t *testing.T) {
	b := newBench(t)
	cl := b.produce(25) // 100 records
	b.leader.setScript(func(n task.Notice) (*task.NoticeReply, bool) {
		if n.Kind == task.NoticeCheckpoint {
			go func() { // the real leader pauses all replicas first, in its own time
				at := b.mustOrder(task.Order{Op: task.OpPause, TaskID: n.TaskID}).Offsets
				b.mustOrder(task.Order{Op: task.OpSetEnd, TaskID: n.TaskID, Sequence: n.Sequence, End: at})
			}()
		}
		return nil, false
	})
	b.assign(b.assignment("t1", `,"maxRowsPerSegment":40`, open(0, all(0))))
	b.readTo("t1", all(25))
	until(t, "two sequences committed", func() bool { return len(b.leader.seen(task.NoticePublish)) == 2 })
	for i, n := range b.leader.seen(task.NoticePublish) {
		if n.Sequence != i || n.Segments[0].Rows != 40 {
			t.Errorf("sequence %d has %d rows", n.Sequence, n.Segments[0].Rows)
		}
	}
	b.write(cl, 4)
	b.readTo("t1", all(29))
	if r := b.setEnd("t1", 2, all(29), true); r.Code != "" {
		t.Fatal(r)
	}
	b.gone("t1")
	b.wantCommitted(all(0), all(29))
	b.wantClean()
	if n := b.leader.seen(task.NoticeSucceeded)[0]; n.Stats.Totals.Processed != 116 {
		t.Errorf("%+v", n.Stats)
	}
}

// TestASlowPublishDoesNotCloseOneSmallSequenceAfterTheOther: maxTotalRows counts what is read, not what is on its way.
func TestASlowPublishDoesNotCloseOneSmallSequenceAfterTheOther(t *testing.T) {
	b := newBench(t)
	cl := b.produce(1)
	held := make(chan struct{})
	b.leader.setScript(func(n task.Notice) (*task.NoticeReply, bool) {
		switch n.Kind {
		case task.NoticeCheckpoint:
			go func() {
				at := b.mustOrder(task.Order{Op: task.OpPause, TaskID: n.TaskID}).Offsets
				b.mustOrder(task.Order{Op: task.OpSetEnd, TaskID: n.TaskID, Sequence: n.Sequence, End: at})
			}()
		case task.NoticePublish:
			select {
			case <-held:
			default:
				return &task.NoticeReply{Code: task.CodeRetry}, true
			}
		}
		return nil, false
	})
	b.assign(b.assignment("t1", `,"maxTotalRows":20`, open(0, all(0))))
	for i := range int64(20) { // four records each time
		b.readTo("t1", all(i+1))
		b.write(cl, 1)
	}
	b.readTo("t1", all(21))
	n := len(b.leader.seen(task.NoticeCheckpoint))
	until(t, "the sequences that wait for the first one are sealed", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		for i, m := range b.builders[:n] {
			m.mu.Lock()
			sealed := m.sealed
			m.mu.Unlock()
			if sealed != (i > 0) {
				return false
			}
		}
		return true
	})
	close(held)
	var committed []task.Segment
	until(t, "what was closed is committed", func() bool {
		b.leader.mu.Lock()
		defer b.leader.mu.Unlock()
		committed = slices.Clone(b.leader.published)
		return n > 0 && len(committed) == n
	})
	for i, seg := range committed {
		if seg.Rows < 20 {
			t.Errorf("sequence %d has %d rows, want 20 at least", i, seg.Rows)
		}
	}
}

func TestReplacementReadsClosedSequences(t *testing.T) {
	b := newBench(t)
	b.produce(40)
	first := task.Sequence{Number: 2, Start: all(0), End: task.Offsets{"0": 10, "1": 0, "2": 40, "3": 5}}
	second := task.Sequence{Number: 3, Start: first.End, End: task.Offsets{"0": 20, "1": 20, "2": 40, "3": 20}}
	b.assign(b.assignment("t1", "", first, second))
	until(t, "success", func() bool { return len(b.leader.seen(task.NoticeSucceeded)) == 1 })
	b.wantCommitted(all(0), second.End)
	b.wantClean()
}

func TestNothingReadCommitsNothing(t *testing.T) {
	b := newBench(t)
	b.assign(b.assignment("t1", "", open(0, all(0))))
	if r := b.setEnd("t1", 0, all(0), true); r.Code != "" {
		t.Fatal(r)
	}
	until(t, "success", func() bool { return len(b.leader.seen(task.NoticeSucceeded)) == 1 })
	if len(b.leader.seen(task.NoticePublish)) != 0 {
		t.Error("published nothing at all")
	}
	b.wantClean()
}

func TestAbortedTransactions(t *testing.T) {
	b := newBench(t)
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.TransactionalID("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	for _, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		b.write(cl, 3)
		if err := cl.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	b.assign(b.assignment("t1", "", open(0, all(0))))
	b.readTo("t1", all(12)) // markers are passed: the lag is 0
	if r := b.setEnd("t1", 0, all(12), true); r.Code != "" {
		t.Fatal(r)
	}
	until(t, "success", func() bool { return len(b.leader.seen(task.NoticeSucceeded)) == 1 })
	b.wantCommitted(all(4), all(7))
}

func TestOnlyAbortedRowsMoveTheOffsets(t *testing.T) {
	b := newBench(t)
	cl, err := kgo.NewClient(kgo.SeedBrokers(b.cluster.ListenAddrs()...), kgo.TransactionalID("tx"), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	if err := cl.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	b.write(cl, 2)
	if err := cl.EndTransaction(t.Context(), kgo.TryAbort); err != nil {
		t.Fatal(err)
	}
	b.assign(b.assignment("t1", "", open(0, all(0))))
	b.readTo("t1", all(3))
	if r := b.setEnd("t1", 0, all(3), true); r.Code != "" {
		t.Fatal(r)
	}
	until(t, "success", func() bool { return len(b.leader.seen(task.NoticeSucceeded)) == 1 })
	ps := b.leader.seen(task.NoticePublish)
	if len(ps) != 1 || len(ps[0].Segments) != 0 || !ps[0].End.Equal(all(3)) {
		t.Errorf("%+v", ps)
	}
}

func TestOrdersAreIdempotentAndFenced(t *testing.T) {
	b := newBench(t)
	a := b.assignment("t1", "", open(0, all(0)))
	for range 3 {
		b.assign(a)
	}
	until(t, "reading", func() bool { r, _ := b.report("t1"); return r.Status == task.RunnerReading })
	if n := len(b.leader.seen(task.NoticeStarted)); n != 1 {
		t.Errorf("%d starts", n)
	}
	b.assign(b.assignment("t2", "", open(0, all(0))))
	if r := b.order(task.Order{Op: task.OpAssign, TaskID: "t3", Assignment: b.assignment("t3", "", open(0, all(0)))}); r.Code != task.CodeNoCapacity {
		t.Errorf("third task in two slots: %+v", r)
	}
	if r := b.order(task.Order{Op: task.OpPause, TaskID: "nope"}); r.Code != task.CodeUnknownTask {
		t.Errorf("unknown task: %+v", r)
	}
	b.mustOrder(task.Order{Op: task.OpPause, TaskID: "t1", Epoch: 7})
	if r := b.order(task.Order{Op: task.OpResume, TaskID: "t1", Epoch: 6}); r.Code != task.CodeStaleEpoch {
		t.Errorf("stale epoch: %+v", r)
	}
	for range 2 {
		b.mustOrder(task.Order{Op: task.OpPause, TaskID: "t1", Epoch: 7})
	}
	until(t, "paused", func() bool { r, _ := b.report("t1"); return r.Status == task.RunnerPaused })
	b.mustOrder(task.Order{Op: task.OpResume, TaskID: "t1", Epoch: 7})
	until(t, "reading again", func() bool { r, _ := b.report("t1"); return r.Status == task.RunnerReading })
	b.mustOrder(task.Order{Op: task.OpStop, TaskID: "t1", Epoch: 7})
	b.gone("t1")
	if r := b.order(task.Order{Op: task.OpAssign, TaskID: "t1", Assignment: a, Epoch: 7}); r.Code != task.CodeRefused {
		t.Errorf("late duplicate of the assignment: %+v", r)
	}
	if r := b.order(task.Order{Op: task.OpStop, TaskID: "t1", Epoch: 7}); r.Code != task.CodeUnknownTask {
		t.Errorf("stopped twice: %+v", r)
	}
	if r := b.order(task.Order{Op: "dance", TaskID: "t2", Epoch: 7}); r.Code != task.CodeRefused {
		t.Errorf("unknown order: %+v", r)
	}
	for _, kind := range []string{task.NoticeFailed, task.NoticeSucceeded, task.NoticeStopped} {
		if len(b.leader.seen(kind)) != 0 {
			t.Errorf("a stopped task sent %s", kind)
		}
	}
}

func TestBadAssignments(t *testing.T) {
	b := newBench(t)
	good := b.assignment("t1", "", open(0, all(0)))
	for name, spoil := range map[string]func(a *task.Assignment){
		"no spec":       func(a *task.Assignment) { a.Spec = nil },
		"no sequence":   func(a *task.Assignment) { a.Sequences = nil },
		"no partitions": func(a *task.Assignment) { a.Sequences = []task.Sequence{{}} },
		"bad partition": func(a *task.Assignment) { a.Sequences = []task.Sequence{open(0, task.Offsets{"x": 1})} },
		"negative":      func(a *task.Assignment) { a.Sequences = []task.Sequence{open(0, task.Offsets{"0": -1})} },
		"end first":     func(a *task.Assignment) { a.Sequences[0].End = all(-1) },
		"gap":           func(a *task.Assignment) { a.Sequences = []task.Sequence{{Start: all(0), End: all(5)}, open(1, all(6))} },
		"two open":      func(a *task.Assignment) { a.Sequences = []task.Sequence{open(0, all(0)), open(1, all(0))} },
		"other id":      func(a *task.Assignment) { a.TaskID = "t2" },
	} {
		a := *good
		a.Sequences = []task.Sequence{open(0, all(0))}
		spoil(&a)
		if r := b.order(task.Order{Op: task.OpAssign, TaskID: "t1", Assignment: &a}); r.Code != task.CodeRefused || r.Message == "" {
			t.Errorf("%s: %+v", name, r)
		}
	}
	if m, err := b.nc.Request(task.SubjectWorkerPrefix+b.worker, []byte("{"), deadline); err != nil || !strings.Contains(string(m.Data), task.CodeRefused) {
		t.Errorf("malformed order: %v", err)
	}
}

func TestParseExceptions(t *testing.T) {
	b := newBench(t)
	cl := b.produce(5)
	bad := func() {
		if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("{bad")}).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	bad()
	b.assign(b.assignment("t1", `,"maxParseExceptions":1,"maxSavedParseExceptions":5`, open(0, all(0))))
	until(t, "read", func() bool { r, _ := b.report("t1"); return r.CurrentOffsets["0"] == 6 })
	r := b.mustOrder(task.Order{Op: task.OpStats, TaskID: "t1"})
	if len(r.ParseExceptions) != 1 || r.ParseExceptions[0].Offset != 5 || r.Report.Stats.Totals.Unparseable != 1 {
		t.Errorf("%+v", r)
	}
	bad()
	until(t, "failure", func() bool { return len(b.leader.seen(task.NoticeFailed)) == 1 })
	n := b.leader.seen(task.NoticeFailed)[0]
	if n.ErrorMsg != "Max parse exceptions[1] exceeded" || len(n.ParseExceptions) != 2 || n.ParseExceptions[0].Offset != 6 {
		t.Errorf("%+v", n)
	}
}

func TestOutOfRangeWaitsOrFails(t *testing.T) {
	b := newBench(t)
	cl := b.produce(5)
	b.assign(b.assignment("t1", "", open(0, all(7))))
	until(t, "reading", func() bool { r, _ := b.report("t1"); return r.Status == task.RunnerReading })
	if got := b.mustOrder(task.Order{Op: task.OpPause, TaskID: "t1"}).Offsets; !got.Equal(all(7)) {
		t.Errorf("rests at %v", got)
	}
	b.mustOrder(task.Order{Op: task.OpResume, TaskID: "t1"})
	b.write(cl, 5)
	b.readTo("t1", all(10))
	if len(b.leader.seen(task.NoticeFailed)) != 0 {
		t.Error("the task failed")
	}
}

// TestATaskAsksForAResetWhereItsNextRecordIsGone reads behind records that the broker has deleted, with a spec that asks
// for a reset in that case, until the leader tells it to stop.
func TestATaskAsksForAResetWhereItsNextRecordIsGone(t *testing.T) {
	b := newBench(t)
	cl := b.produce(20)
	gone := kadm.Offsets{}
	for p := range int32(4) {
		gone.AddOffset(topic, p, 10, -1)
	}
	if _, err := kadm.NewClient(cl).DeleteRecords(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	busy := true
	b.leader.setScript(func(n task.Notice) (*task.NoticeReply, bool) {
		if n.Kind == task.NoticeReset && busy {
			busy = false // it asks again
			return &task.NoticeReply{Code: task.CodeRetry}, true
		}
		return nil, false
	})
	b.assign(b.assignment("t1", `,"resetOffsetAutomatically":true`, open(0, all(5))))
	until(t, "a reset was asked for twice", func() bool { return len(b.leader.seen(task.NoticeReset)) > 1 })
	n := b.leader.seen(task.NoticeReset)[1]
	if p := n.Start.Partitions(); len(p) != 1 || n.Start[p[0]] != 5 {
		t.Errorf("it asks to reset %v, want one partition at 5", n.Start)
	}
	// It rests when it is told to, as for a checkpoint.
	if at := b.mustOrder(task.Order{Op: task.OpPause, TaskID: "t1"}).Offsets; !at.Equal(all(5)) {
		t.Errorf("it rests at %v", at)
	}
	b.mustOrder(task.Order{Op: task.OpStop, TaskID: "t1"})
	b.gone("t1")
	if len(b.leader.seen(task.NoticeFailed)) != 0 {
		t.Error("the task failed")
	}
}

// TestMessageTimeBoundsMoveWhileATaskRuns gives a task a taskDuration that is over again and again.
func TestMessageTimeBoundsMoveWhileATaskRuns(t *testing.T) {
	b := newBench(t)
	cl := b.produce(1)
	a := b.assignment("t1", "", open(0, all(0)))
	a.Spec = b.spec(`,"taskDuration":"PT0.05S"`, "")
	least, most := int64(1000), int64(5000)
	a.MinimumMessageTime, a.MaximumMessageTime, a.FormedAt = &least, &most, time.Now()
	b.assign(a)
	var set [][2]*int64
	until(t, "the bounds have moved twice", func() bool {
		b.write(cl, 1)
		b.mu.Lock()
		defer b.mu.Unlock()
		if len(b.builders) == 0 {
			return false
		}
		b.builders[0].mu.Lock()
		defer b.builders[0].mu.Unlock()
		set = slices.Clone(b.builders[0].bounds)
		return len(set) >= 2
	})
	was := [2]int64{least, most}
	for _, s := range set {
		for i := range s {
			if moved := *s[i] - was[i]; moved < 0 || moved%50 != 0 {
				t.Errorf("bound %d moved from %d to %d, want whole steps of 50 forward", i, was[i], *s[i])
			}
			was[i] = *s[i]
		}
	}
}

func TestStaleTaskFoldersAreRemoved(t *testing.T) {
	dir := t.TempDir()
	stale := filepath.Join(dir, "dead-task", "sequence-0")
	if err := os.MkdirAll(stale, 0o755); err != nil {
		t.Fatal(err)
	}
	newBench(t, func(c *worker.Config) { c.TaskDir = dir })
	if _, err := os.Stat(filepath.Dir(stale)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("stale folder: %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for i, c := range []worker.Config{{}, {WorkerID: "a.b", Capacity: 1}, {WorkerID: "a"}, {WorkerID: "a", Capacity: 1}, {WorkerID: "a", Capacity: 1, TaskDir: "x"}} {
		if _, err := worker.New(nil, c); err == nil {
			t.Error(fmt.Sprint("accepted ", i))
		}
	}
}
