package worker

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"ogham/domain/row"
	"ogham/domain/spec"
	"ogham/domain/task"
)

// runner is one task. Three goroutines meet in it: the reader (read.go) owns the consumer and adds rows; the publisher
// (publish.go) owns the sequences that were read to their end; orders (control.go) change what is under mu while the
// reader rests.
type runner struct {
	w      *Worker
	a      task.Assignment
	spec   *spec.Supervisor
	schema row.Schema
	dir    string
	// log is the worker's and the task's own, ownLog the latter alone.
	log    *slog.Logger
	ownLog *taskLog
	// over is closed when the task has ended and its slot is about to be free.
	over chan struct{}

	mu     sync.Mutex // guards what follows
	status task.RunnerStatus
	start  time.Time
	// position is the next offset to read of each partition.
	position task.Offsets
	// sequences are those not committed yet, in order; closed has every sequence that was given an end.
	sequences []*sequence
	closed    map[int]closing
	done      tally // of the sequences that were committed
	meter     meter

	newest        place // of the orders that were followed
	pauseOrdered  bool
	checkpointing bool
	quiet         int  // how many orders wait for the reader to rest
	resting       bool // the reader is not between taking a batch and having set its position
	finishing     bool // the last sequence has its end
	stopped       stopKind
	// signal is closed, and made anew, at every change of the above.
	signal chan struct{}
	// interrupt ends the poll or the wait that the reader is in.
	interrupt context.CancelFunc
}

// closing is how a sequence was closed.
type closing struct {
	end    task.Offsets
	finish bool
}

type stopKind int

const (
	stopNone stopKind = iota
	stopOrdered
	stopShutdown
)

// How a task ends other than by success or failure.
var (
	errStopped  = errors.New("task was told to stop")
	errShutdown = errors.New("worker is shutting down")
	errGone     = errors.New("leader does not know the task as running")
)

// newRunner checks an assignment and lays out the task; nothing is started yet. A task that is refused has a log too.
func newRunner(w *Worker, a task.Assignment) (*runner, error) {
	ownLog, log := newTaskLog(w, a.TaskID)
	r, err := layOutRunner(w, a)
	if err != nil {
		log.Error("task is refused", "error", err)
		ownLog.close(w, a.TaskID)
		return nil, err
	}
	r.ownLog, r.log = ownLog, log
	return r, nil
}

func layOutRunner(w *Worker, a task.Assignment) (*runner, error) {
	s, err := spec.Parse(a.Spec)
	if err != nil {
		return nil, fmt.Errorf("spec of task [%s]: %w", a.TaskID, err)
	}
	schema, err := SchemaOf(s, a.MinimumMessageTime, a.MaximumMessageTime)
	if err != nil {
		return nil, fmt.Errorf("spec of task [%s]: %w", a.TaskID, err)
	}
	r := &runner{
		w: w, a: a, spec: s, schema: schema, over: make(chan struct{}), status: task.RunnerNotStarted, resting: true,
		closed: make(map[int]closing), signal: make(chan struct{}), interrupt: func() {},
	}
	if err := r.layOut(a.Sequences); err != nil {
		return nil, fmt.Errorf("sequences of task [%s]: %w", a.TaskID, err)
	}
	return r, nil
}

// logBeginning tells what the task is to do, as it was assigned: orders may have changed that by now. The spec goes into
// the task's own log alone.
func (r *runner) logBeginning() {
	r.log.Info("task begins", "worker", r.w.cfg.WorkerID, "version", r.w.cfg.Version, "supervisor", r.a.SupervisorID, "group", r.a.GroupNumber,
		"baseSequenceName", r.a.BaseSequenceName, "stream", r.spec.IOConfig.Stream(), "start", r.a.Sequences[0].Start.Text())
	for _, s := range r.a.Sequences {
		if s.End != nil {
			r.log.Info("sequence has its end", "sequence", s.Number, "start", s.Start.Text(), "end", s.End.Text())
		}
	}
	r.ownLog.tell("spec of the task", "spec", string(r.a.Spec))
}

