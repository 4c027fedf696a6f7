package eventstore

import (
	"maps"
	"slices"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

func TestAckIsReadInEveryForm(t *testing.T) {
	form := ackForm("OGHAM")
	for answer, want := range map[string]struct {
		seq       uint64
		duplicate bool
		code      jetstream.ErrorCode
		bad       bool
	}{
		`{"stream":"OGHAM","seq":17}`:                          {seq: 17},
		`{"stream":"OGHAM","seq":18446744073709551615}`:        {seq: 1<<64 - 1},
		`{"stream":"OGHAM","seq":17,"duplicate": true}`:        {seq: 17, duplicate: true},
		`{"stream":"OGHAM","domain":"hub","seq":3}`:            {seq: 3},
		`{ "seq": 4, "stream": "OGHAM" }`:                      {seq: 4},
		`{"stream":"OGHAM","seq":17,"error":{"code":400}}`:     {bad: true},
		`{"error":{"code":400,"err_code":10071},"stream":"O"}`: {code: 10071, bad: true},
		`{"stream":"OGHAM","seq":18446744073709551616}`:        {bad: true},
		`{"stream":"OGHAM","seq":-1}`:                          {bad: true},
		`{"stream":"OGHAM","seq":}`:                            {bad: true},
		`{"stream":"OGHAM","seq":17`:                           {bad: true},
		`{"seq":17}`:                                           {bad: true},
		``:                                                     {bad: true},
	} {
		seq, duplicate, err := readAck(form, []byte(answer))
		if (err != nil) != want.bad || seq != want.seq || duplicate != want.duplicate {
			t.Errorf("%s is %d, %t, %v, want %+v", answer, seq, duplicate, err, want)
		}
		if want.code != 0 && codeOf(err) != want.code {
			t.Errorf("%s has code %d, want %d", answer, codeOf(err), want.code)
		}
	}
}

// FuzzAck holds the reading without a decoder against the decoder.
func FuzzAck(f *testing.F) {
	for _, s := range []string{`{"stream":"OGHAM","seq":17}`, `{"stream":"OGHAM","seq":017}`, `{"stream":"OGHAM","seq":1_7}`, `{"error":{"err_code":10071}}`, `{}`} {
		f.Add([]byte(s))
	}
	form := ackForm("OGHAM")
	f.Fuzz(func(t *testing.T, answer []byte) {
		seq, duplicate, err := readAck(form, answer)
		slow, slowDuplicate, slowErr := readAck([]byte("no answer begins so"), answer)
		if seq != slow || duplicate != slowDuplicate || (err == nil) != (slowErr == nil) {
			t.Errorf("%q is %d, %t, %v, by the decoder %d, %t, %v", answer, seq, duplicate, err, slow, slowDuplicate, slowErr)
		}
	})
}

func TestAReleasedMessageLeavesNothingBehind(t *testing.T) {
	s := testStore(t)
	e := sealed(t, s, "ab")
	full := message(&e)
	full.fence("OGHAM", "ogham.v1.*.sup.>", 7)
	if full.n != maxHeaders {
		t.Errorf("the fullest event has %d headers, there is room for %d", full.n, maxHeaders)
	}
	full.release()
	plain := e
	plain.Epoch, plain.Actor, plain.Cause, plain.PrevHash = 0, "", nil, ""
	m := message(&plain)
	defer m.release()
	want := []string{
		jetstream.MsgIDHeader, HeaderHash, HeaderSchemaVersion, HeaderCEDataContentType, HeaderCEID, HeaderCESource,
		HeaderCESpecVersion, HeaderCESubject, HeaderCETime, HeaderCEType,
	}
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(m.Header)); !slices.Equal(got, want) {
		t.Errorf("headers of a plain event after a full one: %v, want %v", got, want)
	}
	size := len("NATS/1.0\r\n\r\n") + len(m.Data)
	for k, v := range m.Header {
		if len(v) != 1 {
			t.Errorf("%s has the values %q, want one", k, v)
		}
		size += len(k) + len(v[0]) + len(": \r\n")
	}
	if size != m.size {
		t.Errorf("the size is %d, want %d", m.size, size)
	}
}
