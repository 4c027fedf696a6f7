package worker

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"ogham/domain/row"
	"ogham/domain/task"
	"ogham/worker/fault"
)

// checkpointPatience is how long a task waits for its end offsets before it asks again.
const checkpointPatience = 30 * time.Second

// reader consumes the task's partitions and adds their rows to the sequences.
type reader struct {
	*runner
	consumer Consumer
	queue    *publisher
	pending  []Batch
	// opened and persisted are when the open sequence began and when rows were last persisted.
	opened, persisted time.Time
	openNumber        int
	pause             time.Duration // before the next poll, after trouble
	meterDue          time.Time     // when the averages are updated next
	bounds            *bounds       // nil where the spec has none
}

// read returns when every sequence has been read and handed over, or with the reason why not.
func (r *runner) read(ctx context.Context, queue *publisher) error {
	consumer, err := r.w.cfg.NewConsumer(ConsumerRequest{
		Properties: r.spec.IOConfig.ConsumerProperties, Topic: r.spec.IOConfig.Topic, Start: r.position.Clone(),
		TopicIDs: r.a.TopicIDs,
	})
	if err != nil {
		return fmt.Errorf("open consumer: %w", err)
	}
	defer consumer.Close()
	r.log.Info("task reads", "from", r.position.Text())
	now := time.Now()
	rd := &reader{runner: r, consumer: consumer, queue: queue, opened: now, persisted: now, openNumber: -1, bounds: newBounds(r.a, r.spec, now)}
	for {
		finished, err := rd.turn(ctx)
		if err != nil || finished {
			return err
		}
	}
}

// turn is one round: rest if that is wanted, hand over what is full, add what was polled or poll.
func (r *reader) turn(ctx context.Context) (finished bool, err error) {
	r.average(time.Now())
	if err := r.rest(ctx); err != nil {
		return false, err
	}
	if finished, err := r.handOver(); err != nil || finished {
		return finished, err
	}
	if due, number := r.checkpointDue(); due {
		return false, r.checkpoint(ctx, number)
	}
	if len(r.pending) == 0 {
		return false, r.poll(ctx)
	}
	r.moveBounds(time.Now())
	if err := r.add(ctx, &r.pending[0]); err != nil {
		return false, err
	}
	if len(r.pending[0].Records) == 0 {
		r.pending = r.pending[1:]
	}
	return false, nil
}

// average brings the moving averages up to date at each of their ticks, so that rows count for the one before which they
// were read, however seldom somebody asks.
func (r *reader) average(now time.Time) {
	if now.Before(r.meterDue) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.meter.settle(now, r.totals().counters)
	r.meterDue = r.meter.due()
}

// rest stands still for as long as that is wanted.
func (r *reader) rest(ctx context.Context) error {
	r.mu.Lock()
	if r.restWanted() && r.stopped == stopNone {
		r.resting, r.status = true, task.RunnerPaused
		r.announce()
		r.w.poke()
	}
	r.mu.Unlock()
	err := r.await(ctx, func() bool { return !r.restWanted() || r.stopped != stopNone })
	defer r.mu.Unlock()
	if err != nil {
		return err
	}
	if r.stopped != stopNone {
		return r.stopped.err()
	}
	if r.status != task.RunnerReading {
		r.status = task.RunnerReading
		r.w.poke()
	}
	r.resting = false
	return nil
}

// handOver gives the publisher every sequence that was read to its end, and reports whether that were all.
func (r *reader) handOver() (finished bool, err error) {
	for {
		s, wait := r.whole()
		if s == nil {
			break
		}
		if wait && s.builder != nil {
			// It would keep for nothing what the next one needs.
			if err := s.builder.Seal(); err != nil {
				return false, fmt.Errorf("spill sequence %d: %w", s.Number, err)
			}
		}
		r.mu.Lock()
		s.handed = true
		r.queue.add(s)
		r.mu.Unlock()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sequences {
		if !s.handed {
			return false, nil
		}
	}
	if r.finishing {
		r.status = task.RunnerPublishing
		r.announce()
		r.w.poke()
	}
	return r.finishing, nil
}

// whole gives the oldest sequence that is not handed over, if it was read to its end. wait says that the publisher is at
// an earlier one.
func (r *reader) whole() (s *sequence, wait bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sequences {
		if s.handed {
			continue
		}
		if !s.full(r.position) {
			return nil, false
		}
		return s, r.queue.busy || len(r.queue.waiting) > 0
	}
	return nil, false
}

// poll waits for records. Trouble with Kafka does not fail the task: it waits and polls again.
func (r *reader) poll(ctx context.Context) error {
	if err := r.persistIfDue(ctx); err != nil {
		return err
	}
	pollCtx, cancel := context.WithTimeout(ctx, r.w.cfg.PollFor)
	defer cancel()
	r.mu.Lock()
	if r.restWanted() || r.stopped != stopNone {
		r.mu.Unlock()
		return nil
	}
	r.interrupt = cancel
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.interrupt = func() {}
		r.mu.Unlock()
	}()
	batches, err := r.consumer.Poll(pollCtx)
	if err != nil && pollCtx.Err() == nil {
		return r.trouble(ctx, err)
	}
	if len(batches) > 0 {
		r.pause = 0
	}
	r.pending = batches
	return nil
}

