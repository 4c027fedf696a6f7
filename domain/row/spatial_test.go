package row

import "testing"

func TestSpatialDimensionsJoinTheirCoordinates(t *testing.T) {
	text := func(s string) Value { return Value{Kind: String, Text: []byte(s)} }
	long := func(n int64) Value { return Value{Kind: Long, Num: uint64(n)} }
	var rows Rows
	list := func(elems ...Value) Value { return rows.NewList(elems) }
	nothing := Value{}
	s := Schema{
		Timestamp:  Timestamp{Column: "t"},
		Dimensions: []Dimension{{Name: "at", Spatial: true, Coordinates: []string{"lat", "lon"}}, {Name: "d"}},
	}
	join := s.Spatials()
	if fields := s.Fields(); len(join) != 1 || len(fields) != 5 || fields[1] != "at" || fields[3] != "lon" {
		t.Fatalf("%d spatial dimensions of the fields %q", len(join), fields)
	}
	for _, name := range []string{"lat", "lon"} {
		if !s.Excluded()[name] {
			t.Errorf("%s is found as a dimension of its own", name)
		}
	}
	for _, c := range []struct {
		what         string
		at, lat, lon Value
		want         string // "null": none
	}{
		{"numbers", nothing, long(52), text("13.40"), "52,13.40"},
		{"texts as Java reads them", nothing, text(" 1e1"), text("-0x1p3f"), " 1e1,-0x1p3f"},
		{"one is missing", nothing, long(1), nothing, "null"},
		{"one is null", nothing, Value{Kind: Null}, long(1), "null"},
		{"one is no number", nothing, text("north"), long(1), "null"},
		{"one is empty", nothing, text(""), long(1), "null"},
		{"a Boolean", nothing, Value{Kind: Bool, Num: 1}, long(1), "null"},
		{"a list of both in one field", nothing, list(long(1), long(2)), nothing, "1,2"},
		{"a list with a text that is none", nothing, list(long(1), text("x")), list(long(3), long(4)), "3,4"},
		{"too many", nothing, list(long(1), long(2)), long(3), "null"},
		{"an empty list", nothing, list(), long(3), "null"},
		{"a field of its own", text("1.5,-2"), long(8), long(9), "1.5,-2"},
		{"another number of coordinates", text("1,2,3"), nothing, nothing, "1,2,3"},
		{"a number", long(7), long(8), long(9), "7"},
		{"its own is no number", text("1,east"), long(8), long(9), "null"},
		{"its own ends with a comma", text("1,"), long(8), long(9), "null"},
		{"its own is empty", text(""), long(8), long(9), "null"},
		{"its own is null", Value{Kind: Null}, long(8), long(9), "8,9"},
		{"its own is a list of one", list(text("1,2")), nothing, nothing, "1,2"},
		{"its own is a list of nothing", list(), long(8), long(9), "8,9"},
		{"its own is a list of null", list(Value{Kind: Null}), long(8), long(9), "null"},
		{"its own is a list of several", list(long(1), long(2)), long(8), long(9), "null"},
	} {
		vals := []Value{text("0"), c.at, c.lat, c.lon, text("other")}
		join[0].Join(&rows, vals)
		if got := string(rows.AppendText(nil, &vals[1])); got != c.want || vals[1].Kind != Null && vals[1].Kind != String {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
		if got := string(rows.AppendText(nil, &vals[4])); got != "other" {
			t.Errorf("%s: the field beside it is %q", c.what, got)
		}
	}
}

func TestSpatialDimensionsWithoutCoordinatesHaveTheirOwnField(t *testing.T) {
	s := Schema{Timestamp: Timestamp{Column: "t"}, Dimensions: []Dimension{{Name: "at", Spatial: true}}}
	join := s.Spatials()
	for given, want := range map[string]string{"1,2": "1,2", "": "null", "x": "null"} {
		vals := []Value{{}, {Kind: String, Text: []byte(given)}}
		join[0].Join(&Rows{}, vals)
		if got := string((&Rows{}).AppendText(nil, &vals[1])); got != want {
			t.Errorf("%q becomes %q, want %q", given, got, want)
		}
	}
	vals := []Value{{}, {}}
	if join[0].Join(&Rows{}, vals); vals[1].Kind != Null {
		t.Errorf("a row without it has %+v, want null", vals[1])
	}
}

func TestJoiningAllocatesNothing(t *testing.T) {
	s := Schema{
		Timestamp:  Timestamp{Column: "t"},
		Dimensions: []Dimension{{Name: "at", Spatial: true, Coordinates: []string{"lat", "lon"}}},
	}
	join, rows := s.Spatials(), &Rows{}
	lat := []byte("52.520008")
	if n := testing.AllocsPerRun(100, func() {
		vals := [...]Value{{}, {}, {Kind: String, Text: lat}, {Kind: Long, Num: 13}}
		join[0].Join(rows, vals[:])
	}); n > 0 {
		t.Errorf("%v allocations per row", n)
	}
}
