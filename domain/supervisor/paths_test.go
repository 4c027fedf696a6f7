package supervisor_test

import (
	"fmt"
	"slices"
	"testing"

	"ogham/domain/supervisor"
)

// path is a line of the reference's transition table (its section 6): from each of the states, on the trigger, with these
// counts before it.
type path struct {
	row     string
	from    []string
	trigger string
	counts  supervisor.Counts
	// failing are the errors of a run that ends; newest is the newest error before it.
	failing   []supervisor.ErrorEvent
	newest    *supervisor.ErrorEvent
	suspended bool
	to        string // "" where the state stays
}

var (
	unhealthyStates = []string{supervisor.StateUnhealthy, supervisor.StateUnableToConnect, supervisor.StateLostContact, supervisor.StateUnhealthyTasks}
	firstRunStates  = []string{supervisor.StatePending, supervisor.StateConnecting, supervisor.StateDiscovering, supervisor.StateCreating}
	proposals       = []string{
		supervisor.TriggerRunBegin, supervisor.TriggerPartitionsOK, supervisor.TriggerCreateBegin, supervisor.TriggerIdleYes, supervisor.TriggerIdleNo, supervisor.TriggerRunEnd,
	}
	living = slices.Concat(firstRunStates, []string{supervisor.StateRunning, supervisor.StateIdle, supervisor.StateSuspended}, unhealthyStates)
)

const hit = 3 // every threshold is three

// The counts that the table's guards speak of, as they are after the event's own counting.
func failedRuns(s1 bool) supervisor.Counts {
	return supervisor.Counts{FailedRuns: hit, OneSuccessfulRun: s1}
}
func failedTasks() supervisor.Counts {
	return supervisor.Counts{FailedTasks: hit, OneSuccessfulRun: true}
}
func goodRuns() supervisor.Counts {
	return supervisor.Counts{SuccessfulRuns: hit, OneSuccessfulRun: true}
}

// recovering are counts of which the last good run, or task, is missing.
func recovering(runs, tasks int) supervisor.Counts {
	return supervisor.Counts{SuccessfulRuns: runs, SuccessfulTasks: tasks, OneSuccessfulRun: true, HitRuns: runs < hit, HitTasks: tasks < hit}
}

// globalPaths are the rows that are tried first.
func globalPaths() []path {
	var all []path
	withoutIdle := slices.DeleteFunc(slices.Clone(living), func(s string) bool { return s == supervisor.StateIdle })
	for _, trigger := range proposals {
		from := living
		if trigger == supervisor.TriggerRunEnd {
			from = withoutIdle // nothing is proposed at the end of an idle run
		}
		all = append(all,
			path{row: "G0", from: []string{supervisor.StateStopping}, trigger: trigger, counts: failedRuns(true), newest: &streamError},
			path{row: "G1", from: from, trigger: trigger, counts: failedRuns(false), newest: &streamError, failing: []supervisor.ErrorEvent{streamError}, to: supervisor.StateUnableToConnect},
			path{row: "G2", from: from, trigger: trigger, counts: failedRuns(true), newest: &streamError, failing: []supervisor.ErrorEvent{streamError}, to: supervisor.StateLostContact},
			path{row: "G3", from: from, trigger: trigger, counts: failedRuns(true), newest: &otherError, failing: []supervisor.ErrorEvent{otherError}, to: supervisor.StateUnhealthy},
			path{row: "G4", from: from, trigger: trigger, counts: failedTasks(), to: supervisor.StateUnhealthyTasks},
			path{row: "G5 runs", from: unhealthyStates, trigger: trigger, counts: recovering(1, hit)},
			path{row: "G5 tasks", from: unhealthyStates, trigger: trigger, counts: recovering(hit, 1)},
		)
	}
	return append(all, path{row: "G0'", from: unhealthyStates, trigger: supervisor.TriggerStop, counts: failedRuns(true), newest: &streamError, to: supervisor.StateStopping})
}

