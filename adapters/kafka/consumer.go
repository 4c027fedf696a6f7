package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Record is one Kafka record. It is an alias of a plain struct, as Batch is, so that a caller that declares the same
// shape for itself shares the type without importing this package.
type Record = struct {
	Partition       int32
	Offset          int64
	TimestampMillis int64
	// Value is nil for a tombstone.
	Value []byte
	// Key is nil where the record has none.
	Key     []byte
	Headers []Header
	Topic   string
}

// Header is one header of a record; a name may come several times.
type Header = struct {
	Key   string
	Value []byte
}

// Batch is what one poll brought of one partition, in offset order.
type Batch = struct {
	Partition int32
	// Next is the position after the batch. It is past transaction markers and other offsets that hold no record for us,
	// so Records may be empty.
	Next    int64
	Records []Record
}

// concurrentFetches bounds how many brokers' answers lie in memory at a time.
const concurrentFetches = 4

// pollRecords bounds one poll.
const pollRecords = 10_000

// Consumer reads given partitions of one topic from exact offsets. All but Close is for one goroutine at a time.
type Consumer struct {
	topic  string
	shared *sharedClient
	admin  *Admin
	// position is the next offset wanted of each partition still read.
	position map[int32]int64
	// failed are partitions that the client has given up, to be started again by the next poll.
	failed []int32
	held   kgo.Fetches // what the last poll handed out

	batches []Batch
	records []Record
	headers []Header
}

// ConsumerConfig says what to read.
type ConsumerConfig struct {
	// Properties are consumerProperties as they stand in the spec; Env resolves their secrets.
	Properties map[string]any
	Env        Lookup
	Topic      string
	// Start has the first offset wanted of each partition.
	Start map[int32]int64
}

// NewConsumer starts reading in the background. The caller closes the consumer. An error is a *StreamError about the
// properties; whether the cluster answers shows in Poll.
func NewConsumer(c ConsumerConfig) (*Consumer, error) {
	p, err := ParseProperties(c.Properties, c.Env)
	if err != nil {
		return nil, err
	}
	start := make(map[int32]kgo.Offset, len(c.Start))
	position := make(map[int32]int64, len(c.Start))
	for n, offset := range c.Start {
		start[n] = kgo.NoResetOffset().At(offset)
		position[n] = offset
	}
	isolation := kgo.ReadCommitted()
	if p.ReadUncommitted {
		isolation = kgo.ReadUncommitted()
	}
	opts := []kgo.Opt{
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{c.Topic: start}),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchIsolationLevel(isolation),
		// A marker has no rows, but an offset: without it the position would rest before the end of the partition.
		kgo.KeepControlRecords(),
		kgo.FetchMinBytes(max(p.FetchMinBytes, 1)),
		kgo.FetchMaxBytes(max(p.FetchMaxBytes, 1)),
		kgo.FetchMaxPartitionBytes(max(p.PartitionBytes, 1)),
		kgo.FetchMaxWait(max(p.FetchMaxWait, minFetchMaxWait)),
		kgo.MaxConcurrentFetches(concurrentFetches),
		kgo.WithPools(newPool()),
	}
	if p.Rack != "" {
		opts = append(opts, kgo.Rack(p.Rack))
	}
	client, hangUp, err := p.newClient(opts...)
	if err != nil {
		return nil, err
	}
	shared := &sharedClient{client: client, hangUp: hangUp}
	return &Consumer{
		topic: c.Topic, shared: shared, position: position,
		admin: &Admin{shared: shared, properties: p, release: func() {}},
	}, nil
}

// Poll waits for records, for trouble, or for ctx to end. What it returns is valid until the next call. Trouble of one
// partition comes as an error only when there are no records to return; the next call then tries that partition again
// where it stood, so the caller pauses and polls on. Errors: ctx's own; *OutOfRangeError; *StreamError for anything else.
func (c *Consumer) Poll(ctx context.Context) ([]Batch, error) {
	c.recycle()
	c.restart()
	c.held = c.shared.client.PollRecords(ctx, pollRecords)
	var failure error
	c.batches, c.records, c.headers = c.batches[:0], c.records[:0], c.headers[:0]
	c.held.EachPartition(func(p kgo.FetchTopicPartition) {
		if p.Topic == c.topic {
			c.take(&p)
		}
		if p.Err == nil {
			return
		}
		if failure == nil {
			failure = c.trouble(ctx, &p)
		}
	})
	c.cut()
	if len(c.batches) > 0 {
		return c.batches, nil
	}
	return nil, failure
}

