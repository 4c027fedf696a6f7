package index

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"ogham/domain/filter"
	"ogham/domain/row"
)

// recordedCardinality is a case of testdata/cardinality.jsonl: what Druid 33's incremental index and merger store of the
// aggregator's rows, in base64; null is a row without a sketch.
type recordedCardinality struct {
	Fields []json.RawMessage            `json:"fields"`
	ByRow  bool                         `json:"byRow"`
	Rollup bool                         `json:"rollup"`
	Values []map[string]json.RawMessage `json:"values"`
	Rows   []*string                    `json:"rows"`
}

// valueOf makes a row's value of JSON; a number keeps its text, as the parsers give it.
func valueOf(t *testing.T, rows *row.Rows, raw json.RawMessage) row.Value {
	t.Helper()
	var v any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	switch v := v.(type) {
	case nil:
		return row.Value{Kind: row.Null}
	case bool:
		return row.Value{Kind: row.String, Text: []byte(string(raw))} // its text is all that counts
	case string:
		return row.Value{Kind: row.String, Text: []byte(v)}
	case json.Number:
		return row.Value{Kind: row.String, Text: []byte(strings.Replace(string(v), "1e+300", "1.0E300", 1))}
	case []any:
		var parts []json.RawMessage
		if err := json.Unmarshal(raw, &parts); err != nil {
			t.Fatal(err)
		}
		var elems []row.Value
		for _, part := range parts {
			elems = append(elems, valueOf(t, rows, part))
		}
		return rows.NewList(elems)
	}
	return row.Value{Kind: row.String, Text: []byte("{x=1}")}
}

