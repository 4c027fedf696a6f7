package autoscale_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ogham/domain/autoscale"
	"ogham/domain/spec"
	"ogham/domain/task"
)

var at = time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)

// config is Druid's defaults with 2 to 8 tasks.
func config() *spec.AutoScalerConfig {
	return &spec.AutoScalerConfig{
		EnableTaskAutoScaler: true, TaskCountMin: 2, TaskCountMax: 8, MinTriggerScaleActionFrequency: 10 * time.Minute,
		LagCollectionInterval: 30 * time.Second, LagCollectionRange: 10 * time.Minute, ScaleOutThreshold: 6_000_000,
		ScaleInThreshold: 1_000_000, TriggerScaleOutFractionThreshold: 0.3, TriggerScaleInFractionThreshold: 0.9,
		ScaleActionStartDelay: 5 * time.Minute, ScaleActionPeriod: time.Minute, ScaleInStep: 1, ScaleOutStep: 2, LagAggregate: "SUM",
	}
}

// series are lags that were collected one interval after the other.
func series(lags ...int64) []autoscale.Sample {
	out := make([]autoscale.Sample, len(lags))
	for i, l := range lags {
		out[i] = autoscale.Sample{At: at.Add(time.Duration(i) * 30 * time.Second), Lag: l}
	}
	return out
}

// of are n lags, part of them the one and the rest the other.
func of(n, part int, one, other int64) []int64 {
	lags := make([]int64, n)
	for i := range lags {
		lags[i] = other
		if i < part {
			lags[i] = one
		}
	}
	return lags
}

const (
	out  = 6_000_000
	in   = 1_000_000
	calm = 3_000_000
)

func TestDecisionsFollowTheReference(t *testing.T) {
	for _, c := range []struct {
		name   string
		lags   []int64
		groups int
		change func(*spec.AutoScalerConfig, *autoscale.Situation)
		want   int    // tasks to scale to, 0 for none
		reason string // a part of it
	}{
		{name: "no lags: 0 divided by 0 meets no threshold", groups: 4, reason: "no lags"},
		{name: "between the thresholds", lags: of(21, 21, calm, 0), groups: 4, reason: "between"},
		{name: "7 of 21 are beyond, a third", lags: of(21, 7, out, calm), groups: 4, want: 6, reason: "7 of 21 lags were at scaleOutThreshold[6000000] or above"},
		{name: "6 of 21 are beyond, less than 0.3", lags: of(21, 6, out, calm), groups: 4, reason: "between"},
		{name: "one record less is not beyond", lags: of(21, 21, out-1, 0), groups: 4, reason: "between"},
		{name: "a fraction that is met exactly counts", lags: of(10, 3, out, calm), groups: 4, want: 6},
		{name: "few lags decide as well", lags: []int64{out}, groups: 4, want: 6},
		{name: "scaling out stops at taskCountMax", lags: of(21, 21, out, 0), groups: 7, want: 8},
		{name: "at taskCountMax", lags: of(21, 21, out, 0), groups: 8, reason: autoscale.ReasonAtMax},
		{name: "partitions bound scaling out", lags: of(21, 21, out, 0), groups: 4, want: 5, change: func(_ *spec.AutoScalerConfig, s *autoscale.Situation) { s.Partitions = 5 }},
		{name: "as many groups as partitions", lags: of(21, 21, out, 0), groups: 5, reason: autoscale.ReasonAtMax, change: func(_ *spec.AutoScalerConfig, s *autoscale.Situation) { s.Partitions = 5 }},
		{name: "19 of 21 are within, 0.9", lags: of(21, 19, in, calm), groups: 4, want: 3, reason: "19 of 21 lags were at scaleInThreshold[1000000] or below"},
		{name: "18 of 21 are within, less than 0.9", lags: of(21, 18, in, calm), groups: 4, reason: "between"},
		{name: "one record more is not within", lags: of(21, 21, in+1, 0), groups: 4, reason: "between"},
		{name: "scaling in stops at taskCountMin", lags: of(21, 21, 0, 0), groups: 3, want: 2, change: func(c *spec.AutoScalerConfig, _ *autoscale.Situation) { c.ScaleInStep = 5 }},
		{name: "at taskCountMin", lags: of(21, 21, 0, 0), groups: 2, reason: autoscale.ReasonAtMin},
		{name: "fewer partitions than taskCountMin", lags: of(21, 21, 0, 0), groups: 1, reason: autoscale.ReasonAtMin, change: func(_ *spec.AutoScalerConfig, s *autoscale.Situation) { s.Partitions = 1 }},
		{name: "both hold: out comes first", lags: of(10, 3, out, 0), groups: 4, want: 6, change: func(c *spec.AutoScalerConfig, _ *autoscale.Situation) { c.TriggerScaleInFractionThreshold = 0.5 }},
		{name: "thresholds that overlap: out comes first", lags: of(10, 10, 5, 0), groups: 4, want: 6, change: func(c *spec.AutoScalerConfig, _ *autoscale.Situation) {
			c.ScaleOutThreshold, c.ScaleInThreshold = 5, 5
		}},
		{name: "no topic", lags: of(21, 21, out, 0), groups: 4, reason: "no partitions", change: func(_ *spec.AutoScalerConfig, s *autoscale.Situation) { s.Partitions = 0 }},
		{name: "too soon", lags: of(21, 21, out, 0), groups: 4, reason: autoscale.ReasonTooSoon, change: func(_ *spec.AutoScalerConfig, s *autoscale.Situation) {
			s.LastAction = s.Now.Add(-10*time.Minute + time.Millisecond)
		}},
		{name: "just late enough", lags: of(21, 21, out, 0), groups: 4, want: 6, change: func(_ *spec.AutoScalerConfig, s *autoscale.Situation) { s.LastAction = s.Now.Add(-10 * time.Minute) }},
		{name: "a step of none", lags: of(21, 21, out, 0), groups: 4, reason: "same task count", change: func(c *spec.AutoScalerConfig, _ *autoscale.Situation) { c.ScaleOutStep = 0 }},
		{name: "fewer groups than taskCount: asking for taskCount again would only restart them", lags: of(21, 21, out, 0), groups: 4, reason: "same task count", change: func(_ *spec.AutoScalerConfig, s *autoscale.Situation) { s.TaskCount = 6 }},
		{name: "more groups than a lower taskCountMax allows", lags: of(21, 21, out, 0), groups: 8, want: 6, change: func(c *spec.AutoScalerConfig, _ *autoscale.Situation) { c.TaskCountMax = 6 }},
		{name: "fewer groups than a higher taskCountMin asks for", lags: of(21, 21, 0, 0), groups: 2, want: 4, change: func(c *spec.AutoScalerConfig, _ *autoscale.Situation) { c.TaskCountMin = 4 }},
	} {
		t.Run(c.name, func(t *testing.T) {
			cfg := config()
			s := autoscale.Situation{Samples: series(c.lags...), Groups: c.groups, TaskCount: c.groups, Partitions: 16, Now: at.Add(time.Hour)}
			if c.change != nil {
				c.change(cfg, &s)
			}
			d := autoscale.Decide(cfg, s)
			if d.Scale != (c.want > 0) || d.Scale && d.TaskCount != c.want || !strings.Contains(d.Reason, c.reason) || d.Reason == "" {
				t.Errorf("%d groups, lags %v: %+v, want %d tasks because of %q", c.groups, c.lags, d, c.want, c.reason)
			}
		})
	}
}

