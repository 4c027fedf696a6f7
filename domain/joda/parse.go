package joda

import (
	"math"
	"strings"
	"time"

	"ogham/domain/calendar"
)

// fields are what a text says of a time; unset fields are missing.
type fields struct {
	year, weekYear, century, yearOfEra, era int
	month, day, dayOfYear, week, weekday    int
	hour, halfHour, half                    int
	minute, second, ms                      int
	zone                                    *time.Location
	offset                                  int64 // in milliseconds
	hasOffset                               bool
}

const missing = math.MinInt

// maxYear is the last year that Joda-Time knows; the first is its negative.
const maxYear = 292278993

// Parse reads a time that a text gives by the pattern, in a zone unless the text names another. The whole of the text must
// match. What the text does not say is the beginning of what it says; without a year it is 2000.
func (p *Pattern) Parse(s string, loc *time.Location) (ms int64, ok bool) {
	f := fields{
		year: missing, weekYear: missing, century: missing, yearOfEra: missing, era: missing, month: missing, day: missing,
		dayOfYear: missing, week: missing, weekday: missing, hour: missing, halfHour: missing, half: missing,
		minute: missing, second: missing, ms: missing, zone: loc,
	}
	for i := range p.parts {
		n := p.parts[i].parse(&f, s)
		if n < 0 {
			return 0, false
		}
		s = s[n:]
	}
	if s != "" {
		return 0, false
	}
	return f.instant()
}

// parse reads a part from the beginning of s and gives its length, -1 where s has something else.
func (p *part) parse(f *fields, s string) int {
	switch p.letter {
	case 0:
		if len(s) >= len(p.text) && strings.EqualFold(s[:len(p.text)], p.text) {
			return len(p.text)
		}
		return -1
	case 'y':
		return p.readYear(&f.year, s)
	case 'x':
		return p.readYear(&f.weekYear, s)
	case 'Y':
		n := p.readYear(&f.yearOfEra, s)
		if f.yearOfEra < 1 {
			return -1
		}
		return n
	case 'C':
		return p.read(&f.century, s, p.count, 0, maxYear/100)
	case 'G':
		return name(&f.era, s, 0, "BC", "AD", "BCE", "CE")
	case 'a':
		return name(&f.half, s, 0, "AM", "PM")
	case 'E':
		return dayName(&f.weekday, s)
	case 'M':
		if p.count >= 3 {
			return monthName(&f.month, s)
		}
		return p.read(&f.month, s, 2, 1, 12)
	case 'd':
		return p.read(&f.day, s, 2, 1, 31)
	case 'D':
		return p.read(&f.dayOfYear, s, 3, 1, 366)
	case 'w':
		return p.read(&f.week, s, 2, 1, 53)
	case 'e':
		return p.read(&f.weekday, s, 1, 1, 7)
	case 'H':
		return p.read(&f.hour, s, 2, 0, 23)
	case 'k':
		n := p.read(&f.hour, s, 2, 1, 24)
		f.hour %= 24
		return n
	case 'K':
		return p.read(&f.halfHour, s, 2, 0, 11)
	case 'h':
		n := p.read(&f.halfHour, s, 2, 1, 12)
		f.halfHour %= 12
		return n
	case 'm':
		return p.read(&f.minute, s, 2, 0, 59)
	case 's':
		return p.read(&f.second, s, 2, 0, 59)
	case 'S':
		return p.readFraction(&f.ms, s)
	}
	return p.readZone(f, s)
}

// read reads a number of up to limit digits within bounds; a year has as many as letters if another number follows.
func (p *part) read(to *int, s string, limit, low, high int) int {
	if p.digits && (p.letter == 'y' || p.letter == 'Y' || p.letter == 'x') {
		limit = p.count
	}
	n, v := 0, 0
	negative := s != "" && s[0] == '-'
	if s != "" && (s[0] == '-' || s[0] == '+') && len(s) > 1 && low < 0 {
		n = 1
		limit++
	}
	start := n
	for n < len(s) && n < limit && s[n] >= '0' && s[n] <= '9' {
		v = v*10 + int(s[n]-'0')
		n++
	}
	if n == start {
		return -1
	}
	if negative && low < 0 {
		v = -v
	}
	if v < low || v > high {
		return -1
	}
	*to = v
	return n
}

// pivot is the middle of the years that two digits stand for.
const pivot = 1996

// readYear reads a year; two letters and exactly two digits stand for a year around the pivot.
func (p *part) readYear(to *int, s string) int {
	n := p.read(to, s, 9, -maxYear, maxYear)
	if n == 2 && p.count == 2 && s[0] >= '0' && s[0] <= '9' {
		low := pivot - 50
		*to = low + (*to-low%100+100)%100
	}
	return n
}

