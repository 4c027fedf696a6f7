package index

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ogham/domain/row"
	"ogham/domain/transform"
)

// recordedExpression is a case of testdata/expression.jsonl: what Druid 33's incremental index stores of the rows before
// each cut, and what its aggregator combines of that. Without rollup each row is stored.
type recordedExpression struct {
	Metric   json.RawMessage
	Values   []map[string]json.RawMessage
	Rollup   bool
	Cuts     []int
	Failed   string
	Column   string
	Rows     []*string
	Combined *string
}

// expressionMetric reads a metric as Druid does, with its defaults.
func expressionMetric(t testing.TB, raw json.RawMessage) row.Metric {
	t.Helper()
	var m struct {
		Name, InitialValue, Fold                                    string
		Fields                                                      *[]string
		Accumulator                                                 *string `json:"accumulatorIdentifier"`
		InitialCombineValue, Combine                                *string
		ShouldAggregateNullInputs, ShouldCombineAggregateNullInputs *bool
		Filter, Aggregator                                          json.RawMessage
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	if m.Filter != nil {
		x := expressionMetric(t, m.Aggregator)
		x.Filter = string(m.Filter)
		return x
	}
	l := row.Lambda{
		Fold: m.Fold, Initial: m.InitialValue, InitialCombine: m.InitialValue, Accumulator: "__acc", Own: m.Name,
		Combined: m.Fields == nil, FoldsNulls: m.ShouldAggregateNullInputs == nil || *m.ShouldAggregateNullInputs,
	}
	l.CombinesNulls = l.FoldsNulls
	if m.Accumulator != nil {
		l.Accumulator = *m.Accumulator
	}
	if m.InitialCombineValue != nil {
		l.InitialCombine = *m.InitialCombineValue
	}
	if m.ShouldCombineAggregateNullInputs != nil {
		l.CombinesNulls = *m.ShouldCombineAggregateNullInputs
	}
	if m.Combine != nil {
		l.Combine = *m.Combine
	} else {
		l.Derived = (*m.Fields)[0]
		l.Combine = row.DerivedCombine(m.Fold, l.Derived, m.Name)
	}
	return row.Metric{Agg: row.AggExpression, Name: m.Name, Lambda: l}
}

// treeValue makes a field of decoded JSON.
func treeValue(rows *row.Rows, v any) row.Value {
	switch v := v.(type) {
	case string:
		return row.Value{Kind: row.String, Text: []byte(v)}
	case bool:
		if v {
			return row.Value{Kind: row.Bool, Num: 1}
		}
		return row.Value{Kind: row.Bool}
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return row.Value{Kind: row.Long, Num: uint64(n)}
		}
		f, _ := v.Float64()
		return row.Value{Kind: row.Double, Num: math.Float64bits(f)}
	case []any:
		var list []row.Value
		for _, e := range v {
			list = append(list, treeValue(rows, e))
		}
		return rows.NewList(list)
	case map[string]any:
		var members []row.Member
		for k, e := range v {
			members = append(members, row.Member{Key: []byte(k), Value: treeValue(rows, e)})
		}
		return rows.NewObject(members)
	}
	return row.Value{Kind: row.Null}
}

// folding is a memory and the Transformer that reads its rows.
type folding struct {
	t      *transform.Transformer
	schema row.Schema
	plan   *plan
}

func newFolding(metrics ...row.Metric) (*folding, error) {
	t, s, err := transform.Compile(row.Schema{Timestamp: row.Timestamp{Column: "t"}, Metrics: metrics, Rollup: true})
	if err != nil {
		return nil, err
	}
	p := newPlan(s, nil)
	return &folding{t, s, p}, p.bind(t)
}

// add adds a row of which the values by field are given.
func (f *folding) add(m *memory, values map[string]any, fresh bool) error {
	rows := &row.Rows{}
	fields := f.schema.Fields()
	rows.Width, rows.Count, rows.Values = len(fields), 1, make([]row.Value, len(fields))
	for i, name := range fields {
		if v, ok := values[name]; ok {
			rows.Values[i] = treeValue(rows, v)
		}
	}
	return f.addRow(m, rows, int64(m.rows), fresh)
}

// addRow adds a row, at a time of its own.
func (f *folding) addRow(m *memory, rows *row.Rows, at int64, fresh bool) error {
	if _, _, err := f.t.Filter(rows, 0, at); err != nil {
		return err
	}
	if err := f.t.Fill(); err != nil {
		return err
	}
	if fresh {
		m.insert(0)
	}
	m.addMetrics(m.rows-1, fresh, rows, rows.Row(0), nil)
	return m.failed
}

