package tasklogs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// Config says where a Store keeps logs, and for how long.
type Config struct {
	// LiveDir is this process's own folder for the logs of running tasks; Dir holds those of ended ones. Required.
	LiveDir, Dir string
	// Node names this process to the others, as /workers names its worker. Required.
	Node string
	// NATS reaches the other stores. Required.
	NATS *nats.Conn
	// Collect fetches a copy of every log that another process hands over.
	Collect bool
	// Retain is how long a log is kept after its last line; 0 is for ever.
	Retain time.Duration
	// FirstClean and CleanEvery say when old logs are deleted. Required with Retain.
	FirstClean, CleanEvery time.Duration
	// RetryEvery is how long after it could not be fetched a log is fetched again. Default: 5 s.
	RetryEvery time.Duration
	// Logger defaults to slog.Default().
	Logger *slog.Logger
	// Now is the clock of the retention. Default: time.Now.
	Now func() time.Time
}

// Part is a part of a log: Data begins at Start, and the whole has Size bytes now. It is an alias of a plain struct, as
// the HTTP API's is.
type Part = struct {
	Start int64
	Size  int64
	Data  []byte
}

// partMost is the most bytes of a Part: it has to fit into a message, in base64.
const partMost = 256 << 10

// Store keeps the logs of one process. It is safe for concurrent use.
type Store struct {
	cfg    Config
	offers chan offer
	// left are the logs of an earlier process, which Run hands over.
	left []string
}

// Open makes the folders and looks for what an earlier process left. Run does the rest.
func Open(cfg Config) (*Store, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.RetryEvery <= 0 {
		cfg.RetryEvery = 5 * time.Second
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	for _, dir := range []string{cfg.LiveDir, cfg.Dir} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, fmt.Errorf("make the folder of task logs: %w", err)
		}
	}
	s := &Store{cfg: cfg, offers: make(chan offer, offersWaiting)}
	entries, err := os.ReadDir(cfg.LiveDir)
	if err != nil {
		return nil, fmt.Errorf("look for task logs that were left behind: %w", err)
	}
	for _, e := range entries {
		s.left = append(s.left, e.Name())
	}
	return s, nil
}

// Create opens the log of a task that is about to run here. The caller closes it and then calls Keep.
func (s *Store) Create(taskID string) (io.WriteCloser, error) {
	f, err := os.OpenFile(filepath.Join(s.cfg.LiveDir, fileName(taskID)), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("open the log of task %s: %w", taskID, err)
	}
	return f, nil
}

// Keep moves the log of a task that has ended into the log folder, and tells the other processes.
func (s *Store) Keep(taskID string) error {
	name := fileName(taskID)
	size, err := s.move(name)
	if err != nil {
		return fmt.Errorf("keep the log of task %s: %w", taskID, err)
	}
	s.offer(name, size)
	return nil
}

// move puts a live log into the log folder in one rename, whatever device that is on.
func (s *Store) move(name string) (size int64, err error) {
	from, to := filepath.Join(s.cfg.LiveDir, name), filepath.Join(s.cfg.Dir, name)
	st, err := os.Stat(from)
	if err != nil {
		return 0, err
	}
	if os.Rename(from, to) == nil {
		return st.Size(), nil
	}
	f, err := os.Open(from)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	if err := s.write(name, f); err != nil {
		return 0, err
	}
	return st.Size(), os.Remove(from)
}

// partial marks a file that is being written.
const partial = ".partial"

// write makes a log of what r gives; it appears whole or not at all.
func (s *Store) write(name string, r io.Reader) error {
	tmp, err := os.CreateTemp(s.cfg.Dir, name+".*"+partial)
	if err != nil {
		return err
	}
	defer os.Remove(tmp.Name()) // it is not there any more where all went well
	if _, err := io.Copy(tmp, r); err != nil {
		return errors.Join(err, tmp.Close())
	}
	if err := errors.Join(tmp.Chmod(0o644), tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), filepath.Join(s.cfg.Dir, name))
}

// readOwn reads a log that this process has, running or ended.
func (s *Store) readOwn(name string, offset int64) (Part, bool, error) {
	f, err := os.Open(filepath.Join(s.cfg.LiveDir, name))
	if errors.Is(err, fs.ErrNotExist) {
		f, err = os.Open(filepath.Join(s.cfg.Dir, name))
	}
	if errors.Is(err, fs.ErrNotExist) {
		return Part{}, false, nil
	}
	if err != nil {
		return Part{}, false, fmt.Errorf("read a task's log: %w", err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return Part{}, false, fmt.Errorf("read a task's log: %w", err)
	}
	p := Part{Size: st.Size()}
	if p.Start = offset; offset < 0 {
		p.Start = max(p.Size+offset, 0)
	}
	p.Start = min(p.Start, p.Size)
	p.Data = make([]byte, min(p.Size-p.Start, partMost))
	n, err := f.ReadAt(p.Data, p.Start)
	if err != nil && !errors.Is(err, io.EOF) {
		return Part{}, false, fmt.Errorf("read a task's log: %w", err)
	}
	p.Data = p.Data[:n]
	return p, true, nil
}

// adopt hands over what a process that was killed left behind.
func (s *Store) adopt() {
	for _, name := range s.left {
		size, err := s.move(name)
		if err != nil {
			s.cfg.Logger.Warn("a task's log was left behind and cannot be kept", "file", name, "error", err)
			continue
		}
		s.offer(name, size)
	}
}

// clean deletes logs that are older than the retention, and copies that were never finished.
func (s *Store) clean() {
	entries, err := os.ReadDir(s.cfg.Dir)
	if err != nil {
		s.cfg.Logger.Warn("look for old task logs", "error", err)
		return
	}
	deleted := 0
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue // it is gone, or not ours
		}
		age := s.cfg.Now().Sub(info.ModTime())
		old := strings.HasSuffix(e.Name(), suffix) && age > s.cfg.Retain
		if !old && (!strings.HasSuffix(e.Name(), partial) || age < partialPatience) {
			continue
		}
		if err := os.Remove(filepath.Join(s.cfg.Dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			s.cfg.Logger.Warn("delete an old task log", "file", e.Name(), "error", err)
			continue
		}
		deleted++
	}
	if deleted > 0 {
		s.cfg.Logger.Info("deleted old task logs", "files", deleted, "olderThan", s.cfg.Retain)
	}
}

// partialPatience is when a copy that was not finished is taken for one that never will be.
const partialPatience = 24 * time.Hour

// cleanLoop deletes old logs until ctx ends.
func (s *Store) cleanLoop(ctx context.Context) {
	if s.cfg.Retain <= 0 {
		return
	}
	t := time.NewTimer(s.cfg.FirstClean)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
		}
		s.clean()
		t.Reset(s.cfg.CleanEvery)
	}
}
