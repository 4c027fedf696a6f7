// Package sampler shows what a spec would make of a few records of its topic, before anything is created: Druid's
// sampler. Its main type is [Service].
//
// A sample goes the way of a task's rows: the same schema (worker.SchemaOf), the same input formats and the same index,
// behind the interfaces [Topic] and [Index] and worker.Consumer. It uses no consumer group, never makes a topic, writes
// only to a folder of its own that is gone afterwards, and is bounded in rows, bytes and time; so is the number of samples
// at once.
//
// It may import domain and worker.
package sampler
