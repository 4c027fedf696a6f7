// Package natsserver runs a NATS server with JetStream inside the process: the
// place where the log lives when no external server is named.
//
// It owns the lifetime of that server, the lock on its store folder, the limit
// that keeps the store below the free space of its disk, and who may do what
// over the optional network port. Every write is synced ([Server.SyncAlways]);
// there is no switch to turn that off, because an acknowledged event must
// survive a power cut.
//
// Its main type is [Server]. It imports the standard library, nats-server,
// nats.go and golang.org/x/sys only. It knows nothing of events or streams:
// the eventstore package does.
package natsserver
