package expr

import "math"

// bitFunctions work on the bits of longs; doubles are cut to longs.
var bitFunctions = []*function{
	bits("bitwiseAnd", func(x, y int64) int64 { return x & y }),
	bits("bitwiseOr", func(x, y int64) int64 { return x | y }),
	bits("bitwiseXor", func(x, y int64) int64 { return x ^ y }),
	bits("bitwiseShiftLeft", func(x, y int64) int64 { return x << (uint64(y) & 63) }),
	bits("bitwiseShiftRight", func(x, y int64) int64 { return x >> (uint64(y) & 63) }),
	{name: "bitwiseComplement", arity: exactly(1), kind: always(Long), run: ofLong("bitwiseComplement",
		func(n int64) Value { return OfLong(^n) })},
	{name: "bitwiseConvertLongBitsToDouble", arity: exactly(1), kind: always(Double), run: ofLong("bitwiseConvertLongBitsToDouble",
		func(n int64) Value { return OfDouble(math.Float64frombits(uint64(n))) })},
	{name: "bitwiseConvertDoubleToLongBits", arity: exactly(1), kind: always(Long), run: doubleToLong(orderedBitsOf)},
}

// orderedBitsOf is Double.doubleToLongBits, which knows one NaN.
func orderedBitsOf(f float64) int64 {
	if f != f {
		return 0x7FF8000000000000
	}
	return int64(math.Float64bits(f))
}

func bits(name string, of func(x, y int64) int64) *function {
	return &function{name: name, arity: exactly(2), kind: always(Long), run: func(e *Env, args []node) Value {
		x, y := args[0].eval(e), args[1].eval(e)
		if !x.some || !y.some || detect(x, y) == String {
			return Value{}
		}
		return OfLong(of(x.asLong(), y.asLong()))
	}}
}

// ofLong makes a function of a long; a double must be within its range.
func ofLong(name string, of func(int64) Value) runner {
	return func(e *Env, args []node) Value {
		v := args[0].eval(e)
		switch {
		case !v.some || !v.typ.numeric():
			return Value{}
		case v.typ == Double && (v.Double() < math.MinInt64 || v.Double() > math.MaxInt64):
			return e.reject(name, "Possible data truncation, param [%f] is out of LONG value range", v.Double())
		}
		return of(v.asLong())
	}
}
