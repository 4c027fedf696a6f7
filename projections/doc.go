// Package projections owns the read models: what queries are answered from. Each is a fold over the log with the last
// applied sequence beside its data: status, history, recenterrors, tasks and commits. A sixth, lag, folds measurements.
//
// [Runner] is the main type: it restores the snapshots, follows the log in one goroutine, applies each event once, and
// answers the queries. A projection that is deleted is rebuilt from the log with the same answers, except lag, whose
// samples are not in the log.
//
// It may import domain and eventstore. It decides nothing and writes nothing but its snapshot files.
package projections
