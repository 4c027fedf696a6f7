package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
)

// sampled is an answer of the sampler.
type sampled struct {
	NumRowsRead, NumRowsIndexed int
	LogicalSegmentSchema        []struct{ Name, Type string }
	Data                        []struct {
		Input, Parsed map[string]any
		Unparseable   bool
		Error         string
	}
	Warnings []struct{ Path, Message string }
	Error    string
	Problems []struct{ Path, Message string }
}

func (s *server) sample(spec, config string) (int, sampled) {
	s.t.Helper()
	status, b, err := s.call("POST", "/druid/indexer/v1/sampler", fmt.Appendf(nil, `{"type":"kafka","spec":%s,"samplerConfig":%s}`, spec, config))
	if err != nil {
		s.t.Fatal(err)
	}
	var a sampled
	if err := json.Unmarshal(b, &a); err != nil {
		s.t.Fatalf("sampler: %d %v: %s", status, err, clip(string(b)))
	}
	return status, a
}

// sampleSpec has rollup by the hour.
func sampleSpec(b *broker, topic, more string) string {
	return fmt.Sprintf(`{"type":"kafka","dataSchema":{"dataSource":"s","timestampSpec":{"column":"t","format":"iso"},"dimensionsSpec":{"dimensions":["a",{"type":"long","name":"n"}]},`+
		`"metricsSpec":[{"type":"count","name":"rows"},{"type":"longSum","name":"sum","fieldName":"v"}],"granularitySpec":{"queryGranularity":"HOUR","segmentGranularity":"SECOND"}},`+
		`"ioConfig":{"topic":%q,"inputFormat":{"type":"json"},"consumerProperties":{"bootstrap.servers":%q}%s}}`, topic, b.servers, more)
}

func TestSamplerShowsWhatATaskWouldStore(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.createTopic("mixed", 1)
	p := b.producer("mixed", 1)
	for _, record := range []string{
		`{"t":"1969-01-01T00:30:00Z","a":"x","n":1,"v":5,"deep":{"k":[1.50]}}`,
		`{"t":"1969-01-01T00:45:00Z","a":"x","n":1,"v":6}`,
		`{"t":"1969-01-01T00:45:00Z","a":"y","n":"many","v":7} {"t":"2026-01-01T00:00:00Z","a":"z","n":2,"v":8}`,
		`{"t":"2026-01-01T00:00:00Z","a":"q"} {"t":"never"}`,
		`nothing`,
	} {
		p.record(0, []byte(record))
	}
	p.flush()
	s := newServer(t, "sampler", "--roles", "overlord").start()
	status, a := s.sample(sampleSpec(b, "mixed", `,"useEarliestOffset":true,"speed":9`), `{"numRows":100}`)
	if status != 200 || a.NumRowsRead != 7 || a.NumRowsIndexed != 3 || len(a.Data) != 6 {
		t.Fatalf("sample: %d %+v, want 7 rows read, 3 indexed and 6 shown", status, a)
	}
	if got := a.Data[0]; fmt.Sprint(got.Input["deep"]) != "map[k:[1.5]]" || got.Parsed["rows"] != 2.0 || got.Parsed["sum"] != 11.0 || got.Parsed["__time"] != -31536000000.0 {
		t.Errorf("the first row is %+v, want the second one added to it, and the time of its hour", got)
	}
	if got := a.Data[1]; !got.Unparseable || got.Parsed["a"] != "y" || got.Parsed["n"] != nil || !strings.Contains(got.Error, "Could not convert value [many] to long for dimension [n]") {
		t.Errorf("the row with a bad number is %+v, want it stored, and the reason", got)
	}
	if got := a.Data[2]; got.Unparseable || got.Parsed["n"] != 2.0 {
		t.Errorf("the good row beside the bad one is %+v", got)
	}
	for _, got := range a.Data[3:5] {
		if !got.Unparseable || got.Input == nil || got.Error != "Timestamp[never] is unparseable! Event: {t=never}" {
			t.Errorf("a row of a record with a bad time is %+v", got)
		}
	}
	if got := a.Data[5]; !got.Unparseable || got.Input != nil || got.Error != "Unable to parse row [nothing] into JSON" {
		t.Errorf("the broken record is %+v", got)
	}
	if len(a.Warnings) != 1 || a.Warnings[0].Path != "$.spec.ioConfig.speed" {
		t.Errorf("warnings are %+v, want one of the unknown field", a.Warnings)
	}
	if left, _ := filepath.Glob(filepath.Join(s.dir, "samples", "*")); len(left) > 0 {
		t.Errorf("the sample left %v", left)
	}
	if status, list, _ := s.call("GET", supervisorPath, nil); status != 200 || string(list) != "[]" {
		t.Errorf("after sampling there are supervisors: %s", list)
	}
}

