package filter

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
)

// TestOrderingsAreDruids has every pair of recorded texts compared as Druid's comparators do. The signs are those of a text
// against itself and those behind it, one text after the other.
func TestOrderingsAreDruids(t *testing.T) {
	f, err := os.Open("testdata/orderings.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	pairs := 0
	for lines.Scan() {
		var c struct {
			Ord   string
			Texts []string
			Signs string
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		compare := orderings[c.Ord]
		if compare == nil {
			t.Errorf("ordering %s is not known", c.Ord)
			continue
		}
		at := 0
		for i, a := range c.Texts {
			for _, b := range c.Texts[i:] {
				want := c.Signs[at]
				at++
				if got := "<=>"[min(max(compare(a, b), -1), 1)+1]; got != want {
					t.Errorf("%s: %q %c %q, want %c", c.Ord, a, got, b, want)
				}
				if got, back := compare(a, b), compare(b, a); (got < 0) != (back > 0) || (got > 0) != (back < 0) {
					t.Errorf("%s: %q against %q is %d, and the other way round %d", c.Ord, a, b, got, back)
				}
				pairs++
			}
		}
	}
	if err := lines.Err(); err != nil || pairs < 10_000 {
		t.Errorf("%d pairs were compared, want 10000 or more (%v)", pairs, err)
	}
}
