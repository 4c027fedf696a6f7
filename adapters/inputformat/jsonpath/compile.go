package jsonpath

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf16"
)

// SyntaxError says what is wrong with an expression.
type SyntaxError struct {
	Expr, Message string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("JsonPath %q: %s", e.Expr, e.Message) }

// maxNesting bounds paths within filters and arguments of paths, and brackets within filters.
const maxNesting = 50

// Compile reads an expression. One that begins with neither $ nor @ is relative to the document. The error is a
// *SyntaxError.
func Compile(expr string) (*Path, error) { return compile(expr, 0) }

func compile(expr string, depth int) (*Path, error) {
	text := strings.Trim(expr, " ")
	c := compiler{expr: expr, s: text, depth: depth}
	switch {
	case text == "":
		return nil, c.fail("json can not be null or empty")
	case text[0] != '$' && text[0] != '@':
		text = "$." + text
	}
	c.s = text
	if strings.HasSuffix(text, ".") {
		return nil, c.fail("Path must not end with a '.' or '..'")
	}
	if depth > maxNesting {
		return nil, c.fail("paths are nested too deep")
	}
	if err := c.path(); err != nil {
		return nil, err
	}
	return c.finish(), nil
}

// finish turns $..a.f() into $.f($..a), as the library does: a function of all that is found, not of each.
func (c *compiler) finish() *Path {
	p := &Path{text: c.expr, tokens: c.tokens, fromItem: c.s[0] == '@'}
	if n := len(p.tokens); n > 1 && p.tokens[0].kind == tokenScan && p.tokens[n-1].kind == tokenFunction {
		inner := &Path{text: c.expr, tokens: p.tokens[:n-1]}
		p.tokens = []token{{kind: tokenFunction, call: &call{
			name: p.tokens[n-1].call.name, args: []argument{{path: inner}},
		}}}
	}
	p.definite = true
	for i := range p.tokens {
		p.definite = p.definite && p.tokens[i].definite(i+1 == len(p.tokens))
	}
	return p
}

type compiler struct {
	expr   string
	s      string
	at     int
	depth  int
	tokens []token
}

func (c *compiler) fail(format string, args ...any) error {
	return &SyntaxError{Expr: c.expr, Message: fmt.Sprintf(format, args...)}
}

// peek gives the byte at an offset from here, 0 beyond the end.
func (c *compiler) peek(offset int) byte {
	if i := c.at + offset; i < len(c.s) {
		return c.s[i]
	}
	return 0
}

// significant gives the place of the first byte that is no space from i on.
func (c *compiler) significant(i int) int {
	for i < len(c.s) && c.s[i] == ' ' {
		i++
	}
	return i
}

func (c *compiler) path() error {
	c.at = 1
	if c.at < len(c.s) && c.s[c.at] != '.' && c.s[c.at] != '[' {
		return c.fail("Illegal character at position %d expected '.' or '['", c.at)
	}
	for c.at < len(c.s) {
		if err := c.token(); err != nil {
			return err
		}
	}
	for i := range c.tokens {
		if c.tokens[i].kind == tokenScan && (i+1 == len(c.tokens) || c.tokens[i+1].kind >= tokenFunction || c.tokens[i+1].kind == tokenScan) {
			return c.fail("'..' must be followed by what is looked for")
		}
	}
	return nil
}

func (c *compiler) token() error {
	switch c.peek(0) {
	case '[':
		return c.bracket()
	case '*':
		c.at++
		c.tokens = append(c.tokens, token{kind: tokenWildcard})
		return nil
	case '.':
		c.at++
		if c.peek(0) == '.' {
			c.at++
			c.tokens = append(c.tokens, token{kind: tokenScan})
		}
		switch c.peek(0) {
		case '.':
			return c.fail("Character '.' on position %d is not valid.", c.at)
		case '*', '[':
			return nil
		case 0, ' ':
			return c.fail("Could not parse token starting at position %d", c.at)
		}
	}
	return c.nameOrFunction()
}

func (c *compiler) nameOrFunction() error {
	start := c.at
	for c.at < len(c.s) {
		switch c.s[c.at] {
		case ' ':
			return c.fail("Use bracket notion ['my prop'] if your property contains blank characters. position: %d", start)
		case '(':
			return c.function(c.s[start:c.at])
		case '.', '[':
			c.tokens = append(c.tokens, token{names: []string{c.s[start:c.at]}})
			return nil
		}
		c.at++
	}
	c.tokens = append(c.tokens, token{names: []string{c.s[start:]}})
	return nil
}

// function reads the arguments of a function, from its opening bracket on.
func (c *compiler) function(name string) error {
	end := closing(c.s, c.at, '(', ')', false)
	if end < 0 {
		return c.fail("Arguments to function: '%s' are not closed properly.", name)
	}
	if !functions[name] {
		return c.fail("Function with name: %s does not exist.", name)
	}
	f := &call{name: name}
	for _, text := range split(c.s[c.at+1 : end]) {
		text = strings.TrimSpace(text)
		switch {
		case text == "":
		case text[0] == '$' || text[0] == '@':
			p, err := compile(text, c.depth+1)
			if err != nil {
				return err
			}
			f.args = append(f.args, argument{path: p})
		default:
			if _, ok := decode(text); !ok {
				return c.fail("argument %s of function '%s' is neither a path nor JSON", text, name)
			}
			f.args = append(f.args, argument{text: text})
		}
	}
	if name == "index" && len(f.args) != 1 {
		return c.fail("function 'index' needs one argument")
	}
	c.tokens = append(c.tokens, token{kind: tokenFunction, call: f})
	c.at = end + 1
	return nil
}

