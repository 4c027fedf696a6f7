package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// headerTaskID names the task that a request to the chat API means, and the one that answered it.
const headerTaskID = "X-Druid-Task-Id"

const chatRecordKey = "task"

// noHandler is Druid's answer where a task does not run: 503, so that a client tries again.
func noHandler(c echo.Context, id string) error {
	return writeJSON(c, http.StatusServiceUnavailable, errorAnswer{Error: fmt.Sprintf("Can't find chatHandler for handler[%s]", id)})
}

// chatTask lets requests through to a task that runs.
func (s *Server) chatTask(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := segment(c, "id")
		t, ok := s.cfg.Views.Task(id)
		if !ok || t.State != task.StateReading && t.State != task.StatePublishing {
			return noHandler(c, id)
		}
		c.Response().Header().Set(headerTaskID, url.QueryEscape(id))
		if asked := c.Request().Header.Values(headerTaskID); len(asked) > 0 && !slices.Contains(asked, id) && !slices.Contains(asked, url.QueryEscape(id)) {
			return &badRequest{fmt.Sprintf("Requested taskId[%s] doesn't match with taskId[%s]", asked[0], id)}
		}
		c.Set(chatRecordKey, t)
		return next(c)
	}
}

func chatRecord(c echo.Context) supervisor.TaskRecord {
	t, _ := c.Get(chatRecordKey).(supervisor.TaskRecord)
	return t
}

// askTask asks the running task of the request. It is false where the error has been answered.
func (s *Server) askTask(c echo.Context) (task.OrderReply, bool, error) {
	ctx, cancel := s.bound(c)
	defer cancel()
	t := chatRecord(c)
	reply, err := s.cfg.Overlord.Ask(ctx, t.WorkerID, t.ID)
	var away NotRunning
	switch {
	case errors.As(err, &away):
		return reply, false, noHandler(c, t.ID)
	case err != nil:
		return reply, false, writeJSON(c, http.StatusServiceUnavailable, errorAnswer{Error: "the task did not answer: " + err.Error()})
	}
	return reply, true, nil
}

// answerTask asks the running task and answers what `of` makes of it.
func (s *Server) answerTask(c echo.Context, of func(task.OrderReply) any) error {
	reply, ok, err := s.askTask(c)
	if !ok {
		return err
	}
	return writeJSON(c, http.StatusOK, of(reply))
}

func (s *Server) chatStatus(c echo.Context) error {
	return s.answerTask(c, func(r task.OrderReply) any { return r.Report.Status })
}

func (s *Server) chatCurrent(c echo.Context) error {
	return s.answerTask(c, func(r task.OrderReply) any { return orNone(r.Report.CurrentOffsets) })
}

// chatEnd answers where the task ends, for each partition; the greatest number stands for no end.
func (s *Server) chatEnd(c echo.Context) error {
	return s.answerTask(c, func(r task.OrderReply) any {
		end := task.Offsets{}
		for p := range r.Report.CurrentOffsets {
			end[p] = task.NoEnd
		}
		if n := len(r.Report.Sequences); r.Report.Finishing && n > 0 {
			end = end.Plus(r.Report.Sequences[n-1].End)
		}
		return end
	})
}

// chatCheckpoints answers the start of each sequence that is not published yet.
func (s *Server) chatCheckpoints(c echo.Context) error {
	return s.answerTask(c, func(r task.OrderReply) any {
		starts := map[int]task.Offsets{}
		for _, q := range r.Report.Sequences {
			starts[q.Number] = orNone(q.Start)
		}
		return starts
	})
}

func orNone(o task.Offsets) task.Offsets {
	if o == nil {
		return task.Offsets{}
	}
	return o
}

func (s *Server) chatRowStats(c echo.Context) error {
	return s.answerTask(c, func(r task.OrderReply) any { return rowStatsOf(r.Report.Stats) })
}

func (s *Server) chatTimeStart(c echo.Context) error {
	return s.answerTask(c, func(r task.OrderReply) any { return instant(r.Report.StartTime) })
}

func (s *Server) chatLiveReports(c echo.Context) error {
	t := chatRecord(c)
	return s.answerTask(c, func(r task.OrderReply) any { return liveReportOf(t, r) })
}

// chatUnparseable answers the saved parse errors; nothing at all where none are saved, as Druid does.
func (s *Server) chatUnparseable(c echo.Context) error {
	reply, ok, err := s.askTask(c)
	if !ok {
		return err
	}
	if !savesErrors(chatRecord(c)) {
		c.Response().Header().Set(echo.HeaderContentType, mimeJSON)
		return c.NoContent(http.StatusOK)
	}
	return writeJSON(c, http.StatusOK, parseErrorsOf(reply.ParseExceptions))
}

