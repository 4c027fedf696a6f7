package spec

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"
)

// scalarText is a scalar as Jackson turns it into a string; empty for arrays and objects.
func (n *node) scalarText() string {
	switch n.kind {
	case kindNull:
		return "null"
	case kindBool:
		return strconv.FormatBool(n.flag)
	case kindNumber, kindString:
		return n.text
	}
	return ""
}

// text is a member as a string; numbers and Booleans become their text.
func (r *reader) text(name string) *string {
	n := r.get(name)
	if n == nil {
		return nil
	}
	if n.kind == kindArray || n.kind == kindObject {
		r.scan.wrongKind(n, r.at(name), "java.lang.String")
		return nil
	}
	s := n.scalarText()
	return &s
}

func (r *reader) textOr(name, def string) string {
	if s := r.text(name); s != nil {
		return *s
	}
	return def
}

// texts is a member that is a list of strings.
func (r *reader) texts(name string) []string {
	items, _ := r.list(name, "java.lang.String")
	var texts []string
	for i, item := range items {
		if item.kind == kindArray || item.kind == kindObject || item.kind == kindNull {
			class := "java.lang.String"
			if item.kind == kindObject {
				class = "java.util.ArrayList<java.lang.Object>"
			}
			r.scan.wrongKind(item, itemPath(r.at(name), i), class)
			continue
		}
		texts = append(texts, item.scalarText())
	}
	return texts
}

func (r *reader) integer(name string) *int {
	v := r.whole(name, math.MinInt32, math.MaxInt32, "int", "java.lang.Integer")
	if v == nil {
		return nil
	}
	i := int(*v)
	return &i
}

func (r *reader) integerOr(name string, def int) int {
	if v := r.integer(name); v != nil {
		return *v
	}
	return def
}

func (r *reader) long(name string) *int64 {
	return r.whole(name, math.MinInt64, math.MaxInt64, "long", "java.lang.Long")
}

func (r *reader) longOr(name string, def int64) int64 {
	if v := r.long(name); v != nil {
		return *v
	}
	return def
}

// whole is a member as a whole number: fractions are cut, texts of whole numbers are taken, empty texts are null.
func (r *reader) whole(name string, low, high int64, primitive, class string) *int64 {
	n := r.get(name)
	if n == nil {
		return nil
	}
	switch n.kind {
	case kindNumber:
		v, ok := cut(n.text, low, high)
		if !ok {
			message := fmt.Sprintf("Numeric value (%s) out of range of %s (%d - %d)", n.text, primitive, low, high)
			r.scan.add(r.at(name), message, message)
			return nil
		}
		return &v
	case kindString:
		return r.wholeText(name, n.text, low, high, primitive, class)
	}
	r.scan.wrongKind(n, r.at(name), class)
	return nil
}

func (r *reader) wholeText(name, text string, low, high int64, primitive, class string) *int64 {
	trimmed := strings.TrimSpace(text)
	switch {
	case text == "" || trimmed == "null":
		return nil
	case trimmed == "":
		message := "Cannot coerce blank String (all whitespace) to `" + class + "` value (but could if coercion was enabled using `CoercionConfig`)"
		r.scan.add(r.at(name), message, message)
		return nil
	}
	v, err := strconv.ParseInt(trimmed, 10, 64)
	if err == nil && v >= low && v <= high {
		return &v
	}
	reason := "not a valid `" + primitive + "` value"
	if err == nil || strings.Contains(err.Error(), "out of range") {
		reason = fmt.Sprintf("Overflow: numeric value (%s) out of range of %s (%d -%d)", trimmed, primitive, low, high)
	}
	message := fmt.Sprintf("Cannot deserialize value of type `%s` from String %q: %s", primitive, text, reason)
	r.scan.add(r.at(name), message, message)
	return nil
}

