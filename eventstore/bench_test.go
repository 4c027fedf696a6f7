package eventstore_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ogham/adapters/natsserver"
	"ogham/eventstore"
	"ogham/eventstore/storetest"
)

// benchHost is an embedded server with an in-process connection, as in
// production.
func benchHost(b *testing.B) (*eventstore.Store, jetstream.JetStream) {
	b.Helper()
	srv, err := natsserver.Start(natsserver.Config{StoreDir: b.TempDir(), Logger: quiet})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(srv.Shutdown)
	nc, err := srv.Connect()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		b.Fatal(err)
	}
	return storetest.Open(b, nc, eventstore.Config{SyncedServer: true, Logger: quiet}), js
}

func benchEvent() eventstore.NewEvent {
	e := storetest.NewEvent("RunStepCompleted", "RUNNING")
	e.Data, _ = json.Marshal(map[string]string{"text": strings.Repeat("y", 400)})
	return e
}

// BenchmarkAppend is one event per append, through the handle.
func BenchmarkAppend(b *testing.B) {
	s, _ := benchHost(b)
	a := s.Aggregate("wiki")
	var last uint64
	e := benchEvent()
	for b.Loop() {
		var err error
		e.ID = "raw-" + strconv.FormatUint(last, 10)
		if last, err = a.Append(context.Background(), last, []eventstore.NewEvent{e}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkRawFencedPublish is what BenchmarkAppend is held against: the same
// message, fence and message id, by jetstream alone.
func BenchmarkRawFencedPublish(b *testing.B) {
	_, js := benchHost(b)
	var last uint64
	data := benchEvent().Data
	for b.Loop() {
		m := &nats.Msg{Subject: "ogham.v1.supervisor.wiki.RunStepCompleted.RUNNING", Data: data, Header: rawHeader()}
		ack, err := js.PublishMsg(context.Background(), m,
			jetstream.WithExpectLastSequenceForSubject(last, "ogham.v1.*.wiki.>"), jetstream.WithMsgID("raw-"+strconv.FormatUint(last, 10)))
		if err != nil {
			b.Fatal(err)
		}
		last = ack.Sequence
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// rawHeader is as many bytes as an event's headers.
func rawHeader() nats.Header {
	h := nats.Header{}
	for i := range 11 {
		h.Set(fmt.Sprintf("header-%d", i), strings.Repeat("v", 25))
	}
	return h
}

// BenchmarkAppendBatch is ten events per append.
func BenchmarkAppendBatch(b *testing.B) {
	s, _ := benchHost(b)
	a := s.Aggregate("wiki")
	var last uint64
	for b.Loop() {
		events := make([]eventstore.NewEvent, 10)
		for i := range events {
			events[i] = benchEvent()
		}
		var err error
		if last, err = a.Append(context.Background(), last, events); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(10*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

const replayEvents = 20_000

func fillForReplay(b *testing.B, s *eventstore.Store) {
	b.Helper()
	for agg := range replayEvents / 1000 {
		events := make([]eventstore.NewEvent, 1000)
		for i := range events {
			events[i] = benchEvent()
		}
		if _, err := s.Append(context.Background(), fmt.Sprintf("s%d", agg), 0, events); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkReplay reads the whole log, each event held against its hash.
func BenchmarkReplay(b *testing.B) {
	s, _ := benchHost(b)
	fillForReplay(b, s)
	for b.Loop() {
		n := 0
		err := s.Replay(context.Background(), eventstore.Query{}, func(eventstore.Event) error { n++; return nil })
		if err != nil || n != replayEvents {
			b.Fatal(n, err)
		}
	}
	b.ReportMetric(replayEvents*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkRawOrderedConsumer is what BenchmarkReplay is held against.
func BenchmarkRawOrderedConsumer(b *testing.B) {
	s, js := benchHost(b)
	fillForReplay(b, s)
	for b.Loop() {
		cons, err := js.OrderedConsumer(context.Background(), "OGHAM", jetstream.OrderedConsumerConfig{})
		if err != nil {
			b.Fatal(err)
		}
		it, err := cons.Messages(jetstream.PullMaxMessages(2000))
		if err != nil {
			b.Fatal(err)
		}
		for range replayEvents {
			if _, err := it.Next(); err != nil {
				b.Fatal(err)
			}
		}
		it.Stop()
	}
	b.ReportMetric(replayEvents*float64(b.N)/b.Elapsed().Seconds(), "events/s")
}

// BenchmarkLoad reads one aggregate of a thousand events among twenty.
func BenchmarkLoad(b *testing.B) {
	s, _ := benchHost(b)
	fillForReplay(b, s)
	for b.Loop() {
		n := 0
		if _, err := s.Load(context.Background(), "s7", 0, func(eventstore.Event) error { n++; return nil }); err != nil || n != 1000 {
			b.Fatal(n, err)
		}
	}
}

// BenchmarkLoadNothingNew is what an actor pays that is up to date.
func BenchmarkLoadNothingNew(b *testing.B) {
	s, _ := benchHost(b)
	a := s.Aggregate("wiki")
	last, err := a.Append(context.Background(), 0, []eventstore.NewEvent{benchEvent()})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := a.Load(context.Background(), last, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFenceOverManySubjects shows what the fence costs as tasks pile up:
// the server looks at every different subject of the aggregate.
func BenchmarkFenceOverManySubjects(b *testing.B) {
	for _, tasks := range []int{0, 1000, 10_000, 50_000} {
		b.Run(strconv.Itoa(tasks), func(b *testing.B) {
			s, _ := benchHost(b)
			a := s.Aggregate("wiki")
			var last uint64
			var err error
			for done := 0; done < tasks; {
				events := make([]eventstore.NewEvent, min(1000, tasks-done))
				for i := range events {
					events[i] = storetest.NewTaskEvent(fmt.Sprintf("index_kafka_wiki_%d", done), "TaskCreated", "x")
					done++
				}
				if last, err = a.Append(context.Background(), last, events); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				if last, err = a.Append(context.Background(), last, []eventstore.NewEvent{benchEvent()}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
