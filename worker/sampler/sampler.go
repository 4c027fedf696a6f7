package sampler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"time"

	"ogham/domain/row"
	"ogham/domain/spec"
	"ogham/domain/task"
	"ogham/worker"
)

// The limits of a sample where the request sets none. Each holds what an answer of 5000 usual records needs.
const (
	maxIndexBytes = 64 << 20
	// maxInputBytes bounds the records that are kept to be shown.
	maxInputBytes = 32 << 20
	// maxSamples is how many samples are taken at once; others wait for their turn.
	maxSamples = 4
)

// Topic is what a sample needs to know of a topic, or of all that a pattern names.
type Topic interface {
	// Partitions never makes a topic. A topic that is not there has none.
	Partitions(ctx context.Context) ([]task.Partition, error)
	Earliest(ctx context.Context, ps []task.Partition) (task.Offsets, error)
	Latest(ctx context.Context, ps []task.Partition) (task.Offsets, error)
	Close()
}

// Index runs records through the row path. Record numbers count from 0.
type Index interface {
	Add(record int, r *worker.Record) error
	// Rows is the number of rows so far, Bytes the memory that they take.
	Rows() int
	Bytes() int64
	Finish(ctx context.Context) (*Result, error)
	Close() error
}

// Row is a row of a record, or a part of one that gave no row.
type Row struct {
	// Record is the record's number, Row the row's in it, -1 where there is none.
	Record, Row int
	// Error says what could not be read; empty where nothing is wrong.
	Error string
	// Stored is the row as it was stored, a value for each column; nil where it was not, or was added to an earlier row.
	Stored []json.RawMessage
}

// Column is a column as it was stored. Type is Druid's name of it: STRING, LONG, COMPLEX<json>.
type Column struct {
	Name, Type string
	Dimension  bool
}

// Result is what became of the records.
type Result struct {
	Rows []Row
	// Columns are __time, the dimensions in order and the metrics in the spec's order; none if no row was stored.
	Columns             []Column
	Indexed, ThrownAway int64
}

// IndexRequest says what the row path is to do.
type IndexRequest struct {
	Schema      row.Schema
	InputFormat json.RawMessage
	IndexSpec   json.RawMessage
	// Dir is the sample's own; it does not exist yet.
	Dir              string
	MaxBytesInMemory int64
}

// Config wires a Service to Kafka and to the row path.
type Config struct {
	// Dir is where samples have their folders.
	Dir         string
	OpenTopic   func(*spec.Supervisor, time.Duration) (Topic, error)
	NewConsumer func(worker.ConsumerRequest) (worker.Consumer, error)
	NewIndex    func(IndexRequest) (Index, error)
	// RawRows gives what the fields of a record's rows are before anything is done to them, one JSON object each, as far as
	// they can be read.
	RawRows func(inputFormat json.RawMessage, r *worker.Record) []json.RawMessage
}

// Error is a sample that could not be taken; the message is for the user.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

// SampleError says that the message is the answer.
func (e *Error) SampleError() string { return e.Message }

func failed(err error) error { return &Error{"Failed to sample data: " + err.Error()} }

// Service takes samples. It is safe for concurrent use.
type Service struct {
	cfg    Config
	places chan struct{}
}

// New makes a service and removes what samples of an earlier process left.
func New(c Config) (*Service, error) {
	if err := os.RemoveAll(c.Dir); err != nil {
		return nil, fmt.Errorf("remove old samples: %w", err)
	}
	return &Service{cfg: c, places: make(chan struct{}, maxSamples)}, nil
}

// Sample reads rows of the spec's topic and answers what would become of them, in Druid's form. The errors are *Error,
// and ctx's own.
func (s *Service) Sample(ctx context.Context, req *spec.Sampler) (*Answer, error) {
	select {
	case s.places <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for another sample: %w", ctx.Err())
	}
	defer func() { <-s.places }()
	t := &sample{Service: s, req: req, until: time.Now().Add(req.Config.Timeout)}
	a, err := t.take(ctx)
	if err != nil && ctx.Err() != nil {
		return nil, fmt.Errorf("sample: %w", ctx.Err())
	}
	return a, err
}

// sample is one that is being taken.
type sample struct {
	*Service
	req     *spec.Sampler
	until   time.Time
	inputs  [][]json.RawMessage // of each record, its raw rows
	bytes   int64               // of them
	raw     json.RawMessage     // inputFormat
	records int
}

func (t *sample) take(ctx context.Context) (_ *Answer, err error) {
	sp := t.req.Spec
	t.raw = sp.IOConfig.InputFormat.Raw
	rows, err := t.open()
	if err != nil {
		return nil, failed(err)
	}
	defer func() {
		if closed := rows.Close(); closed != nil && err == nil {
			err = failed(closed)
		}
	}()
	start, end, err := t.offsets(ctx)
	if err != nil {
		return nil, err
	}
	if err := t.read(ctx, rows, start, end); err != nil {
		return nil, err
	}
	result, err := rows.Finish(ctx)
	if err != nil {
		return nil, failed(err)
	}
	return t.answer(result), nil
}

