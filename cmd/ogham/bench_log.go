package main

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"ogham/adapters/natsserver"
	"ogham/eventstore"
)

const (
	// benchPayload is about what a usual event carries, benchHeaders what its headers are beyond those of a raw publish.
	benchPayload = 400
	benchHeaders = 460
)

const (
	appendTurn  = 50 // appends of each side before the other's
	replayTurns = 9
	benchLog    = "MEASURED"
)

// log measures appends and replay beside what JetStream does without us, on one embedded server with fsync. The sides take
// short turns and the middle one of the turns' ratios counts, so that a busy second of the machine spoils few of them.
func (b *bench) log(ctx context.Context) error {
	srv, err := natsserver.Start(natsserver.Config{StoreDir: filepath.Join(b.dir, "log"), Logger: newLogger(b.errs, "error")})
	if err != nil {
		return err
	}
	defer srv.Shutdown()
	nc, err := srv.Connect()
	if err != nil {
		return err
	}
	defer nc.Close()
	store, err := eventstore.Open(ctx, nc, eventstore.Config{
		Stream: benchLog, Upcasters: eventstore.Upcasters{"Measured": nil}, SyncedServer: true, CheckpointFile: filepath.Join(b.dir, "checkpoint"),
	})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	raw := map[string]jetstream.Stream{}
	for _, name := range []string{"bare", "full"} {
		if raw[name], err = js.CreateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{name + ".>"}, Storage: jetstream.FileStorage}); err != nil {
			return err
		}
	}
	t := table{head: []string{"the log, fsync on every append", "events/s", "beside", "beside/s", "ratio", "middle half of the turns"}}
	if err := benchAppends(ctx, store, js, b.events, &t); err != nil {
		return fmt.Errorf("measure appends: %w", err)
	}
	if err := benchReplay(ctx, store, js, raw["bare"], b.events, &t); err != nil {
		return fmt.Errorf("measure replay: %w", err)
	}
	t.write(b.out)
	fmt.Fprintln(b.out)
	return nil
}

// side is one of those that take turns.
type side struct {
	name string
	run  func(n int) error
	took []time.Duration
}

// takeTurns runs the sides in short turns, each time from another one on.
func takeTurns(sides []*side, turns, n int) error {
	for turn := range turns {
		for i := range sides {
			s := sides[(turn+i)%len(sides)]
			began := time.Now()
			if err := s.run(n); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
			s.took = append(s.took, time.Since(began))
		}
	}
	return nil
}

// compare adds a line for each of the others beside ours.
func compare(t *table, n int, ours *side, others ...*side) {
	perSecond := func(s *side) string {
		return grouped(int64(float64(n) / middle(s.took).Seconds()))
	}
	for _, o := range others {
		ratios := make([]float64, len(o.took))
		for i := range ratios {
			ratios[i] = o.took[i].Seconds() / ours.took[i].Seconds()
		}
		slices.Sort(ratios)
		k := len(ratios)
		t.add(ours.name, perSecond(ours), o.name, perSecond(o), fmt.Sprintf("%.2f", ratios[k/2]), fmt.Sprintf("%.2f to %.2f", ratios[k/4], ratios[k-1-k/4]))
	}
}

func middle(d []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(d))
	return sorted[len(sorted)/2]
}

func benchAppends(ctx context.Context, store *eventstore.Store, js jetstream.JetStream, n int, t *table) error {
	data := []byte(`{"filler":"` + strings.Repeat("x", benchPayload) + `"}`)
	agg := store.Aggregate("measured")
	var last uint64
	ours := &side{name: "fenced appends", run: func(n int) (err error) {
		for range n {
			if last, err = agg.Append(ctx, last, []eventstore.NewEvent{{
				Kind: eventstore.KindSupervisor, Type: "Measured", SchemaVersion: 1, ID: nuid.Next(), Time: time.Now(), Data: data,
			}}); err != nil {
				return err
			}
		}
		return nil
	}}
	bare := rawPublisher(ctx, js, "a raw publish, same fence and id", "bare", data)
	full := rawPublisher(ctx, js, "the same with as many bytes", "full", append(bytes.Clone(data), strings.Repeat("x", benchHeaders)...))
	if err := takeTurns([]*side{ours, bare, full}, max(n/appendTurn, 1), appendTurn); err != nil {
		return err
	}
	compare(t, appendTurn, ours, bare, full)
	return nil
}

// rawPublisher publishes as a program would that has a fence and a message id, and nothing else of ours.
func rawPublisher(ctx context.Context, js jetstream.JetStream, name, subject string, data []byte) *side {
	var last uint64
	return &side{name: name, run: func(n int) error {
		for range n {
			m := nats.NewMsg(subject + ".Measured.-")
			m.Data = data
			m.Header.Set(nats.MsgIdHdr, nuid.Next())
			m.Header.Set("Nats-Expected-Last-Subject-Sequence", strconv.FormatUint(last, 10))
			m.Header.Set("Nats-Expected-Last-Subject-Sequence-Subject", subject+".>")
			ack, err := js.PublishMsg(ctx, m)
			if err != nil {
				return err
			}
			last = ack.Sequence
		}
		return nil
	}}
}

func benchReplay(ctx context.Context, store *eventstore.Store, js jetstream.JetStream, raw jetstream.Stream, n int, t *table) error {
	n = max(n/appendTurn, 1) * appendTurn
	log, err := js.Stream(ctx, benchLog)
	if err != nil {
		return err
	}
	ours := &side{name: "replay, every hash checked", run: func(n int) error {
		seen := 0
		if err := store.Replay(ctx, eventstore.Query{}, func(eventstore.Event) error { seen++; return nil }); err != nil {
			return err
		}
		if seen != n {
			return fmt.Errorf("%d events came back of %d", seen, n)
		}
		return nil
	}}
	consumer := func(name string, stream jetstream.Stream) *side {
		return &side{name: name, run: func(n int) error {
			cons, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
			if err != nil {
				return err
			}
			msgs, err := cons.Messages()
			if err != nil {
				return err
			}
			defer msgs.Stop()
			for range n {
				if _, err := msgs.Next(); err != nil {
					return err
				}
			}
			return nil
		}}
	}
	bare, same := consumer("a raw ordered consumer of bare messages", raw), consumer("a raw ordered consumer of the same events", log)
	if err := takeTurns([]*side{ours, bare, same}, replayTurns, n); err != nil {
		return err
	}
	compare(t, n, ours, bare, same)
	return nil
}
