package expr

// conditionFunctions choose, test for null and truth, and cast.
var conditionFunctions = []*function{
	{name: "if", arity: exactly(3), kind: func(e *Env, args []node, locals []Type) Type { return commonKind(e, args[1:], locals) },
		run: func(e *Env, args []node) Value {
			if args[0].eval(e).Bool() {
				return args[1].eval(e)
			}
			return args[2].eval(e)
		}},
	{name: "case_searched", arity: atLeast(2), kind: caseKind(1), run: caseSearched},
	{name: "case_simple", arity: atLeast(3), kind: caseKind(2), run: caseSimple},
	{name: "coalesce", arity: atLeast(1), kind: commonKind, run: coalesce},
	{name: "nvl", arity: exactly(2), kind: commonKind, run: coalesce},
	test("isnull", func(v Value) bool { return !v.some }),
	test("notnull", func(v Value) bool { return v.some }),
	test("istrue", func(v Value) bool { return v.Bool() }),
	test("nottrue", func(v Value) bool { return !v.some || !v.Bool() }),
	test("isfalse", func(v Value) bool { return v.some && !v.Bool() }),
	test("notfalse", func(v Value) bool { return !v.some || v.Bool() }),
	{name: "notdistinctfrom", arity: exactly(2), kind: always(Long), run: func(e *Env, args []node) Value {
		return OfBool(e.same(args[0].eval(e), args[1].eval(e)))
	}},
	{name: "isdistinctfrom", arity: exactly(2), kind: always(Long), run: func(e *Env, args []node) Value {
		return OfBool(!e.same(args[0].eval(e), args[1].eval(e)))
	}},
	{name: "cast", arity: exactly(2), make: makeCast, kind: func(_ *Env, args []node, _ []Type) Type {
		if v, ok := isConstant(args[1]); ok && v.typ == String {
			if t, ok := parseType(v.str); ok {
				return t
			}
		}
		return unknown
	}},
}

func test(name string, of func(Value) bool) *function {
	return &function{name: name, arity: exactly(1), kind: always(Long), run: func(e *Env, args []node) Value {
		return OfBool(of(args[0].eval(e)))
	}}
}

// caseKind is the kind of a CASE whose first result stands at from.
func caseKind(from int) func(*Env, []node, []Type) Type {
	return func(e *Env, args []node, locals []Type) Type {
		t := unknown
		for i := from; i < len(args); i += 2 {
			t = functionType(t, args[i].kind(e, locals))
		}
		return functionType(t, args[len(args)-1].kind(e, locals))
	}
}

func caseSearched(e *Env, args []node) Value {
	for i := 0; i < len(args); i += 2 {
		if i == len(args)-1 {
			return args[i].eval(e)
		}
		if args[i].eval(e).Bool() {
			return args[i+1].eval(e)
		}
	}
	return Value{}
}

func caseSimple(e *Env, args []node) Value {
	subject := args[0].eval(e)
	for i := 1; i < len(args); i += 2 {
		if i == len(args)-1 {
			return args[i].eval(e)
		}
		if e.equal(subject, args[i].eval(e)) {
			return args[i+1].eval(e)
		}
	}
	return Value{}
}

// equal says whether == holds, which it does not for nulls.
func (e *Env) equal(a, b Value) bool {
	equals := operator{op: opEqual, left: constant{a}, right: constant{b}}
	return equals.eval(e).Bool()
}

// same is equal, with nulls like any other value.
func (e *Env) same(a, b Value) bool {
	if !a.some || !b.some {
		return !a.some && !b.some
	}
	switch t := detect(a, b); {
	case t == String:
		return a.str == b.str
	case t == Long:
		return a.asLong() == b.asLong()
	case t.IsArray():
		return e.compareAs(t, a, b) == 0
	}
	x, ok1 := a.number()
	y, ok2 := b.number()
	if !ok1 || !ok2 {
		return !ok1 && !ok2
	}
	return x.asDouble() == y.asDouble()
}

func coalesce(e *Env, args []node) Value {
	for i, a := range args {
		if v := a.eval(e); v.some || i == len(args)-1 {
			return v
		}
	}
	return Value{}
}

// makeCast reads the type at once if it is a literal.
func makeCast(args []node) (runner, error) {
	if v, ok := isConstant(args[1]); ok && v.typ == String && v.some {
		t, ok := parseType(v.str)
		return func(e *Env, args []node) Value { return e.castArgument(args[0].eval(e), v.str, t, ok) }, nil
	}
	return func(e *Env, args []node) Value {
		v := args[0].eval(e)
		name, _ := e.text(args[1])
		t, ok := parseType(name)
		return e.castArgument(v, name, t, ok)
	}, nil
}

func (e *Env) castArgument(v Value, name string, t Type, known bool) Value {
	switch {
	case !v.some:
		return Value{}
	case !known:
		return e.fail("Invalid type [%s]", name)
	}
	return e.cast(v, t)
}
