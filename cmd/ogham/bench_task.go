package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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
	return benchSpecOf(bootstrap, topic, `["page","user","country","language","isRobot",{"type":"long","name":"added"},{"type":"long","name":"deleted"},{"type":"double","name":"delta"}]`,
		`[]`, `{"segmentGranularity":"DAY","queryGranularity":"NONE","rollup":false}`)
}

func benchRollupSpec(bootstrap, topic string) []byte {
	return benchSpecOf(bootstrap, topic, `["page","user","country","language"]`,
		`[{"type":"count","name":"count"},{"type":"longSum","name":"added","fieldName":"added"},{"type":"longSum","name":"deleted","fieldName":"deleted"},{"type":"doubleSum","name":"delta","fieldName":"delta"}]`,
		`{"segmentGranularity":"DAY","queryGranularity":"HOUR","rollup":true}`)
}

func benchSpecOf(bootstrap, topic, dimensions, metrics, granularity string) []byte {
	return fmt.Appendf(nil, `{"type":"kafka","spec":{"dataSchema":{"dataSource":"bench","timestampSpec":{"column":"timestamp","format":"iso"},
 "dimensionsSpec":{"dimensions":%s},"metricsSpec":%s,"granularitySpec":%s},
 "ioConfig":{"topic":%q,"inputFormat":{"type":"json"},"consumerProperties":{"bootstrap.servers":%q},"taskCount":1,
  "taskDuration":"PT1H","startDelay":"PT0.01S","period":"PT1S","useEarliestOffset":true},
 "tuningConfig":{"type":"kafka","maxRowsPerSegment":20000000}}}`, dimensions, metrics, granularity, topic, bootstrap)
}

// task runs one task in a server process of its own and times its phases through the API.
func (b *bench) task(ctx context.Context, dir string, spec []byte) (*taskResult, error) {
	ctx, cancel := context.WithTimeout(ctx, benchTimeout)
	defer cancel()
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "server", "-listen", "127.0.0.1:"+strconv.Itoa(port), "-data-dir", dir, "-log-level", "error", "-heartbeat", "50ms")
	cmd.Stderr = b.errs
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() }()
	s := &benchServer{url: "http://127.0.0.1:" + strconv.Itoa(port)}
	waitFor(ctx, time.Minute, func() bool { resp, err := http.Get(s.url + "/status/health"); return err == nil && closed(resp) })
	res := &taskResult{}
	posted := time.Now()
	if err := submitOnce(ctx, s.url, spec); err != nil {
		return nil, err
	}
	var first, last time.Time
	waitFor(ctx, benchTimeout, func() bool { first = time.Now(); return s.read(ctx) > 0 })
	waitFor(ctx, benchTimeout, func() bool { last = time.Now(); return s.read(ctx) >= int64(b.rows) })
	if s.read(ctx) < int64(b.rows) {
		return nil, fmt.Errorf("the task read %d of %d rows", s.read(ctx), b.rows)
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
	waitFor(ctx, benchTimeout, func() bool { return s.published(ctx, res) })
	res.publish = time.Since(ordered)
	if res.rows == 0 {
		return nil, errors.New("nothing was published")
	}
	res.peakKB = peakMemory(cmd.Process.Pid)
	res.diskBytes = bytesBelow(filepath.Join(dir, "segments"))
	return res, nil
}

func closed(r *http.Response) bool {
	_ = r.Body.Close()
	return r.StatusCode == http.StatusOK
}

type benchServer struct{ url string }

func (s *benchServer) status(ctx context.Context) *demoStatus {
	a := &account{url: s.url}
	st, err := a.statusOf(ctx, "bench")
	if err != nil {
		return &demoStatus{}
	}
	return st
}

func (s *benchServer) read(ctx context.Context) int64 { return s.status(ctx).read() }

func (s *benchServer) started(ctx context.Context) time.Time {
	for _, t := range s.status(ctx).Payload.ActiveTasks {
		return t.StartTime
	}
	return time.Time{}
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

// published looks for the commit in the log.
func (s *benchServer) published(ctx context.Context, res *taskResult) bool {
	q := &logQuery{server: s.url, params: url.Values{"supervisor": {"bench"}, "type": {"SegmentsPublished"}}}
	var found bytes.Buffer
	if err := q.replay(ctx, &found); err != nil {
		return false
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
			return false
		}
		for _, g := range e.Data.Segments {
			rows, size = rows+g.Rows, size+g.Size
		}
	}
	res.rows, res.segmentBytes = rows, size
	return rows > 0
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
