package eventstore

import (
	"encoding/json"
	"time"
)

// Event is a stored fact. Its slices belong to the one it is handed to.
type Event struct {
	// Sequence is the place in the log.
	Sequence uint64
	// Subject is the full NATS subject; the next five fields are what it says.
	Subject string
	Kind    Kind
	// SupervisorID is the aggregate's id; for KindOverlord, the overlord's name.
	SupervisorID string
	// TaskID is set for KindTask only.
	TaskID string
	// Type is the event type's stored name (ce-type).
	Type string
	// Token is the detailedState or status reached, or NoToken.
	Token string

	// ID is the event's unique id (ce-id), its NATS message id too.
	ID string
	// Source names the program that appended it (ce-source).
	Source string
	// AggregateSubject is ce-subject: what the event is about, for people.
	AggregateSubject string
	// SchemaVersion is the version of Data's shape, after upcasting.
	SchemaVersion int
	// Time is when it was decided, in UTC (ce-time).
	Time time.Time
	// Epoch is the leader's term under which it was appended.
	Epoch uint64
	// Actor is who asked.
	Actor string
	// Cause holds the ids of the events that led to this one.
	Cause []string
	// PrevHash is the hash of the aggregate's event before; empty for its first.
	PrevHash string
	// Hash covers PrevHash, the subject, every field above but Sequence, and the
	// stored data.
	Hash string
	// Data is the payload, JSON.
	Data json.RawMessage
}

// NewEvent is a fact to append. Ids and times come from the caller.
type NewEvent struct {
	// Kind must fit the aggregate: supervisor or task for a supervisor's.
	Kind Kind
	// SupervisorID may be left empty: the aggregate's id is taken. Where set it
	// must be that id.
	SupervisorID string
	// TaskID is required for KindTask.
	TaskID string
	// Type is the stored name of the event's type.
	Type string
	// SchemaVersion counts from 1; zero stands for 1.
	SchemaVersion int
	// Token is the last subject token; empty stands for NoToken.
	Token string
	// ID must be unique; printable ASCII without spaces and commas.
	ID string
	// Source defaults to Config.Source.
	Source string
	// Time is when it was decided.
	Time time.Time
	// Epoch is the leader's term.
	Epoch uint64
	// Actor is who asked.
	Actor string
	// Cause holds the ids of the events that led to this one.
	Cause []string
	// Data is the payload; it must be valid JSON.
	Data json.RawMessage
}
