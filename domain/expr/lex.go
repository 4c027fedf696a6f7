package expr

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenLong
	tokenDouble
	tokenString
	tokenName
	tokenQuoted // a name in double quotes
	tokenNull
	tokenType // <LONG>, ARRAY<STRING>
	tokenSign // operators, parentheses and the like; text tells which
)

type token struct {
	kind tokenKind
	// text is a string or quoted name without its quotes and escapes; the text itself for other kinds.
	text string
	at   int // in the source
}

// SyntaxError says what is wrong with the text of an expression.
type SyntaxError struct {
	Message string
	// Offset is the place in the text, in bytes; negative where the message says all there is to say.
	Offset int
}

func (e *SyntaxError) Error() string { return e.Message }

// lexer splits a text into tokens. The first error ends it.
type lexer struct {
	src  string
	at   int
	next token
	err  *SyntaxError
}

func (l *lexer) fail(at int, format string, args ...any) {
	if l.err == nil {
		l.err = &SyntaxError{fmt.Sprintf(format, args...), at}
	}
	l.next = token{kind: tokenEnd, at: at}
	l.at = len(l.src)
}

// advance reads the next token.
func (l *lexer) advance() {
	for l.at < len(l.src) && strings.IndexByte(" \t\r\n", l.src[l.at]) >= 0 {
		l.at++
	}
	start := l.at
	if start == len(l.src) {
		l.next = token{kind: tokenEnd, at: start}
		return
	}
	switch c := l.src[start]; {
	case isLetter(c):
		l.word()
	case isDigit(c):
		l.number()
	case c == '\'' || c == '"':
		l.quoted(c)
	case c == '<' && l.arrayPrefix():
	default:
		l.sign()
	}
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isLetter(c byte) bool { return c == '_' || c == '$' || c|0x20 >= 'a' && c|0x20 <= 'z' }

func (l *lexer) word() {
	start := l.at
	for l.at < len(l.src) && (isLetter(l.src[l.at]) || isDigit(l.src[l.at])) {
		l.at++
	}
	text := l.src[start:l.at]
	l.next = token{tokenName, text, start}
	switch text {
	case "null":
		l.next.kind = tokenNull
	case "NaN", "Infinity":
		l.next.kind = tokenDouble
	case "ARRAY":
		if end := typeEnd(l.src[start:]); end > 0 {
			l.at = start + end
			l.next = token{tokenType, l.src[start:l.at], start}
		}
	}
}

// typeEnd gives the length of the array type that s begins with, such as ARRAY<ARRAY<LONG>>; 0 if there is none.
func typeEnd(s string) int {
	depth := 0
	rest := s
	for strings.HasPrefix(rest, "ARRAY<") {
		rest = rest[len("ARRAY<"):]
		depth++
	}
	for _, elem := range []string{"LONG", "DOUBLE", "STRING", "COMPLEX<json>"} {
		if tail, ok := strings.CutPrefix(rest, elem); ok && len(tail) >= depth && strings.Count(tail[:depth], ">") == depth {
			return len(s) - len(tail) + depth
		}
	}
	return 0
}

// arrayPrefix reads <LONG> and the like, which stand before an array.
func (l *lexer) arrayPrefix() bool {
	for _, prefix := range []string{"<LONG>", "<DOUBLE>", "<STRING>"} {
		if strings.HasPrefix(l.src[l.at:], prefix) {
			l.next = token{tokenType, "ARRAY" + prefix, l.at}
			l.at += len(prefix)
			return true
		}
	}
	return false
}

// number reads digits, a fraction and an exponent, which may have a minus.
func (l *lexer) number() {
	start := l.at
	kind := tokenLong
	l.digits()
	if l.at < len(l.src) && l.src[l.at] == '.' {
		kind = tokenDouble
		l.at++
		l.digits()
	}
	if l.at < len(l.src) && l.src[l.at]|0x20 == 'e' {
		end := l.at
		l.at++
		if l.at < len(l.src) && l.src[l.at] == '-' {
			l.at++
		}
		if l.at < len(l.src) && isDigit(l.src[l.at]) {
			kind = tokenDouble
			l.digits()
		} else {
			l.at = end
		}
	}
	if l.at < len(l.src) && isLetter(l.src[l.at]) {
		l.fail(start, "number '%s' is followed by a letter", l.src[start:l.at])
		return
	}
	l.next = token{kind, l.src[start:l.at], start}
}

func (l *lexer) digits() {
	for l.at < len(l.src) && isDigit(l.src[l.at]) {
		l.at++
	}
}

// quoted reads a string or a quoted name with JSON's escapes and \'.
func (l *lexer) quoted(quote byte) {
	start := l.at
	var b strings.Builder
	for l.at++; l.at < len(l.src); {
		c := l.src[l.at]
		if c == quote {
			l.at++
			kind := tokenString
			if quote == '"' {
				kind = tokenQuoted
			}
			l.next = token{kind, b.String(), start}
			return
		}
		if c != '\\' {
			b.WriteByte(c)
			l.at++
			continue
		}
		if !l.escape(&b) {
			l.fail(l.at, "unknown escape in %c...%c: only \\' \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX are known", quote, quote)
			return
		}
	}
	l.fail(start, "the text that begins with %c is not closed", quote)
}

const escapes = "'\"\\/bfnrt"

// escape reads the escape at l.at. Halves of a surrogate pair are joined; one alone becomes a question mark, as
// everywhere in Druid where text leaves Java.
func (l *lexer) escape(b *strings.Builder) bool {
	rest := l.src[l.at+1:]
	if rest == "" {
		return false
	}
	if i := strings.IndexByte(escapes, rest[0]); i >= 0 {
		b.WriteByte("'\"\\/\b\f\n\r\t"[i])
		l.at += 2
		return true
	}
	r, ok := hex4(rest)
	if !ok {
		return false
	}
	l.at += 6
	if r >= 0xD800 && r < 0xDC00 && strings.HasPrefix(l.src[l.at:], "\\") {
		if low, ok := hex4(l.src[l.at+1:]); ok && low >= 0xDC00 && low < 0xE000 {
			r = (r-0xD800)<<10 + low - 0xDC00 + 0x10000
			l.at += 6
		}
	}
	if r >= 0xD800 && r < 0xE000 {
		r = '?'
	}
	b.WriteRune(r)
	return true
}

// hex4 reads u and four hexadecimal digits.
func hex4(s string) (r rune, ok bool) {
	if len(s) < 5 || s[0] != 'u' {
		return 0, false
	}
	for i := 1; i < 5; i++ {
		d := digit(s[i])
		if d >= 16 {
			return 0, false
		}
		r = r<<4 | rune(d)
	}
	return r, true
}

var signs = []string{"->", "<=", ">=", "==", "!=", "&&", "||"}

func (l *lexer) sign() {
	start := l.at
	for _, s := range signs {
		if strings.HasPrefix(l.src[start:], s) {
			l.at += 2
			l.next = token{tokenSign, s, start}
			return
		}
	}
	if strings.IndexByte("()[],+-*/%^<>!", l.src[start]) < 0 {
		_, size := utf8.DecodeRuneInString(l.src[start:])
		l.fail(start, "unexpected character '%s'", l.src[start:start+size])
		return
	}
	l.at++
	l.next = token{tokenSign, l.src[start:l.at], start}
}
