package eventstore

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const checkpointLayout = 1

// maxProblems bounds what a DamagedError lists.
const maxProblems = 10

// checkpoint is what we know the log to have held, kept where JetStream cannot
// lose it together with the log: a server that dropped the tail of its store
// starts without a word and gives the same sequences out again.
type checkpoint struct {
	Stream   string    `json:"stream"`
	Created  time.Time `json:"created"`
	Sequence uint64    `json:"sequence"`
	Hash     string    `json:"hash"`
	// Suspect says that VerifyRest found damage: the next start looks at all that
	// it looked at before it lets anybody append.
	Suspect bool `json:"suspect,omitempty"`
}

// guard owns the checkpoint file and the goroutine that writes it, off the
// append path.
type guard struct {
	path  string
	every time.Duration
	store *Store

	mu   sync.Mutex
	seen checkpoint // guarded by mu

	opened walk // what Open looked at; VerifyRest goes by it

	written checkpoint // of the writing goroutine, and of stop after it has ended
	writes  bool
	quit    chan struct{}
	ended   chan struct{}
}

// openGuard examines the log. What it finds wrong spoils the store; an error
// means that it could not look.
func (s *Store) openGuard(ctx context.Context) (*guard, error) {
	g := &guard{
		path: s.cfg.CheckpointFile, every: s.cfg.CheckpointEvery, store: s,
		quit: make(chan struct{}), ended: make(chan struct{}),
	}
	f := findings{stream: s.cfg.Stream}
	st, err := s.State(ctx)
	if err != nil {
		return nil, err
	}
	f.state(st)
	cp, found, err := g.load()
	if err != nil {
		f.add(0, "checkpoint %s cannot be read: %v", g.path, err)
	}
	if found {
		if err := s.checkCheckpoint(ctx, cp, st, &f); err != nil {
			return nil, err
		}
	} else if g.path != "" && err == nil && st.Events > 0 {
		s.cfg.Logger.Warn("no checkpoint beside a log that holds events: its completeness is not known",
			"checkpoint", g.path, "last", st.Last)
	}
	if f.empty() && st.Last > 0 {
		newest := min(s.cfg.VerifyAtOpen, s.cfg.VerifyEvents)
		if cp.Suspect {
			newest = s.cfg.VerifyEvents
		}
		from := firstOf(newest, st.Last)
		if found {
			from = min(from, cp.Sequence+1)
		}
		if g.opened, err = s.checkTail(ctx, from, st.Last, &f); err != nil {
			return nil, err
		}
	}
	g.written = cp
	g.seen.Stream, g.seen.Created = s.cfg.Stream, s.stream.CachedInfo().Created
	if d := f.damage(); d != nil {
		s.spoil(d)
		return g, nil
	}
	return g, g.adopt(ctx, st)
}

// firstOf is where the newest n events up to last begin.
func firstOf(n int, last uint64) uint64 {
	if n := uint64(max(n, 0)); last > n {
		return last - n + 1
	}
	return 1
}

// adopt makes the present end of a sound log the first thing seen.
func (g *guard) adopt(ctx context.Context, st State) error {
	if st.Last == 0 {
		return nil
	}
	e, err := g.store.at(ctx, st.Last)
	if err != nil {
		return err
	}
	g.saw(e.Sequence, e.Hash)
	return nil
}

func (s *Store) checkCheckpoint(ctx context.Context, cp checkpoint, st State, f *findings) error {
	created := s.stream.CachedInfo().Created
	switch {
	case cp.Stream != s.cfg.Stream:
		f.add(0, "the checkpoint is that of stream %s", cp.Stream)
	case cp.Sequence == 0:
	case !cp.Created.Equal(created):
		f.add(0, "the stream was made anew at %s, the checkpoint knows the one of %s",
			created.Format(time.RFC3339), cp.Created.Format(time.RFC3339))
	case st.Last < cp.Sequence:
		f.add(st.Last, "its last event is %d, the checkpoint knows %d", st.Last, cp.Sequence)
	default:
		e, err := s.at(ctx, cp.Sequence)
		var damaged *DamagedError
		switch {
		case errors.Is(err, jetstream.ErrMsgNotFound):
			f.add(cp.Sequence, "event %d of the checkpoint is gone", cp.Sequence)
		case errors.As(err, &damaged):
			f.add(cp.Sequence, "%s", damaged.Problems[0])
		case err != nil:
			return err
		case e.Hash != cp.Hash:
			f.add(cp.Sequence, "event %d is not the one the checkpoint knows", cp.Sequence)
		}
	}
	return nil
}

