package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
)

// The content types, exactly as Druid writes them.
const (
	mimeJSON    = "application/json"
	mimeText    = "text/plain"
	mimeProblem = "application/problem+json"
	mimeNDJSON  = "application/x-ndjson"
	mimeSSE     = "text/event-stream"
)

// encode is json.Marshal without the escapes that are for HTML only.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("encode the answer: %w", err)
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

func writeJSON(c echo.Context, status int, v any) error { return writeAs(c, status, mimeJSON, v) }

func writeAs(c echo.Context, status int, mime string, v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	return write(c, status, mime, b)
}

func write(c echo.Context, status int, mime string, body []byte) error {
	h := c.Response().Header()
	h.Set(echo.HeaderContentType, mime)
	c.Response().WriteHeader(status)
	_, err := c.Response().Write(body)
	return err
}

func writeText(c echo.Context, status int, text string) error {
	return write(c, status, mimeText, []byte(text))
}

// idAnswer is what most commands answer.
type idAnswer struct {
	ID string `json:"id"`
}

// errorAnswer is Druid's form of an error; Problems is ours.
type errorAnswer struct {
	Error    string    `json:"error"`
	Problems []problem `json:"problems,omitempty"`
}

type problem struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// decimal is a number that JSON shows with a point, as Java does with a double: 0.0 and not 0.
type decimal float64

// MarshalJSON writes the shortest text that reads back the same.
func (d decimal) MarshalJSON() ([]byte, error) {
	f := float64(d)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("0.0"), nil
	}
	b := strconv.AppendFloat(nil, f, 'g', -1, 64)
	if !bytes.ContainsAny(b, ".e") {
		b = append(b, ".0"...)
	}
	return b, nil
}

// readBody reads the whole request body, within the limits of size and time.
func (s *Server) readBody(c echo.Context) ([]byte, error) {
	rc := http.NewResponseController(c.Response())
	// A writer of a test takes no deadlines.
	_ = rc.SetReadDeadline(time.Now().Add(s.cfg.BodyTimeout))
	b, err := io.ReadAll(http.MaxBytesReader(c.Response(), c.Request().Body, s.cfg.BodyLimit))
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, errSlowBody
	}
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	_ = rc.SetReadDeadline(time.Time{})
	return b, nil
}
