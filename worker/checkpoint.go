package worker

import (
	"context"
	"sync"
	"time"

	"ogham/domain/task"
)

// checkpointDue reports whether the open sequence has become large or old enough to be published by itself.
func (r *reader) checkpointDue() (due bool, number int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.finishing || len(r.sequences) == 0 {
		return false, 0
	}
	open := r.sequences[len(r.sequences)-1]
	now := time.Now()
	if open.Number != r.openNumber {
		r.openNumber, r.opened = open.Number, now
	}
	t := &r.spec.TuningConfig
	if open.builder != nil {
		if limit := int64(t.MaxRowsPerSegment); limit > 0 && open.builder.MaxSegmentRows() >= limit {
			return true, open.Number
		}
		// What is being published does not count: while it is on its way, one sequence after the other would be closed
		// with a few rows.
		var rows int64
		for _, s := range r.sequences {
			if s.builder != nil && !s.handed {
				rows += s.builder.Rows()
			}
		}
		if t.MaxTotalRows > 0 && rows >= t.MaxTotalRows {
			return true, open.Number
		}
	}
	old := t.IntermediateHandoffPeriod > 0 && now.Sub(r.opened) >= t.IntermediateHandoffPeriod
	return old && open.advanced(r.position), open.Number
}

// advanced reports whether anything of the sequence has been read.
func (s *sequence) advanced(position task.Offsets) bool {
	for p, from := range s.Start {
		if position[p] > from {
			return true
		}
	}
	return false
}

// checkpoint rests and asks the leader for the end offsets of the open sequence, again and again until they are set.
func (r *reader) checkpoint(ctx context.Context, number int) error {
	r.mu.Lock()
	r.checkpointing = true
	r.mu.Unlock()

	asking, enough := context.WithCancel(ctx)
	var refused error
	var wg sync.WaitGroup
	wg.Go(func() {
		if refused = r.ask(asking, number); refused != nil {
			r.mu.Lock()
			r.checkpointing = false
			r.announce()
			r.mu.Unlock()
		}
	})
	err := r.rest(ctx)
	enough()
	wg.Wait()
	if err != nil {
		return err
	}
	return refused
}

// ask sends the notice until ctx ends. An error is a refusal for good.
func (r *reader) ask(ctx context.Context, number int) error {
	for {
		reply, err := r.notify(ctx, task.Notice{Kind: task.NoticeCheckpoint, Sequence: number})
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if err := refusal(reply); err != nil {
			return err
		}
		if !pauseFor(ctx, checkpointPatience) {
			return nil
		}
	}
}
