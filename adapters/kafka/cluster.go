package kafka

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

const (
	// leaderAge is how old the knowledge of who leads a partition may be; a wrong one is noticed by the answer.
	leaderAge = 10 * time.Second
	// leaderPatience is how long one broker may keep the answers of all others waiting.
	leaderPatience = 5 * time.Second
)

// topicInfo is what a cluster says of a topic.
type topicInfo struct {
	id string
	// leaders has the broker that leads each partition, -1 where none does.
	leaders map[int32]int32
}

// offsetQuestion is what is asked of one partition. With committed the end is the last stable offset.
type offsetQuestion struct {
	source
	timestamp int64
	committed bool
}

// offset is its answer; there is false for a partition that the topic does not have.
type offset struct {
	at    int64
	there bool
}

// sharedClient is the client of one cluster, and what is known of the cluster. It is safe for concurrent use.
type sharedClient struct {
	client   *kgo.Client
	hangUp   context.CancelFunc
	users    int // guarded by Clients.mu
	requests sync.WaitGroup
	timeout  time.Duration // of one request

	// topics answers about topics by name, creating makes topics that are not there, all answers about all that are.
	topics, creating *rounds[string, topicInfo]
	all              *rounds[struct{}, map[string]topicInfo]
	offsets          *rounds[offsetQuestion, offset]

	mu    sync.Mutex // guards ended, and with it that no request begins after close waits for them
	ended bool
}

func newSharedClient(p *Properties, more ...kgo.Opt) (*sharedClient, error) {
	client, hangUp, err := p.newClient(more...)
	if err != nil {
		return nil, err
	}
	s := &sharedClient{client: client, hangUp: hangUp, timeout: min(p.RequestTimeout, time.Hour)}
	s.topics = newRounds(s.start, p.APITimeout, s.askTopics)
	s.creating = newRounds(s.start, p.APITimeout, s.askCreating)
	s.all = newRounds(s.start, p.APITimeout, s.askAll)
	s.offsets = newRounds(s.start, p.APITimeout, s.askOffsets)
	return s, nil
}

// start runs a request on the client, unless that is closed.
func (s *sharedClient) start(do func()) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return ErrClosed
	}
	s.requests.Go(do)
	return nil
}

// close ends what still runs on the client, and waits for it.
func (s *sharedClient) close() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.hangUp()
	s.client.Close()
	s.requests.Wait()
}

func (s *sharedClient) askTopics(ctx context.Context, names []string) (map[string]answer[topicInfo], error) {
	found := make(map[string]answer[topicInfo], len(names))
	return found, s.askMetadata(ctx, names, false, func(topic string, t *kmsg.MetadataResponseTopic) {
		info, err := infoOf(topic, t)
		found[topic] = answer[topicInfo]{value: info, err: err}
	})
}

