package spec

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"ogham/domain/joda"
)

const (
	classTimestamp = "org.apache.druid.data.input.impl.TimestampSpec"
	classTransform = "org.apache.druid.segment.transform.TransformSpec"

	timeColumn = "__time"
)

func readSchema(r *reader, out *Supervisor) {
	if r == nil {
		return
	}
	d := &out.DataSchema
	r.ignore("parser")
	if r.get("parser") != nil {
		r.fail("parser", "parser is not supported, use timestampSpec and dimensionsSpec, and inputFormat in ioConfig")
	}
	if name := r.text("dataSource"); name != nil {
		d.DataSource = *name
	}
	if problem := dataSourceProblem(d.DataSource); problem != "" {
		r.fail("dataSource", "Invalid value for field [dataSource]: %s", problem)
	}
	timestamp := readTimestamp(r, &d.TimestampSpec)
	dimensions := readDimensions(r, &d.DimensionsSpec)
	metrics := readMetrics(r, d)
	granularity := readGranularitySpec(r, &d.GranularitySpec)
	transform := readTransform(r, &d.TransformSpec)
	checkColumns(r, d)
	exclusions := extendExclusions(d, metrics)
	if dimensions.kind == kindObject {
		setMember(dimensions, "dimensionExclusions", exclusions)
	}
	r.done()
	out.schemaTree = object(
		member{"dataSource", str(d.DataSource)},
		member{"timestampSpec", timestamp},
		member{"dimensionsSpec", dimensions},
		member{"metricsSpec", array(metrics...)},
		member{"granularitySpec", granularity},
		member{"transformSpec", transform},
	)
}

func setMember(n *node, name string, value *node) {
	for i := range n.members {
		if n.members[i].name == name {
			n.members[i].value = value
		}
	}
}

const (
	// maxDataSource is the longest name of a folder on the common file systems, in bytes.
	maxDataSource = 255
	// pushFolder is Druid's name for the folder beside those of the data sources.
	pushFolder = "intermediate_pushes"
)

// dataSourceProblem says what is wrong with a data source's name, in the words of Druid's IdUtils.
func dataSourceProblem(name string) string {
	switch {
	case name == "":
		return "must not be null"
	case strings.HasPrefix(name, "."):
		return fmt.Sprintf("Value [%s] cannot start with '.'.", name)
	case strings.Contains(name, "/"):
		return fmt.Sprintf("Value [%s] cannot contain '/'.", name)
	case strings.ContainsAny(name, "\t\n\v\f\r"):
		return fmt.Sprintf("Value [%s] contains illegal whitespace characters.  Only space is allowed.", name)
	case len(name) > maxDataSource:
		return fmt.Sprintf("Value [%.40s...] is longer than %d bytes, and deep storage needs a folder of this name", name, maxDataSource)
	case name == pushFolder:
		return fmt.Sprintf("Value [%s] is the folder of deep storage where segments are written before they are published", name)
	}
	// Druid's names were ZooKeeper paths once, hence the ranges: control characters and everything beyond the basic
	// plane, judged by UTF-16 units.
	for i, c := range utf16.Encode([]rune(name)) {
		if c < 31 || c > 127 && c < 159 || c > 0xd800 && c < 0xf8ff || c > 0xfff0 && c < 0xffff {
			return fmt.Sprintf("Value [%s] contains illegal UTF8 character [#%d] at position [%d]", name, c, i)
		}
	}
	return ""
}

func readTimestamp(schema *reader, out *TimestampSpec) *node {
	if schema.get("timestampSpec") == nil {
		schema.scan.add(schema.at("timestampSpec"), "timestampSpec is required",
			"Cannot construct instance of `"+classSchema+"`, problem: timestampSpec")
		return null
	}
	r := schema.child("timestampSpec", classTimestamp)
	if r == nil {
		return null
	}
	out.Column = r.textOr("column", "timestamp")
	out.Format = r.textOr("format", "auto")
	if err := checkTimeFormat(out.Format); err != nil {
		r.fail("format", "Unable to parse timestamps with format [%s]", out.Format)
		r.scan.advise(err.Error())
	}
	out.MissingValue = r.instant("missingValue")
	r.done()
	missing := null
	if out.MissingValue != nil {
		missing = str(givenInstantText(*out.MissingValue))
	}
	n := object(member{"column", str(out.Column)}, member{"format", str(out.Format)}, member{"missingValue", missing})
	out.Raw = n.encode()
	return n
}

// namedFormats are the formats of timestamps that are no patterns.
var namedFormats = []string{"auto", "iso", "posix", "millis", "micro", "nano", "ruby"}

// checkTimeFormat wants a name or a pattern of Joda-Time, and says what is wrong with one.
func checkTimeFormat(format string) error {
	if slices.Contains(namedFormats, strings.ToLower(format)) {
		return nil
	}
	_, err := joda.Compile(format)
	return err
}

