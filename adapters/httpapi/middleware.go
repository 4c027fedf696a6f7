package httpapi

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"mime"
	"net/http"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
)

const headerRequestID = "X-Request-ID"

// watch gives the request its id, contains a panic, answers the error, and writes the access log: one line per request,
// without its body and with secrets masked.
func (s *Server) watch(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		began := time.Now()
		id := c.Request().Header.Get(headerRequestID)
		if !saneID(id) {
			id = newID()
		}
		h := c.Response().Header()
		h.Set(headerRequestID, id)
		h.Set("Cache-Control", "no-cache, no-store, max-age=0")
		// The deadline of the request before must not end this one, and a handler may think as long as it is allowed to;
		// only writing is bounded. A writer of a test takes no deadlines.
		_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Time{})
		c.Response().Before(func() { s.mayWrite(c) })
		if err := s.contain(c, next); err != nil {
			s.fail(c, err)
		}
		res := c.Response()
		level := slog.LevelInfo
		if res.Status >= 500 {
			level = slog.LevelWarn
		}
		s.cfg.Logger.Log(c.Request().Context(), level, "http",
			"request", id, "method", c.Request().Method, "target", redact(c.Request().RequestURI), "route", c.Path(),
			"status", res.Status, "bytes", res.Size, "took", time.Since(began), "from", c.RealIP())
		return nil
	}
}

// mayWrite gives the client its time to accept what is written next.
func (s *Server) mayWrite(c echo.Context) {
	_ = http.NewResponseController(c.Response()).SetWriteDeadline(time.Now().Add(s.cfg.WriteTimeout))
}

// contain turns a panic into an error. One poisoned request must not end the others.
func (s *Server) contain(c echo.Context, next echo.HandlerFunc) (err error) {
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if e, ok := p.(error); ok && errors.Is(e, http.ErrAbortHandler) {
			panic(p)
		}
		s.cfg.Logger.Error("a request panicked", "request", requestID(c), "panic", redact(fmt.Sprint(p)), "stack", string(debug.Stack()))
		err = fmt.Errorf("panic: %v", p)
	}()
	return next(c)
}

func requestID(c echo.Context) string { return c.Response().Header().Get(headerRequestID) }

func saneID(id string) bool {
	if id == "" || len(id) > 128 {
		return false
	}
	for i := range len(id) {
		if id[i] <= ' ' || id[i] > '~' {
			return false
		}
	}
	return true
}

func newID() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// secretKey matches the names of properties whose values are nobody's business.
var secretKey = regexp.MustCompile(`(?i)password|passphrase|secret|credential|sasl\.jaas\.config|access\.?key|private\.?key|token`)

// secretValue matches such a name followed by its value, in JSON, in a query or in a JAAS line.
var secretValue = regexp.MustCompile(`(?i)((?:password|passphrase|secret|credential|sasl\.jaas\.config|access\.?key|private\.?key|token)[\w.-]*(?:"|%22)?\s*(?:[:=]|%3[aAdD])\s*)("(?:[^"\\]|\\.)*"|'[^']*'|[^\s&,;}'"]+)`)

const mask = "********"

// redact masks the values of secrets in a text that is about to be logged or shown.
func redact(s string) string { return secretValue.ReplaceAllString(s, "${1}"+mask) }

// Redact is for the other places that write what users gave: it masks the values of secrets in a text.
func Redact(s string) string { return redact(s) }

// leads lets the request through where this node leads, and else shows the way to the one that does. Where nobody can
// lead because the log is damaged, questions are answered from what is known.
func (s *Server) leads(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.cfg.Overlord.IsLeader() {
			return next(c)
		}
		leader := s.cfg.Overlord.LeaderURL()
		if why := s.cfg.ReadOnly(); why != nil && leader == "" {
			if c.Request().Method == get {
				return next(c)
			}
			return why
		}
		return s.answer(c, redirect(leader))
	}
}

// takesJSON refuses a body of another type.
func (s *Server) takesJSON(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		kind, _, err := mime.ParseMediaType(c.Request().Header.Get(echo.HeaderContentType))
		if err != nil || kind != mimeJSON {
			return c.NoContent(http.StatusUnsupportedMediaType)
		}
		return next(c)
	}
}

// givesJSON refuses a client that does not accept JSON.
func (s *Server) givesJSON(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if accepts(c.Request().Header.Values(echo.HeaderAccept), mimeJSON) == 0 {
			return c.NoContent(http.StatusNotAcceptable)
		}
		return next(c)
	}
}

// accepts returns the weight that an Accept header gives to a media type, 0 where it is excluded. Without a header
// everything is accepted; the most specific range counts.
func accepts(header []string, want string) float64 {
	all := strings.Join(header, ",")
	if strings.TrimSpace(all) == "" {
		return 1
	}
	family, _, _ := strings.Cut(want, "/")
	best, weight := 0, 0.0
	for part := range strings.SplitSeq(all, ",") {
		kind, params, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		rank := map[string]int{"*/*": 1, family + "/*": 2, want: 3}[kind]
		if rank <= best {
			continue
		}
		q := 1.0
		if text, ok := params["q"]; ok {
			if q, err = strconv.ParseFloat(text, 64); err != nil {
				continue
			}
		}
		best, weight = rank, q
	}
	return weight
}

// knownID refuses the id of a supervisor that does not exist, as the filter before Druid's routes does.
func (s *Server) knownID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := segment(c, "id")
		if _, ok := s.cfg.Views.Supervisor(id); !ok {
			return writeText(c, http.StatusNotFound, fmt.Sprintf("Cannot find any supervisor with id: [%s]", id))
		}
		return next(c)
	}
}

// knownTask does the same for tasks.
func (s *Server) knownTask(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := segment(c, "id")
		if _, ok := s.cfg.Views.Task(id); !ok {
			return writeText(c, http.StatusNotFound, fmt.Sprintf("Cannot find any task with id: [%s]", id))
		}
		return next(c)
	}
}
