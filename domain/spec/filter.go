package spec

import (
	"errors"
	"fmt"
	"math/big"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode/utf16"
)

const (
	classFilter   = "org.apache.druid.query.filter.DimFilter"
	filterPackage = "org.apache.druid.query.filter."
)

// filterTypes are the filters that Druid 33 knows.
var filterTypes = []string{
	"and", "arrayContainsElement", "bound", "columnComparison", "equals", "expression", "extraction", "false", "in",
	"inType", "interval", "isfalse", "istrue", "javascript", "like", "not", "null", "or", "range", "regex", "search",
	"selector", "spatial", "true",
}

// filterClasses are those whose name is not the type's with DimFilter behind.
var filterClasses = map[string]string{
	"arrayContainsElement": "ArrayContainsElementFilter", "equals": "EqualityFilter", "inType": "TypedInFilter",
	"isfalse": "IsFalseDimFilter", "istrue": "IsTrueDimFilter", "javascript": "JavaScriptDimFilter", "null": "NullFilter",
	"range": "RangeFilter", "search": "SearchQueryDimFilter",
}

func filterClass(id string) string {
	if name, ok := filterClasses[id]; ok {
		return filterPackage + name
	}
	return filterPackage + strings.ToUpper(id[:1]) + id[1:] + "DimFilter"
}

// readFilter reads a filter and those inside it, and gives it as Druid writes it; nil where it cannot be read.
func readFilter(s *scan, f *node, path, property string) *node {
	id, ok := s.typeID(f, path, classFilter, property, filterTypes)
	if !ok {
		return nil
	}
	r := newReader(s, f, path, filterClass(id), "")
	r.ignore("type")
	before := len(s.problems)
	out := object(member{"type", str(id)})
	out.members = append(out.members, present(filterMembers(r, id)...)...)
	r.done()
	if len(s.problems) > before {
		return nil
	}
	return out
}

func filterMembers(r *reader, id string) []member {
	switch id {
	case "and", "or":
		return readJunction(r, strings.ToUpper(id))
	case "not":
		return readInner(r, "NOT operator requires at least one field")
	case "istrue", "isfalse":
		return readInner(r, "IS "+strings.ToUpper(strings.TrimPrefix(id, "is"))+" operator requires a non-null filter for field")
	case "true", "false":
		return nil
	case "expression":
		return []member{{"expression", orNull(r.text("expression"), str)}, r.tuning()}
	case "columnComparison":
		return readComparison(r)
	case "equals", "null", "range", "inType", "arrayContainsElement":
		return readTypedFilter(r, id)
	}
	return readDimensionFilter(r, id)
}

// readJunction reads the filters of an and or an or; nulls among them are left out.
func readJunction(r *reader, operator string) []member {
	fields := array()
	items, _ := r.list("fields", classFilter)
	for i, item := range items {
		if item.kind == kindNull {
			continue
		}
		if n := readFilter(r.scan, item, itemPath(r.at("fields"), i), "fields"); n != nil {
			fields.items = append(fields.items, n)
		}
	}
	if len(items) == 0 || len(fields.items) == 0 && !slices.ContainsFunc(items, func(n *node) bool { return n.kind != kindNull }) {
		r.fail("fields", "%s operator requires at least one field", operator)
	}
	return []member{{"fields", fields}}
}

func readInner(r *reader, missing string) []member {
	n := r.get("field")
	if n == nil {
		r.fail("field", "%s", missing)
		return nil
	}
	inner := readFilter(r.scan, n, r.at("field"), "field")
	if inner == nil {
		inner = null
	}
	return []member{{"field", inner}}
}

func readComparison(r *reader) []member {
	dims, ok := r.list("dimensions", classDimensionSpec)
	if !ok {
		r.fail("dimensions", "dimensions")
		return nil
	}
	out := array()
	for i, d := range dims {
		if n := readDimensionSpec(r.scan, d, itemPath(r.at("dimensions"), i), "LegacyDimensionSpec"); n != nil {
			out.items = append(out.items, n)
		}
	}
	return []member{{"dimensions", out}}
}

// tuning is the member filterTuning, nil where there is none: left out then.
func (r *reader) tuning() member {
	t := r.child("filterTuning", filterPackage+"FilterTuning")
	if t == nil {
		return member{}
	}
	n := object(
		member{"useBitmapIndex", orNull(t.bool("useBitmapIndex"), boolean)},
		member{"minCardinalityToUseBitmapIndex", orNull(t.integer("minCardinalityToUseBitmapIndex"), integer[int])},
		member{"maxCardinalityToUseBitmapIndex", orNull(t.integer("maxCardinalityToUseBitmapIndex"), integer[int])},
	)
	t.done()
	return member{"filterTuning", n}
}

// present leaves out the members that are not there.
func present(members ...member) []member {
	return slices.DeleteFunc(members, func(m member) bool { return m.value == nil })
}

// given is a member that is left out where the spec has none.
func given(name string, n *node) member {
	if n == nil || n.kind == kindNull {
		return member{}
	}
	return member{name, n}
}

