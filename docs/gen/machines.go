package main

import (
	"fmt"
	"slices"
	"strings"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

const generated = "<!-- Written by `go run ./docs/gen`. Change the code, not this page. -->\n\n"

// manySources is from how many states on a row is drawn once, from a state that stands for all of them.
const manySources = 5

// triggersOf says which triggers an event type carries.
var triggersOf = map[string][]string{
	"SupervisorCreated":    {supervisor.TriggerStart},
	"SpecUpdated":          {supervisor.TriggerUpdate},
	"SupervisorSuspended":  {supervisor.TriggerSuspend},
	"SupervisorResumed":    {supervisor.TriggerResume},
	"SupervisorTerminated": {supervisor.TriggerStop},
	"RunStepCompleted": {
		supervisor.TriggerRunBegin, supervisor.TriggerPartitionsOK, supervisor.TriggerCreateBegin, supervisor.TriggerIdleYes,
		supervisor.TriggerIdleNo, supervisor.TriggerRunEnd,
	},
	"RunFailed":     {supervisor.TriggerRunEnd},
	"RunRecovered":  {supervisor.TriggerRunEnd},
	"TaskCreated":   {task.TriggerCreate},
	"TaskAssigned":  {task.TriggerAssign},
	"TaskStarted":   {task.TriggerStart},
	"TaskSucceeded": {task.TriggerSucceed},
	"TaskFailed":    {task.TriggerFail},
	"TaskStopped":   {task.TriggerStop},
}

// reached are the states that an event type moves its machine to, in the order of the machine's list.
func reached(name string) []string {
	to := map[string]bool{}
	if strings.HasPrefix(name, "Task") && name != "TaskGroupFormed" && name != "TaskGroupAbandoned" {
		for _, r := range task.Table {
			if slices.Contains(triggersOf[name], r.Name) {
				to[r.Dst] = true
			}
		}
		return slices.DeleteFunc(slices.Clone(task.States), func(s string) bool { return !to[s] })
	}
	for _, r := range supervisor.Table {
		for _, t := range r.Triggers {
			if slices.Contains(triggersOf[name], t) {
				to[r.To] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(supervisor.States), func(s string) bool { return !to[s] })
}

func supervisorPage() string {
	var b strings.Builder
	b.WriteString("# The supervisor's machine\n\n" + generated)
	b.WriteString("The detailed states of a supervisor, as Druid names them, and what moves it between them. Rows are tried from the top: the first " +
		"whose state, trigger and guard fit wins, and a pair that no row has keeps its state. `NONE` is a supervisor that does not exist; " +
		"one that is `STOPPING` may be created again.\n\n")
	b.WriteString("## Picture\n\nAn arrow's text is the row's id in the table below. `ANY` stands for every state that the row names.\n\n")
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> NONE\n")
	for _, r := range supervisor.Table {
		from := r.From
		if len(from) >= manySources {
			from = []string{"ANY"}
		}
		for _, f := range from {
			fmt.Fprintf(&b, "    %s --> %s: %s\n", f, r.To, r.ID)
		}
	}
	b.WriteString("```\n\n## Table\n\n| row | from | trigger | guard | to |\n| --- | --- | --- | --- | --- |\n")
	for _, r := range supervisor.Table {
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %s |\n", r.ID, code(r.From), code(r.Triggers), dash(r.Guard), code([]string{r.To}))
	}
	b.WriteString("\n## States\n\n| detailedState | state | healthy |\n| --- | --- | --- |\n")
	for _, s := range supervisor.States {
		if s != supervisor.StateNone {
			fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", s, supervisor.BasicState(s), yes(supervisor.Healthy(s)))
		}
	}
	return b.String()
}

func taskPage() string {
	var b strings.Builder
	b.WriteString("# The task's machine\n\n" + generated)
	b.WriteString("The life of an indexing task as the overlord decides it. A pair that the table does not have is refused. `NONE` is a task that does " +
		"not exist; a task that was lost is never taken up again, another one takes its place.\n\n")
	b.WriteString("```mermaid\nstateDiagram-v2\n    [*] --> NONE\n")
	for _, r := range task.Table {
		for _, f := range r.Src {
			fmt.Fprintf(&b, "    %s --> %s: %s\n", f, r.Dst, r.Name)
		}
	}
	for _, s := range task.States {
		if task.Final(s) {
			fmt.Fprintf(&b, "    %s --> [*]\n", s)
		}
	}
	b.WriteString("```\n\n| trigger | from | to |\n| --- | --- | --- |\n")
	for _, r := range task.Table {
		fmt.Fprintf(&b, "| `%s` | %s | `%s` |\n", r.Name, code(r.Src), r.Dst)
	}
	return b.String()
}

func code(names []string) string { return "`" + strings.Join(names, "`, `") + "`" }

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
