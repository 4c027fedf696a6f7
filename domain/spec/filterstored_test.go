package spec

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"ogham/domain/filter"
	"ogham/domain/row"
)

// TestStoredFiltersMatchAsTheGivenOnes has recorded filters read from a spec: the form in which they are stored, and which
// tasks get, decides as the given one does, whose decisions are Druid's.
func TestStoredFiltersMatchAsTheGivenOnes(t *testing.T) {
	f, err := os.Open("../filter/testdata/random.jsonl.gz")
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
		var c struct {
			Filter json.RawMessage
			Rows   []map[string]any
			Match  string
		}
		d := json.NewDecoder(strings.NewReader(lines.Text()))
		d.UseNumber()
		if err := d.Decode(&c); err != nil {
			t.Fatal(err)
		}
		if tried++; tried%4 != 0 {
			continue
		}
		s := mustParse(t, with(t, "dataSchema.transformSpec", `{"filter":`+string(c.Filter)+`}`))
		stored := s.schemaTree.get("transformSpec").get("filter").encode()
		kept, err := filter.Parse(stored)
		if err != nil {
			t.Errorf("%s is stored as %s, and refused then: %v", c.Filter, stored, err)
			continue
		}
		for i, fields := range c.Rows {
			if got := matches(t, kept, fields); c.Match[i] != 'E' && got != (c.Match[i] == '1') {
				t.Errorf("%s is stored as %s, and decides %t about %v then", c.Filter, stored, got, fields)
			}
		}
	}
	if err := lines.Err(); err != nil || tried < 1000 {
		t.Errorf("%d filters were tried, want 1000 or more (%v)", tried, err)
	}
}

// fields are a row of decoded JSON.
type fields struct {
	rows   row.Rows
	names  []string
	values map[string]any
}

func (r *fields) Rows() *row.Rows { return &r.rows }

func (r *fields) Column(i int) *row.Value {
	v := row.Value{Kind: row.Long, Num: 1772362800000}
	if r.names[i] != row.TimeColumn {
		v = r.value(r.values[r.names[i]])
	}
	return &v
}

func (r *fields) value(v any) row.Value {
	switch v := v.(type) {
	case string:
		return row.Value{Kind: row.String, Text: []byte(v)}
	case bool:
		if v {
			return row.Value{Kind: row.Bool, Num: 1}
		}
		return row.Value{Kind: row.Bool}
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return row.Value{Kind: row.Long, Num: uint64(n)}
		}
		f, _ := v.Float64()
		return row.Value{Kind: row.Double, Num: math.Float64bits(f)}
	case []any:
		list := make([]row.Value, len(v))
		for i := range v {
			list[i] = r.value(v[i])
		}
		return r.rows.NewList(list)
	case map[string]any:
		var members []row.Member
		for key, item := range v {
			members = append(members, row.Member{Key: []byte(key), Value: r.value(item)})
		}
		return r.rows.NewObject(members)
	}
	return row.Value{Kind: row.Null}
}

func matches(t *testing.T, f *filter.Filter, values map[string]any) bool {
	t.Helper()
	matched, err := f.Match(&fields{names: f.Columns(), values: values})
	if err != nil {
		t.Errorf("%v fails: %v", values, err)
	}
	return matched
}
