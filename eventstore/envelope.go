package eventstore

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// The CloudEvents 1.0 headers (binary mode) and Ogham's own.
const (
	HeaderCESpecVersion     = "ce-specversion"
	HeaderCEID              = "ce-id"
	HeaderCESource          = "ce-source"
	HeaderCEType            = "ce-type"
	HeaderCETime            = "ce-time"
	HeaderCESubject         = "ce-subject"
	HeaderCEDataContentType = "ce-datacontenttype"
	HeaderSchemaVersion     = "Ogham-Schema-Version"
	HeaderEpoch             = "Ogham-Epoch"
	HeaderActor             = "Ogham-Actor"
	HeaderCause             = "Ogham-Cause"
	HeaderPrevHash          = "Ogham-Prev-Hash"
	HeaderHash              = "Ogham-Hash"
)

const (
	ceSpecVersion = "1.0"
	contentType   = "application/json"
	// hashDomain opens the hashed bytes: a change of what is hashed, or how,
	// changes it.
	hashDomain = "ogham-event-1"
	// batchHeaderBytes is room for the headers that a batch adds on sending.
	batchHeaderBytes = 128
	// maxHashBuffer is what is kept of the memory in which an event was hashed.
	maxHashBuffer = 64 << 10
)

var errHashMismatch = errors.New("its hash does not fit its content")

// hashBuffers hold what is hashed: a replay hashes every event.
var hashBuffers = sync.Pool{New: func() any { return new([]byte) }}

// eventHash covers all that the event says, in hexadecimal digits.
func eventHash(e *Event) [2 * sha256.Size]byte {
	buf := hashBuffers.Get().(*[]byte)
	*buf = appendHashed((*buf)[:0], e)
	sum := sha256.Sum256(*buf)
	if cap(*buf) <= maxHashBuffer {
		hashBuffers.Put(buf)
	}
	var digits [2 * sha256.Size]byte
	hex.Encode(digits[:], sum[:])
	return digits
}

// appendHashed appends what is hashed. Each part goes in with its length, so that no two events run together to the same
// bytes.
func appendHashed(buf []byte, e *Event) []byte {
	add := func(s string) {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	add(hashDomain)
	add(e.PrevHash)
	add(e.Subject)
	add(e.ID)
	add(e.Source)
	add(e.Type)
	add(e.AggregateSubject)
	buf = binary.AppendUvarint(buf, uint64(e.SchemaVersion))
	buf = binary.AppendVarint(buf, e.Time.Unix())
	buf = binary.AppendUvarint(buf, uint64(e.Time.Nanosecond()))
	buf = binary.AppendUvarint(buf, e.Epoch)
	add(e.Actor)
	buf = binary.AppendUvarint(buf, uint64(len(e.Cause)))
	for _, c := range e.Cause {
		add(c)
	}
	buf = binary.AppendUvarint(buf, uint64(len(e.Data)))
	return append(buf, e.Data...)
}

// seal checks a new event and turns it into the stored form, chained to prev.
func (s *Store) seal(id identity, n *NewEvent, prev string) (Event, error) {
	if err := s.check(id, n); err != nil {
		return Event{}, err
	}
	subject, err := s.subj.of(id.token, n)
	if err != nil {
		return Event{}, err
	}
	e := Event{
		Subject: subject, Kind: n.Kind, SupervisorID: id.id, TaskID: n.TaskID,
		Type: n.Type, Token: n.Token, ID: n.ID, Source: n.Source,
		SchemaVersion: max(n.SchemaVersion, 1),
		Time:          n.Time.Round(0).UTC(),
		Epoch:         n.Epoch, Actor: n.Actor, Cause: n.Cause, PrevHash: prev, Data: n.Data,
	}
	if e.Token == "" {
		e.Token = NoToken
	}
	if e.Source == "" {
		e.Source = s.cfg.Source
	}
	e.AggregateSubject = about(e.Kind, id.id, e.TaskID)
	if n := len(e.AggregateSubject); n > maxSubjectBytes {
		return Event{}, &TooLargeError{What: "subject", Size: n, Limit: maxSubjectBytes}
	}
	hash := eventHash(&e)
	e.Hash = string(hash[:])
	return e, nil
}

func (s *Store) check(id identity, n *NewEvent) error {
	bad := func(format string, a ...any) error {
		return &InvalidEventError{ID: n.ID, Reason: fmt.Sprintf(format, a...)}
	}
	switch {
	case !validID(n.ID):
		return bad("its id must be 1 to 128 printable ASCII characters without spaces and commas")
	case id.overlord != (n.Kind == KindOverlord), n.Kind != KindOverlord && n.Kind != KindSupervisor && n.Kind != KindTask:
		return bad("kind %q does not belong to this aggregate", n.Kind)
	case n.SupervisorID != "" && n.SupervisorID != id.id:
		return bad("it is about %q, the aggregate is %q", n.SupervisorID, id.id)
	case n.TaskID != "" && n.Kind != KindTask:
		return bad("a task id on an event of kind %q", n.Kind)
	case n.SchemaVersion < 0:
		return bad("schema version %d", n.SchemaVersion)
	case n.Time.IsZero() || n.Time.Year() < 1 || n.Time.Year() > 9999:
		return bad("no usable time: %s", n.Time)
	case !json.Valid(n.Data):
		return bad("its data is not valid JSON")
	}
	for _, c := range n.Cause {
		if !validID(c) {
			return bad("cause %q is not an event id", c)
		}
	}
	if s.cfg.Upcasters != nil {
		newest, ok := s.cfg.Upcasters.Newest(n.Type)
		if !ok || newest != max(n.SchemaVersion, 1) {
			return bad("type %s version %d is not the newest of a known type", n.Type, max(n.SchemaVersion, 1))
		}
	}
	return nil
}

func validID(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c > '~' || c == ',' {
			return false
		}
	}
	return true
}

