package expr

import (
	"strconv"
)

const (
	// maxNesting bounds parentheses within parentheses, calls among them.
	maxNesting = 500
	// maxNodes bounds the operators, literals and names of an expression.
	maxNodes = 100_000
)

// parser builds the nodes of a text, constants already computed. After an error it goes on with nulls to the end, which
// the lexer then reports at once.
type parser struct {
	lexer
	program *Program
	inputs  map[string]int
	scope   []string // variables of the lambdas around
	nesting int
	nodes   int
	env     Env // for constants
}

// bigLong is a literal that fits 64 bits only as the operand of a minus.
const bigLong = "9223372036854775808"

func (p *parser) is(sign string) bool { return p.next.kind == tokenSign && p.next.text == sign }

// take reads a sign if it is next.
func (p *parser) take(sign string) bool {
	if !p.is(sign) {
		return false
	}
	p.advance()
	return true
}

func (p *parser) want(sign string) {
	if !p.take(sign) {
		p.unexpected("'" + sign + "'")
	}
}

func (p *parser) unexpected(wanted string) {
	if p.next.kind == tokenEnd {
		p.fail(p.next.at, "the expression ends where %s is wanted", wanted)
		return
	}
	p.fail(p.next.at, "unexpected '%s' where %s is wanted", p.src[p.next.at:p.at], wanted)
}

// count bounds the size of an expression.
func (p *parser) count(n node) node {
	if p.nodes++; p.nodes > maxNodes {
		p.fail(p.next.at, "the expression has more than %d parts", maxNodes)
	}
	return n
}

// enter bounds the nesting of an expression; leave undoes it.
func (p *parser) enter() bool {
	if p.nesting++; p.nesting > maxNesting {
		p.fail(p.next.at, "the expression is nested deeper than %d levels", maxNesting)
		return false
	}
	return true
}

func (p *parser) leave() { p.nesting-- }

// levels are the binary operators from the loosest to the tightest; ^ comes after them and binds to the right. && and
// || share a level.
var levels = [][]string{
	{"&&", "||"},
	{"<", "<=", ">", ">=", "==", "!="},
	{"+", "-"},
	{"*", "/", "%"},
}

func (p *parser) expression() node {
	defer p.leave()
	if !p.enter() {
		return constant{}
	}
	return p.binary(0)
}

func (p *parser) binary(level int) node {
	if level == len(levels) {
		return p.power()
	}
	left := p.binary(level + 1)
	for {
		op := p.oneOf(levels[level])
		if op == "" {
			return left
		}
		left = p.operator(op, left, p.binary(level+1))
	}
}

func (p *parser) oneOf(ops []string) string {
	for _, op := range ops {
		if p.take(op) {
			return op
		}
	}
	return ""
}

func (p *parser) power() node {
	defer p.leave()
	if !p.enter() {
		return constant{}
	}
	left := p.unary()
	if p.take("^") {
		return p.operator("^", left, p.power())
	}
	return left
}

func (p *parser) unary() node {
	defer p.leave()
	if !p.enter() {
		return constant{}
	}
	switch {
	case p.take("-"):
		if p.next.kind == tokenLong && p.next.text == bigLong {
			p.advance()
			return constant{OfLong(-1 << 63)}
		}
		return p.fold(p.count(&minus{p.unary()}))
	case p.take("!"):
		return p.fold(p.count(&not{p.unary()}))
	}
	return p.primary()
}

func (p *parser) primary() node {
	t := p.next
	p.count(nil)
	switch t.kind {
	case tokenNull:
		p.advance()
		return constant{}
	case tokenLong:
		p.advance()
		n, ok := parseLong(t.text, 10)
		if !ok {
			p.fail(t.at, "BigInteger out of long range")
		}
		return constant{OfLong(n)}
	case tokenDouble:
		p.advance()
		return constant{OfDouble(parseDouble(t.text))}
	case tokenString:
		p.advance()
		return constant{OfString(t.text)}
	case tokenName, tokenQuoted:
		p.advance()
		if p.take("(") {
			return p.call(t)
		}
		return p.name(t.text)
	case tokenType:
		p.advance()
		typ, _ := parseType(t.text)
		return constant{p.array(typ)}
	}
	switch {
	case p.is("["):
		return constant{p.array(unknown)}
	case p.take("("):
		n := p.expression()
		p.want(")")
		return n
	}
	p.unexpected("an expression")
	return constant{}
}

// parseDouble reads a literal; out of range it becomes infinite or zero, as in Java.
func parseDouble(s string) float64 {
	f, _ := strconv.ParseFloat(s, 64)
	return f
}

// name is a variable of a lambda, the innermost of that name, or a column.
func (p *parser) name(name string) node {
	for i := len(p.scope) - 1; i >= 0; i-- {
		if p.scope[i] == name {
			return local{i, name}
		}
	}
	at, ok := p.inputs[name]
	if !ok {
		at = len(p.program.inputs)
		p.inputs[name] = at
		p.program.inputs = append(p.program.inputs, name)
	}
	return column{at, name}
}

// arguments reads the arguments of a call, whose parenthesis was read, up to the closing one.
func (p *parser) arguments() (args []node) {
	if p.take(")") {
		return nil
	}
	for {
		args = append(args, p.expression())
		if p.take(")") {
			return args
		}
		if !p.take(",") {
			p.unexpected("',' or ')'")
			return args
		}
	}
}

// fold computes a node whose parts are constants. A function that fails on constants fails on every row, so it is an
// error of the expression.
func (p *parser) fold(n node) node {
	if p.err != nil {
		return constant{}
	}
	switch n := n.(type) {
	case *minus:
		if !allConstant(n.of) {
			return n
		}
	case *not:
		if !allConstant(n.of) {
			return n
		}
	case *operator:
		if !allConstant(n.left, n.right) {
			return n
		}
	case *call:
		if !allConstant(n.args...) {
			return n
		}
	default:
		return n
	}
	return constant{p.compute(n)}
}

// compute evaluates a node without columns. Its texts stay, since the memory of p.env is never reset.
func (p *parser) compute(n node) Value {
	p.env.start(unset{})
	if len(p.env.locals) < p.program.locals {
		p.env.locals = make([]Value, p.program.locals)
	}
	v := n.eval(&p.env)
	if p.env.err != nil {
		p.fail(-1, "%s", p.env.err.Error())
	}
	return v
}

func (p *parser) operator(op string, left, right node) node {
	p.count(nil)
	return p.fold(newOperator(op, left, right))
}
