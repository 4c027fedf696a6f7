package eventstore

import (
	"bufio"
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
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

// FuzzDecode reads data of every type: an error, or an event that is written so that it is read back as it is.
func FuzzDecode(f *testing.F) {
	stored, err := os.ReadFile("testdata/events-v1.ndjson")
	if err != nil {
		f.Fatal(err)
	}
	for line := range bytes.Lines(stored) {
		var s struct {
			Type string
			Data json.RawMessage
		}
		if err := json.Unmarshal(line, &s); err != nil {
			f.Fatal(err)
		}
		f.Add(s.Type, []byte(s.Data))
	}
	f.Fuzz(func(t *testing.T, kind string, data []byte) {
		r, err := Decode(Event{Type: kind, Data: data})
		if err != nil {
			return
		}
		first, err := Encode(r.Event)
		if err != nil {
			return // a number or a raw part that JSON has no form for
		}
		if first.Type != kind {
			t.Fatalf("%s is written as %s", kind, first.Type)
		}
		again, err := Decode(Event{Type: kind, Data: first.Data})
		if err != nil {
			t.Fatalf("%s: %s is not read again: %v", kind, first.Data, err)
		}
		second, err := Encode(again.Event)
		if err != nil || !bytes.Equal(first.Data, second.Data) || first.Token != second.Token || first.TaskID != second.TaskID {
			t.Fatalf("%s: %s is written again as %s, %v", kind, first.Data, second.Data, err)
		}
	})
}

// FuzzSnapshotFile damages a snapshot: what is read is what was written, or nothing.
func FuzzSnapshotFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "snapshot")
	want := Snapshot{Layout: 3, Sequence: 7, Data: json.RawMessage(`{"a":[1,"b"]}`)}
	if err := WriteSnapshotFile(path, want); err != nil {
		f.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte(`{"layout":3,"data":null}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		s, ok := ReadSnapshotFile(path, 3)
		if !ok {
			return
		}
		if snapshotSum(s.Layout, s.Sequence, s.Data) == "" || !json.Valid(s.Data) || !bytes.Contains(b, []byte(snapshotSum(3, s.Sequence, s.Data))) {
			t.Fatalf("%q is read as %+v, whose sum it has not", b, s)
		}
	})
}
