package index

import (
	"encoding/json"
	"fmt"
	"strings"

	"ogham/domain/filter"
	"ogham/domain/row"
	"ogham/domain/transform"
)

// plan is a schema made ready for rows: which field feeds which column.
type plan struct {
	schema row.Schema
	parser Parser
	// fields is the number of fields of the schema that are no extra; extra are those, and those of the parser's
	// Discovered follow.
	fields   int
	extra    []string
	timeSlot int
	width    int       // of a row of the schema's fields
	dims     []dimPlan // the listed ones; found ones follow in each interval
	metrics  []metricPlan
	spatials []row.Spatial
	excluded map[string]bool
	listed   map[string]bool
	// found is the type of found dimensions, and least the least kind of a value that makes a field one.
	found row.Type
	least row.Kind
}

type dimPlan struct {
	row.Dimension
	slot int
}

type metricPlan struct {
	row.Metric
	typ  row.Type
	slot int // -1 for a count
	// own is the field of the metric's own name, -1 where it does not count.
	own int
	// timeSlot is that of a timed aggregator's own time column, -1 for the row's time.
	timeSlot int
	// slots are the fields of a cardinality, -1 for the row's time.
	slots []int
	// named has how those of slots are read that are not taken as they are; nil: all are.
	named []*filter.Dimension
	// zero says that null is stored as 0.
	zero bool
	// fold and combiner are those of the aggregator expression.
	fold     *transform.Fold
	combiner *transform.Combiner
}

func newPlan(s row.Schema, p Parser) *plan {
	names := s.Fields()
	slots := make(map[string]int, len(names))
	for i, n := range names {
		slots[n] = i
	}
	pl := &plan{
		schema: s, parser: p, fields: s.Listed(), timeSlot: slots[s.Timestamp.Column], width: len(names),
		excluded: s.Excluded(), spatials: s.Spatials(), listed: map[string]bool{}, found: row.TypeString, least: row.String,
	}
	pl.extra = names[pl.fields:]
	if s.DiscoverTypes {
		pl.found, pl.least = row.TypeJSON, row.Null
	}
	for _, d := range s.Dimensions {
		pl.dims = append(pl.dims, dimPlan{Dimension: d, slot: slots[d.Name]})
		pl.listed[d.Name] = true
	}
	for _, m := range s.Metrics {
		mp := metricPlan{Metric: m, typ: m.Agg.Type(), slot: -1, own: -1, timeSlot: -1}
		if s.PreserveExisting {
			mp.own = slots[m.Name]
		}
		if at, ok := slots[m.TimeColumn]; ok && m.Agg.Timed() && m.TimeColumn != row.TimeColumn {
			mp.timeSlot = at
		}
		if m.Agg != row.AggCount {
			mp.slot = slots[m.FieldName]
		}
		for _, name := range m.Fields {
			at, ok := slots[name]
			if !ok || name == row.TimeColumn {
				at = -1
			}
			mp.slots = append(mp.slots, at)
		}
		mp.zero = m.Agg.Any() && !s.Rollup // as Druid has it; with rollup it fails its tasks
		pl.metrics = append(pl.metrics, mp)
	}
	return pl
}

// bind reads the dimensions of cardinalities, and joins the aggregators expression to the transformer, which reads the rows
// for them.
func (p *plan) bind(t *transform.Transformer) (err error) {
	for i := range p.metrics {
		x := &p.metrics[i]
		if err := x.readNamed(); err != nil {
			return err
		}
		if x.Agg != row.AggExpression {
			continue
		}
		if x.fold = t.Fold(x.FieldName); x.fold == nil {
			return fmt.Errorf("index config: metric %q was not compiled", x.Name)
		}
		if x.combiner, err = transform.NewCombiner(&x.Metric); err != nil {
			return err
		}
		if x.Lambda.Double {
			x.typ = row.TypeDouble
		}
	}
	return nil
}

// readNamed reads how the fields of a cardinality are read.
func (x *metricPlan) readNamed() (err error) {
	if x.Named == nil {
		return nil
	}
	x.named = make([]*filter.Dimension, len(x.Fields))
	for i, raw := range x.Named {
		if raw == "" {
			continue
		}
		if x.named[i], err = filter.ParseDimension(json.RawMessage(raw)); err != nil {
			return fmt.Errorf("index config: metric %q, field %d: %w", x.Name, i, err)
		}
	}
	return nil
}

// dimension gives how field i of a cardinality is read, nil where it is taken as it is.
func (x *metricPlan) dimension(i int) *filter.Dimension {
	if x.named == nil {
		return nil
	}
	return x.named[i]
}

// input gives the field that a row's value of the metric is in, -1 for a count that counts the row.
func (x *metricPlan) input(vals []row.Value) int {
	if x.own >= 0 && vals[x.own].Kind != row.Missing {
		return x.own
	}
	return x.slot
}

// field gives the name that messages have for an input.
func (x *metricPlan) field(slot int) string {
	if slot == x.own {
		return x.Name
	}
	return x.Field()
}

// storable says whether a found field can be a column: some names have a meaning in the segment's container, and those
// with ".__" may be parts of auto columns.
func storable(name string) bool {
	return !strings.Contains(name, ".__") && name != "" && name != "index.drd" && name != "metadata.drd" && !strings.ContainsAny(name, ",\n\r")
}
