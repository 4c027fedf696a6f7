package expr

import "slices"

// Program is a compiled expression. It is immutable and may be used by any number of goroutines, each with its own Env.
type Program struct {
	source string
	root   node
	inputs []string
	arrays []bool // inputs that some part takes as an array
	// locals is the number of variables of lambdas within each other.
	locals int
}

// maxSource bounds the text of an expression, in bytes.
const maxSource = 1 << 20

// Compile reads an expression. The error is a *SyntaxError.
func Compile(source string) (*Program, error) {
	p := &parser{lexer: lexer{src: source}, program: &Program{source: source}, inputs: map[string]int{}}
	if len(source) > maxSource {
		p.fail(-1, "the expression is longer than %d bytes", maxSource)
		return nil, p.err
	}
	p.advance()
	root := p.expression()
	if p.err == nil && p.next.kind != tokenEnd {
		p.unexpected("an operator or the end")
	}
	if p.err != nil {
		return nil, p.err
	}
	p.program.root = root
	p.program.arrays = make([]bool, len(p.program.inputs))
	p.program.findArrays(root, false)
	return p.program, nil
}

// String gives the text that the program was compiled from.
func (p *Program) String() string { return p.source }

// Inputs gives the names of the columns that the program reads, in the order of Bindings.
func (p *Program) Inputs() []string { return slices.Clone(p.inputs) }

// Mapped says whether input i is only used as a scalar: where it has several values, Druid's selectors compute the
// expression for each of them.
func (p *Program) Mapped(i int) bool { return !p.arrays[i] }

// findArrays notes the inputs that are used as arrays below a node; array says that the node itself is.
func (p *Program) findArrays(n node, array bool) {
	switch n := n.(type) {
	case column:
		p.arrays[n.at] = p.arrays[n.at] || array
	case *minus:
		p.findArrays(n.of, false)
	case *not:
		p.findArrays(n.of, false)
	case *operator:
		p.findArrays(n.left, false)
		p.findArrays(n.right, false)
	case *call:
		for i, a := range n.args {
			p.findArrays(a, n.f.arrayArgs>>min(i, 63)&1 == 1)
		}
	case *apply:
		p.findArrays(n.body, false)
		for _, a := range n.args {
			p.findArrays(a, true)
		}
	}
}

// Constant gives the value of a program that is the same for every row.
func (p *Program) Constant() (Value, bool) { return isConstant(p.root) }

// Eval computes the value for a row. The error is an *Error. The value is valid until the Env is reset.
func (p *Program) Eval(e *Env, row Bindings) (Value, error) {
	e.start(row)
	if len(e.locals) < p.locals {
		e.locals = make([]Value, p.locals)
	}
	v := p.root.eval(e)
	if e.err != nil {
		return Value{}, e.err
	}
	return v, nil
}
