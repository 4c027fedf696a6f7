package row

import "strconv"

const (
	msSecond = 1000
	msMinute = 60 * msSecond
	msHour   = 60 * msMinute
	msDay    = 24 * msHour
)

// maxYear bounds years so that milliseconds stay in 64 bits; Joda's calendar ends there too.
const maxYear = 292278993

// daysFromCivil gives the days from 1970-01-01 to a date of the proleptic Gregorian calendar, for any year in range.
func daysFromCivil(y int64, m, d int) int64 {
	if m <= 2 {
		y--
	}
	era := floorDiv(y, 400)
	yoe := y - era*400
	mp := int64((m + 9) % 12)
	doy := (153*mp+2)/5 + int64(d) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// civilFromDays is the inverse of daysFromCivil.
func civilFromDays(z int64) (y int64, m, d int) {
	z += 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	y = yoe + era*400
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	d = int(doy - (153*mp+2)/5 + 1)
	m = int(mp + 3)
	if m > 12 {
		m -= 12
	}
	if m <= 2 {
		y++
	}
	return y, m, d
}

func leap(y int64) bool { return y%4 == 0 && (y%100 != 0 || y%400 == 0) }

var monthDays = [13]int{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}

func daysInMonth(y int64, m int) int {
	if m == 2 && leap(y) {
		return 29
	}
	return monthDays[m]
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// FormatISO gives a time as Druid prints it: 2026-11-20T00:00:00.000Z, years of more than four digits as they are.
func FormatISO(ms int64) string {
	days := floorDiv(ms, msDay)
	y, m, d := civilFromDays(days)
	rest := ms - days*msDay
	b := make([]byte, 0, 32)
	if y < 0 {
		b = append(b, '-')
		y = -y
	}
	b = pad(b, y, 4)
	b = pad(append(b, '-'), int64(m), 2)
	b = pad(append(b, '-'), int64(d), 2)
	b = pad(append(b, 'T'), rest/msHour, 2)
	b = pad(append(b, ':'), rest/msMinute%60, 2)
	b = pad(append(b, ':'), rest/msSecond%60, 2)
	b = pad(append(b, '.'), rest%msSecond, 3)
	return string(append(b, 'Z'))
}

func pad(b []byte, v int64, width int) []byte {
	for n := int64(10); width > 1; width, n = width-1, n*10 {
		if v < n {
			for ; width > 1; width-- {
				b = append(b, '0')
			}
			break
		}
	}
	return strconv.AppendInt(b, v, 10)
}
