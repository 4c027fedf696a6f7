package overlord

import (
	"sync"
	"testing"
)

func TestASupervisorHasOneActorHoweverManyAskForItAtOnce(t *testing.T) {
	h := newHouse(t)
	s, _ := h.overlord("one")
	leads(h, s)
	term := s.leading()
	const callers = 16
	got := make([]*actor, callers)
	var ready, wg sync.WaitGroup
	ready.Add(callers)
	for i := range callers {
		wg.Go(func() {
			ready.Done()
			ready.Wait()
			a, err := term.actor(t.Context(), "clicks", true)
			if err != nil {
				t.Error(err)
			}
			got[i] = a
		})
	}
	wg.Wait()
	for i, a := range got {
		if a != got[0] {
			t.Fatalf("caller %d got another actor than caller 0", i)
		}
	}
}
