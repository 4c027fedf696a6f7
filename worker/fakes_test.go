package worker_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"ogham/domain/row"
	"ogham/worker"
)

// memoryBuilder keeps records' places instead of building columns: what the runner is responsible for is which record
// enters which sequence. Records that are not JSON objects are unparseable, as for the real one.
type memoryBuilder struct {
	request worker.BuilderRequest
	mu      sync.Mutex
	keys    []string
	row     row.Counters
	bad     []row.ParseException
	persist int
	sealed  bool
	closed  bool
	bounds  [][2]*int64 // as they were set
}

func (b *bench) newBuilder(r worker.BuilderRequest) (worker.Builder, error) {
	if err := os.MkdirAll(r.Dir, 0o755); err != nil {
		return nil, err
	}
	m := &memoryBuilder{request: r, row: row.Counters{RecordsProcessed: map[row.Source]int64{}}}
	b.mu.Lock()
	b.builders = append(b.builders, m)
	b.mu.Unlock()
	return m, nil
}

func (m *memoryBuilder) AddBatch(records []worker.Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, r := range records {
		if string(r.Value) == "panic" {
			panic("poisoned")
		}
		m.row.ProcessedBytes += int64(len(r.Value))
		if !json.Valid(r.Value) {
			m.row.Unparseable++
			m.bad = append([]row.ParseException{{Input: string(r.Value), ErrorType: row.ErrorUnparseable, Source: row.Source{Topic: r.Topic, Partition: r.Partition}, Offset: r.Offset}}, m.bad...)
			continue
		}
		m.row.Processed++
		m.row.RecordsProcessed[row.Source{Topic: r.Topic, Partition: r.Partition}]++
		m.keys = append(m.keys, fmt.Sprintf("%d@%d", r.Partition, r.Offset))
	}
	return nil
}

func (m *memoryBuilder) SetTimeBounds(least, most *int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bounds = append(m.bounds, [2]*int64{least, most})
}

func (m *memoryBuilder) Counters() row.Counters {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.row
	c.RecordsProcessed = maps.Clone(c.RecordsProcessed)
	return c
}

func (m *memoryBuilder) ParseExceptions() []row.ParseException {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.bad)
}
func (m *memoryBuilder) Rows() int64           { return m.Counters().Processed }
func (m *memoryBuilder) MaxSegmentRows() int64 { return m.Rows() }
func (m *memoryBuilder) Bytes() int64          { return m.Counters().ProcessedBytes }
func (m *memoryBuilder) Persist(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.persist++
	return nil
}

func (m *memoryBuilder) Seal() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sealed = true
	return nil
}

func (m *memoryBuilder) Finish(context.Context) ([]worker.Built, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.keys) == 0 {
		return nil, nil
	}
	dir := filepath.Join(m.request.Dir, "segment")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	data, err := json.Marshal(m.keys)
	if err != nil {
		return nil, err
	}
	const day = 1795392000000 // 2026-11-23
	return []worker.Built{{
		IntervalStart: day, IntervalEnd: day + 86400000, Dir: dir, Rows: int64(len(m.keys)), Size: int64(len(data)), Dimensions: []string{"page"},
	}}, os.WriteFile(filepath.Join(dir, "rows.json"), data, 0o644)
}

func (m *memoryBuilder) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return os.RemoveAll(m.request.Dir)
}

// pusher is deep storage in a folder, which can be full.
type pusher struct {
	root string
	mu   sync.Mutex
	fail int // how many pushes still fail
	hits int
}

var errDiskFull = errors.New("no space left on device")

func (p *pusher) Push(_ context.Context, dir string, _ worker.SegmentID, uuid string) (json.RawMessage, int64, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.hits++
	if p.fail > 0 {
		p.fail--
		return nil, 0, errDiskFull
	}
	to := filepath.Join(p.root, uuid)
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		return nil, 0, err
	}
	spec, err := json.Marshal(to)
	return spec, 1, err
}

func (p *pusher) Delete(_ context.Context, loadSpec json.RawMessage) error {
	var path string
	if err := json.Unmarshal(loadSpec, &path); err != nil {
		return err
	}
	return os.RemoveAll(path)
}
