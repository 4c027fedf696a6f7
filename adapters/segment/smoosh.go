package segment

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// maxChunk is the size limit of a chunk file, and with it of a column.
const maxChunk = 1<<31 - 1

// smooshEntry is one internal file: a byte range of a chunk.
type smooshEntry struct {
	name       string
	chunk      int
	start, end int64
}

// smooshWriter writes internal files, one after the other, into chunk files.
type smooshWriter struct {
	dir     string
	limit   int64 // of a chunk; maxChunk but in tests
	entries []smooshEntry
	chunks  []string

	file  *os.File
	buf   *bufio.Writer
	pos   int64 // in the current chunk
	name  string
	start int64
}

func newSmooshWriter(dir string) *smooshWriter {
	return &smooshWriter{dir: dir, limit: maxChunk, buf: bufio.NewWriterSize(nil, 1<<18)}
}

func (s *smooshWriter) nextChunk() error {
	name := fmt.Sprintf("%05d.smoosh", len(s.chunks))
	f, err := os.OpenFile(filepath.Join(s.dir, name), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("create chunk: %w", err)
	}
	s.chunks = append(s.chunks, name)
	s.file, s.pos = f, 0
	s.buf.Reset(f)
	return nil
}

// begin starts an internal file.
func (s *smooshWriter) begin(name string) error {
	if s.file == nil {
		if err := s.nextChunk(); err != nil {
			return err
		}
	}
	s.name, s.start = name, s.pos
	return nil
}

// offset is the position inside of the internal file.
func (s *smooshWriter) offset() int64 { return s.pos - s.start }

func (s *smooshWriter) room(n int64) error {
	if s.offset()+n > s.limit {
		return &UnsupportedError{Column: s.name, Feature: "writing 2 GiB and more"}
	}
	return nil
}

func (s *smooshWriter) write(p []byte) error {
	if err := s.room(int64(len(p))); err != nil {
		return err
	}
	n, err := s.buf.Write(p)
	s.pos += int64(n)
	if err != nil {
		return fmt.Errorf("write chunk: %w", err)
	}
	return nil
}

// readFrom appends n bytes of r, which the kernel may copy by itself.
func (s *smooshWriter) readFrom(r *os.File, n int64) error {
	if err := s.room(n); err != nil {
		return err
	}
	if err := s.buf.Flush(); err != nil {
		return fmt.Errorf("write chunk: %w", err)
	}
	m, err := io.Copy(s.file, io.LimitReader(r, n))
	s.pos += m
	if err == nil && m != n {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return fmt.Errorf("copy into chunk: %w", err)
	}
	return nil
}

// patch overwrites bytes of the current internal file, from its offset at.
func (s *smooshWriter) patch(at int64, p []byte) error {
	if err := s.buf.Flush(); err != nil {
		return fmt.Errorf("write chunk: %w", err)
	}
	if _, err := s.file.WriteAt(p, s.start+at); err != nil {
		return fmt.Errorf("write chunk: %w", err)
	}
	return nil
}

func (s *smooshWriter) u8(v byte) error { return s.write([]byte{v}) }

func (s *smooshWriter) i32(v int64) error {
	if v < 0 || v > maxChunk {
		return &UnsupportedError{Column: s.name, Feature: "writing a part of 2 GiB and more"}
	}
	return s.write(binary.BigEndian.AppendUint32(nil, uint32(v)))
}

// end finishes the internal file. One that does not fit into the rest of its
// chunk moves into a new chunk, since an internal file lies within one.
func (s *smooshWriter) end() error {
	if err := s.buf.Flush(); err != nil {
		return fmt.Errorf("write chunk: %w", err)
	}
	if s.pos > s.limit && s.start > 0 {
		if err := s.move(); err != nil {
			return err
		}
	}
	// What is on its way to the disk while the next columns are made need not be waited for at the end.
	startWriteback(s.file, s.start, s.offset())
	s.entries = append(s.entries, smooshEntry{name: s.name, chunk: len(s.chunks) - 1, start: s.start, end: s.pos})
	return nil
}

func (s *smooshWriter) move() error {
	old, from, n := s.file, s.start, s.offset()
	if err := s.nextChunk(); err != nil {
		s.file = old
		return err
	}
	_, err := old.Seek(from, io.SeekStart)
	if err == nil {
		s.start = 0
		err = s.readFrom(old, n)
	}
	if err == nil {
		err = old.Truncate(from)
	}
	if err = errors.Join(err, old.Close()); err != nil {
		return fmt.Errorf("move %s to a new chunk: %w", s.name, err)
	}
	return nil
}

// finish ends the last chunk and returns the table of contents.
func (s *smooshWriter) finish() (string, error) {
	f := s.file
	s.file = nil
	if err := errors.Join(s.buf.Flush(), f.Close()); err != nil {
		return "", fmt.Errorf("finish chunk: %w", err)
	}
	slices.SortFunc(s.entries, func(a, b smooshEntry) int { return CompareUTF16([]byte(a.name), []byte(b.name)) })
	var t strings.Builder
	fmt.Fprintf(&t, "v1,%d,%d\n", maxChunk, len(s.chunks))
	for _, e := range s.entries {
		fmt.Fprintf(&t, "%s,%d,%d,%d\n", e.name, e.chunk, e.start, e.end)
	}
	return t.String(), nil
}

// abandon closes what is open, without caring for its contents.
func (s *smooshWriter) abandon() {
	if s.file != nil {
		_ = s.file.Close()
		s.file = nil
	}
}
