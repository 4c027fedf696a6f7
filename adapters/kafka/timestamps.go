package kafka

import (
	"context"
	"encoding/base64"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// timestampBytes is how much of a partition is asked for to see the timestamp of one record. A broker sends the first
// batch of a request whatever its size, and nothing more: so each partition has a request of its own.
const timestampBytes = 1

// Timestamps returns the timestamps, in milliseconds, of the records at these offsets, by topic and partition. Where there
// is no record at or behind an offset, and for a partition that cannot be read now, the answer has nothing.
func (a *Admin) Timestamps(ctx context.Context, at map[string]map[int32]int64) (map[string]map[int32]int64, error) {
	names := slices.Sorted(maps.Keys(at))
	if len(names) == 0 {
		return map[string]map[int32]int64{}, nil
	}
	return within(ctx, a, names[0], "reading timestamps", func(ctx context.Context) (map[string]map[int32]int64, error) {
		topics, err := a.shared.topics.get(ctx, names, leaderAge)
		if err != nil {
			return nil, err
		}
		out := make(map[string]map[int32]int64, len(at))
		for _, topic := range names {
			for n, offset := range at[topic] {
				leader, ok := topics[topic].value.leaders[n]
				if !ok || leader < 0 {
					continue
				}
				resp, err := a.fetchRequest(topic, topics[topic].value.id, n, offset).RequestWith(ctx, a.shared.client.Broker(int(leader)))
				if err != nil {
					a.shared.topics.forget(topic)
					return nil, err
				}
				if ms, ok := timestampIn(resp, offset); ok {
					if out[topic] == nil {
						out[topic] = make(map[int32]int64, len(at[topic]))
					}
					out[topic][n] = ms
				}
			}
		}
		return out, nil
	})
}

func (a *Admin) fetchRequest(topic, id string, partition int32, offset int64) *kmsg.FetchRequest {
	p := kmsg.NewFetchRequestTopicPartition()
	p.Partition, p.FetchOffset, p.PartitionMaxBytes = partition, offset, timestampBytes
	t := kmsg.NewFetchRequestTopic()
	t.Topic = topic
	if uuid, err := base64.RawURLEncoding.DecodeString(id); err == nil {
		copy(t.TopicID[:], uuid)
	}
	t.Partitions = append(t.Partitions, p)
	req := kmsg.NewPtrFetchRequest()
	req.MaxWaitMillis, req.MinBytes, req.MaxBytes = 0, 0, timestampBytes
	if !a.properties.ReadUncommitted {
		req.IsolationLevel = 1
	}
	req.Topics = append(req.Topics, t)
	return req
}

// timestampIn finds the first record at or behind an offset; markers count, as offsets do.
func timestampIn(resp *kmsg.FetchResponse, offset int64) (millis int64, ok bool) {
	for i := range resp.Topics {
		for j := range resp.Topics[i].Partitions {
			p := &resp.Topics[i].Partitions[j]
			if kerr.ErrorForCode(p.ErrorCode) != nil {
				continue // it moved, or has lost the record: the next time will tell
			}
			read, _ := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{KeepControlRecords: true, Offset: offset, Partition: p.Partition},
				p, kgo.DefaultDecompressor(), nil)
			for _, r := range read.Records {
				if r.Offset >= offset {
					return r.Timestamp.UnixMilli(), true
				}
			}
		}
	}
	return 0, false
}
