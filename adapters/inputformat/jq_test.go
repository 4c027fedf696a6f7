package inputformat_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"strings"
	"testing"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/domain/row"
)

// jqFormat gives the inputFormat with one field, q, that is a jq query.
func jqFormat(query string) string {
	expr, err := json.Marshal(query)
	if err != nil {
		panic(err)
	}
	return `{"type":"json","flattenSpec":{"useFieldDiscovery":false,"fields":[{"type":"jq","name":"q","expr":` + string(expr) + `}]}}`
}

// TestJQIsBoundedByItsSteps runs queries that never end or whose result is larger than what they did: the task fails, and
// at the same place on any machine.
func TestJQIsBoundedByItsSteps(t *testing.T) {
	for query, want := range map[string]string{
		`def f: f; f`:                                   "the query takes more than 10000000 steps over one record",
		`def f: 1 + f; f`:                               "the query takes more than 10000000 steps over one record",
		`[repeat(1)]`:                                   "the query takes more than 10000000 steps over one record",
		`try last(range(1e12)) catch 1`:                 "the query takes more than 10000000 steps over one record",
		`reduce range(60) as $i (1; [., .])`:            "the query takes more than 10000000 steps over one record",
		`reduce range(60) as $i (1; {a: ., b: .})`:      "the query takes more than 10000000 steps over one record",
		`("x" * 1000000) as $x | [range(1000) | $x]`:    "the query takes more than 10000000 steps over one record",
		`reduce range(1001) as $i (1; [.])`:             "the result has more than 1000 lists and objects within one another",
		`[range(100000)] | map(. + 1) | add`:            "",
		`reduce range(1000) as $i (1; [.])`:             "",
		`[.a[] | select(. > 1) | tostring] | join(",")`: "",
	} {
		p := newParser(t, jqFormat(query), discovering())
		_, err := p.Parse(&index.Record{Value: []byte(`{"a":[1,2,3]}`)})
		var field *inputformat.FieldError
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", query, err)
		case want != "" && (!errors.As(err, &field) || !strings.HasSuffix(err.Error(), want)):
			t.Errorf("%s gives %v, want %q", query, err, want)
		}
	}
}

// jqLeftOut are queries that tell the time, or whose steps may be large: a number in them may be the size of a result.
var jqLeftOut = regexp.MustCompile(`now|time|date|[0-9_]{6}|[0-9.][eE]|infinite|pow|exp|gamma|scalb|ldexp|fma`)

// FuzzJQ runs any query over any document twice, with the same result.
func FuzzJQ(f *testing.F) {
	for _, query := range []string{
		`.`, `.a`, `.a.b[0]?`, `.["a"]`, `.[1:2]`, `..`, `.a,.b`, `.a|.b`, `"x\(.a)y"`, `-.a`, `.a + 1`, `.a * "x"`, `.a // "none"`,
		`[.[] | select(.a == 1)]`, `{a: .a, (.b): 1}`, `if .a then 1 elif .b then 2 else 3 end`, `try error("x") catch .`, `.a?`,
		`reduce .[] as $x (0; . + $x)`, `foreach .[] as [$x, {a: $y}] (0; $x; [$x, $y])`, `def f(g): g | g; f(.a)`, `label $out | 1, break $out`,
		`.a as $x | $x`, `.a |= . + 1`, `.a += 1`, `del(.a)`, `to_entries`, `with_entries(.value |= tostring)`, `keys, length`, `map(. / 2)`,
		`sort_by(.a) | group_by(.b) | unique`, `.[0:1] = [1]`, `path(..)`, `[paths]`, `tojson | fromjson`, `@base64 "x\(.)"`, `@csv`, `@sh`, `@uri`,
		`test("a+"; "i")`, `[match("(?<x>a)b?"; "g")]`, `sub("a"; "b")`, `gsub("(?<c>[a-z])"; .c + "x")`, `split(", *"; null)`, `ascii_downcase`,
		`explode | implode`, `limit(2; .[])`, `first(.[])`, `until(. > 5; . + 1)`, `[recurse]`, `env`, `$ENV`, `input`, `$__loc__`, `halt_error`, `tostream`,
		`fromstream(tostream)`, `getpath(["a", 0])`, `setpath(["a"]; 1)`, `walk(if type == "number" then 1 else . end)`, `splits("a")`, `ltrimstr("a")`,
		`. as {a: $x, b: [$y]} ?// $x | [$x, $y]`, `import "a" as a; 1`, `include "a"; 1`, `tonumber`, `transpose`, `combinations`, `infinite, nan`, `@json`, `getpath(1)`,
	} {
		f.Add(query, []byte(`{"a":[1,"x",{"a":null}],"b":"ab, c","c":-2.5}`))
	}
	f.Add(`.[]`, []byte(`[1,2]`))
	f.Fuzz(func(t *testing.T, query string, document []byte) {
		if len(query) > 80 || len(document) > 200 || jqLeftOut.MatchString(query) || jqLeftOut.Match(document) {
			t.Skip("a query that may be large")
		}
		if _, err := inputformat.New(json.RawMessage(jqFormat(query)), row.Schema{Timestamp: row.Timestamp{Column: "ts"}}); err != nil {
			t.Skip(err)
		}
		readTwice(t, jqFormat(query), &index.Record{Value: document})
	})
}
