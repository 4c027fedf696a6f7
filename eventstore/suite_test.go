package eventstore_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"ogham/adapters/natsserver"
	"ogham/eventstore/storetest"
)

func TestMain(m *testing.M) {
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
// other's addresses before the first one starts.
func freePorts(t testing.TB, n int) []string {
	t.Helper()
	out := make([]string, n)
	for i := range out {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		out[i] = l.Addr().String()
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