// take appends one partition's records; cut gives the batches their part of c.records, which may move while it grows.
func (c *Consumer) take(p *kgo.FetchTopicPartition) {
	next, ok := c.position[p.Partition]
	if !ok || len(p.Records) == 0 {
		return
	}
	from := next
	for _, r := range p.Records {
		if r.Offset < next {
			continue // seen before the partition was started again
		}
		next = r.Offset + 1
		if r.Attrs.IsControl() {
			continue
		}
		c.records = append(c.records, Record{
			Partition: p.Partition, Offset: r.Offset, TimestampMillis: r.Timestamp.UnixMilli(), Value: r.Value,
			Key: r.Key, Headers: c.takeHeaders(r.Headers), Topic: p.Topic,
		})
	}
	if next == from {
		return
	}
	c.position[p.Partition] = next
	c.batches = append(c.batches, Batch{Partition: p.Partition, Next: next})
}

// takeHeaders copies headers. Where c.headers grows, what was cut from it before keeps the old memory.
func (c *Consumer) takeHeaders(headers []kgo.RecordHeader) []Header {
	if len(headers) == 0 {
		return nil
	}
	first := len(c.headers)
	for _, h := range headers {
		c.headers = append(c.headers, Header(h))
	}
	return c.headers[first:len(c.headers):len(c.headers)]
}

func (c *Consumer) cut() {
	at := 0
	for i := range c.batches {
		b := &c.batches[i]
		end := at
		for end < len(c.records) && c.records[end].Partition == b.Partition && c.records[end].Offset < b.Next {
			end++
		}
		b.Records = c.records[at:end:end]
		at = end
	}
}

// trouble turns one partition's error into ours and notes what has to be started again.
func (c *Consumer) trouble(ctx context.Context, p *kgo.FetchTopicPartition) error {
	if ctx.Err() != nil && (errors.Is(p.Err, context.Canceled) || errors.Is(p.Err, context.DeadlineExceeded)) {
		return ctx.Err()
	}
	if p.Topic != c.topic {
		return wrapStream(c.topic, "fetching records", p.Err) // the client as a whole: closed
	}
	offset, wanted := c.position[p.Partition]
	if !wanted {
		return nil
	}
	if !slices.Contains(c.failed, p.Partition) {
		c.failed = append(c.failed, p.Partition)
	}
	if errors.Is(p.Err, kerr.OffsetOutOfRange) {
		return c.outOfRange(ctx, p.Partition, offset)
	}
	return wrapStream(c.topic, fmt.Sprintf("fetching records of partition %d", p.Partition), p.Err)
}

func (c *Consumer) outOfRange(ctx context.Context, partition int32, offset int64) error {
	out := &OutOfRangeError{Topic: c.topic, Partition: partition, Offset: offset, Earliest: -1, Latest: -1}
	ask := []int32{partition}
	if found, err := c.admin.EarliestOffsets(ctx, c.topic, ask); err == nil {
		out.Earliest = found[partition]
	}
	if found, err := c.admin.LatestOffsets(ctx, c.topic, ask); err == nil {
		out.Latest = found[partition]
	}
	return out
}

// restart puts partitions that the client gave up back where they stood.
func (c *Consumer) restart() {
	if len(c.failed) == 0 {
		return
	}
	add := make(map[int32]kgo.Offset, len(c.failed))
	for _, p := range c.failed {
		add[p] = kgo.NoResetOffset().At(c.position[p])
	}
	c.shared.client.RemoveConsumePartitions(map[string][]int32{c.topic: c.failed})
	c.shared.client.AddConsumePartitions(map[string]map[int32]kgo.Offset{c.topic: add})
	c.failed = nil
}

// Remove stops reading a partition: what is in memory of it is dropped.
func (c *Consumer) Remove(partition int32) {
	if _, ok := c.position[partition]; !ok {
		return
	}
	delete(c.position, partition)
	c.failed = slices.DeleteFunc(c.failed, func(p int32) bool { return p == partition })
	c.shared.client.RemoveConsumePartitions(map[string][]int32{c.topic: {partition}})
}

func (c *Consumer) recycle() {
	c.held.EachRecord(func(r *kgo.Record) { r.Recycle() })
	c.held = nil
}

// Close ends reading and waits for it.
func (c *Consumer) Close() { c.shared.close() }
