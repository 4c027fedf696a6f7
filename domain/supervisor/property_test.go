package supervisor_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// chaos draws commands, sensible and absurd, for a world, and watches what the log says about offsets and segments.
type chaos struct {
	*world
	t      *rapid.T
	groups int
	tasks  int
	ledger ledger
}

// TestMain asks for more random histories than rapid's 100, unless told otherwise: some mistakes show in one of hundreds.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.checks"); f.Value.String() == f.DefValue {
		if err := f.Value.Set("500"); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}

func TestNoSequenceOfCommandsBreaksTheAggregate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		thresholds := supervisor.Thresholds{}
		for _, n := range []*int{&thresholds.Healthiness, &thresholds.Unhealthiness, &thresholds.TaskHealthiness, &thresholds.TaskUnhealthiness} {
			*n = rapid.IntRange(1, 4).Draw(t, "threshold")
		}
		thresholds.MaxStoredExceptionEvents = max(thresholds.Healthiness, thresholds.Unhealthiness)
		c := &chaos{world: newWorld(thresholds), t: t, ledger: newLedger()}
		c.step(supervisor.SubmitSpec{Spec: json.RawMessage(`"a"`), Stream: supervisor.Stream{Name: "t"}})
		for range rapid.IntRange(1, 120).Draw(t, "commands") {
			c.step(c.command())
		}
		s, err := c.replay(rapid.IntRange(0, len(c.log)).Draw(t, "snapshot at"))
		if err != nil || text(s) != text(c.state) {
			t.Fatalf("the replayed state is\n%s\nwant\n%s (%v)", text(s), text(c.state), err)
		}
	})
}

func (c *chaos) step(command supervisor.Command) {
	before := c.state.Remembered.Clone()
	committed := c.state.Committed.Clone()
	generation, reads := c.state.Generation, c.state.Reads()
	events, _ := c.do(command)
	c.ledger.resetIf(c.state.Generation != generation)
	if now := c.state.Reads(); now != reads {
		before, committed = reads.Rename(before, now), reads.Rename(committed, now)
		c.ledger.rename(reads, now)
	}
	for _, e := range events {
		for _, problem := range c.ledger.note(e, before, c.state) {
			c.problem("%s", problem)
		}
	}
	c.checkState(committed, c.state.Generation != generation, events)
	if len(c.problems) > 0 {
		for _, r := range c.log {
			c.t.Logf("%d %T %s", r.Sequence, r.Event, text(r.Event))
		}
		c.t.Fatalf("after %T%+v: %v", command, command, c.problems)
	}
}

// checkState looks for what no state may be.
func (c *chaos) checkState(before task.Offsets, generationChanged bool, events []supervisor.Event) {
	s := c.state
	reset := generationChanged
	for _, e := range events {
		if _, ok := e.(*supervisor.OffsetsReset); ok {
			reset = true
		}
	}
	for p, at := range before {
		if now, ok := s.Committed[p]; !reset && (!ok || now < at) {
			c.problem("the committed offset of %s went back from %d to %d", p, at, now)
		}
	}
	owner := map[string]string{}
	keys := map[string]bool{}
	reads := map[task.Partition]string{}
	each := func(g *supervisor.Group, active bool) {
		if keys[g.Key] {
			c.problem("group %s is there twice", g.Key)
		}
		keys[g.Key] = true
		if active == g.Publishing {
			c.problem("group %s: active %v, publishing %v", g.Key, active, g.Publishing)
		}
		for _, id := range g.TaskIDs {
			if owner[id] != "" || s.Tasks[id] == nil || s.Tasks[id].GroupKey != g.Key || task.Final(s.Tasks[id].State) {
				c.problem("task %s of group %s: also in %q, %s", id, g.Key, owner[id], text(s.Tasks[id]))
			}
			owner[id] = g.Key
		}
		for i := 1; i < len(g.Sequences); i++ {
			if !g.Sequences[i].Start.Equal(g.Sequences[i-1].End) || g.Sequences[i].Number != g.Sequences[i-1].Number+1 {
				c.problem("the sequences of group %s do not follow one another: %s", g.Key, text(g.Sequences))
			}
		}
		for p := range s.Named(g, g.Start) {
			if other := reads[p]; active && other != "" {
				c.problem("groups %s and %s both read %s", other, g.Key, p)
			}
			if active {
				reads[p] = g.Key
			}
		}
	}
	for _, g := range s.Pending {
		each(g, false)
	}
	for n, g := range s.Active {
		each(g, true)
		if g.Number != n {
			c.problem("group %s is number %d, active as %d", g.Key, g.Number, n)
		}
	}
	if sorted := slices.Clone(s.Partitions); !func() bool {
		task.SortPartitions(sorted)
		return slices.Equal(sorted, s.Partitions) && len(slices.Compact(sorted)) == len(s.Partitions)
	}() {
		c.problem("partitions %v are not sorted or not unique", s.Partitions)
	}
	wanted := map[string]bool{}
	for _, g := range slices.Concat(s.Pending, slices.Collect(maps.Values(s.Active))) {
		for _, q := range g.Sequences {
			wanted[supervisor.SequenceName(g.BaseSequenceName, q.Number)] = true
		}
	}
	for name := range s.Identities {
		if !wanted[name] {
			c.problem("the identities of sequence %s are kept, which no group will publish", name)
		}
	}
	if len(s.Health.RecentErrors) > 4 {
		c.problem("%d recent errors", len(s.Health.RecentErrors))
	}
}

