package httpapi

import (
	"encoding/json"
	"time"

	"ogham/eventstore"
)

// CloudEvent is an event of the log as the feed shows it: CloudEvents 1.0 in JSON, with Ogham's extensions.
type CloudEvent struct {
	SpecVersion     string    `json:"specversion"`
	ID              string    `json:"id"`
	Source          string    `json:"source"`
	Type            string    `json:"type"`
	Time            time.Time `json:"time"`
	Subject         string    `json:"subject,omitempty"`
	DataContentType string    `json:"datacontenttype"`
	// Sequence is the log sequence, a number.
	Sequence uint64 `json:"sequence"`
	// SchemaVersion is the version of Data's shape.
	SchemaVersion int      `json:"schemaversion"`
	Epoch         uint64   `json:"epoch"`
	Actor         string   `json:"actor,omitempty"`
	Causes        []string `json:"causes,omitempty"`
	// Supervisor and Task say what the event is about; an overlord's own events have neither.
	Supervisor string `json:"supervisor,omitempty"`
	Task       string `json:"task,omitempty"`
	// Data carries `transition` where the event moved a machine.
	Data json.RawMessage `json:"data"`
}

// CloudEventOf shows a stored event.
func CloudEventOf(e eventstore.Event) CloudEvent {
	ce := CloudEvent{
		SpecVersion: "1.0", ID: e.ID, Source: e.Source, Type: e.Type, Time: e.Time, Subject: e.AggregateSubject, DataContentType: mimeJSON,
		Sequence: e.Sequence, SchemaVersion: e.SchemaVersion, Epoch: e.Epoch, Actor: e.Actor, Causes: e.Cause,
		Supervisor: e.SupervisorID, Task: e.TaskID, Data: e.Data,
	}
	if e.Kind == eventstore.KindOverlord {
		ce.Supervisor = ""
	}
	return ce
}
