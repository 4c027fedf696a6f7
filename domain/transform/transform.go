package transform

import (
	"fmt"

	"ogham/domain/expr"
	"ogham/domain/filter"
	"ogham/domain/row"
)

// Transformer applies a transformSpec to one row after the other. It is for one goroutine, and allocates nothing per row
// once warm where the expressions do not.
type Transformer struct {
	steps    []step
	timeStep int // the transform of the time, -1: none
	filter   *filter.Filter
	columns  *columns // of the filter
	metrics  []metric

	// env is for the transforms, metricEnv for the expressions of metrics, which may read transforms while they run.
	env, metricEnv expr.Env
	// of the row at hand
	rows         *row.Rows
	vals         []row.Value
	before, time int64
	values       []row.Value // of steps, where done
	done         []bool
	failed       error
	spare        row.Value // a field that Column points to
}

// Error says that a transform failed for a row, which fails the task.
type Error struct {
	Name  string
	Cause error
}

// Error gives Druid's text.
func (e *Error) Error() string {
	return "Could not transform value for " + e.Name + " reason: " + e.Cause.Error()
}

// Unwrap gives the expression's error.
func (e *Error) Unwrap() error { return e.Cause }

// step is one transform.
type step struct {
	name    string
	program *expr.Program
	inputs  *columns
	// slot is where the result goes, -1: nowhere. found says that the field is a dimension only if the row has it.
	slot  int
	found bool
}

// metric computes the input of one metric.
type metric struct {
	field   string
	slot    int
	program *expr.Program // nil: the input is taken as it is
	inputs  *columns
	count   bool
	fold    *Fold // nil: the aggregator is not an expression
	filter  *filter.Filter
	columns *columns // of the filter
}

// source says where a column's value comes from.
type source struct {
	kind sourceKind
	at   int // of a field, its slot; of a result, its step
	name string
}

type sourceKind uint8

const (
	field sourceKind = iota
	result
	rawTime
	newTime
)

// Filter gives the time that row i has after the transforms, and says whether the filter keeps the row. An error is a
// *row.RecordError where the row has no time then, any other fails the task: those of expressions, as in Druid.
func (t *Transformer) Filter(rows *row.Rows, i int, before int64) (time int64, keep bool, err error) {
	t.env.Reset()
	t.metricEnv.Reset()
	clear(t.done)
	t.rows, t.vals, t.before, t.time, t.failed = rows, rows.Row(i), before, before, nil
	if t.timeStep >= 0 {
		if t.time, err = t.newTime(); err != nil {
			return 0, false, err
		}
	}
	if t.filter == nil {
		return t.time, true, nil
	}
	keep, err = t.filter.Match(t.columns)
	if t.failed != nil {
		err = t.failed
	}
	return t.time, keep, err
}

// newTime computes the transform of the time: a number, or a text of one, in milliseconds.
func (t *Transformer) newTime() (int64, error) {
	v := t.result(t.timeStep)
	if t.failed != nil {
		return 0, t.failed
	}
	n, null, ok := t.rows.ToNumber(v)
	switch {
	case !ok:
		return 0, &row.RecordError{Message: t.rows.MetricMessage(v, row.TimeColumn)}
	case null:
		return 0, &row.RecordError{Message: "Could not transform value for __time."}
	case n.AsLong() < row.MinInstant || n.AsLong() >= row.MaxInstant:
		return 0, &row.RecordError{Message: fmt.Sprintf("Could not transform value for __time: %d is out of range.", n.AsLong())}
	}
	return n.AsLong(), nil
}

// Fill puts the results of the transforms into the fields of the row that Filter was last called for.
func (t *Transformer) Fill() error {
	for i := range t.metrics {
		if err := t.metric(&t.metrics[i]); err != nil {
			return err
		}
	}
	// All are computed before the first is written: they see the raw row.
	for i := range t.steps {
		if s := &t.steps[i]; s.slot >= 0 && t.wanted(s) {
			t.result(i)
		}
	}
	if t.failed != nil {
		return t.failed
	}
	for i := range t.steps {
		if s := &t.steps[i]; s.slot >= 0 && t.wanted(s) {
			t.vals[s.slot] = t.values[i]
		}
	}
	return nil
}

