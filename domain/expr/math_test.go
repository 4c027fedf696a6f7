package expr_test

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"ogham/domain/expr"
)

// TestMathIsJavas has up to 200 recorded results of each function of one or two numbers, the arguments first. Of three of
// them one or two may be the neighbour of Java's.
func TestMathIsJavas(t *testing.T) {
	data, err := os.ReadFile("testdata/math.json")
	if err != nil {
		t.Fatal(err)
	}
	var recorded map[string][][]float64
	if err := json.Unmarshal(data, &recorded); err != nil {
		t.Fatal(err)
	}
	for name, results := range recorded {
		source := name + "(a)"
		if len(results[0]) == 3 {
			source = name + "(a, b)"
		}
		p, err := expr.Compile(source)
		if err != nil {
			t.Fatal(err)
		}
		others := 0
		var e expr.Env
		for _, r := range results {
			row := &expr.Object{Keys: []string{"a", "b"}, Values: []any{r[0], r[1]}}
			v, err := p.Eval(&e, rowBindings{row, p.Inputs()})
			want := r[len(r)-1]
			switch got := v.Double(); {
			case err != nil:
				t.Errorf("%s of %v fails: %v", name, r, err)
			case got == want || got != got && want != want:
			case math.Abs(got-want) > 4e-16*math.Abs(want):
				t.Errorf("%s of %v is %v, Java has %v", name, r[:len(r)-1], got, want)
			default:
				others++
			}
		}
		most := map[string]int{"cos": 2, "exp": 2, "sinh": 2}[name]
		if others > most {
			t.Errorf("%d of %d results of %s are neighbours of Java's, want at most %d", others, len(results), name, most)
		}
	}
}
