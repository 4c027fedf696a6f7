package expr

// apply is a function with a lambda. The lambda's variables are locals from first on.
type apply struct {
	f     *applier
	first int
	names []string
	body  node
	args  []node
}

// applier is an entry of the table of functions that take a lambda.
type applier struct {
	name string
	// arity is the number of arguments behind the lambda, as messages count them.
	arity arity
	run   func(n *apply, e *Env) Value
	kind  func(e *Env, n *apply, locals []Type) Type
}

var applies = map[string]*applier{
	"map":            {"map", exactly(1), runMap, mapKind},
	"cartesian_map":  {"cartesian_map", atLeast(1), runMap, mapKind},
	"filter":         {"filter", exactly(1), runFilter, func(e *Env, n *apply, locals []Type) Type { return n.args[0].kind(e, locals) }},
	"fold":           {"fold", exactly(2), runFold, foldKind},
	"cartesian_fold": {"cartesian_fold", atLeast(1), runFold, foldKind},
	"any":            {"any", exactly(1), runMatch(true), func(*Env, *apply, []Type) Type { return Long }},
	"all":            {"all", exactly(1), runMatch(false), func(*Env, *apply, []Type) Type { return Long }},
}

// apply reads a call of a function with a lambda, whose parenthesis was read.
func (p *parser) apply(f *applier, name token) node {
	names, ok := p.variables()
	if !ok {
		return constant{}
	}
	first := len(p.scope)
	p.scope = append(p.scope, names...)
	p.program.locals = max(p.program.locals, len(p.scope))
	body := p.expression()
	p.scope = p.scope[:first]
	n := &apply{f: f, first: first, names: names, body: body}
	if p.take(",") {
		n.args = p.arguments()
	} else {
		p.want(")")
	}
	if p.err != nil {
		return constant{}
	}
	if err := (arity{min: f.arity.min + 1, max: f.arity.max + min(f.arity.max+1, 1)}).check(len(n.args) + 1); err != nil {
		p.fail(name.at, "Function[%s] %s", f.name, err)
		return constant{}
	}
	if len(names) != len(n.args) {
		p.fail(name.at, "Function[%s] lambda expression argument count of %d does not match the %d arguments passed to it",
			f.name, len(names), len(n.args))
		return constant{}
	}
	if allConstant(n.args...) && closed(n.body, first) {
		return constant{p.compute(n)}
	}
	return n
}

// variables reads the names before a lambda's arrow, and the arrow.
func (p *parser) variables() (names []string, ok bool) {
	name := func() bool {
		if p.next.kind != tokenName && p.next.kind != tokenQuoted {
			p.unexpected("a variable")
			return false
		}
		names = append(names, p.next.text)
		p.advance()
		return true
	}
	if !p.take("(") {
		if !name() {
			return nil, false
		}
	} else if !p.take(")") {
		for {
			if !name() {
				return nil, false
			}
			if p.take(")") {
				break
			}
			if !p.take(",") {
				p.unexpected("',' or ')'")
				return nil, false
			}
		}
	}
	p.want("->")
	return names, p.err == nil
}

// closed says whether a lambda's body uses nothing from outside of it.
func closed(n node, first int) bool {
	switch n := n.(type) {
	case column:
		return false
	case local:
		return n.at >= first
	case *minus:
		return closed(n.of, first)
	case *not:
		return closed(n.of, first)
	case *operator:
		return closed(n.left, first) && closed(n.right, first)
	case *call:
		return allClosed(n.args, first)
	case *apply:
		return allClosed(n.args, first) && closed(n.body, first)
	}
	return true
}

func allClosed(nodes []node, first int) bool {
	for _, n := range nodes {
		if !closed(n, first) {
			return false
		}
	}
	return true
}

func (n *apply) eval(e *Env) Value { return n.f.run(n, e) }

func (n *apply) kind(e *Env, locals []Type) Type { return n.f.kind(e, n, locals) }

// lambdaKind gives the type of the body for variables of given types.
func (n *apply) lambdaKind(e *Env, locals []Type, variables ...Type) Type {
	inner := make([]Type, n.first, n.first+len(variables))
	for i := range inner {
		inner[i] = unknown
		if i < len(locals) {
			inner[i] = locals[i]
		}
	}
	return n.body.kind(e, append(inner, variables...))
}

func mapKind(e *Env, n *apply, locals []Type) Type {
	variables := make([]Type, len(n.args))
	for i, a := range n.args {
		variables[i] = unknown
		if t := a.kind(e, locals); t != unknown {
			variables[i] = t.Elem()
		}
	}
	if t := n.lambdaKind(e, locals, variables...); t != unknown {
		return t.Array()
	}
	return unknown
}

