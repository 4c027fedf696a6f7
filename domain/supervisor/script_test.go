package supervisor_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

var update = flag.Bool("update", false, "rewrite the scripts in testdata")

// TestScripts tells whole stories: a line that begins with ">" is a command, the lines below it are what it led to.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			in, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w := newWorld(supervisor.DefaultThresholds)
			var out strings.Builder
			for line := range strings.Lines(string(in)) {
				line = strings.TrimRight(line, "\n")
				if line != "" && line[0] != '>' && line[0] != '#' {
					continue // what an older run led to
				}
				out.WriteString(line + "\n")
				if command, ok := strings.CutPrefix(line, ">"); ok {
					answer, err := w.play(strings.Fields(command))
					if err != nil {
						t.Fatalf("%s: %v", line, err)
					}
					out.WriteString(answer)
				}
			}
			for _, p := range w.problems {
				t.Error(p)
			}
			if *update {
				if err := os.WriteFile(file, []byte(out.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if out.String() != string(in) {
				t.Errorf("the story is now\n%s\n(go test -update rewrites it)", difference(string(in), out.String()))
			}
			if s, err := w.replay(len(w.log) / 2); err != nil || text(s) != text(w.state) {
				t.Errorf("the replayed state is\n%s\nwant\n%s (%v)", text(s), text(w.state), err)
			}
		})
	}
}

func difference(old, now string) string {
	a, b := strings.Split(old, "\n"), strings.Split(now, "\n")
	var out strings.Builder
	for i := range max(len(a), len(b)) {
		var x, y string
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if x != y {
			fmt.Fprintf(&out, "line %d\n- %s\n+ %s\n", i+1, x, y)
			break
		}
	}
	return out.String()
}

// args are a script line's words: key=value ones by key, the others in order.
type args struct {
	words []string
	named map[string]string
}

func (a args) word(i int) string {
	if i < len(a.words) {
		return a.words[i]
	}
	return ""
}

func (a args) has(word string) bool { return slices.Contains(a.words, word) }

func (a args) number(i int) int { n, _ := strconv.Atoi(a.word(i)); return n }

// offsets reads "0:10,1:20".
func (a args) offsets(key string) task.Offsets {
	text := a.named[key]
	if text == "" {
		return nil
	}
	o := task.Offsets{}
	for part := range strings.SplitSeq(text, ",") {
		i := strings.LastIndexByte(part, ':')
		p, n := part[:i], part[i+1:]
		v, _ := strconv.ParseInt(n, 10, 64)
		o[task.Partition(p)] = v
	}
	return o
}

// ids reads "topic:id,other:id".
func (a args) ids() map[string]string {
	ids := map[string]string{}
	for part := range strings.SplitSeq(a.named["ids"], ",") {
		if topic, id, ok := strings.Cut(part, ":"); ok {
			ids[topic] = id
		}
	}
	return ids
}

func (a args) partitions(text string) []task.Partition {
	var ps []task.Partition
	for p := range strings.SplitSeq(text, ",") {
		if p != "" {
			ps = append(ps, task.Partition(p))
		}
	}
	return ps
}

func (w *world) play(words []string) (string, error) {
	a := args{named: map[string]string{}}
	for _, word := range words[1:] {
		if k, v, ok := strings.Cut(word, "="); ok {
			a.named[k] = v
		} else {
			a.words = append(a.words, word)
		}
	}
	switch words[0] {
	case "state":
		return w.describe(), nil
	case "identities":
		return "  | identities " + text(w.state.Identities) + "\n", nil
	case "run":
		return w.playRun(a), nil
	}
	c := w.command(words[0], a)
	if c == nil {
		return "", fmt.Errorf("unknown command %q", words[0])
	}
	return w.tell(c), nil
}

// tell decides and writes down what came of it.
func (w *world) tell(c supervisor.Command) string {
	events, err := w.do(c)
	if err != nil {
		var refused *supervisor.Refusal
		if !errors.As(err, &refused) {
			return fmt.Sprintf("  error: %s\n", err)
		}
		return fmt.Sprintf("  refused (%s): %s\n", refused.Code, refused.Message)
	}
	if len(events) == 0 {
		return "  nothing\n"
	}
	var out strings.Builder
	for i, e := range events {
		n := len(w.log) - len(events) + i + 1
		fmt.Fprintf(&out, "  %d %s", n, reflect.TypeOf(e).Elem().Name())
		if m := e.Moved(); m != nil {
			fmt.Fprintf(&out, " %s -> %s (%s)", m.From, m.To, m.Trigger)
		}
		fields := map[string]json.RawMessage{}
		if err := json.Unmarshal([]byte(text(e)), &fields); err != nil {
			panic(err)
		}
		delete(fields, "transition")
		keys := make([]string, 0, len(fields))
		for k := range fields {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			if k == "health" {
				var c supervisor.Counts
				if err := json.Unmarshal(fields[k], &c); err != nil {
					panic(err)
				}
				fmt.Fprintf(&out, " runs=%d/%d tasks=%d/%d", c.FailedRuns, c.SuccessfulRuns, c.FailedTasks, c.SuccessfulTasks)
				continue
			}
			fmt.Fprintf(&out, " %s=%s", k, fields[k])
		}
		out.WriteString("\n")
	}
	return out.String()
}

