// Package worker runs indexing tasks in a number of slots: it takes the overlord's orders, reads Kafka from exact
// offsets, has segments built, pushes them and asks the leader to commit them.
//
// Its main type is Worker. It owns the task's side of exactly once: rows enter a sequence exactly between its start and
// end offsets, segments are pushed under names of their own before the publish notice, and copies that were not committed
// are deleted where it is certain that they were not.
//
// It imports domain, its own fault package, and nats.go for its end of the subjects. Kafka, the index and deep storage are
// reached through the interfaces in ports.go.
package worker
