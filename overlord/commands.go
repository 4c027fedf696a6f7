package overlord

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
)

var byUser = origin{actor: "user"}

// waitShort bounds what a user's command waits for the projections; the command is durable by then.
const waitShort = 10 * time.Second

// Submit creates the supervisor of a spec or updates it. It returns once the event is durable and the projections show it.
func (s *Service) Submit(ctx context.Context, sp *spec.Supervisor, skipIfUnmodified bool) error {
	return s.command(ctx, sp.ID(), true, func(a *actor) (supervisor.Command, error) {
		if a.state.Exists() {
			if running, err := a.current(); err == nil {
				sp = sp.Following(running)
			}
		}
		return supervisor.SubmitSpec{
			Spec: sp.Canonical(), Stream: streamOf(sp), KeptTopics: slices.DeleteFunc(a.state.Topics(), func(topic string) bool { return !sp.IOConfig.Reads(topic) }),
			Suspended: sp.Suspended, SkipIfUnmodified: skipIfUnmodified,
		}, nil
	})
}

func streamOf(sp *spec.Supervisor) supervisor.Stream {
	return supervisor.Stream{Name: sp.IOConfig.Stream(), Pattern: sp.IOConfig.IsPattern()}
}

// Suspend stops a supervisor from reading, and returns its spec.
func (s *Service) Suspend(ctx context.Context, id string) (json.RawMessage, error) {
	return s.flip(ctx, id, true)
}

// Resume lets a suspended supervisor read, and returns its spec.
func (s *Service) Resume(ctx context.Context, id string) (json.RawMessage, error) {
	return s.flip(ctx, id, false)
}

func (s *Service) flip(ctx context.Context, id string, suspended bool) (json.RawMessage, error) {
	var out json.RawMessage
	err := s.command(ctx, id, false, func(a *actor) (supervisor.Command, error) {
		if !a.state.Exists() {
			return supervisor.SuspendSupervisor{}, nil // refused as one that is not there
		}
		sp, err := a.current()
		if err != nil {
			return nil, err
		}
		out = sp.WithSuspended(suspended).Canonical()
		if suspended {
			return supervisor.SuspendSupervisor{Spec: out}, nil
		}
		return supervisor.ResumeSupervisor{Spec: out}, nil
	})
	return out, err
}

// Terminate ends a supervisor; what its tasks have read is published.
func (s *Service) Terminate(ctx context.Context, id string) error {
	return s.command(ctx, id, false, fixed(supervisor.TerminateSupervisor{}))
}

// Reset forgets the committed offsets.
func (s *Service) Reset(ctx context.Context, id string) error {
	return s.command(ctx, id, false, fixed(supervisor.ResetSupervisor{}))
}

// ResetOffsets sets committed offsets.
func (s *Service) ResetOffsets(ctx context.Context, id, stream string, offsets task.Offsets) error {
	return s.command(ctx, id, false, fixed(supervisor.ResetOffsets{Stream: stream, Offsets: offsets}))
}

// Handoff asks task groups to finish before their time.
func (s *Service) Handoff(ctx context.Context, id string, numbers []int) error {
	return s.command(ctx, id, false, fixed(supervisor.RequestHandoff{Numbers: numbers}))
}

func fixed(c supervisor.Command) func(*actor) (supervisor.Command, error) {
	return func(*actor) (supervisor.Command, error) { return c, nil }
}

// command lets the supervisor's actor decide and waits until the projections show the outcome.
func (s *Service) command(ctx context.Context, id string, create bool, make func(*actor) (supervisor.Command, error)) error {
	return s.run(ctx, id, create, func(ctx context.Context, a *actor) (uint64, error) { return a.command(ctx, make) })
}

// run lets the supervisor's actor do what decides something, and waits until the projections show its log sequence.
func (s *Service) run(ctx context.Context, id string, create bool, fn func(context.Context, *actor) (uint64, error)) error {
	t := s.leading()
	if t == nil {
		return &NotLeaderError{URL: s.LeaderURL()}
	}
	var seq uint64
	for {
		a, err := t.actor(ctx, id, create)
		if err != nil {
			return err
		}
		if a == nil {
			return &supervisor.Refusal{Code: supervisor.CodeNotFound, Message: fmt.Sprintf("Cannot find any supervisor with id: [%s]", id)}
		}
		var derr error
		err = a.do(ctx, func(ctx context.Context) { seq, derr = fn(ctx, a) })
		if errors.Is(err, errEnded) && t.ctx.Err() == nil {
			continue // it retired in this moment; the next one knows the log
		}
		if errors.Is(err, errEnded) {
			return &NotLeaderError{URL: s.LeaderURL()}
		}
		if err != nil {
			return err
		}
		if derr != nil {
			return derr
		}
		break
	}
	wait, cancel := context.WithTimeout(ctx, waitShort)
	defer cancel()
	if err := s.cfg.Catalog.WaitFor(wait, seq); err != nil {
		return fmt.Errorf("wait for the projections: %w", err)
	}
	return nil
}

func (a *actor) command(ctx context.Context, make func(*actor) (supervisor.Command, error)) (uint64, error) {
	if a.state.Exists() {
		if _, err := a.current(); err != nil {
			a.log.Warn("command", "error", err)
		}
	}
	version := a.state.SpecVersion
	c, err := make(a)
	if err != nil {
		return 0, err
	}
	seq, err := a.decide(ctx, c, byUser)
	if err != nil {
		return 0, err
	}
	switch c.(type) {
	case supervisor.ResetSupervisor, supervisor.ResetOffsets:
		a.clearLags()
	}
	if a.state.SpecVersion != version {
		// As Druid's new supervisor object: what was measured of the old one is forgotten, the first run comes after
		// startDelay. Groups of the old spec are told to finish at once.
		now := a.term.cfg.Now()
		a.loop.reset(now, now.Add(a.startDelay()))
		a.scaler, a.scalerOf = nil, 0
	} else {
		a.soon()
	}
	a.tend(ctx)
	return seq, nil
}

// Measurements returns what is measured of a supervisor now.
func (s *Service) Measurements(id string) supervisor.Measurements {
	if t := s.leading(); t != nil {
		if a, _ := t.actor(t.ctx, id, false); a != nil {
			return a.measures.get()
		}
	}
	return supervisor.Measurements{}
}

// SetWorkerEnabled lets the worker at host:port take new tasks, or stops it from taking them. It is false where there is no
// such worker.
func (s *Service) SetWorkerEnabled(ctx context.Context, host string, on bool) (bool, error) {
	t := s.leading()
	if t == nil {
		return false, &NotLeaderError{URL: s.LeaderURL()}
	}
	for _, w := range t.pool.list(s.cfg.Now()) {
		if net.JoinHostPort(w.Host, strconv.Itoa(w.Port)) != host {
			continue
		}
		op := task.OpDisable
		if on {
			op = task.OpEnable
		}
		reply, err := t.order(ctx, w.WorkerID, task.Order{Op: op})
		if err == nil && reply.Code != "" {
			err = fmt.Errorf("order %s to worker %s: %s: %s", op, w.WorkerID, reply.Code, reply.Message)
		}
		return true, err
	}
	return false, nil
}

// Workers returns the workers that are alive.
func (s *Service) Workers() []task.Heartbeat {
	if t := s.leading(); t != nil {
		return t.pool.list(s.cfg.Now())
	}
	return nil
}