// playRun is a whole run of the supervisor in Druid's order of proposals; error=…, stream make it fail.
func (w *world) playRun(a args) string {
	var out strings.Builder
	say := func(c supervisor.Command) {
		if got := w.tell(c); got != "  nothing\n" {
			out.WriteString(got)
		}
	}
	say(supervisor.Propose{Trigger: supervisor.TriggerRunBegin})
	failed := a.named["error"] != ""
	if !failed || w.state.Health.OneSuccessfulRun {
		if ps := a.partitions(a.named["partitions"]); len(ps) > 0 {
			say(supervisor.NotePartitions{Partitions: ps, TopicIDs: a.ids()})
		}
		if !failed {
			say(supervisor.Propose{Trigger: supervisor.TriggerPartitionsOK})
		}
		if idle := a.named["idle"]; idle != "" {
			say(supervisor.Propose{Trigger: "idle." + idle})
		}
		if !w.state.Suspended && w.state.Detailed != supervisor.StateIdle {
			say(supervisor.Propose{Trigger: supervisor.TriggerCreateBegin})
		}
	}
	var errs []supervisor.ErrorEvent
	if failed {
		errs = append(errs, supervisor.ErrorEvent{Timestamp: w.now.UnixMilli(), ExceptionClass: "E", Message: a.named["error"], StreamException: a.has("stream")})
	}
	say(supervisor.EndRun{Errors: errs})
	if out.Len() == 0 {
		return "  nothing\n"
	}
	return out.String()
}

func (w *world) command(name string, a args) supervisor.Command {
	switch name {
	case "submit":
		spec := json.RawMessage(strconv.Quote(a.named["spec"]))
		stream := a.named["stream"]
		if stream == "" {
			stream = "t"
		}
		var kept []string
		if text := a.named["kept"]; text != "" {
			kept = strings.Split(text, ",")
		}
		return supervisor.SubmitSpec{Spec: spec, Stream: supervisor.Stream{Name: stream, Pattern: a.has("pattern")}, KeptTopics: kept, Suspended: a.has("suspended"), SkipIfUnmodified: a.has("skip")}
	case "suspend":
		return supervisor.SuspendSupervisor{Spec: json.RawMessage(`"suspended"`)}
	case "resume":
		return supervisor.ResumeSupervisor{Spec: json.RawMessage(`"resumed"`)}
	case "terminate":
		return supervisor.TerminateSupervisor{}
	case "reset":
		return supervisor.ResetSupervisor{}
	case "reset-offsets":
		return supervisor.ResetOffsets{Stream: a.named["stream"], Offsets: a.offsets("to"), Remove: a.partitions(a.named["remove"])}
	case "handoff":
		return supervisor.RequestHandoff{Numbers: []int{a.number(0)}}
	case "scale":
		return supervisor.ScaleTasks{
			SpecVersion: w.state.SpecVersion, Spec: json.RawMessage(strconv.Quote(fmt.Sprintf("%d tasks", a.number(1)))),
			From: a.number(0), To: a.number(1), Reason: "lag", Groups: a.number(0), Partitions: len(w.state.Partitions),
			Samples: []supervisor.LagSample{{At: w.now, Lag: 9}},
		}
	case "lead":
		return supervisor.TakeLead{Node: a.word(0)}
	case "propose":
		return supervisor.Propose{Trigger: a.word(0)}
	case "partitions":
		return supervisor.NotePartitions{Partitions: a.partitions(a.word(0)), TopicIDs: a.ids()}
	}
	return w.taskCommand(name, a)
}

