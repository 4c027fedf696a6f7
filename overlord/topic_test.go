package overlord

import (
	"strings"
	"testing"

	"ogham/domain/supervisor"
)

func TestATopicThatWasMadeAnewIsNotReadAsTheOldOne(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	h.worker("w1", 8)
	h.topic.grow(100)
	if err := s.Submit(t.Context(), testSpec(t, nil), false); err != nil {
		t.Fatal(err)
	}
	h.until("the topic is committed", func() bool { c := h.state("clicks").Committed; return c["0"] == 100 && c["1"] == 100 })
	h.topic.mu.Lock()
	h.topic.ends["0"], h.topic.ends["1"] = 5, 5
	h.topic.mu.Unlock()
	h.until("the supervisor is unhealthy", func() bool { return h.state("clicks").Detailed == supervisor.StateLostContact })
	if errs := h.state("clicks").Health.RecentErrors; !strings.Contains(errs[len(errs)-1].Message, "[100] is beyond the end [5]") {
		t.Errorf("recentErrors %+v", errs)
	}
	if err := s.Reset(t.Context(), "clicks"); err != nil {
		t.Fatal(err)
	}
	h.until("the new topic is committed", func() bool { c := h.state("clicks").Committed; return c["0"] == 5 && c["1"] == 5 })
}
