package expr

import "math"

// These are the functions that Java computes everywhere by the formulas of the library fdlibm, whose results are up to one
// unit in the last place off what is true. The same steps give the same doubles.

// javaAtan2 takes the angle of the quotient, and puts it into its quadrant.
func javaAtan2(y, x float64) float64 {
	const piLow = 1.2246467991473531772e-16
	if !usual(x) || !usual(y) || !usual(y/x) {
		return math.Atan2(y, x)
	}
	_, ey := math.Frexp(y)
	_, ex := math.Frexp(x)
	if ey-ex > 60 || x < 0 && ey-ex < -60 {
		return math.Atan2(y, x)
	}
	z := preciseAtan(math.Abs(y / x))
	if x < 0 {
		z = math.Pi - (z - piLow)
	}
	return math.Copysign(z, y)
}

// javaExp is the exponential that the hyperbolic functions are made of: of what is left beside a multiple of the logarithm
// of two, by a quotient of polynomials. Math.exp itself is preciseExp.
func javaExp(x float64) float64 {
	const (
		ln2High, ln2Low = 6.93147180369123816490e-01, 1.90821492927058770002e-10
		p1, p2, p3      = 1.66666666666666019037e-01, -2.77777777770155933842e-03, 6.61375632143793436117e-05
		p4, p5          = -1.65339022054652515390e-06, 4.13813679705723846039e-08
	)
	k := 0
	switch {
	case x > 1.5*math.Ln2:
		k = int(float64(math.Log2E*x) + 0.5)
	case x > 0.5*math.Ln2:
		k = 1
	}
	high, low := x-float64(float64(k)*ln2High), float64(float64(k)*ln2Low)
	r := high - low
	t := float64(r * r)
	c := r - float64(t*(p1+float64(t*(p2+float64(t*(p3+float64(t*(p4+float64(t*p5)))))))))
	if k == 0 {
		return 1 - (float64(r*c)/(c-2) - r)
	}
	return math.Ldexp(1-((low-float64(r*c)/(2-c))-high), k)
}

// javaSinh and those that follow are formulas of e^x - 1, which is exact where e^x alone would not be.
func javaSinh(x float64) float64 {
	a := math.Abs(x)
	if a < 0x1p-28 || a >= 700 || x != x {
		return math.Sinh(x)
	}
	half := math.Copysign(0.5, x)
	if a >= 22 {
		return half * javaExp(a)
	}
	t := math.Expm1(a)
	if a < 1 {
		return half * (2*t - float64(t*t)/(t+1))
	}
	return half * (t + t/(t+1))
}

func javaCosh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case a < 0x1p-55 || a >= 700 || x != x:
		return math.Cosh(x)
	case a < 0.5*math.Ln2:
		t := math.Expm1(a)
		w := 1 + t
		return 1 + float64(t*t)/(w+w)
	case a < 22:
		t := javaExp(a)
		return float64(0.5*t) + 0.5/t
	}
	return 0.5 * javaExp(a)
}

func javaTanh(x float64) float64 {
	a := math.Abs(x)
	switch {
	case a < 0x1p-55 || x != x:
		return x
	case a >= 22:
		return math.Copysign(1, x)
	case a >= 1:
		return math.Copysign(1-2/(math.Expm1(2*a)+2), x)
	}
	t := math.Expm1(-2 * a)
	return math.Copysign(-t/(t+2), x)
}

// javaCbrt begins with a third of the exponent, comes to 23 bits by a quotient of polynomials, is rounded up to 20 bits and
// takes one step of Newton's.
func javaCbrt(x float64) float64 {
	if !usual(x) {
		return math.Cbrt(x)
	}
	const third = 715094163 // of the exponent's bias, in the upper half of a double
	const c, d, e, f, g = 19.0 / 35, -864.0 / 1225, 99.0 / 70, 45.0 / 28, 5.0 / 14
	a := math.Abs(x)
	t := math.Float64frombits((math.Float64bits(a)>>32/3 + third) << 32)
	r := float64(t*t) / a
	s := c + float64(r*t)
	t *= g + f/(s+e+d/s)
	t = math.Float64frombits((math.Float64bits(t)>>32 + 1) << 32)
	s = t * t
	r = a / s
	w := t + t
	r = (r - t) / (w + r)
	return math.Copysign(t+float64(t*r), x)
}

// upperHalf gives a double with the lower half of its bits cleared.
func upperHalf(x float64) float64 { return math.Float64frombits(math.Float64bits(x) &^ (1<<32 - 1)) }

// javaHypot adds squares of halves, so that the sum is known to more bits than a double has.
func javaHypot(x, y float64) float64 {
	a, b := math.Abs(x), math.Abs(y)
	if a < b {
		a, b = b, a
	}
	switch {
	case !(b > 0x1p-450 && a < 0x1p450):
		return math.Hypot(x, y)
	case a/b > 0x1p60:
		return a + b
	}
	w := a - b
	if w > b {
		t1 := upperHalf(a)
		t2 := a - t1
		return math.Sqrt(float64(t1*t1) - (float64(b*-b) - float64(t2*(a+t1))))
	}
	a += a
	y1 := upperHalf(b)
	y2 := b - y1
	t1 := upperHalf(a)
	t2 := a - t1
	return math.Sqrt(float64(t1*y1) - (float64(w*-w) - (float64(t1*y2) + float64(t2*b))))
}
