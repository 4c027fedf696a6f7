package spec

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParsePeriod(t *testing.T) {
	for text, want := range map[string]struct {
		text  string
		milli int64
	}{
		"PT1H":            {"PT1H", 3600000},
		"PT3600S":         {"PT3600S", 3600000},
		"pt10m":           {"PT10M", 600000},
		"P1DT12H":         {"P1DT12H", 36 * 3600000},
		"P1W":             {"P1W", 7 * 86400000},
		"P7D":             {"P7D", 7 * 86400000},
		"PT0.5S":          {"PT0.500S", 500},
		"PT1,25S":         {"PT1.250S", 1250},
		"PT-5S":           {"PT-5S", -5000},
		"PT-0.5S":         {"PT-0.500S", -500},
		"PT0S":            {"PT0S", 0},
		"P0D":             {"PT0S", 0},
		"P2147483647D":    {"P2147483647D", 2147483647 * 86400000},
		"PT17280000000S":  {"PT17280000000S", 17280000000000},
		"PT1H2M3.004S":    {"PT1H2M3.004S", 3723004},
		"P1000D":          {"P1000D", 86400000000},
		"PT1.1234567890S": {"PT1.123S", 1123},
	} {
		p, err := ParsePeriod(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if ms, err := p.Millis(); err != nil || ms != want.milli || p.String() != want.text {
			t.Errorf("%s is %s of %d ms (%v), want %s of %d ms", text, p, ms, err, want.text, want.milli)
		}
	}
}

func TestParsePeriodErrors(t *testing.T) {
	for text, want := range map[string]string{
		"1 hour":       `Invalid format: "1 hour"`,
		"10":           `Invalid format: "10"`,
		"":             `Invalid format: ""`,
		"P":            `Invalid format: "P" is too short`,
		"PT":           `Invalid format: "PT" is too short`,
		"PT1X":         `Invalid format: "PT1X" is malformed at "1X"`,
		"PT1H garbage": `Invalid format: "PT1H garbage" is malformed at " garbage"`,
		"PT1M1H":       `Invalid format: "PT1M1H" is malformed at "1H"`,
		"P99999999999999999999D": `Invalid format: "P99999999999999999999D" is malformed at ` +
			`"99999999999999999999D"`,
	} {
		if _, err := ParsePeriod(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	for text, want := range map[string]string{
		"P1M":   "Cannot convert to Duration as this period contains months and months vary in length",
		"P1Y":   "Cannot convert to Duration as this period contains years and years vary in length",
		"P1Y1M": "Cannot convert to Duration as this period contains months and months vary in length",
	} {
		p, err := ParsePeriod(text)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.Millis(); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	if _, err := (Period{Seconds: maxSeconds, Weeks: math.MaxInt32}).Millis(); err == nil {
		t.Error("a period that overflows has a length")
	}
}

func TestPeriodRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		small := rapid.Int64Range(math.MinInt32, math.MaxInt32)
		p := Period{
			small.Draw(t, "years"), small.Draw(t, "months"), small.Draw(t, "weeks"), small.Draw(t, "days"),
			small.Draw(t, "hours"), small.Draw(t, "minutes"), rapid.Int64Range(0, maxSeconds).Draw(t, "seconds"),
			rapid.Int64Range(0, 999).Draw(t, "milli"),
		}
		if again, err := ParsePeriod(p.String()); err != nil || again != p {
			t.Fatalf("%s is read as %+v (%v), was %+v", p, again, err, p)
		}
		ms := rapid.Int64Range(-maxSeconds*secondMillis, maxSeconds*secondMillis).Draw(t, "ms")
		q, err := ParsePeriod(durationText(ms))
		if err != nil {
			t.Fatal(err)
		}
		if again, err := q.Millis(); err != nil || again != ms {
			t.Fatalf("%d ms are written %s and read as %d ms (%v)", ms, durationText(ms), again, err)
		}
	})
}

func TestDurationIsCut(t *testing.T) {
	if duration(math.MaxInt64) != math.MaxInt64 || duration(math.MinInt64) != math.MinInt64 || duration(1500) != 1500*time.Millisecond {
		t.Error("lengths become other durations")
	}
}

func TestParseInstant(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-01T00:00:00Z":          "2026-01-01T00:00:00.000Z",
		"2026-01-01":                    "2026-01-01T00:00:00.000Z",
		"2026":                          "2026-01-01T00:00:00.000Z",
		"2026-02-28T23:59:59.123456Z":   "2026-02-28T23:59:59.123Z",
		"2026-01-01T01:30:00+01:30":     "2026-01-01T00:00:00.000Z",
		"2026-01-01T00:00:00.5-0500":    "2026-01-01T05:00:00.500Z",
		"2026-01-01T12":                 "2026-01-01T12:00:00.000Z",
		"2026-01-01t12:30z":             "2026-01-01T12:30:00.000Z",
		"0000-01-01T00:00:00.000Z":      "0000-01-01T00:00:00.000Z",
		"9999-12-31T23:59:59.999Z":      "9999-12-31T23:59:59.999Z",
		"2024-02-29":                    "2024-02-29T00:00:00.000Z",
		"2026-01-01T00:00:00,250+02":    "2025-12-31T22:00:00.250Z",
		"2026-01-01T00:00:00.000+00:00": "2026-01-01T00:00:00.000Z",
	} {
		got, err := parseInstant(text)
		if err != nil || instantText(got) != want {
			t.Errorf("%s is %s (%v), want %s", text, instantText(got), err, want)
		}
	}
	for _, text := range []string{
		"", "yesterday", "2026-13-01", "2026-02-29", "2026-01-01T25:00", "2026-01-01 00:00", "2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00+1", "2026-01-01T00:00:00Zx", "0000-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
	} {
		if got, err := parseInstant(text); err == nil {
			t.Errorf("%q is read as %s", text, got)
		}
	}
}

func TestParseInterval(t *testing.T) {
	for text, want := range map[string]string{
		"2026-01-01/2026-02-01":     "2026-01-01T00:00:00.000Z/2026-02-01T00:00:00.000Z",
		"2026-01-31/P1M":            "2026-01-31T00:00:00.000Z/2026-02-28T00:00:00.000Z",
		"P1D/2026-01-01":            "2025-12-31T00:00:00.000Z/2026-01-01T00:00:00.000Z",
		"2026-01-01T12:00:00Z/PT1H": "2026-01-01T12:00:00.000Z/2026-01-01T13:00:00.000Z",
	} {
		start, end, ok := parseInterval(text)
		if got := instantText(start) + "/" + instantText(end); !ok || got != want {
			t.Errorf("%s is %s (%v), want %s", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "2026", "P1D/P1D", "2026/P2000000000Y", "P9999Y/2026"} {
		if _, _, ok := parseInterval(text); ok {
			t.Errorf("%q is an interval", text)
		}
	}
}
