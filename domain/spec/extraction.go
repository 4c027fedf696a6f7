package spec

import (
	"fmt"
	"slices"
)

const (
	classExtraction    = "org.apache.druid.query.extraction.ExtractionFn"
	classDimensionSpec = "org.apache.druid.query.dimension.DimensionSpec"
	classSearch        = "org.apache.druid.query.search.SearchQuerySpec"
	classBound         = "org.apache.druid.collections.spatial.search.Bound"
	classLookup        = "org.apache.druid.query.lookup.LookupExtractor"
)

// extractionTypes are the extraction functions that Druid 33 knows.
var extractionTypes = []string{
	"bucket", "cascade", "identity", "javascript", "lookup", "lower", "partial", "regex", "registeredLookup", "searchQuery",
	"stringFormat", "strlen", "substring", "time", "timeFormat", "upper",
}

// readExtraction reads the member extractionFn; nil where there is none, or where it cannot be read.
func readExtraction(r *reader) *node {
	n := r.get("extractionFn")
	if n == nil {
		return nil
	}
	return extractionOf(r.scan, n, r.at("extractionFn"), "extractionFn")
}

func extractionOf(s *scan, n *node, path, property string) *node {
	id, ok := s.typeID(n, path, classExtraction, property, extractionTypes)
	if !ok {
		return nil
	}
	r := newReader(s, n, path, classExtraction, "")
	r.ignore("type")
	out := object(member{"type", str(id)})
	out.members = append(out.members, present(extractionMembers(r, id)...)...)
	r.done()
	return out
}

func extractionMembers(r *reader, id string) []member {
	text := func(name string) member { return member{name, orNull(r.text(name), str)} }
	flag := func(name string, def bool) member { return member{name, boolean(r.boolOr(name, def))} }
	switch id {
	case "upper", "lower":
		locale := r.text("locale")
		if locale == nil { // Druid writes it under a name under which it does not read it
			locale = r.text("localeString")
		}
		return []member{{"localeString", orNull(locale, str)}}
	case "regex":
		checkRegex(r, "expr")
		return []member{
			requiredText(r, "expr", "expr must not be null"), {"index", integer(r.integerOr("index", 1))},
			flag("replaceMissingValue", false), text("replaceMissingValueWith"),
		}
	case "partial":
		checkRegex(r, "expr")
		return []member{requiredText(r, "expr", "expr must not be null")}
	case "substring":
		return []member{{"index", integer(r.integerOr("index", 0))}, {"length", orNull(r.integer("length"), integer[int])}}
	case "stringFormat":
		return []member{requiredText(r, "format", "format string should not be empty"), {"nullHandling", str(r.textOr("nullHandling", "nullstring"))}}
	case "bucket":
		return []member{{"size", double(r.doubleOr("size", 1))}, {"offset", double(r.doubleOr("offset", 0))}}
	case "timeFormat":
		granularity := object(member{"type", str("none")})
		if n := r.get("granularity"); n != nil {
			granularity = readGranularity(r, "granularity", n, &Granularity{})
		}
		return []member{text("format"), text("timeZone"), text("locale"), {"granularity", granularity}, flag("asMillis", false)}
	case "time":
		return []member{
			requiredText(r, "timeFormat", "timeFormat must not be null"), requiredText(r, "resultFormat", "resultFormat must not be null"),
			flag("joda", false),
		}
	case "cascade":
		return []member{{"extractionFns", cascade(r)}}
	case "lookup":
		return []member{
			{"lookup", readLookup(r)}, flag("retainMissingValue", false), text("replaceMissingValueWith"), flag("injective", false), flag("optimize", true),
		}
	case "registeredLookup":
		return []member{
			requiredText(r, "lookup", "lookup must not be null"), given("retainMissingValue", r.get("retainMissingValue")),
			given("replaceMissingValueWith", r.get("replaceMissingValueWith")), given("injective", r.get("injective")), flag("optimize", true),
		}
	case "javascript":
		return []member{requiredText(r, "function", "function must not be null"), flag("injective", false)}
	case "searchQuery":
		return []member{readSearch(r)}
	}
	return nil
}

