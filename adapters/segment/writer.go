package segment

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"
)

// timeColumn is the column that every segment has.
const timeColumn = "__time"

// MetricMeta is a metric as the segment's metadata names it.
type MetricMeta struct {
	// Type is the combining form's type, e.g. longSum for a count.
	Type string
	// Name is the metric's column, and the field the combining form reads.
	Name string
	// TimeColumn is set for the first and last of values, MaxStringBytes for
	// those of strings, Precomputed (false) and Round for hyperUnique.
	TimeColumn         string
	MaxStringBytes     *int
	Precomputed, Round *bool
	// Sketch is set for sketches of druid-datasketches.
	Sketch SketchMeta
	// Expression is set for the aggregator expression.
	Expression ExpressionMeta
}

// ExpressionMeta are the members of the combining form of the aggregator
// expression, zero for all others.
type ExpressionMeta struct {
	Accumulator          string `json:"accumulatorIdentifier,omitempty"`
	Initial              string `json:"initialValue,omitempty"`
	InitialCombine       string `json:"initialCombineValue,omitempty"`
	NullUnlessAggregated *bool  `json:"isNullUnlessAggregated,omitempty"`
	FoldsNulls           *bool  `json:"shouldAggregateNullInputs,omitempty"`
	CombinesNulls        *bool  `json:"shouldCombineAggregateNullInputs,omitempty"`
	Fold                 string `json:"fold,omitempty"`
	Combine              string `json:"combine,omitempty"`
	Compare              string `json:"compare,omitempty"`
	Finalize             string `json:"finalize,omitempty"`
	MaxSizeBytes         int    `json:"maxSizeBytes,omitempty"`
}

// SketchMeta are the members of the aggregators of druid-datasketches, zero
// where Druid leaves them out: LgK and Target of HLL sketches, Size and
// ErrorBoundsStdDev of theta sketches.
type SketchMeta struct {
	LgK               int    `json:"lgK,omitempty"`
	Target            string `json:"tgtHllType,omitempty"`
	StringEncoding    string `json:"stringEncoding,omitempty"`
	Size              int    `json:"size,omitempty"`
	ShouldFinalize    *bool  `json:"shouldFinalize,omitempty"`
	ErrorBoundsStdDev *int   `json:"errorBoundsStdDev,omitempty"`
}

// Meta is what a segment says about itself beside its columns.
type Meta struct {
	// IntervalStart and IntervalEnd are milliseconds since 1970 UTC; the end
	// is exclusive.
	IntervalStart, IntervalEnd int64
	// Dimensions are all stored dimensions in order, all-null ones included.
	Dimensions []string
	// Metrics are all metrics in the order of the ingestion spec.
	Metrics []MetricMeta
	// TimestampSpec and QueryGranularity go into the metadata as they are.
	TimestampSpec, QueryGranularity json.RawMessage
	// Rollup says whether rows were combined.
	Rollup bool
	// OrderedDimensions are the dimensions named in the ordering beside
	// __time: the listed ones, not those that were found. TimePosition is
	// how many of them stand before it.
	OrderedDimensions []string
	TimePosition      int
}

// Writer makes one segment folder. Columns are written one after the other, in
// any order, __time among them; each is closed before the next begins. A
// Writer is used by one goroutine. Its first error is final: every later call
// returns it, and Abort remains.
type Writer struct {
	dir    string
	meta   Meta
	spec   IndexSpec
	pool   *pool
	smoosh *smooshWriter

	wanted   map[string]bool // the columns still to come
	nulls    map[string]bool // all-null string columns
	abort    func()          // of the open column, nil when none is
	rows     int64           // of the segment, -1 until a column has ended
	nullTime bool
	err      error
	over     bool
}

// errOver is returned by a writer that was closed or aborted.
var errOver = errors.New("segment writer is closed")

// maxRows is the format's limit.
const maxRows = 1<<31 - 1

