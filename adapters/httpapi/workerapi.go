package httpapi

import (
	"net/http"

	"github.com/labstack/echo/v4"
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
