package row

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"ogham/domain/joda"
)

// TimestampFormat is a timestampSpec's format.
type TimestampFormat uint8

// The formats that are read.
const (
	FormatAuto TimestampFormat = iota
	FormatISO8601
	FormatPosix
	FormatMillis
	FormatMicro
	FormatNano
	FormatRuby    // seconds with a fraction
	FormatPattern // a pattern of Joda-Time, which stands in Timestamp.Pattern
)

// ParseTimestampFormat gives the format for a timestampSpec's name, case ignored; ok is false for one not known here.
func ParseTimestampFormat(name string) (f TimestampFormat, ok bool) {
	switch strings.ToLower(name) {
	case "", "auto":
		return FormatAuto, true
	case "iso":
		return FormatISO8601, true
	case "posix":
		return FormatPosix, true
	case "millis":
		return FormatMillis, true
	case "micro":
		return FormatMicro, true
	case "nano":
		return FormatNano, true
	case "ruby":
		return FormatRuby, true
	}
	return 0, false
}

// ParseTimestamp gives the Timestamp of a column and a timestampSpec's format: a name or a pattern. The error says what is
// wrong with a pattern.
func ParseTimestamp(column, format string) (Timestamp, error) {
	if f, ok := ParseTimestampFormat(format); ok && format != "" {
		return Timestamp{Column: column, Format: f}, nil
	}
	p, err := joda.Compile(format)
	if err != nil {
		return Timestamp{}, fmt.Errorf("Unable to parse timestamps with format [%s]: %w", format, err) //nolint:staticcheck // Druid's words
	}
	return Timestamp{Column: column, Format: FormatPattern, Pattern: p}, nil
}

// Time reads a row's time from the value of the timestamp column; where that is null or absent, it is the missing value.
func (t *Timestamp) Time(v *Value) (ms int64, ok bool) {
	if t.Format == FormatPattern && v.Kind > Null {
		return t.pattern(v)
	}
	ms, missing, ok := t.Format.Time(v)
	if missing && t.MissingValue != nil {
		return *t.MissingValue, true
	}
	return ms, ok && !missing
}

// Own returns it for one reader of rows, who may not be used by two goroutines at once.
func (t Timestamp) Own() Timestamp {
	if t.Pattern != nil {
		t.Pattern = t.Pattern.Own()
	}
	return t
}

// pattern reads a text by the pattern; anything else as its text.
func (t *Timestamp) pattern(v *Value) (ms int64, ok bool) {
	text := v.Text
	if v.Kind != String {
		if v.Kind == List || v.Kind == Object {
			return 0, false
		}
		text = new(Rows).AppendText(nil, v)
	}
	if len(text) == 0 {
		return 0, false
	}
	return t.Pattern.Parse(stripQuotes(unsafe.String(unsafe.SliceData(text), len(text))), time.UTC)
}

// Times that Druid represents: the interval that it calls eternity, end exclusive.
const (
	MinInstant = math.MinInt64 / 2
	MaxInstant = math.MaxInt64 / 2
)

// Time reads a time from the value of the timestamp column, by any format but FormatPattern. missing says that the value is null or absent, in
// which case the caller uses the missingValue; ok is false for a value that is none.
func (f TimestampFormat) Time(v *Value) (ms int64, missing, ok bool) {
	switch v.Kind {
	case String:
		if f <= FormatISO8601 {
			if ms, ok = fastISO(v.Text); ok {
				return ms, false, true
			}
		}
		ms, ok = f.Parse(string(v.Text))
		return ms, false, ok
	case Long:
		if f == FormatISO8601 {
			ms, ok = f.Parse(strconv.FormatInt(int64(v.Num), 10))
			return ms, false, ok
		}
		return f.number(int64(v.Num)), false, true
	case Double:
		if f == FormatISO8601 {
			return 0, false, false
		}
		if f == FormatRuby {
			return saturate(math.Float64frombits(v.Num) * msSecond), false, true
		}
		return f.number(saturate(math.Float64frombits(v.Num))), false, true
	case Missing, Null:
		return 0, true, true
	}
	return 0, false, false
}

