package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// clockTicks is the unit of /proc/PID/stat, a hundredth of a second on every Linux that Go runs on.
const clockTicks = 100

const (
	restPartitions = 2
	restPeriod     = 30 * time.Second // the default period of a supervisor, and of its offsets
	settleTime     = 10 * time.Second
)

// supervisors measures many supervisors of one Kafka in one process: what they cost while nothing happens, and how fast
// the API answers. They are of two kinds in turn: with tasks that wait for a slot, and idle.
func (b *bench) supervisors(ctx context.Context) error {
	n, bootstrap := b.rest, b.kafka
	var broker *benchBroker
	if bootstrap == "" {
		var err error
		if broker, err = startBenchBroker(ctx, b.errs, 0); err != nil {
			return err
		}
		defer broker.stop()
		bootstrap = broker.addr
	}
	prefix := fmt.Sprintf("ogham_rest_%d_", time.Now().UnixNano())
	if err := createTopics(ctx, bootstrap, prefix, n); err != nil {
		return fmt.Errorf("create topics: %w", err)
	}
	s, err := b.serve(ctx, filepath.Join(b.dir, "rest"))
	if err != nil {
		return err
	}
	defer s.stop()
	r := &restServer{url: s.url, pid: s.pid, client: &http.Client{Timeout: time.Minute}}
	began := time.Now()
	if err := r.submit(ctx, bootstrap, prefix, n); err != nil {
		return err
	}
	submitted := time.Since(began)
	waitFor(ctx, 5*time.Minute, func() bool { return r.running(ctx) == n })
	if got := r.running(ctx); got != n {
		return fmt.Errorf("%d of %d supervisors are running", got, n)
	}
	fmt.Fprintf(b.out, "%-34s %12s          submitted in %s, all running after %s\n", "supervisors of one Kafka", grouped(int64(n)),
		submitted.Round(time.Millisecond), time.Since(began).Round(time.Millisecond))
	return b.atRest(ctx, r, broker, n)
}

// atRest measures two periods in which nothing happens, and then the API.
func (b *bench) atRest(ctx context.Context, r *restServer, broker *benchBroker, n int) error {
	// What the start left behind is over: a supervisor is known to be healthy after its third run.
	if err := sleep(ctx, 2*restPeriod+settleTime); err != nil {
		return err
	}
	events, err := r.events(ctx)
	if err != nil {
		return err
	}
	if err := sleep(ctx, settleTime); err != nil {
		return err
	}
	cpu, requests := processorTime(r.pid), broker.requests()
	from := time.Now()
	if err := sleep(ctx, 2*restPeriod); err != nil {
		return err
	}
	took := time.Since(from)
	spent := processorTime(r.pid) - cpu
	asked := broker.requests() - requests
	memory := residentKB(r.pid)
	after, err := r.events(ctx)
	if err != nil {
		return err
	}
	requestsText := "requests for metadata or offsets: not counted, the broker is not ours"
	if broker != nil {
		requestsText = fmt.Sprintf("%.1f requests for metadata or offsets a period", float64(asked)/took.Seconds()*restPeriod.Seconds())
	}
	fmt.Fprintf(b.out, "%-34s %11.1f%%          of one core, over %s; %s MB resident, %d events appended, %s\n", "  at rest",
		100*spent.Seconds()/took.Seconds(), took.Round(time.Second), grouped(memory/1024), after-events, requestsText)
	for _, what := range []struct {
		name string
		path func(i int) string
		n    int
	}{
		{"  GET status", func(i int) string { return "/druid/indexer/v1/supervisor/rest_" + strconv.Itoa(i*7919%n) + "/status" }, 2000},
		{"  GET spec", func(i int) string { return "/druid/indexer/v1/supervisor/rest_" + strconv.Itoa(i*7919%n) }, 2000},
		{"  GET list, state=true", func(int) string { return "/druid/indexer/v1/supervisor?state=true" }, 200},
		{"  GET tasks of one", func(i int) string { return "/druid/indexer/v1/tasks?datasource=rest_" + strconv.Itoa(i*7919%n) }, 500},
	} {
		took := make([]time.Duration, what.n)
		for i := range took {
			at := time.Now()
			if _, err := r.get(ctx, what.path(i)); err != nil {
				return err
			}
			took[i] = time.Since(at)
		}
		slices.Sort(took)
		fmt.Fprintf(b.out, "%-34s %12s median   %s at the 99th percentile of %d\n", what.name, took[len(took)/2].Round(10*time.Microsecond),
			took[len(took)*99/100].Round(10*time.Microsecond), what.n)
	}
	return nil
}

