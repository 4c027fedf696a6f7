package joda

import (
	"time"

	"ogham/domain/calendar"
)

// defaultYear is that of a text that says a month or a day and no year.
const defaultYear = 2000

// instant puts the fields together, from the largest to the smallest; each must be possible with those before it.
func (f *fields) instant() (ms int64, ok bool) {
	date, ok := f.date()
	if !ok {
		return 0, false
	}
	local := date.UnixMilli() + int64(f.hourOfDay())*3600_000 + int64(or(f.minute, 0))*60_000 + int64(or(f.second, 0))*1000 + int64(or(f.ms, 0))
	if f.hasOffset {
		return local - f.offset, true
	}
	ms, exact := calendar.FromLocal(local, f.zone)
	return ms, exact // a time that the clocks skip is none
}

func or(v, otherwise int) int {
	if v == missing {
		return otherwise
	}
	return v
}

// date gives the day, at midnight UTC.
func (f *fields) date() (time.Time, bool) {
	year, ok := f.calendarYear()
	if !ok {
		return time.Time{}, false
	}
	day := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
	switch {
	case f.month != missing || f.day != missing:
		month := time.Month(or(f.month, 1))
		day = time.Date(year, month, or(f.day, 1), 0, 0, 0, 0, time.UTC)
		if day.Month() != month {
			return day, false
		}
	case f.dayOfYear != missing:
		day = day.AddDate(0, 0, f.dayOfYear-1)
		if day.Year() != year {
			return day, false
		}
	case f.weekYear != missing || f.week != missing:
		return f.weekDate(year)
	}
	if f.weekday != missing { // moves the day within its week
		day = day.AddDate(0, 0, f.weekday-weekday(day))
	}
	return day, true
}

// calendarYear gives the year that the fields name, or the one to begin with.
func (f *fields) calendarYear() (int, bool) {
	year := f.year
	if f.yearOfEra != missing {
		year = f.yearOfEra
		if f.century != missing {
			year = f.century*100 + f.yearOfEra%100
		}
	} else if f.century != missing {
		year = f.century * 100
		if f.year != missing {
			year += f.year % 100
		}
	}
	if year != missing {
		if f.era == 0 && (f.yearOfEra != missing || f.century != missing) {
			year = 1 - year
		}
		return year, year >= -maxYear && year <= maxYear
	}
	if f.weekYear != missing {
		return f.weekYear, true
	}
	if f.month != missing || f.day != missing || f.dayOfYear != missing || f.week != missing || f.weekday != missing {
		return defaultYear, true
	}
	return 1970, true
}

// weekDate gives the day of a week of a year of weeks.
func (f *fields) weekDate(year int) (time.Time, bool) {
	fourth := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)
	week := or(f.week, 1)
	day := fourth.AddDate(0, 0, (week-1)*7+or(f.weekday, 1)-weekday(fourth))
	got, _ := day.ISOWeek()
	return day, got == year
}

func (f *fields) hourOfDay() int {
	hour := or(f.hour, 0)
	if f.halfHour != missing {
		hour = f.halfHour + hour/12*12
	}
	if f.half != missing {
		hour = hour%12 + f.half*12
	}
	return hour
}