func (w *world) taskCommand(name string, a args) supervisor.Command {
	switch name {
	case "form":
		return supervisor.FormGroup{Key: a.word(0), Number: a.number(1), BaseSequenceName: "seq_" + a.word(0), Start: a.offsets("start")}
	case "create":
		return supervisor.CreateTask{TaskID: a.word(0), Group: a.word(1)}
	case "assign":
		return supervisor.AssignTask{TaskID: a.word(0), WorkerID: a.word(1), Incarnation: "i1", Host: "h", Port: 8100}
	case "start":
		return supervisor.StartTask{TaskID: a.word(0), StartTime: w.now}
	case "checkpoint":
		return supervisor.Checkpoint{Group: a.word(0), Sequence: a.number(1), End: a.offsets("end")}
	case "finish":
		return supervisor.Checkpoint{Group: a.word(0), Sequence: a.number(1), End: a.offsets("end"), Final: true, Deadline: w.now.Add(30 * time.Minute), Reason: "taskDuration"}
	case "abandon":
		return supervisor.AbandonGroup{Group: a.word(0), Reason: "test"}
	case "allocate":
		return supervisor.AllocateSegments{TaskID: a.word(0), Sequence: a.number(1), Slots: hours(a.named["slots"]), Version: a.named["version"]}
	case "publish":
		c := supervisor.PublishSegments{TaskID: a.word(0), Sequence: a.number(1), Start: a.offsets("start"), End: a.offsets("end")}
		if g := w.state.GroupOf(c.TaskID); g != nil && !a.has("bare") {
			c.Segments = segments(w.state, supervisor.SequenceName(g.BaseSequenceName, c.Sequence))
		}
		return c
	case "succeed":
		return supervisor.SucceedTask{TaskID: a.word(0)}
	case "pauseTask":
		return supervisor.PauseTask{TaskID: a.word(0)}
	case "resumeTask":
		return supervisor.ResumeTask{TaskID: a.word(0)}
	case "kill":
		return supervisor.FailTask{TaskID: a.word(0), ErrorMsg: "Shutdown request from user", Killed: true}
	case "fail":
		return supervisor.FailTask{TaskID: a.word(0), ErrorMsg: "broken"}
	case "stop":
		return supervisor.StopTask{TaskID: a.word(0), Reason: "unwanted"}
	}
	return nil
}

// hours reads slots such as "0-1#0,1-2#1": from hour, to hour, ordinal.
func hours(text string) []task.SegmentSlot {
	var slots []task.SegmentSlot
	for part := range strings.SplitSeq(text, ",") {
		var from, to int64
		var ordinal int
		if _, err := fmt.Sscanf(part, "%d-%d#%d", &from, &to, &ordinal); err == nil {
			slots = append(slots, task.SegmentSlot{Start: from * 3600000, End: to * 3600000, Ordinal: ordinal})
		}
	}
	return slots
}

// segments are those that a task pushes for all identities of a sequence.
func segments(s *supervisor.State, sequenceName string) []task.Segment {
	var segs []task.Segment
	for _, id := range s.Identities[sequenceName] {
		segs = append(segs, task.Segment{
			ID: fmt.Sprintf("clicks_%d_%d_%s_%d", id.IntervalStart, id.IntervalEnd, id.Version, id.PartitionNum), Start: id.IntervalStart, End: id.IntervalEnd,
			Version: id.Version, PartitionNum: id.PartitionNum, LoadSpec: json.RawMessage("{}"),
		})
	}
	return segs
}

// describe is what matters of the state, a line each.
func (w *world) describe() string {
	s := w.state
	var out strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&out, "  | "+format+"\n", args...) }
	c := s.Health.Counts
	line("%s spec=%s v%d generation=%d suspended=%v", s.Detailed, s.Spec, s.SpecVersion, s.Generation, s.Suspended)
	if !s.ScaledAt.IsZero() {
		line("scaled at %s", s.ScaledAt.Format(time.RFC3339))
	}
	line("runs failed/ok %d/%d, tasks failed/ok %d/%d, hit runs %v, tasks %v", c.FailedRuns, c.SuccessfulRuns, c.FailedTasks, c.SuccessfulTasks, c.HitRuns, c.HitTasks)
	line("committed %s remembered %s partitions %v late %v", text(s.Committed), text(s.Remembered), s.Partitions, s.Late)
	if len(s.TopicIDs) > 0 {
		line("topics %s", text(s.TopicIDs))
	}
	group := func(kind string, g *supervisor.Group) {
		var seqs []string
		for _, q := range g.Sequences {
			seqs = append(seqs, fmt.Sprintf("%d:%s..%s published=%v", q.Number, text(q.Start), text(q.End), q.Published))
		}
		var tasks []string
		for _, id := range g.TaskIDs {
			tasks = append(tasks, id+"="+s.Tasks[id].State)
		}
		line("%s group %s (%d) of v%d: %s tasks %v", kind, g.Key, g.Number, g.SpecVersion, strings.Join(seqs, ", "), tasks)
	}
	for _, g := range s.Pending {
		group("publishing", g)
	}
	for _, n := range s.ActiveNumbers() {
		group("active", s.Active[n])
	}
	for _, id := range s.TaskIDs() {
		if s.GroupOf(id) == nil {
			line("task %s=%s without a group: %s done=%v", id, s.Tasks[id].State, s.Tasks[id].Unwanted, s.Tasks[id].Done)
		}
	}
	return out.String()
}
