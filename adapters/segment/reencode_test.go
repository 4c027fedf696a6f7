package segment

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// specOf finds the indexSpec with which a segment was written.
func specOf(r *Reader) IndexSpec {
	s := DefaultIndexSpec()
	s.MetricCompression, s.Bitmap = r.columns[timeColumn].number.codec, r.bitmapType
	for _, c := range r.columns {
		if c.str != nil && !c.str.allNull {
			s.DimensionCompression = CodecUncompressed
			if c.str.ids.blocks != nil {
				s.DimensionCompression = c.str.ids.codec
			}
			if f := c.str.front; f != nil {
				s.FrontCoding = FrontCoding{f.bucket, int(f.version)}
			}
		}
		if c.json != nil && c.json.nested {
			s.JSONCompression = c.json.values.codec
		}
		if c.number != nil && c.number.packed {
			s.LongEncoding = longsAuto
		}
	}
	return s
}

// metaOf rebuilds what the segment's writer was told.
func metaOf(t testing.TB, r *Reader) Meta {
	t.Helper()
	var m metadata
	if err := json.Unmarshal(r.metadata, &m); err != nil {
		t.Fatal(err)
	}
	meta := Meta{
		IntervalStart: r.start, IntervalEnd: r.end, Rollup: m.Rollup,
		TimestampSpec: m.TimestampSpec, QueryGranularity: m.QueryGranularity,
	}
	for _, a := range m.Aggregators {
		meta.Metrics = append(meta.Metrics, MetricMeta{a.Type, a.Name, a.TimeColumn, a.MaxStringBytes, a.Precomputed, a.Round, a.SketchMeta, a.ExpressionMeta})
	}
	slices.Reverse(meta.Metrics) // the writer sorts them
	for _, c := range r.Columns() {
		if c.Dimension {
			meta.Dimensions = append(meta.Dimensions, c.Name)
		}
	}
	for i, o := range m.Ordering {
		if o.ColumnName == timeColumn {
			meta.TimePosition = i
			continue
		}
		meta.OrderedDimensions = append(meta.OrderedDimensions, o.ColumnName)
	}
	return meta
}

// reencode writes the decoded rows of r as a new segment.
func reencode(t testing.TB, r *Reader, dir string, s IndexSpec) int64 {
	t.Helper()
	w, err := Create(dir, metaOf(t, r), s)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for _, c := range writeOrder(r) {
		if err := copyColumn(r, w, c); err != nil {
			t.Fatalf("copy column %s: %v", c.Name, err)
		}
	}
	size, err := w.Close()
	if err != nil {
		t.Fatal(err)
	}
	return size
}

// writeOrder is Druid's order of columns in a file: __time, metrics, dimensions.
func writeOrder(r *Reader) []ColumnInfo {
	list := r.Columns()
	slices.SortStableFunc(list[1:], func(a, b ColumnInfo) int {
		switch {
		case a.Dimension == b.Dimension:
			return 0
		case a.Dimension:
			return 1
		}
		return -1
	})
	return list
}

func copyColumn(r *Reader, w *Writer, c ColumnInfo) error {
	switch c.Type {
	case "COMPLEX":
		return copyJSON(r, w, c)
	case "LONG":
		from, err := r.Long(c.Name)
		if err != nil {
			return err
		}
		to, err := w.Long(c.Name)
		if err != nil {
			return err
		}
		return copyNumbers(&from.numericColumn, &to.numericWriter)
	case "FLOAT":
		from, err := r.Float(c.Name)
		if err != nil {
			return err
		}
		to, err := w.Float(c.Name)
		if err != nil {
			return err
		}
		return copyNumbers(&from.numericColumn, &to.numericWriter)
	case "DOUBLE":
		from, err := r.Double(c.Name)
		if err != nil {
			return err
		}
		to, err := w.Double(c.Name)
		if err != nil {
			return err
		}
		return copyNumbers(&from.numericColumn, &to.numericWriter)
	}
	return copyStrings(r, w, c)
}

// copyNumbers uses odd steps, so that they and the blocks fall apart.
func copyNumbers[T int64 | float32 | float64](from *numericColumn[T], to *numericWriter[T]) error {
	const step = 1237
	vs, nulls := make([]T, step), make([]bool, step)
	for at := 0; at < from.Len(); at += step {
		n := min(step, from.Len()-at)
		if err := from.Read(at, vs[:n], nulls[:n]); err != nil {
			return err
		}
		if !from.HasNulls() {
			if err := to.AppendBatch(vs[:n], nil); err != nil {
				return err
			}
			continue
		}
		if err := to.AppendBatch(vs[:n], nulls[:n]); err != nil {
			return err
		}
	}
	return to.Close()
}

