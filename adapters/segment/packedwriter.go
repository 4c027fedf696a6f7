package segment

import (
	"encoding/binary"
	"math"
	"math/bits"
)

// maxTable is the most different values that are stored as a table.
const maxTable = 256

// longStats collects, while the values of a column of longs pass, what the
// choice of their encoding needs.
type longStats struct {
	low, high int64
	table     []int64 // in order of first appearance; not complete beyond maxTable
	at        map[int64]int
	last      int64 // most values repeat the one before
}

func newLongStats() *longStats {
	return &longStats{low: math.MaxInt64, high: math.MinInt64, at: map[int64]int{}}
}

func (s *longStats) add(v int64) {
	if len(s.table) > 0 && v == s.last {
		return
	}
	s.last = v
	s.low, s.high = min(s.low, v), max(s.high, v)
	if len(s.table) > maxTable {
		return
	}
	if _, ok := s.at[v]; !ok {
		s.at[v] = len(s.table)
		s.table = append(s.table, v)
	}
}

// packing is a chosen encoding: a table, or, if that is nil, deltas to base.
type packing struct {
	table map[int64]int
	list  []int64
	base  int64
	bits  int
}

// choose picks as Druid does; nil means plain longs.
func (s *longStats) choose() *packing {
	if len(s.table) == 0 {
		return nil
	}
	if len(s.table) <= maxTable {
		return &packing{table: s.at, list: s.table, bits: packedBits(bits.Len(uint(len(s.table) - 1)))}
	}
	delta := s.high - s.low
	if delta < 0 || delta == math.MaxInt64 {
		return nil
	}
	return &packing{base: s.low, bits: packedBits(bits.Len64(uint64(delta)))}
}

// header is what stands behind the codec byte.
func (p *packing) header() []byte {
	if p.table == nil {
		h := binary.BigEndian.AppendUint64([]byte{encodingDelta, 1}, uint64(p.base))
		return binary.BigEndian.AppendUint32(h, uint32(p.bits))
	}
	h := binary.BigEndian.AppendUint32([]byte{encodingTable, 1}, uint32(len(p.list)))
	for _, v := range p.list {
		h = binary.BigEndian.AppendUint64(h, uint64(v))
	}
	return h
}

// perBlock is the number of values in a block.
func (p *packing) perBlock() int {
	per := 1
	for (p.bits*2*per+7)/8+packedTail <= maxBlock {
		per *= 2
	}
	return per
}

// code gives what is packed for a value.
func (p *packing) code(v int64) uint64 {
	if p.table == nil {
		return uint64(v - p.base)
	}
	return uint64(p.table[v])
}

// packer packs values, most significant bit first.
type packer struct {
	out  []byte
	open uint // bits used of the last byte, 0 when it is full
}

func (p *packer) add(v uint64, width int) {
	for width > 0 {
		if p.open == 0 {
			p.out = append(p.out, 0)
		}
		n := min(width, 8-int(p.open))
		width -= n
		part := byte(v>>width) & (1<<n - 1)
		p.out[len(p.out)-1] |= part << (8 - int(p.open) - n)
		p.open = (p.open + uint(n)) & 7
	}
}

// end closes a block and gives it; the packer goes on with buf.
func (p *packer) end(buf []byte) []byte {
	block := append(p.out, 0, 0, 0, 0)
	p.out, p.open = buf, 0
	return block
}

// packedStream packs the values of a column into blocks; without a codec they
// are one run, with one padding at its end.
type packedStream struct {
	p      *packing
	per, n int
	codec  Codec
	out    packer
	blocks *blockStream
}

// add packs plain little-endian values.
func (s *packedStream) add(b []byte) error {
	for ; len(b) > 0; b = b[8:] {
		s.out.add(s.p.code(int64(binary.LittleEndian.Uint64(b))), s.p.bits)
		if s.n++; s.n < s.per {
			continue
		}
		s.n = 0
		if s.codec != CodecNone {
			if err := s.endBlock(); err != nil {
				return err
			}
		} else if err := s.run(); err != nil {
			return err
		}
	}
	return nil
}

func (s *packedStream) endBlock() error {
	empty, err := s.blocks.next(s.out.end(nil))
	s.out.out = empty
	return err
}

// run passes on what is packed of a run. A block of values fills whole bytes.
func (s *packedStream) run() error {
	s.blocks.at += int64(len(s.out.out))
	err := s.blocks.spool.write(s.out.out)
	s.out.out = s.out.out[:0]
	return err
}

func (s *packedStream) finish() error {
	switch {
	case s.codec == CodecNone:
		s.out.out = s.out.end(nil)
		return s.run()
	case s.n > 0:
		return s.endBlock()
	}
	return nil
}
