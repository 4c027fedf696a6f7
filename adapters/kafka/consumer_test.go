package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"ogham/domain/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newConsumer(t *testing.T, c *kfake.Cluster, topic string, start task.Offsets, more map[string]any) *Consumer {
	t.Helper()
	props := map[string]any{"bootstrap.servers": servers(c), "fetch.max.wait.ms": 50}
	maps.Copy(props, more)
	cons, err := NewConsumer(ConsumerConfig{Properties: props, Topic: topic, Start: start})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cons.Close)
	return cons
}

// readTo polls until every partition of want is at its position, and returns the values in order.
func readTo(t *testing.T, c *Consumer, want task.Offsets) map[task.Partition][]string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	got := make(map[task.Partition][]string)
	at := task.Offsets{}
	for !maps.Equal(at, want) {
		batches, err := c.Poll(ctx)
		if err != nil {
			t.Fatalf("poll: %v (at %v, want %v)", err, at, want)
		}
		for _, b := range batches {
			at[b.Partition] = b.Next
			for _, r := range b.Records {
				if task.PartitionOf(r.Partition) != b.Partition || r.Topic != "edits" || r.Offset >= b.Next {
					t.Fatalf("record %d/%d in batch %s to %d", r.Partition, r.Offset, b.Partition, b.Next)
				}
				got[b.Partition] = append(got[b.Partition], string(r.Value))
			}
		}
	}
	return got
}

func TestConsumerReadsFromExactOffsets(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(3, "edits"))
	cl := producer(t, c, kgo.ProducerBatchCompression(kgo.Lz4Compression()))
	for i := range 20 {
		for p := range int32(3) {
			produce(t, cl, "edits", p, fmt.Sprint(p, "/", i))
		}
	}
	cons := newConsumer(t, c, "edits", task.Offsets{"0": 0, "1": 5, "2": 19}, nil)
	got := readTo(t, cons, task.Offsets{"0": 20, "1": 20, "2": 20})
	if len(got["0"]) != 20 || len(got["1"]) != 15 || len(got["2"]) != 1 || got["1"][0] != "1/5" || got["2"][0] != "2/19" {
		t.Fatalf("got %v", got)
	}
	cons.Remove("0")
	produce(t, cl, "edits", 0, "unwanted")
	produce(t, cl, "edits", 1, "wanted")
	if got := readTo(t, cons, task.Offsets{"1": 21}); got["1"][0] != "wanted" {
		t.Fatalf("got %v", got)
	}
}

func TestConsumerSkipsAbortedAndPassesMarkers(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "edits"))
	cl := producer(t, c, kgo.TransactionalID("tx"))
	for i, end := range []kgo.TransactionEndTry{kgo.TryCommit, kgo.TryAbort, kgo.TryCommit, kgo.TryAbort} {
		if err := cl.BeginTransaction(); err != nil {
			t.Fatal(err)
		}
		produce(t, cl, "edits", 0, fmt.Sprint(i, "a"), fmt.Sprint(i, "b"))
		if err := cl.EndTransaction(t.Context(), end); err != nil {
			t.Fatal(err)
		}
	}
	a := newAdmin(t, map[string]any{"bootstrap.servers": servers(c)})
	latest, err := offsetsOf(t, a.LatestOffsets, []int32{0})
	if err != nil || latest[0] != 12 { // 8 records, 4 markers
		t.Fatal(latest, err)
	}
	cons := newConsumer(t, c, "edits", task.Offsets{"0": 0}, nil)
	got := readTo(t, cons, task.Offsets{"0": 12})
	if fmt.Sprint(got["0"]) != "[0a 0b 2a 2b]" {
		t.Fatalf("read committed: %v", got)
	}
	all := newConsumer(t, c, "edits", task.Offsets{"0": 0}, map[string]any{"isolation.level": "read_uncommitted"})
	if got := readTo(t, all, task.Offsets{"0": 12}); len(got["0"]) != 8 {
		t.Fatalf("read uncommitted: %v", got)
	}
}

func TestConsumerOutOfRange(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(2, "edits"))
	cl := producer(t, c)
	produce(t, cl, "edits", 0, "a", "b")
	produce(t, cl, "edits", 1, "x")
	cons := newConsumer(t, c, "edits", task.Offsets{"0": 5, "1": 0}, nil)

	// The healthy partition is read, the other one reported again and again until its offset is there.
	var seen *OutOfRangeError
	values := 0
	for n := 0; n < 3 || values == 0; {
		batches, err := cons.Poll(t.Context())
		for _, b := range batches {
			values += len(b.Records)
		}
		if err == nil {
			continue
		}
		if !errors.As(err, &seen) {
			t.Fatal(err)
		}
		n++
	}
	if seen.Partition != 0 || seen.Offset != 5 || seen.Earliest != 0 || seen.Latest != 2 {
		t.Fatalf("%+v", seen)
	}
	produce(t, cl, "edits", 0, "c", "d", "e", "f")
	for {
		batches, err := cons.Poll(t.Context())
		if err != nil && !errors.As(err, &seen) {
			t.Fatal(err)
		}
		if len(batches) > 0 {
			if got := batches[0].Records[0]; got.Offset != 5 || string(got.Value) != "f" {
				t.Fatalf("%+v", got)
			}
			return
		}
	}
}

