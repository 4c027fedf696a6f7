package httpapi_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzRequests sends any request to a server with one supervisor. None is a fault of ours (500), nothing is answered as
// JSON that is none, and the server answers afterwards.
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
		{"GET", "/druid-internal/v1/x", ""}, {"PUT", "/status/properties", "x"}, {"POST", "/druid/indexer/v1/task", `{"type":"noop"}`},
	} {
		f.Add(seed[0], seed[1], []byte(seed[2]))
	}
	f.Fuzz(func(t *testing.T, method, target string, body []byte) {
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Host != "" || len(target) > 300 {
			t.Skip("no target of a request")
		}
		if strings.HasSuffix(u.Path, "/events") || strings.HasSuffix(u.Path, "/sampler") {
			t.Skip("a stream, and what reads from Kafka")
		}
		s := serve(t)
		s.create(t, "edits")
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		r := (&http.Request{
			Method: method, URL: u, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Host: "h", RequestURI: target,
			Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(string(body))), ContentLength: int64(len(body)),
		}).WithContext(ctx)
		w := httptest.NewRecorder()
		s.server.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != http.StatusNotImplemented && w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s %s with %q is answered with %d %s\n%s", method, target, body, w.Code, w.Body, s.logged)
		}
		if strings.HasPrefix(w.Header().Get("Content-Type"), "application/json") && w.Body.Len() > 0 && !json.Valid(w.Body.Bytes()) {
			t.Errorf("%s %s with %q is answered with %s, which is no JSON", method, target, body, w.Body)
		}
		after := httptest.NewRecorder()
		s.server.ServeHTTP(after, httptest.NewRequest(http.MethodGet, supervisors, nil))
		if after.Code != http.StatusOK {
			t.Errorf("after %s %s with %q the supervisors are listed with %d %s", method, target, body, after.Code, after.Body)
		}
	})
}
