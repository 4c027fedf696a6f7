package joda

import (
	"math"
	"time"

	"ogham/domain/calendar"
)

// Years that Joda-Time's proleptic Gregorian calendar has; before year 1 is year 0.
const (
	minYear = -292275054
	maxYear = 292278993
)

// Years that a text counts from which says none: with a month, week or day, and without.
const (
	defaultYear = 2000
	firstYear   = 1970
)

const (
	msPerHour = 3600_000
	msPerDay  = 24 * msPerHour
	msPerWeek = 7 * msPerDay
)

// setting is a field of a pattern, or the year that it counts from.
type setting struct {
	letter byte
	value  int // of a field the index of its value
	given  bool
}

// ranks order the fields: by the unit that they count up to, from the largest, and by their own unit within it. Those of
// one rank stand in the order of the pattern.
var ranks = [...]byte{
	'G': 1, 'C': 2, 'Y': 3, 'y': 3, 'x': 3, 'M': 4, 'w': 5, 'D': 6, 'd': 7, 'e': 8, 'E': 8, 'a': 9, 'H': 10, 'k': 10, 'K': 11, 'h': 11,
	'm': 12, 's': 13, 'S': 14, 'z': 0, 'Z': 0,
}

// arrange puts the fields into the order in which they are set.
func (p *Pattern) arrange() {
	var fields []setting
	for i := range p.parts {
		letter := p.parts[i].letter
		if ranks[letter] == 0 {
			continue
		}
		at := len(fields)
		for at > 0 && ranks[fields[at-1].letter] > ranks[letter] {
			at--
		}
		fields = append(fields[:at], append([]setting{{letter: letter, value: i, given: true}}, fields[at:]...)...)
	}
	if len(fields) > 0 && ranks[fields[0].letter] >= ranks['M'] && ranks[fields[0].letter] <= ranks['e'] {
		fields = append([]setting{{letter: 'y', value: defaultYear}}, fields...)
	}
	p.fields, p.plain = fields, true
	for i, f := range fields {
		switch f.letter {
		case 'y', 'M', 'd', 'H', 'm', 's', 'S':
			p.plain = p.plain && (i == 0 || f.letter != fields[i-1].letter)
		default:
			p.plain = false
		}
	}
}

// local gives the time that the fields make, as the clocks show it, in milliseconds since 1970.
func (p *Pattern) local(values []int) (ms int64, ok bool) {
	if p.plain {
		return p.plainLocal(values)
	}
	// As Joda-Time does: each field is set and what is smaller goes to its beginning; then all are set again, since a
	// smaller field may have moved a larger one.
	for pass := range 2 {
		for i, f := range p.fields {
			v := f.value
			if f.given {
				v = values[v]
			}
			if ms, ok = set(f.letter, ms, v); !ok {
				return 0, false
			}
			if pass == 0 || i == len(p.fields)-1 {
				ms = floor(f.letter, ms)
			}
		}
	}
	return ms, true
}

// plainLocal is local for the fields from year to millisecond, each at most once.
func (p *Pattern) plainLocal(values []int) (int64, bool) {
	year, month, day, ms := firstYear, 1, 1, int64(0)
	for _, f := range p.fields {
		v := f.value
		if f.given {
			v = values[v]
		}
		ok := true
		switch f.letter {
		case 'y':
			year, ok = v, v >= minYear && v <= maxYear
		case 'M':
			month, ok = v, v >= 1 && v <= 12
		case 'd':
			day, ok = v, v >= 1 && v <= 28 || v > 28 && v <= daysIn(year, month)
		case 'H':
			ms, ok = ms+int64(v)*msPerHour, v < 24
		case 'm':
			ms, ok = ms+int64(v)*60_000, v < 60
		case 's':
			ms, ok = ms+int64(v)*1000, v < 60
		case 'S':
			ms += int64(v)
		}
		if !ok {
			return 0, false
		}
	}
	return midnight(year, month, day) + ms, true
}

func midnight(year, month, day int) int64 {
	return time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC).UnixMilli()
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// mod is the remainder that is never negative.
func mod(ms, unit int64) int64 { return ((ms % unit) + unit) % unit }

