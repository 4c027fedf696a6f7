package filter

import (
	"cmp"
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"ogham/domain/expr"
	"ogham/domain/row"
)

// bound is a filter for values between two others.
type bound struct {
	lower, upper             string
	hasLower, hasUpper       bool
	lowerStrict, upperStrict bool
	compare                  func(a, b string) int
	// numeric says that numbers are compared as numbers; low and high are the bounds then.
	numeric   bool
	low, high float64
	// certain says that a null is a value below all others; otherwise it is unknown.
	certain bool
}

func (b *bound) null() (matched, known bool) { return b.certain && !b.hasLower, b.certain }

func (b *bound) text(s []byte) bool {
	text := string(s)
	if b.hasLower {
		if c := b.compare(text, b.lower); c < 0 || c == 0 && b.lowerStrict {
			return false
		}
	}
	if b.hasUpper {
		if c := b.compare(text, b.upper); c > 0 || c == 0 && b.upperStrict {
			return false
		}
	}
	return true
}

// long compares with the bounds as they are written, so that nothing is lost beyond 2^53.
func (b *bound) long(n int64) (matched, ok bool) {
	if !b.numeric {
		return false, false
	}
	const exact = 1 << 53
	if n > -exact && n < exact {
		return b.within(float64(n), b.low+0, b.high+0), true // a bound of -0.0 is 0 to a whole number
	}
	text := strconv.FormatInt(n, 10)
	exactly := *b
	exactly.compare = compareNumeric
	return exactly.text([]byte(text)), true
}

func (b *bound) double(x float64) (matched, ok bool) { return b.within(x, b.low, b.high), b.numeric }

func (b *bound) within(x, low, high float64) bool {
	if b.hasLower {
		if c := compareDoubles(x, low); c < 0 || c == 0 && b.lowerStrict {
			return false
		}
	}
	if b.hasUpper {
		if c := compareDoubles(x, high); c > 0 || c == 0 && b.upperStrict {
			return false
		}
	}
	return true
}

// compareDoubles orders as Java's Double.compare does: -0.0 is below 0.0, and NaN above everything.
func compareDoubles(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y && x != 0:
		return 0
	}
	rank := func(v float64) int {
		switch {
		case v != v:
			return 2
		case math.Signbit(v):
			return -1
		}
		return 0
	}
	return cmp.Compare(rank(x), rank(y))
}

// read sets the bounds from members of a filter.
func (b *bound) read(m members, strictLower, strictUpper string) {
	b.lower, b.hasLower = m.text("lower")
	b.upper, b.hasUpper = m.text("upper")
	b.lowerStrict, b.upperStrict = m.flag(strictLower), m.flag(strictUpper)
}

// numbers reads the bounds as numbers; ok is false if one of them is none.
func (b *bound) numbers() (ok bool) {
	ok = true
	if b.hasLower {
		b.low, ok = row.ParseDouble(b.lower)
	}
	if b.hasUpper && ok {
		b.high, ok = row.ParseDouble(b.upper)
	}
	return ok
}

func parseBound(p *parser, m members, path string) matcher {
	b := &bound{certain: true}
	b.read(m, "lowerStrict", "upperStrict")
	if !b.hasLower && !b.hasUpper {
		return p.fail(path, "lower and upper can not be null at the same time")
	}
	name, ok := m.text("ordering")
	if !ok {
		name = "lexicographic"
		if m.flag("alphaNumeric") {
			name = "alphanumeric"
		}
		if strings.HasPrefix(string(m["ordering"]), "{") { // {"type":"numeric"} is the same
			var o struct{ Type string }
			if json.Unmarshal(m["ordering"], &o) == nil {
				name = o.Type
			}
		}
	}
	name = strings.ToLower(name)
	switch b.compare = orderings[name]; {
	case name == "version":
		known := map[string]version{b.lower: parseVersion(b.lower), b.upper: parseVersion(b.upper)}
		b.compare = func(text, bound string) int { return parseVersion(text).compare(known[bound]) }
	case name == "natural":
		return p.refuse(path+".ordering", "ordering 'natural' is not supported: it is the order of a column's own values, and a row that is read has no "+
			"columns yet; use lexicographic, alphanumeric, numeric, strlen or version")
	case b.compare == nil:
		return p.fail(path+".ordering", "ordering '"+name+"' is not known: use lexicographic, alphanumeric, numeric, strlen or version")
	}
	b.numeric = name == "numeric" && b.numbers()
	return p.dimension(m, "dimension", path, b)
}

func parseRange(p *parser, m members, path string) matcher {
	t, ok := p.matchType(m, "matchValueType", path)
	if !ok {
		return constant(false)
	}
	if t.array {
		return p.refuse(path+".matchValueType", "a range of arrays is not supported for rows before they are stored")
	}
	b := &bound{compare: compareUTF16, numeric: t.number}
	if t.number {
		b.compare = compareNumeric
	}
	b.read(m, "lowerOpen", "upperOpen")
	if !b.hasLower && !b.hasUpper || t.number && !b.numbers() {
		return p.fail(path, "lower and upper cannot be null at the same time, and must be of the type of the range")
	}
	if t.number && !t.whole { // what is compared is the double
		b.lower, b.upper = decimalText(b.low), decimalText(b.high)
	}
	if t.whole { // a bound of a range of longs is cut to a long, as the cast does it
		b.low, b.high = math.Trunc(b.low), math.Trunc(b.high)
		b.lower, b.upper = cut(b.lower), cut(b.upper)
	}
	return p.dimension(m, "column", path, b)
}

// decimalText writes a double with all of its digits.
func decimalText(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

// cut drops the fraction of a number's text.
func cut(s string) string {
	if x, ok := row.ParseDouble(s); ok && x != math.Trunc(x) {
		return strconv.FormatFloat(math.Trunc(x), 'f', 0, 64)
	}
	return s
}

func parseInterval(p *parser, m members, path string) matcher {
	var list []string
	if err := json.Unmarshal(m["intervals"], &list); err != nil || list == nil {
		return p.fail(path+".intervals", "intervals can not be null")
	}
	if len(list) == 0 {
		return p.fail(path+".intervals", "must specify at least one interval")
	}
	var any or
	for i, text := range list {
		start, end, ok := expr.ParseInterval(text)
		if !ok {
			return p.fail(path+".intervals["+strconv.Itoa(i)+"]", "Invalid interval["+text+"]")
		}
		b := &bound{
			lower: strconv.FormatInt(start, 10), upper: strconv.FormatInt(end, 10), hasLower: true, hasUpper: true, upperStrict: true,
			compare: compareNumeric, numeric: true, low: float64(start), high: float64(end), certain: true,
		}
		any = append(any, p.dimension(m, "dimension", path, b))
	}
	return any
}
