package filter

import (
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
	e.inputs = &inputs{f: p.filter, e: e, single: make([]*row.Value, len(e.columns))}
	return e
}

// inputs gives an expression the columns of the filter's row, or single elements of their lists.
type inputs struct {
	f      *Filter
	e      *expression
	single []*row.Value
}

// Input implements expr.Bindings.
func (in *inputs) Input(i int) expr.Value {
	v := in.single[i]
	if v == nil {
		v = in.f.row.Column(in.e.columns[i])
	}
	return expr.OfColumn(in.f.row.Rows(), v)
}

// maxCombinations bounds the elements of lists that are tried with one another.
const maxCombinations = 10_000

func (e *expression) match(f *Filter, unknown bool) bool {
	clear(e.inputs.single)
	if !f.mapped {
		return e.holds(f, unknown)
	}
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
		elems := f.row.Rows().ListOf(v)
		if len(elems) == 0 {
			continue
		}
		for k := range elems {
			e.inputs.single[i] = &elems[k]
			if e.each(f, i+1, tries, unknown) {
				return true
			}
		}
		e.inputs.single[i] = nil
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
		for _, elem := range v.Elems() {
			if elem.Type() < expr.JSON && elem.Bool() {
				return true
			}
		}
		return false
	}
	return v.Bool()
}
