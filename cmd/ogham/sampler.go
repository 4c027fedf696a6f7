package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/adapters/kafka"
	"ogham/adapters/secrets"
	"ogham/adapters/segment"
	"ogham/domain/spec"
	"ogham/domain/task"
	"ogham/domain/transform"
	"ogham/overlord"
	"ogham/worker"
	"ogham/worker/sampler"
)

// openSampler wires Kafka and the row path into the sampler.
func (a *app) openSampler(clients *kafka.Clients, sealer *secrets.Sealer) (*sampler.Service, error) {
	open := openStream(clients, sealer)
	return sampler.New(sampler.Config{
		Dir: filepath.Join(a.cfg.dataDir, "samples"),
		OpenTopic: func(sp *spec.Supervisor, timeout time.Duration) (sampler.Topic, error) {
			sp, err := forSample(sp, timeout)
			if err != nil {
				return nil, err
			}
			stream, err := open(sp)
			if err != nil {
				return nil, plainText(err)
			}
			return sampledTopic{stream}, nil
		},
		NewConsumer: newConsumer(sealer), NewIndex: newSampledIndex(a.formats),
		RawRows: func(format json.RawMessage, r *worker.Record) []json.RawMessage {
			return a.formats.RawRows(format, r)
		},
	})
}

// sampling is the sampler as HTTP sees it.
type sampling struct{ *sampler.Service }

// Sample implements httpapi.Sampler.
func (s sampling) Sample(ctx context.Context, req *spec.Sampler) (any, error) {
	return s.Service.Sample(ctx, req)
}

// forSample is a spec whose consumer makes no topic and gives up in time.
func forSample(sp *spec.Supervisor, timeout time.Duration) (*spec.Supervisor, error) {
	props := maps.Clone(sp.IOConfig.ConsumerProperties)
	props["allow.auto.create.topics"] = "false"
	for _, name := range []string{"request.timeout.ms", "default.api.timeout.ms"} {
		given, err := strconv.ParseInt(fmt.Sprint(props[name]), 10, 64)
		if err != nil || given <= 0 || given > timeout.Milliseconds() {
			props[name] = strconv.FormatInt(timeout.Milliseconds(), 10)
		}
	}
	return withProperties(sp, props)
}

// sampledTopic is the overlord's view of a topic as the sampler needs it.
type sampledTopic struct{ overlord.Stream }

// Partitions implements sampler.Topic.
func (t sampledTopic) Partitions(ctx context.Context) ([]task.Partition, error) {
	found, err := t.Stream.Partitions(ctx, 0)
	if errors.Is(err, kafka.ErrNoPartitions) {
		return nil, nil
	}
	return found.Partitions, plainText(err)
}

// Earliest implements sampler.Topic.
func (t sampledTopic) Earliest(ctx context.Context, ps []task.Partition) (task.Offsets, error) {
	o, err := t.Stream.Earliest(ctx, ps)
	return o, plainText(err)
}

// Latest implements sampler.Topic.
func (t sampledTopic) Latest(ctx context.Context, ps []task.Partition) (task.Offsets, error) {
	o, err := t.Stream.Latest(ctx, ps, 0)
	return o, plainText(err)
}

// plainText is an error of Kafka without the name of Java's class in front.
func plainText(err error) error {
	var known streamException
	if errors.As(err, &known) {
		return plainError{strings.TrimPrefix(known.Message, known.ExceptionClass+": "), err}
	}
	return err
}

type plainError struct {
	text  string
	cause error
}

func (e plainError) Error() string { return e.text }

func (e plainError) Unwrap() error { return e.cause }

// sampledIndex is the row path as the sampler sees it.
type sampledIndex struct{ *index.Sampler }

func newSampledIndex(formats *inputformat.Formats) func(sampler.IndexRequest) (sampler.Index, error) {
	return func(r sampler.IndexRequest) (sampler.Index, error) { return openSampledIndex(formats, r) }
}

func openSampledIndex(formats *inputformat.Formats, r sampler.IndexRequest) (sampler.Index, error) {
	transformer, schema, err := transform.Compile(index.SampledSchema(r.Schema))
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
	s, err := index.NewSampler(index.Config{
		Schema: schema, Parser: parser, Transform: transformer, Dir: r.Dir, MaxBytesInMemory: r.MaxBytesInMemory, IndexSpec: indexSpec,
		TimestampSpecJSON: json.RawMessage("null"), QueryGranularityJSON: json.RawMessage("null"),
	})
	if err != nil {
		return nil, err
	}
	return sampledIndex{s}, nil
}

// Add implements sampler.Index.
func (s sampledIndex) Add(record int, r *worker.Record) error {
	return s.Sampler.Add(record, r)
}

// Finish implements sampler.Index.
func (s sampledIndex) Finish(ctx context.Context) (*sampler.Result, error) {
	sample, err := s.Sampler.Finish(ctx)
	if err != nil {
		return nil, err
	}
	out := &sampler.Result{Indexed: sample.Indexed, ThrownAway: sample.ThrownAway}
	for _, x := range sample.Rows {
		out.Rows = append(out.Rows, sampler.Row{Record: x.Record, Row: x.Row, Error: x.Error, Stored: x.Stored})
	}
	for _, c := range sample.Columns {
		kind := c.Type
		if c.Logical != "" { // what queries see
			kind = c.Logical
		}
		out.Columns = append(out.Columns, sampler.Column{Name: c.Name, Type: kind, Dimension: c.Dimension})
	}
	return out, nil
}
