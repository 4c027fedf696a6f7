package row

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"
)

// TestTimesAreReadAsDruidReadsThem has what Druid 33 made of values by the formats of a timestampSpec: the time, an error,
// or for a format that is none the exception.
func TestTimesAreReadAsDruidReadsThem(t *testing.T) {
	raw, err := os.ReadFile("testdata/timestamps.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		var c struct {
			Format        string
			JSON          string
			MS            int64
			Error, Thrown string
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if strings.Contains(c.Format, "zzzz") {
			continue // refused, since Druid reads no row by it
		}
		ts, err := ParseTimestamp("t", c.Format)
		if (err != nil) != (c.Thrown != "") {
			t.Errorf("format %q: %v, Druid throws %q", c.Format, err, c.Thrown)
		}
		if err != nil {
			continue
		}
		ms, ok := ts.Time(valueOf(t, c.JSON))
		inRange := ms >= MinInstant && ms < MaxInstant
		switch {
		case c.Error == "":
			if !ok || ms != c.MS {
				t.Errorf("%s by %q is %d %t, Druid has %d", c.JSON, c.Format, ms, ok, c.MS)
			}
		case strings.HasPrefix(c.Error, "Encountered"):
			if !ok || inRange {
				t.Errorf("%s by %q is %d %t, for Druid it is out of range", c.JSON, c.Format, ms, ok)
			}
		case ok:
			t.Errorf("%s by %q is %d, Druid says %s", c.JSON, c.Format, ms, c.Error)
		}
	}
}

// valueOf reads a JSON scalar; lists and objects come out empty.
func valueOf(t *testing.T, text string) *Value {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	switch x := v.(type) {
	case bool:
		return &Value{Kind: Bool, Num: 1}
	case string:
		return &Value{Kind: String, Text: []byte(x)}
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return &Value{Kind: Long, Num: uint64(n), Text: []byte(x)}
		}
		f, _ := x.Float64()
		return &Value{Kind: Double, Num: math.Float64bits(f)}
	case []any:
		return &Value{Kind: List}
	case map[string]any:
		return &Value{Kind: Object}
	}
	return &Value{Kind: Null}
}
