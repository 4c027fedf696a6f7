// Package storetest is the suite that an event store passes on every kind of
// server it runs on: one embedded server, and a cluster of three. It holds what
// callers rely on: fences, idempotent retries, whole batches, replay, tail and
// the lease.
//
// It imports eventstore, nats.go and testing; the servers are the caller's.
package storetest
