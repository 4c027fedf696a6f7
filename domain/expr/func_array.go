package expr

import (
	"math"
	"slices"
)

// arrayFunctions make and read arrays. A scalar counts as an array of itself.
var arrayFunctions = []*function{
	{name: "array", arity: atLeast(1), kind: arrayKind, run: makeArray},
	{name: "array_length", arity: exactly(1), kind: always(Long), arrayArgs: 1, run: func(e *Env, args []node) Value {
		elems, ok := args[0].eval(e).array()
		if !ok {
			return Value{}
		}
		return OfLong(int64(len(elems)))
	}},
	{name: "array_offset", arity: exactly(2), kind: elementKind, arrayArgs: 1, run: elementAt(0)},
	{name: "array_ordinal", arity: exactly(2), kind: elementKind, arrayArgs: 1, run: elementAt(1)},
	{name: "array_offset_of", arity: exactly(2), kind: always(Long), arrayArgs: 1, run: placeOf("array_offset_of", 0)},
	{name: "array_ordinal_of", arity: exactly(2), kind: always(Long), arrayArgs: 1, run: placeOf("array_ordinal_of", 1)},
	{name: "array_append", arity: exactly(2), kind: sameArrayKind(0), arrayArgs: 1, run: added(0, 1, false, addLast)},
	{name: "array_prepend", arity: exactly(2), kind: sameArrayKind(1), arrayArgs: 2, run: added(1, 0, false, addFirst)},
	{name: "array_set_add", arity: exactly(2), kind: sameArrayKind(0), arrayArgs: 1, run: added(0, 1, true, addToSet)},
	{name: "array_concat", arity: exactly(2), kind: sameArrayKind(0), arrayArgs: allArgs, run: merged(false)},
	{name: "array_set_add_all", arity: exactly(2), kind: sameArrayKind(0), arrayArgs: allArgs, run: merged(true)},
	{name: "array_contains", arity: exactly(2), kind: always(Long), arrayArgs: allArgs, run: containsAll},
	{name: "array_overlap", arity: exactly(2), kind: always(Long), arrayArgs: allArgs, run: overlap},
	{name: "scalar_in_array", arity: exactly(2), kind: always(Long), arrayArgs: 2, run: scalarInArray},
	{name: "array_slice", arity: oneOf(2, 3), kind: sameArrayKind(0), arrayArgs: 1, run: arraySlice},
	{name: "array_to_string", arity: exactly(2), kind: always(String), arrayArgs: 1, run: arrayToString},
	{name: "array_to_mv", arity: exactly(1), kind: always(String.Array()), arrayArgs: 1, run: toStrings},
	{name: "mv_to_array", arity: exactly(1), kind: always(String.Array()), arrayArgs: 1, make: makeMvToArray},
	{name: "mv_harmonize_nulls", arity: exactly(1), kind: always(String.Array()), arrayArgs: 1, run: harmonizeNulls},
	{name: "array_quantile", arity: exactly(2), kind: always(Double), macro: true, arrayArgs: 1, make: makeQuantile},
}

func arrayKind(e *Env, args []node, locals []Type) Type {
	t := unknown
	for _, a := range args {
		t = leastRestrictive(t, a.kind(e, locals))
	}
	if t == unknown {
		return unknown
	}
	return t.Array()
}

func elementKind(e *Env, args []node, locals []Type) Type {
	if t := args[0].kind(e, locals); t != unknown {
		return t.Elem()
	}
	return unknown
}

func sameArrayKind(i int) func(*Env, []node, []Type) Type {
	return func(e *Env, args []node, locals []Type) Type {
		if t := args[i].kind(e, locals); t != unknown {
			return t.asArray()
		}
		return unknown
	}
}

func makeArray(e *Env, args []node) Value {
	elems := make([]Value, len(args))
	for i, a := range args {
		elems[i] = a.eval(e)
	}
	if !e.spend(len(elems)) {
		return Value{}
	}
	return e.unite(elems)
}

// unite makes an array of computed values, cast to their least restrictive type; nulls do not count.
func (e *Env) unite(elems []Value) Value {
	elem := unknown
	for _, v := range elems {
		if v.some {
			elem = leastRestrictive(elem, v.typ)
		}
	}
	if elem == unknown {
		elem = Long
	}
	if elem.depth() >= maxArrayDepth {
		return e.fail("arrays are nested deeper than %d levels", maxArrayDepth)
	}
	for i, v := range elems {
		switch {
		case !v.some:
			elems[i] = Null(elem)
		case v.typ != elem:
			elems[i] = e.cast(v, elem)
		}
	}
	return OfArray(elem, elems)
}

