package eventstore_test

import (
	"errors"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"ogham/eventstore"
	"ogham/eventstore/storetest"
)

// again stores a copy of an event past the store, with other data where there is some, as a stranger or a defect would.
func (h *host) again(seq uint64, subject string, data []byte) uint64 {
	h.t.Helper()
	ctx := storetest.Context(h.t)
	js, err := jetstream.New(h.nc)
	if err != nil {
		h.t.Fatal(err)
	}
	stream, err := js.Stream(ctx, "OGHAM")
	if err != nil {
		h.t.Fatal(err)
	}
	m, err := stream.GetMsg(ctx, seq)
	if err != nil {
		h.t.Fatal(err)
	}
	if data == nil {
		data = m.Data
	}
	if subject == "" {
		subject = m.Subject
	}
	for _, name := range []string{jetstream.MsgIDHeader, jetstream.ExpectedLastSubjSeqHeader, jetstream.ExpectedLastSubjSeqSubjHeader} {
		m.Header.Del(name)
	}
	ack, err := js.PublishMsg(ctx, &nats.Msg{Subject: subject, Header: m.Header, Data: data})
	if err != nil {
		h.t.Fatal(err)
	}
	return ack.Sequence
}

func (h *host) wantSound() {
	h.t.Helper()
	if d := h.s.Damage(); d != nil {
		h.t.Fatalf("opened as damaged: %v", d)
	}
	select {
	case <-h.s.Damaged():
		h.t.Fatal("Damaged is closed over a log without damage")
	default:
	}
}

// wantDamageInRest has VerifyRest find the damage, and every start after it know of it before an append.
func (h *host) wantDamageInRest(seq uint64) {
	h.t.Helper()
	h.wantSound()
	h.append(1) // what is found later must not keep out what may be stored now
	var d *eventstore.DamagedError
	if err := h.s.VerifyRest(storetest.Context(h.t)); !errors.As(err, &d) || d.Sequence != seq {
		h.t.Fatalf("VerifyRest says %v, want damage at event %d", err, seq)
	}
	<-h.s.Damaged()
	h.wantDamaged()
	for range 2 {
		h.down()
		h.up()
		h.wantDamaged()
		<-h.s.Damaged()
	}
}

func TestDamageBeforeWhatOpenReadsIsFoundByVerifyRest(t *testing.T) {
	h := newHost(t)
	h.append(3)
	forged := h.again(2, "ogham.v1.supervisor.y.A.-", []byte(`"changed"`))
	h.append(20)
	h.down()
	h.cfg.VerifyAtOpen = 10
	h.up()
	h.wantDamageInRest(forged)
}

func TestChainIsHeldAcrossWhatOpenRead(t *testing.T) {
	h := newHost(t)
	h.append(3)
	copied := h.again(2, "", nil)
	h.append(9)
	h.down()
	h.cfg.VerifyAtOpen = 10
	h.up()
	h.wantDamageInRest(copied)
}

func TestVerifyRestPassesASoundLog(t *testing.T) {
	for name, atOpen := range map[string]int{"one event at open": 1, "amid a batch": 3, "between two batches": 5, "all at open": 100} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			last := h.append(3)
			for range 3 {
				var batch []eventstore.NewEvent
				for range 5 {
					batch = append(batch, storetest.NewEvent("A", ""))
				}
				var err error
				if last, err = h.s.Append(storetest.Context(t), "x", last, batch); err != nil {
					t.Fatal(err)
				}
			}
			h.down()
			h.cfg.VerifyAtOpen = atOpen
			h.up()
			h.wantSound()
			if err := h.s.VerifyRest(storetest.Context(t)); err != nil {
				t.Fatalf("VerifyRest of a sound log: %v", err)
			}
			h.wantSound()
			if got := h.append(1); got != last+1 {
				t.Errorf("the append after it is %d, want %d", got, last+1)
			}
		})
	}
}

func TestVerifyRestOfAnEmptyLogIsNothing(t *testing.T) {
	h := newHost(t)
	if err := h.s.VerifyRest(storetest.Context(t)); err != nil {
		t.Errorf("VerifyRest of an empty log: %v", err)
	}
}