// cut is a number's text without its fraction, if that lies within the bounds.
func cut(text string, low, high int64) (int64, bool) {
	if !strings.ContainsAny(text, ".eE") {
		v, err := strconv.ParseInt(text, 10, 64)
		return v, err == nil && v >= low && v <= high
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsInf(f, 0) {
		return 0, false
	}
	whole, _ := big.NewFloat(f).Int(nil)
	if !whole.IsInt64() || whole.Int64() < low || whole.Int64() > high {
		return 0, false
	}
	return whole.Int64(), true
}

// double is a member as a floating-point number, nil where it is absent, null or empty text.
func (r *reader) double(name string) *float64 {
	n := r.get(name)
	if n == nil {
		return nil
	}
	if n.kind == kindNumber || n.kind == kindString {
		text := strings.TrimSpace(n.text)
		if text == "" {
			return nil
		}
		if f, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) {
			return &f
		}
		message := fmt.Sprintf("Cannot deserialize value of type `java.lang.Double` from String %q: not a valid `Double` value", n.text)
		r.scan.add(r.at(name), message, message)
		return nil
	}
	r.scan.wrongKind(n, r.at(name), "java.lang.Double")
	return nil
}

func (r *reader) doubleOr(name string, def float64) float64 {
	if f := r.double(name); f != nil {
		return *f
	}
	return def
}

// boolOr is a member as a Boolean: true and false, their texts, and numbers, of which zero is false.
func (r *reader) boolOr(name string, def bool) bool {
	if v := r.bool(name); v != nil {
		return *v
	}
	return def
}

func (r *reader) bool(name string) *bool {
	n := r.get(name)
	if n == nil {
		return nil
	}
	yes, no := true, false
	switch {
	case n.kind == kindBool:
		return &n.flag
	case n.kind == kindNumber && !strings.ContainsAny(n.text, ".eE"):
		if n.text == "0" {
			return &no
		}
		return &yes
	case n.kind == kindString:
		switch strings.TrimSpace(n.text) {
		case "true", "True", "TRUE":
			return &yes
		case "false", "False", "FALSE":
			return &no
		case "", "null":
			return nil
		}
		message := fmt.Sprintf("Cannot deserialize value of type `java.lang.Boolean` from String %q: only \"true\" or \"false\" recognized", n.text)
		r.scan.add(r.at(name), message, message)
		return nil
	}
	r.scan.wrongKind(n, r.at(name), "java.lang.Boolean")
	return nil
}

// period is a member as an ISO-8601 period; a number is a length in milliseconds.
func (r *reader) period(name string) *Period {
	n := r.get(name)
	if n == nil {
		return nil
	}
	switch n.kind {
	case kindNumber:
		const longest = math.MaxInt32 * hourMillis
		if ms, ok := cut(n.text, -longest, longest); ok && !strings.ContainsAny(n.text, ".eE") {
			p := periodOfMillis(ms)
			return &p
		}
	case kindString:
		if strings.TrimSpace(n.text) == "" {
			return nil
		}
		p, err := ParsePeriod(strings.TrimSpace(n.text))
		if err != nil {
			r.scan.add(r.at(name), err.Error(), err.Error()+" (through reference chain: "+r.link(name)+")")
			return nil
		}
		return &p
	}
	const message = "expected JSON Number, String or Object"
	r.scan.add(r.at(name), message, message)
	return nil
}

// length is a period whose exact length in milliseconds is needed; months and years have none.
func (r *reader) length(name string) *int64 {
	p := r.period(name)
	if p == nil {
		return nil
	}
	ms, err := p.Millis()
	if err != nil {
		r.fail(name, "%s", err)
		return nil
	}
	return &ms
}

func (r *reader) lengthOr(name string, def time.Duration) int64 {
	if ms := r.length(name); ms != nil {
		return *ms
	}
	return def.Milliseconds()
}

// instant is a member as a point in time: ISO-8601 text, or milliseconds since 1970.
func (r *reader) instant(name string) *time.Time {
	n := r.get(name)
	if n == nil {
		return nil
	}
	switch n.kind {
	case kindNumber:
		ms, ok := cut(n.text, math.MinInt64, math.MaxInt64)
		if t := time.UnixMilli(ms).UTC(); ok && representable(t) {
			return &t
		}
	case kindString:
		if strings.TrimSpace(n.text) == "" {
			return nil
		}
		t, err := parseInstant(n.text)
		if err != nil {
			r.scan.add(r.at(name), err.Error(), err.Error()+" (through reference chain: "+r.link(name)+")")
			return nil
		}
		return &t
	}
	if n.kind == kindBool {
		message := fmt.Sprintf("Cannot deserialize instance of `org.joda.time.DateTime` out of VALUE_%s token", strings.ToUpper(n.scalarText()))
		r.scan.add(r.at(name), message, message)
		return nil
	}
	r.scan.wrongKind(n, r.at(name), "org.joda.time.DateTime")
	return nil
}
