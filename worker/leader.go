package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ogham/domain/task"
)

// whoTimeout bounds the question who leads.
const whoTimeout = time.Second

// errTooLarge is returned for a notice that no answer can ever come to: the server does not carry it.
var errTooLarge = errors.New("notice is larger than the message limit of the NATS server")

// leader is what the worker knows of the overlord that leads. It is safe for concurrent use.
type leader struct {
	nc *nats.Conn

	mu    sync.Mutex // guards epoch
	epoch uint64
}

// see takes note of an epoch, and reports whether it is at least the highest seen.
func (l *leader) see(epoch uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if epoch < l.epoch {
		return false
	}
	l.epoch = epoch
	return true
}

// current is the highest epoch seen, 0 for none.
func (l *leader) current() uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.epoch
}

func (l *leader) onBeacon(m *nats.Msg) {
	var b task.Beacon
	if json.Unmarshal(m.Data, &b) == nil {
		l.see(b.Epoch)
	}
}

// resolve asks who leads. Nobody may: the beacon or a later question will tell.
func (l *leader) resolve(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, whoTimeout)
	defer cancel()
	if m, err := l.nc.RequestWithContext(ctx, task.SubjectWho, nil); err == nil {
		l.onBeacon(m)
	}
}

// notify tells the leader until it answers with something other than CodeRetry. It ends without an answer only with ctx,
// or for a notice that cannot be sent.
func (w *Worker) notify(ctx context.Context, n task.Notice) (task.NoticeReply, error) {
	n.WorkerID, n.Incarnation = w.cfg.WorkerID, w.cfg.Incarnation
	data, err := w.fit(&n)
	if err != nil {
		return task.NoticeReply{}, err
	}
	pause := w.cfg.RetryFirst
	for {
		reply, err := w.askLeader(ctx, data)
		if err == nil && reply.Code != task.CodeRetry {
			return reply, nil
		}
		if ctx.Err() != nil {
			return task.NoticeReply{}, fmt.Errorf("notice %s of task %s: %w", n.Kind, n.TaskID, context.Cause(ctx))
		}
		w.cfg.Logger.Debug("notice not taken", "kind", n.Kind, "task", n.TaskID, "message", reply.Message, "error", err)
		if !pauseFor(ctx, pause) {
			continue // the next turn tells why
		}
		pause = min(2*pause, w.cfg.RetryMost)
		w.leader.resolve(ctx)
	}
}

// notifyOnce sends a notice and does not try again.
func (w *Worker) notifyOnce(ctx context.Context, n task.Notice) (task.NoticeReply, error) {
	n.WorkerID, n.Incarnation = w.cfg.WorkerID, w.cfg.Incarnation
	data, err := json.Marshal(n)
	if err != nil {
		return task.NoticeReply{}, err
	}
	return w.askLeader(ctx, data)
}

func (w *Worker) askLeader(ctx context.Context, data []byte) (task.NoticeReply, error) {
	epoch := w.leader.current()
	if epoch == 0 {
		if w.leader.resolve(ctx); w.leader.current() == 0 {
			return task.NoticeReply{}, errors.New("no leader is known")
		}
		epoch = w.leader.current()
	}
	ctx, cancel := context.WithTimeout(ctx, w.cfg.NoticeTimeout)
	defer cancel()
	m, err := w.nc.RequestWithContext(ctx, task.SubjectNoticePrefix+strconv.FormatUint(epoch, 10), data)
	if err != nil {
		return task.NoticeReply{}, err
	}
	var reply task.NoticeReply
	if err := json.Unmarshal(m.Data, &reply); err != nil {
		return task.NoticeReply{}, fmt.Errorf("answer of the leader: %w", err)
	}
	return reply, nil
}

// fit encodes a notice within the server's message limit; the oldest parse exceptions give way.
func (w *Worker) fit(n *task.Notice) ([]byte, error) {
	for {
		data, err := json.Marshal(n)
		if err != nil {
			return nil, fmt.Errorf("encode notice %s: %w", n.Kind, err)
		}
		if limit := w.nc.MaxPayload(); limit <= 0 || int64(len(data)) <= limit-headroom {
			return data, nil
		}
		if len(n.ParseExceptions) == 0 {
			return nil, errTooLarge
		}
		n.ParseExceptions = n.ParseExceptions[:len(n.ParseExceptions)/2]
	}
}

// headroom is left in a message for what NATS adds.
const headroom = 1 << 10

// pauseFor waits, and reports false when the context ended first.
func pauseFor(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
