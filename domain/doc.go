// Package domain is the root of Ogham's pure core: the supervisor and task machines, the spec, and what a task does to a
// row. Nothing below it knows the time, makes an id, does IO, logs or starts a goroutine; time and ids arrive with a
// command. It may import the standard library's pure packages and looplab/fsm, and nothing else of ours.
package domain
