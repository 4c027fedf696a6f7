package eventstore_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ogham/eventstore"
)

func TestTokenIsSafeAndReversible(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) { checkToken(t, rapid.String().Draw(t, "id")) })
}

func FuzzToken(f *testing.F) {
	for _, s := range []string{"", "wiki", "a.b", "*", ">", "=", "=2E", "a b", "ünï", "\x00", "../..", "-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkToken(t, s)
		// Whatever decodes is the encoding of what it decodes to: no two tokens
		// stand for one id.
		if id, err := eventstore.DecodeToken(s); err == nil && eventstore.EncodeToken(id) != s {
			t.Errorf("%q decodes to %q, which encodes to %q", s, id, eventstore.EncodeToken(id))
		}
	})
}

func checkToken(t interface{ Errorf(string, ...any) }, s string) {
	tok := eventstore.EncodeToken(s)
	if tok == "" || strings.ContainsAny(tok, ".*> \t\r\n\x00~$") {
		t.Errorf("%q has the unsafe token %q", s, tok)
	}
	if back, err := eventstore.DecodeToken(tok); err != nil || back != s {
		t.Errorf("%q came back as %q, %v", s, back, err)
	}
}

func TestSnapshotIsReadBackOrIgnored(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.json")
	if _, ok := eventstore.ReadSnapshotFile(path, 1); ok {
		t.Error("a missing snapshot was read")
	}
	in := eventstore.Snapshot{Layout: 3, Sequence: 42, Data: json.RawMessage(`{ "a" : "<&>",  "b": [1, 2] }`)}
	for range 2 {
		if err := eventstore.WriteSnapshotFile(path, in); err != nil {
			t.Fatal(err)
		}
	}
	got, ok := eventstore.ReadSnapshotFile(path, 3)
	if !ok || got.Sequence != 42 || string(got.Data) != `{"a":"<&>","b":[1,2]}` {
		t.Errorf("read back %+v, %t", got, ok)
	}
	if _, ok := eventstore.ReadSnapshotFile(path, 4); ok {
		t.Error("a snapshot of another layout was read")
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*tmp*")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range whole {
		cut := whole[:i]
		flipped := append([]byte(nil), whole...)
		flipped[i] ^= 1
		for _, b := range [][]byte{cut, flipped} {
			if err := os.WriteFile(path, b, 0o600); err != nil {
				t.Fatal(err)
			}
			if s, ok := eventstore.ReadSnapshotFile(path, 3); ok && (s.Sequence != 42 || string(s.Data) != string(got.Data)) {
				t.Fatalf("a spoiled file (byte %d) was read as %+v", i, s)
			}
		}
	}
	if err := eventstore.WriteSnapshotFile(filepath.Join(path, "no", "folder"), in); err == nil {
		t.Error("a snapshot was written into nowhere")
	}
	if err := eventstore.WriteSnapshotFile(path, eventstore.Snapshot{Data: []byte("{")}); err == nil {
		t.Error("data that is not JSON was written")
	}
}
