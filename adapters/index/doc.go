// Package index turns the rows of one sequence of a task into segments: an in-memory columnar index per interval, spills
// of it in sorted order, and a merge of the spills into one v9 folder per interval.
//
// Its main type is Builder. Records go in through a Parser (adapters/inputformat has those), whose values are converted
// by the rules of domain/row and appended to columns: dictionary ids for strings, fixed-width slabs for numbers; with
// rollup one hash lookup finds the row to add to. When the memory or row limit is reached the index is frozen, sorted and
// spilled in the background while rows go on entering a fresh one; at most one spill is under way, and the next waits for
// it. Finish merges spills and memory and streams the columns to a segment.Writer one after the other.
//
// The order of rows is Druid's: time, then dimensions in order, then arrival. How records are cut into batches and spills
// does not change a byte of the result (sums of doubles under rollup apart, which depend on the order of adding).
//
// It imports domain/row, adapters/segment and golang.org/x/sys. It does not know Kafka, specs or deep storage, and
// decides nothing about when a sequence ends.
package index