func TestCardinalitiesAreDruids(t *testing.T) {
	f, err := os.Open("testdata/cardinality.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases := 0
	for in := bufio.NewScanner(f); in.Scan(); cases++ {
		var c recordedCardinality
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		x := row.Metric{Agg: row.AggHyperUnique, Name: "x", Fields: []string{}, ByRow: c.ByRow}
		for i, raw := range c.Fields {
			d, err := filter.ParseDimension(raw)
			if err != nil {
				t.Fatalf("cardinality of %s: %v", in.Text(), err)
			}
			x.Fields = append(x.Fields, d.Column)
			if !d.Plain() {
				x.Named = append(x.Named, make([]string, len(c.Fields)-len(x.Named))...)
				x.Named[i] = string(raw)
			}
		}
		s := row.Schema{Timestamp: row.Timestamp{Column: "t"}, Metrics: []row.Metric{x}}
		p := newPlan(s, nil)
		if err := p.bind(nil); err != nil {
			t.Fatal(err)
		}
		m := newMemory(p, nil)
		for i, r := range c.Values {
			rows := &row.Rows{}
			vals := make([]row.Value, len(s.Fields()))
			for k, name := range s.Fields() {
				if raw, ok := r[name]; ok {
					vals[k] = valueOf(t, rows, raw)
				}
			}
			fresh := !c.Rollup || i == 0
			if fresh {
				m.insert(0)
				m.rowTime = int64(i) // as the recording's rows have them
			}
			if detail := m.addComplex(&m.metrics[0], p.metrics[0].input(vals), m.rows-1, fresh, rows, vals); detail != "" {
				t.Errorf("cardinality of %s: %s", in.Text(), detail)
			}
		}
		for i, want := range c.Rows {
			var stored []byte
			if want != nil {
				if stored, err = base64.StdEncoding.DecodeString(*want); err != nil {
					t.Fatal(err)
				}
			}
			if got := m.metrics[0].blobs.get(i); !bytes.Equal(got, stored) {
				t.Errorf("cardinality of %s: row %d is %x, want %x", in.Text(), i, got, stored)
			}
		}
	}
	if cases < 150 {
		t.Fatalf("%d cases were read, want all", cases)
	}
}

// TestGivenHyperUniquesAreFoldedIn adds sketches in base64, what stands for none, and what is no sketch.
func TestGivenHyperUniquesAreFoldedIn(t *testing.T) {
	x := row.Metric{Agg: row.AggHyperUnique, Sketch: row.Sketch{Given: true}}
	text := func(s string) row.Value { return row.Value{Kind: row.String, Text: []byte(s)} }
	sketch := func(words ...string) []byte {
		var h hyperUnique
		h.load(nil)
		for _, w := range words {
			h.add([]byte(w))
		}
		return h.store(nil)
	}
	given := func(words ...string) row.Value { return text(base64.StdEncoding.EncodeToString(sketch(words...))) }
	broken := func(at int, c byte) row.Value {
		b := sketch("a", "b")
		b[at] = c
		return text(base64.StdEncoding.EncodeToString(b))
	}
	for name, c := range map[string]struct {
		vals []row.Value
		want []byte
		bad  int
	}{
		"null":                      {[]row.Value{{Kind: row.Null}}, sketch(), 0},
		"no text":                   {[]row.Value{text("")}, sketch(), 0},
		"one":                       {[]row.Value{given("a", "b")}, sketch("a", "b"), 0},
		"two":                       {[]row.Value{given("a", "b"), {Kind: row.Null}, given("b", "c")}, sketch("a", "b", "c"), 0},
		"a word":                    {[]row.Value{given("a"), text("no sketch"), {Kind: row.Long, Num: 5}}, sketch("a"), 2},
		"another version":           {[]row.Value{broken(0, 2)}, sketch(), 1},
		"a wrong number":            {[]row.Value{broken(3, 7)}, sketch(), 1},
		"an overflow out of bounds": {[]row.Value{broken(5, 200)}, sketch(), 1},
	} {
		m := sketchMemory(x)
		bad := 0
		for i, v := range c.vals {
			if addTo(m, i == 0, &row.Rows{}, v) != "" {
				bad++
			}
		}
		if got := m.metrics[0].blobs.get(0); !bytes.Equal(got, c.want) || bad != c.bad {
			t.Errorf("%s: %x with %d errors, want %x with %d", name, got, bad, c.want, c.bad)
		}
	}
}

func TestAHyperUniqueThatNoRowReachesIsNull(t *testing.T) {
	x := row.Metric{Agg: row.AggHyperUnique, Filter: `{"type":"true"}`}
	m := sketchMemory(x)
	addTo(m, true, &row.Rows{}, row.Value{})
	addTo(m, false, &row.Rows{}, row.Value{})
	if got := m.metrics[0].blobs.get(0); len(got) != 0 {
		t.Errorf("no row passed the filter: %x is stored, want nothing", got)
	}
	addTo(m, false, &row.Rows{}, row.Value{Kind: row.String, Text: []byte("a")})
	one := bytes.Clone(m.metrics[0].blobs.get(0))
	if len(one) == 0 {
		t.Error("a row passed the filter: nothing is stored")
	}
	if got := combineComplex(&metricPlan{Metric: x}, nil, one); !bytes.Equal(got, one) {
		t.Errorf("nothing combined with %x is %x", one, got)
	}
}

// TestAnyOfNullIsZeroWithoutRollup stores what Druid's aggregators hold before their first value.
func TestAnyOfNullIsZeroWithoutRollup(t *testing.T) {
	for _, rollup := range []bool{false, true} {
		x := row.Metric{Agg: row.AggLongAny, Name: "x", FieldName: "v"}
		m := newMemory(newPlan(row.Schema{Timestamp: row.Timestamp{Column: "t"}, Metrics: []row.Metric{x}, Rollup: rollup}, nil), nil)
		m.insert(0)
		m.addMetrics(0, true, &row.Rows{}, []row.Value{{}, {Kind: row.Null}}, nil)
		if got := m.metrics[0].nulls.get(0); got != rollup {
			t.Errorf("longAny of null with rollup %t: null is %t, want %t", rollup, got, rollup)
		}
	}
}

func TestCountingUniquesAllocatesNothingOnceWarm(t *testing.T) {
	for _, byRow := range []bool{false, true} {
		x := row.Metric{Agg: row.AggHyperUnique, Name: "x", Fields: []string{"v"}, ByRow: byRow}
		m := newMemory(newPlan(row.Schema{Timestamp: row.Timestamp{Column: "t"}, Metrics: []row.Metric{x}}, nil), nil)
		m.insert(0)
		rows := &row.Rows{}
		list := rows.NewList([]row.Value{{Kind: row.String, Text: []byte("b")}, {Kind: row.String, Text: []byte("a")}})
		vals := []row.Value{{}, list}
		m.addComplex(&m.metrics[0], 1, 0, true, rows, vals)
		if n := testing.AllocsPerRun(100, func() { m.addComplex(&m.metrics[0], 1, 0, false, rows, vals) }); n != 0 {
			t.Errorf("byRow %t: %v allocations a row, want none", byRow, n)
		}
	}
}
