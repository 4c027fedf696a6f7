package httpapi_test

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"ogham/adapters/httpapi/goldentest"
)

// client follows no redirects, and keeps no connections. Its timeout is far above what is needed: only a test that fails
// waits so long.
var client = &http.Client{
	Timeout:       3 * time.Minute,
	Transport:     &http.Transport{DisableKeepAlives: true},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

type reply struct {
	status int
	header http.Header
	text   string
}

func (s *service) request(t *testing.T, method, path, body string, headers ...string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, "http://"+s.address+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	return req
}

func (s *service) ask(t *testing.T, method, path, body string, headers ...string) reply {
	t.Helper()
	res, err := client.Do(s.request(t, method, path, body, headers...))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	x := goldentest.Exchange{}
	x.Request.Method, x.Request.Path, x.Request.Headers = method, path, map[string]string{}
	for i := 0; i < len(headers); i += 2 {
		x.Request.Headers[headers[i]] = headers[i+1]
	}
	if body != "" {
		x.Request.Body = &body
	}
	if res.Header.Get("Content-Encoding") == "" {
		fits(t, x, goldentest.Answer{Status: res.StatusCode, Header: res.Header, Body: b})
	}
	return reply{res.StatusCode, res.Header, string(b)}
}

var document = sync.OnceValues(func() (*goldentest.Document, error) {
	text, err := os.ReadFile("openapi.json")
	if err != nil {
		return nil, err
	}
	return goldentest.ReadDocument(text)
})

// fits holds what the server answered against the document of the API.
func fits(t *testing.T, x goldentest.Exchange, got goldentest.Answer) {
	t.Helper()
	d, err := document()
	if err != nil {
		t.Fatal(err)
	}
	for _, diff := range d.Check(x, got) {
		t.Errorf("an answer does not fit docs/api/openapi.yaml: %s", diff)
	}
}

func (s *service) get(t *testing.T, path string, headers ...string) reply {
	t.Helper()
	return s.ask(t, http.MethodGet, path, "", headers...)
}

const (
	supervisors = "/druid/indexer/v1/supervisor"
	asJSON      = "Content-Type"
)

func specText(id string) string {
	return fmt.Sprintf(`{"type":"kafka","spec":{"dataSchema":{"dataSource":%q,"timestampSpec":{"column":"ts"},"dimensionsSpec":{}},`+
		`"ioConfig":{"topic":"topic","inputFormat":{"type":"json"},"consumerProperties":{"bootstrap.servers":"h:1"}}}}`, id)
}

// create makes a supervisor over HTTP.
func (s *service) create(t *testing.T, id string) {
	t.Helper()
	if got := s.ask(t, http.MethodPost, supervisors, specText(id), asJSON, "application/json"); got.status != 200 {
		t.Fatalf("create %s: %d %s", id, got.status, got.text)
	}
}
