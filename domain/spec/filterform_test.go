package spec

import (
	"bufio"
	"encoding/json"
	"os"
	"testing"

	"ogham/domain/filter"
)

// TestFiltersAreTakenAsTheyAreStored has each recorded filter that tasks apply in a spec: what is stored is a form of its
// own, and it is what tasks get.
func TestFiltersAreTakenAsTheyAreStored(t *testing.T) {
	f, err := os.Open("../filter/testdata/filters.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	tried := 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c struct{ Filter json.RawMessage }
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if len(c.Filter) == 0 {
			continue
		}
		if _, err := filter.Parse(c.Filter); err != nil {
			continue
		}
		tried++
		s := mustParse(t, with(t, "dataSchema.transformSpec", `{"filter":`+string(c.Filter)+`}`))
		if got := s.Unsupported(); len(got) > 0 {
			t.Errorf("%s: %v", c.Filter, got)
		}
	}
	if err := lines.Err(); err != nil || tried < 100 {
		t.Errorf("%d filters were tried, want 100 or more (%v)", tried, err)
	}
}
