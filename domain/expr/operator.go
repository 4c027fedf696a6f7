package expr

import "math"

// minus is the unary minus.
type minus struct{ of node }

func (n *minus) eval(e *Env) Value {
	v := n.of.eval(e)
	switch {
	case !v.some:
		return Value{}
	case v.typ == Long:
		return OfLong(-v.Long())
	case v.typ == Double:
		return OfDouble(-v.Double())
	}
	return e.fail("unsupported type %s", v.typ)
}

func (n *minus) kind(e *Env, locals []Type) Type { return n.of.kind(e, locals) }

// not is the logical not; that of a null is a null.
type not struct{ of node }

func (n *not) eval(e *Env) Value {
	v := n.of.eval(e)
	if !v.some {
		return Value{}
	}
	return OfBool(!v.Bool())
}

func (n *not) kind(*Env, []Type) Type { return Long }

// opcode is a binary operator.
type opcode uint8

const (
	opAdd opcode = iota
	opSub
	opMul
	opDiv
	opMod
	opPow
	opLess
	opLessEqual
	opGreater
	opGreaterEqual
	opEqual
	opNotEqual
	opAnd
	opOr
)

var opcodes = map[string]opcode{
	"+": opAdd, "-": opSub, "*": opMul, "/": opDiv, "%": opMod, "^": opPow, "<": opLess, "<=": opLessEqual, ">": opGreater,
	">=": opGreaterEqual, "==": opEqual, "!=": opNotEqual, "&&": opAnd, "||": opOr,
}

// operator is a binary operator with its operands.
type operator struct {
	op          opcode
	sign        string
	left, right node
}

func newOperator(sign string, left, right node) *operator {
	return &operator{opcodes[sign], sign, left, right}
}

func (n *operator) kind(e *Env, locals []Type) Type {
	if n.op >= opLess {
		return Long
	}
	return operatorType(n.left.kind(e, locals), n.right.kind(e, locals))
}

func (n *operator) eval(e *Env) Value {
	left := n.left.eval(e)
	if n.op >= opAnd {
		return n.logic(e, left)
	}
	right := n.right.eval(e)
	if left.typ == Long && right.typ == Long && left.some && right.some {
		return n.longs(e, left.Long(), right.Long())
	}
	// Whatever is done with a null gives a null.
	if !left.some || !right.some {
		return Value{}
	}
	switch common := detect(left, right); {
	case common == String:
		return n.texts(e, left, right)
	case common == Long:
		return n.longs(e, left.asLong(), right.asLong())
	case common.IsArray() && n.op >= opLess:
		return e.compareArrays(n.op, left, right)
	}
	x, ok1 := left.number()
	y, ok2 := right.number()
	if !ok1 || !ok2 {
		return Value{}
	}
	return n.doubles(x.asDouble(), y.asDouble())
}

// detect gives the type in which two values, neither of them null, are computed or compared: strings if both are, arrays
// if both are, longs if both are, otherwise doubles.
func detect(a, b Value) Type {
	switch {
	case a.typ == String && b.typ == String:
		return String
	case a.typ.IsArray() && b.typ.IsArray():
		return leastRestrictive(a.typ, b.typ)
	}
	return numericType(a.typ, b.typ)
}

// logic is AND and OR with three values; the right side is looked at only if the left one does not decide.
func (n *operator) logic(e *Env, left Value) Value {
	decides := n.op == opOr
	if left.some && left.Bool() == decides {
		return OfBool(decides)
	}
	right := n.right.eval(e)
	switch {
	case right.some && right.Bool() == decides:
		return OfBool(decides)
	case !left.some || !right.some:
		return Null(Long)
	}
	return OfBool(!decides)
}

func (n *operator) longs(e *Env, x, y int64) Value {
	switch n.op {
	case opAdd:
		return OfLong(x + y)
	case opSub:
		return OfLong(x - y)
	case opMul:
		return OfLong(x * y)
	case opDiv, opMod:
		switch {
		case y == 0:
			return e.fail("/ by zero")
		case n.op == opDiv:
			return OfLong(x / y)
		}
		return OfLong(x % y)
	case opPow:
		return e.power(x, y)
	}
	return compared(n.op, x < y, x == y)
}