// wanted says whether a transform's result is stored with the row: as a listed column, or in place of a field of the row.
func (t *Transformer) wanted(s *step) bool {
	return !s.found || t.rows.Exact && t.vals[s.slot].Kind != row.Missing || t.vals[s.slot].Kind > row.Null
}

// metric computes the input of a metric. What the filter drops is missing, and what the row has not is null: most metrics
// pass both over, the first and last of numbers only the former.
func (t *Transformer) metric(m *metric) error {
	out := row.Value{Kind: row.Null}
	if m.count {
		out = row.Value{Kind: row.Long}
	}
	keep := true
	if m.filter != nil {
		var err error
		if keep, err = m.filter.Match(m.columns); err != nil {
			return err
		}
	}
	switch {
	case t.failed != nil:
	case !keep && !m.count:
		out.Kind = row.Missing
	case !keep:
	case m.count:
		out.Num = 1
	case m.fold != nil:
		out = row.Value{Kind: row.Long, Num: 1} // the row counts; its values are read when it has its place
		m.inputs.compute()
	case m.program == nil:
		if v := m.inputs.Column(0); v.Kind != row.Missing {
			out = *v
		}
	case m.mapped():
		// Druid computes the expression for each element, and the array of the results is no number.
	default:
		v, err := m.program.Eval(&t.metricEnv, m.inputs)
		if err != nil {
			return err
		}
		out = numeric(v)
	}
	t.vals[m.slot] = out
	return t.failed
}

// mapped says whether one of the scalars of the expression is a list of several values.
func (m *metric) mapped() bool {
	for i := range m.inputs.sources {
		if !m.program.Mapped(i) {
			continue
		}
		if v := m.inputs.Column(i); v.Kind == row.List && len(m.inputs.t.rows.ListOf(v)) > 1 {
			return true
		}
	}
	return false
}

// numeric gives the number of an expression's result; what has none is null.
func numeric(v expr.Value) row.Value {
	n, ok := v.Number()
	if !ok {
		return row.Value{Kind: row.Null}
	}
	return n.Column(nil)
}

// result gives a transform's result, computed once a row. After t.failed is set it no longer matters.
func (t *Transformer) result(i int) *row.Value {
	if t.done[i] {
		return &t.values[i]
	}
	t.done[i] = true
	t.values[i] = row.Value{Kind: row.Null}
	s := &t.steps[i]
	v, err := s.program.Eval(&t.env, s.inputs)
	if err != nil {
		if t.failed == nil {
			t.failed = &Error{Name: s.name, Cause: err}
		}
		return &t.values[i]
	}
	t.values[i] = v.Column(t.rows)
	return &t.values[i]
}

// column gives the value of a source.
func (t *Transformer) column(s source) *row.Value {
	switch s.kind {
	case field:
		return &t.vals[s.at]
	case result:
		return t.result(s.at)
	case rawTime:
		t.spare = row.Value{Kind: row.Long, Num: uint64(t.before)}
	default:
		t.spare = row.Value{Kind: row.Long, Num: uint64(t.time)}
	}
	return &t.spare
}

// columns are what an expression or a filter reads.
type columns struct {
	t       *Transformer
	sources []source
	// mapped, of a metric's expression, takes a list of one element for the element where it is used as a scalar.
	mapped *expr.Program
}

// Input implements expr.Bindings.
func (c *columns) Input(i int) expr.Value {
	v := c.Column(i)
	if c.mapped != nil && v.Kind == row.List && c.mapped.Mapped(i) {
		if elems := c.t.rows.ListOf(v); len(elems) == 1 {
			v = &elems[0]
		}
	}
	return expr.OfColumn(c.t.rows, v)
}

// compute has the transforms computed that are read, while the row is still as it came.
func (c *columns) compute() {
	for i := range c.sources {
		if s := &c.sources[i]; s.kind == result {
			c.t.result(s.at)
		}
	}
}

// Rows implements filter.Row.
func (c *columns) Rows() *row.Rows { return c.t.rows }

// Column implements filter.Row.
func (c *columns) Column(i int) *row.Value { return c.t.column(c.sources[i]) }
