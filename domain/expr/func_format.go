package expr

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"ogham/domain/row"
)

// formatFunctions write numbers for people.
var formatFunctions = []*function{
	{name: "format", arity: atLeast(1), kind: always(String), run: format},
	readable("human_readable_binary_byte_format", 1024, []string{" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"}),
	readable("human_readable_decimal_byte_format", 1000, []string{" B", " KB", " MB", " GB", " TB", " PB", " EB"}),
	readable("human_readable_decimal_format", 1000, []string{"", " K", " M", " G", " T", " P", " E"}),
}

func readable(name string, base int64, suffixes []string) *function {
	return &function{name: name, arity: oneOf(1, 2), kind: always(String), run: func(e *Env, args []node) Value {
		v := args[0].eval(e)
		switch {
		case v.numericNull():
			return Value{}
		case !v.typ.numeric():
			return e.reject(name, "needs a number as its first argument but got %s instead", v.typ)
		}
		precision := int64(2)
		if len(args) > 1 {
			p := args[1].eval(e)
			if p.typ != Long {
				return e.reject(name, "needs a LONG as its second argument but got %s instead", p.typ)
			}
			if precision = p.Long(); precision < 0 || precision > 3 {
				return e.reject(name, "given precision[%d] must be in the range of [0,3]", precision)
			}
		}
		n, unit := v.asLong(), 0
		for rest := n; rest <= -base || rest >= base; rest /= base {
			unit++
		}
		return OfString(e.build(func(dst []byte) []byte {
			if unit == 0 {
				return append(strconv.AppendInt(dst, n, 10), suffixes[0]...)
			}
			size := float64(n)
			for range unit - 1 {
				if size /= float64(base); base == 1000 {
					size = math.Trunc(size) // as Druid does it in the decimal system
				}
			}
			return append(appendFixed(dst, size/float64(base), int(precision)), suffixes[unit]...)
		}))
	}}
}

// format is Java's String.format. Where a conversion does not fit its argument, Druid gives the pattern with the arguments
// behind it.
func format(e *Env, args []node) Value {
	pattern, ok := e.text(args[0])
	if !ok {
		return Value{}
	}
	values := make([]Value, len(args)-1)
	for i, a := range args[1:] {
		values[i] = a.eval(e)
	}
	if len(values) == 0 {
		return OfString(pattern)
	}
	f := formatter{e: e, pattern: pattern, values: values}
	out, ok := f.run()
	if !ok {
		out = []byte(pattern)
		for _, v := range values {
			out = appendText(append(out, "; "...), v)
		}
	}
	if !e.spend(len(out)) {
		return Value{}
	}
	return OfString(string(out))
}

type formatter struct {
	e       *Env
	pattern string
	values  []Value
	next    int // of the values that are taken in turn
	last    int
}

// directive is one % with what belongs to it.
type directive struct {
	flags            string
	width, precision int // -1: none
	conversion       byte
}

func (f *formatter) run() (out []byte, ok bool) {
	rest := f.pattern
	for {
		text, tail, found := strings.Cut(rest, "%")
		out = append(out, text...)
		if !found {
			return out, true
		}
		d, index, n := parseDirective(tail)
		if n == 0 {
			return nil, false
		}
		rest = tail[n:]
		var part []byte
		switch d.conversion {
		case '%':
			part = []byte("%")
		case 'n':
			part = []byte("\n")
		default:
			v, found := f.take(index, d.flags)
			if !found {
				return nil, false
			}
			if part, ok = d.convert(f.e, v); !ok {
				return nil, false
			}
		}
		out = append(out, d.pad(part)...)
		if len(out) > maxWork {
			return nil, false
		}
	}
}

// maxWidth bounds what a directive can make of nothing.
const maxWidth = 1 << 20

// parseDirective reads [index$][flags][width][.precision]conversion; n is its length, 0 if it is none.
func parseDirective(s string) (d directive, index, n int) {
	digits := func() int {
		v, start := 0, n
		for n < len(s) && isDigit(s[n]) && v < maxWidth {
			v = v*10 + int(s[n]-'0')
			n++
		}
		if n == start {
			return -1
		}
		return v
	}
	if index = digits(); index > 0 && n < len(s) && s[n] == '$' {
		n++
	} else {
		index, n = 0, 0
	}
	start := n
	for n < len(s) && strings.IndexByte("-#+ 0,(<", s[n]) >= 0 {
		n++
	}
	d.flags = s[start:n]
	d.width = digits()
	d.precision = -1
	if n < len(s) && s[n] == '.' {
		n++
		if d.precision = digits(); d.precision < 0 {
			return d, 0, 0
		}
	}
	if n == len(s) || d.width >= maxWidth || d.precision >= maxWidth || d.has("-") && d.width < 0 {
		return d, 0, 0
	}
	d.conversion = s[n]
	return d, index, n + 1
}

func (d *directive) has(flag string) bool { return strings.Contains(d.flags, flag) }

func (f *formatter) take(index int, flags string) (Value, bool) {
	switch {
	case index > 0:
		f.last = index - 1
	case strings.Contains(flags, "<"):
	default:
		f.last = f.next
		f.next++
	}
	if f.last < 0 || f.last >= len(f.values) {
		return Value{}, false
	}
	return f.values[f.last], true
}

