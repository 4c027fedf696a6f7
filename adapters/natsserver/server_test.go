package natsserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
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

func start(t *testing.T, cfg Config) *Server {
	t.Helper()
	if cfg.StoreDir == "" {
		cfg.StoreDir = t.TempDir()
	}
	cfg.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	s, err := Start(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Shutdown)
	return s
}

func connect(t *testing.T, s *Server) *nats.Conn {
	t.Helper()
	nc, err := s.Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return nc
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func makeStream(t *testing.T, nc *nats.Conn) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(testContext(t), jetstream.StreamConfig{Name: "LOG", Subjects: []string{"ogham.>"}}); err != nil {
		t.Fatal(err)
	}
	return js
}

func TestSecondServerOnOneFolderIsRefused(t *testing.T) {
	s := start(t, Config{})
	_, err := Start(Config{StoreDir: s.cfg.StoreDir})
	var locked *LockedError
	if !errors.As(err, &locked) || locked.Holder != strconv.Itoa(os.Getpid()) {
		t.Fatalf("a second start gave %v", err)
	}
	s.Shutdown()
	s.Shutdown()
	start(t, Config{StoreDir: s.cfg.StoreDir})
}

func TestBadConfigurationIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, cfg := range map[string]Config{
		"no folder":      {},
		"folder a file":  {StoreDir: file},
		"no port":        {StoreDir: t.TempDir(), Listen: "localhost"},
		"port a word":    {StoreDir: t.TempDir(), Listen: "localhost:x"},
		"port too large": {StoreDir: t.TempDir(), Listen: "localhost:65536"},
		"half a login":   {StoreDir: t.TempDir(), Username: "u"},
		"bad route":      {StoreDir: t.TempDir(), Cluster: &Cluster{Name: "c", Listen: "localhost:0", Routes: []string{"x"}}},
	} {
		if s, err := Start(cfg); err == nil {
			s.Shutdown()
			t.Errorf("%s: it started", name)
		}
	}
}

func TestTakenPortIsAnError(t *testing.T) {
	s := start(t, Config{Listen: "127.0.0.1:0"})
	addr := strings.TrimPrefix(s.ClientURL(), "nats://")
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	dir := t.TempDir()
	if s2, err := Start(Config{StoreDir: dir, Listen: addr, Logger: log}); err == nil {
		s2.Shutdown()
		t.Fatalf("two servers listen on %s", addr)
	}
	// The failed start has given the folder back.
	start(t, Config{StoreDir: dir})
}

func TestStrangersOnlyListen(t *testing.T) {
	s := start(t, Config{Listen: "127.0.0.1:0"})
	inside := connect(t, s)
	makeStream(t, inside)
	violations := make(chan error, 10)
	outside, err := nats.Connect(s.ClientURL(), nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
		violations <- err
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer outside.Close()
	sub, err := outside.SubscribeSync("ogham.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := outside.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := inside.Publish("ogham.v1.x", []byte("seen")); err != nil {
		t.Fatal(err)
	}
	if m, err := sub.NextMsgWithContext(testContext(t)); err != nil || string(m.Data) != "seen" {
		t.Fatalf("a stranger's subscription gave %v, %v", m, err)
	}
	for _, subject := range []string{"ogham.v1.x", "$JS.API.STREAM.UPDATE.LOG", "$JS.API.CONSUMER.CREATE.LOG.x", "$KV.OGHAM_LEASE.leader"} {
		if err := outside.Publish(subject, []byte("{}")); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-violations:
			if !errors.Is(err, nats.ErrPermissionViolation) {
				t.Errorf("publish to %s: %v", subject, err)
			}
		case <-testContext(t).Done():
			t.Fatalf("publish to %s was not refused", subject)
		}
	}
	if nc, err := nats.Connect(s.ClientURL(), nats.UserInfo(internalUser, "guess")); err == nil {
		nc.Close()
		t.Error("the internal user came in with a guessed password")
	}
}

