//go:build integration

package e2e

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// recording is what Druid answers about the segments that it made of a case itself.
type recording struct {
	Columns  [][]any // of INFORMATION_SCHEMA
	Table    sqlTable
	Segments map[string]scanned
	Metadata map[string]map[string]any
	Groups   []answer
	Filters  []filtered
}

// answer is what came back for a question in SQL, with {source} for the data source; sorted by the rows' text.
type answer struct {
	SQL  string
	Rows [][]any
}

// filtered is how many rows a filter lets through, and the sum of their times.
type filtered struct {
	Where        string
	Count, Times any
}

// recordingFile is where the recording of a case is kept.
func recordingFile(c *liveCase) string {
	name := c.name
	if c.as != "" {
		name = c.as
	}
	return filepath.Join("testdata", "druid", name+".json.gz")
}

// write keeps a recording.
func (r *recording) write(t *testing.T, c *liveCase) {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err == nil {
		_, err = z.Write(b)
	}
	if err == nil {
		err = z.Close()
	}
	if err == nil {
		err = os.MkdirAll(filepath.Dir(recordingFile(c)), 0o755)
	}
	if err == nil {
		err = os.WriteFile(recordingFile(c), packed.Bytes(), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// readRecording reads what is kept of a case.
func readRecording(t *testing.T, c *liveCase) *recording {
	t.Helper()
	var r recording
	if err := decodeNumbers(unpacked(t, recordingFile(c)[:len(recordingFile(c))-len(".gz")]), &r); err != nil {
		t.Fatalf("%s: %v", recordingFile(c), err)
	}
	return &r
}

// record asks about the segments that Druid made of a case.
func (l *lab) record(t *testing.T, c *liveCase) *recording {
	t.Helper()
	source := c.theirs()
	r := &recording{Columns: l.columnsOf(t, source), Table: l.table(t, source), Segments: l.scan(t, c, source), Metadata: l.metadataOf(t, c, source)}
	var wheres []string
	whole := questions{l: l, t: t, source: source}
	whole.group(`SELECT __time, COUNT(*) FROM {source} GROUP BY 1`)
	r.Groups = whole.groups
	for i, name := range r.Table.Names {
		if c.isApart(name) {
			continue
		}
		q := questions{l: l, t: t, source: source, column: quoted(name)}
		if name == "__time" {
			for _, v := range q.values("TIMESTAMP_TO_MILLIS(__time)", "") {
				q.filter("__time = MILLIS_TO_TIMESTAMP(%v)", v)
				q.filter("__time > MILLIS_TO_TIMESTAMP(%v)", v)
			}
		} else {
			q.about(r.Table.Types[i])
		}
		r.Groups, wheres = append(r.Groups, q.groups...), append(wheres, q.filters...)
	}
	r.Filters = l.count(t, source, wheres)
	return r
}
