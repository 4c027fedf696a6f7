// Package kafka reads a Kafka cluster for the overlord (Admin: partitions and offsets) and for tasks (Consumer: records
// of given partitions from exact offsets). It owns the translation of Druid's consumerProperties, which are those of the
// Java client, and of the client's errors into the exception classes and messages that Druid shows.
//
// It is the only home of franz-go: none of its types cross this package's boundary. It imports nothing of ours.
package kafka
