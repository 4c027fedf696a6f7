package httpapi

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

// taskStates are the states of a task that the `to` parameter takes beside the supervisors'.
var taskStates = []string{
	task.StatePending, task.StateNotStarted, task.StateReading, task.StatePublishing, task.StateSuccess, task.StateFailed,
}

// params reads the query, and refuses one that cannot be read, parts of which would be ignored otherwise.
func params(c echo.Context) (url.Values, error) {
	q, err := url.ParseQuery(c.Request().URL.RawQuery)
	if err != nil {
		return nil, &paramError{"query", err.Error()}
	}
	return q, nil
}

// given reads the one optional parameter of a route that has no other.
func given(c echo.Context, name string) (string, error) {
	q, err := params(c)
	if err != nil {
		return "", err
	}
	return q.Get(name), onlyParams(q, name)
}

// onlyParams refuses parameters that a route does not have, and those given twice: both would be ignored otherwise.
func onlyParams(q url.Values, names ...string) error {
	for name, values := range q {
		switch {
		case !slices.Contains(names, name):
			return &paramError{name, "there is no such parameter; the route has [" + strings.Join(names, ", ") + "]"}
		case len(values) > 1:
			return &paramError{name, "it is given more than once"}
		}
	}
	return nil
}

// readQuery reads the parameters of the event feed.
func readQuery(q url.Values) (eventstore.Query, error) {
	var out eventstore.Query
	if err := onlyParams(q, "supervisor", "kind", "type", "to", "from", "since", "until", "limit"); err != nil {
		return out, err
	}
	out.SupervisorID = q.Get("supervisor")
	if q.Has("supervisor") && out.SupervisorID == "" {
		return out, &paramError{"supervisor", "it is empty"}
	}
	switch kind := eventstore.Kind(q.Get("kind")); kind {
	case "", eventstore.KindSupervisor, eventstore.KindTask, eventstore.KindOverlord:
		out.Kind = kind
	default:
		return out, &paramError{"kind", fmt.Sprintf("%q is none of supervisor, task, overlord", kind)}
	}
	if out.Type = q.Get("type"); q.Has("type") {
		known := eventstore.DomainUpcasters().Types()
		if !slices.Contains(known, out.Type) {
			return out, &paramError{"type", fmt.Sprintf("%q is no event type; there are %s", out.Type, strings.Join(known, ", "))}
		}
	}
	if err := readTo(q, &out); err != nil {
		return out, err
	}
	if err := readBounds(q, &out); err != nil {
		return out, err
	}
	return out, nil
}

// readTo reads the state reached. A state that only tasks have means theirs.
func readTo(q url.Values, out *eventstore.Query) error {
	if !q.Has("to") {
		return nil
	}
	out.To = q.Get("to")
	ofSupervisor, ofTask := slices.Contains(supervisor.States, out.To), slices.Contains(taskStates, out.To)
	switch {
	case !ofSupervisor && !ofTask:
		return &paramError{"to", fmt.Sprintf("%q is no state; supervisors have %s, tasks have %s", out.To,
			strings.Join(supervisor.States, ", "), strings.Join(taskStates, ", "))}
	case out.Kind == "" && !ofSupervisor:
		out.Kind = eventstore.KindTask
	}
	return nil
}

func readBounds(q url.Values, out *eventstore.Query) (err error) {
	if out.FromSeq, err = readSequence(q, "from"); err != nil {
		return err
	}
	if out.Since, err = readTime(q, "since"); err != nil {
		return err
	}
	if out.Until, err = readTime(q, "until"); err != nil {
		return err
	}
	if !out.Since.IsZero() && !out.Until.IsZero() && out.Until.Before(out.Since) {
		return &paramError{"until", "it is before since"}
	}
	if !q.Has("limit") {
		return nil
	}
	if out.Limit, err = strconv.Atoi(q.Get("limit")); err != nil || out.Limit <= 0 {
		return &paramError{"limit", fmt.Sprintf("%q is not a positive number", q.Get("limit"))}
	}
	return nil
}

func readSequence(q url.Values, name string) (uint64, error) {
	if !q.Has(name) {
		return 0, nil
	}
	n, err := strconv.ParseUint(q.Get(name), 10, 63)
	if err != nil {
		return 0, &paramError{name, fmt.Sprintf("%q is not a log sequence, a whole number from 0", q.Get(name))}
	}
	return n, nil
}

func readTime(q url.Values, name string) (time.Time, error) {
	if !q.Has(name) {
		return time.Time{}, nil
	}
	t, err := time.Parse(time.RFC3339Nano, q.Get(name))
	if err != nil {
		return time.Time{}, &paramError{name, fmt.Sprintf("%q is not a time as RFC 3339 has it, such as 2026-11-23T15:00:00Z", q.Get(name))}
	}
	return t, nil
}
