package eventstore

import (
	"bufio"
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// TestEveryStoredShapeIsReadForEver reads events as they were stored by each version: every type is there, and what is
// read says all that was written.
func TestEveryStoredShapeIsReadForEver(t *testing.T) {
	f, err := os.Open("testdata/events-v1.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	seen := map[string]bool{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var stored struct {
			Type          string
			SchemaVersion int
			Data          json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &stored); err != nil {
			t.Fatal(err)
		}
		data, version, err := DomainUpcasters().Upcast(stored.Type, stored.SchemaVersion, stored.Data)
		if err != nil {
			t.Errorf("%s: %v", stored.Type, err)
			continue
		}
		r, err := Decode(Event{Type: stored.Type, SchemaVersion: version, Data: data})
		if err != nil {
			t.Errorf("%s: %v", stored.Type, err)
			continue
		}
		back, err := Encode(r.Event)
		if err != nil {
			t.Errorf("%s: %v", stored.Type, err)
			continue
		}
		var was, is any
		if json.Unmarshal(stored.Data, &was) != nil || json.Unmarshal(back.Data, &is) != nil || !reflect.DeepEqual(was, is) {
			t.Errorf("%s was stored as %s and is read as %s", stored.Type, stored.Data, back.Data)
		}
		if back.Type != stored.Type {
			t.Errorf("%s is stored as %s now", stored.Type, back.Type)
		}
		seen[stored.Type] = true
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	for _, c := range codec {
		if !seen[c.name] {
			t.Errorf("no stored %s to read", c.name)
		}
	}
}

func TestAnUnknownTypeIsAnError(t *testing.T) {
	if _, err := Decode(Event{Type: "NeverHeardOf", Data: json.RawMessage(`{}`)}); err == nil {
		t.Error("an unknown type was read")
	}
	if _, _, err := DomainUpcasters().Upcast("TaskCreated", 2, nil); err == nil {
		t.Error("a version of the future was read")
	}
}
