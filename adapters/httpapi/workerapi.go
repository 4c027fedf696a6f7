package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"

	"ogham/domain/task"
)

// hasWorker answers 404 where this process runs no tasks.
func (s *Server) hasWorker(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.cfg.Worker == nil {
			return c.NoContent(http.StatusNotFound)
		}
		return next(c)
	}
}

func (s *Server) workerEnabled(c echo.Context) error {
	return writeJSON(c, http.StatusOK, map[string]bool{s.cfg.Worker.Host(): s.cfg.Worker.Enabled()})
}

func (s *Server) workerTasks(c echo.Context) error {
	return writeJSON(c, http.StatusOK, append([]string{}, s.cfg.Worker.Running()...))
}

func (s *Server) enableWorker(c echo.Context) error {
	s.cfg.Worker.SetEnabled(true)
	return writeJSON(c, http.StatusOK, map[string]string{s.cfg.Worker.Host(): "enabled"})
}

// disableWorker lets the worker run dry, as before an upgrade: its tasks go on, new ones are put elsewhere.
func (s *Server) disableWorker(c echo.Context) error {
	s.cfg.Worker.SetEnabled(false)
	return writeJSON(c, http.StatusOK, map[string]string{s.cfg.Worker.Host(): "disabled"})
}

// setWorker passes the wish to enable or disable a worker on to it.
func (s *Server) setWorker(on bool) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx, cancel := s.bound(c)
		defer cancel()
		host := segment(c, "id")
		known, err := s.cfg.Overlord.SetWorkerEnabled(ctx, host, on)
		switch {
		case err != nil:
			return err
		case !known:
			return writeJSON(c, http.StatusNotFound, errorAnswer{Error: "Worker on host " + host + " does not exists"}) // Druid's text
		}
		return writeJSON(c, http.StatusOK, map[string]string{host: map[bool]string{true: "enabled", false: "disabled"}[on]})
	}
}

// workerShutdown fails a task by way of a worker's route. One that has ended is answered like one that runs.
func (s *Server) workerShutdown(c echo.Context) error {
	t, ok := s.cfg.Views.Task(segment(c, "id"))
	if !ok {
		return c.NoContent(http.StatusNotFound)
	}
	if !t.Ended() {
		c.Set(chatRecordKey, t)
		if _, ok, err := s.control(c, task.Control{Op: task.ControlShutdown}); !ok {
			return err
		}
	}
	return writeJSON(c, http.StatusOK, map[string]string{"task": t.ID})
}

// workerConfig answers as an Overlord that nobody gave a worker configuration.
func (s *Server) workerConfig(c echo.Context) error {
	c.Response().Header().Set(echo.HeaderContentType, mimeJSON)
	return c.NoContent(http.StatusOK)
}

// lockedIntervals answers that nothing is locked: tasks take no locks here, and a compaction has nothing to wait for.
func (s *Server) lockedIntervals(c echo.Context) error {
	if _, err := s.readBody(c); err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, map[string]any{})
}