func copyStrings(r *Reader, w *Writer, c ColumnInfo) error {
	from, err := r.String(c.Name)
	if err != nil {
		return err
	}
	to, err := w.String(c.Name, StringOptions{
		Dictionary: from.Dictionary(), MultiValue: from.MultiValue(),
		NoBitmaps: !from.HasBitmaps(), AllNull: from.AllNull(),
	})
	if err != nil {
		return err
	}
	if from.AllNull() {
		return to.Close()
	}
	const step = 1237
	for at := 0; at < from.Len(); at += step {
		n := min(step, from.Len()-at)
		ends, ids, err := from.ReadLists(at, n, nil, nil)
		if err != nil {
			return err
		}
		if !from.MultiValue() {
			if err := to.AppendBatch(ids); err != nil {
				return err
			}
			continue
		}
		start := 0
		for _, end := range ends {
			if err := to.AppendMulti(ids[start:end]); err != nil {
				return err
			}
			start = end
		}
	}
	return to.Close()
}

// docs are documents and their places in the order of an auto column.
type docs []string

func (d docs) Len() int { return len(d) }

func (d docs) Value(i int) ([]byte, bool) { return []byte(d[i]), d[i] == "" }

// collectDocs gives the distinct values of rows, "" for null, in order, and
// the place of each row's.
func collectDocs(rows []string) (docs, []uint32) {
	var list docs
	at := map[string]uint32{}
	for _, doc := range rows {
		if _, ok := at[doc]; !ok {
			at[doc] = 0
			list = append(list, doc)
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		if a == "" || b == "" {
			return len(a) - len(b)
		}
		x, y := NewJSONKey([]byte(a)), NewJSONKey([]byte(b))
		return x.Compare(&y)
	})
	for i, doc := range list {
		at[doc] = uint32(i)
	}
	ids := make([]uint32, len(rows))
	for i, doc := range rows {
		ids[i] = at[doc]
	}
	return list, ids
}

func copyJSON(r *Reader, w *Writer, c ColumnInfo) error {
	from, err := r.JSON(c.Name)
	if err != nil {
		return err
	}
	rows := make([]string, from.Len())
	var s SmileWriter
	for i := range rows {
		n, err := from.node(i)
		if err != nil {
			return err
		}
		if n.kind != nodeNull {
			s.Reset()
			n.appendSmile(&s)
			rows[i] = string(s.Bytes())
		}
	}
	values, ids := collectDocs(rows)
	to, err := w.JSON(c.Name, JSONOptions{Values: values})
	if err != nil {
		return err
	}
	if err := to.AppendBatch(ids); err != nil {
		return err
	}
	return to.Close()
}

func TestReencodedGoldensReadBackEqual(t *testing.T) {
	for _, g := range goldens(t) {
		t.Run(g.name, func(t *testing.T) {
			r := open(t, g.zip())
			dir := filepath.Join(t.TempDir(), "segment")
			size := reencode(t, r, dir, specOf(r))
			again := open(t, dir)
			sameLines(t, "rows", dumpRowsOf(t, again), g.file(t, "rows"))
			if got, want := dumpBitmaps(t, again), dumpBitmaps(t, r); !bytes.Equal(got, want) {
				t.Errorf("bitmaps differ")
			}
			checkFiles(t, dir, size)
			checkBytes(t, r, again)
		})
	}
}

// checkFiles wants the four files of a segment, and their sizes to add up.
func checkFiles(t testing.TB, dir string, size int64) {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	sum := int64(0)
	var names []string
	for _, e := range list {
		info, err := e.Info()
		if err != nil {
			t.Fatal(err)
		}
		sum += info.Size()
		names = append(names, e.Name())
	}
	if want := []string{"00000.smoosh", "factory.json", "meta.smoosh", "version.bin"}; !slices.Equal(names, want) {
		t.Errorf("files %v, want %v", names, want)
	}
	if sum != size {
		t.Errorf("Close returned %d bytes, the files have %d", size, sum)
	}
}

// checkBytes compares what has only one right form: the lists, the metadata,
// and whole columns where nothing is compressed.
func checkBytes(t testing.TB, druids, ours *Reader) {
	t.Helper()
	if !bytes.Equal(ours.files[indexFile], druids.files[indexFile]) {
		t.Errorf("index.drd is\n%q\nwant\n%q", ours.files[indexFile], druids.files[indexFile])
	}
	if !bytes.Equal(ours.metadata, druids.metadata) {
		t.Errorf("metadata.drd is\n%s\nwant\n%s", ours.metadata, druids.metadata)
	}
	for name, c := range druids.columns {
		same := false
		switch {
		case c.json != nil:
			checkJSONBytes(t, ours, druids, name)
			continue
		case c.str != nil:
			same = c.str.allNull || c.str.ids.blocks == nil || c.str.ids.codec == CodecUncompressed
			checkStringBytes(t, name, ours.columns[name].str, c.str)
		default:
			same = c.number.codec == CodecNone || c.number.codec == CodecUncompressed
			checkNumberBytes(t, name, ours.columns[name].number, c.number)
		}
		if same && !bytes.Equal(ours.files[name], druids.files[name]) {
			t.Errorf("uncompressed column %s differs from Druid's", name)
		}
	}
}

