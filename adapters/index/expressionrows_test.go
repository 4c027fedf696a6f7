package index

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"
)

// TestExpressionRowsAreDruids folds the rows of testdata/expressionrows.jsonl, each by itself. A line has a metric and its
// cases: rows, and what Druid 33 stores of them, or "fails" where its task does.
func TestExpressionRowsAreDruids(t *testing.T) {
	file, err := os.Open("testdata/expressionrows.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	tried := 0
	in := bufio.NewScanner(file)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var line struct {
			Metric json.RawMessage
			Cases  [][2]json.RawMessage
		}
		if err := json.Unmarshal(in.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		for _, c := range line.Cases {
			tried++
			var values []map[string]json.RawMessage
			if err := json.Unmarshal(c[0], &values); err != nil {
				t.Fatal(err)
			}
			var states [][]byte
			f, err := newFolding(expressionMetric(t, line.Metric))
			if err == nil {
				states, err = f.run(t, &recordedExpression{Values: values})
			}
			if fails := string(c[1]) == `"fails"`; fails || err != nil {
				if fails != (err != nil) {
					t.Errorf("%s of %s: error %v, want %s", line.Metric, c[0], err, c[1])
				}
				continue
			}
			var want []json.RawMessage
			if err := json.Unmarshal(c[1], &want); err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if got := f.text(states[i]); got != string(want[i]) {
					t.Errorf("%s of %s: row %d is %s, want %s", line.Metric, c[0], i, got, want[i])
				}
			}
		}
	}
	if tried < 800 {
		t.Fatalf("%d cases were read, want all", tried)
	}
}
