package expr

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// CompileRegexp makes a regular expression of Java's syntax. It runs in time linear in the text, so that what only
// backtracking can do (look-around, references to groups, possessive and atomic groups) is refused with an error, as are
// set operations of character classes.
func CompileRegexp(pattern string) (*regexp.Regexp, error) {
	t := translator{src: pattern}
	if err := t.run(); err != nil {
		return nil, err
	}
	re, err := regexp.Compile(t.out.String())
	if err != nil {
		if what := backtracking(err); what != "" {
			return nil, t.refuse(what + ", which takes backtracking,")
		}
		return nil, fmt.Errorf("regular expression %q: %w", pattern, err)
	}
	return re, nil
}

// backtracking names the part of Java's syntax that Go refused for want of backtracking; empty: it was something else.
func backtracking(err error) string {
	var bad *syntax.Error
	if !errors.As(err, &bad) {
		return ""
	}
	starts := func(opening ...string) bool {
		return slices.ContainsFunc(opening, func(o string) bool { return strings.HasPrefix(bad.Expr, o) })
	}
	switch {
	case bad.Code == syntax.ErrInvalidRepeatOp && strings.HasSuffix(bad.Expr, "+"):
		return "a possessive quantifier"
	case bad.Code == syntax.ErrInvalidEscape && len(bad.Expr) == 2 && bad.Expr[1] >= '1' && bad.Expr[1] <= '9':
		return "a reference to a group"
	case bad.Code != syntax.ErrInvalidPerlOp && bad.Code != syntax.ErrInvalidNamedCapture && bad.Code != syntax.ErrMissingRepeatArgument:
		return ""
	case starts("(?=", "(?!"):
		return "looking ahead"
	case starts("(?<=", "(?<!"):
		return "looking behind"
	case starts("(?>"):
		return "an atomic group"
	}
	return ""
}

// translator turns Java's syntax into Go's where they differ.
type translator struct {
	src string
	at  int
	out strings.Builder
	// all says that a flag lets the dot stand for line ends too.
	all bool
}

func (t *translator) refuse(what string) error {
	return fmt.Errorf("regular expression %q: %s is not supported", t.src, what)
}

// lineEnd are the characters that Java's dot does not match.
const lineEnd = `\n\r\x{85}\x{2028}\x{2029}`

