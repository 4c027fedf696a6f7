package worker

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"ogham/domain/task"
	"ogham/worker/fault"
)

// pushTries is how often a segment is pushed before its task fails: with pauses that double to five seconds about half a
// minute, so that a disk that somebody is clearing does not cost the work of an hour.
const pushTries = 10

// deleteTimeout bounds the removal of copies that were not committed, which happens when the task may be ending.
const deleteTimeout = 10 * time.Second

// publisher publishes a task's sequences one after the other, in order. Its fields are guarded by the runner's mu.
type publisher struct {
	r       *runner
	waiting []*sequence
	busy    bool // with a sequence that is not among those waiting
	closed  bool // no more will come
	ended   bool
}

func newPublisher(r *runner) *publisher { return &publisher{r: r} }

// add takes a sequence over. mu is held. There are never more waiting than checkpoints the leader has agreed to.
func (p *publisher) add(s *sequence) {
	p.waiting = append(p.waiting, s)
	p.r.announce()
}

func (p *publisher) close() {
	p.r.mu.Lock()
	defer p.r.mu.Unlock()
	p.closed = true
	p.r.announce()
}

// run returns when everything that was added before close is committed, or with the reason why not.
func (p *publisher) run(ctx context.Context) error {
	defer func() {
		p.r.mu.Lock()
		p.ended = true
		p.r.announce()
		p.r.mu.Unlock()
	}()
	for {
		err := p.r.await(ctx, func() bool { return p.closed || len(p.waiting) > 0 })
		if err != nil || len(p.waiting) == 0 {
			p.r.mu.Unlock()
			return err
		}
		s := p.waiting[0]
		p.waiting, p.busy = p.waiting[1:], true
		p.r.mu.Unlock()
		if err := p.r.publish(ctx, s); err != nil {
			return err
		}
		p.r.mu.Lock()
		p.busy = false
		p.r.mu.Unlock()
	}
}

// publish makes one sequence's rows real: build, get identities, push, commit.
func (r *runner) publish(ctx context.Context, s *sequence) error {
	if s.moved() {
		segments, err := r.build(ctx, s)
		if err != nil {
			return err
		}
		if err := r.commit(ctx, s, segments); err != nil {
			return err
		}
		r.log.Info("sequence is committed", "sequence", s.Number, "segments", len(segments), "end", s.End.Text())
		fault.Hit(fault.AfterPublish)
	}
	return r.retire(s)
}

// build gives the sequence's segments, pushed.
func (r *runner) build(ctx context.Context, s *sequence) ([]task.Segment, error) {
	if s.builder == nil {
		return nil, nil
	}
	built, err := s.builder.Finish(ctx)
	if err != nil {
		return nil, fmt.Errorf("merge segments of sequence %d: %w", s.Number, err)
	}
	if len(built) == 0 {
		return nil, nil
	}
	identities, err := r.allocate(ctx, s, built)
	if err != nil {
		return nil, err
	}
	fault.Hit(fault.AfterAllocate)
	segments := make([]task.Segment, 0, len(built))
	r.log.Info("segments are built", "sequence", s.Number, "segments", len(built))
	for i := range built {
		pushed, err := r.push(ctx, &built[i], &identities[i])
		if err != nil {
			r.discard(ctx, segments)
			return nil, err
		}
		segments = append(segments, pushed)
	}
	fault.Hit(fault.AfterPush)
	return segments, nil
}

// allocate asks for the identities of a sequence's segments, and gives them in the order of built.
func (r *runner) allocate(ctx context.Context, s *sequence, built []Built) ([]task.SegmentIdentity, error) {
	ordinals := make(map[[2]int64]int)
	slots := make([]task.SegmentSlot, len(built))
	for i, b := range built {
		interval := [2]int64{b.IntervalStart, b.IntervalEnd}
		slots[i] = task.SegmentSlot{Start: b.IntervalStart, End: b.IntervalEnd, Ordinal: ordinals[interval]}
		ordinals[interval]++
	}
	reply, err := r.notify(ctx, task.Notice{Kind: task.NoticeAllocate, Sequence: s.Number, Slots: slots})
	if err != nil {
		return nil, err
	}
	if err := refusal(reply); err != nil {
		return nil, err
	}
	found := make(map[task.SegmentSlot]task.SegmentIdentity, len(reply.Identities))
	for _, id := range reply.Identities {
		found[id.SegmentSlot] = id
	}
	out := make([]task.SegmentIdentity, len(slots))
	for i, slot := range slots {
		id, ok := found[slot]
		if !ok {
			return nil, fmt.Errorf("Could not allocate segment for row with timestamp[%s]", isoTime(slot.Start)) //nolint:staticcheck // Druid's text
		}
		out[i] = id
	}
	return out, nil
}

