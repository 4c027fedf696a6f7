package jsonpath

import (
	"regexp"
	"strings"

	"ogham/domain/row"
)

// filter is a condition on an item.
type filter interface {
	apply(r *run, item row.Value) (bool, error)
}

type (
	allOf  []filter
	anyOf  []filter
	not    struct{ filter }
	exists struct{ path *Path }
	// compares is an operator with its operands.
	compares struct {
		operator    string
		left, right operand
	}
)

func (f allOf) apply(r *run, item row.Value) (bool, error) {
	for _, x := range f {
		if ok, err := x.apply(r, item); !ok || err != nil {
			return false, err
		}
	}
	return true, nil
}

func (f anyOf) apply(r *run, item row.Value) (bool, error) {
	for _, x := range f {
		if ok, err := x.apply(r, item); ok || err != nil {
			return ok, err
		}
	}
	return false, nil
}

func (f not) apply(r *run, item row.Value) (bool, error) {
	ok, err := f.filter.apply(r, item)
	return !ok, err
}

func (f exists) apply(r *run, item row.Value) (bool, error) { return r.exists(f.path, item) }

// filter compiles [?(...)], whose question mark is at i.
func (c *compiler) filter(i int) error {
	open := c.significant(i + 1)
	if open >= len(c.s) || c.s[open] != '(' {
		return c.fail("Could not parse token starting at position %d. Expected ?, ', 0-9, *", c.at)
	}
	shut := closing(c.s, open, '(', ')', true)
	if shut < 0 {
		return c.fail("Could not parse token starting at position %d. Expected ?, ', 0-9, *", c.at)
	}
	end := c.significant(shut + 1)
	if end >= len(c.s) || c.s[end] != ']' {
		return c.fail("Could not parse token starting at position %d. Expected ?, ', 0-9, *", c.at)
	}
	f := filterCompiler{c: c, s: c.s[open+1 : shut]}
	condition, err := f.or()
	if err != nil {
		return err
	}
	if f.space(); f.at < len(f.s) {
		return c.fail("Expected end of filter expression instead of: %s", f.s[f.at:])
	}
	c.tokens = append(c.tokens, token{kind: tokenFilter, filter: condition})
	c.at = end + 1
	return nil
}

type filterCompiler struct {
	c     *compiler
	s     string
	at    int
	depth int
}

func (f *filterCompiler) space() {
	for f.at < len(f.s) && (f.s[f.at] == ' ' || f.s[f.at] == '\t' || f.s[f.at] == '\n' || f.s[f.at] == '\r') {
		f.at++
	}
}

func (f *filterCompiler) take(word string) bool {
	f.space()
	if strings.HasPrefix(f.s[f.at:], word) {
		f.at += len(word)
		return true
	}
	return false
}

func (f *filterCompiler) fail() error {
	return f.c.fail("Failed to parse filter: [?(%s)], error on position: %d", f.s, f.at)
}

func (f *filterCompiler) or() (filter, error) {
	var out anyOf
	for {
		x, err := f.and()
		if err != nil {
			return nil, err
		}
		if out = append(out, x); !f.take("||") {
			break
		}
	}
	if len(out) == 1 {
		return out[0], nil
	}
	return out, nil
}

func (f *filterCompiler) and() (filter, error) {
	var out allOf
	for {
		x, err := f.operandOfAnd()
		if err != nil {
			return nil, err
		}
		if out = append(out, x); !f.take("&&") {
			break
		}
	}
	if len(out) == 1 {
		return out[0], nil
	}
	return out, nil
}

func (f *filterCompiler) operandOfAnd() (filter, error) {
	if f.depth++; f.depth > maxNesting {
		return nil, f.c.fail("the filter is nested too deep")
	}
	defer func() { f.depth-- }()
	switch {
	case f.take("!"):
		if f.space(); f.at < len(f.s) && (f.s[f.at] == '@' || f.s[f.at] == '$') {
			return f.negated()
		}
		x, err := f.operandOfAnd()
		return not{x}, err
	case f.take("("):
		x, err := f.or()
		if err == nil && !f.take(")") {
			err = f.c.fail("Expected character: )")
		}
		return x, err
	}
	return f.comparison()
}

// negated is !@.a: the path leads nowhere.
func (f *filterCompiler) negated() (filter, error) {
	p, err := f.path()
	if err != nil {
		return nil, err
	}
	return not{exists{p}}, nil
}

func (f *filterCompiler) comparison() (filter, error) {
	left, err := f.operand()
	if err != nil {
		return nil, err
	}
	saved := f.at
	operator := f.operator()
	if operator == "" {
		f.at = saved
		if left.path == nil {
			return nil, f.fail()
		}
		return exists{left.path}, nil
	}
	right, err := f.operand()
	if err != nil {
		return nil, err
	}
	return compares{operator, left, right}, nil
}

