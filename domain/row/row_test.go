package row

import (
	"fmt"
	"math"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTimestampsAreReadAsDruidReadsThem(t *testing.T) {
	const bad = math.MinInt64
	const at = 1767323045000 // 2026-01-02T03:04:05Z
	tests := []struct {
		format TimestampFormat
		text   string
		want   int64
	}{
		{FormatAuto, "2026-01-02T03:04:05Z", at},
		{FormatAuto, "2026-01-02T03:04:05.678Z", at + 678},
		{FormatAuto, "2026-01-02T03:04:05.6789Z", at + 678},
		{FormatAuto, "2026-01-02 03:04:05", at},
		{FormatAuto, "2026-01-02T03:04:05+05:30", at - 19800000},
		{FormatAuto, "2026-01-02T03:04:05-0530", at + 19800000},
		{FormatAuto, "2026-01-02T03:04:05+05", at - 5*msHour},
		{FormatAuto, "2026-01-02T03:04:05 America/New_York", at},
		{FormatAuto, "2026-01-02T03:04:05 UTC", at},
		{FormatAuto, "2026-01-02T03:04:05 Nowhere/City", bad},
		{FormatAuto, `"2026-01-02T03:04:05Z"`, at},
		{FormatAuto, "2026", 2026},
		{FormatAuto, "2026-01", 1767225600000},
		{FormatAuto, "2026-W01-5", 1767312000000},
		{FormatAuto, "2026-002", 1767312000000},
		{FormatAuto, "T03:04:05Z", bad},
		{FormatAuto, "", bad},
		{FormatAuto, "2026/01/02", bad},
		{FormatISO8601, "2026", 1767225600000},
		{FormatISO8601, "20260101", daysFromCivil(20260101, 1, 1) * msDay},
		{FormatISO8601, "1767323045000", at},
		{FormatISO8601, "2026-01-02 03:04:05", bad},
		{FormatISO8601, "T03:04:05Z", 11045000},
		{FormatISO8601, "2026-01-02T03.5", 1767312000000 + 3*msHour + 30*msMinute},
		{FormatISO8601, "2026-02-29", bad},
		{FormatISO8601, "2024-02-29", 1709164800000},
		{FormatISO8601, "2026-13-01", bad},
		{FormatISO8601, "2026-01-02T24:00:00Z", bad},
		{FormatISO8601, "2026-01-02T23:60:00Z", bad},
		{FormatISO8601, "2026-01-02T03:04:05Zx", bad},
		{FormatISO8601, "-0001-01-01T00:00:00Z", daysFromCivil(-1, 1, 1) * msDay},
		{FormatISO8601, "300000-01-01T00:00:00Z", 9404918380800000},
		{FormatISO8601, "2026-1-2", 1767312000000},
		{FormatISO8601, "999999999-01-01", bad},
		{FormatPosix, "1767323045", at},
		{FormatPosix, "1767323045.9", bad},
		{FormatPosix, " \"1767323045\" ", at},
		{FormatPosix, "9223372036854775807", math.MaxInt64},
		{FormatMillis, "-5", -5},
		{FormatMillis, "abc", bad},
	}
	for _, c := range tests {
		ms, ok := c.format.Parse(c.text)
		if !ok {
			ms = bad
		}
		if ms != c.want {
			t.Errorf("format %d of %q is %d, want %d", c.format, c.text, ms, c.want)
		}
		v := Value{Kind: String, Text: []byte(c.text)}
		if got, _, gotOK := c.format.Time(&v); gotOK != ok || ok && got != ms {
			t.Errorf("format %d of value %q is %d %t, of text %d %t", c.format, c.text, got, gotOK, ms, ok)
		}
	}
}

func TestFastAndGeneralISOAgree(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ms := rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "ms")
		text := FormatISO(ms)
		if want := time.UnixMilli(ms).UTC().Format("2006-01-02T15:04:05.000Z"); text != want {
			t.Fatalf("%d is %s, want %s", ms, text, want)
		}
		general, ok1 := ParseISO(text)
		fast, ok2 := fastISO([]byte(text))
		if !ok1 || !ok2 || general != ms || fast != ms {
			t.Fatalf("%s is %d %t and %d %t, want %d", text, general, ok1, fast, ok2, ms)
		}
		damaged := []byte(text)
		damaged[rapid.IntRange(0, len(damaged)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
		if fast, ok := fastISO(damaged); ok {
			if general, ok := ParseISO(string(damaged)); !ok || general != fast {
				t.Fatalf("%q is %d, in general %d %t", damaged, fast, general, ok)
			}
		}
	})
}

