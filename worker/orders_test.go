package worker_test

import (
	"encoding/json"
	"testing"

	"ogham/domain/task"
	"ogham/worker"
)

// status is what a task says of itself when it is asked: newer than any heartbeat.
func (b *bench) status(id string) task.RunnerStatus {
	b.t.Helper()
	return b.mustOrder(task.Order{Op: task.OpStats, TaskID: id}).Report.Status
}

func TestOrdersThatArriveInAnotherOrderAreFollowedAsTheyWereDecided(t *testing.T) {
	b := newBench(t)
	cl := b.produce(10)
	b.assign(b.assignment("t1", "", open(0, all(0))))
	b.readTo("t1", all(10))
	place := func(epoch, number uint64, op task.Op) task.Order {
		return task.Order{Op: op, TaskID: "t1", Epoch: epoch, Number: number}
	}
	end := place(2, 4, task.OpSetEnd)
	end.End = all(20)
	for _, step := range []struct {
		order task.Order
		code  string
		then  task.RunnerStatus
	}{
		{place(1, 2, task.OpResume), "", task.RunnerReading},
		{place(1, 1, task.OpPause), task.CodeOvertaken, task.RunnerReading},
		{place(1, 4, task.OpPause), "", task.RunnerPaused},
		{place(1, 4, task.OpPause), "", task.RunnerPaused}, // sent again: its answer was lost
		{place(1, 3, task.OpResume), task.CodeOvertaken, task.RunnerPaused},
		{place(1, 1, task.OpPause), "", task.RunnerPaused},   // late, but what is wanted now
		{place(2, 1, task.OpResume), "", task.RunnerReading}, // a new leader begins anew
		{place(2, 3, task.OpPause), "", task.RunnerPaused},
		{end, "", task.RunnerReading},
		{place(2, 3, task.OpPause), task.CodeOvertaken, task.RunnerReading},
		{place(2, 6, task.OpResume), "", task.RunnerReading},
		{place(2, 0, task.OpPause), "", task.RunnerPaused}, // from a leader that counts none
		{place(2, 7, task.OpResume), "", task.RunnerReading},
	} {
		if r := b.order(step.order); r.Code != step.code {
			t.Fatalf("%s number %d of epoch %d: %q %s, want code %q", step.order.Op, step.order.Number, step.order.Epoch, r.Code, r.Message, step.code)
		}
		if got := b.status("t1"); got != step.then {
			t.Fatalf("after %s number %d of epoch %d the task is %s, want %s", step.order.Op, step.order.Number, step.order.Epoch, got, step.then)
		}
	}
	b.leader.resign()
	b.leader = newLeader(t, b.nc, 2)
	b.write(cl, 15)
	b.readTo("t1", all(25))
	// An end that is overtaken still counts: it is for a sequence that has none.
	late := place(2, 5, task.OpSetEnd)
	late.Sequence, late.End, late.Finish = 1, all(25), true
	b.mustOrder(late)
	b.gone("t1")
	b.wantCommitted(all(0), all(25))
}

// heldBuilder takes rows only while nobody holds it.
type heldBuilder struct {
	worker.Builder
	took chan<- struct{}
	hold <-chan struct{}
}

func (h heldBuilder) AddBatch(records []worker.Record) error {
	h.took <- struct{}{}
	<-h.hold
	return h.Builder.AddBatch(records)
}

func TestAPauseThatWaitsGivesWayToALaterResume(t *testing.T) {
	took, hold := make(chan struct{}, 1000), make(chan struct{})
	var b *bench
	b = newBench(t, func(cfg *worker.Config) {
		inner := cfg.NewBuilder
		cfg.NewBuilder = func(r worker.BuilderRequest) (worker.Builder, error) {
			made, err := inner(r)
			return heldBuilder{made, took, hold}, err
		}
	})
	b.produce(10)
	b.assign(b.assignment("t1", "", open(0, all(0))))
	<-took // it is within a batch, and cannot rest before that is done
	paused := make(chan task.OrderReply)
	go func() {
		data, _ := json.Marshal(task.Order{Op: task.OpPause, TaskID: "t1", Epoch: 1, Number: 1})
		var r task.OrderReply
		if m, err := b.nc.Request(task.SubjectWorkerPrefix+b.worker, data, deadline); err != nil {
			t.Error(err)
		} else if err := json.Unmarshal(m.Data, &r); err != nil {
			t.Error(err)
		}
		paused <- r
	}()
	b.mustOrder(task.Order{Op: task.OpResume, TaskID: "t1", Number: 2})
	if r := <-paused; r.Code != task.CodeOvertaken {
		t.Errorf("the pause is answered %+v, want that a later order counts", r)
	}
	close(hold)
	b.readTo("t1", all(10))
}