func foldKind(e *Env, n *apply, locals []Type) Type { return n.args[len(n.args)-1].kind(e, locals) }

// arrays evaluates the first count arguments to arrays. none says that one of them is null, empty that one has no
// elements. As in Druid, the elements of all of them are taken as being of the type of the last one's.
func (n *apply) arrays(e *Env, count int) (lists [][]Value, elem Type, none, empty bool) {
	lists = make([][]Value, count)
	for i := range count {
		v := n.args[i].eval(e)
		list, ok := v.array()
		if !ok {
			none = true
			continue
		}
		lists[i], elem = list, v.typ.asArray().Elem()
		empty = empty || len(list) == 0
	}
	return lists, elem, none, empty
}

// lambdaWork is what one evaluation of a lambda counts for.
const lambdaWork = 64

// each runs a function for every combination of the elements of lists, the last list moving fastest, with the variables
// set. It ends early when the function returns false.
func (n *apply) each(e *Env, lists [][]Value, elem Type, do func() bool) {
	places := make([]int, len(lists))
	for {
		if !e.spend(lambdaWork) {
			return
		}
		for i, list := range lists {
			e.locals[n.first+i] = e.ofType(list[places[i]], elem)
		}
		if !do() || e.err != nil {
			return
		}
		i := len(lists) - 1
		for ; i >= 0; i-- {
			if places[i]++; places[i] < len(lists[i]) {
				break
			}
			places[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// ofType takes a value for one of a type, as Druid does with what it finds under a name: other than by a cast, what has no
// number is a null, and an array stays one.
func (e *Env) ofType(v Value, t Type) Value {
	switch {
	case v.typ == t || v.some && t == String && v.typ.IsArray():
		return v
	case !v.some:
		return Null(t)
	case t.numeric() && (v.typ.IsArray() || v.typ == JSON):
		return Null(t)
	case t == String && v.typ == JSON:
		s, _ := e.asString(v)
		return OfString(s)
	}
	return e.cast(v, t)
}

func runMap(n *apply, e *Env) Value {
	lists, elem, none, empty := n.arrays(e, len(n.args))
	switch {
	case none:
		return Value{}
	case empty && len(lists) == 1:
		return OfArray(elem, nil)
	case empty:
		return OfArray(String, nil)
	}
	var out []Value
	n.each(e, lists, elem, func() bool {
		out = append(out, n.body.eval(e))
		return true
	})
	if e.err != nil {
		return Value{}
	}
	variables := make([]Type, len(lists))
	for i := range variables {
		variables[i] = elem
	}
	outer := make([]Type, n.first)
	for i := range outer {
		outer[i] = e.locals[i].typ
	}
	t := n.lambdaKind(e, outer, variables...)
	if t == unknown {
		return e.unite(out)
	}
	if t.depth() >= maxArrayDepth {
		return e.fail("arrays are nested deeper than %d levels", maxArrayDepth)
	}
	for i, v := range out {
		out[i] = e.cast(v, t)
	}
	return OfArray(t, out)
}

func runFilter(n *apply, e *Env) Value {
	v := n.args[0].eval(e)
	t := v.typ.asArray()
	elems, ok := v.array()
	if !ok || len(elems) == 0 {
		return Null(t)
	}
	var out []Value
	n.each(e, [][]Value{elems}, t.Elem(), func() bool {
		if n.body.eval(e).Bool() {
			out = append(out, e.locals[n.first])
		}
		return true
	})
	if len(out) == 0 {
		return Null(t)
	}
	return OfArray(t.Elem(), out)
}

func runFold(n *apply, e *Env) Value {
	count := len(n.args) - 1
	lists, elem, none, empty := n.arrays(e, count)
	switch {
	case none || count == 0:
		return Value{}
	case empty && count > 1:
		return OfArray(String, nil)
	}
	acc := n.args[count].eval(e)
	if empty {
		return acc
	}
	t := acc.typ
	at := n.first + count
	e.locals[at] = acc
	n.each(e, lists, elem, func() bool {
		e.locals[at] = e.ofType(n.body.eval(e), t)
		return true
	})
	return e.locals[at]
}

// runMatch makes any (wanted true) and all (wanted false): the first element that decides ends it.
func runMatch(wanted bool) func(n *apply, e *Env) Value {
	return func(n *apply, e *Env) Value {
		v := n.args[0].eval(e)
		elems, ok := v.array()
		if !ok {
			return OfBool(false)
		}
		result := !wanted
		if len(elems) == 0 {
			return OfBool(result)
		}
		n.each(e, [][]Value{elems}, v.typ.asArray().Elem(), func() bool {
			if n.body.eval(e).Bool() == wanted {
				result = wanted
				return false
			}
			return true
		})
		return OfBool(result)
	}
}
