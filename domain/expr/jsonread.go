package expr

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxJSONDepth is Jackson's limit of nesting.
const maxJSONDepth = 1000

// parseJSON reads the JSON value that a text begins with into a tree; what follows it is left alone, as Druid does. Of
// members with one name the last value counts, at the place of the first.
func parseJSON(s string) (tree any, ok bool) {
	r := jsonReader{s: s}
	tree = r.value(0)
	if _, number := tree.(int64); number || isFloat(tree) { // nothing but space may follow a number
		r.bad = r.bad || r.at < len(s) && strings.IndexByte(" \t\r\n", s[r.at]) < 0
	}
	return tree, !r.bad
}

func isFloat(tree any) bool {
	_, ok := tree.(float64)
	return ok
}

type jsonReader struct {
	s   string
	at  int
	bad bool
}

func (r *jsonReader) space() {
	for r.at < len(r.s) && strings.IndexByte(" \t\r\n", r.s[r.at]) >= 0 {
		r.at++
	}
}

func (r *jsonReader) fail() any {
	r.bad = true
	return nil
}

// take reads a character, behind space, if it is next.
func (r *jsonReader) take(c byte) bool {
	r.space()
	if r.at < len(r.s) && r.s[r.at] == c {
		r.at++
		return true
	}
	return false
}

func (r *jsonReader) value(depth int) any {
	if depth > maxJSONDepth || r.bad {
		return r.fail()
	}
	switch {
	case r.take('{'):
		return r.object(depth)
	case r.take('['):
		return r.list(depth)
	case r.take('"'):
		return r.text()
	case r.word("true"):
		return true
	case r.word("false"):
		return false
	case r.word("null"):
		return nil
	}
	return r.number()
}

// word reads a literal name.
func (r *jsonReader) word(w string) bool {
	rest, ok := strings.CutPrefix(r.s[r.at:], w)
	if !ok || rest != "" && (isLetter(rest[0]) || isDigit(rest[0])) {
		return false
	}
	r.at += len(w)
	return true
}

func (r *jsonReader) list(depth int) any {
	list := []any{}
	if r.take(']') {
		return list
	}
	for {
		list = append(list, r.value(depth+1))
		if r.bad || r.take(']') {
			return list
		}
		if !r.take(',') {
			return r.fail()
		}
	}
}

func (r *jsonReader) object(depth int) any {
	o := &Object{}
	var places map[string]int
	if r.take('}') {
		return o
	}
	for {
		if !r.take('"') {
			return r.fail()
		}
		key := r.text()
		if r.bad || !r.take(':') {
			return r.fail()
		}
		value := r.value(depth + 1)
		if r.bad {
			return nil
		}
		if places == nil {
			places = map[string]int{}
		}
		if at, twice := places[key]; twice {
			o.Values[at] = value
		} else {
			places[key] = len(o.Keys)
			o.Keys, o.Values = append(o.Keys, key), append(o.Values, value)
		}
		if r.take('}') {
			return o
		}
		if !r.take(',') {
			return r.fail()
		}
	}
}

// text reads a string from behind its quote.
func (r *jsonReader) text() string {
	start := r.at
	for r.at < len(r.s) {
		switch c := r.s[r.at]; {
		case c == '"':
			r.at++
			return r.s[start : r.at-1]
		case c == '\\':
			return r.escaped(start)
		case c < 0x20:
			r.fail()
			return ""
		}
		r.at++
	}
	r.fail()
	return ""
}

// escaped reads on from the first escape of a string.
func (r *jsonReader) escaped(start int) string {
	var b strings.Builder
	b.WriteString(r.s[start:r.at])
	l := lexer{src: r.s}
	for r.at < len(r.s) {
		c := r.s[r.at]
		switch {
		case c == '"':
			r.at++
			return b.String()
		case c == '\\':
			l.at = r.at
			if r.at+1 < len(r.s) && r.s[r.at+1] == '\'' || !l.escape(&b) {
				r.fail()
				return ""
			}
			r.at = l.at
			continue
		case c < 0x20:
			r.fail()
			return ""
		}
		_, size := utf8.DecodeRuneInString(r.s[r.at:])
		b.WriteString(r.s[r.at : r.at+size])
		r.at += size
	}
	r.fail()
	return ""
}

// number reads a number: a whole one as a long if it fits, any other as a double.
func (r *jsonReader) number() any {
	start := r.at
	if r.at < len(r.s) && r.s[r.at] == '-' {
		r.at++
	}
	first := r.at
	digits := r.digits()
	if digits == 0 || digits > 1 && r.s[first] == '0' {
		return r.fail()
	}
	whole := true
	if r.at < len(r.s) && r.s[r.at] == '.' {
		whole = false
		r.at++
		if r.digits() == 0 {
			return r.fail()
		}
	}
	if r.at < len(r.s) && r.s[r.at]|0x20 == 'e' {
		whole = false
		r.at++
		if r.at < len(r.s) && (r.s[r.at] == '-' || r.s[r.at] == '+') {
			r.at++
		}
		if r.digits() == 0 {
			return r.fail()
		}
	}
	if r.at < len(r.s) && (isLetter(r.s[r.at]) || r.s[r.at] == '.') {
		return r.fail()
	}
	if whole {
		if n, ok := parseLong(r.s[start:r.at], 10); ok {
			return n
		}
	}
	f, _ := strconv.ParseFloat(r.s[start:r.at], 64) // out of range it is infinite, as in Java
	return f
}

func (r *jsonReader) digits() (n int) {
	for r.at < len(r.s) && isDigit(r.s[r.at]) {
		r.at++
		n++
	}
	return n
}
