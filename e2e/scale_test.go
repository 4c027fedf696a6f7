package e2e

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// scaled is the data of a ScaleDecided.
type scaled struct {
	Type string `json:"type"`
	Data struct {
		From    int    `json:"fromTaskCount"`
		To      int    `json:"toTaskCount"`
		Reason  string `json:"reason"`
		Samples []struct {
			Lag int64 `json:"lag"`
		} `json:"samples"`
	} `json:"data"`
}

func (s *server) scaleActions(id string) ([]scaled, error) {
	return lines[scaled](s, "/ogham/v1/events?type=ScaleDecided&supervisor="+id)
}

// TestKilledWhileScaling kills the server around scale actions, again and again: each row is committed once, and the
// taskCount goes on from where it was.
func TestKilledWhileScaling(t *testing.T) {
	t.Parallel()
	const kills, partitions, many = 4, 4, 100_000
	rnd := seeded(t)
	b := newBroker(t)
	b.createTopic("scaled", partitions)
	s := newServer(t, "scaled").start()
	// Any lag in one of four lags asks for more tasks, none at all for fewer: the ends of the topic are fetched every
	// five seconds, so that it goes up and down by itself.
	s.submit(specOf("scaled", "scaled", b.servers, func(spec sections) {
		delete(spec.io, "taskCount")
		spec.io["taskDuration"], spec.io["period"] = "PT1H", "PT0.2S"
		spec.io["autoScalerConfig"] = map[string]any{
			"enableTaskAutoScaler": true, "taskCountMin": 1, "taskCountMax": 4, "scaleOutThreshold": 1, "scaleInThreshold": 0,
			"lagCollectionIntervalMillis": 100, "lagCollectionRangeMillis": 300, "scaleActionStartDelayMillis": 0,
			"scaleActionPeriodMillis": 100, "minTriggerScaleActionFrequencyMillis": 0, "triggerScaleOutFractionThreshold": 0.2,
		}
	}))
	p := b.producer("scaled", partitions, kgo.ProducerBatchCompression(kgo.NoCompression())) // as in TestKilledTwentyFiveTimes
	quiet := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() { p.flow(quiet, 10, many) })
	for n := range kills {
		before := -1
		eventually(t, "it is scaled once more", func() (bool, string) {
			all, err := s.scaleActions("scaled")
			if err == nil && before < 0 {
				before = len(all)
			}
			_, seen := s.statusOf("scaled")
			return err == nil && len(all) > before, fmt.Sprint(len(all), err, seen)
		})
		// Some kills hit the handover, some the publishing, some the first rows of the next groups.
		await(s.current(), time.Duration(rnd.IntN(400))*time.Millisecond, nil)
		s.kill()
		if n%2 == 0 {
			s.start()
		} else { // once more while it comes up
			run := s.launch()
			await(run, patience, run.ready)
			await(run, time.Duration(rnd.IntN(1500))*time.Millisecond, nil)
			s.kill()
			s.start()
		}
	}
	close(quiet)
	work.Wait()
	p.flush()
	waitRead(t, s, "scaled", p.sent)
	s.must("POST", pathOf("scaled", "/suspend"), nil, nil) // it publishes what it has
	s.waitRows("scaled", p.sent)
	s.checkRows("scaled", p.sent)
	checkHistory(t, s.events(t))
	checkScaling(t, s, "scaled")
}

// checkScaling wants each action to go on from the one before, and a version of the history for each.
func checkScaling(t *testing.T, s *server, id string) {
	t.Helper()
	all, err := s.scaleActions(id)
	if err != nil {
		t.Fatal(err)
	}
	count, up, down := 1, 0, 0
	for i, e := range all {
		if e.Data.From != count || e.Data.Reason == "" || len(e.Data.Samples) == 0 {
			t.Errorf("action %d goes on from %d tasks, want %d: %+v", i, e.Data.From, count, e.Data)
		}
		if count = e.Data.To; count > e.Data.From {
			up++
		} else {
			down++
		}
	}
	if up == 0 || down == 0 {
		t.Errorf("it was scaled out %d times and in %d times, want both", up, down)
	}
	type version struct {
		Spec struct {
			Spec struct {
				IOConfig struct{ TaskCount int }
			}
		}
	}
	var versions []version
	s.must("GET", pathOf(id, "/history"), nil, &versions)
	if want := len(all) + 2; len(versions) != want { // created and suspended
		t.Errorf("the history has %d versions, want %d", len(versions), want)
	}
	var spec struct {
		Spec struct {
			IOConfig struct{ TaskCount int }
		}
	}
	var raw json.RawMessage
	s.must("GET", pathOf(id, ""), nil, &raw)
	if err := json.Unmarshal(raw, &spec); err != nil || spec.Spec.IOConfig.TaskCount != count {
		t.Errorf("the spec has taskCount %d, want %d (%v)", spec.Spec.IOConfig.TaskCount, count, err)
	}
	t.Logf("scaled out %d times and in %d times", up, down)
}
