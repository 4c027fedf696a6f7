package row

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"ogham/domain/calendar"
)

// at reads a time with its offset.
func at(t *testing.T, text string) int64 {
	t.Helper()
	v, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return v.UnixMilli()
}

func TestBucketsFollowTheZonesClocks(t *testing.T) {
	berlin, ok := calendar.Zone("Europe/Berlin")
	if !ok {
		t.Fatal("no Europe/Berlin")
	}
	origin := at(t, "2026-01-01T06:00:00Z")
	for _, c := range []struct {
		period           string
		origin           *int64
		time, start, end string
	}{
		// 2026-03-29 has 23 hours and 2026-10-25 has 25.
		{"P1D", nil, "2026-03-29T12:00:00Z", "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00"},
		{"P1D", nil, "2026-10-25T12:00:00Z", "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00"},
		{"P1M", nil, "2026-10-31T23:30:00Z", "2026-11-01T00:00:00+01:00", "2026-12-01T00:00:00+01:00"},
		{"P1W", nil, "2026-03-29T12:00:00Z", "2026-03-23T00:00:00+01:00", "2026-03-30T00:00:00+02:00"},
		{"PT1H", nil, "2026-10-25T00:30:00Z", "2026-10-25T02:00:00+02:00", "2026-10-25T02:00:00+01:00"},
		{"P1Y", nil, "2025-12-31T23:30:00Z", "2026-01-01T00:00:00+01:00", "2027-01-01T00:00:00+01:00"},
		{"PT6H", &origin, "2026-01-02T05:59:59Z", "2026-01-02T00:00:00Z", "2026-01-02T06:00:00Z"},
		{"P1D", &origin, "2026-04-02T04:59:59Z", "2026-04-01T07:00:00+02:00", "2026-04-02T07:00:00+02:00"},
	} {
		g, err := ZonedGranularity(c.period, berlin, c.origin)
		if err != nil {
			t.Fatalf("%s: %v", c.period, err)
		}
		start, end := g.Bucket(at(t, c.time))
		if start != at(t, c.start) || end != at(t, c.end) {
			t.Errorf("%s at %s is %s to %s, want %s to %s", c.period, c.time, FormatISO(start), FormatISO(end), c.start, c.end)
		}
	}
}

func TestDurationsCountFromTheirOrigin(t *testing.T) {
	g, err := DurationGranularity(90*60*1000, at(t, "2026-01-01T00:10:00Z"))
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"2026-01-01T01:39:59Z": "2026-01-01T00:10:00Z", "2026-01-01T01:40:00Z": "2026-01-01T01:40:00Z",
		"2026-01-01T00:09:59Z": "2025-12-31T22:40:00Z", "1960-05-05T05:05:05Z": "1960-05-05T04:40:00Z",
	} {
		start, end := g.Bucket(at(t, text))
		if start != at(t, want) || end != start+90*60*1000 {
			t.Errorf("%s is in %s to %s, want from %s", text, FormatISO(start), FormatISO(end), want)
		}
	}
	for _, bad := range []int64{0, -1, MaxInstant} {
		if _, err := DurationGranularity(bad, 0); err == nil {
			t.Errorf("a duration of %d is taken", bad)
		}
	}
}

// TestEveryTimeLiesInItsBucket: buckets hold the times that are cut to them, begin where they begin, and meet.
func TestEveryTimeLiesInItsBucket(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom([]string{"UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "Pacific/Apia", "+05:30"}).Draw(t, "zone")
		loc, ok := calendar.Zone(zone)
		if !ok {
			t.Fatalf("no zone %s", zone)
		}
		period := rapid.SampledFrom([]string{"PT1M", "PT15M", "PT1H", "PT7H", "P1D", "P3D", "P1W", "P2W", "P1M", "P5M", "P1Y", "P3Y", "P1DT6H"}).Draw(t, "period")
		var origin *int64
		if rapid.Bool().Draw(t, "with origin") {
			o := rapid.Int64Range(-2e12, 2e12).Draw(t, "origin")
			origin = &o
		}
		g, err := ZonedGranularity(period, loc, origin)
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.Int64Range(-2e12, 4e12).Draw(t, "time")
		start, end := g.Bucket(at)
		if at < start || at >= end {
			t.Fatalf("%s lies outside of its bucket, %s to %s", FormatISO(at), FormatISO(start), FormatISO(end))
		}
		if again := g.Truncate(start); again != start {
			t.Fatalf("the bucket of %s begins at %s, and that of its beginning at %s", FormatISO(at), FormatISO(start), FormatISO(again))
		}
	})
}
