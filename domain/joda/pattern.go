package joda

import (
	"errors"
	"fmt"
	"strings"
)

// Pattern is a compiled pattern.
type Pattern struct {
	source string
	parts  []part
}

// part is a field, or text to be taken as it is where letter is 0.
type part struct {
	letter byte
	count  int // of the letter
	text   string
	// digits says that another number follows at once, so that a number has exactly count digits.
	digits bool
}

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
			p.parts = append(p.parts, part{letter: c, count: n})
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
