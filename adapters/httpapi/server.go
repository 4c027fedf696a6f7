package httpapi

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"

	"ogham/domain/spec"
)

// Config says what a Server answers from, and how.
type Config struct {
	// Overlord, Views, Log and Sampler are required.
	Overlord Overlord
	Views    Views
	Log      Log
	Sampler  Sampler
	// Worker is this process's, nil where it has none.
	Worker Worker
	// TaskLogs is required.
	TaskLogs TaskLogs
	// Logger defaults to slog.Default().
	Logger *slog.Logger
	// Version is the program's, shown by /status.
	Version string
	// Properties are shown by /status/properties, secrets masked.
	Properties map[string]string
	// Ready says whether the service takes requests, shown by /status/health. Nil: always.
	Ready func() bool
	// ReadOnly says why nothing can be decided here, such as a damaged log. Where no other node leads either, what is known
	// is still shown, and commands are answered with this error. Nil: never.
	ReadOnly func() error
	// SpecWarnings says what of a spec will not be followed, beyond what reading it tells: it is shown when the spec is
	// posted and, for as long as it runs, in the status. It must be quick and have no value of the spec in it. Nil: nothing.
	SpecWarnings func(*spec.Supervisor) []spec.Problem
	// Now is the clock of reports. Default: time.Now.
	Now func() time.Time
	// BodyLimit is the largest request body in bytes. Default: 32 MiB.
	BodyLimit int64
	// BodyTimeout is how long a client may take to send a request body. Default: 60 s.
	BodyTimeout time.Duration
	// CommandTimeout bounds a command, or a question to the tasks. Default: 60 s.
	CommandTimeout time.Duration
	// Heartbeat is the time between two comments on a silent event stream. Default: 15 s.
	Heartbeat time.Duration
	// WriteTimeout is how long a client may take to accept what is written to it at once. Default: 30 s.
	WriteTimeout time.Duration
	// ShutdownTimeout bounds the wait for open requests at the end. Default: 10 s.
	ShutdownTimeout time.Duration
}

const (
	// defaultBodyLimit is far above what the log takes, so that a spec that is too large is answered in order: who has
	// more to send than is read loses the connection before the answer.
	defaultBodyLimit = 32 << 20
	maxHeaderBytes   = 256 << 10
	headerTimeout    = 10 * time.Second
	idleTimeout      = 2 * time.Minute
)

func (c Config) withDefaults() Config {
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Ready == nil {
		c.Ready = func() bool { return true }
	}
	if c.SpecWarnings == nil {
		c.SpecWarnings = func(*spec.Supervisor) []spec.Problem { return nil }
	}
	if c.ReadOnly == nil {
		c.ReadOnly = func() error { return nil }
	}
	if c.BodyLimit <= 0 {
		c.BodyLimit = defaultBodyLimit
	}
	for d, def := range map[*time.Duration]time.Duration{
		&c.BodyTimeout: 60 * time.Second, &c.CommandTimeout: 60 * time.Second, &c.Heartbeat: 15 * time.Second,
		&c.WriteTimeout: 30 * time.Second, &c.ShutdownTimeout: 10 * time.Second,
	} {
		if *d <= 0 {
			*d = def
		}
	}
	return c
}

// Server answers HTTP. It is safe for concurrent use.
type Server struct {
	cfg  Config
	echo *echo.Echo

	// standing is by supervisor id.
	standing sync.Map

	// stopping is closed when the server begins to stop: event streams end, other requests are finished.
	stopping chan struct{}
	stopOnce sync.Once
}

// New makes a server; Serve starts it.
func New(cfg Config) *Server {
	s := &Server{cfg: cfg.withDefaults(), echo: echo.New(), stopping: make(chan struct{})}
	s.echo.HideBanner = true
	s.echo.HTTPErrorHandler = func(err error, c echo.Context) { s.fail(c, err) }
	s.routes()
	return s
}

// ServeHTTP makes a Server an http.Handler.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.echo.ServeHTTP(w, r) }

// Serve answers on the listener until the context ends, then lets open requests finish. It closes the listener, and
// returns when everything has ended.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	srv := &http.Server{
		Handler: s, ReadHeaderTimeout: headerTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.cfg.Logger.Handler(), slog.LevelDebug),
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	stop := func() { s.stopOnce.Do(func() { close(s.stopping) }) }
	select {
	case err := <-served: // the listener broke: open connections are of no use to anybody
		stop()
		return errors.Join(fmt.Errorf("serve HTTP on %s: %w", ln.Addr(), err), srv.Close())
	case <-ctx.Done():
	}
	stop()
	// The context is over: what is left to do has a time of its own.
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.cfg.ShutdownTimeout)
	defer cancel()
	err := srv.Shutdown(limit)
	if err != nil {
		err = errors.Join(fmt.Errorf("stop HTTP: requests were still open: %w", err), srv.Close())
	}
	if end := <-served; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, fmt.Errorf("serve HTTP on %s: %w", ln.Addr(), end))
	}
	return err
}