// elementAt makes array_offset and array_ordinal, which count from first.
func elementAt(first int) runner {
	return func(e *Env, args []node) Value {
		v, n := args[0].eval(e), args[1].eval(e)
		elems, ok := v.array()
		at := n.asInt() - first
		if !ok || at < 0 || at >= len(elems) {
			return Value{}
		}
		return elems[at]
	}
}

// identical is Objects.equals: values of different types differ.
func identical(a, b Value) bool {
	if !a.some || !b.some {
		return a.some == b.some
	}
	if a.typ == JSON && b.typ == JSON {
		return sameTree(a.box, b.box)
	}
	return a.typ == b.typ && compareValues(a, b) == 0
}

func indexOf(elems []Value, v Value) int {
	return slices.IndexFunc(elems, func(x Value) bool { return identical(x, v) })
}

func placeOf(name string, first int) runner {
	return func(e *Env, args []node) Value {
		v, wanted := args[0].eval(e), args[1].eval(e)
		elems, ok := v.array()
		switch {
		case !ok:
			return Value{}
		case !wanted.typ.primitive():
			return e.reject(name, "second argument must be a a scalar type but got %s instead", wanted.typ)
		}
		i := indexOf(elems, wanted)
		if i < 0 {
			return Null(Long)
		}
		return OfLong(int64(i + first))
	}
}

func addLast(elems []Value, v Value) []Value { return append(slices.Clip(elems), v) }

func addFirst(elems []Value, v Value) []Value { return append([]Value{v}, elems...) }

func addToSet(elems []Value, v Value) []Value { return sorted(addLast(elems, v)) }

// alikeAll casts values, which it may overwrite, to one type.
func (e *Env) alikeAll(elems []Value, t Type) []Value {
	for i, v := range elems {
		elems[i] = e.cast(v, t)
	}
	return elems
}

// sorted gives the values in order and each once; of equal ones the first stays.
func sorted(elems []Value) []Value {
	out := slices.Clone(elems)
	slices.SortStableFunc(out, compareValues)
	return slices.CompactFunc(out, func(a, b Value) bool { return compareValues(a, b) == 0 })
}

// ordered says whether values of a type have an order, as sets need it; JSON has none.
func (e *Env) ordered(t Type) bool {
	if t%arrayStep == JSON {
		e.fail("values of type %s have no order", t)
		return false
	}
	return true
}

// added makes the functions that put one value into an array.
func added(array, scalar int, ordered bool, add func([]Value, Value) []Value) runner {
	return func(e *Env, args []node) Value {
		a, v := args[array].eval(e), args[scalar].eval(e)
		elems, ok := a.array()
		if !ok || !e.spend(len(elems)) {
			return Value{}
		}
		elem := a.typ.asArray().Elem()
		if ordered && !e.ordered(elem) {
			return Value{}
		}
		return OfArray(elem, add(e.alikeAll(slices.Clone(elems), elem), e.cast(v, elem)))
	}
}

// merged makes array_concat and array_set_add_all. Druid leaves the elements of the second array as they are, even if
// the first is of another type; in a set, where it then fails, they are cast.
func merged(set bool) runner {
	return func(e *Env, args []node) Value {
		a, b := args[0].eval(e), args[1].eval(e)
		x, ok1 := a.array()
		y, ok2 := b.array()
		elem := a.typ.asArray().Elem()
		switch {
		case !ok1:
			return a
		case !ok2:
			return b
		case !e.spend(len(x) + len(y)):
			return Value{}
		}
		elems := append(slices.Clip(x), y...)
		if set && !e.ordered(elem) {
			return Value{}
		}
		if set {
			elems = sorted(e.alikeAll(elems, elem))
		}
		return OfArray(elem, elems)
	}
}

// alike gives the elements of two arrays, those of the second, which is not null, cast to the type of the first.
func (e *Env) alike(a, b Value) (x, y []Value, ok bool) {
	x, ok = a.array()
	if !ok {
		return nil, nil, false
	}
	y, ok = e.cast(b, a.typ.asArray()).array()
	return x, y, ok && e.spend(len(x)*max(len(y), 1))
}

// containsAll looks for each element of the second array in the first one. A null in its place is looked for, and a scalar
// that is a null only after its cast is not.
func containsAll(e *Env, args []node) Value {
	a, b := args[0].eval(e), args[1].eval(e)
	if !b.some {
		b = OfArray(String, []Value{{}})
	}
	x, y, ok := e.alike(a, b)
	switch {
	case !ok:
		return Null(Long)
	case !b.typ.IsArray() && !y[0].some:
		return OfBool(false)
	}
	for _, v := range y {
		if indexOf(x, v) < 0 {
			return OfBool(false)
		}
	}
	return OfBool(true)
}

