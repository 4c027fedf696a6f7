// Package task owns the lifecycle machine of an indexing task and the messages that the overlord and a worker exchange
// about tasks. It is pure: it names subjects and shapes, and leaves sending them to the two ends.
//
// It may import the standard library's pure packages and looplab/fsm.
package task
