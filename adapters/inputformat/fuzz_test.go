package inputformat_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"ogham/adapters/index"
	"ogham/adapters/inputformat"
	"ogham/domain/row"
)

var fuzzFields = []string{"ts", "a", "b", "c", ""}

func fuzzSchema() row.Schema {
	s := row.Schema{Timestamp: row.Timestamp{Column: fuzzFields[0]}}
	for _, f := range fuzzFields[1:] {
		s.Dimensions = append(s.Dimensions, row.Dimension{Name: f})
	}
	return s
}

// FuzzJSONAgainstStandardLibrary: what the scanner takes, encoding/json takes with the same values; what the scanner
// refuses, encoding/json refuses, but for the reasons that strictlyRefused names.
func FuzzJSONAgainstStandardLibrary(f *testing.F) {
	for _, s := range []string{
		`{"ts":"2026-03-01T00:00:00Z","a":1,"b":-2.5e3,"c":[1,"x",null,{"k":[true]}]}`,
		`{"a":"\u00e9\ud83d\ude00\n\"","a":false}{"b":{}}`, ` {"a" : [ ] , "z":[[1,2],{"q":"r"}] } `, `{"a":01}`, `{"a":1.}`,
		`{"a":-}`, `{"a":NaN}`, "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}", `{"a":"\x"}`, `{"a":1,}`, `{"a":tru}`, `{"a":"日本語テキスト"}`,
		`{"a":12345678901234567890,"b":1e400,"c":0.30000000000000004}`, `{"":1}`, `{"a":1}x`, `[1]`, `{"a":1e5`, `{"a":-0}`,
		`{"a":123456789012345678,"b":1234567890123456789,"c":9007199254740993.0}`, `{"\u0061":"esc"}`, `{"a":"12345678\"90"}`,
	} {
		f.Add([]byte(s))
	}
	schema := fuzzSchema()
	f.Fuzz(func(t *testing.T, in []byte) {
		if bytes.HasPrefix(in, []byte{0xEF, 0xBB, 0xBF}) {
			t.Skip("encoding/json takes no byte order mark")
		}
		p := inputformat.NewJSON(schema)
		for range 2 { // the second time with warm guesses
			rows, err := p.Parse(&index.Record{Value: in})
			want, wantErr := standard(in)
			if err != nil {
				if wantErr == nil && len(want) > 0 && !strictlyRefused(in, want) {
					t.Fatalf("refused %q: %v", in, err)
				}
				return
			}
			if wantErr != nil {
				t.Fatalf("took %q, encoding/json says %v", in, wantErr)
			}
			if rows.Count != len(want) {
				t.Fatalf("%d rows of %q, want %d", rows.Count, in, len(want))
			}
			for i, w := range want {
				object, _ := w.(map[string]any)
				for k, name := range fuzzFields {
					compareValue(t, rows, &rows.Row(i)[k], object, name)
				}
			}
		}
	})
}

func standard(in []byte) ([]any, error) {
	d := json.NewDecoder(bytes.NewReader(in))
	d.UseNumber()
	var out []any
	for {
		var v any
		switch err := d.Decode(&v); {
		case errors.Is(err, io.EOF):
			return out, nil
		case err != nil:
			return nil, err
		}
		out = append(out, v)
	}
}

// strictlyRefused says whether a record that encoding/json takes has something that Jackson does not take.
func strictlyRefused(in []byte, values []any) bool {
	if !utf8.Valid(in) || len(in) > 1000 {
		return true // also the limits of depth and of numbers
	}
	for _, v := range values {
		if _, ok := v.(map[string]any); !ok {
			return true // numbers at the root need space behind them
		}
	}
	return false
}

func compareValue(t *testing.T, rows *row.Rows, v *row.Value, object map[string]any, name string) {
	t.Helper()
	want, present := object[name]
	if v.Kind == row.Missing || !present {
		if present || v.Kind != row.Missing {
			t.Fatalf("field %q: kind %d, present in encoding/json: %t", name, v.Kind, present)
		}
		return
	}
	compareAny(t, rows, v, want)
}

func compareAny(t *testing.T, rows *row.Rows, v *row.Value, want any) {
	t.Helper()
	ok := false
	switch w := want.(type) {
	case nil:
		ok = v.Kind == row.Null
	case bool:
		ok = v.Kind == row.Bool && (v.Num == 1) == w
	case string:
		ok = v.Kind == row.String && (string(v.Text) == w || strings.ContainsRune(w, utf8.RuneError))
	case json.Number:
		if n, err := strconv.ParseInt(string(w), 10, 64); err == nil {
			ok = v.Kind == row.Long && int64(v.Num) == n && string(rows.AppendText(nil, v)) == strconv.FormatInt(n, 10)
			break
		}
		f, _ := strconv.ParseFloat(string(w), 64)
		ok = v.Kind == row.Double && math.Float64bits(f) == v.Num
	case []any:
		if ok = v.Kind == row.List; ok {
			elems := rows.ListOf(v)
			if len(elems) != len(w) {
				t.Fatalf("%d elements, want %d", len(elems), len(w))
			}
			for i := range w {
				compareAny(t, rows, &elems[i], w[i])
			}
		}
	case map[string]any:
		if ok = v.Kind == row.Object; ok {
			members := rows.MembersOf(v)
			if len(members) != len(w) && utf8Keys(w) {
				t.Fatalf("%d members, want %d", len(members), len(w))
			}
			for i := range members {
				m, known := w[string(members[i].Key)]
				if !known && utf8Keys(w) {
					t.Fatalf("member %q, encoding/json has %v", members[i].Key, w)
				}
				if known {
					compareAny(t, rows, &members[i].Value, m)
				}
			}
		}
	}
	if !ok {
		t.Fatalf("value %+v, encoding/json has %#v", *v, want)
	}
}

// utf8Keys says that no key has a replaced half of a surrogate pair, which Druid reads as another character.
func utf8Keys(object map[string]any) bool {
	for key := range object {
		if strings.ContainsRune(key, utf8.RuneError) {
			return false
		}
	}
	return true
}
