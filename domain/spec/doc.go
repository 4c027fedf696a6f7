// Package spec owns the Druid Kafka supervisor spec: reading it as Druid reads it, filling in its defaults, refusing what
// cannot run, and writing it back key for key as Druid 33 answers it. Its main type is Supervisor, made by Parse.
//
// The package is pure and imports the standard library and domain/calendar only. It does not resolve config providers,
// does not look at a broker, and does not know what a task does with a spec: Unsupported only names the options that
// tasks cannot carry out yet, so that the caller can refuse them.
//
// A spec is read in three steps: the body becomes a tree that keeps key order and number text (tree.go), readers with
// Jackson's leniency take values out of it and collect every problem with its path (reader.go, coerce.go), and one file
// per part of the spec fills in the typed fields and, beside them, the canonical JSON.
package spec
