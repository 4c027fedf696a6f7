package joda

import (
	"strconv"
	"time"
)

// Append appends the text of an instant, in milliseconds, as the clocks of a zone show it.
func (p *Pattern) Append(dst []byte, ms int64, loc *time.Location) []byte {
	t := time.UnixMilli(ms).In(loc)
	for i := range p.parts {
		dst = p.parts[i].append(dst, t)
	}
	return dst
}

func (p *part) append(dst []byte, t time.Time) []byte {
	switch p.letter {
	case 0:
		return append(dst, p.text...)
	case 'y':
		return p.year(dst, t.Year())
	case 'x':
		year, _ := t.ISOWeek()
		return p.year(dst, year)
	case 'Y':
		return p.year(dst, yearOfEra(t.Year()))
	case 'C':
		return padded(dst, magnitude(t.Year())/100, p.count)
	case 'G':
		if t.Year() < 1 {
			return append(dst, "BC"...)
		}
		return append(dst, "AD"...)
	case 'a':
		if t.Hour() < 12 {
			return append(dst, "AM"...)
		}
		return append(dst, "PM"...)
	case 'E':
		return append(dst, shortened(t.Weekday().String(), p.count >= 4)...)
	case 'M':
		if p.count >= 3 {
			return append(dst, shortened(t.Month().String(), p.count >= 4)...)
		}
	case 'S':
		return fraction(dst, t.Nanosecond()/1e6, p.count)
	case 'z':
		return zoneName(dst, t)
	case 'Z':
		if p.count >= 3 {
			return append(dst, t.Location().String()...)
		}
		_, seconds := t.Zone()
		return offset(dst, seconds, p.count == 2)
	}
	return padded(dst, p.number(t), p.count)
}

// number gives the value of the fields that are plain numbers.
func (p *part) number(t time.Time) int {
	switch p.letter {
	case 'M':
		return int(t.Month())
	case 'd':
		return t.Day()
	case 'D':
		return t.YearDay()
	case 'w':
		_, week := t.ISOWeek()
		return week
	case 'e':
		return weekday(t)
	case 'H':
		return t.Hour()
	case 'k':
		return (t.Hour()+23)%24 + 1
	case 'K':
		return t.Hour() % 12
	case 'h':
		return (t.Hour()+11)%12 + 1
	case 'm':
		return t.Minute()
	}
	return t.Second()
}

// weekday counts from Monday, which is 1.
func weekday(t time.Time) int { return (int(t.Weekday())+6)%7 + 1 }

// yearOfEra counts years before Christ upwards.
func yearOfEra(year int) int {
	if year < 1 {
		return 1 - year
	}
	return year
}

// year writes a year; two letters ask for its last two digits, without a sign.
func (p *part) year(dst []byte, year int) []byte {
	if p.count == 2 {
		return padded(dst, magnitude(year)%100, 2)
	}
	return padded(dst, year, p.count)
}

func padded(dst []byte, n, width int) []byte {
	if n < 0 {
		dst = append(dst, '-')
		n = -n
	}
	var digits [20]byte
	text := strconv.AppendInt(digits[:0], int64(n), 10)
	for i := len(text); i < width; i++ {
		dst = append(dst, '0')
	}
	return append(dst, text...)
}

// fraction writes the digits of a second behind the point.
func fraction(dst []byte, ms, count int) []byte {
	digits := [3]byte{byte('0' + ms/100), byte('0' + ms/10%10), byte('0' + ms%10)}
	for i := range count {
		if i < len(digits) {
			dst = append(dst, digits[i])
		} else {
			dst = append(dst, '0')
		}
	}
	return dst
}

func shortened(name string, whole bool) string {
	if whole {
		return name
	}
	return name[:3]
}

// zoneName writes the short name of a zone; one that has none, or only a number, is its offset. Before 1970 it is, as in
// Java, that which the zone has today in standard or in summer time.
func zoneName(dst []byte, t time.Time) []byte {
	name, seconds := t.Zone()
	if t.Year() < firstYear {
		name = ""
		for _, month := range []time.Month{time.January, time.July} {
			if now := time.Date(defaultYear, month, 1, 12, 0, 0, 0, t.Location()); now.IsDST() == t.IsDST() {
				name, _ = now.Zone()
				break
			}
		}
	}
	if name == "" || name[0] == '+' || name[0] == '-' {
		return offset(dst, seconds, true)
	}
	return append(dst, name...)
}

func offset(dst []byte, seconds int, colon bool) []byte {
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	dst = padded(append(dst, sign), seconds/3600, 2)
	if colon {
		dst = append(dst, ':')
	}
	return padded(dst, seconds/60%60, 2)
}
