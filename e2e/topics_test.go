package e2e

import (
	"context"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
)

// feedTopic makes a topic and sends it count rows from the given one on.
func (b *broker) feedTopic(topic string, from, count int64) {
	b.t.Helper()
	b.createTopic(topic, 2)
	p := b.producer(topic, 2)
	p.sent = from
	p.send(count)
	p.flush()
}

func (b *broker) deleteTopic(topic string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if _, err := kadm.NewClient(b.client()).DeleteTopic(ctx, topic); err != nil {
		b.t.Fatalf("delete topic %s: %v", topic, err)
	}
}

// TestPatternFollowsItsTopics reads two topics, then a third that matches, then one of them alone, and at last all again.
func TestPatternFollowsItsTopics(t *testing.T) {
	t.Parallel()
	b := newBroker(t)
	b.feedTopic("pat_a", 0, 2000)
	b.feedTopic("pat_b", 2000, 2000)
	b.feedTopic("other", 100_000, 10)
	pattern := func(s sections) { delete(s.io, "topic"); s.io["topicPattern"] = "pat_(?:a|b|c)" }
	s := newServer(t, "pattern").start()
	s.submit(specOf("pattern", "", b.servers, pattern))
	s.waitRows("pattern", 4000)
	b.feedTopic("pat_c", 4000, 1000)
	s.waitRows("pattern", 5000)

	s.submit(specOf("pattern", "pat_c", b.servers, nil))
	p := b.producer("pat_c", 2)
	p.sent = 5000
	p.send(1000)
	p.flush()
	s.waitRows("pattern", 6000)

	// pat_b is left while rows of it come: it goes on where it was left, as pat_c does.
	left := b.producer("pat_b", 2)
	left.sent = 6000
	left.send(300)
	left.flush()
	s.submit(specOf("pattern", "", b.servers, func(s sections) { pattern(s); s.io["topicPattern"] = "pat_[bc]" }))
	p.sent = 6300
	p.send(200)
	p.flush()
	s.waitRows("pattern", 6500)
	all, err := s.segments("pattern")
	if err != nil {
		t.Fatal(err)
	}
	c := readSegments(t, all)
	for id := range int64(6500) {
		if c.seen[id] != 1 {
			t.Fatalf("row %d is there %d times, want once", id, c.seen[id])
		}
	}
	if len(c.seen) != 6500 || len(c.wrong) > 0 {
		t.Errorf("%d rows, want 6500; %v", len(c.seen), c.wrong)
	}
	checkHistory(t, s.events(t))
}

// TestTopicMadeAnew deletes a topic that tasks read and makes a longer one of the same name.
func TestTopicMadeAnew(t *testing.T) {
	t.Parallel()
	const rows, again = 2000, 3000
	b := newBroker(t)
	b.feedTopic("anew", 0, rows)
	s := newServer(t, "anew").start()
	s.submit(specOf("anew", "anew", b.servers, nil))
	s.waitRows("anew", rows)
	b.deleteTopic("anew")
	b.feedTopic("anew", 0, again)
	eventually(t, "the supervisor is unhealthy", func() (bool, string) {
		st, seen := s.statusOf("anew")
		for _, e := range st.Payload.RecentErrors {
			if strings.Contains(e.Message, "Topic [anew] was deleted and made anew") && strings.Contains(e.Message, "reset API") {
				return !st.Payload.Healthy, seen
			}
		}
		return false, seen
	})
	s.checkRows("anew", rows)
	s.must("POST", pathOf("anew", "/reset"), nil, nil)
	s.waitRows("anew", rows+again)
	all, err := s.segments("anew")
	if err != nil {
		t.Fatal(err)
	}
	c := readSegments(t, all)
	for id := range int64(again) {
		if want := map[bool]int{true: 2, false: 1}[id < rows]; c.seen[id] != want {
			t.Fatalf("row %d is there %d times, want %d", id, c.seen[id], want)
		}
	}
	s.waitState("anew", "RUNNING")
	checkHistory(t, s.events(t))
}
