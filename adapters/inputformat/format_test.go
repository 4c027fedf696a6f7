package inputformat_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/domain/row"
)

// discovering is a schema that takes every field; the time is in ts.
func discovering() row.Schema {
	missing := int64(0)
	return row.Schema{
		Timestamp: row.Timestamp{Column: "ts", MissingValue: &missing}, DiscoverDimensions: true,
		SegmentGranularity: row.GranularityAll(),
	}
}

// parse reads one record and gives its rows as text, name=value in the order of discovery.
func parse(t *testing.T, p index.Parser, schema row.Schema, r *index.Record) (out []string) {
	t.Helper()
	rows, err := p.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	names := append(schema.Fields(), p.Discovered()...)
	for i := range rows.Count {
		var fields []string
		for _, slot := range rows.Order[i] {
			fields = append(fields, names[slot]+"="+string(rows.AppendText(nil, &rows.Row(i)[slot])))
		}
		out = append(out, strings.Join(fields, " "))
	}
	return out
}

func newParser(t *testing.T, format string, schema row.Schema) index.Parser {
	t.Helper()
	p, err := inputformat.New(json.RawMessage(format), schema)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFeaturesCountForWholeRecords(t *testing.T) {
	schema := discovering()
	p := newParser(t, `{"type":"json","featureSpec":{"ALLOW_COMMENTS":true,"ALLOW_SINGLE_QUOTES":true}}`, schema)
	got := parse(t, p, schema, &index.Record{Value: []byte("{'a':1/* one */} // and\n{\"b\":2}")})
	if want := []string{"a=1", "b=2"}; !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}

func TestKafkaBlendsAnyFormat(t *testing.T) {
	schema := discovering()
	schema.Dimensions = []row.Dimension{{Name: "a"}}
	p := newParser(t, `{"type":"kafka","headerFormat":{"type":"string","encoding":"UTF-16LE"},
		"keyFormat":{"type":"regex","pattern":"(\\w+)-(\\w+)"},"valueFormat":{"type":"csv","columns":["ts","a","kafka.topic"]}}`, schema)
	for range 2 { // the second time with the slots of the first
		got := parse(t, p, schema, &index.Record{
			Topic: "edits", TimestampMillis: 77, Key: []byte("k1-k2"), Value: []byte("1,x\n2,y,mine\n3"),
			Headers: []index.Header{{Key: "h", Value: []byte("o\x00l\x00d\x00")}, {Key: "h", Value: []byte("n\x00")}, {Key: "none"}},
		})
		want := [][]string{
			{"ts=1", "a=x", "kafka.topic=null", "kafka.header.h=n", "kafka.header.none=null", "kafka.timestamp=77", "kafka.key=k1"},
			{"ts=2", "a=y", "kafka.topic=mine", "kafka.header.h=n", "kafka.header.none=null", "kafka.timestamp=77", "kafka.key=k1"},
			{"ts=3", "a=null", "kafka.topic=null", "kafka.header.h=n", "kafka.header.none=null", "kafka.timestamp=77", "kafka.key=k1"},
		}
		if len(got) != len(want) {
			t.Fatalf("rows %q, want %d", got, len(want))
		}
		for i := range want {
			fields := strings.Fields(got[i])
			slices.Sort(fields)
			slices.Sort(want[i])
			if !slices.Equal(fields, want[i]) {
				t.Errorf("row %d has %q, want %q", i, fields, want[i])
			}
		}
	}
}

// TestKafkaDiscoversInTheOrderOfJavasSets: Druid's reader has the columns in a HashSet. The order is what Java gives for
// these names.
func TestKafkaDiscoversInTheOrderOfJavasSets(t *testing.T) {
	schema := discovering()
	p := newParser(t, `{"type":"kafka","headerFormat":{"type":"string"},"keyFormat":{"type":"json"},"valueFormat":{"type":"json"}}`, schema)
	got := parse(t, p, schema, &index.Record{
		Topic: "t", TimestampMillis: 5, Key: []byte(`{"x":{},"k":"key"}`), Value: []byte(`{"page":"p","user":1,"n":null}`),
		Headers: []index.Header{{Key: "env", Value: []byte("e")}},
	})
	want := []string{"kafka.header.env=e kafka.timestamp=5 kafka.topic=t page=p kafka.key=key user=1"}
	if !slices.Equal(got, want) {
		t.Errorf("rows %q, want %q", got, want)
	}
}
