package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestStoppedInOrder stops the server with SIGTERM while tasks read, and starts it again.
func TestStoppedInOrder(t *testing.T) {
	t.Parallel()
	const partitions = 4
	b := newBroker(t)
	b.createTopic("stopped", partitions)
	s := newServer(t, "stopped").start()
	s.submit(specOf("stopped", "stopped", b.servers, nil))
	p := b.producer("stopped", partitions, kgo.ProducerBatchCompression(kgo.NoCompression())) // as in TestKilledTwentyFiveTimes
	for round := range 3 {
		p.stream(t.Context().Done(), 300, int64(round+1)*6000)
		s.stop()
		s.start()
	}
	p.flush()
	s.waitRows("stopped", p.sent)
	s.checkRows("stopped", p.sent)
	events := s.events(t)
	checkHistory(t, events)
	for _, e := range events {
		if e.Type == "TaskFailed" {
			t.Errorf("task %s failed over a restart in order: %s", e.Data.TaskID, e.Data.ErrorMsg)
		}
	}
}

// volatile are the members of answers that are measured, or counted from now.
var volatile = []string{
	"generationTime", "offsetsLastUpdated", "latestOffsets", "minimumLag", "aggregateLag", "remainingSeconds", "duration", "runnerStatusCode",
}

func withoutVolatile(v any) any {
	switch v := v.(type) {
	case map[string]any:
		v = maps.Clone(v)
		for _, name := range volatile {
			delete(v, name)
		}
		for k := range v {
			v[k] = withoutVolatile(v[k])
		}
		return v
	case []any:
		for i := range v {
			v[i] = withoutVolatile(v[i])
		}
	}
	return v
}

// answers asks all that the read models answer.
func (s *server) answers(ids ...string) map[string]any {
	s.t.Helper()
	paths := []string{
		supervisorPath, supervisorPath + "?full", supervisorPath + "?state=true", supervisorPath + "/history", "/druid/indexer/v1/tasks",
		"/druid/indexer/v1/completeTasks", "/ogham/v1/segments",
	}
	for _, id := range ids {
		paths = append(paths, pathOf(id, ""), pathOf(id, "/status"), pathOf(id, "/health"), pathOf(id, "/history"),
			"/ogham/v1/supervisors/"+id+"/errors", "/ogham/v1/supervisors/"+id+"/offsets", "/ogham/v1/segments?supervisor="+id)
	}
	all := map[string]any{}
	for _, path := range paths {
		code, body, err := s.call("GET", path, nil)
		if err != nil {
			s.t.Fatal(err)
		}
		var list []any
		for dec := json.NewDecoder(bytes.NewReader(body)); dec.More(); {
			var v any
			if err := dec.Decode(&v); err != nil { // text
				list = []any{string(body)}
				break
			}
			list = append(list, withoutVolatile(v))
		}
		all[path] = []any{code, list}
	}
	return all
}

// TestProjectionsMayBeDeleted stops the server, deletes what it folded from the log, and wants the same answers.
func TestProjectionsMayBeDeleted(t *testing.T) {
	t.Parallel()
	const rows = 8000
	b := newBroker(t)
	b.createTopic("views", 2)
	dead := newDeadPort(t)
	s := newServer(t, "views").start()
	s.submit(specOf("views", "views", b.servers, nil))
	s.submit(specOf("broken", "views", dead.addr, impatient))
	p := b.producer("views", 2)
	p.send(rows)
	p.flush()
	s.waitRows("views", rows)
	s.waitState("broken", "UNABLE_TO_CONNECT_TO_STREAM")
	s.must("POST", pathOf("views", "/suspend"), nil, nil)
	s.waitState("views", "SUSPENDED")
	s.must("POST", pathOf("broken", "/terminate"), nil, nil) // suspended it would go on trying
	eventually(t, "it is gone", func() (bool, string) {
		code, body, err := s.call("GET", pathOf("broken", "/status"), nil)
		return err == nil && code == 404, fmt.Sprint(code, string(body), err)
	})
	s.waitIdle()
	want := s.answers("views", "broken")
	last := s.events(t)

	check := func(when string) {
		t.Helper()
		s.waitIdle()
		// What comes of the first runs and heartbeats may take a moment.
		eventually(t, "the answers are those of before "+when, func() (bool, string) {
			got := s.answers("views", "broken")
			for path := range want {
				if !reflect.DeepEqual(got[path], want[path]) {
					return false, fmt.Sprintf("GET %s answers\n  %v, before\n  %v", path, clip(fmt.Sprint(got[path])), clip(fmt.Sprint(want[path])))
				}
			}
			return true, ""
		})
	}
	s.stop()
	s.start()
	check("the restart")
	s.stop()
	if err := os.RemoveAll(filepath.Join(s.dir, "projections")); err != nil {
		t.Fatal(err)
	}
	s.start()
	check("the projections were deleted")
	events := s.events(t)
	checkHistory(t, events)
	for i, e := range last {
		if events[i].ID != e.ID {
			t.Fatalf("event %d was %s, is %s", e.Sequence, e.ID, events[i].ID)
		}
	}
}

// waitIdle waits until no task is left and the supervisors are suspended.
func (s *server) waitIdle() {
	s.t.Helper()
	eventually(s.t, "no task is left", func() (bool, string) {
		code, body, err := s.call("GET", "/druid/indexer/v1/tasks?state=running", nil)
		return err == nil && code == 200 && bytes.Equal(bytes.TrimSpace(body), []byte("[]")), fmt.Sprint(code, string(body), err)
	})
}

// impatient makes the Kafka clients of a spec give up soon.
func impatient(spec sections) {
	props := spec.io["consumerProperties"].(map[string]any)
	props["default.api.timeout.ms"], props["request.timeout.ms"] = "1000", "500"
	props["allow.auto.create.topics"] = "false"
}
