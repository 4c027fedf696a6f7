package filter

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"ogham/domain/expr"
)

// version is a version in parts, as Maven's ComparableVersion splits a text: numbers, words, and lists, of which one
// begins at each hyphen and at each change between digits and other characters. The ordering version is its order.
type version []versionPart

// versionPart is a number if it has digits, a list if it has none and list is set, else a word.
type versionPart struct {
	kind   partKind
	digits string // without leading zeros; empty for 0
	word   string // the rank of a known qualifier, or a text behind all of them
	list   version
}

type partKind uint8

const (
	partNumber partKind = iota
	partWord
	partList
)

// qualifiers are the words with a meaning, in their order; the empty one stands for a release.
var qualifiers = []string{"alpha", "beta", "milestone", "rc", "snapshot", "", "sp"}

// releaseRank is the rank of the empty qualifier.
const releaseRank = "5"

// qualifierAliases are other spellings; the short ones count before a digit only.
var (
	qualifierAliases = map[string]string{"ga": "", "final": "", "cr": "rc"}
	shortQualifiers  = map[string]string{"a": "alpha", "b": "beta", "m": "milestone"}
)

// maxVersionLists bounds how deep lists lie within one another.
const maxVersionLists = 1000

// parseVersion splits a text. Lists beyond the bound go on in the last one.
func parseVersion(text string) version {
	s := versionSplitter{lists: []version{nil}}
	text = expr.ToLower(text)
	start, digits := 0, false
	for i, r := range text {
		switch {
		case r == '.' || r == '-':
			if i == start {
				s.add(versionPart{})
			} else {
				s.addText(text[start:i], digits, false)
			}
			start = i + 1
			if r == '-' {
				s.nest()
			}
		case unicode.Is(unicode.Nd, r) != digits:
			if i > start {
				s.addText(text[start:i], digits, !digits)
				start = i
				s.nest()
			}
			digits = !digits
		}
	}
	if start < len(text) {
		s.addText(text[start:], digits, false)
	}
	return s.close()
}

// versionSplitter keeps the lists that are open, the innermost last.
type versionSplitter struct{ lists []version }

func (s *versionSplitter) add(p versionPart) {
	last := len(s.lists) - 1
	s.lists[last] = append(s.lists[last], p)
}

func (s *versionSplitter) addText(text string, digits, beforeDigit bool) {
	if digits {
		s.add(versionPart{digits: strings.TrimLeft(asciiDigits(text), "0")})
		return
	}
	s.add(versionPart{kind: partWord, word: qualifierRank(text, beforeDigit)})
}

// nest begins a list within the innermost one.
func (s *versionSplitter) nest() {
	if len(s.lists) < maxVersionLists {
		s.lists = append(s.lists, nil)
	}
}

// close ends all lists, the innermost first, which has its parts that mean nothing taken away then.
func (s *versionSplitter) close() version {
	for len(s.lists) > 1 {
		last := len(s.lists) - 1
		inner := s.lists[last].normal()
		s.lists = s.lists[:last]
		s.add(versionPart{kind: partList, list: inner})
	}
	return s.lists[0].normal()
}

// asciiDigits gives the digits of any script as those from 0 to 9.
func asciiDigits(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return r >= 0x80 }) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if r < 0x80 {
			return r
		}
		for _, x := range unicode.Nd.R16 {
			if r >= rune(x.Lo) && r <= rune(x.Hi) {
				return '0' + (r-rune(x.Lo))%10
			}
		}
		for _, x := range unicode.Nd.R32 {
			if r >= rune(x.Lo) && r <= rune(x.Hi) {
				return '0' + (r-rune(x.Lo))%10
			}
		}
		return r
	}, text)
}

// qualifierRank gives a word the text by which it is ordered.
func qualifierRank(word string, beforeDigit bool) string {
	if long, ok := shortQualifiers[word]; ok && beforeDigit {
		word = long
	}
	if other, ok := qualifierAliases[word]; ok {
		word = other
	}
	if i := slices.Index(qualifiers, word); i >= 0 {
		return string(rune('0' + i))
	}
	return string(rune('0'+len(qualifiers))) + "-" + word
}

// empty says whether a part means no more than its absence.
func (p *versionPart) empty() bool {
	switch p.kind {
	case partNumber:
		return p.digits == ""
	case partWord:
		return p.word == releaseRank
	}
	return len(p.list) == 0
}

// normal takes away empty parts from the end on, and between lists at the end.
func (v version) normal() version {
	for i := len(v) - 1; i >= 0; i-- {
		if v[i].empty() {
			v = slices.Delete(v, i, i+1)
		} else if v[i].kind != partList {
			break
		}
	}
	return v
}

// compare orders versions part by part; where one has no more, the other's part is compared with nothing.
func (v version) compare(w version) int {
	for i := range max(len(v), len(w)) {
		c := 0
		switch {
		case i >= len(v):
			c = -w[i].againstNothing()
		case i >= len(w):
			c = v[i].againstNothing()
		default:
			c = v[i].compare(&w[i])
		}
		if c != 0 {
			return c
		}
	}
	return 0
}

func (p *versionPart) againstNothing() int {
	switch {
	case p.kind == partNumber:
		return cmp.Compare(len(p.digits), 0)
	case p.kind == partWord:
		return strings.Compare(p.word, releaseRank)
	case len(p.list) == 0:
		return 0
	}
	return p.list[0].againstNothing()
}

// compare orders two parts: words before lists before numbers.
func (p *versionPart) compare(q *versionPart) int {
	if p.kind != q.kind {
		rank := func(k partKind) int { return map[partKind]int{partWord: 0, partList: 1, partNumber: 2}[k] }
		return cmp.Compare(rank(p.kind), rank(q.kind))
	}
	switch p.kind {
	case partNumber:
		return cmp.Or(cmp.Compare(len(p.digits), len(q.digits)), strings.Compare(p.digits, q.digits))
	case partWord:
		return compareUTF16(p.word, q.word)
	}
	return p.list.compare(q.list)
}

// compareVersions is the ordering version.
func compareVersions(a, b string) int { return parseVersion(a).compare(parseVersion(b)) }
