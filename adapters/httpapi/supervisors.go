package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"ogham/domain/supervisor"
	"ogham/domain/task"
)

// listEntry is an entry of the list of supervisors; what a query does not ask for is left out.
type listEntry struct {
	ID            string          `json:"id"`
	State         string          `json:"state"`
	DetailedState string          `json:"detailedState"`
	Healthy       bool            `json:"healthy"`
	Spec          json.RawMessage `json:"spec,omitempty"`
	SpecString    string          `json:"specString,omitempty"`
	Type          string          `json:"type,omitempty"`
	Source        string          `json:"source,omitempty"`
	Suspended     bool            `json:"suspended"`
}

// listSupervisors answers ids, or entries where the query asks for more.
func (s *Server) listSupervisors(c echo.Context) error {
	q := c.QueryParams()
	full, system := q.Has("full"), q.Has("system")
	all := s.cfg.Views.Supervisors()
	if !full && !system && !strings.EqualFold(q.Get("state"), "true") {
		ids := make([]string, len(all))
		for i, sup := range all {
			ids[i] = sup.ID
		}
		return writeJSON(c, http.StatusOK, ids)
	}
	entries := make([]listEntry, len(all))
	for i, sup := range all {
		e := listEntry{
			ID: sup.ID, State: supervisor.BasicState(sup.Detailed), DetailedState: sup.Detailed, Healthy: supervisor.Healthy(sup.Detailed),
		}
		if full {
			e.Spec = sup.Spec
		}
		if system {
			// Druid fills suspended in for this form only, and answers false in the others.
			e.SpecString, e.Type, e.Source, e.Suspended = string(sup.Spec), "kafka", sup.Stream, sup.Suspended
		}
		entries[i] = e
	}
	return writeJSON(c, http.StatusOK, entries)
}

func (s *Server) spec(c echo.Context) error {
	sup, ok := s.cfg.Views.Supervisor(segment(c, "id"))
	if !ok {
		return vanished(c)
	}
	return writeJSON(c, http.StatusOK, sup.Spec)
}

// vanished answers for a supervisor that was terminated between the check of its id and now.
func vanished(c echo.Context) error {
	return &supervisor.Refusal{
		Code: supervisor.CodeNotFound, Message: fmt.Sprintf("Cannot find any supervisor with id: [%s]", segment(c, "id")),
	}
}

func (s *Server) status(c echo.Context) error {
	id := segment(c, "id")
	report, ok := s.cfg.Views.Status(id, s.cfg.Overlord.Measurements(id), s.cfg.Now())
	if !ok {
		return vanished(c)
	}
	warnings := s.standingWarnings(id)
	if len(warnings) == 0 {
		return writeJSON(c, http.StatusOK, report)
	}
	return writeJSON(c, http.StatusOK, warnedReport{
		StatusReport: report, Payload: warnedPayload{StatusPayload: report.Payload, Warnings: warnings},
	})
}

func (s *Server) health(c echo.Context) error {
	sup, ok := s.cfg.Views.Supervisor(segment(c, "id"))
	if !ok {
		return vanished(c)
	}
	status, healthy := http.StatusOK, supervisor.Healthy(sup.Detailed)
	if !healthy {
		status = http.StatusServiceUnavailable
	}
	return writeJSON(c, status, map[string]bool{"healthy": healthy})
}

func (s *Server) history(c echo.Context) error {
	id := segment(c, "id")
	versions, ok := s.cfg.Views.History(id)
	if !ok {
		return writeJSON(c, http.StatusNotFound, errorAnswer{Error: fmt.Sprintf("No history for [%s].", id)})
	}
	count, err := historyCount(c.QueryParams())
	if err != nil {
		return err
	}
	if count > 0 {
		versions = versions[:min(count, len(versions))]
	}
	return writeJSON(c, http.StatusOK, versions)
}

// historyCount reads the bound that Druid 37 has; 0 is none.
func historyCount(q url.Values) (int, error) {
	if !q.Has("count") {
		return 0, nil
	}
	n, err := strconv.Atoi(q.Get("count"))
	if err != nil {
		return 0, &badRequest{fmt.Sprintf("Count must be a number (count was %s)", q.Get("count"))}
	}
	if n <= 0 {
		return 0, &badRequest{fmt.Sprintf("Count must be greater than zero if set (count was %d)", n)}
	}
	return n, nil
}