// push puts one segment into deep storage. A full disk is given time to be cleared.
func (r *runner) push(ctx context.Context, b *Built, id *task.SegmentIdentity) (task.Segment, error) {
	name := SegmentID{
		DataSource: r.spec.DataSchema.DataSource, Start: id.IntervalStart, End: id.IntervalEnd,
		Version: id.Version, PartitionNum: id.PartitionNum,
	}
	pause := r.w.cfg.RetryFirst
	for try := 1; ; try++ {
		loadSpec, size, err := r.w.cfg.Pusher.Push(ctx, b.Dir, name, newUUID())
		if err == nil {
			r.log.Info("segment is pushed", "segment", name.text(), "rows", b.Rows, "bytes", size)
			return task.Segment{
				ID: name.text(), Start: name.Start, End: name.End, Version: name.Version, PartitionNum: name.PartitionNum,
				Dimensions: b.Dimensions, Metrics: b.Metrics, Size: size, Rows: b.Rows, LoadSpec: loadSpec,
			}, nil
		}
		if ctx.Err() != nil {
			return task.Segment{}, context.Cause(ctx)
		}
		if try == pushTries {
			return task.Segment{}, fmt.Errorf("push segment %s, tried %d times: %w", name.text(), try, err)
		}
		r.log.Warn("segment not pushed, trying again", "segment", name.text(), "try", try, "error", err)
		if !pauseFor(ctx, pause) {
			return task.Segment{}, context.Cause(ctx)
		}
		pause = min(2*pause, r.w.cfg.RetryMost)
	}
}

// commit asks the leader to publish. Own copies are deleted exactly where it is known that they were not committed.
func (r *runner) commit(ctx context.Context, s *sequence, segments []task.Segment) error {
	reply, err := r.notify(ctx, task.Notice{
		Kind: task.NoticePublish, Sequence: s.Number, Start: s.Start, End: s.End, Segments: segments,
	})
	switch {
	case err != nil:
		// No answer: it may be committed. The copies stay, for a copy too many costs less than one too few.
		if errors.Is(err, errTooLarge) {
			r.discard(ctx, segments)
		}
		return err
	case reply.AlreadyPublished:
		r.discard(ctx, notAmong(segments, reply.Segments))
		return nil
	case reply.Code == "":
		return nil
	}
	r.discard(ctx, segments)
	if reply.Code == task.CodeGone {
		return errGone
	}
	return fmt.Errorf("Failed to publish segments because of [%s]", reply.Message) //nolint:staticcheck // Druid's text
}

// notAmong gives the segments that lie elsewhere than those committed.
func notAmong(own, committed []task.Segment) []task.Segment {
	var out []task.Segment
	for _, s := range own {
		same := false
		for _, c := range committed {
			same = same || sameJSON(s.LoadSpec, c.LoadSpec)
		}
		if !same {
			out = append(out, s)
		}
	}
	return out
}

func sameJSON(a, b json.RawMessage) bool {
	var x, y bytes.Buffer
	if json.Compact(&x, a) != nil || json.Compact(&y, b) != nil {
		return false
	}
	return bytes.Equal(x.Bytes(), y.Bytes())
}

// discard deletes copies that nobody will refer to. What cannot be deleted is only waste.
func (r *runner) discard(ctx context.Context, segments []task.Segment) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), deleteTimeout)
	defer cancel()
	for _, s := range segments {
		if err := r.w.cfg.Pusher.Delete(ctx, s.LoadSpec); err != nil {
			r.log.Warn("copy of a segment is left behind", "segment", s.ID, "error", err)
		}
	}
}

// retire forgets a sequence that is committed, but for its counters.
func (r *runner) retire(s *sequence) error {
	r.mu.Lock()
	if s.builder != nil {
		r.done.add(s.builder.Counters(), r.partition)
		r.done.remember(s.builder.ParseExceptions(), r.spec.TuningConfig.MaxSavedParseExceptions, r.partition)
	}
	builder := s.builder
	s.builder = nil
	r.sequences = r.sequences[1:] // they are published in order
	r.announce()
	r.mu.Unlock()
	if builder == nil {
		return nil
	}
	if err := builder.Close(); err != nil {
		return fmt.Errorf("remove files of sequence %d: %w", s.Number, err)
	}
	return nil
}

// text is the segment's id in Druid's form.
func (id SegmentID) text() string {
	s := id.DataSource + "_" + isoTime(id.Start) + "_" + isoTime(id.End) + "_" + id.Version
	if id.PartitionNum > 0 {
		s += "_" + strconv.Itoa(id.PartitionNum)
	}
	return s
}

func isoTime(ms int64) string { return time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z") }

// newUUID is a random name (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}
