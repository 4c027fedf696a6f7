package spec

import (
	"slices"

	"ogham/domain/expr"
	"ogham/domain/row"
)

// The aggregators with members of their own. What Druid fills in is written as it writes it, whether tasks compute the
// aggregator or not.

const (
	defaultAccumulator    = "__acc"
	defaultExpressionSize = 1024
	minExpressionSize     = 10 // of a number
)

// readOwnMembers reads the members of an aggregator that is neither simple nor one of a single field.
func readOwnMembers(r *reader, m *Metric) []member {
	flag := func(name string, def bool) member { return member{name, boolean(r.boolOr(name, def))} }
	switch m.Type {
	case "cardinality":
		return []member{{"fields", cardinalityFields(r)}, flag("byRow", false), flag("round", false)}
	case "expression":
		return expressionMembers(r, m)
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

func expressionMembers(r *reader, m *Metric) []member {
	fields, given := textList(r, "fields")
	fields.items = distinct(fields.items)
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
	derived := ""
	if len(fields.items) == 1 {
		derived = row.DerivedCombine(*fold, fields.items[0].text, m.Name)
	}
	if combine == nil {
		combine = &derived
	}
	if initial == nil {
		r.fail("initialValue", "Must have a valid, non-null initialValue")
		return nil
	}
	initialCombine := r.textOr("initialCombineValue", *initial)
	kind := accumulator(r, "initialValue", *initial)
	if combined := accumulator(r, "initialCombineValue", initialCombine); !given {
		kind = combined
	}
	m.Double = kind == expr.Double
	compileExpression(r, "fold", *fold)
	if *combine != derived {
		compileExpression(r, "combine", *combine)
	}
	size := r.bytesOr("maxSizeBytes", defaultExpressionSize)
	if size < minExpressionSize {
		r.fail("maxSizeBytes", "maxSizeBytes must be at least %d", minExpressionSize)
	}
	folds := r.boolOr("shouldAggregateNullInputs", true)
	optional := func(name string) member {
		if t := r.text(name); t != nil {
			return member{name, str(*t)}
		}
		return member{}
	}
	out := []member{
		{"fields", fields}, {"accumulatorIdentifier", str(r.textOr("accumulatorIdentifier", defaultAccumulator))},
		{"initialValue", str(*initial)}, {"initialCombineValue", str(initialCombine)},
		{"isNullUnlessAggregated", boolean(r.boolOr("isNullUnlessAggregated", true))},
		{"shouldAggregateNullInputs", boolean(folds)},
		{"shouldCombineAggregateNullInputs", boolean(r.boolOr("shouldCombineAggregateNullInputs", folds))},
		{"fold", str(*fold)}, {"combine", str(*combine)}, optional("compare"), optional("finalize"),
		{"maxSizeBytes", integer(int(size))},
	}
	if !given { // the input is accumulators, and Druid writes no fields
		return out[1:]
	}
	return out
}

// distinct drops texts that were there before, as Druid's set of fields does.
func distinct(items []*node) []*node {
	var out []*node
	for _, n := range items {
		if !slices.ContainsFunc(out, func(o *node) bool { return o.text == n.text }) {
			out = append(out, n)
		}
	}
	return out
}

// accumulator refuses what no accumulator can begin with, and gives its type. Druid finds out when a task makes its index.
func accumulator(r *reader, name, source string) expr.Type {
	compileExpression(r, name, source)
	program, err := expr.Compile(source)
	if err != nil {
		return expr.Long
	}
	v, ok := program.Constant()
	switch t := v.Type(); {
	case !ok:
		r.fail(name, "%s [%s] must be constant", name, source)
	case t != expr.Long && t != expr.Double:
		r.fail(name, "%s [%s] is of type %s: a segment can hold an accumulator only where it is a LONG or a DOUBLE", name, source, t)
	default:
		return t
	}
	return expr.Long
}
