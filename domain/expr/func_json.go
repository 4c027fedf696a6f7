package expr

import "strconv"

// jsonFunctions make, read and take apart JSON. Any value may stand for its tree.
var jsonFunctions = []*function{
	{name: "json_value", arity: between(2, 3), macro: true, make: makeJSONValue},
	{name: "json_query", arity: exactly(2), kind: always(JSON), macro: true, make: makeWithPath(func(_ *Env, tree any) Value {
		return OfJSON(tree)
	})},
	{name: "json_query_array", arity: exactly(2), kind: always(JSON.Array()), macro: true, make: makeWithPath(queryArray)},
	{name: "json_keys", arity: exactly(2), kind: always(String.Array()), macro: true, make: makeWithPath(jsonKeys)},
	{name: "json_paths", arity: exactly(1), kind: always(String.Array()), macro: true, run: jsonPaths},
	{name: "json_object", arity: atLeast(0), kind: always(JSON), macro: true, make: makeJSONObject},
	{name: "json_merge", arity: atLeast(0), kind: always(JSON), macro: true, make: makeJSONMerge},
	{name: "parse_json", arity: exactly(1), kind: always(JSON), macro: true, run: func(e *Env, args []node) Value {
		v := args[0].eval(e)
		tree, ok := e.parseArgument("parse_json", v)
		if !ok {
			return Value{}
		}
		return OfJSON(tree)
	}},
	{name: "try_parse_json", arity: exactly(1), kind: always(JSON), macro: true, run: func(e *Env, args []node) Value {
		v := args[0].eval(e)
		if v.typ == String && v.some && e.spend(len(v.str)) {
			if tree, ok := parseJSON(v.str); ok {
				return OfJSON(tree)
			}
		}
		return Null(JSON)
	}},
	{name: "to_json_string", arity: exactly(1), kind: always(String), macro: true, run: func(e *Env, args []node) Value {
		v := args[0].eval(e)
		if !v.some {
			return Value{}
		}
		return OfString(e.build(func(dst []byte) []byte { return appendJSON(dst, toTree(v)) }))
	}},
}

// parseArgument reads the JSON text of a function's argument; ok is false after an error. A null is a null.
func (e *Env) parseArgument(name string, v Value) (tree any, ok bool) {
	switch {
	case v.typ != String && (v.some || name != "parse_json"):
		e.reject(name, "invalid input expected STRING but got %s instead", v.typ)
		return nil, false
	case !v.some:
		return nil, true
	case !e.spend(len(v.str)):
		return nil, false
	}
	tree, ok = parseJSON(v.str)
	if !ok {
		e.reject(name, "bad string input [%s]", v.str)
	}
	return tree, ok
}

// pathOf gives the path of a second argument: read once if it is a literal, else for each row.
func pathOf(args []node) (func(e *Env, args []node) []step, error) {
	v, fixed := isConstant(args[1])
	if !fixed {
		return func(e *Env, args []node) []step {
			text, _ := e.text(args[1])
			path, err := parsePath(text)
			if err != nil {
				e.fail("%s", err)
			}
			return path
		}, nil
	}
	if v.typ != String || !v.some {
		return nil, errLiteral("second argument [" + string(appendText(nil, v)) + "] must be a literal [STRING] value")
	}
	path, err := parsePath(v.str)
	if err != nil {
		return nil, err
	}
	return func(*Env, []node) []step { return path }, nil
}

// makeWithPath makes a function of what a path leads to.
func makeWithPath(of func(e *Env, tree any) Value) func(args []node) (runner, error) {
	return func(args []node) (runner, error) {
		path, err := pathOf(args)
		if err != nil {
			return nil, err
		}
		return func(e *Env, args []node) Value {
			v := args[0].eval(e)
			return of(e, find(toTree(v), path(e, args)))
		}, nil
	}
}

// makeJSONValue makes json_value, which gives scalars and lists of scalars only, cast to a type if there is one.
func makeJSONValue(args []node) (runner, error) {
	path, err := pathOf(args)
	if err != nil {
		return nil, err
	}
	to := unknown
	if len(args) > 2 {
		v, ok := isConstant(args[2])
		name := string(appendText(nil, v))
		if to, ok = parseTypeOf(name, ok && v.some); !ok {
			return nil, errLiteral("invalid output type: [" + name + "]")
		}
	}
	return func(e *Env, args []node) Value {
		v := args[0].eval(e)
		tree := find(toTree(v), path(e, args))
		switch t := tree.(type) {
		case *Object:
			tree = nil
		case []any:
			if !flat(t) {
				tree = nil
			}
		}
		found := fromTree(tree)
		switch {
		case to == unknown:
			return found
		case !found.some:
			return Null(to)
		}
		return e.cast(found, to)
	}, nil
}