// timeSortWarning is what Druid says about segments that are not sorted by time.
const timeSortWarning = "Warning: support for segments not sorted by[__time] is experimental. Such segments are not readable by " +
	"older version of Druid, and certain queries cannot run on them. See " +
	"https://druid.apache.org/docs/latest/ingestion/partitioning#sorting for details before setting forceSegmentSortByTime to[false]."

// checkColumns refuses columns that occur twice, and a dimension __time that is no long, or not first where rows are to be
// sorted by time.
func checkColumns(r *reader, d *DataSchema) {
	seen := map[string]map[string]int{timeColumn: {"primary __time column": 1}}
	note := func(column, where string) {
		if seen[column] == nil {
			seen[column] = map[string]int{}
		}
		seen[column][where]++
	}
	for i, dim := range d.DimensionsSpec.Dimensions {
		if dim.Name != timeColumn {
			note(dim.Name, "dimensions list")
			continue
		}
		path := itemPath(r.at("dimensionsSpec")+".dimensions", i)
		if force := d.DimensionsSpec.ForceSegmentSortByTime; i > 0 && (force == nil || *force) {
			r.failPath(path, r.class, "Encountered dimension[__time] at position[%d]. This is only supported when the "+
				"dimensionsSpec parameter[forceSegmentSortByTime] is set to[false]. %s", i, timeSortWarning)
		} else if t := dim.columnType(); t != "LONG" {
			r.failPath(path, r.class, "Encountered dimension[__time] with incorrect type[%s]. Type must be 'long'.", t)
		}
	}
	for _, m := range d.MetricsSpec {
		note(m.Name, "metricsSpec list")
	}
	var twice []string
	for column, places := range seen {
		var texts []string
		total := 0
		for place, count := range places {
			total += count
			if count > 1 {
				place += fmt.Sprintf(" (%d occurrences)", count)
			}
			texts = append(texts, place)
		}
		if total > 1 {
			slices.Sort(texts)
			twice = append(twice, fmt.Sprintf("[%s] seen in %s", column, strings.Join(texts, ", ")))
		}
	}
	if len(twice) > 0 {
		slices.Sort(twice)
		r.fail("metricsSpec", "Cannot specify a column more than once: %s", strings.Join(twice, "; "))
	}
}

// extendExclusions adds to the exclusions what every schema excludes: the time column, the timestamp column, metrics and
// their input fields, all unless they are listed as dimensions.
func extendExclusions(d *DataSchema, metrics []*node) *node {
	listed := map[string]bool{}
	for _, dim := range d.DimensionsSpec.Dimensions {
		listed[dim.Name] = true
	}
	all := d.DimensionsSpec.DimensionExclusions
	add := func(names ...string) {
		for _, name := range names {
			if !listed[name] {
				all = append(all, name)
			}
		}
	}
	add(timeColumn, d.TimestampSpec.Column)
	for i, m := range d.MetricsSpec {
		add(m.Name)
		add(requiredFields(metrics[i])...)
	}
	slices.Sort(all)
	all = slices.Compact(all)
	d.DimensionsSpec.DimensionExclusions = all
	n := array()
	for _, name := range all {
		n.items = append(n.items, str(name))
	}
	return n
}

func readTransform(schema *reader, out *TransformSpec) *node {
	filter, transforms := null, array()
	if r := schema.child("transformSpec", classTransform); r != nil {
		if f := r.get("filter"); f != nil {
			if n := readFilter(r.scan, f, r.at("filter"), "filter"); n != nil {
				filter = n
				compileFilter(r.scan, n, r.at("filter"))
			}
		}
		transforms = readTransforms(r)
		r.done()
	}
	n := object(member{"filter", filter}, member{"transforms", transforms})
	out.Raw = n.encode()
	out.Empty = filter.kind == kindNull && len(transforms.items) == 0
	return n
}

func readTransforms(r *reader) *node {
	const class = "org.apache.druid.segment.transform.Transform"
	out := array()
	items, _ := r.list("transforms", class)
	seen := map[string]bool{}
	for i, item := range items {
		path := itemPath(r.at("transforms"), i)
		if _, ok := r.scan.typeID(item, path, class, "transforms", []string{"expression"}); !ok {
			continue
		}
		t := newReader(r.scan, item, path, "org.apache.druid.segment.transform.ExpressionTransform", r.link("transforms"))
		t.ignore("type")
		name, expression := t.text("name"), t.text("expression")
		if name == nil {
			t.fail("name", "name")
			continue
		}
		if expression == nil {
			t.fail("expression", "expression")
			continue
		}
		if seen[*name] {
			r.fail("transforms", "Transform name '%s' cannot be used twice", *name)
		}
		seen[*name] = true
		compileExpression(t, "expression", *expression)
		t.done()
		out.items = append(out.items, object(
			member{"type", str("expression")}, member{"name", str(*name)}, member{"expression", str(*expression)}))
	}
	return out
}
