package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"ogham/adapters/httpapi/goldentest"
)

// goldenRow is row i of the recordings as it was sent, to the letter: bytes are counted.
func goldenRow(i int) []byte {
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Second)
	delta := fmt.Sprint(float64(i%100) / 4)
	if !strings.Contains(delta, ".") {
		delta += ".0"
	}
	return fmt.Appendf(nil, `{"ts":%q,"page":"page_%d","user":"user_%d","country":%q,"added":%d,"delta":%s}`,
		at.Format("2006-01-02T15:04:05.000Z"), i%50, i*7%200, []string{"DE", "US", "FR", "JP"}[i%4], i%1000, delta)
}

// workMessages are those of 12-task-level: 500 rows, and five records among them that are none.
func workMessages(b *broker) {
	const topic = "gold_edits_work_topic"
	b.createTopic(topic, 2)
	p := b.producer(topic, 2)
	bad := map[int]string{20: "{broken ", 30: `{"page":"x"}`, 40: "null", 50: "12345", 60: "[]"}
	for at, row := 0, 0; row < 500; at++ {
		if text, ok := bad[at]; ok {
			p.record(0, []byte(text))
			continue
		}
		p.record(int64(row%2), goldenRow(row))
		row++
	}
	p.flush()
}

// badTasksMessages are those of 11-unhealthy-tasks. The first four come before the supervisor, so that a task reads for a
// while as it did in the recording, where it took that long to start.
func badTasksMessages(p *producer, from, to int) {
	bad := map[int]string{4: `{"ts": "2026-01-01T00:00:00Z", "page": `, 6: "not json at all", 8: `{"page":"no timestamp"}`}
	row := 0
	for at := range to {
		value, ok := []byte(bad[at]), bad[at] != ""
		if !ok {
			value, row = goldenRow(row), row+1
		}
		if at >= from {
			p.record(0, value)
		}
	}
	p.flush()
}

var taskLevel = scenario{
	name: "12-task-level", workers: true, produce: workMessages,
	counted: []string{"74-killed-task-reports"},
	shaped:  []string{"39-workers", "42-totalWorkerCapacity", "44-status", "53-chat-time-start"},
	before: map[string]func(*replayer){
		"75-suspend": func(r *replayer) { r.waitProcessed("gold_edits_work", 500) },
	},
	differs: map[string]difference{
		"04-reports-early":            {200, "a task has no server of its own that has to start before it answers"},
		"76-reports-while-publishing": {200, "a task is done with its commit: nobody waits for a historical, and the report is the final one"},
	},
}

var unhealthyTasks = scenario{
	name: "11-unhealthy-tasks", workers: true, counted: []string{"18-failed-task-reports"},
	produce: func(b *broker) {
		b.createTopic("gold_edits_badtasks_topic", 1)
		badTasksMessages(b.producer("gold_edits_badtasks_topic", 1), 0, 4)
	},
	before: map[string]func(*replayer){
		"11-status-unhealthy_tasks-active0-publishing0-lag-unhealthy": func(r *replayer) {
			badTasksMessages(r.b.producer("gold_edits_badtasks_topic", 1), 4, 15)
			r.s.waitState("gold_edits_badtasks", "UNHEALTHY_TASKS")
		},
	},
}

// failing is a scenario in which the second of three messages fails every task. It comes when a task reads, which took
// longer in the recording.
func failing(name, id, topic string, messages ...string) scenario {
	send := func(b *broker, values ...string) {
		p := b.producer(topic, 1)
		for _, v := range values {
			p.record(0, []byte(v))
		}
		p.flush()
	}
	failed := func(r *replayer) {
		send(r.b, messages[1:]...)
		eventually(r.t, "a task of "+id+" fails", func() (bool, string) {
			var all []taskEntry
			r.s.must("GET", "/druid/indexer/v1/tasks?state=complete&datasource="+id, nil, &all)
			return len(all) > 0 && all[0].StatusCode == "FAILED", fmt.Sprint(all)
		})
	}
	return scenario{
		name: name, workers: true, produce: func(b *broker) { b.createTopic(topic, 1); send(b, messages[0]) },
		before:  map[string]func(*replayer){"06-tasks": failed, "05-tasks": failed},
		counted: []string{"08-failed-task-reports", "07-failed-task-reports"},
	}
}

// TestGoldenTasks replays what was asked about tasks and of tasks.
func TestGoldenTasks(t *testing.T) {
	t.Parallel()
	for _, sc := range []scenario{
		taskLevel, unhealthyTasks,
		failing("22-flatten-error-fails-task", "gold_edits_jq", "gold_edits_jq_topic",
			`{"ts": "2026-01-01T00:00:00Z", "nums": [1, 2]}`, `{"ts": "2026-01-01T00:00:01Z", "nums": null}`, `{"ts": "2026-01-01T00:00:02Z", "nums": [3]}`),
		failing("23-transform-error-fails-task", "gold_edits_divzero", "gold_edits_divzero_topic",
			`{"ts": "2026-01-01T00:00:00Z", "a": 4, "b": 2}`, `{"ts": "2026-01-01T00:00:01Z", "a": 4, "b": 0}`, `{"ts": "2026-01-01T00:00:02Z", "a": 9, "b": 3}`),
	} {
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			replay(t, sc)
		})
	}
}

