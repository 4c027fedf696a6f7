package projections_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/projections"
)

func followed(t *testing.T) (*world, *projections.Runner) {
	t.Helper()
	w := newWorld(t)
	r, _ := follow(t, w.log, "")
	return w, r
}

func TestHistoryHoldsChangesOnlyAndTombstones(t *testing.T) {
	w, r := followed(t)
	w.story()
	wait(t, r, w.log.last())
	for _, c := range []struct {
		id   string
		want []string // newest first
	}{
		{"edits", []string{"PT5M", "suspended\":true", "PT5M", "PT1M"}},
		{"a b", []string{`{"type":"NoopSupervisorSpec","id":null,"dataSources":["a b"],"suspended":false,"type":"noop","source":"noop"}`, "PT2M"}},
		{"gone", []string{`"other"`, "NoopSupervisorSpec", "t_gone"}},
	} {
		got, ok := r.History(c.id)
		if !ok || len(got) != len(c.want) {
			t.Fatalf("history of %s has %d versions, want %d", c.id, len(got), len(c.want))
		}
		for i, v := range got {
			if !strings.Contains(string(v.Spec), c.want[i]) {
				t.Errorf("version %d of %s is %s, want one with %s", i, c.id, v.Spec, c.want[i])
			}
		}
	}
	if _, ok := r.History("nope"); ok {
		t.Error("an id that was never used has a history")
	}
}

func TestEachScaleActionIsAVersionOfTheHistory(t *testing.T) {
	w, r := followed(t)
	w.begin("edits", "PT1M")
	scaled := json.RawMessage(strings.Replace(string(specFor("edits", "t_edits", "PT1M", false)), `"ioConfig":{`, `"ioConfig":{"taskCount":2,`, 1))
	w.do("edits", supervisor.ScaleTasks{
		SpecVersion: w.state("edits").SpecVersion, Spec: scaled, From: 1, To: 2, Reason: "lag", Samples: []supervisor.LagSample{{At: w.now, Lag: 9}},
	})
	w.do("edits", supervisor.Checkpoint{Group: "g1", End: offsets(0, 10, 1, 12), Final: true, Deadline: w.now.Add(time.Hour), Reason: "handover"})
	w.group("edits", "g2", "task2", offsets(0, 10))
	wait(t, r, w.log.last())
	versions, _ := r.History("edits")
	if len(versions) != 2 || string(versions[0].Spec) != string(scaled) {
		t.Errorf("the history has %d versions, the newest %s; want 2, the newest %s", len(versions), versions[0].Spec, scaled)
	}
	if s, _ := r.Supervisor("edits"); string(s.Spec) != string(scaled) || s.Detailed != supervisor.StateRunning {
		t.Errorf("the supervisor is %s with %s, want RUNNING with %s", s.Detailed, s.Spec, scaled)
	}
	old, _ := r.Task("editstask1")
	if next, _ := r.Task("editstask2"); string(next.Spec) != string(scaled) || string(old.Spec) == string(scaled) {
		t.Errorf("the tasks before and after were made from %s and %s", old.Spec, next.Spec)
	}
}

func TestStatusShowsOnlyWhatExists(t *testing.T) {
	w, r := followed(t)
	w.story()
	wait(t, r, w.log.last())
	var ids []string
	for _, s := range r.Supervisors() {
		ids = append(ids, s.ID)
	}
	if got := strings.Join(ids, ","); got != "edits,gone" {
		t.Errorf("supervisors are %s, want edits,gone", got)
	}
	if _, ok := r.Supervisor("a b"); ok {
		t.Error("a terminated supervisor is shown")
	}
	report, ok := r.Status("edits", supervisor.Measurements{}, w.now)
	if !ok || report.Payload.DurationSeconds != 300 || report.Payload.Stream != "t_edits" {
		t.Errorf("status of edits: %+v", report)
	}
}

func TestTasksKeepReportsAndDropTheOldest(t *testing.T) {
	w, r := followed(t)
	w.begin("edits", "PT1M")
	w.publish("edits", "g1", "task1", offsets(0, 0, 1, 0), offsets(0, 10, 1, 12))
	wait(t, r, w.log.last())
	done, ok := r.Task("editstask1")
	if !ok || done.State != task.StateSuccess || done.Report == nil || done.Report.Stats.Totals.Processed != 7 || len(done.Spec) == 0 {
		t.Fatalf("the finished task is %+v", done)
	}
	for i := range 4 { // KeepTasks is 3
		key := fmt.Sprintf("h%d", i)
		w.group("edits", key, key, offsets(0, 10, 1, 12))
		w.do("edits", supervisor.FailTask{TaskID: "edits" + key, ErrorMsg: "no"}, supervisor.AbandonGroup{Group: key, Reason: "r"})
	}
	w.group("edits", "last", "last", offsets(0, 10, 1, 12))
	wait(t, r, w.log.last())
	var ids []string
	for _, rec := range r.Tasks() {
		ids = append(ids, rec.ID)
	}
	if got := strings.Join(ids, ","); got != "editslast,editsh3,editsh2,editsh1" {
		t.Errorf("tasks are %s", got)
	}
}

func TestCommitsFollowPublishesAndResets(t *testing.T) {
	w, r := followed(t)
	w.story()
	wait(t, r, w.log.last())
	for id, want := range map[string]task.Offsets{"edits": offsets(1, 5), "a b": nil, "gone": {"t_gone:0": 3, "t_gone:1": 0}} {
		if _, got := r.Committed(id); !got.Equal(want) || !got.Equal(w.state(id).Committed) {
			t.Errorf("committed offsets of %s are %v, want %v (the aggregate has %v)", id, got, want, w.state(id).Committed)
		}
	}
}

func TestRecentErrorsOutliveAnUpdate(t *testing.T) {
	w, r := followed(t)
	w.story()
	wait(t, r, w.log.last())
	got := r.RecentErrors("edits")
	if len(got) != 2 || got[0].TaskID != "editstask2" || got[0].Message != "disk full" || got[1].ExceptionClass != "X" {
		t.Errorf("recent errors of edits are %+v", got)
	}
}

func TestLagKeepsTheNewestSamples(t *testing.T) {
	w := newWorld(t)
	w.begin("edits", "PT1M")
	dir := t.TempDir()
	r, stop := follow(t, w.log, dir)
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for i := range 1200 {
		s := projections.Sample{SupervisorID: "edits", At: at.Add(time.Duration(i) * time.Second), Current: offsets(0, 5), Latest: offsets(0, 3, 1, int64(i))}
		r.Sample(s)
		r.Sample(s)
	}
	wait(t, r, w.log.last())
	stop()
	r, _ = follow(t, w.log, dir)
	points := r.Lag("edits")
	if len(points) != 1000 {
		t.Fatalf("%d points are kept, want 1000", len(points))
	}
	if first, last := points[0], points[999]; first.Total != 200 || last.Total != 1199 || last.Max != 1199 {
		t.Errorf("points go from %+v to %+v", first, last)
	}
	w.do("edits", supervisor.TerminateSupervisor{})
	wait(t, r, w.log.last())
	if got := r.Lag("edits"); len(got) != 0 {
		t.Errorf("a terminated supervisor keeps %d points", len(got))
	}
}