// open reads a stored message back and holds it against its own hash. Every
// error of it means that the log holds what this package did not write.
func (s *Store) open(subject string, seq uint64, h nats.Header, data []byte) (Event, error) {
	a, err := s.subj.parse(subject)
	if err != nil {
		return Event{}, err
	}
	e := Event{
		Sequence: seq, Subject: subject, Kind: a.kind, SupervisorID: a.supervisorID,
		Type: a.typ, Token: a.token, PrevHash: header(h, HeaderPrevHash), Hash: header(h, HeaderHash), Data: data,
	}
	if v := header(h, HeaderCESpecVersion); v != ceSpecVersion {
		return Event{}, fmt.Errorf("%s is %q, want %s", HeaderCESpecVersion, v, ceSpecVersion)
	}
	if t := header(h, HeaderCEType); t != a.typ {
		return Event{}, fmt.Errorf("%s is %q, its subject says %q", HeaderCEType, t, a.typ)
	}
	for _, f := range [...]struct {
		name string
		into *string
	}{
		{HeaderCEID, &e.ID}, {HeaderCESource, &e.Source}, {HeaderCESubject, &e.AggregateSubject}, {HeaderActor, &e.Actor},
	} {
		if *f.into, err = unescapeHeader(header(h, f.name)); err != nil {
			return Event{}, fmt.Errorf("%s: %w", f.name, err)
		}
	}
	if e.Time, err = time.Parse(time.RFC3339Nano, header(h, HeaderCETime)); err != nil {
		return Event{}, fmt.Errorf("%s: %w", HeaderCETime, err)
	}
	if e.SchemaVersion, err = strconv.Atoi(header(h, HeaderSchemaVersion)); err != nil {
		return Event{}, fmt.Errorf("%s: %w", HeaderSchemaVersion, err)
	}
	if v := header(h, HeaderEpoch); v != "" {
		if e.Epoch, err = strconv.ParseUint(v, 10, 64); err != nil {
			return Event{}, fmt.Errorf("%s: %w", HeaderEpoch, err)
		}
	}
	if v := header(h, HeaderCause); v != "" {
		e.Cause = strings.Split(v, ",")
	}
	if e.TaskID, err = taskOf(&e); err != nil {
		return Event{}, err
	}
	if hash := eventHash(&e); string(hash[:]) != e.Hash {
		return e, errHashMismatch
	}
	return e, nil
}

// about is ce-subject: whose event it is, and for a task's which task.
func about(kind Kind, id, taskID string) string {
	s := string(kind) + "/" + EncodeToken(id)
	if kind == KindTask {
		s += "/" + EncodeToken(taskID)
	}
	return s
}

// taskOf reads the task's id from ce-subject.
func taskOf(e *Event) (string, error) {
	rest, ok := strings.CutPrefix(e.AggregateSubject, string(e.Kind))
	if ok {
		rest, ok = strings.CutPrefix(rest, "/")
	}
	if ok {
		rest, ok = strings.CutPrefix(rest, EncodeToken(e.SupervisorID))
	}
	if ok && e.Kind != KindTask && rest == "" {
		return "", nil
	}
	token, isTask := strings.CutPrefix(rest, "/")
	if !ok || e.Kind != KindTask || !isTask {
		return "", fmt.Errorf("%s %q does not fit subject %q", HeaderCESubject, e.AggregateSubject, e.Subject)
	}
	id, err := DecodeToken(token)
	if err != nil {
		return "", fmt.Errorf("%s %q: %w", HeaderCESubject, e.AggregateSubject, err)
	}
	return id, nil
}

// raise brings the data to the newest version. The hash stays that of the
// stored form.
func (s *Store) raise(e *Event) error {
	if s.cfg.Upcasters == nil {
		return nil
	}
	data, version, err := s.cfg.Upcasters.Upcast(e.Type, e.SchemaVersion, e.Data)
	if err != nil {
		return fmt.Errorf("event %d: %w", e.Sequence, err)
	}
	e.Data, e.SchemaVersion = data, version
	return nil
}

func header(h nats.Header, name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func headerPlain(c byte) bool { return c > ' ' && c <= '~' && c != '"' && c != '%' }

// escapeHeader percent-encodes as the CloudEvents bindings ask; NATS would
// else turn a line break into a space, and the hash would no longer fit.
func escapeHeader(s string) string { return escape(s, '%', headerPlain) }

func unescapeHeader(s string) (string, error) {
	if strings.IndexByte(s, '%') < 0 {
		return s, nil
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			b.WriteByte(s[i])
			continue
		}
		if i+2 >= len(s) {
			return "", fmt.Errorf("cut escape in %q", s)
		}
		c, err := hex.DecodeString(s[i+1 : i+3])
		if err != nil {
			return "", fmt.Errorf("bad escape in %q", s)
		}
		b.WriteByte(c[0])
		i += 2
	}
	return b.String(), nil
}
