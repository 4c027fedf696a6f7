package filter

import (
	"slices"

	"ogham/domain/expr"
	"ogham/domain/row"
)

// expression is a filter of the expression language. An array holds if one of its elements does.
type expression struct {
	program *expr.Program
	columns []int
	inputs  *inputs
}

func parseExpression(p *parser, m members, path string) matcher {
	source, ok := m.text("expression")
	if !ok {
		return p.fail(path+".expression", "expression must not be null")
	}
	program, err := expr.Compile(source)
	if err != nil {
		return p.fail(path+".expression", err.Error())
	}
	e := &expression{program: program}
	for _, name := range program.Inputs() {
		e.columns = append(e.columns, p.column(name))
	}
	e.inputs = &inputs{f: p.filter, e: e, single: make([]single, len(e.columns))}
	return e
}

// inputs gives an expression the columns of the filter's row, or single elements of their lists.
type inputs struct {
	f      *Filter
	e      *expression
	single []single
}

// single is one element of a list, if set.
type single struct {
	set   bool
	value expr.Value
}

// Input implements expr.Bindings.
func (in *inputs) Input(i int) expr.Value {
	if one := &in.single[i]; one.set {
		return one.value
	}
	return expr.OfColumn(in.f.row.Rows(), in.f.row.Column(in.e.columns[i]))
}

// maxCombinations bounds the elements of lists that are tried with one another.
const maxCombinations = 10_000

func (e *expression) match(f *Filter, unknown bool) bool {
	clear(e.inputs.single)
	tries := maxCombinations
	return e.each(f, 0, &tries, unknown)
}

// each tries every element of the lists among the inputs from i on.
func (e *expression) each(f *Filter, i int, tries *int, unknown bool) bool {
	for ; i < len(e.columns); i++ {
		v := f.row.Column(e.columns[i])
		if v.Kind != row.List || !e.program.Mapped(i) {
			continue
		}
		// The elements have the type that they have in common in the list.
		elems := expr.OfColumn(f.row.Rows(), v).Elems()
		if len(elems) == 0 {
			continue
		}
		for _, elem := range elems {
			e.inputs.single[i] = single{true, elem}
			if e.each(f, i+1, tries, unknown) {
				return true
			}
		}
		e.inputs.single[i] = single{}
		return false
	}
	if *tries--; *tries < 0 {
		if f.err == nil {
			f.err = &expr.Error{Message: "the expression of a filter has more than 10000 combinations of values to try"}
		}
		return false
	}
	return e.holds(f, unknown)
}

// holds decides for the inputs as they are.
func (e *expression) holds(f *Filter, unknown bool) bool {
	v, err := e.program.Eval(&f.env, e.inputs)
	if err != nil {
		if f.err == nil {
			f.err = err
		}
		return false
	}
	if v.IsNull() {
		return unknown
	}
	if v.Type().IsArray() {
		if slices.ContainsFunc(e.inputs.single, func(s single) bool { return s.set }) {
			return false // a list within the list of the results is no truth
		}
		for _, elem := range v.Elems() {
			if elem.Type() < expr.JSON && elem.Bool() {
				return true
			}
		}
		return false
	}
	return v.Bool()
}
