package task_test

import (
	"errors"
	"slices"
	"testing"

	"ogham/domain/task"
)

// lifecycle says, apart from the table, where each trigger leads.
func lifecycle(state, trigger string) (string, bool) {
	live := slices.Contains([]string{"PENDING", "NOT_STARTED", "READING", "PUBLISHING"}, state)
	switch {
	case trigger == "create" && state == "NONE":
		return "PENDING", true
	case trigger == "assign" && state == "PENDING":
		return "NOT_STARTED", true
	case trigger == "start" && state == "NOT_STARTED":
		return "READING", true
	case trigger == "publish" && state == "READING":
		return "PUBLISHING", true
	case trigger == "succeed" && (state == "READING" || state == "PUBLISHING"):
		return "SUCCESS", true
	case (trigger == "fail" || trigger == "stop") && live:
		return "FAILED", true
	}
	return state, false
}

func TestEveryPairOfTheTaskMachine(t *testing.T) {
	m := task.NewMachine()
	for _, state := range task.States {
		for _, trigger := range task.Triggers {
			got, err := m.Next(state, trigger)
			want, ok := lifecycle(state, trigger)
			if got != want {
				t.Errorf("%s --%s--> %s, want %s", state, trigger, got, want)
			}
			var none *task.ErrNoTransition
			if ok != (err == nil) || err != nil && (!errors.As(err, &none) || none.State != state || none.Trigger != trigger) {
				t.Errorf("%s --%s--> error %v, want one: %v", state, trigger, err, !ok)
			}
		}
	}
}

func TestFinalTaskStatesAreLeftByNothing(t *testing.T) {
	m := task.NewMachine()
	for _, state := range task.States {
		left := false
		for _, trigger := range task.Triggers {
			if _, err := m.Next(state, trigger); err == nil {
				left = true
			}
		}
		if left == task.Final(state) {
			t.Errorf("%s: final is %v, left by some trigger: %v", state, task.Final(state), left)
		}
	}
}

func TestTaskTableHasEachPairOnce(t *testing.T) {
	seen := map[[2]string]bool{}
	for _, r := range task.Table {
		for _, s := range r.Src {
			if seen[[2]string{s, r.Name}] {
				t.Errorf("(%s, %s) stands in two rows: the last one would win silently", s, r.Name)
			}
			seen[[2]string{s, r.Name}] = true
			if !slices.Contains(task.States, s) || !slices.Contains(task.States, r.Dst) || !slices.Contains(task.Triggers, r.Name) {
				t.Errorf("row %s --%s--> %s names something unlisted", s, r.Name, r.Dst)
			}
		}
	}
}

func TestUnknownTriggerIsAnErrorNotAPanic(t *testing.T) {
	if got, err := task.NewMachine().Next("READING", "explode"); err == nil || got != "READING" {
		t.Errorf("unknown trigger: %s, %v", got, err)
	}
}
