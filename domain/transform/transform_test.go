package transform_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ogham/domain/row"
	"ogham/domain/transform"
)

// parsed stands for what a parser does: it gives a row of JSON in the order of a schema's fields.
type parsed struct {
	fields []string
	rows   row.Rows
}

func parse(t testing.TB, s *row.Schema, text string) *parsed {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	p := &parsed{fields: s.Fields()}
	p.rows.Count, p.rows.Width = 1, len(p.fields)
	p.rows.Values = make([]row.Value, len(p.fields))
	for i, name := range p.fields {
		if v, ok := object[name]; ok {
			p.rows.Values[i] = value(&p.rows, v)
		}
	}
	return p
}

func value(rows *row.Rows, v any) row.Value {
	switch v := v.(type) {
	case string:
		return row.Value{Kind: row.String, Text: []byte(v)}
	case bool:
		n := uint64(0)
		if v {
			n = 1
		}
		return row.Value{Kind: row.Bool, Num: n}
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return row.Value{Kind: row.Long, Num: uint64(n)}
		}
		f, _ := v.Float64()
		return row.Value{Kind: row.Double, Num: math.Float64bits(f)}
	case []any:
		list := make([]row.Value, len(v))
		for i := range v {
			list[i] = value(rows, v[i])
		}
		return rows.NewList(list)
	case map[string]any:
		var members []row.Member
		for key, item := range v {
			members = append(members, row.Member{Key: []byte(key), Value: value(rows, item)})
		}
		return rows.NewObject(members)
	}
	return row.Value{Kind: row.Null}
}

// text gives a field as it would be stored in a string column.
func (p *parsed) text(name string) string {
	for i, field := range p.fields {
		if field == name {
			return string(p.rows.AppendText(nil, &p.rows.Values[i]))
		}
	}
	return "no such field"
}

// schema has dimensions of given names.
func schema(spec string, dimensions ...string) row.Schema {
	s := row.Schema{Timestamp: row.Timestamp{Column: "ts"}, TransformSpec: json.RawMessage(spec)}
	for _, name := range dimensions {
		s.Dimensions = append(s.Dimensions, row.Dimension{Name: name})
	}
	return s
}

const at = 1772362800000

// outcome is what became of a row: its fields, or a word for why it has none.
func outcome(t testing.TB, s row.Schema, text string, fields ...string) string {
	t.Helper()
	tr, s, err := transform.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t, &s, text)
	time, keep, err := tr.Filter(&p.rows, 0, at)
	if err == nil && keep {
		err = tr.Fill()
	}
	var bad *row.RecordError
	switch {
	case errors.As(err, &bad):
		return "unparseable: " + bad.Message
	case err != nil:
		return "fails: " + err.Error()
	case !keep:
		return "dropped"
	}
	out := []string{fmt.Sprint(time)}
	for _, name := range fields {
		out = append(out, p.text(name))
	}
	return strings.Join(out, " ")
}

