package kafka

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"ogham/domain/task"
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
	Partition task.Partition
	// Next is the position after the batch. It is past transaction markers and other offsets that hold no record for us,
	// so Records may be empty.
	Next    int64
	Records []Record
}

// concurrentFetches bounds how many brokers' answers lie in memory at a time.
const concurrentFetches = 4

// Consumer reads given partitions from exact offsets. All but Close is for one goroutine at a time.
type Consumer struct {
	shared *sharedClient
	admin  *Admin
	// cursors are the partitions still read.
	cursors map[source]*cursor
	// ids are the topics' own: a topic that has another one is not read. The first that is seen counts where none is given.
	ids map[string]string
	// anew are topics that turned out to be others.
	anew map[string]*RecreatedError
	// failed are partitions that the client has given up, to be started again by the next poll.
	failed []source
	lender *lender

	batches []Batch
	lengths []int // of the batches' records
	records []Record
	headers []Header
}

// source is a partition of a topic.
type source struct {
	topic     string
	partition int32
}

// cursor is where a partition is read.
type cursor struct {
	name task.Partition
	next int64 // the offset wanted next
}

// ConsumerConfig says what to read.
type ConsumerConfig struct {
	// Properties are consumerProperties as they stand in the spec; Env resolves their secrets.
	Properties map[string]any
	Env        Lookup
	// Topic is the only one; empty where Start names its topics itself ("topic:0").
	Topic string
	// Start has the first offset wanted of each partition.
	Start task.Offsets
	// TopicIDs are the ids of the topics as they are to be, by name; a topic without one is taken as it is found.
	TopicIDs map[string]string
}

// NewConsumer starts reading in the background. The caller closes the consumer. An error is about the properties (a
// *StreamError) or about a partition's name; whether the cluster answers shows in Poll.
func NewConsumer(c ConsumerConfig) (*Consumer, error) {
	p, err := ParseProperties(c.Properties, c.Env)
	if err != nil {
		return nil, err
	}
	start := make(map[string]map[int32]kgo.Offset)
	cursors := make(map[source]*cursor, len(c.Start))
	for name, offset := range c.Start {
		s, err := sourceOf(c.Topic, name)
		if err != nil {
			return nil, err
		}
		if start[s.topic] == nil {
			start[s.topic] = make(map[int32]kgo.Offset)
		}
		start[s.topic][s.partition] = kgo.NoResetOffset().At(offset)
		cursors[s] = &cursor{name: name, next: offset}
	}
	isolation := kgo.ReadCommitted()
	if p.ReadUncommitted {
		isolation = kgo.ReadUncommitted()
	}
	lent := newLender(p.PollRecords <= 0)
	opts := []kgo.Opt{
		kgo.ConsumePartitions(start),
		kgo.ConsumeResetOffset(kgo.NoResetOffset()),
		kgo.FetchIsolationLevel(isolation),
		// A marker has no rows, but an offset: without it the position would rest before the end of the partition.
		kgo.KeepControlRecords(),
		kgo.FetchMinBytes(max(p.FetchMinBytes, 1)),
		kgo.FetchMaxBytes(max(p.FetchMaxBytes, 1)),
		kgo.FetchMaxPartitionBytes(max(p.PartitionBytes, 1)),
		kgo.FetchMaxWait(max(p.FetchMaxWait, minFetchMaxWait)),
		kgo.MaxConcurrentFetches(concurrentFetches),
		kgo.WithPools(lent), kgo.WithDecompressor(lent),
	}
	if p.SkipCRC {
		opts = append(opts, kgo.DisableFetchCRCValidation())
	}
	if p.Rack != "" {
		opts = append(opts, kgo.Rack(p.Rack))
	}
	shared, err := newSharedClient(p, opts...)
	if err != nil {
		return nil, err
	}
	ids := maps.Clone(c.TopicIDs)
	if ids == nil {
		ids = make(map[string]string)
	}
	return &Consumer{
		shared: shared, lender: lent, cursors: cursors, ids: ids, anew: make(map[string]*RecreatedError),
		admin: &Admin{shared: shared, properties: p, release: func() {}},
	}, nil
}

// sourceOf splits a partition's name; topic is the only one, if there is one.
func sourceOf(topic string, name task.Partition) (source, error) {
	own, n, ok := name.Split()
	switch {
	case !ok, own == "" && topic == "":
		return source{}, fmt.Errorf("%q is no partition of a topic", name)
	case own == "":
		own = topic
	}
	return source{own, n}, nil
}

// Poll waits for records, for trouble, or for ctx to end. What it returns is valid until the next call. Trouble of one
// partition comes as an error only when there are no records to return; the next call then tries that partition again
// where it stood, so the caller pauses and polls on. Errors: ctx's own; *OutOfRangeError; *RecreatedError, for as long as
// a partition of that topic is not removed; *StreamError for anything else.
func (c *Consumer) Poll(ctx context.Context) ([]Batch, error) {
	c.lender.reclaim()
	c.restart()
	held := c.shared.client.PollRecords(ctx, c.admin.properties.PollRecords)
	var failure error
	c.batches, c.lengths, c.records, c.headers = c.batches[:0], c.lengths[:0], c.records[:0], c.headers[:0]
	held.EachTopic(func(t kgo.FetchTopic) {
		if !c.asWanted(t.Topic, topicID(t.TopicID)) {
			return
		}
		for i := range t.Partitions {
			p := &t.Partitions[i]
			c.take(t.Topic, p)
			if p.Err != nil && failure == nil {
				failure = c.trouble(ctx, source{t.Topic, p.Partition}, p.Err)
			}
		}
	})
	c.cut()
	if len(c.batches) > 0 {
		return c.batches, nil
	}
	for s := range c.cursors {
		if e := c.anew[s.topic]; e != nil {
			return nil, e
		}
	}
	return nil, failure
}

