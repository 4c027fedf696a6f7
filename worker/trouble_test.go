package worker_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ogham/domain/task"
	"ogham/worker"
)

func TestLeaderChangesWhilePublishing(t *testing.T) {
	b := newBench(t)
	b.produce(20)
	b.assign(b.assignment("t1", "", open(0, all(0))))
	b.readTo("t1", all(20))
	// The first leader commits, and dies before its answer gets out. Its successor knows what is in the log.
	old := b.leader
	died := make(chan struct{})
	var once atomic.Bool
	old.setScript(func(n task.Notice) (*task.NoticeReply, bool) {
		if n.Kind != task.NoticePublish {
			return nil, false
		}
		if once.CompareAndSwap(false, true) {
			old.usual(n)
			close(died)
		}
		return nil, true
	})
	if r := b.setEnd("t1", 0, all(20), true); r.Code != "" {
		t.Fatal(r)
	}
	<-died
	old.resign()
	next := newLeader(t, b.nc, 2)
	next.mu.Lock()
	old.mu.Lock()
	next.committed, next.segments, next.published = old.committed, old.segments, old.published
	old.mu.Unlock()
	next.mu.Unlock()
	b.leader = next
	until(t, "success", func() bool { return len(next.seen(task.NoticeSucceeded)) == 1 })
	b.wantCommitted(all(0), all(20))
	b.wantClean()
}

func TestLoserOfTwoReplicasDeletesItsCopies(t *testing.T) {
	b := newBench(t)
	b.produce(5)
	for _, id := range []string{"t1", "t2"} {
		b.assign(b.assignment(id, "", task.Sequence{Start: all(0), End: all(5)}))
	}
	until(t, "both succeed", func() bool { return len(b.leader.seen(task.NoticeSucceeded)) == 2 })
	b.wantCommitted(all(0), all(5))
	b.wantClean()
}

func TestConflictAndGone(t *testing.T) {
	b := newBench(t)
	b.produce(5)
	b.leader.committed = all(1)
	b.assign(b.assignment("t1", "", task.Sequence{Start: all(0), End: all(5)}))
	until(t, "failure", func() bool { return len(b.leader.seen(task.NoticeFailed)) == 1 })
	if msg := b.leader.seen(task.NoticeFailed)[0].ErrorMsg; !strings.HasPrefix(msg, "Failed to publish segments because of [Inconsistency") {
		t.Error(msg)
	}
	b.gone("t1")
	b.wantClean()
	for _, kind := range []string{task.NoticeStarted, task.NoticeAllocate, task.NoticePublish} {
		b.leader.setScript(func(n task.Notice) (*task.NoticeReply, bool) {
			if n.Kind == kind {
				return &task.NoticeReply{Code: task.CodeGone}, false
			}
			return nil, false
		})
		id := "gone-at-" + kind
		b.assign(b.assignment(id, "", task.Sequence{Start: all(1), End: all(5)}))
		until(t, kind, func() bool { n := b.leader.seen(kind); return len(n) > 0 && n[len(n)-1].TaskID == id })
		b.gone(id)
		b.wantClean()
	}
	if n := len(b.leader.seen(task.NoticeFailed)); n != 1 {
		t.Errorf("%d failures told", n)
	}
}

func TestDiskFullThenFree(t *testing.T) {
	b := newBench(t)
	b.produce(5)
	b.pusher.fail = 4
	b.assign(b.assignment("t1", "", task.Sequence{Start: all(0), End: all(5)}))
	until(t, "success", func() bool { return len(b.leader.seen(task.NoticeSucceeded)) == 1 })
	b.wantCommitted(all(0), all(5))
	b.wantClean()
}

func TestDiskStaysFull(t *testing.T) {
	b := newBench(t)
	b.produce(5)
	b.pusher.fail = 1000
	b.assign(b.assignment("t1", "", task.Sequence{Start: all(0), End: all(5)}))
	until(t, "failure", func() bool { return len(b.leader.seen(task.NoticeFailed)) == 1 })
	if msg := b.leader.seen(task.NoticeFailed)[0].ErrorMsg; !strings.Contains(msg, errDiskFull.Error()) {
		t.Error(msg)
	}
	b.gone("t1")
	b.wantClean()
}

func TestShutdownStopsTasksInGoodOrder(t *testing.T) {
	b := newBench(t)
	b.produce(5)
	b.assign(b.assignment("t1", "", open(0, all(0))))
	b.assign(b.assignment("t2", "", open(0, all(0))))
	b.readTo("t1", all(5))
	b.readTo("t2", all(5))
	b.stop()
	if n := len(b.leader.seen(task.NoticeStopped)); n != 2 {
		t.Errorf("%d tasks reported as stopped", n)
	}
	until(t, "last heartbeat", func() bool { h := b.heartbeat(); return h.Stopping && len(h.Tasks) == 0 })
	b.wantClean()
}

func TestShutdownLetsPublishingEnd(t *testing.T) {
	b := newBench(t)
	b.produce(5)
	reached, hold := make(chan struct{}), make(chan struct{})
	b.leader.setScript(func(n task.Notice) (*task.NoticeReply, bool) {
		if n.Kind == task.NoticeAllocate {
			close(reached)
			<-hold
		}
		return nil, false
	})
	b.assign(b.assignment("t1", "", task.Sequence{Start: all(0), End: all(5)}))
	<-reached
	done := make(chan struct{})
	go func() { defer close(done); b.stop() }()
	until(t, "stopping", func() bool { return b.heartbeat().Stopping })
	b.leader.setScript(nil)
	close(hold)
	<-done
	b.wantCommitted(all(0), all(5))
	if len(b.leader.seen(task.NoticeSucceeded)) != 1 || len(b.leader.seen(task.NoticeStopped)) != 0 {
		t.Error("the task did not end by success")
	}
}

func TestShutdownWithoutLeaderIsBounded(t *testing.T) {
	b := newBench(t, func(c *worker.Config) { c.Grace = 50 * time.Millisecond })
	b.produce(5)
	b.assign(b.assignment("t1", "", open(0, all(0))))
	b.readTo("t1", all(5))
	b.leader.resign()
	b.stop()
	b.wantClean()
}

func TestPanicFailsOneTask(t *testing.T) {
	b := newBench(t)
	cl := b.produce(5)
	b.assign(b.assignment("t1", "", open(0, all(0))))
	b.readTo("t1", all(5))
	if err := cl.ProduceSync(t.Context(), &kgo.Record{Topic: topic, Value: []byte("panic")}).FirstErr(); err != nil {
		t.Fatal(err)
	}
	until(t, "failure", func() bool { return len(b.leader.seen(task.NoticeFailed)) == 1 })
	if msg := b.leader.seen(task.NoticeFailed)[0].ErrorMsg; !strings.Contains(msg, "poisoned") {
		t.Error(msg)
	}
	b.gone("t1")
	b.assign(b.assignment("t2", "", task.Sequence{Start: all(0), End: all(5)}))
	until(t, "success", func() bool { return len(b.leader.seen(task.NoticeSucceeded)) == 1 })
}
