package eventstore_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ogham/adapters/natsserver"
	"ogham/eventstore"
	"ogham/eventstore/storetest"
)

// host is a store folder whose server can be stopped, spoiled and started.
type host struct {
	t   *testing.T
	dir string
	cfg eventstore.Config
	srv *natsserver.Server
	nc  *nats.Conn
	s   *eventstore.Store
}

func newHost(t *testing.T) *host {
	h := &host{t: t, dir: t.TempDir()}
	h.cfg = eventstore.Config{
		SyncedServer: true, Logger: quiet,
		CheckpointFile: filepath.Join(t.TempDir(), "deep", "log.checkpoint"),
	}
	h.up()
	t.Cleanup(h.down)
	return h
}

func (h *host) up() {
	h.t.Helper()
	var err error
	if h.srv, err = natsserver.Start(natsserver.Config{StoreDir: h.dir, Logger: quiet}); err != nil {
		h.t.Fatal(err)
	}
	if h.nc, err = h.srv.Connect(); err != nil {
		h.t.Fatal(err)
	}
	if h.s, err = eventstore.Open(storetest.Context(h.t), h.nc, h.cfg); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) down() {
	h.t.Helper()
	if h.srv == nil {
		return
	}
	if err := h.s.Close(); err != nil {
		h.t.Error(err)
	}
	h.nc.Close()
	h.srv.Shutdown()
	h.srv = nil
}

func (h *host) append(n int) uint64 {
	h.t.Helper()
	a := h.s.Aggregate("x")
	last, err := a.LastSequence(storetest.Context(h.t))
	if err != nil {
		h.t.Fatal(err)
	}
	for range n {
		e := storetest.NewEvent("A", "")
		e.Data, _ = json.Marshal(strings.Repeat("y", 400))
		if last, err = a.Append(storetest.Context(h.t), last, []eventstore.NewEvent{e}); err != nil {
			h.t.Fatal(err)
		}
	}
	return last
}

// block is the first block file of the stream, found by its name's shape.
func (h *host) block() string {
	h.t.Helper()
	path := filepath.Join(h.dir, "jetstream", "$G", "streams", "OGHAM", "msgs", "1.blk")
	if _, err := os.Stat(path); err != nil {
		h.t.Fatal(err)
	}
	return path
}

func (h *host) wantDamaged() {
	h.t.Helper()
	d := h.s.Damage()
	if d == nil {
		st, err := h.s.State(storetest.Context(h.t))
		h.t.Fatalf("the damage went unseen: %+v, %v", st, err)
	}
	var ro *eventstore.ReadOnlyError
	_, err := h.s.Append(storetest.Context(h.t), "new", 0, []eventstore.NewEvent{storetest.NewEvent("A", "")})
	if !errors.As(err, &ro) || !errors.As(err, &d) {
		h.t.Errorf("append to a damaged log: %v", err)
	}
	if h.s.ReadOnly() == nil {
		h.t.Error("ReadOnly says that the store can be written")
	}
}

func TestLogGoesOnAfterRestart(t *testing.T) {
	h := newHost(t)
	seq := h.append(5)
	h.down()
	h.up()
	if d := h.s.Damage(); d != nil {
		t.Fatal(d)
	}
	if got := h.append(1); got != seq+1 {
		t.Errorf("the first append after the restart is %d, want %d", got, seq+1)
	}
	if r, err := h.s.Verify(storetest.Context(t)); err != nil || r.Events != seq+1 {
		t.Errorf("Verify = %+v, %v", r, err)
	}
	_, err := eventstore.Open(storetest.Context(t), h.nc, eventstore.Config{SubjectPrefix: "other.v1", Logger: quiet, SyncedServer: true})
	var drift *eventstore.ConfigDriftError
	if !errors.As(err, &drift) {
		t.Errorf("open with another prefix: %v", err)
	}
}

func TestConnectionSurvivesServerRestart(t *testing.T) {
	h := newHost(t)
	seq := h.append(2)
	if err := h.srv.Restart(); err != nil {
		t.Fatal(err)
	}
	if st, err := h.s.State(storetest.Context(t)); err != nil || st.Last != seq {
		t.Errorf("the state just after the restart is %+v, %v", st, err)
	}
	if got := h.append(1); got != seq+1 {
		t.Errorf("the first append after the restart is %d, want %d", got, seq+1)
	}
}

func TestDamagedBlockMakesReadOnly(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"bit flipped amid":  func(b []byte) []byte { b[len(b)/2] ^= 0x40; return b },
		"cut in the middle": func(b []byte) []byte { return b[:len(b)/2] },
		"tail cut":          func(b []byte) []byte { return b[:len(b)-10] },
		"tail zeroed":       func(b []byte) []byte { clear(b[len(b)-100:]); return b },
		"emptied":           func([]byte) []byte { return nil },
	} {
		for _, index := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, index kept %t", name, index), func(t *testing.T) {
				h := newHost(t)
				h.append(60)
				h.down()
				path := h.block()
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, spoil(b), 0o640); err != nil {
					t.Fatal(err)
				}
				if !index {
					if err := os.Remove(filepath.Join(filepath.Dir(path), "index.db")); err != nil && !errors.Is(err, fs.ErrNotExist) {
						t.Fatal(err)
					}
				}
				h.up()
				h.wantDamaged()
				// Being opened read-only must not make the next start forget it.
				h.down()
				h.up()
				h.wantDamaged()
			})
		}
	}
}