// TestTransformsAreDruids has outcomes of Druid 33's own Transformer, except where a comment says so.
func TestTransformsAreDruids(t *testing.T) {
	expression := func(pairs ...string) string {
		var list []map[string]string
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, map[string]string{"type": "expression", "name": pairs[i], "expression": pairs[i+1]})
		}
		text, err := json.Marshal(map[string]any{"transforms": list})
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	for _, c := range []struct{ name, spec, row, want string }{
		{"transforms see the raw row, not one another", expression("a", "b + 1", "b", "a + 1"), `{"a":5,"b":10}`, "1772362800000 11 6"},
		{"a transform shadows its field", expression("a", "upper(a)", "b", "a"), `{"a":"x"}`, "1772362800000 X x"},
		{"one that is not stored is not computed", expression("z", "1 / c"), `{"a":"x","c":0}`, "1772362800000 x null"},
		{"one that is stored and fails fails the task", expression("a", "1 / c"), `{"c":0}`, "fails: Could not transform value for a reason: / by zero"},
		{"the time can be moved", expression(row.TimeColumn, "__time + 1000", "a", "__time"), `{}`, "1772362801000 1772362800000 null"},
		{"the time may be a text", expression(row.TimeColumn, "t"), `{"t":" 1,000 "}`, "1000 null null"},
		{"and is cut to a long", expression(row.TimeColumn, "t"), `{"t":1.9}`, "1 null null"},
		{"a null is no time", expression(row.TimeColumn, "t"), `{}`, "unparseable: Could not transform value for __time."},
		{"nor is a word", expression(row.TimeColumn, "t"), `{"t":"x"}`, "unparseable: Unable to parse value[x] for field[__time]"},
		{"Booleans are longs", expression("a", "t", "b", "!t"), `{"t":true}`, "1772362800000 1 0"},
		{"lists are arrays", expression("a", "array_length(l)", "b", "map((x) -> concat(x, 'z'), l)"), `{"l":["a","b"]}`, "1772362800000 2 [az, bz]"},
		{"texts of lists are Java's", expression("a", "upper(l)"), `{"l":["a",null,1]}`, "1772362800000 [A, NULL, 1] null"},
		{"an array keeps its nulls", expression("a", "array('k', b)"), `{"b":null}`, "1772362800000 [k, null] null"},
		{"objects are JSON", expression("a", "json_value(o, '$.x')", "b", "to_json_string(o)"), `{"o":{"x":[1,2]}}`, `1772362800000 [1, 2] {"x":[1,2]}`},
		{
			"the filter sees the transforms",
			`{"filter":{"type":"selector","dimension":"a","value":"X"},"transforms":[{"type":"expression","name":"a","expression":"upper(a)"}]}`,
			`{"a":"x"}`, "1772362800000 X null",
		},
		{
			"and those that are not stored",
			`{"filter":{"type":"selector","dimension":"z","value":"X"},"transforms":[{"type":"expression","name":"z","expression":"upper(a)"}]}`,
			`{"a":"y"}`, "dropped",
		},
		{
			"a transform that fails in the filter fails the task",
			`{"filter":{"type":"selector","dimension":"z","value":"1"},"transforms":[{"type":"expression","name":"z","expression":"1 / c"}]}`,
			`{"c":0}`, "fails: Could not transform value for z reason: / by zero",
		},
		{
			"and so does an expression of the filter",
			`{"filter":{"type":"expression","expression":"1 / c > 0"}}`, `{"c":0}`, "fails: / by zero",
		},
		{
			"the filter sees the new time",
			`{"filter":{"type":"range","column":"__time","matchValueType":"LONG","lower":1772362800001},
			"transforms":[{"type":"expression","name":"__time","expression":"__time + 1"}]}`,
			`{}`, "1772362800001 null null",
		},
		{
			// Druid fails the task: its filters for single values do not take arrays of transforms.
			"an array of a transform is filtered as a list",
			`{"filter":{"type":"selector","dimension":"a","value":"p"},"transforms":[{"type":"expression","name":"a","expression":"l"}]}`,
			`{"l":["o","p"]}`, "1772362800000 [o, p] null",
		},
	} {
		if got := outcome(t, schema(c.spec, "a", "b"), c.row, "a", "b"); got != c.want {
			t.Errorf("%s: %s becomes\n%s, want\n%s", c.name, c.row, got, c.want)
		}
	}
}

func TestARowThatIsDroppedIsNotTransformed(t *testing.T) {
	s := schema(`{"filter":{"type":"null","column":"c"},"transforms":[{"type":"expression","name":"a","expression":"1 / c"}]}`, "a")
	if got := outcome(t, s, `{"c":0}`, "a"); got != "dropped" {
		t.Errorf("the row is %s", got)
	}
}

func TestNothingToDoIsNoTransformer(t *testing.T) {
	for _, spec := range []string{"", "{}", `{"filter":null,"transforms":[]}`} {
		s := schema(spec, "a")
		s.Metrics = []row.Metric{{Agg: row.AggLongSum, Name: "m", FieldName: "f"}}
		tr, got, err := transform.Compile(s)
		if tr != nil || err != nil || !reflect.DeepEqual(got.Fields(), s.Fields()) {
			t.Errorf("transformSpec %q: %v, %v, fields %v", spec, tr, err, got.Fields())
		}
	}
}

func TestMetricsTakeExpressionsAndFilters(t *testing.T) {
	s := schema(`{"transforms":[{"type":"expression","name":"x","expression":"x * 10"}]}`, "a")
	only := `{"type":"selector","dimension":"a","value":"yes"}`
	s.Metrics = []row.Metric{
		{Agg: row.AggLongSum, Name: "sum", Expression: "x + 1"},
		{Agg: row.AggDoubleMax, Name: "max", FieldName: "x", Filter: only},
		{Agg: row.AggCount, Name: "count", Filter: only},
		{Agg: row.AggLongSum, Name: "text", Expression: "a"},
		{Agg: row.AggLongSum, Name: "plain", FieldName: "x"},
		{Agg: row.AggLongSum, Name: "len", Expression: "strlen(l)"},
		{Agg: row.AggLongSum, Name: "items", Expression: "array_length(l)"},
		{Agg: row.AggCount, Name: "any", Filter: `{"type":"expression","expression":"l == 'p'"}`},
	}
	for text, want := range map[string]string{
		`{"a":"yes","x":2}`:       "sum=21 max=20 count=1 text=null plain=20 len=null items=null any=0",
		`{"a":"no","x":2}`:        "sum=21 max=null count=0 text=null plain=20 len=null items=null any=0",
		`{"a":"7","l":["o","p"]}`: "sum=null max=null count=0 text=7 plain=null len=null items=2 any=1",
		`{"a":"7","l":["p"]}`:     "sum=null max=null count=0 text=7 plain=null len=1 items=1 any=1",
		`{"a":"7","l":"p"}`:       "sum=null max=null count=0 text=7 plain=null len=1 items=1 any=1",
		`{"a":"7","l":[]}`:        "sum=null max=null count=0 text=7 plain=null len=2 items=0 any=0",
	} {
		tr, compiled, err := transform.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		p := parse(t, &compiled, text)
		if _, keep, err := tr.Filter(&p.rows, 0, at); err != nil || !keep {
			t.Fatalf("%s: kept %t, %v", text, keep, err)
		}
		if err := tr.Fill(); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range compiled.Metrics {
			if m.Agg == row.AggCount {
				t.Errorf("metric %s counts all rows", m.Name)
			}
			got = append(got, m.Name+"="+p.text(m.FieldName))
		}
		if line := strings.Join(got, " "); line != want {
			t.Errorf("%s gives %s, want %s", text, line, want)
		}
	}
}

