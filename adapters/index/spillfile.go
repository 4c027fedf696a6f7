package index

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// spillFile is the one file that all spills of a Builder go to, one after the other. It has no name: its space is free
// again when the process ends, however it ends. What is where is known to the spillParts only, so the file needs no
// format: numbers stand in the machine's byte order, narrowed to the bytes that a part's range needs.
type spillFile struct {
	f    *os.File
	size int64
	buf  []byte
	// mapped is the file as Finish sees it, for the dictionaries, whose values are read in any order.
	mapped []byte
}

const spillBuffer = 256 << 10

func newSpillFile(dir string) (*spillFile, error) {
	f, err := os.CreateTemp(dir, "spill-*.tmp")
	if err != nil {
		return nil, fmt.Errorf("create spill file: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, errors.Join(fmt.Errorf("unlink spill file: %w", err), f.Close())
	}
	return &spillFile{f: f}, nil
}

// offset is where the next byte goes.
func (s *spillFile) offset() int64 { return s.size + int64(len(s.buf)) }

func (s *spillFile) write(p []byte) error {
	if s.buf == nil {
		s.buf = make([]byte, 0, spillBuffer)
	}
	for len(p) > 0 {
		n := copy(s.buf[len(s.buf):cap(s.buf)], p)
		s.buf = s.buf[:len(s.buf)+n]
		p = p[n:]
		if len(s.buf) == cap(s.buf) {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *spillFile) flush() error {
	if _, err := s.f.WriteAt(s.buf, s.size); err != nil {
		return fmt.Errorf("write spill: %w", err)
	}
	s.size += int64(len(s.buf))
	s.buf = s.buf[:0]
	return nil
}

// align pads to a multiple of eight, so that what is mapped can be seen as numbers.
func (s *spillFile) align() error {
	var zero [8]byte
	return s.write(zero[:-s.offset()&7])
}

func (s *spillFile) read(p []byte, at int64) error {
	if _, err := s.f.ReadAt(p, at); err != nil {
		return fmt.Errorf("read spill: %w", err)
	}
	return nil
}

// mapAll maps the file for reading, up to its present end.
func (s *spillFile) mapAll() error {
	if s.mapped != nil || s.size == 0 {
		return nil
	}
	b, err := unix.Mmap(int(s.f.Fd()), 0, int(s.size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("map spill: %w", err)
	}
	s.mapped = b
	return nil
}

// forget has the mapped pages no longer count as this process's memory. They stay where the system has room for them, and
// come back when they are read again.
func (s *spillFile) forget() {
	if s.mapped != nil {
		_ = unix.Madvise(s.mapped, unix.MADV_DONTNEED) // it is an advice
	}
}

func (s *spillFile) close() error {
	var err error
	if s.mapped != nil {
		err = unix.Munmap(s.mapped)
		s.mapped = nil
	}
	return errors.Join(err, s.f.Close())
}

// uint32Bytes sees numbers as the bytes they are made of.
func uint32Bytes(v []uint32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(v))), 4*len(v))
}

// bytesUint32 sees aligned bytes as numbers.
func bytesUint32(b []byte) []uint32 {
	return unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/4)
}
