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
	z := javaAtan(math.Abs(y / x))
	if x < 0 {
		z = math.Pi - (z - piLow)
	}
	return math.Copysign(z, y)
}

// polynomial gives c[0] + x*(c[1] + x*(c[2] + ...)).
func polynomial(x float64, c ...float64) float64 {
	sum := c[len(c)-1]
	for i := len(c) - 2; i >= 0; i-- {
		sum = c[i] + float64(x*sum)
	}
	return sum
}

// The angles that javaAtan takes from an angle, in two doubles each.
var (
	atanHigh = [...]float64{4.63647609000806093515e-01, 7.85398163397448278999e-01, 9.82793723247329054082e-01, 1.57079632679489655800e+00}
	atanLow  = [...]float64{2.26987774529616870924e-17, 3.06161699786838301793e-17, 1.39033110312309984516e-17, 6.12323399573676603587e-17}
)

const (
	quarterHigh = 7.85398163397448278999e-01
	halfHigh    = 1.57079632679489655800e+00
	halfLow     = 6.12323399573676603587e-17
)

// javaAtan takes the nearest of a few angles away and sums the odd and the even terms of what is left apart.
func javaAtan(x float64) float64 {
	a := math.Abs(x)
	if a >= 0x1p66 || a < 0x1p-29 || x != x {
		return math.Atan(x)
	}
	id := -1
	r := x
	switch {
	case a < 0.4375:
	case a < 0.6875:
		id, r = 0, (2*a-1)/(2+a)
	case a < 1.1875:
		id, r = 1, (a-1)/(a+1)
	case a < 2.4375:
		id, r = 2, (a-1.5)/(1+float64(1.5*a))
	default:
		id, r = 3, -1/a
	}
	z := float64(r * r)
	w := float64(z * z)
	odd := z * polynomial(w, 3.33333333333329318027e-01, 1.42857142725034663711e-01, 9.09088713343650656196e-02, 6.66107313738753120669e-02,
		4.97687799461593236017e-02, 1.62858201153657823623e-02)
	even := w * polynomial(w, -1.99999999998764832476e-01, -1.11111104054623557880e-01, -7.69187620504482999495e-02, -5.83357013379057348645e-02,
		-3.65315727442169155270e-02)
	rest := float64(r * (float64(odd) + float64(even)))
	if id < 0 {
		return r - rest
	}
	return math.Copysign(atanHigh[id]-((rest-atanLow[id])-r), x)
}

// arcSeries is the quotient of polynomials by which an arc sine differs from its sine.
func arcSeries(t float64) float64 {
	p := t * polynomial(t, 1.66666666666666657415e-01, -3.25565818622400915405e-01, 2.01212532134862925881e-01, -4.00555345006794114027e-02,
		7.91534994289814532176e-04, 3.47933107596021167570e-05)
	q := polynomial(t, 1, -2.40339491173441421878e+00, 2.02094576023350569471e+00, -6.88283971605453293030e-01, 7.70381505559019352791e-02)
	return float64(p) / q
}

// javaAsin goes by the sine of half the other angle where the sine is above a half.
func javaAsin(x float64) float64 {
	a := math.Abs(x)
	switch {
	case !(a < 1) || a < 0x1p-27:
		return math.Asin(x)
	case a < 0.5:
		return x + float64(x*arcSeries(float64(x*x)))
	}
	t := (1 - a) * 0.5
	series := arcSeries(t)
	s := math.Sqrt(t)
	if math.Float64bits(a)>>32 >= 0x3FEF3333 {
		return math.Copysign(halfHigh-(2*(s+float64(s*series))-halfLow), x)
	}
	w := upperHalf(s)
	c := (t - float64(w*w)) / (s + w)
	p := float64(2*s*series) - (halfLow - 2*c)
	return math.Copysign(quarterHigh-(p-(quarterHigh-2*w)), x)
}

func javaAcos(x float64) float64 {
	a := math.Abs(x)
	switch {
	case !(a < 1) || a <= 0x1p-57:
		return math.Acos(x)
	case a < 0.5:
		return halfHigh - (x - (halfLow - float64(x*arcSeries(float64(x*x)))))
	case x < 0:
		z := (1 + x) * 0.5
		s := math.Sqrt(z)
		w := float64(arcSeries(z)*s) - halfLow
		return math.Pi - 2*(s+w)
	}
	z := (1 - x) * 0.5
	s := math.Sqrt(z)
	high := upperHalf(s)
	c := (z - float64(high*high)) / (s + high)
	w := float64(arcSeries(z)*s) + c
	return 2 * (high + w)
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