// checkTail holds the events up to the last against their hashes, and the very
// last against having lost the rest of its batch.
//
// A flipped bit amid a block is not seen by the server at its start, and costs
// the rest of the block once it is: so more is walked than is new, and what
// shares the block that new events will be written to before they are.
func (s *Store) checkTail(ctx context.Context, from, last uint64, f *findings) (walk, error) {
	w := walk{store: s, prev: map[string]string{}, firsts: map[string]link{}, partial: from > 1, found: f, next: from, from: from}
	m, err := s.stream.GetMsg(ctx, last)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		f.add(last, "event %d, the last, cannot be read", last)
		return w, nil
	}
	if err != nil {
		return w, s.unavailable("read the log", err)
	}
	if batchOpen(m.Header) {
		f.add(last, "event %d, the last, is of a batch that is not whole", last)
	}
	if from > last {
		return w, nil
	}
	return w, w.run(ctx, reading{from: from, last: last})
}

func (g *guard) load() (cp checkpoint, found bool, err error) {
	if g.path == "" {
		return cp, false, nil
	}
	if _, err := os.Stat(g.path); errors.Is(err, os.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(g.path), 0o750); err != nil {
			return cp, false, err
		}
		return cp, false, nil
	}
	snap, ok := ReadSnapshotFile(g.path, checkpointLayout)
	if !ok {
		return cp, false, errors.New("its content is not a checkpoint")
	}
	if err := json.Unmarshal(snap.Data, &cp); err != nil {
		return cp, false, err
	}
	return cp, true, nil
}

// saw notes an event known to be stored.
func (g *guard) saw(seq uint64, hash string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if seq > g.seen.Sequence {
		g.seen.Sequence, g.seen.Hash = seq, hash
	}
}

// suspect has the next start look before it appends.
func (g *guard) suspect() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen.Suspect = true
}

func (g *guard) start(writes bool) {
	g.writes = writes && g.path != ""
	if !g.writes {
		close(g.ended)
		return
	}
	go g.run()
}

func (g *guard) run() {
	defer close(g.ended)
	tick := time.NewTicker(g.every)
	defer tick.Stop()
	for {
		select {
		case <-g.quit:
			return
		case <-tick.C:
			if err := g.write(); err != nil {
				g.store.cfg.Logger.Error("checkpoint of the log not written", "error", err)
			}
		}
	}
}

func (g *guard) stop() error {
	close(g.quit)
	<-g.ended
	if !g.writes {
		return nil
	}
	return g.write()
}

// write is called by the goroutine, and by stop once that has ended.
func (g *guard) write() error {
	g.mu.Lock()
	cp := g.seen
	g.mu.Unlock()
	if cp == g.written || cp.Sequence == 0 {
		return nil
	}
	data, err := json.Marshal(cp)
	if err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	if err := WriteSnapshotFile(g.path, Snapshot{Layout: checkpointLayout, Sequence: cp.Sequence, Data: data}); err != nil {
		return fmt.Errorf("write checkpoint: %w", err)
	}
	g.written = cp
	return nil
}

// batchOpen says that more of the event's batch must follow it.
func batchOpen(h nats.Header) bool {
	return header(h, "Nats-Batch-Id") != "" && header(h, "Nats-Batch-Commit") == ""
}

// findings collects problems.
type findings struct {
	stream   string
	sequence uint64
	problems []string
}

func (f *findings) add(seq uint64, format string, a ...any) {
	if len(f.problems) == 0 {
		f.sequence = seq
	}
	if len(f.problems) < maxProblems {
		f.problems = append(f.problems, fmt.Sprintf(format, a...))
	}
}

func (f *findings) empty() bool { return len(f.problems) == 0 }

func (f *findings) damage() *DamagedError {
	if f.empty() {
		return nil
	}
	return &DamagedError{Stream: f.stream, Sequence: f.sequence, Problems: f.problems}
}

func (f *findings) state(st State) {
	switch {
	case st.First > 1:
		f.add(st.First, "its first event is %d, not 1", st.First)
	case st.Events == 0 && st.Last > 0:
		f.add(st.Last, "it is empty, and once held %d events", st.Last)
	}
	if st.Deleted > 0 {
		f.add(0, "%d events between %d and %d are gone", st.Deleted, st.First, st.Last)
	}
	if st.Lost > 0 {
		f.add(0, "the server lost %d events at its start", st.Lost)
	}
}
