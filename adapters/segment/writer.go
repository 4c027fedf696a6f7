package segment

import (
	"encoding/json"
	"errors"
)

// MetricMeta is a metric as the segment's metadata names it.
type MetricMeta struct {
	// Type is the combining form's type, e.g. longSum for a count.
	Type string
	// Name is the metric's column, and the field the combining form reads.
	Name string
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
	// OrderedDimensions are the dimensions named in the ordering, after
	// __time: the listed ones, not those that were found.
	OrderedDimensions []string
}

// Writer makes one segment folder.
type Writer struct{}

// Dictionary is the sorted list of a string column's distinct values.
type Dictionary interface {
	// Len is the number of values, null included.
	Len() int
	// Value returns value i: ascending in UTF-16 order, null first. The bytes
	// are only read, and only until the next call.
	Value(i int) (b []byte, isNull bool)
}

// StringOptions describes a string column.
type StringOptions struct {
	// Dictionary holds the values; unused when AllNull is set.
	Dictionary Dictionary
	// MultiValue makes a column of lists.
	MultiValue bool
	// NoBitmaps leaves out the bitmap index.
	NoBitmaps bool
	// AllNull makes the column that has no data; nothing may be appended.
	AllNull bool
}

type numericWriter[T int64 | float32 | float64] struct{}

// LongWriter writes a column of longs.
type LongWriter struct{ numericWriter[int64] }

// FloatWriter writes a column of floats.
type FloatWriter struct{ numericWriter[float32] }

// DoubleWriter writes a column of doubles.
type DoubleWriter struct{ numericWriter[float64] }

// StringWriter writes a string column.
type StringWriter struct{}

var errSkeleton = errors.New("segment writer: not yet")

// Create makes dir and begins a segment in it.
func Create(dir string, m Meta, s IndexSpec) (*Writer, error) { return nil, errSkeleton }

// Long begins a column of longs.
func (w *Writer) Long(name string) (*LongWriter, error) { return nil, errSkeleton }

// Float begins a column of floats.
func (w *Writer) Float(name string) (*FloatWriter, error) { return nil, errSkeleton }

// Double begins a column of doubles.
func (w *Writer) Double(name string) (*DoubleWriter, error) { return nil, errSkeleton }

// String begins a string column.
func (w *Writer) String(name string, o StringOptions) (*StringWriter, error) { return nil, errSkeleton }

// Close writes what follows the columns and syncs the folder.
func (w *Writer) Close() (size int64, err error) { return 0, errSkeleton }

// Abort stops the writer without finishing the segment.
func (w *Writer) Abort() {}

// Append adds a row.
func (c *numericWriter[T]) Append(v T) error { return errSkeleton }

// AppendNull adds a null row.
func (c *numericWriter[T]) AppendNull() error { return errSkeleton }

// AppendBatch adds rows; nulls may be nil.
func (c *numericWriter[T]) AppendBatch(vs []T, nulls []bool) error { return errSkeleton }

// Close ends the column.
func (c *numericWriter[T]) Close() error { return errSkeleton }

// Append adds a row with one value.
func (c *StringWriter) Append(id uint32) error { return errSkeleton }

// AppendBatch adds a row per id.
func (c *StringWriter) AppendBatch(ids []uint32) error { return errSkeleton }

// AppendMulti adds one row with the given values.
func (c *StringWriter) AppendMulti(ids []uint32) error { return errSkeleton }

// Close ends the column.
func (c *StringWriter) Close() error { return errSkeleton }
