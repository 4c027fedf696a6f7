package inputformat

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"ogham/domain/row"
)

// bad is the place that a scanning function returns for a syntax error.
const bad = -1

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

const (
	lowBits  = 0x0101010101010101
	highBits = 0x8080808080808080
)

// scanString finds the closing quote of the string whose text begins at i. It refuses control characters, bytes that are
// not UTF-8 and wrong escapes; escaped says that there are escapes to decode.
func scanString(b []byte, i int) (end int, escaped bool) {
	for {
		// Eight bytes at a time: a byte's high bit is set where it is a quote, a backslash, below 0x20 or above 0x7f.
		// A borrow may set it wrongly, but only above the first byte that has it rightly.
		for i+8 <= len(b) {
			w := binary.LittleEndian.Uint64(b[i:])
			quote, slash := w^lowBits*'"', w^lowBits*'\\'
			m := ((quote-lowBits)&^quote | (slash-lowBits)&^slash | (w-lowBits*0x20)&^w | w) & highBits
			if m != 0 {
				i += bits.TrailingZeros64(m) >> 3
				break
			}
			i += 8
		}
		if i >= len(b) {
			return bad, false
		}
		switch c := b[i]; {
		case c == '"':
			return i, escaped
		case c == '\\':
			escaped = true
			if i = skipEscape(b, i); i < 0 {
				return bad, false
			}
		case c < 0x20:
			return bad, false
		case c < utf8.RuneSelf:
			i++
		default:
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size == 1 {
				return bad, false
			}
			i += size
		}
	}
}

// skipEscape checks the escape at i.
func skipEscape(b []byte, i int) int {
	if i+1 >= len(b) {
		return bad
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2
	case 'u':
		if _, ok := hex4(b, i+2); ok {
			return i + 6
		}
	}
	return bad
}

