package httpapi

import (
	"fmt"
	"unicode/utf16"

	"github.com/labstack/echo/v4"

	"ogham/domain/spec"
)

// headerWarnings carries what was read leniently in a spec that was accepted: a JSON array of {"path","message"}, in
// ASCII. The body of the answer stays Druid's.
const headerWarnings = "Ogham-Warnings"

// maxWarningBytes bounds the header. Proxies commonly take 8 KiB for all headers of an answer.
const maxWarningBytes = 4 << 10

// warn puts the warnings into the answer's header. Those that no longer fit are counted by a last entry without a path.
func warn(c echo.Context, warnings []spec.Problem) {
	if value := warningsHeader(warnings); value != "" {
		c.Response().Header().Set(headerWarnings, value)
	}
}

func warningsHeader(warnings []spec.Problem) string {
	if len(warnings) == 0 {
		return ""
	}
	rest := func(n int) string { return fmt.Sprintf(`{"path":"$","message":"and %d more"}`, n) }
	b := []byte{'['}
	for i, w := range warnings {
		entry := appendASCII(append(appendASCII([]byte(`{"path":`), w.Path), `,"message":`...), redact(w.Message))
		entry = append(entry, '}')
		if len(b)+len(entry)+len(rest(len(warnings)))+2 > maxWarningBytes {
			return string(b) + rest(len(warnings)-i) + "]"
		}
		b = append(b, entry...)
		if i < len(warnings)-1 {
			b = append(b, ',')
		}
	}
	return string(append(b, ']'))
}

// appendASCII appends a JSON string that is ASCII only, as a header must be.
func appendASCII(b []byte, s string) []byte {
	b = append(b, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r >= ' ' && r <= '~':
			b = append(b, byte(r))
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return append(b, '"')
}
