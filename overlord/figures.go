package overlord

import (
	"context"
	"sync"

	"ogham/domain/task"
)

// asked is a running task with what it said of itself.
type asked struct {
	id, worker string
	group      int
	reply      task.OrderReply
	err        error
}

// askAll asks all running tasks of a supervisor side by side.
func (s *Service) askAll(ctx context.Context, a *actor) ([]asked, error) {
	var all []asked
	if err := a.do(ctx, func(context.Context) {
		for _, id := range a.state.TaskIDs() {
			t := a.state.Tasks[id]
			if t.State == task.StateReading || t.State == task.StatePublishing {
				all = append(all, asked{id: id, worker: t.WorkerID, group: t.GroupNumber})
			}
		}
	}); err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	for i := range all {
		wg.Go(func() { all[i].reply, all[i].err = s.Ask(ctx, all[i].worker, all[i].id) })
	}
	wg.Wait()
	return all, nil
}

// Stats asks the running tasks of a supervisor for their row counters, by group number and task id. A task that does not
// answer is left out.
func (s *Service) Stats(ctx context.Context, id string) (map[int]map[string]task.Stats, error) {
	groups := map[int]map[string]task.Stats{}
	t := s.leading()
	if t == nil {
		return nil, &NotLeaderError{URL: s.LeaderURL()}
	}
	a, _ := t.actor(ctx, id, false)
	if a == nil {
		return groups, nil
	}
	all, err := s.askAll(ctx, a)
	if err != nil {
		return nil, err
	}
	for _, x := range all {
		if x.err != nil {
			continue
		}
		if groups[x.group] == nil {
			groups[x.group] = map[string]task.Stats{}
		}
		groups[x.group][x.id] = x.reply.Report.Stats
	}
	return groups, nil
}

// ParseErrors returns the newest rows that the tasks of a supervisor saved because they could not be ingested, newest
// first: what its running tasks tell now and what was told before, under this spec and this leader. There are at most
// maxSavedParseExceptions for each of taskCount tasks, and none where maxParseExceptions lets none pass.
func (s *Service) ParseErrors(ctx context.Context, id string) ([]task.ParseException, error) {
	t := s.leading()
	if t == nil {
		return nil, &NotLeaderError{URL: s.LeaderURL()}
	}
	a, _ := t.actor(ctx, id, false)
	if a == nil {
		return nil, nil
	}
	limit := 0
	if err := a.do(ctx, func(context.Context) {
		if sp, err := a.current(); err == nil && sp.TuningConfig.MaxParseExceptions > 0 {
			limit = sp.TuningConfig.MaxSavedParseExceptions * sp.IOConfig.TaskCount
		}
	}); err != nil || limit <= 0 {
		return nil, err
	}
	all, err := s.askAll(ctx, a)
	if err != nil {
		return nil, err
	}
	var told []task.ParseException
	for _, x := range all {
		if x.err == nil {
			told = append(told, x.reply.ParseExceptions...)
		}
	}
	return a.measures.keepErrors(told, limit), nil
}
