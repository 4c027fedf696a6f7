package calendar

import (
	"errors"
	"time"
)

// Buckets cuts time into pieces of one period, as Druid's PeriodGranularity does.
type Buckets struct {
	period    Period
	loc       *time.Location
	origin    int64
	hasOrigin bool
}

// NewBuckets makes the buckets of a period in a zone. They begin at origin, an instant; without one they begin where the
// calendar has its units (weeks on Mondays), and several units together at 1970 in the zone.
func NewBuckets(p Period, origin *int64, loc *time.Location) (*Buckets, error) {
	if p.parts == 0 {
		return nil, errors.New("zero period is not acceptable in PeriodGranularity!") //nolint:staticcheck // the words of Druid and its libraries
	}
	if p.Years < 0 || p.Months < 0 || p.Weeks < 0 || p.Days < 0 || p.Ms < 0 {
		return nil, errors.New("a period of a granularity must not be negative")
	}
	b := &Buckets{period: p, loc: loc}
	if origin != nil {
		b.origin, b.hasOrigin = *origin, true
	} else {
		b.origin, _ = FromLocal(0, loc)
	}
	return b, nil
}

// Start gives the beginning of the bucket that an instant lies in.
func (b *Buckets) Start(t int64) int64 {
	p := &b.period
	if p.parts > 1 {
		return b.compound(t)
	}
	single := !b.hasOrigin
	switch {
	case p.Years > 0 || p.Months > 0:
		months := p.Years*12 + p.Months
		if single && (p.Years == 1 || p.Months == 1) {
			return b.calendarMonth(t, months)
		}
		return b.months(t, months)
	case p.Weeks == 1 && single:
		day := floorDiv(t+Offset(t, b.loc), msDay)
		return FromLocalNear((day-floorMod(day+3, 7))*msDay, t, b.loc) // 1970-01-01 was a Thursday
	case p.Days == 1 && single:
		return FromLocalNear(floorDiv(t+Offset(t, b.loc), msDay)*msDay, t, b.loc)
	case p.Weeks > 0 || p.Days > 0:
		return b.days(t, p.Weeks*7+p.Days)
	case single && (p.Ms == msHour || p.Ms == msMinute || p.Ms == msSecond):
		// The clocks' own hours: a zone may be half an hour off.
		return FromLocalNear(floorDiv(t+Offset(t, b.loc), p.Ms)*p.Ms, t, b.loc)
	}
	return t - floorMod(t-b.origin, p.Ms)
}

// Next gives the beginning of the bucket after the one that begins at start.
func (b *Buckets) Next(start int64) int64 { return b.period.Add(start, 1, b.loc) }

// calendarMonth gives the beginning of the month or year.
func (b *Buckets) calendarMonth(t int64, months int) int64 {
	at := local(t, b.loc)
	month := at.Month()
	if months == 12 {
		month = 1
	}
	return FromLocalNear(time.Date(at.Year(), month, 1, 0, 0, 0, 0, time.UTC).UnixMilli(), t, b.loc)
}

// months counts months from the origin, in local time.
func (b *Buckets) months(t int64, months int) int64 {
	from, to := local(b.origin, b.loc), local(t, b.loc)
	between := (to.Year()-from.Year())*12 + int(to.Month()-from.Month())
	// Within its month the origin's day may be later than the time's; so may it for the months between.
	count := int(floorDiv(int64(between), int64(months))) * months
	start := addMonths(b.origin, count, b.loc)
	if start > t {
		start = addMonths(b.origin, count-months, b.loc)
	}
	return start
}

// days counts days from the origin, in local time.
func (b *Buckets) days(t int64, days int) int64 {
	from, to := b.origin+Offset(b.origin, b.loc), t+Offset(t, b.loc)
	count := int(floorDiv(floorDiv(to-from, msDay), int64(days))) * days
	start := addDays(b.origin, count, b.loc)
	if start > t {
		start = addDays(b.origin, count-days, b.loc)
	}
	return start
}

// compound is for periods of several units. Without months they are of one length, zones or not; with months they are
// counted one by one from the origin.
func (b *Buckets) compound(t int64) int64 {
	if ms, fixed := b.period.Fixed(); fixed {
		return t - floorMod(t%ms-b.origin%ms, ms)
	}
	// The least and the most that a period can be long say how many there are at least.
	longest := int64(b.period.Years)*366*msDay + int64(b.period.Months)*31*msDay + int64(b.period.Weeks*7+b.period.Days+1)*msDay + b.period.Ms
	n := (t - b.origin) / longest
	start := b.period.Add(b.origin, int(n), b.loc)
	for start > t {
		n--
		start = b.period.Add(b.origin, int(n), b.loc)
	}
	// Steps that double while they stay below the time, and halve when they pass it.
	for step, growing := int64(1), true; step > 0; {
		next := b.period.Add(b.origin, int(n+step), b.loc)
		switch {
		case next <= t && next > start:
			n, start = n+step, next
			if growing {
				step *= 2
			}
		default:
			growing = false
			step /= 2
		}
	}
	return start
}