// number turns a JSON number into milliseconds; seconds saturate, parts of a millisecond are cut.
func (f TimestampFormat) number(n int64) int64 {
	switch f {
	case FormatMicro:
		return n / 1000
	case FormatNano:
		return n / 1_000_000
	case FormatRuby:
		return saturate(float64(n) * msSecond)
	case FormatPosix:
	default:
		return n
	}
	switch {
	case n > math.MaxInt64/msSecond:
		return math.MaxInt64
	case n < math.MinInt64/msSecond:
		return math.MinInt64
	}
	return n * msSecond
}

// Parse reads a time from text.
func (f TimestampFormat) Parse(s string) (ms int64, ok bool) {
	if s == "" {
		return 0, false
	}
	switch f {
	case FormatAuto:
		return parseAuto(s)
	case FormatISO8601:
		s = stripQuotes(s)
		if ms, ok = ParseISO(s); ok {
			return ms, true
		}
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil
	case FormatRuby:
		d, ok := parseJavaFloat(stripQuotes(s), 64)
		return saturate(d * msSecond), ok
	default:
		n, err := strconv.ParseInt(stripQuotes(s), 10, 64)
		return f.number(n), err == nil
	}
}

// parseAuto: digits are milliseconds; of anything else a known zone's name is cut off without shifting the time, and
// the rest is a date, optionally T or a space and a time, optionally an offset.
func parseAuto(s string) (int64, bool) {
	if allDigits(s) {
		n, err := strconv.ParseInt(s, 10, 64)
		return n, err == nil
	}
	s = stripQuotes(s)
	if i := strings.LastIndexByte(s, ' '); i > 0 && knownZone(s[i+1:]) {
		s = s[:i]
	}
	return parseISO(s, true)
}

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

// stripQuotes trims, removes one pair of double quotes and trims again.
func stripQuotes(s string) string {
	s = javaTrim(s)
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = javaTrim(s[1 : len(s)-1])
	}
	return s
}

// javaTrim is Java's String.trim: everything up to the space goes.
func javaTrim(s string) string {
	for len(s) > 0 && s[0] <= ' ' {
		s = s[1:]
	}
	for len(s) > 0 && s[len(s)-1] <= ' ' {
		s = s[:len(s)-1]
	}
	return s
}

// fastISO reads exactly yyyy-MM-ddTHH:mm:ssZ or yyyy-MM-ddTHH:mm:ss.SSSZ; anything else is left to the general parser.
func fastISO(b []byte) (ms int64, ok bool) {
	switch {
	case len(b) == 24:
		if b[19] != '.' || b[23] != 'Z' {
			return 0, false
		}
		f, bad := two(b, 20)
		c := b[22] - '0'
		if bad || c > 9 {
			return 0, false
		}
		ms = int64(f)*10 + int64(c)
	case len(b) == 20:
		if b[19] != 'Z' {
			return 0, false
		}
	default:
		return 0, false
	}
	if b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	y1, bad1 := two(b, 0)
	y2, bad2 := two(b, 2)
	mo, bad3 := two(b, 5)
	d, bad4 := two(b, 8)
	h, bad5 := two(b, 11)
	mi, bad6 := two(b, 14)
	s, bad7 := two(b, 17)
	year := int64(y1)*100 + int64(y2)
	if bad1 || bad2 || bad3 || bad4 || bad5 || bad6 || bad7 || mo < 1 || mo > 12 || h > 23 || mi > 59 || s > 59 ||
		d < 1 || int(d) > 28 && int(d) > daysInMonth(year, int(mo)) {
		return 0, false
	}
	return daysFromCivil(year, int(mo), int(d))*msDay + int64(h)*msHour + int64(mi)*msMinute + int64(s)*msSecond + ms, true
}

// two reads the two digits at i.
func two(b []byte, i int) (v uint, bad bool) {
	x, y := uint(b[i])-'0', uint(b[i+1])-'0'
	return x*10 + y, x > 9 || y > 9
}