func parseTypeOf(name string, ok bool) (Type, bool) {
	if !ok {
		return 0, false
	}
	return parseType(name)
}

// queryArray gives a list's elements, or what is no list as the only element.
func queryArray(_ *Env, tree any) Value {
	switch t := tree.(type) {
	case nil, *Object:
		return Null(JSON.Array())
	case []any:
		// The elements are cast to what they have in common, as in any list that is found in data.
		found := fromTree(t).Elems()
		elems := make([]Value, len(found))
		for i := range found {
			elems[i] = OfJSON(toTree(found[i]))
		}
		return OfArray(JSON, elems)
	default:
		return OfArray(JSON, []Value{OfJSON(t)})
	}
}

// jsonKeys gives an object's keys, or the places of a list's elements.
func jsonKeys(_ *Env, tree any) Value {
	var elems []Value
	switch t := tree.(type) {
	case *Object:
		for _, key := range t.Keys {
			elems = append(elems, OfString(key))
		}
	case []any:
		for i := range t {
			elems = append(elems, OfString(strconv.Itoa(i)))
		}
	default:
		return Null(String.Array())
	}
	return OfArray(String, elems)
}

// jsonPaths gives the paths of all scalars in their order; that of Druid's is the order of a hash table.
func jsonPaths(e *Env, args []node) Value {
	v := args[0].eval(e)
	places := leaves(toTree(v), e.spend)
	elems := make([]Value, len(places))
	for i := range places {
		elems[i] = OfString(places[i].path)
	}
	return OfArray(String, elems)
}

func makeJSONObject(args []node) (runner, error) {
	if len(args)%2 != 0 {
		return nil, errLiteral("must have an even number of arguments")
	}
	return func(e *Env, args []node) Value {
		o := &Object{}
		for i := 0; i < len(args); i += 2 {
			key, value := args[i].eval(e), args[i+1].eval(e)
			if key.typ != String {
				return e.reject("json_object", "field name must be a STRING")
			}
			name := key.str
			if !key.some {
				name = "null"
			}
			o.set(name, toTree(value))
		}
		if !e.spend(len(args)) {
			return Value{}
		}
		o.hashOrder()
		return OfJSON(o)
	}, nil
}

func makeJSONMerge(args []node) (runner, error) {
	if len(args) < 2 {
		return nil, errLiteral("must have at least two arguments")
	}
	return func(e *Env, args []node) Value {
		var merged any
		for i, a := range args {
			v := a.eval(e)
			tree := toTree(v)
			if v.typ != JSON {
				if i == 0 && !v.some {
					return e.reject("json_merge", "invalid input expected STRING but got %s instead", v.typ)
				}
				var ok bool
				if tree, ok = e.parseArgument("json_merge", v); !ok {
					return Value{}
				}
			}
			if i == 0 {
				merged = tree
				continue
			}
			if !v.some {
				continue
			}
			var ok bool
			if merged, ok = merge(merged, tree); !ok {
				s, _ := e.asString(v)
				return e.reject("json_merge", "bad string input [%s]", s)
			}
		}
		return OfJSON(merged)
	}, nil
}

// merge puts one tree into another: objects key by key, lists behind each other; anything else replaces what was there. At
// the top the two must be of one kind.
func merge(into, from any) (any, bool) {
	switch a := into.(type) {
	case *Object:
		b, ok := from.(*Object)
		if !ok {
			return nil, false
		}
		out := &Object{Keys: append([]string(nil), a.Keys...), Values: append([]any(nil), a.Values...)}
		for i, key := range b.Keys {
			value := b.Values[i]
			if old, known := out.Get(key); known {
				if both, ok := merge(old, value); ok {
					value = both
				}
			}
			out.set(key, value)
		}
		return out, true
	case []any:
		b, ok := from.([]any)
		if !ok {
			return nil, false
		}
		return append(append([]any(nil), a...), b...), true
	}
	return nil, false
}