// Create makes dir, which must not exist or be empty, and begins a segment in
// it. The caller ends with Close or Abort.
func Create(dir string, m Meta, s IndexSpec) (*Writer, error) {
	if err := s.validate(); err != nil {
		return nil, err
	}
	wanted := map[string]bool{timeColumn: true}
	for _, name := range m.columnNames() {
		if err := checkName(name); err != nil {
			return nil, err
		}
		if wanted[name] {
			return nil, fmt.Errorf("create segment: column %q is listed twice", name)
		}
		wanted[name] = true
	}
	if m.TimePosition < 0 || m.TimePosition > len(m.OrderedDimensions) {
		return nil, fmt.Errorf("create segment: __time has place %d among %d dimensions", m.TimePosition, len(m.OrderedDimensions))
	}
	if m.IntervalEnd < m.IntervalStart {
		return nil, fmt.Errorf("create segment: interval ends before it starts")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("create segment: %w", err)
	}
	if files, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("create segment: %w", err)
	} else if len(files) > 0 {
		return nil, fmt.Errorf("create segment: folder %s is not empty", dir)
	}
	return &Writer{
		dir: dir, meta: m, spec: s, pool: newPool(), smoosh: newSmooshWriter(dir),
		wanted: wanted, nulls: map[string]bool{}, rows: -1,
	}, nil
}

// columnNames lists metrics and dimensions.
func (m Meta) columnNames() []string {
	names := make([]string, 0, len(m.Metrics)+len(m.Dimensions))
	for _, x := range m.Metrics {
		names = append(names, x.Name)
	}
	return append(names, m.Dimensions...)
}

// checkName refuses what the table of contents cannot hold, or would confuse.
func checkName(name string) error {
	if name == "" || name == indexFile || name == metadataFile || strings.ContainsAny(name, ",\n\r") || !utf8.ValidString(name) {
		return fmt.Errorf("create segment: a column cannot be named %q", name)
	}
	return nil
}

func (w *Writer) fail(err error) error {
	if w.err == nil {
		w.err = err
	}
	return w.err
}

// usable is what every call on a column checks first.
func (w *Writer) usable(columnClosed bool) error {
	switch {
	case w.err != nil:
		return w.err
	case w.over || columnClosed:
		return errOver
	}
	return nil
}

func (w *Writer) spoolPath(i int) string {
	return filepath.Join(w.dir, fmt.Sprintf(".column-%d.tmp", i))
}

func (w *Writer) bitmapCoder() bitmapCoder {
	return bitmapCoder{concise: w.spec.Bitmap == bitmapConcise}
}

// addRows counts n more rows of a column.
func (w *Writer) addRows(rows *int64, n int) error {
	if *rows+int64(n) > maxRows {
		return w.fail(&UnsupportedError{Feature: "writing 2^31 rows"})
	}
	if *rows+int64(n) > maxConciseRows && w.spec.Bitmap == bitmapConcise {
		return w.fail(&UnsupportedError{Feature: "writing 2^30 rows with concise bitmaps"})
	}
	*rows += int64(n)
	return nil
}

func (w *Writer) claim(name string) error {
	switch {
	case w.err != nil || w.over:
		return w.usable(w.over)
	case w.abort != nil:
		return w.fail(fmt.Errorf("begin column %q: the column before it is not closed", name))
	case !w.wanted[name]:
		return w.fail(fmt.Errorf("begin column %q: not listed, or written already", name))
	}
	delete(w.wanted, name)
	return nil
}

func (w *Writer) beginColumn(name string, kind valueType, multi bool, abort func()) error {
	if err := w.claim(name); err != nil {
		return err
	}
	if (name == timeColumn) && kind != kindLong {
		return w.fail(fmt.Errorf("begin column %q: it holds longs", name))
	}
	w.abort = abort
	if err := w.smoosh.begin(name); err != nil {
		return w.fail(err)
	}
	return w.writeDescriptor(newDescriptor(kind, multi, w.spec.Bitmap))
}

func (w *Writer) writeDescriptor(d descriptor) error {
	b, err := plainJSON(d)
	if err != nil {
		return w.fail(fmt.Errorf("encode column descriptor: %w", err))
	}
	if err := errors.Join(w.smoosh.i32(int64(len(b))), w.smoosh.write(b)); err != nil {
		return w.fail(err)
	}
	return nil
}

// beginNull notes an all-null column; it is written at the end, when the
// number of rows is known.
func (w *Writer) beginNull(name string) error {
	if err := w.claim(name); err != nil {
		return err
	}
	if !slices.Contains(w.meta.Dimensions, name) {
		return w.fail(fmt.Errorf("begin column %q: only dimensions can be all-null", name))
	}
	w.nulls[name] = true
	return nil
}

// endColumn finishes the open column's internal file.
func (w *Writer) endColumn(rows int64) error {
	name := w.smoosh.name
	w.abort = nil
	if w.rows >= 0 && rows != w.rows {
		return w.fail(fmt.Errorf("close column %q: it has %d rows, those before it have %d", name, rows, w.rows))
	}
	w.rows = rows
	if w.nullTime {
		return w.fail(fmt.Errorf("close column %q: a row without a time", name))
	}
	if err := w.smoosh.end(); err != nil {
		return w.fail(err)
	}
	return nil
}

