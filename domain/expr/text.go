package expr

import (
	"strings"
	"unicode/utf8"
)

// Druid counts text in Java's chars, units of UTF-16: a character beyond U+FFFF is two of them.

// units gives the length of a text. A byte that is no UTF-8 counts as one.
func units(s string) int {
	if isASCII(s) {
		return len(s)
	}
	n := 0
	for _, r := range s {
		if n++; r > 0xFFFF {
			n++
		}
	}
	return n
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// slice gives the units from up to to, which are within the text.
func (e *Env) slice(s string, from, to int) string {
	if isASCII(s) {
		return s[from:to]
	}
	start, halfStart := byteOf(s, from)
	end, halfEnd := byteOf(s, to)
	if !halfStart && !halfEnd {
		return s[start:end]
	}
	return e.build(func(dst []byte) []byte { return appendUnits(dst, s, from, to) })
}

// appendUnits appends the units from up to to, which are within the text. Half of a character becomes a question mark,
// which is what it becomes in Druid when it leaves Java.
func appendUnits(dst []byte, s string, from, to int) []byte {
	if from == to {
		return dst
	}
	start, half := byteOf(s, from)
	if half {
		dst = append(dst, '?')
		if start += 4; to-from == 1 {
			return dst
		}
	}
	end, half := byteOf(s, to)
	dst = append(dst, s[start:end]...)
	if half {
		dst = append(dst, '?')
	}
	return dst
}

// byteOf gives the place of a unit in bytes; half says that it is the second of a character.
func byteOf(s string, unit int) (at int, half bool) {
	for i, r := range s {
		if unit <= 0 {
			return i, false
		}
		if unit--; r > 0xFFFF {
			if unit == 0 {
				return i, true
			}
			unit--
		}
	}
	return len(s), false
}

// unitOf gives the place of a byte in units.
func unitOf(s string, at int) int { return units(s[:at]) }

// indexFrom is String.indexOf: the unit at which needle begins, from a unit on, or -1.
func indexFrom(s, needle string, from int) int {
	length := units(s)
	from = min(max(from, 0), length)
	at, half := byteOf(s, from)
	if half {
		at += 4
	}
	if needle == "" {
		return from
	}
	i := strings.Index(s[at:], needle)
	if i < 0 {
		return -1
	}
	return unitOf(s, at+i)
}

// appendPadded appends units of pad, over and over, up to a number of them.
func appendPadded(dst []byte, pad string, count int) []byte {
	width := units(pad)
	for ; count >= width; count -= width {
		dst = append(dst, pad...)
	}
	return appendUnits(dst, pad, 0, count)
}

// CompareText orders texts as Java does, by UTF-16 units.
func CompareText(a, b string) int { return compareUTF16(a, b) }

// TextLength counts a text's UTF-16 units, which is the length that Druid knows.
func TextLength(s string) int { return units(s) }

// Text gives a value's text, as Java prints it; ok is false for a null. It is valid until e is reset.
func (e *Env) Text(v Value) (s string, ok bool) {
	e.start(unset{})
	return e.asString(v)
}

// ToLower gives a text in lower case, as Java makes it.
func ToLower(s string) string { return string(appendLower(nil, s)) }