// ordinaryPaths are rows 1 to 22.
func ordinaryPaths() []path {
	none, s1 := supervisor.Counts{}, goodRuns()
	one := func(s string) []string { return []string{s} }
	const (
		begin, found, create = supervisor.TriggerRunBegin, supervisor.TriggerPartitionsOK, supervisor.TriggerCreateBegin
		end, yes, no         = supervisor.TriggerRunEnd, supervisor.TriggerIdleYes, supervisor.TriggerIdleNo
	)
	return []path{
		{row: "2", from: firstRunStates, trigger: begin, counts: none, to: supervisor.StateConnecting},
		{row: "3", from: one(supervisor.StateIdle), trigger: begin, counts: supervisor.Counts{FailedRuns: 1}, to: supervisor.StateConnecting},
		{row: "4", from: one(supervisor.StateConnecting), trigger: found, counts: none, to: supervisor.StateDiscovering},
		{row: "5", from: one(supervisor.StateDiscovering), trigger: yes, counts: none, to: supervisor.StateIdle},
		{row: "6", from: one(supervisor.StateDiscovering), trigger: create, counts: none, to: supervisor.StateCreating},
		{row: "7", from: one(supervisor.StateCreating), trigger: end, counts: none, to: supervisor.StateRunning},
		{row: "8", from: one(supervisor.StateDiscovering), trigger: end, counts: none, suspended: true, to: supervisor.StateSuspended},
		{row: "9", from: one(supervisor.StateDiscovering), trigger: end, counts: none, to: supervisor.StateRunning},
		{row: "10", from: firstRunStates[1:], trigger: end, counts: none, failing: []supervisor.ErrorEvent{streamError}},
		{row: "10 again", from: firstRunStates[1:], trigger: end, counts: supervisor.Counts{FailedRuns: 1}, failing: []supervisor.ErrorEvent{streamError}},
		{row: "11", from: one(supervisor.StateRunning), trigger: yes, counts: s1, to: supervisor.StateIdle},
		{row: "12", from: one(supervisor.StateIdle), trigger: no, counts: s1, to: supervisor.StateRunning},
		{row: "13", from: one(supervisor.StateIdle), trigger: begin, counts: s1},
		{row: "13", from: one(supervisor.StateIdle), trigger: found, counts: s1},
		{row: "13", from: one(supervisor.StateIdle), trigger: create, counts: s1},
		{row: "14", from: one(supervisor.StateIdle), trigger: end, counts: s1},
		{row: "14 failing", from: one(supervisor.StateIdle), trigger: end, counts: supervisor.Counts{FailedRuns: 2, OneSuccessfulRun: true}, failing: []supervisor.ErrorEvent{streamError}},
		{row: "15", from: one(supervisor.StateRunning), trigger: begin, counts: s1},
		{row: "15", from: one(supervisor.StateRunning), trigger: found, counts: s1},
		{row: "15", from: one(supervisor.StateRunning), trigger: no, counts: s1},
		{row: "15", from: one(supervisor.StateRunning), trigger: create, counts: s1},
		{row: "15", from: one(supervisor.StateRunning), trigger: end, counts: s1},
		{row: "16", from: one(supervisor.StateSuspended), trigger: begin, counts: s1, suspended: true},
		{row: "16", from: one(supervisor.StateSuspended), trigger: found, counts: s1, suspended: true},
		{row: "16", from: one(supervisor.StateSuspended), trigger: end, counts: s1, suspended: true},
		{row: "17", from: unhealthyStates, trigger: begin, counts: none, to: supervisor.StateConnecting},
		{row: "17", from: unhealthyStates, trigger: found, counts: none, to: supervisor.StateDiscovering},
		{row: "17", from: unhealthyStates, trigger: create, counts: none, to: supervisor.StateCreating},
		{row: "18", from: unhealthyStates, trigger: end, counts: recovering(hit-1, hit), to: supervisor.StateRunning},
		{row: "19", from: unhealthyStates, trigger: end, counts: recovering(hit-1, hit), suspended: true, to: supervisor.StateSuspended},
		{row: "20", from: unhealthyStates, trigger: no, counts: s1, to: supervisor.StateRunning},
		{row: "21", from: unhealthyStates, trigger: yes, counts: s1, to: supervisor.StateIdle},
		{row: "22", from: living, trigger: supervisor.TriggerStop, counts: s1, to: supervisor.StateStopping},
	}
}

