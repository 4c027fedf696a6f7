package segment

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
)

// goldenDir is the folder of segments that Druid wrote: OGHAM_GOLDENS, or the
// one beside the repository, or the small ones kept in testdata.
func goldenDir(t testing.TB) string {
	t.Helper()
	if d := os.Getenv("OGHAM_GOLDENS"); d != "" {
		return filepath.Join(d, "segments")
	}
	if d := filepath.Join(repoRoot(t), "..", "shared", "goldens"); isDir(d) {
		return filepath.Join(d, "segments")
	}
	return filepath.Join("testdata", "goldens")
}

func isDir(p string) bool {
	info, err := os.Stat(p)
	return err == nil && info.IsDir()
}

func repoRoot(t testing.TB) string {
	t.Helper()
	d, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(d, "go.mod")); err == nil {
			return d
		}
		up := filepath.Dir(d)
		if up == d {
			t.Fatal("no go.mod above the package")
		}
		d = up
	}
}

// golden is one segment of a case.
type golden struct {
	name, dir, suffix string
}

func (g golden) zip() string { return filepath.Join(g.dir, "index"+g.suffix+".zip") }

// file reads a recorded answer, gzipped or not.
func (g golden) file(t testing.TB, kind string) []byte {
	t.Helper()
	path := filepath.Join(g.dir, kind+g.suffix+".json")
	if b, err := os.ReadFile(path); err == nil {
		return b
	}
	f, err := os.Open(path + ".gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func goldens(t testing.TB) []golden {
	t.Helper()
	zips, err := filepath.Glob(filepath.Join(goldenDir(t), "*", "index*.zip"))
	if err != nil || len(zips) == 0 {
		t.Fatalf("no golden segments in %s (%v)", goldenDir(t), err)
	}
	var list []golden
	for _, z := range zips {
		dir := filepath.Dir(z)
		suffix := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(z), "index"), ".zip")
		list = append(list, golden{filepath.Base(dir) + suffix, dir, suffix})
	}
	return list
}

func open(t testing.TB, path string) *Reader {
	t.Helper()
	r, err := Open(path)
	if err != nil {
		t.Fatalf("open %s: %v", path, err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Errorf("close %s: %v", path, err)
		}
	})
	return r
}

func dumpRowsOf(t testing.TB, r *Reader) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.DumpRows(&b); err != nil {
		t.Fatalf("dump rows: %v", err)
	}
	return b.Bytes()
}

func sameLines(t testing.TB, what string, got, want []byte) {
	t.Helper()
	g, w := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(g), len(w)) {
		if i >= len(g) || i >= len(w) {
			t.Fatalf("%s: %d lines, want %d", what, len(g), len(w))
		}
		if g[i] != w[i] {
			t.Fatalf("%s: line %d is\n%s\nwant\n%s", what, i+1, g[i], w[i])
		}
	}
}

func TestGoldenRowsEqualDruids(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			sameLines(t, "rows", dumpRowsOf(t, open(t, g.zip())), g.file(t, "rows"))
		})
	}
}

func TestGoldenBitmapsEqualDruids(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			got := dumpBitmaps(t, open(t, g.zip()))
			if want := bytes.TrimSpace(g.file(t, "bitmaps")); !bytes.Equal(got, want) {
				at := 0
				for at < min(len(got), len(want)) && got[at] == want[at] {
					at++
				}
				t.Fatalf("bitmaps differ from byte %d on:\n%.200s\nwant\n%.200s", at, got[max(at-60, 0):], want[max(at-60, 0):])
			}
		})
	}
}

// dumpBitmaps prints the bitmaps as Druid's dump-segment does.
func dumpBitmaps(t testing.TB, r *Reader) []byte {
	t.Helper()
	b := []byte(`{"bitmapSerdeFactory":{"type":"` + r.bitmapType + `"},"bitmaps":{`)
	for i, info := range r.Columns() {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSONString(b, info.Name), ':')
		if info.Logical != "" {
			b = appendJSONBitmaps(t, b, r, info.Name)
			continue
		}
		if info.Type != "STRING" {
			b = append(b, "null"...)
			continue
		}
		c, err := r.String(info.Name)
		if err != nil {
			t.Fatal(err)
		}
		if !c.HasBitmaps() {
			b = append(b, "null"...)
			continue
		}
		for id := range c.Cardinality() {
			b = append(b, "{,"[min(id, 1)])
			v, null := c.Dictionary().Value(id)
			if null {
				v = []byte("null")
			}
			b = append(appendJSONString(b, string(v)), ":["...)
			m, err := r.Bitmap(info.Name, id)
			if err != nil {
				t.Fatal(err)
			}
			b = appendRows(b, m)
		}
		b = append(b, '}')
	}
	return append(b, "}}"...)
}

func appendRows(b []byte, m *roaring.Bitmap) []byte {
	for i, row := range m.ToArray() {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(row), 10)
	}
	return append(b, ']')
}

// appendJSONBitmaps prints the bitmaps of an auto column of one scalar type.
func appendJSONBitmaps(t testing.TB, b []byte, r *Reader, name string) []byte {
	t.Helper()
	c, err := r.JSON(name)
	if err != nil {
		t.Fatal(err)
	}
	if !c.Indexed() {
		return append(b, "null"...)
	}
	for id := range c.Cardinality() {
		b = append(b, "{,"[min(id, 1)])
		n, err := c.literal(uint32(id), true)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Trim(string(n.appendJSON(nil)), `"`)
		if n.kind == nodeString {
			text = string(n.text)
		}
		m, err := c.Bitmap(id)
		if err != nil {
			t.Fatal(err)
		}
		b = appendRows(append(appendJSONString(b, text), ":["...), m)
	}
	return append(b, '}')
}

func TestGoldenMetadataEqualsDruids(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := open(t, g.zip()).DumpMetadata(&b); err != nil {
				t.Fatal(err)
			}
			var got, want map[string]any
			if err := json.Unmarshal(b.Bytes(), &got); err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(g.file(t, "metadata"), &want); err != nil {
				t.Fatal(err)
			}
			columns := map[string]any{}
			for _, c := range got["columns"].([]any) {
				m := c.(map[string]any)
				name := m["name"].(string)
				delete(m, "name")
				columns[name] = m
			}
			got["columns"] = columns
			for _, c := range want["columns"].(map[string]any) {
				m := c.(map[string]any)
				delete(m, "typeSignature")
				delete(m, "errorMessage")
			}
			for _, key := range []string{"intervals", "columns", "size", "numRows", "aggregators", "timestampSpec", "queryGranularity", "rollup"} {
				if g, w := fmt.Sprint(got[key]), fmt.Sprint(want[key]); g != w {
					t.Errorf("%s: %s\nwant %s", key, g, w)
				}
			}
		})
	}
}
