package e2e

import (
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ogham/adapters/natsserver"
)

// natsServers starts NATS servers with JetStream in the test process and returns their URLs.
func natsServers(t *testing.T, n int) (urls string, servers []*natsserver.Server) {
	t.Helper()
	routes := make([]string, n)
	steps := make([]int, n)
	for i := range steps {
		steps[i] = i
	}
	base := freePorts(t, steps...)
	for i := range routes {
		routes[i] = fmt.Sprintf("127.0.0.1:%d", base+i)
	}
	servers = make([]*natsserver.Server, n)
	var starting sync.WaitGroup
	for i := range servers {
		cfg := natsserver.Config{
			StoreDir: t.TempDir(), Listen: "127.0.0.1:0", Username: "ogham", Password: "secret", Name: fmt.Sprintf("nats-%d", i),
			Logger: slog.New(slog.DiscardHandler),
		}
		if n > 1 {
			cfg.Cluster = &natsserver.Cluster{Name: "e2e", Listen: routes[i], Routes: routes}
		}
		starting.Go(func() {
			srv, err := natsserver.Start(cfg)
			if err != nil {
				t.Errorf("start NATS server %d: %v", i, err)
				return
			}
			servers[i] = srv
		})
	}
	starting.Wait()
	if t.Failed() {
		t.FailNow()
	}
	var all []string
	for _, srv := range servers {
		t.Cleanup(srv.Shutdown)
		u, err := url.Parse(srv.ClientURL())
		if err != nil {
			t.Fatal(err)
		}
		u.User = url.UserPassword("ogham", "secret")
		all = append(all, u.String())
	}
	return strings.Join(all, ","), servers
}

// house is overlords and workers as processes of their own around external NATS servers.
type house struct {
	t    *testing.T
	nats string
	more []string
	dir  string // deep storage
}

func (h *house) start(role, name string) *server {
	h.t.Helper()
	args := append([]string{"--roles", role, "--nats", h.nats, "-D", "druid.storage.storageDirectory=" + h.dir}, h.more...)
	return newServer(h.t, name, args...).start()
}

func leads(s *server) bool {
	code, _, err := s.call("GET", "/druid/indexer/v1/isLeader", nil)
	return err == nil && code == 200
}

// leaderOf waits until one of the overlords leads.
func leaderOf(t *testing.T, overlords ...*server) *server {
	t.Helper()
	var leader *server
	eventually(t, "one of the overlords leads", func() (bool, string) {
		i := slices.IndexFunc(overlords, leads)
		if i >= 0 {
			leader = overlords[i]
		}
		return i >= 0, ""
	})
	return leader
}

// workersOf returns the workers that each group's tasks were given to, of tasks that have not ended.
func workersOf(events []event) map[string][]string {
	group, workers := map[string]string{}, map[string]map[string]string{}
	for _, e := range events {
		id := e.Data.TaskID
		switch e.Type {
		case "TaskCreated":
			group[id] = e.Data.Group
		case "TaskAssigned":
			if workers[group[id]] == nil {
				workers[group[id]] = map[string]string{}
			}
			workers[group[id]][id] = e.Data.WorkerID
		case "TaskSucceeded", "TaskFailed", "TaskStopped":
			delete(workers[group[id]], id)
		}
	}
	out := map[string][]string{}
	for g, tasks := range workers {
		for _, w := range tasks {
			out[g] = append(out[g], w)
		}
	}
	return out
}

// checkReplicas wants no worker to have two living tasks of one group, at any time.
func checkReplicas(t *testing.T, events []event) {
	t.Helper()
	for i, e := range events {
		if e.Type != "TaskAssigned" {
			continue
		}
		for g, workers := range workersOf(events[:i+1]) {
			slices.Sort(workers)
			if len(slices.Compact(slices.Clone(workers))) != len(workers) {
				t.Errorf("after event %d group %s has tasks on %v", e.Sequence, g, workers)
				return
			}
		}
	}
}

// waitSingle waits until a task of the supervisor without replicas reads on the first worker.
func waitSingle(t *testing.T, s *server) (taskID string) {
	t.Helper()
	eventually(t, "a task without a replica is on worker-1", func() (bool, string) {
		all, err := lines[event](s, "/ogham/v1/events?type=TaskAssigned&supervisor=single")
		for _, e := range all {
			if e.Data.WorkerID == "worker-1" {
				taskID = e.Data.TaskID
			}
		}
		return taskID != "", fmt.Sprint(len(all), err)
	})
	return taskID
}

// progress waits until n more commits are in the log than were when it began.
func progress(t *testing.T, s *server, n int) {
	t.Helper()
	before := -1
	eventually(t, fmt.Sprintf("%d more commits", n), func() (bool, string) {
		all, err := lines[event](s, "/ogham/v1/events?type=SegmentsPublished")
		if err != nil {
			return false, err.Error()
		}
		if before < 0 {
			before = len(all)
		}
		_, seen := s.statusOf("spread")
		return len(all) >= before+n, fmt.Sprintf("%d, before %d; %s", len(all), before, seen)
	})
}