// ledger is what a reader of the log knows of offsets and identities, computed apart from Evolve.
type ledger struct {
	last       task.Offsets            // the end of the newest commit of each partition
	generation map[string]int          // group → the generation that it was formed in
	origin     map[string]task.Offsets // group → where its chain of groups began, per partition
	identities map[string]bool         // every identity that was ever given
	published  map[string]bool         // every identity that was ever committed
	intervals  map[[2]int64]bool       // every interval that has identities
	tasks      map[string]string       // task → group, ever
}

func newLedger() ledger {
	return ledger{
		last: task.Offsets{}, generation: map[string]int{}, origin: map[string]task.Offsets{}, identities: map[string]bool{}, published: map[string]bool{},
		intervals: map[[2]int64]bool{}, tasks: map[string]string{},
	}
}

// rename follows a supervisor to another stream: nothing of what was read is forgotten.
func (l *ledger) rename(from, to supervisor.Stream) {
	l.last = from.Rename(l.last, to)
	for key, o := range l.origin {
		l.origin[key] = from.Rename(o, to)
	}
}

func (l *ledger) resetIf(generationChanged bool) {
	if generationChanged {
		l.last = task.Offsets{}
	}
}

func (l *ledger) note(e supervisor.Event, remembered task.Offsets, s *supervisor.State) (problems []string) {
	bad := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	switch e := e.(type) {
	case *supervisor.ScaleDecided:
		if len(s.Pending) > 0 || s.Suspended || !s.Exists() || s.Detailed == supervisor.StateIdle {
			bad("scaled in state %s, suspended %v, with %d groups that publish", s.Detailed, s.Suspended, len(s.Pending))
		}
		for n, g := range s.Active {
			if g.SpecVersion == s.SpecVersion || g.Spec == nil {
				bad("group %d of version %d goes on after the supervisor was scaled to version %d", n, g.SpecVersion, s.SpecVersion)
			}
		}
	case *supervisor.OffsetsReset:
		for p, at := range e.Offsets {
			l.last[p] = at
		}
		for _, p := range e.Removed {
			delete(l.last, p)
		}
	case *supervisor.TaskGroupFormed:
		origin := e.Start.Clone()
		for p, at := range e.Start {
			if end, ok := remembered[p]; ok && end == at {
				for key, o := range l.origin { // the group that ends there
					if g := s.Group(key); g != nil && g.Publishing && g.Generation == s.Generation && s.Named(g, g.Open().End)[p] == at {
						if from, ok := o[p]; ok {
							origin[p] = from
						}
					}
				}
			}
		}
		l.origin[e.Key], l.generation[e.Key] = origin, s.Generation
	case *supervisor.TaskCreated:
		if l.tasks[e.TaskID] != "" {
			bad("task %s was created in group %s before", e.TaskID, l.tasks[e.TaskID])
		}
		l.tasks[e.TaskID] = e.Group
	case *supervisor.SegmentsAllocated:
		for _, id := range e.Identities {
			key := fmt.Sprint(id.IntervalStart, id.IntervalEnd, id.Version, id.PartitionNum)
			if l.identities[key] {
				bad("identity %s was given twice", key)
			}
			l.identities[key] = true
			if id.IntervalStart > id.Start || id.IntervalEnd < id.End {
				bad("slot %v does not lie in its interval", id)
			}
			for iv := range l.intervals {
				if iv != [2]int64{id.IntervalStart, id.IntervalEnd} && iv[0] < id.IntervalEnd && id.IntervalStart < iv[1] {
					bad("interval of %v overlaps %v", id, iv)
				}
			}
			l.intervals[[2]int64{id.IntervalStart, id.IntervalEnd}] = true
		}
	case *supervisor.SegmentsPublished:
		if l.generation[e.Group] != s.Generation {
			bad("group %s of generation %d commits in generation %d", e.Group, l.generation[e.Group], s.Generation)
		}
		if q := s.Group(e.Group).Sequence(e.Sequence); len(e.Start) != len(q.Start) || len(e.End) != len(q.Start) {
			bad("group %s read %v and commits %v to %v", e.Group, q.Start, e.Start, e.End)
		}
		for p, start := range e.Start {
			want, ok := l.last[p]
			if !ok {
				want = l.origin[e.Group][p] // nothing may be left out between the chain's first record and this one
			}
			if start != want || e.End[p] < start {
				bad("partition %s: a commit of [%d, %d), want one that begins at %d (a commit before: %v)", p, start, e.End[p], want, ok)
			}
			l.last[p] = e.End[p]
		}
		for _, seg := range e.Segments {
			key := fmt.Sprint(seg.Start, seg.End, seg.Version, seg.PartitionNum)
			if !l.identities[key] || l.published[key] {
				bad("segment %s: given %v, committed before %v", key, l.identities[key], l.published[key])
			}
			l.published[key] = true
		}
	}
	return problems
}

