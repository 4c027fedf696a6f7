package worker

import (
	"math"
	"testing"
	"time"

	"ogham/domain/task"
)

func TestMeterAverages(t *testing.T) {
	var m meter
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	m.observe(at, task.Counters{})
	m.observe(at.Add(time.Second), task.Counters{Processed: 100, ProcessedBytes: 1000})
	if got := m.stats(task.Counters{}).OneM.Processed; got != 0 {
		t.Errorf("before the first tick: %v", got)
	}
	// The first tick sets the rate to a fifth of what was counted.
	m.observe(at.Add(5*time.Second), task.Counters{Processed: 100, ProcessedBytes: 1000})
	got := m.stats(task.Counters{Processed: 100})
	if got.OneM.Processed != 20 || got.FiveM.Processed != 20 || got.Fifth.ProcessedBytes != 200 || got.Totals.Processed != 100 {
		t.Errorf("after the first tick: %+v", got)
	}
	// A minute of silence: twelve ticks of decay, late or not.
	m.observe(at.Add(65*time.Second), task.Counters{Processed: 100, ProcessedBytes: 1000})
	got = m.stats(task.Counters{})
	for name, c := range map[string]struct{ got, minutes float64 }{
		"1m": {got.OneM.Processed, 1}, "5m": {got.FiveM.Processed, 5}, "15m": {got.Fifth.Processed, 15},
	} {
		if want := 20 * math.Exp(-1/c.minutes); math.Abs(c.got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", name, c.got, want)
		}
	}
}

func TestWhatIsCountedBeforeATickBelongsToIt(t *testing.T) {
	var m meter
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	m.settle(at, task.Counters{})
	if due := m.due(); !due.Equal(at.Add(5 * time.Second)) {
		t.Fatalf("the first tick is due at %v", due)
	}
	m.settle(at.Add(4*time.Second), task.Counters{Processed: 60})
	m.settle(at.Add(5*time.Second+3*time.Millisecond), task.Counters{Processed: 100})
	if got := m.stats(task.Counters{}).OneM.Processed; got != 20 {
		t.Errorf("a hundred rows in the first five seconds: %v a second, want 20", got)
	}
	m.settle(at.Add(10*time.Second), task.Counters{Processed: 100})
	if got, want := m.stats(task.Counters{}).OneM.Processed, 20*math.Exp(-5.0/60); math.Abs(got-want) > 1e-9 {
		t.Errorf("five silent seconds later: %v a second, want %v", got, want)
	}
}

func TestMeterOutlivesAJumpOfTheClock(t *testing.T) {
	var m meter
	at := time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC)
	m.observe(at, task.Counters{Processed: 7})
	m.observe(at.AddDate(500, 0, 0), task.Counters{Processed: 7})
	m.observe(at, task.Counters{Processed: 8})
	if r := m.stats(task.Counters{}).OneM.Processed; r < 0 || r > 2 {
		t.Errorf("rate %v", r)
	}
}

func TestErrorsAreShortened(t *testing.T) {
	long := make([]byte, 2000)
	for i := range long {
		long[i] = 'a' + byte(i%26)
	}
	got := shorten(string(long))
	if want := string(long[:512]) + "...976 characters omitted..." + string(long[2000-512:]); got != want {
		t.Errorf("%s", got)
	}
	if got := shorten(string(long[:1024])); got != string(long[:1024]) {
		t.Error("1024 characters are short enough")
	}
}
