package eventstore

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Snapshot is a fold's state beside the log sequence it was folded up to. It is
// a cache: losing it costs time and nothing else.
type Snapshot struct {
	// Layout is the version of the shape of Data. A snapshot of another layout is
	// not read.
	Layout int
	// Sequence is the last log sequence folded in.
	Sequence uint64
	// Data is the state, JSON.
	Data json.RawMessage
}

// snapshotFile is the file's form: one line of JSON.
type snapshotFile struct {
	Layout   int             `json:"layout"`
	Sequence uint64          `json:"sequence"`
	SHA256   string          `json:"sha256"`
	Data     json.RawMessage `json:"data"`
}

// WriteSnapshotFile replaces the file in one step: after a crash it is the old
// one or the new one. The folder must exist.
func WriteSnapshotFile(path string, s Snapshot) error {
	var data bytes.Buffer
	if err := json.Compact(&data, s.Data); err != nil {
		return fmt.Errorf("write snapshot %s: %w", path, err)
	}
	b, err := marshalPlain(snapshotFile{
		Layout: s.Layout, Sequence: s.Sequence, Data: data.Bytes(),
		SHA256: snapshotSum(s.Layout, s.Sequence, data.Bytes()),
	})
	if err != nil {
		return fmt.Errorf("write snapshot %s: %w", path, err)
	}
	if err := replaceFile(path, b); err != nil {
		return fmt.Errorf("write snapshot %s: %w", path, err)
	}
	return nil
}

// ReadSnapshotFile reads a snapshot of the given layout. Whatever is wrong with
// the file, or where there is none, ok is false: the reader then folds the log.
func ReadSnapshotFile(path string, layout int) (s Snapshot, ok bool) {
	b, err := os.ReadFile(path)
	if err != nil {
		return Snapshot{}, false
	}
	var f snapshotFile
	if err := json.Unmarshal(b, &f); err != nil || f.Layout != layout {
		return Snapshot{}, false
	}
	if f.SHA256 != snapshotSum(f.Layout, f.Sequence, f.Data) {
		return Snapshot{}, false
	}
	return Snapshot{Layout: f.Layout, Sequence: f.Sequence, Data: f.Data}, true
}

func snapshotSum(layout int, seq uint64, data []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %d ", layout, seq)
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// marshalPlain leaves <, > and & alone, so that the data's bytes, which are
// summed, stay what they were.
func marshalPlain(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// replaceFile writes beside the file, syncs, renames over it and syncs the
// folder, so that the name never stands for half a file.
func replaceFile(path string, b []byte) (err error) {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, filepath.Base(path)+".tmp*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tmp.Close()
			_ = os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(b); err != nil {
		return err
	}
	if err = tmp.Sync(); err != nil {
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	if err = os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}
