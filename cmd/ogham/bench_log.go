package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"ogham/adapters/natsserver"
	"ogham/eventstore"
)

// benchPayload is about what a usual event carries.
const benchPayload = 400

// log measures appends and replay beside what JetStream does without us, on one embedded server with fsync. The two
// sides take turns, so that both meet the same disk.
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
		Upcasters: eventstore.Upcasters{"Measured": nil}, SyncedServer: true, CheckpointFile: filepath.Join(b.dir, "checkpoint"),
	})
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	js, err := jetstream.New(nc)
	if err != nil {
		return err
	}
	raw, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "RAW", Subjects: []string{"raw.>"}, Storage: jetstream.FileStorage})
	if err != nil {
		return err
	}
	ours, theirs, err := benchAppends(ctx, store, js, b.events)
	if err != nil {
		return fmt.Errorf("measure appends: %w", err)
	}
	n := float64(b.events)
	fmt.Fprintf(b.out, "%-34s %12s events/s   %.2f of a raw publish with the same fence (%s/s)\n", "log: fenced appends, fsync",
		grouped(int64(n/ours.Seconds())), theirs.Seconds()/ours.Seconds(), grouped(int64(n/theirs.Seconds())))
	ours, theirs, err = benchReplay(ctx, store, raw, b.events)
	if err != nil {
		return fmt.Errorf("measure replay: %w", err)
	}
	fmt.Fprintf(b.out, "%-34s %12s events/s   %.2f of a raw ordered consumer (%s/s)\n", "log: replay",
		grouped(int64(n/ours.Seconds())), theirs.Seconds()/ours.Seconds(), grouped(int64(n/theirs.Seconds())))
	return nil
}

func benchAppends(ctx context.Context, store *eventstore.Store, js jetstream.JetStream, n int) (ours, theirs time.Duration, err error) {
	data := []byte(`{"filler":"` + strings.Repeat("x", benchPayload) + `"}`)
	agg := store.Aggregate("measured")
	var last, rawLast uint64
	const turn = 250
	for done := 0; done < n; done += turn {
		began := time.Now()
		for range min(turn, n-done) {
			last, err = agg.Append(ctx, last, []eventstore.NewEvent{{
				Kind: eventstore.KindSupervisor, Type: "Measured", SchemaVersion: 1, ID: nuid.Next(), Time: began, Data: data,
			}})
			if err != nil {
				return 0, 0, err
			}
		}
		ours += time.Since(began)
		began = time.Now()
		for range min(turn, n-done) {
			m := nats.NewMsg("raw.measured.Measured.-")
			m.Data = data
			m.Header.Set(nats.MsgIdHdr, nuid.Next())
			m.Header.Set("Nats-Expected-Last-Subject-Sequence", strconv.FormatUint(rawLast, 10))
			m.Header.Set("Nats-Expected-Last-Subject-Sequence-Subject", "raw.measured.>")
			ack, err := js.PublishMsg(ctx, m)
			if err != nil {
				return 0, 0, err
			}
			rawLast = ack.Sequence
		}
		theirs += time.Since(began)
	}
	return ours, theirs, nil
}

func benchReplay(ctx context.Context, store *eventstore.Store, raw jetstream.Stream, n int) (ours, theirs time.Duration, err error) {
	const turns = 5
	for range turns {
		began := time.Now()
		seen := 0
		if err := store.Replay(ctx, eventstore.Query{}, func(eventstore.Event) error { seen++; return nil }); err != nil {
			return 0, 0, err
		}
		if seen != n {
			return 0, 0, fmt.Errorf("%d events came back of %d", seen, n)
		}
		ours += time.Since(began)
		began = time.Now()
		cons, err := raw.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
		if err != nil {
			return 0, 0, err
		}
		msgs, err := cons.Messages()
		if err != nil {
			return 0, 0, err
		}
		for range n {
			if _, err := msgs.Next(); err != nil {
				return 0, 0, err
			}
		}
		msgs.Stop()
		theirs += time.Since(began)
	}
	return ours / turns, theirs / turns, nil
}