func (t *translator) run() error {
	for t.at < len(t.src) {
		c := t.src[t.at]
		var err error
		switch {
		case c == '\\':
			err = t.escape(false)
		case c == '[':
			err = t.class()
		case c == '.' && !t.all:
			t.out.WriteString("[^" + lineEnd + "]")
			t.at++
		case strings.HasPrefix(t.src[t.at:], "(?"):
			err = t.group()
		default:
			t.out.WriteByte(c)
			t.at++
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// group reads what follows (?: flags, or a kind of group that is left to Go to take or refuse.
func (t *translator) group() error {
	end := t.at + 2
	for end < len(t.src) && (t.src[end]|0x20 >= 'a' && t.src[end]|0x20 <= 'z' || t.src[end] == '-') {
		end++
	}
	flags := t.src[t.at+2 : end]
	if end == len(t.src) || t.src[end] != ')' && t.src[end] != ':' || flags == "" {
		t.out.WriteString("(?")
		t.at += 2
		return nil
	}
	if strings.ContainsAny(flags, "xU") {
		return t.refuse("the flag x or U")
	}
	on, _, _ := strings.Cut(flags, "-")
	t.all = t.all || strings.Contains(on, "s")
	flags = strings.Map(func(r rune) rune {
		if r == 'u' || r == 'd' { // case is that of Unicode anyway, and only \n ends a line
			return -1
		}
		return r
	}, flags)
	if strings.Trim(flags, "-") == "" {
		flags = ""
	}
	if flags == "" && t.src[end] == ')' {
		t.at = end + 1
		return nil
	}
	t.out.WriteString("(?" + flags + t.src[end:end+1])
	t.at = end + 1
	return nil
}

// class reads a character class.
func (t *translator) class() error {
	t.out.WriteByte('[')
	t.at++
	first := true
	for t.at < len(t.src) {
		c := t.src[t.at]
		switch {
		case c == ']' && !first:
			t.out.WriteByte(']')
			t.at++
			return nil
		case c == '^' && first:
			t.out.WriteByte('^')
			t.at++
			continue
		case c == '[':
			return t.refuse("a class within a class")
		case strings.HasPrefix(t.src[t.at:], "&&"):
			return t.refuse("the intersection of classes")
		case c == '\\':
			if err := t.escape(true); err != nil {
				return err
			}
		default:
			_, size := utf8.DecodeRuneInString(t.src[t.at:])
			t.out.WriteString(t.src[t.at : t.at+size])
			t.at += size
		}
		first = false
	}
	return fmt.Errorf("regular expression %q: a class is not closed", t.src)
}

// javaEscapes are the escapes that Go has not or means something else by; the second form is for classes.
var javaEscapes = map[byte][2]string{
	'h': {`[ \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]`, ` \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}`},
	'H': {`[^ \t\x{A0}\x{1680}\x{180E}\x{2000}-\x{200A}\x{202F}\x{205F}\x{3000}]`, ""},
	'v': {`[\n\x0B\f\r\x{85}\x{2028}\x{2029}]`, `\n\x0B\f\r\x{85}\x{2028}\x{2029}`},
	'V': {`[^\n\x0B\f\r\x{85}\x{2028}\x{2029}]`, ""},
	's': {`[\t\n\x0B\f\r ]`, `\t\n\x0B\f\r `},
	'S': {`[^\t\n\x0B\f\r ]`, ""},
	'R': {`(?:\r\n|[\n\x0B\f\r\x{85}\x{2028}\x{2029}])`, ""},
	'e': {`\x1B`, `\x1B`},
	'Z': {`(?:\r\n|[` + lineEnd + `])?\z`, ""},
}

// javaProperties are the names of character properties that Java has beside Unicode's, as they stand in a class.
var javaProperties = map[string]string{
	"Lower": "[:lower:]", "Upper": "[:upper:]", "ASCII": "[:ascii:]", "Alpha": "[:alpha:]", "Digit": "[:digit:]",
	"Alnum": "[:alnum:]", "Punct": "[:punct:]", "Graph": "[:graph:]", "Print": "[:print:]", "Blank": "[:blank:]",
	"Cntrl": "[:cntrl:]", "XDigit": "[:xdigit:]", "Space": "[:space:]",
}

func (t *translator) escape(inClass bool) error {
	rest := t.src[t.at+1:]
	if rest == "" {
		return fmt.Errorf("regular expression %q: nothing follows the backslash at its end", t.src)
	}
	form := 0
	if inClass {
		form = 1
	}
	c := rest[0]
	if known, ok := javaEscapes[c]; ok {
		if known[form] == "" {
			return t.refuse(`\` + rest[:1] + " within a class")
		}
		t.out.WriteString(known[form])
		t.at += 2
		return nil
	}
	switch c {
	case 'u':
		r, ok := hex4(rest)
		if !ok {
			return fmt.Errorf("regular expression %q: four hexadecimal digits must follow \\u", t.src)
		}
		t.out.WriteString(fmt.Sprintf(`\x{%X}`, r))
		t.at += 6
	case '0':
		return t.octal(rest[1:])
	case 'c':
		if len(rest) < 2 {
			return t.refuse(`\c at the end`)
		}
		t.out.WriteString(fmt.Sprintf(`\x%02X`, rest[1]^64))
		t.at += 3
	case 'p', 'P':
		return t.property(rest, inClass)
	case 'Q':
		text, _, closed := strings.Cut(rest[1:], `\E`)
		t.out.WriteString(regexp.QuoteMeta(text))
		t.at += 2 + len(text)
		if closed {
			t.at += 2
		}
	case 'G', 'X', 'k', 'N':
		return t.refuse(`\` + rest[:1])
	default:
		t.other(rest)
	}
	return nil
}

// other copies an escape that means the same in both; of a letter or digit Go decides.
func (t *translator) other(rest string) {
	r, size := utf8.DecodeRuneInString(rest)
	t.at += 1 + size
	if r < utf8.RuneSelf {
		t.out.WriteByte('\\')
		t.out.WriteRune(r)
		return
	}
	t.out.WriteString(regexp.QuoteMeta(string(r)))
}

func (t *translator) octal(digits string) error {
	n := 0
	for n < len(digits) && n < 3 && digits[n] >= '0' && digits[n] <= '7' {
		n++
	}
	v, err := strconv.ParseUint(digits[:n], 8, 16)
	if err != nil {
		return fmt.Errorf("regular expression %q: octal digits must follow \\0", t.src)
	}
	t.out.WriteString(fmt.Sprintf(`\x{%X}`, v))
	t.at += 2 + n
	return nil
}

func (t *translator) property(rest string, inClass bool) error {
	if len(rest) < 2 || rest[1] != '{' {
		t.out.WriteString(`\` + rest[:1])
		t.at += 2
		return nil
	}
	name, _, ok := strings.Cut(rest[2:], "}")
	if !ok {
		return fmt.Errorf("regular expression %q: a property is not closed", t.src)
	}
	t.at += 4 + len(name)
	if posix, ok := javaProperties[name]; ok {
		if rest[0] == 'P' {
			posix = "[:^" + posix[2:]
		}
		if !inClass {
			posix = "[" + posix + "]"
		}
		t.out.WriteString(posix)
		return nil
	}
	if strings.HasPrefix(name, "java") || strings.HasPrefix(name, "In") || strings.Contains(name, "=") {
		return t.refuse(`\p{` + name + `}`)
	}
	t.out.WriteString(`\` + rest[:1] + "{" + strings.TrimPrefix(name, "Is") + "}")
	return nil
}

// replacement is the text of Java's replaceAll taken apart: texts and the groups between them.
type replacement struct {
	parts []replacementPart
}

type replacementPart struct {
	text  string
	group int // -1: only text
}

// parseReplacement reads $1, ${name} and escapes, as Java does; groups must be those of re.
func parseReplacement(s string, re *regexp.Regexp) (*replacement, error) {
	out := &replacement{}
	var b strings.Builder
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == '\\' && i+1 == len(s):
			return nil, errLiteral("character to be escaped is missing")
		case c == '\\':
			b.WriteByte(s[i+1])
			i += 2
		case c == '$':
			group, size, err := parseGroup(s[i+1:], re)
			if err != nil {
				return nil, err
			}
			out.parts = append(out.parts, replacementPart{b.String(), group})
			b.Reset()
			i += 1 + size
		default:
			b.WriteByte(c)
			i++
		}
	}
	out.parts = append(out.parts, replacementPart{b.String(), -1})
	return out, nil
}

// parseGroup reads the group behind a dollar: as many digits as still name a group.
func parseGroup(s string, re *regexp.Regexp) (group, size int, err error) {
	if strings.HasPrefix(s, "{") {
		name, _, ok := strings.Cut(s[1:], "}")
		if group = re.SubexpIndex(name); !ok || group < 0 {
			return 0, 0, fmt.Errorf("No group with name {%s}", name) //nolint:staticcheck // the words of Druid and its libraries
		}
		return group, len(name) + 2, nil
	}
	if s == "" || !isDigit(s[0]) {
		return 0, 0, errLiteral("Illegal group reference: group index is missing")
	}
	group, size = int(s[0]-'0'), 1
	if group > re.NumSubexp() {
		return 0, 0, fmt.Errorf("No group %d", group) //nolint:staticcheck // the words of Druid and its libraries
	}
	for size < len(s) && isDigit(s[size]) {
		next := group*10 + int(s[size]-'0')
		if next > re.NumSubexp() {
			break
		}
		group = next
		size++
	}
	return group, size, nil
}

// apply appends a text with all matches replaced.
func (r *replacement) apply(e *Env, dst []byte, s string, re *regexp.Regexp) []byte {
	at := 0
	for _, m := range re.FindAllStringSubmatchIndex(s, -1) {
		dst = append(dst, s[at:m[0]]...)
		for _, p := range r.parts {
			dst = append(dst, p.text...)
			if p.group >= 0 && m[2*p.group] >= 0 {
				dst = append(dst, s[m[2*p.group]:m[2*p.group+1]]...)
			}
		}
		if at = m[1]; len(dst) > maxWork {
			e.spend(maxWork + 1)
			return nil
		}
	}
	return append(dst, s[at:]...)
}