// javaClasses are the names of exceptions before a message.
var javaClasses = regexp.MustCompile(`^(?:[\w.$]+\.[A-Z]\w*: )+`)

// compareCounts compares what two final reports of a task count, the rows that they tell about, and why it failed.
func compareCounts(got, want []byte) []string {
	type counts struct {
		Report struct {
			Payload struct {
				IngestionState    string
				RowStats          map[string]map[string]int64
				RecordsProcessed  map[string]int64
				UnparseableEvents map[string][]struct {
					Input, ErrorType string
					Details          []string
				}
			}
		} `json:"ingestionStatsAndErrors"`
	}
	type reason struct {
		Report struct{ Payload struct{ ErrorMsg string } } `json:"ingestionStatsAndErrors"`
	}
	var g, w counts
	var ours, theirs reason
	if err := errors.Join(json.Unmarshal(got, &g), json.Unmarshal(want, &w), json.Unmarshal(got, &ours), json.Unmarshal(want, &theirs)); err != nil {
		return []string{err.Error()}
	}
	if !reflect.DeepEqual(g, w) {
		return []string{fmt.Sprintf("the report counts %+v, recorded %+v", g.Report.Payload, w.Report.Payload)}
	}
	line, _, _ := strings.Cut(theirs.Report.Payload.ErrorMsg, "\n")
	text := javaClasses.ReplaceAllString(line, "")
	// Java's own words for a thread that was ended, and those of its jq, are nobody else's.
	foreign := strings.Contains(text, "InterruptedException") || strings.Contains(line, "JsonQueryException")
	if msg := ours.Report.Payload.ErrorMsg; msg == "" || !foreign && !strings.Contains(msg, text) {
		return []string{fmt.Sprintf("the task failed with %q, recorded %q", msg, line)}
	}
	return nil
}

// waitProcessed waits until the running tasks of a supervisor have processed so many rows together.
func (r *replayer) waitProcessed(id string, want int64) {
	r.t.Helper()
	eventually(r.t, fmt.Sprintf("the tasks of %s have processed %d rows", id, want), func() (bool, string) {
		var groups map[string]map[string]struct {
			Totals struct{ BuildSegments struct{ Processed int64 } }
		}
		r.s.must("GET", pathOf(id, "/stats"), nil, &groups)
		var sum int64
		for _, tasks := range groups {
			for _, t := range tasks {
				sum += t.Totals.BuildSegments.Processed
			}
		}
		return sum == want, fmt.Sprint(sum)
	})
}

// withOurAddress puts our server's address where the recording has that of its own.
func (r *replayer) withOurAddress(x goldentest.Exchange) goldentest.Exchange {
	x.Response.Body = strings.ReplaceAll(x.Response.Body, "http://127.0.0.1:18081", r.s.url())
	if strings.HasPrefix(x.Request.Path, "/druid/worker/") {
		x.Response.Body = strings.ReplaceAll(x.Response.Body, "127.0.0.1:18091", strings.TrimPrefix(r.s.url(), "http://"))
	}
	return x
}

var recordedTask = regexp.MustCompile(`/(?:task|chat)/(index_kafka_(.+)_[0-9a-f]{15}_[a-p]{8})(/|$)`)

// withOurTasks puts our task ids in the place of recorded ones. One that is met for the first time gets a task of the same
// data source that has none yet, and that ended as the exchange says.
func (r *replayer) withOurTasks(x goldentest.Exchange) goldentest.Exchange {
	if m := recordedTask.FindStringSubmatch(x.Request.Path); m != nil && r.tasks[m[1]] == "" {
		if id := r.freeTask(m[2], wantedStatus(x)); id != "" {
			r.tasks[m[1]] = id
		}
	}
	for theirs, ours := range r.tasks {
		x.Request.Path = strings.ReplaceAll(x.Request.Path, theirs, ours)
		if x.Request.Body != nil {
			body := strings.ReplaceAll(*x.Request.Body, theirs, ours)
			x.Request.Body = &body
		}
	}
	return x
}

// wantedStatus is how a task ended that an exchange asks about; empty where that does not matter.
func wantedStatus(x goldentest.Exchange) string {
	switch {
	case strings.Contains(x.File, "early"):
		return ""
	case strings.Contains(x.File, "failed"), strings.Contains(x.File, "killed"):
		return "FAILED"
	case strings.HasSuffix(x.Request.Path, "/reports"):
		return "SUCCESS"
	}
	return ""
}

func (r *replayer) freeTask(dataSource, status string) string {
	var all []struct {
		ID         string `json:"id"`
		StatusCode string `json:"statusCode"`
	}
	r.s.must("GET", "/druid/indexer/v1/tasks?datasource="+dataSource, nil, &all)
	taken := func(id string) bool {
		for _, ours := range r.tasks {
			if ours == id {
				return true
			}
		}
		return false
	}
	for _, t := range all {
		if !taken(t.ID) && (status == "" || t.StatusCode == status) {
			return t.ID
		}
	}
	return ""
}
