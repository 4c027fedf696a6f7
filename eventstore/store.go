package eventstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Store is an open log. It is safe for concurrent use.
type Store struct {
	cfg    Config
	nc     *nats.Conn
	js     jetstream.JetStream
	stream jetstream.Stream
	subj   subjects

	// readOnly and damage are set while opening, or once by spoil.
	readOnly atomic.Pointer[ReadOnlyError]
	damage   atomic.Pointer[DamagedError]
	damaged  chan struct{}

	ackForm []byte

	guard *guard

	closeOnce sync.Once
	closeErr  error
}

// Open creates the stream, or holds the existing one against what the log
// needs, and checks the log for damage. A stream with other settings is a
// *ConfigDriftError. A damaged log opens for reading only: Damage tells, and
// Append answers a *ReadOnlyError.
//
// The connection stays the caller's; close the store before it.
func Open(ctx context.Context, nc *nats.Conn, cfg Config) (*Store, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(cfg.AttemptTimeout))
	if err != nil {
		return nil, fmt.Errorf("open event store: %w", err)
	}
	s := &Store{cfg: cfg, nc: nc, js: js, subj: subjects{prefix: cfg.SubjectPrefix}, damaged: make(chan struct{}), ackForm: ackForm(cfg.Stream)}
	if cfg.ReadOnly {
		s.readOnly.Store(&ReadOnlyError{})
	}
	if err := s.openStream(ctx); err != nil {
		return nil, err
	}
	s.warnUnlessSynced(ctx)
	if s.guard, err = s.openGuard(ctx); err != nil {
		return nil, err
	}
	s.guard.start(s.readOnly.Load() == nil)
	return s, nil
}

// spoil makes the log one that is read only, for what was found wrong with it.
func (s *Store) spoil(d *DamagedError) {
	if !s.damage.CompareAndSwap(nil, d) {
		return
	}
	s.readOnly.Store(&ReadOnlyError{Err: d})
	close(s.damaged)
	s.cfg.Logger.Error("the log is damaged, it is open for reading only", "error", d)
}

// minAdminTimeout is for what a cluster places and elects before it answers.
const minAdminTimeout = 5 * time.Second

// openTimeout bounds Open's patience with a cluster that is still electing its
// leaders, beside the context.
const openTimeout = 30 * time.Second

func (s *Store) openStream(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	for backoff := firstBackoff; ; backoff = min(2*backoff, lastBackoff) {
		err := s.findStream(ctx)
		if err == nil {
			return s.checkDrift(s.stream.CachedInfo())
		}
		err = fmt.Errorf("open stream %s: %w", s.cfg.Stream, err)
		if v := judge(err); v == refused || v == full {
			return err
		}
		if werr := wait(ctx, backoff); werr != nil {
			return s.unavailable("open the log", errors.Join(err, werr))
		}
	}
}

func (s *Store) findStream(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, max(s.cfg.AttemptTimeout, minAdminTimeout))
	defer cancel()
	want := s.cfg.streamConfig()
	stream, err := s.js.Stream(ctx, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) && !s.cfg.ReadOnly {
		stream, err = s.js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			// Another process created it between our two questions.
			stream, err = s.js.Stream(ctx, want.Name)
		}
	}
	s.stream = stream
	return err
}

func (s *Store) checkDrift(info *jetstream.StreamInfo) error {
	if d := drifts(s.cfg.streamConfig(), info.Config); len(d) > 0 {
		return &ConfigDriftError{Stream: s.cfg.Stream, Drifts: d}
	}
	return nil
}

// CheckConfig compares the stream's configuration with the wanted one again, as
// a watch does: denied deletes do not stop an update of limits. The answer is a
// *ConfigDriftError on a difference.
func (s *Store) CheckConfig(ctx context.Context) error {
	info, err := s.info(ctx)
	if err != nil {
		return s.unavailable("read configuration of the log", err)
	}
	return s.checkDrift(info)
}

// Damage returns what was found wrong with the log when it was opened, or by
// VerifyRest since; nil where it is sound.
func (s *Store) Damage() *DamagedError { return s.damage.Load() }

// Damaged is closed once the log is found to be damaged.
func (s *Store) Damaged() <-chan struct{} { return s.damaged }

// ReadOnly returns why the store appends nothing, or nil when it does.
func (s *Store) ReadOnly() error {
	if r := s.readOnly.Load(); r != nil {
		return r
	}
	return nil
}

// Close writes the checkpoint and stops the store's own goroutine. It leaves
// the connection open.
func (s *Store) Close() error {
	s.closeOnce.Do(func() { s.closeErr = s.guard.stop() })
	return s.closeErr
}

// State is what the log holds.
type State struct {
	// First and Last are log sequences; both 0 in an empty log.
	First, Last uint64
	// Events and Bytes count what is stored.
	Events, Bytes uint64
	// Deleted counts sequences between First and Last that are gone.
	Deleted int
	// Lost counts events that the server could not recover at its last start.
	Lost int
	// Subjects counts the different subjects.
	Subjects uint64
}

// State reads what the log holds now.
func (s *Store) State(ctx context.Context) (State, error) {
	info, err := s.info(ctx)
	if err != nil {
		return State{}, s.unavailable("read state of the log", err)
	}
	st := State{
		First: info.State.FirstSeq, Last: info.State.LastSeq,
		Events: info.State.Msgs, Bytes: info.State.Bytes,
		Deleted: info.State.NumDeleted, Subjects: info.State.NumSubjects,
	}
	if l := info.State.Lost; l != nil {
		st.Lost = max(len(l.Msgs), 1)
	}
	if st.Last == 0 {
		// The server counts sequence 0 of a new stream as a deleted event.
		st.First, st.Deleted = 0, 0
	}
	return st, nil
}

func (s *Store) info(ctx context.Context) (*jetstream.StreamInfo, error) {
	return patiently(ctx, &s.cfg, func(ctx context.Context) (*jetstream.StreamInfo, error) {
		return s.stream.Info(ctx, jetstream.WithDeletedDetails(true))
	})
}

// unavailable wraps what a read of the log came back with.
func (s *Store) unavailable(op string, err error) error {
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return fmt.Errorf("%s: %w", op, err)
	}
	return &UnavailableError{Op: op, Err: err}
}
