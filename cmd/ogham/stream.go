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

// topics is what a supervisor reads, as the overlord sees it: one topic, or those that a pattern matches.
type topics struct {
	admin *kafka.Admin
	name  string // empty with a pattern
	io    spec.IOConfig
}

// openStream makes the overlord's view of a spec's topics. Clients of one cluster are shared.
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
		return &topics{admin: admin, name: s.IOConfig.Topic, io: s.IOConfig}, nil
	}
}

// Partitions implements overlord.Stream.
func (t *topics) Partitions(ctx context.Context, _ time.Duration) (overlord.Found, error) {
	found := overlord.Found{TopicIDs: map[string]string{}}
	if t.io.IsPattern() {
		all, err := t.admin.Topics(ctx, t.io.Reads)
		if err != nil {
			return found, asStreamException(err)
		}
		for topic, is := range all {
			for _, n := range is.Partitions {
				found.Partitions = append(found.Partitions, task.PartitionIn(topic, n))
			}
			if is.ID != "" {
				found.TopicIDs[topic] = is.ID
			}
		}
		task.SortPartitions(found.Partitions)
		return found, nil
	}
	ps, id, err := t.admin.Partitions(ctx, t.name)
	if err != nil {
		return found, asStreamException(err)
	}
	for _, n := range ps {
		found.Partitions = append(found.Partitions, task.PartitionOf(n))
	}
	if id != "" {
		found.TopicIDs[t.name] = id
	}
	return found, nil
}

// Earliest implements overlord.Stream.
func (t *topics) Earliest(ctx context.Context, ps []task.Partition) (task.Offsets, error) {
	return t.offsets(ctx, ps, t.admin.EarliestOffsets)
}

// Latest implements overlord.Stream.
func (t *topics) Latest(ctx context.Context, ps []task.Partition, _ time.Duration) (task.Offsets, error) {
	return t.offsets(ctx, ps, t.admin.LatestOffsets)
}

func (t *topics) offsets(ctx context.Context, ps []task.Partition, fetch func(context.Context, string, []int32) (map[int32]int64, error)) (task.Offsets, error) {
	byTopic := map[string][]int32{}
	for _, p := range ps {
		topic, n, ok := p.Split()
		if !ok || (topic == "") == t.io.IsPattern() {
			continue // of the stream that the supervisor read before
		}
		byTopic[topic] = append(byTopic[topic], n)
	}
	o := make(task.Offsets, len(ps))
	for topic, numbers := range byTopic {
		if !t.io.IsPattern() {
			topic = t.name
		}
		found, err := fetch(ctx, topic, numbers)
		if errors.Is(err, kafka.ErrNoPartitions) && t.io.IsPattern() {
			continue // the topic is gone: others are not
		}
		if err != nil {
			return nil, asStreamException(err)
		}
		for n, offset := range found {
			if t.io.IsPattern() {
				o[task.PartitionIn(topic, n)] = offset
			} else {
				o[task.PartitionOf(n)] = offset
			}
		}
	}
	return o, nil
}

// Close implements overlord.Stream.
func (t *topics) Close() { t.admin.Close() }

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