func (d *directive) pad(part []byte) []byte {
	missing := d.width - utf8.RuneCount(part)
	if missing <= 0 {
		return part
	}
	space := []byte(strings.Repeat(" ", missing))
	if d.has("-") {
		return append(part, space...)
	}
	return append(space, part...)
}

// convert writes a value; ok is false where Java would throw.
func (d *directive) convert(e *Env, v Value) (out []byte, ok bool) {
	switch c := d.conversion; c {
	case 's', 'S':
		out = appendText(nil, v)
	case 'b', 'B':
		out = strconv.AppendBool(nil, v.some)
	case 'h', 'H':
		out = []byte("null")
		if v.some {
			out = strconv.AppendUint(nil, uint64(hashOf(v)), 16)
		}
	case 'd', 'o', 'x', 'X':
		return d.integer(v)
	case 'f', 'e', 'E', 'g', 'G':
		return d.float(v)
	case 'c', 'C':
		if v.some {
			return nil, false // Druid has longs only, which are no characters to Java
		}
		out = []byte("null")
	default:
		return nil, false
	}
	if d.precision >= 0 {
		out = []byte(firstRunes(string(out), d.precision))
	}
	if c := d.conversion; c >= 'A' && c <= 'Z' {
		out = appendUpper(nil, string(out))
	}
	return out, true
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// hashOf is Java's hashCode of a value.
func hashOf(v Value) uint32 {
	switch v.typ {
	case Long, Double:
		return uint32(v.num ^ v.num>>32)
	case String:
		return javaHash(v.str)
	}
	return javaHash(string(appendText(nil, v)))
}

func (d *directive) integer(v Value) (out []byte, ok bool) {
	switch {
	case !v.some:
		return []byte("null"), true
	case v.typ != Long || d.precision >= 0:
		return nil, false
	}
	n := v.Long()
	switch d.conversion {
	case 'o':
		return d.sign(false, d.prefixed("0", strconv.FormatUint(uint64(n), 8))), true
	case 'x':
		return d.sign(false, d.prefixed("0x", strconv.FormatUint(uint64(n), 16))), true
	case 'X':
		return d.sign(false, strings.ToUpper(d.prefixed("0x", strconv.FormatUint(uint64(n), 16)))), true
	}
	digits := strconv.FormatInt(n, 10)
	return d.sign(n < 0, d.grouped(strings.TrimPrefix(digits, "-"))), true
}

func (d *directive) prefixed(prefix, digits string) string {
	if d.has("#") {
		return prefix + digits
	}
	return digits
}

// grouped puts commas between groups of three digits before the point, if asked to.
func (d *directive) grouped(digits string) string {
	if !d.has(",") {
		return digits
	}
	whole, fraction, point := strings.Cut(digits, ".")
	var b strings.Builder
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(whole[i])
	}
	if point {
		b.WriteString("." + fraction)
	}
	return b.String()
}

// sign puts the sign before a number, and zeros up to the width.
func (d *directive) sign(negative bool, digits string) []byte {
	before, after := "", ""
	switch {
	case negative && d.has("("):
		before, after = "(", ")"
	case negative:
		before = "-"
	case d.has("+"):
		before = "+"
	case d.has(" "):
		before = " "
	}
	if missing := d.width - len(before) - len(digits) - len(after); d.has("0") && missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	return []byte(before + digits + after)
}

func (d *directive) float(v Value) (out []byte, ok bool) {
	switch {
	case !v.some:
		return []byte("null"), true
	case v.typ != Double:
		return nil, false
	}
	f := v.Double()
	if math.IsNaN(f) || math.IsInf(f, 0) {
		out = row.AppendDouble(nil, math.Abs(f))
		plain := directive{flags: strings.ReplaceAll(d.flags, "0", ""), width: -1}
		return plain.sign(math.IsInf(f, -1), string(out)), true
	}
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	abs := math.Abs(f)
	var digits string
	switch d.conversion {
	case 'f':
		digits = d.grouped(string(appendFixed(nil, abs, precision)))
	case 'e', 'E':
		digits = scientific(abs, precision)
	default:
		digits = general(abs, max(precision, 1))
	}
	if d.conversion < 'a' {
		digits = strings.ToUpper(digits)
	}
	return d.sign(math.Signbit(f), digits), true
}

// general is Java's %g: a number of digits, with an exponent below 1e-4 and from ten to their number on.
func general(abs float64, digits int) string {
	if abs == 0 {
		return strconv.FormatFloat(0, 'f', digits-1, 64)
	}
	text := scientific(abs, digits-1)
	exp := exponentOf(text)
	if exp < -4 || exp >= digits {
		return text
	}
	return string(appendFixed(nil, abs, digits-1-exp))
}

// Java's Formatter rounds halves up, in the shortest decimal text of a number; Go rounds the number itself.

func appendFixed(dst []byte, f float64, precision int) []byte {
	return strconv.AppendFloat(dst, roundDouble(f, precision), 'f', precision, 64)
}

func scientific(f float64, precision int) string {
	if f == 0 {
		return strconv.FormatFloat(f, 'e', precision, 64)
	}
	exp := exponentOf(strconv.FormatFloat(f, 'e', -1, 64))
	return strconv.FormatFloat(roundDouble(f, precision-exp), 'e', precision, 64)
}

// exponentOf gives the exponent of a text such as 1.5e+06.
func exponentOf(text string) int {
	_, exponent, _ := strings.Cut(text, "e")
	exp, _ := strconv.Atoi(exponent)
	return exp
}
