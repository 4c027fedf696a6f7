package inputformat

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"unicode/utf8"

	"ogham/domain/row"
)

// features are the departures from JSON that a featureSpec turns on, by Jackson's names.
type features uint16

const (
	comments features = 1 << iota
	yamlComments
	unquotedNames
	singleQuotes
	controlChars
	backslashAny
	leadingZeros
	leadingPoint
	nonNumeric
	missingValues
	trailingComma
	strictDuplicates
)

// featureNames has all features of Druid 33's Jackson; those that change nothing about what is read are 0.
var featureNames = map[string]features{
	"ALLOW_COMMENTS": comments, "ALLOW_YAML_COMMENTS": yamlComments, "ALLOW_UNQUOTED_FIELD_NAMES": unquotedNames,
	"ALLOW_SINGLE_QUOTES": singleQuotes, "ALLOW_UNQUOTED_CONTROL_CHARS": controlChars,
	"ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER": backslashAny, "ALLOW_NUMERIC_LEADING_ZEROS": leadingZeros,
	"ALLOW_LEADING_DECIMAL_POINT_FOR_NUMBERS": leadingPoint, "ALLOW_NON_NUMERIC_NUMBERS": nonNumeric,
	"ALLOW_MISSING_VALUES": missingValues, "ALLOW_TRAILING_COMMA": trailingComma,
	"STRICT_DUPLICATE_DETECTION": strictDuplicates, "AUTO_CLOSE_SOURCE": 0, "IGNORE_UNDEFINED": 0,
	"INCLUDE_SOURCE_IN_LOCATION": 0,
}

func parseFeatures(spec map[string]bool) (features, error) {
	var all features
	for name, on := range spec {
		f, known := featureNames[name]
		if !known {
			return 0, fmt.Errorf("featureSpec: No enum constant com.fasterxml.jackson.core.JsonParser.Feature.%s", name)
		}
		if on {
			all |= f
		}
	}
	return all, nil
}

func (f features) has(x features) bool { return f&x != 0 }

// space goes past white space and comments. It returns bad for a comment that does not end.
func (f features) space(b []byte, i int) int {
	for {
		i = skipSpace(b, i)
		switch {
		case i >= len(b):
			return i
		case b[i] == '#' && f.has(yamlComments), f.has(comments) && bytes.HasPrefix(b[i:], []byte("//")):
			for i < len(b) && b[i] != '\n' && b[i] != '\r' {
				i++
			}
		case f.has(comments) && bytes.HasPrefix(b[i:], []byte("/*")):
			end := bytes.Index(b[i+2:], []byte("*/"))
			if end < 0 {
				return bad
			}
			i += 2 + end + 2
		default:
			return i
		}
	}
}

// lenient reads the document at i with the features.
func (p *jsonTree) lenient(b []byte, i int) (root row.Value, next int) {
	next = p.lenientValue(b, i, 0, &root)
	return root, next
}

func (p *jsonTree) lenientValue(b []byte, i, depth int, v *row.Value) int {
	if i < 0 || i >= len(b) || depth > maxDepth {
		return bad
	}
	switch c := b[i]; {
	case c == '{':
		return p.lenientObject(b, i+1, depth+1, v)
	case c == '[':
		return p.lenientList(b, i+1, depth+1, v)
	case c == '"', c == '\'' && p.features.has(singleQuotes):
		text, next := p.lenientString(b, i+1, c)
		*v = row.Value{Kind: row.String, Text: text}
		return next
	case c == 't' || c == 'f' || c == 'n':
		return scalar(b, i, v)
	}
	return p.lenientNumber(b, i, v)
}

func (p *jsonTree) lenientList(b []byte, i, depth int, v *row.Value) int {
	first := len(p.elems)
	for {
		if i = p.space(b, i); i < 0 || i >= len(b) {
			return bad
		}
		n := len(p.elems) - first
		if b[i] == ']' && (n == 0 || p.features.has(trailingComma)) {
			break
		}
		e := row.Value{Kind: row.Null}
		if !(p.features.has(missingValues) && (b[i] == ',' || b[i] == ']')) {
			if i = p.lenientValue(b, i, depth, &e); i < 0 {
				return bad
			}
			if i = p.space(b, i); i < 0 || i >= len(b) {
				return bad
			}
		}
		p.elems = append(p.elems, e)
		if b[i] == ']' {
			break
		}
		if b[i] != ',' {
			return bad
		}
		i++
	}
	*v = p.rows.NewList(p.elems[first:])
	p.elems = p.elems[:first]
	return i + 1
}