// run adds the rows of a case and gives the accumulators that Druid stores, one of each part or row.
func (f *folding) run(t *testing.T, c *recordedExpression) (states [][]byte, err error) {
	m := newMemory(f.plan, nil)
	for i, r := range c.Values {
		values := map[string]any{}
		for k, raw := range r {
			d := json.NewDecoder(bytes.NewReader(raw))
			d.UseNumber()
			var v any
			if err := d.Decode(&v); err != nil {
				t.Fatal(err)
			}
			values[k] = v
		}
		if err := f.add(m, values, !c.Rollup || i == 0 || slices.Contains(c.Cuts, i)); err != nil {
			return nil, err
		}
	}
	for i := range m.rows {
		states = append(states, m.metrics[0].blobs.get(i))
	}
	return states, nil
}

func (f *folding) text(state []byte) string {
	x := &f.plan.metrics[0]
	bits, null := x.combiner.Number(state)
	switch {
	case null:
		return "null"
	case x.typ == row.TypeDouble:
		return string(row.AppendDouble(nil, math.Float64frombits(bits)))
	}
	return strconv.FormatInt(int64(bits), 10)
}

func TestExpressionAggregatesAreDruids(t *testing.T) {
	file, err := os.Open("testdata/expression.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cases := 0
	for in := bufio.NewScanner(file); in.Scan(); cases++ {
		var c recordedExpression
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		var states [][]byte
		f, err := newFolding(expressionMetric(t, c.Metric))
		if err == nil {
			states, err = f.run(t, &c)
		}
		if (err != nil) != (c.Failed != "") {
			t.Errorf("%s: failed with %v, want %q", in.Text(), err, c.Failed)
			continue
		}
		if err != nil {
			continue
		}
		if want := strings.ToLower(c.Column); f.plan.metrics[0].typ.String() != want {
			t.Errorf("%s: the column is one of %ss, want %ss", in.Text(), f.plan.metrics[0].typ, want)
		}
		for i, want := range c.Rows {
			if got := f.text(states[i]); want == nil && got != "null" || want != nil && got != *want {
				t.Errorf("%s: row %d is %s", in.Text(), i, got)
			}
		}
		if c.Combined == nil {
			continue
		}
		state := states[0]
		for _, s := range states[1:] {
			state = f.plan.metrics[0].combiner.Combine(state, s)
		}
		want := *c.Combined
		if c.Column == "LONG" {
			want = strings.TrimSuffix(want, ".0")
		}
		if got := f.text(state); got != want {
			t.Errorf("%s: combined it is %s, want %s", in.Text(), got, want)
		}
	}
	if cases < 170 {
		t.Fatalf("%d cases were read, want all", cases)
	}
}

// TestAnAssociativeFoldDoesNotDependOnTheSplit folds the same rows in one part and in several.
func TestAnAssociativeFoldDoesNotDependOnTheSplit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fold := rapid.SampledFrom([]string{
			"__acc + v", "bitwiseXor(__acc, v)", "__acc + 1", "if(v > 3, __acc + v, __acc)", "if(isnull(v), __acc, __acc + v)",
		}).Draw(t, "fold")
		nulls := rapid.Bool().Draw(t, "folds nulls")
		l := row.Lambda{
			Fold: fold, Combine: "__acc + m", Initial: rapid.SampledFrom([]string{"0", "0.0"}).Draw(t, "initial"),
			Accumulator: "__acc", Own: "m", FoldsNulls: nulls, CombinesNulls: nulls,
		}
		if strings.HasPrefix(fold, "bitwiseXor") {
			l.Combine = "bitwiseXor(__acc, m)"
		}
		f, err := newFolding(row.Metric{Agg: row.AggExpression, Name: "m", Lambda: l})
		if err != nil {
			t.Fatal(err)
		}
		whole, parts := newMemory(f.plan, nil), newMemory(f.plan, nil)
		for i := range rapid.IntRange(1, 12).Draw(t, "rows") {
			values := map[string]any{}
			if v := rapid.IntRange(-1, 6).Draw(t, "v"); v >= 0 {
				values["v"] = json.Number(fmt.Sprint(v))
			}
			for m, fresh := range map[*memory]bool{whole: i == 0, parts: i == 0 || rapid.Bool().Draw(t, "cut")} {
				if err := f.add(m, values, fresh); err != nil {
					t.Fatal(err)
				}
			}
		}
		state := parts.metrics[0].blobs.get(0)
		for i := 1; i < parts.rows; i++ {
			state = combineComplex(&f.plan.metrics[0], state, parts.metrics[0].blobs.get(i))
		}
		if got, want := f.text(state), f.text(whole.metrics[0].blobs.get(0)); got != want {
			t.Fatalf("%s of %d parts is %s, of one %s", fold, parts.rows, got, want)
		}
	})
}

