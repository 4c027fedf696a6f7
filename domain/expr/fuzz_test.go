package expr_test

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"ogham/domain/expr"
)

// FuzzExpression compiles any text and evaluates what compiles: neither may panic, and the second time with the same Env
// the result must be the same.
func FuzzExpression(f *testing.F) {
	file, err := os.Open("testdata/expressions.jsonl")
	if err != nil {
		f.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			f.Fatal(err)
		}
		f.Add(r.E, "x", int64(3))
	}
	f.Fuzz(func(t *testing.T, source, text string, number int64) {
		p, err := expr.Compile(source)
		if err != nil {
			return
		}
		var e expr.Env
		row := anyRow{text, number}
		first, err1 := p.Eval(&e, row)
		var a any
		if err1 == nil {
			a = shown(first)
		}
		second, err2 := p.Eval(&e, row)
		if (err1 == nil) != (err2 == nil) {
			t.Fatalf("%q: %v, then %v", source, err1, err2)
		}
		if err1 == nil && !sameValue(a, shown(second)) {
			t.Fatalf("%q: %v, then %v", source, a, shown(second))
		}
	})
}

// anyRow gives columns of all kinds, by place.
type anyRow struct {
	text   string
	number int64
}

func (r anyRow) Input(i int) expr.Value {
	switch i % 6 {
	case 0:
		return expr.OfString(r.text)
	case 1:
		return expr.OfLong(r.number)
	case 2:
		return expr.OfDouble(float64(r.number) / 8)
	case 3:
		return expr.Found([]any{r.text, r.number, nil, []any{r.text}})
	case 4:
		return expr.Found(&expr.Object{Keys: []string{r.text, "a"}, Values: []any{r.number, []any{1.5, r.text}}})
	}
	return expr.Value{}
}
