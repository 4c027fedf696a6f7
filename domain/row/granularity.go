package row

import (
	"fmt"
	"math"
	"strings"
	"time"

	"ogham/domain/calendar"
)

type granularityKind uint8

const (
	granNone granularityKind = iota
	granAll
	granFixed  // multiples of n milliseconds from an origin
	granMonths // multiples of n months from 1970-01
	granZoned  // periods of a zone, or from an origin
)

// Granularity cuts time into buckets. The zero value is NONE: milliseconds.
type Granularity struct {
	kind   granularityKind
	n      int64
	origin int64
	zoned  *calendar.Buckets
}

// monday is 1969-12-29, the Monday of the week of 1970-01-01: single weeks start on Mondays.
const monday = -3 * msDay

// GranularityNone keeps every millisecond apart.
func GranularityNone() Granularity { return Granularity{} }

// GranularityAll is one bucket for all time.
func GranularityAll() Granularity { return Granularity{kind: granAll} }

func fixed(ms int64) Granularity { return Granularity{kind: granFixed, n: ms} }
func months(n int64) Granularity { return Granularity{kind: granMonths, n: n} }
func wholeWeek() Granularity     { return Granularity{kind: granFixed, n: 7 * msDay, origin: monday} }

// ParseGranularity gives the granularity of a name of Druid's, case ignored.
func ParseGranularity(name string) (Granularity, error) {
	switch strings.ToUpper(name) {
	case "NONE":
		return GranularityNone(), nil
	case "ALL":
		return GranularityAll(), nil
	case "SECOND":
		return fixed(msSecond), nil
	case "MINUTE":
		return fixed(msMinute), nil
	case "FIVE_MINUTE":
		return fixed(5 * msMinute), nil
	case "TEN_MINUTE":
		return fixed(10 * msMinute), nil
	case "FIFTEEN_MINUTE":
		return fixed(15 * msMinute), nil
	case "THIRTY_MINUTE":
		return fixed(30 * msMinute), nil
	case "HOUR":
		return fixed(msHour), nil
	case "SIX_HOUR":
		return fixed(6 * msHour), nil
	case "EIGHT_HOUR":
		return fixed(8 * msHour), nil
	case "DAY":
		return fixed(msDay), nil
	case "WEEK":
		return wholeWeek(), nil
	case "MONTH":
		return months(1), nil
	case "QUARTER":
		return months(3), nil
	case "YEAR":
		return months(12), nil
	}
	return Granularity{}, fmt.Errorf("granularity %q is not known", name)
}

// PeriodGranularity gives the granularity of an ISO-8601 period such as P1D or PT15M, in UTC without an origin. Buckets
// count from 1970-01-01, single weeks from Monday. A period that mixes months with shorter units has no fixed buckets.
func PeriodGranularity(period string) (Granularity, error) {
	p, err := parsePeriod(period)
	if err != nil {
		return Granularity{}, err
	}
	switch {
	case p.months == 0 && p.ms == 0:
		return Granularity{}, fmt.Errorf("period %q is empty", period)
	case p.months < 0 || p.ms < 0:
		return Granularity{}, fmt.Errorf("period %q is negative", period)
	case p.months > 0 && p.ms > 0:
		return Granularity{}, fmt.Errorf("period %q mixes months or years with shorter units", period)
	case p.months > 0:
		return months(p.months), nil
	case p.oneWeek:
		return wholeWeek(), nil
	}
	return fixed(p.ms), nil
}

// ZonedGranularity gives the granularity of an ISO-8601 period whose days, months and years are those of a zone and whose
// buckets begin at an origin in milliseconds, if there is one.
func ZonedGranularity(period string, loc *time.Location, origin *int64) (Granularity, error) {
	if loc == time.UTC && origin == nil {
		if g, err := PeriodGranularity(period); err == nil {
			return g, nil
		}
	}
	p, err := calendar.ParsePeriod(period)
	if err != nil {
		return Granularity{}, err
	}
	b, err := calendar.NewBuckets(p, origin, loc)
	if err != nil {
		return Granularity{}, err
	}
	return Granularity{kind: granZoned, zoned: b}, nil
}

// DurationGranularity gives the granularity whose buckets are of one length and begin at an origin, both in milliseconds.
func DurationGranularity(length, origin int64) (Granularity, error) {
	if length <= 0 || length > MaxInstant/2 {
		return Granularity{}, fmt.Errorf("duration %d is not within 1 and %d", length, int64(MaxInstant/2))
	}
	return Granularity{kind: granFixed, n: length, origin: floorMod(origin, length)}, nil
}

// IsNone says whether time is not truncated.
func (g Granularity) IsNone() bool { return g.kind == granNone }

// Bucket gives the bucket of a time, its end exclusive. It stays within MinInstant and MaxInstant for times within.
func (g Granularity) Bucket(t int64) (start, end int64) {
	switch g.kind {
	case granAll:
		return MinInstant, MaxInstant
	case granFixed:
		start = t - floorMod(t-g.origin, g.n)
		return start, addSaturated(start, g.n)
	case granMonths:
		y, m, _ := civilFromDays(floorDiv(t, msDay))
		first := floorDiv((y-1970)*12+int64(m-1), g.n) * g.n
		return monthStart(first), monthStart(first + g.n)
	case granZoned:
		start = g.zoned.Start(t)
		return start, max(g.zoned.Next(start), t+1)
	}
	return t, t + 1
}

// Truncate gives the start of a time's bucket.
func (g Granularity) Truncate(t int64) int64 {
	start, _ := g.Bucket(t)
	return start
}

func addSaturated(a, b int64) int64 {
	if a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}

// monthStart gives the first instant of the month that is n months after 1970-01.
func monthStart(n int64) int64 {
	year := 1970 + floorDiv(n, 12)
	if year > maxYear {
		return math.MaxInt64
	}
	return daysFromCivil(year, int(floorMod(n, 12))+1, 1) * msDay
}
