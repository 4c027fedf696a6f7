package spec

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// scaling is the base spec with an autoscaler from 2 to 8 tasks and further members of it and of the ioConfig.
func scaling(t testing.TB, taskCount, more string) *Supervisor {
	t.Helper()
	scaler := `{"enableTaskAutoScaler":true,"taskCountMin":2,"taskCountMax":8` + more + `}`
	return mustParse(t, with(t, "ioConfig.taskCount", taskCount, "ioConfig.autoScalerConfig", scaler))
}

func TestAnAutoscalerBeginsAtTaskCountMinUnlessItIsGivenAStart(t *testing.T) {
	for _, c := range []struct {
		taskCount, more string
		want            int
	}{{"", "", 2}, {"5", "", 2}, {"", `,"taskCountStart":3`, 3}, {"5", `,"taskCountStart":8`, 8}} {
		s := scaling(t, c.taskCount, c.more)
		if got := s.IOConfig.TaskCount; got != c.want {
			t.Errorf("taskCount %q%s: begins with %d tasks, want %d", c.taskCount, c.more, got, c.want)
		}
		if want := fmt.Sprintf(`"taskCount":%d,`, c.want); !strings.Contains(string(s.Canonical()), want) {
			t.Errorf("the stored spec lacks %s: %s", want, s.Canonical())
		}
	}
}

func TestFieldsOfDruid37AreKeptWhereTheyAreGiven(t *testing.T) {
	s := mustParse(t, golden(t, "03-create-full/01-create.json").body(t))
	a := s.IOConfig.AutoScalerConfig
	if a.TaskCountStart == nil || *a.TaskCountStart != 3 || a.StopTaskCountRatio == nil || *a.StopTaskCountRatio != 0.5 {
		t.Fatalf("read as %+v", a)
	}
	if text := string(s.Canonical()); !strings.Contains(text, `"taskCountStart":3,"stopTaskCountRatio":0.5}`) {
		t.Errorf("the stored spec lacks them: %s", text)
	}
	if text := string(scaling(t, "", "").Canonical()); strings.Contains(text, "taskCountStart") || strings.Contains(text, "Ratio") {
		t.Errorf("a spec without them has got them: %s", text)
	}
}

func TestAScaledTaskCountOutlivesRestartsAndUpdates(t *testing.T) {
	running := scaling(t, "", "").WithTaskCount(6)
	again, err := ParseStored(running.Canonical())
	if err != nil || again.IOConfig.TaskCount != 6 || !again.Equal(running) {
		t.Fatalf("read from the log it has %d tasks, want 6 (%v)", again.IOConfig.TaskCount, err)
	}
	if n := running.WithSuspended(true).WithSuspended(false).IOConfig.TaskCount; n != 6 {
		t.Errorf("suspended and resumed it has %d tasks, want 6", n)
	}
	for _, c := range []struct {
		name, taskCount, more string
		want                  int
	}{
		{"nothing is said", "", "", 6},
		{"taskCount is given", "4", "", 4},
		{"taskCount is given beyond the bounds", "99", "", 8},
		{"taskCountStart is given", "4", `,"taskCountStart":3`, 3},
		{"the highest count is lower now", "", `,"taskCountMax":5`, 5},
		{"the lowest count is higher now", "", `,"taskCountMin":7`, 7},
	} {
		updated := scaling(t, c.taskCount, c.more).Following(running)
		if got := updated.IOConfig.TaskCount; got != c.want {
			t.Errorf("%s: an update of 6 tasks goes on with %d, want %d", c.name, got, c.want)
		}
	}
	if n := mustParse(t, []byte(base)).Following(running).IOConfig.TaskCount; n != 1 {
		t.Errorf("an update without an autoscaler has %d tasks, want its own 1", n)
	}
	if s := scaling(t, "", "").Following(running); !s.Equal(running) {
		t.Errorf("the same spec posted again is another one:\n%s\n%s", s.Canonical(), running.Canonical())
	}
}

func TestAllowedStops(t *testing.T) {
	for _, c := range []struct {
		more  string
		count int
		want  int
	}{
		{"", 6, 6}, {`,"stopTaskCountRatio":0.5`, 6, 3}, {`,"stopTaskCountRatio":0.5`, 7, 3}, {`,"stopTaskCountRatio":0.05`, 7, 1},
		{`,"stopTaskCountRatio":1`, 7, 7},
	} {
		if got := scaling(t, "", c.more).WithTaskCount(c.count).IOConfig.AllowedStops(); got != c.want {
			t.Errorf("%d tasks%s: %d groups may finish at once, want %d", c.count, c.more, got, c.want)
		}
	}
	for _, scaler := range []string{"", `{"enableTaskAutoScaler":false,"stopTaskCountRatio":0.1}`, `{"enableTaskAutoScaler":true,"taskCountMin":1,"taskCountMax":9}`} {
		s := mustParse(t, with(t, "ioConfig.stopTaskCount", "3", "ioConfig.autoScalerConfig", scaler))
		if got := s.IOConfig.AllowedStops(); got != 3 {
			t.Errorf("stopTaskCount 3 with autoScalerConfig %q: %d groups may finish at once", scaler, got)
		}
	}
}

