package eventstore

import (
	"fmt"
	"strings"
)

// ConflictError is returned by Append when somebody else decided first: reload
// the aggregate and decide again. Nothing of the append was stored.
type ConflictError struct {
	// Aggregate is the aggregate's id.
	Aggregate string
	// Expected is the sequence the caller saw last.
	Expected uint64
	// Actual is the aggregate's last sequence, or 0 where it is not known.
	Actual uint64
}

// Error says what was expected and found.
func (e *ConflictError) Error() string {
	if e.Actual == 0 {
		return fmt.Sprintf("append to %q: its last event is no longer %d", e.Aggregate, e.Expected)
	}
	return fmt.Sprintf("append to %q: its last event is %d, not %d", e.Aggregate, e.Actual, e.Expected)
}

// TooLargeError is returned by Append, before anything is sent, for what the
// server would refuse.
type TooLargeError struct {
	// What is too large: "event", "batch" or "subject".
	What string
	// Type and ID name the event, where it is one.
	Type, ID string
	// Size and Limit are in bytes; for a batch, in events.
	Size, Limit int
}

// Error says what is too large, and by how much.
func (e *TooLargeError) Error() string {
	switch {
	case e.What == "batch":
		return fmt.Sprintf("%d events in one append, the limit is %d", e.Size, e.Limit)
	case e.Type != "":
		return fmt.Sprintf("%s %s (%s) is %d bytes, the limit is %d", e.What, e.Type, e.ID, e.Size, e.Limit)
	default:
		return fmt.Sprintf("%s is %d bytes, the limit is %d", e.What, e.Size, e.Limit)
	}
}

// UnavailableError is returned when the log cannot take or give events now: no
// leader, no space, no answer. The command may be tried again later.
type UnavailableError struct {
	// Op is what was being done.
	Op string
	// Unknown is set when an append may have been stored although no answer
	// came, or may yet be: reload the aggregate before deciding again.
	Unknown bool
	// Full is set when the store is out of space; with an embedded server it
	// stays so until that is restarted.
	Full bool
	// Err is the last cause.
	Err error
}

// Error says what could not be done.
func (e *UnavailableError) Error() string {
	switch {
	case e.Full:
		return fmt.Sprintf("%s: the log's storage is full: %v", e.Op, e.Err)
	case e.Unknown:
		return fmt.Sprintf("%s: the log did not answer, the outcome is not known: %v", e.Op, e.Err)
	default:
		return fmt.Sprintf("%s: the log is unavailable: %v", e.Op, e.Err)
	}
}

// Unwrap returns the cause.
func (e *UnavailableError) Unwrap() error { return e.Err }

// ReadOnlyError is returned by Append when the store was opened over a damaged
// log, or opened read-only.
type ReadOnlyError struct {
	// Err is why: a *DamagedError, or nil where read-only was asked for.
	Err error
}

// Error says why nothing is appended.
func (e *ReadOnlyError) Error() string {
	if e.Err == nil {
		return "the log is open for reading only"
	}
	return "the log is open for reading only: " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *ReadOnlyError) Unwrap() error { return e.Err }

// DamagedError says that the log is not what it was: events are missing,
// changed, or were written over. It needs an operator.
type DamagedError struct {
	// Stream is the stream's name.
	Stream string
	// Sequence is where it was seen, or 0.
	Sequence uint64
	// Problems holds one sentence per finding, the first ones only.
	Problems []string
}

// Error lists the findings.
func (e *DamagedError) Error() string {
	return fmt.Sprintf("stream %s is damaged: %s", e.Stream, strings.Join(e.Problems, "; "))
}

// Drift is one setting of the stream that is not as it must be.
type Drift struct {
	// Setting is the JetStream name of the setting.
	Setting string
	// Want and Got are its values.
	Want, Got string
}

// ConfigDriftError is returned by Open when the stream exists with other
// settings than the log needs, some of which would let history be dropped.
type ConfigDriftError struct {
	// Stream is the stream's name.
	Stream string
	// Drifts lists every difference.
	Drifts []Drift
}

// Error lists the differences.
func (e *ConfigDriftError) Error() string {
	parts := make([]string, len(e.Drifts))
	for i, d := range e.Drifts {
		parts[i] = fmt.Sprintf("%s is %s, want %s", d.Setting, d.Got, d.Want)
	}
	return fmt.Sprintf("stream %s is configured otherwise than the log needs: %s", e.Stream, strings.Join(parts, "; "))
}

// InvalidEventError is returned by Append for an event that breaks a rule of
// the envelope: a mistake of the program, not of the log.
type InvalidEventError struct {
	// ID is the event's id, as far as it has one.
	ID string
	// Reason says what is wrong.
	Reason string
}

// Error says what is wrong with which event.
func (e *InvalidEventError) Error() string {
	return fmt.Sprintf("event %q: %s", e.ID, e.Reason)
}

// DuplicateIDError is returned by Append when the event's id was used before
// for something else, which JetStream would have taken for a retry.
type DuplicateIDError struct {
	// ID is the id used twice; for a batch, that of its first event.
	ID string
	// Sequence is the place of the event that has it, or 0 where it is not known.
	Sequence uint64
}

// Error names the id and its first use.
func (e *DuplicateIDError) Error() string {
	if e.Sequence == 0 {
		return fmt.Sprintf("event id %q, or one of its batch, is already that of another event", e.ID)
	}
	return fmt.Sprintf("event id %q is already that of event %d, which differs", e.ID, e.Sequence)
}

// UnknownTypeError is returned on reading an event of a type or version that
// this program does not know: a newer program wrote it, or its upcaster is gone.
type UnknownTypeError struct {
	// Type and Version are what was stored.
	Type    string
	Version int
	// Newest is the newest known version, 0 where the type is unknown.
	Newest int
}

// Error says what is not known.
func (e *UnknownTypeError) Error() string {
	if e.Newest == 0 {
		return fmt.Sprintf("event type %q is unknown to this program", e.Type)
	}
	return fmt.Sprintf("event type %q version %d is unknown to this program, the newest it knows is %d", e.Type, e.Version, e.Newest)
}