// split cuts arguments at commas that are in no brackets and no quotes.
func split(s string) []string {
	var out []string
	level, start := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '(', '[', '{':
			level++
		case ')', ']', '}':
			level--
		case '"', '\'':
			if end := unescaped(s, i+1, s[i]); end > 0 {
				i = end
			}
		case ',':
			if level == 0 {
				out = append(out, s[start:i])
				start = i + 1
			}
		}
	}
	return append(out, s[start:])
}

// unescaped finds a byte that no backslash stands before, from i on; -1: there is none.
func unescaped(s string, i int, b byte) int {
	for ; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case b:
			return i
		}
	}
	return -1
}

// closing finds the bracket that closes the one at i. Brackets in quotes, and if asked for in /patterns/, do not count.
func closing(s string, i int, open, shut byte, patterns bool) int {
	level := 0
	for ; i < len(s); i++ {
		switch b := s[i]; {
		case b == '\'' || b == '"' || b == '/' && patterns:
			if i = unescaped(s, i+1, b); i < 0 {
				return -1
			}
		case b == open:
			level++
		case b == shut:
			if level--; level == 0 {
				return i
			}
		}
	}
	return -1
}

func (c *compiler) bracket() error {
	switch first := c.significant(c.at + 1); {
	case first >= len(c.s):
	case c.s[first] == '\'' || c.s[first] == '"':
		return c.quoted(first)
	case c.s[first] == '*':
		end := c.significant(first + 1)
		if end >= len(c.s) || c.s[end] != ']' {
			return c.fail("Expected wildcard token to end with ']' on position %d", first+1)
		}
		c.at = end + 1
		c.tokens = append(c.tokens, token{kind: tokenWildcard})
		return nil
	case c.s[first] == '?':
		return c.filter(first)
	default:
		if end := strings.IndexByte(c.s[c.at:], ']'); end > 0 && strings.Trim(c.s[c.at+1:c.at+end], "0123456789,-: ") == "" && end > 1 {
			text := c.s[c.at+1 : c.at+end]
			c.at += end + 1
			if strings.Contains(text, ":") {
				return c.slice(strings.TrimSpace(text))
			}
			return c.indexes(text)
		}
	}
	return c.fail("Could not parse token starting at position %d. Expected ?, ', 0-9, *", c.at)
}

func (c *compiler) indexes(text string) error {
	t := token{kind: tokenIndexes}
	for part := range strings.SplitSeq(text, ",") {
		n, err := strconv.ParseInt(strings.TrimSpace(part), 10, 32)
		if err != nil {
			return c.fail("Failed to parse token in ArrayIndexOperation: %s", part)
		}
		t.indexes = append(t.indexes, int(n))
	}
	c.tokens = append(c.tokens, t)
	return nil
}

// slice reads from:to; what follows a second colon is ignored, as the library does.
func (c *compiler) slice(text string) error {
	t := token{kind: tokenSlice}
	for i, part := range strings.SplitN(text, ":", 3) {
		if part == "" || i == 2 {
			continue
		}
		n, err := strconv.ParseInt(part, 10, 32)
		if err != nil {
			return c.fail("Failed to parse SliceOperation: %s", text)
		}
		v := int(n)
		if i == 0 {
			t.from = &v
		} else {
			t.to = &v
		}
	}
	if t.from == nil && t.to == nil {
		return c.fail("Failed to parse SliceOperation: %s", text)
	}
	c.tokens = append(c.tokens, t)
	return nil
}

// quoted reads ['name'] or ['name', 'other'].
func (c *compiler) quoted(i int) error {
	t := token{}
	quote := c.s[i]
	for {
		if i >= len(c.s) || c.s[i] != quote {
			return c.fail("Property must be separated by comma or Property must be terminated close square bracket at index %d", i)
		}
		end := unescaped(c.s, i+1, quote)
		if end < 0 {
			return c.fail("Property has not been closed - missing closing %c", quote)
		}
		t.names = append(t.names, unescape(c.s[i+1:end]))
		if i = c.significant(end + 1); i >= len(c.s) || c.s[i] != ']' && c.s[i] != ',' {
			return c.fail("Property must be separated by comma or Property must be terminated close square bracket at index %d", end)
		}
		if c.s[i] == ']' {
			break
		}
		if i = c.significant(i + 1); i < len(c.s) && (c.s[i] == ',' || c.s[i] == ']') {
			return c.fail("Found empty property at index %d", i)
		}
	}
	c.at = i + 1
	c.tokens = append(c.tokens, t)
	return nil
}

// unescape decodes backslashes.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var out strings.Builder
	var units []uint16
	flush := func() {
		out.WriteString(string(utf16.Decode(units)))
		units = units[:0]
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			flush()
			if s[i] != '\\' {
				out.WriteByte(s[i])
			}
			continue
		}
		i++
		if s[i] == 'u' && i+4 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+5], 16, 16); err == nil {
				units = append(units, uint16(n))
				i += 4
				continue
			}
		}
		flush()
		if k := strings.IndexByte("rftnb", s[i]); k >= 0 {
			out.WriteByte("\r\f\t\n\b"[k])
		} else {
			out.WriteByte(s[i])
		}
	}
	flush()
	return out.String()
}
