package spec

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"strings"
)

// topicMatcher decides whether a topicPattern, a regular expression of Java, matches a topic's whole name. It takes time
// in proportion to the name whatever the pattern: Java's forms that only a backtracking search can follow are refused,
// but for conditions on a name's beginning and end, which are matched by themselves.
type topicMatcher struct {
	whole *regexp.Regexp
	// conditions are lookaheads before everything else and lookbehinds after it.
	conditions []topicCondition
}

type topicCondition struct {
	expr *regexp.Regexp
	want bool
}

func (m *topicMatcher) matches(topic string) bool {
	for _, c := range m.conditions {
		if c.expr.MatchString(topic) != c.want {
			return false
		}
	}
	return m.whole.MatchString(topic)
}

// compileTopicPattern reads a pattern. The error says what is wrong with it, or which form of Java's is not supported.
func compileTopicPattern(pattern string) (*topicMatcher, error) {
	s, err := scanPattern(pattern)
	if err != nil {
		return nil, err
	}
	m := &topicMatcher{}
	rest, err := m.takeConditions(s)
	if err != nil {
		return nil, err
	}
	m.whole, err = compileJava(rest, `\A(?:`, `)\z`)
	return m, err
}

// takeConditions strips lookaheads from the beginning and lookbehinds from the end, and refuses all others.
func (m *topicMatcher) takeConditions(s *patternScan) (string, error) {
	rest := s.text
	if strings.HasPrefix(rest, "^") {
		rest = rest[1:]
	}
	from := len(s.text) - len(rest)
	to := len(s.text)
	if n := len(s.text); n > from && s.text[n-1] == '$' && !s.escaped[n-1] {
		to--
	}
	for _, g := range s.top {
		if g.from != from || g.kind != "(?=" && g.kind != "(?!" {
			break
		}
		if err := m.condition(s.text[g.from+len(g.kind):g.to-1], `\A(?:`, `)`, g.kind == "(?="); err != nil {
			return "", err
		}
		from = g.to
	}
	for i := len(s.top) - 1; i >= 0; i-- {
		g := s.top[i]
		if g.to != to || g.from < from || g.kind != "(?<=" && g.kind != "(?<!" {
			break
		}
		if err := m.condition(s.text[g.from+len(g.kind):g.to-1], `(?:`, `)\z`, g.kind == "(?<="); err != nil {
			return "", err
		}
		to = g.from
	}
	if len(m.conditions) > 0 && s.alternatives {
		return "", errors.New("uses a lookahead or lookbehind in one of several alternatives, which is not supported: put the alternatives into a group")
	}
	rest = s.text[from:to]
	for _, g := range s.all {
		switch {
		case g.from < from || g.from >= to:
		case g.kind == "(?=" || g.kind == "(?!" || g.kind == "(?<=" || g.kind == "(?<!":
			return "", errors.New("uses a lookahead or lookbehind in the middle, which is not supported: lookaheads may stand at the beginning, lookbehinds at the end")
		}
	}
	return rest, nil
}

func (m *topicMatcher) condition(text, before, after string, want bool) error {
	if strings.Contains(text, "(?=") || strings.Contains(text, "(?!") || strings.Contains(text, "(?<") {
		return errors.New("uses a lookahead or lookbehind within another one, which is not supported")
	}
	expr, err := compileJava(text, before, after)
	if err != nil {
		return err
	}
	m.conditions = append(m.conditions, topicCondition{expr, want})
	return nil
}

func compileJava(text, before, after string) (*regexp.Regexp, error) {
	if _, err := syntax.Parse(text, syntax.Perl); err != nil {
		var bad *syntax.Error
		if errors.As(err, &bad) {
			return nil, fmt.Errorf("is not a regular expression: %s: `%s`", bad.Code, bad.Expr)
		}
		return nil, fmt.Errorf("is not a regular expression: %w", err)
	}
	return regexp.Compile(before + text + after)
}

// patternGroup is a group from its parenthesis to behind the closing one; kind is what it begins with.
type patternGroup struct {
	kind     string
	from, to int
}

// patternScan is what a pattern is made of, as far as Java and Go differ. Its text has Java's names of classes replaced.
type patternScan struct {
	text         string
	escaped      []bool // bytes of text that are part of an escape
	top, all     []patternGroup
	alternatives bool // outside of every group
}

