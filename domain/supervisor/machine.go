package supervisor

import (
	"context"
	"slices"

	"github.com/looplab/fsm"
)

// The detailed states of a supervisor, as Druid names them (SupervisorStateManager.BasicState and
// SeekableStreamSupervisorStateManager.SeekableStreamState).
const (
	StateNone            = "NONE" // no such supervisor
	StatePending         = "PENDING"
	StateConnecting      = "CONNECTING_TO_STREAM"
	StateDiscovering     = "DISCOVERING_INITIAL_TASKS"
	StateCreating        = "CREATING_TASKS"
	StateRunning         = "RUNNING"
	StateIdle            = "IDLE"
	StateSuspended       = "SUSPENDED"
	StateStopping        = "STOPPING"
	StateUnhealthy       = "UNHEALTHY_SUPERVISOR"
	StateUnableToConnect = "UNABLE_TO_CONNECT_TO_STREAM"
	StateLostContact     = "LOST_CONTACT_WITH_STREAM"
	StateUnhealthyTasks  = "UNHEALTHY_TASKS"
)

// States lists every detailed state.
var States = []string{
	StateNone, StatePending, StateConnecting, StateDiscovering, StateCreating, StateRunning, StateIdle, StateSuspended,
	StateStopping, StateUnhealthy, StateUnableToConnect, StateLostContact, StateUnhealthyTasks,
}

// The triggers of the machine. Those of a run are proposals: the state follows only where the table says so.
const (
	TriggerStart         = "start"
	TriggerUpdate        = "update"
	TriggerSuspend       = "suspend"
	TriggerResume        = "resume"
	TriggerStop          = "stop"
	TriggerRunBegin      = "run.begin"
	TriggerPartitionsOK  = "partitions.ok"
	TriggerCreateBegin   = "create.begin"
	TriggerIdleYes       = "idle.yes"
	TriggerIdleNo        = "idle.no"
	TriggerRunEnd        = "run.end"
	guardNameAlways      = ""
	guardNameSuccessful  = "successful run"
	guardNameNoSuccess   = "no successful run yet"
	guardNameCreating    = "no successful run yet, not suspended"
	guardNameEndRunning  = "some successful run, not suspended"
	guardNameEndSuspend  = "some successful run, suspended"
	guardNameStreamNew   = "runs failed to the threshold, newest error of the stream, no successful run yet"
	guardNameStreamOld   = "runs failed to the threshold, newest error of the stream, some successful run"
	guardNameOther       = "runs failed to the threshold, newest error not of the stream"
	guardNameTasks       = "runs below the threshold, tasks failed to the threshold"
	guardNameRecoverNew  = "recovered, no successful run yet"
	guardNameRecovered   = "recovered"
	guardNameRecover     = "recovered, some successful run"
	guardNameRecoverRun  = "recovered, some successful run, not suspended"
	guardNameRecoverSusp = "recovered, some successful run, suspended"
)

// Triggers lists every trigger.
var Triggers = []string{
	TriggerStart, TriggerUpdate, TriggerSuspend, TriggerResume, TriggerStop, TriggerRunBegin, TriggerPartitionsOK,
	TriggerCreateBegin, TriggerIdleYes, TriggerIdleNo, TriggerRunEnd,
}

var (
	unhealthyStates = []string{StateUnhealthy, StateUnableToConnect, StateLostContact, StateUnhealthyTasks}
	proposals       = []string{TriggerRunBegin, TriggerPartitionsOK, TriggerCreateBegin, TriggerIdleYes, TriggerIdleNo, TriggerRunEnd}
	firstRunStates  = []string{StatePending, StateConnecting, StateDiscovering, StateCreating}
	liveStates      = without(States, StateNone, StateStopping)
)

// Facts are what the guards ask, all of them as they are after the counting of the event that proposes.
type Facts struct {
	FailedToThreshold      bool // consecutive failed runs >= unhealthinessThreshold
	TasksFailedToThreshold bool // consecutive failed tasks >= taskUnhealthinessThreshold
	Recovered              bool // no threshold that was ever hit still waits for its healthiness threshold
	NewestIsStream         bool // the newest of the recent errors came from the stream
	SuccessfulRun          bool // at least one run succeeded since the supervisor was made
	Suspended              bool // the spec is suspended
}

// guards maps a guard's name to what it asks. The names are those in the table and in the diagrams.
var guards = map[string]func(Facts) bool{
	guardNameAlways:      func(Facts) bool { return true },
	guardNameSuccessful:  func(f Facts) bool { return f.SuccessfulRun },
	guardNameNoSuccess:   func(f Facts) bool { return !f.SuccessfulRun },
	guardNameCreating:    func(f Facts) bool { return !f.SuccessfulRun && !f.Suspended },
	guardNameEndRunning:  func(f Facts) bool { return f.SuccessfulRun && !f.Suspended },
	guardNameEndSuspend:  func(f Facts) bool { return f.SuccessfulRun && f.Suspended },
	guardNameStreamNew:   func(f Facts) bool { return f.FailedToThreshold && f.NewestIsStream && !f.SuccessfulRun },
	guardNameStreamOld:   func(f Facts) bool { return f.FailedToThreshold && f.NewestIsStream && f.SuccessfulRun },
	guardNameOther:       func(f Facts) bool { return f.FailedToThreshold && !f.NewestIsStream },
	guardNameTasks:       func(f Facts) bool { return !f.FailedToThreshold && f.TasksFailedToThreshold },
	guardNameRecoverNew:  func(f Facts) bool { return f.Recovered && !f.SuccessfulRun },
	guardNameRecovered:   func(f Facts) bool { return f.Recovered },
	guardNameRecover:     func(f Facts) bool { return f.Recovered && f.SuccessfulRun },
	guardNameRecoverRun:  func(f Facts) bool { return f.Recovered && f.SuccessfulRun && !f.Suspended },
	guardNameRecoverSusp: func(f Facts) bool { return f.Recovered && f.SuccessfulRun && f.Suspended },
}

