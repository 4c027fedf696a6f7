package row

import "unicode/utf8"

// JavaUTF8 decodes text as Java does: each longest beginning of a character that is no whole character becomes one
// replacement character. Text that is UTF-8 comes back as it is.
func JavaUTF8(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	out := make([]byte, 0, len(b)+8)
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			out = utf8.AppendRune(out, utf8.RuneError)
			b = b[malformed(b):]
			continue
		}
		out = append(out, b[:size]...)
		b = b[size:]
	}
	return out
}

// malformed gives the length of the beginning of a character that b begins with, 1 if it is not even that.
func malformed(b []byte) int {
	want, low, high := 0, byte(0x80), byte(0xBF)
	switch c := b[0]; {
	case c >= 0xC2 && c <= 0xDF:
		want = 2
	case c >= 0xE0 && c <= 0xEF:
		want = 3
		if c == 0xE0 {
			low = 0xA0
		} else if c == 0xED {
			high = 0x9F
		}
	case c >= 0xF0 && c <= 0xF4:
		want = 4
		if c == 0xF0 {
			low = 0x90
		} else if c == 0xF4 {
			high = 0x8F
		}
	}
	if b[0] == 0xED && len(b) >= 3 && b[1] >= 0xA0 && b[1] <= 0xBF && b[2] >= 0x80 && b[2] <= 0xBF {
		return 3 // half a surrogate pair, which Java takes as a whole
	}
	n := 1
	for n < want && n < len(b) && b[n] >= low && b[n] <= high {
		low, high = 0x80, 0xBF
		n++
	}
	return n
}
