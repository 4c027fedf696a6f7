package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"ogham/adapters/httpapi"
	"ogham/domain/spec"
	"ogham/domain/task"
	"ogham/eventstore"
)

// FuzzRequests sends any request to a server with a supervisor, two tasks and a worker. None is a fault of ours (500),
// nothing is answered as JSON that is none, and the server answers afterwards. Events are asked for in both forms.
func FuzzRequests(f *testing.F) {
	reset := `{"type":"kafka","partitions":{"type":"end","stream":"t","partitionOffsetMap":{"0":5}}}`
	for _, seed := range [][3]string{
		{"POST", supervisors, plainSpec}, {"POST", supervisors + "?skipRestartIfUnmodified=true", plainSpec}, {"GET", supervisors + "?full&system=x", ""},
		{"GET", supervisors + "/edits/status", ""}, {"GET", supervisors + "/edits/history?count=-1", ""}, {"POST", supervisors + "/edits/resetOffsets", reset},
		{"POST", supervisors + "/edits/taskGroups/handoff", `{"taskGroupIds":[0,"1",2.5]}`}, {"POST", supervisors + "/suspendAll", ""},
		{"POST", supervisors + "/edits/terminate", ""}, {"GET", "/druid/indexer/v1/tasks?state=complete&max=-1&createdTimeInterval=2026_2027", ""},
		{"POST", "/druid/indexer/v1/taskStatus", `["a",1]`}, {"POST", "/druid/indexer/v1/lockedIntervals/v2", `[{"datasource":"edits"}]`},
		{"GET", "/druid/indexer/v1/task/a%2Fb/log?offset=-5", ""}, {"GET", "/ogham/v1/supervisors/edits/status?at=2026-01-01", ""},
		{"GET", "/ogham/v1/supervisors/edits/errors?sequence=99999999999999999999", ""}, {"GET", "/ogham/v1/segments?interval=x", ""},
		{"GET", "/druid/worker/v1/chat/edits/offsets/current", ""}, {"POST", "/druid/worker/v1/chat/a/offsets/end?finish=maybe", `{"0":1}`},
		{"GET", chat + "t1/rowStats?x", ""}, {"POST", chat + "t1/offsets/end?finish=false", `{"0":9}`}, {"GET", "/druid/indexer/v1/task/t1/reports", ""},
		{"POST", "/druid/indexer/v1/sampler", `{"type":"kafka","spec":` + plainSpec + `,"samplerConfig":{"numRows":3,"timeoutMs":10}}`},
		{"GET", "/ogham/v1/events?supervisor=edits&type=TaskCreated&from=2&limit=3", ""}, {"GET", "/ogham/v1/events?since=2026-01-01T00:00:00Z&to=RUNNING", ""},
		{"GET", "/druid/worker/v1/task/t1/log?offset=2", ""}, {"POST", "/druid/worker/v1/disable", ""}, {"POST", "/druid/indexer/v1/worker/h:1/disable", ""},
		{"POST", "/druid/indexer/v1/task/t2/shutdown", ""}, {"POST", "/druid/indexer/v1/datasources/edits/shutdownAllTasks", ""},
		{"GET", "/druid-internal/v1/x", ""}, {"PUT", "/status/properties", "x"}, {"POST", "/druid/indexer/v1/task", `{"type":"noop"}`},
	} {
		f.Add(seed[0], seed[1], []byte(seed[2]))
	}
	var d desk
	f.Cleanup(func() { d.close() })
	f.Fuzz(func(t *testing.T, method, target string, body []byte) {
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Host != "" || len(target) > 300 {
			t.Skip("no target of a request")
		}
		s, err := d.open()
		if err != nil {
			t.Fatal(err)
		}
		header := http.Header{"Content-Type": {"application/json"}}
		ask := func() {
			w := answerTo(s, method, u, header, body)
			if w.Code >= 500 && w.Code != http.StatusNotImplemented && w.Code != http.StatusServiceUnavailable {
				t.Errorf("%s %s with %q is answered with %d %s\n%s", method, target, body, w.Code, w.Body, s.logged)
			}
			if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") && w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s %s with %q is answered with %s, which is no JSON", method, target, body, w.Body)
			}
		}
		ask()
		if strings.HasSuffix(u.Path, "/events") {
			header.Set("Accept", "text/event-stream")
			ask()
		}
		if after := answerTo(s, http.MethodGet, &url.URL{Path: supervisors}, nil, nil); after.Code != http.StatusOK {
			t.Errorf("after %s %s with %q the supervisors are listed with %d %s", method, target, body, after.Code, after.Body)
		}
	})
}

func answerTo(s *service, method string, u *url.URL, header http.Header, body []byte) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.server.ServeHTTP(w, &http.Request{
		Method: method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "h", RequestURI: u.RequestURI(),
		Header: header, Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
	})
	return w
}

// desk keeps a service for the requests that change nothing, which are nearly all, and makes a new one after another.
type desk struct {
	s      *service
	worker *oneWorker
	events int
	stop   context.CancelFunc
	ended  chan error
}

// open returns a service that is as if no request had come before.
func (d *desk) open() (*service, error) {
	if d.s != nil && d.s.eventCount() != d.events {
		d.close()
	}
	if d.s == nil {
		if err := d.fresh(); err != nil {
			return nil, err
		}
	}
	d.worker.SetEnabled(true)
	d.s.mu.Lock()
	d.s.workers = []task.Heartbeat{{WorkerID: "w", Host: "h", Port: 1, Capacity: 2}}
	d.s.mu.Unlock()
	d.s.logged.clear()
	return d.s, nil
}

func (d *desk) fresh() error {
	d.worker = &oneWorker{host: "h:1", tasks: []string{"t1"}}
	s, err := assemble(func(c *httpapi.Config) { c.Log, c.Sampler, c.Worker = endingLog{c.Log}, noRows{}, d.worker })
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	d.s, d.stop, d.ended = s, stop, make(chan error, 1)
	go func() { d.ended <- s.views.Run(ctx, s.log) }()
	sp, err := spec.Parse([]byte(plainSpec))
	if err != nil {
		return err
	}
	s.logs = map[string]string{"t1": "a task writes"}
	if err := s.Submit(ctx, sp, false); err != nil {
		return err
	}
	err = s.runTasks()
	d.events = s.eventCount()
	return err
}

func (d *desk) close() {
	if d.s != nil {
		d.stop()
		<-d.ended
		d.s = nil
	}
}

func (s *service) eventCount() int {
	s.log.mu.Lock()
	defer s.log.mu.Unlock()
	return len(s.log.events)
}

// endingLog is a log whose followers are told that the client is gone once they have the past.
type endingLog struct{ httpapi.Log }

func (l endingLog) Tail(ctx context.Context, q eventstore.Query, fn func(eventstore.Event) error) error {
	if err := l.Replay(ctx, q, fn); err != nil {
		return err
	}
	return context.Canceled
}

// noRows is a sampler of topics without records.
type noRows struct{}

func (noRows) Sample(context.Context, *spec.Sampler) (any, error) {
	return map[string]any{"numRowsRead": 0, "numRowsIndexed": 0, "data": []any{}}, nil
}
