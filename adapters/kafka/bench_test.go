package kafka

import (
	"context"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"ogham/domain/task"
)

// BenchmarkConsumer reads 165-byte records, LZ4-compressed, as a task does, and as the client alone.
func BenchmarkConsumer(b *testing.B) {
	const n = 1_000_000
	c, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(4, "edits"))
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	cl, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ProducerBatchCompression(kgo.Lz4Compression()),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		b.Fatal(err)
	}
	defer cl.Close()
	for i := range n {
		value := fmt.Appendf(nil, `{"ts":"2026-11-23T00:00:00.%03dZ","page":"page-%07d","user":"user-%05d","country":"DE","added":%07d,"padding":"%040d"}`, i%1000, i, i%977, i, i)
		cl.Produce(context.Background(), &kgo.Record{Topic: "edits", Partition: int32(i % 4), Value: value}, nil)
	}
	if err := cl.Flush(context.Background()); err != nil {
		b.Fatal(err)
	}
	b.Run("consumer", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			cons, err := NewConsumer(ConsumerConfig{
				Properties: map[string]any{"bootstrap.servers": c.ListenAddrs()[0]}, Topic: "edits", Start: task.Offsets{"0": 0, "1": 0, "2": 0, "3": 0},
			})
			if err != nil {
				b.Fatal(err)
			}
			for got := 0; got < n; {
				batches, err := cons.Poll(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				for _, x := range batches {
					got += len(x.Records)
				}
			}
			cons.Close()
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
	b.Run("raw", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			raw, err := kgo.NewClient(kgo.SeedBrokers(c.ListenAddrs()...), kgo.ConsumeTopics("edits"))
			if err != nil {
				b.Fatal(err)
			}
			for got := 0; got < n; {
				got += raw.PollFetches(context.Background()).NumRecords()
			}
			raw.Close()
		}
		b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
	})
}
