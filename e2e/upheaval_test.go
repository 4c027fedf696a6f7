//go:build integration

package e2e

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// TestUpheavalsOfARealKafka changes a topic under its supervisor, and who leads, on one real broker.
func TestUpheavalsOfARealKafka(t *testing.T) {
	t.Parallel()
	k := newKafka(t, kafkaConfig{})
	t.Run("partitions are added while rows come in", func(t *testing.T) { t.Parallel(); growing(t, &broker{t: t, servers: k.at(openListener)}) })
	t.Run("a topic is deleted and made anew", func(t *testing.T) { t.Parallel(); recreated(t, &broker{t: t, servers: k.at(openListener)}) })
	t.Run("the leading overlord is killed", func(t *testing.T) { t.Parallel(); leaderKilled(t, &broker{t: t, servers: k.at(openListener)}) })
}

// streamed sends rows at a steady pace beside the test until the function is called, which waits until all are stored.
func (p *producer) streamed(perTick, many int64) (stop func()) {
	quiet := make(chan struct{})
	var work sync.WaitGroup
	work.Go(func() { p.flow(quiet, perTick, many) })
	return func() {
		p.t.Helper()
		close(quiet)
		work.Wait()
		p.flush()
	}
}

// quickly makes tasks short and the supervisor attentive.
func quickly(spec sections) { spec.io["taskDuration"], spec.io["period"] = "PT2S", "PT0.3S" }

// growing adds partitions to a topic: their rows are read from the first on, and none is lost or doubled.
func growing(t *testing.T, b *broker) {
	const first, all = 2, 5
	b.createTopic("growing", first)
	s := newServer(t, "growing", "--worker-capacity", "8").start()
	s.submit(specOf("growing", "growing", b.servers, quickly))
	p := b.producer("growing", first)
	stop := p.streamed(40, 100_000)
	progressOf(t, s, "growing", 1)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if answers, err := b.admin().CreatePartitions(ctx, all-first, "growing"); err != nil || answers.Error() != nil {
		t.Fatalf("add partitions: %v, %v", err, answers.Error())
	}
	more := b.producer("growing", all) // a client that knows of them
	stop()
	more.sent = p.sent
	stop = more.streamed(40, 100_000)
	eventually(t, "tasks read the added partitions", func() (bool, string) {
		st, seen := s.statusOf("growing")
		read := map[string]bool{}
		for _, task := range st.Payload.ActiveTasks {
			for partition, offset := range task.CurrentOffsets {
				read[partition] = offset > 0
			}
		}
		for n := range all {
			if !read[fmt.Sprint(n)] {
				return false, seen
			}
		}
		return true, ""
	})
	stop()
	s.waitRows("growing", more.sent)
	s.checkRows("growing", more.sent)
	checkHistory(t, s.events(t))
}

// progressOf waits until a supervisor has n more commits than when it began.
func progressOf(t *testing.T, s *server, id string, n int) {
	t.Helper()
	before := -1
	eventually(t, fmt.Sprintf("%d more commits of %s", n, id), func() (bool, string) {
		all, err := lines[event](s, "/ogham/v1/events?type=SegmentsPublished&supervisor="+id)
		if err != nil {
			return false, err.Error()
		}
		if before < 0 {
			before = len(all)
		}
		_, seen := s.statusOf(id)
		return len(all) >= before+n, fmt.Sprintf("%d, before %d; %s", len(all), before, seen)
	})
}

