package supervisor_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"ogham/domain/supervisor"
)

// epochStart is when the worlds of these tests begin; each command takes a second.
var epochStart = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// world is one supervisor with the log that it wrote, and the checks that hold for every decision.
type world struct {
	decider  *supervisor.Decider
	state    *supervisor.State
	log      []supervisor.Recorded
	now      time.Time
	problems []string
}

func newWorld(t supervisor.Thresholds) *world {
	return &world{decider: supervisor.NewDecider(t), state: supervisor.NewState("clicks"), now: epochStart}
}

// do decides and folds, and notes as a problem whatever no decision may do.
func (w *world) do(c supervisor.Command) ([]supervisor.Event, error) {
	w.now = w.now.Add(time.Second)
	before := text(w.state)
	events, err := w.decider.Decide(w.state, c)
	if after := text(w.state); after != before {
		w.problem("%T changed the state:\n%s\n%s", c, before, after)
	}
	if err != nil {
		var refused *supervisor.Refusal
		if !errors.As(err, &refused) || refused.Code == "" || refused.Message == "" || len(events) > 0 {
			w.problem("%T answers %v with %d events, want a refusal with a code and a text alone", c, err, len(events))
		}
		return nil, err
	}
	again, err := w.decider.Decide(w.state, c)
	if err != nil || text(again) != text(events) {
		w.problem("%T decided twice differs:\n%s\n%s (%v)", c, text(events), text(again), err)
	}
	if len(events) > 1 {
		w.problem("%T leads to %d events, want one at most", c, len(events))
	}
	for _, e := range events {
		w.record(e)
	}
	return events, nil
}

func (w *world) record(e supervisor.Event) {
	if m := e.Moved(); m != nil && supervisor.TaskOf(e) == "" && m.From != w.state.Detailed {
		w.problem("%T says that it moved from %s, the state is %s", e, m.From, w.state.Detailed)
	}
	r := supervisor.Recorded{Sequence: uint64(len(w.log) + 1), ID: fmt.Sprint("e", len(w.log)+1), Time: w.now, Epoch: 1, Event: e}
	w.log = append(w.log, r)
	w.state = supervisor.Evolve(w.state, r)
}

func (w *world) problem(format string, args ...any) {
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// text is a value's canonical form: its JSON.
func text(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		panic(err)
	}
	return string(bytes.TrimSpace(b.Bytes()))
}

// copied is an event as a reader of the log has it.
func copied(e supervisor.Event) (supervisor.Event, error) {
	c := reflect.New(reflect.TypeOf(e).Elem()).Interface().(supervisor.Event)
	return c, json.Unmarshal([]byte(text(e)), c)
}

// replay folds the log from scratch, every event and, at cut, the state having gone through JSON.
func (w *world) replay(cut int) (*supervisor.State, error) {
	s := supervisor.NewState("clicks")
	for i, r := range w.log {
		if i == cut {
			snapshot := &supervisor.State{}
			if err := json.Unmarshal([]byte(text(s)), snapshot); err != nil {
				return nil, err
			}
			s = snapshot
		}
		e, err := copied(r.Event)
		if err != nil {
			return nil, err
		}
		r.Event = e
		s = supervisor.Evolve(s, r)
	}
	return s, nil
}
