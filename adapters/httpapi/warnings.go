package httpapi

import (
	"bytes"
	"fmt"
	"unicode/utf16"

	"github.com/labstack/echo/v4"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
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

// warnedReport is a status with what of the spec is not followed, which Druid's has no place for.
type warnedReport struct {
	supervisor.StatusReport
	Payload warnedPayload `json:"payload"`
}

type warnedPayload struct {
	supervisor.StatusPayload
	Warnings []warning `json:"warnings"`
}

// warning is a place in a spec and what is to be said of it.
type warning struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

// standing holds what was found in a spec, for as long as the supervisor runs by it: a status is asked for often, and
// reading a spec costs more than all the rest of it.
type standing struct {
	spec     []byte
	warnings []warning
}

// standingWarnings are those of the spec that a supervisor runs by. What was read leniently when it was posted is no
// longer in it.
func (s *Server) standingWarnings(id string) []warning {
	sup, ok := s.cfg.Views.Supervisor(id)
	if !ok {
		s.standing.Delete(id)
		return nil
	}
	if known, ok := s.standing.Load(id); ok && bytes.Equal(known.(standing).spec, sup.Spec) {
		return known.(standing).warnings
	}
	found := standing{spec: sup.Spec}
	if parsed, err := spec.Parse(sup.Spec); err == nil { // of an older version: the run says what is wrong
		for _, p := range s.cfg.SpecWarnings(parsed) {
			found.warnings = append(found.warnings, warning{p.Path, redact(p.Message)})
		}
	}
	s.standing.Store(id, found)
	return found.warnings
}
