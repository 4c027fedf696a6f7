package eventstore_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"ogham/adapters/natsserver"
	"ogham/eventstore"
	"ogham/eventstore/storetest"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(victimEnv); dir != "" {
		fmt.Fprintln(os.Stderr, victim(dir))
		os.Exit(1)
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

const testUser, testPassword = "test", "test-password"

var quiet = slog.New(slog.NewTextHandler(io.Discard, nil))

func startServer(t testing.TB, cfg natsserver.Config) *natsserver.Server {
	t.Helper()
	cfg.Username, cfg.Password = testUser, testPassword
	if cfg.Listen == "" {
		cfg.Listen = "127.0.0.1:0"
	}
	cfg.Logger = quiet
	srv, err := natsserver.Start(cfg)
	if err != nil {
		t.Fatalf("start a server: %v", err)
	}
	t.Cleanup(srv.Shutdown)
	return srv
}

func environment(replicas int, servers ...*natsserver.Server) storetest.Env {
	urls := make([]string, len(servers))
	for i, s := range servers {
		urls[i] = s.ClientURL()
	}
	return storetest.Env{
		URL: strings.Join(urls, ","), Replicas: replicas,
		Options: []nats.Option{nats.UserInfo(testUser, testPassword)},
	}
}

func TestSuiteOnOneServer(t *testing.T) {
	storetest.Run(t, environment(1, startServer(t, natsserver.Config{StoreDir: t.TempDir()})))
}

func TestSuiteOnClusterOfThree(t *testing.T) {
	storetest.Run(t, environment(3, startCluster(t)...))
}

// freePorts are free at the moment: the members of a cluster must know each
// other's addresses before the first one starts. They lie below those that a
// system hands out by itself, so that no connection takes one meanwhile; one
// port beside them is held until the test ends, which keeps other processes of
// tests away.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	const first, places = 12000, 500
	step := n + 1
	for i := range places {
		base := first + (os.Getpid()+i)%places*step
		held, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", base))
		if err != nil {
			continue
		}
		if out := listenable(base+1, n); out != nil {
			t.Cleanup(func() { _ = held.Close() })
			return out
		}
		_ = held.Close()
	}
	t.Fatal("there are no free ports")
	return nil
}

// listenable returns the addresses of n ports, or nil where one is taken.
func listenable(first, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = fmt.Sprintf("127.0.0.1:%d", first+i)
		l, err := net.Listen("tcp", out[i])
		if err != nil {
			return nil
		}
		_ = l.Close()
	}
	return out
}

func startCluster(t testing.TB) []*natsserver.Server {
	t.Helper()
	addrs := freePorts(t, 3)
	out := make([]*natsserver.Server, len(addrs))
	for i, addr := range addrs {
		out[i] = startServer(t, natsserver.Config{
			StoreDir: t.TempDir(), Name: fmt.Sprintf("n%d", i),
			Cluster: &natsserver.Cluster{Name: "test", Listen: addr, Routes: addrs},
		})
	}
	return out
}

// TestClusterSurvivesTheLossOfAServer stops one server after another under a
// writer, whose appends are retried meanwhile: none is lost, none is doubled.
func TestClusterSurvivesTheLossOfAServer(t *testing.T) {
	servers := startCluster(t)
	env := environment(3, servers...)
	s := storetest.Open(t, env.Connect(t), env.Config())
	a := s.Aggregate("x")
	var last uint64
	var want []string
	put := func(n int) {
		t.Helper()
		for range n {
			events := []eventstore.NewEvent{storetest.NewEvent("A", ""), storetest.NewTaskEvent("t", "B", "x")}
			if len(want)%3 == 0 {
				events = events[:1]
			}
			for {
				seq, err := a.Append(storetest.Context(t), last, events)
				var u *eventstore.UnavailableError
				if errors.As(err, &u) {
					continue // the same events again, which is harmless
				}
				if err != nil {
					t.Fatal(err)
				}
				last = seq
				break
			}
			for _, e := range events {
				want = append(want, e.ID)
			}
		}
	}
	put(10)
	// In turn it is the one the client speaks to, and the stream's leader.
	for _, srv := range servers {
		if err := srv.Restart(); err != nil {
			t.Fatal(err)
		}
		put(5)
	}
	var got []string
	if _, err := a.Load(storetest.Context(t), 0, func(e eventstore.Event) error {
		got = append(got, e.ID)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the log holds %d events, %d were acknowledged", len(got), len(want))
	}
	if _, err := s.Verify(storetest.Context(t)); err != nil {
		t.Error(err)
	}
}

func TestSoleProcessDoesNotWaitForADeadLeader(t *testing.T) {
	env := environment(1, startServer(t, natsserver.Config{StoreDir: t.TempDir()}))
	cfg := env.Config()
	cfg.SoleProcess = true
	dead := env.Connect(t)
	first, err := storetest.Open(t, dead, cfg).Campaign(storetest.Context(t), "n", 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	// The death of the process, as far as the bucket can tell.
	dead.Close()
	second, err := storetest.Open(t, env.Connect(t), cfg).Campaign(storetest.Context(t), "n", 5*time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	if second.Epoch <= first.Epoch {
		t.Errorf("epoch %d follows %d", second.Epoch, first.Epoch)
	}
	if err := second.Resign(storetest.Context(t)); err != nil {
		t.Error(err)
	}
	// It only ends the renewals: the connection is gone.
	_ = first.Resign(storetest.Context(t))
}
