// Command gen writes the documents that follow from the code: a page for each type of event and an AsyncAPI document
// over all of them, a page for each of the two machines, the table of consumer properties in the page about Kafka, and of
// docs/api/openapi.yaml what the server answers. Run it from the repository's root:
//
//	go run ./docs/gen
//
// A test fails where the committed documents are not what it writes. It reads the Go types' comments, and may import
// the domain, the event store and, for its table, the adapter of Kafka.
package main