var operators = map[string]bool{
	">=": true, "<=": true, "==": true, "===": true, "!=": true, "!==": true, "<": true, ">": true, "=~": true,
	"NIN": true, "IN": true, "CONTAINS": true, "ALL": true, "SIZE": true, "EMPTY": true, "SUBSETOF": true, "ANYOF": true,
	"NONEOF": true,
}

// operator reads an operator, "" if none comes next.
func (f *filterCompiler) operator() string {
	f.space()
	start := f.at
	for f.at < len(f.s) && strings.IndexByte("<>=~!", f.s[f.at]) >= 0 {
		f.at++
	}
	if f.at == start {
		for f.at < len(f.s) && f.s[f.at] != ' ' {
			f.at++
		}
	}
	if name := strings.ToUpper(f.s[start:f.at]); operators[name] {
		return name
	}
	return ""
}

// operand reads a path or a literal.
func (f *filterCompiler) operand() (operand, error) {
	f.space()
	if f.at == len(f.s) {
		return operand{}, f.fail()
	}
	switch b := f.s[f.at]; {
	case b == '@' || b == '$':
		p, err := f.path()
		return operand{path: p}, err
	case b == '\'' || b == '"':
		end := unescaped(f.s, f.at+1, b)
		if end < 0 {
			return operand{}, f.fail()
		}
		text := unescape(f.s[f.at+1 : end])
		f.at = end + 1
		return operand{node: node{kind: nodeString, text: text}}, nil
	case b == '/':
		return f.pattern()
	case b == '{':
		return f.json('{', '}')
	case b == '[':
		return f.json('[', ']')
	case f.word("true"):
		return operand{node: node{kind: nodeBool, bool: true}}, nil
	case f.word("false"):
		return operand{node: node{kind: nodeBool}}, nil
	case f.word("null"):
		return operand{node: node{kind: nodeNull}}, nil
	}
	start := f.at
	for f.at < len(f.s) && strings.IndexByte("0123456789-.eE", f.s[f.at]) >= 0 {
		f.at++
	}
	n, ok := numberNode(f.s[start:f.at])
	if !ok {
		return operand{}, f.fail()
	}
	return operand{node: n}, nil
}

func (f *filterCompiler) word(w string) bool {
	if !strings.HasPrefix(f.s[f.at:], w) {
		return false
	}
	f.at += len(w)
	return true
}

// path reads a path up to a space, an operator or a bracket that is not its own.
func (f *filterCompiler) path() (*Path, error) {
	start := f.at
	f.at++
scan:
	for f.at < len(f.s) {
		switch f.s[f.at] {
		case '[', '(':
			open, shut := byte('['), byte(']')
			if f.s[f.at] == '(' {
				open, shut = '(', ')'
			}
			end := closing(f.s, f.at, open, shut, false)
			if end < 0 {
				return nil, f.c.fail("Square brackets does not match in filter %s", f.s)
			}
			f.at = end + 1
		case '<', '>', '=', '~', '!', ' ', ')', '&', '|':
			break scan
		default:
			f.at++
		}
	}
	return compile(f.s[start:f.at], f.c.depth+1)
}

func (f *filterCompiler) json(open, shut byte) (operand, error) {
	end := closing(f.s, f.at, open, shut, false)
	if end < 0 {
		return operand{}, f.fail()
	}
	v, ok := decode(strings.ReplaceAll(f.s[f.at:end+1], "'", `"`))
	if !ok {
		return operand{}, f.fail()
	}
	f.at = end + 1
	return operand{node: node{kind: nodeJSON, literal: v}}, nil
}

// pattern reads /pattern/flags. Patterns are matched as a whole.
func (f *filterCompiler) pattern() (operand, error) {
	end := unescaped(f.s, f.at+1, '/')
	if end < 0 {
		return operand{}, f.c.fail("Pattern not closed. Expected / in %s", f.s)
	}
	text, flags := f.s[f.at+1:end], ""
	for f.at = end + 1; f.at < len(f.s) && strings.IndexByte("dixmsuU", f.s[f.at]) >= 0; f.at++ {
		switch b := f.s[f.at]; b {
		case 'i', 's', 'm':
			flags += string(b)
		case 'x':
			return operand{}, f.c.fail("flag x of a pattern is not supported")
		}
	}
	if flags != "" {
		flags = "(?" + flags + ")"
	}
	p, err := regexp.Compile(flags + `\A(?:` + strings.ReplaceAll(text, `\/`, "/") + `)\z`)
	if err != nil {
		return operand{}, f.c.fail("pattern /%s/ cannot be used: %v", text, err)
	}
	return operand{node: node{kind: nodePattern, pattern: p}}, nil
}