// TestFilteredRowsAreMissingAndNotNull has those that tell nulls apart see which rows a filter dropped.
func TestFilteredRowsAreMissingAndNotNull(t *testing.T) {
	s := schema("", "a")
	s.Metrics = []row.Metric{{Agg: row.AggLongFirst, Name: "first", FieldName: "x", Filter: `{"type":"selector","dimension":"a","value":"yes"}`}}
	for text, want := range map[string]row.Kind{
		`{"a":"yes","x":2}`: row.Long, `{"a":"yes","x":null}`: row.Null, `{"a":"yes"}`: row.Null, `{"a":"no","x":2}`: row.Missing, `{"a":"no"}`: row.Missing,
	} {
		tr, compiled, err := transform.Compile(s)
		if err != nil {
			t.Fatal(err)
		}
		p := parse(t, &compiled, text)
		if _, _, err := tr.Filter(&p.rows, 0, at); err != nil {
			t.Fatal(err)
		}
		if err := tr.Fill(); err != nil {
			t.Fatal(err)
		}
		if got := p.rows.Row(0)[slices.Index(compiled.Fields(), compiled.Metrics[0].FieldName)].Kind; got != want {
			t.Errorf("%s: the metric sees a value of kind %d, want %d", text, got, want)
		}
	}
}

// TestNumbersAndTextsAreTransformedWithoutMemory wants no allocation per row once warm.
func TestNumbersAndTextsAreTransformedWithoutMemory(t *testing.T) {
	s := schema(`{"filter":{"type":"and","fields":[{"type":"bound","dimension":"n","lower":"1","ordering":"numeric"},
		{"type":"expression","expression":"n * 2 > 1"}]},
		"transforms":[{"type":"expression","name":"a","expression":"upper(concat(a, '-', n))"},
		{"type":"expression","name":"b","expression":"case_searched(n > 5, n * 1.5, substring(a, 0, 2))"},
		{"type":"expression","name":"c","expression":"timestamp_format(timestamp_floor(__time, 'PT15M'), 'HH:mm')"}]}`, "a", "b", "c")
	tr, s, err := transform.Compile(s)
	if err != nil {
		t.Fatal(err)
	}
	p := parse(t, &s, `{"a":"page","n":3}`)
	raw := append([]row.Value(nil), p.rows.Values...)
	if n := testing.AllocsPerRun(1000, func() {
		copy(p.rows.Values, raw)
		if _, keep, err := tr.Filter(&p.rows, 0, at); err != nil || !keep {
			t.Fatalf("kept %t, %v", keep, err)
		}
		if err := tr.Fill(); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations per row", n)
	}
	if got := p.text("a") + " " + p.text("b") + " " + p.text("c"); got != "PAGE-3 pa 11:00" {
		t.Errorf("the row is %s", got)
	}
}

func BenchmarkTransform(b *testing.B) {
	s := schema(`{"filter":{"type":"in","dimension":"a","values":["page","PAGE-3"]},
		"transforms":[{"type":"expression","name":"a","expression":"upper(concat(a, '-', n))"},
		{"type":"expression","name":"b","expression":"n * 1.5"}]}`, "a", "b")
	tr, s, err := transform.Compile(s)
	if err != nil {
		b.Fatal(err)
	}
	p := parse(b, &s, `{"a":"page","n":3}`)
	raw := append([]row.Value(nil), p.rows.Values...)
	b.ReportAllocs()
	for b.Loop() {
		copy(p.rows.Values, raw)
		if _, _, err := tr.Filter(&p.rows, 0, at); err != nil {
			b.Fatal(err)
		}
		if err := tr.Fill(); err != nil {
			b.Fatal(err)
		}
	}
}
