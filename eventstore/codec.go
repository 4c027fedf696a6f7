package eventstore

import (
	"bytes"
	"encoding/json"
	"fmt"

	"ogham/domain/supervisor"
)

// codecEntry ties a stored type name to the domain's newest shape of it. The name is a contract with every log that
// exists: it does not follow a renamed Go type.
type codecEntry struct {
	name string
	make func() supervisor.Event
	is   func(supervisor.Event) bool
}

func entry[T any, P interface {
	*T
	supervisor.Event
}](name string) codecEntry {
	return codecEntry{
		name: name,
		make: func() supervisor.Event { return P(new(T)) },
		is:   func(e supervisor.Event) bool { _, ok := e.(P); return ok },
	}
}

// codec is the table of all event types.
var codec = []codecEntry{
	entry[supervisor.SupervisorCreated]("SupervisorCreated"),
	entry[supervisor.SpecUpdated]("SpecUpdated"),
	entry[supervisor.SupervisorSuspended]("SupervisorSuspended"),
	entry[supervisor.SupervisorResumed]("SupervisorResumed"),
	entry[supervisor.SupervisorTerminated]("SupervisorTerminated"),
	entry[supervisor.SupervisorReset]("SupervisorReset"),
	entry[supervisor.OffsetsReset]("OffsetsReset"),
	entry[supervisor.HandoffRequested]("HandoffRequested"),
	entry[supervisor.ScaleDecided]("ScaleDecided"),
	entry[supervisor.LeaderElected]("LeaderElected"),
	entry[supervisor.RunStepCompleted]("RunStepCompleted"),
	entry[supervisor.RunFailed]("RunFailed"),
	entry[supervisor.RunRecovered]("RunRecovered"),
	entry[supervisor.PartitionsChanged]("PartitionsChanged"),
	entry[supervisor.TaskGroupFormed]("TaskGroupFormed"),
	entry[supervisor.TaskGroupAbandoned]("TaskGroupAbandoned"),
	entry[supervisor.CheckpointReached]("CheckpointReached"),
	entry[supervisor.PublishingStarted]("PublishingStarted"),
	entry[supervisor.SegmentsAllocated]("SegmentsAllocated"),
	entry[supervisor.SegmentsPublished]("SegmentsPublished"),
	entry[supervisor.TaskCreated]("TaskCreated"),
	entry[supervisor.TaskAssigned]("TaskAssigned"),
	entry[supervisor.TaskStarted]("TaskStarted"),
	entry[supervisor.TaskPaused]("TaskPaused"),
	entry[supervisor.TaskResumed]("TaskResumed"),
	entry[supervisor.TaskSucceeded]("TaskSucceeded"),
	entry[supervisor.TaskFailed]("TaskFailed"),
	entry[supervisor.TaskStopped]("TaskStopped"),
}

// DomainUpcasters names every event type of the domain with the steps that raise its older versions. All are at
// version 1.
func DomainUpcasters() Upcasters {
	u := Upcasters{}
	for _, c := range codec {
		u[c.name] = nil
	}
	return u
}

// Encode makes the event to append of a domain event: its type, subject tokens and data. Id, time, epoch, actor and cause
// are the caller's to fill in.
func Encode(e supervisor.Event) (NewEvent, error) {
	for _, c := range codec {
		if !c.is(e) {
			continue
		}
		var data bytes.Buffer
		enc := json.NewEncoder(&data)
		enc.SetEscapeHTML(false) // a spec is stored as it was written
		if err := enc.Encode(e); err != nil {
			return NewEvent{}, fmt.Errorf("encode %s: %w", c.name, err)
		}
		n := NewEvent{Kind: KindSupervisor, Type: c.name, SchemaVersion: 1, Token: NoToken, Data: bytes.TrimSpace(data.Bytes())}
		if id := supervisor.TaskOf(e); id != "" {
			n.Kind, n.TaskID = KindTask, id
		}
		if t := e.Moved(); t != nil {
			n.Token = t.To
		}
		return n, nil
	}
	return NewEvent{}, fmt.Errorf("encode %T: not in the table of event types", e)
}

// Decode is the reverse of Encode for an event that was read, and so raised to the newest version.
func Decode(e Event) (supervisor.Recorded, error) {
	for _, c := range codec {
		if c.name != e.Type {
			continue
		}
		ev := c.make()
		if err := json.Unmarshal(e.Data, ev); err != nil {
			return supervisor.Recorded{}, fmt.Errorf("decode %s at log sequence %d: %w", e.Type, e.Sequence, err)
		}
		return supervisor.Recorded{Sequence: e.Sequence, ID: e.ID, Time: e.Time, Epoch: e.Epoch, Event: ev}, nil
	}
	return supervisor.Recorded{}, &UnknownTypeError{Type: e.Type, Version: e.SchemaVersion}
}
