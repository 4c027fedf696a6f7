package spec

import (
	"strconv"
	"strings"
	"time"
)

const instantLayout = "2006-01-02T15:04:05.000Z"

// instantText is a point in time in Druid's form.
func instantText(t time.Time) string { return t.UTC().Format(instantLayout) }

// givenInstantText is a point in time with the offset that it was given with, as Joda-Time keeps it.
func givenInstantText(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z07:00") }

// representable says whether both texts can be read back.
func representable(t time.Time) bool {
	inYears := func(year int) bool { return year >= 0 && year <= 9999 }
	return inYears(t.Year()) && inYears(t.UTC().Year())
}

// parseInstant reads an ISO-8601 instant with milliseconds: a date, of which month and day may be missing, optionally T
// and a time, optionally an offset. Without an offset it is UTC.
func parseInstant(text string) (time.Time, error) {
	p := instantParser{text: text}
	t, ok := p.instant()
	if !ok || p.at < len(text) || !representable(t) {
		return time.Time{}, formatError(text, p.at)
	}
	return t, nil
}

type instantParser struct {
	text string
	at   int
}

func (p *instantParser) letter(c byte) bool {
	if p.at < len(p.text) && (p.text[p.at] == c || c >= 'A' && p.text[p.at] == c|0x20) {
		p.at++
		return true
	}
	return false
}

// digits reads a number of a fixed width within bounds.
func (p *instantParser) digits(width, low, high int) (int, bool) {
	if p.at+width > len(p.text) {
		return 0, false
	}
	v, err := strconv.ParseUint(p.text[p.at:p.at+width], 10, 32)
	if err != nil || int(v) < low || int(v) > high {
		return 0, false
	}
	p.at += width
	return int(v), true
}

func (p *instantParser) instant() (time.Time, bool) {
	year, ok := p.digits(4, 0, 9999)
	if !ok {
		return time.Time{}, false
	}
	month, day := 1, 1
	if p.letter('-') {
		if month, ok = p.digits(2, 1, 12); !ok {
			return time.Time{}, false
		}
		if p.letter('-') {
			if day, ok = p.digits(2, 1, daysIn(year, month)); !ok {
				return time.Time{}, false
			}
		}
	}
	t := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	if p.letter('T') {
		clock, ok := p.clock()
		if !ok {
			return time.Time{}, false
		}
		t = t.Add(clock)
	}
	offset, ok := p.offset()
	if t = t.Add(-offset); offset != 0 {
		t = t.In(time.FixedZone("", int(offset/time.Second)))
	}
	return t, ok
}

func daysIn(year, month int) int {
	return time.Date(year, time.Month(month)+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// clock reads hours and, where they are given, minutes, seconds and a fraction; nothing after the T is midnight.
func (p *instantParser) clock() (time.Duration, bool) {
	var sum time.Duration
	hours, ok := p.digits(2, 0, 23)
	if !ok {
		return 0, p.at == len(p.text)
	}
	sum = time.Duration(hours) * time.Hour
	for _, unit := range [...]time.Duration{time.Minute, time.Second} {
		if !p.letter(':') {
			return sum, true
		}
		v, ok := p.digits(2, 0, 59)
		if !ok {
			return 0, false
		}
		sum += time.Duration(v) * unit
	}
	if p.letter('.') || p.letter(',') {
		from := p.at
		for p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9' {
			p.at++
		}
		if p.at == from {
			return 0, false
		}
		ms, _ := strconv.Atoi((p.text[from:p.at] + "00")[:3])
		sum += time.Duration(ms) * time.Millisecond
	}
	return sum, true
}

// offset reads Z, +hh, +hhmm or +hh:mm; nothing is UTC.
func (p *instantParser) offset() (time.Duration, bool) {
	if p.at == len(p.text) || p.letter('Z') {
		return 0, true
	}
	sign := time.Duration(1)
	if p.letter('-') {
		sign = -1
	} else if !p.letter('+') {
		return 0, false
	}
	hours, ok := p.digits(2, 0, 23)
	if !ok {
		return 0, false
	}
	minutes := 0
	if p.letter(':') || p.at < len(p.text) {
		if minutes, ok = p.digits(2, 0, 59); !ok {
			return 0, false
		}
	}
	return sign * (time.Duration(hours)*time.Hour + time.Duration(minutes)*time.Minute), true
}

// parseInterval reads start/end, start/period or period/end. The end may come before the start.
func parseInterval(text string) (start, end time.Time, ok bool) {
	left, right, two := strings.Cut(text, "/")
	if !two {
		return start, end, false
	}
	start, startErr := parseInstant(left)
	end, endErr := parseInstant(right)
	switch {
	case startErr == nil && endErr != nil:
		p, err := ParsePeriod(right)
		end, endErr = p.addTo(start, 1), err
	case startErr != nil && endErr == nil:
		p, err := ParsePeriod(left)
		start, startErr = p.addTo(end, -1), err
	}
	ok = startErr == nil && endErr == nil && representable(start) && representable(end)
	return start, end, ok
}

// addTo moves a time by the period; the last day of a month stays within its month.
func (p Period) addTo(t time.Time, sign int64) time.Time {
	months := sign * (12*p.Years + p.Months)
	if months > 12*20000 || months < -12*20000 {
		return time.Time{}.AddDate(-20000, 0, 0)
	}
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
	day := min(t.Day(), daysIn(first.Year(), int(first.Month())))
	p.Years, p.Months = 0, 0
	ms, _ := p.sum()
	return first.AddDate(0, 0, day-1).Add(duration(sign * ms))
}
