package expr_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"ogham/domain/expr"
	"ogham/domain/row"
)

// recorded is one expression and what Druid 33 made of it over the columns of testdata/bindings.json: a type and a value,
// or an error; Parse says that the error came before any row.
type recorded struct {
	E     string `json:"e"`
	T     string `json:"t"`
	V     any    `json:"v"`
	Err   string `json:"err"`
	Parse bool   `json:"parse"`
}

// bindings gives columns as the row path would, by name.
type bindings struct {
	columns map[string]any
	names   []string
}

func (b bindings) Input(i int) expr.Value { return fromAny(b.columns[b.names[i]]) }

func fromAny(v any) expr.Value {
	switch v := v.(type) {
	case bool:
		return expr.OfBool(v)
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return expr.OfLong(n)
		}
		f, _ := v.Float64()
		return expr.OfDouble(f)
	case string:
		return expr.OfString(v)
	case []any, *expr.Object, map[string]any:
		return expr.Found(tree(v))
	}
	return expr.Value{}
}

// tree makes the tree of decoded JSON. Objects lose the order of their keys, so they are given in alphabetical order.
func tree(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = tree(v[i])
		}
		return list
	case map[string]any:
		o := &expr.Object{}
		for _, key := range sortedKeys(v) {
			o.Keys = append(o.Keys, key)
			o.Values = append(o.Values, tree(v[key]))
		}
		return o
	}
	return v
}

// shown writes a value in the form of the recordings.
func shown(v expr.Value) any {
	switch {
	case v.IsNull():
		return nil
	case v.Type() == expr.JSON:
		return shownTree(v.Tree())
	case v.Type().IsArray():
		list := []any{}
		for _, elem := range v.Elems() {
			list = append(list, shown(elem))
		}
		return list
	case v.Type() == expr.Long:
		return fmt.Sprintf("L:%d", v.Long())
	case v.Type() == expr.Double:
		return "D:" + string(row.AppendDouble(nil, v.Double()))
	}
	return "S:" + v.Text()
}

func shownTree(t any) any {
	switch t := t.(type) {
	case nil:
		return nil
	case bool:
		return fmt.Sprintf("B:%t", t)
	case []any:
		list := []any{}
		for _, item := range t {
			list = append(list, shownTree(item))
		}
		return list
	case *expr.Object:
		m := map[string]any{}
		for i, key := range t.Keys {
			m[key] = shownTree(t.Values[i])
		}
		return m
	case int64:
		return fmt.Sprintf("L:%d", t)
	case float64:
		return "D:" + string(row.AppendDouble(nil, t))
	}
	return fmt.Sprintf("S:%v", t)
}

func readBindings(t *testing.T) map[string]any {
	t.Helper()
	data, err := os.ReadFile("testdata/bindings.json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(strings.NewReader(string(data)))
	d.UseNumber()
	var columns map[string]any
	if err := d.Decode(&columns); err != nil {
		t.Fatal(err)
	}
	return columns
}

// different are recorded expressions for which we do something else on purpose.
var different = map[string]string{
	"1 2":                      "Druid reads on where its grammar ends; we refuse what is no expression",
	"a b":                      "as above",
	"'it''s'":                  "as above",
	".5":                       "as above",
	"(x) -> x":                 "as above",
	"json_value(obj, '$.l[')":  "a path that is not closed",
	"cast(1, 'COMPLEX<json>')": "Druid loses the case of the type's name",
	"format('%s', [1,2])":      "Druid gives the address of a Java object",
	"map((x) -> json_value(obj, '$.k'), [1,2])": "Druid fails with a null pointer where the type is not known before",
	"substring('hello', 1, 2147483647)":         "Druid's sum overflows",
	"array_quantile([3,1,2], -1)":               "Druid does not take -1 for a literal",
	"parse_json('12345678901234567890')":        "we have no whole numbers beyond 64 bits",
}

// unknownZones begin expressions with a zone that Druid does not know and takes for UTC; we refuse them.
var unknownZones = []string{"'Nowhere'", "'+5'", "'UTC+2'", "'europe/berlin'"}

func isDifferent(e string) bool {
	for _, zone := range unknownZones {
		if strings.Contains(e, zone) {
			return true
		}
	}
	return different[e] != "" || strings.Contains(e, "zzzz")
}

func TestExpressionsGiveWhatDruidGives(t *testing.T) { checkAll(t, "testdata/expressions.jsonl") }

// The expressions of random.jsonl were put together at random, to meet the arguments nobody thinks of.
func TestRandomExpressionsGiveWhatDruidGives(t *testing.T) { checkAll(t, "testdata/random.jsonl") }

func checkAll(t *testing.T, file string) {
	t.Helper()
	columns := readBindings(t)
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var want recorded
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		if isDifferent(want.E) {
			continue
		}
		check(t, columns, &want)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
}

func check(t *testing.T, columns map[string]any, want *recorded) {
	t.Helper()
	p, err := expr.Compile(want.E)
	if err != nil {
		if want.Err == "" {
			t.Errorf("%s: refused with %q, Druid gives %s %v", want.E, err, want.T, want.V)
		}
		return
	}
	var e expr.Env
	v, err := p.Eval(&e, bindings{columns, p.Inputs()})
	if err != nil {
		if want.Err == "" {
			t.Errorf("%s: fails with %q, Druid gives %s %v", want.E, err, want.T, want.V)
		} else if !sameError(err.Error(), want.Err) {
			t.Errorf("%s: fails with\n%q, Druid with\n%q", want.E, err, want.Err)
		}
		return
	}
	got := shown(v)
	switch {
	case want.Err != "":
		t.Errorf("%s: gives %s %v, Druid fails with %q", want.E, v.Type(), got, want.Err)
	case v.Type().String() != want.T || !sameValue(got, want.V):
		t.Errorf("%s: gives %s %v, Druid gives %s %v", want.E, v.Type(), got, want.T, want.V)
	}
}

// sameError compares the texts; behind Druid's may stand what it does not say.
func sameError(got, want string) bool { return strings.HasPrefix(got, want) }

// sameValue compares values; doubles may differ in their last digit, since Java's functions are not Go's.
func sameValue(got, want any) bool {
	switch w := want.(type) {
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !sameValue(g[i], w[i]) {
				return false
			}
		}
		return true
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for key := range w {
			if !sameValue(g[key], w[key]) {
				return false
			}
		}
		return true
	case string:
		if strings.HasPrefix(w, "I:") {
			w = "L:" + w[2:]
		}
		g, ok := got.(string)
		if ok && strings.HasPrefix(w, "D:") && strings.HasPrefix(g, "D:") {
			x, err1 := strconv.ParseFloat(g[2:], 64)
			y, err2 := strconv.ParseFloat(w[2:], 64)
			return g == w || err1 == nil && err2 == nil && math.Abs(x-y) <= 4e-16*math.Abs(y)
		}
		return ok && g == w
	}
	return got == want
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	for i := range keys {
		for j := i; j > 0 && keys[j] < keys[j-1]; j-- {
			keys[j], keys[j-1] = keys[j-1], keys[j]
		}
	}
	return keys
}
