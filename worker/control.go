package worker

import (
	"context"

	"ogham/domain/task"
)

// announce tells everyone who waits that something under mu has changed. mu is held.
func (r *runner) announce() {
	close(r.signal)
	r.signal = make(chan struct{})
	r.interrupt()
}

// restWanted reports whether the reader is to stand still. mu is held.
func (r *runner) restWanted() bool { return r.pauseOrdered || r.checkpointing || r.quiet > 0 }

// await waits until cond holds, which is asked under mu; it returns with mu held. The error is ctx's.
func (r *runner) await(ctx context.Context, cond func() bool) error {
	r.mu.Lock()
	for !cond() {
		ch := r.signal
		r.mu.Unlock()
		select {
		case <-ch:
		case <-ctx.Done():
			r.mu.Lock()
			return context.Cause(ctx)
		}
		r.mu.Lock()
	}
	return nil
}

// place is where an order stands among those of its kind: each is carried out in a goroutine of its own, and may have
// come by way of a slow connection.
type place struct{ epoch, number uint64 }

func placeOf(o task.Order) place { return place{o.Epoch, o.Number} }

func (p place) before(o place) bool {
	return p.epoch < o.epoch || p.epoch == o.epoch && p.number < o.number
}

// overtaken reports whether an order comes behind one that was given after it; if not, it is the newest. mu is held.
func (r *runner) overtaken(at place) bool {
	if at.number == 0 {
		return false
	}
	if at.before(r.newest) {
		return true
	}
	r.newest = at
	return false
}

func (r *runner) refuseOvertaken() task.OrderReply {
	return refuse(task.CodeOvertaken, "task [%s] follows a later order", r.a.TaskID)
}

// pause makes the task rest and answers where.
func (r *runner) pause(ctx context.Context, at place) task.OrderReply {
	r.mu.Lock()
	if r.overtaken(at) && !r.pauseOrdered {
		defer r.mu.Unlock()
		return r.refuseOvertaken()
	}
	if r.status == task.RunnerPublishing || r.stopped != stopNone {
		defer r.mu.Unlock()
		return refuse(task.CodeRefused, "Cannot pause task as it is currently in state[%s]. Pausable states are [READING, PAUSED].", r.status)
	}
	r.pauseOrdered = true
	r.announce()
	r.mu.Unlock()
	// The rest may never come: the last record before the task's end may just have been read, or the task is told to read on.
	overtaken := func() bool { return at.before(r.newest) && !r.pauseOrdered }
	err := r.await(ctx, func() bool { return r.resting || r.status == task.RunnerPublishing || r.isOver() || overtaken() })
	defer r.mu.Unlock()
	switch {
	case overtaken():
		return r.refuseOvertaken()
	case err != nil:
		return refuse(task.CodeRefused, "Request accepted but task has not yet paused")
	case !r.resting:
		return refuse(task.CodeRefused, "Cannot pause task as it is currently in state[%s]. Pausable states are [READING, PAUSED].", r.status)
	}
	return task.OrderReply{Offsets: r.position.Clone()}
}

func (r *runner) isOver() bool {
	select {
	case <-r.over:
		return true
	default:
		return r.stopped != stopNone
	}
}

// resume lets the task read on, but not where it waits for the end of a full sequence: what came too late, or from a leader
// that does not know of it yet, may not make that sequence larger than it should be.
func (r *runner) resume(at place) task.OrderReply {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.overtaken(at) && r.pauseOrdered {
		return r.refuseOvertaken()
	}
	r.pauseOrdered = false
	r.announce()
	return task.OrderReply{Offsets: r.position.Clone()}
}

// stop ends the task without publishing. A shutdown lets a task that publishes its last rows go on for the grace period.
func (r *runner) stop(kind stopKind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopped == stopNone || kind == stopOrdered {
		r.stopped = kind
	}
	r.announce()
}