func TestGranularityBuckets(t *testing.T) {
	at, _ := ParseISO("2026-05-14T13:47:12.345Z")
	tests := []struct{ name, start, end string }{
		{"SECOND", "2026-05-14T13:47:12.000Z", "2026-05-14T13:47:13.000Z"},
		{"minute", "2026-05-14T13:47:00.000Z", "2026-05-14T13:48:00.000Z"},
		{"FIVE_MINUTE", "2026-05-14T13:45:00.000Z", "2026-05-14T13:50:00.000Z"},
		{"TEN_MINUTE", "2026-05-14T13:40:00.000Z", "2026-05-14T13:50:00.000Z"},
		{"FIFTEEN_MINUTE", "2026-05-14T13:45:00.000Z", "2026-05-14T14:00:00.000Z"},
		{"THIRTY_MINUTE", "2026-05-14T13:30:00.000Z", "2026-05-14T14:00:00.000Z"},
		{"HOUR", "2026-05-14T13:00:00.000Z", "2026-05-14T14:00:00.000Z"},
		{"SIX_HOUR", "2026-05-14T12:00:00.000Z", "2026-05-14T18:00:00.000Z"},
		{"EIGHT_HOUR", "2026-05-14T08:00:00.000Z", "2026-05-14T16:00:00.000Z"},
		{"DAY", "2026-05-14T00:00:00.000Z", "2026-05-15T00:00:00.000Z"},
		{"WEEK", "2026-05-11T00:00:00.000Z", "2026-05-18T00:00:00.000Z"},
		{"MONTH", "2026-05-01T00:00:00.000Z", "2026-06-01T00:00:00.000Z"},
		{"QUARTER", "2026-04-01T00:00:00.000Z", "2026-07-01T00:00:00.000Z"},
		{"YEAR", "2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"},
		{"P1D", "2026-05-14T00:00:00.000Z", "2026-05-15T00:00:00.000Z"},
		{"P1W", "2026-05-11T00:00:00.000Z", "2026-05-18T00:00:00.000Z"},
		{"PT15M", "2026-05-14T13:45:00.000Z", "2026-05-14T14:00:00.000Z"},
		{"PT1H30M", "2026-05-14T13:30:00.000Z", "2026-05-14T15:00:00.000Z"},
		{"P2M", "2026-05-01T00:00:00.000Z", "2026-07-01T00:00:00.000Z"},
		{"P1Y", "2026-01-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"},
	}
	for _, c := range tests {
		g, err := ParseGranularity(c.name)
		if c.name[0] == 'P' {
			g, err = PeriodGranularity(c.name)
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		start, end := g.Bucket(at)
		if FormatISO(start) != c.start || FormatISO(end) != c.end {
			t.Errorf("%s: %s/%s, want %s/%s", c.name, FormatISO(start), FormatISO(end), c.start, c.end)
		}
	}
	for _, bad := range []string{"", "P", "PT", "1D", "P1", "P1MT1H", "P1D2", "PT1D", "P-1D", "P1D1Y", "P0D", "P99999999999D"} {
		if g, err := PeriodGranularity(bad); err == nil {
			t.Errorf("period %q is %+v", bad, g)
		}
	}
}

func TestBucketsHoldTheirTimes(t *testing.T) {
	var all []Granularity
	for _, name := range []string{"NONE", "ALL", "SECOND", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"} {
		g, err := ParseGranularity(name)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, g)
	}
	rapid.Check(t, func(t *rapid.T) {
		g := rapid.SampledFrom(all).Draw(t, "granularity")
		at := rapid.Int64Range(MinInstant, MaxInstant-1).Draw(t, "time")
		start, end := g.Bucket(at)
		if at < start || at >= end {
			t.Fatalf("%d is outside %d..%d", at, start, end)
		}
		if s, _ := g.Bucket(end - 1); s != start {
			t.Fatalf("the bucket's last time begins at %d, want %d", s, start)
		}
	})
}

