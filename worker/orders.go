package worker

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ogham/domain/task"
)

// orderPatience bounds how long an order waits for the task to come to rest or to end. It is less than the ten seconds
// that Druid's overlord waits for a task's answer by default.
const orderPatience = 8 * time.Second

func refuse(code, format string, args ...any) task.OrderReply {
	return task.OrderReply{Code: code, Message: fmt.Sprintf(format, args...)}
}

// serve carries out orders until quit is closed, each in a goroutine of its own since some wait for their task.
func (w *Worker) serve(quit <-chan struct{}, orders <-chan *nats.Msg) {
	ctx, cancel := context.WithCancel(context.Background())
	var busy sync.WaitGroup
	defer busy.Wait()
	defer cancel()
	slots := make(chan struct{}, ordersAtOnce)
	for {
		select {
		case <-quit:
			return
		case m := <-orders:
			select {
			case <-quit:
				return
			case slots <- struct{}{}:
			}
			busy.Go(func() {
				w.answer(ctx, m)
				<-slots
			})
		}
	}
}

func (w *Worker) answer(ctx context.Context, m *nats.Msg) {
	var reply task.OrderReply
	var o task.Order
	if err := json.Unmarshal(m.Data, &o); err != nil {
		reply = refuse(task.CodeRefused, "order cannot be read: %s", err)
	} else {
		reply = w.carryOut(ctx, o)
	}
	data, err := json.Marshal(reply)
	for limit := w.nc.MaxPayload(); err == nil && limit > 0 && int64(len(data)) > limit-headroom && len(reply.ParseExceptions) > 0; {
		reply.ParseExceptions = reply.ParseExceptions[:len(reply.ParseExceptions)/2]
		data, err = json.Marshal(reply)
	}
	if err == nil && m.Reply != "" {
		err = m.Respond(data)
	}
	if err != nil {
		w.cfg.Logger.Warn("order not answered", "op", o.Op, "task", o.TaskID, "error", err)
	}
}

func (w *Worker) carryOut(ctx context.Context, o task.Order) task.OrderReply {
	if o.Op != task.OpStats && !w.leader.see(o.Epoch) {
		return refuse(task.CodeStaleEpoch, "epoch %d has been followed by %d", o.Epoch, w.leader.current())
	}
	if o.Op == task.OpAssign {
		if o.Assignment == nil || o.Assignment.TaskID != o.TaskID || o.TaskID == "" {
			return refuse(task.CodeRefused, "assign without an assignment of task [%s]", o.TaskID)
		}
		return w.assign(*o.Assignment)
	}
	if o.Op == task.OpEnable || o.Op == task.OpDisable {
		w.SetEnabled(o.Op == task.OpEnable)
		return task.OrderReply{}
	}
	r := w.find(o.TaskID)
	if r == nil {
		return refuse(task.CodeUnknownTask, "task [%s] does not run on worker [%s]", o.TaskID, w.cfg.WorkerID)
	}
	if o.Op == task.OpStats {
		report, total := r.account(time.Now())
		return task.OrderReply{Report: &report, Offsets: report.CurrentOffsets, ParseExceptions: total.saved, RecordsProcessed: total.records}
	}
	r.logOrder(o)
	reply := r.carryOut(ctx, o)
	if reply.Code != "" {
		r.log.Warn("order is not carried out", "op", o.Op, "code", reply.Code, "reason", reply.Message)
	}
	return reply
}

func (r *runner) logOrder(o task.Order) {
	switch o.Op {
	case task.OpSetEnd:
		r.log.Info("sequence gets its end", "sequence", o.Sequence, "end", o.End.Text(), "finish", o.Finish)
	case task.OpStop:
		r.log.Info("task is told to stop", "reason", o.Reason)
	default:
		r.log.Info("order", "op", o.Op)
	}
}

func (r *runner) carryOut(ctx context.Context, o task.Order) task.OrderReply {
	ctx, cancel := context.WithTimeout(ctx, orderPatience)
	defer cancel()
	switch o.Op {
	case task.OpPause:
		return r.pause(ctx, placeOf(o))
	case task.OpResume:
		return r.resume(placeOf(o))
	case task.OpSetEnd:
		return r.setEnd(ctx, placeOf(o), o.Sequence, o.End, o.Finish)
	case task.OpStop:
		r.stop(stopOrdered)
		select {
		case <-r.over:
		case <-ctx.Done():
			return refuse(task.CodeRefused, "task [%s] was told to stop and has not ended yet", o.TaskID)
		}
		return task.OrderReply{}
	default:
		return refuse(task.CodeRefused, "order %q is not known", o.Op)
	}
}
