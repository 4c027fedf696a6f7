package expr

import (
	"fmt"
	"strings"
)

// function is an entry of the table of functions.
type function struct {
	name  string // as messages spell it; calls may use any case
	arity arity
	// kind gives the type of the results for call.kind; nil: unknown.
	kind func(e *Env, args []node, locals []Type) Type
	run  runner
	// make, if set, gives the runner for given arguments, of which some may have to be literals.
	make func(args []node) (runner, error)
	// macro says that Druid has the function as a macro, whose errors pass unchanged.
	macro bool
	// arrayArgs are the arguments that the function takes as arrays, by a bit each: a column with several values is not
	// mapped over where it stands there.
	arrayArgs uint64
}

const allArgs = ^uint64(0)

// call reads the arguments of a function, whose name and parenthesis were read.
func (p *parser) call(name token) node {
	lower := strings.ToLower(name.text)
	if f := applies[lower]; f != nil {
		return p.apply(f, name)
	}
	args := p.arguments()
	if p.err != nil {
		return constant{}
	}
	f := functions[lower]
	if f == nil {
		if why, ok := absent[lower]; ok {
			p.fail(name.at, "function '%s' is not supported: %s", name.text, why)
		} else {
			p.fail(name.at, "function '%s' is not defined.", name.text)
		}
		return constant{}
	}
	c := &call{f: f, args: args, run: f.run}
	err := f.arity.check(len(args))
	if err == nil && f.make != nil {
		c.run, err = f.make(args)
	}
	if err != nil {
		p.fail(name.at, "Function[%s] %s", f.name, err)
		return constant{}
	}
	return p.fold(c)
}

// absent are functions of Druid that are not built, with the reason.
var absent = map[string]string{
	"lookup":                      "no lookups are loaded where tasks run, use case_simple, or join the lookup in queries",
	"hyper_unique":                noSketches,
	"hyper_unique_add":            noSketches,
	"hyper_unique_estimate":       noSketches,
	"hyper_unique_round_estimate": noSketches,
	"complex_decode_base64":       noComplex,
	"decode_base64_complex":       noComplex,
	"bloom_filter":                ofExtension + "druid-bloom-filter",
	"bloom_filter_add":            ofExtension + "druid-bloom-filter",
	"bloom_filter_test":           ofExtension + "druid-bloom-filter",
	"hll_sketch_estimate":         ofExtension + "druid-datasketches",
	"theta_sketch_estimate":       ofExtension + "druid-datasketches",
	"sleep":                       ofExtension + "druid-testing-tools",
}

const (
	noSketches  = "sketches are made by metrics, as hyperUnique and cardinality"
	noComplex   = "expressions have no complex values but JSON"
	ofExtension = "it belongs to the extension "
)

// arity says how many arguments a function takes.
type arity struct {
	min, max int  // max -1: any number
	either   bool // just min or max, nothing between; matters for the message only where they are neighbours
}

func exactly(n int) arity    { return arity{min: n, max: n} }
func atLeast(n int) arity    { return arity{min: n, max: -1} }
func oneOf(a, b int) arity   { return arity{min: a, max: b, either: true} }
func between(a, b int) arity { return arity{min: a, max: b} }

func (a arity) check(n int) error {
	if n >= a.min && (a.max < 0 || n <= a.max) {
		return nil
	}
	switch {
	case a.max == 0:
		return fmt.Errorf("does not accept arguments")
	case a.max < 0 && a.min == 1:
		return fmt.Errorf("requires at least 1 argument")
	case a.max < 0:
		return fmt.Errorf("requires at least %d arguments", a.min)
	case a.either:
		return fmt.Errorf("requires %d or %d arguments", a.min, a.max)
	case a.min != a.max:
		return fmt.Errorf("requires %d to %d arguments", a.min, a.max)
	case a.min == 1:
		return fmt.Errorf("requires 1 argument")
	}
	return fmt.Errorf("requires %d arguments", a.min)
}

// functions are all functions but those that take a lambda, by their names in lower case.
var functions = table(
	mathFunctions, bitFunctions, conditionFunctions, stringFunctions, patternFunctions, arrayFunctions, timeFunctions,
	jsonFunctions, addressFunctions, formatFunctions,
)

func table(lists ...[]*function) map[string]*function {
	all := map[string]*function{}
	for _, list := range lists {
		for _, f := range list {
			all[strings.ToLower(f.name)] = f
		}
	}
	return all
}

// reject fails with a function's own complaint about its arguments.
func (e *Env) reject(name, format string, args ...any) Value {
	if e.err == nil {
		e.err = &Error{"Function[" + name + "] " + fmt.Sprintf(format, args...)}
		e.final = true
	}
	return Value{}
}

// wrap names the function in which something failed; the innermost one does it.
func (e *Env) wrap(name string) {
	if e.final {
		return
	}
	e.final = true
	message := e.err.Error()
	if strings.HasPrefix(message, "Invalid type, cannot cast") {
		e.err = &Error{"Function[" + name + "] encountered exception: " + message}
		return
	}
	e.err = &Error{"Function[" + name + "] encountered unknown exception. (" + message + ")"}
}

// always is the kind of a function whose results are all of one type.
func always(t Type) func(*Env, []node, []Type) Type {
	return func(*Env, []node, []Type) Type { return t }
}

// kindOf is the kind of a function whose results have the type of an argument.
func kindOf(i int) func(*Env, []node, []Type) Type {
	return func(e *Env, args []node, locals []Type) Type { return args[i].kind(e, locals) }
}

// commonKind is the kind of a function that gives one of its arguments.
func commonKind(e *Env, args []node, locals []Type) Type {
	t := unknown
	for _, a := range args {
		t = functionType(t, a.kind(e, locals))
	}
	return t
}

// text evaluates a node to a text; ok is false for a null.
func (e *Env) text(n node) (s string, ok bool) { return e.asString(n.eval(e)) }
