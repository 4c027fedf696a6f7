package kafka

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
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
// default.api.timeout.ms; errors are *StreamError, the context's own where the caller gave up, or ErrClosed.
type Admin struct {
	shared     *sharedClient
	properties *Properties
	release    func()
}

// Close gives the handle back; the connections end with the last one.
func (a *Admin) Close() { a.release() }

// Warnings names the consumer properties that have no effect here.
func (a *Admin) Warnings() []Warning { return a.properties.Warnings }

// Partitions returns the numbers of the topic's partitions, ascending, and the topic's id. A topic that does not exist is asked to be created
// where allow.auto.create.topics and the broker allow; the error then wraps ErrNoPartitions all the same, and the next
// call finds it.
func (a *Admin) Partitions(ctx context.Context, topic string) (partitions []int32, id string, err error) {
	if topic == "" {
		return nil, "", streamError(classInvalidTopic, "Topic '' is invalid", kerr.InvalidTopicException)
	}
	t, err := a.topic(ctx, topic)
	return slices.Sorted(maps.Keys(t.leaders)), t.id, err
}

// topicID returns Kafka's id of the topic, empty where the broker is too old to have one.
func (a *Admin) topicID(ctx context.Context, topic string) (string, error) {
	t, err := a.topic(ctx, topic)
	return t.id, err
}

func (a *Admin) topic(ctx context.Context, topic string) (topicInfo, error) {
	return within(ctx, a, topic, fetchingMetadata, func(ctx context.Context) (topicInfo, error) { return a.describe(ctx, topic) })
}

// topicID is the text that Kafka's own tools show for an id; empty for none.
func topicID(id [16]byte) string {
	if id == [16]byte{} {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// topicInfo is what a cluster says of a topic.
type topicInfo struct {
	id string
	// leaders has the broker that leads each partition, -1 where none does.
	leaders map[int32]int32
}

// Topics returns the partitions and the id of every topic whose name matches, but for Kafka's own.
func (a *Admin) Topics(ctx context.Context, match func(topic string) bool) (map[string]Topic, error) {
	return within(ctx, a, "", fetchingMetadata, func(ctx context.Context) (map[string]Topic, error) {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = nil // all
		resp, err := req.RequestWith(ctx, a.shared.client)
		if err != nil {
			return nil, err
		}
		found := make(map[string]Topic)
		for i := range resp.Topics {
			t := &resp.Topics[i]
			if t.Topic == nil || t.IsInternal || !match(*t.Topic) {
				continue
			}
			info, err := infoOf(*t.Topic, t)
			switch {
			case errors.Is(err, ErrNoPartitions): // it is being deleted
			case err != nil:
				return nil, err
			default:
				found[*t.Topic] = Topic{ID: info.id, Partitions: slices.Sorted(maps.Keys(info.leaders))}
			}
		}
		return found, nil
	})
}

// Topic is a topic as a cluster has it.
type Topic struct {
	// ID is empty where the broker is too old to have one.
	ID         string
	Partitions []int32
}

// describe asks for the topic.
func (a *Admin) describe(ctx context.Context, topic string) (topicInfo, error) {
	t := kmsg.NewMetadataRequestTopic()
	t.Topic = kmsg.StringPtr(topic)
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, t)
	req.AllowAutoTopicCreation = a.properties.AutoCreateTopics
	resp, err := req.RequestWith(ctx, a.shared.client)
	if err != nil {
		return topicInfo{}, err
	}
	if len(resp.Topics) == 0 {
		return topicInfo{}, noPartitions(topic)
	}
	return infoOf(topic, &resp.Topics[0])
}

func infoOf(topic string, t *kmsg.MetadataResponseTopic) (topicInfo, error) {
	switch err := kerr.ErrorForCode(t.ErrorCode); {
	case err == kerr.UnknownTopicOrPartition: //nolint:errorlint // codes are singletons
		return topicInfo{}, noPartitions(topic)
	case err != nil:
		return topicInfo{}, err
	case len(t.Partitions) == 0:
		return topicInfo{}, noPartitions(topic)
	}
	out := topicInfo{id: topicID(t.TopicID), leaders: make(map[int32]int32, len(t.Partitions))}
	for _, p := range t.Partitions {
		out.leaders[p.Partition] = p.Leader
	}
	return out, nil
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
	if len(partitions) == 0 {
		return map[int32]int64{}, nil
	}
	return within(ctx, a, topic, fmt.Sprintf(fetchingOffsets, topic), func(ctx context.Context) (map[int32]int64, error) {
		return a.listOffsets(ctx, topic, partitions, timestamp)
	})
}

// listOffsets asks once: for the leaders, then each leader for its partitions. The client's own way of splitting such a
// request works from metadata that may be some seconds old, and takes a minute over a partition that is not there.
func (a *Admin) listOffsets(ctx context.Context, topic string, partitions []int32, timestamp int64) (map[int32]int64, error) {
	found, err := a.describe(ctx, topic)
	if err != nil {
		return nil, err
	}
	byLeader := make(map[int32][]int32)
	for _, p := range partitions {
		leader, ok := found.leaders[p]
		switch {
		case !ok:
		case leader < 0:
			return nil, kerr.LeaderNotAvailable
		default:
			byLeader[leader] = append(byLeader[leader], p)
		}
	}
	out := make(map[int32]int64, len(partitions))
	for leader, ps := range byLeader {
		resp, err := a.offsetsRequest(topic, ps, timestamp).RequestWith(ctx, a.shared.client.Broker(int(leader)))
		if err != nil {
			return nil, err
		}
		for _, t := range resp.Topics {
			for _, p := range t.Partitions {
				if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
					return nil, err
				}
				out[p.Partition] = p.Offset
			}
		}
	}
	return out, nil
}

func (a *Admin) offsetsRequest(topic string, partitions []int32, timestamp int64) *kmsg.ListOffsetsRequest {
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
	return req
}

// within runs do until it succeeds, fails for good, or default.api.timeout.ms have passed.
func within[T any](ctx context.Context, a *Admin, topic, what string, do func(context.Context) (T, error)) (T, error) {
	limited, cancel := context.WithTimeout(ctx, a.properties.APITimeout)
	defer cancel()
	pause, most := retryPauseFirst, retryPauseMost
	if n := a.properties.Network; n.RetryPause > 0 {
		pause, most = n.RetryPause, n.RetryMost
	}
	for {
		out, err := detach(limited, a.shared, do)
		switch {
		case err == nil:
			return out, nil
		case limited.Err() == nil && retryable(err) && wait(limited, pause):
			pause = min(2*pause, most)
			continue
		case ctx.Err() != nil:
			return out, fmt.Errorf("%s: %w", what, ctx.Err())
		}
		return out, wrapStream(topic, what, err)
	}
}

// detach runs do and leaves it behind when the context ends: the client does not heed the context while it greets a
// broker, which a broker that takes connections and says nothing makes as long as a request time-out. What is left
// behind belongs to the shared client, whose end ends it.
func detach[T any](ctx context.Context, s *sharedClient, do func(context.Context) (T, error)) (T, error) {
	type result struct {
		out T
		err error
	}
	done := make(chan result, 1)
	var none T
	if err := s.start(func() {
		out, err := do(ctx)
		done <- result{out, err}
	}); err != nil {
		return none, err
	}
	select {
	case r := <-done:
		return r.out, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
