package httpapi

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// taskType is the only type of task there is.
const taskType = "index_kafka"

// The codes of Druid's task entries.
const (
	codeRunning = "RUNNING"
	codeSuccess = "SUCCESS"
	codeFailed  = "FAILED"
)

// taskEntry is Druid's entry of a task.
type taskEntry struct {
	ID                 string   `json:"id"`
	GroupID            string   `json:"groupId"`
	Type               string   `json:"type"`
	CreatedTime        string   `json:"createdTime"`
	QueueInsertionTime string   `json:"queueInsertionTime"`
	StatusCode         string   `json:"statusCode"`
	Status             string   `json:"status"`
	RunnerStatusCode   string   `json:"runnerStatusCode"`
	Duration           int64    `json:"duration"`
	Location           location `json:"location"`
	DataSource         string   `json:"dataSource"`
	ErrorMsg           *string  `json:"errorMsg"`
}

func statusCode(t supervisor.TaskRecord) string {
	switch t.State {
	case task.StateSuccess:
		return codeSuccess
	case task.StateFailed:
		return codeFailed
	}
	return codeRunning
}

func groupID(supervisorID string) string { return taskType + "_" + supervisorID }

func entryOf(t supervisor.TaskRecord) taskEntry {
	e := taskEntry{
		ID: t.ID, GroupID: groupID(t.SupervisorID), Type: taskType, CreatedTime: instant(t.CreatedAt), QueueInsertionTime: instant(t.CreatedAt),
		StatusCode: statusCode(t), Status: statusCode(t), RunnerStatusCode: codeRunning, Duration: -1, Location: locationOf(t), DataSource: t.SupervisorID,
	}
	switch {
	case t.Ended():
		e.RunnerStatusCode, e.QueueInsertionTime = "NONE", instant(time.Time{})
		if !t.Stopped && !t.Killed { // Druid shows no duration of a task that it ended itself
			e.Duration = duration(t)
		}
	case t.State == task.StatePending:
		e.RunnerStatusCode = "PENDING"
	}
	if t.ErrorMsg != "" {
		msg := t.ErrorMsg
		e.ErrorMsg = &msg
	}
	return e
}

// duration is how long a task ran, in milliseconds; Druid counts from the start of its process.
func duration(t supervisor.TaskRecord) int64 {
	from := t.AssignedAt
	if from.IsZero() {
		from = t.CreatedAt
	}
	return max(t.EndedAt.Sub(from).Milliseconds(), 0)
}

// taskState is the name that the `state` parameter has for a task.
func taskState(t supervisor.TaskRecord) string {
	switch {
	case t.Ended():
		return "complete"
	case t.State == task.StatePending:
		return "pending"
	}
	return "running"
}

// tasks answers the list: what runs, what is pending, what is complete, newest first.
func (s *Server) tasks(c echo.Context) error {
	q := c.QueryParams()
	state := strings.ToLower(q.Get("state"))
	switch state {
	case "", "pending", "waiting", "running", "complete":
	default:
		return writeText(c, http.StatusBadRequest, fmt.Sprintf("Invalid task state[%s]. Must be one of [pending, waiting, running, complete].", q.Get("state")))
	}
	limit := -1
	if text := q.Get("max"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			return c.NoContent(http.StatusNotFound) // Druid's server takes it for a route that is not there
		}
		if n < 0 {
			return &badRequest{fmt.Sprintf("max must not be negative, it was %d", n)}
		}
		limit = n
	}
	since, err := s.createdSince(q)
	if err != nil {
		return err
	}
	return s.writeTasks(c, q, state, limit, since)
}

// createdSince is from when on complete tasks are wanted; the zero time for all of them.
func (s *Server) createdSince(q url.Values) (time.Time, error) {
	text := q.Get("createdTimeInterval")
	if text == "" {
		return time.Time{}, nil
	}
	d, err := intervalDuration(text)
	if err != nil {
		return time.Time{}, err
	}
	return s.cfg.Now().Add(-d), nil
}

// tasksIn answers the list of one state; `n` bounds the complete ones.
func (s *Server) tasksIn(state string) echo.HandlerFunc {
	return func(c echo.Context) error {
		limit := -1
		if n, err := strconv.Atoi(c.QueryParam("n")); err == nil && n >= 0 && state == "complete" {
			limit = n
		}
		since, err := s.createdSince(c.QueryParams())
		if err != nil {
			return err
		}
		return s.writeTasks(c, c.QueryParams(), state, limit, since)
	}
}

