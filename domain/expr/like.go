package expr

import (
	"strings"
	"unicode/utf8"
)

// Like is a pattern of SQL's LIKE: % stands for any text, _ for one character.
type Like struct {
	parts []likePart
	// prefix is a pattern's text up to its only %, at its end; simple says that there is nothing more to it.
	prefix string
	simple bool
}

type likePart struct {
	r   rune
	any bool // %
	one bool // _
}

// NewLike reads a pattern. What follows an escape stands for itself; 0 is no escape.
func NewLike(pattern string, escape rune) *Like {
	l := &Like{}
	escaped := false
	for _, r := range pattern {
		switch {
		case escaped:
			l.parts = append(l.parts, likePart{r: r})
			escaped = false
		case escape != 0 && r == escape:
			escaped = true
		case r == '%':
			if n := len(l.parts); n == 0 || !l.parts[n-1].any {
				l.parts = append(l.parts, likePart{any: true})
			}
		case r == '_':
			l.parts = append(l.parts, likePart{one: true})
		default:
			l.parts = append(l.parts, likePart{r: r})
		}
	}
	l.findPrefix()
	return l
}

func (l *Like) findPrefix() {
	n := len(l.parts)
	if n == 0 || !l.parts[n-1].any {
		return
	}
	var b strings.Builder
	for _, p := range l.parts[:n-1] {
		if p.any || p.one {
			return
		}
		b.WriteRune(p.r)
	}
	l.prefix, l.simple = b.String(), true
}

// Match says whether the whole of a text matches. Its time is bounded by the product of the two lengths.
func (l *Like) Match(s string) bool {
	if l.simple {
		return strings.HasPrefix(s, l.prefix)
	}
	at, part := 0, 0
	star, resume := -1, 0 // the last % and where the text goes on that it has not swallowed
	for at < len(s) {
		r, size := utf8.DecodeRuneInString(s[at:])
		switch {
		case part < len(l.parts) && l.parts[part].any:
			star, resume = part, at
			part++
			continue
		case part < len(l.parts) && (l.parts[part].one || l.parts[part].r == r):
			at += size
			part++
			continue
		case star < 0:
			return false
		}
		_, size = utf8.DecodeRuneInString(s[resume:])
		resume += size
		at, part = resume, star+1
	}
	for part < len(l.parts) && l.parts[part].any {
		part++
	}
	return part == len(l.parts)
}
