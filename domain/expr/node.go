package expr

// node is one part of a compiled expression.
type node interface {
	// eval computes the node's value. After e.err is set, values no longer matter.
	eval(e *Env) Value
	// kind gives the type that the node's values are expected to have for the row of e, given those of the variables
	// around it; unknown where only the value can tell.
	kind(e *Env, locals []Type) Type
}

// constant is a value that is the same for all rows.
type constant struct{ v Value }

func (n constant) eval(*Env) Value { return n.v }

func (n constant) kind(*Env, []Type) Type {
	if !n.v.some && n.v.typ == String {
		return unknown // a literal null has no type that it insists on
	}
	return n.v.typ
}

// column is a column of the row; at is its place in Program.Inputs.
type column struct {
	at   int
	name string
}

func (n column) eval(e *Env) Value { return e.row.Input(n.at) }

func (n column) kind(e *Env, _ []Type) Type {
	return e.row.Input(n.at).typ
}

// local is a variable of a lambda; at is its place in Env.locals.
type local struct {
	at   int
	name string
}

func (n local) eval(e *Env) Value { return e.locals[n.at] }

func (n local) kind(e *Env, locals []Type) Type {
	if n.at < len(locals) {
		return locals[n.at]
	}
	return unknown
}

// call is a function with its arguments.
type call struct {
	f    *function
	args []node
	run  runner
}

// runner computes a function from its arguments, of which it evaluates those that it needs.
type runner func(e *Env, args []node) Value

func (n *call) eval(e *Env) Value {
	if e.err != nil {
		return Value{}
	}
	v := n.run(e, n.args)
	if e.err != nil && !n.f.macro {
		e.wrap(n.f.name)
	}
	return v
}

func (n *call) kind(e *Env, locals []Type) Type {
	if n.f.kind == nil {
		return unknown
	}
	return n.f.kind(e, n.args, locals)
}

// isConstant says whether a node has the same value for all rows, and gives it.
func isConstant(n node) (Value, bool) {
	c, ok := n.(constant)
	return c.v, ok
}

func allConstant(nodes ...node) bool {
	for _, n := range nodes {
		if _, ok := n.(constant); !ok {
			return false
		}
	}
	return true
}
