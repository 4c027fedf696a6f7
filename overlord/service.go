package overlord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"ogham/domain/task"
	"ogham/eventstore"
)

// Service is an overlord: a candidate for the lead, and while it leads the one that decides. It is safe for concurrent
// use.
type Service struct {
	cfg Config

	mu     sync.Mutex
	term   *term       // guarded by mu; nil while another one leads
	leader task.Beacon // guarded by mu: the newest beacon heard
	heard  time.Time   // guarded by mu
}

// New makes an overlord that does nothing until Run.
func New(cfg Config) *Service {
	cfg.fill()
	return &Service{cfg: cfg}
}

// Follow listens for the leader, so that LeaderURL knows it, until the returned function is called. Run does it too; a
// process that is no candidate calls it alone.
func (s *Service) Follow() (stop func(), err error) {
	sub, err := s.cfg.NATS.Subscribe(task.SubjectBeacon, func(m *nats.Msg) {
		var b task.Beacon
		if json.Unmarshal(m.Data, &b) == nil {
			s.mu.Lock()
			if b.Epoch >= s.leader.Epoch {
				s.leader, s.heard = b, s.cfg.Now()
			}
			s.mu.Unlock()
		}
	})
	if err != nil {
		return nil, fmt.Errorf("listen for the leader: %w", err)
	}
	return func() { _ = sub.Unsubscribe() }, nil
}

// Run campaigns for the lead and leads, term after term, until ctx ends. It returns after everything that it started.
func (s *Service) Run(ctx context.Context) error {
	stop, err := s.Follow()
	if err != nil {
		return err
	}
	defer stop()
	for ctx.Err() == nil {
		if s.cfg.Store.ReadOnly() != nil {
			<-ctx.Done() // who may not append cannot lead: others may
			break
		}
		lease, err := s.cfg.Store.Campaign(ctx, s.cfg.NodeID, s.cfg.LeaseTTL)
		if err != nil {
			if ctx.Err() != nil {
				break
			}
			s.cfg.Logger.Warn("campaign for the lead", "error", err)
			pause(ctx, time.Second)
			continue
		}
		s.cfg.Logger.Info("leader elected", "node", s.cfg.NodeID, "epoch", lease.Epoch)
		err = s.lead(ctx, lease)
		if err != nil && ctx.Err() == nil {
			s.cfg.Logger.Error("lead ended", "epoch", lease.Epoch, "error", err)
		}
		resign, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		_ = lease.Resign(resign)
		cancel()
		if err != nil {
			pause(ctx, time.Second) // what ended this lead, such as a log that takes nothing, may end the next as fast
		}
	}
	return nil
}

// pause waits without work, until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// IsLeader reports whether this overlord leads now.
func (s *Service) IsLeader() bool { return s.leading() != nil }

// LeaderURL returns where the leader's API is, empty where none is known.
func (s *Service) LeaderURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.term != nil {
		return s.cfg.URL
	}
	if s.cfg.Now().Sub(s.heard) > 2*s.cfg.LeaseTTL || s.leader.Node == s.cfg.NodeID { // or it was this one, whose lead has ended
		return ""
	}
	return s.leader.URL
}

func (s *Service) leading() *term {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.term == nil || !s.term.lease.Valid() {
		return nil
	}
	return s.term
}

func (s *Service) setTerm(t *term) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.term = t
}

// lead is one term: it takes every supervisor over, serves until the lease is lost or ctx ends, and stops all actors.
func (s *Service) lead(ctx context.Context, lease *eventstore.Lease) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	t := &term{
		cfg: &s.cfg, lease: lease, cancel: cancel, began: s.cfg.Now(),
		pool: newPool(s.cfg.WorkerTimeout, s.cfg.Now()), actors: map[string]*actor{}, ctx: ctx,
	}
	defer t.wait()
	defer cancel(nil)
	var watch sync.WaitGroup
	defer watch.Wait()
	watch.Go(func() {
		select {
		case <-lease.Lost():
			cancel(errors.New("the lease was lost"))
		case <-s.cfg.Store.Damaged():
			cancel(s.cfg.Store.ReadOnly())
		case <-ctx.Done():
		}
	})
	defer cancel(nil)
	if err := t.takeOver(ctx); err != nil {
		return err
	}
	unsubscribe, err := t.listen()
	if err != nil {
		return err
	}
	defer unsubscribe()
	s.setTerm(t)
	defer s.setTerm(nil)
	t.beacon(ctx, task.Beacon{Epoch: lease.Epoch, Node: s.cfg.NodeID, URL: s.cfg.URL})
	return context.Cause(ctx)
}
