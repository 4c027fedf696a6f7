package filter

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"ogham/domain/calendar"
	"ogham/domain/joda"
	"ogham/domain/row"
)

// timeFormat formats a time: that of the column __time, a text of milliseconds where asMillis says so, or an ISO time.
type timeFormat struct {
	// pattern, nil for the ISO form, or for milliseconds where millis is set.
	pattern     *joda.Pattern
	loc         *time.Location
	granularity row.Granularity
	millis      bool
}

func (p *parser) timeFormat(m members, path string) extraction {
	t := &timeFormat{millis: m.flag("asMillis")}
	source, has := m.text("format")
	if has {
		var err error
		if t.pattern, err = joda.Compile(source); err != nil {
			p.fail(path+".format", err.Error())
			return nil
		}
	}
	name, _ := m.text("timeZone")
	var ok bool
	if t.loc, ok = calendar.Zone(name); !ok {
		p.fail(path+".timeZone", "time zone "+quote(name)+" is not known")
		return nil
	}
	if locale, _ := m.text("locale"); has && hasNames(source) && !strings.HasPrefix(locale, "en") && locale != "" {
		p.refuse(path+".locale", "only English names of months, days, eras, zones and halves of a day are supported, not those of locale '"+locale+"'")
	}
	if m.has("granularity") {
		t.granularity = p.granularity(m["granularity"], path+".granularity")
	}
	return t
}

// hasNames says whether a pattern has parts that are words of a language.
func hasNames(pattern string) bool {
	quoted := false
	for i, c := range pattern {
		switch c {
		case '\'':
			quoted = !quoted
		case 'E', 'a', 'z', 'G':
			if !quoted {
				return true
			}
		case 'M':
			if !quoted && strings.HasPrefix(pattern[i:], "MMM") {
				return true
			}
		}
	}
	return false
}

func (t *timeFormat) apply(_ *Filter, in argument) (string, bool) {
	if !in.some {
		return "", false
	}
	ms, ok := t.read(in)
	if !ok {
		return "", false
	}
	ms = t.granularity.Truncate(ms)
	switch {
	case t.pattern != nil:
		return string(t.pattern.Append(nil, ms, t.loc)), true
	case t.millis:
		return strconv.FormatInt(ms, 10), true
	}
	return isoText(ms, t.loc), true
}

func (t *timeFormat) read(in argument) (ms int64, ok bool) {
	if in.time || t.millis {
		if n, err := strconv.ParseInt(in.text, 10, 64); err == nil {
			return n, true
		}
	}
	return row.ParseISO(in.text)
}

var isoPattern = mustCompile("yyyy-MM-dd'T'HH:mm:ss.SSS")

func mustCompile(pattern string) *joda.Pattern {
	p, err := joda.Compile(pattern)
	if err != nil {
		panic(err)
	}
	return p
}

// isoText writes a time as Joda-Time's ISODateTimeFormat.dateTime does: with a Z in place of an offset of none, and with
// the seconds of the offset where there are some.
func isoText(ms int64, loc *time.Location) string {
	text := isoPattern.Append(nil, ms, loc)
	seconds := calendar.Offset(ms, loc) / 1000
	if seconds == 0 {
		return string(append(text, 'Z'))
	}
	sign := byte('+')
	if seconds < 0 {
		sign, seconds = '-', -seconds
	}
	text = appendTwo(append(text, sign), seconds/3600)
	text = appendTwo(append(text, ':'), seconds/60%60)
	if seconds%60 != 0 {
		text = appendTwo(append(text, ':'), seconds%60)
	}
	return string(text)
}

func appendTwo(dst []byte, n int64) []byte { return append(dst, byte('0'+n/10), byte('0'+n%10)) }

// granularity reads a granularity: a name, or the object in which it is stored.
func (p *parser) granularity(raw json.RawMessage, path string) (g row.Granularity) {
	var name string
	if json.Unmarshal(raw, &name) == nil {
		return p.namedGranularity(name, path)
	}
	var spec struct {
		Type, Period, TimeZone, Origin string
		Duration                       json.Number
	}
	if err := json.Unmarshal(raw, &spec); err != nil {
		p.fail(path, "a granularity must be a name or an object")
		return g
	}
	loc, ok := calendar.Zone(spec.TimeZone)
	if !ok {
		p.fail(path+".timeZone", "time zone "+quote(spec.TimeZone)+" is not known")
		return g
	}
	var origin *int64
	if spec.Origin != "" {
		ms, ok := row.ParseISO(spec.Origin)
		if !ok {
			p.fail(path+".origin", "origin "+quote(spec.Origin)+" is no ISO time")
		}
		origin = &ms
	}
	var err error
	switch spec.Type {
	case "period":
		g, err = row.ZonedGranularity(spec.Period, loc, origin)
	case "duration":
		start, length := int64(0), int64(0)
		if origin != nil {
			start = *origin
		}
		if length, err = spec.Duration.Int64(); err == nil {
			g, err = row.DurationGranularity(length, start)
		}
	default:
		return p.namedGranularity(spec.Type, path)
	}
	if err != nil {
		p.fail(path, err.Error())
	}
	return g
}

func (p *parser) namedGranularity(name, path string) row.Granularity {
	g, err := row.ParseGranularity(name)
	switch {
	case err != nil:
		p.fail(path, err.Error())
	case strings.EqualFold(name, "all"):
		p.refuse(path, "granularity all is not supported here: it makes the same text of every time")
	}
	return g
}

// reformatted makes the function time, which writes a time in another format and leaves alone what it cannot read.
func (p *parser) reformatted(m members, path string) extraction {
	pattern := func(member string) *joda.Pattern {
		source, ok := m.text(member)
		if !ok {
			p.fail(path+"."+member, member+" must not be null")
			return nil
		}
		compiled, err := joda.Compile(source)
		if err != nil {
			p.fail(path+"."+member, err.Error())
		}
		return compiled
	}
	if !m.flag("joda") {
		p.refuse(path+".joda", "extractionFn 'time' is supported with joda true only: without it the formats are those of a Java library that guesses")
		return nil
	}
	from, to := pattern("timeFormat"), pattern("resultFormat")
	return ofText(func(s string) (string, bool) {
		ms, ok := from.Parse(s, time.UTC)
		if !ok {
			return s, true
		}
		return string(to.Append(nil, ms, time.UTC)), true
	})
}