// set changes one field of a time; ok is false where it cannot have the value.
func set(letter byte, ms int64, v int) (_ int64, ok bool) {
	t := time.UnixMilli(ms).UTC()
	within := func(low, high int) bool { return v >= low && v <= high }
	// move adds what a field lacks to the value, which is in units of so many milliseconds.
	move := func(from int, unit int64) int64 { return ms + int64(v-from)*unit }
	switch letter {
	case 'G':
		if (t.Year() > 0) == (v == 1) {
			return ms, true
		}
		return setYear(t, -t.Year()), true
	case 'C':
		return setCentury(t, v)
	case 'Y':
		ok = within(1, maxYear)
		if t.Year() <= 0 {
			v = 1 - v
		}
		return setYear(t, v), ok
	case 'y':
		return setYear(t, v), within(minYear, maxYear)
	case 'x':
		return setWeekYear(t, v), within(minYear, maxYear)
	case 'M':
		if !within(1, 12) {
			return 0, false
		}
		return midnight(t.Year(), v, min(t.Day(), daysIn(t.Year(), v))) + mod(ms, msPerDay), true
	case 'w':
		year, week := t.ISOWeek()
		return move(week, msPerWeek), within(1, 52) || v == 53 && weeksIn(year) == 53
	case 'D':
		return move(t.YearDay(), msPerDay), within(1, 365) || v == 366 && daysIn(t.Year(), 2) == 29
	case 'd':
		return move(t.Day(), msPerDay), within(1, daysIn(t.Year(), int(t.Month())))
	case 'e', 'E':
		return move(weekday(t), msPerDay), within(1, 7)
	}
	return setClock(letter, ms, v)
}

// setClock is set for the fields of a day.
func setClock(letter byte, ms int64, v int) (_ int64, ok bool) {
	unit, count := int64(1), 1000
	switch letter {
	case 'a':
		unit, count = msPerDay/2, 2
	case 'H', 'k':
		unit, count = msPerHour, 24
	case 'K', 'h':
		unit, count = msPerHour, 12
	case 'm':
		unit, count = 60_000, 60
	case 's':
		unit, count = 1000, 60
	}
	if letter == 'k' || letter == 'h' { // count from 1
		if v == 0 {
			return 0, false
		}
		if v == count {
			v = 0
		}
	}
	had := mod(ms, unit*int64(count)) / unit
	return ms + (int64(v)-had)*unit, v >= 0 && v < count
}

// floor takes a time to the beginning of a field's unit.
func floor(letter byte, ms int64) int64 {
	unit := int64(1)
	switch letter {
	case 'G':
		if time.UnixMilli(ms).UTC().Year() > 0 {
			return midnight(1, 1, 1)
		}
		return math.MinInt64
	case 'C':
		t := time.UnixMilli(ms).UTC()
		year := magnitude(t.Year()) / 100 * 100
		if t.Year() < 0 {
			year = -year
		}
		return midnight(year, 1, 1)
	case 'y', 'Y':
		return midnight(time.UnixMilli(ms).UTC().Year(), 1, 1)
	case 'x':
		t := time.UnixMilli(ms).UTC()
		year, _ := t.ISOWeek()
		return firstWeek(year)
	case 'M':
		t := time.UnixMilli(ms).UTC()
		return midnight(t.Year(), int(t.Month()), 1)
	case 'w':
		return ms - mod(ms, msPerDay) - int64(weekday(time.UnixMilli(ms).UTC())-1)*msPerDay
	case 'D', 'd', 'e', 'E':
		unit = msPerDay
	case 'a':
		unit = msPerDay / 2
	case 'H', 'k', 'K', 'h':
		unit = msPerHour
	case 'm':
		unit = 60_000
	case 's':
		unit = 1000
	}
	return ms - mod(ms, unit)
}

// setYear keeps the day of the year, as that of the month where a February 29 comes between.
func setYear(t time.Time, year int) int64 {
	day := t.YearDay()
	if day > 31+28 {
		was, is := daysIn(t.Year(), 2) == 29, daysIn(year, 2) == 29
		switch {
		case was && !is:
			day--
		case !was && is:
			day++
		}
	}
	return midnight(year, 1, day) + mod(t.UnixMilli(), msPerDay)
}

// setCentury keeps the year within the century; those before year 0 count backwards.
func setCentury(t time.Time, v int) (int64, bool) {
	year := v*100 + magnitude(t.Year())%100
	if t.Year() < 0 {
		year = -year
	}
	return setYear(t, year), v >= 0 && v <= maxYear/100 && year <= maxYear
}

func magnitude(year int) int {
	if year < 0 {
		return -year
	}
	return year
}

// setWeekYear keeps the week and its day.
func setWeekYear(t time.Time, year int) int64 {
	was, week := t.ISOWeek()
	if was == year {
		return t.UnixMilli()
	}
	week = min(week, weeksIn(year), weeksIn(was))
	return firstWeek(year) + int64(week-1)*msPerWeek + int64(weekday(t)-1)*msPerDay + mod(t.UnixMilli(), msPerDay)
}

// firstWeek gives the Monday of a year's first week, which has January 4.
func firstWeek(year int) int64 {
	fourth := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)
	return fourth.UnixMilli() - int64(weekday(fourth)-1)*msPerDay
}

func weeksIn(year int) int { return int((firstWeek(year+1) - firstWeek(year)) / msPerWeek) }

// instant gives the instant of a local time in the zone or at the offset that a text names, else in the zone given.
func (f *found) instant(local int64) (ms int64, ok bool) {
	if f.hasOffset {
		return local - f.offset, true
	}
	return calendar.FromLocal(local, f.zone) // a time that the clocks skip is none
}
