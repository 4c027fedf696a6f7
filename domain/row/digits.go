package row

import (
	"strings"
	"unicode"
)

// plainDigits replaces the decimal digits of all scripts by those of ASCII, as Java's BigDecimal reads them: those beyond
// the basic plane are none to it.
func plainDigits(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return strings.Map(plainDigit, s)
		}
	}
	return s
}

func plainDigit(r rune) rune {
	if r < 0x80 || r > 0xffff || !unicode.Is(unicode.Nd, r) {
		return r
	}
	for _, run := range unicode.Nd.R16 {
		if r <= rune(run.Hi) {
			return '0' + (r-rune(run.Lo))%10
		}
	}
	return r
}