// TestARecordedDayOfLag drives the autoscaler with one lag a minute: a rise, a plateau and a fall, as an overlord would.
func TestARecordedDayOfLag(t *testing.T) {
	cfg := config()
	cfg.LagCollectionInterval, cfg.LagCollectionRange = time.Minute, 4*time.Minute
	lags := []int64{
		0, 500_000, 2_000_000, 4_000_000, 6_000_000, 9_000_000, 9_500_000, 9_000_000, 8_000_000, 7_000_000, // rises
		6_500_000, 6_100_000, 6_000_000, 5_000_000, 4_000_000, 3_000_000, 2_000_000, 1_500_000, 1_000_000, 900_000, // falls
		800_000, 700_000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
	}
	w := autoscale.NewWindow(cfg)
	count, last := 2, time.Time{}
	var actions []string
	for i, lag := range lags {
		now := at.Add(time.Duration(i) * time.Minute)
		w.Push(autoscale.Sample{At: now, Lag: lag})
		if i < 4 {
			continue // the first decision comes when the window is full
		}
		d := autoscale.Decide(cfg, autoscale.Situation{Samples: w.Samples(), Groups: count, TaskCount: count, Partitions: 12, Now: now, LastAction: last})
		if !d.Scale {
			continue
		}
		actions = append(actions, fmt.Sprintf("%s %d to %d: %s", now.Format("04"), count, d.TaskCount, d.Reason))
		count, last = d.TaskCount, now
		w.Clear()
	}
	want := []string{
		"05 2 to 4: 2 of 5 lags were at scaleOutThreshold[6000000] or above",
		"15 4 to 6: 2 of 5 lags were at scaleOutThreshold[6000000] or above", // beyond since minute 8, but ten minutes apart
		"25 6 to 5: 5 of 5 lags were at scaleInThreshold[1000000] or below",
		"35 5 to 4: 5 of 5 lags were at scaleInThreshold[1000000] or below",
		"45 4 to 3: 5 of 5 lags were at scaleInThreshold[1000000] or below",
	}
	if !slices.Equal(actions, want) {
		t.Errorf("the actions were\n%s\nwant\n%s", strings.Join(actions, "\n"), strings.Join(want, "\n"))
	}
}

