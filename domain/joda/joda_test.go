package joda_test

import (
	"testing"
	"time"

	"ogham/domain/calendar"
	"ogham/domain/joda"
)

// millis reads a time of RFC 3339.
func millis(t *testing.T, s string) int64 {
	t.Helper()
	at, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		t.Fatal(err)
	}
	return at.UnixMilli()
}

func location(t *testing.T, name string) *time.Location {
	t.Helper()
	loc, ok := calendar.Zone(name)
	if !ok {
		t.Fatalf("zone %q is not known", name)
	}
	return loc
}

// TestPatternsFormatAsJodaTimeDoes has texts that Druid 33 made with timestamp_format.
func TestPatternsFormatAsJodaTimeDoes(t *testing.T) {
	for _, c := range []struct{ at, pattern, zone, want string }{
		{"2026-03-01T11:00:00Z", "yyyy-MM-dd HH:mm:ss Z z ZZ ZZZ", "America/Los_Angeles", "2026-03-01 03:00:00 -0800 PST -08:00 America/Los_Angeles"},
		{"2026-03-01T11:00:00Z", "EEE, d MMM yyyy", "UTC", "Sun, 1 Mar 2026"},
		{"2026-03-01T11:00:00Z", "EEEE e D w x xxxx", "UTC", "Sunday 7 60 9 2026 2026"},
		{"2026-03-01T11:00:00Z", "yy y Y C G", "UTC", "26 2026 2026 20 AD"},
		{"2026-03-01T11:00:00Z", "h:mm a K k H", "UTC", "11:00 AM 11 11 11"},
		{"2026-03-01T00:30:00Z", "h:mm a K k H", "UTC", "12:30 AM 0 24 0"},
		{"2026-03-01T11:00:00.120Z", "SSS S SS SSSSSS", "UTC", "120 1 12 120000"},
		{"2026-03-01T11:00:00Z", "yyyy'T'MM 'o''clock'", "UTC", "2026T03 o'clock"},
		{"2026-07-01T00:00:00Z", "z", "Europe/Berlin", "CEST"},
		{"2026-03-01T11:00:00Z", "z", "+05:30", "+05:30"},
	} {
		p, err := joda.Compile(c.pattern)
		if err != nil {
			t.Errorf("pattern %q: %v", c.pattern, err)
			continue
		}
		if got := string(p.Append(nil, millis(t, c.at), location(t, c.zone))); got != c.want {
			t.Errorf("%s by %q in %s is %q, want %q", c.at, c.pattern, c.zone, got, c.want)
		}
	}
}

