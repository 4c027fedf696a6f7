package expr

import (
	"math"
	"math/big"
	"strconv"

	"ogham/domain/row"
)

// mathFunctions are java.lang.Math's and their like.
var mathFunctions = append([]*function{
	unary("abs", nil, func(_ *Env, n int64) Value { return OfLong(max(n, -n)) }, math.Abs),
	{name: "getExponent", arity: exactly(1), kind: always(Long), run: doubleToLong(exponent)},
	{name: "pi", arity: exactly(0), kind: always(Double), run: func(*Env, []node) Value { return OfDouble(math.Pi) }},
	{name: "round", arity: oneOf(1, 2), kind: kindOf(0), run: round},
	{name: "div", arity: exactly(2), kind: integerKind, run: binary(func(e *Env, x, y int64) Value {
		if y == 0 {
			return e.fail("/ by zero")
		}
		return OfLong(x / y)
	}, func(_ *Env, x, y float64) Value { return OfLong(toLong(x / y)) })},
	{name: "safe_divide", arity: exactly(2), kind: commonKind, run: binary(func(_ *Env, x, y int64) Value {
		if y == 0 {
			return Null(Long)
		}
		return OfLong(x / y)
	}, safeDivide)},
	{name: "max", arity: exactly(2), kind: commonKind, run: binary(
		func(_ *Env, x, y int64) Value { return OfLong(max(x, y)) },
		func(_ *Env, x, y float64) Value { return OfDouble(max(x, y)) })},
	{name: "min", arity: exactly(2), kind: commonKind, run: binary(
		func(_ *Env, x, y int64) Value { return OfLong(min(x, y)) },
		func(_ *Env, x, y float64) Value { return OfDouble(min(x, y)) })},
	{name: "scalb", arity: exactly(2), kind: always(Double), run: scalb},
	reduction("greatest", 1),
	reduction("least", -1),
}, append(doubleFunctions(), doublePairs()...)...)

// doubleFunctions take one number and give a double.
func doubleFunctions() (list []*function) {
	for _, f := range []struct {
		name string
		of   func(float64) float64
	}{
		{"acos", javaAcos},
		{"asin", javaAsin},
		{"atan", javaAtan},
		{"cbrt", javaCbrt},
		{"ceil", math.Ceil},
		{"cos", preciseCos},
		{"cosh", javaCosh},
		{"cot", func(x float64) float64 { return preciseCos(x) / preciseSin(x) }},
		{"exp", preciseExp},
		{"expm1", math.Expm1},
		{"floor", math.Floor},
		{"log", preciseLog},
		{"log10", preciseLog10},
		{"log1p", math.Log1p},
		{"nextUp", func(x float64) float64 { return math.Nextafter(x, math.Inf(1)) }},
		{"rint", math.RoundToEven},
		{"signum", signum},
		{"sin", preciseSin},
		{"sinh", javaSinh},
		{"sqrt", math.Sqrt},
		{"tan", preciseTan},
		{"tanh", javaTanh},
		{"toDegrees", func(x float64) float64 { return x * 57.29577951308232 }},
		{"toRadians", func(x float64) float64 { return x * 0.017453292519943295 }},
		{"ulp", ulp},
	} {
		list = append(list, unary(f.name, always(Double), nil, f.of))
	}
	return list
}

// doublePairs take two numbers and give a double.
func doublePairs() (list []*function) {
	for _, f := range []struct {
		name string
		of   func(x, y float64) float64
	}{
		{"atan2", javaAtan2},
		{"copySign", math.Copysign},
		{"hypot", javaHypot},
		{"nextAfter", nextAfter},
		{"pow", precisePow},
		{"remainder", math.Remainder},
	} {
		list = append(list, &function{name: f.name, arity: exactly(2), kind: always(Double), run: binary(nil,
			func(_ *Env, x, y float64) Value { return OfDouble(f.of(x, y)) })})
	}
	return list
}

// unary makes a function of one number. Without one for longs, they are taken as doubles. What is no number gives a null.
func unary(name string, kind func(*Env, []node, []Type) Type, long func(*Env, int64) Value, double func(float64) float64) *function {
	if kind == nil {
		kind = kindOf(0)
	}
	return &function{name: name, arity: exactly(1), kind: kind, run: func(e *Env, args []node) Value {
		v := args[0].eval(e)
		switch {
		case !v.some:
		case v.typ == Double:
			return OfDouble(double(v.Double()))
		case v.typ == Long && long != nil:
			return long(e, v.Long())
		case v.typ == Long:
			return OfDouble(double(float64(v.Long())))
		}
		return Value{}
	}}
}

// doubleToLong makes a function of a number that gives a long.
func doubleToLong(of func(float64) int64) runner {
	return func(e *Env, args []node) Value {
		v := args[0].eval(e)
		if !v.some || !v.typ.numeric() {
			return Value{}
		}
		return OfLong(of(v.asDouble()))
	}
}

// binary makes a function of two numbers, of which one may be a text; two texts give a null. Without one for longs, they
// are taken as doubles.
func binary(longs func(e *Env, x, y int64) Value, doubles func(e *Env, x, y float64) Value) runner {
	return func(e *Env, args []node) Value {
		x, y := args[0].eval(e), args[1].eval(e)
		if !x.some || !y.some {
			return Value{}
		}
		switch t := detect(x, y); {
		case t == String:
			return Value{}
		case t == Long && longs != nil:
			return longs(e, x.asLong(), y.asLong())
		}
		return doubles(e, x.asDouble(), y.asDouble())
	}
}

