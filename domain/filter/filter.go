package filter

import (
	"encoding/json"
	"errors"

	"ogham/domain/expr"
	"ogham/domain/row"
)

// Filter is a parsed filter. It is for one goroutine at a time, as it keeps memory from row to row.
type Filter struct {
	root    matcher
	columns []string
	env     expr.Env
	text    []byte
	err     error
	row     Row
	// nullTexts, see NullTexts.
	nullTexts bool
}

// NullTexts makes a columnComparison take the nulls of lists for the text null, as the filters of metrics do in Druid, and
// as all other filters do anyway; that of a transformSpec takes them for nulls.
func (f *Filter) NullTexts() { f.nullTexts = true }

// Row gives a filter the columns that it looks at.
type Row interface {
	// Rows holds the elements of the row's lists and the members of its objects.
	Rows() *row.Rows
	// Column gives the field of the column that Filter.Columns names at i. The time column is a long.
	Column(i int) *row.Value
}

// matcher decides for the filter's row. Where the answer is unknown it gives unknown back: a filter asks for what is
// certain with false, and its negation for what is possible with true.
type matcher interface {
	match(f *Filter, unknown bool) bool
}

// Columns gives the names of the columns that the filter looks at, in the order of Row.
func (f *Filter) Columns() []string { return f.columns }

// Match says whether the filter certainly holds for a row. An error is an *expr.Error, from an expression of the filter.
func (f *Filter) Match(r Row) (bool, error) {
	f.row, f.err = r, nil
	f.env.Reset()
	matched := f.root.match(f, false)
	f.row = nil
	if f.err != nil {
		return false, f.err
	}
	return matched, nil
}

// Problem says what is wrong with a filter; Path is where, from the filter on, as in .fields[0].pattern.
type Problem struct {
	Path, Message string
}

func (p *Problem) Error() string { return p.Message }

// Unsupported is a Problem with a filter that is right and cannot be applied here.
type Unsupported struct{ Problem }

// maxDepth bounds filters within filters.
const maxDepth = 500

// Parse reads a filter. The error is a *Problem or an *Unsupported.
func Parse(raw json.RawMessage) (*Filter, error) {
	f := &Filter{}
	p := &parser{filter: f, names: map[string]int{}}
	f.root = p.parse(raw, "")
	if p.err != nil {
		return nil, p.err
	}
	return f, nil
}

// parser reads filters within each other; the first error ends it.
type parser struct {
	filter *Filter
	names  map[string]int
	depth  int
	err    error
}

func (p *parser) fail(path, message string) matcher {
	if p.err == nil {
		p.err = &Problem{path, message}
	}
	return constant(false)
}

func (p *parser) refuse(path, message string) matcher {
	if p.err == nil {
		p.err = &Unsupported{Problem{path, message}}
	}
	return constant(false)
}

// column gives the place of a column.
func (p *parser) column(name string) int {
	at, ok := p.names[name]
	if !ok {
		at = len(p.filter.columns)
		p.names[name] = at
		p.filter.columns = append(p.filter.columns, name)
	}
	return at
}

// parserOf gives the function that reads a filter of a type from its members; nil for a type that is not known.
func parserOf(kind string) func(p *parser, m members, path string) matcher {
	switch kind {
	case "true":
		return func(*parser, members, string) matcher { return constant(true) }
	case "false":
		return func(*parser, members, string) matcher { return constant(false) }
	case "and", "or":
		return parseFields
	case "not", "istrue", "isfalse":
		return parseNot
	case "selector", "extraction":
		return parseSelector
	case "null":
		return parseNull
	case "equals":
		return parseEquals
	case "arrayContainsElement":
		return parseContainsElement
	case "in":
		return parseIn
	case "inType":
		return parseInType
	case "bound":
		return parseBound
	case "range":
		return parseRange
	case "like":
		return parseLike
	case "regex":
		return parseRegex
	case "search":
		return parseSearch
	case "interval":
		return parseInterval
	case "columnComparison":
		return parseComparison
	case "expression":
		return parseExpression
	case "javascript":
		return refused("filter 'javascript' is not supported: there is no JavaScript here, use a filter of type expression")
	case "spatial":
		return parseSpatial
	}
	return nil
}

func refused(message string) func(p *parser, m members, path string) matcher {
	return func(p *parser, _ members, path string) matcher { return p.refuse(path+".type", message) }
}

func (p *parser) parse(raw json.RawMessage, path string) matcher {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return p.fail(path, "filters are nested too deep")
	}
	if p.err != nil {
		return constant(false)
	}
	var m members
	if err := json.Unmarshal(raw, &m); err != nil || m == nil {
		return p.fail(path, "a filter must be an object")
	}
	kind, _ := m.text("type")
	parse := parserOf(kind)
	if parse == nil {
		return p.fail(path+".type", "filter type '"+kind+"' is not known")
	}
	return parse(p, m, path)
}

// members are an object's members, as they are written.
type members map[string]json.RawMessage

// has says whether a member is there and not null.
func (m members) has(name string) bool {
	raw, ok := m[name]
	return ok && string(raw) != "null"
}

// text gives a member as text, as Jackson reads one: numbers and Booleans are taken as they are written.
func (m members) text(name string) (string, bool) {
	if !m.has(name) {
		return "", false
	}
	s, err := scalarText(m[name])
	return s, err == nil
}

func (m members) flag(name string) bool {
	s, _ := m.text(name)
	return s == "true"
}

var errNoScalar = errors.New("not a scalar")

func scalarText(raw json.RawMessage) (string, error) {
	switch raw[0] {
	case '"':
		var s string
		err := json.Unmarshal(raw, &s)
		return s, err
	case '{', '[':
		return "", errNoScalar
	}
	return string(raw), nil
}

// constant is the filters true and false.
type constant bool

func (c constant) match(*Filter, bool) bool { return bool(c) }