func (p *jsonTree) lenientObject(b []byte, i, depth int, v *row.Value) int {
	first := len(p.members)
	for {
		if i = p.space(b, i); i < 0 || i >= len(b) {
			return bad
		}
		if b[i] == '}' && (len(p.members) == first || p.features.has(trailingComma)) {
			break
		}
		m := row.Member{}
		if m.Key, i = p.lenientKey(b, i); i < 0 {
			return bad
		}
		if i = p.space(b, i); i < 0 || i >= len(b) || b[i] != ':' {
			return bad
		}
		if i = p.lenientValue(b, p.space(b, i+1), depth, &m.Value); i < 0 {
			return bad
		}
		p.members = append(p.members, m)
		if i = p.space(b, i); i < 0 || i >= len(b) {
			return bad
		}
		if b[i] == '}' {
			break
		}
		if b[i] != ',' {
			return bad
		}
		i++
	}
	members := p.members[first:]
	*v = p.rows.NewObject(members)
	p.members = p.members[:first]
	if p.features.has(strictDuplicates) && len(p.rows.MembersOf(v)) < len(members) {
		return bad
	}
	return i + 1
}

// lenientKey reads a key in quotes, or if allowed a name without.
func (p *jsonTree) lenientKey(b []byte, i int) (key []byte, next int) {
	if c := b[i]; c == '"' || c == '\'' && p.features.has(singleQuotes) {
		return p.lenientString(b, i+1, c)
	}
	end := i
	for end < len(b) {
		c := b[end]
		if !(c|0x20 >= 'a' && c|0x20 <= 'z' || isDigit(c) || strings.IndexByte("_$@-#*+", c) >= 0 || c >= utf8.RuneSelf) {
			break
		}
		end++
	}
	if end == i || !p.features.has(unquotedNames) || !utf8.Valid(b[i:end]) {
		return nil, bad
	}
	return b[i:end], end
}

// lenientString reads a string up to its quote into the arena.
func (p *jsonTree) lenientString(b []byte, i int, quote byte) (text []byte, next int) {
	start := len(p.arena)
	for i < len(b) {
		switch c := b[i]; {
		case c == quote:
			return p.arena[start:len(p.arena):len(p.arena)], i + 1
		case c == '\\':
			end := skipEscape(b, i)
			if end >= 0 && b[i+1] == 'u' && end+6 <= len(b) && b[end] == '\\' && b[end+1] == 'u' {
				if pair := skipEscape(b, end); pair >= 0 { // both halves of a surrogate pair, if it is one
					r, _ := hex4(b, i+2)
					if low, _ := hex4(b, end+2); r >= 0xD800 && r < 0xDC00 && low >= 0xDC00 && low < 0xE000 {
						end = pair
					}
				}
			}
			switch {
			case end >= 0:
				p.unescape(b[i:end])
				i = end
			case i+1 < len(b) && p.features.has(backslashAny) && b[i+1] != 'u':
				p.arena = append(p.arena, b[i+1])
				i += 2
			case i+1 < len(b) && p.features.has(singleQuotes) && b[i+1] == '\'':
				p.arena = append(p.arena, '\'')
				i += 2
			default:
				return nil, bad
			}
		case c < ' ' && !p.features.has(controlChars):
			return nil, bad
		default:
			r, size := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && size == 1 {
				return nil, bad
			}
			p.arena = append(p.arena, b[i:i+size]...)
			i += size
		}
	}
	return nil, bad
}

// nonNumbers are the values of ALLOW_NON_NUMERIC_NUMBERS.
var nonNumbers = []struct {
	name  string
	value float64
}{
	{"NaN", math.NaN()}, {"Infinity", math.Inf(1)}, {"+Infinity", math.Inf(1)}, {"-Infinity", math.Inf(-1)},
	{"+INF", math.Inf(1)}, {"-INF", math.Inf(-1)},
}

func (p *jsonTree) lenientNumber(b []byte, i int, v *row.Value) int {
	if p.features.has(nonNumeric) {
		for _, n := range nonNumbers {
			if end := literal(b, i, n.name); end >= 0 {
				*v = row.Value{Kind: row.Double, Num: math.Float64bits(n.value)}
				return end
			}
		}
	}
	end := i
	for end < len(b) && (isDigit(b[end]) || strings.IndexByte("+-.eE", b[end]) >= 0) {
		end++
	}
	text := b[i:end]
	negative := len(text) > 0 && text[0] == '-'
	digits := bytes.TrimPrefix(text, []byte{'-'})
	changed := false
	if p.features.has(leadingZeros) {
		for len(digits) > 1 && digits[0] == '0' && isDigit(digits[1]) {
			digits, changed = digits[1:], true
		}
	}
	if p.features.has(leadingPoint) && !negative && len(digits) > 1 && digits[0] == '.' {
		digits, changed = append([]byte{'0'}, digits...), true
	}
	if changed {
		if text = append([]byte(nil), digits...); negative {
			text = append([]byte{'-'}, digits...)
		}
	}
	if len(text) == 0 || number(text, 0, v) != len(text) {
		return bad
	}
	return end
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
