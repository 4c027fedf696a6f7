package joda_test

import (
	"bufio"
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"ogham/domain/joda"
)

// recorded is what Joda-Time 2.12.5 made of a pattern.
type recorded struct {
	Pattern string
	// Refused is why the pattern is none.
	Refused *string
	// At is an instant and Printed its text in the zone, Text what was read and Millis what it gave; nil: it was refused.
	Zone          string
	At            int64
	Printed, Text string
	Millis        *int64 `json:"ms"`
}

func readRecorded(t testing.TB) (out []recorded) {
	t.Helper()
	file, err := os.Open("testdata/joda.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		var r recorded
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", lines.Bytes(), err)
		}
		out = append(out, r)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// namesZone says that a text has a name that is not known here: a short one that only Java gives a zone.
func (r *recorded) namesZone() bool {
	return strings.Contains(r.Pattern, "z") &&
		(r.Zone == "Australia/Lord_Howe" || strings.Contains(r.Printed, "IDT"))
}

// TestRandomPatternsGiveWhatJodaTimeGives has patterns made of random parts, texts that Joda-Time printed by them, and
// such texts with a letter changed.
func TestRandomPatternsGiveWhatJodaTimeGives(t *testing.T) {
	all := readRecorded(t)
	if len(all) < 1000 {
		t.Fatalf("%d patterns were recorded", len(all))
	}
	for _, r := range all {
		p, err := joda.Compile(r.Pattern)
		if r.Refused != nil {
			if err == nil || err.Error() != *r.Refused {
				t.Errorf("pattern %q gives %v, want %q", r.Pattern, err, *r.Refused)
			}
			continue
		}
		if err != nil {
			t.Errorf("pattern %q: %v", r.Pattern, err)
			continue
		}
		loc := location(t, r.Zone)
		if got := string(p.Append(nil, r.At, loc)); got != r.Printed && !r.namesZone() {
			t.Errorf("%d by %q in %s is %q, want %q", r.At, r.Pattern, r.Zone, got, r.Printed)
		}
		ms, ok := p.Parse(r.Text, loc)
		switch {
		case ok && r.Millis == nil && strings.Contains(r.Pattern, "ZZZ") && strings.Contains(r.Text, "UTC/"):
			// Joda-Time looks for the name of a zone up to the next slash, wherever that is.
		case ok && ms > math.MaxInt64/2 && r.Millis != nil && *r.Millis > math.MaxInt64/2:
			// Neither is a time to Druid.
		case ok != (r.Millis != nil):
			t.Errorf("%q by %q in %s is %d, %v, want %v", r.Text, r.Pattern, r.Zone, ms, ok, r.Millis)
		case ok && ms != *r.Millis:
			t.Errorf("%q by %q in %s is %d, want %d", r.Text, r.Pattern, r.Zone, ms, *r.Millis)
		}
	}
}
