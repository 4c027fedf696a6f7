// Package eventstore is the log of facts on NATS JetStream: it appends events
// behind a fence, loads an aggregate, replays and follows the whole log, keeps
// snapshots, guards the history against damage, and elects the one leader that
// may write.
//
// Its main type is [Store]; [Aggregate] is the handle through which one
// aggregate is written. An aggregate is one supervisor with all its tasks, or
// one overlord: its events share one consistency boundary and one chain of
// hashes, whatever their subjects.
//
// An event here is a type name, a schema version and bytes. Which Go type that
// is, the codec beside this file and the domain know; [Upcasters] raise old
// bytes to the newest version on the way out.
//
// The package imports the standard library, nats.go and its atomic batches, and
// domain. It does not start a server (adapters/natsserver does), knows no HTTP,
// and never edits or deletes an event.
package eventstore