// setEnd closes the open sequence. Told twice, it agrees to the same end and refuses another. An end that comes late is
// followed all the same: it is its sequence's number that says whether it still means anything.
func (r *runner) setEnd(ctx context.Context, at place, number int, end task.Offsets, finish bool) task.OrderReply {
	r.mu.Lock()
	_ = r.overtaken(at)
	if reply, known := r.closedAlready(number, end, finish); known {
		r.mu.Unlock()
		return reply
	}
	// The end is compared with a position that does not move: the reader rests while it is.
	r.quiet++
	r.announce()
	r.mu.Unlock()
	err := r.await(ctx, func() bool { return r.resting || r.isOver() })
	defer func() {
		r.quiet--
		r.announce()
		r.mu.Unlock()
	}()
	if err != nil {
		return refuse(task.CodeRefused, "task [%s] has not come to rest yet", r.a.TaskID)
	}
	if r.isOver() {
		return refuse(task.CodeRefused, "task [%s] is stopping", r.a.TaskID)
	}
	if reply, known := r.closedAlready(number, end, finish); known {
		return reply // somebody was faster
	}
	if reply := r.refusesEnd(number, end); reply.Code != "" {
		return reply
	}
	r.applyEnd(end.Clone(), finish)
	return task.OrderReply{Offsets: end}
}

// closedAlready answers for a sequence that has its end. mu is held.
func (r *runner) closedAlready(number int, end task.Offsets, finish bool) (task.OrderReply, bool) {
	c, ok := r.closed[number]
	switch {
	case !ok:
		return task.OrderReply{}, false
	case !c.end.Equal(end):
		return refuse(task.CodeEnd, "Sequence [%d] has already endOffsets set, cannot set to [%s]", number, end.Text()), true
	case c.finish != finish:
		return refuse(task.CodeEnd, "Sequence [%d] has already endOffsets set with finish [%t], cannot change it", number, c.finish), true
	}
	return task.OrderReply{Offsets: end}, true
}

// refusesEnd says why the open sequence cannot end there. mu is held.
func (r *runner) refusesEnd(number int, end task.Offsets) task.OrderReply {
	if len(end) == 0 {
		return refuse(task.CodeRefused, "Request body must contain a map of { partition:endOffset }")
	}
	if len(r.sequences) == 0 {
		return refuse(task.CodeEnd, "Sequence [%d] is not open", number)
	}
	open := r.sequences[len(r.sequences)-1]
	switch {
	case open.Number < number: // the order before has not arrived, and comes again
		return refuse(task.CodeRefused, "Sequence [%d] is not the open one", number)
	case open.End != nil || open.Number != number:
		return refuse(task.CodeEnd, "Sequence [%d] is not the open one", number)
	}
	for p, offset := range end {
		if _, ok := open.Start[p]; !ok || len(end) != len(open.Start) {
			return refuse(task.CodeEnd, "Request contains partitions not being handled by this task, my partitions: %v", open.Start.Partitions())
		}
		if now := max(r.position[p], open.Start[p]); offset < now {
			return refuse(task.CodeEnd, "End sequence must be >= current sequence for partition [%s] (current: %d)", p, now)
		}
	}
	return task.OrderReply{}
}

// applyEnd closes the open sequence and lets the task read on. mu is held, the reader rests.
func (r *runner) applyEnd(end task.Offsets, finish bool) {
	open := r.sequences[len(r.sequences)-1]
	open.End = end
	r.closed[open.Number] = closing{end: end, finish: finish}
	if finish {
		r.finishing = true
	} else {
		r.sequences = append(r.sequences, &sequence{Sequence: task.Sequence{Number: open.Number + 1, Start: end.Clone()}})
	}
	r.pauseOrdered, r.checkpointing = false, false
	r.w.poke()
}

// untilStopped runs do, and gives it up when the task is told to stop.
func (r *runner) untilStopped(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	watch := make(chan struct{})
	go func() {
		defer close(watch)
		err := r.await(ctx, func() bool { return r.stopped != stopNone })
		stopped := r.stopped
		r.mu.Unlock()
		if err == nil {
			cancel(stopped.err())
		}
	}()
	err := do(ctx)
	cause := context.Cause(ctx)
	cancel(nil)
	<-watch
	if err != nil && cause != nil {
		return cause
	}
	return err
}

func (k stopKind) err() error {
	switch k {
	case stopOrdered:
		return errStopped
	case stopShutdown:
		return errShutdown
	case stopNone:
	}
	return nil
}
