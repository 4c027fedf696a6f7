// Package inputformat turns the bytes of Kafka records into rows for adapters/index.
//
// New makes the index.Parser for an inputFormat of a spec; its main type is JSON, a strict scanner that goes over the
// bytes once and takes out the wanted fields only. Each format is one type with the methods of index.Parser, in files
// named for it; further formats (csv, tsv, avro, protobuf, kafka) take their place beside json and have their case in
// New. What is not there yet is refused with an *UnsupportedError that names it.
//
// It imports domain/row for the values it delivers and adapters/index for the interface that it meets. It converts
// nothing: what a value means in a column is decided by the index, by the rules of domain/row.
package inputformat
