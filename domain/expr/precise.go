package expr

import "math"

// The functions of this file give the double that is nearest to what is true, which is what Java's processor-specific code
// gives nearly always, and Go's library, which is content with an error of one unit in the last place, often not. They
// correct the library's answer with arithmetic of twice its precision; where that has no room, as at the ends of the range
// of doubles, the library's answer stays. What Java computes by a formula of its own is in javamath.go.

// pair is the sum of two doubles, of which the first is the nearest double to it.
type pair struct{ hi, lo float64 }

func pairOf(x float64) pair { return pair{x, 0} }

func exactSum(a, b float64) pair {
	s := a + b
	bb := s - a
	return pair{s, (a - (s - bb)) + (b - bb)}
}

// exactProduct's conversion keeps the product from being joined with another operation.
func exactProduct(a, b float64) pair {
	p := float64(a * b)
	return pair{p, math.FMA(a, b, -p)}
}

// normal makes the first of two doubles, the greater one, the nearest to their sum.
func normal(a, b float64) pair {
	s := a + b
	return pair{s, b - (s - a)}
}

func (a pair) add(b pair) pair {
	s, t := exactSum(a.hi, b.hi), exactSum(a.lo, b.lo)
	s = normal(s.hi, s.lo+t.hi)
	return normal(s.hi, s.lo+t.lo)
}

func (a pair) neg() pair { return pair{-a.hi, -a.lo} }

func (a pair) sub(b pair) pair { return a.add(b.neg()) }

func (a pair) mul(b pair) pair {
	p := exactProduct(a.hi, b.hi)
	return normal(p.hi, p.lo+(float64(a.hi*b.lo)+float64(a.lo*b.hi)))
}

func (a pair) div(b pair) pair {
	q1 := a.hi / b.hi
	r := a.sub(b.mul(pairOf(q1)))
	q2 := r.hi / b.hi
	r = r.sub(b.mul(pairOf(q2)))
	q := normal(q1, q2)
	return q.add(pairOf(r.hi / b.hi))
}

// scale multiplies with a power of two.
func (a pair) scale(exp int) pair { return pair{math.Ldexp(a.hi, exp), math.Ldexp(a.lo, exp)} }

// inverseFactorials are 1/n!.
var inverseFactorials = func() (list [32]pair) {
	list[0] = pairOf(1)
	for n := 1; n < len(list); n++ {
		list[n] = list[n-1].div(pairOf(float64(n)))
	}
	return list
}()

// The constants are written as sums of doubles, each the nearest to what the others leave.
var (
	ln2    = [3]float64{0x1.62e42fefa39efp-1, 0x1.abc9e3b39803fp-56, 0x1.7b57a079a1934p-111}
	ln10   = pair{0x1.26bb1bbb55516p+1, -0x1.f48ad494ea3e9p-53}
	halfPi = [4]float64{0x1.921fb54442d18p+0, 0x1.1a62633145c07p-54, -0x1.f1976b7ed8fbcp-110, 0x1.4cf98e804177dp-164}
)

// expOf is the exponential of a pair as a pair and a power of two.
func expOf(x pair) (e pair, exp int) {
	k := math.Round(x.hi / ln2[0])
	for _, part := range ln2 {
		x = x.sub(exactProduct(k, part))
	}
	// Of the 256th part a few terms are enough; e^x - 1 is squared so that nothing is lost beside the one.
	const halvings = 8
	x = x.scale(-halvings)
	rest := inverseFactorials[10].hi
	for n := 9; n >= 6; n-- { // of these no more than a double's precision comes to the sum
		rest = float64(rest*x.hi) + inverseFactorials[n].hi
	}
	sum := pairOf(rest)
	for n := 5; n >= 1; n-- {
		sum = sum.mul(x).add(inverseFactorials[n])
	}
	sum = sum.mul(x)
	for range halvings {
		sum = sum.scale(1).add(sum.mul(sum))
	}
	return sum.add(pairOf(1)), int(k)
}