func TestDoublesHaveJavasText(t *testing.T) {
	for f, want := range map[float64]string{
		7: "7.0", 0.1: "0.1", 1e21: "1.0E21", 12345678901234567890: "1.2345678901234567E19", 1e7: "1.0E7", 9999999: "9999999.0",
		0.001: "0.001", 0.0009: "9.0E-4", 5e-324: "4.9E-324", math.MaxFloat64: "1.7976931348623157E308", -1.5: "-1.5",
		1e300: "1.0E300", 1.5e12: "1.5E12", 2e-3: "0.002", math.Inf(1): "Infinity", math.Inf(-1): "-Infinity", 123456.789: "123456.789",
		// Recorded with Java 17, which writes more digits of large whole numbers than it needs.
		4.239458821103225e18: "4.2394588211032248E18", -4.767179974633827e18: "-4.7671799746338273E18", 5.712219256729854e16: "5.7122192567298544E16",
		1 << 53: "9.007199254740992E15", 1<<53 + 2: "9.007199254740994E15", 1 << 54: "1.8014398509481984E16", 1 << 62: "4.6116860184273879E18",
		1 << 63: "9.223372036854776E18", 1e16: "1.0E16", 9e18: "9.0E18",
	} {
		if got := string(AppendDouble(nil, f)); got != want {
			t.Errorf("%v is %s, want %s", f, got, want)
		}
	}
	for f, want := range map[float32]string{
		4.9234747e14: "4.92347469E14", 3.9539862e8: "3.95398624E8", -3.198936e14: "-3.19893593E14", 1.7453284e12: "1.74532841E12",
		1 << 24: "1.6777216E7", 1e10: "1.0E10", 0.1: "0.1", 1e20: "1.0E20",
	} {
		if got := string(AppendFloat(nil, f)); got != want {
			t.Errorf("%v is %s, want %s", f, got, want)
		}
	}
	if got := string(AppendDouble(nil, math.Copysign(0, -1))); got != "-0.0" {
		t.Errorf("-0 is %s", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float64().Draw(t, "f")
		back, err := strconv.ParseFloat(string(AppendDouble(nil, f)), 64)
		if err != nil || back != f {
			t.Fatalf("%v becomes %v, %v", f, back, err)
		}
	})
}

