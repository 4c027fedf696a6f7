package task

import (
	"context"
	"fmt"

	"github.com/looplab/fsm"
)

// The states of a task. Druid's TaskState has only RUNNING, SUCCESS and FAILED; the states before the end are those of
// its runner (SeekableStreamIndexTaskRunner.Status) as far as they are decided by the overlord.
const (
	// StateNone is a task that does not exist.
	StateNone = "NONE"
	// StatePending waits for a worker with a free slot.
	StatePending = "PENDING"
	// StateNotStarted was given to a worker, which has not said yet that it runs.
	StateNotStarted = "NOT_STARTED"
	// StateReading consumes its partitions.
	StateReading = "READING"
	// StatePublishing has been told its end offsets, and finishes.
	StatePublishing = "PUBLISHING"
	// StateSuccess is final: everything that it read is committed.
	StateSuccess = "SUCCESS"
	// StateFailed is final: whatever it did not commit is read again by its replacement.
	StateFailed = "FAILED"
)

// The triggers of a task's machine.
const (
	TriggerCreate  = "create"
	TriggerAssign  = "assign"
	TriggerStart   = "start"
	TriggerPublish = "publish"
	TriggerSucceed = "succeed"
	TriggerFail    = "fail"
	TriggerStop    = "stop"
)

// States lists every state in the order of a task's life.
var States = []string{StateNone, StatePending, StateNotStarted, StateReading, StatePublishing, StateSuccess, StateFailed}

// Triggers lists every trigger.
var Triggers = []string{TriggerCreate, TriggerAssign, TriggerStart, TriggerPublish, TriggerSucceed, TriggerFail, TriggerStop}

// Table is the task's lifecycle machine: each row once, no guards.
var Table = fsm.Events{
	{Name: TriggerCreate, Src: []string{StateNone}, Dst: StatePending},
	{Name: TriggerAssign, Src: []string{StatePending}, Dst: StateNotStarted},
	{Name: TriggerStart, Src: []string{StateNotStarted}, Dst: StateReading},
	{Name: TriggerPublish, Src: []string{StateReading}, Dst: StatePublishing},
	// A replacement in a group that was told to finish before it began knows its end from the start.
	{Name: TriggerSucceed, Src: []string{StateReading, StatePublishing}, Dst: StateSuccess},
	{Name: TriggerFail, Src: []string{StatePending, StateNotStarted, StateReading, StatePublishing}, Dst: StateFailed},
	{Name: TriggerStop, Src: []string{StatePending, StateNotStarted, StateReading, StatePublishing}, Dst: StateFailed},
}

// Final reports whether a task in this state has ended.
func Final(state string) bool { return state == StateSuccess || state == StateFailed }

// ErrNoTransition is returned for a (state, trigger) pair that the table does not have.
type ErrNoTransition struct{ State, Trigger string }

func (e *ErrNoTransition) Error() string {
	return fmt.Sprintf("a task that is %s cannot take the trigger %s", e.State, e.Trigger)
}

// Machine interprets Table. It is scratch space of one decider: not safe for concurrent use.
type Machine struct{ fsm *fsm.FSM }

// NewMachine builds the machine once; Next sets its state for every question.
func NewMachine() *Machine { return &Machine{fsm: fsm.NewFSM(StateNone, Table, nil)} }

// Next returns the state that trigger leads to, or *ErrNoTransition.
func (m *Machine) Next(state, trigger string) (string, error) {
	m.fsm.SetState(state)
	if err := m.fsm.Event(context.Background(), trigger); err != nil {
		return state, &ErrNoTransition{State: state, Trigger: trigger}
	}
	return m.fsm.Current(), nil
}
