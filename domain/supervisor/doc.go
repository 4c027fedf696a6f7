// Package supervisor owns the supervisor aggregate: its machine of detailed states, its health counters, its task groups
// and the tasks in them, its committed offsets and the identities of its segments.
//
// [Decider.Decide] turns a command into events, or refuses it with a [Refusal]; [Evolve] folds an event into a [State].
// Nothing else changes a State. A supervisor and its tasks are one consistency boundary: one actor decides for all of
// them, and one fence guards their events in the log.
//
// It may import domain/task and looplab/fsm. It knows no clock, no ids but those in commands, and no spec beyond the few
// facts that a command carries.
package supervisor
