package thriftidl

import "bytes"

// tokenKind is the kind of a token.
type tokenKind uint8

const (
	tokenEnd tokenKind = iota
	tokenName
	tokenInt
	tokenDouble
	tokenText
	tokenSign // one character
)

type token struct {
	kind tokenKind
	text string
	line int
}

// lexer cuts a file into tokens. Comments are those of the shell, of C and of C++.
type lexer struct {
	src  []byte
	at   int
	line int
}

// next gives the next token; what is wrong is a message.
func (l *lexer) next() (token, string) {
	if wrong := l.space(); wrong != "" {
		return token{line: l.line}, wrong
	}
	if l.at == len(l.src) {
		return token{line: l.line}, ""
	}
	from, line := l.at, l.line
	switch c := l.src[l.at]; {
	case letter(c):
		for l.at < len(l.src) && (letter(l.src[l.at]) || digit(l.src[l.at]) || l.src[l.at] == '.' || l.src[l.at] == '-' && l.at+1 < len(l.src) && letter(l.src[l.at+1])) {
			l.at++
		}
		return token{tokenName, string(l.src[from:l.at]), line}, ""
	case digit(c), (c == '-' || c == '+' || c == '.') && l.at+1 < len(l.src) && (digit(l.src[l.at+1]) || l.src[l.at+1] == '.'):
		kind := l.number()
		return token{kind, string(l.src[from:l.at]), line}, ""
	case c == '"' || c == '\'':
		text, wrong := l.text(c)
		return token{tokenText, text, line}, wrong
	default:
		l.at++
		return token{tokenSign, string(c), line}, ""
	}
}

func letter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

func digit(c byte) bool { return c >= '0' && c <= '9' }

// space passes what stands between tokens.
func (l *lexer) space() string {
	for l.at < len(l.src) {
		rest := l.src[l.at:]
		switch {
		case rest[0] == '\n':
			l.line++
			l.at++
		case rest[0] == ' ' || rest[0] == '\t' || rest[0] == '\r':
			l.at++
		case l.at == 0 && bytes.HasPrefix(rest, []byte("\xEF\xBB\xBF")):
			l.at += 3
		case rest[0] == '#' || bytes.HasPrefix(rest, []byte("//")):
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			l.at += end
		case bytes.HasPrefix(rest, []byte("/*")):
			end := bytes.Index(rest[2:], []byte("*/"))
			if end < 0 {
				return "a comment is not closed"
			}
			l.line += bytes.Count(rest[:end+4], []byte("\n"))
			l.at += end + 4
		default:
			return ""
		}
	}
	return ""
}

// number passes a number: digits, hexadecimal ones, or with a point or an exponent.
func (l *lexer) number() tokenKind {
	kind := tokenInt
	if c := l.src[l.at]; c == '-' || c == '+' {
		l.at++
	}
	if bytes.HasPrefix(l.src[l.at:], []byte("0x")) || bytes.HasPrefix(l.src[l.at:], []byte("0X")) {
		l.at += 2
		for l.at < len(l.src) && (digit(l.src[l.at]) || l.src[l.at]|0x20 >= 'a' && l.src[l.at]|0x20 <= 'f') {
			l.at++
		}
		return kind
	}
	for ; l.at < len(l.src); l.at++ {
		switch c := l.src[l.at]; {
		case digit(c):
		case c == '.' || c == 'e' || c == 'E':
			kind = tokenDouble
		case (c == '-' || c == '+') && l.src[l.at-1]|0x20 == 'e':
		default:
			return kind
		}
	}
	return kind
}

// text reads a literal in quotes, which may have escapes and go over lines.
func (l *lexer) text(quote byte) (string, string) {
	var out []byte
	for l.at++; l.at < len(l.src); l.at++ {
		c := l.src[l.at]
		switch {
		case c == quote:
			l.at++
			return string(out), ""
		case c == '\n':
			l.line++
		case c == '\\' && l.at+1 < len(l.src):
			l.at++
			c = l.src[l.at]
			if to := bytes.IndexByte([]byte("nrt"), c); to >= 0 {
				c = "\n\r\t"[to]
			}
		}
		out = append(out, c)
	}
	return "", "a text is not closed"
}