func hex4(b []byte, i int) (r rune, ok bool) {
	if i+4 > len(b) {
		return 0, false
	}
	for _, c := range b[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape decodes a checked string into the arena. Half a surrogate pair becomes a question mark, as Druid makes it.
func (p *JSON) unescape(s []byte) []byte {
	start := len(p.arena)
	a := p.arena
	for i := 0; i < len(s); {
		c := s[i]
		if c != '\\' {
			a = append(a, c)
			i++
			continue
		}
		i += 2
		switch c = s[i-1]; c {
		case 'b':
			a = append(a, '\b')
		case 'f':
			a = append(a, '\f')
		case 'n':
			a = append(a, '\n')
		case 'r':
			a = append(a, '\r')
		case 't':
			a = append(a, '\t')
		case 'u':
			r, _ := hex4(s, i)
			i += 4
			if r >= 0xD800 && r < 0xDC00 && i+1 < len(s) && s[i] == '\\' && s[i+1] == 'u' {
				if low, _ := hex4(s, i+2); low >= 0xDC00 && low < 0xE000 {
					r = (r-0xD800)<<10 + low - 0xDC00 + 0x10000
					i += 6
				}
			}
			if r >= 0xD800 && r < 0xE000 {
				r = '?'
			}
			a = utf8.AppendRune(a, r)
		default:
			a = append(a, c)
		}
	}
	p.arena = a
	return a[start:len(a):len(a)]
}

// value reads the value at i, which is within depth objects and lists, into v.
func (p *JSON) value(b []byte, i, depth int, v *row.Value) int {
	if i >= len(b) {
		return bad
	}
	switch c := b[i]; c {
	case '"':
		end, escaped := scanString(b, i+1)
		if end < 0 {
			return bad
		}
		*v = row.Value{Kind: row.String, Text: b[i+1 : end : end]}
		if escaped {
			v.Text = p.unescape(v.Text)
		}
		return end + 1
	case '{', '[':
		var next int
		*v, next = p.nested(b, i, depth)
		return next
	}
	return scalar(b, i, v)
}

// scalar reads a number or a literal.
func scalar(b []byte, i int, v *row.Value) int {
	switch b[i] {
	case 't':
		*v = row.Value{Kind: row.Bool, Num: 1}
		return literal(b, i, "true")
	case 'f':
		*v = row.Value{Kind: row.Bool}
		return literal(b, i, "false")
	case 'n':
		*v = row.Value{Kind: row.Null}
		return literal(b, i, "null")
	}
	return number(b, i, v)
}

// literal checks a literal, after which no letter or digit may follow.
func literal(b []byte, i int, word string) int {
	end := i + len(word)
	if end > len(b) || string(b[i:end]) != word {
		return bad
	}
	if end < len(b) {
		if c := b[end]; c-'0' <= 9 || c|0x20-'a' <= 'z'-'a' || c == '_' || c == '$' || c >= utf8.RuneSelf {
			return bad
		}
	}
	return end
}

// exactPowers are the powers of ten that doubles hold exactly.
var exactPowers = [...]float64{
	1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
	1e21, 1e22,
}

// number reads a number: a long if it is an integer within 64 bits, else a double.
func number(b []byte, start int, v *row.Value) int {
	i := start
	negative := b[i] == '-'
	if negative {
		i++
	}
	first := i
	var n uint64
	for i < len(b) && b[i]-'0' <= 9 {
		n = n*10 + uint64(b[i]-'0')
		i++
	}
	digits := i - first
	if digits == 0 || digits > 1 && b[first] == '0' {
		return bad
	}
	if i < len(b) && (b[i] == '.' || b[i]|0x20 == 'e') {
		return double(b, start, i, n, digits, v)
	}
	if digits > 18 {
		return bigInteger(b, start, i, v)
	}
	if negative {
		n = -n
		if n == 0 { // -0 is 0, in text too
			*v = row.Value{Kind: row.Long}
			return i
		}
	}
	*v = row.Value{Kind: row.Long, Num: n, Text: b[start:i:i]}
	return i
}

// bigInteger reads an integer that may exceed 64 bits.
func bigInteger(b []byte, start, end int, v *row.Value) int {
	if end-start > maxNumber {
		return bad
	}
	text := borrow(b[start:end])
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		*v = row.Value{Kind: row.Long, Num: uint64(n), Text: b[start:end:end]}
		return end
	}
	f, _ := strconv.ParseFloat(text, 64)
	*v = row.Value{Kind: row.Double, Num: math.Float64bits(f)}
	return end
}

// double reads the fraction and the exponent that follow a number's digits at i; n and digits are what was read.
func double(b []byte, start, i int, n uint64, digits int, v *row.Value) int {
	exponent := 0
	if b[i] == '.' {
		i++
		first := i
		for i < len(b) && b[i]-'0' <= 9 {
			n = n*10 + uint64(b[i]-'0')
			i++
		}
		exponent = first - i
		if exponent == 0 {
			return bad
		}
		digits -= exponent
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		i++
		negative := i < len(b) && b[i] == '-'
		if i < len(b) && (b[i] == '-' || b[i] == '+') {
			i++
		}
		e, first := 0, i
		for i < len(b) && b[i]-'0' <= 9 {
			e = min(e*10+int(b[i]-'0'), 1<<20)
			i++
		}
		if i == first {
			return bad
		}
		if negative {
			e = -e
		}
		exponent += e
	}
	if i-start > maxNumber {
		return bad
	}
	var f float64
	switch {
	case digits <= 19 && n < 1<<53 && exponent <= 0 && exponent >= -22:
		// Both are exact, so that the one division rounds correctly.
		f = float64(n) / exactPowers[-exponent]
		if b[start] == '-' {
			f = -f
		}
	default:
		// Out of range is infinite or zero, as in Java.
		f, _ = strconv.ParseFloat(borrow(b[start:i]), 64)
	}
	*v = row.Value{Kind: row.Double, Num: math.Float64bits(f)}
	return i
}

// borrow sees bytes as a string that is not kept.
func borrow(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// skip checks the value at i and goes past it; depth is how many objects and lists it is within.
func (p *JSON) skip(b []byte, i, depth int) int {
	if i >= len(b) {
		return bad
	}
	switch b[i] {
	case '"':
		if i, _ = scanString(b, i+1); i < 0 {
			return bad
		}
		return i + 1
	case '{':
		return p.skipMany(b, i+1, depth+1, '}')
	case '[':
		return p.skipMany(b, i+1, depth+1, ']')
	}
	var v row.Value
	return scalar(b, i, &v)
}

// skipMany goes past the members of an object or a list and its closing bracket.
func (p *JSON) skipMany(b []byte, i, depth int, closing byte) int {
	if depth > maxDepth {
		return bad
	}
	i = skipSpace(b, i)
	if i < len(b) && b[i] == closing {
		return i + 1
	}
	for {
		if closing == '}' {
			if i >= len(b) || b[i] != '"' {
				return bad
			}
			if i, _ = scanString(b, i+1); i < 0 {
				return bad
			}
			if i = skipSpace(b, i+1); i >= len(b) || b[i] != ':' {
				return bad
			}
			i = skipSpace(b, i+1)
		}
		if i = p.skip(b, i, depth); i < 0 {
			return bad
		}
		if i = skipSpace(b, i); i >= len(b) {
			return bad
		}
		if b[i] == closing {
			return i + 1
		}
		if b[i] != ',' {
			return bad
		}
		i = skipSpace(b, i+1)
	}
}