// trouble waits after an error of the consumer, or fails the task.
func (r *reader) trouble(ctx context.Context, err error) error {
	var (
		out  OutOfRange
		anew Recreated
	)
	switch {
	case errors.As(err, &anew):
		// What was read is published once the leader has seen it too. What was to be read besides is gone for ever.
		r.mu.Lock()
		finishing := r.finishing
		r.mu.Unlock()
		if finishing {
			return fmt.Errorf("cannot read to the end offsets: %w", err)
		}
		r.pause = r.w.cfg.OutOfRangePause
	case errors.As(err, &out):
		partition, offset := out.WantedOffset()
		r.pause = r.w.cfg.OutOfRangePause
		if earliest, _ := out.Bounds(); r.spec.TuningConfig.ResetOffsetAutomatically && earliest > offset {
			if err := r.askReset(ctx, partition, offset); err != nil {
				return err
			}
			r.pause = r.w.cfg.RetryMost
		}
	default:
		r.pause = min(max(2*r.pause, r.w.cfg.RetryFirst), r.w.cfg.RetryMost)
	}
	r.log.Warn("task cannot read, trying again", "after", r.pause, "error", err)
	// A pause or a stop ends the wait.
	waitCtx, cancel := context.WithTimeout(ctx, r.pause)
	defer cancel()
	if r.await(waitCtx, func() bool { return r.restWanted() || r.stopped != stopNone }) != nil {
		r.mu.Unlock()
		return ctx.Err()
	}
	r.mu.Unlock()
	return nil
}

// askReset tells the leader that the record at an offset is gone. It asks once: the answer comes as an order to finish or
// to stop, for which the reader has to be at rest, and if none comes the next poll meets the same trouble.
func (r *reader) askReset(ctx context.Context, p task.Partition, offset int64) error {
	reply, err := r.w.notifyOnce(ctx, task.Notice{
		Kind: task.NoticeReset, SupervisorID: r.a.SupervisorID, TaskID: r.a.TaskID, Start: task.Offsets{p: offset},
	})
	if err == nil && reply.Code != task.CodeRetry {
		return refusal(reply)
	}
	r.w.cfg.Logger.Debug("reset not taken", "task", r.a.TaskID, "message", reply.Message, "error", err)
	return nil
}

// target finds the sequence that takes the record at an offset, nil where the partition has been read to its end.
func (r *reader) target(p task.Partition, offset int64) *sequence {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.sequences {
		if !s.handed && s.takes(p, offset) {
			return s
		}
	}
	return nil
}

// add takes the front of a batch: what belongs to one sequence and fits into its segments. It shortens the batch by what
// it took and moves the position past it.
func (r *reader) add(ctx context.Context, b *Batch) error {
	p := b.Partition
	for len(b.Records) > 0 && b.Records[0].Offset < r.position[p] {
		b.Records = b.Records[1:] // read before
	}
	s := r.target(p, r.position[p])
	if s == nil {
		r.consumer.Remove(p)
		b.Records = nil
		return nil
	}
	n, most := 0, min(len(b.Records), r.room(s))
	for n < most && s.takes(p, b.Records[n].Offset) {
		n++
	}
	if n > 0 {
		if err := r.addRows(ctx, s, b.Records[:n]); err != nil {
			return err
		}
	}
	next := b.Next
	if n < len(b.Records) {
		// What follows belongs to the next sequence, or has no room in this one.
		next = b.Records[n].Offset
		if n > 0 && s.takes(p, next) {
			next = b.Records[n-1].Offset + 1
		}
	}
	if s.End != nil {
		next = min(next, s.End[p])
	}
	b.Records = b.Records[n:]
	r.mu.Lock()
	r.position[p] = max(r.position[p], next)
	r.mu.Unlock()
	if len(b.Records) == 0 && b.Next > next {
		// Offsets without records reach beyond the sequence: the position gets there within the next one.
		return r.add(ctx, b)
	}
	return nil
}