// overlap looks for a common element. A null in place of the second array is none.
func overlap(e *Env, args []node) Value {
	a, b := args[0].eval(e), args[1].eval(e)
	if _, ok := a.array(); ok && !b.some {
		return OfBool(false)
	}
	x, y, ok := e.alike(a, b)
	if !ok {
		return Null(Long)
	}
	return OfBool(slices.ContainsFunc(x, func(v Value) bool { return indexOf(y, v) >= 0 }))
}

func scalarInArray(e *Env, args []node) Value {
	v, a := args[0].eval(e), args[1].eval(e)
	elems, ok := a.array()
	switch {
	case !ok:
		return Value{}
	case !v.some:
		if indexOf(elems, v) >= 0 {
			return OfBool(true)
		}
		return Null(Long)
	}
	v, ok = e.comparable(v, a.typ.asArray().Elem())
	return OfBool(ok && e.spend(len(elems)) && indexOf(elems, v) >= 0)
}

// comparable casts a value so that it can be compared with values of a type; ok is false where the cast would change
// it, so that it can be equal to none of them.
func (e *Env) comparable(v Value, t Type) (Value, bool) {
	if v.typ.IsArray() && !t.IsArray() {
		if _, single := v.single(); !single {
			return Value{}, false
		}
	}
	cast := e.cast(v, t)
	if t == Long && v.asDouble() != cast.asDouble() || !cast.some {
		return Value{}, false
	}
	return cast, true
}

func arraySlice(e *Env, args []node) Value {
	v := args[0].eval(e)
	elems, ok := v.array()
	if !ok {
		return Value{}
	}
	start, end := args[1].eval(e).asInt(), len(elems)
	if len(args) > 2 {
		end = args[2].eval(e).asInt()
	}
	if start < 0 || start > len(elems) || start > end || !e.spend(end-start) {
		return Value{}
	}
	elem := v.typ.asArray().Elem()
	out := make([]Value, 0, end-start)
	for i := start; i < end; i++ { // beyond the array there are nulls
		if i < len(elems) {
			out = append(out, elems[i])
		} else {
			out = append(out, Null(elem))
		}
	}
	return OfArray(elem, out)
}

func arrayToString(e *Env, args []node) Value {
	v := args[0].eval(e)
	separator, _ := e.text(args[1])
	elems, ok := v.array()
	if !ok || len(elems) == 1 && !elems[0].some || !e.spend(len(elems)*len(separator)) {
		return Value{}
	}
	return OfString(e.build(func(dst []byte) []byte {
		for i, elem := range elems {
			if i > 0 {
				dst = append(dst, separator...)
			}
			dst = appendText(dst, elem)
		}
		return dst
	}))
}

func toStrings(e *Env, args []node) Value { return e.cast(args[0].eval(e), String.Array()) }

func makeMvToArray(args []node) (runner, error) {
	if _, ok := args[0].(column); !ok {
		if _, ok := args[0].(local); !ok {
			return nil, errLiteral("argument " + describe(args[0]) + " should be an identifier expression. Use array() instead")
		}
	}
	return toStrings, nil
}

// harmonizeNulls gives texts, and nothing, null and an array without elements one form.
func harmonizeNulls(e *Env, args []node) Value {
	v := e.cast(args[0].eval(e), String.Array())
	if len(v.Elems()) == 0 {
		return OfArray(String, []Value{{}})
	}
	return v
}

// makeQuantile makes the quantile of an array's numbers, between two of them by proportion.
func makeQuantile(args []node) (runner, error) {
	v, ok := isConstant(args[1])
	if !ok {
		return nil, errLiteral("rank argument must be a literal")
	}
	if !v.some || !v.typ.numeric() {
		return nil, errLiteral("rank must be a number")
	}
	rank := v.asDouble()
	return func(e *Env, args []node) Value {
		elems := args[0].eval(e).Elems() // a scalar has none
		if !e.spend(len(elems)) {
			return Value{}
		}
		var numbers []float64
		for _, x := range elems {
			if x.some && x.typ.numeric() {
				numbers = append(numbers, x.asDouble())
			}
		}
		if len(numbers) == 0 {
			return Null(Double)
		}
		slices.SortFunc(numbers, compareDoubles)
		if !(rank >= 0 && rank <= 1) {
			return OfDouble(math.NaN())
		}
		at := rank * float64(len(numbers)-1)
		low := math.Floor(at)
		below := numbers[int(low)]
		if low == float64(len(numbers)-1) {
			return OfDouble(below)
		}
		return OfDouble(below + (at-low)*(numbers[int(low)+1]-below))
	}, nil
}