// checkJSONBytes compares the internal files of an auto column: whole where
// nothing is compressed, by what is in the blocks where something is.
func checkJSONBytes(t testing.TB, ours, druids *Reader, column string) {
	t.Helper()
	for name, want := range druids.files {
		suffix, ok := strings.CutPrefix(name, column+".__")
		if !ok && name != column {
			continue
		}
		got, ok := ours.files[name]
		switch {
		case !ok:
			t.Errorf("no internal file %s", name)
			continue
		case bytes.Equal(got, want):
			continue
		case strings.HasPrefix(suffix, "raw_"):
			a, b := blobBytes(t, name, got), blobBytes(t, name, want)
			if !bytes.Equal(a, b) {
				t.Errorf("%s holds\n%x\nwant\n%x", name, a, b)
			}
			continue
		case suffix == "encodedColumn" || suffix == "longColumn" || suffix == "doubleColumn":
			continue
		case strings.HasPrefix(suffix, "field_"):
			// The ids come first, the bitmaps last; between them are blocks.
			at, back := 0, 0
			for at < len(got) && at < len(want) && got[at] == want[at] {
				at++
			}
			for back < len(got)-at && back < len(want)-at && got[len(got)-1-back] == want[len(want)-1-back] {
				back++
			}
			if at < 11+4*int(want[7]) || back < 20 {
				t.Errorf("%s differs from Druid's at %d of %d: %x, want %x", name, at, len(want), got, want)
			}
			continue
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s is\n%q\nwant\n%q", name, got, want)
		}
	}
}

func blobBytes(t testing.TB, name string, b []byte) []byte {
	t.Helper()
	c := &cursor{part: name, b: b}
	p := readBlobs(c)
	if c.err != nil {
		t.Fatal(c.err)
	}
	r := blobReader{part: p, block: -1}
	var all []byte
	for i := range len(p.ends) / 4 {
		if err := r.load(i); err != nil {
			t.Fatal(err)
		}
		all = append(all, r.raw...)
	}
	return all
}

// checkStringBytes compares what is not compressed of a compressed column.
func checkStringBytes(t testing.TB, name string, ours, druids *stringPartData) {
	t.Helper()
	if druids.front != nil && (!bytes.Equal(ours.front.data, druids.front.data) || !bytes.Equal(ours.front.ends, druids.front.ends)) {
		t.Errorf("front-coded dictionary of column %s differs from Druid's", name)
	}
	if druids.bitmaps == nil {
		return
	}
	for i := range druids.bitmaps.count {
		got, _, err1 := ours.bitmaps.at(i)
		want, _, err2 := druids.bitmaps.at(i)
		if err1 != nil || err2 != nil || !bytes.Equal(got, want) {
			t.Errorf("bitmap %d of column %s is %x (%v), Druid's %x (%v)", i, name, got, err1, want, err2)
		}
	}
}

// checkNumberBytes compares the packing and the packed blocks.
func checkNumberBytes(t testing.TB, name string, ours, druids *numberPart) {
	t.Helper()
	if ours.packed != druids.packed || ours.bits != druids.bits || ours.base != druids.base || ours.per != druids.per ||
		!slices.Equal(ours.table, druids.table) {
		t.Errorf("column %s is packed otherwise than by Druid", name)
		return
	}
	a, b := make([]byte, maxBlock), make([]byte, maxBlock)
	for i := 0; druids.packed && i*druids.per < druids.rows; i++ {
		x, _, err1 := ours.block(i, a)
		y, _, err2 := druids.block(i, b)
		if err1 != nil || err2 != nil || !bytes.Equal(x, y) {
			t.Errorf("block %d of column %s: %d bytes (%v), Druid's %d (%v), or others", i, name, len(x), err1, len(y), err2)
		}
	}
}

func TestEveryCodecReadsBackEqual(t *testing.T) {
	for _, g := range goldens(t) {
		if g.name != "many-blocks" && g.name != "nulls-empty" && g.name != "multi-value" {
			continue
		}
		r := open(t, g.zip())
		rows, bitmaps := dumpRowsOf(t, r), dumpBitmaps(t, r)
		for _, dim := range []Codec{CodecLZ4, CodecLZF, CodecZSTD, CodecUncompressed} {
			for _, metric := range []Codec{CodecLZ4, CodecLZF, CodecZSTD, CodecUncompressed, CodecNone} {
				t.Run(g.name+"/"+dim.String()+"/"+metric.String(), func(t *testing.T) {
					s := DefaultIndexSpec()
					s.DimensionCompression, s.MetricCompression = dim, metric
					dir := filepath.Join(t.TempDir(), "segment")
					reencode(t, r, dir, s)
					again := open(t, dir)
					sameLines(t, "rows", dumpRowsOf(t, again), rows)
					if !bytes.Equal(dumpBitmaps(t, again), bitmaps) {
						t.Error("bitmaps differ")
					}
				})
			}
		}
	}
}
