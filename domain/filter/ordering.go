package filter

import (
	"cmp"
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"ogham/domain/expr"
)

// orderings are the ways to compare texts.
var orderings = map[string]func(a, b string) int{
	"lexicographic": compareUTF16,
	"alphanumeric":  compareAlphanumeric,
	"strlen":        compareLength,
	"numeric":       compareNumeric,
	"version":       compareVersions,
}

// compareUTF16 is the order of Java's strings.
func compareUTF16(a, b string) int { return expr.CompareText(a, b) }

func compareLength(a, b string) int {
	if c := expr.TextLength(a) - expr.TextLength(b); c != 0 {
		return c
	}
	return compareUTF16(a, b)
}

// compareNumeric orders numbers exactly, whatever their size; texts that are none come first, in their own order.
func compareNumeric(a, b string) int {
	x, ok1 := decimal(a)
	y, ok2 := decimal(b)
	switch {
	case ok1 && ok2:
		return x.Cmp(y)
	case ok1:
		return 1
	case ok2:
		return -1
	}
	return compareUTF16(a, b)
}

// maxDecimal bounds the texts that are read as numbers, and their exponents: what is beyond costs memory without end.
const maxDecimal = 400

// decimal reads Java's BigDecimal.
func decimal(s string) (*big.Rat, bool) {
	s = asciiDigits(s)
	if s == "" || len(s) > maxDecimal || strings.ContainsAny(s, "_xXpPbBoO/") {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if e, err := strconv.Atoi(s[i+1:]); err != nil || e > maxDecimal || e < -maxDecimal {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

// compareAlphanumeric compares runs of digits as numbers, which come before anything else, and the rest as text
// of which the case does not matter.
func compareAlphanumeric(a, b string) int {
	for a != "" && b != "" {
		var c int
		digitA, digitB := startsWithDigit(a), startsWithDigit(b)
		switch {
		case digitA && digitB:
			c, a, b = compareDigits(a, b)
		case digitA:
			return -1
		case digitB:
			return 1
		default:
			x, y := nonDigits(a), nonDigits(b)
			if c = compareFold(a[:x], b[:y]); c == 0 {
				a, b = a[x:], b[y:]
			}
		}
		if c != 0 {
			return c
		}
	}
	return len(a) - len(b)
}

// compareFold is Java's String.CASE_INSENSITIVE_ORDER: the lower cases of the upper cases of characters.
func compareFold(a, b string) int {
	for a != "" && b != "" {
		x, n := utf8.DecodeRuneInString(a)
		y, m := utf8.DecodeRuneInString(b)
		a, b = a[n:], b[m:]
		if x, y = foldCase(x), foldCase(y); x != y {
			return int(x - y)
		}
	}
	return len(a) - len(b)
}

// zeros are those of the scripts whose digits count.
var zeros = []rune{'0', '\u0660', '\u06F0', '\u0966', '\uFF10'}

// digitOf gives the value of a digit; ok is false for what is none.
func digitOf(r rune) (n int, ok bool) {
	for _, zero := range zeros {
		if r >= zero && r <= zero+9 {
			return int(r - zero), true
		}
	}
	return 0, false
}

func startsWithDigit(s string) bool {
	r, _ := utf8.DecodeRuneInString(s)
	_, ok := digitOf(r)
	return ok
}

func nonDigits(s string) int {
	for i, r := range s {
		if _, ok := digitOf(r); ok {
			return i
		}
	}
	return len(s)
}

// compareDigits compares the runs of digits that two texts begin with, by their numbers and then by their leading zeros,
// and gives what follows them. As in Druid, a text that ends with its leading zeros has one digit more than one that goes
// on behind them: 0 is above 0a.
func compareDigits(a, b string) (c int, restA, restB string) {
	zerosA, x, a := leadingZeros(a)
	zerosB, y, b := leadingZeros(b)
	for {
		digitA, okA := digitOf(x)
		digitB, okB := digitOf(y)
		switch {
		case !okA && !okB:
			return cmp.Or(c, zerosA-zerosB), a, b
		case !okA:
			return -1, a, b
		case !okB:
			return 1, a, b
		case c == 0:
			c = digitA - digitB
		}
		x, a = nextDigit(a)
		y, b = nextDigit(b)
	}
}

// leadingZeros counts the zeros that a text begins with, and gives the character behind them, the last zero where there
// is none, and the rest of the text from that character on.
func leadingZeros(s string) (n int, next rune, rest string) {
	for s != "" {
		r, size := utf8.DecodeRuneInString(s)
		next = r
		if digit, ok := digitOf(r); !ok || digit != 0 {
			break
		}
		n++
		s = s[size:]
	}
	return n, next, s
}

// nextDigit takes a digit from the beginning of a text; without one it gives -1.
func nextDigit(s string) (rune, string) {
	r, size := utf8.DecodeRuneInString(s)
	if _, ok := digitOf(r); !ok {
		return -1, s
	}
	return r, s[size:]
}