func TestWindowHoldsRangeByIntervalAndOne(t *testing.T) {
	w := autoscale.NewWindow(config())
	for i := range int64(30) {
		w.Push(autoscale.Sample{Lag: i - 5})
	}
	got := w.Samples()
	if len(got) != 21 || got[0].Lag != 4 || got[20].Lag != 24 {
		t.Errorf("of the lags -5 to 24 it holds %v, want the 21 newest", got)
	}
	got[0].Lag = 99
	if w.Samples()[0].Lag != 4 {
		t.Error("the samples are not a copy")
	}
	if w.Clear(); len(w.Samples()) != 0 {
		t.Errorf("cleared it holds %v", w.Samples())
	}
	if w.Push(autoscale.Sample{Lag: -7}); w.Samples()[0].Lag != 0 {
		t.Errorf("a lag below zero is kept as %d, want 0", w.Samples()[0].Lag)
	}
}

func TestLagIsAggregatedOverPartitions(t *testing.T) {
	lag := task.Offsets{"0": 10, "1": -4, "2": 1}
	for aggregate, want := range map[string]int64{"SUM": 11, "MAX": 10, "AVERAGE": 3} {
		if got := autoscale.Lag(lag, aggregate); got != want {
			t.Errorf("%s of %v is %d, want %d", aggregate, lag, got, want)
		}
		if got := autoscale.Lag(nil, aggregate); got != 0 {
			t.Errorf("%s of nothing is %d", aggregate, got)
		}
		if got := autoscale.Lag(task.Offsets{"0": -3}, aggregate); got != 0 {
			t.Errorf("%s of a lag below zero is %d", aggregate, got)
		}
	}
}

// TestDecisionsStayWithinTheirBounds draws lags, configurations and situations at will.
func TestDecisionsStayWithinTheirBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cfg := config()
		cfg.TaskCountMin = rapid.IntRange(1, 10).Draw(t, "min")
		cfg.TaskCountMax = cfg.TaskCountMin + rapid.IntRange(0, 10).Draw(t, "more")
		cfg.ScaleInStep, cfg.ScaleOutStep = rapid.IntRange(0, 12).Draw(t, "in"), rapid.IntRange(0, math.MaxInt32).Draw(t, "out")
		cfg.TriggerScaleOutFractionThreshold = rapid.Float64Range(0, 1.2).Draw(t, "out fraction")
		cfg.TriggerScaleInFractionThreshold = rapid.Float64Range(0, 1.2).Draw(t, "in fraction")
		cfg.ScaleOutThreshold, cfg.ScaleInThreshold = rapid.Int64Range(-1, 20).Draw(t, "out at"), rapid.Int64Range(-1, 20).Draw(t, "in at")
		lags := rapid.SliceOfN(rapid.Int64Range(0, 20), 0, 25).Draw(t, "lags")
		s := autoscale.Situation{
			Samples: series(lags...), Groups: rapid.IntRange(0, 25).Draw(t, "groups"), TaskCount: rapid.IntRange(1, 25).Draw(t, "tasks"),
			Partitions: rapid.IntRange(0, 25).Draw(t, "partitions"), Now: at,
			LastAction: at.Add(-time.Duration(rapid.IntRange(0, 20).Draw(t, "ago")) * time.Minute),
		}
		kept := slices.Clone(s.Samples)
		d := autoscale.Decide(cfg, s)
		if again := autoscale.Decide(cfg, s); again != d || !slices.Equal(kept, s.Samples) {
			t.Fatalf("decided twice: %+v, %+v", d, again)
		}
		most, least := min(cfg.TaskCountMax, s.Partitions), min(cfg.TaskCountMin, s.Partitions)
		switch {
		case d.Reason == "":
			t.Fatal("a decision without a reason")
		case !d.Scale:
		case d.TaskCount < least || d.TaskCount > most && d.TaskCount > s.Groups:
			t.Fatalf("%+v, the bounds are %d and %d", d, least, most)
		case d.TaskCount == s.Groups || d.TaskCount == s.TaskCount || len(lags) == 0:
			t.Fatalf("%+v changes nothing: %+v", d, s)
		case s.Now.Sub(s.LastAction) < cfg.MinTriggerScaleActionFrequency:
			t.Fatalf("%+v comes %v after the last action", d, s.Now.Sub(s.LastAction))
		}
		// More lag never leads to fewer tasks than less lag, where scaling out wins.
		if cfg.ScaleInThreshold < cfg.ScaleOutThreshold && s.Groups >= least && s.Groups <= most {
			more := s
			more.Samples = slices.Clone(s.Samples)
			for i := range more.Samples {
				more.Samples[i].Lag += 5
			}
			if a, b := target(d, s), target(autoscale.Decide(cfg, more), more); a > b {
				t.Fatalf("lags %v lead to %d tasks, 5 more to %d", lags, a, b)
			}
		}
	})
}

func target(d autoscale.Decision, s autoscale.Situation) int {
	if d.Scale {
		return d.TaskCount
	}
	return s.Groups
}
