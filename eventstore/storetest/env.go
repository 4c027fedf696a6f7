package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"ogham/eventstore"
)

// Env is a running server or cluster.
type Env struct {
	// URL is the comma-separated addresses of the servers.
	URL string
	// Options carry the credentials.
	Options []nats.Option
	// Replicas is the number of replicas to ask for.
	Replicas int
}

// patience bounds what one context is made for. It is far above what is needed: only a test that fails waits so long.
const patience = 3 * time.Minute

var streams atomic.Int64

// Context returns one that ends with the test.
func Context(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// Config returns the configuration of a log that no other test uses.
func (e Env) Config() eventstore.Config {
	n := streams.Add(1)
	return eventstore.Config{
		Stream:        fmt.Sprintf("TEST%d", n),
		SubjectPrefix: fmt.Sprintf("test.n%d", n),
		Replicas:      e.Replicas,
		SyncedServer:  true,
		Logger:        slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

// Connect opens a connection that is closed with the test.
func (e Env) Connect(t testing.TB, opts ...nats.Option) *nats.Conn {
	t.Helper()
	all := append([]nats.Option{
		nats.MaxReconnects(-1), nats.ReconnectWait(10 * time.Millisecond), nats.ReconnectBufSize(-1),
		nats.ReconnectJitter(time.Millisecond, time.Millisecond),
	}, e.Options...)
	nc, err := nats.Connect(e.URL, append(all, opts...)...)
	if err != nil {
		t.Fatalf("connect to %s: %v", e.URL, err)
	}
	t.Cleanup(nc.Close)
	return nc
}

// Open opens a store that is closed with the test.
func Open(t testing.TB, nc *nats.Conn, cfg eventstore.Config) *eventstore.Store {
	t.Helper()
	s, err := eventstore.Open(Context(t), nc, cfg)
	if err != nil {
		t.Fatalf("open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return s
}

// fresh opens a log of its own.
func (e Env) fresh(t testing.TB) *eventstore.Store {
	t.Helper()
	return Open(t, e.Connect(t), e.Config())
}

var ids atomic.Int64

// NewEvent returns a supervisor's event with an id that no other has.
func NewEvent(typ, token string) eventstore.NewEvent {
	n := ids.Add(1)
	return eventstore.NewEvent{
		Kind: eventstore.KindSupervisor, Type: typ, Token: token,
		ID: fmt.Sprintf("ev-%d", n), Time: time.Unix(1_700_000_000+n, 123456789),
		Epoch: 7, Actor: "tëst, 100% \"us\ner\"", Data: fmt.Appendf(nil, `{"n":%d,"text":"<&>"}`, n),
	}
}

// NewTaskEvent returns a task's event.
func NewTaskEvent(task, typ, token string) eventstore.NewEvent {
	e := NewEvent(typ, token)
	e.Kind, e.TaskID = eventstore.KindTask, task
	return e
}

// lossyDialer dials connections whose answers can be cut off: what the client
// sends arrives, what the server says does not.
type lossyDialer struct {
	mu    sync.Mutex
	conns []*lossyConn // guarded by mu
}

// Dial opens one such connection.
func (d *lossyDialer) Dial(network, address string) (net.Conn, error) {
	c, err := net.DialTimeout(network, address, 5*time.Second)
	if err != nil {
		return nil, err
	}
	lc := &lossyConn{Conn: c, lost: make(chan struct{})}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.conns = append(d.conns, lc)
	return lc, nil
}

// cutAnswer makes the newest connection lose the next answer, and then itself.
func (d *lossyDialer) cutAnswer() *lossyConn {
	d.mu.Lock()
	defer d.mu.Unlock()
	c := d.conns[len(d.conns)-1]
	c.deaf.Store(true)
	return c
}

type lossyConn struct {
	net.Conn
	deaf atomic.Bool
	once sync.Once
	lost chan struct{} // closed when an answer was thrown away
}

// Read throws away what arrives once the connection is deaf.
func (c *lossyConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if c.deaf.Load() && n > 0 {
		c.once.Do(func() { close(c.lost) })
		return 0, errors.Join(io.EOF, c.Conn.Close())
	}
	return n, err
}

func dialer(d *lossyDialer) nats.Option { return nats.SetCustomDialer(d) }
