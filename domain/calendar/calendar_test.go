package calendar_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"ogham/domain/calendar"
)

// TestBucketsBeginWhereDruidsDo has results of Druid 33's timestamp_floor.
func TestBucketsBeginWhereDruidsDo(t *testing.T) {
	const at = 1772362800000 // 2026-03-01T11:00Z
	origin := int64(1577840400000)
	for _, c := range []struct {
		period, zone string
		origin       *int64
		want         int64
	}{
		{"P1D", "UTC", nil, 1772323200000},
		{"P1M", "UTC", nil, 1772323200000},
		{"P3M", "UTC", nil, 1767225600000},
		{"P1Y", "UTC", nil, 1767225600000},
		{"P1W", "UTC", nil, 1771804800000},
		{"P2W", "UTC", nil, 1772064000000},
		{"P7D", "UTC", nil, 1772064000000},
		{"P1D", "America/Los_Angeles", nil, 1772352000000},
		{"P1D", "+05:30", nil, 1772303400000},
		{"P1W", "Europe/Berlin", nil, 1771801200000},
		{"P1M", "Europe/Berlin", nil, 1772319600000},
		{"PT1H", "Asia/Kolkata", nil, 1772361000000},
		{"PT6H", "UTC", &origin, 1772348400000},
		{"P1D", "UTC", &origin, 1772326800000},
		{"P1Y1M", "UTC", nil, 1743465600000},
		{"P1DT6H", "UTC", nil, 1772280000000},
	} {
		p, err := calendar.ParsePeriod(c.period)
		if err != nil {
			t.Fatal(err)
		}
		loc, _ := calendar.Zone(c.zone)
		b, err := calendar.NewBuckets(p, c.origin, loc)
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Start(at); got != c.want {
			t.Errorf("the bucket of %s in %s begins at %d, want %d", c.period, c.zone, got, c.want)
		}
	}
}

// TestABucketHoldsItsTimes wants every time to lie between the start of its bucket and the next, and a start to be its own.
func TestABucketHoldsItsTimes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, err := calendar.ParsePeriod(rapid.SampledFrom([]string{
			"P1D", "P2D", "P1W", "P2W", "P1M", "P3M", "P5M", "P1Y", "P10Y", "PT1H", "PT6H", "PT15M", "PT1S", "P1M2D", "P1Y1M", "P1DT1H",
		}).Draw(t, "period"))
		if err != nil {
			t.Fatal(err)
		}
		loc, _ := calendar.Zone(rapid.SampledFrom([]string{
			"UTC", "Europe/Berlin", "America/Los_Angeles", "Asia/Kolkata", "America/Sao_Paulo", "-08:00",
		}).Draw(t, "zone"))
		var origin *int64
		if rapid.Bool().Draw(t, "has origin") {
			o := rapid.Int64Range(-1<<41, 1<<41).Draw(t, "origin")
			origin = &o
		}
		b, err := calendar.NewBuckets(p, origin, loc)
		if err != nil {
			t.Fatal(err)
		}
		at := rapid.Int64Range(-1<<42, 1<<42).Draw(t, "time")
		start := b.Start(at)
		if start > at {
			t.Fatalf("%d is before its bucket, which begins at %d", at, start)
		}
		if again := b.Start(start); again != start {
			t.Fatalf("the bucket that begins at %d begins at %d", start, again)
		}
	})
}

func TestPeriods(t *testing.T) {
	for _, s := range []string{"", "P", "PT", "x", "P1", "1D", "P1H", "PT1D", "P1D1M", "PT1.5H", "P1DT", "P99999999999D"} {
		if p, err := calendar.ParsePeriod(s); err == nil {
			t.Errorf("%q is read as the period %+v", s, p)
		}
	}
	utc := time.UTC
	for _, c := range []struct {
		at, period string
		n          int
		want       string
	}{
		{"2020-01-31T00:00:00Z", "P1M", 1, "2020-02-29T00:00:00Z"},
		{"2020-03-31T00:00:00Z", "P1M", -1, "2020-02-29T00:00:00Z"},
		{"2026-03-01T11:00:00Z", "P1Y2M3DT4H5M6S", 2, "2028-07-07T19:10:12Z"},
		{"2026-03-01T11:00:00Z", "PT1.5S", 1, "2026-03-01T11:00:01.5Z"},
		{"2026-03-01T11:00:00Z", "P-1D", 1, "2026-02-28T11:00:00Z"},
	} {
		at, err := time.Parse(time.RFC3339Nano, c.at)
		if err != nil {
			t.Fatal(err)
		}
		p, err := calendar.ParsePeriod(c.period)
		if err != nil {
			t.Fatalf("%s: %v", c.period, err)
		}
		got := time.UnixMilli(p.Add(at.UnixMilli(), c.n, utc)).UTC().Format(time.RFC3339Nano)
		if got != c.want {
			t.Errorf("%s plus %d times %s is %s, want %s", c.at, c.n, c.period, got, c.want)
		}
	}
}

// FuzzPeriod reads any text as a period and cuts any time by it.
func FuzzPeriod(f *testing.F) {
	f.Add("P1Y2M3W4DT5H6M7.5S", "Europe/Berlin", int64(1772362800000), 3)
	f.Add("P-1D", "+05:30", int64(-1), -1)
	f.Fuzz(func(t *testing.T, period, zone string, at int64, n int) {
		p, err := calendar.ParsePeriod(period)
		loc, ok := calendar.Zone(zone)
		if err != nil || !ok {
			return
		}
		p.Add(at, n, loc)
		if b, err := calendar.NewBuckets(p, nil, loc); err == nil {
			b.Next(b.Start(at))
		}
	})
}
