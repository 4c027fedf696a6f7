package jsonpath_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"ogham/adapters/inputformat/jsonpath"
	"ogham/domain/row"
)

// recorded.json has what Druid 33's flattener (json-path 2.9.0 behind Druid's provider) made of expressions and
// documents: a value, "refused" for an expression that does not compile, "fails" for one that throws over the document.
type recording struct {
	Docs  []json.RawMessage
	Cases []struct {
		Doc            int
		Expr           string
		Value          json.RawMessage
		Refused, Fails string
	}
}

// differs are the expressions for which we do another thing than the library, and why.
var differs = map[string]string{
	"$.nosuch()":      "refused when it is compiled: it can never be evaluated",
	"$.nums.nosuch()": "refused when it is compiled: it can never be evaluated",
	"$.nums.index(1)": "gives the element: the library always throws", "$.nums.index(-1)": "as index(1)",
	"$.nums.index(-4)": "as index(1)", "$.nums.index(9)": "as index(1)",
	" $.limit ": "space around an expression is left out: the library trips over it",
	"$.a[":      "refused: the library leaves the bracket out",
	"$..[0].c":  "gives every match: the library's scan leaves some out, depending on what it met before",
}

func TestPathsGiveWhatDruidsLibraryGives(t *testing.T) {
	raw, err := os.ReadFile("testdata/recorded.json")
	if err != nil {
		t.Fatal(err)
	}
	var rec recording
	if err := json.Unmarshal(raw, &rec); err != nil {
		t.Fatal(err)
	}
	for _, c := range rec.Cases {
		if why := differs[c.Expr]; why != "" {
			continue
		}
		p, err := jsonpath.Compile(c.Expr)
		if (err != nil) != (c.Refused != "") {
			t.Errorf("compile %q: %v, the library says %q", c.Expr, err, c.Refused)
		}
		if err != nil {
			continue
		}
		rows := &row.Rows{}
		got, err := p.Read(rows, document(t, rows, rec.Docs[c.Doc]))
		if c.Fails == "NullPointerException" {
			continue // the length of nothing, which is null here
		}
		if (err != nil) != (c.Fails != "") {
			t.Errorf("%q over document %d: %v, the library says %q", c.Expr, c.Doc, err, c.Fails)
		}
		if err != nil {
			continue
		}
		if g, w := text(rows, got), text(rows, document(t, rows, c.Value)); g != w {
			t.Errorf("%q over document %d:\n got %s\nwant %s", c.Expr, c.Doc, g, w)
		}
	}
}

func text(rows *row.Rows, v row.Value) string { return string(rows.AppendText(nil, &v)) }

// document reads JSON with the order of its members.
func document(t testing.TB, rows *row.Rows, raw []byte) row.Value {
	t.Helper()
	if len(raw) == 0 {
		return row.Value{Kind: row.Null}
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	v, err := value(d, rows)
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

func value(d *json.Decoder, rows *row.Rows) (row.Value, error) {
	token, err := d.Token()
	if err != nil {
		return row.Value{}, err
	}
	switch x := token.(type) {
	case bool:
		if x {
			return row.Value{Kind: row.Bool, Num: 1}, nil
		}
		return row.Value{Kind: row.Bool}, nil
	case string:
		return row.Value{Kind: row.String, Text: []byte(x)}, nil
	case json.Number:
		if n, err := x.Int64(); err == nil && !strings.ContainsAny(string(x), ".eE") {
			return row.Value{Kind: row.Long, Num: uint64(n)}, nil
		}
		f, err := x.Float64()
		return row.Value{Kind: row.Double, Num: math.Float64bits(f)}, err
	case json.Delim:
		if x == '[' {
			var elems []row.Value
			for d.More() {
				e, err := value(d, rows)
				if err != nil {
					return e, err
				}
				elems = append(elems, e)
			}
			_, err := d.Token()
			return rows.NewList(elems), err
		}
		var members []row.Member
		for d.More() {
			key, err := d.Token()
			if err != nil {
				return row.Value{}, err
			}
			m, err := value(d, rows)
			if err != nil {
				return m, err
			}
			name, _ := key.(string)
			members = append(members, row.Member{Key: []byte(name), Value: m})
		}
		_, err := d.Token()
		return rows.NewObject(members), err
	}
	return row.Value{Kind: row.Null}, nil
}
