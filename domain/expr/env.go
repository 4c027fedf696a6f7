package expr

import (
	"errors"
	"fmt"
	"unsafe"
)

// Bindings gives a Program the columns that it reads.
type Bindings interface {
	// Input gives the value of the column that Program.Inputs names at i.
	Input(i int) Value
}

// Env is what evaluations need beside their Program: memory for texts and variables, and the bounds of the work. One
// goroutine uses it at a time. The zero value is ready for use.
type Env struct {
	row    Bindings
	locals []Value
	arena  []byte
	err    error
	final  bool // err names the function that failed
	work   int
}

const (
	// maxWork bounds the elements and bytes that one evaluation makes: what a row of ordinary size needs, many times over.
	maxWork = 64 << 20
	// keepArena is how much memory for texts is kept from row to row.
	keepArena = 1 << 20
)

// Error says that an expression cannot be evaluated for a row. Its text is Druid's where Druid has one.
type Error struct{ Message string }

func (e *Error) Error() string { return e.Message }

var errWork = errors.New("the expression takes too much work: it makes more than 64 MiB of text or elements")

// start begins an evaluation.
func (e *Env) start(row Bindings) { e.row, e.work, e.err, e.final = row, 0, nil, false }

// Reset makes the memory of all texts free that were computed with e.
func (e *Env) Reset() {
	if cap(e.arena) > keepArena {
		e.arena = nil
	}
	e.arena = e.arena[:0]
}

// fail notes the first error of an evaluation, which goes on with nulls.
func (e *Env) fail(format string, args ...any) Value {
	if e.err == nil {
		e.err = &Error{fmt.Sprintf(format, args...)}
	}
	return Value{}
}

// spend counts n units of work; ok is false when there has been too much, or another error.
func (e *Env) spend(n int) (ok bool) {
	if n < 0 || n > maxWork {
		n = maxWork + 1
	}
	if e.work += n; e.work > maxWork {
		if e.err == nil {
			e.err, e.final = &Error{errWork.Error()}, true
		}
		e.work = maxWork + 1
	}
	return e.err == nil
}

// build makes a text in the memory of e.
func (e *Env) build(add func(dst []byte) []byte) string {
	start := len(e.arena)
	e.arena = add(e.arena)
	text := e.arena[start:len(e.arena):len(e.arena)]
	e.spend(len(text))
	return view(text)
}

// view gives the text of bytes that stay as they are as long as it is used.
func view(b []byte) string {
	if len(b) == 0 {
		return ""
	}
	return unsafe.String(&b[0], len(b))
}

// unset is a row without columns.
type unset struct{}

func (unset) Input(int) Value { return Value{} }
