package kafka

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"ogham/domain/task"
)

func TestConsumerReadsSeveralTopics(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(2, "a", "b"))
	cl := producer(t, c)
	produce(t, cl, "a", 0, "a0", "a0b")
	produce(t, cl, "a", 1, "a1")
	produce(t, cl, "b", 0, "b0")
	cons := newConsumer(t, c, "", task.Offsets{"a:0": 1, "a:1": 0, "b:0": 0}, nil)
	got := map[task.Partition]string{}
	for len(got) < 3 {
		batches, err := cons.Poll(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range batches {
			for _, r := range b.Records {
				if task.PartitionIn(r.Topic, r.Partition) != b.Partition {
					t.Fatalf("record of %s/%d in the batch of %s", r.Topic, r.Partition, b.Partition)
				}
				got[b.Partition] += string(r.Value)
			}
		}
	}
	if got["a:0"] != "a0b" || got["a:1"] != "a1" || got["b:0"] != "b0" {
		t.Errorf("read %v", got)
	}
}

func TestPartitionsWithoutATopicAreRefused(t *testing.T) {
	for _, p := range []task.Partition{"0", "a:x", ":0"} {
		_, err := NewConsumer(ConsumerConfig{Properties: map[string]any{"bootstrap.servers": "127.0.0.1:1"}, Start: task.Offsets{p: 0}})
		if err == nil {
			t.Errorf("partition %q was taken", p)
		}
	}
}

// recreate deletes a topic and makes it anew with records.
func recreate(t *testing.T, cl *kgo.Client, topic string, partitions int32, values ...string) {
	t.Helper()
	adm := kadm.NewClient(cl)
	if _, err := adm.DeleteTopic(t.Context(), topic); err != nil {
		t.Fatal(err)
	}
	if _, err := adm.CreateTopic(t.Context(), partitions, 1, nil, topic); err != nil {
		t.Fatal(err)
	}
	cl.PurgeTopicsFromClient(topic)
	produce(t, cl, topic, 0, values...)
}

func TestARecreatedTopicIsNotRead(t *testing.T) {
	for _, running := range []bool{true, false} {
		name := map[bool]string{true: "while it is read", false: "before it is read"}[running]
		t.Run(name, func(t *testing.T) {
			c := newCluster(t, kfake.SeedTopics(1, "edits", "other"))
			cl := producer(t, c)
			produce(t, cl, "edits", 0, "old")
			a := newAdmin(t, map[string]any{"bootstrap.servers": servers(c)})
			found, err := a.Topic(t.Context(), "edits", 0)
			id := found.ID
			if err != nil || id == "" {
				t.Fatal(id, err)
			}
			open := func() *Consumer {
				cons, err := NewConsumer(ConsumerConfig{
					Properties: map[string]any{"bootstrap.servers": servers(c), "fetch.max.wait.ms": 50},
					Start:      task.Offsets{"edits:0": 0, "other:0": 0}, TopicIDs: map[string]string{"edits": id},
				})
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(cons.Close)
				return cons
			}
			var cons *Consumer
			if running {
				cons = open()
				if b, err := cons.Poll(t.Context()); err != nil || len(b) == 0 {
					t.Fatal(b, err)
				}
			}
			recreate(t, cl, "edits", 1, "new", "newer")
			if !running {
				cons = open()
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			var anew *RecreatedError
			for !errors.As(err, &anew) {
				var b []Batch
				if b, err = cons.Poll(ctx); len(b) > 0 {
					t.Fatalf("read %v of the new topic", b)
				}
				if ctx.Err() != nil {
					t.Fatal("the new topic was not noticed")
				}
			}
			if anew.Topic != "edits" || anew.Want != id || anew.Got == id || anew.Got == "" {
				t.Errorf("%+v", anew)
			}
			// The other topic is read on, and the trouble is told again.
			produce(t, cl, "other", 0, "x")
			for read := false; !read; {
				b, err := cons.Poll(ctx)
				if err != nil && !errors.As(err, &anew) {
					t.Fatal(err)
				}
				read = len(b) == 1 && b[0].Partition == "other:0"
			}
			cons.Remove("edits:0")
			short, end := context.WithTimeout(ctx, 100*time.Millisecond)
			defer end()
			if _, err := cons.Poll(short); errors.As(err, &anew) {
				t.Error("a topic that is read no more still troubles")
			}
		})
	}
}

func TestTopicsThatMatch(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(2, "edits_a", "edits_b", "other"))
	a := newAdmin(t, map[string]any{"bootstrap.servers": servers(c)})
	asked := 0
	found, err := a.Topics(t.Context(), func(topic string) bool { asked++; return topic != "other" }, 0)
	if err != nil || len(found) != 2 || len(found["edits_a"].Partitions) != 2 || found["edits_b"].ID == "" || found["edits_a"].ID == found["edits_b"].ID {
		t.Fatalf("found %v, %v", found, err)
	}
	if asked != 3 {
		t.Errorf("%d names were matched, want the three that are not Kafka's own", asked)
	}
}

func TestTimestampsOfRecords(t *testing.T) {
	c := newCluster(t, kfake.SeedTopics(3, "edits", "other"))
	cl := producer(t, c, kgo.ProducerBatchCompression(kgo.Lz4Compression()), kgo.ProducerLinger(20*time.Millisecond))
	for i := range 10 {
		cl.Produce(t.Context(), &kgo.Record{Topic: "edits", Partition: int32(i % 2), Timestamp: time.UnixMilli(1000 + int64(i)), Value: []byte("x")}, nil)
	}
	cl.Produce(t.Context(), &kgo.Record{Topic: "other", Partition: 2, Timestamp: time.UnixMilli(77), Value: []byte("x")}, nil)
	if err := cl.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	a := newAdmin(t, map[string]any{"bootstrap.servers": servers(c)})
	got, err := a.Timestamps(t.Context(), map[string]map[int32]int64{
		"edits": {0: 0, 1: 4, 2: 0}, "other": {2: 0, 9: 0}, "nope": {0: 0},
	})
	if err != nil || len(got["edits"]) != 2 || got["edits"][0] != 1000 || got["edits"][1] != 1009 || len(got["other"]) != 1 || got["other"][2] != 77 || len(got) != 2 {
		t.Errorf("timestamps %v, %v", got, err)
	}
}
