// Package row says what an ingestion task does to one row, independent of the JSON spec and of any input format: which
// fields it wants (Schema), how a timestamp is read, how values turn into string, long, float and double columns, how
// time is truncated and bucketed (Granularity), how rows are counted, and the words of Druid's parse errors.
//
// Its main type is Schema; a parser turns bytes into Values, and the index turns Values into columns by the rules here.
// The package is pure: it imports the standard library's value packages only, knows no clock and does no IO. It does
// not parse records, keep rows or write segments; those are adapters/inputformat, adapters/index and adapters/segment.
package row
