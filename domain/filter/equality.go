package filter

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"

	"ogham/domain/row"
)

// members of a set: what equals, in and selector compare with.
type set struct {
	nulls   bool
	known   bool // a null that is not in the set is no unknown
	texts   map[string]bool
	longs   map[int64]bool
	doubles map[uint64]bool
	// numbers says that texts are compared as numbers: strict ones as whole numbers only where the set has longs.
	numbers   bool
	wholeOnly bool
	real      bool // texts are compared as doubles only
}

func newSet() *set {
	return &set{texts: map[string]bool{}, longs: map[int64]bool{}, doubles: map[uint64]bool{}}
}

// addText adds a value as a text, and as the numbers that it denotes.
func (s *set) addText(text string) {
	s.texts[text] = true
	if n, ok := row.ExactLong(text); ok {
		s.longs[n] = true
	}
	if x, ok := row.ParseDouble(text); ok {
		s.doubles[doubleKey(x)] = true
	}
}

// addBoolean adds the numbers that the texts true and false are where values are cast for a comparison.
func (s *set) addBoolean(text string) {
	switch {
	case strings.EqualFold(text, "true"):
		s.longs[1], s.doubles[doubleKey(1)] = true, true
	case strings.EqualFold(text, "false"):
		s.longs[0], s.doubles[doubleKey(0)] = true, true
	}
}

// addNumber adds a number, with which texts are compared as numbers.
func (s *set) addNumber(x float64, n int64, whole bool) {
	s.numbers = true
	s.doubles[doubleKey(x)] = true
	if whole {
		s.longs[n] = true
	}
}

// doubleKey is the same for all NaNs, and tells zeros apart as Java's Double.equals does.
func doubleKey(x float64) uint64 {
	if x != x {
		x = math.NaN()
	}
	return math.Float64bits(x)
}

func (s *set) null() (matched, known bool) { return s.nulls, s.known }

func (s *set) text(text []byte) bool {
	if !s.numbers {
		return s.texts[string(text)]
	}
	if s.wholeOnly {
		n, err := strconv.ParseInt(string(text), 10, 64)
		return err == nil && s.longs[n]
	}
	if n, ok := row.ExactLong(string(text)); ok && s.longs[n] && !s.real {
		return true
	}
	x, ok := row.ParseDouble(string(text))
	return ok && s.doubles[doubleKey(x)]
}

func (s *set) long(n int64) (matched, ok bool) { return s.longs[n], true }

func (s *set) double(x float64) (matched, ok bool) { return s.doubles[doubleKey(x)], true }

func parseSelector(p *parser, m members, path string) matcher {
	s := newSet()
	if m.has("value") {
		text, ok := m.text("value")
		if !ok {
			return p.fail(path+".value", "value must be a text, a number or a Boolean")
		}
		s.addText(text)
	} else {
		s.nulls = true
	}
	return p.dimension(m, "dimension", path, s)
}

func parseNull(p *parser, m members, path string) matcher {
	return p.dimension(m, "column", path, nulls{})
}

// nulls is the filter for nulls, which is never unknown.
type nulls struct{}

func (nulls) null() (matched, known bool)       { return true, true }
func (nulls) text([]byte) bool                  { return false }
func (nulls) long(int64) (matched, ok bool)     { return false, true }
func (nulls) double(float64) (matched, ok bool) { return false, true }

func parseIn(p *parser, m members, path string) matcher {
	var values []json.RawMessage
	if err := json.Unmarshal(m["values"], &values); err != nil || values == nil {
		return p.fail(path+".values", "values cannot be null")
	}
	s := newSet()
	for i, raw := range values {
		if string(raw) == "null" {
			s.nulls = true
			continue
		}
		text, err := scalarText(raw)
		if err != nil {
			return p.fail(path+".values["+strconv.Itoa(i)+"]", "a value must be a text, a number or a Boolean")
		}
		s.addText(text)
	}
	return p.dimension(m, "dimension", path, s)
}

// matchType is what matchValueType says.
type matchType struct {
	number, whole, array bool
}

func (p *parser) matchType(m members, member, path string) (t matchType, ok bool) {
	name, has := m.text(member)
	if !has {
		p.fail(path+"."+member, member+" cannot be null")
		return t, false
	}
	if len(name) > 6 && name[:6] == "ARRAY<" && name[len(name)-1] == '>' {
		t.array = true
		name = name[6 : len(name)-1]
	}
	switch name {
	case "STRING":
	case "LONG":
		t.number, t.whole = true, true
	case "DOUBLE", "FLOAT":
		t.number = true
	default:
		p.refuse(path+"."+member, member+" '"+name+"' is not supported for rows before they are stored")
		return t, false
	}
	return t, true
}

// literal casts a value of a filter to its type; ok is false where the cast gives null.
func (t matchType) literal(raw json.RawMessage) (text string, x float64, n int64, ok bool) {
	text, err := scalarText(raw)
	if err != nil || string(raw) == "null" {
		return "", 0, 0, false
	}
	if !t.number {
		return text, 0, 0, true
	}
	x, ok = row.ParseDouble(text)
	if n, whole := row.ExactLong(text); whole && t.whole {
		return text, float64(n), n, true
	}
	if t.whole {
		x = math.Trunc(x)
	}
	return text, x, int64(x), ok
}

