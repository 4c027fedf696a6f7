package natsserver

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"strconv"
	"time"
)

const (
	// defaultReserveBytes is left free on the store's disk: JetStream's write
	// errors on a really full disk are sticky, so it must never get there.
	defaultReserveBytes = 512 << 20
	// defaultMaxPayloadBytes is NATS' own default.
	defaultMaxPayloadBytes = 1 << 20
	// defaultReadyTimeout allows for the recovery of a log of some millions of
	// events without its index.
	defaultReadyTimeout = 60 * time.Second
)

// Config says how the embedded server runs. Only StoreDir is required.
type Config struct {
	// StoreDir is the folder of the log. It is created when absent, and one
	// process at a time may hold it.
	StoreDir string
	// Listen is "host:port" for clients in other processes; port 0 takes a free
	// one. Empty means that only this process can connect.
	Listen string
	// Username and Password, where set, are asked of every network client and
	// give it full rights. Where empty, a network client may subscribe to events
	// as they come and do nothing else.
	Username, Password string
	// Name is the server's name. Default: "ogham". In a cluster each needs its own.
	Name string
	// Cluster joins several servers; nil runs one alone.
	Cluster *Cluster
	// MaxStoreBytes caps the store. Zero, and anything above it, means what the
	// store holds already plus the free space of the disk less ReserveBytes.
	MaxStoreBytes int64
	// ReserveBytes is kept free on the disk. Default: 512 MiB, but never more
	// than half of what is free.
	ReserveBytes int64
	// MaxPayloadBytes limits one message with its headers. Default: 1 MiB.
	MaxPayloadBytes int32
	// ReadyTimeout bounds the wait for the store's recovery. Default: 60 s.
	ReadyTimeout time.Duration
	// Logger receives the server's own messages. Default: slog.Default().
	Logger *slog.Logger
}

// Cluster names the peers of a server.
type Cluster struct {
	// Name is the same on every server of the cluster.
	Name string
	// Listen is "host:port" for the other servers.
	Listen string
	// Routes are the other servers' addresses, "host:port".
	Routes []string
}

func (c Config) withDefaults() (Config, error) {
	if c.StoreDir == "" {
		return c, errors.New("embedded server: no store folder is named")
	}
	if (c.Username == "") != (c.Password == "") {
		return c, errors.New("embedded server: a user name and a password go together")
	}
	if c.Name == "" {
		c.Name = "ogham"
	}
	if c.MaxPayloadBytes <= 0 {
		c.MaxPayloadBytes = defaultMaxPayloadBytes
	}
	if c.ReadyTimeout <= 0 {
		c.ReadyTimeout = defaultReadyTimeout
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.ReserveBytes <= 0 {
		c.ReserveBytes = defaultReserveBytes
	}
	return c, nil
}

// listenAddress splits "host:port"; the server's option for a free port is -1.
func listenAddress(what, addr string) (string, int, error) {
	host, p, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("%s %q: %w", what, addr, err)
	}
	port, err := strconv.ParseUint(p, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%s %q: port: %w", what, addr, err)
	}
	if port == 0 {
		return host, -1, nil
	}
	return host, int(port), nil
}

func routeURLs(routes []string) ([]*url.URL, error) {
	urls := make([]*url.URL, 0, len(routes))
	for _, r := range routes {
		if _, _, err := net.SplitHostPort(r); err != nil {
			return nil, fmt.Errorf("cluster route %q: %w", r, err)
		}
		urls = append(urls, &url.URL{Scheme: "nats", Host: r})
	}
	return urls, nil
}
