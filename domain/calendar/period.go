package calendar

import (
	"fmt"
	"math"
	"time"
)

// Period is an ISO-8601 period. Its years, months, weeks and days are as long as the calendar of a zone makes them.
type Period struct {
	Years, Months, Weeks, Days int
	// Ms are the hours, minutes, seconds and their fractions, in milliseconds.
	Ms int64
	// parts is how many of the period's numbers are not zero.
	parts int
}

// maxNumber bounds each number of a period, so that sums stay in 64 bits.
const maxNumber = 1_000_000_000

// ParsePeriod reads PnYnMnWnDTnHnMnS; each number may have a sign, and seconds a fraction.
func ParsePeriod(s string) (p Period, err error) {
	r := reader{s: s}
	if !r.take('P') {
		return p, fmt.Errorf("Invalid format: %q", s) //nolint:staticcheck // the words of Druid and its libraries
	}
	hasTime := false
	for order := 0; !r.done(); {
		if !hasTime && r.take('T') {
			hasTime, order = true, len(dateUnits)
			if r.done() {
				return p, fmt.Errorf("Invalid format: %q", s) //nolint:staticcheck // the words of Druid and its libraries
			}
			continue
		}
		n, fraction, ok := r.number()
		next := r.unit(hasTime, order)
		if !ok || next < 0 || fraction != 0 && next != secondUnit {
			return p, fmt.Errorf("Invalid format: %q is malformed at %q", s, s[r.at:]) //nolint:staticcheck // the words of Druid and its libraries
		}
		order = next + 1
		p.add(next, n, fraction)
	}
	if len(s) < 3 {
		return p, fmt.Errorf("Invalid format: %q", s) //nolint:staticcheck // the words of Druid and its libraries
	}
	return p, nil
}

const (
	dateUnits  = "YMWD"
	timeUnits  = "HMS"
	secondUnit = len(dateUnits) + 2
)

const (
	msSecond = 1000
	msMinute = 60 * msSecond
	msHour   = 60 * msMinute
	msDay    = 24 * msHour
)

func (p *Period) add(unit int, n, fraction int64) {
	if n != 0 {
		p.parts++
	}
	if fraction != 0 {
		p.parts++ // Joda-Time keeps milliseconds apart from seconds
	}
	switch unit {
	case 0:
		p.Years = int(n)
	case 1:
		p.Months = int(n)
	case 2:
		p.Weeks = int(n)
	case 3:
		p.Days = int(n)
	case 4:
		p.Ms += n * msHour
	case 5:
		p.Ms += n * msMinute
	default:
		p.Ms += n*msSecond + fraction
	}
}

// reader reads a period from left to right.
type reader struct {
	s  string
	at int
}

func (r *reader) done() bool { return r.at == len(r.s) }

// take reads a letter, in either case.
func (r *reader) take(c byte) bool {
	if r.done() || r.s[r.at]&^0x20 != c {
		return false
	}
	r.at++
	return true
}

// number reads a whole number, and the milliseconds behind a point.
func (r *reader) number() (n, fraction int64, ok bool) {
	sign := int64(1)
	if !r.done() && (r.s[r.at] == '-' || r.s[r.at] == '+') {
		if r.s[r.at] == '-' {
			sign = -1
		}
		r.at++
	}
	start := r.at
	for !r.done() && r.s[r.at] >= '0' && r.s[r.at] <= '9' {
		if n = n*10 + int64(r.s[r.at]-'0'); n > maxNumber {
			return 0, 0, false
		}
		r.at++
	}
	ok = r.at > start
	if !r.done() && (r.s[r.at] == '.' || r.s[r.at] == ',') {
		r.at++
		for unit := int64(100); !r.done() && r.s[r.at] >= '0' && r.s[r.at] <= '9'; unit /= 10 {
			fraction += int64(r.s[r.at]-'0') * unit
			r.at++
		}
	}
	return sign * n, sign * fraction, ok
}

// unit reads a unit that comes at order or later, and gives its place; -1 if there is none.
func (r *reader) unit(inTime bool, order int) int {
	units, first := dateUnits, 0
	if inTime {
		units, first = timeUnits, len(dateUnits)
	}
	for i := range len(units) {
		if first+i >= order && r.take(units[i]) {
			return first + i
		}
	}
	return -1
}

// Fixed gives the length of a period without years and months, weeks and days counted as on a clock without seasons.
func (p Period) Fixed() (ms int64, ok bool) {
	return int64(p.Weeks*7+p.Days)*msDay + p.Ms, p.Years == 0 && p.Months == 0
}

// Add moves an instant by n periods, as the calendar of a zone has them: first months, then weeks and days, then what is
// always of one length. A day that its month has not becomes the last one that it has. Beyond the instants that fit in 64
// bits it gives the last, or the first.
func (p Period) Add(ms int64, n int, loc *time.Location) int64 {
	about := float64(ms) + float64(n)*(float64(p.Years*12+p.Months)*30*msDay+float64(p.Weeks*7+p.Days)*msDay+float64(p.Ms))
	switch {
	case about > math.MaxInt64/2:
		return math.MaxInt64
	case about < math.MinInt64/2:
		return math.MinInt64
	}
	months := (p.Years*12 + p.Months) * n
	if months != 0 {
		ms = addMonths(ms, months, loc)
	}
	if days := (p.Weeks*7 + p.Days) * n; days != 0 {
		ms = addDays(ms, days, loc)
	}
	return addBounded(ms, p.Ms*int64(n))
}

func addBounded(ms, d int64) int64 {
	switch {
	case d > 0 && ms > math.MaxInt64-d:
		return math.MaxInt64
	case d < 0 && ms < math.MinInt64-d:
		return math.MinInt64
	}
	return ms + d
}

// local gives what a zone's clocks show at an instant, as if in UTC.
func local(ms int64, loc *time.Location) time.Time {
	return time.UnixMilli(ms + Offset(ms, loc)).UTC()
}

func addMonths(ms int64, months int, loc *time.Location) int64 {
	t := local(ms, loc)
	year, month, day := t.Date()
	first := time.Date(year, month+time.Month(months), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	moved := first.AddDate(0, 0, min(day, last)-1).UnixMilli() + floorMod(t.UnixMilli(), msDay)
	return FromLocalNear(moved, ms, loc)
}

func addDays(ms int64, days int, loc *time.Location) int64 {
	if loc == time.UTC {
		return addBounded(ms, int64(days)*msDay)
	}
	return FromLocalNear(addBounded(ms+Offset(ms, loc), int64(days)*msDay), ms, loc)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// MonthsBetween gives the whole months from one instant to another; negative where the other comes first.
func MonthsBetween(from, to int64, loc *time.Location) int {
	a, b := local(from, loc), local(to, loc)
	n := (b.Year()-a.Year())*12 + int(b.Month()-a.Month())
	switch moved := addMonths(from, n, loc); {
	case n > 0 && moved > to:
		n--
	case n < 0 && moved < to:
		n++
	}
	return n
}