func parseEquals(p *parser, m members, path string) matcher {
	t, ok := p.matchType(m, "matchValueType", path)
	if !ok {
		return constant(false)
	}
	return p.equals(m, "column", "matchValue", path, t)
}

func parseContainsElement(p *parser, m members, path string) matcher {
	t, ok := p.matchType(m, "elementMatchValueType", path)
	if !ok {
		return constant(false)
	}
	if t.array {
		return p.refuse(path+".elementMatchValueType", "arrays of arrays are not supported here")
	}
	if !m.has("elementMatchValue") {
		return p.dimension(m, "column", path, newSet()) // no element of a list that is read is a null: it is the text null
	}
	return p.equals(m, "column", "elementMatchValue", path, t)
}

func (p *parser) equals(m members, columnMember, member, path string, t matchType) matcher {
	if !m.has(member) {
		return p.fail(path+"."+member, member+" cannot be null")
	}
	if t.array {
		return p.equalsArray(m, member, path, t)
	}
	s := newSet()
	if !s.add(t, m[member]) {
		return p.fail(path+"."+member, member+" cannot be null: it is no "+typeName(t))
	}
	if text, _, _, _ := t.literal(m[member]); !t.number {
		s.addBoolean(text)
	}
	return p.dimension(m, columnMember, path, s)
}

func typeName(t matchType) string {
	if t.number {
		return "number"
	}
	return "text"
}

// add adds a literal of a type; ok is false if it is none.
func (s *set) add(t matchType, raw json.RawMessage) (ok bool) {
	text, x, n, ok := t.literal(raw)
	switch {
	case !ok:
	case t.number:
		s.real = !t.whole
		s.addNumber(x, n, t.whole || x == math.Trunc(x))
	default:
		s.addText(text)
	}
	return ok
}

// equalsArray compares with an array: one of a single element is that element, any other must be equal as a whole.
func (p *parser) equalsArray(m members, member, path string, t matchType) matcher {
	var list []json.RawMessage
	if err := json.Unmarshal(m[member], &list); err != nil {
		return p.fail(path+"."+member, member+" must be an array")
	}
	if len(list) == 1 {
		s := newSet()
		if !s.add(t, list[0]) {
			return p.fail(path+"."+member+"[0]", "an element is no "+typeName(t))
		}
		return p.dimension(m, "column", path, s)
	}
	whole := &wholeArray{}
	for i, raw := range list {
		s := newSet()
		if string(raw) == "null" {
			s.nulls = true
		} else if !s.add(t, raw) {
			return p.fail(path+"."+member+"["+strconv.Itoa(i)+"]", "an element is no "+typeName(t))
		}
		whole.elems = append(whole.elems, s)
	}
	name, ok := m.text("column")
	if !ok {
		return p.fail(path+".column", "column must not be null")
	}
	whole.at = p.column(name)
	return whole
}

// wholeArray matches a list whose elements are equal to given ones, in order.
type wholeArray struct {
	at    int
	elems []*set
}

func (w *wholeArray) match(f *Filter, unknown bool) bool {
	v := f.row.Column(w.at)
	if v.Kind <= row.Null {
		return unknown
	}
	if v.Kind != row.List {
		return false
	}
	list := f.row.Rows().ListOf(v)
	if len(list) != len(w.elems) {
		return false
	}
	for i := range list {
		if !w.elems[i].is(f, &list[i]) {
			return false
		}
	}
	return true
}

// is says whether a value is in the set.
func (s *set) is(f *Filter, v *row.Value) bool {
	switch v.Kind {
	case row.Missing, row.Null:
		return s.nulls
	case row.Long:
		return s.longs[int64(v.Num)]
	case row.Double:
		return s.doubles[doubleKey(math.Float64frombits(v.Num))]
	}
	f.text = f.row.Rows().AppendText(f.text[:0], v)
	return s.text(f.text)
}

func parseInType(p *parser, m members, path string) matcher {
	t, ok := p.matchType(m, "matchValueType", path)
	if !ok {
		return constant(false)
	}
	if t.array {
		return p.refuse(path+".matchValueType", "arrays are not supported here")
	}
	member := "sortedValues"
	if m.has("values") {
		member = "values"
	}
	var values []json.RawMessage
	if err := json.Unmarshal(m[member], &values); err != nil || values == nil {
		return p.fail(path+"."+member, "values cannot be null")
	}
	s := newSet()
	s.numbers, s.wholeOnly = t.number, t.whole
	for i, raw := range values {
		if string(raw) == "null" {
			s.nulls = true
			continue
		}
		if !s.add(t, raw) {
			return p.fail(path+"."+member+"["+strconv.Itoa(i)+"]", "a value is no "+typeName(t))
		}
		if _, _, n, _ := t.literal(raw); t.number {
			s.longs[n] = true // here a whole number is compared with what is left of a double without its fraction
		}
	}
	return p.dimension(m, "column", path, s)
}