func (s *Server) allHistories(c echo.Context) error {
	all := map[string][]supervisor.Version{}
	for _, id := range s.cfg.Views.HistoryIDs() {
		all[id], _ = s.cfg.Views.History(id)
	}
	return writeJSON(c, http.StatusOK, all)
}

// counters are the totals of a task.
type counters struct {
	BuildSegments task.Counters `json:"buildSegments"`
}

// rates are a task's moving averages over one time.
type rates struct {
	Processed          decimal `json:"processed"`
	ProcessedBytes     decimal `json:"processedBytes"`
	Unparseable        decimal `json:"unparseable"`
	ThrownAway         decimal `json:"thrownAway"`
	ProcessedWithError decimal `json:"processedWithError"`
}

type movingAverages struct {
	BuildSegments struct {
		FiveM rates `json:"5m"`
		Fifth rates `json:"15m"`
		OneM  rates `json:"1m"`
	} `json:"buildSegments"`
}

// rowStats is what Druid shows of a running task's counters.
type rowStats struct {
	MovingAverages movingAverages `json:"movingAverages"`
	Totals         counters       `json:"totals"`
}

func ratesOf(r task.Rates) rates {
	return rates{
		decimal(r.Processed), decimal(r.ProcessedBytes), decimal(r.Unparseable), decimal(r.ThrownAway), decimal(r.ProcessedWithError),
	}
}

func rowStatsOf(t task.Stats) rowStats {
	var s rowStats
	s.Totals.BuildSegments = t.Totals
	s.MovingAverages.BuildSegments.OneM = ratesOf(t.OneM)
	s.MovingAverages.BuildSegments.FiveM = ratesOf(t.FiveM)
	s.MovingAverages.BuildSegments.Fifth = ratesOf(t.Fifth)
	return s
}

// stats answers what the running tasks count. A task that has no place yet is shown without counters, as in Druid.
func (s *Server) stats(c echo.Context) error {
	ctx, cancel := s.bound(c)
	defer cancel()
	id := segment(c, "id")
	asked, err := s.cfg.Overlord.Stats(ctx, id)
	if err != nil {
		return err
	}
	groups := map[string]map[string]any{}
	put := func(number int, taskID string, v any) {
		key := strconv.Itoa(number)
		if groups[key] == nil {
			groups[key] = map[string]any{}
		}
		groups[key][taskID] = v
	}
	for _, t := range s.cfg.Views.Tasks() {
		if t.SupervisorID == id && t.State == task.StatePending {
			put(t.GroupNumber, t.ID, struct{}{})
		}
	}
	for number, tasks := range asked {
		for taskID, stats := range tasks {
			put(number, taskID, rowStatsOf(stats))
		}
	}
	return writeJSON(c, http.StatusOK, groups)
}

// parseError is Druid's form of a saved parse error.
type parseError struct {
	Input                 string   `json:"input"`
	ErrorType             string   `json:"errorType"`
	Details               []string `json:"details"`
	TimeOfExceptionMillis int64    `json:"timeOfExceptionMillis"`
}

func parseErrorsOf(saved []task.ParseException) []parseError {
	out := make([]parseError, len(saved))
	for i, e := range saved {
		out[i] = parseError{e.Input, e.ErrorType, append([]string{}, e.Details...), e.TimeOfExceptionMillis}
	}
	slices.SortStableFunc(out, func(a, b parseError) int {
		switch {
		case a.TimeOfExceptionMillis > b.TimeOfExceptionMillis:
			return -1
		case a.TimeOfExceptionMillis < b.TimeOfExceptionMillis:
			return 1
		}
		return 0
	})
	return out
}

func (s *Server) parseErrors(c echo.Context) error {
	ctx, cancel := s.bound(c)
	defer cancel()
	saved, err := s.cfg.Overlord.ParseErrors(ctx, segment(c, "id"))
	if err != nil {
		return err
	}
	return writeJSON(c, http.StatusOK, parseErrorsOf(saved))
}

// bound limits what a request may wait for.
func (s *Server) bound(c echo.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(c.Request().Context(), s.cfg.CommandTimeout)
}
