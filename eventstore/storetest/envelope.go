package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"ogham/eventstore"
)

func badEventsAreRefused(t *testing.T, env Env) {
	s := env.fresh(t)
	for name, spoil := range map[string]func(*eventstore.NewEvent){
		"no id":               func(e *eventstore.NewEvent) { e.ID = "" },
		"id with a comma":     func(e *eventstore.NewEvent) { e.ID = "a,b" },
		"id with a line":      func(e *eventstore.NewEvent) { e.ID = "a\nb" },
		"no time":             func(e *eventstore.NewEvent) { e.Time = time.Time{} },
		"no data":             func(e *eventstore.NewEvent) { e.Data = nil },
		"data not JSON":       func(e *eventstore.NewEvent) { e.Data = []byte(`{"a":`) },
		"type with a dot":     func(e *eventstore.NewEvent) { e.Type = "A.B" },
		"no type":             func(e *eventstore.NewEvent) { e.Type = "" },
		"token a wildcard":    func(e *eventstore.NewEvent) { e.Token = ">" },
		"no kind":             func(e *eventstore.NewEvent) { e.Kind = "" },
		"overlord's kind":     func(e *eventstore.NewEvent) { e.Kind = eventstore.KindOverlord },
		"task without id":     func(e *eventstore.NewEvent) { e.Kind = eventstore.KindTask },
		"task id, not a task": func(e *eventstore.NewEvent) { e.TaskID = "t" },
		"another supervisor":  func(e *eventstore.NewEvent) { e.SupervisorID = "y" },
		"negative version":    func(e *eventstore.NewEvent) { e.SchemaVersion = -1 },
		"cause not an id":     func(e *eventstore.NewEvent) { e.Cause = []string{"a b"} },
	} {
		e := NewEvent("A", "")
		spoil(&e)
		var bad *eventstore.InvalidEventError
		if _, err := s.Append(Context(t), "x", 0, []eventstore.NewEvent{NewEvent("A", ""), e}); !errors.As(err, &bad) {
			t.Errorf("%s: got %v, want an InvalidEventError", name, err)
		}
	}
	if n, err := s.LastSequence(Context(t), "x"); n != 0 || err != nil {
		t.Errorf("after refusals only, the aggregate ends at %d, %v", n, err)
	}
}

func tooLargeIsRefused(t *testing.T, env Env) {
	nc := env.Connect(t)
	s := Open(t, nc, env.Config())
	e := NewEvent("A", "")
	e.Data, _ = json.Marshal(strings.Repeat("x", int(nc.MaxPayload())))
	var large *eventstore.TooLargeError
	if _, err := s.Append(Context(t), "x", 0, []eventstore.NewEvent{NewEvent("A", ""), e}); !errors.As(err, &large) || large.ID != e.ID {
		t.Errorf("an event over the limit: %v", err)
	}
	many := make([]eventstore.NewEvent, 1001)
	for i := range many {
		many[i] = NewEvent("A", "")
	}
	if _, err := s.Append(Context(t), "x", 0, many); !errors.As(err, &large) || large.What != "batch" {
		t.Errorf("1001 events: %v", err)
	}
	long := []eventstore.NewEvent{NewTaskEvent(strings.Repeat("ü", 600), "A", "x")}
	if _, err := s.Append(Context(t), "x", 0, long); !errors.As(err, &large) || large.What != "subject" {
		t.Errorf("an endless task id: %v", err)
	}
	// The largest that fits does fit: the estimate is not short of the truth.
	fit := NewEvent("A", "")
	fit.Data, _ = json.Marshal(strings.Repeat("x", int(nc.MaxPayload())-1200))
	last, err := s.Append(Context(t), "x", 0, []eventstore.NewEvent{fit})
	if err != nil {
		t.Fatalf("an event just under the limit: %v", err)
	}
	if _, err := s.Append(Context(t), "x", last, many[:1000]); err != nil {
		t.Errorf("1000 events: %v", err)
	}
}

