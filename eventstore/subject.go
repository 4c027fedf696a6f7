package eventstore

import (
	"fmt"
	"strings"
)

// Kind is what an event is about, the second last fixed token of its subject.
type Kind string

// The kinds of event.
const (
	// KindSupervisor events move or describe one supervisor.
	KindSupervisor Kind = "supervisor"
	// KindTask events are about one task; they belong to its supervisor's aggregate.
	KindTask Kind = "task"
	// KindOverlord events are about an overlord, an aggregate of its own.
	KindOverlord Kind = "overlord"
)

// NoToken is the last subject token of an event that moved no machine.
const NoToken = "-"

const (
	upperHex = "0123456789ABCDEF"
	// overlordMark sets overlord names apart: an encoded supervisor id never
	// holds it, so the fence of a supervisor never covers an overlord's events.
	overlordMark = "~"
	// maxSubjectBytes keeps a subject well below the server's limit of one
	// control line (4 KiB).
	maxSubjectBytes = 2048
)

func plainByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-'
}

// EncodeToken makes any text safe as one subject token: letters, digits, "_"
// and "-" stay, any other byte becomes "=" and two hex digits, and the empty
// text becomes "=". Different texts have different tokens.
func EncodeToken(s string) string {
	if s == "" {
		return "="
	}
	return escape(s, '=', plainByte)
}

// escape writes each byte that is not plain as the mark and two hex digits.
func escape(s string, mark byte, plain func(byte) bool) string {
	n := 0
	for i := range len(s) {
		if !plain(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 2*n)
	for i := range len(s) {
		if c := s[i]; plain(c) {
			b.WriteByte(c)
		} else {
			b.WriteByte(mark)
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		}
	}
	return b.String()
}

// DecodeToken undoes EncodeToken and refuses what EncodeToken never writes.
func DecodeToken(tok string) (string, error) {
	if tok == "=" {
		return "", nil
	}
	if tok == "" {
		return "", fmt.Errorf("decode subject token: it is empty")
	}
	if validName(tok) { // nothing in it is escaped
		return tok, nil
	}
	var b strings.Builder
	b.Grow(len(tok))
	for i := 0; i < len(tok); i++ {
		c := tok[i]
		if plainByte(c) {
			b.WriteByte(c)
			continue
		}
		if c != '=' || i+2 >= len(tok) {
			return "", fmt.Errorf("decode subject token %q: unexpected byte at %d", tok, i)
		}
		hi, lo := strings.IndexByte(upperHex, tok[i+1]), strings.IndexByte(upperHex, tok[i+2])
		if hi < 0 || lo < 0 {
			return "", fmt.Errorf("decode subject token %q: no hex digits at %d", tok, i)
		}
		d := byte(hi<<4 | lo)
		if plainByte(d) {
			return "", fmt.Errorf("decode subject token %q: needless escape at %d", tok, i)
		}
		b.WriteByte(d)
		i += 2
	}
	return b.String(), nil
}

func validName(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for i := range len(s) {
		if !plainByte(s[i]) {
			return false
		}
	}
	return true
}

// subjects builds and reads the subjects below one prefix.
type subjects struct{ prefix string }

func supervisorToken(id string) string { return EncodeToken(id) }
func overlordToken(name string) string { return overlordMark + EncodeToken(name) }

// boundary is the fence's filter: every kind of event of one aggregate.
func (s subjects) boundary(aggregateToken string) string {
	return s.prefix + ".*." + aggregateToken + ".>"
}

func (s subjects) of(aggregateToken string, e *NewEvent) (string, error) {
	token := e.Token
	if token == "" {
		token = NoToken
	}
	if !validName(e.Type) {
		return "", &InvalidEventError{ID: e.ID, Reason: fmt.Sprintf("type %q is not a name of letters, digits, _ and -", e.Type)}
	}
	if !validName(token) {
		return "", &InvalidEventError{ID: e.ID, Reason: fmt.Sprintf("token %q is not a name of letters, digits, _ and -", token)}
	}
	if e.Kind == KindTask && e.TaskID == "" {
		return "", &InvalidEventError{ID: e.ID, Reason: "a task event without a task id"}
	}
	// The task's id is in ce-subject, not here: the server visits every different subject below a fence at each
	// append, and task ids would make them more for ever.
	subj := s.prefix + "." + string(e.Kind) + "." + aggregateToken + "." + e.Type + "." + token
	if len(subj) > maxSubjectBytes {
		return "", &TooLargeError{What: "subject", Size: len(subj), Limit: maxSubjectBytes}
	}
	return subj, nil
}

// address is what a subject says.
type address struct {
	kind           Kind
	aggregateToken string
	supervisorID   string // the overlord's name, where kind is overlord
	typ            string
	token          string
}

func (s subjects) parse(subject string) (address, error) {
	rest, ok := strings.CutPrefix(subject, s.prefix+".")
	if !ok {
		return address{}, fmt.Errorf("subject %q is not below %s", subject, s.prefix)
	}
	var tok [4]string
	n := 0
	for part := range strings.SplitSeq(rest, ".") {
		if n == len(tok) {
			return address{}, fmt.Errorf("subject %q has too many tokens", subject)
		}
		tok[n] = part
		n++
	}
	a := address{kind: Kind(tok[0]), aggregateToken: tok[1]}
	id := tok[1]
	switch a.kind {
	case KindSupervisor, KindTask:
	case KindOverlord:
		if id, ok = strings.CutPrefix(tok[1], overlordMark); !ok {
			return address{}, fmt.Errorf("subject %q: overlord name lacks its mark", subject)
		}
	default:
		return address{}, fmt.Errorf("subject %q: unknown kind", subject)
	}
	if n != len(tok) {
		return address{}, fmt.Errorf("subject %q has %d tokens after the prefix, want %d", subject, n, len(tok))
	}
	var err error
	if a.supervisorID, err = DecodeToken(id); err != nil {
		return address{}, fmt.Errorf("subject %q: %w", subject, err)
	}
	a.typ, a.token = tok[2], tok[3]
	if !validName(a.typ) || !validName(a.token) {
		return address{}, fmt.Errorf("subject %q: type or state is not a name", subject)
	}
	return a, nil
}
