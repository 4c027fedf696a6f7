package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/eventstore"
)

// outcome is what an error comes to on the wire.
type outcome struct {
	status int
	// text is for the user; empty answers no body.
	text     string
	problems []problem
	// plain answers the text as it is, not in JSON.
	plain      bool
	retryAfter time.Duration
	// location redirects.
	location string
	// where names the parameter that is wrong, for Ogham's own routes.
	where string
	// internal errors are logged, and the client learns no more than that.
	internal bool
}

// paramError is a parameter of one of Ogham's own routes that cannot be.
type paramError struct {
	name   string
	detail string
}

func (e *paramError) Error() string { return e.name + ": " + e.detail }

// badRequest is a request to one of Druid's routes that cannot be; its text is Druid's `error`.
type badRequest struct{ text string }

func (e *badRequest) Error() string { return e.text }

// errSlowBody is a request body that did not come within BodyTimeout.
var errSlowBody = errors.New("the request body did not come in time")

// judge is the one place where errors become answers.
func judge(err error) outcome {
	var refusal *supervisor.Refusal
	var invalid *spec.InvalidError
	var param *paramError
	var bad *badRequest
	var unsampled SampleError
	var follower NotLeader
	var routed *echo.HTTPError
	var tooBig *http.MaxBytesError
	switch {
	case errors.As(err, &refusal):
		return judgeRefusal(refusal)
	case errors.As(err, &invalid):
		o := outcome{status: http.StatusBadRequest, text: invalid.Message}
		for _, p := range invalid.Problems {
			o.problems = append(o.problems, problem{p.Path, p.Message})
		}
		return o
	case errors.As(err, &param):
		return outcome{status: http.StatusBadRequest, text: param.detail, where: param.name}
	case errors.As(err, &bad):
		return outcome{status: http.StatusBadRequest, text: bad.text}
	case errors.As(err, &unsampled):
		return outcome{status: http.StatusBadRequest, text: unsampled.SampleError()}
	case errors.As(err, &follower):
		return redirect(follower.NotLeader())
	case errors.As(err, &tooBig):
		return outcome{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("the request body is larger than %d bytes", tooBig.Limit)}
	case errors.Is(err, errSlowBody):
		return outcome{status: http.StatusRequestTimeout, text: errSlowBody.Error()}
	case errors.As(err, &routed):
		// The router's own: no such route, no such method. Druid's server answers these without a body.
		return outcome{status: routed.Code}
	}
	return judgeStore(err)
}

func judgeRefusal(r *supervisor.Refusal) outcome {
	switch r.Code {
	case supervisor.CodeNotFound:
		return outcome{status: http.StatusNotFound, text: r.Message, plain: true}
	case supervisor.CodeAlreadySuspended, supervisor.CodeAlreadyRunning, supervisor.CodeInvalid:
		return outcome{status: http.StatusBadRequest, text: r.Message}
	case supervisor.CodeAhead:
		return outcome{status: http.StatusServiceUnavailable, text: r.Message, retryAfter: time.Second}
	}
	return outcome{status: http.StatusConflict, text: r.Message}
}

// judgeStore knows what the log and time itself can refuse.
func judgeStore(err error) outcome {
	var later RetryAfter
	var unavailable *eventstore.UnavailableError
	var readOnly *eventstore.ReadOnlyError
	var damaged *eventstore.DamagedError
	var large *eventstore.TooLargeError
	switch {
	case errors.As(err, &later):
		return outcome{status: http.StatusServiceUnavailable, text: err.Error(), retryAfter: later.RetryAfter()}
	case errors.As(err, &large):
		return outcome{status: http.StatusRequestEntityTooLarge, text: large.Error()}
	case errors.As(err, &unavailable):
		o := outcome{status: http.StatusServiceUnavailable, text: unavailable.Error(), retryAfter: time.Second}
		if unavailable.Full {
			o.retryAfter = 30 * time.Second
		}
		return o
	case errors.As(err, &readOnly), errors.As(err, &damaged):
		return outcome{status: http.StatusServiceUnavailable, text: err.Error(), retryAfter: time.Minute}
	case errors.Is(err, context.DeadlineExceeded):
		return outcome{status: http.StatusServiceUnavailable, text: "the request was not answered in time; it may yet take effect", retryAfter: time.Second}
	}
	return outcome{status: http.StatusInternalServerError, internal: true}
}

// redirect leads to the leader, with the same path and query.
func redirect(leaderURL string) outcome {
	if leaderURL == "" {
		return outcome{status: http.StatusServiceUnavailable, retryAfter: time.Second}
	}
	return outcome{status: http.StatusTemporaryRedirect, location: leaderURL}
}

// fail answers an error, once.
func (s *Server) fail(c echo.Context, err error) {
	if c.Response().Committed || errors.Is(err, context.Canceled) && c.Request().Context().Err() != nil {
		return // it is too late, or nobody listens any more
	}
	o := judge(err)
	if o.internal {
		s.cfg.Logger.Error("a request was not answered", "request", requestID(c), "route", c.Path(), "error", redact(err.Error()))
		o.text = "internal error, see the log for request " + requestID(c)
	}
	if werr := s.answer(c, o); werr != nil {
		s.cfg.Logger.Debug("an answer was not written", "request", requestID(c), "error", werr)
	}
}

func (s *Server) answer(c echo.Context, o outcome) error {
	h := c.Response().Header()
	if o.retryAfter > 0 {
		seconds := max((o.retryAfter+time.Second-1)/time.Second, 1)
		h.Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
	if o.location != "" {
		h.Set(echo.HeaderLocation, strings.TrimRight(o.location, "/")+requestTarget(c.Request()))
	}
	switch {
	case strings.HasPrefix(c.Request().URL.Path, "/ogham/"):
		return writeAs(c, o.status, mimeProblem, problemOf(c, o))
	case o.text == "":
		return c.NoContent(o.status)
	case o.plain:
		return writeText(c, o.status, o.text)
	}
	return writeJSON(c, o.status, errorAnswer{o.text, o.problems})
}

func requestTarget(r *http.Request) string {
	if strings.HasPrefix(r.RequestURI, "/") {
		return r.RequestURI
	}
	return (&url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}).RequestURI()
}

// problemJSON is RFC 9457's form of an error.
type problemJSON struct {
	Type      string `json:"type"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Detail    string `json:"detail,omitempty"`
	Instance  string `json:"instance"`
	Parameter string `json:"parameter,omitempty"`
}

func problemOf(c echo.Context, o outcome) problemJSON {
	return problemJSON{
		Type: "about:blank", Title: http.StatusText(o.status), Status: o.status, Detail: o.text,
		Instance: "urn:ogham:request:" + url.PathEscape(requestID(c)), Parameter: o.where,
	}
}