// integerKind is the kind of div: any numbers give a long.
func integerKind(e *Env, args []node, locals []Type) Type {
	if t := commonKind(e, args, locals); !t.numeric() {
		return t
	}
	return Long
}

func safeDivide(_ *Env, x, y float64) Value {
	if y == 0 || y != y {
		if x != 0 {
			return Null(Double)
		}
		return OfDouble(0)
	}
	return OfDouble(x / y)
}

func scalb(e *Env, args []node) Value {
	x, y := args[0].eval(e), args[1].eval(e)
	if !x.some || !y.some || detect(x, y) == String {
		return Value{}
	}
	return OfDouble(math.Ldexp(x.asDouble(), y.asInt()))
}

func signum(x float64) float64 {
	switch {
	case x > 0:
		return 1
	case x < 0:
		return -1
	}
	return x
}

// exponent is Math.getExponent: 1024 for what is not finite, -1023 for zero and what is below the normal doubles.
func exponent(x float64) int64 { return int64(math.Float64bits(x)>>52&0x7FF) - 1023 }

func ulp(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x != x || math.IsInf(x, 0):
		return x
	case x == math.MaxFloat64:
		return math.Ldexp(1, 971)
	}
	return math.Nextafter(x, math.Inf(1)) - x
}

// nextAfter is Math.nextAfter: of two equal numbers the second.
func nextAfter(x, y float64) float64 {
	if x == y {
		return y
	}
	return math.Nextafter(x, y)
}

// reduction makes greatest (sign 1) or least (sign -1): nulls do not count, and the types of all other arguments decide
// how they are compared.
func reduction(name string, sign int) *function {
	return &function{name: name, arity: atLeast(0), kind: reductionKind, run: func(e *Env, args []node) Value {
		t := Long
		var small [8]Value
		found := small[:0]
		for _, a := range args {
			v := a.eval(e)
			if v.some && !v.typ.primitive() {
				return e.reject(name, "does not accept %s types", v.typ)
			}
			if v.some {
				found = append(found, v)
				t = functionType(t, v.typ)
			}
		}
		if len(found) == 0 {
			return Value{}
		}
		best := e.cast(found[0], t)
		for _, v := range found[1:] {
			v = e.cast(v, t)
			if t == Double && (v.Double() != v.Double() || best.Double() != best.Double()) {
				best = OfDouble(math.NaN())
			} else if compareValues(v, best)*sign > 0 {
				best = v
			}
		}
		return best
	}}
}

func reductionKind(e *Env, args []node, locals []Type) Type {
	t := Long
	for _, a := range args {
		t = functionType(t, a.kind(e, locals))
	}
	return t
}

// round rounds half away from zero at a decimal place; that of a long may only be left of the point.
func round(e *Env, args []node) Value {
	v := args[0].eval(e)
	switch {
	case v.numericNull():
		return Value{}
	case !v.typ.numeric():
		return e.reject("round", "first argument should be a LONG or DOUBLE but got %s instead", v.typ)
	}
	scale := 0
	if len(args) > 1 {
		s := args[1].eval(e)
		if s.typ != Long {
			return e.reject("round", "second argument should be a LONG but got %s instead", s.typ)
		}
		scale = s.asInt()
	}
	if v.typ == Long {
		return OfLong(roundLong(v.Long(), scale))
	}
	return OfDouble(roundDouble(v.Double(), scale) + 0) // a BigDecimal knows no zero below zero
}

// maxLongDigits is more than the digits of any long: rounding further left gives 0.
const maxLongDigits = 20

func roundLong(n int64, scale int) int64 {
	switch {
	case scale >= 0:
		return n
	case scale < -maxLongDigits:
		return 0
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-scale)), nil)
	half := new(big.Int).Rsh(unit, 1)
	x := big.NewInt(n)
	negative := x.Sign() < 0
	x.Abs(x).Add(x, half).Div(x, unit).Mul(x, unit)
	if negative {
		x.Neg(x)
	}
	low := new(big.Int).And(x, new(big.Int).SetUint64(math.MaxUint64)) // Java's longValue wraps around
	return int64(low.Uint64())
}

// roundDouble rounds the shortest decimal text of a number, as BigDecimal.valueOf does.
func roundDouble(f float64, scale int) float64 {
	switch {
	case f != f:
		return 0
	case math.IsInf(f, 1):
		f = math.MaxFloat64
	case math.IsInf(f, -1):
		f = -math.MaxFloat64
	}
	var buf [64]byte
	text := strconv.AppendFloat(buf[:0], f, 'e', -1, 64)
	mark := len(text) - 1
	for text[mark] != 'e' {
		mark--
	}
	exp, _ := strconv.Atoi(view(text[mark+1:]))
	negative := text[0] == '-'
	var digits [24]byte
	n := 0
	for _, c := range text[:mark] {
		if isDigit(c) {
			digits[n] = c
			n++
		}
	}
	// The digits are d.ddd times ten to exp: keep is how many of them lie left of the place.
	keep := exp + 1 + scale
	switch {
	case keep >= n:
		return f
	case keep < 0:
		return math.Copysign(0, 1)
	}
	up := digits[keep] >= '5'
	for i := keep - 1; i >= 0 && up; i-- {
		if digits[i]++; digits[i] <= '9' {
			up = false
		} else {
			digits[i] = '0'
		}
	}
	out := buf[:0]
	if negative {
		out = append(out, '-')
	}
	if up {
		out = append(out, '1')
	}
	out = append(append(out, digits[:keep]...), '0', 'e')
	out = strconv.AppendInt(out, int64(-scale-1), 10)
	rounded, _ := row.ParseDouble(view(out))
	if rounded == 0 {
		return 0 // BigDecimal has no negative zero
	}
	return rounded
}
