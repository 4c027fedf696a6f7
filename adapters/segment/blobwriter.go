package segment

import (
	"encoding/binary"
	"errors"
)

// blobBlocks writes bytes that run on through blocks of 64 KiB, each
// compressed.
type blobBlocks struct {
	codec Codec
	comp  compressor
	raw   []byte
	out   []byte
	spool spool
	ends  []byte
}

func newBlobBlocks(c Codec, path string) *blobBlocks {
	if c == CodecNone {
		c = CodecUncompressed
	}
	return &blobBlocks{codec: c, raw: make([]byte, 0, maxBlock), spool: spool{path: path}}
}

func (b *blobBlocks) add(p []byte) error {
	for len(p) > 0 {
		if len(b.raw) == maxBlock {
			if err := b.flush(); err != nil {
				return err
			}
		}
		n := min(len(p), maxBlock-len(b.raw))
		b.raw, p = append(b.raw, p[:n]...), p[n:]
	}
	return nil
}

func (b *blobBlocks) flush() error {
	var err error
	if b.out, err = b.comp.compress(b.codec, b.out[:0], b.raw); err != nil {
		return err
	}
	b.raw = b.raw[:0]
	if b.spool.size+int64(len(b.out))+int64(len(b.ends)) > maxChunk-4096 {
		return &UnsupportedError{Feature: "writing 2 GiB and more of nested values"}
	}
	err = b.spool.write(b.out)
	b.ends = binary.LittleEndian.AppendUint32(b.ends, uint32(b.spool.size))
	return err
}

// writeTo ends the last block, writes all and closes the spool.
func (b *blobBlocks) writeTo(s *smooshWriter) error {
	if err := b.flush(); err != nil {
		return errors.Join(err, b.spool.close())
	}
	head := binary.BigEndian.AppendUint32([]byte{1, byte(b.codec)}, maxBlock)
	head = binary.BigEndian.AppendUint32(head, uint32(len(b.ends)/4))
	if err := errors.Join(s.write(head), s.write(b.ends)); err != nil {
		return errors.Join(err, b.spool.close())
	}
	return b.spool.copyTo(s)
}

func (b *blobBlocks) close() error { return b.spool.close() }
