package joda

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"ogham/domain/calendar"
)

// Pattern is a compiled pattern.
type Pattern struct {
	source string
	parts  []part
	fields []setting // in the order in which they are set
	plain  bool      // the fields are some of year to millisecond, each once
}

// part is a field, or text to be taken as it is where letter is 0.
type part struct {
	letter byte
	count  int // of the letter
	text   string
	// digits says that another number follows at once, so that a number has exactly count digits.
	digits bool
	zones  map[string]*time.Location // that the letter z reads
	// met are the zones that ZZZ has read, where they are remembered.
	met map[string]*time.Location
}

// maxMet bounds the zones that are remembered; one has some kilobytes.
const maxMet = 100

// maxPattern bounds a pattern, in bytes.
const maxPattern = 1024

const letters = "GCYxweEyDMdaKhHkmsSzZ"

// Compile reads a pattern. The error's text is Joda-Time's.
func Compile(pattern string) (*Pattern, error) {
	if pattern == "" {
		return nil, errors.New("Invalid pattern specification") //nolint:staticcheck // the words of Druid and its libraries
	}
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("the pattern is longer than %d bytes", maxPattern)
	}
	p := &Pattern{source: pattern}
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z':
			n := 1
			for i+n < len(pattern) && pattern[i+n] == c {
				n++
			}
			if strings.IndexByte(letters, c) < 0 {
				return nil, fmt.Errorf("Illegal pattern component: %s", pattern[i:i+n]) //nolint:staticcheck // the words of Druid and its libraries
			}
			if c == 'z' && n >= 4 {
				return nil, errors.New("the long names of time zones (zzzz) are not supported, use z")
			}
			if c == 'Y' && n == 2 {
				c = 'y' // two digits are of a year, not of a year of an era
			}
			p.parts = append(p.parts, part{letter: c, count: n})
			if c == 'z' {
				p.parts[len(p.parts)-1].zones = shortZones()
			}
			i += n
		default:
			text, end := literal(pattern, i)
			p.parts = append(p.parts, part{text: text})
			i = end
		}
	}
	if len(p.parts) == 1 && p.parts[0].letter == 0 && p.parts[0].text == "" {
		return nil, errors.New("Both printing and parsing not supported") //nolint:staticcheck // Joda-Time's words
	}
	for i := range p.parts[:len(p.parts)-1] {
		p.parts[i].digits = p.parts[i].numeric() && p.parts[i+1].numeric()
	}
	p.arrange()
	return p, nil
}

// literal reads text up to the next field; within quotes letters are text too, and two quotes are one.
func literal(pattern string, i int) (text string, end int) {
	var b strings.Builder
	quoted := false
	for ; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\'' && i+1 < len(pattern) && pattern[i+1] == '\'':
			b.WriteByte(c)
			i++
		case c == '\'':
			quoted = !quoted
		case !quoted && c|0x20 >= 'a' && c|0x20 <= 'z':
			return b.String(), i
		default:
			b.WriteByte(c)
		}
	}
	return b.String(), i
}

// shortZones gives the zones of zoneNames.
func shortZones() map[string]*time.Location {
	zones := make(map[string]*time.Location, len(zoneNames))
	for name, place := range zoneNames {
		if loc, ok := calendar.Place(place); ok {
			zones[name] = loc
		}
	}
	return zones
}

// Own returns the pattern for a reader of many texts: it remembers the zones that it has read, which are made of the
// database's bytes otherwise, and may not be used by two goroutines at once.
func (p *Pattern) Own() *Pattern {
	out := *p
	out.parts = slices.Clone(p.parts)
	for i := range out.parts {
		if q := &out.parts[i]; q.letter == 'Z' && q.count >= 3 {
			q.met = map[string]*time.Location{}
		}
	}
	return &out
}

// place gives the zone of a name that ZZZ reads.
func (p *part) place(name string) (loc *time.Location, ok bool) {
	if loc, ok = p.met[name]; ok {
		return loc, true
	}
	if loc, ok = calendar.Place(name); ok && p.met != nil && len(p.met) < maxMet {
		p.met[strings.Clone(name)] = loc
	}
	return loc, ok
}

// numeric says whether a part is a number.
func (p *part) numeric() bool {
	switch p.letter {
	case 0, 'G', 'E', 'a', 'z', 'Z':
		return false
	case 'M':
		return p.count < 3
	}
	return true
}

// String gives the text that the pattern was compiled from.
func (p *Pattern) String() string { return p.source }
