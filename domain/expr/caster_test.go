package expr_test

import (
	"fmt"
	"testing"

	"ogham/domain/expr"
	"ogham/domain/row"
)

// castText shows what a Caster gave.
func castText(c *expr.Caster, rows *row.Rows, v row.Value) string {
	one, elems, ok := c.Cast(rows, &v)
	if !ok {
		return "error"
	}
	show := func(x expr.Value) string {
		switch {
		case x.IsNull():
			return "null"
		case c.Type().Elem() == expr.Long:
			return fmt.Sprint(x.Long())
		case c.Type().Elem() == expr.Double:
			return fmt.Sprint(x.Double())
		}
		return fmt.Sprintf("%q", x.Text())
	}
	if !c.Type().IsArray() || one.IsNull() {
		return show(one)
	}
	text := "["
	for i := range elems {
		text += show(elems[i]) + ","
	}
	return text + "]"
}

// TestCastsOfColumnsAreDruids has what AutoTypeColumnIndexer was recorded to make of values; the tests of whole segments
// have many more.
func TestCastsOfColumnsAreDruids(t *testing.T) {
	rows := &row.Rows{}
	text := func(s string) row.Value { return row.Value{Kind: row.String, Text: []byte(s)} }
	long := row.Value{Kind: row.Long, Num: 7}
	yes, none := row.Value{Kind: row.Bool, Num: 1}, row.Value{Kind: row.Null}
	object := rows.NewObject([]row.Member{{Key: []byte("a"), Value: long}})
	for _, c := range []struct {
		to, want string
		v        row.Value
	}{
		{"LONG", "7", long},
		{"LONG", "3", text("3.9")},
		{"LONG", "1", yes},
		{"LONG", "null", text("x")},
		{"LONG", "null", none},
		{"LONG", "error", object},
		{"LONG", "7", rows.NewList([]row.Value{long})},
		{"LONG", "error", rows.NewList(nil)},
		{"LONG", "error", rows.NewList([]row.Value{long, long})},
		{"LONG", "0", rows.NewList([]row.Value{object})},
		{"DOUBLE", "0", rows.NewList([]row.Value{rows.NewList([]row.Value{long})})},
		{"STRING", `"1"`, yes},
		{"STRING", `"[7, 7]"`, rows.NewList([]row.Value{rows.NewList([]row.Value{long, long})})}, // an address in Druid
		{"ARRAY<STRING>", `["true","x",]`, rows.NewList([]row.Value{yes, text("x")})},
		{"ARRAY<STRING>", `["1","7",null,]`, rows.NewList([]row.Value{yes, long, none})},
		{"ARRAY<DOUBLE>", "[7,]", long},
		{"ARRAY<DOUBLE>", "[]", rows.NewList(nil)},
		{"ARRAY<DOUBLE>", "null", none},
		{"ARRAY<LONG>", "[7,null,]", rows.NewList([]row.Value{rows.NewList([]row.Value{long}), text("x")})},
		{"ARRAY<LONG>", "error", rows.NewList([]row.Value{rows.NewList(nil)})},
		{"ARRAY<LONG>", "error", rows.NewList([]row.Value{object})},
	} {
		caster, ok := expr.NewCaster(c.to)
		if !ok {
			t.Fatalf("there is no cast to %s", c.to)
		}
		if got := castText(caster, rows, c.v); got != c.want {
			t.Errorf("%s as %s is %s, want %s", rows.AppendText(nil, &c.v), c.to, got, c.want)
		}
	}
	for _, name := range []string{"", "long", "FLOAT", "COMPLEX<json>", "ARRAY<ARRAY<LONG>>"} {
		if _, ok := expr.NewCaster(name); ok {
			t.Errorf("there is a cast to %q", name)
		}
	}
}

func TestCastingColumnsAllocatesNothing(t *testing.T) {
	rows := &row.Rows{}
	for _, v := range []row.Value{
		{Kind: row.String, Text: []byte("12.5")}, {Kind: row.Long, Num: 1 << 40}, {Kind: row.Double, Num: 1 << 62}, {Kind: row.Bool, Num: 1},
		rows.NewList([]row.Value{{Kind: row.String, Text: []byte("7")}, {Kind: row.Long, Num: 9}, {Kind: row.Null}}),
	} {
		for _, to := range []string{"STRING", "LONG", "DOUBLE", "ARRAY<STRING>", "ARRAY<LONG>", "ARRAY<DOUBLE>"} {
			c, _ := expr.NewCaster(to)
			c.Cast(rows, &v)
			if n := testing.AllocsPerRun(100, func() { c.Cast(rows, &v) }); n > 0 {
				t.Errorf("casting %s to %s allocates %v times", rows.AppendText(nil, &v), to, n)
			}
		}
	}
}