// layOut takes over the assignment's sequences: all but the last one are closed, each starts where the one before ends.
func (r *runner) layOut(sequences []task.Sequence) error {
	if len(sequences) == 0 || len(sequences[0].Start) == 0 {
		return errors.New("there is nothing to read")
	}
	for i, s := range sequences {
		if i > 0 {
			if before := sequences[i-1]; s.Number <= before.Number || !s.Start.Equal(before.End) {
				return fmt.Errorf("sequence %d does not follow sequence %d", s.Number, before.Number)
			}
		}
		last := i == len(sequences)-1
		if s.End == nil && !last {
			return fmt.Errorf("sequence %d is open and is not the last", s.Number)
		}
		for p, from := range s.Start {
			if _, ok := p.Number(); !ok || from < 0 {
				return fmt.Errorf("sequence %d starts at offset %d of partition %q", s.Number, from, p)
			}
			if end, ok := s.End[p]; s.End != nil && (!ok || end < from) {
				return fmt.Errorf("end offset must be >= start offset for partition[%s]", p)
			}
		}
		if len(s.End) > len(s.Start) {
			return fmt.Errorf("sequence %d ends in partitions that it does not start in", s.Number)
		}
		kept := &sequence{Sequence: task.Sequence{Number: s.Number, Start: s.Start.Clone(), End: s.End.Clone()}}
		r.sequences = append(r.sequences, kept)
		if s.End != nil {
			r.closed[s.Number] = closing{end: kept.End, finish: last}
			r.finishing = last
		}
	}
	r.position = sequences[0].Start.Clone()
	return nil
}

// run is the task's life. It returns when everything of it is gone from this worker.
func (r *runner) run(ctx context.Context) {
	defer func() {
		close(r.over)
		r.mu.Lock()
		r.announce()
		r.mu.Unlock()
	}()
	log := r.log
	defer r.ownLog.close(r.w, r.a.TaskID) // before over is closed
	r.logBeginning()
	err := r.guarded(ctx, "task", r.live)
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		err = errShutdown // killed: the grace period is over
	}
	switch {
	case err == nil:
		log.Info("task succeeded")
	case errors.Is(err, errStopped), errors.Is(err, errGone), errors.Is(err, errShutdown):
		log.Info("task ended without publishing", "reason", err)
	default:
		log.Error("task failed", "error", err)
	}
	if nerr := r.tellEnd(ctx, err); nerr != nil {
		log.Warn("leader was not told of the task's end", "error", nerr)
	}
	if cerr := r.cleanUp(); cerr != nil {
		log.Warn("task's files are left behind", "error", cerr)
	}
}

func (r *runner) live(ctx context.Context) error {
	if err := r.makeDir(); err != nil {
		return err
	}
	now := time.Now()
	r.mu.Lock()
	r.start, r.status = now.UTC().Truncate(time.Millisecond), task.RunnerStarting
	r.meter.observe(now, task.Counters{})
	r.mu.Unlock()
	r.w.poke()

	ctx, fail := context.WithCancelCause(ctx)
	defer fail(nil)
	if err := r.untilStopped(ctx, func(ctx context.Context) error { return r.tell(ctx, task.NoticeStarted) }); err != nil {
		return err
	}
	p := newPublisher(r)
	var others sync.WaitGroup
	var published error
	others.Go(func() {
		if published = r.guarded(ctx, "publisher", p.run); published != nil {
			fail(published)
		}
	})
	others.Go(func() {
		// An ordered stop ends publishing too; a shutdown leaves it the grace period.
		err := r.await(ctx, func() bool { return r.stopped == stopOrdered || p.ended })
		if err == nil && r.stopped == stopOrdered {
			fail(errStopped)
		}
		r.mu.Unlock()
	})
	err := r.guarded(ctx, "reader", func(ctx context.Context) error { return r.read(ctx, p) })
	if err != nil {
		fail(err) // the first cause stays
	}
	p.close()
	others.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return published
}

// tell sends a notice that has no content of its own.
func (r *runner) tell(ctx context.Context, kind string) error {
	reply, err := r.notify(ctx, task.Notice{Kind: kind})
	if err != nil {
		return err
	}
	return refusal(reply)
}

func (r *runner) notify(ctx context.Context, n task.Notice) (task.NoticeReply, error) {
	n.SupervisorID, n.TaskID = r.a.SupervisorID, r.a.TaskID
	return r.w.notify(ctx, n)
}

// refusal is the error for an answer that ends the task.
func refusal(reply task.NoticeReply) error {
	switch reply.Code {
	case "":
		return nil
	case task.CodeGone:
		return errGone
	}
	return fmt.Errorf("leader refused with %s: %s", reply.Code, reply.Message)
}

