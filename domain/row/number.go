package row

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// ToLong converts a dimension's value to a long: numbers are cut, Booleans are 1 and 0, text is an integer or a decimal
// without a fraction. null is true for null and absent values; ok is false where Druid counts an error.
func (r *Rows) ToLong(v *Value) (n int64, null, ok bool) {
	switch v.Kind {
	case Missing, Null:
		return 0, true, true
	case Long:
		return int64(v.Num), false, true
	case Double:
		return saturate(math.Float64frombits(v.Num)), false, true
	case Bool:
		return int64(v.Num), false, true
	case String:
		if n, ok = parseLong(v.Text); ok {
			return n, false, true
		}
		n, ok = exactLong(string(v.Text))
		return n, !ok, ok
	}
	return 0, true, false
}

// ToDouble converts a dimension's value to a double: numbers and decimal text; Booleans are errors.
func (r *Rows) ToDouble(v *Value) (f float64, null, ok bool) {
	switch v.Kind {
	case Missing, Null:
		return 0, true, true
	case Long:
		return float64(int64(v.Num)), false, true
	case Double:
		return math.Float64frombits(v.Num), false, true
	case String:
		if f, ok = parsePlain(v.Text); ok {
			return f, false, true
		}
		f, ok = parseJavaFloat(string(v.Text), 64)
		return f, !ok, ok
	}
	return 0, true, false
}

// ToFloat converts a dimension's value to a float.
func (r *Rows) ToFloat(v *Value) (f float32, null, ok bool) {
	switch v.Kind {
	case Missing, Null:
		return 0, true, true
	case Long:
		return float32(int64(v.Num)), false, true
	case Double:
		return float32(math.Float64frombits(v.Num)), false, true
	case String:
		d, ok := parseJavaFloat(string(v.Text), 32)
		return float32(d), !ok, ok
	}
	return 0, true, false
}

// Number is a metric's input: a long, or if IsDouble a double.
type Number struct {
	Long     int64
	Double   float64
	IsDouble bool
}

// AsLong gives the number as a long aggregator takes it.
func (n Number) AsLong() int64 {
	if n.IsDouble {
		return saturate(n.Double)
	}
	return n.Long
}

// AsDouble gives the number as a double aggregator takes it.
func (n Number) AsDouble() float64 {
	if n.IsDouble {
		return n.Double
	}
	return float64(n.Long)
}

// AsFloat gives the number as a float aggregator takes it.
func (n Number) AsFloat() float32 {
	if n.IsDouble {
		return float32(n.Double)
	}
	return float32(n.Long)
}

// ToNumber reads a metric's input: numbers as they are; text trimmed, without commas and a leading plus, as an integer
// or else a decimal. null values are ignored by the aggregators; ok is false where Druid counts an error.
func (r *Rows) ToNumber(v *Value) (n Number, null, ok bool) {
	switch v.Kind {
	case Missing, Null:
		return Number{}, true, true
	case Long:
		return Number{Long: int64(v.Num)}, false, true
	case Double:
		return Number{Double: math.Float64frombits(v.Num), IsDouble: true}, false, true
	case String:
		if l, ok := parseLong(v.Text); ok {
			return Number{Long: l}, false, true
		}
		if f, ok := parsePlain(v.Text); ok {
			return Number{Double: f, IsDouble: true}, false, true
		}
		s := strings.ReplaceAll(javaTrim(string(v.Text)), ",", "")
		if l, ok := parseLong([]byte(trimPlus(s))); ok {
			return Number{Long: l}, false, true
		}
		f, ok := parseJavaFloat(javaTrim(s), 64)
		return Number{Double: f, IsDouble: true}, !ok, ok
	}
	return Number{}, true, false
}

// trimPlus drops a leading plus before a digit.
func trimPlus(s string) string {
	if len(s) > 1 && s[0] == '+' && isDigit(s[1]) {
		return s[1:]
	}
	return s
}

// parsePlain reads digits with an optional minus and fraction, so few of them that the one division rounds correctly;
// what else is a number is for parseJavaFloat.
func parsePlain(b []byte) (f float64, ok bool) {
	digits := b
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		digits = b[1:]
	}
	if len(digits) == 0 || len(digits) > maxPlain {
		return 0, false
	}
	n, point := uint64(0), -1
	for i, c := range digits {
		switch {
		case isDigit(c):
			n = n*10 + uint64(c-'0')
		case c == '.' && point < 0:
			point = i
		default:
			return 0, false
		}
	}
	f = float64(n)
	if point >= 0 {
		if len(digits) == 1 {
			return 0, false
		}
		f /= plainPowers[len(digits)-1-point]
	}
	if negative {
		f = -f
	}
	return f, true
}

