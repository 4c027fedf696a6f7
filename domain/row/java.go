package row

// ParseDouble reads text as Java's Double.parseDouble does, without trimming it; ok is false where that would throw.
func ParseDouble(s string) (f float64, ok bool) { return parseJavaFloat(s, 64) }

// ExactLong reads decimal text, with fraction and exponent, that denotes a whole number within 64 bits, as Java's
// BigDecimal.longValueExact does.
func ExactLong(s string) (n int64, ok bool) { return exactLong(s) }

// ParseISODate reads a date, optionally with T and a time, optionally with an offset: Joda-Time's dateOptionalTimeParser.
func ParseISODate(s string) (ms int64, ok bool) {
	if s == "" || s[0] == 'T' {
		return 0, false
	}
	return parseISO(s, false)
}

// ParseISODateSpace is ParseISODate where a space may stand for the T.
func ParseISODateSpace(s string) (ms int64, ok bool) { return parseISO(s, true) }

// HasOffset says whether an ISO time names its offset from UTC; without one it may be taken for the time of any zone.
func HasOffset(s string) bool {
	for i := len(s) - 1; i > 0; i-- {
		switch s[i] {
		case 'Z', 'z', '+':
			return true
		case '-': // a date has them too, an offset only behind a time
			for j := i - 1; j > 0; j-- {
				if s[j] == 'T' || s[j] == ' ' || s[j] == ':' {
					return true
				}
			}
			return false
		}
	}
	return false
}
