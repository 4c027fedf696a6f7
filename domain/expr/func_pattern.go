package expr

import (
	"regexp"
	"unicode/utf8"
)

// patternFunctions match texts with LIKE and regular expressions, which must be literals.
var patternFunctions = []*function{
	{name: "like", arity: between(2, 3), kind: always(Long), macro: true, make: makeLike},
	{name: "regexp_extract", arity: between(2, 3), kind: always(String), macro: true, make: makeRegexpExtract},
	{name: "regexp_like", arity: exactly(2), kind: always(Long), macro: true, make: makeRegexpLike},
	{name: "regexp_replace", arity: exactly(3), kind: always(String), macro: true, make: makeRegexpReplace},
	{name: "string_to_array", arity: exactly(2), kind: always(String.Array()), make: makeSplit},
}

func makeLike(args []node) (runner, error) {
	pattern, ok := isConstant(args[1])
	if !ok || !pattern.some {
		return nil, errLiteral("pattern argument must be a literal")
	}
	escape := rune(0)
	if len(args) > 2 {
		v, ok := isConstant(args[2])
		if !ok {
			return nil, errLiteral("escape argument must be a literal")
		}
		text := string(appendText(nil, v))
		if v.some && utf8.RuneCountInString(text) != 1 {
			return nil, errLiteral("escape must be null or a single character")
		}
		if v.some {
			escape, _ = utf8.DecodeRuneInString(text)
		}
	}
	like := NewLike(string(appendText(nil, pattern)), escape)
	return func(e *Env, args []node) Value {
		s, ok := e.text(args[0])
		if !ok {
			return Null(Long)
		}
		return OfBool(like.Match(s))
	}, nil
}

// literalPattern compiles the second argument.
func literalPattern(args []node, complaint errLiteral) (*regexp.Regexp, error) {
	v, ok := isConstant(args[1])
	if !ok || !v.some || v.typ != String {
		return nil, complaint
	}
	return CompileRegexp(v.str)
}

func makeRegexpExtract(args []node) (runner, error) {
	re, err := literalPattern(args, "pattern must be a string literal")
	if err != nil {
		return nil, err
	}
	group := 0
	if len(args) > 2 {
		v, ok := isConstant(args[2])
		if !ok || !v.some || !v.typ.numeric() {
			return nil, errLiteral("index must be a numeric literal")
		}
		if group = v.asInt(); group < 0 {
			return nil, errLiteral("index must be a numeric literal")
		}
	}
	if group > re.NumSubexp() {
		return func(e *Env, args []node) Value {
			if s, ok := e.text(args[0]); ok && re.MatchString(s) {
				return e.fail("No group %d", group)
			}
			return Value{}
		}, nil
	}
	return func(e *Env, args []node) Value {
		s, ok := e.text(args[0])
		if !ok {
			return Value{}
		}
		if group == 0 {
			m := re.FindStringIndex(s)
			if m == nil {
				return Value{}
			}
			return OfString(s[m[0]:m[1]])
		}
		m := re.FindStringSubmatchIndex(s)
		if m == nil || m[2*group] < 0 {
			return Value{}
		}
		return OfString(s[m[2*group]:m[2*group+1]])
	}, nil
}

func makeRegexpLike(args []node) (runner, error) {
	re, err := literalPattern(args, "pattern must be a STRING literal")
	if err != nil {
		return nil, err
	}
	return func(e *Env, args []node) Value {
		s, ok := e.text(args[0])
		if !ok {
			return Null(Long)
		}
		return OfBool(re.MatchString(s))
	}, nil
}

// makeRegexpReplace compiles what is literal; the rest is compiled for each row.
func makeRegexpReplace(args []node) (runner, error) {
	pattern, fixedPattern := isConstant(args[1])
	with, fixedWith := isConstant(args[2])
	var re *regexp.Regexp
	var rep *replacement
	var err error
	if fixedPattern && pattern.some {
		if re, err = CompileRegexp(string(appendText(nil, pattern))); err != nil {
			return nil, err
		}
	}
	if re != nil && fixedWith && with.some {
		rep, _ = parseReplacement(string(appendText(nil, with)), re) // what is wrong with it matters where something matches
	}
	return func(e *Env, args []node) Value {
		s, ok := e.text(args[0])
		expression, ok1 := e.text(args[1])
		template, ok2 := e.text(args[2])
		if !ok || !ok1 || !ok2 {
			return Value{}
		}
		re, rep := re, rep
		if re == nil {
			var err error
			if re, err = CompileRegexp(expression); err != nil {
				return e.fail("%s", err)
			}
		}
		if !re.MatchString(s) {
			return OfString(s)
		}
		if rep == nil {
			var err error
			if rep, err = parseReplacement(template, re); err != nil {
				return e.fail("%s", err)
			}
		}
		return OfString(e.build(func(dst []byte) []byte { return rep.apply(e, dst, s, re) }))
	}, nil
}

func makeSplit(args []node) (runner, error) {
	var fixed *regexp.Regexp
	if v, ok := isConstant(args[1]); ok {
		pattern, _ := new(Env).asString(v)
		var err error
		if fixed, err = CompileRegexp(pattern); err != nil {
			return nil, err
		}
	}
	return func(e *Env, args []node) Value {
		s, ok := e.text(args[0])
		if !ok {
			return Value{}
		}
		re := fixed
		if re == nil {
			pattern, _ := e.text(args[1])
			var err error
			if re, err = CompileRegexp(pattern); err != nil {
				return e.fail("%s", err)
			}
		}
		return e.split(s, re)
	}, nil
}

// split is String.split: no empty text before a match at the beginning that has no width, none at the end.
func (e *Env) split(s string, re *regexp.Regexp) Value {
	var parts []Value
	at := 0
	for _, m := range re.FindAllStringIndex(s, -1) {
		if m[1] == 0 || m[0] == len(s) && m[0] == m[1] {
			continue
		}
		parts = append(parts, OfString(s[at:m[0]]))
		at = m[1]
	}
	if at == 0 && len(parts) == 0 {
		return OfArray(String, []Value{OfString(s)})
	}
	parts = append(parts, OfString(s[at:]))
	for len(parts) > 0 && parts[len(parts)-1].str == "" {
		parts = parts[:len(parts)-1]
	}
	if !e.spend(len(parts)) {
		return Value{}
	}
	return OfArray(String, parts)
}
