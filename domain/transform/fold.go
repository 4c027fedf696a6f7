package transform

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"ogham/domain/expr"
	"ogham/domain/row"
)

// An accumulator of the aggregator expression is kept as a byte for its kind and what follows: the bits of a number, 8
// bytes, or a text. It keeps the type that the last row gave it, whatever that of the column is, as Druid's does.
const (
	accNone   = iota // no row was folded: it is the initial value
	accNull          // of any type
	accLong          // the kinds of numbers
	accDouble        //
	accString
)

// What Druid allows an accumulator that is stored as a number: ten bytes with a byte for null and a text's length.
const (
	maxAccumulator = 10
	textOverhead   = 5
)

// NewAccumulator gives that of no rows.
func NewAccumulator(dst []byte) []byte { return append(dst, accNone) }

// NumberAccumulator gives that which a stored number is.
func NumberAccumulator(dst []byte, n row.Number, null bool) []byte {
	switch {
	case null:
		return append(dst, accNull)
	case n.IsDouble:
		return binary.LittleEndian.AppendUint64(append(dst, accDouble), math.Float64bits(n.Double))
	}
	return binary.LittleEndian.AppendUint64(append(dst, accLong), uint64(n.Long))
}

// appendAccumulator gives that which a value is.
func appendAccumulator(dst []byte, v expr.Value) ([]byte, error) {
	switch {
	case v.IsNull(), v.Type().IsArray() && len(v.Elems()) == 0: // as Druid's column has them
		return append(dst, accNull), nil
	case v.Type() == expr.Long:
		return NumberAccumulator(dst, row.Number{Long: v.Long()}, false), nil
	case v.Type() == expr.Double:
		return NumberAccumulator(dst, row.Number{Double: v.Double(), IsDouble: true}, false), nil
	case v.Type() != expr.String:
		return dst, fmt.Errorf("the accumulator became a value of type [%s], it must stay a number", v.Type())
	}
	if size := textOverhead + len(v.Text()); size > maxAccumulator {
		return dst, fmt.Errorf("Exceeded memory usage when aggregating type [%s], size [%d] is larger than max [%d]", //nolint:staticcheck // Druid's text
			v.Type(), size, maxAccumulator)
	}
	return append(append(dst, accString), v.Text()...), nil
}

// accumulatorValue is what expressions see; the text is that of acc.
func accumulatorValue(acc []byte, initial expr.Value) expr.Value {
	switch acc[0] {
	case accNone:
		return initial
	case accLong:
		return expr.OfLong(int64(binary.LittleEndian.Uint64(acc[1:])))
	case accDouble:
		return expr.OfDouble(math.Float64frombits(binary.LittleEndian.Uint64(acc[1:])))
	case accString:
		return expr.OfColumn(nil, &row.Value{Kind: row.String, Text: acc[1:]})
	}
	return expr.Value{}
}

// Fold folds rows into the accumulators of one metric. It belongs to its Transformer, whose row at hand it reads.
type Fold struct {
	program *expr.Program
	inputs  *columns // its place for the accumulator is not read
	acc     int      // the input that is the accumulator, -1: none
	initial expr.Value
	nulls   bool // rows with a null input are folded
	env     expr.Env
	state   expr.Value
}

// fold compiles the expressions of an aggregator, and finds out the type of its column.
func (c *compiler) fold(l *row.Lambda) (*Fold, error) {
	text, initial, nulls := l.Fold, l.Initial, l.FoldsNulls
	if l.Combined {
		text, initial, nulls = l.Combine, l.InitialCombine, l.CombinesNulls
	}
	f := &Fold{acc: -1, nulls: nulls}
	var err error
	if f.program, err = expr.Compile(text); err != nil {
		return nil, fmt.Errorf("fold %q: %w", text, err)
	}
	if f.initial, err = constant(initial); err != nil {
		return nil, fmt.Errorf("initial value %q: %w", initial, err)
	}
	if t := f.initial.Type(); t != expr.Long && t != expr.Double {
		return nil, fmt.Errorf("initial value %q: it is of type %s, not a number", initial, t)
	}
	l.Double = f.initial.Type() == expr.Double
	names := f.program.Inputs()
	if f.acc = slices.Index(names, l.Accumulator); f.acc < 0 {
		f.inputs = c.transformed(names)
		return f, nil
	}
	f.inputs = c.transformed(slices.Delete(slices.Clone(names), f.acc, f.acc+1))
	f.inputs.sources = slices.Insert(f.inputs.sources, f.acc, source{kind: rawTime})
	return f, nil
}

// constant gives the value of an expression that is the same for every row.
func constant(source string) (expr.Value, error) {
	program, err := expr.Compile(source)
	if err != nil {
		return expr.Value{}, err
	}
	v, ok := program.Constant()
	if !ok {
		return v, fmt.Errorf("it must be constant")
	}
	return v, nil
}

