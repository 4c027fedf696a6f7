package natsserver

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// Server is a running embedded NATS server. It is safe for concurrent use.
type Server struct {
	cfg      Config
	password string // of the in-process user; lives in memory only
	lock     *os.File

	mu     sync.Mutex
	srv    *server.Server // guarded by mu: Restart replaces it
	closed bool           // guarded by mu
}

// Start takes the store folder, starts the server over it and returns once
// JetStream has recovered. A second process over the same folder gets a
// *LockedError.
func Start(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	lock, err := lockDir(cfg.StoreDir)
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, lock: lock, password: rand.Text()}
	if s.srv, err = s.run(); err != nil {
		_ = lock.Close()
		return nil, err
	}
	if addr := s.srv.Addr(); addr != nil && cfg.Listen != "" {
		// A free port, once taken, is kept over a Restart: clients know it.
		s.cfg.Listen = addr.String()
	}
	return s, nil
}

func (s *Server) run() (*server.Server, error) {
	opts, err := s.options()
	if err != nil {
		return nil, err
	}
	srv, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("create embedded server: %w", err)
	}
	log := &slogLogger{log: s.cfg.Logger.With("component", "nats")}
	srv.SetLoggerV2(log, false, false, false)
	srv.Start()
	if err := checkStarted(srv, log, s.cfg); err != nil {
		srv.Shutdown()
		srv.WaitForShutdown()
		return nil, err
	}
	return srv, nil
}

func checkStarted(srv *server.Server, log *slogLogger, cfg Config) error {
	if msg := log.fatalMessage(); msg != "" {
		return fmt.Errorf("start embedded server: %s", msg)
	}
	if !srv.ReadyForConnections(cfg.ReadyTimeout) {
		if msg := log.fatalMessage(); msg != "" {
			return fmt.Errorf("start embedded server: %s", msg)
		}
		return fmt.Errorf("start embedded server: not ready after %s", cfg.ReadyTimeout)
	}
	if !srv.JetStreamEnabled() {
		return errors.New("start embedded server: jetstream is not enabled")
	}
	if js := srv.JetStreamConfig(); js == nil || !js.SyncAlways {
		return errors.New("start embedded server: jetstream would not sync every write")
	}
	return nil
}

func (s *Server) options() (*server.Options, error) {
	limit, err := storeLimit(s.cfg.StoreDir, s.cfg.MaxStoreBytes, s.cfg.ReserveBytes)
	if err != nil {
		return nil, err
	}
	opts := &server.Options{
		ServerName:            s.cfg.Name,
		NoSigs:                true,
		JetStream:             true,
		StoreDir:              s.cfg.StoreDir,
		JetStreamMaxStore:     limit,
		SyncAlways:            true,
		MaxPayload:            s.cfg.MaxPayloadBytes,
		DontListen:            s.cfg.Listen == "",
		DisableShortFirstPing: true,
	}
	if s.cfg.Listen != "" {
		if opts.Host, opts.Port, err = listenAddress("listen address", s.cfg.Listen); err != nil {
			return nil, err
		}
	}
	if err := s.clusterOptions(opts); err != nil {
		return nil, err
	}
	opts.CustomClientAuthentication = &gate{
		password: s.password, networkUser: s.cfg.Username, networkPassword: s.cfg.Password,
	}
	return opts, nil
}

func (s *Server) clusterOptions(opts *server.Options) error {
	c := s.cfg.Cluster
	if c == nil {
		return nil
	}
	host, port, err := listenAddress("cluster address", c.Listen)
	if err != nil {
		return err
	}
	opts.Cluster = server.ClusterOpts{Name: c.Name, Host: host, Port: port}
	opts.Routes, err = routeURLs(c.Routes)
	return err
}

// InProcessConn gives nats.InProcessServer a pipe into the server that runs
// now, so that a connection outlives a Restart.
func (s *Server) InProcessConn() (net.Conn, error) {
	srv := s.current()
	if srv == nil {
		return nil, errors.New("embedded server is shut down")
	}
	return srv.InProcessConn()
}

// Connect opens a connection inside the process. It reconnects for ever, and
// buffers nothing while it is away: a publish that cannot be sent now answers
// an error now.
func (s *Server) Connect(opts ...nats.Option) (*nats.Conn, error) {
	base := []nats.Option{
		nats.InProcessServer(s),
		nats.UserInfo(internalUser, s.password),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(50 * time.Millisecond),
		nats.ReconnectBufSize(-1),
		nats.Name("ogham"),
	}
	nc, err := nats.Connect("", append(base, opts...)...)
	if err != nil {
		return nil, fmt.Errorf("connect to embedded server: %w", err)
	}
	return nc, nil
}

// ClientURL is the address for clients in other processes, or empty when the
// server does not listen.
func (s *Server) ClientURL() string {
	srv := s.current()
	if srv == nil || s.cfg.Listen == "" {
		return ""
	}
	return srv.ClientURL()
}

// SyncAlways reports whether the running server syncs every write. Start
// refuses to run one that does not.
func (s *Server) SyncAlways() bool {
	srv := s.current()
	if srv == nil {
		return false
	}
	js := srv.JetStreamConfig()
	return js != nil && js.SyncAlways
}

// MaxStoreBytes is the limit the store runs under.
func (s *Server) MaxStoreBytes() int64 {
	srv := s.current()
	if srv == nil {
		return 0
	}
	if js := srv.JetStreamConfig(); js != nil {
		return js.MaxStore
	}
	return 0
}

// Restart stops the server and starts it again over the same folder, with its
// storage limit measured anew: JetStream keeps answering that it is full, or
// not at all, until it is restarted, even after space has been freed. Open
// connections reconnect by themselves.
func (s *Server) Restart() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("restart embedded server: it is shut down")
	}
	s.stop()
	srv, err := s.run()
	if err != nil {
		return fmt.Errorf("restart: %w", err)
	}
	s.srv = srv
	return nil
}

// Shutdown stops the server, waits until it has stopped and gives the store
// folder back. Calling it again does nothing.
func (s *Server) Shutdown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	s.closed = true
	s.stop()
	_ = s.lock.Close()
}

// stop is called with mu held, which a connection that asks for a pipe
// meanwhile waits for: there is no server to give it.
func (s *Server) stop() {
	if s.srv == nil {
		return
	}
	s.srv.Shutdown()
	s.srv.WaitForShutdown()
	s.srv = nil
}

func (s *Server) current() *server.Server {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.srv
}
