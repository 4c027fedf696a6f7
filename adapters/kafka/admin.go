package kafka

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// What Druid's consumer was doing when its time ran out.
const (
	fetchingMetadata = "fetching topic metadata"
	fetchingOffsets  = "getting offsets of topic %s"
)

// The pause between two tries of a request whose answer was a passing error.
const (
	retryPauseFirst = 100 * time.Millisecond
	retryPauseMost  = time.Second
)

// The special timestamps of Kafka's ListOffsets.
const (
	timestampLatest   = -1
	timestampEarliest = -2
)

// Admin asks a cluster for partitions and offsets. It is safe for concurrent use. Every method answers within
// default.api.timeout.ms; errors are *StreamError, or the context's own where the caller gave up.
type Admin struct {
	client     *kgo.Client
	properties *Properties
	release    func()
}

// Close gives the handle back; the connections end with the last one.
func (a *Admin) Close() { a.release() }

// Warnings names the consumer properties that have no effect here.
func (a *Admin) Warnings() []string { return a.properties.Warnings }

// Partitions returns the numbers of the topic's partitions, ascending. A topic that does not exist is asked to be created
// where allow.auto.create.topics and the broker allow; the error then wraps ErrNoPartitions all the same, and the next
// call finds it.
func (a *Admin) Partitions(ctx context.Context, topic string) ([]int32, error) {
	if topic == "" {
		return nil, streamError(classInvalidTopic, "Topic '' is invalid", kerr.InvalidTopicException)
	}
	var out []int32
	err := a.within(ctx, topic, fetchingMetadata, func(ctx context.Context) error {
		found, err := a.partitions(ctx, topic)
		out = found
		return err
	})
	return out, err
}

func (a *Admin) partitions(ctx context.Context, topic string) ([]int32, error) {
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = kmsg.StringPtr(topic)
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, t)
	req.AllowAutoTopicCreation = a.properties.AutoCreateTopics
	resp, err := req.RequestWith(ctx, a.client)
	if err != nil {
		return nil, err
	}
	for _, t := range resp.Topics {
		switch err := kerr.ErrorForCode(t.ErrorCode); {
		case err == kerr.UnknownTopicOrPartition: //nolint:errorlint // codes are singletons
			return nil, noPartitions(topic)
		case err != nil:
			return nil, err
		}
		var out []int32
		for _, p := range t.Partitions {
			out = append(out, p.Partition)
		}
		if len(out) > 0 {
			slices.Sort(out)
			return out, nil
		}
	}
	return nil, noPartitions(topic)
}

// EarliestOffsets returns the first offset that each partition still has. A partition that the topic does not have is
// absent from the answer.
func (a *Admin) EarliestOffsets(ctx context.Context, topic string, partitions []int32) (map[int32]int64, error) {
	return a.offsets(ctx, topic, partitions, timestampEarliest)
}

// LatestOffsets returns the offset after the last record that a consumer of these properties can see: the last stable
// offset with read_committed, the high watermark else. A partition that the topic does not have is absent.
func (a *Admin) LatestOffsets(ctx context.Context, topic string, partitions []int32) (map[int32]int64, error) {
	return a.offsets(ctx, topic, partitions, timestampLatest)
}

func (a *Admin) offsets(ctx context.Context, topic string, partitions []int32, timestamp int64) (map[int32]int64, error) {
	out := make(map[int32]int64, len(partitions))
	if len(partitions) == 0 {
		return out, nil
	}
	wanted := slices.Clone(partitions)
	err := a.within(ctx, topic, fmt.Sprintf(fetchingOffsets, topic), func(ctx context.Context) error {
		left, err := a.listOffsets(ctx, topic, wanted, timestamp, out)
		wanted = left
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// listOffsets asks once. It fills out, and returns the partitions that have to be asked about again, with an error.
func (a *Admin) listOffsets(ctx context.Context, topic string, partitions []int32, timestamp int64, out map[int32]int64) ([]int32, error) {
	t := kmsg.NewListOffsetsRequestTopic()
	t.Topic = topic
	for _, n := range partitions {
		p := kmsg.NewListOffsetsRequestTopicPartition()
		p.Partition, p.Timestamp = n, timestamp
		t.Partitions = append(t.Partitions, p)
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	if !a.properties.ReadUncommitted {
		req.IsolationLevel = 1
	}
	req.TimeoutMillis = int32(min(a.properties.RequestTimeout, time.Hour).Milliseconds()) //nolint:gosec // bounded
	req.Topics = append(req.Topics, t)

	answered := make(map[int32]bool, len(partitions))
	var failure error
	for _, shard := range a.client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			failure = shard.Err
			continue
		}
		resp, ok := shard.Resp.(*kmsg.ListOffsetsResponse)
		if !ok {
			return partitions, fmt.Errorf("list offsets: unexpected answer %T", shard.Resp)
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				switch err := kerr.ErrorForCode(p.ErrorCode); {
				case err == nil:
					out[p.Partition] = p.Offset
				case err == kerr.UnknownTopicOrPartition: //nolint:errorlint // codes are singletons
				default:
					failure = err
					continue
				}
				answered[p.Partition] = true
			}
		}
	}
	left := slices.DeleteFunc(partitions, func(n int32) bool { return answered[n] })
	if len(left) > 0 && failure == nil {
		failure = kerr.UnknownServerError
	}
	return left, failure
}

// within runs do until it succeeds, fails for good, or default.api.timeout.ms have passed.
func (a *Admin) within(ctx context.Context, topic, what string, do func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, a.properties.APITimeout)
	defer cancel()
	pause := retryPauseFirst
	for {
		err := do(limited)
		if err == nil {
			return nil
		}
		if cancelled(ctx) {
			return fmt.Errorf("%s: %w", what, ctx.Err())
		}
		if limited.Err() != nil || !retryable(err) {
			return wrapStream(topic, what, err)
		}
		if !wait(limited, pause) {
			if cancelled(ctx) {
				return fmt.Errorf("%s: %w", what, ctx.Err())
			}
			return wrapStream(topic, what, err)
		}
		pause = min(2*pause, retryPauseMost)
	}
}