func cascade(r *reader) *node {
	out := array()
	items, ok := r.list("extractionFns", classExtraction)
	if !ok {
		r.fail("extractionFns", "extractionFns should not be null")
	}
	for i, item := range items {
		if n := extractionOf(r.scan, item, itemPath(r.at("extractionFns"), i), "extractionFns"); n != nil {
			out.items = append(out.items, n)
		}
	}
	return out
}

// readLookup reads a lookup that stands in the spec itself.
func readLookup(r *reader) *node {
	n := r.get("lookup")
	if n == nil {
		r.fail("lookup", "lookup must not be null")
		return null
	}
	if _, ok := r.scan.typeID(n, r.at("lookup"), classLookup, "lookup", []string{"map"}); !ok {
		return null
	}
	l := newReader(r.scan, n, r.at("lookup"), classLookup, "")
	l.ignore("type")
	entries := l.get("map")
	if entries == nil || entries.kind != kindObject {
		l.fail("map", "map")
		entries = object()
	}
	out := object(member{"type", str("map")}, member{"map", entries}, member{"isOneToOne", boolean(l.boolOr("isOneToOne", false))})
	l.done()
	return out
}

// searchTypes are the forms of a search.
var searchTypes = []string{"all", "contains", "fragment", "insensitive_contains", "regex"}

func readSearch(r *reader) member {
	n := r.get("query")
	if n == nil {
		r.fail("query", "query must not be null")
		return member{}
	}
	id, ok := r.scan.typeID(n, r.at("query"), classSearch, "query", searchTypes)
	if !ok {
		return member{}
	}
	q := newReader(r.scan, n, r.at("query"), classSearch, "")
	q.ignore("type")
	out := object(member{"type", str(id)})
	switch id {
	case "contains", "insensitive_contains":
		out.members = append(out.members, member{"value", orNull(q.text("value"), str)}, member{"caseSensitive", boolean(q.boolOr("caseSensitive", false))})
	case "fragment":
		values := array()
		for _, text := range q.texts("values") {
			values.items = append(values.items, str(text))
		}
		out.members = append(out.members, member{"values", values}, member{"caseSensitive", boolean(q.boolOr("caseSensitive", false))})
	case "regex":
		checkRegex(q, "pattern")
		out.members = append(out.members, requiredText(q, "pattern", "pattern should not be null"))
	}
	q.done()
	return member{"query", out}
}

// readBound reads the area of a spatial filter.
func readBound(r *reader) *node {
	n := r.get("bound")
	if n == nil {
		r.fail("bound", "bound must not be null")
		return null
	}
	id, ok := r.scan.typeID(n, r.at("bound"), classBound, "bound", []string{"polygon", "radius", "rectangular"})
	if !ok {
		return null
	}
	b := newReader(r.scan, n, r.at("bound"), classBound, "")
	b.ignore("type", "minCoords", "maxCoords")
	out := object(member{"type", str(id)})
	add := func(ms ...member) { out.members = append(out.members, ms...) }
	switch id {
	case "rectangular":
		add(member{"minCoords", coordinates(b, "minCoords")}, member{"maxCoords", coordinates(b, "maxCoords")})
	case "polygon":
		add(member{"abscissa", coordinates(b, "abscissa")}, member{"ordinate", coordinates(b, "ordinate")})
	default:
		add(member{"coords", coordinates(b, "coords")}, member{"radius", double(b.doubleOr("radius", 0))})
	}
	add(member{"limit", integer(b.integerOr("limit", 0))})
	if id == "radius" {
		unit := b.textOr("radiusUnit", "euclidean")
		add(member{"radiusUnit", str(unit)})
		if least, most := around(out.get("coords"), out.get("radius")); least != nil {
			add(member{"minCoords", least}, member{"maxCoords", most})
		}
	}
	b.done()
	return out
}

