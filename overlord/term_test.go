package overlord

import "testing"

func TestASupervisorHasOneActorWhenTwoAskForItAtOnce(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	term := s.leading()
	// Both have found none and loaded one of their own.
	first, second := newActor(term, "clicks"), newActor(term, "clicks")
	if got := term.start(first); got != first {
		t.Fatal("the first is not the one that runs")
	}
	if got := term.start(second); got != first {
		t.Error("the second was started beside the first")
	}
}
