package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// benchTimeout bounds one task of the measurement.
const benchTimeout = 10 * time.Minute

// askEvery is how often a server is asked how far it is: an answer costs it time that a task would use.
const askEvery = 20 * time.Millisecond

type taskResult struct {
	first        time.Duration // from the POST to the first row
	reading      time.Duration // from the first row to the last
	publish      time.Duration // from the order to finish to the commit
	rows         int64
	segmentBytes int64 // as the descriptors say
	diskBytes    int64 // of the files in deep storage; 0 where they are not on this machine
	peakKB       int64
}

func benchSpec(bootstrap, topic string) []byte {
	return usualTask().spec(bootstrap, topic)
}

func benchRollupSpec(bootstrap, topic string) []byte {
	t := plainTask([]string{"page", "user", "country", "language"}, nil, nil)
	t.metrics = `[{"type":"count","name":"count"},{"type":"longSum","name":"added","fieldName":"added"},{"type":"longSum","name":"deleted","fieldName":"deleted"},{"type":"doubleSum","name":"delta","fieldName":"delta"}]`
	t.granularity = `{"segmentGranularity":"DAY","queryGranularity":"HOUR","rollup":true}`
	return t.spec(bootstrap, topic)
}

// benchTask is what tells one measured supervisor from another.
type benchTask struct {
	dimensions, metrics, granularity, format string
	tasks                                    int
}

func (t benchTask) spec(bootstrap, topic string) []byte {
	return fmt.Appendf(nil, `{"type":"kafka","spec":{"dataSchema":{"dataSource":"bench","timestampSpec":{"column":"timestamp","format":"iso"},
 "dimensionsSpec":{"dimensions":%s},"metricsSpec":%s,"granularitySpec":%s},
 "ioConfig":{"topic":%q,"inputFormat":%s,"consumerProperties":{"bootstrap.servers":%q},"taskCount":%d,
  "taskDuration":"PT1H","startDelay":"PT0.01S","period":"PT1S","useEarliestOffset":true},
 "tuningConfig":{"type":"kafka","maxRowsPerSegment":20000000}}}`, t.dimensions, t.metrics, t.granularity, topic, t.format, bootstrap, t.tasks)
}

// task runs the tasks of one supervisor in a server process of its own and times their phases through the API. They read
// so many rows and publish at least so many.
func (b *bench) task(ctx context.Context, dir string, spec []byte, rows, published int64, flags ...string) (*taskResult, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTimeout)
	defer cancel()
	s, err := b.serve(ctx, dir, append(flags, "-heartbeat", "50ms")...)
	if err != nil {
		return nil, err
	}
	defer s.stop()
	res := &taskResult{}
	posted := time.Now()
	if err := submitOnce(ctx, s.url, spec); err != nil {
		return nil, err
	}
	var first, last time.Time
	pollEvery(ctx, askEvery, benchTimeout, func() bool { first = time.Now(); return s.read(ctx) > 0 })
	pollEvery(ctx, askEvery, benchTimeout, func() bool { last = time.Now(); return s.read(ctx) >= rows })
	if n := s.read(ctx); n < rows {
		return nil, fmt.Errorf("the tasks read %d of %d rows", n, rows)
	}
	// The rows that were read before the first heartbeat that told of any are part of the reading.
	res.first, res.reading = first.Sub(posted), last.Sub(first)
	if started := s.started(ctx); !started.IsZero() {
		res.reading = last.Sub(started)
	}
	ordered := time.Now()
	if err := s.post(ctx, "/druid/indexer/v1/supervisor/bench/suspend"); err != nil {
		return nil, err
	}
	pollEvery(ctx, askEvery, benchTimeout, func() bool { s.published(ctx, res); return res.rows >= published })
	res.publish = time.Since(ordered)
	if res.rows < published {
		return nil, fmt.Errorf("%d rows were published of %d", res.rows, published)
	}
	res.peakKB = peakMemory(s.pid)
	res.diskBytes = bytesBelow(filepath.Join(dir, "segments"))
	return res, nil
}

// serve starts a server process over a folder and waits until it answers.
func (b *bench) serve(ctx context.Context, dir string, flags ...string) (*benchServer, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := append([]string{"server", "-listen", "127.0.0.1:" + strconv.Itoa(port), "-data-dir", dir, "-log-level", "error"}, flags...)
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.Stderr = b.errs
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &benchServer{url: "http://127.0.0.1:" + strconv.Itoa(port), pid: cmd.Process.Pid, cmd: cmd}
	waitFor(ctx, time.Minute, func() bool { resp, err := http.Get(s.url + "/status/health"); return err == nil && closed(resp) })
	return s, nil
}

// benchServer is a server under measurement; one that is not ours has a URL only.
type benchServer struct {
	url string
	pid int
	cmd *exec.Cmd
}

func (s *benchServer) stop() { _ = s.cmd.Process.Signal(syscall.SIGTERM); _ = s.cmd.Wait() }

func (s *benchServer) kill() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() }

func closed(r *http.Response) bool {
	_ = r.Body.Close()
	return r.StatusCode == http.StatusOK
}

func (s *benchServer) status(ctx context.Context) *demoStatus {
	a := &account{url: s.url}
	st, err := a.statusOf(ctx, "bench")
	if err != nil {
		return &demoStatus{}
	}
	return st
}

func (s *benchServer) read(ctx context.Context) int64 { return s.status(ctx).read() }

// started is when the first of the tasks began.
func (s *benchServer) started(ctx context.Context) time.Time {
	var first time.Time
	for _, t := range s.status(ctx).Payload.ActiveTasks {
		if first.IsZero() || t.StartTime.Before(first) {
			first = t.StartTime
		}
	}
	return first
}

func (s *benchServer) post(ctx context.Context, path string) error {
	_, err := s.send(ctx, http.MethodPost, path, "")
	return err
}

func (s *benchServer) send(ctx context.Context, method, path, body string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, s.url+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s %s: %s", method, path, resp.Status)
	}
	return answer, err
}

// published adds up the commits in the log.
func (s *benchServer) published(ctx context.Context, res *taskResult) {
	q := &logQuery{server: s.url, params: url.Values{"supervisor": {"bench"}, "type": {"SegmentsPublished"}}}
	var found bytes.Buffer
	if err := q.replay(ctx, &found); err != nil {
		return
	}
	rows, size := int64(0), int64(0)
	dec := json.NewDecoder(&found)
	for {
		var e struct {
			Data struct {
				Segments []struct{ Rows, Size int64 } `json:"segments"`
			} `json:"data"`
		}
		if err := dec.Decode(&e); err == io.EOF {
			break
		} else if err != nil {
			return
		}
		for _, g := range e.Data.Segments {
			rows, size = rows+g.Rows, size+g.Size
		}
	}
	res.rows, res.segmentBytes = rows, size
}

// bytesBelow counts the bytes of a file, or of the files in a folder; 0 where there is none.
func bytesBelow(path string) int64 {
	n := int64(0)
	_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if info, err := d.Info(); err == nil {
			n += info.Size()
		}
		return nil
	})
	return n
}

// peakMemory reads the greatest resident size that a process had, in kB; 0 where the system does not tell.
func peakMemory(pid int) int64 { return memoryLine(pid, "VmHWM:") }

func memoryLine(pid int, name string) int64 {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(data)) {
		if rest, ok := strings.CutPrefix(line, name); ok {
			n, _ := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n
		}
	}
	return 0
}