// askCreating asks for topics so that the broker makes those that are not there, if it does. A topic that was there when
// it was last asked for is not made again by a question that only comes along with another one's.
func (s *sharedClient) askCreating(ctx context.Context, names []string) (map[string]answer[topicInfo], error) {
	found := make(map[string]answer[topicInfo], len(names))
	take := func(topic string, t *kmsg.MetadataResponseTopic) {
		info, err := infoOf(topic, t)
		found[topic] = answer[topicInfo]{value: info, err: err}
	}
	var there, fresh []string
	for _, topic := range names {
		if s.creating.succeeded(topic) {
			there = append(there, topic)
		} else {
			fresh = append(fresh, topic)
		}
	}
	if len(there) > 0 {
		if err := s.askMetadata(ctx, there, false, take); err != nil {
			return nil, err
		}
	}
	if len(fresh) > 0 {
		if err := s.askMetadata(ctx, fresh, true, take); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func (s *sharedClient) askAll(ctx context.Context, _ []struct{}) (map[struct{}]answer[map[string]topicInfo], error) {
	found := make(map[string]topicInfo)
	err := s.askMetadata(ctx, nil, false, func(topic string, t *kmsg.MetadataResponseTopic) {
		// One that is being made or deleted has an error, and is none of the topics that there are.
		if info, err := infoOf(topic, t); err == nil && !t.IsInternal {
			found[topic] = info
		}
	})
	if err != nil {
		return nil, err
	}
	return map[struct{}]answer[map[string]topicInfo]{{}: {value: found}}, nil
}

// askMetadata asks for topics by name, or for all.
func (s *sharedClient) askMetadata(ctx context.Context, names []string, create bool, take func(string, *kmsg.MetadataResponseTopic)) error {
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = nil // all
	for _, name := range names {
		t := kmsg.NewMetadataRequestTopic()
		t.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, t)
	}
	req.AllowAutoTopicCreation = create
	resp, err := req.RequestWith(ctx, s.client)
	if err != nil {
		return err
	}
	for i := range resp.Topics {
		if t := &resp.Topics[i]; t.Topic != nil {
			take(*t.Topic, t)
		}
	}
	return nil
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

// leaderRequest names a request to one broker: a partition may stand in it only once.
type leaderRequest struct {
	leader    int32
	timestamp int64
	committed bool
}

// askOffsets asks for the leaders, then each leader for its partitions. The client's own way of splitting such a request
// works from metadata that may be some seconds old, and takes a minute over a partition that is not there.
func (s *sharedClient) askOffsets(ctx context.Context, questions []offsetQuestion) (map[offsetQuestion]answer[offset], error) {
	var names []string
	named := make(map[string]bool)
	for _, q := range questions {
		if !named[q.topic] {
			named[q.topic] = true
			names = append(names, q.topic)
		}
	}
	topics, err := s.topics.get(ctx, names, leaderAge)
	if err != nil {
		return nil, err
	}
	found := make(map[offsetQuestion]answer[offset], len(questions))
	byLeader := make(map[leaderRequest][]source)
	for _, q := range questions {
		t := topics[q.topic]
		leader, there := t.value.leaders[q.partition]
		switch {
		case t.err != nil:
			found[q] = answer[offset]{err: t.err}
		case !there:
			found[q] = answer[offset]{}
		case leader < 0:
			found[q] = answer[offset]{err: kerr.LeaderNotAvailable}
		default:
			r := leaderRequest{leader, q.timestamp, q.committed}
			byLeader[r] = append(byLeader[r], q.source)
		}
	}
	type told struct {
		request leaderRequest
		found   map[source]answer[offset]
		err     error
	}
	answers := make(chan told, len(byLeader))
	for r, sources := range byLeader {
		if err := s.start(func() {
			out, err := s.askLeader(ctx, r, sources)
			answers <- told{r, out, err}
		}); err != nil {
			return nil, err
		}
	}
	patience := time.NewTimer(leaderPatience)
	defer patience.Stop()
	for len(byLeader) > 0 {
		var a told
		select {
		case a = <-answers:
		case <-patience.C: // those that are left are asked again by whoever needs them
			for r := range byLeader {
				a = told{request: r, err: kerr.RequestTimedOut}
				s.noteAnswers(found, byLeader[r], r, a.found, a.err)
				delete(byLeader, r)
			}
			continue
		}
		s.noteAnswers(found, byLeader[a.request], a.request, a.found, a.err)
		delete(byLeader, a.request)
	}
	return found, nil
}

// noteAnswers turns a leader's answers into those of the questions. What may be wrong about leaders is forgotten.
func (s *sharedClient) noteAnswers(found map[offsetQuestion]answer[offset], sources []source, r leaderRequest, told map[source]answer[offset], err error) {
	for _, at := range sources {
		a, ok := told[at]
		switch {
		case err != nil:
			a = answer[offset]{err: err}
		case !ok:
			a = answer[offset]{err: kerr.UnknownServerError}
		}
		if a.err != nil {
			s.topics.forget(at.topic)
		}
		found[offsetQuestion{at, r.timestamp, r.committed}] = a
	}
}

func (s *sharedClient) askLeader(ctx context.Context, r leaderRequest, sources []source) (map[source]answer[offset], error) {
	byTopic := make(map[string][]int32)
	for _, at := range sources {
		byTopic[at.topic] = append(byTopic[at.topic], at.partition)
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID = -1
	if r.committed {
		req.IsolationLevel = 1
	}
	req.TimeoutMillis = int32(s.timeout.Milliseconds()) //nolint:gosec // bounded
	for topic, partitions := range byTopic {
		t := kmsg.NewListOffsetsRequestTopic()
		t.Topic = topic
		slices.Sort(partitions)
		for _, n := range partitions {
			p := kmsg.NewListOffsetsRequestTopicPartition()
			p.Partition, p.Timestamp = n, r.timestamp
			t.Partitions = append(t.Partitions, p)
		}
		req.Topics = append(req.Topics, t)
	}
	resp, err := req.RequestWith(ctx, s.client.Broker(int(r.leader)))
	if err != nil {
		return nil, err
	}
	found := make(map[source]answer[offset], len(sources))
	for _, t := range resp.Topics {
		for _, p := range t.Partitions {
			a := answer[offset]{value: offset{p.Offset, true}, err: kerr.ErrorForCode(p.ErrorCode)}
			found[source{t.Topic, p.Partition}] = a
		}
	}
	return found, nil
}
