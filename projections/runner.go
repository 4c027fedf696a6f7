package projections

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ogham/domain/supervisor"
	"ogham/eventstore"
)

// Log is what a Runner reads. *eventstore.Store is one.
type Log interface {
	// Tail hands over the query's events in order and follows, until the context ends or fn fails.
	Tail(ctx context.Context, q eventstore.Query, fn func(eventstore.Event) error) error
	// State says what the log holds.
	State(ctx context.Context) (eventstore.State, error)
}

// Config says how a Runner works.
type Config struct {
	// Dir holds a file per projection; it is made where it is missing. Empty: no snapshots.
	Dir string
	// SnapshotEvery is the number of events between two snapshots, four times as many while Run catches up with the log.
	// Default: 5,000.
	SnapshotEvery int
	// KeepTasks is the number of ended tasks that are kept, the newest. Default: 10,000.
	KeepTasks int
	// Logger defaults to slog.Default().
	Logger *slog.Logger
}

const (
	defaultSnapshotEvery = 5_000
	// behindStretch is how much rarer snapshots are while many events are applied a second: each stops the folds for as
	// long as it takes to encode.
	behindStretch    = 4
	defaultKeepTasks = 10_000
)

// ErrStopped is returned by WaitFor once the runner has ended.
var ErrStopped = errors.New("the projections follow the log no more")

// fact is an event as the folds see it, decoded once for all of them. A fold must not change it, and copies what it
// changes later.
type fact struct {
	supervisorID string
	supervisor.Recorded
}

// projection is one fold. Its methods are called under the runner's lock: apply under the exclusive one.
type projection interface {
	// name is the snapshot file's.
	name() string
	// layout is the version of the snapshot's shape.
	layout() int
	apply(f fact)
	// dump returns what load reads. The value is marshalled at once, under the lock.
	dump() any
	// load replaces the state, or leaves it as it was and says why not.
	load(data json.RawMessage) error
	// clear forgets everything.
	clear()
}

// Runner owns the projections and the goroutines that keep them. It is safe for concurrent use; its queries answer from
// memory.
type Runner struct {
	cfg Config
	log Log // set by Run and ReadOn

	status  *statusFold
	history *historyFold
	errors  *errorsFold
	tasks   *tasksFold
	commits *commitsFold
	lag     *lagFold
	all     []projection

	mu sync.RWMutex
	// Guarded by mu, beside the projections themselves.
	cursors  map[string]uint64
	position uint64
	advanced chan struct{}
	ended    bool
	cause    error
}

// Open makes a runner, restored from the snapshots. A snapshot that is missing, damaged or of another layout is no
// error: its projection starts from the beginning of the log. It needs no log yet, so that a server can restore while its
// log is recovered; Run makes it follow one.
func Open(cfg Config) (*Runner, error) {
	if cfg.SnapshotEvery <= 0 {
		cfg.SnapshotEvery = defaultSnapshotEvery
	}
	if cfg.KeepTasks <= 0 {
		cfg.KeepTasks = defaultKeepTasks
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	r := &Runner{
		cfg:    cfg,
		status: newStatusFold(), history: newHistoryFold(), errors: newErrorsFold(),
		tasks: newTasksFold(cfg.KeepTasks), commits: newCommitsFold(), lag: newLagFold(),
		cursors: map[string]uint64{}, advanced: make(chan struct{}),
	}
	r.all = []projection{r.status, r.history, r.errors, r.tasks, r.commits, r.lag}
	if cfg.Dir == "" {
		return r, nil
	}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("open projections: %w", err)
	}
	for _, p := range r.all {
		r.restore(p)
	}
	return r, nil
}

func (r *Runner) restore(p projection) {
	s, ok := eventstore.ReadSnapshotFile(r.path(p), p.layout())
	if !ok {
		return
	}
	if err := p.load(s.Data); err != nil {
		r.cfg.Logger.Warn("a projection's snapshot cannot be read, it is rebuilt from the log", "projection", p.name(), "error", err)
		p.clear()
		return
	}
	r.cursors[p.name()] = s.Sequence
}

func (r *Runner) path(p projection) string { return filepath.Join(r.cfg.Dir, p.name()+".json") }

// Run follows the log until the context ends, which is no error, or the log cannot be read any further, which is. It
// writes the snapshots before it returns. Run or ReadOn is called once.
func (r *Runner) Run(ctx context.Context, log Log) error {
	r.log = log
	err := r.follow(ctx)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		err = nil
	}
	r.finish(err)
	r.snapshot()
	return err
}