func (c *chaos) command() supervisor.Command {
	return rapid.SampledFrom([]func() supervisor.Command{
		c.user, c.run, c.run, c.form, c.form, c.create, c.create, c.life, c.life, c.life, c.life, c.close, c.close, c.allocate, c.publish, c.publish, c.publish, c.end,
	}).Draw(c.t, "kind")()
}

func (c *chaos) pick(n int, what string) int { return rapid.IntRange(0, n-1).Draw(c.t, what) }

func (c *chaos) rarely(what string) bool { return c.pick(10, what) == 0 }

func (c *chaos) user() supervisor.Command {
	switch c.pick(18, "user") {
	case 0:
		return supervisor.SuspendSupervisor{Spec: json.RawMessage(`{"suspended":true}`)}
	case 1, 2, 3:
		return supervisor.ResumeSupervisor{Spec: json.RawMessage(`{"html":"<&>"}`)}
	case 4:
		return supervisor.TerminateSupervisor{}
	case 5:
		return supervisor.ResetSupervisor{}
	case 6:
		return supervisor.ResetOffsets{Offsets: task.Offsets{c.partition(): int64(c.pick(30, "offset"))}}
	case 7:
		return supervisor.ResetOffsets{Remove: []task.Partition{c.partition()}}
	case 8:
		return supervisor.RequestHandoff{Numbers: []int{c.pick(4, "number"), 0, 0, -1}}
	case 9:
		return supervisor.TakeLead{Node: "n"}
	case 14, 15, 16, 17:
		return c.scale()
	case 10:
		return c.submit()
	}
	return supervisor.SubmitSpec{Spec: json.RawMessage(`"a"`), Stream: c.state.Reads(), Suspended: c.rarely("suspended"), SkipIfUnmodified: c.rarely("skip")}
}

