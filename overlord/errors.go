package overlord

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"ogham/domain/supervisor"
)

// NotLeaderError is answered to a command by an overlord that does not lead. URL is the leader's, if known.
type NotLeaderError struct{ URL string }

func (e *NotLeaderError) Error() string { return "this overlord is not the leader" }

// NotLeader tells who refuses a command because another node leads, and where that is.
func (e *NotLeaderError) NotLeader() string { return e.URL }

// streamException is what errors of a Stream may be.
type streamException interface {
	error
	StreamException() (class, message string)
}

// classified is an error with the class name that Druid shows for its kind.
type classified interface {
	error
	ExceptionClass() string
}

// errorEvent makes the entry of recentErrors of an error.
func errorEvent(err error, at time.Time) supervisor.ErrorEvent {
	e := supervisor.ErrorEvent{Timestamp: at.UnixMilli(), ExceptionClass: "java.lang.Exception", Message: err.Error()}
	var s streamException
	if errors.As(err, &s) {
		e.ExceptionClass, e.Message = s.StreamException()
		e.StreamException = true
		return e
	}
	var c classified
	if errors.As(err, &c) {
		e.ExceptionClass = c.ExceptionClass()
	}
	return e
}

// ise is Druid's illegal-state exception, which a supervisor raises itself.
type ise struct{ message string }

func (e *ise) Error() string { return e.message }

func (e *ise) ExceptionClass() string { return "org.apache.druid.java.util.common.ISE" }

// streamISE is an ise inside a stream exception.
type streamISE struct{ ise }

func (e *streamISE) StreamException() (class, message string) {
	return e.ExceptionClass(), e.ExceptionClass() + ": " + e.message
}

func newISE(format string, args ...any) error { return &ise{message: fmt.Sprintf(format, args...)} }

func newStreamISE(format string, args ...any) error {
	return &streamISE{ise{message: fmt.Sprintf(format, args...)}}
}

// panicError is a broken invariant inside one supervisor: it makes that one unhealthy and leaves the others alone.
type panicError struct{ value any }

func (e *panicError) Error() string { return fmt.Sprintf("internal error: %v", e.value) }

func (e *panicError) ExceptionClass() string {
	return "ogham." + strings.TrimPrefix(reflect.TypeOf(e.value).String(), "*")
}