// writeTasks writes the tasks that match; limit and since are about complete ones only.
func (s *Server) writeTasks(c echo.Context, q url.Values, state string, limit int, since time.Time) error {
	byState := map[string][]taskEntry{}
	for _, t := range s.cfg.Views.Tasks() {
		of := taskState(t)
		switch {
		case state != "" && of != state, q.Get("datasource") != "" && t.SupervisorID != q.Get("datasource"):
		case q.Get("type") != "" && q.Get("type") != taskType:
		case of == "complete" && (limit >= 0 && len(byState[of]) >= limit || t.CreatedAt.Before(since)):
		default:
			byState[of] = append(byState[of], entryOf(t))
		}
	}
	all := []taskEntry{}
	for _, of := range []string{"running", "pending", "complete"} {
		all = append(all, byState[of]...)
	}
	return writeJSON(c, http.StatusOK, all)
}

// intervalDuration reads an ISO interval, its `/` written as `_` or not. Only its length counts, as in Druid.
func intervalDuration(text string) (time.Duration, error) {
	from, to, ok := strings.Cut(strings.Replace(text, "_", "/", 1), "/")
	if !ok {
		return 0, &badRequest{fmt.Sprintf("Invalid interval[%s]: [Format requires a '/' separator: %s]", text, text)}
	}
	for _, end := range []string{from, to} {
		if p, err := spec.ParsePeriod(end); err == nil {
			if ms, err := p.Millis(); err == nil {
				return time.Duration(ms) * time.Millisecond, nil
			}
		}
	}
	start, err1 := parseDay(from)
	end, err2 := parseDay(to)
	if err1 != nil || err2 != nil || end.Before(start) {
		return 0, &badRequest{fmt.Sprintf("Invalid interval[%s]", text)}
	}
	return end.Sub(start), nil
}

func parseDay(text string) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	return time.Parse(time.DateOnly, text)
}

// statusEntry is a task's status as POST /taskStatus shows it.
type statusEntry struct {
	ID       string   `json:"id"`
	Status   string   `json:"status"`
	Duration int64    `json:"duration"`
	ErrorMsg *string  `json:"errorMsg"`
	Location location `json:"location"`
}

func (s *Server) taskStatuses(c echo.Context) error {
	body, err := s.readBody(c)
	if err != nil {
		return err
	}
	var ids []string
	if err := json.Unmarshal(body, &ids); err != nil {
		return &badRequest{"the request body must be a JSON array of task ids: " + err.Error()}
	}
	if len(ids) == 0 {
		return write(c, http.StatusBadRequest, mimeJSON, []byte("No Task IDs provided."))
	}
	found := map[string]statusEntry{}
	for _, id := range ids {
		if t, ok := s.cfg.Views.Task(id); ok {
			e := entryOf(t)
			found[id] = statusEntry{id, e.Status, e.Duration, e.ErrorMsg, e.Location}
		}
	}
	return writeJSON(c, http.StatusOK, found)
}

func (s *Server) taskStatus(c echo.Context) error {
	t, ok := s.cfg.Views.Task(segment(c, "id"))
	if !ok {
		return c.NoContent(http.StatusNotFound)
	}
	e := entryOf(t)
	// Druid shows these two differently here.
	e.QueueInsertionTime = instant(time.Time{})
	if t.Ended() {
		e.RunnerStatusCode = "WAITING"
	}
	return writeJSON(c, http.StatusOK, struct {
		Task   string    `json:"task"`
		Status taskEntry `json:"status"`
	}{t.ID, e})
}

// shutdownTask fails a running task; a task that has ended is answered like a running one, as in Druid.
func (s *Server) shutdownTask(c echo.Context) error {
	t, ok := s.cfg.Views.Task(segment(c, "id"))
	if !ok {
		return c.NoContent(http.StatusNotFound)
	}
	if err := s.shutdown(c, t); err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, map[string]string{"task": t.ID})
}

func (s *Server) shutdown(c echo.Context, t supervisor.TaskRecord) error {
	if t.Ended() {
		return nil
	}
	ctx, cancel := s.bound(c)
	defer cancel()
	return s.cfg.Overlord.Shutdown(ctx, t.SupervisorID, t.ID)
}

// shutdownAllTasks fails every live task of a data source.
func (s *Server) shutdownAllTasks(c echo.Context) error {
	id, found := segment(c, "id"), false
	for _, t := range s.cfg.Views.Tasks() {
		if t.SupervisorID != id || t.Ended() {
			continue
		}
		found = true
		if err := s.shutdown(c, t); err != nil {
			return err
		}
	}
	if !found {
		return c.NoContent(http.StatusNotFound)
	}
	return writeJSON(c, http.StatusOK, map[string]string{"dataSource": id})
}

func (s *Server) taskSegments(c echo.Context) error {
	return writeJSON(c, http.StatusNotFound, errorAnswer{Error: "Segment IDs committed by a task action are not persisted anymore. " +
		"Use the metric 'segment/added/bytes' to identify the segments created by a task."})
}
