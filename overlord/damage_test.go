package overlord

import (
	"errors"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"ogham/domain/supervisor"
	"ogham/eventstore"
)

func TestALeaderWhoseLogIsFoundDamagedLeadsNoMore(t *testing.T) {
	h := newHouse(t)
	js, err := jetstream.New(h.nc)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "ogham.v1.supervisor.stranger.SupervisorCreated.-", []byte("no event")); err != nil {
		t.Fatal(err)
	}
	n, err := eventstore.Encode(&supervisor.SupervisorTerminated{})
	if err != nil {
		t.Fatal(err)
	}
	n.ID, n.Time = nuid.Next(), time.Now()
	if _, err := h.store.Append(t.Context(), "other", 0, []eventstore.NewEvent{n}); err != nil {
		t.Fatal(err)
	}
	store, err := eventstore.Open(t.Context(), h.nc, eventstore.Config{
		Upcasters: eventstore.DomainUpcasters(), SyncedServer: true, CheckpointFile: filepath.Join(t.TempDir(), "checkpoint"), Logger: quiet(),
		VerifyAtOpen: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	h.store = store
	s, _ := h.overlord("one")
	leads(h, s)

	var damaged *eventstore.DamagedError
	if err := store.VerifyRest(t.Context()); !errors.As(err, &damaged) {
		t.Fatalf("VerifyRest of a log with a stranger's message: %v, want *DamagedError", err)
	}
	h.until("the lead ends", func() bool { return !s.IsLeader() && s.LeaderURL() != "http://one" })
}