// TestPatternsParseAsJodaTimeDoes has instants that Druid 33 read with timestamp_parse; an empty one is a null.
func TestPatternsParseAsJodaTimeDoes(t *testing.T) {
	for _, c := range []struct{ text, pattern, zone, want string }{
		{"01/02/2020", "dd/MM/yyyy", "UTC", "2020-02-01T00:00:00Z"},
		{"01/02/2020", "dd/MM/yyyy", "Europe/Berlin", "2020-01-31T23:00:00Z"},
		{"Jan 5, 2020 3:04 PM", "MMM d, yyyy h:mm a", "UTC", "2020-01-05T15:04:00Z"},
		{"january 5, 2020 12:04 am", "MMM d, yyyy h:mm a", "UTC", "2020-01-05T00:04:00Z"},
		{"2020-01-01 00:00:00 PST", "yyyy-MM-dd HH:mm:ss z", "UTC", "2020-01-01T08:00:00Z"},
		{"2020-01-01 00:00:00 -0800", "yyyy-MM-dd HH:mm:ss Z", "UTC", "2020-01-01T08:00:00Z"},
		{"2020-01-01 00:00:00 -08:00", "yyyy-MM-dd HH:mm:ss Z", "UTC", "2020-01-01T08:00:00Z"},
		{"2020-01-01 00:00:00 Europe/Berlin", "yyyy-MM-dd HH:mm:ss ZZZ", "UTC", "2019-12-31T23:00:00Z"},
		{"20", "yy", "UTC", "2020-01-01T00:00:00Z"},
		{"95", "yy", "UTC", "1995-01-01T00:00:00Z"},
		{"2020-1-1", "yyyy-MM-dd", "UTC", "2020-01-01T00:00:00Z"},
		{"20200229", "yyyyMMdd", "UTC", "2020-02-29T00:00:00Z"},
		{"2020-13-01", "yyyy-MM-dd", "UTC", ""},
		{"2019-02-29", "yyyy-MM-dd", "UTC", ""},
		{"2020-01-01x", "yyyy-MM-dd", "UTC", ""},
		{"2020-03-29 02:30:00", "yyyy-MM-dd HH:mm:ss", "Europe/Berlin", ""},
		{"2020-10-25 02:30:00", "yyyy-MM-dd HH:mm:ss", "Europe/Berlin", "2020-10-25T00:30:00Z"},
		{"12:30", "HH:mm", "UTC", "1970-01-01T12:30:00Z"},
		{"05-17", "MM-dd", "UTC", "2000-05-17T00:00:00Z"},
		{"2021-060", "yyyy-DDD", "UTC", "2021-03-01T00:00:00Z"},
		{"2026-W01-1", "xxxx-'W'ww-e", "UTC", "2025-12-29T00:00:00Z"},
		{"10/Oct/2000:13:55:36 -0700", "dd/MMM/yyyy:HH:mm:ss Z", "UTC", "2000-10-10T20:55:36Z"},
		{"2020-01-01 00:00:00.5", "yyyy-MM-dd HH:mm:ss.SSS", "UTC", "2020-01-01T00:00:00.5Z"},
	} {
		p, err := joda.Compile(c.pattern)
		if err != nil {
			t.Errorf("pattern %q: %v", c.pattern, err)
			continue
		}
		ms, ok := p.Parse(c.text, location(t, c.zone))
		got := ""
		if ok {
			got = time.UnixMilli(ms).UTC().Format(time.RFC3339Nano)
		}
		if got != c.want {
			t.Errorf("%q by %q in %s is %q, want %q", c.text, c.pattern, c.zone, got, c.want)
		}
	}
}

func TestPatternsThatAreNone(t *testing.T) {
	for pattern, want := range map[string]string{
		"": "Invalid pattern specification", "b": "Illegal pattern component: b", "yyyy-bb": "Illegal pattern component: bb",
		"zzzz": "the long names of time zones (zzzz) are not supported, use z", "'": "Both printing and parsing not supported",
	} {
		if _, err := joda.Compile(pattern); err == nil || err.Error() != want {
			t.Errorf("pattern %q gives %v, want %q", pattern, err, want)
		}
	}
}

func TestReadingATimeAllocatesNothing(t *testing.T) {
	for pattern, text := range map[string]string{
		"yyyy-MM-dd HH:mm:ss.SSS Z": "2026-03-01 11:00:00.123 +0100", "EEE, d MMM yyyy h:mm a z": "Sun, 1 Mar 2026 3:00 PM PST",
	} {
		p, err := joda.Compile(pattern)
		if err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { p.Parse(text, time.UTC) }); n != 0 {
			t.Errorf("reading %q by %q takes %v allocations", text, pattern, n)
		}
	}
}

// FuzzPattern parses what it formats: no pattern and no text may panic.
func FuzzPattern(f *testing.F) {
	f.Add("yyyy-MM-dd HH:mm:ss.SSS Z", "2020-01-01 00:00:00.000 +0000", int64(1772362800000))
	f.Add("EEE, d MMM yy h:mm a z", "Sun, 1 Mar 26 3:00 PM PST", int64(-1))
	f.Add("xxxx-'W'ww-e G C Y D k K", "2026-W01-1 AD 20 2026 1 24 0", int64(1)<<60)
	f.Fuzz(func(t *testing.T, pattern, text string, ms int64) {
		p, err := joda.Compile(pattern)
		if err != nil {
			return
		}
		p.Parse(text, time.UTC)
		p.Parse(string(p.Append(nil, ms, time.UTC)), time.UTC)
	})
}