// Long begins a column of longs, __time among them.
func (w *Writer) Long(name string) (*LongWriter, error) {
	c := &LongWriter{newNumericWriter[int64](w, name, kindLong)}
	if err := w.beginColumn(name, kindLong, false, c.abort); err != nil {
		return nil, err
	}
	return c, nil
}

// Float begins a column of floats.
func (w *Writer) Float(name string) (*FloatWriter, error) {
	c := &FloatWriter{newNumericWriter[float32](w, name, kindFloat)}
	if err := w.beginColumn(name, kindFloat, false, c.abort); err != nil {
		return nil, err
	}
	return c, nil
}

// Double begins a column of doubles.
func (w *Writer) Double(name string) (*DoubleWriter, error) {
	c := &DoubleWriter{newNumericWriter[float64](w, name, kindDouble)}
	if err := w.beginColumn(name, kindDouble, false, c.abort); err != nil {
		return nil, err
	}
	return c, nil
}

// Close writes what follows the columns and returns the segment's size: the sum
// of its files. They are on their way to the disk, but whoever needs them to
// survive a loss of power has to sync them. In any case the Writer is over;
// after an error the folder is incomplete, and is the caller's to remove.
func (w *Writer) Close() (size int64, err error) {
	if err := w.usable(false); err != nil {
		w.Abort()
		return 0, err
	}
	defer w.Abort()
	switch {
	case w.abort != nil:
		return 0, w.fail(errors.New("close segment: a column is not closed"))
	case len(w.wanted) > 0:
		names := make([]string, 0, len(w.wanted))
		for name := range w.wanted {
			names = append(names, name)
		}
		slices.Sort(names)
		return 0, w.fail(fmt.Errorf("close segment: columns not written: %s", strings.Join(names, ", ")))
	}
	if err := w.writeTail(); err != nil {
		return 0, w.fail(fmt.Errorf("close segment: %w", err))
	}
	size, err = w.writeFiles()
	if err != nil {
		return 0, w.fail(fmt.Errorf("close segment: %w", err))
	}
	return size, nil
}

// writeTail writes the internal files beside the columns with data.
func (w *Writer) writeTail() error {
	for _, name := range w.meta.Dimensions {
		if !w.nulls[name] {
			continue
		}
		if err := w.smoosh.begin(name); err != nil {
			return err
		}
		if err := errors.Join(w.writeDescriptor(nullDescriptor(w.rows, w.spec.Bitmap)), w.smoosh.end()); err != nil {
			return err
		}
	}
	if err := errors.Join(w.smoosh.begin(indexFile), writeIndexDrd(w.smoosh, w.meta, w.nulls, w.spec.Bitmap), w.smoosh.end()); err != nil {
		return err
	}
	b, err := encodeMetadata(w.meta)
	if err != nil {
		return err
	}
	return errors.Join(w.smoosh.begin(metadataFile), w.smoosh.write(b), w.smoosh.end())
}

// writeFiles finishes the chunks and writes the files around them.
func (w *Writer) writeFiles() (int64, error) {
	contents, err := w.smoosh.finish()
	if err != nil {
		return 0, err
	}
	loader := w.spec.SegmentLoader
	if loader == "" {
		loader = `{"type":"mMapSegmentFactory"}`
	}
	files := map[string]string{
		"version.bin":  "\x00\x00\x00\x09",
		"factory.json": loader,
		"meta.smoosh":  contents,
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), []byte(data), 0o644); err != nil {
			return 0, fmt.Errorf("write file: %w", err)
		}
	}
	size := int64(0)
	list, err := os.ReadDir(w.dir)
	if err != nil {
		return 0, fmt.Errorf("list segment folder: %w", err)
	}
	for _, e := range list {
		info, err := e.Info()
		if err != nil {
			return 0, fmt.Errorf("list segment folder: %w", err)
		}
		size += info.Size()
	}
	return size, nil
}

// Abort stops the writer and its goroutines without finishing the segment; the
// folder stays, for the caller to remove. After Close it does nothing.
func (w *Writer) Abort() {
	if w.over {
		return
	}
	w.over = true
	if w.abort != nil {
		w.abort()
		w.abort = nil
	}
	w.smoosh.abandon()
	w.pool.stop()
}
