package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ogham/adapters/httpapi"
	"ogham/domain/supervisor"
	"ogham/domain/task"
)

const feed = "/ogham/v1/events"

func (s *service) lines(t *testing.T, query string) []httpapi.CloudEvent {
	t.Helper()
	got := s.get(t, feed+query)
	if got.status != 200 || got.header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("events%s: %d %s %s", query, got.status, got.header.Get("Content-Type"), got.text)
	}
	var all []httpapi.CloudEvent
	for line := range strings.Lines(got.text) {
		var e httpapi.CloudEvent
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			t.Fatalf("line %q: %v", line, err)
		}
		all = append(all, e)
	}
	return all
}

func TestEventsReplayByEveryParameter(t *testing.T) {
	s := serve(t)
	s.create(t, "edits")
	s.create(t, "a b%c")
	if err := s.decide(t.Context(), "edits", supervisor.FormGroup{Key: "g", Start: task.Offsets{"0": 0}}, supervisor.CreateTask{TaskID: "t", Group: "g"}); err != nil {
		t.Fatal(err)
	}
	whole := s.lines(t, "")
	if len(whole) == 0 || whole[0].Type != "SupervisorCreated" || whole[0].SpecVersion != "1.0" || whole[0].Sequence != 1 || whole[0].Epoch != 3 {
		t.Fatalf("the first event is %+v", whole[0])
	}
	var moved struct{ Transition supervisor.Transition }
	if err := json.Unmarshal(whole[0].Data, &moved); err != nil || moved.Transition.To != supervisor.StatePending {
		t.Errorf("data of the first event: %s", whole[0].Data)
	}
	at := whole[3].Time.Format(time.RFC3339Nano)
	for _, c := range []struct {
		query string
		keep  func(httpapi.CloudEvent) bool
	}{
		{"?supervisor=" + url.QueryEscape("a b%c"), func(e httpapi.CloudEvent) bool { return e.Supervisor == "a b%c" }},
		{"?type=PartitionsChanged", func(e httpapi.CloudEvent) bool { return e.Type == "PartitionsChanged" }},
		{"?to=RUNNING", func(e httpapi.CloudEvent) bool { return strings.Contains(string(e.Data), `"to":"RUNNING"`) }},
		{"?kind=task", func(e httpapi.CloudEvent) bool { return e.Task == "t" }},
		{"?from=4", func(e httpapi.CloudEvent) bool { return e.Sequence >= 4 }},
		{"?limit=2", func(e httpapi.CloudEvent) bool { return e.Sequence <= 2 }},
		{"?since=" + url.QueryEscape(at), func(e httpapi.CloudEvent) bool { return !e.Time.Before(whole[3].Time) }},
		{"?until=" + url.QueryEscape(at), func(e httpapi.CloudEvent) bool { return e.Time.Before(whole[3].Time) }},
		{"?supervisor=nope", func(httpapi.CloudEvent) bool { return false }},
	} {
		var want []uint64
		for _, e := range whole {
			if c.keep(e) {
				want = append(want, e.Sequence)
			}
		}
		var got []uint64
		for _, e := range s.lines(t, c.query) {
			got = append(got, e.Sequence)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("events%s are %v, want %v", c.query, got, want)
		}
	}
}

func TestEventsTellWhichParameterIsWrong(t *testing.T) {
	s := serve(t)
	for query, param := range map[string]string{
		"?type=Nope": "type", "?to=FLYING": "to", "?from=-1": "from", "?from=x": "from", "?limit=0": "limit", "?limit=x": "limit",
		"?since=yesterday": "since", "?until=1": "until", "?since=2026-01-02T00:00:00Z&until=2026-01-01T00:00:00Z": "until",
		"?superviser=x": "superviser", "?type=TaskFailed&type=TaskFailed": "type", "?supervisor=": "supervisor", "?kind=x": "kind", "?to=%zz": "query",
	} {
		got := s.get(t, feed+query)
		var p struct{ Type, Title, Detail, Instance, Parameter string }
		if err := json.Unmarshal([]byte(got.text), &p); err != nil {
			t.Fatalf("%s: %v: %s", query, err, got.text)
		}
		if got.status != 400 || got.header.Get("Content-Type") != "application/problem+json" || p.Parameter != param || p.Detail == "" || p.Instance == "" {
			t.Errorf("events%s: %d %s", query, got.status, got.text)
		}
	}
	if got := s.get(t, feed, "Accept", "text/html"); got.status != 406 {
		t.Errorf("as HTML: %d %s", got.status, got.text)
	}
	if got := s.get(t, feed, "Accept", "text/event-stream", "Last-Event-ID", "x"); got.status != 400 || !strings.Contains(got.text, "Last-Event-ID") {
		t.Errorf("with a bad Last-Event-ID: %d %s", got.status, got.text)
	}
	if got := s.ask(t, http.MethodPost, feed, "{}"); got.status != 405 || got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("by POST: %d %s", got.status, got.text)
	}
	if got := s.get(t, "/ogham/v1/nope"); got.status != 404 || got.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("unknown route: %d %s", got.status, got.text)
	}
}