// submit turns the supervisor to a topic or a pattern, which may read the topic of before too.
func (c *chaos) submit() supervisor.Command {
	stream := rapid.SampledFrom([]supervisor.Stream{{Name: "t"}, {Name: "t", Pattern: true}, {Name: "t|u", Pattern: true}, {Name: "u"}}).Draw(c.t, "stream")
	cmd := supervisor.SubmitSpec{Spec: json.RawMessage(`"b"`), Stream: stream}
	for _, topic := range c.state.Topics() {
		if slices.Contains(strings.Split(stream.Name, "|"), topic) {
			cmd.KeptTopics = append(cmd.KeptTopics, topic)
		}
	}
	return cmd
}

// partitions are the names of those that the supervisor may read now.
func (c *chaos) partitions() []task.Partition {
	if c.state.MultiTopic {
		return []task.Partition{"t:0", "t:1", "t:2", "u:0", "u:1", "u:2"}
	}
	return []task.Partition{"0", "1", "2"}
}

// scale asks for another number of tasks, sometimes of a spec that is not the supervisor's any more.
func (c *chaos) scale() supervisor.Command {
	from, to := c.pick(4, "from")+1, c.pick(4, "to")
	version := c.state.SpecVersion
	if c.rarely("old version") {
		version--
	}
	return supervisor.ScaleTasks{
		SpecVersion: version, Spec: json.RawMessage(fmt.Sprintf(`"%d tasks"`, to)), From: from, To: to, Reason: "lag",
		Samples: []supervisor.LagSample{{At: c.now, Lag: 7}}, Groups: from, Partitions: 3,
	}
}

func (c *chaos) partition() task.Partition {
	return rapid.SampledFrom(c.partitions()).Draw(c.t, "partition")
}

func (c *chaos) run() supervisor.Command {
	switch c.pick(4, "run") {
	case 0:
		return supervisor.NotePartitions{Partitions: rapid.SliceOf(rapid.SampledFrom(append(c.partitions(), "10"))).Draw(c.t, "partitions"), TopicIDs: c.ids()}
	case 1:
		return supervisor.EndRun{}
	case 2:
		return supervisor.EndRun{Errors: []supervisor.ErrorEvent{{Timestamp: c.now.UnixMilli(), Message: "<broken>", StreamException: c.pick(2, "stream") == 0}}}
	}
	return supervisor.Propose{Trigger: rapid.SampledFrom(append(slices.Clone(supervisor.Triggers), "", "unheard of")).Draw(c.t, "trigger")}
}

// ids are the topics' own, which hardly ever change.
func (c *chaos) ids() map[string]string {
	ids := map[string]string{"t": "T", "u": "U"}
	if c.rarely("no id") {
		delete(ids, "t")
	}
	if c.rarely("made anew") {
		ids["u"] = "V"
	}
	return ids
}

func (c *chaos) form() supervisor.Command {
	start := task.Offsets{}
	for _, p := range c.partitions() {
		if c.pick(2, "reads") == 0 {
			continue
		}
		start[p] = int64(c.pick(30, "start"))
		known := c.state.Committed.Plus(c.state.Remembered)
		if at, ok := known[p]; ok && !c.rarely("elsewhere") {
			start[p] = at
		}
	}
	c.groups++
	key := fmt.Sprint("g", c.groups)
	if c.rarely("old key") {
		key = c.group()
	}
	base := fmt.Sprintf("s%d", c.pick(3, "base")) // a group formed again has the name of the one before
	return supervisor.FormGroup{Key: key, Number: c.pick(3, "number"), BaseSequenceName: base + text(start), Start: start}
}

// group is the key of some group that is or was.
func (c *chaos) group() string {
	var keys []string
	for _, g := range c.state.Pending {
		keys = append(keys, g.Key)
	}
	for _, n := range c.state.ActiveNumbers() {
		keys = append(keys, c.state.Active[n].Key)
	}
	if len(keys) == 0 || c.rarely("any group") {
		return fmt.Sprint("g", c.pick(c.groups+2, "group"))
	}
	return rapid.SampledFrom(keys).Draw(c.t, "group")
}

