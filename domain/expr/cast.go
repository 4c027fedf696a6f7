package expr

// cast converts a value to another type. What has no number becomes a null number; an array of several elements cannot
// become a scalar, and objects only JSON.
func (e *Env) cast(v Value, to Type) Value {
	switch {
	case v.typ == to:
		return v
	case v.typ == JSON:
		if u := fromTree(v.box); u.typ != JSON {
			return e.cast(u, to)
		}
		return e.badCast(v.typ, to)
	case v.typ.IsArray():
		return e.castArray(v, to)
	case to.IsArray():
		if !v.some {
			return Null(to)
		}
		elem := e.cast(v, to.Elem())
		return OfArray(to.Elem(), []Value{elem})
	}
	if to == JSON {
		return OfJSON(toTree(v))
	}
	if !v.some {
		return Null(to)
	}
	return e.castScalar(v, to)
}

func (e *Env) castScalar(v Value, to Type) Value {
	if to == String {
		s, _ := e.asString(v)
		return OfString(s)
	}
	n, ok := v.number()
	switch {
	case !ok:
		return Null(to)
	case to == Long:
		return OfLong(n.asLong())
	}
	return OfDouble(n.asDouble())
}

func (e *Env) castArray(v Value, to Type) Value {
	switch {
	case !v.some:
		return Null(to)
	case to == JSON:
		return OfJSON(toTree(v))
	case to.IsArray():
		from := v.Elems()
		if !e.spend(len(from)) {
			return Value{}
		}
		elems := make([]Value, len(from))
		for i := range from {
			elems[i] = e.cast(from[i], to.Elem())
		}
		return OfArray(to.Elem(), elems)
	}
	one, ok := v.single()
	switch {
	case !ok:
		return e.badCast(v.typ, to)
	case one.typ.primitive():
		return e.cast(one, to)
	case to == String:
		s, some := e.asString(one)
		return Value{typ: String, some: some, str: s}
	case to.numeric() && one.some:
		return e.cast(OfLong(0), to) // as numbers have it, see Value.number
	}
	return Null(to)
}

func (e *Env) badCast(from, to Type) Value {
	return e.fail("Invalid type, cannot cast [%s] to [%s]", from, to)
}
