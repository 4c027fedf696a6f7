package httpapi

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"ogham/domain/spec"
)

func TestWarningsHeaderIsBoundedJSONInASCII(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		warnings := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) spec.Problem {
			return spec.Problem{Path: "$." + rapid.String().Draw(t, "path"), Message: rapid.String().Draw(t, "message")}
		}), 0, 300).Draw(t, "warnings")
		value := warningsHeader(warnings)
		if len(warnings) == 0 {
			if value != "" {
				t.Fatalf("there is a header without warnings: %s", value)
			}
			return
		}
		if len(value) > maxWarningBytes {
			t.Fatalf("the header has %d bytes, more than %d", len(value), maxWarningBytes)
		}
		if i := strings.IndexFunc(value, func(r rune) bool { return r < ' ' || r > '~' }); i >= 0 {
			t.Fatalf("byte %d of the header is not printable ASCII: %q", i, value)
		}
		var got []spec.Problem
		if err := json.Unmarshal([]byte(value), &got); err != nil {
			t.Fatalf("the header is no JSON: %v: %s", err, value)
		}
		shown := len(got)
		if n := len(got) - 1; len(got) != len(warnings) || got[n].Path != warnings[n].Path {
			more := 0
			if _, err := fmt.Sscanf(got[n].Message, "and %d more", &more); err != nil || n+more != len(warnings) {
				t.Fatalf("%d warnings, %d are shown and the last entry says %q", len(warnings), n, got[n].Message)
			}
			shown = n
		}
		for i, w := range got[:shown] {
			if w.Path != warnings[i].Path {
				t.Fatalf("warning %d is at %q, want %q", i, w.Path, warnings[i].Path)
			}
		}
	})
}
