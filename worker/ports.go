package worker

import (
	"context"
	"encoding/json"
	"io"

	"ogham/domain/row"
	"ogham/domain/task"
)

// Record is one Kafka record. It is an alias of a plain struct, as Batch is: a Kafka client that declares the same shape
// needs no conversion.
type Record = struct {
	Partition       int32
	Offset          int64
	TimestampMillis int64
	// Value is nil for a tombstone.
	Value []byte
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

// Batch is what one poll brought of one partition, in offset order.
type Batch = struct {
	Partition task.Partition
	// Next is the position after the batch, past offsets that hold no record (transaction markers): Records may be empty.
	Next    int64
	Records []Record
}

// Consumer reads partitions from exact offsets. It is used by one goroutine.
type Consumer interface {
	// Poll waits for records, trouble or the end of ctx. The result is valid until the next call. After an error the
	// next call tries again where it stood.
	Poll(ctx context.Context) ([]Batch, error)
	// Remove stops reading a partition.
	Remove(p task.Partition)
	Close()
}

// OutOfRange is implemented by the error of Poll for a position that the partition does not have.
type OutOfRange interface {
	error
	WantedOffset() (p task.Partition, offset int64)
	// Bounds gives the earliest and latest offset, -1 where unknown.
	Bounds() (earliest, latest int64)
}

// Recreated is implemented by the error of Poll for a topic that was deleted and made anew.
type Recreated interface {
	error
	RecreatedTopic() string
}

// ConsumerRequest says what a consumer is to read.
type ConsumerRequest struct {
	// Properties are the spec's consumerProperties, secrets by reference.
	Properties map[string]any
	// Topic is the only one; empty where Start names its topics itself ("topic:0").
	Topic string
	Start task.Offsets
	// TopicIDs are the ids of the topics as they are to be, by name: another topic of the same name must not be read.
	TopicIDs map[string]string
}

// Builder builds the segments of one sequence. AddBatch, SetTimeBounds, Persist, Finish and Close are called by one goroutine at a time,
// the others by any.
type Builder interface {
	// AddBatch takes records in offset order and copies what it keeps.
	AddBatch(records []Record) error
	// SetTimeBounds sets the message times between which the rows of further batches are kept, in milliseconds; nil is no
	// bound.
	SetTimeBounds(least, most *int64)
	Counters() row.Counters
	ParseExceptions() []row.ParseException
	// Rows is the number of stored rows, MaxSegmentRows that of the largest segment, Bytes the memory in use.
	Rows() int64
	MaxSegmentRows() int64
	Bytes() int64
	Persist(ctx context.Context) error
	// Seal says that no more records come, though Finish may be long in coming: memory is to be let go.
	Seal() error
	// Finish gives one folder per interval that has rows.
	Finish(ctx context.Context) ([]Built, error)
	// Close removes what the builder wrote, and waits for its work.
	Close() error
}

// Built is a finished segment on the worker's disk.
type Built struct {
	// IntervalStart and IntervalEnd are in milliseconds, the end exclusive.
	IntervalStart, IntervalEnd int64
	Dir                        string
	Rows, Size                 int64
	Dimensions, Metrics        []string
}

// BuilderRequest says what a Builder is to do.
type BuilderRequest struct {
	Schema row.Schema
	// InputFormat is the spec's inputFormat.
	InputFormat json.RawMessage
	// Dir is the builder's own; it does not exist yet.
	Dir                                         string
	MaxRowsInMemory                             int
	MaxBytesInMemory                            int64
	IndexSpec, TimestampSpec, QueryGranularity  json.RawMessage
	MaxParseExceptions, MaxSavedParseExceptions int
	// LogParseException is nil unless the spec asks for it.
	LogParseException func(row.ParseException)
	// Now gives milliseconds.
	Now func() int64
}

// SegmentID names a segment for deep storage.
type SegmentID struct {
	DataSource string
	// Start and End are in milliseconds.
	Start, End   int64
	Version      string
	PartitionNum int
}

// LogStore keeps the logs of tasks. It is safe for concurrent use.
type LogStore interface {
	// Create opens the log of a task that is about to run.
	Create(taskID string) (io.WriteCloser, error)
	// Keep takes over the log of a task that has ended, once it is closed.
	Keep(taskID string) error
}

// Pusher is deep storage. It is safe for concurrent use.
type Pusher interface {
	// Push copies the segment folder to a place that uuid makes its own, durable when it returns.
	Push(ctx context.Context, dir string, id SegmentID, uuid string) (loadSpec json.RawMessage, size int64, err error)
	// Delete removes a pushed copy; one that is not there is no error.
	Delete(ctx context.Context, loadSpec json.RawMessage) error
}
