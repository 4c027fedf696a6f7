package httpapi_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"ogham/adapters/httpapi"
	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

type laterError struct{}

func (laterError) Error() string             { return "not now" }
func (laterError) RetryAfter() time.Duration { return 1500 * time.Millisecond }

type followerError struct{ url string }

func (followerError) Error() string       { return "another node leads" }
func (e followerError) NotLeader() string { return e.url }

func TestErrorsBecomeStatuses(t *testing.T) {
	s := serve(t)
	s.create(t, "edits")
	for _, c := range []struct {
		err    error
		status int
		body   string
		header string // "Name: value"
	}{
		{&supervisor.Refusal{Code: supervisor.CodeInvalid, Message: "no"}, 400, `{"error":"no"}`, ""},
		{&supervisor.Refusal{Code: supervisor.CodeNotFound, Message: "Cannot find any supervisor with id: [gone]"}, 404, "[gone]", "Content-Type: text/plain"},
		{&supervisor.Refusal{Code: supervisor.CodeConflict, Message: "no"}, 409, `{"error":"no"}`, ""},
		{fmt.Errorf("append: %w", laterError{}), 503, `{"error":"append: not now"}`, "Retry-After: 2"},
		{&eventstore.UnavailableError{Op: "append", Err: errors.New("x")}, 503, `the log is unavailable`, "Retry-After: 1"},
		{&eventstore.UnavailableError{Op: "append", Full: true, Err: errors.New("x")}, 503, `full`, "Retry-After: 30"},
		{&eventstore.ReadOnlyError{}, 503, "reading only", "Retry-After: 60"},
		{&eventstore.TooLargeError{What: "event", Size: 2, Limit: 1}, 413, "the limit is 1", ""},
		{context.DeadlineExceeded, 503, "in time", "Retry-After: 1"},
		{followerError{"http://other:1/"}, 307, "", "Location: http://other:1" + supervisors + "/edits/reset?x=1"},
		{followerError{}, 503, "", "Retry-After: 1"},
		{errors.New("password=hunter2 is wrong"), 500, "internal error, see the log for request r-1", ""},
	} {
		s.mu.Lock()
		s.fails = c.err
		s.mu.Unlock()
		got := s.ask(t, http.MethodPost, supervisors+"/edits/reset?x=1", "", "X-Request-ID", "r-1")
		name, value, _ := strings.Cut(c.header, ": ")
		if got.status != c.status || !strings.Contains(got.text, c.body) || c.header != "" && got.header.Get(name) != value {
			t.Errorf("%v: %d %s %v, want %d with %q and %s", c.err, got.status, got.text, got.header, c.status, c.body, c.header)
		}
	}
	if log := s.logged.String(); strings.Contains(log, "hunter2") || !strings.Contains(log, "is wrong") {
		t.Error("the log lacks the error, or has the password in it")
	}
}

func TestFollowersShowTheWay(t *testing.T) {
	s := serve(t)
	s.follows, s.leader = true, "http://leader:8090"
	got := s.get(t, supervisors+"?full")
	if got.status != 307 || got.header.Get("Location") != "http://leader:8090"+supervisors+"?full" {
		t.Errorf("list: %d %v", got.status, got.header)
	}
	if got := s.get(t, "/druid/indexer/v1/isLeader"); got.status != 404 || got.text != `{"leader":false}` {
		t.Errorf("isLeader: %d %s", got.status, got.text)
	}
	if got := s.get(t, "/druid/indexer/v1/leader"); got.text != "http://leader:8090" {
		t.Errorf("leader: %s", got.text)
	}
	if got := s.get(t, "/ogham/v1/events"); got.status != 200 {
		t.Errorf("events on a follower: %d", got.status)
	}
	s.leader = ""
	if got := s.get(t, supervisors); got.status != 503 || got.text != "" {
		t.Errorf("list without a leader: %d %q", got.status, got.text)
	}
	if got := s.get(t, "/druid/indexer/v1/leader"); got.status != 503 {
		t.Errorf("leader where none is known: %d", got.status)
	}
}

func TestBodiesAreBounded(t *testing.T) {
	s := serve(t, func(c *httpapi.Config) { c.BodyLimit = 1000 })
	got := s.ask(t, http.MethodPost, supervisors, `{"a":"`+strings.Repeat("x", 2000)+`"}`, asJSON, "application/json")
	if got.status != 413 || !strings.Contains(got.text, "1000 bytes") {
		t.Errorf("a large body: %d %s", got.status, got.text)
	}
}

