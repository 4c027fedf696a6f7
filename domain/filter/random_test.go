package filter_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"ogham/domain/filter"
	"ogham/domain/row"
)

// TestRandomFiltersMatchWhatDruidMatches has random filters, with extraction functions and within each other, decide about
// random rows. Where Druid fails for a row we may say anything but that the filter itself is wrong.
func TestRandomFiltersMatchWhatDruidMatches(t *testing.T) {
	file, err := os.Open("testdata/random.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	z, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	tried := 0
	for lines.Scan() {
		var want struct {
			Filter json.RawMessage
			Rows   []map[string]any
			Match  string
		}
		d := json.NewDecoder(strings.NewReader(lines.Text()))
		d.UseNumber()
		if err := d.Decode(&want); err != nil {
			t.Fatal(err)
		}
		f, err := filter.Parse(want.Filter)
		if err != nil {
			t.Errorf("%s is refused: %v", want.Filter, err)
			continue
		}
		for i, fields := range want.Rows {
			checkMatch(t, f, want.Filter, fields, want.Match[i])
		}
		tried++
	}
	if err := lines.Err(); err != nil || tried < 1000 {
		t.Errorf("%d filters were tried, want 1000 or more (%v)", tried, err)
	}
}

func checkMatch(t *testing.T, f *filter.Filter, source json.RawMessage, fields map[string]any, want byte) {
	t.Helper()
	rows := &row.Rows{}
	r := &testRow{rows: rows, names: f.Columns(), fields: map[string]row.Value{"__time": {Kind: row.Long, Num: at}}}
	for name, v := range fields {
		r.fields[name] = valueOf(rows, v)
	}
	got, err := f.Match(r)
	text, _ := json.Marshal(fields)
	switch {
	case want == 'E':
	case err != nil:
		t.Errorf("%s fails for %s: %v", source, text, err)
	case got != (want == '1'):
		t.Errorf("%s holds for %s: %t, Druid says %c", source, text, got, want)
	}
}