// Fold gives what folds rows into the metric of a field, which is one of the schema that Compile gave; nil: nothing.
func (t *Transformer) Fold(field string) *Fold {
	if t == nil {
		return nil
	}
	for i := range t.metrics {
		if t.metrics[i].field == field {
			return t.metrics[i].fold
		}
	}
	return nil
}

// Input implements expr.Bindings.
func (f *Fold) Input(i int) expr.Value {
	if i == f.acc {
		return f.state
	}
	return f.inputs.Input(i)
}

// Add folds the row at hand, for which Fill was called, into an accumulator, whose memory it may use for what it gives.
func (f *Fold) Add(acc []byte) ([]byte, error) {
	f.env.Reset()
	if !f.nulls {
		for i := range f.inputs.sources {
			if i != f.acc && f.inputs.Input(i).IsNull() {
				return acc, nil
			}
		}
	}
	f.state = accumulatorValue(acc, f.initial)
	v, err := f.program.Eval(&f.env, f)
	if err != nil {
		return acc, fmt.Errorf("fold [%s]: %w", f.program, err)
	}
	if acc, err = f.replace(acc, v); err != nil {
		return acc, fmt.Errorf("fold [%s]: %w", f.program, err)
	}
	return acc, nil
}

// replace writes a value over an accumulator, of which its text may be a part.
func (f *Fold) replace(acc []byte, v expr.Value) ([]byte, error) {
	n := len(acc)
	long, err := appendAccumulator(acc, v)
	if err != nil {
		return acc, err
	}
	return long[:copy(long, long[n:])], nil
}

// Combiner combines accumulators of rows with one key, and gives the numbers that are stored of them. One goroutine uses
// it at a time.
type Combiner struct {
	metric  string
	program *expr.Program
	// acc and own are the inputs that are the two accumulators, -1: none.
	acc, own int
	initial  expr.Value
	nulls    bool
	double   bool
	env      expr.Env
	pair     [2]expr.Value
	err      error
}

// NewCombiner makes the Combiner of a metric of a schema that Compile gave.
func NewCombiner(m *row.Metric) (*Combiner, error) {
	l := &m.Lambda
	source, own := l.Combine, l.Own
	if l.Derived != "" {
		source, own = l.Fold, l.Derived
	}
	program, err := expr.Compile(source)
	if err != nil {
		return nil, fmt.Errorf("metric %q: combine %q: %w", m.Name, source, err)
	}
	initial := l.Initial
	if l.Combined {
		initial = l.InitialCombine
	}
	c := &Combiner{metric: m.Name, program: program, nulls: l.CombinesNulls, double: l.Double}
	c.acc, c.own = slices.Index(program.Inputs(), l.Accumulator), slices.Index(program.Inputs(), own)
	if c.initial, err = constant(initial); err != nil {
		return nil, fmt.Errorf("metric %q: initial value %q: %w", m.Name, initial, err)
	}
	return c, nil
}

// Input implements expr.Bindings.
func (c *Combiner) Input(i int) expr.Value {
	switch i {
	case c.acc:
		return c.pair[0]
	case c.own:
		return c.pair[1]
	}
	return expr.Value{}
}

// Combine gives the accumulator of two, the earlier one first; it may be one of them. After an error, which Err gives, it
// is the first. One that no row was folded into changes nothing: where the rows are split must not matter.
func (c *Combiner) Combine(x, y []byte) []byte {
	switch {
	case c.err != nil || y[0] == accNone:
		return x
	case x[0] == accNone:
		return y
	case !c.nulls && y[0] == accNull:
		return x
	case !c.nulls && x[0] == accNull:
		return y
	}
	c.env.Reset()
	c.pair = [2]expr.Value{accumulatorValue(x, c.initial), accumulatorValue(y, c.initial)}
	v, err := c.program.Eval(&c.env, c)
	var out []byte
	if err == nil {
		out, err = appendAccumulator(nil, v)
	}
	if err != nil {
		c.err = fmt.Errorf("metric %q: combine [%s]: %w", c.metric, c.program, err)
		return x
	}
	return out
}

// Err gives the first error of Combine.
func (c *Combiner) Err() error { return c.err }

// Number gives the bits that are stored of an accumulator, of a long or a double.
func (c *Combiner) Number(acc []byte) (bits uint64, null bool) {
	n, ok := accumulatorValue(acc, c.initial).Number()
	if !ok {
		return 0, true
	}
	number := row.Number{Long: n.Long(), Double: n.Double(), IsDouble: n.Type() == expr.Double}
	if c.double {
		return math.Float64bits(number.AsDouble()), false
	}
	return uint64(number.AsLong()), false
}
