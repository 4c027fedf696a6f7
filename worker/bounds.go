package worker

import (
	"time"

	"ogham/domain/spec"
	"ogham/domain/task"
)

// bounds are the message times between which rows are kept. Both move forward while the task runs, by the whole minutes of
// taskDuration each time that they are over (Druid's refreshRejectionPeriodsInMinutes); a shorter taskDuration moves them
// by itself. The least time moves from the task's own start: a replacement reads again what its predecessor took. The
// greatest moves from when the group was formed, since a task that waited for a slot, or took another one's place, would
// else take the present for too early. A least time that the spec gives as a date stands still.
type bounds struct {
	least, most   *int64 // as the group was formed
	fixed         bool   // the least time does not move
	began, formed time.Time
	every         time.Duration
}

func newBounds(a task.Assignment, s *spec.Supervisor, now time.Time) *bounds {
	if a.MinimumMessageTime == nil && a.MaximumMessageTime == nil {
		return nil
	}
	b := &bounds{
		least: a.MinimumMessageTime, most: a.MaximumMessageTime, fixed: s.IOConfig.LateMessageRejectionStartDateTime != nil,
		began: now, formed: a.FormedAt, every: s.IOConfig.TaskDuration,
	}
	if b.every > time.Minute {
		b.every = b.every.Truncate(time.Minute)
	}
	if b.formed.IsZero() || b.formed.After(now) {
		b.formed = now
	}
	return b
}

// at returns the bounds at a time.
func (b *bounds) at(now time.Time) (least, most *int64) {
	move := func(bound *int64, from time.Time) *int64 {
		if bound == nil {
			return nil
		}
		moved := *bound + max(now.Sub(from), 0).Truncate(b.every).Milliseconds()
		return &moved
	}
	least, most = b.least, move(b.most, b.formed)
	if !b.fixed {
		least = move(b.least, b.began)
	}
	return least, most
}

// moveBounds gives the bounds of now to the sequences that rows still enter. It is the reader's.
func (r *reader) moveBounds(now time.Time) {
	if r.bounds == nil {
		return
	}
	least, most := r.bounds.at(now)
	if same(least, r.schema.MinTime) && same(most, r.schema.MaxTime) {
		return
	}
	r.schema.MinTime, r.schema.MaxTime = least, most
	for _, s := range r.reading() {
		s.builder.SetTimeBounds(least, most)
	}
}

func same(a, b *int64) bool { return a == b || a != nil && b != nil && *a == *b }
