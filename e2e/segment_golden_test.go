package e2e

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"ogham/adapters/segment"
)

// segmentGoldens reads the recorded cases of which the segments are kept.
func segmentGoldens(t *testing.T) []ingestCase {
	t.Helper()
	root := filepath.Join(filepath.Dir(ingestDir()), "segments")
	files, err := filepath.Glob(filepath.Join(root, "*", "spec.json"))
	if err != nil || len(files) < 20 {
		t.Fatalf("there are %d recorded cases in %s, want 20 or more (%v)", len(files), root, err)
	}
	var all []ingestCase
	for _, file := range files {
		c := ingestCase{dir: filepath.Dir(file)}
		c.name = strings.ReplaceAll(filepath.Base(c.dir), "-", "_")
		c.read(t, "spec", &c.spec)
		for line := range bytes.Lines(unpacked(t, filepath.Join(c.dir, "input.ndjson"))) {
			c.records = append(c.records, &kgo.Record{Value: bytes.TrimSuffix(line, []byte("\n"))})
		}
		all = append(all, c)
	}
	return all
}

// unpacked reads a file, or the same with .gz.
func unpacked(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if !errors.Is(err, fs.ErrNotExist) {
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	f, err := os.Open(name + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	if b, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	return b
}

// TestSegmentGoldensAreIngested has one server ingest the input of every recorded segment: the rows in their order, what
// is known of the columns and the descriptors must be those of the recording.
func TestSegmentGoldensAreIngested(t *testing.T) {
	t.Parallel()
	cases := segmentGoldens(t)
	b := newBroker(t)
	b.produce(cases, (*ingestCase).topic)
	s := newServer(t, "segments", "-D", fmt.Sprintf("druid.worker.capacity=%d", len(cases))).start()
	t.Run("cases", func(t *testing.T) {
		for i := range cases {
			c := &cases[i]
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				c.checkSegments(t, s.ingest(t, c, c.dataSource(), c.topic(), b.servers).segments)
			})
		}
	})
}

// checkSegments compares segments with those of a recording, which are numbered if there are several.
func (c *ingestCase) checkSegments(t *testing.T, all []published) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(c.dir, "segment*.json"))
	if err != nil || len(files) != len(all) {
		t.Fatalf("%d segments are published, recorded were %d (%v)", len(all), len(files), err)
	}
	slices.SortFunc(all, func(a, b published) int { return byInterval(descriptorOf(t, a), descriptorOf(t, b)) })
	for i, file := range files {
		number := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(file), "segment"), ".json")
		var want descriptor
		c.read(t, "segment"+number, &want)
		c.checkDescriptor(t, descriptorOf(t, all[i]), want)
		r, err := segment.Open(all[i].place(t))
		if err != nil {
			t.Fatal(err)
		}
		var rows bytes.Buffer
		if err := errors.Join(r.DumpRows(&rows), r.Close()); err != nil {
			t.Fatal(err)
		}
		got, recorded := bytes.Split(rows.Bytes(), []byte("\n")), bytes.Split(unpacked(t, filepath.Join(c.dir, "rows"+number+".json")), []byte("\n"))
		for k := range max(len(got), len(recorded)) {
			if len(got) != len(recorded) || !bytes.Equal(got[k], recorded[k]) {
				t.Fatalf("row %d of %d is\n%s\nrecorded, of %d rows, was\n%s", k, len(got), got[min(k, len(got)-1)], len(recorded), recorded[min(k, len(recorded)-1)])
			}
		}
		var summary map[string]any
		c.read(t, "metadata"+number, &summary)
		for _, column := range summary["columns"].(map[string]any) {
			delete(column.(map[string]any), "typeSignature")
			delete(column.(map[string]any), "errorMessage")
		}
		ours := metadataOf(t, all[i])
		for _, key := range []string{"intervals", "columns", "size", "numRows", "aggregators", "timestampSpec", "queryGranularity", "rollup"} {
			if !reflect.DeepEqual(ours[key], summary[key]) {
				t.Errorf("%s is %v\nrecorded %v", key, ours[key], summary[key])
			}
		}
	}
}

// TestCopiesOfRecordingsAreWhatWasRecorded compares what a bare clone has with the recordings, where they are.
func TestCopiesOfRecordingsAreWhatWasRecorded(t *testing.T) {
	t.Parallel()
	copies := filepath.Join("..", "adapters", "inputformat", "testdata")
	var files []string
	for _, kind := range []string{"ingest", "segments"} {
		found, err := filepath.Glob(filepath.Join(copies, kind, "*", "*"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 200 {
		t.Fatalf("there are %d copies, want 200 or more", len(files))
	}
	for _, file := range files {
		name, err := filepath.Rel(copies, file)
		if err != nil {
			t.Fatal(err)
		}
		original := filepath.Join(filepath.Dir(ingestDir()), name)
		a, err1 := os.ReadFile(file)
		b, err2 := os.ReadFile(original)
		if err1 != nil || err2 != nil || !bytes.Equal(a, b) {
			t.Errorf("%s is not the recording %s (%v, %v)", file, original, err1, err2)
		}
	}
}
