package index

import (
	"encoding/json"
	"errors"
	"fmt"

	"ogham/adapters/segment"
	"ogham/domain/row"
	"ogham/domain/transform"
)

// DefaultMaxBytesInMemory is the memory limit of a Builder whose Config names none: about a million rows of nine columns.
const DefaultMaxBytesInMemory = 64 << 20

// Parser turns one record into rows. The index calls it from one goroutine.
type Parser interface {
	// Parse reads a record that has a value. The rows, in the order of row.Schema.Fields and then of Discovered, are
	// valid until the next call. A *row.RecordError says that the record has no rows; any other error fails the task.
	Parse(r *Record) (*row.Rows, error)
	// Discovered gives the names of the fields found beyond row.Schema.Fields; it only ever grows at its end.
	Discovered() []string
	// Event gives the text of row i of a record that Parse took, as Druid prints its events: for error messages only.
	Event(r *Record, i int) string
}

// Forker is a Parser of which several can read the records of a batch at the same time.
type Forker interface {
	Parser
	// Fork makes a Keeper of the same fields; ok is false where the rows of a record depend on the records before it.
	Fork() (k Keeper, ok bool)
}

// Keeper reads records and keeps the rows of many. It is for one goroutine at a time.
type Keeper interface {
	// Keep reads a record and puts its rows behind those that are kept. After an error, which is one of Parse, there are
	// none of it.
	Keep(r *Record) error
	// Kept gives all rows since Forget. They borrow from the records, and are valid until Forget.
	Kept() *row.Rows
	Forget()
}

// Record is one Kafka record. A nil Value is a tombstone. It is an alias of a plain struct: whoever declares the same
// shape for itself hands its records over as they lie.
type Record = struct {
	Partition       int32
	Offset          int64
	TimestampMillis int64
	Value           []byte
	// Key is nil where the record has none.
	Key     []byte
	Headers []Header
	Topic   string
}

// Header is one header of a record; a name may come several times.
type Header = struct {
	Key   string
	Value []byte
}

// Config says what a Builder does.
type Config struct {
	Schema row.Schema
	// Parser reads the records; it belongs to the Builder from then on. Required.
	Parser Parser
	// Transform is applied to the rows, and was compiled with the Schema; nil: they stay as they are. It belongs to the
	// Builder from then on.
	Transform *transform.Transformer
	// Dir holds spills and, in the end, the segment folders. It is made if need be. Required.
	Dir string
	// MaxRowsInMemory is the number of rows that are kept before they are spilled; 0: only bytes count.
	MaxRowsInMemory int
	// MaxBytesInMemory bounds the bytes of the index in memory, those of a spill under way and of its sorting among them:
	// rows are spilled at half of it. 0: DefaultMaxBytesInMemory.
	MaxBytesInMemory int64
	IndexSpec        segment.IndexSpec
	// TimestampSpecJSON and QueryGranularityJSON go into the segments' metadata as they are.
	TimestampSpecJSON, QueryGranularityJSON json.RawMessage
	// MaxParseExceptions is how many parse errors are borne; one more fails AddBatch. 0 bears none, negative all.
	MaxParseExceptions int
	// MaxSavedParseExceptions is how many of the newest parse errors are kept for ParseExceptions.
	MaxSavedParseExceptions int
	// LogParseException, if set, is told each parse error.
	LogParseException func(row.ParseException)
	// Now gives the time of parse errors in milliseconds; nil: they carry 0.
	Now func() int64
}

// Built is a finished segment. Its folder belongs to the caller.
type Built struct {
	// IntervalStart and IntervalEnd are in milliseconds, the end exclusive.
	IntervalStart, IntervalEnd int64
	Dir                        string
	Rows, Size                 int64
	Dimensions, Metrics        []string
}

// ParseLimitError is returned by AddBatch when there were more parse errors than MaxParseExceptions: the task fails.
type ParseLimitError struct {
	Limit int
}

func (e *ParseLimitError) Error() string { return row.MaxParseExceptionsMessage(e.Limit) }

// ErrClosed is returned by a Builder that was closed, or that has finished.
var ErrClosed = errors.New("index builder is closed")

func (c *Config) fill() error {
	if c.Parser == nil {
		return errors.New("index config: no parser")
	}
	if c.Dir == "" {
		return errors.New("index config: no folder")
	}
	if err := c.Schema.Validate(); err != nil {
		return fmt.Errorf("index config: %w", err)
	}
	if c.MaxBytesInMemory <= 0 {
		c.MaxBytesInMemory = DefaultMaxBytesInMemory
	}
	if c.IndexSpec == (segment.IndexSpec{}) {
		c.IndexSpec = segment.DefaultIndexSpec()
	}
	if c.Now == nil {
		c.Now = func() int64 { return 0 }
	}
	return nil
}