func TestSamplerLimits(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.createTopic("many", 2)
	p := b.producer("many", 2)
	for i := range 400 {
		p.record(int64(i%2), fmt.Appendf(nil, `{"t":"2026-01-01T00:00:00Z","a":"value %d"}`, i))
	}
	p.flush()
	s := newServer(t, "sampler-limits", "--roles", "overlord").start()
	earliest := sampleSpec(b, "many", `,"useEarliestOffset":true`)
	for config, want := range map[string]int{`{}`: 200, `{"numRows":7}`: 7, `{"numRows":5000}`: 400} {
		if status, a := s.sample(earliest, config); status != 200 || a.NumRowsRead != want || len(a.Data) != want {
			t.Errorf("%s: %d, %d rows read and %d shown, want %d", config, status, a.NumRowsRead, len(a.Data), want)
		}
	}
	for _, config := range []string{`{"numRows":5000,"maxBytesInMemory":"1KiB"}`, `{"numRows":5000,"maxClientResponseBytes":2000}`} {
		if status, a := s.sample(earliest, config); status != 200 || a.NumRowsRead == 0 || a.NumRowsRead > 100 {
			t.Errorf("%s: %d, %d rows read, want a few", config, status, a.NumRowsRead)
		}
	}
	if status, a := s.sample(sampleSpec(b, "many", ""), `{"timeoutMs":300}`); status != 200 || a.NumRowsRead != 0 || a.Data == nil || len(a.LogicalSegmentSchema) != 5 {
		t.Errorf("the end of a topic where nothing comes: %d %+v, want no rows and the schema", status, a)
	}
	status, a := s.sample(sampleSpec(b, "many", `,"taskCount":0,"period":"x"`), `{"numRows":0}`)
	var paths []string
	for _, p := range a.Problems {
		paths = append(paths, p.Path)
	}
	if want := "[$.spec.ioConfig.taskCount $.spec.ioConfig.period $.samplerConfig.numRows]"; status != 400 || fmt.Sprint(paths) != want {
		t.Errorf("a bad request: %d with problems at %v, want %s", status, paths, want)
	}
}

func TestSamplerMakesNoTopic(t *testing.T) {
	t.Parallel()
	b := newBroker(t, kfake.AllowAutoTopicCreation())
	s := newServer(t, "sampler-topic", "--roles", "overlord").start()
	status, a := s.sample(sampleSpec(b, "nowhere", `,"useEarliestOffset":true`), `{"timeoutMs":2000}`)
	if status != 400 || a.Error != "Failed to sample data: Consumer is not subscribed to any topics or assigned any partitions" {
		t.Errorf("a topic that is not there: %d %q", status, a.Error)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if topics, err := kadm.NewClient(b.client()).ListTopics(ctx); err != nil || topics.Has("nowhere") {
		t.Errorf("after sampling a topic that is not there, the broker has %v (%v)", topics.Names(), err)
	}
	if status, _, err := s.call(http.MethodGet, "/druid/indexer/v1/sampler", nil); err != nil || status != 405 {
		t.Errorf("GET: %d %v, want 405", status, err)
	}
	if _, err := os.Stat(filepath.Join(s.dir, "samples")); err != nil {
		t.Errorf("the folder of samples: %v", err)
	}
}

func TestSamplerFollowsFormatsTransformsAndFilters(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.createTopic("lines", 1)
	p := b.producer("lines", 1)
	for _, record := range []string{"2026-01-01T00:00:00Z,x,3", "2026-01-01T00:00:01Z,y,4", "2026-01-01T00:00:02Z,x,five"} {
		p.record(0, []byte(record))
	}
	p.flush()
	s := newServer(t, "sampler-formats", "--roles", "overlord").start()
	spec := fmt.Sprintf(`{"type":"kafka","dataSchema":{"dataSource":"s","timestampSpec":{"column":"t","format":"iso"},`+
		`"dimensionsSpec":{"dimensions":["a","loud",{"type":"long","name":"n"},"kafka.topic"]},"granularitySpec":{"rollup":false},`+
		`"transformSpec":{"filter":{"type":"selector","dimension":"a","value":"x"},"transforms":[{"type":"expression","name":"loud","expression":"upper(a)"}]}},`+
		`"ioConfig":{"topic":"lines","useEarliestOffset":true,"inputFormat":{"type":"kafka","valueFormat":{"type":"csv","columns":["t","a","n"]}},`+
		`"consumerProperties":{"bootstrap.servers":%q}}}`, b.servers)
	status, a := s.sample(spec, `{}`)
	if status != 200 || a.NumRowsRead != 2 || a.NumRowsIndexed != 1 || len(a.Data) != 2 {
		t.Fatalf("sample: %d %+v, want two rows read, the one that is filtered out left out, and one without an error", status, a)
	}
	for i, want := range []map[string]any{
		{"__time": 1767225600000.0, "a": "x", "loud": "X", "n": 3.0, "kafka.topic": "lines"},
		{"__time": 1767225602000.0, "a": "x", "loud": "X", "n": nil, "kafka.topic": "lines"},
	} {
		got := a.Data[i]
		if fmt.Sprint(got.Parsed) != fmt.Sprint(want) || got.Input["a"] != "x" || got.Input["kafka.topic"] != "lines" {
			t.Errorf("row %d is %v, made of %v, want %v", i, got.Parsed, got.Input, want)
		}
	}
	if got := a.Data[1]; !got.Unparseable || !strings.Contains(got.Error, "Could not convert value [five] to long for dimension [n]") {
		t.Errorf("the row with a bad number has the error %q", got.Error)
	}
}
