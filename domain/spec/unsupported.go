package spec

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ogham/domain/filter"
	"ogham/domain/row"
)

// What tasks can do; everything else that Parse accepts is named by Unsupported.
var (
	supportedDimensions = []string{"auto", "double", "float", "json", "long", typeSpatial, typeString}
)

// unsupported collects options that are valid and not carried out yet.
type unsupported struct {
	at       string // the path of the spec's parts
	problems []Problem
}

func (u *unsupported) add(path, format string, args ...any) {
	u.problems = append(u.problems, Problem{path, fmt.Sprintf(format, args...) + " is not supported yet"})
}

// Unsupported names what is valid in a spec and what tasks cannot carry out yet, each with its path and the option's
// name in the message. A supervisor with any of it must not be created: its tasks would fail, or silently do something
// else than was asked for.
func (s *Supervisor) Unsupported() []Problem {
	u := &unsupported{at: s.at}
	u.dataSchema(&s.DataSchema, s.schemaTree)
	u.ioConfig(&s.IOConfig, s.ioTree)
	return u.problems
}

// besides adds to the problems of a spec what is unsupported in the parts of it that were read, so that one answer has
// everything that is to be changed. What lies in a section with a problem is left out: it may be the same one.
func (s *Supervisor) besides(e *InvalidError) {
	if s.schemaTree == nil || s.ioTree == nil || s.tuningTree == nil {
		return
	}
	for _, p := range s.Unsupported() {
		section := p.Path
		if parts := strings.SplitN(strings.TrimPrefix(p.Path, s.at+"."), ".", 3); len(parts) == 3 {
			section = s.at + "." + parts[0] + "." + parts[1]
		}
		same := func(o Problem) bool {
			return strings.HasPrefix(o.Path, section) || strings.HasPrefix(p.Path, o.Path+".") && o.Path != "$"
		}
		if !slices.ContainsFunc(e.Problems, same) {
			e.Problems = append(e.Problems, p)
		}
	}
}

func (u *unsupported) dataSchema(d *DataSchema, tree *node) {
	at := u.at + ".dataSchema"
	for i, dim := range d.DimensionsSpec.Dimensions {
		path := itemPath(at+".dimensionsSpec.dimensions", i)
		if !slices.Contains(supportedDimensions, dim.Type) {
			u.add(path+".type", "dimension type '%s' (dimension '%s')", dim.Type, dim.Name)
		}
	}
	for i, m := range d.MetricsSpec {
		path := itemPath(at+".metricsSpec", i)
		u.metric(path, m.Name, tree.get("metricsSpec").items[i])
		if d.GranularitySpec.Rollup {
			u.combine(path, tree.get("metricsSpec").items[i])
		}
	}
	u.filter(at+".transformSpec.filter", tree.get("transformSpec").get("filter"))
}

func (u *unsupported) metric(path, name string, m *node) {
	id := m.get("type").text
	if id == "filtered" {
		u.filter(path+".filter", m.get("filter"))
		u.metric(path+".aggregator", name, m.get("aggregator"))
		return
	}
	if _, known := row.ParseAggregator(id); !known {
		u.add(path+".type", "metric type '%s' (metric '%s')", id, name)
	}
	if id != "cardinality" {
		return
	}
	for i, f := range m.get("fields").items {
		_, err := filter.ParseDimension(f.encode())
		var bad *filter.Unsupported
		var wrong *filter.Problem
		switch at := itemPath(path+".fields", i); {
		case errors.As(err, &bad):
			u.problems = append(u.problems, Problem{at + bad.Path, bad.Message})
		case errors.As(err, &wrong):
			u.problems = append(u.problems, Problem{at + wrong.Path, wrong.Message})
		}
	}
}

// combine looks for a combine of the aggregator expression that reads what is not there when accumulators are combined. One
// that was made of the fold is taken for the fold.
func (u *unsupported) combine(path string, m *node) {
	for m.get("type").text == "filtered" {
		path, m = path+".aggregator", m.get("aggregator")
	}
	if m.get("type").text != "expression" || m.get("combine") == nil {
		return
	}
	acc, own := m.get("accumulatorIdentifier").text, m.get("name").text
	names, other := identifiers(m.get("combine").text), own
	if f := m.get("fields"); f != nil && len(f.items) == 1 {
		if fold, field := m.get("fold").text, f.items[0].text; m.get("combine").text == row.DerivedCombine(fold, field, own) {
			names, other = identifiers(fold), field
		}
	}
	for _, name := range names {
		if name != acc && name != other {
			u.problems = append(u.problems, Problem{path + ".combine", fmt.Sprintf(
				"combine [%s] reads '%s': with rollup it combines two accumulators, which are '%s' and '%s', and sees nothing else",
				m.get("combine").text, name, acc, own)})
		}
	}
}

// filter looks for filters that no task applies; what is wrong with one was found before.
func (u *unsupported) filter(path string, f *node) {
	if f.kind == kindNull {
		return
	}
	var bad *filter.Unsupported
	if _, err := filter.Parse(f.encode()); errors.As(err, &bad) {
		u.problems = append(u.problems, Problem{path + bad.Path, bad.Message})
	}
}

func (u *unsupported) ioConfig(c *IOConfig, tree *node) {
	at := u.at + ".ioConfig"
	if c.InputFormat.Type == "" {
		u.problems = append(u.problems, Problem{at + ".inputFormat", "inputFormat is missing: without one no task can run"})
	}
}
