package kafka

import (
	"errors"
	"fmt"
	"strings"
)

// loginModule is one entry of a JAAS configuration: `some.LoginModule required username="u" password="p";`.
type loginModule struct {
	class, flag string
	options     map[string]string
}

// parseJAAS reads the value of sasl.jaas.config by the rules of Kafka's JaasConfig, which reads it with Java's
// StreamTokenizer: any number of entries, quotes of both kinds with C's escapes, comments of C and C++. An error never
// quotes a value. Unlike Java it takes words that begin with a digit, a dot or a minus for what they are.
func parseJAAS(config string) ([]loginModule, error) {
	t := jaasTokens{rest: config}
	var all []loginModule
	for {
		class := t.next()
		if class.kind == jaasEnd {
			return all, nil
		}
		if class.kind != jaasText {
			return nil, errors.New("a login module's class is expected in JAAS config")
		}
		m := loginModule{class: class.text, options: map[string]string{}}
		if err := t.entry(&m); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
}

func (t *jaasTokens) entry(m *loginModule) error {
	flag := t.next()
	if flag.kind != jaasText {
		return errors.New("Login module control flag not specified in JAAS config") //nolint:staticcheck // Kafka's text
	}
	switch m.flag = strings.ToUpper(flag.text); m.flag {
	case "REQUIRED", "REQUISITE", "SUFFICIENT", "OPTIONAL":
	default:
		// It may be a value that was put in the wrong place: do not quote it.
		return errors.New("Invalid login module control flag in JAAS config: it must be required, requisite, sufficient or optional") //nolint:staticcheck // Kafka's text
	}
	for {
		name := t.next()
		switch {
		case name.kind == jaasSign && name.text == ";":
			return nil
		case name.kind == jaasEnd:
			return errors.New("JAAS config entry not terminated by semi-colon")
		case name.kind != jaasText:
			return fmt.Errorf("a name is expected for key %d in JAAS config", len(m.options)+1)
		}
		sign, value := t.next(), t.next()
		if sign.kind != jaasSign || sign.text != "=" || value.kind != jaasText {
			// What is taken for a name may be the rest of a value that was not quoted: do not quote it either.
			return fmt.Errorf("Value not specified for key %d in JAAS config: name=\"value\" is expected", len(m.options)+1) //nolint:staticcheck // Kafka's text
		}
		m.options[name.text] = value.text
	}
}

// The kinds of tokens.
const (
	jaasEnd  = iota
	jaasText // a word, or what stands in quotes
	jaasSign // any other character
)

type jaasToken struct {
	kind int
	text string
}

// jaasTokens cuts a text into tokens.
type jaasTokens struct{ rest string }

func (t *jaasTokens) next() jaasToken {
	t.skip()
	if t.rest == "" {
		return jaasToken{kind: jaasEnd}
	}
	if q := t.rest[0]; q == '"' || q == '\'' {
		return jaasToken{jaasText, t.quoted(q)}
	}
	end := strings.IndexFunc(t.rest, func(r rune) bool { return !inJAASWord(r) })
	switch end {
	case -1:
		end = len(t.rest)
	case 0:
		sign := t.rest[:1]
		t.rest = t.rest[1:]
		return jaasToken{jaasSign, sign}
	}
	word := t.rest[:end]
	t.rest = t.rest[end:]
	return jaasToken{jaasText, word}
}

func inJAASWord(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '$' || r == '.' || r >= 0xa0
}

// skip goes over spaces and comments. A slash by itself begins a comment too: StreamTokenizer's default.
func (t *jaasTokens) skip() {
	for t.rest != "" {
		switch {
		case t.rest[0] <= ' ':
			t.rest = t.rest[1:]
		case strings.HasPrefix(t.rest, "/*"):
			_, rest, _ := strings.Cut(t.rest[2:], "*/")
			t.rest = rest
		case t.rest[0] == '/':
			_, rest, _ := strings.Cut(t.rest, "\n")
			t.rest = rest
		default:
			return
		}
	}
}

// quoted reads up to the closing quote, the end of the line, or the end.
func (t *jaasTokens) quoted(quote byte) string {
	var b strings.Builder
	s := t.rest[1:]
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == quote:
			t.rest = s[i+1:]
			return b.String()
		case c == '\n' || c == '\r':
			t.rest = s[i:]
			return b.String()
		case c == '\\' && i+1 < len(s):
			n := escaped(&b, s[i+1:])
			i += n
		default:
			b.WriteByte(c)
		}
	}
	t.rest = ""
	return b.String()
}

// escaped writes what an escape stands for, and returns how many bytes it has after the backslash.
func escaped(b *strings.Builder, s string) int {
	const letters, meanings = "abfnrtv", "\a\b\f\n\r\t\v"
	if i := strings.IndexByte(letters, s[0]); i >= 0 {
		b.WriteByte(meanings[i])
		return 1
	}
	if s[0] < '0' || s[0] > '7' {
		b.WriteByte(s[0])
		return 1
	}
	most := 2
	if s[0] <= '3' {
		most = 3
	}
	code, n := rune(0), 0
	for n < len(s) && n < most && s[n] >= '0' && s[n] <= '7' {
		code = code<<3 | rune(s[n]-'0')
		n++
	}
	b.WriteRune(code)
	return n
}
