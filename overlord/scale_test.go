package overlord

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"time"

	"ogham/domain/autoscale"
	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

// scaler is an autoscalerConfig that is as quick as a test wants it.
func quickScaler(more map[string]any) map[string]any {
	c := map[string]any{
		"enableTaskAutoScaler": true, "taskCountMin": 1, "taskCountMax": 2, "lagCollectionIntervalMillis": 10, "lagCollectionRangeMillis": 50,
		"scaleActionStartDelayMillis": 0, "scaleActionPeriodMillis": 20, "minTriggerScaleActionFrequencyMillis": 0,
		"scaleOutThreshold": 100, "scaleInThreshold": 0,
	}
	for k, v := range more {
		c[k] = v
	}
	return c
}

// decoded returns the events of one type of a supervisor.
func decoded[T supervisor.Event](h *house, id string) []T {
	var all []T
	for _, e := range h.events(id) {
		r, err := eventstore.Decode(e)
		if err != nil {
			h.t.Fatal(err)
		}
		if ev, ok := r.Event.(T); ok {
			all = append(all, ev)
		}
	}
	return all
}

// checkCommits wants commits without a gap or a row twice, up to the end.
func checkCommits(h *house, id string, end int64) {
	h.t.Helper()
	at := task.Offsets{}
	for _, p := range decoded[*supervisor.SegmentsPublished](h, id) {
		for q, from := range p.Start {
			if at[q] != from {
				h.t.Fatalf("partition %s was committed up to %d, and then from %d", q, at[q], from)
			}
			at[q] = p.End[q]
		}
	}
	for q, o := range at {
		if o != end {
			h.t.Errorf("partition %s is committed up to %d, want %d", q, o, end)
		}
	}
}

func TestLagScalesASupervisorOutAndInAgain(t *testing.T) {
	h := newHouse(t)
	s, stop := h.overlord("one")
	leads(h, s)
	w := h.worker("w1", 8)
	w.slow(1)
	h.topic.grow(1000)
	sp := testSpec(t, func(io map[string]any) {
		io["taskDuration"], io["autoScalerConfig"] = "PT1H", quickScaler(nil)
	})
	if err := s.Submit(t.Context(), sp, false); err != nil {
		t.Fatal(err)
	}
	h.until("two tasks run", func() bool { return len(h.state("clicks").Active) == 2 && len(w.running()) == 2 })
	out := decoded[*supervisor.ScaleDecided](h, "clicks")[0]
	if out.From != 1 || out.To != 2 || out.Groups != 1 || out.Partitions != 2 || len(out.Samples) == 0 || len(out.Samples) > 6 {
		t.Errorf("scaled by %+v", out)
	}
	checkDecision(t, sp, out)
	if n := taskCount(t, h.state("clicks").Spec); n != 2 {
		t.Errorf("the spec has taskCount %d, want 2", n)
	}

	stop()
	two, _ := h.overlord("two")
	leads(h, two)
	h.until("both tasks are known to the new leader", func() bool { return len(two.Measurements("clicks").Tasks) == 2 })
	if n := taskCount(t, h.state("clicks").Spec); n != 2 {
		t.Errorf("under a new leader the spec has taskCount %d, want 2", n)
	}
	w.slow(0)
	h.until("one task is left", func() bool {
		st := h.state("clicks")
		return len(st.Active) == 1 && taskCount(t, st.Spec) == 1
	})
	decisions := decoded[*supervisor.ScaleDecided](h, "clicks")
	in := decisions[len(decisions)-1]
	if in.From != 2 || in.To != 1 {
		t.Errorf("scaled in by %+v", in)
	}
	checkDecision(t, sp, in)
	if err := two.Terminate(t.Context(), "clicks"); err != nil {
		t.Fatal(err)
	}
	h.until("it has drained", func() bool { return h.state("clicks").Drained() })
	checkCommits(h, "clicks", 1000)
}

// checkDecision makes a decision of the log again from what it carries.
func checkDecision(t *testing.T, sp *spec.Supervisor, e *supervisor.ScaleDecided) {
	t.Helper()
	d := autoscale.Decide(sp.IOConfig.AutoScalerConfig, autoscale.Situation{
		Samples: e.Samples, Groups: e.Groups, TaskCount: e.From, Partitions: e.Partitions, Now: time.Now(),
	})
	if !d.Scale || d.TaskCount != e.To || d.Reason != e.Reason {
		t.Errorf("the samples of the decision to go from %d to %d tasks because %q lead to %+v", e.From, e.To, e.Reason, d)
	}
}

func taskCount(t *testing.T, stored json.RawMessage) int {
	t.Helper()
	s, err := spec.ParseStored(stored)
	if err != nil {
		t.Fatal(err)
	}
	return s.IOConfig.TaskCount
}

