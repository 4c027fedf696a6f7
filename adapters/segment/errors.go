package segment

import (
	"errors"
	"fmt"
)

// CorruptError says that the bytes of a segment contradict the format. It is
// returned for every damage the reader meets, whatever the damaged part.
type CorruptError struct {
	// Part is the internal file, column or list that is damaged.
	Part string
	// Reason tells what does not hold.
	Reason string
}

// Error implements error.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("segment is corrupt: %s: %s", e.Part, e.Reason)
}

// UnsupportedError says that something the format knows is not implemented
// here, for reading or for writing.
type UnsupportedError struct {
	// Column is the column concerned, empty when it is the whole segment.
	Column string
	// Feature names what is missing.
	Feature string
}

// Error implements error.
func (e *UnsupportedError) Error() string {
	if e.Column == "" {
		return "segment: " + e.Feature + " is not supported"
	}
	return fmt.Sprintf("segment column %q: %s is not supported", e.Column, e.Feature)
}

// ErrNoColumn is wrapped by the reader's accessors when the segment has no
// column of the name, or has it with another type.
var ErrNoColumn = errors.New("no such column")

func corruptf(part, format string, args ...any) error {
	return &CorruptError{Part: part, Reason: fmt.Sprintf(format, args...)}
}
