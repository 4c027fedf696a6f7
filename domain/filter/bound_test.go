package filter

import (
	"math"
	"testing"
)

// TestRangesTellZerosApart holds the order of Java's Double.compare, which Druid 33 drops rows by.
func TestRangesTellZerosApart(t *testing.T) {
	negative := math.Copysign(0, -1)
	sorted := []float64{math.Inf(-1), -2, negative, 0, 1e-300, 2, math.Inf(1), math.NaN()}
	for i, x := range sorted {
		for j, y := range sorted {
			if got, want := compareDoubles(x, y), min(max(i-j, -1), 1); got != want {
				t.Errorf("%v against %v is %d, want %d", x, y, got, want)
			}
		}
	}
	b := &bound{hasLower: true, numeric: true}
	if in, _ := b.double(negative); in {
		t.Error("-0.0 is at least 0.0")
	}
	if b.low = negative; !b.within(0, b.low, 0) {
		t.Error("0.0 is below -0.0")
	}
	b = &bound{hasUpper: true, numeric: true, high: negative}
	if in, _ := b.long(0); !in {
		t.Error("the whole number 0 is above -0.0")
	}
}