// logOf is the natural logarithm of a positive double that is not near the ends of the range.
func logOf(x float64) pair {
	if f := x - 1; math.Abs(f) < 1.0/1024 {
		sum := pairOf(0)
		for n := 12; n >= 1; n-- {
			term := pairOf(1).div(pairOf(float64(n)))
			if n%2 == 0 {
				term = term.neg()
			}
			sum = sum.mul(pairOf(f)).add(term)
		}
		return sum.mul(pairOf(f))
	}
	y := math.Log(x)
	e, exp := expOf(pairOf(-y))
	return pairOf(y).add(e.mul(pairOf(math.Ldexp(x, exp))).sub(pairOf(1)))
}

// usual says that a double and what is computed of it are far from the ends of the range.
func usual(x float64) bool {
	a := math.Abs(x)
	return a > 0x1p-900 && a < 0x1p900
}

func preciseExp(x float64) float64 {
	y := math.Exp(x)
	if !usual(y) || math.Abs(x) < 0x1p-60 {
		return y
	}
	e, exp := expOf(pairOf(x))
	return math.Ldexp(e.hi, exp)
}

func preciseLog(x float64) float64 {
	if !usual(x) || x < 0 || x == 1 {
		return math.Log(x)
	}
	return logOf(x).hi
}

func preciseLog10(x float64) float64 {
	if !usual(x) || x < 0 || x == 1 {
		return math.Log10(x)
	}
	return logOf(x).div(ln10).hi
}

// precisePow is Java's Math.pow.
func precisePow(x, y float64) float64 {
	p := pow(x, y)
	switch {
	case y == 2:
		return x * x
	case !usual(p) || !usual(x) || !usual(y) || math.Abs(x) == 1:
		return p
	}
	e, exp := expOf(logOf(math.Abs(x)).mul(pairOf(y)))
	return math.Copysign(math.Ldexp(e.hi, exp), p)
}

// mostQuarters bounds the angles that are reduced here, in right angles.
const mostQuarters = 1 << 30

// reduced takes right angles from an angle of at most mostQuarters, and says how many, by their place in a full turn.
func reduced(x float64) (r pair, quarter int) {
	n := math.Round(x / halfPi[0])
	r = pairOf(x)
	for _, part := range halfPi {
		r = r.sub(exactProduct(n, part))
	}
	return r, int(int64(n) & 3)
}

// wave is the series of the sine of an angle of at most half a right angle, from the term 1 on, or of the cosine, from 0 on.
func wave(r pair, from int) pair {
	square := r.mul(r)
	rest := 0.0
	for k := 14; k >= 8; k-- { // of these no more than a double's precision comes to the sum
		rest = inverseFactorials[2*k+from].hi - float64(rest*square.hi)
	}
	sum := pairOf(rest)
	for k := 7; k >= 0; k-- {
		sum = inverseFactorials[2*k+from].sub(sum.mul(square))
	}
	if from == 1 {
		return sum.mul(r)
	}
	return sum
}

// turned is the sine of an angle that quarter right angles were taken from; one more of them gives the cosine.
func turned(r pair, quarter int) pair {
	w := wave(r, 1-quarter&1)
	if quarter&2 != 0 {
		return w.neg()
	}
	return w
}

// sinCos gives sine and cosine of an angle of at most mostQuarters.
func sinCos(x float64) (sin, cos pair) {
	r, quarter := reduced(x)
	return turned(r, quarter), turned(r, quarter+1)
}

// angle says that sinCos takes a double, and that it is not so small that its sine is itself.
func angle(x float64) bool {
	a := math.Abs(x)
	return a > 0x1p-30 && a < mostQuarters
}

func preciseSin(x float64) float64 {
	if !angle(x) {
		return math.Sin(x)
	}
	return turned(reduced(x)).hi
}

func preciseCos(x float64) float64 {
	if !angle(x) {
		return math.Cos(x)
	}
	r, quarter := reduced(x)
	return turned(r, quarter+1).hi
}

func preciseTan(x float64) float64 {
	if !angle(x) {
		return math.Tan(x)
	}
	s, c := sinCos(x)
	return s.div(c).hi
}