func TestConfiguredUserIsAsked(t *testing.T) {
	s := start(t, Config{Listen: "127.0.0.1:0", Username: "op", Password: "secret"})
	for _, opt := range []nats.Option{nats.Name("nobody"), nats.UserInfo("op", "wrong"), nats.UserInfo("", "secret")} {
		if nc, err := nats.Connect(s.ClientURL(), opt); err == nil {
			nc.Close()
			t.Error("came in without the right login")
		}
	}
	nc, err := nats.Connect(s.ClientURL(), nats.UserInfo("op", "secret"))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	makeStream(t, nc)
}

func TestRestartKeepsTheLogAndTheConnection(t *testing.T) {
	s := start(t, Config{})
	if s.ClientURL() != "" {
		t.Errorf("a server that does not listen has the address %q", s.ClientURL())
	}
	nc := connect(t, s)
	js := makeStream(t, nc)
	if _, err := js.Publish(testContext(t), "ogham.x", nil); err != nil {
		t.Fatal(err)
	}
	back := make(chan struct{}, 1)
	nc.SetReconnectHandler(func(*nats.Conn) { back <- struct{}{} })
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-back:
	case <-testContext(t).Done():
		t.Fatal("the connection did not come back")
	}
	ack, err := js.Publish(testContext(t), "ogham.x", nil)
	if err != nil || ack.Sequence != 2 {
		t.Errorf("the publish after the restart gave %+v, %v", ack, err)
	}
	s.Shutdown()
	if err := s.Restart(); err == nil {
		t.Error("a server that was shut down was restarted")
	}
	if _, err := s.Connect(); err == nil {
		t.Error("connected to a server that was shut down")
	}
	if s.SyncAlways() || s.MaxStoreBytes() != 0 || s.ClientURL() != "" {
		t.Error("a server that was shut down has properties")
	}
}

func TestStoreLimitLeavesTheReserve(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "old"), make([]byte, 1<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		t.Fatal(err)
	}
	free := int64(st.Bavail) * int64(st.Bsize)
	got, err := storeLimit(dir, 0, free/4)
	// Others use the disk meanwhile: an eighth of slack.
	if err != nil || got > 1<<20+free-free/8 || got < free/2 {
		t.Errorf("limit %d of %d free, %v", got, free, err)
	}
	if got, _ := storeLimit(dir, 1000, 1); got != 1000 {
		t.Errorf("a limit of 1000 became %d", got)
	}
	if got, _ := storeLimit(dir, 0, free*10); got <= 0 {
		t.Errorf("a reserve above the free space gives %d", got)
	}
	if s := start(t, Config{MaxStoreBytes: 12345678}); s.MaxStoreBytes() != 12345678 {
		t.Errorf("the server runs under %d", s.MaxStoreBytes())
	}
}

// TestEveryWriteIsSynced asks the kernel: once a publish is acknowledged, no
// page of the stream's block file may still be dirty.
func TestEveryWriteIsSynced(t *testing.T) {
	s := start(t, Config{})
	if !s.SyncAlways() {
		t.Fatal("the server says that it does not sync")
	}
	control := filepath.Join(s.cfg.StoreDir, "control")
	if err := os.WriteFile(control, make([]byte, 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	if n, err := dirtyPages(control); err != nil || n == 0 {
		t.Skipf("this system does not tell dirty pages from clean ones: %d, %v", n, err)
	}
	js := makeStream(t, connect(t, s))
	block := filepath.Join(s.cfg.StoreDir, "jetstream", "$G", "streams", "LOG", "msgs", "1.blk")
	for i := range 20 {
		if _, err := js.Publish(testContext(t), "ogham.x", make([]byte, 10_000)); err != nil {
			t.Fatal(err)
		}
		if n, err := dirtyPages(block); err != nil || n != 0 {
			t.Fatalf("after %d acknowledged publishes %d pages are dirty, %v", i+1, n, err)
		}
	}
}

func dirtyPages(path string) (uint64, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	var st unix.Cachestat_t
	if err := unix.Cachestat(uint(f.Fd()), &unix.CachestatRange{}, &st, 0); err != nil {
		return 0, err
	}
	return st.Dirty + st.Writeback, nil
}