func TestSpecsAreRefusedWithPlaceAndReason(t *testing.T) {
	s := serve(t)
	for body, want := range map[string]string{
		``:                 `"path":"$"`,
		`{"type":"kafka"}`: "problem: dataSchema",
		`{"type":"kafka","spec":{"dataSchema":{"dataSource":"x","timestampSpec":{"column":"ts"},"dimensionsSpec":{}},"ioConfig":{"topic":"t","inputFormat":null,"consumerProperties":{"bootstrap.servers":"h:1"}}}}`: "inputFormat",
	} {
		got := s.ask(t, http.MethodPost, supervisors, body, asJSON, "application/json; charset=utf-8")
		if got.status != 400 || !strings.Contains(got.text, want) || !strings.Contains(got.text, `"problems":[{"path":"$`) {
			t.Errorf("%s: %d %s, want %s", body, got.status, got.text, want)
		}
	}
	if got := s.get(t, supervisors); got.text != "[]" {
		t.Errorf("a refused spec left %s", got.text)
	}
}

func TestResetOffsetsAndHandoff(t *testing.T) {
	s := serve(t)
	s.create(t, "edits")
	for _, c := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"resetOffsets", `{"type":"kafka","partitions":{"type":"end","stream":"topic","partitionOffsetMap":{"0":100,"1":"50"}}}`, 200, `{"id":"edits"}`},
		{"resetOffsets", `{"type":"kafka","partitions":{"topic":"topic","partitionSequenceNumberMap":{"0":7}}} rest`, 200, `{"id":"edits"}`},
		{"resetOffsets", `{"type":"kafka","partitions":{"stream":"other","partitionOffsetMap":{"0":1}}}`, 400, "Stream[other]"},
		{"resetOffsets", ``, 400, "required"},
		{"resetOffsets", `null`, 400, "required"},
		{"resetOffsets", `{}`, 400, "missing type id"},
		{"resetOffsets", `[]`, 400, "Unexpected token (END_ARRAY)"},
		{"resetOffsets", `[{}]`, 400, "Unexpected token (START_OBJECT)"},
		{"resetOffsets", `[true,false]`, 400, "Unexpected token (VALUE_TRUE)"},
		{"resetOffsets", `{`, 400, "not JSON"},
		{"resetOffsets", `{"type":"kinesis"}`, 400, "kinesis"},
		{"resetOffsets", `{"type":"kafka"}`, 400, "partitions"},
		{"resetOffsets", `{"type":"kafka","partitions":{"type":"start","stream":"topic","partitionOffsetMap":{"0":1}}}`, 400, "found[start]"},
		{"resetOffsets", `{"type":"kafka","partitions":{"partitionOffsetMap":{"0":1}}}`, 400, "problem: stream"},
		{"resetOffsets", `{"type":"kafka","partitions":{"stream":"topic","partitionOffsetMap":null}}`, 400, "partitionIdToSequenceNumberMap"},
		{"resetOffsets", `{"type":"kafka","partitions":{"stream":"topic","partitionOffsetMap":{"0":-1}}}`, 400, "offset -1"},
		{"resetOffsets", `{"type":"kafka","partitions":{"stream":"topic","partitionOffsetMap":{"0":null}}}`, 400, "offset null"},
		{"resetOffsets", `{"type":"kafka","partitions":{"stream":"topic","partitionOffsetMap":{"p0":1}}}`, 400, `For input string: \"p0\"`},
		{"taskGroups/handoff", `{"taskGroupIds":[0,"44"]}`, 200, ""},
		{"taskGroups/handoff", `{"taskGroupIds":[]}`, 400, "can't be empty"},
		{"taskGroups/handoff", `{}`, 400, "can't be empty"},
		{"taskGroups/handoff", ``, 400, "can't be empty"},
		{"taskGroups/handoff", `{"taskGroupIds":["x"]}`, 400, `from String \"x\"`},
		{"taskGroups/handoff", `{"taskGroupIds":44}`, 400, "a number"},
	} {
		got := s.ask(t, http.MethodPost, supervisors+"/edits/"+c.path, c.body, asJSON, "application/json")
		if got.status != c.status || !strings.Contains(got.text, c.want) || got.header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s: %d %s, want %d with %s", c.path, c.body, got.status, got.text, c.status, c.want)
		}
	}
	if _, got := s.views.Committed("edits"); !got.Equal(task.Offsets{"0": 7, "1": 50}) {
		t.Errorf("committed offsets are %v", got)
	}
}