func overlordIsApart(t *testing.T, env Env) {
	s := env.fresh(t)
	sup, over := s.Aggregate("leader"), s.OverlordAggregate("leader")
	seq := mustAppend(t, sup, 0, NewEvent("SupervisorCreated", "PENDING"))
	e := NewEvent("LeaderElected", "")
	e.Kind, e.Epoch = eventstore.KindOverlord, 41
	mustAppend(t, over, 0, e)
	mustAppend(t, sup, seq, NewEvent("RunFailed", ""))
	if got := load(t, sup, 0); len(got) != 2 {
		t.Errorf("the supervisor holds %v", idsOf(got))
	}
	got := load(t, over, 0)
	if len(got) != 1 || got[0].SupervisorID != "leader" || got[0].Kind != eventstore.KindOverlord {
		t.Errorf("the overlord holds %+v", got)
	}
	if r, err := s.Verify(Context(t)); err != nil || r.Aggregates != 2 {
		t.Errorf("Verify = %+v, %v", r, err)
	}
	l, err := s.Campaign(Context(t), "n", time.Second)
	if err != nil {
		t.Fatal(err)
	}
	if l.Epoch != 42 {
		t.Errorf("epoch of a new bucket is %d, want one above the recorded 41", l.Epoch)
	}
	if err := l.Resign(Context(t)); err != nil {
		t.Error(err)
	}
}

func upcastersRaise(t *testing.T, env Env) {
	nc := env.Connect(t)
	cfg := env.Config()
	old := Open(t, nc, cfg)
	seq := mustAppend(t, old.Aggregate("x"), 0, NewEvent("Grown", ""))
	cfg.Upcasters = eventstore.Upcasters{"Grown": {
		func(o json.RawMessage) (json.RawMessage, error) { return fmt.Appendf(nil, `{"two":%s}`, o), nil },
		func(o json.RawMessage) (json.RawMessage, error) { return fmt.Appendf(nil, `{"three":%s}`, o), nil },
	}}
	now := Open(t, nc, cfg)
	got := load(t, now.Aggregate("x"), 0)
	if got[0].SchemaVersion != 3 || !strings.HasPrefix(string(got[0].Data), `{"three":{"two":{"n":`) {
		t.Errorf("raised to version %d: %s", got[0].SchemaVersion, got[0].Data)
	}
	var bad *eventstore.InvalidEventError
	if _, err := now.Append(Context(t), "x", seq, []eventstore.NewEvent{NewEvent("Grown", "")}); !errors.As(err, &bad) {
		t.Errorf("append of an old version: %v", err)
	}
	newest := NewEvent("Grown", "")
	newest.SchemaVersion = 3
	seq = mustAppend(t, now.Aggregate("x"), seq, newest)
	mustAppend(t, old.Aggregate("x"), seq, NewEvent("Stranger", ""))
	var unknown *eventstore.UnknownTypeError
	n := 0
	count := func(eventstore.Event) error { n++; return nil }
	if _, err := now.Load(Context(t), "x", 0, count); !errors.As(err, &unknown) || unknown.Type != "Stranger" || n != 2 {
		t.Errorf("load of an unknown type gave %v after %d events", err, n)
	}
	if err := now.Replay(Context(t), eventstore.Query{}, count); !errors.As(err, &unknown) {
		t.Errorf("replay of an unknown type gave %v", err)
	}
	cfg.Upcasters = eventstore.Upcasters{"Grown": {}, "Stranger": {}}
	if err := Open(t, nc, cfg).Replay(Context(t), eventstore.Query{}, count); !errors.As(err, &unknown) || unknown.Version != 3 {
		t.Errorf("replay of an unknown version gave %v", err)
	}
}

func driftIsRefused(t *testing.T, env Env) {
	nc := env.Connect(t)
	cfg := env.Config()
	s := Open(t, nc, cfg)
	mustAppend(t, s.Aggregate("x"), 0, NewEvent("A", ""))
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(Context(t), cfg.Stream)
	if err != nil {
		t.Fatal(err)
	}
	sc := stream.CachedInfo().Config
	sc.MaxMsgs, sc.MaxAge = 3, time.Hour
	if _, err := js.UpdateStream(Context(t), sc); err != nil {
		t.Fatal(err)
	}
	want := []eventstore.Drift{
		{Setting: "max_age", Want: "0s", Got: "1h0m0s"},
		{Setting: "max_msgs", Want: "unlimited", Got: "3"},
	}
	check := func(what string, err error) {
		t.Helper()
		var d *eventstore.ConfigDriftError
		if !errors.As(err, &d) || !reflect.DeepEqual(d.Drifts, want) {
			t.Errorf("%s: got %v, want drifts %v", what, err, want)
		}
	}
	_, err = eventstore.Open(Context(t), nc, cfg)
	check("open", err)
	check("watch", s.CheckConfig(Context(t)))
}
