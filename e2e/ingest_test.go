package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"ogham/adapters/httpapi/goldentest"
)

// ingestCase is a spec and the records that a supervisor of it reads.
type ingestCase struct {
	name    string
	spec    map[string]any // numbers are json.Number
	records []*kgo.Record  // in the order sent; without a topic
	dir     string         // of the recording; empty where there is none
}

// ingestDir is where the recordings of ingestion are: with those beside the repository, or the copies of a bare clone.
func ingestDir() string {
	root, ok := goldentest.Root()
	if !ok {
		root = filepath.Join("..", "adapters", "inputformat", "testdata")
	}
	return filepath.Join(root, "ingest")
}

// ingestGoldens reads all recorded cases.
func ingestGoldens(t *testing.T) []ingestCase {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(ingestDir(), "*", "case.json"))
	if err != nil || len(files) < 18 {
		t.Fatalf("there are %d recorded cases in %s, want 18 or more (%v)", len(files), ingestDir(), err)
	}
	var all []ingestCase
	for _, file := range files {
		c := ingestCase{dir: filepath.Dir(file)}
		c.name = strings.ReplaceAll(filepath.Base(c.dir), "-", "_")
		c.read(t, "spec", &c.spec)
		var list []struct {
			Partition         int32
			Offset, Timestamp int64
			Key, Value        *string
			Headers           []struct{ Key, Value string }
		}
		c.read(t, "messages", &list)
		for _, m := range list {
			r := &kgo.Record{Partition: m.Partition, Timestamp: time.UnixMilli(m.Timestamp), Key: bytesOf(t, m.Key), Value: bytesOf(t, m.Value)}
			for _, h := range m.Headers {
				r.Headers = append(r.Headers, kgo.RecordHeader{Key: h.Key, Value: bytesOf(t, &h.Value)})
			}
			c.records = append(c.records, r)
		}
		all = append(all, c)
	}
	return all
}

// bytesOf decodes base64; nil stays nil.
func bytesOf(t *testing.T, s *string) []byte {
	t.Helper()
	if s == nil {
		return nil
	}
	b, err := base64.StdEncoding.DecodeString(*s)
	if err != nil {
		t.Fatal(err)
	}
	return append([]byte{}, b...)
}

// read reads a file of the recording.
func (c *ingestCase) read(t *testing.T, file string, v any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(c.dir, file+".json"))
	if err == nil {
		err = decodeNumbers(b, v)
	}
	if err != nil {
		t.Fatalf("%s of %s: %v", file, c.name, err)
	}
}

// decodeNumbers decodes JSON and keeps numbers as they are written.
func decodeNumbers(b []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	return d.Decode(v)
}

// partitions is how many the topic of the case has.
func (c *ingestCase) partitions() (n int32) {
	for _, r := range c.records {
		n = max(n, r.Partition+1)
	}
	return max(n, 1)
}

// ends are the offsets behind the last records.
func (c *ingestCase) ends() map[string]int64 {
	ends := map[string]int64{}
	for _, r := range c.records {
		ends[fmt.Sprint(r.Partition)]++
	}
	return ends
}

// produce makes the topics of all cases and sends their records.
func (b *broker) produce(cases []ingestCase, topic func(*ingestCase) string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), patience)
	defer cancel()
	client := b.client(kgo.UnknownTopicRetries(-1)) // a real broker may need a moment to know a topic that it has made
	for i := range cases {
		c := &cases[i]
		// The records' times may be long ago.
		if _, err := kadm.NewClient(client).CreateTopic(ctx, c.partitions(), 1, map[string]*string{"retention.ms": kadm.StringPtr("-1")}, topic(c)); err != nil {
			b.t.Fatalf("create topic %s: %v", topic(c), err)
		}
		for _, r := range c.records {
			sent := *r
			sent.Topic = topic(c)
			client.Produce(ctx, &sent, func(_ *kgo.Record, err error) {
				if err != nil {
					b.t.Errorf("produce to %s: %v", topic(c), err)
				}
			})
		}
	}
	if err := client.Flush(ctx); err != nil {
		b.t.Fatal(err)
	}
}