// asWanted reports whether a topic is the one that was to be read. One that is not is read no further.
func (c *Consumer) asWanted(topic, id string) bool {
	if id == "" {
		return c.anew[topic] == nil // an older broker, or the client's own error
	}
	want, known := c.ids[topic]
	if !known {
		c.ids[topic], want = id, id
	}
	if want == id {
		return true
	}
	c.foundAnew(topic, id)
	return false
}

func (c *Consumer) foundAnew(topic, id string) {
	if c.anew[topic] != nil {
		return
	}
	c.anew[topic] = &RecreatedError{Topic: topic, Want: c.ids[topic], Got: id}
	var partitions []int32
	for s := range c.cursors {
		if s.topic == topic {
			partitions = append(partitions, s.partition)
		}
	}
	c.failed = slices.DeleteFunc(c.failed, func(s source) bool { return s.topic == topic })
	c.shared.client.RemoveConsumePartitions(map[string][]int32{topic: partitions})
}

// take appends one partition's records; cut gives the batches their part of c.records, which may move while it grows.
func (c *Consumer) take(topic string, p *kgo.FetchPartition) {
	at := c.cursors[source{topic, p.Partition}]
	if at == nil || len(p.Records) == 0 {
		return
	}
	next, before := at.next, len(c.records)
	var u use
	for _, r := range p.Records {
		c.lender.note(&u, r)
		if r.Offset < next {
			continue // seen before the partition was started again
		}
		next = r.Offset + 1
		if r.Attrs.IsControl() {
			continue
		}
		c.records = append(c.records, Record{
			Partition: p.Partition, Offset: r.Offset, TimestampMillis: r.Timestamp.UnixMilli(), Value: r.Value,
			Key: r.Key, Headers: c.takeHeaders(r.Headers), Topic: topic,
		})
	}
	if next == at.next {
		return
	}
	at.next = next
	c.batches = append(c.batches, Batch{Partition: at.name, Next: next})
	c.lengths = append(c.lengths, len(c.records)-before)
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
		end := at + c.lengths[i]
		c.batches[i].Records = c.records[at:end:end]
		at = end
	}
}

// trouble turns one partition's error into ours and notes what has to be started again.
func (c *Consumer) trouble(ctx context.Context, s source, err error) error {
	if ctx.Err() != nil && (errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)) {
		return ctx.Err()
	}
	at := c.cursors[s]
	if at == nil {
		if s.topic == "" {
			return wrapStream("", "fetching records", err) // the client as a whole: closed
		}
		return nil
	}
	if !slices.Contains(c.failed, s) {
		c.failed = append(c.failed, s)
	}
	switch {
	case errors.Is(err, kerr.OffsetOutOfRange):
		return c.outOfRange(ctx, s, at)
	case errors.Is(err, kerr.UnknownTopicID):
		// Brokers that have not heard of the topic yet say so too.
		if id, asked := c.admin.topicID(ctx, s.topic); asked == nil && id != "" && c.ids[s.topic] != "" && id != c.ids[s.topic] {
			c.foundAnew(s.topic, id)
			return c.anew[s.topic]
		}
	}
	return wrapStream(s.topic, fmt.Sprintf("fetching records of partition %d", s.partition), err)
}

func (c *Consumer) outOfRange(ctx context.Context, s source, at *cursor) error {
	out := &OutOfRangeError{Topic: s.topic, Name: at.name, Partition: s.partition, Offset: at.next, Earliest: -1, Latest: -1}
	ask := map[string][]int32{s.topic: {s.partition}}
	if found, err := c.admin.EarliestOffsets(ctx, ask, 0); err == nil {
		out.Earliest = found[s.topic][s.partition]
	}
	if found, err := c.admin.LatestOffsets(ctx, ask, 0); err == nil {
		out.Latest = found[s.topic][s.partition]
	}
	return out
}

// restart puts partitions that the client gave up back where they stood.
func (c *Consumer) restart() {
	if len(c.failed) == 0 {
		return
	}
	add, remove := make(map[string]map[int32]kgo.Offset), make(map[string][]int32)
	for _, s := range c.failed {
		if add[s.topic] == nil {
			add[s.topic] = make(map[int32]kgo.Offset)
		}
		add[s.topic][s.partition] = kgo.NoResetOffset().At(c.cursors[s].next)
		remove[s.topic] = append(remove[s.topic], s.partition)
	}
	c.shared.client.RemoveConsumePartitions(remove)
	c.shared.client.AddConsumePartitions(add)
	c.failed = nil
}

// Remove stops reading a partition: what is in memory of it is dropped.
func (c *Consumer) Remove(p task.Partition) {
	for s, at := range c.cursors {
		if at.name != p {
			continue
		}
		delete(c.cursors, s)
		c.failed = slices.DeleteFunc(c.failed, func(f source) bool { return f == s })
		c.shared.client.RemoveConsumePartitions(map[string][]int32{s.topic: {s.partition}})
		return
	}
}

// Close ends reading and waits for it.
func (c *Consumer) Close() { c.shared.close() }