func TestFoldingAllocatesNothingOnceWarm(t *testing.T) {
	f, err := newFolding(row.Metric{Agg: row.AggExpression, Name: "m", Lambda: row.Lambda{
		Fold: "__acc + v * 2", Combine: "__acc + m", Initial: "0", Accumulator: "__acc", Own: "m", FoldsNulls: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	m := newMemory(f.plan, nil)
	values := map[string]any{"v": json.Number("3")}
	if err := f.add(m, values, true); err != nil {
		t.Fatal(err)
	}
	fields := f.schema.Fields()
	rows := &row.Rows{Width: len(fields), Count: 1, Values: make([]row.Value, len(fields))}
	rows.Values[slices.Index(fields, "v")] = row.Value{Kind: row.Long, Num: 3}
	if n := testing.AllocsPerRun(100, func() {
		if err := f.addRow(m, rows, 0, false); err != nil {
			t.Fatal(err)
		}
	}); n > 0 {
		t.Errorf("folding a row made %v allocations", n)
	}
}

// TestExpressionMetricsAreStored builds a segment of rows that are spilled in between, and reads it again.
func TestExpressionMetricsAreStored(t *testing.T) {
	lambda := func(fold, combine, initial string) row.Lambda {
		return row.Lambda{
			Fold: fold, Combine: combine, Initial: initial, InitialCombine: initial, Accumulator: "__acc", Own: "m", MaxSizeBytes: 1024,
		}
	}
	c := lineConfig(t)
	c.Schema.Rollup = true
	c.Schema.Metrics = []row.Metric{
		{Agg: row.AggExpression, Name: "long", Lambda: lambda("__acc + x", "__acc + m", "0")},
		{Agg: row.AggExpression, Name: "double", Lambda: lambda("greatest(__acc, x * 1.5)", "greatest(__acc, m)", "0.0")},
		{
			Agg: row.AggExpression, Name: "some", Lambda: lambda("__acc + x + twice", "__acc + m", "0"),
			Filter: `{"type":"range","column":"x","matchValueType":"LONG","lower":5}`,
		},
		{Agg: row.AggExpression, Name: "none", Lambda: lambda("nvl(__acc, null) + x", "__acc + m", "7"), Filter: `{"type":"false"}`},
	}
	c.Schema.TransformSpec = json.RawMessage(`{"transforms":[{"type":"expression","name":"twice","expression":"x * 2"},{"type":"expression","name":"w","expression":"concat(w, '!')"}]}`)
	var err error
	if c.Transform, c.Schema, err = transform.Compile(c.Schema); err != nil {
		t.Fatal(err)
	}
	c.Parser = &fieldParser{names: c.Schema.Fields()}
	const meta = `{"type":"expression","name":"long","accumulatorIdentifier":"__acc","initialValue":"0","initialCombineValue":"0",` +
		`"isNullUnlessAggregated":false,"shouldAggregateNullInputs":false,"shouldCombineAggregateNullInputs":false,` +
		`"fold":"__acc + x","combine":"__acc + m","maxSizeBytes":1024}`
	for _, every := range []int{100, 3, 1} {
		c.Dir = t.TempDir()
		b, err := NewBuilder(c)
		if err != nil {
			t.Fatal(err)
		}
		var records []Record
		for i := range 12 {
			x := fmt.Sprint(i)
			if i == 4 {
				x = "null"
			}
			records = append(records, Record{Value: fmt.Appendf(nil, `{"t":1,"w":"a","x":%s}`, x)})
		}
		dir := stored(t, b, func(i int) bool { return i%every == every-1 }, records)
		got := rowsOf(t, dir)
		for _, want := range []string{`"w":"a!"`, `"long":62`, `"double":16.5`, `"some":168`, `"none":7`} {
			if !strings.Contains(got, want) || strings.Count(got, "\n") != 1 {
				t.Errorf("spilled every %d rows the segment has %s, want one row with %s", every, got, want)
			}
		}
		file, err := os.ReadFile(filepath.Join(dir, "00000.smoosh"))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(file, []byte(meta)) {
			t.Errorf("the segment's metadata has no %s", meta)
		}
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAFoldThatFailsFailsTheTask divides by what may be nothing.
func TestAFoldThatFailsFailsTheTask(t *testing.T) {
	f, err := newFolding(row.Metric{Agg: row.AggExpression, Name: "m", Lambda: row.Lambda{
		Fold: "__acc + 1 / v", Combine: "__acc + m", Initial: "0", Accumulator: "__acc", Own: "m", FoldsNulls: true,
	}})
	if err != nil {
		t.Fatal(err)
	}
	err = f.add(newMemory(f.plan, nil), map[string]any{"v": json.Number("0")}, true)
	if err == nil || !strings.Contains(err.Error(), `metric "m": fold [__acc + 1 / v]: `) {
		t.Errorf("the error is %v", err)
	}
}
