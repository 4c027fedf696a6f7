package segment

import (
	"encoding/binary"
	"errors"
)

// blockStream writes a GenericIndexed of compressed blocks. Blocks are
// compressed on the pool, at most pool.depth() at a time, and kept in order.
type blockStream struct {
	pool  *pool
	codec Codec
	spool spool
	ends  []byte // the end of each block, big-endian, markers included
	at    int64

	queue []*blockJob // submitted, oldest first
	free  []*blockJob
}

// blockJob carries a block through the pool.
type blockJob struct {
	raw, out []byte
	err      error
	done     chan struct{}
	run      func(*scratch)
}

func newBlockStream(p *pool, c Codec, spoolPath string) *blockStream {
	return &blockStream{pool: p, codec: c, spool: spool{path: spoolPath}}
}

// next takes a filled block and returns an empty buffer of the same use.
func (b *blockStream) next(raw []byte) ([]byte, error) {
	var j *blockJob
	if n := len(b.free); n > 0 {
		j, b.free = b.free[n-1], b.free[:n-1]
	} else {
		j = &blockJob{done: make(chan struct{}, 1), out: make([]byte, 4, 1<<12)}
		j.run = func(s *scratch) { j.out, j.err = s.comp.compress(b.codec, j.out[:4], j.raw) }
	}
	empty := j.raw[:0]
	if cap(empty) == 0 {
		empty = make([]byte, 0, cap(raw))
	}
	j.raw = raw
	b.pool.submit(j.run, j.done)
	b.queue = append(b.queue, j)
	if len(b.queue) < b.pool.depth() {
		return empty, nil
	}
	return empty, b.take()
}

// take waits for the oldest block and appends it to the spool. The first four
// bytes of a job's output are the element's marker.
func (b *blockStream) take() error {
	j := b.queue[0]
	b.queue = append(b.queue[:0], b.queue[1:]...)
	<-j.done
	b.free = append(b.free, j)
	if j.err != nil {
		return j.err
	}
	b.at += int64(len(j.out))
	if b.at > maxChunk {
		return &UnsupportedError{Feature: "writing a part of 2 GiB and more"}
	}
	b.ends = binary.BigEndian.AppendUint32(b.ends, uint32(b.at))
	return b.spool.write(j.out)
}

// drain waits for all blocks.
func (b *blockStream) drain() error {
	var err error
	for len(b.queue) > 0 {
		err = errors.Join(err, b.take())
	}
	return err
}

// size is how many bytes writeTo writes; the stream must be drained.
func (b *blockStream) size() int64 { return 10 + int64(len(b.ends)) + b.at }

// writeTo writes the GenericIndexed and closes the stream.
func (b *blockStream) writeTo(w *smooshWriter) error {
	if err := writeIndexedHeader(w, 0, len(b.ends)/4, b.at); err != nil {
		return errors.Join(err, b.close())
	}
	if err := w.write(b.ends); err != nil {
		return errors.Join(err, b.close())
	}
	return b.spool.copyTo(w)
}

// close gives the stream up; blocks in flight are waited for.
func (b *blockStream) close() error {
	for _, j := range b.queue {
		<-j.done
	}
	b.queue = nil
	return b.spool.close()
}

// writeIndexedHeader writes what stands before the offsets of a version 1
// GenericIndexed; values is the length of its values area.
func writeIndexedHeader(w *smooshWriter, flag byte, count int, values int64) error {
	h := []byte{1, flag}
	size := 4 + 4*int64(count) + values
	if size > maxChunk-4096 {
		return &UnsupportedError{Column: w.name, Feature: "writing a part of 2 GiB and more"}
	}
	h = binary.BigEndian.AppendUint32(h, uint32(size))
	h = binary.BigEndian.AppendUint32(h, uint32(count))
	return w.write(h)
}

// byteWidth is the number of bytes per id for a largest value of m.
func byteWidth(m int) int {
	switch {
	case m <= 0xff:
		return 1
	case m <= 0xffff:
		return 2
	case m <= 0xffffff:
		return 3
	}
	return 4
}

// idsPerBlock is the number of ids of the width in a block: the largest power
// of two that fits, with room for a four-byte read at the last three-byte id.
func idsPerBlock(width int) int {
	if width == 3 {
		return maxBlock / 4
	}
	return maxBlock / width
}

// intStream writes compressed ids or row offsets of a fixed width.
type intStream struct {
	blocks *blockStream
	width  int
	per    int
	n      int64
	raw    []byte
}

func newIntStream(p *pool, c Codec, width int, spoolPath string) *intStream {
	per := idsPerBlock(width)
	return &intStream{
		blocks: newBlockStream(p, c, spoolPath), width: width, per: per,
		raw: make([]byte, 0, per*width+1),
	}
}

// append adds values, little-endian.
func (s *intStream) append(vs []uint32) error {
	for len(vs) > 0 {
		k := min(len(vs), s.per-len(s.raw)/s.width)
		s.raw = appendInts(s.raw, vs[:k], s.width)
		s.n += int64(k)
		vs = vs[k:]
		if len(s.raw) == s.per*s.width {
			var err error
			if s.raw, err = s.blocks.next(s.raw); err != nil {
				return err
			}
		}
	}
	return nil
}

func appendInts(dst []byte, vs []uint32, width int) []byte {
	at := len(dst)
	dst = dst[:at+len(vs)*width]
	out := dst[at:]
	switch width {
	case 1:
		for i, v := range vs {
			out[i] = byte(v)
		}
	case 2:
		for i, v := range vs {
			binary.LittleEndian.PutUint16(out[2*i:], uint16(v))
		}
	case 3:
		for i, v := range vs {
			o := out[3*i : 3*i+3]
			o[0], o[1], o[2] = byte(v), byte(v>>8), byte(v>>16)
		}
	default:
		for i, v := range vs {
			binary.LittleEndian.PutUint32(out[4*i:], v)
		}
	}
	return dst
}

func (s *intStream) finish() error {
	if len(s.raw) > 0 {
		if _, err := s.blocks.next(s.raw); err != nil {
			return err
		}
		s.raw = nil
	}
	return s.blocks.drain()
}

// writeTo writes the list; withWidth tells compressed VSize ints from
// compressed ints.
func (s *intStream) writeTo(w *smooshWriter, withWidth bool) error {
	if s.n > maxChunk {
		return &UnsupportedError{Column: w.name, Feature: "writing 2^31 values"}
	}
	h := []byte{2}
	if withWidth {
		h = append(h, byte(s.width))
	}
	h = binary.BigEndian.AppendUint32(h, uint32(s.n))
	h = binary.BigEndian.AppendUint32(h, uint32(s.per))
	if err := w.write(append(h, byte(s.blocks.codec))); err != nil {
		return err
	}
	return s.blocks.writeTo(w)
}

func (s *intStream) close() error { return s.blocks.close() }