func (c *chaos) task() string {
	if ids := c.state.TaskIDs(); len(ids) > 0 && !c.rarely("any task") {
		return rapid.SampledFrom(ids).Draw(c.t, "task")
	}
	return fmt.Sprint("t", c.pick(c.tasks+2, "task"))
}

func (c *chaos) create() supervisor.Command {
	if ids := c.state.TaskIDs(); len(ids) > 0 && c.rarely("old task") {
		return supervisor.CreateTask{TaskID: ids[0], Group: c.group()}
	}
	c.tasks++
	return supervisor.CreateTask{TaskID: fmt.Sprint("t", c.tasks), Group: c.group()}
}

func (c *chaos) life() supervisor.Command {
	id := c.task()
	if t := c.state.Tasks[id]; t != nil && t.State == task.StatePending {
		return supervisor.AssignTask{TaskID: id, WorkerID: "w", Incarnation: "i", Host: "h", Port: 1}
	}
	if c.pick(2, "start") == 0 {
		return supervisor.StartTask{TaskID: id, StartTime: c.now}
	}
	return c.publish()
}

func (c *chaos) end() supervisor.Command {
	switch c.pick(10, "end") {
	case 3:
		return supervisor.PauseTask{TaskID: c.task()}
	case 4:
		return supervisor.ResumeTask{TaskID: c.task()}
	case 0:
		return supervisor.FailTask{TaskID: c.task(), ErrorMsg: "broken"}
	case 1:
		return supervisor.StopTask{TaskID: c.task(), Reason: "unwanted"}
	case 2:
		return supervisor.AbandonGroup{Group: c.group(), Reason: "late"}
	}
	return supervisor.SucceedTask{TaskID: c.task(), Report: &supervisor.FinalReport{RecordsProcessed: map[task.Partition]int64{"0": 1}}}
}

func (c *chaos) close() supervisor.Command {
	key := c.group()
	cmd := supervisor.Checkpoint{Group: key, End: task.Offsets{}, Final: c.pick(3, "final") > 0, Deadline: c.now.Add(time.Hour), Reason: "test"}
	if g := c.state.Group(key); g != nil {
		cmd.Sequence, cmd.End = g.Open().Number, g.Open().Start.Clone()
		for _, p := range cmd.End.Partitions() {
			cmd.End[p] += int64(c.pick(4, "read"))
		}
	}
	if c.rarely("absurd end") {
		cmd.Sequence += c.pick(3, "sequence") - 1
		cmd.End[c.partition()] = rapid.SampledFrom([]int64{-1, 0, 5, task.NoEnd}).Draw(c.t, "offset")
	}
	return cmd
}

func (c *chaos) allocate() supervisor.Command {
	id := c.task()
	cmd := supervisor.AllocateSegments{TaskID: id, Version: c.now.Format(time.RFC3339)}
	if g := c.state.GroupOf(id); g != nil {
		cmd.Sequence = c.pick(len(g.Sequences)+1, "sequence")
	}
	for range c.pick(3, "slots") + 1 {
		from := int64(c.pick(8, "from"))
		cmd.Slots = append(cmd.Slots, task.SegmentSlot{Start: from, End: from + int64(c.pick(4, "length")), Ordinal: c.pick(2, "ordinal")})
	}
	return cmd
}

func (c *chaos) publish() supervisor.Command {
	id := c.task()
	cmd := supervisor.PublishSegments{TaskID: id}
	g := c.state.GroupOf(id)
	if g == nil {
		return cmd
	}
	q := g.Sequences[c.pick(len(g.Sequences), "sequence")]
	cmd.Sequence, cmd.Start, cmd.End = q.Number, q.Start, q.End
	cmd.Segments = segments(c.state, supervisor.SequenceName(g.BaseSequenceName, q.Number))
	switch c.pick(20, "absurd") {
	case 0:
		cmd.End = q.Start
	case 1:
		cmd.Start = nil
	case 2:
		cmd.Segments = append(cmd.Segments, task.Segment{ID: "made up", Start: 1, End: 2, Version: "x", LoadSpec: json.RawMessage("null")})
	case 3:
		cmd.Segments = append(cmd.Segments, cmd.Segments...)
	}
	return cmd
}

