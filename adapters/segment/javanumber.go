package segment

import (
	"math"
	"strconv"
	"strings"
)

// appendJavaDouble appends a double as Java's Double.toString writes it, which
// is what Druid's tools print: at least one digit after the point, and an
// exponent outside of 0.001 to 10 million. Infinities and NaN are strings.
func appendJavaDouble(dst []byte, v float64, bits int) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, `"NaN"`...)
	case math.IsInf(v, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(v, -1):
		return append(dst, `"-Infinity"`...)
	case v == 0:
		if math.Signbit(v) {
			dst = append(dst, '-')
		}
		return append(dst, "0.0"...)
	}
	if a := math.Abs(v); a >= 1e-3 && a < 1e7 {
		at := len(dst)
		dst = strconv.AppendFloat(dst, v, 'f', -1, bits)
		if !strings.Contains(string(dst[at:]), ".") {
			dst = append(dst, ".0"...)
		}
		return dst
	}
	mantissa, exponent, _ := strings.Cut(shortestE(v, bits), "e")
	if !strings.Contains(mantissa, ".") {
		mantissa += ".0"
	}
	e, _ := strconv.Atoi(exponent)
	dst = append(dst, mantissa...)
	dst = append(dst, 'E')
	return strconv.AppendInt(dst, int64(e), 10)
}

// shortestE is the shortest form that reads back the same, but of two digits
// where one would do and two come closer, as Java has it: 4.9E-324, not 5E-324.
func shortestE(v float64, bits int) string {
	s := strconv.FormatFloat(v, 'e', -1, bits)
	if strings.Contains(s, ".") {
		return s
	}
	two := strconv.FormatFloat(v, 'e', 1, bits)
	if back, err := strconv.ParseFloat(two, bits); err == nil && back == v {
		return two
	}
	return s
}