func TestUpdatesAndSuspensionsKeepAScaledTaskCount(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	w := h.worker("w1", 8)
	w.slow(1)
	h.topic.grow(1000)
	build := func(more func(io map[string]any)) *spec.Supervisor {
		return testSpec(t, func(io map[string]any) {
			io["taskDuration"] = "PT1H"
			io["autoScalerConfig"] = quickScaler(map[string]any{"minTriggerScaleActionFrequencyMillis": 3600_000, "scaleInThreshold": -1}) // no lag asks for fewer tasks
			delete(io, "taskCount")
			if more != nil {
				more(io)
			}
		})
	}
	if err := s.Submit(t.Context(), build(nil), false); err != nil {
		t.Fatal(err)
	}
	h.until("it is scaled", func() bool { return len(decoded[*supervisor.ScaleDecided](h, "clicks")) == 1 })
	before := len(h.events("clicks"))
	if err := s.Submit(t.Context(), build(nil), true); err != nil {
		t.Fatal(err)
	}
	for _, e := range h.events("clicks")[before:] {
		if e.Type == "SpecUpdated" {
			t.Error("the same spec posted again, to be skipped if unmodified, restarted the supervisor")
		}
	}
	for _, c := range []struct {
		name string
		do   func() error
		want int
	}{
		{"suspended", func() error { _, err := s.Suspend(t.Context(), "clicks"); return err }, 2},
		{"resumed", func() error { _, err := s.Resume(t.Context(), "clicks"); return err }, 2},
		{"posted again", func() error { return s.Submit(t.Context(), build(nil), false) }, 2},
		{"updated", func() error {
			return s.Submit(t.Context(), build(func(io map[string]any) { io["replicas"] = 2 }), false)
		}, 2},
		{"updated with a taskCount", func() error {
			return s.Submit(t.Context(), build(func(io map[string]any) { io["taskCount"] = 1 }), false)
		}, 1},
	} {
		if err := c.do(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if n := taskCount(t, h.state("clicks").Spec); n != c.want {
			t.Errorf("%s it has taskCount %d, want %d", c.name, n, c.want)
		}
	}
}

func TestResetsEmptyTheWindowOfTheAutoscaler(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	h.worker("w1", 8)
	sp := testSpec(t, func(io map[string]any) {
		io["autoScalerConfig"] = quickScaler(map[string]any{"lagCollectionIntervalMillis": 1, "lagCollectionRangeMillis": 3600, "scaleInThreshold": -1})
	})
	if err := s.Submit(t.Context(), sp, false); err != nil {
		t.Fatal(err)
	}
	samples := func() (all []autoscale.Sample) {
		a, err := s.leading().actor(t.Context(), "clicks", false)
		if err != nil || a.do(t.Context(), func(context.Context) {
			if a.scaler != nil {
				all = a.scaler.window.Samples()
			}
		}) != nil {
			t.Fatal(err)
		}
		return all
	}
	for _, reset := range []func() error{
		func() error { return s.Reset(t.Context(), "clicks") },
		func() error { return s.ResetOffsets(t.Context(), "clicks", "t", task.Offsets{"0": 0}) },
	} {
		h.until("lags are collected", func() bool { return len(samples()) > 10 })
		before := time.Now()
		if err := reset(); err != nil {
			t.Fatal(err)
		}
		if left := samples(); len(left) > 0 && left[0].At.Before(before) {
			t.Errorf("a lag of before the reset is left: %v", left[0])
		}
	}
}

func TestScheduleOfAnAutoscaler(t *testing.T) {
	now := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	sp := testSpec(t, func(io map[string]any) {
		io["autoScalerConfig"] = map[string]any{"enableTaskAutoScaler": true, "taskCountMin": 1, "taskCountMax": 2}
	})
	s := newScaler(sp, now)
	var samples, decisions []string
	for i := range 20*60 + 1 {
		at := now.Add(time.Duration(i) * time.Second)
		if due(&s.sample, s.config.LagCollectionInterval, at) {
			samples = append(samples, at.Format("04:05"))
		}
		if due(&s.decide, s.config.ScaleActionPeriod, at) {
			decisions = append(decisions, at.Format("04:05"))
		}
	}
	if len(samples) != 31 || samples[0] != "05:00" || samples[1] != "05:30" || samples[30] != "20:00" {
		t.Errorf("lags are collected at %v, want every half minute from minute 5 on", samples)
	}
	if want := []string{"15:00", "16:00", "17:00", "18:00", "19:00", "20:00"}; !slices.Equal(decisions, want) {
		t.Errorf("decisions are made at %v, want %v", decisions, want)
	}
	late := now
	if !due(&late, time.Minute, now.Add(time.Hour)) || !late.Equal(now.Add(time.Hour+time.Minute)) {
		t.Errorf("an hour late the next time is %v", late)
	}
	if newScaler(testSpec(t, nil), now) != nil {
		t.Error("a supervisor without an autoscaler has got one")
	}
}
