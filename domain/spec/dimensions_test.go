package spec

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// said are the beginnings of what Druid says about dimensions themselves; its other messages are of Jackson and the JVM.
var said = []string{"Encountered dimension", "Duplicate column entries", "dimensions and dimensions exclusions", "Array element type"}

// refusedBeyondDruid are casts that can never run, and a type that is not named by a text.
var refusedBeyondDruid = []string{`"COMPLEX<foo>"`, `"COMPLEX"`, `{"type": "LONG"}`}

// TestDimensionsSpecsAreReadAsDruidReadsThem has a hundred of them, with what Druid's DataSchema made of each.
func TestDimensionsSpecsAreReadAsDruidReadsThem(t *testing.T) {
	recorded, err := os.ReadFile("testdata/dimensions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(recorded) {
		var c struct {
			In    json.RawMessage
			Out   map[string]any
			Error string
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatal(err)
		}
		s, err := Parse(with(t, "dataSchema.dimensionsSpec", string(c.In), "dataSchema.metricsSpec", "[]", "dataSchema.timestampSpec", `{"column":"ts"}`))
		switch {
		case err != nil && slices.ContainsFunc(refusedBeyondDruid, func(s string) bool { return bytes.Contains(c.In, []byte(s)) }):
		case err != nil && c.Error == "":
			t.Errorf("%s is refused: %v", c.In, err)
		case err == nil && c.Error != "":
			t.Errorf("%s is accepted; Druid says %s", c.In, c.Error)
		case err != nil:
			own := slices.ContainsFunc(said, func(s string) bool { return strings.HasPrefix(c.Error, s) })
			if own && !strings.Contains(err.Error(), c.Error) {
				t.Errorf("%s is refused: %v\nDruid says %s", c.In, err, c.Error)
			}
		default:
			var whole struct {
				Spec struct {
					DataSchema struct{ DimensionsSpec map[string]any }
				}
			}
			if err := json.Unmarshal(s.Canonical(), &whole); err != nil {
				t.Fatal(err)
			}
			got := whole.Spec.DataSchema.DimensionsSpec
			for _, spec := range []map[string]any{got, c.Out} { // a set, in any order
				slices.SortFunc(spec["dimensionExclusions"].([]any), func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
			}
			if !reflect.DeepEqual(got, c.Out) {
				t.Errorf("%s is\n%v, want\n%v", c.In, got, c.Out)
			}
		}
	}
}
