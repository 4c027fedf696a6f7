package e2e

import (
	"testing"
)

// checkHistory wants what must hold of every log: sequences without a gap, no event twice, in no supervisor's history an
// epoch behind a later one, and each machine moving on from where it was.
func checkHistory(t *testing.T, events []event) {
	t.Helper()
	if len(events) == 0 {
		t.Fatal("the log is empty")
	}
	where := map[string]string{}
	ids := map[string]uint64{}
	epochs := map[string]uint64{}
	wrong := 0
	bad := func(format string, args ...any) {
		if wrong++; wrong <= 10 {
			t.Errorf(format, args...)
		}
	}
	move := func(e event, machine string, m transition) {
		if from, known := where[machine]; known && from != m.From {
			bad("event %d %s moves %s from %s, which was %s", e.Sequence, e.Type, machine, m.From, from)
		}
		where[machine] = m.To
	}
	for i, e := range events {
		if i > 0 && e.Sequence != events[i-1].Sequence+1 {
			bad("event %d follows event %d", e.Sequence, events[i-1].Sequence)
		}
		if e.Epoch < epochs[e.Supervisor] {
			bad("event %d %s has epoch %d behind epoch %d", e.Sequence, e.Type, e.Epoch, epochs[e.Supervisor])
		}
		epochs[e.Supervisor] = e.Epoch
		if first, known := ids[e.ID]; known {
			bad("events %d and %d have the same id", first, e.Sequence)
		}
		ids[e.ID] = e.Sequence
		if e.Data.Transition != nil {
			machine := "supervisor " + e.Supervisor
			if e.Task != "" {
				machine = "task " + e.Task
			}
			move(e, machine, *e.Data.Transition)
		}
		for _, m := range e.Data.Tasks {
			move(e, "task "+m.TaskID, m.transition)
		}
	}
	if wrong > 10 {
		t.Errorf("and %d more", wrong-10)
	}
}

// count counts the events of a type.
func count(events []event, kind string) int {
	n := 0
	for _, e := range events {
		if e.Type == kind {
			n++
		}
	}
	return n
}
