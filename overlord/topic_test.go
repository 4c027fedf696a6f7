package overlord

import (
	"strings"
	"testing"

	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

func TestPatternReadsSeveralTopicsAndThoseThatCome(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	w := h.worker("w1", 8)
	h.topic.set(task.Offsets{"a:0": 5, "a:1": 5, "b:0": 5}, map[string]string{"a": "A", "b": "B"})
	sp := testSpec(t, func(io map[string]any) {
		delete(io, "topic")
		io["topicPattern"], io["taskCount"] = "[a-c]", 2
	})
	if err := s.Submit(t.Context(), sp, false); err != nil {
		t.Fatal(err)
	}
	h.until("all is committed", func() bool { return h.state("clicks").Committed.Equal(task.Offsets{"a:0": 5, "a:1": 5, "b:0": 5}) })
	st := h.state("clicks")
	for number, g := range st.Active {
		for p := range g.Start {
			if n, _ := st.Reads().GroupNumber(p, 2); n != number {
				t.Errorf("partition %s is in group %d, want %d", p, number, n)
			}
		}
	}
	h.topic.set(task.Offsets{"a:0": 5, "a:1": 5, "b:0": 5, "c:0": 7}, map[string]string{"a": "A", "b": "B", "c": "C"})
	h.until("the new topic is committed", func() bool { return h.state("clicks").Committed["c:0"] == 7 })
	if ids := h.state("clicks").TopicIDs; ids["c"] != "C" || ids["a"] != "A" {
		t.Errorf("topic ids %v", ids)
	}
	if got := w.topicIDs(); len(got) == 0 {
		t.Error("no task was told the ids of its topics")
	}
	// One of its topics alone: it goes on where the pattern was, and what is known of the others stays.
	if err := s.Submit(t.Context(), testSpec(t, func(io map[string]any) { io["topic"] = "c" }), false); err != nil {
		t.Fatal(err)
	}
	if st := h.state("clicks"); !st.Committed.Equal(task.Offsets{"a:0": 5, "a:1": 5, "b:0": 5, "0": 7}) {
		t.Errorf("committed %v", st.Committed)
	}
}

func TestARecreatedTopicIsNotReadBeforeAReset(t *testing.T) {
	for _, automatic := range []bool{false, true} {
		t.Run(map[bool]string{false: "by a user", true: "by itself"}[automatic], func(t *testing.T) {
			h := newHouse(t)
			s, _ := h.overlord("one")
			leads(h, s)
			h.worker("w1", 8)
			h.topic.set(task.Offsets{"0": 10, "1": 10, "2": 10}, map[string]string{"t": "old"})
			if err := s.Submit(t.Context(), testSpec(t, func(io map[string]any) {
				io["taskDuration"] = "PT1H"
				io["resetOffsetAutomatically"] = automatic
			}), false); err != nil {
				t.Fatal(err)
			}
			h.until("tasks read", func() bool { return len(h.state("clicks").Active) == 2 })
			// The new topic is longer than the old one was: offsets alone do not tell.
			h.topic.set(task.Offsets{"0": 50, "1": 50}, map[string]string{"t": "new"})
			told := func() bool {
				for _, e := range h.state("clicks").Health.RecentErrors {
					if strings.Contains(e.Message, "Topic [t] was deleted and made anew (its id was [old] and is [new])") && e.StreamException {
						return true
					}
				}
				return false
			}
			h.until("the run fails", told)
			if !automatic {
				h.until("what was read is published", func() bool { st := h.state("clicks"); return len(st.Active)+len(st.Pending) == 0 })
				h.until("the supervisor is unhealthy", func() bool { return !supervisor.Healthy(h.state("clicks").Detailed) })
				if err := s.Reset(t.Context(), "clicks"); err != nil {
					t.Fatal(err)
				}
			}
			h.until("the new topic is read", func() bool {
				st := h.state("clicks")
				g := st.Active[0]
				return st.TopicIDs["t"] == "new" && g != nil && g.Start["0"] == 0 && len(st.Partitions) == 2
			})
		})
	}
}

func TestAVanishedTopicOfAPatternIsLeftAlone(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	h.worker("w1", 8)
	h.topic.set(task.Offsets{"a:0": 5, "b:0": 5}, map[string]string{"a": "A", "b": "B"})
	if err := s.Submit(t.Context(), testSpec(t, func(io map[string]any) {
		delete(io, "topic")
		io["topicPattern"], io["taskCount"] = "[ab]", 1
	}), false); err != nil {
		t.Fatal(err)
	}
	h.until("both are committed", func() bool { c := h.state("clicks").Committed; return c["a:0"] == 5 && c["b:0"] == 5 })
	h.topic.set(task.Offsets{"b:0": 9}, map[string]string{"b": "B"})
	h.until("the other is read without it", func() bool {
		g := h.state("clicks").Active[0]
		return g != nil && len(g.Start) == 1 && g.Start["b:0"] >= 5
	})
	if errs := h.state("clicks").Health.RecentErrors; len(errs) > 0 {
		t.Errorf("recentErrors %+v", errs)
	}
}

func TestATopicThatNothingWasReadOfMayBeMadeAnew(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	h.topic.set(task.Offsets{"0": 0}, map[string]string{"t": "old"})
	sp := testSpec(t, nil)
	if err := s.Submit(t.Context(), sp.WithSuspended(true), false); err != nil {
		t.Fatal(err)
	}
	h.until("the topic is known", func() bool { return h.state("clicks").TopicIDs["t"] == "old" })
	h.topic.set(task.Offsets{"0": 0}, map[string]string{"t": "new"})
	h.until("the new one is", func() bool { return h.state("clicks").TopicIDs["t"] == "new" })
	if errs := h.state("clicks").Health.RecentErrors; len(errs) > 0 {
		t.Errorf("recentErrors %+v", errs)
	}
}

func TestATopicThatWasMadeAnewIsNotReadAsTheOldOne(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	h.worker("w1", 8)
	h.topic.grow(100)
	if err := s.Submit(t.Context(), testSpec(t, nil), false); err != nil {
		t.Fatal(err)
	}
	h.until("the topic is committed", func() bool { c := h.state("clicks").Committed; return c["0"] == 100 && c["1"] == 100 })
	h.topic.mu.Lock()
	h.topic.ends["0"], h.topic.ends["1"] = 5, 5
	h.topic.mu.Unlock()
	h.until("the supervisor is unhealthy", func() bool { return h.state("clicks").Detailed == supervisor.StateLostContact })
	if errs := h.state("clicks").Health.RecentErrors; !strings.Contains(errs[len(errs)-1].Message, "[100] is beyond the end [5]") {
		t.Errorf("recentErrors %+v", errs)
	}
	if err := s.Reset(t.Context(), "clicks"); err != nil {
		t.Fatal(err)
	}
	h.until("the new topic is committed", func() bool { c := h.state("clicks").Committed; return c["0"] == 5 && c["1"] == 5 })
}

func TestTimeLagIsToldOfIdleSupervisorsToo(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	h.topic.set(task.Offsets{"0": 100, "1": 0}, nil)
	// Nobody reads: the records from the first to the newest are 99 s apart.
	if err := s.Submit(t.Context(), testSpec(t, func(io map[string]any) {
		io["emitTimeLagMetrics"], io["idleConfig"] = true, map[string]any{"enabled": true, "inactiveAfterMillis": 50}
	}), false); err != nil {
		t.Fatal(err)
	}
	behind := func(p0 int64) func() bool {
		return func() bool {
			m := s.Measurements("clicks")
			at, ok := m.LagMillis["1"]
			return m.LagMillis["0"] == p0 && ok && at == 0
		}
	}
	h.until("the time lag is told", behind(99_000))
	h.worker("w1", 8)
	h.until("it is gone when all is read", behind(0))
	h.until("the supervisor goes idle", func() bool { return h.state("clicks").Detailed == supervisor.StateIdle })
	if errs := h.state("clicks").Health.RecentErrors; len(errs) > 0 {
		t.Errorf("recentErrors %+v", errs)
	}
}

// wantOnce checks that the commits of a supervisor follow one another in each partition, without a gap and without doubles,
// and end there. Names are those of a pattern.
func (h *house) wantOnce(to task.Offsets) {
	h.t.Helper()
	at := task.Offsets{}
	for _, e := range h.events("clicks") {
		r, err := eventstore.Decode(e)
		if err != nil {
			h.t.Fatal(err)
		}
		c, ok := r.Event.(*supervisor.SegmentsPublished)
		if !ok {
			continue
		}
		for p, start := range c.Start {
			full := p
			if topic, n, _ := p.Split(); topic == "" {
				full = task.PartitionIn(c.Stream, n)
			}
			if start != at[full] {
				h.t.Errorf("a commit of partition %s begins at %d, want %d", full, start, at[full])
			}
			at[full] = c.End[p]
		}
	}
	if !at.Equal(to) {
		h.t.Errorf("committed %v, want %v", at, to)
	}
}

func TestATopicThatAPatternDropsAndReadsAgainIsReadOnce(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	w := h.worker("w1", 8)
	reads := func(stream string, topics ...string) {
		t.Helper()
		if err := s.Submit(t.Context(), testSpec(t, func(io map[string]any) {
			io["taskCount"], io["taskDuration"] = 1, "PT1H"
			if len(topics) > 1 || stream != topics[0] {
				delete(io, "topic")
				io["topicPattern"] = stream
			} else {
				io["topic"] = stream
			}
		}), false); err != nil {
			t.Fatal(err)
		}
	}
	ids := map[string]string{"a": "A", "b": "B"}
	reading := func(p task.Partition, to int64) func() bool {
		return func() bool {
			for _, r := range s.Measurements("clicks").Tasks {
				if r.Current[p] == to && r.Status == task.RunnerReading {
					return true
				}
			}
			return false
		}
	}
	h.topic.set(task.Offsets{"a:0": 5, "b:0": 7}, ids)
	reads("[ab]", "a", "b")
	h.until("both are read", reading("b:0", 7))
	w.holdPublishing(true) // the next groups begin while this one's rows are not committed
	h.topic.set(task.Offsets{"a:0": 9}, ids)
	reads("[a]", "a")
	h.until("the first is read alone", func() bool {
		g := h.state("clicks").Active[0]
		// The group before may have read some of what came since.
		return g != nil && len(g.Start) == 1 && g.Start["a:0"] >= 5 && reading("a:0", 9)()
	})
	h.topic.set(task.Offsets{"0": 11}, ids)
	reads("b", "b")
	h.until("the second is read where the first group left it", func() bool {
		g := h.state("clicks").Active[0]
		return g != nil && g.Start.Equal(task.Offsets{"0": 7}) && reading("0", 11)()
	})
	h.topic.set(task.Offsets{"a:0": 12, "b:0": 12}, ids)
	reads("[ab]", "a", "b")
	h.until("both are read where they were left", func() bool {
		g := h.state("clicks").Active[0]
		return g != nil && g.Start.Equal(task.Offsets{"a:0": 9, "b:0": 11}) && reading("b:0", 12)()
	})
	w.holdPublishing(false)
	if _, err := s.Suspend(t.Context(), "clicks"); err != nil {
		t.Fatal(err)
	}
	h.until("all is committed", func() bool { st := h.state("clicks"); return len(st.Active)+len(st.Pending) == 0 })
	h.wantOnce(task.Offsets{"a:0": 12, "b:0": 12})
	if got := h.state("clicks").Committed; !got.Equal(task.Offsets{"a:0": 12, "b:0": 12}) {
		t.Errorf("committed %v", got)
	}
}

// holdPublishing keeps what is read from being published.
func (w *fakeWorker) holdPublishing(hold bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.holds = hold
}