// Row is one line of the machine's table: in one of From, on one of Triggers, if Guard holds, go to To.
type Row struct {
	ID       string
	From     []string
	Triggers []string
	Guard    string
	To       string
}

// Table is the supervisor's machine, tried from the top: the first row that applies wins, and a pair that no row has
// keeps its state. It is Druid's SupervisorStateManager.maybeSetState with the repair of Druid 37: stopping wins over
// every unhealthy state. Rows of one pair may follow one another only where their guards tell them apart.
var Table = []Row{
	{"start", []string{StateNone, StateStopping}, []string{TriggerStart}, guardNameAlways, StatePending},
	{"replace", liveStates, []string{TriggerUpdate, TriggerSuspend, TriggerResume}, guardNameAlways, StatePending},
	{"stop", liveStates, []string{TriggerStop}, guardNameAlways, StateStopping},

	{"G1", without(liveStates, StateIdle), proposals, guardNameStreamNew, StateUnableToConnect},
	{"G1i", []string{StateIdle}, without(proposals, TriggerRunEnd), guardNameStreamNew, StateUnableToConnect},
	{"G2", without(liveStates, StateIdle), proposals, guardNameStreamOld, StateLostContact},
	{"G2i", []string{StateIdle}, without(proposals, TriggerRunEnd), guardNameStreamOld, StateLostContact},
	{"G3", without(liveStates, StateIdle), proposals, guardNameOther, StateUnhealthy},
	{"G3i", []string{StateIdle}, without(proposals, TriggerRunEnd), guardNameOther, StateUnhealthy},
	{"G4", without(liveStates, StateIdle), proposals, guardNameTasks, StateUnhealthyTasks},
	{"G4i", []string{StateIdle}, without(proposals, TriggerRunEnd), guardNameTasks, StateUnhealthyTasks},

	{"2", firstRunStates, []string{TriggerRunBegin}, guardNameNoSuccess, StateConnecting},
	{"3", []string{StateIdle}, []string{TriggerRunBegin}, guardNameNoSuccess, StateConnecting},
	{"4", []string{StateConnecting}, []string{TriggerPartitionsOK}, guardNameNoSuccess, StateDiscovering},
	{"5", []string{StateDiscovering, StateRunning}, []string{TriggerIdleYes}, guardNameAlways, StateIdle},
	{"6", []string{StateDiscovering}, []string{TriggerCreateBegin}, guardNameCreating, StateCreating},
	// From every state of the first run, since a good run may end before it proposed them all: no later one leaves them.
	{"7", firstRunStates, []string{TriggerRunEnd}, guardNameEndRunning, StateRunning},
	{"8", firstRunStates, []string{TriggerRunEnd}, guardNameEndSuspend, StateSuspended},
	{"12", []string{StateIdle}, []string{TriggerIdleNo}, guardNameSuccessful, StateRunning},
	{"17a", unhealthyStates, []string{TriggerRunBegin}, guardNameRecoverNew, StateConnecting},
	{"17b", unhealthyStates, []string{TriggerPartitionsOK}, guardNameRecoverNew, StateDiscovering},
	{"17c", unhealthyStates, []string{TriggerCreateBegin}, guardNameRecoverNew, StateCreating},
	{"18", unhealthyStates, []string{TriggerRunEnd}, guardNameRecoverRun, StateRunning},
	{"19", unhealthyStates, []string{TriggerRunEnd}, guardNameRecoverSusp, StateSuspended},
	{"20", unhealthyStates, []string{TriggerIdleNo}, guardNameRecover, StateRunning},
	{"21", unhealthyStates, []string{TriggerIdleYes}, guardNameRecovered, StateIdle},
}

// machine interprets Table through looplab/fsm, which knows no guards and lets the last of two equal rows win: every
// row is given to it under a name of its own.
type machine struct {
	fsm  *fsm.FSM
	rows map[string][]Row // trigger → its rows, in order
}

func newMachine() *machine {
	m := &machine{rows: map[string][]Row{}}
	var events fsm.Events
	for _, r := range Table {
		for _, t := range r.Triggers {
			events = append(events, fsm.EventDesc{Name: t + "#" + r.ID, Src: r.From, Dst: r.To})
			m.rows[t] = append(m.rows[t], r)
		}
	}
	m.fsm = fsm.NewFSM(StateNone, events, nil)
	return m
}

// next returns the state after trigger, which is state itself where no row applies.
func (m *machine) next(state, trigger string, f Facts) string {
	for _, r := range m.rows[trigger] {
		if !slices.Contains(r.From, state) || !guards[r.Guard](f) {
			continue
		}
		m.fsm.SetState(state)
		// The only error that can come for a row whose source holds the state is looplab's "no transition" of a row
		// that leads to itself.
		_ = m.fsm.Event(context.Background(), trigger+"#"+r.ID)
		return m.fsm.Current()
	}
	return state
}

// BasicState returns Druid's `state` of a detailed state.
func BasicState(detailed string) string {
	switch detailed {
	case StateConnecting, StateDiscovering, StateCreating:
		return StateRunning
	case StateUnableToConnect, StateLostContact:
		return StateUnhealthy
	}
	return detailed
}

// Healthy reports whether a detailed state is a healthy one.
func Healthy(detailed string) bool { return !slices.Contains(unhealthyStates, detailed) }

func without(all []string, some ...string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return slices.Contains(some, s) })
}