// open makes the row path in a folder of its own.
func (t *sample) open() (Index, error) {
	sp := t.req.Spec
	schema, err := worker.SchemaOf(sp, nil, nil)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(t.cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("make a folder for the sample: %w", err)
	}
	dir, err := os.MkdirTemp(t.cfg.Dir, "sample-")
	if err != nil {
		return nil, fmt.Errorf("make a folder for the sample: %w", err)
	}
	rows, err := t.cfg.NewIndex(IndexRequest{
		Schema: schema, InputFormat: t.raw, IndexSpec: sp.TuningConfig.IndexSpec, Dir: dir, MaxBytesInMemory: 4 * t.indexBytes(),
	})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return &ownDir{rows, dir}, nil
}

// ownDir removes the folder after the rows.
type ownDir struct {
	Index
	dir string
}

// Close implements Index.
func (o *ownDir) Close() error { return errors.Join(o.Index.Close(), os.RemoveAll(o.dir)) }

func (t *sample) indexBytes() int64 {
	if n := t.req.Config.MaxBytesInMemory; n > 0 && n < maxIndexBytes {
		return n
	}
	return maxIndexBytes
}

// offsets finds where each partition is read from, and where it ends now.
func (t *sample) offsets(ctx context.Context) (start, end task.Offsets, err error) {
	sp := t.req.Spec
	ctx, cancel := context.WithDeadline(ctx, t.until)
	defer cancel()
	topic, err := t.cfg.OpenTopic(sp, t.req.Config.Timeout)
	if err != nil {
		return nil, nil, &Error{"Unable to create RecordSupplier: " + err.Error()}
	}
	defer topic.Close()
	where := "latest"
	if sp.IOConfig.UseEarliestOffset {
		where = "earliest"
	}
	seeking := func(err error) error {
		message := err.Error()
		if errors.Is(err, context.DeadlineExceeded) {
			message = "Timeout expired while fetching topic metadata"
		}
		return &Error{fmt.Sprintf("Exception while seeking to the [%s] offset of partitions in topic [%s]: %s", where, sp.IOConfig.Stream(), message)}
	}
	ps, err := topic.Partitions(ctx)
	switch {
	case err != nil:
		return nil, nil, seeking(err)
	case len(ps) == 0:
		return nil, nil, failed(errors.New("Consumer is not subscribed to any topics or assigned any partitions")) //nolint:staticcheck // Kafka's own text
	}
	if end, err = topic.Latest(ctx, ps); err != nil {
		return nil, nil, seeking(err)
	}
	if start = end; sp.IOConfig.UseEarliestOffset {
		if start, err = topic.Earliest(ctx, ps); err != nil {
			return nil, nil, seeking(err)
		}
	}
	return start, end, nil
}

// read adds records until there are enough rows or bytes, the time is over, or, where the topic is read from its
// beginning, everything that was in it has been read.
func (t *sample) read(ctx context.Context, rows Index, start, end task.Offsets) error {
	left := 0
	for p, from := range start {
		if end[p] > from {
			left++
		}
	}
	follow := !t.req.Spec.IOConfig.UseEarliestOffset
	if left == 0 && !follow {
		return nil
	}
	ctx, cancel := context.WithDeadline(ctx, t.until)
	defer cancel()
	consumer, err := t.cfg.NewConsumer(worker.ConsumerRequest{
		Properties: t.req.Spec.IOConfig.ConsumerProperties, Topic: t.req.Spec.IOConfig.Topic, Start: start,
	})
	if err != nil {
		return &Error{"Unable to create RecordSupplier: " + err.Error()}
	}
	defer consumer.Close()
	done := map[task.Partition]bool{}
	for {
		batches, err := consumer.Poll(ctx)
		if err != nil {
			if ctx.Err() != nil {
				return nil // what has been read until now is the sample
			}
			return failed(err)
		}
		for _, b := range batches {
			if full, err := t.add(rows, b.Records); err != nil || full {
				return err
			}
			if last, ok := end[b.Partition]; ok && b.Next >= last && !done[b.Partition] && last > start[b.Partition] {
				done[b.Partition] = true
				left--
			}
		}
		if left == 0 && !follow {
			return nil
		}
	}
}

// add adds records until the sample is full.
func (t *sample) add(rows Index, records []worker.Record) (full bool, err error) {
	for i := range records {
		if rows.Rows() >= t.req.Config.NumRows || rows.Bytes() >= t.indexBytes() || t.bytes >= maxInputBytes {
			return true, nil
		}
		r := &records[i]
		if err := rows.Add(t.records, r); err != nil {
			return false, failed(err)
		}
		var raw []json.RawMessage
		if r.Value != nil {
			raw = t.cfg.RawRows(t.raw, r)
		}
		t.inputs = append(t.inputs, raw)
		for _, x := range raw {
			t.bytes += int64(len(x))
		}
		t.records++
	}
	return rows.Rows() >= t.req.Config.NumRows, nil
}
