package supervisor

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"

	"ogham/domain/task"
)

// Decider turns commands into events. It holds the two machines as scratch space, so it belongs to one caller at a time;
// what it answers depends on its thresholds, the state and the command only.
type Decider struct {
	thresholds Thresholds
	machine    *machine
	tasks      *task.Machine
}

// NewDecider makes a decider with these thresholds.
func NewDecider(t Thresholds) *Decider {
	return &Decider{thresholds: t, machine: newMachine(), tasks: task.NewMachine()}
}

// Decide returns the events that the command leads to, none where it changes nothing, or a *Refusal. It does not
// change s.
func (d *Decider) Decide(s *State, c Command) ([]Event, error) {
	switch c := c.(type) {
	case SubmitSpec:
		return d.submit(s, c)
	case SuspendSupervisor, ResumeSupervisor, TerminateSupervisor, ResetSupervisor, ResetOffsets, RequestHandoff:
		if !s.Exists() {
			return nil, &Refusal{CodeNotFound, fmt.Sprintf("Cannot find any supervisor with id: [%s]", s.ID)}
		}
		return d.operate(s, c)
	case ScaleTasks:
		return d.scale(s, c)
	case TakeLead:
		return one(&LeaderElected{Node: c.Node})
	case Propose, NotePartitions, EndRun:
		return d.run(s, c)
	case FormGroup, CreateTask, AbandonGroup, Checkpoint:
		return d.group(s, c)
	case AssignTask, StartTask, PauseTask, ResumeTask, SucceedTask, FailTask, StopTask:
		return d.task(s, c)
	case AllocateSegments:
		return d.allocate(s, c)
	case PublishSegments:
		return d.publish(s, c)
	}
	return nil, &Refusal{CodeInvalid, fmt.Sprintf("unknown command %T", c)}
}

func one(e Event) ([]Event, error) { return []Event{e}, nil }

// move asks the machine; nil where the state stays.
func (d *Decider) move(s *State, trigger string, f Facts) *Transition {
	to := d.machine.next(s.Detailed, trigger, f)
	if to == s.Detailed {
		return nil
	}
	return &Transition{From: s.Detailed, To: to, Trigger: trigger}
}

// restart is the transition of a change that Druid makes by replacing the supervisor object. It is told even where the
// state stays PENDING, since the counters behind it start anew.
func (d *Decider) restart(s *State, trigger string) *Transition {
	return &Transition{From: s.Detailed, To: d.machine.next(s.Detailed, trigger, Facts{}), Trigger: trigger}
}

func (d *Decider) submit(s *State, c SubmitSpec) ([]Event, error) {
	if !s.Exists() {
		return one(&SupervisorCreated{
			Base: Base{d.restart(s, TriggerStart)}, Spec: c.Spec, Stream: c.Stream.Name, MultiTopic: c.Stream.Pattern,
			KeptTopics: s.keptBy(c), Suspended: c.Suspended,
		})
	}
	equal := sameJSON(s.Spec, c.Spec)
	if equal && c.SkipIfUnmodified {
		return nil, nil
	}
	return one(&SpecUpdated{
		Base: Base{d.restart(s, TriggerUpdate)}, Spec: c.Spec, Stream: c.Stream.Name, MultiTopic: c.Stream.Pattern,
		KeptTopics: s.keptBy(c), Suspended: c.Suspended, Unchanged: equal,
	})
}

// keptBy returns the topics whose offsets a spec with another stream goes on from.
func (s *State) keptBy(c SubmitSpec) []string {
	if c.Stream == s.Reads() {
		return nil
	}
	return c.KeptTopics
}

// sameJSON compares two canonical specs whatever their escapes: one may have come through a snapshot.
func sameJSON(a, b json.RawMessage) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

func (d *Decider) operate(s *State, c Command) ([]Event, error) {
	switch c := c.(type) {
	case SuspendSupervisor:
		if s.Suspended {
			return nil, &Refusal{CodeAlreadySuspended, fmt.Sprintf("[%s] is already suspended", s.ID)}
		}
		return one(&SupervisorSuspended{Base: Base{d.restart(s, TriggerSuspend)}, Spec: c.Spec})
	case ResumeSupervisor:
		if !s.Suspended {
			return nil, &Refusal{CodeAlreadyRunning, fmt.Sprintf("[%s] is already running", s.ID)}
		}
		return one(&SupervisorResumed{Base: Base{d.restart(s, TriggerResume)}, Spec: c.Spec})
	case TerminateSupervisor:
		return one(&SupervisorTerminated{Base: Base{d.move(s, TriggerStop, Facts{})}})
	case ResetSupervisor:
		return one(&SupervisorReset{})
	case ResetOffsets:
		return d.resetOffsets(s, c)
	case RequestHandoff:
		var asked []int
		for _, n := range c.Numbers {
			if g := s.Active[n]; g != nil && !g.HandoffEarly && !slices.Contains(asked, n) {
				asked = append(asked, n)
			}
		}
		if len(asked) == 0 {
			return nil, nil
		}
		return one(&HandoffRequested{Numbers: asked})
	}
	return nil, &Refusal{CodeInvalid, fmt.Sprintf("unknown command %T", c)}
}

func (d *Decider) resetOffsets(s *State, c ResetOffsets) ([]Event, error) {
	if c.Stream != "" && c.Stream != s.Stream {
		return nil, &Refusal{CodeInvalid, fmt.Sprintf("Stream[%s] doesn't exist in the supervisor[%s]. Supervisor is consuming stream[%s].", c.Stream, s.ID, s.Stream)}
	}
	c.Offsets = s.plainNames(c.Offsets)
	for _, p := range c.Offsets.Partitions() {
		if topic, _, _ := p.Split(); (topic != "") != s.MultiTopic {
			form := "0"
			if s.MultiTopic {
				form = "topic:0"
			}
			return nil, &Refusal{CodeInvalid, fmt.Sprintf("Partition[%s] doesn't exist in the supervisor[%s], whose partitions are named [%s].", p, s.ID, form)}
		}
	}
	if len(c.Offsets) == 0 && len(c.Remove) == 0 {
		return nil, nil
	}
	return one(&OffsetsReset{Offsets: c.Offsets, Removed: c.Remove})
}

// scale takes another taskCount where the supervisor is as the autoscaler saw it. What is not moving is not scaled, and
// nothing is while groups still publish: as in Druid, whose next action waits for the one before to be through.
func (d *Decider) scale(s *State, c ScaleTasks) ([]Event, error) {
	switch {
	case c.To < 1 || c.To == c.From || len(c.Samples) == 0:
		return nil, &Refusal{CodeInvalid, fmt.Sprintf("cannot scale from [%d] to [%d] tasks by [%d] lags", c.From, c.To, len(c.Samples))}
	case !s.Exists() || c.SpecVersion != s.SpecVersion, s.Suspended, s.Detailed == StateIdle, len(s.Pending) > 0:
		return nil, nil
	}
	return one(&ScaleDecided{
		Spec: c.Spec, From: c.From, To: c.To, Reason: c.Reason, Samples: c.Samples, Groups: c.Groups, Partitions: c.Partitions,
	})
}
