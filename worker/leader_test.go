package worker_test

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"

	"ogham/domain/task"
)

// leader is a scripted overlord. It commits as the real one does: only a sequence that starts at the committed offsets.
type leader struct {
	t     *testing.T
	nc    *nats.Conn
	epoch uint64
	subs  []*nats.Subscription

	mu        sync.Mutex
	notices   []task.Notice
	committed task.Offsets
	segments  map[string][]task.Segment // by task-independent sequence key
	published []task.Segment
	// script answers first; a nil reply means the usual one, silence that there is none.
	script func(n task.Notice) (reply *task.NoticeReply, silence bool)
}

func newLeader(t *testing.T, nc *nats.Conn, epoch uint64) *leader {
	l := &leader{t: t, nc: nc, epoch: epoch, committed: task.Offsets{}, segments: map[string][]task.Segment{}}
	l.listen()
	return l
}

func (l *leader) listen() {
	l.t.Helper()
	sub := func(subject string, f nats.MsgHandler) {
		s, err := l.nc.Subscribe(subject, f)
		if err != nil {
			l.t.Fatal(err)
		}
		l.subs = append(l.subs, s)
	}
	sub(task.SubjectNoticePrefix+strconv.FormatUint(l.epoch, 10), l.onNotice)
	sub(task.SubjectWho, func(m *nats.Msg) {
		b, _ := json.Marshal(task.Beacon{Epoch: l.epoch, Node: "leader"})
		_ = m.Respond(b)
	})
	if err := l.nc.Flush(); err != nil {
		l.t.Fatal(err)
	}
}

func (l *leader) resign() {
	for _, s := range l.subs {
		_ = s.Unsubscribe()
	}
	l.subs = nil
	_ = l.nc.Flush()
}

func (l *leader) onNotice(m *nats.Msg) {
	var n task.Notice
	if err := json.Unmarshal(m.Data, &n); err != nil {
		l.t.Errorf("notice: %v", err)
		return
	}
	l.mu.Lock()
	l.notices = append(l.notices, n)
	script := l.script
	l.mu.Unlock()
	var reply *task.NoticeReply
	if script != nil {
		var silence bool
		if reply, silence = script(n); silence {
			return
		}
	}
	if reply == nil {
		r := l.usual(n)
		reply = &r
	}
	data, _ := json.Marshal(reply)
	_ = m.Respond(data)
}

func (l *leader) usual(n task.Notice) task.NoticeReply {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch n.Kind {
	case task.NoticeAllocate:
		var r task.NoticeReply
		for _, slot := range n.Slots {
			r.Identities = append(r.Identities, task.SegmentIdentity{
				SegmentSlot: slot, IntervalStart: slot.Start, IntervalEnd: slot.End,
				Version: "2026-11-23T00:00:00.000Z", PartitionNum: 10*n.Sequence + slot.Ordinal,
			})
		}
		return r
	case task.NoticePublish:
		key := fmt.Sprint(n.Sequence, n.Start, n.End)
		if earlier, ok := l.segments[key]; ok {
			return task.NoticeReply{AlreadyPublished: true, Segments: earlier}
		}
		if !n.Start.Matches(l.committed) {
			return task.NoticeReply{Code: task.CodeConflict, Message: fmt.Sprintf("Inconsistency between %v and %v", l.committed, n.Start)}
		}
		l.committed = l.committed.Plus(n.End)
		l.segments[key] = n.Segments
		l.published = append(l.published, n.Segments...)
	}
	return task.NoticeReply{}
}

// seen gives the notices of a kind.
func (l *leader) seen(kind string) []task.Notice {
	l.mu.Lock()
	defer l.mu.Unlock()
	var out []task.Notice
	for _, n := range l.notices {
		if n.Kind == kind {
			out = append(out, n)
		}
	}
	return out
}

func (l *leader) setScript(f func(task.Notice) (*task.NoticeReply, bool)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.script = f
}