// stream is an open feed of server-sent events.
type stream struct {
	t    *testing.T
	body io.ReadCloser
	in   *bufio.Reader
}

func (s *service) open(t *testing.T, query string, headers ...string) *stream {
	t.Helper()
	req := s.request(t, http.MethodGet, feed+query, "", append([]string{"Accept", "text/event-stream"}, headers...)...)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if got := res.Header.Get("Content-Type"); res.StatusCode != 200 || got != "text/event-stream" {
		t.Fatalf("feed: %d %s", res.StatusCode, got)
	}
	t.Cleanup(func() { _ = res.Body.Close() })
	return &stream{t, res.Body, bufio.NewReader(res.Body)}
}

// next reads up to the next blank line.
func (f *stream) next() string {
	f.t.Helper()
	var block strings.Builder
	for {
		line, err := f.in.ReadString('\n')
		if err != nil {
			return "EOF"
		}
		if line == "\n" {
			return block.String()
		}
		block.WriteString(line)
	}
}

// event reads on to the next event, past comments.
func (f *stream) event() (id string, e httpapi.CloudEvent) {
	f.t.Helper()
	for {
		block := f.next()
		if block == "EOF" {
			f.t.Fatal("the feed ended")
		}
		rest, ok := strings.CutPrefix(block, "id: ")
		if !ok {
			continue
		}
		id, data, _ := strings.Cut(rest, "\ndata: ")
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			f.t.Fatalf("event %q: %v", block, err)
		}
		return id, e
	}
}

func TestFeedGoesFromThePastToThePresentAndResumes(t *testing.T) {
	s := serve(t, func(c *httpapi.Config) { c.Heartbeat = time.Millisecond })
	s.create(t, "edits")
	past := len(s.lines(t, ""))
	f := s.open(t, "")
	for i := range past {
		if id, e := f.event(); id != fmt.Sprint(i+1) || e.Sequence != uint64(i+1) {
			t.Fatalf("event %d has the id %s and the sequence %d", i+1, id, e.Sequence)
		}
	}
	for !strings.HasPrefix(f.next(), ":") { // a heartbeat says that all of the past is there
	}
	s.create(t, "live")
	if id, e := f.event(); id != fmt.Sprint(past+1) || e.Supervisor != "live" {
		t.Errorf("the first live event is %s of %s", id, e.Supervisor)
	}
	resumed := s.open(t, "?type=SupervisorCreated", "Last-Event-ID", "1")
	if id, _ := resumed.event(); id != fmt.Sprint(past+1) {
		t.Errorf("resumed after 1, the first event is %s", id)
	}
	limited := s.open(t, "?limit=1")
	limited.event()
	for got := limited.next(); got != "EOF"; got = limited.next() {
		if !strings.HasPrefix(got, ":") {
			t.Fatalf("after its limit the feed goes on with %q", got)
		}
	}
}

func TestFeedEndsWhenTheServerStops(t *testing.T) {
	s := serve(t)
	f := s.open(t, "")
	if got := f.next(); got != "retry: 2000\n" {
		t.Errorf("the feed begins with %q", got)
	}
	s.stop()
	if got := f.next(); got != ": the server stops\n" {
		t.Errorf("at the end the feed says %q", got)
	}
}

func TestFeedEndsItsReaderWhenTheClientGoes(t *testing.T) {
	s := serve(t)
	ctx, cancel := context.WithCancel(t.Context())
	req := s.request(t, http.MethodGet, feed, "", "Accept", "text/event-stream").WithContext(ctx)
	res, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	_ = res.Body.Close()
	s.stop() // the leak check of the package finds what stays
}

func TestBrokenReplayIsSeenAsBroken(t *testing.T) {
	s := serve(t)
	s.create(t, "edits")
	s.log.mu.Lock()
	s.log.broken = errors.New("the disk is on fire")
	s.log.mu.Unlock()
	// Little was gathered, so nothing was sent yet, and the error can be told.
	got := s.get(t, feed)
	if got.status != 500 || strings.Contains(got.text, "fire") || !strings.Contains(s.logged.String(), "fire") {
		t.Errorf("broken at once: %d %s", got.status, got.text)
	}
	for i := range 300 { // more than is gathered
		if _, err := s.append(fmt.Sprintf("s%d", i), []supervisor.Command{supervisor.SubmitSpec{Spec: []byte(specText("x")), Stream: supervisor.Stream{Name: "t"}}}); err != nil {
			t.Fatal(err)
		}
	}
	res, err := client.Do(s.request(t, http.MethodGet, feed, ""))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); err == nil {
		t.Error("an answer that broke off ended as if it were whole")
	}
	s.log.mu.Lock()
	s.log.broken = nil
	s.log.mu.Unlock()
}

