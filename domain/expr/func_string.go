package expr

import (
	"encoding/base64"
	"math"
	"strings"
	"unicode/utf8"

	"ogham/domain/row"
)

// stringFunctions work on texts. Where one of their arguments is null, so is the result.
var stringFunctions = []*function{
	{name: "concat", arity: atLeast(0), kind: always(String), run: concat},
	{name: "strlen", arity: exactly(1), kind: always(Long), run: func(e *Env, args []node) Value {
		s, ok := e.text(args[0])
		if !ok {
			return Null(Long)
		}
		return OfLong(int64(units(s)))
	}},
	{name: "strpos", arity: oneOf(2, 3), kind: always(Long), run: strpos},
	{name: "substring", arity: exactly(3), kind: always(String), run: substring},
	{name: "left", arity: exactly(2), kind: always(String), run: edge("left")},
	{name: "right", arity: exactly(2), kind: always(String), run: edge("right")},
	{name: "replace", arity: exactly(3), kind: always(String), run: replace},
	{name: "lower", arity: exactly(1), kind: always(String), run: changed(appendLower)},
	{name: "upper", arity: exactly(1), kind: always(String), run: changed(appendUpper)},
	{name: "reverse", arity: exactly(1), kind: always(String), run: reverse},
	{name: "repeat", arity: exactly(2), kind: always(String), run: repeat},
	{name: "lpad", arity: exactly(3), kind: always(String), run: padded(true)},
	{name: "rpad", arity: exactly(3), kind: always(String), run: padded(false)},
	{name: "trim", arity: between(1, 2), kind: always(String), macro: true, run: trimmed(true, true)},
	{name: "ltrim", arity: between(1, 2), kind: always(String), macro: true, run: trimmed(true, false)},
	{name: "rtrim", arity: between(1, 2), kind: always(String), macro: true, run: trimmed(false, true)},
	{name: "parse_long", arity: oneOf(1, 2), kind: always(Long), run: parseLongText},
	{name: "contains_string", arity: exactly(2), kind: always(Long), macro: true, make: makeContains("contains_string", false)},
	{name: "icontains_string", arity: exactly(2), kind: always(Long), macro: true, make: makeContains("icontains_string", true)},
	{name: "decode_base64_utf8", arity: exactly(1), kind: always(String), macro: true, run: decodeBase64},
}

// fewArgs is the number of arguments that need no memory of their own.
const fewArgs = 8

func concat(e *Env, args []node) Value {
	if len(args) == 0 {
		return Value{}
	}
	var small [fewArgs]string
	parts := small[:0]
	for _, a := range args {
		s, ok := e.text(a)
		if !ok {
			return Value{}
		}
		parts = append(parts, s)
	}
	start := len(e.arena)
	for _, s := range parts {
		if !e.spend(len(s)) {
			return Value{}
		}
		e.arena = append(e.arena, s...)
	}
	return OfString(view(e.arena[start:len(e.arena):len(e.arena)]))
}

func strpos(e *Env, args []node) Value {
	haystack, ok1 := e.text(args[0])
	needle, ok2 := e.text(args[1])
	if !ok1 || !ok2 {
		return Value{}
	}
	from := 0
	if len(args) > 2 {
		from = args[2].eval(e).asInt()
	}
	return OfLong(int64(indexFrom(haystack, needle, from)))
}

func substring(e *Env, args []node) Value {
	s, ok := e.text(args[0])
	if !ok {
		return Value{}
	}
	from, count := args[1].eval(e).asInt(), args[2].eval(e).asInt()
	length := units(s)
	switch {
	case from >= length:
		return Value{}
	case from < 0:
		return e.fail("begin %d, end %d, length %d", from, length, length)
	case count < 0:
		count = length
	}
	// Java adds these two in 32 bits and fails when they overflow; there is no end that could be meant but the text's.
	return OfString(e.slice(s, from, min(from+count, length)))
}

// edge makes left and right.
func edge(name string) runner {
	return func(e *Env, args []node) Value {
		v, n := args[0].eval(e), args[1].eval(e)
		s, ok := e.asString(v)
		if !ok || n.numericNull() {
			return Value{}
		}
		count, length := n.asInt(), units(s)
		switch {
		case count < 0 || n.asLong() > math.MaxInt32:
			return e.reject(name, "needs a positive integer as the second argument")
		case count >= length:
			return OfString(s)
		case name == "left":
			return OfString(e.slice(s, 0, count))
		}
		return OfString(e.slice(s, length-count, length))
	}
}

func replace(e *Env, args []node) Value {
	s, ok := e.text(args[0])
	old, ok1 := e.text(args[1])
	replacement, ok2 := e.text(args[2])
	switch {
	case !ok:
		return Value{}
	case !ok1 || !ok2:
		return e.fail("the pattern and the replacement must not be null")
	}
	n := strings.Count(s, old)
	if n == 0 {
		return OfString(s)
	}
	if !e.spend(len(s)) || !e.spend(min(n, maxWork)*max(len(replacement), 1)) {
		return Value{}
	}
	return OfString(strings.ReplaceAll(s, old, replacement))
}