func TestAutoscalerRefusals(t *testing.T) {
	for more, want := range map[string][2]string{
		`,"taskCountStart":1`:                                                      {".taskCountStart", "taskCountMin <= taskCountStart <= taskCountMax"},
		`,"taskCountStart":9`:                                                      {".taskCountStart", "taskCountMin <= taskCountStart <= taskCountMax"},
		`,"stopTaskCountRatio":0`:                                                  {".stopTaskCountRatio", "0.0 < stopTaskCountRatio <= 1.0"},
		`,"stopTaskCountRatio":1.01`:                                               {".stopTaskCountRatio", "0.0 < stopTaskCountRatio <= 1.0"},
		`,"stopTaskCountRatio":"x"`:                                                {".stopTaskCountRatio", "not a valid `Double` value"},
		`,"lagCollectionIntervalMillis":0`:                                         {".lagCollectionIntervalMillis", "greater than 0"},
		`,"lagCollectionRangeMillis":-1`:                                           {".lagCollectionRangeMillis", "greater than 0"},
		`,"scaleActionPeriodMillis":0`:                                             {".scaleActionPeriodMillis", "greater than 0"},
		`,"scaleActionStartDelayMillis":-1`:                                        {".scaleActionStartDelayMillis", "must not be negative"},
		`,"minTriggerScaleActionFrequencyMillis":-1`:                               {".minTriggerScaleActionFrequencyMillis", "must not be negative"},
		`,"scaleInStep":-1`:                                                        {".scaleInStep", "must not be negative"},
		`,"scaleOutStep":-1`:                                                       {".scaleOutStep", "must not be negative"},
		`,"lagCollectionIntervalMillis":1,"lagCollectionRangeMillis":10000`:        {".lagCollectionRangeMillis", "more than 10000 points"},
		`,"lagCollectionRangeMillis":9223372036854775807`:                          {".lagCollectionRangeMillis", "more than 10000 points"},
		`,"autoScalerStrategy":"costBased","taskCountMin":5,"taskCountMax":"four"`: {".taskCountMax", "not a valid `int` value"},
	} {
		e := problemsOf(t, with(t, "ioConfig.autoScalerConfig", `{"enableTaskAutoScaler":true,"taskCountMin":2,"taskCountMax":8`+more+`}`))
		if at := "$.spec.ioConfig.autoScalerConfig" + want[0]; len(e.Problems) != 1 || e.Problems[0].Path != at || !strings.Contains(e.Message, want[1]) {
			t.Errorf("%s: %+v, want %q at %s", more, e.Problems, want[1], at)
		}
	}
	off := `{"enableTaskAutoScaler":false,"lagCollectionIntervalMillis":0,"taskCountStart":-5,"stopTaskCountRatio":7}`
	if a := mustParse(t, with(t, "ioConfig.autoScalerConfig", off)).IOConfig.AutoScalerConfig; a.EnableTaskAutoScaler {
		t.Errorf("an autoscaler that is off is on: %+v", a)
	}
}

func TestTaskCountsOfUpdatesStayWithinTheBounds(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		least := rapid.IntRange(1, 20).Draw(r, "least")
		most := least + rapid.IntRange(0, 20).Draw(r, "more")
		spec := func(given *int) *Supervisor {
			count := ""
			if given != nil {
				count = fmt.Sprint(*given)
			}
			scaler, err := json.Marshal(map[string]any{"enableTaskAutoScaler": true, "taskCountMin": least, "taskCountMax": most})
			if err != nil {
				r.Fatal(err)
			}
			return mustParse(t, with(t, "ioConfig.taskCount", count, "ioConfig.autoScalerConfig", string(scaler)))
		}
		running := spec(nil).WithTaskCount(rapid.IntRange(1, 50).Draw(r, "running"))
		given := rapid.Ptr(rapid.IntRange(-5, math.MaxInt32), true).Draw(r, "given")
		next := spec(given).Following(running)
		if n := next.IOConfig.TaskCount; n < least || n > most {
			r.Fatalf("%d tasks, the bounds are %d and %d", n, least, most)
		}
		stored, err := ParseStored(next.Canonical())
		if err != nil || !stored.Equal(next) || stored.IOConfig.TaskCount != next.IOConfig.TaskCount {
			r.Fatalf("read from the log it is another spec (%v)", err)
		}
	})
}
