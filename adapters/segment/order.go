package segment

import (
	"encoding/binary"
	"math/bits"
)

// CompareUTF16 compares two UTF-8 strings by UTF-16 code units, the order of
// Druid's dictionaries and of its rows. It differs from the order of the bytes
// only between U+E000..U+FFFF and the characters beyond U+FFFF, whose
// surrogates come first. Bytes that are not UTF-8 get some fixed place in the
// same total order.
func CompareUTF16(a, b []byte) int {
	n := min(len(a), len(b))
	i := commonPrefix(a, b, n)
	if i == n {
		return len(a) - len(b)
	}
	x, y := a[i], b[i]
	if x >= 0xEE && y >= 0xEE {
		x, y = surrogateRank(x), surrogateRank(y)
	}
	return int(x) - int(y)
}

// commonPrefix is how many of the first n bytes are equal, eight at a time.
func commonPrefix(a, b []byte, n int) int {
	i := 0
	for ; i+8 <= n; i += 8 {
		if x := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); x != 0 {
			return i + bits.TrailingZeros64(x)/8
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}

// surrogateRank puts the first bytes 0xEE and 0xEF, of U+E000..U+FFFF, behind
// those of four-byte characters, which UTF-16 writes as surrogates below
// U+E000. The ranks of 0xEE and up stay distinct.
func surrogateRank(c byte) byte {
	if c <= 0xEF {
		return c + 0x10
	}
	return c - 2
}

// compareNullable orders null before every string.
func compareNullable(a []byte, aNull bool, b []byte, bNull bool) int {
	switch {
	case aNull && bNull:
		return 0
	case aNull:
		return -1
	case bNull:
		return 1
	}
	return CompareUTF16(a, b)
}
