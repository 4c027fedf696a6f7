package segment

import (
	"encoding/binary"
	"errors"
)

// singleIDs writes one id per row, compressed.
type singleIDs struct{ *intStream }

func (s singleIDs) appendMulti(_ int64, ids []uint32) error { return s.append(ids) }

func (s singleIDs) writeTo(w *smooshWriter) error { return s.intStream.writeTo(w, true) }

// multiIDs writes lists of ids as version 3: row offsets, then all ids.
type multiIDs struct {
	offsets, values *intStream
	end             uint32
	one             [1]uint32
}

func newMultiIDs(w *Writer, width int) *multiIDs {
	c := w.spec.DimensionCompression
	return &multiIDs{
		offsets: newIntStream(w.pool, c, 4, w.spoolPath(0)),
		values:  newIntStream(w.pool, c, width, w.spoolPath(1)),
	}
}

func (m *multiIDs) append(ids []uint32) error {
	for i := range ids {
		if err := m.appendMulti(0, ids[i:i+1]); err != nil {
			return err
		}
	}
	return nil
}

func (m *multiIDs) appendMulti(_ int64, ids []uint32) error {
	if err := m.mark(); err != nil {
		return err
	}
	if int64(m.end)+int64(len(ids)) > maxChunk {
		return &UnsupportedError{Feature: "writing 2^31 values"}
	}
	m.end += uint32(len(ids))
	return m.values.append(ids)
}

// mark adds the offset at which the next row begins, or the last one ends.
func (m *multiIDs) mark() error {
	m.one[0] = m.end
	return m.offsets.append(m.one[:])
}

func (m *multiIDs) finish() error {
	if err := m.mark(); err != nil {
		return err
	}
	return errors.Join(m.offsets.finish(), m.values.finish())
}

func (m *multiIDs) writeTo(w *smooshWriter) error {
	if err := w.u8(3); err != nil {
		return err
	}
	if err := m.offsets.writeTo(w, false); err != nil {
		return err
	}
	return m.values.writeTo(w, true)
}

func (m *multiIDs) close() error { return errors.Join(m.offsets.close(), m.values.close()) }

// plainIDs writes ids without compression, big-endian.
type plainIDs struct {
	width        int
	multi        bool
	rows         int64
	ends, values spool
	bytes        int64
	buf          []byte
}

func newPlainIDs(w *Writer, width int, multi bool) *plainIDs {
	return &plainIDs{width: width, multi: multi, ends: spool{path: w.spoolPath(0)}, values: spool{path: w.spoolPath(1)}}
}

func (p *plainIDs) append(ids []uint32) error {
	p.rows += int64(len(ids))
	return p.put(ids)
}

func (p *plainIDs) put(ids []uint32) error {
	p.buf = p.buf[:0]
	for _, id := range ids {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], id)
		p.buf = append(p.buf, b[4-p.width:]...)
	}
	p.bytes += int64(len(p.buf))
	if p.bytes+4*p.rows > maxChunk-64 {
		return &UnsupportedError{Feature: "writing a part of 2 GiB and more"}
	}
	return p.values.write(p.buf)
}

func (p *plainIDs) appendMulti(_ int64, ids []uint32) error {
	p.rows++
	if err := p.put(ids); err != nil {
		return err
	}
	return p.ends.write(binary.BigEndian.AppendUint32(p.buf[:0], uint32(p.bytes)))
}

func (p *plainIDs) finish() error { return nil }

func (p *plainIDs) writeTo(w *smooshWriter) error {
	padding := make([]byte, 4-p.width)
	var head []byte
	if p.multi {
		head = append(head, 1, byte(p.width))
		head = binary.BigEndian.AppendUint32(head, uint32(4+4*p.rows+p.bytes+int64(len(padding))))
		head = binary.BigEndian.AppendUint32(head, uint32(p.rows))
	} else {
		head = append(head, 0, byte(p.width))
		head = binary.BigEndian.AppendUint32(head, uint32(p.bytes+int64(len(padding))))
	}
	if err := w.write(head); err != nil {
		return err
	}
	if err := p.ends.copyTo(w); err != nil {
		return err
	}
	if err := p.values.copyTo(w); err != nil {
		return err
	}
	return w.write(padding)
}

func (p *plainIDs) close() error { return errors.Join(p.ends.close(), p.values.close()) }
