package e2e

import (
	"fmt"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ogham/worker/fault"
)

// commits is the data of a SegmentsPublished.
type commit struct {
	Supervisor string `json:"supervisor"`
	Data       struct {
		Group    string `json:"group"`
		Sequence int    `json:"sequence"`
	} `json:"data"`
}

// sequencesOf is the highest sequence that any group of a supervisor has committed.
func sequencesOf(s *server, id string) (int, error) {
	all, err := lines[commit](s, "/ogham/v1/events?type=SegmentsPublished&supervisor="+id)
	most := -1
	for _, c := range all {
		most = max(most, c.Data.Sequence)
	}
	return most, err
}

// TestKilledBetweenSequences has tasks that publish again and again while they read, for each of the three reasons, and
// kills the server between their sequences. What was committed before is not read again, and each row is committed once.
func TestKilledBetweenSequences(t *testing.T) {
	t.Parallel()
	const partitions, many = 4, 60_000
	b := newBroker(t)
	b.createTopic("parts", partitions)
	s := newServer(t, "sequences", "--worker-capacity", "8").start()
	limits := map[string]map[string]any{
		"rows":   {"maxRowsPerSegment": 150},
		"total":  {"maxTotalRows": 400},
		"period": {"intermediateHandoffPeriod": "PT0.5S"},
	}
	for id, limit := range limits {
		s.submit(specOf(id, "parts", b.servers, func(spec sections) {
			spec.io["taskDuration"], spec.io["period"] = "PT1H", "PT0.2S"
			for k, v := range limit {
				spec.tuning[k] = v
			}
		}))
	}
	p := b.producer("parts", partitions, kgo.ProducerBatchCompression(kgo.NoCompression()))
	quiet := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() { p.flow(quiet, 40, many) })
	several := func(why string) {
		eventually(t, "tasks have published several sequences "+why, func() (bool, string) {
			seen, done := "", true
			for id := range limits {
				n, err := sequencesOf(s, id)
				done = done && err == nil && n >= 2
				_, status := s.statusOf(id)
				seen += fmt.Sprintf("%s: sequence %d, %v; %s\n", id, n, err, status)
			}
			return done, seen
		})
	}
	several("before any kill")
	for _, point := range []string{fault.AfterPublish, fault.AfterPush, fault.AfterAllocate} {
		s.kill()
		run := s.launch(fmt.Sprintf("OGHAM_FAULT=%s:4", point))
		await(run, patience, nil)
		select {
		case <-run.ended:
		default:
			t.Errorf("%s was not reached four times", point)
			s.kill()
		}
	}
	s.start()
	close(quiet)
	work.Wait()
	p.flush()
	for id := range limits {
		waitRead(t, s, id, p.sent)
		s.must("POST", pathOf(id, "/suspend"), nil, nil) // it publishes what it has
		s.waitRows(id, p.sent)
		s.checkRows(id, p.sent)
	}
	several("in the end")
	checkHistory(t, s.events(t))
}

// TestOffsetsThatAreGoneAreResetByATask has the broker forget records while no task reads, so that the one that comes back
// meets the gap, and not a run.
func TestOffsetsThatAreGoneAreResetByATask(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.createTopic("gap", 1)
	s := newServer(t, "gap").start()
	s.submit(specOf("gap", "gap", b.servers, func(spec sections) {
		spec.io["taskDuration"], spec.io["period"], spec.io["taskCount"] = "PT1H", "PT0.2S", 1
		spec.tuning["resetOffsetAutomatically"] = true
	}))
	p := b.producer("gap", 1)
	p.send(1000)
	p.flush()
	waitRead(t, s, "gap", 1000)
	s.kill()
	p.send(1000)
	p.flush()
	b.deleteBefore("gap", 0, 1500)
	s.start()
	eventually(t, "the offset was reset by a task, and then dropped", func() (bool, string) {
		all, err := lines[event](s, "/ogham/v1/events?type=OffsetsReset")
		return err == nil && len(all) == 2, fmt.Sprint(all, err)
	})
	resets, err := lines[event](s, "/ogham/v1/events?type=OffsetsReset")
	if err != nil || resets[0].Actor == "overlord" || resets[1].Actor != "overlord" {
		t.Errorf("reset by %+v (%v), want by a task and then by the overlord", resets, err)
	}
	waitRead(t, s, "gap", 2000)
	s.must("POST", pathOf("gap", "/suspend"), nil, nil)
	s.waitRows("gap", 500)
	checkHistory(t, s.events(t))
}