// recreated deletes a topic and makes it anew with more rows than the old one had, so that every old offset has a record:
// none is read until the user resets the supervisor, and then each is.
func recreated(t *testing.T, b *broker) {
	const old, fresh, partitions = 2000, 5000, 2
	b.createTopic("anew", partitions)
	p := b.producer("anew", partitions)
	p.send(old)
	p.flush()
	s := newServer(t, "anew").start()
	s.submit(specOf("anew", "anew", b.servers, func(spec sections) { quickly(spec); impatient(spec) }))
	s.waitRows("anew", old)
	s.checkRows("anew", old)

	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	admin := b.admin()
	if answers, err := admin.DeleteTopics(ctx, "anew"); err != nil || answers.Error() != nil {
		t.Fatalf("delete the topic: %v, %v", err, answers.Error())
	}
	eventually(t, "the topic is made anew", func() (bool, string) { // it may still be there for a moment
		_, err := admin.CreateTopic(ctx, partitions, 1, nil, "anew")
		return err == nil, fmt.Sprint(err)
	})
	again := b.producer("anew", partitions)
	again.sent = old
	again.send(fresh)
	again.flush()
	eventually(t, "the supervisor says that the topic is another one", func() (bool, string) {
		st, seen := s.statusOf("anew")
		for _, e := range st.Payload.RecentErrors {
			if e.StreamError && strings.Contains(e.Message, "was deleted and made anew") {
				return !st.Payload.Healthy, seen
			}
		}
		return false, seen
	})
	s.checkRows("anew", old)
	s.must("POST", pathOf("anew", "/reset"), nil, nil)
	s.waitRows("anew", old+fresh)
	s.checkRows("anew", old+fresh)
	s.waitState("anew", "RUNNING")
	checkHistory(t, s.events(t))
}

// leaderKilled kills the leading of two overlords while rows come in, twice, and starts it again.
func leaderKilled(t *testing.T, b *broker) {
	const partitions = 3
	b.createTopic("led", partitions)
	urls, _ := natsServers(t, 1)
	h := &house{t: t, nats: urls, dir: t.TempDir()}
	lords := []*server{h.start("overlord", "lord-1"), h.start("overlord", "lord-2")}
	h.more = []string{"--worker-capacity", "8"}
	h.start("worker", "led-worker")
	leader := leaderOf(t, lords...)
	leader.submit(specOf("led", "led", b.servers, quickly))
	p := b.producer("led", partitions)
	stop := p.streamed(40, 100_000)
	for range 2 {
		progressOf(t, leader, "led", 2)
		epoch := epochOf(leader.events(t))
		leader.kill()
		other := lords[0]
		if leader == other {
			other = lords[1]
		}
		leaderOf(t, other)
		progressOf(t, other, "led", 2)
		if now := epochOf(other.events(t)); now <= epoch {
			t.Errorf("the epoch of the next leader is %d, that of the killed one was %d", now, epoch)
		}
		leader.start()
		leader = other
	}
	stop()
	leader.waitRows("led", p.sent)
	leader.checkRows("led", p.sent)
	checkHistory(t, leader.events(t))
}

// TestARealBrokerIsKilledAndComesBack kills the only broker while rows come in and starts it again on its data: the
// supervisor says that it lost contact, recovers by itself, and has each row once.
func TestARealBrokerIsKilledAndComesBack(t *testing.T) {
	t.Parallel()
	const partitions = 3
	k := newKafka(t, kafkaConfig{})
	b := k.open()
	b.createTopic("lost", partitions)
	s := newServer(t, "lost").start()
	s.submit(specOf("lost", "lost", b.servers, func(spec sections) { quickly(spec); impatient(spec) }))
	p := b.producer("lost", partitions)
	stop := p.streamed(40, 100_000)
	for range 2 {
		s.waitState("lost", "RUNNING")
		progressOf(t, s, "lost", 2)
		k.kill()
		st := s.waitState("lost", "LOST_CONTACT_WITH_STREAM")
		hasErrors(t, st, true)
		k.start()
	}
	s.waitState("lost", "RUNNING")
	stop()
	s.waitRows("lost", p.sent)
	s.checkRows("lost", p.sent)
	events := s.events(t)
	checkHistory(t, events)
	if count(events, "RunRecovered") == 0 {
		t.Error("no run recovered")
	}
}
