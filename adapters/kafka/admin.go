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
// default.api.timeout.ms; errors are *StreamError, the context's own where the caller gave up, or ErrClosed. All handles
// on one cluster share its requests: what one asks is asked together with what the others do, and an answer that is not
// older than a caller's maxAge is given again. 0 asks anew.
type Admin struct {
	shared     *sharedClient
	properties *Properties
	release    func()
}

// Close gives the handle back; the connections end with the last one.
func (a *Admin) Close() { a.release() }

// Warnings names the consumer properties that have no effect here.
func (a *Admin) Warnings() []Warning { return a.properties.Warnings }

// Topic is a topic as a cluster has it.
type Topic struct {
	// ID is empty where the broker is too old to have one.
	ID string
	// Partitions are the numbers, ascending.
	Partitions []int32
}

func topicOf(t topicInfo) Topic { return Topic{t.id, slices.Sorted(maps.Keys(t.leaders))} }

// Topic returns a topic. One that does not exist is asked to be created where allow.auto.create.topics and the broker
// allow; the error then wraps ErrNoPartitions all the same, and the next call finds it.
func (a *Admin) Topic(ctx context.Context, topic string, maxAge time.Duration) (Topic, error) {
	if topic == "" {
		return Topic{}, streamError(classInvalidTopic, "Topic '' is invalid", kerr.InvalidTopicException)
	}
	r := a.shared.topics
	if a.properties.AutoCreateTopics {
		r = a.shared.creating
	}
	return within(ctx, a, topic, fetchingMetadata, func(ctx context.Context) (Topic, error) {
		found, err := r.get(ctx, []string{topic}, maxAge)
		if err != nil {
			return Topic{}, err
		}
		t, ok := found[topic]
		if !ok {
			return Topic{}, noPartitions(topic)
		}
		if t.err != nil && retryable(t.err) {
			r.forget(topic)
		}
		return topicOf(t.value), t.err
	})
}

// Topics returns every topic whose name matches, but for Kafka's own.
func (a *Admin) Topics(ctx context.Context, match func(topic string) bool, maxAge time.Duration) (map[string]Topic, error) {
	return within(ctx, a, "", fetchingMetadata, func(ctx context.Context) (map[string]Topic, error) {
		found, err := a.shared.all.get(ctx, []struct{}{{}}, maxAge)
		if err != nil {
			return nil, err
		}
		matching := make(map[string]Topic)
		for topic, t := range found[struct{}{}].value {
			if match(topic) {
				matching[topic] = topicOf(t)
			}
		}
		return matching, nil
	})
}

// topicID returns Kafka's id of the topic as it is now, empty where the broker is too old to have one.
func (a *Admin) topicID(ctx context.Context, topic string) (string, error) {
	return within(ctx, a, topic, fetchingMetadata, func(ctx context.Context) (string, error) {
		found, err := a.shared.topics.get(ctx, []string{topic}, 0)
		return found[topic].value.id, err
	})
}

// topicID is the text that Kafka's own tools show for an id; empty for none.
func topicID(id [16]byte) string {
	if id == [16]byte{} {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// EarliestOffsets returns the first offset that each partition still has, by topic. A partition that its topic does not
// have is absent from the answer, and so is one of several topics that does not exist; if it is the only one, that is an
// error that wraps ErrNoPartitions.
func (a *Admin) EarliestOffsets(ctx context.Context, partitions map[string][]int32, maxAge time.Duration) (map[string]map[int32]int64, error) {
	return a.offsets(ctx, partitions, timestampEarliest, maxAge)
}

// LatestOffsets returns the offset after the last record that a consumer of these properties can see: the last stable
// offset with read_committed, the high watermark else. As EarliestOffsets for what is not there.
func (a *Admin) LatestOffsets(ctx context.Context, partitions map[string][]int32, maxAge time.Duration) (map[string]map[int32]int64, error) {
	return a.offsets(ctx, partitions, timestampLatest, maxAge)
}

func (a *Admin) offsets(ctx context.Context, partitions map[string][]int32, timestamp int64, maxAge time.Duration) (map[string]map[int32]int64, error) {
	var questions []offsetQuestion
	any := ""
	for topic, numbers := range partitions {
		for _, n := range numbers {
			any = topic
			questions = append(questions, offsetQuestion{source{topic, n}, timestamp, !a.properties.ReadUncommitted})
		}
	}
	if len(questions) == 0 {
		return map[string]map[int32]int64{}, nil
	}
	return within(ctx, a, any, fmt.Sprintf(fetchingOffsets, any), func(ctx context.Context) (map[string]map[int32]int64, error) {
		found, err := a.shared.offsets.get(ctx, questions, maxAge)
		if err != nil {
			return nil, err
		}
		out := make(map[string]map[int32]int64, len(partitions))
		for _, q := range questions {
			f, ok := found[q]
			switch {
			case errors.Is(f.err, ErrNoPartitions) && len(partitions) > 1:
				continue // the topic is gone: the others are there
			case f.err != nil:
				a.shared.offsets.forget(q)
				return nil, f.err
			case !ok || !f.value.there:
				continue
			}
			if out[q.topic] == nil {
				out[q.topic] = make(map[int32]int64, len(partitions[q.topic]))
			}
			out[q.topic][q.partition] = f.value.at
		}
		return out, nil
	})
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
		out, err := do(limited)
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