// readFraction reads the digits behind a point; those below the millisecond are cut.
func (p *part) readFraction(to *int, s string) int {
	n, ms, unit := 0, 0, 100
	for n < len(s) && n < p.count && s[n] >= '0' && s[n] <= '9' {
		ms += int(s[n]-'0') * unit
		unit /= 10
		n++
	}
	if n == 0 {
		return -1
	}
	*to = ms
	return n
}

// begins says whether s begins with a name: as it is, in capitals or in small letters.
func begins(s, name string) bool {
	if len(s) < len(name) {
		return false
	}
	head := s[:len(name)]
	return head == name || head == strings.ToUpper(name) || head == strings.ToLower(name)
}

// name finds which of some names s begins with; they count from first, a second name for the first again.
func name(to *int, s string, first int, names ...string) int {
	best := -1
	for i, text := range names {
		if len(text) > best && begins(s, text) {
			best = len(text)
			*to = first + i%2
		}
	}
	return best
}

func monthName(to *int, s string) int {
	for m := time.January; m <= time.December; m++ {
		if n := longOrShort(s, m.String()); n > 0 {
			*to = int(m)
			return n
		}
	}
	return -1
}

func dayName(to *int, s string) int {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if n := longOrShort(s, d.String()); n > 0 {
			*to = (int(d)+6)%7 + 1
			return n
		}
	}
	return -1
}

// longOrShort gives the length of the name that s begins with, or of its first three letters; 0 for neither.
func longOrShort(s, name string) int {
	for _, text := range []string{name, name[:3]} {
		if begins(s, text) {
			return len(text)
		}
	}
	return 0
}

// zoneNames are those that z reads, as in Joda-Time, with the zones that they name.
var zoneNames = map[string]string{
	"UT": "UTC", "UTC": "UTC", "GMT": "UTC", "EST": "America/New_York", "EDT": "America/New_York", "CST": "America/Chicago",
	"CDT": "America/Chicago", "MST": "America/Denver", "MDT": "America/Denver", "PST": "America/Los_Angeles",
	"PDT": "America/Los_Angeles",
}

// javaZones are names that Java has and Joda-Time has not.
var javaZones = map[string]bool{
	"ACT": true, "AET": true, "AGT": true, "ART": true, "AST": true, "BET": true, "BST": true, "CAT": true, "CNT": true,
	"CST": true, "CTT": true, "EAT": true, "ECT": true, "IET": true, "IST": true, "JST": true, "MIT": true, "NET": true,
	"NST": true, "PLT": true, "PNT": true, "PRT": true, "PST": true, "SST": true, "VST": true,
}

// maxZoneName is longer than the name of any zone.
const maxZoneName = 40

func (p *part) readZone(f *fields, s string) int {
	if p.letter == 'Z' && p.count < 3 {
		return readOffset(f, s)
	}
	end := 0
	for end < min(len(s), maxZoneName) && (s[end]|0x20 >= 'a' && s[end]|0x20 <= 'z' || strings.IndexByte("/_+-:0123456789", s[end]) >= 0) {
		end++
	}
	for ; end > 0; end-- { // the longest name that there is
		text := s[:end]
		if p.letter == 'z' {
			full, ok := zoneNames[text]
			if !ok {
				continue
			}
			text = full
		} else if text[0] == '+' || text[0] == '-' || javaZones[text] {
			continue
		}
		if loc, ok := calendar.Zone(text); ok {
			f.zone, f.hasOffset = loc, false
			return end
		}
	}
	return -1
}

// readOffset reads Z, or a sign, hours and minutes, and seconds if they are there, with or without colons.
func readOffset(f *fields, s string) int {
	if s != "" && s[0]|0x20 == 'z' {
		f.offset, f.hasOffset = 0, true
		return 1
	}
	if s == "" || s[0] != '+' && s[0] != '-' {
		return -1
	}
	n := 1
	ms := int64(0)
	colon := false
	for i, unit := 0, int64(3600_000); i < 3; i, unit = i+1, unit/60 {
		at := n
		if i > 0 && at < len(s) && s[at] == ':' && (i == 1 || colon) {
			colon = true
			at++
		} else if i > 1 && colon {
			break
		}
		if at+2 > len(s) || s[at] < '0' || s[at] > '9' || s[at+1] < '0' || s[at+1] > '9' {
			if i == 0 {
				return -1
			}
			break
		}
		v := int64(s[at]-'0')*10 + int64(s[at+1]-'0')
		if i == 0 && v > 23 || v > 59 {
			return -1
		}
		ms += v * unit
		n = at + 2
	}
	if s[0] == '-' {
		ms = -ms
	}
	f.offset, f.hasOffset = ms, true
	return n
}
