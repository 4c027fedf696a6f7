package httpapi

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"ogham/eventstore"
)

// feedBuffer is the number of events that wait for a slow client of the live feed. When it is full the log is not read
// on; a client that takes nothing for the WriteTimeout is dropped, and may resume after the last id it saw.
const feedBuffer = 256

// lineBuffer is how much of a replay is gathered before it is written.
const lineBuffer = 64 << 10

// events replays the log, and follows it where the client asks for server-sent events.
func (s *Server) events(c echo.Context) error {
	given, err := params(c)
	if err != nil {
		return err
	}
	q, err := readQuery(given)
	if err != nil {
		return err
	}
	accept := c.Request().Header.Values(echo.HeaderAccept)
	lines, live := accepts(accept, mimeNDJSON), accepts(accept, mimeSSE)
	switch {
	case lines == 0 && live == 0:
		return writeAs(c, http.StatusNotAcceptable, mimeProblem, problemOf(c, outcome{
			status: http.StatusNotAcceptable, text: "events come as " + mimeNDJSON + " or as " + mimeSSE, where: "Accept",
		}))
	case live > lines:
		return s.follow(c, q)
	}
	return s.replay(c, q)
}

// replay writes one event per line and ends with what was last when it began.
func (s *Server) replay(c echo.Context, q eventstore.Query) error {
	w := s.lines(c)
	err := s.cfg.Log.Replay(c.Request().Context(), q, func(e eventstore.Event) error { return w.line(CloudEventOf(e)) })
	return w.end(err)
}

// lineWriter writes JSON lines with a deadline per write.
type lineWriter struct {
	s   *Server
	c   echo.Context
	buf *bufio.Writer
}

func (s *Server) lines(c echo.Context) *lineWriter {
	w := &lineWriter{s: s, c: c}
	w.buf = bufio.NewWriterSize(w, lineBuffer)
	return w
}

// Write passes a full buffer on. The first one sends the header: until then an error can still be told.
func (w *lineWriter) Write(b []byte) (int, error) {
	res := w.c.Response()
	if !res.Committed {
		res.Header().Set(echo.HeaderContentType, mimeNDJSON)
		res.WriteHeader(http.StatusOK)
	}
	w.s.mayWrite(w.c)
	return res.Write(b)
}

func (w *lineWriter) line(v any) error {
	b, err := encode(v)
	if err != nil {
		return err
	}
	if _, err := w.buf.Write(append(b, '\n')); err != nil {
		return fmt.Errorf("write to the client: %w", err)
	}
	return nil
}

// end finishes the answer. An answer that broke off is not ended in good order, so that the client sees it is not whole.
func (w *lineWriter) end(err error) error {
	res := w.c.Response()
	if err != nil && !res.Committed {
		return err
	}
	if err != nil {
		w.s.cfg.Logger.Warn("an answer broke off", "request", requestID(w.c), "route", w.c.Path(), "error", err)
		panic(http.ErrAbortHandler)
	}
	if err := w.buf.Flush(); err != nil {
		return fmt.Errorf("write to the client: %w", err)
	}
	if !res.Committed { // nothing to show
		res.Header().Set(echo.HeaderContentType, mimeNDJSON)
		res.WriteHeader(http.StatusOK)
	}
	return nil
}

// resumeAfter applies the id of the last event that a client saw.
func resumeAfter(r *http.Request, q *eventstore.Query) error {
	last := r.Header.Get("Last-Event-ID")
	if last == "" {
		return nil
	}
	n, err := strconv.ParseUint(last, 10, 63)
	if err != nil {
		return &paramError{"Last-Event-ID", fmt.Sprintf("%q is not a log sequence", last)}
	}
	q.FromSeq = max(q.FromSeq, n+1)
	return nil
}

// follow writes server-sent events: the query's past, then what comes, until the client goes, a bound of the query is
// reached, or the server stops.
func (s *Server) follow(c echo.Context, q eventstore.Query) error {
	if err := resumeAfter(c.Request(), &q); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(c.Request().Context())
	queue, ended := make(chan eventstore.Event, feedBuffer), make(chan error, 1)
	go func() {
		ended <- s.cfg.Log.Tail(ctx, q, func(e eventstore.Event) error {
			select {
			case queue <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		close(queue)
	}()
	err := s.pump(c, queue)
	cancel()
	for range queue { // until the reader has ended
	}
	if tailErr := <-ended; err == nil && tailErr != nil && !errors.Is(tailErr, context.Canceled) {
		s.cfg.Logger.Warn("an event stream broke off", "request", requestID(c), "error", tailErr)
	}
	return err
}

// pump writes what comes through the queue until it is closed, and comments while nothing comes.
func (s *Server) pump(c echo.Context, queue <-chan eventstore.Event) error {
	res := c.Response()
	h := res.Header()
	h.Set(echo.HeaderContentType, mimeSSE)
	h.Set("X-Accel-Buffering", "no")
	res.WriteHeader(http.StatusOK)
	send := func(text []byte) error {
		s.mayWrite(c)
		if _, err := res.Write(text); err != nil {
			return fmt.Errorf("write to the client: %w", err)
		}
		if err := http.NewResponseController(res).Flush(); err != nil {
			return fmt.Errorf("write to the client: %w", err)
		}
		return nil
	}
	if err := send([]byte("retry: 2000\n\n")); err != nil {
		return err
	}
	beat := time.NewTicker(s.cfg.Heartbeat)
	defer beat.Stop()
	for {
		select {
		case <-c.Request().Context().Done():
			return nil
		case <-s.stopping:
			return send([]byte(": the server stops\n\n"))
		case <-beat.C:
			if err := send([]byte(": still here\n\n")); err != nil {
				return err
			}
		case e, ok := <-queue:
			if !ok {
				return nil
			}
			text, err := messages(e, queue)
			if err != nil {
				return err
			}
			if err := send(text); err != nil {
				return err
			}
		}
	}
}

// messages writes an event and those that already wait behind it.
func messages(e eventstore.Event, queue <-chan eventstore.Event) ([]byte, error) {
	var text []byte
	for {
		b, err := encode(CloudEventOf(e))
		if err != nil {
			return nil, err
		}
		text = fmt.Appendf(text, "id: %d\ndata: %s\n\n", e.Sequence, b)
		if len(text) >= lineBuffer {
			return text, nil
		}
		select {
		case next, ok := <-queue:
			if !ok {
				return text, nil
			}
			e = next
		default:
			return text, nil
		}
	}
}
