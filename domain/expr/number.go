package expr

import (
	"math"
	"strings"

	"ogham/domain/row"
)

// toLong is Java's cast of a double to a long: NaN is 0, what is too large saturates.
func toLong(f float64) int64 {
	switch {
	case f != f:
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

func isTrue(s string) bool { return len(s) == 4 && strings.EqualFold(s, "true") }

// parseNumber reads the number that a text counts as: true is 1.0 and false 0.0; else a long, else a double.
func parseNumber(s string) (n number, ok bool) {
	if s == "" {
		return n, false
	}
	switch s[0] {
	case 't', 'T', 'f', 'F':
		switch {
		case isTrue(s):
			return number{double: 1}, true
		case len(s) == 5 && strings.EqualFold(s, "false"):
			return n, true
		}
		return n, false
	}
	if long, ok := parseLong(s, 10); ok {
		return number{long: long, isLong: true}, true
	}
	f, ok := row.ParseDouble(s)
	return number{double: f}, ok
}

// parseLong reads a whole number with an optional sign as Java does: ASCII digits only, within 64 bits.
func parseLong(s string, radix int) (n int64, ok bool) {
	digits := s
	negative := false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative = s[0] == '-'
		digits = s[1:]
	}
	if digits == "" {
		return 0, false
	}
	var u uint64
	for i := range len(digits) {
		d := digit(digits[i])
		if d >= radix || u > (math.MaxUint64-uint64(d))/uint64(radix) {
			return 0, false
		}
		u = u*uint64(radix) + uint64(d)
	}
	switch {
	case negative && u <= 1<<63:
		return -int64(u), true
	case !negative && u <= math.MaxInt64:
		return int64(u), true
	}
	return 0, false
}

// digit gives the value of a digit of up to 36, or 99.
func digit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return int(c|0x20-'a') + 10
	}
	return 99
}

// compareDoubles is Java's Double.compare: -0.0 is below 0.0, and NaN is above all others and equal to itself.
func compareDoubles(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	x, y := orderedBits(a), orderedBits(b)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// orderedBits are the bits of a double, the same for all NaNs, as a signed number.
func orderedBits(f float64) int64 {
	if f != f {
		f = math.NaN()
	}
	return int64(math.Float64bits(f))
}