func TestConsumerOutlivesBrokers(t *testing.T) {
	c := newCluster(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "edits"))
	cl := producer(t, c)
	produce(t, cl, "edits", 0, "a")
	cons := newConsumer(t, c, "edits", task.Offsets{"0": 0}, nil)
	readTo(t, cons, task.Offsets{"0": 1})

	// Fetches are cut off for a while: nothing is read, nothing fails.
	broken := 0
	const fetch = 1
	c.ControlKey(fetch, func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		broken++
		return nil, errors.New("cut"), broken <= 5
	})
	produce(t, cl, "edits", 0, "b")
	if got := readTo(t, cons, task.Offsets{"0": 2}); got["0"][0] != "b" {
		t.Fatal(got)
	}
}

func TestConsumerDeadClusterOnlyWaits(t *testing.T) {
	cons, err := NewConsumer(ConsumerConfig{Properties: map[string]any{"bootstrap.servers": "127.0.0.1:1"}, Topic: "edits", Start: task.Offsets{"0": 0}})
	if err != nil {
		t.Fatal(err)
	}
	defer cons.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for ctx.Err() == nil {
		batches, err := cons.Poll(ctx)
		var s *StreamError
		if len(batches) > 0 || err == nil || !errors.Is(err, context.DeadlineExceeded) && !errors.As(err, &s) {
			t.Fatal(batches, err)
		}
	}
}

func TestConsumerGivesKeyHeadersAndTopic(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(1, "edits"))
	cl := producer(t, c)
	for i := range 3 {
		r := &kgo.Record{Topic: "edits", Value: fmt.Append(nil, i), Timestamp: time.UnixMilli(1767225600000 + int64(i))}
		for h := range i {
			r.Headers = append(r.Headers, kgo.RecordHeader{Key: fmt.Sprint("h", h), Value: fmt.Append(nil, i, h)})
		}
		if i > 0 {
			r.Key = fmt.Append(nil, "key", i)
		}
		if err := cl.ProduceSync(t.Context(), r).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	cons := newConsumer(t, c, "edits", task.Offsets{"0": 0}, nil)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for seen := int64(0); seen < 3; {
		batches, err := cons.Poll(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range batches[0].Records {
			if r.Topic != "edits" || r.TimestampMillis != 1767225600000+seen || (r.Key == nil) != (seen == 0) || len(r.Headers) != int(seen) {
				t.Fatalf("record %d is %+v", seen, r)
			}
			for i, h := range r.Headers {
				if h.Key != fmt.Sprint("h", i) || string(h.Value) != fmt.Sprint(seen, i) {
					t.Fatalf("header %d of record %d is %s=%s", i, seen, h.Key, h.Value)
				}
			}
			seen++
		}
	}
}

// TestRecordsKeepTheirBytesUntilTheNextPoll holds what a poll gave against what was produced, while the client fetches on
// into the memory of the polls before.
func TestRecordsKeepTheirBytesUntilTheNextPoll(t *testing.T) {
	for _, codec := range []kgo.CompressionCodec{kgo.Lz4Compression(), kgo.ZstdCompression(), kgo.SnappyCompression(), kgo.NoCompression()} {
		for _, most := range []int{0, 70} { // max.poll.records
			t.Run(fmt.Sprint(codec, most), func(t *testing.T) {
				c := newCluster(t, kfake.SeedTopics(2, "edits"))
				cl := producer(t, c, kgo.ProducerBatchCompression(codec), kgo.ProducerBatchMaxBytes(60_000), kgo.RecordPartitioner(kgo.ManualPartitioner()))
				const rows = 4000
				for i := range rows {
					cl.Produce(t.Context(), &kgo.Record{Topic: "edits", Partition: int32(i % 2), Key: valueOf(i)[:3], Value: valueOf(i)}, nil)
				}
				if err := cl.Flush(t.Context()); err != nil {
					t.Fatal(err)
				}
				more := map[string]any{"max.partition.fetch.bytes": 100_000}
				if most > 0 {
					more["max.poll.records"] = most
				}
				cons := newConsumer(t, c, "edits", task.Offsets{"0": 0, "1": 0}, more)
				for got := 0; got < rows; {
					batches, err := cons.Poll(t.Context())
					if err != nil {
						t.Fatal(err)
					}
					for _, b := range batches {
						for _, r := range b.Records {
							if want := valueOf(int(r.Offset)*2 + int(r.Partition)); !bytes.Equal(r.Value, want) || !bytes.Equal(r.Key, want[:3]) {
								t.Fatalf("record %d of partition %d is %.20q with key %q, want %.20q", r.Offset, r.Partition, r.Value, r.Key, want)
							}
							got++
						}
					}
				}
			})
		}
	}
}

func valueOf(i int) []byte { return fmt.Appendf(nil, "%0*d", 20+i%400, i) }
