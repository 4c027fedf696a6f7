package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"ogham/worker/fault"
)

// seeded returns the randomness of a test and prints its seed; OGHAM_E2E_SEED repeats a run.
func seeded(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	if text := os.Getenv("OGHAM_E2E_SEED"); text != "" {
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("OGHAM_E2E_SEED=%s: %v", text, err)
		}
		seed = n
	}
	t.Logf("OGHAM_E2E_SEED=%d", seed)
	return rand.New(rand.NewPCG(seed, 1))
}

// TestKilledTwentyFiveTimes kills the server while rows and commands come in: while it starts, while it runs, and at the
// points of a task's life where a crash could lose or double rows. What was acknowledged is in the log, and each row is
// committed once.
func TestKilledTwentyFiveTimes(t *testing.T) {
	t.Parallel()
	const kills, partitions, many = 25, 4, 100_000
	rnd := seeded(t)
	b := newBroker(t)
	b.createTopic("killed", partitions)
	s := newServer(t, "killed").start()
	spec := func(mark string) []byte {
		return specOf("killed", "killed", b.servers, func(spec sections) {
			spec.io["taskDuration"], spec.io["period"] = "PT1S", "PT0.2S"
			spec.tuning["maxRowsInMemory"], spec.tuning["intermediatePersistPeriod"] = 150, "PT0.1S" // many persists
			spec.context["mark"] = mark
		})
	}
	s.submit(spec("first"))

	// Rows come in tiny batches: not compressed, since to undo that costs each of them a large buffer.
	p := b.producer("killed", partitions, kgo.ProducerBatchCompression(kgo.NoCompression()))
	quiet := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() { p.flow(quiet, 40, many) })
	op := &operator{s: s, rnd: rand.New(rand.NewPCG(rnd.Uint64(), 2)), spec: spec}
	work.Go(func() { op.run(quiet) })
	reached := killRepeatedly(t, s, rnd, kills)
	close(quiet)
	work.Wait()
	p.flush()
	if t.Failed() {
		return
	}

	s.start()
	s.submit(spec("last")) // whatever came last, it runs again
	s.waitRows("killed", p.sent)
	s.checkRows("killed", p.sent)
	events := s.events(t)
	checkHistory(t, events)
	op.check(t, events)
	t.Logf("%d rows, %d events, %d commits, %d kinds of commands were acknowledged; kills by fault points: %v",
		p.sent, len(events), count(events, "SegmentsPublished"), len(op.acked), reached)
	s.stop()
	ogham(t, "log", "verify", "--data-dir", s.dir)
}

// killRepeatedly kills a running server and starts it again; at the end it is not running. It tells which fault points
// did the killing.
func killRepeatedly(t *testing.T, s *server, rnd *rand.Rand, kills int) map[string]int {
	t.Helper()
	points := []string{fault.AfterPush, fault.AfterPublish, fault.AfterAllocate, fault.MidPersist, fault.AfterBatch}
	reached, faults := map[string]int{}, 0
	run := s.current()
	for n := range kills {
		point := ""
		switch n % 5 {
		case 0, 2: // by a fault point
			point = points[faults%len(points)]
			faults++
			s.kill()
			run = s.launch(fmt.Sprintf("OGHAM_FAULT=%s:%d", point, 1+rnd.IntN(2)))
			await(run, patience, nil)
		case 1: // while it starts
			await(run, time.Duration(rnd.IntN(1500))*time.Millisecond, nil)
		default: // while it runs
			await(run, patience, run.ready)
			await(run, time.Duration(rnd.IntN(4000))*time.Millisecond, nil)
		}
		select {
		case <-run.ended:
			if point == "" {
				t.Fatalf("kill %d: the server ended by itself: %v", n, run.err)
			}
			reached[point]++
		default:
			if point != "" {
				t.Errorf("kill %d: %s was not reached", n, point)
			}
		}
		s.kill()
		if n+1 < kills {
			run = s.launch()
		}
	}
	return reached
}

// await waits for a channel, the end of the process or the end of the time.
func await(p *process, d time.Duration, ch <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-p.ended:
	case <-timer.C:
	case <-ch:
	}
}

// operator sends commands to a server that is killed under it, and remembers which were acknowledged.
type operator struct {
	s    *server
	rnd  *rand.Rand
	spec func(mark string) []byte

	asked map[string]int // commands by kind, whatever came of them
	acked map[string]int // kind, or mark of an update, to the number of answers 200
}

const (
	suspended = "SupervisorSuspended"
	resumed   = "SupervisorResumed"
)

func (o *operator) run(stop <-chan struct{}) {
	o.asked, o.acked = map[string]int{}, map[string]int{}
	tick := time.NewTicker(900 * time.Millisecond) // between two commands tasks must have time to read
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-stop:
			return
		case <-tick.C:
		}
		switch o.rnd.IntN(4) {
		case 0:
			o.command(suspended, pathOf("killed", "/suspend"), nil)
		case 1:
			mark := "update " + strconv.Itoa(n)
			o.command(mark, supervisorPath, o.spec(mark))
		default:
			o.command(resumed, pathOf("killed", "/resume"), nil)
		}
	}
}

func (o *operator) command(kind, path string, body []byte) {
	if o.s.url() == "" {
		return
	}
	o.asked[kind]++
	if code, _, err := o.s.call("POST", path, body); err == nil && code == 200 {
		o.acked[kind]++
	}
}

// check wants every acknowledged command in the log, and no command twice.
func (o *operator) check(t *testing.T, events []event) {
	t.Helper()
	found := map[string]int{}
	for _, e := range events {
		switch e.Type {
		case suspended, resumed:
			found[e.Type]++
		case "SpecUpdated":
			found[markOf(t, e.Data.Spec)]++
		}
	}
	for _, kind := range slices.Sorted(maps.Keys(o.asked)) {
		if found[kind] < o.acked[kind] || found[kind] > o.asked[kind] {
			t.Errorf("%s: asked %d times, acknowledged %d times, %d times in the log", kind, o.asked[kind], o.acked[kind], found[kind])
		}
	}
	if len(o.acked) < 4 {
		t.Errorf("hardly a command was acknowledged: %v of %v", o.acked, o.asked)
	}
}

// markOf finds the mark that tells the updates of a test apart.
func markOf(t *testing.T, spec json.RawMessage) string {
	t.Helper()
	var s struct {
		Context struct {
			Mark string `json:"mark"`
		} `json:"context"`
	}
	if err := json.Unmarshal(spec, &s); err != nil || s.Context.Mark == "" {
		t.Fatalf("the spec of an update has no mark: %v: %s", err, spec)
	}
	return s.Context.Mark
}
