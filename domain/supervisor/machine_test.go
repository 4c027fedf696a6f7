package supervisor

import (
	"fmt"
	"slices"
	"testing"
)

// everyFacts calls fn with all combinations of what the guards ask.
func everyFacts(fn func(Facts)) {
	for i := range 1 << 6 {
		fn(Facts{
			FailedToThreshold:      i&1 != 0,
			TasksFailedToThreshold: i&2 != 0,
			Recovered:              i&4 != 0,
			NewestIsStream:         i&8 != 0,
			SuccessfulRun:          i&16 != 0,
			Suspended:              i&32 != 0,
		})
	}
}

// proposed is the state that Druid proposes at each step of a run (reference: the order of proposals in one run).
func proposed(trigger string, f Facts) string {
	switch trigger {
	case "run.begin":
		return "CONNECTING_TO_STREAM"
	case "partitions.ok":
		return "DISCOVERING_INITIAL_TASKS"
	case "create.begin":
		return "CREATING_TASKS"
	case "idle.yes":
		return "IDLE"
	case "idle.no":
		return "RUNNING"
	case "run.end":
		return steadyState(f)
	}
	return ""
}

func steadyState(f Facts) string {
	if f.Suspended {
		return "SUSPENDED"
	}
	return "RUNNING"
}

// druid is SupervisorStateManager.maybeSetState as its rules of precedence are written down, with Druid 37's first rule.
// It knows nothing of Table.
func druid(state, trigger string, f Facts) string {
	unhealthy := map[string]bool{
		"UNHEALTHY_SUPERVISOR": true, "UNABLE_TO_CONNECT_TO_STREAM": true, "LOST_CONTACT_WITH_STREAM": true, "UNHEALTHY_TASKS": true,
	}
	firstRunOnly := map[string]bool{
		"PENDING": true, "CONNECTING_TO_STREAM": true, "DISCOVERING_INITIAL_TASKS": true, "CREATING_TASKS": true,
		"UNABLE_TO_CONNECT_TO_STREAM": true,
	}
	switch trigger {
	case "start": // of a supervisor that does not exist
		if state == "NONE" || state == "STOPPING" {
			return "PENDING"
		}
		return state
	case "update", "suspend", "resume": // a new supervisor object in place of the old one
		if state == "NONE" || state == "STOPPING" {
			return state
		}
		return "PENDING"
	case "stop":
		if state == "NONE" {
			return state
		}
		return "STOPPING" // rule 1 of Druid 37
	}
	to := proposed(trigger, f)
	switch {
	case state == "NONE", state == "STOPPING":
		return state
	case trigger == "run.end" && state == "IDLE":
		return state // nothing is proposed
	case f.FailedToThreshold && !f.NewestIsStream:
		return "UNHEALTHY_SUPERVISOR"
	case f.FailedToThreshold && f.SuccessfulRun:
		return "LOST_CONTACT_WITH_STREAM"
	case f.FailedToThreshold:
		return "UNABLE_TO_CONNECT_TO_STREAM"
	case f.TasksFailedToThreshold:
		return "UNHEALTHY_TASKS"
	case unhealthy[state] && !f.Recovered:
		return state
	case to == steadyState(f) && !f.SuccessfulRun:
		return state
	case firstRunOnly[to] && f.SuccessfulRun:
		return state
	}
	return to
}

// reachable computes every (state, trigger, Facts) that a supervisor can come to, by walking Druid's rules in the order
// in which a run proposes, from creation on. Thresholds that are small enough make the walk finite: it runs over
// (state, S1, suspended) and lets failures, recoveries and kinds of error happen at will.
func reachable() map[string]bool {
	type place struct {
		state     string
		s1        bool
		suspended bool
		step      string // the trigger that comes next
	}
	seen, pairs := map[place]bool{}, map[string]bool{}
	var todo []place
	visit := func(p place) {
		if !seen[p] {
			seen[p] = true
			todo = append(todo, p)
		}
	}
	for _, suspended := range []bool{false, true} {
		visit(place{"PENDING", false, suspended, "run.begin"})
	}
	after := map[string][]string{
		"run.begin":     {"partitions.ok", "run.end"}, // no partitions: the run ends
		"partitions.ok": {"idle.yes", "idle.no", "create.begin", "run.end"},
		"idle.yes":      {"create.begin", "run.end"},
		"idle.no":       {"create.begin", "run.end"},
		"create.begin":  {"run.end"},
		"run.end":       {"run.begin"},
	}
	for len(todo) > 0 {
		p := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		everyFacts(func(f Facts) {
			if f.Suspended != p.suspended || !possible(p.state, p.step, p.s1, f) {
				return
			}
			pairs[fmt.Sprint(p.state, p.step, f)] = true
			to := druid(p.state, p.step, f)
			for _, next := range after[p.step] {
				if p.suspended && slices.Contains([]string{"idle.yes", "idle.no", "create.begin"}, next) ||
					next == "create.begin" && to == "IDLE" {
					continue // not proposed
				}
				visit(place{to, f.SuccessfulRun, p.suspended, next})
			}
		})
	}
	return pairs
}

// possible says which facts can hold together at a step.
func possible(state, step string, s1 bool, f Facts) bool {
	counted := step == "run.end" && !f.FailedToThreshold // a good run may have been counted
	switch {
	case f.SuccessfulRun != s1 && !(f.SuccessfulRun && counted):
		return false
	case step == "idle.yes" && state == "IDLE":
		return false // the idle check is not made again
	}
	return true
}

