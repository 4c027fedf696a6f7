// Command ogham runs Kafka ingestion for Apache Druid and keeps every decision in a log.
//
// This package wires the others together and reads flags, environment and property files; it decides nothing itself.
// It may import everything.
package main