func TestSlowClientIsDropped(t *testing.T) {
	s := serve(t, func(c *httpapi.Config) { c.WriteTimeout = 50 * time.Millisecond })
	big := json.RawMessage(`{"x":"` + strings.Repeat("x", 1<<20) + `"}`)
	for i := range 16 { // more than the sockets take
		if _, err := s.append(fmt.Sprintf("s%d", i), []supervisor.Command{supervisor.SubmitSpec{Spec: big, Stream: supervisor.Stream{Name: "t"}}}); err != nil {
			t.Fatal(err)
		}
	}
	s.open(t, "") // and never reads
	deadline, tick := time.After(client.Timeout), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(s.logged.String(), `"route":"`+feed) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatal("the slow client is still served")
		}
	}
}

func TestStatusOfThePast(t *testing.T) {
	s := serve(t)
	s.create(t, "edits")
	created := s.lines(t, "")
	if got := s.ask(t, http.MethodPost, supervisors+"/edits/terminate", ""); got.status != 200 {
		t.Fatal(got.text)
	}
	base := "/ogham/v1/supervisors/edits/status"
	for _, c := range []struct {
		at     string
		status int
		want   string
	}{
		{"1", 200, `"detailedState":"PENDING"`},
		{fmt.Sprint(len(created)), 200, `"detailedState":"RUNNING"`},
		{created[0].Time.Format(time.RFC3339Nano), 200, `"detailedState":"PENDING"`},
		{"1000", 404, "no supervisor"},
		{"", 404, "no supervisor"},
		{"2001-01-01T00:00:00Z", 404, "no supervisor"},
		{"soon", 400, `"parameter":"at"`},
		{"0", 400, `"parameter":"at"`},
	} {
		got := s.get(t, base+"?at="+url.QueryEscape(c.at))
		if got.status != c.status || !strings.Contains(got.text, c.want) {
			t.Errorf("status at %q: %d %s, want %d with %s", c.at, got.status, got.text, c.status, c.want)
		}
	}
}

func TestSegmentsOffsetsErrorsAndLag(t *testing.T) {
	s := serve(t)
	s.create(t, "edits")
	slot := task.SegmentSlot{Start: 0, End: 3600_000}
	if err := s.decide(t.Context(), "edits",
		supervisor.FormGroup{Key: "g", BaseSequenceName: "base", Start: task.Offsets{"0": 0}}, supervisor.CreateTask{TaskID: "t", Group: "g"},
		supervisor.AssignTask{TaskID: "t", WorkerID: "w"}, supervisor.StartTask{TaskID: "t"},
		supervisor.Checkpoint{Group: "g", End: task.Offsets{"0": 9}, Final: true},
		supervisor.AllocateSegments{TaskID: "t", Slots: []task.SegmentSlot{slot}, Version: "2026-11-23T15:14:11.625Z"},
		supervisor.PublishSegments{TaskID: "t", Start: task.Offsets{"0": 0}, End: task.Offsets{"0": 9}, Segments: []task.Segment{{
			ID: "id", End: 3600_000, Version: "2026-11-23T15:14:11.625Z", Dimensions: []string{"a", "b"}, Size: 5, Rows: 9, LoadSpec: []byte(`{"type":"local","path":"/p"}`),
		}}},
		supervisor.EndRun{Errors: []supervisor.ErrorEvent{{ExceptionClass: "X", Message: "m"}}}); err != nil {
		t.Fatal(err)
	}
	const descriptor = `{"descriptor":{"dataSource":"edits","interval":"1970-01-01T00:00:00.000Z/1970-01-01T01:00:00.000Z",` +
		`"version":"2026-11-23T15:14:11.625Z","loadSpec":{"type":"local","path":"/p"},"dimensions":"a,b","metrics":"",` +
		`"shardSpec":{"type":"numbered","partitionNum":0,"partitions":0},"binaryVersion":9,"size":5,"identifier":"id"},"rows":9,"supervisor":"edits","task":"t","sequenceName":"base_0",`
	if got := s.get(t, "/ogham/v1/segments?supervisor=edits"); !strings.HasPrefix(got.text, descriptor) || strings.Count(got.text, "\n") != 1 {
		t.Errorf("segments: %s", got.text)
	}
	if got := s.get(t, "/ogham/v1/segments?supervisor=nope"); got.status != 200 || got.text != "" {
		t.Errorf("segments of nobody: %d %s", got.status, got.text)
	}
	if got := s.get(t, "/ogham/v1/supervisors/edits/offsets"); got.text != `{"stream":"topic","committed":{"0":9}}` {
		t.Errorf("offsets: %s", got.text)
	}
	if got := s.get(t, "/ogham/v1/supervisors/edits/errors"); !strings.Contains(got.text, `"exceptionClass":"X"`) {
		t.Errorf("errors: %s", got.text)
	}
	if got := s.get(t, "/ogham/v1/supervisors/edits/lag"); got.text != "[]" {
		t.Errorf("lag: %s", got.text)
	}
	if got := s.get(t, "/ogham/v1/supervisors/nope/lag"); got.status != 404 {
		t.Errorf("lag of nobody: %d", got.status)
	}
	if got := s.get(t, "/ogham/v1/supervisors/edits/lag?x=1"); got.status != 400 {
		t.Errorf("lag with a parameter: %d", got.status)
	}
}