// flagged is a Boolean that is left out where it is false.
func (r *reader) flagged(name string) member {
	if r.boolOr(name, false) {
		return member{name, boolean(true)}
	}
	return member{}
}

// readTypedFilter reads the filters that compare values of a type.
func readTypedFilter(r *reader, id string) []member {
	what := map[string]string{"equals": "equality", "null": "null", "range": "range", "inType": "IN", "arrayContainsElement": "array_contains"}[id]
	column := r.text("column")
	if column == nil {
		r.fail("column", "Invalid %s filter, column cannot be null", what)
		return nil
	}
	kind := "matchValueType"
	if id == "arrayContainsElement" {
		kind = "elementMatchValueType"
	}
	out := []member{{"column", str(*column)}}
	if id == "null" {
		return append(out, r.tuning())
	}
	t := columnType(r.textOr(kind, ""))
	if t == "" {
		r.fail(kind, "Invalid %s filter on column [%s], %s cannot be null", what, *column, kind)
		return nil
	}
	out = append(out, member{kind, str(t)})
	switch id {
	case "equals":
		if r.get("matchValue") == nil {
			r.fail("matchValue", "Invalid equality filter on column [%s], matchValue cannot be null", *column)
			return nil
		}
		out = append(out, member{"matchValue", r.get("matchValue")})
	case "arrayContainsElement":
		element := null
		if n := r.get("elementMatchValue"); n != nil {
			element = n
		}
		out = append(out, member{"elementMatchValue", element})
	case "range":
		lower, upper := r.get("lower"), r.get("upper")
		if lower == nil && upper == nil {
			r.fail("lower", "Invalid range filter on column [%s], lower and upper cannot be null at the same time", *column)
			return nil
		}
		out = append(out, given("lower", lower), given("upper", upper), r.flagged("lowerOpen"), r.flagged("upperOpen"))
	default:
		out = append(out, member{"sortedValues", sortedValues(r, *column)})
	}
	return append(out, r.tuning())
}

// sortedValues reads the values of an inType, of which each is there once.
func sortedValues(r *reader, column string) *node {
	values, sorted := r.get("values"), r.get("sortedValues")
	if (values == nil) == (sorted == nil) {
		r.fail("values", "Invalid IN filter on column [%s], exactly one of values or sortedValues must be non-null", column)
		return nil
	}
	if sorted != nil {
		return sorted
	}
	if values.kind != kindArray {
		r.scan.wrongKind(values, r.at("values"), "java.util.ArrayList<java.lang.Object>")
		return nil
	}
	items := slices.Clone(values.items)
	slices.SortStableFunc(items, compareValues)
	items = slices.CompactFunc(items, func(a, b *node) bool { return compareValues(a, b) == 0 })
	return array(items...)
}

// compareValues orders null first, numbers by their value and texts as Java does.
func compareValues(a, b *node) int {
	rank := func(n *node) int {
		switch n.kind {
		case kindNull:
			return 0
		case kindNumber:
			return 1
		}
		return 2
	}
	if d := rank(a) - rank(b); d != 0 {
		return d
	}
	if a.kind == kindNumber {
		x, okX := new(big.Float).SetString(a.text)
		y, okY := new(big.Float).SetString(b.text)
		if okX && okY {
			return x.Cmp(y)
		}
	}
	return compareJava(a.scalarText(), b.scalarText())
}

