package row

import "testing"

// TestLongsHaveTheDigitsOfAnyScript reads what Druid 33's long dimensions read: the digits of the basic plane, whole
// numbers only. Doubles have ASCII's digits.
func TestLongsHaveTheDigitsOfAnyScript(t *testing.T) {
	for text, want := range map[string]int64{"٣": 3, "١٢": 12, "-٣": -3, "+٣": 3, "०": 0, "３": 3, "٣5": 35} {
		n, null, ok := (&Rows{}).ToLong(&Value{Kind: String, Text: []byte(text)})
		if n != want || null || !ok {
			t.Errorf("long of %q: %d, null %t, ok %t, want %d", text, n, null, ok, want)
		}
		if f, _, ok := (&Rows{}).ToDouble(&Value{Kind: String, Text: []byte(text)}); ok {
			t.Errorf("double of %q: %v, want an error", text, f)
		}
	}
	for _, text := range []string{"٣.5", "a٣", "𝟗"} {
		if n, _, ok := (&Rows{}).ToLong(&Value{Kind: String, Text: []byte(text)}); ok {
			t.Errorf("long of %q: %d, want an error", text, n)
		}
	}
}
