// Package inputformat turns Kafka records into rows for adapters/index.
//
// Formats.New makes the index.Parser for an inputFormat of a spec. Plain JSON has a strict scanner that goes over the bytes
// once and takes out the wanted fields only (JSON); whatever else JSON may ask for, Avro, Protobuf and Thrift make a tree of
// row.Values of a record, and a flattener makes rows of trees by the flattenSpec (package jsonpath has the paths, gojq
// the jq queries). csv, tsv and regex read lines that stand apart. kafka wraps any of them and adds what a record has
// beside its value. Each format is one type with the methods of index.Parser, in files named for it; all put their rows
// into a table.
//
// Schemas come from the spec, from a descriptor's or a .thrift file or from a schema registry, whose client and schemas the parsers of
// one Formats share. A record that cannot be read is a *row.RecordError; any other error, of a flattenSpec's expression or
// of a registry that cannot be asked, fails the task.
//
// It imports domain/row for the values it delivers and adapters/index for the interface that it meets. It converts
// nothing: what a value means in a column is decided by the index, by the rules of domain/row.
package inputformat
