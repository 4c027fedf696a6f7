package transform_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"ogham/domain/row"
	"ogham/domain/transform"
)

// TestRandomTransformsAreDruids has random transforms of fields, of the time, of each other's names, and filters over them,
// over random rows. What Druid made of a row is its fields, null where the filter dropped it, or the text of an exception. Rows are left out of the recording for which Druid does what
// docs/compatibility.md says, and those whose doubles differ in their last digits.
func TestRandomTransformsAreDruids(t *testing.T) {
	f, err := os.Open("testdata/random.jsonl.gz")
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
			Spec json.RawMessage
			Rows []json.RawMessage
			Out  []json.RawMessage
		}
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		s := schema(string(c.Spec), transformed...)
		tr, s, err := transform.Compile(s)
		if err != nil {
			t.Errorf("%s is refused: %v", c.Spec, err)
			continue
		}
		for i := range c.Rows {
			checkTransform(t, tr, &s, c.Spec, c.Rows[i], c.Out[i])
		}
		tried++
	}
	if err := lines.Err(); err != nil || tried < 1000 {
		t.Errorf("%d specs were tried, want 1000 or more (%v)", tried, err)
	}
}

// transformed are the columns that are recorded.
var transformed = []string{"v", "w", "u", "x", "l", "m", "new"}

func checkTransform(t *testing.T, tr *transform.Transformer, s *row.Schema, spec, given, want json.RawMessage) {
	t.Helper()
	p := &parsed{fields: s.Fields()}
	p.rows.Count, p.rows.Width = 1, len(p.fields)
	members := p.rows.MembersOf(ptr(inOrder(t, &p.rows, given)))
	p.rows.Values = make([]row.Value, len(p.fields))
	for i, name := range p.fields {
		for k := range members {
			if string(members[k].Key) == name {
				p.rows.Values[i] = members[k].Value
			}
		}
	}
	time, keep, err := tr.Filter(&p.rows, 0, at)
	if err == nil && keep {
		err = tr.Fill()
	}
	var out any
	switch {
	case err != nil:
		out = "ERR"
	case keep:
		fields := map[string]any{row.TimeColumn: float64(time)}
		for _, name := range transformed {
			for i, field := range p.fields {
				if field == name {
					fields[name] = shown(&p.rows, &p.rows.Values[i])
				}
			}
		}
		out = fields
	}
	var wanted any
	if err := json.Unmarshal(want, &wanted); err != nil {
		t.Fatal(err)
	}
	if text, ok := wanted.(string); ok && strings.HasPrefix(text, "ERR") {
		wanted = "ERR"
	}
	if !reflect.DeepEqual(out, wanted) {
		text, _ := json.Marshal(out)
		t.Errorf("%s makes of %s\n%s (%v), Druid\n%s", spec, given, text, err, want)
	}
}

func ptr(v row.Value) *row.Value { return &v }

// shown writes a field in the form of the recordings.
func shown(rows *row.Rows, v *row.Value) any {
	switch v.Kind {
	case row.String:
		return "S:" + string(v.Text)
	case row.Long:
		return "L:" + strconv.FormatInt(int64(v.Num), 10)
	case row.Double:
		return "D:" + string(row.AppendDouble(nil, math.Float64frombits(v.Num)))
	case row.Bool:
		return "B:" + strconv.FormatBool(v.Num != 0)
	case row.List:
		list := []any{}
		for i := range rows.ListOf(v) {
			list = append(list, shown(rows, &rows.ListOf(v)[i]))
		}
		return list
	case row.Object:
		object := map[string]any{}
		for i := range rows.MembersOf(v) {
			m := &rows.MembersOf(v)[i]
			object[string(m.Key)] = shown(rows, &m.Value)
		}
		return object
	}
	return nil
}

// inOrder makes a field of JSON, whose objects keep the order of their keys.
func inOrder(t *testing.T, rows *row.Rows, raw json.RawMessage) row.Value {
	t.Helper()
	switch raw[0] {
	case '[':
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil {
			t.Fatal(err)
		}
		list := make([]row.Value, len(items))
		for i, item := range items {
			list[i] = inOrder(t, rows, item)
		}
		return rows.NewList(list)
	case '{':
		d := json.NewDecoder(strings.NewReader(string(raw)))
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
		var members []row.Member
		for d.More() {
			key, err := d.Token()
			var item json.RawMessage
			if err == nil {
				err = d.Decode(&item)
			}
			if err != nil {
				t.Fatal(err)
			}
			name, _ := key.(string)
			members = append(members, row.Member{Key: []byte(name), Value: inOrder(t, rows, item)})
		}
		return rows.NewObject(members)
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	return value(rows, v)
}
