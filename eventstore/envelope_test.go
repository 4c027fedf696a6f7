package eventstore

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

func FuzzSubject(f *testing.F) {
	for _, s := range []string{
		"p.supervisor.a.T.-", "p.task.a.t.T.x", "p.overlord.~a.T.-", "p.supervisor.=.T.-", "p.task.a.T.x", "p.", "q.x", "p.supervisor.a.T.-.more.more.more",
	} {
		f.Add(s)
	}
	subj := subjects{prefix: "p"}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := subj.parse(s)
		if err != nil {
			return
		}
		e := NewEvent{Kind: a.kind, TaskID: "t", Type: a.typ, Token: a.token}
		back, err := subj.of(a.aggregateToken, &e)
		var large *TooLargeError
		if errors.As(err, &large) {
			return
		}
		if err != nil || back != s {
			t.Errorf("%q reads as %+v, which is written as %q, %v", s, a, back, err)
		}
	})
}

func FuzzHeaderEscape(f *testing.F) {
	f.Add("plain")
	f.Add("a b%\r\n\"ü")
	f.Fuzz(func(t *testing.T, s string) {
		esc := escapeHeader(s)
		if strings.ContainsAny(esc, " \r\n\t\x00") {
			t.Errorf("%q escapes to %q", s, esc)
		}
		if back, err := unescapeHeader(esc); err != nil || back != s {
			t.Errorf("%q came back as %q, %v", s, back, err)
		}
		_, _ = unescapeHeader(s)
	})
}

func testStore(t *testing.T) *Store {
	t.Helper()
	cfg, err := Config{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	return &Store{cfg: cfg, subj: subjects{prefix: cfg.SubjectPrefix}}
}

func sealed(t *testing.T, s *Store, prev string) Event {
	t.Helper()
	n := NewEvent{
		Kind: KindTask, TaskID: "t", Type: "A", Token: "x", ID: "id", Time: time.Unix(1, 2),
		Epoch: 3, Actor: "me", Cause: []string{"c1", "c2"}, Data: []byte(`{"a":1}`),
	}
	e, err := s.seal(identity{id: "sup", token: "sup"}, &n, prev)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEveryPartOfAnEventIsUnderItsHash(t *testing.T) {
	s := testStore(t)
	e := sealed(t, s, strings.Repeat("ab", 32))
	m := message(&e)
	back, err := s.open(m.Subject, 9, m.Header, m.Data)
	if err != nil || back.Hash != e.Hash || back.Sequence != 9 {
		t.Fatalf("read back %+v, %v", back, err)
	}
	for name := range m.Header {
		if name == "Nats-Msg-Id" || name == HeaderCEDataContentType {
			continue
		}
		for _, value := range []string{"", "7", "x", "%", "2024-01-01T00:00:00Z"} {
			h := nats.Header{}
			for k, v := range m.Header {
				h[k] = v
			}
			h[name] = []string{value}
			if _, err := s.open(m.Subject, 9, h, m.Data); err == nil {
				t.Errorf("a changed %s went unseen", name)
			}
		}
	}
	if _, err := s.open(m.Subject, 9, m.Header, []byte(`{"a":2}`)); !errors.Is(err, errHashMismatch) {
		t.Errorf("changed data: %v", err)
	}
	if _, err := s.open(strings.Replace(m.Subject, ".x", ".y", 1), 9, m.Header, m.Data); !errors.Is(err, errHashMismatch) {
		t.Errorf("changed state in the subject: %v", err)
	}
	if _, err := s.open(m.Subject, 9, nil, nil); err == nil {
		t.Error("a message without headers was taken for an event")
	}
}

func TestEventHashIsForEver(t *testing.T) {
	e := sealed(t, testStore(t), "")
	const want = "d2c05dc894aed141b15f0c2b4e3ad05164250639719f19e858d6a13ae7cef62b"
	if e.Hash != want {
		t.Errorf("hash is %s, every log written so far says %s", e.Hash, want)
	}
}

func TestBatchThatLacksItsEndIsFound(t *testing.T) {
	w := walk{found: &findings{stream: "S"}}
	header := func(id, commit string) nats.Header {
		h := nats.Header{"Nats-Batch-Id": {id}}
		if commit != "" {
			h["Nats-Batch-Commit"] = []string{commit}
		}
		return h
	}
	for seq, h := range []nats.Header{nil, header("a", ""), header("a", "1"), header("b", "1"), nil} {
		w.batch(uint64(seq), h)
	}
	if !w.found.empty() || w.open != "" {
		t.Fatalf("whole batches are found fault with: %v", w.found.problems)
	}
	w.batch(6, header("c", ""))
	w.batch(7, header("d", "1"))
	if w.found.empty() || w.found.sequence != 7 {
		t.Errorf("a batch without its end: %v", w.found.problems)
	}
	if !batchOpen(header("e", "")) || batchOpen(header("e", "1")) || batchOpen(nil) {
		t.Error("batchOpen is wrong")
	}
}

func TestTaskOfReadsOnlyWhatAboutWrites(t *testing.T) {
	for _, id := range []string{"t", "index_kafka_a.b_c", "a/b", "ü"} {
		e := Event{Kind: KindTask, SupervisorID: "s/1", AggregateSubject: about(KindTask, "s/1", id)}
		if got, err := taskOf(&e); err != nil || got != id {
			t.Errorf("task %q comes back as %q, %v", id, got, err)
		}
	}
	for _, e := range []Event{
		{Kind: KindTask, SupervisorID: "s", AggregateSubject: "task/s"},
		{Kind: KindTask, SupervisorID: "s", AggregateSubject: "task/other/t"},
		{Kind: KindTask, SupervisorID: "s", AggregateSubject: "task/s/a.b"},
		{Kind: KindSupervisor, SupervisorID: "s", AggregateSubject: "supervisor/s/t"},
		{Kind: KindSupervisor, SupervisorID: "s", AggregateSubject: ""},
	} {
		if id, err := taskOf(&e); err == nil {
			t.Errorf("%q of a %s's event was read as task %q", e.AggregateSubject, e.Kind, id)
		}
	}
}
