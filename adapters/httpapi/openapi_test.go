package httpapi

import (
	"net/http"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"ogham/adapters/httpapi/goldentest"
)

func document(t *testing.T) *goldentest.Document {
	t.Helper()
	d, err := goldentest.ReadDocument(openAPI)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

var parameter = regexp.MustCompile(`:(\w+)`)

// TestEveryRouteIsInTheDocument holds in both directions: whoever adds a route or takes one away writes it down.
func TestEveryRouteIsInTheDocument(t *testing.T) {
	documented := document(t).Operations()
	var routed []string
	for _, r := range New(Config{}).echo.Routes() {
		routed = append(routed, r.Method+" "+parameter.ReplaceAllString(r.Path, "{$1}"))
	}
	for _, r := range routed {
		if !slices.Contains(documented, r) {
			t.Errorf("the route %s is not in docs/api/openapi.yaml (go run ./docs/gen makes the served document of it)", r)
		}
	}
	for _, o := range documented {
		if !slices.Contains(routed, o) {
			t.Errorf("the operation %s of docs/api/openapi.yaml has no route", o)
		}
	}
}

// notOurs are recorded exchanges whose answers Ogham does not give: Druid's server stumbled, or speaks for itself.
var notOurs = regexp.MustCompile(`^text/html`)

// refusedHere are requests that Druid takes and Ogham refuses.
var refusedHere = []string{"06-offsets/21-bad-empty-body", "06-offsets/23-bad-json-null"}

// TestEveryRecordedExchangeFitsTheDocument holds requests and answers of every recording against the document. Druid's own
// 500s are left out: Ogham answers such requests otherwise, and the replays say how.
func TestEveryRecordedExchangeFitsTheDocument(t *testing.T) {
	d := document(t)
	checked := 0
	for _, file := range recordings(t) {
		for _, x := range file.exchanges {
			if slices.Contains(refusedHere, file.name+"/"+x.File) {
				continue
			}
			if x.Response.Status == http.StatusInternalServerError || notOurs.MatchString(x.Response.Headers["Content-Type"]) {
				continue
			}
			got := goldentest.Answer{Status: x.Response.Status, Header: http.Header{}, Body: []byte(x.Response.Body)}
			for name, value := range x.Response.Headers {
				got.Header.Set(name, value)
			}
			for _, diff := range d.Check(x, got) {
				t.Errorf("%s/%s: %s", file.name, x.File, diff)
			}
			checked++
		}
	}
	if checked < 300 {
		t.Errorf("%d exchanges were checked, there are more", checked)
	}
}

type recording struct {
	name      string
	exchanges []goldentest.Exchange
}

// recordings are all of them, or the packed copies where a bare clone has nothing else.
func recordings(t *testing.T) []recording {
	t.Helper()
	root, ok := goldentest.Root()
	if !ok {
		return packedRecordings(t)
	}
	dirs, err := filepath.Glob(filepath.Join(root, "http", "[0-9]*"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("there are no recordings: %v", err)
	}
	var all []recording
	for _, dir := range dirs {
		exchanges, err := goldentest.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, recording{filepath.Base(dir), exchanges})
	}
	return all
}

func packedRecordings(t *testing.T) []recording {
	t.Helper()
	var all []recording
	for _, pattern := range []string{"testdata/*.json.gz", "../../e2e/testdata/*.json.gz"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("there are no packed recordings: %v", err)
		}
		for _, file := range files {
			exchanges, err := goldentest.Unpack(file)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, recording{filepath.Base(file), exchanges})
		}
	}
	return all
}
