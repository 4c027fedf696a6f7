package segment

import (
	"encoding/binary"
	"errors"
)

// FrontCoding describes dictionaries whose values leave out what they share
// with others of their bucket.
type FrontCoding struct {
	// BucketSize is the number of values in a bucket, a power of two from 1 to
	// 128; 0 means plain dictionaries.
	BucketSize int
	// FormatVersion is 0, where the first value of a bucket is the one shared
	// with, or 1, where it is the value before.
	FormatVersion int
}

// The front coding of a spec that names no more.
const (
	defaultBucketSize   = 4
	defaultFrontVersion = 0
)

func (f FrontCoding) valid() bool {
	b := f.BucketSize
	return b == 0 || b >= 1 && b <= 128 && b&(b-1) == 0 && (f.FormatVersion == 0 || f.FormatVersion == 1)
}

// appendVByte appends a number, seven bits a byte, the last with its top bit
// set.
func appendVByte(dst []byte, n int) []byte {
	for ; n > 0x7f; n >>= 7 {
		dst = append(dst, byte(n&0x7f))
	}
	return append(dst, byte(n)|0x80)
}

func sharedPrefix(a, b []byte) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}

// frontWriter writes a front-coded dictionary. Its buckets are spooled, since
// their sizes stand in front of them.
type frontWriter struct {
	f       FrontCoding
	spool   spool
	ends    []byte
	count   int
	hasNull bool
	base    []byte // what the next value shares with
	buf     []byte
}

func (w *frontWriter) add(v []byte, null bool) error {
	if null {
		w.hasNull = true
		return nil
	}
	b := w.buf[:0]
	if first := w.count%w.f.BucketSize == 0; first {
		if w.count > 0 {
			w.ends = binary.LittleEndian.AppendUint32(w.ends, uint32(w.spool.size))
		}
		b = append(appendVByte(b, len(v)), v...)
		w.base = append(w.base[:0], v...)
	} else {
		n := sharedPrefix(w.base, v)
		b = appendVByte(appendVByte(b, n), len(v)-n)
		b = append(b, v[n:]...)
		if w.f.FormatVersion == 1 {
			w.base = append(w.base[:0], v...)
		}
	}
	w.buf = b
	w.count++
	if w.spool.size+int64(len(b))+int64(len(w.ends)) > maxChunk-4096 {
		return &UnsupportedError{Feature: "writing a dictionary of 2 GiB and more"}
	}
	return w.spool.write(b)
}

// writeTo writes the dictionary and closes the spool.
func (w *frontWriter) writeTo(s *smooshWriter) error {
	head := []byte{dictionaryMarker, dictionaryFrontCoded, byte(w.f.FormatVersion), byte(w.f.BucketSize), 0}
	if w.hasNull {
		head[4] = 1
	}
	head = appendVByte(head, w.count)
	head = appendVByte(head, len(w.ends)+int(w.spool.size))
	if err := errors.Join(s.write(head), s.write(w.ends)); err != nil {
		return errors.Join(err, w.spool.close())
	}
	return w.spool.copyTo(s)
}
