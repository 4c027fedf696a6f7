package spec

import (
	"slices"
	"strings"
)

const (
	classAggregator   = "org.apache.druid.query.aggregation.AggregatorFactory"
	aggregatorPackage = "org.apache.druid.query.aggregation."

	defaultStringBytes = 1024
)

// aggregatorTypes are the aggregators that Druid 33 knows without extensions.
var aggregatorTypes = []string{
	"cardinality", "count", "doubleAny", "doubleFirst", "doubleLast", "doubleMax", "doubleMean", "doubleMin", "doubleSum",
	"expression", "filtered", "floatAny", "floatFirst", "floatLast", "floatMax", "floatMin", "floatSum", "grouping",
	"histogram", "hyperUnique", "javascript", "longAny", "longFirst", "longLast", "longMax", "longMin", "longSum",
	"singleValue", "stringAny", "stringFirst", "stringFirstFold", "stringLast", "stringLastFold",
}

// readMetrics reads the metricsSpec; the nodes are its aggregators, one for each metric of the schema.
func readMetrics(schema *reader, d *DataSchema) []*node {
	items, _ := schema.list("metricsSpec", "[L"+classAggregator+";")
	var nodes []*node
	for i, item := range items {
		m, n := readMetric(schema.scan, item, itemPath(schema.at("metricsSpec"), i), "metricsSpec", i)
		if n == nil {
			continue
		}
		m.Raw = n.encode()
		d.MetricsSpec = append(d.MetricsSpec, m)
		nodes = append(nodes, n)
	}
	return nodes
}

// aggregatorClass is the class behind a type: longSum is a LongSumAggregatorFactory.
func aggregatorClass(id string) string {
	name := strings.ToUpper(id[:1]) + id[1:] + "AggregatorFactory"
	switch {
	case sketchTypes[id] != "":
		return sketchTypes[id]
	case strings.HasSuffix(id, "First"):
		return aggregatorPackage + "firstlast.first." + name
	case strings.HasSuffix(id, "Last"):
		return aggregatorPackage + "firstlast.last." + name
	case strings.HasSuffix(id, "Any"):
		return aggregatorPackage + "any." + name
	case id == "cardinality":
		return aggregatorPackage + "cardinality." + name
	case id == "expression":
		return aggregatorPackage + "ExpressionLambdaAggregatorFactory"
	}
	return aggregatorPackage + name
}

// readMetric reads one aggregator; place is its place in the list.
func readMetric(s *scan, item *node, path, property string, place int) (Metric, *node) {
	id, ok := aggregatorID(s, item, path, property)
	if !ok {
		return Metric{}, nil
	}
	r := newReader(s, item, path, aggregatorClass(id), "")
	r.ignore("type")
	id = sketchName(id)
	m := Metric{Type: id}
	if strings.HasSuffix(id, "Fold") { // Druid 33 writes these into segments and cannot read them in a spec
		r.failClass("type", classAggregator, "aggregator '%s' cannot stand in a spec, use '%s'", id, strings.TrimSuffix(id, "Fold"))
		return m, nil
	}
	if id == "filtered" {
		return readFiltered(r, m, place)
	}
	switch name := r.text("name"); {
	case name == nil:
		r.fail("name", "Must have a valid, non-null aggregator name")
	case *name == "":
		r.failClass("name", classSchema, "Encountered metric with null or empty name at position %d", place)
	default:
		m.Name = *name
	}
	n := object(member{"type", str(id)}, member{"name", str(m.Name)})
	switch {
	case id == "count":
	case sketchTypes[id] != "":
		n.members = append(n.members, readSketch(r, &m)...)
	case isSimple(id):
		n.members = append(n.members, readInput(r, &m)...)
	case hasField(id):
		n.members = append(n.members, readField(r, &m)...)
	default:
		n.members = append(n.members, present(readOwnMembers(r, &m)...)...)
	}
	r.done()
	return m, n
}

// isSimple says whether an aggregator is a sum, minimum or maximum of a number.
func isSimple(id string) bool {
	for _, number := range []string{"long", "double", "float"} {
		if op, ok := strings.CutPrefix(id, number); ok && slices.Contains([]string{"Sum", "Min", "Max"}, op) {
			return true
		}
	}
	return false
}

// readInput reads what a simple aggregator works on: a field or an expression, exactly one of them.
func readInput(r *reader, m *Metric) []member {
	field, expression := r.text("fieldName"), r.text("expression")
	if (field == nil) == (expression == nil) {
		r.fail("fieldName", "Must have a valid, non-null fieldName or expression")
		return nil
	}
	if field != nil {
		m.FieldName = *field
		return []member{{"fieldName", str(*field)}}
	}
	compileExpression(r, "expression", *expression)
	return []member{{"expression", str(*expression)}}
}

