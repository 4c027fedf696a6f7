package httpapi_test

import (
	"context"
	"flag"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"ogham/adapters/httpapi/goldentest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var update = flag.Bool("update", false, "rewrite the packed recordings in testdata from the goldens")

// scenarios are those that are replayed here.
var scenarios = []string{"01-empty", "02-create-minimal", "04-life", "05-update", "07-all-operations", "21-odd-ids"}

func packed(scenario string) string { return filepath.Join("testdata", scenario+".json.gz") }

// exchangesOf reads a scenario: the recordings, or the packed copy where a bare clone has nothing else.
func exchangesOf(t *testing.T, scenario string) []goldentest.Exchange {
	t.Helper()
	root, ok := goldentest.Root()
	if !ok {
		all, err := goldentest.Unpack(packed(scenario))
		if err != nil {
			t.Fatal(err)
		}
		return all
	}
	all, err := goldentest.Load(filepath.Join(root, "http", scenario))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestPackedRecordingsAreTheRecordings(t *testing.T) {
	for _, scenario := range append([]string{"03-create-full", "08-bad-spec", "12-task-level"}, scenarios...) {
		all := exchangesOf(t, scenario)
		if *update {
			if err := goldentest.Pack(packed(scenario), all); err != nil {
				t.Fatal(err)
			}
		}
		copied, err := goldentest.Unpack(packed(scenario))
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(all, copied) {
			t.Errorf("the packed copy of %s is not what was recorded: run the test with -update", scenario)
		}
	}
}

// polls are exchanges whose answers depend on the moment; only their shape is compared.
var polls = regexp.MustCompile(`status|list-state-resumed`)

// needsTasks are exchanges about running tasks and Kafka, which this overlord has not; the end-to-end test replays them.
var needsTasks = regexp.MustCompile(`-stats|-tasks|-task-|-reports|parse-errors-running|active[1-9]|publishing[1-9]`)

// differences are exchanges in which Ogham does not do as Druid does, and why.
var differences = map[string]difference{
	"01-empty/43-id-bad-percent": {400, "net/http refuses the request line by itself, as text and not as HTML"},
}

type difference struct {
	status int
	reason string
}

func TestGoldenReplay(t *testing.T) {
	for _, scenario := range scenarios {
		t.Run(scenario, func(t *testing.T) { replay(t, scenario) })
	}
}

func replay(t *testing.T, scenario string) {
	exchanges := exchangesOf(t, scenario)
	s := serve(t)
	ctx, cancel := context.WithTimeout(context.Background(), client.Timeout)
	defer cancel()
	compared := 0
	for _, x := range exchanges {
		if needsTasks.MatchString("-" + x.File) {
			continue
		}
		got, err := goldentest.Send(ctx, s.address, x)
		if err != nil {
			t.Fatal(err)
		}
		fits(t, x, got)
		if d, ok := differences[scenario+"/"+x.File]; ok {
			if got.Status != d.status {
				t.Errorf("%s: status is %d, want %d: %s", x.File, got.Status, d.status, d.reason)
			}
			continue
		}
		mode := goldentest.Exact
		if polls.MatchString(x.File) {
			mode = goldentest.Shape
		}
		if diffs := goldentest.Compare(x, got, mode); diffs != nil {
			t.Errorf("%s (%s %s):\n  %s", x.File, x.Request.Method, x.Request.Path, strings.Join(diffs, "\n  "))
		}
		compared++
	}
	t.Logf("%d of %d exchanges were compared", compared, len(exchanges))
}

// TestGoldenRefusals sends every body that Druid refused. What Druid accepts and Ogham refuses is told by the specs' own
// tests.
func TestGoldenRefusals(t *testing.T) {
	s := serve(t)
	ctx, cancel := context.WithTimeout(context.Background(), client.Timeout)
	defer cancel()
	refused := 0
	for _, x := range exchangesOf(t, "08-bad-spec") {
		if x.Response.Status < 400 {
			continue
		}
		got, err := goldentest.Send(ctx, s.address, x)
		if err != nil {
			t.Fatal(err)
		}
		fits(t, x, got)
		if diffs := goldentest.Compare(x, got, goldentest.Exact); diffs != nil {
			t.Errorf("%s:\n  %s", x.File, strings.Join(diffs, "\n  "))
		}
		refused++
	}
	if got := s.get(t, supervisors); refused == 0 || got.text != "[]" {
		t.Errorf("after %d refusals there are supervisors: %s", refused, got.text)
	}
}
