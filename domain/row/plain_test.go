package row

import (
	"math"
	"testing"
)

// FuzzPlainNumber holds the short way to read a decimal against the long one.
func FuzzPlainNumber(f *testing.F) {
	for _, text := range []string{
		"0", "-0", "1", "-12.5", ".5", "-.5", "1.", ".", "-", "", "-.", "1.2.3", "999999999999999", "9999999999999999", "0.00000000000001",
		"123456.789", "+1", "1e5", "1f", " 1", "٣", "--1", "00012.50",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, ok := parsePlain(text)
		if !ok {
			return
		}
		if want, ok := parseJavaFloat(string(text), 64); !ok || math.Float64bits(got) != math.Float64bits(want) {
			t.Errorf("%q is %v, want %v, %t", text, got, want, ok)
		}
	})
}

func TestPlainNumbersAreReadTheShortWay(t *testing.T) {
	for text, want := range map[string]float64{"0": 0, "12.5": 12.5, "-0.001": -0.001, "999999999999999": 999999999999999, ".5": 0.5, "7.": 7} {
		if f, ok := parsePlain([]byte(text)); f != want || !ok {
			t.Errorf("%q is %v, %t", text, f, ok)
		}
	}
	for _, text := range []string{"", ".", "-", "1e5", "1d", "9999999999999999", "1.2.3"} {
		if f, ok := parsePlain([]byte(text)); ok {
			t.Errorf("%q is %v", text, f)
		}
	}
}
