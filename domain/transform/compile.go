package transform

import (
	"encoding/json"
	"fmt"
	"slices"

	"ogham/domain/expr"
	"ogham/domain/filter"
	"ogham/domain/row"
)

// transformSpec is Druid's transformSpec.
type transformSpec struct {
	Filter     json.RawMessage `json:"filter"`
	Transforms []struct {
		Name       string `json:"name"`
		Expression string `json:"expression"`
	} `json:"transforms"`
}

func (s *transformSpec) hasFilter() bool { return len(s.Filter) > 0 && string(s.Filter) != "null" }

// Compile makes the Transformer of a schema's transformSpec and of its metrics with expressions and filters. It gives the
// schema that the parser and the index must be made for, in which what expressions and filters read is extra and computed
// metrics have fields. The Transformer is nil where nothing is to be done.
func Compile(schema row.Schema) (*Transformer, row.Schema, error) {
	var spec transformSpec
	if len(schema.TransformSpec) > 0 {
		if err := json.Unmarshal(schema.TransformSpec, &spec); err != nil {
			return nil, schema, fmt.Errorf("read transformSpec: %w", err)
		}
	}
	schema.Metrics = slices.Clone(schema.Metrics)
	schema.Extra = slices.Clone(schema.Extra)
	c := &compiler{t: &Transformer{timeStep: -1}, schema: &schema, steps: map[string]int{}}
	if err := c.compile(&spec); err != nil {
		return nil, schema, err
	}
	if len(c.t.steps) == 0 && len(c.t.metrics) == 0 && c.t.filter == nil {
		return nil, schema, nil
	}
	c.place()
	return c.t, schema, nil
}

// compiler builds a Transformer. Columns are noted by name first, since the places of fields are known at the end only.
type compiler struct {
	t      *Transformer
	schema *row.Schema
	steps  map[string]int // transforms by their names
}

func (c *compiler) compile(spec *transformSpec) error {
	for i, tr := range spec.Transforms {
		program, err := expr.Compile(tr.Expression)
		if err != nil {
			return fmt.Errorf("transform %q: expression %q: %w", tr.Name, tr.Expression, err)
		}
		c.steps[tr.Name] = i
		if tr.Name == row.TimeColumn {
			c.t.timeStep = i
		}
		c.t.steps = append(c.t.steps, step{name: tr.Name, program: program, slot: -1, inputs: c.raw(program.Inputs())})
	}
	if spec.hasFilter() {
		f, err := filter.Parse(spec.Filter)
		if err != nil {
			return fmt.Errorf("filter: %w", err)
		}
		c.t.filter, c.t.columns = f, c.transformed(f.Columns())
	}
	for i := range c.schema.Metrics {
		if err := c.metric(&c.schema.Metrics[i]); err != nil {
			return fmt.Errorf("metric %q: %w", c.schema.Metrics[i].Name, err)
		}
	}
	if c.schema.DiscoverDimensions { // a transform replaces a found field of its name
		for _, tr := range spec.Transforms {
			c.schema.Extra = append(c.schema.Extra, tr.Name)
		}
	}
	return nil
}

// metric gives a metric that has an expression or a filter a field of its own.
func (c *compiler) metric(m *row.Metric) error {
	if m.Expression == "" && m.Filter == "" && m.Agg != row.AggExpression {
		return nil
	}
	out := metric{slot: -1}
	switch {
	case m.Agg == row.AggExpression:
		fold, err := c.fold(&m.Lambda)
		if err != nil {
			return err
		}
		out.fold, out.inputs = fold, fold.inputs
	case m.Expression != "":
		program, err := expr.Compile(m.Expression)
		if err != nil {
			return fmt.Errorf("expression %q: %w", m.Expression, err)
		}
		out.program, out.inputs = program, c.transformed(program.Inputs())
		out.inputs.mapped = program
	case m.Agg == row.AggCount: // the number of rows is the sum of a one for each
		m.Agg, out.count = row.AggLongSum, true
	case m.Fields != nil: // its fields are read as they are; this one says whether the row counts
		out.count = true
	default:
		out.inputs = c.transformed([]string{m.FieldName})
	}
	if m.Filter != "" {
		f, err := filter.Parse(json.RawMessage(m.Filter))
		if err != nil {
			return fmt.Errorf("filter: %w", err)
		}
		f.NullTexts()
		out.filter, out.columns = f, c.transformed(f.Columns())
	}
	m.FieldName = m.Computed()
	out.field = m.FieldName
	c.t.metrics = append(c.t.metrics, out)
	return nil
}

// raw gives the sources of columns of the raw row.
func (c *compiler) raw(names []string) *columns {
	sources := make([]source, len(names))
	for i, name := range names {
		if name == row.TimeColumn {
			sources[i] = source{kind: rawTime}
			continue
		}
		sources[i] = source{kind: field, name: name}
		c.schema.Extra = append(c.schema.Extra, name)
	}
	return &columns{t: c.t, sources: sources}
}

// transformed gives the sources of columns of the row with the transforms.
func (c *compiler) transformed(names []string) *columns {
	sources := make([]source, len(names))
	for i, name := range names {
		if name == row.TimeColumn {
			sources[i] = source{kind: newTime}
		} else if at, ok := c.steps[name]; ok {
			sources[i] = source{kind: result, at: at}
		} else {
			sources[i] = c.raw([]string{name}).sources[0]
		}
	}
	return &columns{t: c.t, sources: sources}
}

// place fills in where the fields lie.
func (c *compiler) place() {
	t := c.t
	names := c.schema.Fields()
	listed := c.schema.Listed()
	slots := make(map[string]int, len(names))
	for i, name := range names {
		slots[name] = i
	}
	locate := func(c *columns) {
		if c == nil {
			return
		}
		for i := range c.sources {
			if s := &c.sources[i]; s.kind == field {
				s.at = slots[s.name]
			}
		}
	}
	for i := range t.steps {
		s := &t.steps[i]
		locate(s.inputs)
		// Behind the listed fields are those that are only read, unless fields are found.
		if at, ok := slots[s.name]; ok && (at < listed || c.schema.DiscoverDimensions) {
			s.slot, s.found = at, at >= listed
		}
	}
	locate(t.columns)
	for i := range t.metrics {
		m := &t.metrics[i]
		locate(m.inputs)
		locate(m.columns)
		m.slot = slots[m.field]
	}
	t.values = make([]row.Value, len(t.steps))
	t.done = make([]bool, len(t.steps))
}