// tellEnd reports how the task ended. Nobody waits for word of a task that was told to stop, or that is unknown.
func (r *runner) tellEnd(ctx context.Context, err error) error {
	if errors.Is(err, errStopped) || errors.Is(err, errGone) {
		return nil
	}
	n := task.Notice{Kind: task.NoticeSucceeded}
	switch {
	case errors.Is(err, errShutdown):
		n.Kind = task.NoticeStopped
	case err != nil:
		n.Kind, n.ErrorMsg = task.NoticeFailed, shorten(err.Error())
	}
	now := time.Now()
	r.mu.Lock()
	total := r.totals()
	r.meter.observe(now, total.counters)
	stats := r.meter.stats(total.counters)
	r.mu.Unlock()
	n.Stats, n.ParseExceptions, n.RecordsProcessed = &stats, total.saved, total.records
	c := total.counters
	r.log.Info("rows of the task", "processed", c.Processed, "processedBytes", c.ProcessedBytes, "processedWithError", c.ProcessedWithError,
		"thrownAway", c.ThrownAway, "unparseable", c.Unparseable)
	// Where a shutdown cuts this short, the rest is left to the leader, which sees the worker go.
	_, err = r.notify(ctx, n)
	return err
}

// The parts of a long error message that Druid keeps.
const (
	errorMsgMost = 1024
	errorMsgHalf = 512
)

func shorten(msg string) string {
	rs := []rune(strings.ToValidUTF8(msg, "?"))
	if len(rs) <= errorMsgMost {
		return string(rs)
	}
	return fmt.Sprintf("%s...%d characters omitted...%s",
		string(rs[:errorMsgHalf]), len(rs)-errorMsgMost, string(rs[len(rs)-errorMsgHalf:]))
}

// guarded contains a panic: one poisoned task fails and leaves the others running.
func (r *runner) guarded(ctx context.Context, what string, do func(context.Context) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("panic in a task", "in", what, "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("%s panicked: %v", what, p)
		}
	}()
	return do(ctx)
}

func (r *runner) makeDir() error {
	// Ids hold the data source's name, which may hold nearly anything.
	name := strings.Map(func(c rune) rune {
		if badInSubject(c) {
			return '_'
		}
		return c
	}, r.a.TaskID)
	dir, err := os.MkdirTemp(r.w.cfg.TaskDir, name[:min(len(name), 150)]+".")
	if err != nil {
		return fmt.Errorf("make the task's folder: %w", err)
	}
	r.dir = dir
	return nil
}

func (r *runner) sequenceDir(n int) string { return filepath.Join(r.dir, fmt.Sprint("sequence-", n)) }

// cleanUp closes builders that were not published and removes the task's folder.
func (r *runner) cleanUp() error {
	r.mu.Lock()
	var builders []Builder
	for _, s := range r.sequences {
		if s.builder != nil {
			builders = append(builders, s.builder)
		}
	}
	r.mu.Unlock()
	var errs []error
	for _, b := range builders {
		errs = append(errs, b.Close())
	}
	if r.dir != "" {
		errs = append(errs, os.RemoveAll(r.dir))
	}
	return errors.Join(errs...)
}

// partition is the name that the supervisor has for a partition.
func (r *runner) partition(s row.Source) task.Partition {
	if r.spec.IOConfig.IsPattern() {
		return task.PartitionIn(s.Topic, s.Partition)
	}
	return task.PartitionOf(s.Partition)
}

// totals adds up all sequences. mu is held.
func (r *runner) totals() tally {
	total := r.done.clone()
	limit := r.spec.TuningConfig.MaxSavedParseExceptions
	for _, s := range r.sequences {
		if s.builder != nil {
			total.add(s.builder.Counters(), r.partition)
			total.remember(s.builder.ParseExceptions(), limit, r.partition)
		}
	}
	return total
}

// report is what heartbeats say of the task.
func (r *runner) report(now time.Time) task.Report {
	out, _ := r.account(now)
	return out
}

// account is what the task says of itself, with all that it counted.
func (r *runner) account(now time.Time) (task.Report, tally) {
	r.mu.Lock()
	defer r.mu.Unlock()
	total := r.totals()
	r.meter.observe(now, total.counters)
	out := task.Report{
		TaskID: r.a.TaskID, SupervisorID: r.a.SupervisorID, Status: r.status, StartTime: r.start,
		CurrentOffsets: r.position.Clone(), Checkpointing: r.checkpointing, Finishing: r.finishing, Stats: r.meter.stats(total.counters),
	}
	for _, s := range r.sequences {
		out.Sequences = append(out.Sequences, task.Sequence{Number: s.Number, Start: s.Start.Clone(), End: s.End.Clone()})
	}
	return out, total
}
