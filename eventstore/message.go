package eventstore

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// maxHeaders is how many headers an event has, the fence's included.
const maxHeaders = 17

// outgoing is an event's message with the memory of its headers, which are most of what an append would else allocate.
type outgoing struct {
	nats.Msg
	values [maxHeaders]string
	n      int
	size   int // bytes on the wire
}

var outgoings = sync.Pool{New: func() any { return &outgoing{Msg: nats.Msg{Header: make(nats.Header, 2*maxHeaders)}} }}

// message is the stored form on the wire. Whoever is done with it calls release.
func message(e *Event) *outgoing {
	m := outgoings.Get().(*outgoing)
	m.Subject, m.Data = e.Subject, e.Data
	m.size = len("NATS/1.0\r\n\r\n") + len(m.Data)
	m.set(jetstream.MsgIDHeader, e.ID)
	m.set(HeaderCESpecVersion, ceSpecVersion)
	m.set(HeaderCEID, escapeHeader(e.ID))
	m.set(HeaderCESource, escapeHeader(e.Source))
	m.set(HeaderCEType, e.Type)
	m.set(HeaderCETime, e.Time.Format(time.RFC3339Nano))
	m.set(HeaderCESubject, escapeHeader(e.AggregateSubject))
	m.set(HeaderCEDataContentType, contentType)
	m.set(HeaderSchemaVersion, strconv.Itoa(e.SchemaVersion))
	if e.Epoch != 0 {
		m.set(HeaderEpoch, strconv.FormatUint(e.Epoch, 10))
	}
	if e.Actor != "" {
		m.set(HeaderActor, escapeHeader(e.Actor))
	}
	if len(e.Cause) > 0 {
		m.set(HeaderCause, strings.Join(e.Cause, ","))
	}
	if e.PrevHash != "" {
		m.set(HeaderPrevHash, e.PrevHash)
	}
	m.set(HeaderHash, e.Hash)
	return m
}

func (m *outgoing) set(name, value string) {
	m.values[m.n] = value
	m.Header[name] = m.values[m.n : m.n+1 : m.n+1]
	m.n++
	m.size += len(name) + len(value) + len(": \r\n")
}

// fence has the server store the message only behind the aggregate's last event.
func (m *outgoing) fence(stream, filter string, expected uint64) {
	m.set(jetstream.ExpectedStreamHeader, stream)
	m.set(jetstream.ExpectedLastSubjSeqHeader, strconv.FormatUint(expected, 10))
	m.set(jetstream.ExpectedLastSubjSeqSubjHeader, filter)
}

// release gives the message back once nobody reads it any more: the client copies what it sends.
func (m *outgoing) release() {
	clear(m.Header)
	clear(m.values[:])
	m.Msg, m.n = nats.Msg{Header: m.Header}, 0
	outgoings.Put(m)
}

// errNoAck is an answer to a publish that is none.
var errNoAck = errors.New("the server's answer to a publish cannot be read")

// ackForm is how the server's answer to a stored message of a stream begins; a sequence and a brace follow.
func ackForm(stream string) []byte { return fmt.Appendf(nil, "{%q:%q,%q:", "stream", stream, "seq") }

// readAck reads the server's answer to a publish. The usual one is read without a decoder, which would cost a hundredth of
// the append.
func readAck(form, answer []byte) (seq uint64, duplicate bool, err error) {
	if rest, ok := bytes.CutPrefix(answer, form); ok {
		if digits, ok := bytes.CutSuffix(rest, []byte("}")); ok && !bytes.HasPrefix(digits, []byte("0")) {
			if seq, err := strconv.ParseUint(string(digits), 10, 64); err == nil {
				return seq, false, nil
			}
		}
	}
	var ack struct {
		Error     *jetstream.APIError `json:"error"`
		Stream    string              `json:"stream"`
		Sequence  uint64              `json:"seq"`
		Duplicate bool                `json:"duplicate"`
	}
	switch err := json.Unmarshal(answer, &ack); {
	case err != nil:
		return 0, false, fmt.Errorf("%w: %w", errNoAck, err)
	case ack.Error != nil:
		return 0, false, ack.Error
	case ack.Stream == "":
		return 0, false, errNoAck
	}
	return ack.Sequence, ack.Duplicate, nil
}