// changed makes a function of a text that gives another one.
func changed(add func(dst []byte, s string) []byte) runner {
	return func(e *Env, args []node) Value {
		s, ok := e.text(args[0])
		if !ok {
			return Value{}
		}
		start := len(e.arena)
		e.arena = add(e.arena, s)
		e.spend(len(s))
		return OfString(view(e.arena[start:len(e.arena):len(e.arena)]))
	}
}

func reverse(e *Env, args []node) Value {
	v := args[0].eval(e)
	switch {
	case v.typ != String:
		return e.reject("reverse", "needs a STRING argument but got %s instead", v.typ)
	case !v.some:
		return Value{}
	}
	return OfString(e.build(func(dst []byte) []byte {
		for s := v.str; s != ""; {
			_, size := utf8.DecodeLastRuneInString(s)
			dst = append(dst, s[len(s)-size:]...)
			s = s[:len(s)-size]
		}
		return dst
	}))
}

func repeat(e *Env, args []node) Value {
	v, n := args[0].eval(e), args[1].eval(e)
	s, ok := e.asString(v)
	count := n.asInt()
	switch long := n.asLong(); {
	case !ok || n.numericNull():
		return Value{}
	case long != int64(int32(long)):
		return e.reject("repeat", "needs an integer as the second argument")
	case count < 1:
		return Value{}
	case s == "":
		return OfString("")
	}
	if count > maxWork || !e.spend(len(s)*count) {
		e.spend(maxWork + 1)
		return Value{}
	}
	return OfString(strings.Repeat(s, count))
}

// padded makes lpad and rpad.
func padded(left bool) runner {
	return func(e *Env, args []node) Value {
		s, ok1 := e.text(args[0])
		width := args[1].eval(e).asInt()
		pad, ok2 := e.text(args[2])
		switch length := units(s); {
		case !ok1 || !ok2 || width == 0:
			return Value{}
		case width < 0:
			return OfString("")
		case width <= length:
			return OfString(e.slice(s, 0, width))
		case pad == "":
			return OfString(s)
		case !e.spend(width - length):
			return Value{}
		default:
			return OfString(e.build(func(dst []byte) []byte {
				if left {
					return append(appendPadded(dst, pad, width-length), s...)
				}
				return appendPadded(append(dst, s...), pad, width-length)
			}))
		}
	}
}

// trimmed makes trim, ltrim and rtrim. What needs no trimming stays as it is, a number too.
func trimmed(left, right bool) runner {
	return func(e *Env, args []node) Value {
		v := args[0].eval(e)
		cut := " "
		if len(args) > 1 && v.some {
			var ok bool
			if cut, ok = e.text(args[1]); !ok {
				return v
			}
		}
		s, ok := e.asString(v)
		if !ok || cut == "" {
			return v
		}
		whole := len(s)
		if left {
			s = strings.TrimLeft(s, cut)
		}
		if right {
			s = strings.TrimRight(s, cut)
		}
		if len(s) == whole {
			return v
		}
		return OfString(s)
	}
}

func parseLongText(e *Env, args []node) Value {
	radix := 10
	if len(args) > 1 {
		radix = args[1].eval(e).asInt()
	}
	s, ok := e.text(args[0])
	if !ok || radix < 2 || radix > 36 {
		return Null(Long)
	}
	if radix == 16 && len(s) > 2 && s[0] == '0' && s[1]|0x20 == 'x' {
		s = s[2:]
	}
	n, ok := parseLong(s, radix)
	if !ok {
		return Null(Long)
	}
	return OfLong(n)
}

// makeContains makes contains_string and icontains_string, whose text must be a literal.
func makeContains(name string, fold bool) func(args []node) (runner, error) {
	return func(args []node) (runner, error) {
		part, ok := isConstant(args[1])
		if !ok || !part.some || part.typ != String {
			return nil, errLiteral("substring must be a string literal")
		}
		needle := part.str
		if fold {
			needle = string(appendLower(nil, needle))
		}
		return func(e *Env, args []node) Value {
			s, ok := e.text(args[0])
			if !ok {
				return Null(Long)
			}
			if fold {
				s = e.build(func(dst []byte) []byte { return appendLower(dst, s) })
			}
			return OfBool(strings.Contains(s, needle))
		}, nil
	}
}

type errLiteral string

func (err errLiteral) Error() string { return string(err) }

// decodeBase64 reads base64 of UTF-8.
func decodeBase64(e *Env, args []node) Value {
	s, ok := e.text(args[0])
	if !ok {
		return Value{}
	}
	decoded, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(s, "="))
	if err != nil || !e.spend(len(decoded)) {
		return e.reject("decode_base64_utf8", "[%s] is not base64", s)
	}
	return OfString(view(row.JavaUTF8(decoded)))
}
