package spec

import "strings"

// The aggregators with members of their own. What Druid fills in is written as it writes it, whether tasks compute the
// aggregator or not.

const (
	defaultAccumulator    = "__acc"
	defaultExpressionSize = 1024
)

// readOwnMembers reads the members of an aggregator that is neither simple nor one of a single field.
func readOwnMembers(r *reader, m Metric) []member {
	flag := func(name string, def bool) member { return member{name, boolean(r.boolOr(name, def))} }
	switch m.Type {
	case "cardinality":
		return []member{{"fields", cardinalityFields(r)}, flag("byRow", false), flag("round", false)}
	case "expression":
		return expressionMembers(r, m.Name)
	case "grouping":
		names, ok := textList(r, "groupings")
		if !ok || len(names.items) == 0 {
			r.fail("groupings", "Must have a non-empty grouping dimensions")
		}
		return []member{{"groupings", names}}
	case "histogram":
		breaks := array()
		if r.get("breaks") != nil {
			breaks = coordinates(r, "breaks")
		}
		return []member{requiredText(r, "fieldName", "Must have a valid, non-null fieldName"), {"breaks", breaks}}
	case "javascript":
		names, ok := textList(r, "fieldNames")
		if !ok {
			r.fail("fieldNames", "Must have a valid, non-null fieldNames")
		}
		return []member{
			{"fieldNames", names}, requiredText(r, "fnAggregate", "Must have a valid, non-null fnAggregate"),
			requiredText(r, "fnReset", "Must have a valid, non-null fnReset"), requiredText(r, "fnCombine", "Must have a valid, non-null fnCombine"),
		}
	case "singleValue":
		return []member{
			requiredText(r, "fieldName", "fieldName"), {"columnType", str(columnType(r.textOr("columnType", "")))},
		}
	}
	return nil
}

func textList(r *reader, name string) (*node, bool) {
	_, ok := r.list(name, "java.lang.String")
	out := array()
	for _, text := range r.texts(name) {
		out.items = append(out.items, str(text))
	}
	return out, ok
}

// cardinalityFields reads the dimensions that are counted, or the older list of their names.
func cardinalityFields(r *reader) *node {
	items, short := []*node(nil), "LegacyDimensionSpec"
	name := "fields"
	fields, ok := r.list(name, classDimensionSpec)
	if items = fields; !ok {
		name, short = "fieldNames", "default"
		if items, ok = r.list(name, "java.lang.String"); !ok {
			r.fail("fields", "Must provide 'fieldNames' if 'fields' is null.")
			return array()
		}
	}
	out := array()
	for i, item := range items {
		if n := readDimensionSpec(r.scan, item, itemPath(r.at(name), i), short); n != nil {
			out.items = append(out.items, n)
		}
	}
	return out
}

func expressionMembers(r *reader, name string) []member {
	fields, _ := textList(r, "fields")
	fold, combine := r.text("fold"), r.text("combine")
	initial := r.text("initialValue")
	switch {
	case combine == nil && len(fields.items) != 1:
		r.fail("fields", "Must have a single input field if no combine expression is supplied")
		return nil
	case fold == nil:
		r.fail("fold", "Must have a valid, non-null fold")
		return nil
	}
	if combine == nil { // Druid replaces the text of the name wherever it stands
		text := strings.ReplaceAll(*fold, fields.items[0].text, name)
		combine = &text
	}
	initialCombine := initial
	if t := r.text("initialCombineValue"); t != nil {
		initialCombine = t
	}
	flag := func(name string) member { return member{name, boolean(r.boolOr(name, true))} }
	optional := func(name string) member {
		if t := r.text(name); t != nil {
			return member{name, str(*t)}
		}
		return member{}
	}
	return []member{
		{"fields", fields}, {"accumulatorIdentifier", str(r.textOr("accumulatorIdentifier", defaultAccumulator))},
		{"initialValue", orNull(initial, str)}, {"initialCombineValue", orNull(initialCombine, str)},
		flag("isNullUnlessAggregated"), flag("shouldAggregateNullInputs"), flag("shouldCombineAggregateNullInputs"),
		{"fold", str(*fold)}, {"combine", str(*combine)}, optional("compare"), optional("finalize"),
		{"maxSizeBytes", integer(r.integerOr("maxSizeBytes", defaultExpressionSize))},
	}
}
