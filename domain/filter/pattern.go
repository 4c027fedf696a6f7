package filter

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strconv"
	"unicode"
	"unicode/utf8"

	"ogham/domain/expr"
)

func parseLike(p *parser, m members, path string) matcher {
	pattern, ok := m.text("pattern")
	if !ok {
		return p.fail(path+".pattern", "pattern must not be null")
	}
	escape := rune(0)
	if text, ok := m.text("escape"); ok {
		if utf8.RuneCountInString(text) != 1 {
			return p.fail(path+".escape", "Escape must be null or a single character")
		}
		escape, _ = utf8.DecodeRuneInString(text)
	}
	like := expr.NewLike(pattern, escape)
	return p.dimension(m, "dimension", path, texts(func(s []byte) bool { return like.Match(string(s)) }))
}

func parseRegex(p *parser, m members, path string) matcher {
	re := p.regexp(m, "pattern", path)
	if re == nil {
		return constant(false)
	}
	return p.dimension(m, "dimension", path, texts(re.Match))
}

// regexp compiles a member that is a regular expression; nil after an error.
func (p *parser) regexp(m members, member, path string) *regexp.Regexp {
	pattern, ok := m.text(member)
	if !ok {
		p.fail(path+"."+member, member+" must not be null")
		return nil
	}
	re, err := expr.CompileRegexp(pattern)
	if err != nil {
		p.fail(path+"."+member, err.Error())
		return nil
	}
	return re
}

func parseSearch(p *parser, m members, path string) matcher {
	match := p.searchQuery(m["query"], path+".query")
	if match == nil {
		return constant(false)
	}
	return p.dimension(m, "dimension", path, texts(match))
}

// searchQuery reads what a search looks for; nil after an error.
func (p *parser) searchQuery(raw json.RawMessage, path string) func(s []byte) bool {
	var q members
	if err := json.Unmarshal(raw, &q); err != nil || q == nil {
		p.fail(path, "query must not be null")
		return nil
	}
	kind, _ := q.text("type")
	fold := !q.flag("caseSensitive")
	switch kind {
	case "all":
		return func([]byte) bool { return true }
	case "regex":
		if re := p.regexp(q, "pattern", path); re != nil {
			return re.Match
		}
		return nil
	case "contains", "insensitive_contains":
		value, ok := q.text("value")
		if !ok {
			return func([]byte) bool { return false }
		}
		return contains(value, fold || kind == "insensitive_contains")
	case "fragment":
		var values []string
		if err := json.Unmarshal(q["values"], &values); err != nil {
			p.fail(path+".values", "values must be a list of texts")
			return nil
		}
		parts := make([]func([]byte) bool, len(values))
		for i, value := range values {
			parts[i] = contains(value, fold)
		}
		return func(s []byte) bool {
			for _, part := range parts {
				if !part(s) {
					return false
				}
			}
			return true
		}
	}
	p.fail(path+".type", "search query '"+kind+"' is not known: use contains, fragment, regex or all")
	return nil
}

func contains(value string, fold bool) func(s []byte) bool {
	if !fold {
		part := []byte(value)
		return func(s []byte) bool { return bytes.Contains(s, part) }
	}
	part := []rune(value)
	for i, r := range part {
		part[i] = foldCase(r)
	}
	return func(s []byte) bool {
		for !beginsFolded(s, part) {
			if len(s) == 0 {
				return false
			}
			_, size := utf8.DecodeRune(s)
			s = s[size:]
		}
		return true
	}
}

// beginsFolded says whether a text begins with folded characters.
func beginsFolded(s []byte, part []rune) bool {
	for _, want := range part {
		r, size := utf8.DecodeRune(s)
		if size == 0 || foldCase(r) != want {
			return false
		}
		s = s[size:]
	}
	return true
}

// foldCase gives the same character for those that differ in their case only, as Java's comparisons without case have it.
func foldCase(r rune) rune {
	if r < utf8.RuneSelf {
		if r >= 'A' && r <= 'Z' {
			r += 'a' - 'A'
		}
		return r
	}
	return unicode.ToLower(unicode.ToUpper(r))
}

// quote is for messages.
func quote(s string) string { return strconv.Quote(s) }
