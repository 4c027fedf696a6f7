package row

import (
	"bytes"
	"math"
	"strconv"
)

// AppendDouble appends the text that Java's Double.toString gives: the shortest digits that read back as the same
// double, but never fewer than two, in plain form from 1e-3 up to 1e7 and as d.ddE±n elsewhere.
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
