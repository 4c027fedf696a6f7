package segment

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// spoolMemory is how much of a part is kept in memory before it goes to a
// temporary file: a part's header holds its size and its number of blocks, so
// the part cannot be written into the chunk before its end is known.
const spoolMemory = 1 << 20

// spool collects bytes that are copied out once, at the end.
type spool struct {
	path string // of the temporary file, made when it is needed
	buf  []byte
	file *os.File
	size int64
}

func (s *spool) write(p []byte) error {
	s.size += int64(len(p))
	if len(s.buf)+len(p) > spoolMemory {
		if err := s.flush(); err != nil {
			return err
		}
	}
	s.buf = append(s.buf, p...)
	return nil
}

func (s *spool) flush() error {
	if s.file == nil {
		f, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
		if err != nil {
			return fmt.Errorf("create temporary file of column: %w", err)
		}
		s.file = f
	}
	if _, err := s.file.Write(s.buf); err != nil {
		return fmt.Errorf("write temporary file of column: %w", err)
	}
	s.buf = s.buf[:0]
	return nil
}

// copyTo writes everything to w and closes the spool.
func (s *spool) copyTo(w *smooshWriter) error {
	if s.file != nil {
		if _, err := s.file.Seek(0, io.SeekStart); err != nil {
			return errors.Join(fmt.Errorf("rewind temporary file of column: %w", err), s.close())
		}
		if err := w.readFrom(s.file, s.size-int64(len(s.buf))); err != nil {
			return errors.Join(err, s.close())
		}
	}
	if err := w.write(s.buf); err != nil {
		return errors.Join(err, s.close())
	}
	return s.close()
}

// each gives everything to chunk, in pieces of a multiple of eight bytes where
// all writes were, then calls last and closes the spool.
func (s *spool) each(chunk func([]byte) error, last func() error) error {
	err := s.scan(chunk)
	if err == nil {
		err = last()
	}
	return errors.Join(err, s.close())
}

// scan is each for one of several times.
func (s *spool) scan(chunk func([]byte) error) error {
	if err := s.eachInFile(chunk); err != nil {
		return err
	}
	return chunk(s.buf)
}

func (s *spool) eachInFile(chunk func([]byte) error) error {
	if s.file == nil {
		return nil
	}
	buf := make([]byte, 1<<16)
	for at, end := int64(0), s.size-int64(len(s.buf)); at < end; {
		n := min(int64(len(buf)), end-at)
		if _, err := s.file.ReadAt(buf[:n], at); err != nil {
			return fmt.Errorf("read temporary file of column: %w", err)
		}
		if err := chunk(buf[:n]); err != nil {
			return err
		}
		at += n
	}
	return nil
}

// close removes the temporary file. It may be called again.
func (s *spool) close() error {
	s.buf = nil
	if s.file == nil {
		return nil
	}
	f := s.file
	s.file = nil
	if err := errors.Join(f.Close(), os.Remove(s.path)); err != nil {
		return fmt.Errorf("remove temporary file of column: %w", err)
	}
	return nil
}