var groupKinds = []string{"(?<=", "(?<!", "(?=", "(?!", "(?>"}

// javaClasses are Java's names of ASCII classes, as Go writes them within brackets.
var javaClasses = map[string]string{
	"Lower": "a-z", "Upper": "A-Z", "ASCII": `\x00-\x7F`, "Alpha": "a-zA-Z", "Digit": "0-9", "Alnum": "a-zA-Z0-9",
	"Punct": "[:punct:]", "XDigit": "0-9a-fA-F", "Space": `\s`, "Blank": ` \t`, "Graph": "[:graph:]", "Print": "[:print:]", "Cntrl": "[:cntrl:]",
}

// scanPattern looks for what Java reads otherwise than Go, which must not be passed on, or cannot be.
func scanPattern(pattern string) (*patternScan, error) {
	s := &patternScan{}
	var open []patternGroup
	class := 0 // where the class that is open began, +1
	put := func(text string, escaped bool) {
		s.text += text
		for range len(text) {
			s.escaped = append(s.escaped, escaped)
		}
	}
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\' && strings.HasPrefix(pattern[i:], `\Q`):
			end := strings.Index(pattern[i+2:], `\E`)
			if end < 0 {
				end = len(pattern) - i - 2
			}
			put(regexp.QuoteMeta(pattern[i+2:i+2+end]), true)
			i = min(i+2+end+1, len(pattern)-1)
		case c == '\\' && i+1 < len(pattern):
			n, text, err := scanEscape(pattern[i:], class > 0)
			if err != nil {
				return nil, err
			}
			put(text, true)
			i += n - 1
		case class > 0:
			if c == '[' && !strings.HasPrefix(pattern[i:], "[:") || strings.HasPrefix(pattern[i:], "&&") {
				return nil, errors.New("uses a class within a class or an intersection (&&), which is not supported")
			}
			if c == ']' && i+1 > class && pattern[class-1:i] != "[" && pattern[class-1:i] != "[^" {
				class = 0
			}
			put(string(c), false)
		case c == '[':
			class = i + 1
			put("[", false)
		case c == '(':
			kind := "("
			for _, k := range groupKinds {
				if strings.HasPrefix(pattern[i:], k) {
					kind = k
				}
			}
			if kind == "(?>" {
				return nil, errors.New("uses an atomic group (?>, which is not supported")
			}
			open = append(open, patternGroup{kind: kind, from: len(s.text)})
			put("(", false)
		case c == ')':
			put(")", false)
			if n := len(open); n > 0 {
				g := open[n-1]
				g.to = len(s.text)
				open = open[:n-1]
				s.all = append(s.all, g)
				if len(open) == 0 {
					s.top = append(s.top, g)
				}
			}
		case c == '+' && i > 0 && strings.IndexByte("*+?}", pattern[i-1]) >= 0 && len(s.escaped) > 0 && !s.escaped[len(s.escaped)-1]:
			return nil, fmt.Errorf("uses the possessive quantifier %s, which is not supported", pattern[i-1:i+1])
		default:
			s.alternatives = s.alternatives || c == '|' && len(open) == 0
			put(string(c), false)
		}
	}
	return s, nil
}

// scanEscape reads an escape and returns its length and what Go writes for it.
func scanEscape(text string, inClass bool) (length int, out string, err error) {
	switch c := text[1]; {
	case c >= '1' && c <= '9', c == 'k':
		return 0, "", errors.New("uses a back reference, which is not supported")
	case (c == 'p' || c == 'P') && strings.HasPrefix(text[2:], "{"):
		end := strings.IndexByte(text, '}')
		if end < 0 {
			break
		}
		class, known := javaClasses[text[3:end]]
		switch {
		case !known:
			return end + 1, text[:end+1], nil
		case inClass && c == 'P':
			return 0, "", fmt.Errorf("uses %s in a class, which is not supported", text[:end+1])
		case inClass:
			return end + 1, class, nil
		case c == 'P':
			return end + 1, "[^" + class + "]", nil
		}
		return end + 1, "[" + class + "]", nil
	}
	return 2, text[:2], nil
}
