package expr_test

import (
	"errors"
	"math"
	"regexp/syntax"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ogham/domain/expr"
)

// eval computes an expression over a row without columns.
func eval(t testing.TB, source string) (expr.Value, error) {
	t.Helper()
	p, err := expr.Compile(source)
	if err != nil {
		return expr.Value{}, err
	}
	var e expr.Env
	return p.Eval(&e, bindings{names: p.Inputs()})
}

func TestSyntaxErrorsSayWhere(t *testing.T) {
	for source, want := range map[string]struct {
		message string
		offset  int
	}{
		"":                     {"the expression ends where an expression is wanted", 0},
		"a +":                  {"the expression ends where an expression is wanted", 3},
		"a b":                  {"unexpected 'b' where an operator or the end is wanted", 2},
		"(a":                   {"the expression ends where ')' is wanted", 2},
		"upper(a":              {"the expression ends where ',' or ')' is wanted", 7},
		"'abc":                 {"the text that begins with ' is not closed", 0},
		"a # b":                {"unexpected character '#'", 2},
		`'\x'`:                 {"unknown escape", 1},
		"1a":                   {"number '1' is followed by a letter", 0},
		"nope(a)":              {"function 'nope' is not defined.", 0},
		"1 + upper()":          {"Function[upper] requires 1 argument", 4},
		"if(a, b)":             {"Function[if] requires 3 arguments", 0},
		"trim()":               {"Function[trim] requires 1 to 2 arguments", 0},
		"round(a, b, c)":       {"Function[round] requires 1 or 2 arguments", 0},
		"pi(1)":                {"Function[pi] does not accept arguments", 0},
		"coalesce()":           {"Function[coalesce] requires at least 1 argument", 0},
		"[1, 'a']":             {"Failed to parse array element a as a DOUBLE", 4},
		"[a]":                  {"unexpected 'a' where a literal is wanted", 1},
		"map(x, y)":            {"unexpected ',' where '->' is wanted", 5},
		"99999999999999999999": {"BigInteger out of long range", 0},
		"1 / 0":                {"/ by zero", -1},
	} {
		_, err := expr.Compile(source)
		var bad *expr.SyntaxError
		if !errors.As(err, &bad) || !strings.HasPrefix(bad.Message, want.message) || bad.Offset != want.offset {
			t.Errorf("%q: %+v, want %q at %d", source, err, want.message, want.offset)
		}
	}
}

func TestFunctionsThatAreNotBuiltSaySo(t *testing.T) {
	for _, c := range []struct{ source, reason string }{
		{"lookup(a, 'b')", "no lookups are loaded"},
		{"hyper_unique(a)", "made by metrics"},
		{"complex_decode_base64('x', a)", "no complex values"},
		{"bloom_filter_test(a, 'b')", "extension druid-bloom-filter"},
		{"HLL_SKETCH_ESTIMATE(a)", "extension druid-datasketches"},
	} {
		if _, err := expr.Compile(c.source); err == nil || !strings.Contains(err.Error(), "is not supported: ") || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v, want a refusal with %q", c.source, err, c.reason)
		}
	}
}

// TestExpressionsAreBounded wants what would take all memory or time to fail soon instead.
func TestExpressionsAreBounded(t *testing.T) {
	deep := strings.Repeat("(", 100_000)
	wide := strings.Repeat("1 + ", 200_000) + "1"
	for _, source := range []string{
		"repeat('xxxxxxxxxx', 100000000)", "lpad('a', 2000000000, 'b')", "replace(repeat('a', 1000000), 'a', repeat('b', 1000))",
		"array_slice([1], 0, 2000000000)", "cartesian_map((a,b,c,d,e,f,g,h,i) -> a, " + strings.TrimSuffix(strings.Repeat("[1,2,3,4,5,6,7,8,9], ", 9), ", ") + ")",
		"format('%2000000000d', 1)", "fold((x, acc) -> concat(acc, acc), " + numbers(64) + ", 'aaaaaaaa')", deep, wide,
		strings.Repeat("-", 100_000) + "1", strings.Repeat("2 ^ ", 100_000) + "1",
	} {
		v, err := eval(t, source)
		if err == nil && !strings.HasPrefix(source, "format") {
			t.Errorf("%.60s gives a %s", source, v.Type())
		}
	}
}

