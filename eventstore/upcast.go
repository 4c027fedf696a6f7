package eventstore

import (
	"encoding/json"
	"fmt"
)

// Upcaster raises an event's data by one schema version. It is pure, and must
// not change old in place.
type Upcaster func(old json.RawMessage) (json.RawMessage, error)

// Upcasters names every event type that exists. The slice at index i raises
// version i+1 to i+2, so a type whose newest version is 1 has an empty one.
type Upcasters map[string][]Upcaster

// Newest returns the newest version of a type, and whether the type is known.
func (u Upcasters) Newest(typ string) (int, bool) {
	steps, ok := u[typ]
	return len(steps) + 1, ok
}

// Upcast raises data to the newest version of its type. An unknown type or
// version is an *UnknownTypeError, never skipped.
func (u Upcasters) Upcast(typ string, version int, data json.RawMessage) (json.RawMessage, int, error) {
	newest, ok := u.Newest(typ)
	if !ok {
		return nil, 0, &UnknownTypeError{Type: typ, Version: version}
	}
	if version < 1 || version > newest {
		return nil, 0, &UnknownTypeError{Type: typ, Version: version, Newest: newest}
	}
	for v := version; v < newest; v++ {
		raised, err := u[typ][v-1](data)
		if err != nil {
			return nil, 0, fmt.Errorf("raise %s from version %d to %d: %w", typ, v, v+1, err)
		}
		data = raised
	}
	return data, newest, nil
}
