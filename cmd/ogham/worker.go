package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/nats-io/nats.go"

	"ogham/adapters/deepstorage"
	"ogham/adapters/httpapi"
	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/adapters/kafka"
	"ogham/adapters/secrets"
	"ogham/adapters/segment"
	"ogham/adapters/tasklogs"
	"ogham/domain/transform"
	"ogham/worker"
)

// startWorker wires the row path into a worker and runs it.
func (a *app) startWorker(nc *nats.Conn, sealer *secrets.Sealer, logs *tasklogs.Store) (*worker.Worker, error) {
	host, port, err := place(a.url)
	if err != nil {
		return nil, err
	}
	storage := deepstorage.Local{Root: a.cfg.segmentDir()}
	if a.cfg.nats == "" { // the only process that writes there; with others it may be their pushes that are unfinished
		if err := storage.Clean(context.Background()); err != nil {
			a.log.Warn("clean unfinished pushes", "error", err)
		}
	}
	w, err := worker.New(nc, worker.Config{
		WorkerID: subjectName(a.cfg.workerID), Host: host, Port: port, Version: version, Capacity: a.cfg.workerCapacity,
		TaskDir: filepath.Join(a.cfg.dataDir, "tasks"), NewConsumer: newConsumer(sealer), NewBuilder: newBuilder(a.formats),
		Pusher: pusher{storage}, Logger: a.log, Logs: logs, Mask: httpapi.Redact, Fault: os.Getenv("OGHAM_FAULT"), HeartbeatEvery: a.cfg.heartbeat,
	})
	if err != nil {
		return nil, fmt.Errorf("start the worker: %w", err)
	}
	a.spawn("worker", w.Run)
	return w, nil
}

// subjectName makes a name that needs no encoding in a subject.
func subjectName(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '-'
	}, s)
}

func newConsumer(sealer *secrets.Sealer) func(worker.ConsumerRequest) (worker.Consumer, error) {
	return func(r worker.ConsumerRequest) (worker.Consumer, error) {
		props, err := sealer.OpenProperties(r.Properties)
		if err != nil {
			return nil, err
		}
		return kafka.NewConsumer(kafka.ConsumerConfig{Properties: props, Env: environment, Topic: r.Topic, Start: r.Start, TopicIDs: r.TopicIDs})
	}
}

func newBuilder(formats *inputformat.Formats) func(worker.BuilderRequest) (worker.Builder, error) {
	return func(r worker.BuilderRequest) (worker.Builder, error) { return openBuilder(formats, r) }
}

func openBuilder(formats *inputformat.Formats, r worker.BuilderRequest) (worker.Builder, error) {
	transformer, schema, err := transform.Compile(r.Schema)
	if err != nil {
		return nil, err
	}
	parser, err := formats.New(r.InputFormat, schema)
	if err != nil {
		return nil, err
	}
	indexSpec, err := segment.ParseIndexSpec(r.IndexSpec)
	if err != nil {
		return nil, err
	}
	b, err := index.NewBuilder(index.Config{
		Schema: schema, Parser: parser, Transform: transformer, Dir: r.Dir, MaxRowsInMemory: r.MaxRowsInMemory, MaxBytesInMemory: r.MaxBytesInMemory,
		IndexSpec: indexSpec, TimestampSpecJSON: r.TimestampSpec, QueryGranularityJSON: r.QueryGranularity,
		MaxParseExceptions: r.MaxParseExceptions, MaxSavedParseExceptions: r.MaxSavedParseExceptions,
		LogParseException: r.LogParseException, Now: r.Now,
	})
	if err != nil {
		return nil, err
	}
	return &builder{Builder: b}, nil
}

// builder is the index as the worker sees it.
type builder struct {
	*index.Builder
}

// Finish implements worker.Builder.
func (b *builder) Finish(ctx context.Context) ([]worker.Built, error) {
	built, err := b.Builder.Finish(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]worker.Built, len(built))
	for i := range built {
		out[i] = worker.Built(built[i])
	}
	return out, nil
}

// pusher is local deep storage as the worker sees it.
type pusher struct{ storage deepstorage.Local }

// Push implements worker.Pusher.
func (p pusher) Push(ctx context.Context, dir string, id worker.SegmentID, uuid string) (json.RawMessage, int64, error) {
	spec, size, err := p.storage.Push(ctx, dir, deepstorage.SegmentID(id), uuid)
	if err != nil {
		return nil, 0, err
	}
	data, err := json.Marshal(spec)
	return data, size, err
}

// Delete implements worker.Pusher.
func (p pusher) Delete(ctx context.Context, loadSpec json.RawMessage) error {
	var spec deepstorage.LoadSpec
	if err := json.Unmarshal(loadSpec, &spec); err != nil {
		return fmt.Errorf("read a load spec: %w", err)
	}
	return p.storage.Delete(ctx, spec.Path)
}