// hasField says whether an aggregator is one of those that take a field and little else.
func hasField(id string) bool {
	for _, suffix := range []string{"First", "Last", "FirstFold", "LastFold", "Any"} {
		if strings.HasSuffix(id, suffix) {
			return true
		}
	}
	return id == "doubleMean" || id == "hyperUnique"
}

// readFieldName reads the field that an aggregator must have; nil: there is none.
func readFieldName(r *reader, m *Metric) []member {
	field := r.text("fieldName")
	if field == nil {
		r.fail("fieldName", "Must have a valid, non-null fieldName")
		return nil
	}
	m.FieldName = *field
	return []member{{"fieldName", str(*field)}}
}

func readField(r *reader, m *Metric) []member {
	out := readFieldName(r, m)
	if out == nil {
		return nil
	}
	switch {
	case m.Type == "hyperUnique":
		return append(out,
			member{"isInputHyperUnique", boolean(r.boolOr("isInputHyperUnique", false))},
			member{"round", boolean(r.boolOr("round", false))})
	case strings.Contains(m.Type, "First") || strings.Contains(m.Type, "Last"):
		out = append(out, member{"timeColumn", str(r.textOr("timeColumn", timeColumn))})
	}
	if strings.HasPrefix(m.Type, "string") {
		size := r.integerOr("maxStringBytes", defaultStringBytes)
		if size < 0 {
			r.fail("maxStringBytes", "maxStringBytes must be greater than 0")
		}
		out = append(out, member{"maxStringBytes", integer(size)})
	}
	if m.Type == "stringAny" {
		out = append(out, member{"aggregateMultipleValues", boolean(r.boolOr("aggregateMultipleValues", true))})
	}
	return out
}

// readFiltered reads an aggregator inside a filter; its name is that of the inner one unless it has its own.
func readFiltered(r *reader, m Metric, place int) (Metric, *node) {
	filter, inner := r.get("filter"), r.get("aggregator")
	if inner == nil {
		r.fail("aggregator", "aggregator")
		return m, nil
	}
	if filter == nil {
		r.fail("filter", "filter")
		return m, nil
	}
	delegate, n := readMetric(r.scan, inner, r.at("aggregator"), "aggregator", place)
	filter = readFilter(r.scan, filter, r.at("filter"), "filter")
	if filter == nil || n == nil {
		return m, nil
	}
	compileFilter(r.scan, filter, r.at("filter"))
	m.Double = delegate.Double
	m.Name = r.textOr("name", delegate.Name)
	if m.Name == "" {
		m.Name = delegate.Name
	}
	r.done()
	return m, object(member{"type", str(m.Type)}, member{"aggregator", n}, member{"filter", filter}, member{"name", str(m.Name)})
}

// requiredFields are the input columns of an aggregator.
func requiredFields(n *node) []string {
	var out []string
	text := func(name string) {
		if v := n.get(name); v != nil && v.kind == kindString {
			out = append(out, v.text)
		}
	}
	text("fieldName")
	text("timeColumn")
	if v := n.get("expression"); v != nil && v.kind == kindString {
		out = append(out, identifiers(v.text)...)
	}
	if v := n.get("fold"); v != nil { // fields say less than the expression, which alone counts
		if n.get("fields") == nil {
			v = n.get("combine")
		}
		return append(out, identifiers(v.text)...)
	}
	for _, name := range []string{"fieldNames", "fields"} {
		if v := n.get(name); v != nil {
			out = append(out, columnNames(v)...)
		}
	}
	if v := n.get("aggregator"); v != nil {
		out = append(out, requiredFields(v)...)
	}
	if v := n.get("filter"); v != nil {
		out = append(out, filterColumns(v)...)
	}
	return out
}

// columnNames takes the columns out of a list of names or dimension specs.
func columnNames(n *node) []string {
	var out []string
	for _, item := range n.items {
		if item.kind == kindString {
			out = append(out, item.text)
		}
		if d := item.get("dimension"); d != nil && d.kind == kindString {
			out = append(out, d.text)
		}
		if d := item.get("delegate"); d != nil {
			out = append(out, columnNames(array(d))...)
		}
	}
	return out
}

// filterColumns are the columns that a filter looks at.
func filterColumns(n *node) []string {
	var out []string
	for _, name := range []string{"dimension", "column"} {
		if v := n.get(name); v != nil && v.kind == kindString {
			out = append(out, v.text)
		}
	}
	if v := n.get("expression"); v != nil && v.kind == kindString {
		out = append(out, identifiers(v.text)...)
	}
	if v := n.get("dimensions"); v != nil {
		out = append(out, columnNames(v)...)
	}
	if v := n.get("field"); v != nil {
		out = append(out, filterColumns(v)...)
	}
	if v := n.get("fields"); v != nil {
		for _, item := range v.items {
			out = append(out, filterColumns(item)...)
		}
	}
	return out
}