func TestTextBecomesNumbersAsInDruid(t *testing.T) {
	const no = "-"
	tests := []struct{ text, long, double, metric string }{
		{"12", "12", "12.0", "12"},
		{"-3", "-3", "-3.0", "-3"},
		{"1.0", "1", "1.0", "1.0"},
		{"1.5", no, "1.5", "1.5"},
		{"1e3", "1000", "1000.0", "1000.0"},
		{" 8 ", no, no, "8"},
		{"1,000", no, no, "1000"},
		{"", no, no, no},
		{"abc", no, no, no},
		{"NaN", no, "NaN", "NaN"},
		{"Infinity", no, "Infinity", "Infinity"},
		{"+5", "5", "5.0", "5"},
		{"9223372036854775808", no, "9.223372036854776E18", "9.223372036854776E18"},
		{"1d", no, "1.0", "1.0"},
		{"0x10", no, no, no},
		{"1_000", no, no, no},
		{"-", no, no, no},
		{".5", no, "0.5", "0.5"},
		{"5.", "5", "5.0", "5.0"},
		{"1e400", no, "Infinity", "Infinity"},
		{"1e99999999999", no, "Infinity", "Infinity"},
		{"--1", no, no, no},
		{"+-1", no, no, no},
		{"inf", no, no, no},
		{"1e", no, no, no},
	}
	r := &Rows{}
	for _, c := range tests {
		v := &Value{Kind: String, Text: []byte(c.text)}
		long, double, metric := no, no, no
		if n, _, ok := r.ToLong(v); ok {
			long = strconv.FormatInt(n, 10)
		}
		if f, _, ok := r.ToDouble(v); ok {
			double = string(AppendDouble(nil, f))
		}
		if n, _, ok := r.ToNumber(v); ok && n.IsDouble {
			metric = string(AppendDouble(nil, n.Double))
		} else if ok {
			metric = strconv.FormatInt(n.Long, 10)
		}
		if got := fmt.Sprint(long, " ", double, " ", metric); got != fmt.Sprint(c.long, " ", c.double, " ", c.metric) {
			t.Errorf("%q: long, double, metric are %s, want %s %s %s", c.text, got, c.long, c.double, c.metric)
		}
	}
}

func TestEventsAreCutAfterHundredCharacters(t *testing.T) {
	long := ""
	for range 30 {
		long += "abcd"
	}
	for in, want := range map[string]string{"{a=1}": "{a=1}", long[:99]: long[:99], long[:100]: long[:100] + "...", long: long[:100] + "..."} {
		if got := ShortEvent(in); got != want {
			t.Errorf("%q is cut to %q", in, got)
		}
	}
}

func FuzzTimestamp(f *testing.F) {
	f.Add("2026-01-02T03:04:05.678+01:00")
	f.Add("2026-W53-7T23:59:59,999999999Z")
	f.Fuzz(func(t *testing.T, s string) {
		for _, format := range []TimestampFormat{FormatAuto, FormatISO8601, FormatPosix, FormatMillis} {
			v := Value{Kind: String, Text: []byte(s)}
			a, okA := format.Parse(s)
			b, _, okB := format.Time(&v)
			if okA != okB || okA && a != b {
				t.Fatalf("%q: %d %t as text, %d %t as a value", s, a, okA, b, okB)
			}
		}
	})
}

func zoned(t interface{ Fatal(...any) }) (*Timestamp, *Value) {
	ts, err := ParseTimestamp("ts", "yyyy-MM-dd HH:mm:ss ZZZ")
	if err != nil {
		t.Fatal(err)
	}
	own := ts.Own()
	return &own, &Value{Kind: String, Text: []byte("2026-03-01 12:00:00 Europe/Berlin")}
}

func TestATimeWithAZonesNameAllocatesNothingOnceItIsKnown(t *testing.T) {
	ts, v := zoned(t)
	// The bytes of one row are those of the next: what is remembered is not of them.
	for zone, hour := range map[string]int{"Europe/Berlin": 11, "Europe/Lisbon": 12, "Europe/London": 12} {
		copy(v.Text[len(v.Text)-len(zone):], zone)
		for range 2 {
			if ms, ok := ts.Time(v); !ok || ms != time.Date(2026, 3, 1, hour, 0, 0, 0, time.UTC).UnixMilli() {
				t.Fatalf("%s is %d, %v", v.Text, ms, ok)
			}
		}
		if n := testing.AllocsPerRun(100, func() { ts.Time(v) }); n > 0 {
			t.Errorf("%v allocations a row, want none", n)
		}
	}
}

func BenchmarkTimeWithAZonesName(b *testing.B) {
	ts, v := zoned(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := ts.Time(v); !ok {
			b.Fatal("no time")
		}
	}
}
