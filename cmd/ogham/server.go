package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nuid"

	"ogham/adapters/httpapi"
	"ogham/adapters/inputformat"
	"ogham/adapters/kafka"
	"ogham/adapters/natsserver"
	"ogham/domain/spec"
	"ogham/eventstore"
	"ogham/overlord"
	"ogham/projections"
)

// checkpointFile is the log's own checkpoint, outside JetStream's folder.
const checkpointFile = "log-checkpoint.json"

// leaderWait bounds how long the start of a server with its own log waits for its own election.
const leaderWait = 15 * time.Second

// app is a running server. Its parts are stopped in the reverse order of what they need: requests, tasks, decisions,
// projections, the log.
type app struct {
	cfg    *config
	log    *slog.Logger
	url    string
	disk   *diskWatch // nil where the log is elsewhere
	failed chan error // a part ended that should not have
	// formats makes the parsers of all tasks and samples, which share the schemas that were fetched.
	formats *inputformat.Formats

	steps []func() error // how to stop, run from the last
}

// gcPercent is lower than Go's 100: what a task has in memory is mostly numbers, which cost the collector nothing, so that
// 30 MB less are bought with less than a hundredth of the speed.
const gcPercent = 75

// runServer is `ogham server`.
func runServer(ctx context.Context, args, env []string, stderr io.Writer) error {
	c, err := parseConfig("server", args, env, stderr, nil)
	if err != nil {
		return err
	}
	log := newLogger(stderr, c.logLevel)
	if _, given := os.LookupEnv("GOGC"); !given {
		debug.SetGCPercent(gcPercent)
	}
	a, err := startApp(ctx, c, log)
	if err != nil {
		return err
	}
	log.Info("ogham is ready", "version", version, "url", a.url, "data", c.dataDir, "roles", c.roles)
	err = a.wait(ctx)
	log.Info("stopping")
	return errors.Join(err, a.stop())
}

// startApp starts every part. On an error it stops those that it has started.
func startApp(ctx context.Context, c *config, log *slog.Logger) (_ *app, err error) {
	a := &app{
		cfg: c, log: log, failed: make(chan error, 8), formats: &inputformat.Formats{Env: environment, TLS: kafka.ClientTLS},
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.stop())
		}
	}()
	for _, name := range c.ignored() {
		log.Warn("this property of Druid has no effect", "property", name)
	}
	if err := os.MkdirAll(c.dataDir, 0o755); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	ln, err := a.listen()
	if err != nil {
		return nil, err
	}
	restored := a.restoreProjections()
	nc, err := a.connect()
	if err != nil {
		return nil, err
	}
	store, err := a.openStore(ctx, nc)
	if err != nil {
		return nil, err
	}
	views, err := a.startProjections(store, restored)
	if err != nil {
		return nil, err
	}
	clients := kafka.NewClients(environment)
	a.onStop(func() error { clients.Close(); return nil })
	sealer, err := a.openSealer(ctx, store)
	if err != nil {
		return nil, err
	}
	a.formats.Open = sealer.OpenFormat
	lord, err := a.startOverlord(nc, store, views, openStream(clients, sealer))
	if err != nil {
		return nil, err
	}
	logs, err := a.startTaskLogs(nc)
	if err != nil {
		return nil, err
	}
	parts := httpapi.Config{TaskLogs: logs}
	if c.is("worker") {
		w, err := a.startWorker(nc, sealer, logs)
		if err != nil {
			return nil, err
		}
		parts.Worker = w
	}
	samples, err := a.openSampler(clients, sealer)
	if err != nil {
		return nil, err
	}
	door := &sealing{Service: lord, sealer: sealer, formats: a.formats}
	parts.Overlord, parts.Views, parts.Log, parts.Sampler, parts.SpecWarnings = door, views, store, sampling{samples}, door.warnings
	parts.Ready, parts.ReadOnly = func() bool { return lord.IsLeader() || lord.LeaderURL() != "" }, store.ReadOnly
	a.serve(ln, parts)
	if c.nats == "" && store.ReadOnly() == nil {
		waitFor(ctx, leaderWait, lord.IsLeader)
	}
	a.spawn("log check", func(ctx context.Context) error { return a.checkLog(ctx, store) })
	return a, nil
}

// listen takes the address of the HTTP API, which is served last, and finds out under which URL others reach it.
func (a *app) listen() (net.Listener, error) {
	ln, err := net.Listen("tcp", a.cfg.listen)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", a.cfg.listen, err)
	}
	a.onStop(func() error { _ = ln.Close(); return nil })
	if a.url = a.cfg.advertise; a.url == "" {
		at, err := reachable(ln.Addr())
		if err != nil {
			return nil, err
		}
		a.url = "http://" + at
	}
	return ln, nil
}

func (a *app) onStop(fn func() error) { a.steps = append(a.steps, fn) }

// stop stops all parts and waits for them.
func (a *app) stop() error {
	var errs []error
	for i := len(a.steps) - 1; i >= 0; i-- {
		errs = append(errs, a.steps[i]())
	}
	a.steps = nil
	return errors.Join(errs...)
}

// wait returns the error of a part that failed, or nil at the end of ctx.
func (a *app) wait(ctx context.Context) error {
	select {
	case err := <-a.failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// spawn runs a part under a context of its own, which stop ends in its turn.
func (a *app) spawn(what string, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := run(ctx); err != nil && ctx.Err() == nil {
			select {
			case a.failed <- fmt.Errorf("%s: %w", what, err):
			default:
			}
		}
	})
	a.onStop(func() error { cancel(); wg.Wait(); return nil })
}