// power is Guava's LongMath.pow: it wraps around.
func (e *Env) power(x, y int64) Value {
	switch {
	case y > math.MaxInt32 || y < math.MinInt32:
		return e.fail("Out of range: %d", y)
	case y < 0:
		return e.fail("exponent (%d) must be >= 0", y)
	}
	result := int64(1)
	for ; y > 0; y >>= 1 {
		if y&1 == 1 {
			result *= x
		}
		x *= x
	}
	return OfLong(result)
}

func (n *operator) doubles(x, y float64) Value {
	switch n.op {
	case opAdd:
		return OfDouble(x + y)
	case opSub:
		return OfDouble(x - y)
	case opMul:
		return OfDouble(x * y)
	case opDiv:
		return OfDouble(x / y)
	case opMod:
		return OfDouble(math.Mod(x, y))
	case opPow:
		return OfDouble(precisePow(x, y))
	case opEqual:
		return OfBool(x == y)
	case opNotEqual:
		return OfBool(x != y)
	}
	c := compareDoubles(x, y)
	return compared(n.op, c < 0, c == 0)
}

// pow is Java's Math.pow, which differs from Go's where the base is one or minus one and the exponent is not finite.
func pow(x, y float64) float64 {
	if math.IsNaN(y) || math.IsInf(y, 0) && math.Abs(x) == 1 {
		return math.NaN()
	}
	return math.Pow(x, y)
}

func (n *operator) texts(e *Env, left, right Value) Value {
	if n.op >= opLess {
		switch n.op {
		case opEqual:
			return OfBool(left.str == right.str)
		case opNotEqual:
			return OfBool(left.str != right.str)
		}
		c := compareUTF16(left.str, right.str)
		return compared(n.op, c < 0, c == 0)
	}
	if n.op == opAdd {
		return OfString(e.build(func(dst []byte) []byte { return append(append(dst, left.str...), right.str...) }))
	}
	source := "(" + describe(n.left) + " " + n.sign + " " + describe(n.right) + ")"
	return e.fail("operator '%s' in expression %s is not supported on type STRING.", n.sign, source)
}

// compared answers a comparison by how its sides stand.
func compared(op opcode, less, equal bool) Value {
	switch op {
	case opLess:
		return OfBool(less)
	case opLessEqual:
		return OfBool(less || equal)
	case opGreater:
		return OfBool(!less && !equal)
	case opGreaterEqual:
		return OfBool(!less)
	case opEqual:
		return OfBool(equal)
	}
	return OfBool(!equal)
}

// compareArrays compares element by element, nulls first, and then by length.
func (e *Env) compareArrays(op opcode, left, right Value) Value {
	c := e.compareAs(leastRestrictive(left.typ, right.typ), left, right)
	if e.err != nil {
		return Value{}
	}
	return compared(op, c < 0, c == 0)
}

func (e *Env) compareAs(t Type, left, right Value) int {
	left, right = e.cast(left, t), e.cast(right, t)
	if e.err != nil || !e.ordered(t) {
		return 0
	}
	return compareValues(left, right)
}

// compareValues orders two values of one type, nulls first.
func compareValues(a, b Value) int {
	switch {
	case !a.some || !b.some:
		return int(OfBool(a.some).Long() - OfBool(b.some).Long())
	case a.typ == Long && b.typ == Long:
		switch {
		case a.Long() < b.Long():
			return -1
		case a.Long() > b.Long():
			return 1
		}
		return 0
	case a.typ == Double && b.typ == Double:
		return compareDoubles(a.Double(), b.Double())
	case a.typ == String && b.typ == String:
		return compareUTF16(a.str, b.str)
	}
	x, y := a.Elems(), b.Elems()
	for i := 0; i < len(x) && i < len(y); i++ {
		if c := compareValues(x[i], y[i]); c != 0 {
			return c
		}
	}
	return len(x) - len(y)
}
