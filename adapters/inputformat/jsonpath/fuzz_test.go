package jsonpath_test

import (
	"encoding/json"
	"os"
	"testing"

	"ogham/adapters/inputformat/jsonpath"
	"ogham/domain/row"
)

// FuzzCompileAndRead: no expression makes the compiler or an evaluation panic, and reading twice gives the same.
func FuzzCompileAndRead(f *testing.F) {
	raw, err := os.ReadFile("testdata/recorded.json")
	if err != nil {
		f.Fatal(err)
	}
	var rec recording
	if err := json.Unmarshal(raw, &rec); err != nil {
		f.Fatal(err)
	}
	for _, c := range rec.Cases {
		f.Add(c.Expr)
	}
	f.Fuzz(func(t *testing.T, expr string) {
		if len(expr) > 200 {
			t.Skip("long scans within scans take their time")
		}
		p, err := jsonpath.Compile(expr)
		if err != nil {
			return
		}
		for _, doc := range rec.Docs {
			rows := &row.Rows{}
			root := document(t, rows, doc)
			first, err1 := p.Read(rows, root)
			again, err2 := p.Read(rows, root)
			if (err1 == nil) != (err2 == nil) {
				t.Fatalf("%q: %v, then %v", expr, err1, err2)
			}
			if err1 == nil && text(rows, first) != text(rows, again) {
				t.Fatalf("%q: %s, then %s", expr, text(rows, first), text(rows, again))
			}
		}
	})
}
