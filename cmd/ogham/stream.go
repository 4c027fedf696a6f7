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
		return &topics{admin: admin, io: s.IOConfig}, nil
	}
}

// Partitions implements overlord.Stream.
func (t *topics) Partitions(ctx context.Context, maxAge time.Duration) (overlord.Found, error) {
	found := overlord.Found{TopicIDs: map[string]string{}}
	all := map[string]kafka.Topic{}
	var err error
	if t.io.IsPattern() {
		all, err = t.admin.Topics(ctx, t.io.Reads, maxAge)
	} else {
		all[t.io.Topic], err = t.admin.Topic(ctx, t.io.Topic, maxAge)
	}
	if err != nil {
		return found, asStreamException(err)
	}
	for topic, is := range all {
		for _, n := range is.Partitions {
			found.Partitions = append(found.Partitions, t.partition(topic, n))
		}
		if is.ID != "" {
			found.TopicIDs[topic] = is.ID
		}
	}
	task.SortPartitions(found.Partitions)
	return found, nil
}

// partition is the name that the supervisor has for a partition.
func (t *topics) partition(topic string, n int32) task.Partition {
	if t.io.IsPattern() {
		return task.PartitionIn(topic, n)
	}
	return task.PartitionOf(n)
}

// Earliest implements overlord.Stream.
func (t *topics) Earliest(ctx context.Context, ps []task.Partition) (task.Offsets, error) {
	return t.offsets(ctx, ps, t.admin.EarliestOffsets, 0)
}

// Latest implements overlord.Stream.
func (t *topics) Latest(ctx context.Context, ps []task.Partition, maxAge time.Duration) (task.Offsets, error) {
	return t.offsets(ctx, ps, t.admin.LatestOffsets, maxAge)
}

type fetchOffsets func(ctx context.Context, partitions map[string][]int32, maxAge time.Duration) (map[string]map[int32]int64, error)

func (t *topics) offsets(ctx context.Context, ps []task.Partition, fetch fetchOffsets, maxAge time.Duration) (task.Offsets, error) {
	asked := map[string][]int32{}
	for _, p := range ps {
		topic, n, ok := p.Split()
		switch {
		case !ok, (topic == "") == t.io.IsPattern():
			continue // of the stream that the supervisor read before
		case topic == "":
			topic = t.io.Topic
		}
		asked[topic] = append(asked[topic], n)
	}
	found, err := fetch(ctx, asked, maxAge)
	if err != nil {
		return nil, asStreamException(err)
	}
	return t.named(found), nil
}

// named gives offsets by topic the names that the supervisor has for their partitions.
func (t *topics) named(found map[string]map[int32]int64) task.Offsets {
	o := task.Offsets{}
	for topic, offsets := range found {
		for n, offset := range offsets {
			o[t.partition(topic, n)] = offset
		}
	}
	return o
}

// Timestamps implements overlord.Stream.
func (t *topics) Timestamps(ctx context.Context, at task.Offsets) (task.Offsets, error) {
	asked := map[string]map[int32]int64{}
	for p, offset := range at {
		if topic, n, ok := p.Split(); ok && (topic == "") != t.io.IsPattern() {
			if topic == "" {
				topic = t.io.Topic
			}
			if asked[topic] == nil {
				asked[topic] = map[int32]int64{}
			}
			asked[topic][n] = offset
		}
	}
	found, err := t.admin.Timestamps(ctx, asked)
	if err != nil {
		return nil, asStreamException(err)
	}
	return t.named(found), nil
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
