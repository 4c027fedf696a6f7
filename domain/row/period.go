package row

import (
	"fmt"
	"math"
)

// period is an ISO-8601 period reduced to months and milliseconds.
type period struct {
	months, ms int64
	// oneWeek says that it is exactly P1W, whose buckets start on Mondays.
	oneWeek bool
}

// maxPeriodNumber bounds each number of a period so that sums stay in 64 bits.
const maxPeriodNumber = 1_000_000_000

// parsePeriod reads PnYnMnWnDTnHnMnS; seconds may have a fraction.
func parsePeriod(s string) (p period, err error) {
	bad := func() (period, error) { return period{}, fmt.Errorf("period %q is malformed", s) }
	if len(s) < 3 || s[0] != 'P' && s[0] != 'p' {
		return bad()
	}
	inTime, last := false, -1
	for i := 1; i < len(s); {
		if s[i]|0x20 == 't' {
			if inTime || i+1 == len(s) {
				return bad()
			}
			inTime, last = true, -1
			i++
			continue
		}
		v, n := digitsOf(s[i:])
		if n == 0 || v > maxPeriodNumber || i+n >= len(s) {
			return bad()
		}
		i += n
		fraction := int64(0)
		if s[i] == '.' && inTime {
			f, k := digitsOf(s[i+1:])
			if k == 0 || k > 9 || i+1+k >= len(s) || s[i+1+k]|0x20 != 's' {
				return bad()
			}
			fraction = scale(f, k, msSecond)
			i += 1 + k
		}
		order, months, ms := periodUnit(s[i], inTime)
		if order <= last {
			return bad()
		}
		last = order
		p.months += v * months
		p.ms += v*ms + fraction
		p.oneWeek = order == orderWeek && v == 1 && len(s) == 3
		i++
	}
	if p.months > maxPeriodNumber || p.ms > math.MaxInt64/4 {
		return bad()
	}
	return p, nil
}

const orderWeek = 2

// periodUnit gives a unit's place in its half of the period and its size; order is -1 for a letter that is none.
func periodUnit(c byte, inTime bool) (order int, months, ms int64) {
	if inTime {
		switch c | 0x20 {
		case 'h':
			return 0, 0, msHour
		case 'm':
			return 1, 0, msMinute
		case 's':
			return 2, 0, msSecond
		}
		return -1, 0, 0
	}
	switch c | 0x20 {
	case 'y':
		return 0, 12, 0
	case 'm':
		return 1, 1, 0
	case 'w':
		return orderWeek, 0, 7 * msDay
	case 'd':
		return 3, 0, msDay
	}
	return -1, 0, 0
}

// digitsOf reads leading digits; the value saturates.
func digitsOf(s string) (v int64, n int) {
	for n < len(s) && isDigit(s[n]) {
		if v <= maxPeriodNumber {
			v = v*10 + int64(s[n]-'0')
		}
		n++
	}
	return v, n
}
