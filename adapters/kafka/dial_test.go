package kafka

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestPausesAndTimeoutsGrowWithTheFailuresOfAHost(t *testing.T) {
	p, err := ParseProperties(map[string]any{
		"bootstrap.servers": "a:1", "reconnect.backoff.ms": 60_000, "reconnect.backoff.max.ms": 150_000,
		"socket.connection.setup.timeout.ms": 2000, "socket.connection.setup.timeout.max.ms": 5000,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	d := &dialling{network: p.Network, limit: time.Hour, hosts: map[string]*host{}}
	for i, want := range []struct{ pause, limit time.Duration }{
		{0, 2 * time.Second}, {time.Minute, 4 * time.Second}, {2 * time.Minute, 5 * time.Second}, {150 * time.Second, 5 * time.Second},
	} {
		pause, limit := d.plan("a:1")
		if pause > want.pause || pause < want.pause-30*time.Second || limit != want.limit {
			t.Errorf("after %d failures the pause is %v and the limit %v, want %v and %v", i, pause, limit, want.pause, want.limit)
		}
		if pause, limit := d.plan("b:1"); pause != 0 || limit != 2*time.Second {
			t.Errorf("another host waits %v for %v", pause, limit)
		}
		d.learn("a:1", errors.New("refused"))
	}
	d.learn("a:1", nil)
	if pause, limit := d.plan("a:1"); pause != 0 || limit != 2*time.Second {
		t.Errorf("after a success the pause is %v and the limit %v", pause, limit)
	}
}

func TestNetworkDefaults(t *testing.T) {
	p, err := ParseProperties(map[string]any{"bootstrap.servers": "a:1", "retry.backoff.ms": 5000, "connections.max.idle.ms": -1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Network{
		SetupTimeout: 10 * time.Second, SetupMost: 30 * time.Second, ReconnectPause: 50 * time.Millisecond, ReconnectMax: time.Second, RetryPause: 5 * time.Second, RetryMost: 5 * time.Second, Idle: 15 * time.Minute,
	}
	if p.Network != want {
		t.Errorf("%+v, want %+v", p.Network, want)
	}
}

// A broker that ends each connection before it has said anything was never connected to; unlike one that refuses
// connections it can count them.
func TestManyWhoAskADeadBrokerDialAsOne(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var dials atomic.Int64
	accepting := make(chan struct{})
	go func() {
		defer close(accepting)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			dials.Add(1)
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close(); <-accepting })
	// Without TLS each connection is taken, and ends before a word: it counts as a failure all the same.
	for _, c := range []struct {
		protocol string
		many     int
	}{{"SSL", 1}, {"SSL", 100}, {"PLAINTEXT", 1}, {"PLAINTEXT", 100}} {
		many := c.many
		clients := NewClients(nil)
		dials.Store(0)
		began := time.Now()
		var asking sync.WaitGroup
		for range many {
			asking.Go(func() {
				a, err := clients.Admin(map[string]any{
					"bootstrap.servers": l.Addr().String(), "security.protocol": c.protocol, "default.api.timeout.ms": 3000,
				})
				if err != nil {
					t.Error(err)
					return
				}
				defer a.Close()
				var told *StreamError
				if _, err := a.Topic(t.Context(), "t", time.Second); !errors.As(err, &told) || told.ExceptionClass != ClassTimeout {
					t.Errorf("the topic of a dead broker: %v, want a timeout", err)
				}
			})
		}
		asking.Wait()
		clients.Close()
		// Pauses of 50, 100, 200, 400 and 800 ms, and then of a second.
		if got, most := dials.Load(), 7+int64(time.Since(began)/time.Second); got > most || got == 0 {
			t.Errorf("%d who ask by %s dial %d times, want 1 to %d", many, c.protocol, got, most)
		}
	}
}
