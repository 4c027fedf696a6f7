package worker

import (
	"testing"
	"time"

	"ogham/domain/spec"
	"ogham/domain/task"
)

func TestMessageTimeBoundsMoveByWholeMinutesOfTaskDuration(t *testing.T) {
	began := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	least, most := int64(1_000_000), int64(2_000_000)
	const minute = int64(60_000)
	for _, c := range []struct {
		name        string
		duration    time.Duration
		formed      time.Duration // before the task began
		after       time.Duration
		static      bool
		least, most int64 // how far they moved
	}{
		{"at the beginning", time.Hour, 0, 0, false, 0, 0},
		{"just before taskDuration is over", time.Hour, 0, time.Hour - 1, false, 0, 0},
		{"after taskDuration", time.Hour, 0, time.Hour, false, 60 * minute, 60 * minute},
		{"after two and a half", time.Hour, 0, 150 * time.Minute, false, 120 * minute, 120 * minute},
		{"of a minute and a half only the minute counts", 90 * time.Second, 0, 150 * time.Second, false, 2 * minute, 2 * minute},
		{"less than a minute moves by itself", 10 * time.Second, 0, 25 * time.Second, false, 20_000, 20_000},
		{"a replacement takes old records as its predecessor did, and new ones as they come", time.Hour, 90 * time.Minute, 40 * time.Minute, false, 0, 120 * minute},
		{"a date stands still", time.Hour, 0, 3 * time.Hour, true, 0, 180 * minute},
		{"a group of a leader whose clock is ahead", time.Hour, -time.Hour, 30 * time.Minute, false, 0, 0},
	} {
		s := &spec.Supervisor{IOConfig: spec.IOConfig{TaskDuration: c.duration}}
		if c.static {
			s.IOConfig.LateMessageRejectionStartDateTime = &began
		}
		b := newBounds(task.Assignment{MinimumMessageTime: &least, MaximumMessageTime: &most, FormedAt: began.Add(-c.formed)}, s, began)
		gotLeast, gotMost := b.at(began.Add(c.after))
		if *gotLeast-least != c.least || *gotMost-most != c.most {
			t.Errorf("%s: they moved by %d and %d ms, want %d and %d", c.name, *gotLeast-least, *gotMost-most, c.least, c.most)
		}
		if l, m := b.at(began.Add(-time.Hour)); *l != least || c.formed >= 0 && *m < most {
			t.Errorf("%s: with a clock that goes back they are %d and %d", c.name, *l, *m)
		}
	}
	if newBounds(task.Assignment{}, &spec.Supervisor{}, began) != nil {
		t.Error("a task without bounds has some")
	}
	b := newBounds(task.Assignment{MaximumMessageTime: &most}, &spec.Supervisor{IOConfig: spec.IOConfig{TaskDuration: time.Hour}}, began)
	if l, m := b.at(began.Add(time.Hour)); l != nil || *m != most+60*minute {
		t.Errorf("a task without a least time has the bounds %v and %d", l, *m)
	}
}