func TestHealthIs503WhereUnhealthy(t *testing.T) {
	s := serve(t)
	s.create(t, "edits")
	failed := supervisor.EndRun{Errors: []supervisor.ErrorEvent{{Timestamp: 1000, ExceptionClass: "X", Message: "m", StreamException: true}}}
	if err := s.decide(t.Context(), "edits", failed, failed, failed); err != nil {
		t.Fatal(err)
	}
	if got := s.get(t, supervisors+"/edits/health"); got.status != 503 || got.text != `{"healthy":false}` {
		t.Errorf("health: %d %s", got.status, got.text)
	}
	got := s.get(t, supervisors+"/edits/status")
	for _, want := range []string{`"state":"UNHEALTHY_SUPERVISOR"`, `"detailedState":"LOST_CONTACT_WITH_STREAM"`, `"timestamp":"1970-01-01T00:00:01.000Z"`} {
		if !strings.Contains(got.text, want) {
			t.Errorf("status %s lacks %s", got.text, want)
		}
	}
}

func TestRequestIDsAndTheAccessLog(t *testing.T) {
	s := serve(t)
	got := s.get(t, "/status/health?password=hunter2", "X-Request-ID", "mine-1")
	if got.header.Get("X-Request-ID") != "mine-1" || got.text != "true" {
		t.Errorf("the id of the request came back as %q", got.header.Get("X-Request-ID"))
	}
	if a, b := s.get(t, "/status").header.Get("X-Request-ID"), s.get(t, "/status", "X-Request-ID", "a b").header.Get("X-Request-ID"); len(a) != 24 || len(b) != 24 {
		t.Errorf("made ids are %q and %q", a, b)
	}
	log := s.logged.String()
	if !strings.Contains(log, `"request":"mine-1"`) || !strings.Contains(log, `"route":"/status/health"`) || strings.Contains(log, "hunter2") {
		t.Errorf("access log: %s", log)
	}
}

func TestPropertiesHideSecrets(t *testing.T) {
	s := serve(t, func(c *httpapi.Config) {
		c.Properties = map[string]string{"druid.port": "8090", "druid.metadata.storage.connector.password": "hunter2"}
		c.Ready = func() bool { return false }
	})
	if got := s.get(t, "/status/properties"); strings.Contains(got.text, "hunter2") || !strings.Contains(got.text, `"druid.port":"8090"`) {
		t.Errorf("properties: %s", got.text)
	}
	if got := s.get(t, "/status/health"); got.status != 503 || got.text != "false" {
		t.Errorf("health of a server that is not ready: %d %s", got.status, got.text)
	}
}

// panickyViews breaks where a list is asked for.
type panickyViews struct{ httpapi.Views }

func (panickyViews) Supervisors() []supervisor.Summary { panic("password=hunter2 broke an invariant") }

func TestPanicIsContained(t *testing.T) {
	s := serve(t, func(c *httpapi.Config) { c.Views = panickyViews{c.Views} })
	got := s.get(t, supervisors)
	if got.status != 500 || !strings.Contains(got.text, "internal error") || strings.Contains(got.text, "invariant") {
		t.Errorf("a panic: %d %s", got.status, got.text)
	}
	if got := s.get(t, "/status/health"); got.status != 200 {
		t.Errorf("after a panic: %d", got.status)
	}
	if log := s.logged.String(); !strings.Contains(log, "broke an invariant") || strings.Contains(log, "hunter2") {
		t.Error("the panic is not in the log, or with its secret")
	}
}

func TestUnsupportedRoutesSaySo(t *testing.T) {
	s := serve(t)
	for _, path := range []string{"/task", "/action", "/worker"} {
		if got := s.ask(t, http.MethodPost, "/druid/indexer/v1"+path, "{}"); got.status != 501 || !strings.Contains(got.text, "not supported") {
			t.Errorf("%s: %d %s", path, got.status, got.text)
		}
	}
}

func TestAcceptWeightsAndCompression(t *testing.T) {
	s := serve(t)
	for accept, want := range map[string]int{
		"application/json;q=0, */*": 406, "text/html, */*;q=0.1": 200, "application/*": 200, "text/plain": 406, "garbage///": 406,
	} {
		if got := s.get(t, supervisors, "Accept", accept); got.status != want {
			t.Errorf("Accept %q: %d, want %d", accept, got.status, want)
		}
	}
	got := s.get(t, supervisors, "Accept-Encoding", "gzip")
	if got.header.Get("Content-Encoding") != "gzip" || !strings.HasPrefix(got.text, "\x1f\x8b") {
		t.Errorf("compressed: %v", got.header)
	}
}