// specFor is the case's spec for a data source, a topic and a Kafka. Its tasks read until they are suspended.
func (c *ingestCase) specFor(t *testing.T, dataSource, topic, brokers string, io map[string]any) []byte {
	t.Helper()
	b, err := json.Marshal(c.spec)
	var spec map[string]any
	if err == nil {
		err = decodeNumbers(b, &spec)
	}
	if err != nil {
		t.Fatal(err)
	}
	inner := spec["spec"].(map[string]any)
	inner["dataSchema"].(map[string]any)["dataSource"] = dataSource
	config := inner["ioConfig"].(map[string]any)
	config["topic"] = topic
	props, ok := config["consumerProperties"].(map[string]any)
	if !ok {
		props = map[string]any{}
		config["consumerProperties"] = props
	}
	props["bootstrap.servers"] = brokers
	for k, v := range io {
		config[k] = v
	}
	if b, err = json.Marshal(spec); err != nil {
		t.Fatal(err)
	}
	return b
}

// ingested is what a server tells of a supervisor that has read a whole case and published it.
type ingested struct {
	stats, parseErrors, unparseable, report json.RawMessage
	task                                    string
	segments                                []published
}

// ingest has the supervisor of a case read all records, asks what it tells of them, and has it publish. The supervisor
// is named like its data source.
func (s *server) ingest(t *testing.T, c *ingestCase, id, topic, brokers string) (in ingested) {
	t.Helper()
	s.submitCase(t, c, id, topic, brokers)
	in = s.suspendRead(t, c, id)
	s.waitPublished(t, id, &in)
	return in
}

// submitCase submits the case's spec.
func (s *server) submitCase(t *testing.T, c *ingestCase, id, topic, brokers string) {
	t.Helper()
	s.as(t).submit(c.specFor(t, id, topic, brokers, map[string]any{"startDelay": "PT0.1S", "period": "PT0.5S"}))
}

// suspendRead waits until all records are read, asks what is told of them, and suspends the supervisor.
func (s *server) suspendRead(t *testing.T, c *ingestCase, id string) (in ingested) {
	t.Helper()
	s = s.as(t)
	want := c.ends()
	eventually(t, "the tasks of "+id+" have read everything", func() (bool, string) {
		st, seen := s.statusOf(id)
		if strings.Contains(st.Payload.DetailedState, "UNHEALTHY") {
			t.Fatalf("%s is unhealthy: %s; its tasks: %s", id, seen, s.failures(id))
		}
		read := map[string]int64{}
		for _, x := range st.Payload.ActiveTasks {
			for p, at := range x.CurrentOffsets {
				read[p] = at
			}
		}
		for p, end := range want {
			if read[p] != end {
				return false, seen
			}
		}
		return len(st.Payload.ActiveTasks) > 0, seen
	})
	in.task = s.running(id).ID
	s.must("GET", pathOf(id, "/stats"), nil, &in.stats)
	s.must("GET", pathOf(id, "/parseErrors"), nil, &in.parseErrors)
	in.unparseable = s.answer("/druid/worker/v1/chat/" + in.task + "/unparseableEvents")
	s.must("POST", pathOf(id, "/suspend"), nil, nil)
	return in
}

// waitPublished waits until the task of a suspended supervisor has published, and asks for its report and segments.
func (s *server) waitPublished(t *testing.T, id string, in *ingested) {
	t.Helper()
	s = s.as(t)
	eventually(t, "the task of "+id+" succeeds", func() (bool, string) {
		all := s.tasks(id)
		i := slices.IndexFunc(all, func(e taskEntry) bool { return e.ID == in.task })
		return i >= 0 && all[i].StatusCode == "SUCCESS", fmt.Sprint(all)
	})
	s.must("GET", "/druid/indexer/v1/task/"+in.task+"/reports", nil, &in.report)
	var err error
	if in.segments, err = s.segments(id); err != nil {
		t.Fatal(err)
	}
}

// failures is why the tasks of a supervisor failed.
func (s *server) failures(id string) (why []string) {
	for _, e := range s.tasks(id) {
		_, b, _ := s.call("GET", "/druid/indexer/v1/task/"+e.ID+"/status", nil)
		why = append(why, clip(string(b)))
	}
	return why
}

// answer is the body of an answer with 200 or 204.
func (s *server) answer(path string) []byte {
	s.t.Helper()
	code, b, err := s.call("GET", path, nil)
	if err != nil || code != 200 && code != 204 {
		s.t.Fatalf("GET %s: %d %v %s", path, code, err, clip(string(b)))
	}
	return b
}
