package supervisor

import "ogham/domain/task"

func (s *State) evolveTask(r Recorded) {
	switch e := r.Event.(type) {
	case *TaskCreated:
		if s.Tasks == nil {
			s.Tasks = map[string]*Task{}
		}
		s.Tasks[e.TaskID] = &Task{ID: e.TaskID, GroupKey: e.Group, GroupNumber: e.GroupNumber, State: e.reached(task.StatePending), CreatedAt: r.Time}
		if g := s.Group(e.Group); g != nil {
			g.TaskIDs = append(g.TaskIDs, e.TaskID)
		}
	case *TaskAssigned:
		if t := s.Tasks[e.TaskID]; t != nil {
			t.State, t.AssignedAt = e.reached(t.State), r.Time
			t.WorkerID, t.Incarnation, t.Host, t.Port = e.WorkerID, e.Incarnation, e.Host, e.Port
		}
	case *TaskStarted:
		if t := s.Tasks[e.TaskID]; t != nil {
			t.State, t.StartedAt = e.reached(t.State), e.StartTime
		}
	case *TaskPaused:
		if t := s.Tasks[e.TaskID]; t != nil {
			t.Paused = true
		}
	case *TaskResumed:
		if t := s.Tasks[e.TaskID]; t != nil {
			t.Paused = false
		}
	case *TaskSucceeded:
		s.Health.Counts = e.Health
		if g := s.GroupOf(e.TaskID); g != nil {
			s.release(g, "task["+e.TaskID+"] succeeded in the taskGroup", true)
			s.dropGroup(g.Key, false)
		}
		s.endTask(e.TaskID)
	case *TaskFailed:
		s.Health.Counts = e.Health
		if g := s.GroupOf(e.TaskID); g != nil && g.Publishing {
			g.Failures++
		}
		s.endTask(e.TaskID)
	case *TaskStopped:
		s.endTask(e.TaskID)
	}
}

// unpause lets the tasks of a group read on: an end of its open sequence is for all of them, and none may hold up the
// others.
func (s *State) unpause(g *Group) {
	for _, id := range g.TaskIDs {
		if t := s.Tasks[id]; t != nil {
			t.Paused = false
		}
	}
}

// reached is the state that the event moved its task to, or state for an event that says nothing of it.
func (b TaskBase) reached(state string) string {
	if b.Transition == nil {
		return state
	}
	return b.Transition.To
}

func (s *State) endTask(id string) {
	t := s.Tasks[id]
	if t == nil {
		return
	}
	if g := s.Group(t.GroupKey); g != nil {
		ids := g.TaskIDs[:0:0]
		for _, x := range g.TaskIDs {
			if x != id {
				ids = append(ids, x)
			}
		}
		g.TaskIDs = ids
		if g.Publishing && len(ids) == 0 && g.Done() {
			s.dropGroup(g.Key, false)
		}
	}
	delete(s.Tasks, id)
}
