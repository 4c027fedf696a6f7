package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// mimeLog is the type of a task's log, as Druid writes it.
const mimeLog = "text/plain;charset=utf-8"

// givesText refuses a client that does not accept text.
func (s *Server) givesText(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if accepts(c.Request().Header.Values(echo.HeaderAccept), mimeText) == 0 {
			return c.NoContent(http.StatusNotAcceptable)
		}
		return next(c)
	}
}

// taskLog answers what a task wrote, from an offset on: what is there now, also while the task runs.
func (s *Server) taskLog(c echo.Context) error {
	t, ok := s.cfg.Views.Task(segment(c, "id"))
	if !ok {
		return c.NoContent(http.StatusNotFound)
	}
	var offset int64
	if text := c.QueryParam("offset"); text != "" {
		var err error
		if offset, err = strconv.ParseInt(text, 10, 64); err != nil {
			return c.NoContent(http.StatusNotFound) // Druid's server takes it for a route that is not there
		}
	}
	ctx, cancel := s.bound(c)
	part, ok, err := s.cfg.TaskLogs.Read(ctx, t.ID, t.WorkerID, offset)
	cancel()
	if err != nil {
		return err
	}
	if !ok {
		return writeText(c, http.StatusNotFound, noLog(t))
	}
	c.Response().Header().Set(echo.HeaderContentType, mimeLog)
	c.Response().WriteHeader(http.StatusOK)
	return s.streamLog(c, t, part)
}

// streamLog writes the log up to where it ended when the request came.
func (s *Server) streamLog(c echo.Context, t supervisor.TaskRecord, part LogPart) error {
	size := part.Size
	for {
		s.mayWrite(c)
		if _, err := c.Response().Write(part.Data); err != nil {
			return err
		}
		next := part.Start + int64(len(part.Data))
		if next >= size || len(part.Data) == 0 {
			return nil
		}
		ctx, cancel := context.WithTimeout(c.Request().Context(), s.cfg.CommandTimeout)
		var ok bool
		var err error
		part, ok, err = s.cfg.TaskLogs.Read(ctx, t.ID, t.WorkerID, next)
		cancel()
		if err != nil || !ok {
			s.cfg.Logger.Warn("a task's log broke off", "request", requestID(c), "task", t.ID, "at", next, "error", err)
			panic(http.ErrAbortHandler) // who reads must not take a part for the whole
		}
	}
}

// noLog says where a log is that nobody has.
func noLog(t supervisor.TaskRecord) string {
	const druids = "No log was found for this task. The task may not exist, or it may not have begun running yet."
	switch {
	case t.WorkerID == "" || t.State == task.StatePending:
		return druids
	case !t.Ended():
		return fmt.Sprintf("No log was found for this task. Worker [%s], which runs it, does not answer.", t.WorkerID)
	}
	return fmt.Sprintf("No log was found for this task. Worker [%s] ended without handing it over: it does when it comes back with its disk, and else "+
		"the log is lost. A log that is older than druid.indexer.logs.kill.durationToRetain has been deleted.", t.WorkerID)
}
