package spec

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// Period is an ISO-8601 period as Joda-Time reads it: its fields are kept apart, so that P7D is not P1W.
type Period struct {
	Years, Months, Weeks, Days     int64
	Hours, Minutes, Seconds, Milli int64
}

const (
	secondMillis int64 = 1000
	minuteMillis       = 60 * secondMillis
	hourMillis         = 60 * minuteMillis
	dayMillis          = 24 * hourMillis
	weekMillis         = 7 * dayMillis
)

// ParsePeriod reads a period such as PT1H, P1DT12H or PT0.5S. Letters may be lower case and fields negative, as in
// Joda-Time; the error has Joda-Time's text.
func ParsePeriod(text string) (Period, error) {
	p := periodParser{text: text}
	if !p.letter('P') {
		return Period{}, formatError(text, p.at)
	}
	for _, f := range []struct {
		designator byte
		value      *int64
	}{{'Y', &p.out.Years}, {'M', &p.out.Months}, {'W', &p.out.Weeks}, {'D', &p.out.Days}} {
		p.field(f.designator, f.value)
	}
	if p.letter('T') {
		fields := p.fields
		p.field('H', &p.out.Hours)
		p.field('M', &p.out.Minutes)
		p.seconds()
		if p.fields == fields {
			return Period{}, formatError(text, p.at)
		}
	}
	if p.fields == 0 || p.at < len(text) {
		return Period{}, formatError(text, p.at)
	}
	return p.out, nil
}

type periodParser struct {
	text   string
	at     int
	fields int
	out    Period
}

func (p *periodParser) letter(c byte) bool {
	if p.at < len(p.text) && p.text[p.at]&^0x20 == c {
		p.at++
		return true
	}
	return false
}

// number is the signed number at the current place and where it ends; the place is left alone.
func (p *periodParser) number() (v int64, end int, ok bool) {
	end = p.at
	if end < len(p.text) && (p.text[end] == '-' || p.text[end] == '+') {
		end++
	}
	first := end
	for end < len(p.text) && '0' <= p.text[end] && p.text[end] <= '9' {
		end++
	}
	if end == first {
		return 0, p.at, false
	}
	v, err := strconv.ParseInt(p.text[p.at:end], 10, 64)
	return v, end, err == nil
}

func (p *periodParser) field(designator byte, value *int64) {
	v, end, ok := p.number()
	if ok && v == int64(int32(v)) && end < len(p.text) && p.text[end]&^0x20 == designator {
		*value, p.at = v, end+1
		p.fields++
	}
}

// maxSeconds keeps a period's seconds within an int64 of milliseconds.
const maxSeconds = math.MaxInt64/secondMillis - 1

// seconds reads the last field, the only one that may have a fraction, of which three digits count. It may be longer
// than an int, unlike Joda-Time's: Druid writes lengths in seconds and cannot read its own text again above 68 years.
func (p *periodParser) seconds() {
	v, end, ok := p.number()
	if !ok || v > maxSeconds || v < -maxSeconds {
		return
	}
	var fraction int64
	if end < len(p.text) && (p.text[end] == '.' || p.text[end] == ',') {
		scale := int64(100)
		for end++; end < len(p.text) && '0' <= p.text[end] && p.text[end] <= '9'; end++ {
			fraction += scale * int64(p.text[end]-'0')
			scale /= 10
		}
	}
	if end >= len(p.text) || p.text[end]&^0x20 != 'S' {
		return
	}
	if strings.HasPrefix(p.text[p.at:], "-") {
		fraction = -fraction
	}
	p.out.Seconds, p.out.Milli, p.at = v, fraction, end+1
	p.fields++
}

// formatError is Joda-Time's message for text that cannot be read from a place on.
func formatError(text string, at int) error {
	sample := text
	if len(text) > at+35 {
		sample = strings.ToValidUTF8(text[:at+32], "") + "..."
	}
	switch {
	case at <= 0:
		return fmt.Errorf("Invalid format: \"%s\"", sample) //nolint:staticcheck // Druid's text
	case at >= len(text):
		return fmt.Errorf("Invalid format: \"%s\" is too short", sample) //nolint:staticcheck // Druid's text
	}
	rest := strings.TrimPrefix(sample, text[:at])
	return fmt.Errorf("Invalid format: \"%s\" is malformed at \"%s\"", sample, rest) //nolint:staticcheck // Druid's text
}

