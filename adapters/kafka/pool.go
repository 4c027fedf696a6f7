package kafka

import (
	"sync"

	"github.com/twmb/franz-go/pkg/kgo"
)

// poolKept is how many slices of a kind a pool keeps: about as many as there are batches in one poll of large ones. More
// are left to the garbage collector.
const poolKept = 16

// pool lends the client the memory that a poll's records and decompressed batches live in; the consumer gives it back
// with the next poll. It is safe for concurrent use.
type pool struct {
	mu      sync.Mutex // guards both
	bytes   [][]byte
	records [][]kgo.Record
}

var (
	_ kgo.PoolDecompressBytes = (*pool)(nil)
	_ kgo.PoolRecords         = (*pool)(nil)
)

func newPool() *pool { return &pool{} }

// GetDecompressBytes lends the newest slice whatever its size: the client grows it and gives the grown one back.
func (p *pool) GetDecompressBytes(compressed []byte, _ kgo.CompressionCodecType) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.bytes); n > 0 {
		b := p.bytes[n-1]
		p.bytes = p.bytes[:n-1]
		return b
	}
	return make([]byte, 0, 4*len(compressed))
}

// PutDecompressBytes takes a slice back.
func (p *pool) PutDecompressBytes(b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.bytes) < poolKept {
		p.bytes = append(p.bytes, b)
	}
}

// GetRecords lends a slice of at least this capacity.
func (p *pool) GetRecords(n int) []kgo.Record {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := len(p.records) - 1; i >= 0; i-- {
		if r := p.records[i]; cap(r) >= n {
			last := len(p.records) - 1
			p.records[i] = p.records[last]
			p.records = p.records[:last]
			return r[:0]
		}
	}
	return make([]kgo.Record, 0, n)
}

// PutRecords takes a slice back.
func (p *pool) PutRecords(r []kgo.Record) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.records) < poolKept {
		p.records = append(p.records, r[:0])
		return
	}
	p.records[0] = r[:0] // the batches have grown: let the pool follow
}