func TestLostStreamIsDamage(t *testing.T) {
	h := newHost(t)
	h.append(3)
	h.down()
	if err := os.RemoveAll(filepath.Join(h.dir, "jetstream")); err != nil {
		t.Fatal(err)
	}
	h.up()
	h.wantDamaged()
}

func TestUnreadableCheckpointMakesReadOnly(t *testing.T) {
	h := newHost(t)
	h.append(3)
	h.down()
	if err := os.WriteFile(h.cfg.CheckpointFile, []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	h.up()
	h.wantDamaged()
}

func TestReplacedEventIsSeenByCheckpoint(t *testing.T) {
	h := newHost(t)
	h.append(3)
	h.down()
	snap, ok := eventstore.ReadSnapshotFile(h.cfg.CheckpointFile, 1)
	if !ok {
		t.Fatal("no checkpoint was written")
	}
	forged := strings.Replace(string(snap.Data), `"hash":"`, `"hash":"0`, 1)
	snap.Data = []byte(forged)
	if err := eventstore.WriteSnapshotFile(h.cfg.CheckpointFile, snap); err != nil {
		t.Fatal(err)
	}
	h.up()
	h.wantDamaged()
}

// TestForeignWriteIsFound shows what the chain sees: a copy, a change and a
// stranger that reached the stream past the store.
func TestForeignWriteIsFound(t *testing.T) {
	h := newHost(t)
	h.append(3)
	ctx := storetest.Context(t)
	js, err := jetstream.New(h.nc)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(ctx, "OGHAM")
	if err != nil {
		t.Fatal(err)
	}
	m, err := stream.GetMsg(ctx, 2)
	if err != nil {
		t.Fatal(err)
	}
	m.Header.Del(jetstream.MsgIDHeader)
	m.Header.Del(jetstream.ExpectedLastSubjSeqHeader)
	m.Header.Del(jetstream.ExpectedLastSubjSeqSubjHeader)
	for _, data := range [][]byte{m.Data, []byte(`"changed"`)} {
		if _, err := js.PublishMsg(ctx, &nats.Msg{Subject: m.Subject, Header: m.Header, Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := js.Publish(ctx, "ogham.v1.supervisor.y.A.-", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	var d *eventstore.DamagedError
	_, err = h.s.Verify(ctx)
	if !errors.As(err, &d) || d.Sequence != 4 || len(d.Problems) != 4 {
		t.Fatalf("Verify says %v", err)
	}
	n := 0
	_, err = h.s.Load(ctx, "x", 0, func(eventstore.Event) error { n++; return nil })
	if !errors.As(err, &d) {
		t.Errorf("load gave %v after %d events", err, n)
	}
	if _, err := h.s.Load(ctx, "y", 0, nil); !errors.As(err, &d) {
		t.Errorf("load of the stranger gave %v", err)
	}
}

func TestReadOnlyOpensAnExistingLogOnly(t *testing.T) {
	h := newHost(t)
	h.append(2)
	cfg := h.cfg
	cfg.ReadOnly, cfg.CheckpointFile = true, ""
	s := storetest.Open(t, h.nc, cfg)
	var ro *eventstore.ReadOnlyError
	if _, err := s.Append(storetest.Context(t), "x", 2, []eventstore.NewEvent{storetest.NewEvent("A", "")}); !errors.As(err, &ro) {
		t.Errorf("append gave %v", err)
	}
	n := 0
	if err := s.Replay(storetest.Context(t), eventstore.Query{}, func(eventstore.Event) error { n++; return nil }); err != nil || n != 2 {
		t.Errorf("replay gave %d events, %v", n, err)
	}
	cfg.Stream, cfg.SubjectPrefix = "ABSENT", "absent"
	if _, err := eventstore.Open(storetest.Context(t), h.nc, cfg); !errors.Is(err, jetstream.ErrStreamNotFound) {
		t.Errorf("read-only open of no stream: %v", err)
	}
}

func TestFullStoreAnswersUnavailable(t *testing.T) {
	srv := startServer(t, natsserver.Config{StoreDir: t.TempDir(), MaxStoreBytes: 64 << 10})
	env := environment(1, srv)
	s := storetest.Open(t, env.Connect(t), env.Config())
	a := s.Aggregate("x")
	var last uint64
	for range 200 {
		e := storetest.NewEvent("A", "")
		e.Data, _ = json.Marshal(strings.Repeat("y", 4000))
		seq, err := a.Append(storetest.Context(t), last, []eventstore.NewEvent{e})
		if err == nil {
			last = seq
			continue
		}
		var u *eventstore.UnavailableError
		if !errors.As(err, &u) || !u.Full {
			t.Fatalf("append to a full store: %v", err)
		}
		if got, err := a.LastSequence(storetest.Context(t)); err != nil || got != last {
			t.Errorf("the last event is %d, %v, want %d", got, err, last)
		}
		return
	}
	t.Fatal("the store never filled")
}