func createTopics(ctx context.Context, bootstrap, prefix string, n int) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap))
	if err != nil {
		return err
	}
	defer client.Close()
	for from := 0; from < n; from += 100 {
		var names []string
		for i := from; i < min(from+100, n); i++ {
			names = append(names, prefix+strconv.Itoa(i))
		}
		made, err := kadm.NewClient(client).CreateTopics(ctx, restPartitions, 1, nil, names...)
		if err == nil {
			err = made.Error()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

type restServer struct {
	url    string
	pid    int
	client *http.Client
}

func (r *restServer) get(ctx context.Context, path string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url+path, nil)
	if err != nil {
		return nil, err
	}
	return r.do(req)
}

func (r *restServer) do(req *http.Request) ([]byte, error) {
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s: %s", req.Method, req.URL.Path, resp.Status, body)
	}
	return body, err
}

// submit posts the specs, eight at a time.
func (r *restServer) submit(ctx context.Context, bootstrap, prefix string, n int) error {
	var (
		wg   sync.WaitGroup
		next atomic.Int64
		mu   sync.Mutex
		errs []error
	)
	for range 8 {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if err := r.submitOne(ctx, bootstrap, prefix+strconv.Itoa(i), i); err != nil {
					mu.Lock()
					errs = append(errs, err)
					mu.Unlock()
					return
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (r *restServer) submitOne(ctx context.Context, bootstrap, topic string, i int) error {
	spec := fmt.Appendf(nil, `{"type":"kafka","spec":{"dataSchema":{"dataSource":"rest_%d","timestampSpec":{"column":"timestamp","format":"iso"},
 "dimensionsSpec":{"dimensions":["page","user","country"]},"granularitySpec":{"segmentGranularity":"DAY","rollup":false}},
 "ioConfig":{"topic":%q,"inputFormat":{"type":"json"},"consumerProperties":{"bootstrap.servers":%q},"taskCount":1,
  "startDelay":"PT1S","useEarliestOffset":true,"idleConfig":{"enabled":%t,"inactiveAfterMillis":1}},
 "tuningConfig":{"type":"kafka"}}}`, i, topic, bootstrap, i%2 == 1)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+"/druid/indexer/v1/supervisor", bytes.NewReader(spec))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	_, err = r.do(req)
	return err
}

// running counts the supervisors whose first run is over.
func (r *restServer) running(ctx context.Context) int {
	body, err := r.get(ctx, "/druid/indexer/v1/supervisor?state=true")
	if err != nil {
		return 0
	}
	var all []struct {
		DetailedState string `json:"detailedState"`
	}
	if json.Unmarshal(body, &all) != nil {
		return 0
	}
	n := 0
	for _, s := range all {
		if s.DetailedState == "RUNNING" || s.DetailedState == "IDLE" {
			n++
		}
	}
	return n
}

// events counts those in the log.
func (r *restServer) events(ctx context.Context) (int, error) {
	q := &logQuery{server: r.url, params: url.Values{}}
	var all bytes.Buffer
	if err := q.replay(ctx, &all); err != nil {
		return 0, err
	}
	return bytes.Count(all.Bytes(), []byte("\n")), nil
}

// processorTime is what a process has spent of a processor, 0 where the system does not tell.
func processorTime(pid int) time.Duration {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(data), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * time.Second / clockTicks
}

// residentKB is the memory of a process now.
func residentKB(pid int) int64 { return memoryLine(pid, "VmRSS:") }

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}
