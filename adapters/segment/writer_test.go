package segment

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// list is a dictionary of strings; null is the value that begins with U+0000.
type list []string

const null = "\x00"

func (l list) Len() int { return len(l) }

func (l list) Value(i int) ([]byte, bool) {
	if l[i] == null {
		return nil, true
	}
	return []byte(l[i]), false
}

func create(t testing.TB, m Meta) (*Writer, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "segment")
	w, err := Create(dir, m, DefaultIndexSpec())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Abort)
	return w, dir
}

// times writes the __time column of n rows.
func times(t testing.TB, w *Writer, n int) {
	t.Helper()
	c, err := w.Long(timeColumn)
	if err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := c.Append(int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAnEmptySegmentCanBeRead(t *testing.T) {
	w, dir := create(t, Meta{Dimensions: []string{"a", "b"}, IntervalEnd: 10})
	times(t, w, 0)
	a, err := w.String("a", StringOptions{Dictionary: list{}})
	if err == nil {
		err = a.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.String("b", StringOptions{AllNull: true}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if got := dumpRowsOf(t, open(t, dir)); len(got) != 0 {
		t.Errorf("rows %q of an empty segment", got)
	}
}

func TestCreateRefusesWhatTheFormatCannotHold(t *testing.T) {
	for name, m := range map[string]Meta{
		"comma":         {Dimensions: []string{"a,b"}},
		"newline":       {Dimensions: []string{"a\nb"}},
		"empty name":    {Dimensions: []string{""}},
		"reserved name": {Dimensions: []string{"index.drd"}},
		"not UTF-8":     {Dimensions: []string{"\xff"}},
		"twice":         {Dimensions: []string{"a"}, Metrics: []MetricMeta{{Type: "longSum", Name: "a"}}},
		"__time":        {Dimensions: []string{timeColumn}},
		"interval":      {IntervalStart: 2, IntervalEnd: 1},
	} {
		dir := filepath.Join(t.TempDir(), "segment")
		if w, err := Create(dir, m, DefaultIndexSpec()); err == nil {
			w.Abort()
			t.Errorf("%s: no error", name)
		}
		if isDir(dir) {
			t.Errorf("%s: the folder was made", name)
		}
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "x"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if w, err := Create(dir, Meta{}, DefaultIndexSpec()); err == nil {
		w.Abort()
		t.Error("a folder with a file in it was taken")
	}
}

func TestWrongUseIsAnErrorThatStays(t *testing.T) {
	meta := Meta{Dimensions: []string{"s"}, Metrics: []MetricMeta{{Type: "longSum", Name: "n"}}}
	words := StringOptions{Dictionary: list{"a", "b"}}
	for name, use := range map[string]func(w *Writer) error{
		"unlisted column": func(w *Writer) error { _, err := w.Long("x"); return err },
		"column twice": func(w *Writer) error {
			times(t, w, 1)
			_, err := w.Long(timeColumn)
			return err
		},
		"two columns open": func(w *Writer) error {
			if _, err := w.Long(timeColumn); err != nil {
				return nil
			}
			_, err := w.Long("n")
			return err
		},
		"__time of strings": func(w *Writer) error { _, err := w.String(timeColumn, words); return err },
		"null time": func(w *Writer) error {
			c, err := w.Long(timeColumn)
			if err == nil {
				err = c.AppendNull()
			}
			if err != nil {
				return nil
			}
			return c.Close()
		},
		"fewer rows": func(w *Writer) error {
			times(t, w, 2)
			c, err := w.Long("n")
			if err == nil {
				err = c.Append(1)
			}
			if err != nil {
				return nil
			}
			return c.Close()
		},
		"id too large":        func(w *Writer) error { c, _ := w.String("s", words); return c.Append(2) },
		"list in single":      func(w *Writer) error { c, _ := w.String("s", words); return c.AppendMulti([]uint32{0, 1}) },
		"empty, no null":      func(w *Writer) error { c, _ := w.String("s", words); return c.AppendMulti(nil) },
		"rows of all-null":    func(w *Writer) error { c, _ := w.String("s", StringOptions{AllNull: true}); return c.Append(0) },
		"all-null metric":     func(w *Writer) error { _, err := w.String("n", StringOptions{AllNull: true}); return err },
		"unsorted dictionary": func(w *Writer) error { _, err := w.String("s", StringOptions{Dictionary: list{"b", "a"}}); return err },
		"byte order, not UTF-16": func(w *Writer) error {
			_, err := w.String("s", StringOptions{Dictionary: list{"\uffee", "\U0001f600"}})
			return err
		},
		"duplicate": func(w *Writer) error { _, err := w.String("s", StringOptions{Dictionary: list{"a", "a"}}); return err },
		"late null": func(w *Writer) error { _, err := w.String("s", StringOptions{Dictionary: list{"a", null}}); return err },
		"not UTF-8": func(w *Writer) error { _, err := w.String("s", StringOptions{Dictionary: list{"\xff"}}); return err },
		"nulls of another length": func(w *Writer) error {
			c, _ := w.Long("n")
			return c.AppendBatch([]int64{1, 2}, []bool{true})
		},
	} {
		t.Run(name, func(t *testing.T) {
			w, dir := create(t, meta)
			first := use(w)
			if first == nil {
				t.Fatal("no error")
			}
			if _, err := w.Close(); !errors.Is(err, first) {
				t.Errorf("Close answers %v after %v", err, first)
			}
			w.Abort()
			if _, err := Open(dir); err == nil {
				t.Error("the aborted segment can be opened")
			}
			checkNoTemporary(t, dir)
		})
	}
}

func checkNoTemporary(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files %v, %v", left, err)
	}
}

func TestCloseNamesTheMissingColumns(t *testing.T) {
	w, _ := create(t, Meta{Dimensions: []string{"b", "a"}})
	times(t, w, 1)
	if _, err := w.Close(); err == nil || !strings.Contains(err.Error(), "a, b") {
		t.Errorf("close: %v, want both columns named", err)
	}
}

func TestAbortInTheMiddleOfAColumnRemovesItsTemporaryFile(t *testing.T) {
	w, dir := create(t, Meta{})
	c, err := w.Long(timeColumn)
	if err != nil {
		t.Fatal(err)
	}
	r := uint64(1)
	for range 40 {
		vs := make([]int64, 8192)
		for i := range vs {
			r = r*6364136223846793005 + 1442695040888963407
			vs[i] = int64(r)
		}
		if err := c.AppendBatch(vs, nil); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) == 0 {
		t.Fatal("no temporary file, the test proves nothing")
	}
	w.Abort()
	checkNoTemporary(t, dir)
	if err := c.Append(1); err == nil {
		t.Error("append after Abort succeeded")
	}
}

// TestColumnsMoveIntoNewChunks writes with chunks of a few bytes, as if each
// column were large.
func TestColumnsMoveIntoNewChunks(t *testing.T) {
	m := Meta{Dimensions: []string{"a", "b"}, IntervalEnd: 100, TimestampSpec: json.RawMessage("{}")}
	w, dir := create(t, m)
	w.smoosh.limit = 1000
	times(t, w, 60)
	for _, name := range m.Dimensions {
		c, err := w.String(name, StringOptions{Dictionary: list{null, name + strings.Repeat("z", 200), "x", "y"}})
		for i := 0; i < 60 && err == nil; i++ {
			err = c.Append(uint32((i + 2) % 4))
		}
		if err == nil {
			err = c.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Close(); err != nil {
		t.Fatal(err)
	}
	chunks, _ := filepath.Glob(filepath.Join(dir, "*.smoosh"))
	if len(chunks) < 4 { // meta.smoosh is among them
		t.Errorf("files %v, want several chunks", chunks)
	}
	rows := strings.Split(string(dumpRowsOf(t, open(t, dir))), "\n")
	want := fmt.Sprintf(`{"__time":59,"a":"a%s","b":"b%[1]s"}`, strings.Repeat("z", 200))
	if len(rows) != 61 || rows[59] != want {
		t.Errorf("%d rows, the last %s; want %s", len(rows)-1, rows[59], want)
	}
}

func TestAColumnLargerThanAChunkIsRefused(t *testing.T) {
	w, _ := create(t, Meta{})
	w.smoosh.limit = 200
	w.spec.MetricCompression = CodecNone
	c, err := w.Long(timeColumn)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.AppendBatch(make([]int64, 100), nil); err != nil {
		t.Fatal(err)
	}
	var u *UnsupportedError
	if err := c.Close(); !errors.As(err, &u) {
		t.Errorf("close: %v, want an UnsupportedError", err)
	}
}

func TestParseIndexSpec(t *testing.T) {
	all := IndexSpec{"concise", CodecZSTD, CodecNone, "auto", FrontCoding{16, 1}, CodecLZF, `{"type":"x"}`}
	front := DefaultIndexSpec()
	front.FrontCoding = FrontCoding{4, 0}
	for in, want := range map[string]IndexSpec{
		``:     DefaultIndexSpec(),
		`null`: DefaultIndexSpec(),
		`{}`:   DefaultIndexSpec(),
		`{"bitmap":{"type":"roaring","compressRunOnSerialization":false}}`: DefaultIndexSpec(),
		`{"stringDictionaryEncoding":{"type":"utf8"}}`:                     DefaultIndexSpec(),
		`{"stringDictionaryEncoding":{"type":"frontCoded"}}`:               front,
		`{"bitmap":{"type":"concise"},"dimensionCompression":"zstd","metricCompression":"none","longEncoding":"auto","jsonCompression":"lzf","segmentLoader":{"type":"x"},
		  "stringDictionaryEncoding":{"type":"frontCoded","bucketSize":16,"formatVersion":1}}`: all,
	} {
		if got, err := ParseIndexSpec(json.RawMessage(in)); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", in, got, err, want)
		}
	}
	for _, in := range []string{
		`{"bitmap":{"type":"x"}}`, `{"dimensionCompression":"none"}`, `{"metricCompression":"gzip"}`,
		`{"jsonCompression":"x"}`, `{"longEncoding":"table"}`, `{"stringDictionaryEncoding":{"type":"x"}}`,
		`{"stringDictionaryEncoding":{"type":"frontCoded","bucketSize":0}}`,
		`{"stringDictionaryEncoding":{"type":"frontCoded","bucketSize":3}}`,
		`{"stringDictionaryEncoding":{"type":"frontCoded","bucketSize":256}}`,
		`{"stringDictionaryEncoding":{"type":"frontCoded","formatVersion":2}}`, `[]`,
	} {
		if got, err := ParseIndexSpec(json.RawMessage(in)); err == nil {
			t.Errorf("%s: %+v, want an error", in, got)
		}
	}
}
