package row

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Counters are a task's row counters, Druid's buildSegments totals. Rows in is the sum of Processed, ProcessedWithError,
// ThrownAway and Unparseable.
type Counters struct {
	Processed, ProcessedBytes, ProcessedWithError, ThrownAway, Unparseable int64
	// RecordsProcessed counts the rows added, per partition.
	RecordsProcessed map[Source]int64
}

// Source is the partition of a topic that a record is of.
type Source struct {
	Topic     string
	Partition int32
}

// The values of ParseException.ErrorType.
const (
	ErrorUnparseable        = "unparseable"
	ErrorProcessedWithError = "processedWithError"
)

// ParseException is one saved parse error.
type ParseException struct {
	Input                 string
	ErrorType             string
	Details               []string
	TimeOfExceptionMillis int64
	Source
	Offset int64
}

// Place is where in a Kafka record an error is, which follows the message of every error that loses rows. The zero value
// is no place.
type Place struct {
	// Record counts from 1; only rows that were read move it on, since Druid's reader does not count the others.
	Record int
	// Line counts from 1, header lines among them; 0: the format knows no lines.
	Line int
}

// String gives the place as it stands behind a message.
func (p Place) String() string {
	switch {
	case p.Record == 0:
		return ""
	case p.Line == 0:
		return fmt.Sprintf(" (Record: %d)", p.Record)
	}
	return fmt.Sprintf(" (Record: %d, Line: %d)", p.Record, p.Line)
}

// recordSuffix follows the message of an error that loses a whole record.
const recordSuffix = " (Record: 1)"

// SyntaxMessage is the detail for a record that an input format cannot read.
func SyntaxMessage(input string) string {
	return "Unable to parse row [" + input + "]" + recordSuffix
}

// EmptyMessage is the detail for a record without any row.
func EmptyMessage(input string) string {
	return "Unable to parse [" + input + "] as the intermediateRow resulted in empty input row" + recordSuffix
}

// TimestampMessage is the detail for a row whose time cannot be read; event is ShortEvent's text.
func TimestampMessage(value, event string) string {
	return "Timestamp[" + value + "] is unparseable! Event: " + event
}

// TimeRangeMessage is the detail for a row whose time is outside Druid's range.
func TimeRangeMessage(ms int64, event string) string {
	return fmt.Sprintf("Encountered row with timestamp[%s] that cannot be represented as a long: [%s]", FormatISO(ms), event)
}

// maxEventUnits is how much of an event's text Druid shows, in UTF-16 units.
const maxEventUnits = 100

// ShortEvent cuts an event's text to what Druid prints of it.
func ShortEvent(event string) string {
	units := 0
	for i, r := range event {
		n := utf16.RuneLen(r)
		if n < 0 {
			n = 1
		}
		if units+n > maxEventUnits {
			return event[:i] + "..."
		}
		units += n
		if units == maxEventUnits {
			_, size := utf8.DecodeRuneInString(event[i:])
			return event[:i+size] + "..."
		}
	}
	return event
}

// MaxParseExceptionsMessage is the task's error when there were too many parse errors.
func MaxParseExceptionsMessage(limit int) string {
	return fmt.Sprintf("Max parse exceptions[%d] exceeded", limit)
}

// RecordError says that an input format found no row in a record; Message is Druid's detail for it.
type RecordError struct {
	Input   string
	Message string
}

func (e *RecordError) Error() string { return e.Message }
