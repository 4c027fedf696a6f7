package row

import (
	"bytes"
	"math"
	"math/bits"
	"strconv"
)

// AppendDouble appends the text that Double.toString of Java 17 gives: the shortest digits that read back as the same
// double, but never fewer than two, in plain form from 1e-3 up to 1e7 and as d.ddE±n elsewhere. Whole numbers from 2^53 up
// to 2^63 have more digits than they need.
func AppendDouble(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, "NaN"...)
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	case f == 0:
		if math.Signbit(f) {
			return append(dst, "-0.0"...)
		}
		return append(dst, "0.0"...)
	}
	abs := math.Abs(f)
	if abs >= 1e-3 && abs < 1e7 {
		start := len(dst)
		dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
		for _, c := range dst[start:] {
			if c == '.' {
				return dst
			}
		}
		return append(dst, ".0"...)
	}
	if abs >= 1<<53 && abs < 1<<63 {
		return appendLargeWhole(dst, f, 53)
	}
	var buf [32]byte
	s := strconv.AppendFloat(buf[:0], f, 'e', -1, 64)
	if mantissaDigits(s) == 1 {
		// Java takes the closest of all one- and two-digit forms, so 5e-324 is 4.9E-324.
		var two [32]byte
		t := strconv.AppendFloat(two[:0], f, 'e', 1, 64)
		if back, err := strconv.ParseFloat(string(t), 64); err == nil && back == f {
			s = append(buf[:0], t...)
		}
	}
	return appendScientific(dst, s)
}

// appendLargeWhole writes a whole number up to 2^63 that has more bits than a floating-point number of the given precision
// keeps, with all of its digits but those that the lost bits make up, the last one rounded.
func appendLargeWhole(dst []byte, f float64, precision int) []byte {
	n := uint64(math.Abs(f))
	lost := uint64(1)
	if more := bits.Len64(n) - precision - 2; more > 0 {
		lost <<= more
	}
	drop, power := 0, uint64(1)
	for power*10 <= lost {
		drop, power = drop+1, power*10
	}
	rest := n % power
	n /= power
	if drop > 0 && rest >= power/2 {
		n++
	}
	exp := drop
	for n%10 == 0 {
		n /= 10
		exp++
	}
	if f < 0 {
		dst = append(dst, '-')
	}
	start := len(dst)
	dst = strconv.AppendUint(dst, n, 10)
	exp += len(dst) - start - 1
	if len(dst)-start == 1 {
		dst = append(dst, '0')
	}
	dst = append(dst, 0)
	copy(dst[start+2:], dst[start+1:])
	dst[start+1] = '.'
	return strconv.AppendInt(append(dst, 'E'), int64(exp), 10)
}

// AppendFloat appends the text that Java's Float.toString gives.
func AppendFloat(dst []byte, f float32) []byte {
	d := float64(f)
	if f != f || math.IsInf(d, 0) || f == 0 {
		return AppendDouble(dst, d)
	}
	if abs := math.Abs(d); abs >= 1e-3 && abs < 1e7 {
		start := len(dst)
		dst = strconv.AppendFloat(dst, d, 'f', -1, 32)
		if bytes.IndexByte(dst[start:], '.') >= 0 {
			return dst
		}
		return append(dst, ".0"...)
	}
	if abs := math.Abs(d); abs >= 1<<24 && abs < 1<<63 {
		return appendLargeWhole(dst, d, 24)
	}
	var buf [32]byte
	return appendScientific(dst, strconv.AppendFloat(buf[:0], d, 'e', -1, 32))
}

func mantissaDigits(s []byte) int {
	n := 0
	for _, c := range s {
		if c == 'e' {
			break
		}
		if c >= '0' && c <= '9' {
			n++
		}
	}
	return n
}

// appendScientific turns Go's d.dde+nn into Java's d.ddEn.
func appendScientific(dst, s []byte) []byte {
	dot := false
	i := 0
	for ; i < len(s) && s[i] != 'e'; i++ {
		dot = dot || s[i] == '.'
		dst = append(dst, s[i])
	}
	if !dot {
		dst = append(dst, ".0"...)
	}
	dst = append(dst, 'E')
	i++
	if s[i] == '-' {
		dst = append(dst, '-')
	}
	i++
	for i < len(s)-1 && s[i] == '0' {
		i++
	}
	return append(dst, s[i:]...)
}