// compareJava orders texts by their UTF-16 units.
func compareJava(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// readDimensionFilter reads the filters that look at a dimension as text.
func readDimensionFilter(r *reader, id string) []member {
	dimension := r.text("dimension")
	if dimension == nil {
		missing := "dimension must not be null"
		if id == "in" {
			missing = "dimension cannot be null"
		}
		r.fail("dimension", "%s", missing)
		return nil
	}
	out := []member{{"dimension", str(*dimension)}}
	if id == "spatial" {
		return append(out, member{"bound", readBound(r)}, r.tuning())
	}
	function := readExtraction(r)
	nullable := member{"extractionFn", function}
	if function == nil {
		nullable.value = null
	}
	switch id {
	case "selector", "extraction":
		out = append(out, member{"value", orNull(r.text("value"), str)}, given("extractionFn", function))
	case "in":
		out = append(out, member{"values", textSet(r)}, given("extractionFn", function))
	case "bound":
		out = append(append(out, readBounds(r)...), given("extractionFn", function))
	case "like":
		out = append(append(out, readLike(r)...), nullable)
	case "regex":
		out = append(out, requiredText(r, "pattern", "pattern must not be null"), nullable)
		checkRegex(r, "pattern")
	case "search":
		out = append(out, readSearch(r), nullable)
	case "interval":
		out = append(out, readIntervals(r), nullable)
	case "javascript":
		out = append(out, requiredText(r, "function", "function must not be null"), nullable)
	}
	return append(out, r.tuning())
}

func requiredText(r *reader, name, missing string) member {
	text := r.text(name)
	if text == nil {
		r.fail(name, "%s", missing)
		return member{}
	}
	return member{name, str(*text)}
}

// textSet reads the values of an in: each once, null first.
func textSet(r *reader) *node {
	items, ok := r.list("values", "java.lang.String")
	if !ok {
		r.fail("values", "values cannot be null")
		return nil
	}
	out := array()
	for i, item := range items {
		switch item.kind {
		case kindArray, kindObject:
			r.scan.wrongKind(item, itemPath(r.at("values"), i), "java.lang.String")
		case kindNull:
			out.items = append(out.items, null)
		default:
			out.items = append(out.items, str(item.scalarText()))
		}
	}
	slices.SortStableFunc(out.items, compareValues)
	out.items = slices.CompactFunc(out.items, func(a, b *node) bool { return compareValues(a, b) == 0 })
	return out
}

// orderings are the comparators of strings that have a name.
var orderings = []string{"lexicographic", "alphanumeric", "strlen", "numeric", "version", "natural"}

func readBounds(r *reader) []member {
	lower, upper := r.text("lower"), r.text("upper")
	if lower == nil && upper == nil {
		r.fail("lower", "lower and upper can not be null at the same time")
		return nil
	}
	ordering := "lexicographic"
	if r.boolOr("alphaNumeric", false) {
		ordering = "alphanumeric"
	}
	if n := r.get("ordering"); n != nil {
		if n.kind == kindObject && n.get("type") != nil {
			n = n.get("type")
		}
		if ordering = n.scalarText(); !slices.Contains(orderings, ordering) {
			r.failClass("ordering", "org.apache.druid.query.ordering.StringComparator", "Unknown string comparator[%s]", ordering)
		}
	}
	text := func(t *string) *node {
		if t == nil {
			return nil
		}
		return str(*t)
	}
	return []member{
		given("lower", text(lower)), given("upper", text(upper)), r.flagged("lowerStrict"), r.flagged("upperStrict"),
		{"ordering", object(member{"type", str(ordering)})},
	}
}

func readLike(r *reader) []member {
	pattern := r.text("pattern")
	if pattern == nil {
		r.fail("pattern", "pattern")
		return nil
	}
	escape := null
	if text := r.text("escape"); text != nil && *text != "" {
		if len(utf16.Encode([]rune(*text))) != 1 {
			r.fail("escape", "Escape must be null or a single character")
		}
		escape = str(*text)
	}
	return []member{{"pattern", str(*pattern)}, {"escape", escape}}
}

// regexProblem says what keeps a text from being a regular expression. Java has forms that Go has not, so only errors
// that both share are errors.
func regexProblem(pattern string) string {
	_, err := syntax.Parse(pattern, syntax.Perl)
	var bad *syntax.Error
	if !errors.As(err, &bad) {
		return ""
	}
	switch bad.Code {
	case syntax.ErrMissingParen, syntax.ErrMissingBracket, syntax.ErrUnexpectedParen, syntax.ErrTrailingBackslash:
		if !strings.Contains(pattern, "(?") { // Go reports a missing bracket after groups that it does not know
			return bad.Code.String()
		}
	}
	return ""
}

// checkRegex refuses what is a regular expression neither in Java nor here.
func checkRegex(r *reader, name string) {
	if text := r.text(name); text != nil {
		if problem := regexProblem(*text); problem != "" {
			r.fail(name, "%s [%s] is not a regular expression: %s", name, *text, problem)
		}
	}
}

func readIntervals(r *reader) member {
	items, ok := r.list("intervals", "org.joda.time.Interval")
	if !ok {
		r.fail("intervals", "intervals can not be null")
		return member{}
	}
	out := array()
	for i, item := range items {
		if n := readInterval(r.scan, item, itemPath(r.at("intervals"), i)); n != nil {
			out.items = append(out.items, n)
		}
	}
	return member{"intervals", out}
}

// readInterval reads start/end, where one of them may be a period, and gives it as Druid writes it.
func readInterval(s *scan, item *node, path string) *node {
	start, end, ok := parseInterval(item.scalarText())
	if ok && end.Before(start) {
		message := fmt.Sprintf("Invalid interval[%s]: [The end instant must be greater than the start instant]", item.scalarText())
		s.add(path, message, message)
		return nil
	}
	if !ok {
		message := "Invalid interval '" + item.scalarText() + "', it must be start/end, start/period or period/end"
		s.add(path, message, message)
		return nil
	}
	return str(instantText(start) + "/" + instantText(end))
}

// columnType is the name of a column's type as Druid writes it, empty for what is none.
func columnType(text string) string {
	upper := strings.ToUpper(text)
	switch upper {
	case "STRING", "LONG", "FLOAT", "DOUBLE":
		return upper
	case "STRING_ARRAY", "LONG_ARRAY", "FLOAT_ARRAY", "DOUBLE_ARRAY":
		return "ARRAY<" + strings.TrimSuffix(upper, "_ARRAY") + ">"
	case "COMPLEX":
		return upper
	}
	if !strings.HasSuffix(text, ">") {
		return ""
	}
	if strings.HasPrefix(text, "COMPLEX<") {
		return text
	}
	if inner, ok := strings.CutPrefix(text, "ARRAY<"); ok {
		if element := columnType(strings.TrimSuffix(inner, ">")); element != "" {
			return "ARRAY<" + element + ">"
		}
	}
	return ""
}