// TestThreeProcesses spreads the roles over processes: a worker is killed, a leader is frozen and thawed, and each row is
// committed once.
func TestThreeProcesses(t *testing.T) {
	t.Parallel()
	const partitions, many = 4, 200_000
	urls, _ := natsServers(t, 1)
	h := &house{t: t, nats: urls, dir: t.TempDir()}
	first, second := h.start("overlord", "overlord-1"), h.start("overlord", "overlord-2")
	h.more = []string{"--worker-capacity", "8"}
	lost := h.start("worker", "worker-1")
	h.start("worker", "worker-2")
	b := newBroker(t)
	b.createTopic("spread", partitions)
	leader := leaderOf(t, first, second)
	other := first
	if leader == first {
		other = second
	}
	leader.submit(specOf("spread", "spread", b.servers, func(spec sections) {
		spec.io["replicas"], spec.io["taskDuration"] = 2, "PT2S"
		spec.tuning["maxRowsPerSegment"] = 100 // several sequences each
	}))
	// Each of its groups has one task: a lost one must be replaced before anything goes on.
	leader.submit(specOf("single", "spread", b.servers, func(spec sections) { spec.io["taskDuration"] = "PT2M" }))
	p := b.producer("spread", partitions, kgo.ProducerBatchCompression(kgo.NoCompression())) // as in TestKilledTwentyFiveTimes
	quiet := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() { p.flow(quiet, 50, many) })

	eventually(t, "each group has a task on each worker", func() (bool, string) {
		all, err := lines[event](leader, "/ogham/v1/events")
		groups := workersOf(all)
		full := 0
		for _, workers := range groups {
			slices.Sort(workers)
			if slices.Equal(workers, []string{"worker-1", "worker-2"}) {
				full++
			}
		}
		return err == nil && full >= 2, fmt.Sprint(groups, err)
	})
	single := waitSingle(t, leader)
	lost.kill()
	progress(t, leader, 2) // the other copies go on
	h.start("worker", "worker-3")
	eventually(t, "the third worker has tasks, and the lost one is replaced", func() (bool, string) {
		assigned, err := lines[event](leader, "/ogham/v1/events?type=TaskAssigned")
		failed, err2 := lines[event](leader, "/ogham/v1/events?type=TaskFailed")
		return slices.ContainsFunc(assigned, func(e event) bool { return e.Data.WorkerID == "worker-3" }) &&
			slices.ContainsFunc(failed, func(e event) bool { return e.Data.TaskID == single }), fmt.Sprint(err, err2)
	})

	deposed := epochOf(leader.events(t))
	leader.signal(syscall.SIGSTOP)
	leaderOf(t, other)
	progress(t, other, 2)
	leader.signal(syscall.SIGCONT)
	if code, body, err := leader.call("POST", pathOf("spread", "/suspend"), nil); err == nil && code == 200 {
		t.Errorf("the deposed leader took a command: %s", body)
	}
	eventually(t, "the deposed leader follows", func() (bool, string) {
		code, body, err := leader.call("GET", "/druid/indexer/v1/isLeader", nil)
		return err == nil && code == 404, fmt.Sprint(code, string(body), err)
	})
	progress(t, other, 2)
	close(quiet)
	work.Wait()
	p.flush()
	other.waitRows("spread", p.sent)
	other.checkRows("spread", p.sent)
	waitRead(t, other, "single", p.sent)
	other.must("POST", pathOf("single", "/suspend"), nil, nil) // it publishes what it has
	other.waitRows("single", p.sent)
	other.checkRows("single", p.sent)
	events := other.events(t)
	checkHistory(t, events)
	checkReplicas(t, events)
	checkDeposed(t, events, deposed)
	if n, err := sequencesOf(other, "spread"); err != nil || n < 1 {
		t.Errorf("no group of replicas has published a second sequence (%v)", err)
	}
	t.Logf("%d rows, %d events, %d tasks, of which %d failed", p.sent, len(events), count(events, "TaskCreated"), count(events, "TaskFailed"))
}

// epochOf is the epoch of the last event.
func epochOf(events []event) uint64 { return events[len(events)-1].Epoch }

// checkDeposed wants no event of an epoch behind the first one of a later epoch.
func checkDeposed(t *testing.T, events []event, epoch uint64) {
	t.Helper()
	later := uint64(0)
	for _, e := range events {
		if e.Epoch > epoch && later == 0 {
			later = e.Sequence
		}
		if e.Epoch == epoch && later > 0 {
			t.Errorf("event %d %s is of the deposed leader, behind event %d of the next one", e.Sequence, e.Type, later)
		}
	}
	if later == 0 {
		t.Error("no leader followed")
	}
}

// TestThreeNATSServers keeps the log on three servers and loses one of them.
func TestThreeNATSServers(t *testing.T) {
	t.Parallel()
	const rows, partitions = 30_000, 4
	urls, servers := natsServers(t, 3)
	h := &house{t: t, nats: urls, dir: t.TempDir(), more: []string{"--log-replicas", "3"}}
	lord := h.start("overlord", "overlord-1")
	h.start("worker", "worker-1")
	h.start("worker", "worker-2")
	b := newBroker(t)
	b.createTopic("spread", partitions)
	lord.submit(specOf("spread", "spread", b.servers, func(spec sections) {
		spec.io["replicas"], spec.io["taskDuration"] = 2, "PT2S"
	}))
	p := b.producer("spread", partitions, kgo.ProducerBatchCompression(kgo.NoCompression())) // as in TestKilledTwentyFiveTimes
	p.stream(t.Context().Done(), 250, rows/2)
	progress(t, lord, 1)
	servers[0].Shutdown()
	p.stream(t.Context().Done(), 250, rows)
	p.flush()
	lord.waitRows("spread", rows)
	lord.checkRows("spread", rows)
	events := lord.events(t)
	checkHistory(t, events)
	checkReplicas(t, events)
}