func (r *reader) addRows(ctx context.Context, s *sequence, records []Record) error {
	if s.builder == nil {
		builder, err := r.newBuilder(s)
		if err != nil {
			return fmt.Errorf("open index: %w", err)
		}
		r.mu.Lock()
		s.builder = builder
		r.mu.Unlock()
	}
	if err := s.builder.AddBatch(records); err != nil {
		return err // a parse limit must read as Druid's
	}
	fault.Hit(fault.AfterBatch)
	if err := r.parseLimit(); err != nil {
		return err
	}
	return r.shareMemory(ctx)
}

// room is how many records the sequence may still take before a segment of it is full; rollup only makes it last longer.
// A sequence that is closed is read to its end whatever its size.
func (r *reader) room(s *sequence) int {
	limit := int64(r.spec.TuningConfig.MaxRowsPerSegment)
	if limit <= 0 || s.End != nil {
		return math.MaxInt
	}
	if s.builder != nil {
		limit -= s.builder.MaxSegmentRows()
	}
	return int(max(1, limit))
}

func (r *reader) newBuilder(s *sequence) (Builder, error) {
	t := &r.spec.TuningConfig
	memory := t.MaxBytesInMemory
	if memory <= 0 {
		memory = r.w.cfg.MemoryBytes
	}
	request := BuilderRequest{
		Schema: r.schema, InputFormat: r.spec.IOConfig.InputFormat.Raw, Dir: r.sequenceDir(s.Number),
		MaxRowsInMemory: t.MaxRowsInMemory, MaxBytesInMemory: memory,
		IndexSpec: t.IndexSpec, TimestampSpec: r.spec.DataSchema.TimestampSpec.Raw,
		QueryGranularity:   r.spec.DataSchema.GranularitySpec.QueryGranularity.Raw,
		MaxParseExceptions: max(0, t.MaxParseExceptions), MaxSavedParseExceptions: t.MaxSavedParseExceptions,
		Now: func() int64 { return time.Now().UnixMilli() },
	}
	if t.LogParseExceptions {
		request.LogParseException = func(e row.ParseException) {
			r.log.Warn("row cannot be ingested", "type", e.ErrorType, "details", e.Details, "topic", e.Topic, "partition", e.Partition, "offset", e.Offset)
		}
	}
	return r.w.cfg.NewBuilder(request)
}

// parseLimit checks the limit over all sequences; each builder only knows its own errors.
func (r *reader) parseLimit() error {
	limit := max(0, r.spec.TuningConfig.MaxParseExceptions)
	r.mu.Lock()
	defer r.mu.Unlock()
	bad := r.done.counters.Unparseable + r.done.counters.ProcessedWithError
	for _, s := range r.sequences {
		if s.builder != nil {
			c := s.builder.Counters()
			bad += c.Unparseable + c.ProcessedWithError
		}
	}
	if bad > int64(limit) {
		return errors.New(row.MaxParseExceptionsMessage(limit))
	}
	return nil
}

// reading lists the builders that rows still enter.
func (r *reader) reading() []*sequence {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*sequence
	for _, s := range r.sequences {
		if s.builder != nil && !s.handed {
			out = append(out, s)
		}
	}
	return out
}

// shareMemory keeps several builders within the memory of one: the largest gives way.
func (r *reader) shareMemory(ctx context.Context) error {
	open := r.reading()
	if len(open) < 2 {
		return nil
	}
	limit := r.spec.TuningConfig.MaxBytesInMemory
	if limit <= 0 {
		limit = r.w.cfg.MemoryBytes
	}
	var sum int64
	largest := open[0]
	for _, s := range open {
		sum += s.builder.Bytes()
		if s.builder.Bytes() > largest.builder.Bytes() {
			largest = s
		}
	}
	if sum <= limit {
		return nil
	}
	return persist(ctx, largest.builder)
}

func (r *reader) persistIfDue(ctx context.Context) error {
	now := time.Now()
	if now.Sub(r.persisted) < r.spec.TuningConfig.IntermediatePersistPeriod {
		return nil
	}
	r.persisted = now
	for _, s := range r.reading() {
		if err := persist(ctx, s.builder); err != nil {
			return err
		}
	}
	r.logProgress()
	return nil
}

// logProgress tells where the task is, each time that its rows are persisted because of their age.
func (r *reader) logProgress() {
	r.mu.Lock()
	at, c := r.position.Clone(), r.totals().counters
	r.mu.Unlock()
	r.log.Info("rows are persisted", "at", at.Text(), "processed", c.Processed, "unparseable", c.Unparseable, "thrownAway", c.ThrownAway)
}

func persist(ctx context.Context, b Builder) error {
	fault.Hit(fault.MidPersist)
	if err := b.Persist(ctx); err != nil {
		return fmt.Errorf("persist: %w", err)
	}
	return nil
}