func coordinates(r *reader, name string) *node {
	items, ok := r.list(name, "float")
	if !ok {
		r.fail(name, "%s must be a list of numbers", name)
	}
	out := array()
	for i, item := range items {
		one := newReader(r.scan, object(member{"x", item}), itemPath(r.at(name), i), "float", "")
		out.items = append(out.items, double(one.doubleOr("x", 0)))
	}
	return out
}

// around is the square around a circle, which Druid writes beside it.
func around(center, radius *node) (least, most *node) {
	least, most = array(), array()
	var rad float64
	if _, err := fmt.Sscan(radius.text, &rad); err != nil {
		return nil, nil
	}
	for _, c := range center.items {
		var x float64
		if _, err := fmt.Sscan(c.text, &x); err != nil {
			return nil, nil
		}
		least.items, most.items = append(least.items, double(x-rad)), append(most.items, double(x+rad))
	}
	return least, most
}

// readDimensionSpec reads a dimension as queries name them; a text is short for one of the given type.
func readDimensionSpec(s *scan, n *node, path, short string) *node {
	if n.kind == kindString || n.kind == kindNumber {
		return dimensionSpecNode(short, n.scalarText(), n.scalarText(), "STRING", nil)
	}
	if !s.isObject(n, path, classDimensionSpec) {
		return nil
	}
	r := newReader(s, n, path, classDimensionSpec, "")
	id := r.textOr("type", short)
	if !slices.Contains([]string{"default", "extraction", "listFiltered", "prefixFiltered", "regexFiltered", "lookup"}, id) {
		id = "LegacyDimensionSpec"
	}
	switch id {
	case "listFiltered", "prefixFiltered", "regexFiltered":
		return filteredDimension(r, id, path)
	case "lookup":
		return n
	}
	dimension := r.textOr("dimension", "")
	function := readExtraction(r)
	if id == "extraction" {
		switch {
		case r.text("dimension") == nil:
			r.fail("dimension", "dimension must not be null")
		case function == nil:
			r.fail("extractionFn", "extractionFn must not be null")
		}
	}
	out := dimensionSpecNode(id, dimension, r.textOr("outputName", dimension), orDefault(columnType(r.textOr("outputType", "")), "STRING"), function)
	r.done()
	return out
}

// filteredDimension reads a dimension of which only some values are left in.
func filteredDimension(r *reader, id, path string) *node {
	out := object(member{"type", str(id)})
	delegate := r.get("delegate")
	if delegate == nil || delegate.kind == kindNull {
		r.fail("delegate", "delegate must not be null")
		return nil
	}
	inner := readDimensionSpec(r.scan, delegate, path+".delegate", "LegacyDimensionSpec")
	if inner == nil {
		return nil
	}
	out.members = append(out.members, member{"delegate", inner})
	name := map[string]string{"prefixFiltered": "prefix", "regexFiltered": "pattern"}[id]
	if name != "" {
		text := r.text(name)
		if text == nil {
			r.fail(name, "%s must not be null", name)
			return nil
		}
		out.members = append(out.members, member{name, str(*text)})
		r.done()
		return out
	}
	values := r.get("values")
	if values == nil || len(values.items) == 0 {
		r.fail("values", "values list must be non-empty")
		return nil
	}
	out.members = append(out.members, member{"values", values}, member{"isWhitelist", boolean(r.boolOr("isWhitelist", true))})
	r.done()
	return out
}

func orDefault(text, def string) string {
	if text == "" {
		return def
	}
	return text
}

func dimensionSpecNode(id, dimension, name, kind string, function *node) *node {
	n := object(member{"type", str(id)}, member{"dimension", str(dimension)}, member{"outputName", str(name)}, member{"outputType", str(kind)})
	if function != nil {
		n.members = append(n.members, member{"extractionFn", function})
	}
	return n
}