// periodOfMillis is the period that Joda-Time makes of a length: hours, minutes, seconds and milliseconds.
func periodOfMillis(ms int64) Period {
	return Period{
		Hours: ms / hourMillis, Minutes: ms % hourMillis / minuteMillis,
		Seconds: ms % minuteMillis / secondMillis, Milli: ms % secondMillis,
	}
}

// Millis is the exact length with days of 24 hours and weeks of seven days. Months and years have no exact length.
func (p Period) Millis() (int64, error) {
	const text = "Cannot convert to Duration as this period contains %[1]s and %[1]s vary in length"
	if p.Months != 0 {
		return 0, fmt.Errorf(text, "months") //nolint:staticcheck // Joda-Time's text
	}
	if p.Years != 0 {
		return 0, fmt.Errorf(text, "years") //nolint:staticcheck // Joda-Time's text
	}
	ms, ok := p.sum()
	if !ok {
		return 0, fmt.Errorf("The calculation caused an overflow: %s", p) //nolint:staticcheck // Joda-Time's text
	}
	return ms, nil
}

// sum adds up the fields below months.
func (p Period) sum() (ms int64, ok bool) {
	ok = true
	for _, f := range [...][2]int64{
		{p.Weeks, weekMillis},
		{p.Days, dayMillis},
		{p.Hours, hourMillis},
		{p.Minutes, minuteMillis},
		{p.Seconds, secondMillis},
		{p.Milli, 1},
	} {
		part, fits := multiply(f[0], f[1])
		next := ms + part
		if !fits || (part > 0) != (next > ms) && part != 0 {
			ok = false
		}
		ms = next
	}
	return ms, ok
}

func multiply(a, b int64) (int64, bool) {
	negative := a < 0
	ua := uint64(a)
	if negative {
		ua = -ua
	}
	high, low := bits.Mul64(ua, uint64(b))
	if high != 0 || low > math.MaxInt64 {
		return 0, false
	}
	if negative {
		return -int64(low), true
	}
	return int64(low), true
}

// roughMillis is Millis with months of 30 and years of 365 days, cut to what an int64 can hold; for limits in time whose
// exact length does not matter.
func (p Period) roughMillis() int64 {
	p.Days += 30*p.Months + 365*p.Years
	if ms, ok := p.sum(); ok {
		return ms
	}
	return math.MaxInt64
}

// String is the period in Joda-Time's form: fields in order, zero ones left out, PT0S for nothing.
func (p Period) String() string {
	var b strings.Builder
	b.WriteByte('P')
	put := func(v int64, designator byte) {
		if v != 0 {
			b.WriteString(strconv.FormatInt(v, 10))
			b.WriteByte(designator)
		}
	}
	put(p.Years, 'Y')
	put(p.Months, 'M')
	put(p.Weeks, 'W')
	put(p.Days, 'D')
	if p.Hours == 0 && p.Minutes == 0 && p.Seconds == 0 && p.Milli == 0 && b.Len() > 1 {
		return b.String()
	}
	b.WriteByte('T')
	put(p.Hours, 'H')
	put(p.Minutes, 'M')
	if p.Seconds != 0 || p.Milli != 0 || p.Hours == 0 && p.Minutes == 0 {
		writeSeconds(&b, p.Seconds*secondMillis+p.Milli)
	}
	return b.String()
}

// durationText is a length in Joda-Time's form for a Duration: PT3600S, PT0.500S.
func durationText(ms int64) string {
	var b strings.Builder
	b.WriteString("PT")
	writeSeconds(&b, ms)
	return b.String()
}

func writeSeconds(b *strings.Builder, ms int64) {
	if ms < 0 {
		b.WriteByte('-')
	}
	whole, fraction := ms/secondMillis, ms%secondMillis
	b.WriteString(strings.TrimPrefix(strconv.FormatInt(whole, 10), "-"))
	if fraction != 0 {
		fmt.Fprintf(b, ".%03d", max(fraction, -fraction))
	}
	b.WriteByte('S')
}

// duration is a length in milliseconds as a time.Duration, cut to the longest one.
func duration(ms int64) time.Duration {
	const longest = math.MaxInt64 / int64(time.Millisecond)
	switch {
	case ms > longest:
		return math.MaxInt64
	case ms < -longest:
		return math.MinInt64
	}
	return time.Duration(ms) * time.Millisecond
}
