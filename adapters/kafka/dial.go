package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

type dialFunc func(ctx context.Context, network, host string) (net.Conn, error)

// dialer opens connections that hangUp closes: the client by itself does not end one on which it waits for a greeting.
func (p *Properties) dialer() (dialFunc, context.CancelFunc, error) {
	d := &dialling{network: p.Network, limit: clampOverhead(p.RequestTimeout), hosts: map[string]*host{}}
	if p.Security.TLS {
		d.tls = &credentials{security: p.Security}
		if _, err := d.tls.config(); err != nil {
			return nil, nil, err
		}
	}
	alive, hangUp := context.WithCancel(context.Background())
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		defer context.AfterFunc(alive, cancel)()
		conn, err := d.dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &ownedConn{Conn: conn, dialling: d, address: address, forget: context.AfterFunc(alive, func() { conn.Close() })}, nil
	}, hangUp, nil
}

// dialling opens connections as the Java client's properties say: the time for an attempt and the pause before it grow
// with the failures of the host.
type dialling struct {
	network Network
	limit   time.Duration // request.timeout.ms bounds an attempt too
	tls     *credentials  // nil without TLS

	mu    sync.Mutex // guards hosts and what they point to
	hosts map[string]*host
}

// host is what is remembered of an address whose last attempt failed, or whose last connection ended before the broker
// said a word.
type host struct {
	failures int
	next     time.Time // of the next attempt
}

func (d *dialling) dial(ctx context.Context, network, address string) (net.Conn, error) {
	pause, limit := d.plan(address)
	if pause > 0 && !wait(ctx, pause) {
		return nil, ctx.Err()
	}
	conn, err := d.open(ctx, network, address, limit)
	if err != nil && ctx.Err() == nil {
		d.learn(address, err)
	}
	return conn, err // whether a connection is of use is told by what comes of it
}

// plan tells how long to wait before the next attempt, and how long that may take.
func (d *dialling) plan(address string) (pause, limit time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h := d.hosts[address]
	if h == nil {
		return 0, min(d.network.SetupTimeout, d.limit)
	}
	return time.Until(h.next), min(doubled(d.network.SetupTimeout, d.network.SetupMost, h.failures), d.limit)
}

func (d *dialling) learn(address string, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		delete(d.hosts, address)
		return
	}
	h := d.hosts[address]
	if h == nil {
		h = &host{}
		d.hosts[address] = h
	}
	h.next = time.Now().Add(doubled(d.network.ReconnectPause, d.network.ReconnectMax, h.failures))
	h.failures++
}

// doubled is the first of a row of pauses, doubled n times, and at most the last.
func doubled(first, most time.Duration, n int) time.Duration {
	for range min(n, 30) {
		if first >= most {
			break
		}
		first *= 2
	}
	return min(first, most)
}

func (d *dialling) open(ctx context.Context, network, address string, limit time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		// A system that does not take a size has a better one.
		if d.network.ReceiveBuffer > 0 {
			_ = tcp.SetReadBuffer(d.network.ReceiveBuffer)
		}
		if d.network.SendBuffer > 0 {
			_ = tcp.SetWriteBuffer(d.network.SendBuffer)
		}
	}
	if d.tls == nil {
		return conn, nil
	}
	config, err := d.tls.config()
	if err != nil {
		conn.Close()
		return nil, err
	}
	config = config.Clone()
	if config.ServerName, _, err = net.SplitHostPort(address); err != nil {
		config.ServerName = address
	}
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// errNoAnswer is what is learned of a broker that takes connections and says nothing.
var errNoAnswer = errors.New("the connection ended before the broker had answered")

// ownedConn is a connection that hangUp closes. It tells the dialling what came of it: as with the Java client the pauses
// between attempts grow until a broker answers, not until it takes a connection.
type ownedConn struct {
	net.Conn
	dialling *dialling
	address  string
	answered atomic.Bool
	// forget is called at the end; it answers false where hangUp was called before.
	forget func() bool
}

func (c *ownedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && !c.answered.Load() && !c.answered.Swap(true) {
		c.dialling.learn(c.address, nil)
	}
	return n, err
}

func (c *ownedConn) Close() error {
	// Who closes twice, or after the end, has nothing to tell.
	if c.forget() && !c.answered.Swap(true) {
		c.dialling.learn(c.address, errNoAnswer)
	}
	return c.Conn.Close()
}
