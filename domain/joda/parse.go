package joda

import (
	"math"
	"strings"
	"time"
)

// found is what a text says of a time besides its fields.
type found struct {
	value     int // of the field that was read last
	zone      *time.Location
	offset    int64 // in milliseconds
	hasOffset bool
}

// Parse reads a time that a text gives by the pattern, in a zone unless the text names another. The whole of the text must
// match. What the text does not say is the beginning of what it says; with a month, week or day and without a year it is
// of 2000. As in Joda-Time a later field of one kind wins, an offset wins over a zone, and letters that contradict each
// other may give a third time. The text is not kept.
func (p *Pattern) Parse(s string, loc *time.Location) (ms int64, ok bool) {
	var buf [16]int
	values := buf[:]
	if len(p.parts) > len(buf) {
		values = make([]int, len(p.parts))
	}
	f := found{zone: loc}
	for i := range p.parts {
		n := p.parts[i].parse(&f, s)
		if n < 0 {
			return 0, false
		}
		values[i], s = f.value, s[n:]
	}
	if s != "" {
		return 0, false
	}
	local, ok := p.local(values)
	if !ok {
		return 0, false
	}
	return f.instant(local)
}

// parse reads a part from the beginning of s and gives its length, -1 where s has something else.
func (p *part) parse(f *found, s string) int {
	switch p.letter {
	case 0:
		if len(s) >= len(p.text) && strings.EqualFold(s[:len(p.text)], p.text) {
			return len(p.text)
		}
		return -1
	case 'y', 'x':
		if p.count == 2 {
			return p.readShortYear(&f.value, s)
		}
		return p.readYear(&f.value, s)
	case 'Y':
		return p.readYear(&f.value, s)
	case 'C':
		return number(&f.value, s, p.count, true)
	case 'G':
		return name(&f.value, s, 0, "BC", "AD", "BCE", "CE")
	case 'a':
		return name(&f.value, s, 0, "AM", "PM")
	case 'E':
		return dayName(&f.value, s)
	case 'M':
		if p.count >= 3 {
			return monthName(&f.value, s)
		}
	case 'D':
		return number(&f.value, s, max(p.count, 3), false)
	case 'e':
		return number(&f.value, s, p.count, false)
	case 'S':
		return p.readFraction(&f.value, s)
	case 'z', 'Z':
		return p.readZone(f, s)
	}
	return number(&f.value, s, max(p.count, 2), false)
}

// number reads a number of up to limit digits; a sign counts as one only where digits are left for it.
func number(to *int, s string, limit int, signed bool) int {
	n, v := 0, 0
	negative := false
	if signed && s != "" && (s[0] == '-' || s[0] == '+') {
		if min(limit, len(s)) < 2 {
			return -1
		}
		n, limit, negative = 1, limit+1, s[0] == '-'
	}
	start := n
	for n < len(s) && n < limit && s[n] >= '0' && s[n] <= '9' {
		if v = v*10 + int(s[n]-'0'); v > math.MaxInt32 {
			return -1
		}
		n++
	}
	if n == start {
		return -1
	}
	if negative {
		v = -v
	}
	*to = v
	return n
}

// yearDigits bounds the digits of a year that no number follows at once.
const yearDigits = 9

// readYear reads a year; it has as many digits as letters where another number follows.
func (p *part) readYear(to *int, s string) int {
	limit := p.count
	if !p.digits {
		limit = max(limit, yearDigits)
	}
	return number(to, s, limit, p.letter != 'Y')
}

// pivot is the middle of the years that two digits stand for.
const pivot = 1996

// readShortYear reads a year of two letters: exactly two digits stand for a year around the pivot, and there may be others
// only where no number follows.
func (p *part) readShortYear(to *int, s string) int {
	var n int
	if p.digits {
		if n = number(to, s, 2, false); n != 2 {
			return -1
		}
	} else {
		n = number(to, s, math.MaxInt32, true)
	}
	if n == 2 && s[0] != '-' && s[0] != '+' {
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

// begins says whether s begins with a name, which has letters only: as it is, in capitals or in small letters.
func begins(s, name string) bool {
	if len(s) < len(name) {
		return false
	}
	exact, upper, lower := true, true, true
	for i := range len(name) {
		c := name[i]
		exact = exact && s[i] == c
		upper = upper && s[i] == c&^0x20
		lower = lower && s[i] == c|0x20
	}
	return exact || upper || lower
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
	switch {
	case begins(s, name):
		return len(name)
	case begins(s, name[:3]):
		return 3
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

func (p *part) readZone(f *found, s string) int {
	if p.letter == 'Z' && p.count < 3 {
		return readOffset(f, s)
	}
	end := 0
	for end < min(len(s), maxZoneName) && (s[end]|0x20 >= 'a' && s[end]|0x20 <= 'z' || strings.IndexByte("/_+-0123456789", s[end]) >= 0) {
		end++
	}
	for ; end > 0; end-- { // the longest name that there is
		text := s[:end]
		loc, ok := p.zones[text]
		if p.letter == 'Z' && !javaZones[text] {
			loc, ok = p.place(text)
		}
		if ok {
			f.zone = loc
			return end
		}
	}
	return -1
}

// readOffset reads Z, or a sign and hours, minutes, seconds and thousandths as far as they are there, with colons and a
// point between all of them or between none.
func readOffset(f *found, s string) int {
	if s != "" && s[0]|0x20 == 'z' {
		f.offset, f.hasOffset = 0, true
		return 1
	}
	if s == "" || s[0] != '+' && s[0] != '-' {
		return -1
	}
	hours, ok := twoDigits(s[1:])
	if !ok || hours > 23 {
		return -1
	}
	ms, n := int64(hours)*msPerHour, len("+00")
	separated := n < len(s) && s[n] == ':'
	for unit := int64(60_000); unit >= 1000; unit /= 60 {
		at := n
		if separated {
			if at >= len(s) || s[at] != ':' {
				break
			}
			at++
		}
		if !separated && (at >= len(s) || s[at] < '0' || s[at] > '9') {
			break
		}
		v, ok := twoDigits(s[at:])
		if !ok || v > 59 {
			return -1
		}
		ms, n = ms+int64(v)*unit, at+2
		if unit == 1000 {
			thousandths, length := offsetFraction(s[n:], separated)
			ms, n = ms+thousandths, n+length
		}
	}
	if s[0] == '-' {
		ms = -ms
	}
	f.offset, f.hasOffset = ms, true
	return n
}

// offsetFraction reads up to three digits of a second.
func offsetFraction(s string, separated bool) (ms int64, length int) {
	if separated {
		if len(s) < 2 || s[0] != '.' && s[0] != ',' {
			return 0, 0
		}
		length = 1
	}
	for unit := int64(100); unit > 0 && length < len(s) && s[length] >= '0' && s[length] <= '9'; unit /= 10 {
		ms += int64(s[length]-'0') * unit
		length++
	}
	return ms, length
}

func twoDigits(s string) (int, bool) {
	if len(s) < 2 || s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' {
		return 0, false
	}
	return int(s[0]-'0')*10 + int(s[1]-'0'), true
}
