package expr_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"ogham/domain/expr"
)

// TestRandomRowsGiveWhatDruidGives has random expressions over random columns, each expression with a row of its own: nulls,
// numbers at the ends of their ranges, texts of all kinds, Booleans, arrays of each, arrays within arrays and objects. All
// functions are among them. Left out of the recording is where Druid prints the address of a Java object, and where it
// fails with an exception of Java and we give a value.
func TestRandomRowsGiveWhatDruidGives(t *testing.T) {
	f, err := os.Open("testdata/rows.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	tried := 0
	for lines.Scan() {
		var want struct {
			recorded
			B json.RawMessage `json:"b"`
		}
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		d := json.NewDecoder(strings.NewReader(string(want.B)))
		d.UseNumber()
		row, ok := inOrder(t, d).(*expr.Object)
		if !ok {
			t.Fatalf("%s is no row", want.B)
		}
		checkRow(t, row, &want.recorded)
		tried++
	}
	if err := lines.Err(); err != nil || tried < 2000 {
		t.Errorf("%d expressions were tried, want 2000 or more (%v)", tried, err)
	}
}

// rowBindings gives the columns of a row.
type rowBindings struct {
	row   *expr.Object
	names []string
}

func (b rowBindings) Input(i int) expr.Value {
	v, ok := b.row.Get(b.names[i])
	if !ok {
		return expr.Value{}
	}
	return expr.Found(v)
}

func checkRow(t *testing.T, row *expr.Object, want *recorded) {
	t.Helper()
	p, err := expr.Compile(want.E)
	if err != nil {
		if want.Err == "" {
			t.Errorf("%s: refused with %q, Druid gives %s %v", want.E, err, want.T, want.V)
		}
		return
	}
	var e expr.Env
	v, err := p.Eval(&e, rowBindings{row, p.Inputs()})
	switch {
	case err != nil && want.Err == "":
		t.Errorf("%s: fails with %q, Druid gives %s %v", want.E, err, want.T, want.V)
	case err == nil && want.Err != "":
		t.Errorf("%s: gives %s %v, Druid fails with %q", want.E, v.Type(), shown(v), want.Err)
	case err == nil && (v.Type().String() != want.T || !sameValue(shown(v), want.V)):
		t.Errorf("%s: gives %s %v, Druid gives %s %v", want.E, v.Type(), shown(v), want.T, want.V)
	}
}

// inOrder decodes JSON to the trees of columns, whose objects keep the order of their keys.
func inOrder(t *testing.T, d *json.Decoder) any {
	t.Helper()
	token, err := d.Token()
	if err != nil {
		t.Fatal(err)
	}
	switch token {
	case json.Delim('['):
		list := []any{}
		for d.More() {
			list = append(list, inOrder(t, d))
		}
		inOrder(t, d)
		return list
	case json.Delim('{'):
		o := &expr.Object{}
		for d.More() {
			key, _ := inOrder(t, d).(string)
			o.Keys = append(o.Keys, key)
			o.Values = append(o.Values, inOrder(t, d))
		}
		inOrder(t, d)
		return o
	}
	return tree(token)
}