// onPurpose lists where Table keeps the state although Druid's rules would move it. All of these pairs are impossible:
// the test proves it by walking Druid's rules.
var onPurpose = []struct {
	why  string
	take func(state, trigger string, f Facts) bool
}{
	{"a step of the first run out of its order: partitions are found before the run began, tasks are created before they were discovered", func(state, trigger string, f Facts) bool {
		return slices.Contains(firstRunStates, state) && slices.Contains([]string{TriggerRunBegin, TriggerPartitionsOK, TriggerCreateBegin, TriggerIdleYes}, trigger)
	}},
	{"a steady state before the first successful run", func(state, trigger string, f Facts) bool {
		return (state == StateRunning || state == StateSuspended) && !f.SuccessfulRun
	}},
	{"a suspended supervisor that is in a state of one that is not, or the reverse", func(state, trigger string, f Facts) bool {
		return state == StateRunning && f.Suspended || state == StateSuspended && !f.Suspended
	}},
	{"the idle check of a suspended supervisor", func(state, trigger string, f Facts) bool {
		return f.Suspended && (trigger == TriggerIdleYes || trigger == TriggerIdleNo)
	}},
	{"steps of the first run in a supervisor that went idle in it", func(state, trigger string, f Facts) bool {
		return state == StateIdle && !f.SuccessfulRun && (trigger == TriggerPartitionsOK || trigger == TriggerCreateBegin)
	}},
	{"a first-run state is left at the end of the first successful run", func(state, trigger string, f Facts) bool {
		return slices.Contains(firstRunStates, state) && f.SuccessfulRun && trigger == TriggerIdleNo
	}},
}

func TestTableFollowsDruidsPrecedence(t *testing.T) {
	m := newMachine()
	reach := reachable()
	used := make([]int, len(onPurpose))
	checked := 0
	for _, state := range States {
		for _, trigger := range Triggers {
			everyFacts(func(f Facts) {
				checked++
				got, want := m.next(state, trigger, f), druid(state, trigger, f)
				if got == want {
					return
				}
				for i, d := range onPurpose {
					if got == state && d.take(state, trigger, f) {
						if reach[fmt.Sprint(state, trigger, f)] {
							t.Errorf("%s --%s--> %s, Druid moves to %s, and it can happen: %+v", state, trigger, got, want, f)
						}
						used[i]++
						return
					}
				}
				t.Errorf("%s --%s--> %s, want %s with %+v (reachable: %v)", state, trigger, got, want, f, reach[fmt.Sprint(state, trigger, f)])
			})
		}
	}
	for i, d := range onPurpose {
		if used[i] == 0 {
			t.Errorf("no pair differs for the reason %q", d.why)
		}
	}
	if want := len(States) * len(Triggers) * 64; checked != want {
		t.Errorf("checked %d triples, want %d", checked, want)
	}
}

func TestTableRowsAreToldApartByGuards(t *testing.T) {
	ids := map[string]bool{}
	for _, r := range Table {
		if ids[r.ID] {
			t.Errorf("two rows have the id %q", r.ID)
		}
		ids[r.ID] = true
		if guards[r.Guard] == nil {
			t.Errorf("row %s: no guard %q", r.ID, r.Guard)
		}
		for _, s := range append(slices.Clone(r.From), r.To) {
			if !slices.Contains(States, s) {
				t.Errorf("row %s: no state %q", r.ID, s)
			}
		}
	}
	for _, state := range States {
		for _, trigger := range Triggers {
			var rows []Row
			for _, r := range Table {
				if slices.Contains(r.From, state) && slices.Contains(r.Triggers, trigger) {
					rows = append(rows, r)
				}
			}
			wins := map[string]int{}
			everyFacts(func(f Facts) {
				for _, r := range rows {
					if guards[r.Guard](f) {
						wins[r.ID]++
						return
					}
				}
			})
			for i, r := range rows {
				if wins[r.ID] == 0 {
					t.Errorf("row %s never applies to (%s, %s): rows above it take everything", r.ID, state, trigger)
				}
				if r.Guard == guardNameAlways && i < len(rows)-1 {
					t.Errorf("row %s is unconditional and hides row %s for (%s, %s)", r.ID, rows[i+1].ID, state, trigger)
				}
				for _, o := range rows[:i] {
					if o.Guard == r.Guard {
						t.Errorf("rows %s and %s have the same guard for (%s, %s)", o.ID, r.ID, state, trigger)
					}
				}
			}
		}
	}
}

func TestBasicStateAndHealthAreDruids(t *testing.T) {
	want := map[string]struct {
		basic   string
		healthy bool
	}{
		"NONE":                        {"NONE", true},
		"PENDING":                     {"PENDING", true},
		"CONNECTING_TO_STREAM":        {"RUNNING", true},
		"DISCOVERING_INITIAL_TASKS":   {"RUNNING", true},
		"CREATING_TASKS":              {"RUNNING", true},
		"RUNNING":                     {"RUNNING", true},
		"IDLE":                        {"IDLE", true},
		"SUSPENDED":                   {"SUSPENDED", true},
		"STOPPING":                    {"STOPPING", true},
		"UNHEALTHY_SUPERVISOR":        {"UNHEALTHY_SUPERVISOR", false},
		"UNABLE_TO_CONNECT_TO_STREAM": {"UNHEALTHY_SUPERVISOR", false},
		"LOST_CONTACT_WITH_STREAM":    {"UNHEALTHY_SUPERVISOR", false},
		"UNHEALTHY_TASKS":             {"UNHEALTHY_TASKS", false},
	}
	if len(States) != len(want) {
		t.Fatalf("%d states, want %d", len(States), len(want))
	}
	for _, s := range States {
		if got := BasicState(s); got != want[s].basic {
			t.Errorf("the basic state of %s is %s, want %s", s, got, want[s].basic)
		}
		if got := Healthy(s); got != want[s].healthy {
			t.Errorf("healthy of %s is %v, want %v", s, got, want[s].healthy)
		}
	}
}