// TestEveryHistoryCanGoOn wants that no history leaves a supervisor stuck: whatever happened, a calm overlord brings it
// back to RUNNING, commits what comes next, and can end it.
func TestEveryHistoryCanGoOn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := &chaos{world: newWorld(supervisor.DefaultThresholds), t: t, ledger: newLedger()}
		c.step(supervisor.SubmitSpec{Spec: json.RawMessage(`"a"`), Stream: supervisor.Stream{Name: "t"}})
		for range rapid.IntRange(1, 120).Draw(t, "commands") {
			c.step(c.command())
		}
		if c.state.Suspended && c.state.Exists() {
			c.step(supervisor.ResumeSupervisor{Spec: json.RawMessage(`"a"`)})
		}
		if !c.state.Exists() {
			c.step(supervisor.SubmitSpec{Spec: json.RawMessage(`"a"`), Stream: c.state.Reads()})
		}
		for range 2 * supervisor.DefaultThresholds.TaskHealthiness {
			c.calm()
		}
		if c.state.Detailed != supervisor.StateRunning || len(c.state.Pending)+len(c.state.Active)+len(c.state.Tasks) > 0 {
			t.Fatalf("after calm: %s", c.describe())
		}
		c.step(supervisor.TerminateSupervisor{})
		if !c.state.Drained() {
			t.Fatalf("after the end: %s", c.describe())
		}
	})
}

// calm is a good run in which everything old is ended, and a new group reads and commits a little of every partition.
func (c *chaos) calm() {
	for _, trigger := range []string{supervisor.TriggerRunBegin, supervisor.TriggerPartitionsOK, supervisor.TriggerIdleNo, supervisor.TriggerCreateBegin} {
		c.step(supervisor.Propose{Trigger: trigger})
	}
	for len(c.state.Pending) > 0 { // none of them came to its end in time
		c.step(supervisor.AbandonGroup{Group: c.state.Pending[0].Key, Reason: "deadline"})
	}
	for _, n := range c.state.ActiveNumbers() {
		c.step(supervisor.AbandonGroup{Group: c.state.Active[n].Key, Reason: "lost"})
	}
	for _, id := range c.state.TaskIDs() {
		c.step(supervisor.StopTask{TaskID: id, Reason: "no group"})
	}
	start, first := task.Offsets{}, c.partitions()[0]
	for _, p := range c.partitions() {
		start[p] = 7
	}
	for p, at := range c.state.Committed.Plus(c.state.Remembered) {
		if _, ok := start[p]; ok {
			start[p] = at
		}
	}
	c.groups++
	c.tasks++
	key, id := fmt.Sprint("g", c.groups), fmt.Sprint("t", c.tasks)
	c.step(supervisor.FormGroup{Key: key, BaseSequenceName: "calm" + key, Start: start})
	c.step(supervisor.CreateTask{TaskID: id, Group: key})
	c.step(supervisor.AssignTask{TaskID: id, WorkerID: "w"})
	c.step(supervisor.StartTask{TaskID: id, StartTime: c.now})
	end := start.Clone()
	for p := range end {
		end[p] += 3
	}
	c.step(supervisor.Checkpoint{Group: key, End: end, Final: true, Deadline: c.now.Add(time.Hour)})
	c.step(supervisor.AllocateSegments{TaskID: id, Slots: []task.SegmentSlot{{Start: 100, End: 200}}, Version: "calm"})
	c.step(supervisor.PublishSegments{TaskID: id, Start: start, End: end, Segments: segments(c.state, "calm"+key+"_0")})
	c.step(supervisor.SucceedTask{TaskID: id})
	if !c.state.Committed.Equal(c.state.Committed.Plus(end)) || c.state.Committed[first] != end[first] {
		c.t.Fatalf("a calm group from %v to %v was not committed: %s", start, end, c.describe())
	}
	c.step(supervisor.EndRun{})
}