// ReadOn is Run over a damaged log: the snapshots may know more than it still holds. They are shown and left as they are,
// and where the log cannot be read any further the runner stays with what it has, until the context ends.
func (r *Runner) ReadOn(ctx context.Context, log Log) error {
	r.log = log
	r.mu.Lock()
	r.position = r.smallestCursor()
	from := r.position + 1
	close(r.advanced)
	r.advanced = make(chan struct{})
	r.mu.Unlock()
	if err := r.log.Tail(ctx, eventstore.Query{FromSeq: from}, r.take); err != nil && ctx.Err() == nil {
		r.cfg.Logger.Error("the log cannot be read any further, what is shown ends there", "sequence", r.Position(), "error", err)
	}
	<-ctx.Done()
	r.finish(nil)
	return nil
}

func (r *Runner) follow(ctx context.Context) error {
	end, err := r.forgetFuture(ctx)
	if err != nil {
		return err
	}
	due, stop := make(chan struct{}, 1), make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			select {
			case <-due:
				r.snapshot()
			case <-stop:
				return
			}
		}
	})
	defer writer.Wait()
	defer close(stop)

	applied := 0 // since the last snapshot
	err = r.log.Tail(ctx, eventstore.Query{FromSeq: r.Position() + 1}, func(e eventstore.Event) error {
		if err := r.take(e); err != nil {
			return err
		}
		enough := r.cfg.SnapshotEvery
		if e.Sequence < end {
			enough *= behindStretch
		}
		if applied++; applied >= enough {
			select {
			case due <- struct{}{}:
				applied = 0
			default: // the writer is still at the one before
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("follow the log: %w", err)
	}
	return nil
}

// forgetFuture drops projections that know more than the log holds: it was replaced by an older one. It returns the last
// event's sequence.
func (r *Runner) forgetFuture(ctx context.Context) (uint64, error) {
	st, err := r.log.State(ctx)
	if err != nil {
		return 0, fmt.Errorf("follow the log: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.all {
		if r.cursors[p.name()] > st.Last {
			r.cfg.Logger.Warn("a projection's snapshot is ahead of the log, it is rebuilt", "projection", p.name(),
				"snapshot", r.cursors[p.name()], "log", st.Last)
			p.clear()
			r.cursors[p.name()] = 0
		}
	}
	r.position = r.smallestCursor()
	return st.Last, nil
}

func (r *Runner) smallestCursor() uint64 {
	low := r.cursors[r.all[0].name()]
	for _, p := range r.all {
		low = min(low, r.cursors[p.name()])
	}
	return low
}

// take applies one event to every projection that has not seen it.
func (r *Runner) take(e eventstore.Event) error {
	f := fact{supervisorID: e.SupervisorID}
	// An overlord's own events are about no supervisor; they only move the cursors.
	if e.Kind != eventstore.KindOverlord {
		rec, err := eventstore.Decode(e)
		if err != nil {
			return err
		}
		f.Recorded = rec
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, p := range r.all {
		if e.Sequence <= r.cursors[p.name()] {
			continue
		}
		if f.Event != nil {
			p.apply(f)
		}
		r.cursors[p.name()] = e.Sequence
	}
	if low := r.smallestCursor(); low > r.position {
		r.position = low
		close(r.advanced)
		r.advanced = make(chan struct{})
	}
	return nil
}

func (r *Runner) finish(cause error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended, r.cause = true, cause
	close(r.advanced)
	r.advanced = make(chan struct{})
}

// WaitFor returns once every projection has applied the log up to seq. Its error is the context's, or ErrStopped.
func (r *Runner) WaitFor(ctx context.Context, seq uint64) error {
	for {
		r.mu.RLock()
		position, advanced, ended, cause := r.position, r.advanced, r.ended, r.cause
		r.mu.RUnlock()
		switch {
		case position >= seq:
			return nil
		case ended && cause != nil:
			return fmt.Errorf("%w: %w", ErrStopped, cause)
		case ended:
			return ErrStopped
		}
		select {
		case <-advanced:
		case <-ctx.Done():
			return fmt.Errorf("wait for the projections at log sequence %d: %w", seq, ctx.Err())
		}
	}
}

// Position is the last log sequence that every projection has applied.
func (r *Runner) Position() uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.position
}

// snapshot writes every projection's file. The lock is held for one projection at a time, and not while writing. Nobody
// depends on a snapshot, so an error is logged and that is all.
func (r *Runner) snapshot() {
	if r.cfg.Dir == "" {
		return
	}
	began := time.Now()
	for _, p := range r.all {
		if err := r.snapshotOne(p); err != nil {
			r.cfg.Logger.Warn("a projection's snapshot was not written", "projection", p.name(), "error", err)
		}
	}
	r.cfg.Logger.Debug("projections are snapshotted", "took", time.Since(began))
}

func (r *Runner) snapshotOne(p projection) error {
	r.mu.RLock()
	seq := r.cursors[p.name()]
	data, err := json.Marshal(p.dump())
	r.mu.RUnlock()
	if err != nil {
		return fmt.Errorf("encode: %w", err)
	}
	return eventstore.WriteSnapshotFile(r.path(p), eventstore.Snapshot{Layout: p.layout(), Sequence: seq, Data: data})
}
