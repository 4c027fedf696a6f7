// Package tasklogs keeps what tasks write, from their first line until the retention is over.
//
// A [Store] is one process's: a folder of its own where running tasks write, and the log folder
// (druid.indexer.logs.directory) that an ended task's log is moved to, under Druid's name TASKID.log. Stores find one
// another over NATS: each answers for the logs that it has, and those of overlords fetch a copy of every log that is
// handed over, so that it is there when the worker is not. Where all processes share the log folder nothing is copied.
//
// What a process that was killed had written is handed over by its next start on the same folder.
//
// The package knows files and names, not tasks. It imports eventstore for names in subjects, and nats.go.
package tasklogs