// maxPlain is as many characters of which the digits make less than 1<<53.
const maxPlain = 15

var plainPowers = [maxPlain]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14}

// parseLong reads an integer of plain digits with an optional minus; it refuses what does not fit in 64 bits.
func parseLong(b []byte) (int64, bool) {
	digits := b
	negative := len(b) > 0 && b[0] == '-'
	if negative {
		digits = b[1:]
	}
	if len(digits) == 0 {
		return 0, false
	}
	if len(digits) > 18 {
		n, err := strconv.ParseInt(string(b), 10, 64)
		return n, err == nil && isDigit(digits[0])
	}
	var n int64
	for _, c := range digits {
		if !isDigit(c) {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if negative {
		n = -n
	}
	return n, true
}

// maxDecimalExponent bounds the exponents of decimal text: beyond it no long can come out, and big numbers cost memory.
const maxDecimalExponent = 1000

// exactLong reads decimal text, with fraction and exponent, that denotes a whole number within 64 bits.
func exactLong(s string) (int64, bool) {
	s = plainDigits(s)
	if n, ok := parseLong([]byte(trimPlus(s))); ok {
		return n, true
	}
	mantissa, exponent, ok := splitDecimal(s)
	if !ok || len(mantissa) > maxDecimalExponent || exponent > maxDecimalExponent || exponent < -maxDecimalExponent {
		return 0, false
	}
	v, ok := new(big.Int).SetString(mantissa, 10)
	if !ok {
		return 0, false
	}
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(exponent, -exponent))), nil)
	if exponent >= 0 {
		v.Mul(v, ten)
	} else {
		rest := new(big.Int)
		if v.QuoRem(v, ten, rest); rest.Sign() != 0 {
			return 0, false
		}
	}
	return v.Int64(), v.IsInt64()
}

// splitDecimal takes Java's BigDecimal syntax apart into signed digits and a power of ten.
func splitDecimal(s string) (mantissa string, exponent int, ok bool) {
	body := s
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		e, err := strconv.Atoi(s[i+1:])
		if err != nil {
			return "", 0, false
		}
		exponent, body = e, s[:i]
	}
	sign := ""
	if body != "" && (body[0] == '-' || body[0] == '+') {
		if body[0] == '-' {
			sign = "-"
		}
		body = body[1:]
	}
	whole, fraction, _ := strings.Cut(body, ".")
	if whole+fraction == "" || !allDigits(whole) || !allDigits(fraction) {
		return "", 0, false
	}
	return sign + whole + fraction, exponent - len(fraction), true
}

// parseJavaFloat reads text as Java's parseDouble and parseFloat do, without trimming: decimal or hexadecimal with an
// exponent, an optional f or d at the end, NaN, Infinity. Out of range becomes infinite or zero, not an error.
func parseJavaFloat(s string, bits int) (float64, bool) {
	body := s
	if body != "" && (body[0] == '-' || body[0] == '+') {
		body = body[1:]
	}
	if body == "NaN" {
		return math.NaN(), true
	}
	if body == "Infinity" {
		if s[0] == '-' {
			return math.Inf(-1), true
		}
		return math.Inf(1), true
	}
	hexadecimal := len(body) > 2 && body[0] == '0' && body[1]|0x20 == 'x'
	if len(body) == 0 || !isDigit(body[0]) && body[0] != '.' || hexadecimal && !strings.ContainsAny(body, "pP") {
		return 0, false
	}
	if last := s[len(s)-1] | 0x20; last == 'f' || last == 'd' {
		s = s[:len(s)-1]
	}
	if strings.IndexByte(s, '_') >= 0 {
		return 0, false
	}
	f, err := strconv.ParseFloat(s, bits)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, false
	}
	return f, true
}

// DimensionMessage is the detail for a value that a numeric dimension cannot take.
func (r *Rows) DimensionMessage(v *Value, t Type, name string) string {
	text := string(r.AppendText(nil, v))
	switch v.Kind {
	case List:
		return "Could not ingest value [" + text + "] as " + t.String() + " for dimension [" + name + "]. A " + t.String() +
			" column cannot have multiple values in the same row."
	case Object, Bool:
		return "Could not convert value [" + text + "] to " + t.String() + " for dimension [" + name +
			"]. Invalid type: [" + v.javaClass() + "]"
	}
	return "Could not convert value [" + text + "] to " + t.String() + " for dimension [" + name + "]."
}

// MetricMessage is the detail for a value that an aggregator cannot take.
func (r *Rows) MetricMessage(v *Value, field string) string {
	if v.Kind == String {
		return "Unable to parse value[" + string(v.Text) + "] for field[" + field + "]"
	}
	return "Unknown type[" + v.javaClass() + "] for field[" + field + "]"
}