// numbers is an array literal of n ones.
func numbers(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]" }

func TestRegularExpressionsOfJava(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		matches       bool
	}{
		{`^a.c$`, "abc", true},
		{`a.c`, "a\nc", false},
		{`a.c`, "a\u2028c", false},
		{`(?s)a.c`, "a\nc", true},
		{`\p{Alpha}+\d`, "ab1", true},
		{`^\p{Upper}[\p{Lower}]+$`, "Abc", true},
		{`^\P{Digit}$`, "1", false},
		{`\p{IsLatin}`, "é", true},
		{`\Qa.b\E`, "a.b", true},
		{`\Qa.b\E`, "axb", false},
		{`\x41\u0042\0103`, "ABC", true},
		{`^\s$`, "\v", true},
		{`^\h$`, "\u00a0", true},
		{`^\R$`, "\r\n", true},
		{`\Aab\z`, "ab", true},
		{`(?i)ab`, "AB", true},
		{`(?iu:a)b`, "Ab", true},
		{`(?<year>\d{4})`, "2020", true},
		{`[a\]]`, "]", true},
	} {
		re, err := expr.CompileRegexp(c.pattern)
		if err != nil {
			t.Errorf("%s: %v", c.pattern, err)
			continue
		}
		if got := re.MatchString(c.text); got != c.matches {
			t.Errorf("%s matches %q: %t, want %t", c.pattern, c.text, got, c.matches)
		}
	}
	for _, pattern := range []string{`(?=a)`, `(?<!a)b`, `(a)\1`, `a++`, `[a-z&&[^b]]`, `[a[b]]`, `\G`, `(?x) a`, `\p{javaLowerCase}`, `(`, `[a`, `\`} {
		if _, err := expr.CompileRegexp(pattern); err == nil {
			t.Errorf("%s is taken", pattern)
		}
	}
	for pattern, what := range map[string]string{
		`a(?=b)`: "looking ahead", `(?!b)`: "looking ahead", `(?<=b)a`: "looking behind", `(?<!b)a`: "looking behind", `(?>a)`: "an atomic group",
		`a*+b`: "a possessive quantifier", `a{2}+`: "a possessive quantifier", `a?+`: "a possessive quantifier", `(a)\2`: "a reference to a group",
	} {
		if _, err := expr.CompileRegexp(pattern); err == nil || !strings.Contains(err.Error(), what+", which takes backtracking, is not supported") {
			t.Errorf("%s: %v, want it to name %s", pattern, err, what)
		}
	}
}

// FuzzRegexp compiles patterns and matches by them: whatever they are, there is an error or an answer, and a pattern that is
// taken can stand within a group as well.
func FuzzRegexp(f *testing.F) {
	for _, pattern := range []string{`^a.c$`, `(?s)a.c|\p{Alpha}+\d`, `[\p{Lower}&&x]`, `\Qa.b\E`, `\x41\u0042\0103`, `(?iu:a)(?<y>\d{4})\R\h[^\]a]`, `(?=a)b*+\1`} {
		f.Add(pattern, "abc 1\r\né")
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		re, err := expr.CompileRegexp(pattern)
		if err != nil {
			if err.Error() == "" {
				t.Error("an error says nothing")
			}
			return
		}
		re.FindStringSubmatchIndex(text)
		if strings.Contains(pattern, `\Q`) {
			return // what is quoted to the end takes a group's end with it, in Java too
		}
		whole, err := expr.CompileRegexp(`\A(?:` + pattern + `)\z`)
		var bad *syntax.Error
		switch {
		case err != nil && errors.As(err, &bad) && (bad.Code == syntax.ErrNestingDepth || bad.Code == syntax.ErrLarge):
		case err != nil:
			t.Errorf("%q is a pattern, and none within a group: %v", pattern, err)
		case whole.NumSubexp() != re.NumSubexp():
			t.Errorf("%q has %d groups, %d within another", pattern, re.NumSubexp(), whole.NumSubexp())
		}
	})
}

// TestOperatorsFollowTheRulesOfNulls draws operands and wants a null to make a null, and AND and OR to have three values.
func TestOperatorsFollowTheRulesOfNulls(t *testing.T) {
	operand := rapid.SampledFrom([]string{"null", "0", "1", "-3", "2.5", "'a'", "'true'", "''", "[1]", "x"})
	rapid.Check(t, func(rt *rapid.T) {
		a, b := operand.Draw(rt, "a"), operand.Draw(rt, "b")
		op := rapid.SampledFrom([]string{"+", "-", "*", "<", "<=", ">", ">=", "==", "!="}).Draw(rt, "op")
		v, err := eval(t, a+" "+op+" "+b)
		if (a == "null" || b == "null" || a == "x" || b == "x") && (err != nil || !v.IsNull()) {
			rt.Fatalf("%s %s %s is %v, %v; want a null", a, op, b, shown(v), err)
		}
		for _, logic := range []string{"&&", "||"} {
			left, err1 := eval(t, a+" "+logic+" "+b)
			right, err2 := eval(t, b+" "+logic+" "+a)
			if err1 != nil || err2 != nil {
				rt.Fatalf("%s %s %s: %v, %v", a, logic, b, err1, err2)
			}
			if left.IsNull() != right.IsNull() || left.Bool() != right.Bool() {
				rt.Fatalf("%s %s %s is %v, the other way round %v", a, logic, b, shown(left), shown(right))
			}
		}
	})
}

// TestComparisonsAreConsistent wants exactly one of less, equal and greater to hold for numbers and for texts.
func TestComparisonsAreConsistent(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		literal := func(name string) string {
			if rapid.Bool().Draw(rt, name+" is text") {
				return "'" + rapid.StringMatching(`[a-zé😀\x{E000}]{0,4}`).Draw(rt, name) + "'"
			}
			return rapid.SampledFrom([]string{"0", "1", "-1", "1.5", "9223372036854775807", "1e300"}).Draw(rt, name)
		}
		a, b := literal("a"), literal("b")
		holds := 0
		for _, op := range []string{"<", "==", ">"} {
			v, err := eval(t, a+" "+op+" "+b)
			if err != nil {
				rt.Fatal(err)
			}
			if v.IsNull() {
				return // a text that is no number, compared with one
			}
			if v.Bool() {
				holds++
			}
		}
		if holds != 1 {
			rt.Fatalf("%d of less, equal and greater hold for %s and %s", holds, a, b)
		}
	})
}

func TestRoundingMakesNoNegativeZero(t *testing.T) {
	for _, source := range []string{"round(-0.0)", "round(-0.0, 1)", "round(-0.0000001, 1)", "round(-0.04, 1)", "round(-0.4)"} {
		v, err := eval(t, source)
		if err != nil || v.Double() != 0 || math.Signbit(v.Double()) {
			t.Errorf("%s is %v (%v), want 0.0", source, v.Double(), err)
		}
	}
}

func TestQueriedListsAreCastToTheirCommonType(t *testing.T) {
	for list, want := range map[string]string{
		`[1,"2",null]`: `["1","2",null]`, `[1,2.5]`: `[1.0,2.5]`, `[1,2]`: `[1,2]`, `[{"k":1},2]`: `[{"k":1},2]`,
	} {
		v, err := eval(t, "to_json_string(json_query_array(parse_json('"+list+"'), '$'))")
		if err != nil || v.Text() != want {
			t.Errorf("%s is queried as %s (%v), want %s", list, v.Text(), err, want)
		}
	}
}

func TestNumbersAndListsWhereDruidFails(t *testing.T) {
	for source, want := range map[string]any{
		"timestamp_extract(31536000000.9, 'YEAR')":       "L:1971",
		"timestamp_extract([31536000000], 'YEAR')":       "L:1971",
		"array_offset(array_set_add_all([2], ['1']), 0)": "L:1",
	} {
		if v, err := eval(t, source); err != nil || shown(v) != want {
			t.Errorf("%s: %v, %v; want %v", source, shown(v), err, want)
		}
	}
}
