package main

import (
	"context"
	"errors"
	"time"

	"ogham/adapters/kafka"
	"ogham/adapters/secrets"
	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/overlord"
	"ogham/projections"
)

// topic is a supervisor's topic as the overlord sees it.
type topic struct {
	admin *kafka.Admin
	name  string
}

// openStream makes the overlord's view of a topic from a spec. Clients of one cluster are shared.
func openStream(clients *kafka.Clients, sealer *secrets.Sealer) func(*spec.Supervisor) (overlord.Stream, error) {
	return func(s *spec.Supervisor) (overlord.Stream, error) {
		props, err := sealer.OpenProperties(s.IOConfig.ConsumerProperties)
		if err != nil {
			return nil, err
		}
		admin, err := clients.Admin(props)
		if err != nil {
			return nil, asStreamException(err)
		}
		return &topic{admin: admin, name: s.IOConfig.Topic}, nil
	}
}

// Partitions implements overlord.Stream.
func (t *topic) Partitions(ctx context.Context) (overlord.Found, error) {
	ps, id, err := t.admin.Partitions(ctx, t.name)
	if err != nil {
		return overlord.Found{}, asStreamException(err)
	}
	found := overlord.Found{Partitions: make([]task.Partition, len(ps)), TopicIDs: map[string]string{}}
	for i, n := range ps {
		found.Partitions[i] = task.PartitionOf(n)
	}
	if id != "" {
		found.TopicIDs[t.name] = id
	}
	return found, nil
}

// Earliest implements overlord.Stream.
func (t *topic) Earliest(ctx context.Context, ps []task.Partition) (task.Offsets, error) {
	return t.offsets(ctx, ps, t.admin.EarliestOffsets)
}

// Latest implements overlord.Stream.
func (t *topic) Latest(ctx context.Context, ps []task.Partition) (task.Offsets, error) {
	return t.offsets(ctx, ps, t.admin.LatestOffsets)
}

func (t *topic) offsets(ctx context.Context, ps []task.Partition, fetch func(context.Context, string, []int32) (map[int32]int64, error)) (task.Offsets, error) {
	numbers := make([]int32, 0, len(ps))
	for _, p := range ps {
		if n, ok := p.Number(); ok {
			numbers = append(numbers, n)
		}
	}
	found, err := fetch(ctx, t.name, numbers)
	if err != nil {
		return nil, asStreamException(err)
	}
	o := make(task.Offsets, len(found))
	for n, offset := range found {
		o[task.PartitionOf(n)] = offset
	}
	return o, nil
}

// Close implements overlord.Stream.
func (t *topic) Close() { t.admin.Close() }

// streamException shows a Kafka error to the overlord as what Druid calls a stream exception.
type streamException struct{ *kafka.StreamError }

// StreamException gives the class and the message that Druid would record.
func (e streamException) StreamException() (class, message string) {
	return e.StreamError.ExceptionClass, e.StreamError.Message
}

func asStreamException(err error) error {
	var s *kafka.StreamError
	if errors.As(err, &s) {
		return streamException{s}
	}
	return err
}

// lagSampler feeds the lag projection.
type lagSampler struct{ views *projections.Runner }

// Sample implements overlord.Sampler.
func (s lagSampler) Sample(id string, at time.Time, m supervisor.Measurements) {
	sample := projections.Sample{SupervisorID: id, At: at, Latest: m.Latest}
	for _, t := range m.Tasks {
		sample.Current = sample.Current.Max(t.Current)
	}
	s.views.Sample(sample)
}
