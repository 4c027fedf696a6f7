package row

// ParseISO reads an ISO-8601 time as Joda's general parser does: a date (calendar, ordinal or week), optionally T and a
// time down to a fraction, optionally an offset; or T and a time alone, on 1970-01-01. Without an offset it is UTC.
func ParseISO(s string) (ms int64, ok bool) { return parseISO(s, false) }

// parseISO is ParseISO; with space set, one space may stand for the T and the time alone is not taken: the date-time
// that the auto format reads.
func parseISO(s string, space bool) (ms int64, ok bool) {
	p := isoParser{s: s}
	var days int64
	if p.peek() == 'T' && !space {
		if p.at++; !isDigit(p.peek()) {
			return 0, false
		}
		if ms, ok = p.time(); !ok {
			return 0, false
		}
	} else {
		if days, ok = p.date(); !ok {
			return 0, false
		}
		if p.done() {
			return days * msDay, true
		}
		if c := p.peek(); c != 'T' && (!space || c != ' ') {
			return 0, false
		}
		p.at++
		if isDigit(p.peek()) {
			if ms, ok = p.time(); !ok {
				return 0, false
			}
		}
	}
	if !p.done() {
		offset, ok := p.offset()
		if !ok || !p.done() {
			return 0, false
		}
		ms -= offset
	}
	return days*msDay + ms, true
}

type isoParser struct {
	s  string
	at int
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (p *isoParser) done() bool { return p.at == len(p.s) }

// peek gives the next byte, 0 at the end.
func (p *isoParser) peek() byte {
	if p.at < len(p.s) {
		return p.s[p.at]
	}
	return 0
}

// digits reads up to limit digits and says how many there were.
func (p *isoParser) digits(limit int) (v int64, n int) {
	for n < limit && p.at < len(p.s) && isDigit(p.s[p.at]) {
		v = v*10 + int64(p.s[p.at]-'0')
		p.at++
		n++
	}
	return v, n
}

// field reads a number of up to limit digits within bounds.
func (p *isoParser) field(limit int, low, high int64) (int, bool) {
	v, n := p.digits(limit)
	return int(v), n > 0 && v >= low && v <= high
}

// after consumes c if it comes next and a digit follows.
func (p *isoParser) after(c byte) bool {
	if p.at+1 < len(p.s) && p.s[p.at] == c && isDigit(p.s[p.at+1]) {
		p.at++
		return true
	}
	return false
}

// date reads a date element and gives its days since 1970-01-01.
func (p *isoParser) date() (days int64, ok bool) {
	negative := p.peek() == '-'
	if negative || p.peek() == '+' {
		p.at++
	}
	year, n := p.digits(9)
	if n == 0 {
		return 0, false
	}
	if negative {
		year = -year
	}
	if year > maxYear || year < -maxYear {
		return 0, false
	}
	if p.at+1 < len(p.s) && p.s[p.at] == '-' && p.s[p.at+1] == 'W' {
		p.at += 2
		return p.week(year)
	}
	if !p.after('-') {
		return daysFromCivil(year, 1, 1), true
	}
	start := p.at
	v, n := p.digits(3)
	if n == 3 {
		last := int64(365)
		if leap(year) {
			last = 366
		}
		return daysFromCivil(year, 1, 1) + v - 1, v >= 1 && v <= last
	}
	p.at = start
	month, ok := p.field(2, 1, 12)
	if !ok {
		return 0, false
	}
	if !p.after('-') {
		return daysFromCivil(year, month, 1), true
	}
	day, ok := p.field(2, 1, int64(daysInMonth(year, month)))
	return daysFromCivil(year, month, day), ok
}

// week reads the week and the optional day of a week date.
func (p *isoParser) week(year int64) (days int64, ok bool) {
	first := mondayOfWeekOne(year)
	weeks := (mondayOfWeekOne(year+1) - first) / 7
	week, ok := p.field(2, 1, weeks)
	if !ok {
		return 0, false
	}
	day := 1
	if p.after('-') {
		if day, ok = p.field(1, 1, 7); !ok {
			return 0, false
		}
	}
	return first + int64(week-1)*7 + int64(day-1), true
}

// mondayOfWeekOne gives the Monday of the ISO week that holds January 4th.
func mondayOfWeekOne(year int64) int64 {
	fourth := daysFromCivil(year, 1, 4)
	return fourth - floorMod(fourth+3, 7)
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// time reads HH[:mm[:ss]] with a fraction of its last element; digits below the millisecond are cut.
func (p *isoParser) time() (ms int64, ok bool) {
	unit := int64(msHour)
	limit := int64(23)
	for {
		v, ok := p.field(2, 0, limit)
		if !ok {
			return 0, false
		}
		ms += int64(v) * unit
		if unit == msSecond || !p.after(':') {
			break
		}
		unit /= 60
		limit = 59
	}
	if p.after('.') || p.after(',') {
		v, n := p.digits(9)
		ms += scale(v, n, unit)
	}
	return ms, true
}

// scale gives v/10^n of unit, cut to milliseconds. At most nine digits of an hour fit in 64 bits.
func scale(v int64, n int, unit int64) int64 {
	den := int64(1)
	for range n {
		den *= 10
	}
	return v * unit / den
}

// offset reads Z, or a sign, hours and optionally minutes, seconds and milliseconds, with or without colons.
func (p *isoParser) offset() (ms int64, ok bool) {
	c := p.peek()
	p.at++
	if c == 'Z' || c == 'z' {
		return 0, true
	}
	if c != '+' && c != '-' {
		return 0, false
	}
	v, n := p.digits(2)
	if n != 2 || v > 23 {
		return 0, false
	}
	ms = v * msHour
	colon := p.peek() == ':'
	for unit := int64(msMinute); unit >= msSecond && !p.done(); unit /= 60 {
		if colon && !p.after(':') {
			break
		}
		v, n := p.digits(2)
		if n == 0 && !colon {
			break
		}
		if n != 2 || v > 59 {
			return 0, false
		}
		ms += v * unit
	}
	if c == '-' {
		ms = -ms
	}
	return ms, true
}