// connect starts the embedded NATS server, or connects to the external one.
func (a *app) connect() (*nats.Conn, error) {
	opts := []nats.Option{nats.Name("ogham " + a.cfg.nodeID), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond)}
	if a.cfg.nats != "" {
		if a.cfg.natsCreds != "" {
			opts = append(opts, nats.UserCredentials(a.cfg.natsCreds))
		}
		if a.cfg.natsCA != "" {
			opts = append(opts, nats.RootCAs(a.cfg.natsCA))
		}
		nc, err := nats.Connect(a.cfg.nats, opts...)
		if err != nil {
			return nil, fmt.Errorf("connect to NATS: %w", err)
		}
		a.onStop(func() error { nc.Close(); return nil })
		return nc, nil
	}
	srv, err := natsserver.Start(natsserver.Config{
		StoreDir: filepath.Join(a.cfg.dataDir, "jetstream"), Listen: a.cfg.natsListen,
		Username: a.cfg.natsUser, Password: a.cfg.natsPassword, Logger: a.log,
	})
	if err != nil {
		return nil, fmt.Errorf("start the embedded NATS server: %w", err)
	}
	a.onStop(func() error { srv.Shutdown(); return nil })
	a.disk = &diskWatch{dir: a.cfg.dataDir, srv: srv, log: a.log}
	a.spawn("disk watch", a.disk.run)
	if a.cfg.natsListen != "" {
		a.log.Info("NATS is open", "url", srv.ClientURL())
	}
	nc, err := srv.Connect(opts...)
	if err != nil {
		return nil, fmt.Errorf("connect to the embedded NATS server: %w", err)
	}
	a.onStop(func() error { nc.Close(); return nil })
	return nc, nil
}

func (a *app) openStore(ctx context.Context, nc *nats.Conn) (*eventstore.Store, error) {
	store, err := eventstore.Open(ctx, nc, eventstore.Config{
		Replicas: a.cfg.replicas, Source: "/ogham/" + a.cfg.nodeID, Upcasters: eventstore.DomainUpcasters(),
		CheckpointFile: filepath.Join(a.cfg.dataDir, checkpointFile), SyncedServer: a.cfg.nats == "",
		SoleProcess: a.cfg.nats == "" && a.cfg.natsListen == "", Logger: a.log,
	})
	if err != nil {
		return nil, fmt.Errorf("open the log: %w", err)
	}
	a.onStop(store.Close)
	a.spawn("log configuration watch", func(ctx context.Context) error { return a.watchLog(ctx, store) })
	return store, nil
}

// watchLog looks for a changed configuration of the stream: denied deletes do not stop somebody from setting limits.
func (a *app) watchLog(ctx context.Context, store *eventstore.Store) error {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
		var drift *eventstore.ConfigDriftError
		if err := store.CheckConfig(ctx); errors.As(err, &drift) {
			a.log.Error("the log's configuration was changed from outside", "error", drift)
		}
	}
}

// checkLog looks at what the start left unread of the log, once it can take its time.
func (a *app) checkLog(ctx context.Context, store *eventstore.Store) error {
	err := store.VerifyRest(ctx)
	var damaged *eventstore.DamagedError
	if err != nil && ctx.Err() == nil && !errors.As(err, &damaged) { // of damage the store has told, and it takes no more
		a.log.Warn("the older events of the log were not checked", "error", err)
	}
	return nil
}

// restoreProjections begins to read the snapshots, which needs no log, and returns what waits for that.
func (a *app) restoreProjections() func() (*projections.Runner, error) {
	restored := sync.OnceValues(func() (*projections.Runner, error) {
		return projections.Open(projections.Config{Dir: filepath.Join(a.cfg.dataDir, "projections"), Logger: a.log})
	})
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = restored() })
	a.onStop(func() error { wg.Wait(); return nil })
	return restored
}

func (a *app) startProjections(store *eventstore.Store, restored func() (*projections.Runner, error)) (*projections.Runner, error) {
	views, err := restored()
	if err != nil {
		return nil, err
	}
	follow := views.Run
	if store.Damage() != nil {
		follow = views.ReadOn
	}
	a.spawn("projections", func(ctx context.Context) error { return follow(ctx, store) })
	return views, nil
}

func (a *app) startOverlord(nc *nats.Conn, store *eventstore.Store, views *projections.Runner, open func(*spec.Supervisor) (overlord.Stream, error)) (*overlord.Service, error) {
	cfg := overlord.Config{
		Store: store, NATS: nc, Catalog: views, Sampler: lagSampler{views}, OpenStream: open,
		Thresholds: a.cfg.thresholds, Idle: a.cfg.idle, NodeID: a.cfg.nodeID, URL: a.url, Logger: a.log,
		Now: time.Now, NewID: nuid.Next,
	}
	if a.disk != nil {
		cfg.Writable, cfg.Full = a.disk.writable, a.disk.full
	}
	lord := overlord.New(cfg)
	if a.cfg.is("overlord") {
		a.spawn("overlord", lord.Run)
		return lord, nil
	}
	stop, err := lord.Follow()
	if err != nil {
		return nil, err
	}
	a.onStop(func() error { stop(); return nil })
	return lord, nil
}

func (a *app) serve(ln net.Listener, parts httpapi.Config) {
	parts.Logger, parts.Version, parts.Properties = a.log, version, a.cfg.properties
	api := httpapi.New(parts)
	a.spawn("HTTP", func(ctx context.Context) error {
		err := api.Serve(ctx, ln)
		if errors.Is(err, http.ErrServerClosed) {
			return nil
		}
		return err
	})
}

func newLogger(w io.Writer, level string) *slog.Logger {
	var l slog.Level
	// parseConfig has refused what is no level.
	_ = l.UnmarshalText([]byte(level))
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: l}))
}