// TestPathsOfTheTransitionTable makes every path of the reference's table a test of its own: what Decide answers, and what
// Evolve makes of it.
func TestPathsOfTheTransitionTable(t *testing.T) {
	names := map[string]int{}
	for _, p := range append(globalPaths(), ordinaryPaths()...) {
		for _, from := range p.from {
			to := p.to
			if to == "" {
				to = from
			}
			name := fmt.Sprintf("row %s %s on %s to %s", p.row, from, p.trigger, to)
			names[name]++
			t.Run(name, func(t *testing.T) { p.walk(t, from, to) })
		}
	}
	for name, n := range names {
		if n > 1 {
			t.Errorf("%d paths are called %q", n, name)
		}
	}
	t.Run("row 1 nothing on start to PENDING", func(t *testing.T) {
		newLife(t, false).want("created", supervisor.StatePending, 0, 0, 0, 0)
	})
}

func (p path) walk(t *testing.T, from, to string) {
	s := supervisor.NewState("clicks")
	s.Detailed, s.Suspended, s.SpecVersion = from, p.suspended, 1
	s.Health.Counts = p.counts
	if p.newest != nil {
		s.Health.RecentErrors = []supervisor.ErrorEvent{*p.newest}
	}
	var c supervisor.Command = supervisor.Propose{Trigger: p.trigger}
	switch p.trigger {
	case supervisor.TriggerRunEnd:
		// The guards speak of the counts after the end: what the end counts itself is taken off before.
		if s.Health.FailedRuns == hit {
			s.Health.FailedRuns--
		}
		c = supervisor.EndRun{Errors: p.failing}
	case supervisor.TriggerStop:
		c = supervisor.TerminateSupervisor{}
	}
	if from == supervisor.StateStopping {
		to = from
	}
	events, err := supervisor.NewDecider(supervisor.DefaultThresholds).Decide(s, c)
	if err != nil {
		t.Fatalf("%s on %s: %v", from, p.trigger, err)
	}
	for i, e := range events {
		s = supervisor.Evolve(s, supervisor.Recorded{Sequence: uint64(i + 1), Event: e})
		if m := e.Moved(); m != nil && (m.From != from || m.To != to) {
			t.Errorf("%T says that it moved from %s to %s, want from %s to %s", e, m.From, m.To, from, to)
		}
	}
	if s.Detailed != to {
		t.Errorf("%s on %s with %+v: %s, want %s", from, p.trigger, p.counts, s.Detailed, to)
	}
	if moved := from != to; moved != slices.ContainsFunc(events, func(e supervisor.Event) bool { return e.Moved() != nil }) {
		t.Errorf("%s on %s to %s: the events %v do not tell so", from, p.trigger, to, events)
	}
}

// TestHealthEndpointIsUnhealthyInFourStates is the last of the table's consequences.
func TestHealthEndpointIsUnhealthyInFourStates(t *testing.T) {
	for _, s := range append(slices.Clone(living), supervisor.StateStopping) {
		if got, want := supervisor.Healthy(s), !slices.Contains(unhealthyStates, s); got != want {
			t.Errorf("%s is healthy: %v, want %v", s, got, want)
		}
	}
}

// TestSuccessesOfBeforeCountNothingForARecovery: runs that went well before do not shorten the way out of a new trouble.
func TestSuccessesOfBeforeCountNothingForARecovery(t *testing.T) {
	l := newLife(t, false)
	for range 10 {
		l.run()
	}
	for range 3 {
		l.run(streamError)
	}
	l.run()
	l.run()
	l.want("two good runs after the trouble", supervisor.StateLostContact, 0, 2)
	l.run()
	l.want("three", supervisor.StateRunning, 0, 3)
}

// TestUnhealthyFromTasksBeforeTheFirstGoodRunIsLeftByTheStatesOfTheFirstRun is row 17 as a story.
func TestUnhealthyFromTasksBeforeTheFirstGoodRunIsLeftByTheStatesOfTheFirstRun(t *testing.T) {
	l := newLife(t, false)
	l.must(supervisor.Propose{Trigger: supervisor.TriggerRunBegin})
	for range 3 {
		l.failTask()
	}
	l.must(supervisor.Propose{Trigger: supervisor.TriggerCreateBegin})
	l.want("three tasks failed in the first run", supervisor.StateUnhealthyTasks)
	l.must(supervisor.EndRun{Errors: []supervisor.ErrorEvent{otherError}})
	for range 3 {
		l.succeedTask()
	}
	wantShown(t, "the next run", l.run(), supervisor.StateConnecting, supervisor.StateDiscovering, supervisor.StateCreating, supervisor.StateRunning)
}
