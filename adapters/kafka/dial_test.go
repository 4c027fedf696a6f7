package kafka

import (
	"errors"
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
		SetupTimeout: 10 * time.Second, SetupMost: 30 * time.Second, RetryPause: 5 * time.Second, RetryMost: 5 * time.Second, Idle: 15 * time.Minute,
	}
	if p.Network != want {
		t.Errorf("%+v, want %+v", p.Network, want)
	}
}