// savesErrors says whether the task's spec lets it save parse errors: reports tell an empty list from none.
func savesErrors(t supervisor.TaskRecord) bool {
	parsed, err := spec.Parse(t.Spec)
	return err == nil && parsed.TuningConfig.MaxSavedParseExceptions > 0
}

// unparseableEvents is a report's map of saved parse errors by phase.
func unparseableEvents(t supervisor.TaskRecord, saved []task.ParseException) map[string]any {
	if len(saved) == 0 && !savesErrors(t) {
		return map[string]any{}
	}
	return map[string]any{"buildSegments": parseErrorsOf(saved)}
}

func liveReportOf(t supervisor.TaskRecord, r task.OrderReply) map[string]report {
	return map[string]report{
		reportType: {reportType, t.ID, livePayload{stateBuilding, unparseableEvents(t, r.ParseExceptions), rowStatsOf(r.Report.Stats)}},
	}
}

// control asks the leader to do something to the running task. It is false where the answer has been written.
func (s *Server) control(c echo.Context, order task.Control) (task.ControlReply, bool, error) {
	ctx, cancel := s.bound(c)
	defer cancel()
	t := chatRecord(c)
	order.SupervisorID, order.TaskID = t.SupervisorID, t.ID
	reply, err := s.cfg.Overlord.Control(ctx, order)
	if errors.Is(err, context.DeadlineExceeded) || err == nil && reply.Code == "" {
		return reply, err == nil, err
	}
	var follower NotLeader
	switch {
	case errors.As(err, &follower): // nobody leads now; a redirect would lead to a node that says the same
		return reply, false, s.answer(c, outcome{status: http.StatusServiceUnavailable, text: "no overlord leads at the moment", retryAfter: time.Second})
	case err != nil:
		return reply, false, err
	}
	return reply, false, s.refusedControl(c, t.ID, reply)
}

// refusedControl answers as Druid's chat handler does: bare texts, some of them under the type of JSON.
func (s *Server) refusedControl(c echo.Context, id string, r task.ControlReply) error {
	switch r.Code {
	case task.CodeUnknownTask:
		return noHandler(c, id)
	case task.CodeAccepted:
		return write(c, http.StatusAccepted, mimeJSON, []byte(r.Message))
	case task.CodeState:
		return writeText(c, http.StatusConflict, r.Message)
	case task.CodeRetry:
		return s.answer(c, outcome{status: http.StatusServiceUnavailable, text: r.Message, retryAfter: time.Second})
	}
	return write(c, http.StatusBadRequest, mimeJSON, []byte(r.Message))
}

func (s *Server) chatPause(c echo.Context) error {
	reply, ok, err := s.control(c, task.Control{Op: task.ControlPause})
	if !ok {
		return err
	}
	return writeJSON(c, http.StatusOK, orNone(reply.Offsets))
}

func (s *Server) chatResume(c echo.Context) error { return s.command(c, task.ControlResume) }
func (s *Server) chatStop(c echo.Context) error   { return s.command(c, task.ControlStop) }

// command is a control whose success has no body.
func (s *Server) command(c echo.Context, op task.ControlOp) error {
	_, ok, err := s.control(c, task.Control{Op: op})
	if !ok {
		return err
	}
	return c.NoContent(http.StatusOK)
}

// chatSetEnd sets where the task ends, and with it its whole group.
func (s *Server) chatSetEnd(c echo.Context) error {
	body, err := s.readBody(c)
	if err != nil {
		return err
	}
	object, err := readObject(body)
	if err != nil {
		return err
	}
	end, err := readEnds(object)
	if err != nil {
		return err
	}
	finish := !c.QueryParams().Has("finish") || strings.EqualFold(c.QueryParam("finish"), "true")
	reply, ok, err := s.control(c, task.Control{Op: task.ControlSetEnd, End: end, Finish: finish})
	if !ok {
		return err
	}
	return writeJSON(c, http.StatusOK, orNone(reply.Offsets))
}

// readEnds reads a map of partition to end offset.
func readEnds(object map[string]json.RawMessage) (task.Offsets, error) {
	end := task.Offsets{}
	for key, raw := range object {
		p := task.Partition(key)
		if _, ok := p.Number(); !ok {
			return nil, &badRequest{fmt.Sprintf("[%s] is no partition", key)}
		}
		at, ok := readLong(raw)
		if !ok || at < 0 || at == task.NoEnd {
			return nil, &badRequest{fmt.Sprintf("partition [%s] cannot end at offset %s", key, raw)}
		}
		end[p] = at
	}
	return end, nil
}
