package index

import (
	"fmt"

	"ogham/adapters/segment"
	"ogham/domain/row"
	"ogham/domain/transform"
)

// addExpression folds a row into the accumulator of an aggregator expression. A row that a filter drops is missing. One
// that comes with the metric's own column is combined: it is aggregated already.
func (m *memory) addExpression(x *memMetric, slot, at int, fresh bool, rows *row.Rows, v *row.Value) (detail string) {
	state := m.state[:0]
	if fresh {
		state = transform.NewAccumulator(state)
	} else {
		state = append(state, x.blobs.get(at)...)
	}
	var err error
	if slot == x.own {
		n, null, ok := rows.ToNumber(v)
		if !ok {
			detail = rows.MetricMessage(v, x.field(slot))
		}
		state = append(state[:0], x.combiner.Combine(state, transform.NumberAccumulator(nil, n, null))...)
		err = x.combiner.Err()
	} else if v.Kind != row.Missing {
		if state, err = x.fold.Add(state); err != nil {
			err = fmt.Errorf("metric %q: %w", x.Name, err)
		}
	}
	if err != nil && m.failed == nil {
		m.failed = err
	}
	m.state = state
	x.blobs.set(at, state, fresh)
	return detail
}

// expressionWriter opens the column of an aggregator expression, one of numbers.
func expressionWriter(w *segment.Writer, x *metricPlan) (flush func([][]byte) error, end func() error, err error) {
	write, end, err := numberWriter(w, x.Name, x.typ)
	if err != nil {
		return nil, nil, err
	}
	nums, nulls := make([]uint64, outBlock), make([]bool, outBlock)
	return func(vals [][]byte) error {
		for i, v := range vals {
			nums[i], nulls[i] = x.combiner.Number(v)
		}
		return write(nums[:len(vals)], nulls[:len(vals)])
	}, end, nil
}

// expressionMeta fills in the members of the combining form, which has no fields: it reads the metric's own column.
func expressionMeta(out *segment.MetricMeta, l *row.Lambda) {
	out.Expression = segment.ExpressionMeta{
		Accumulator: l.Accumulator, Initial: l.Initial, InitialCombine: l.InitialCombine, Fold: l.Fold, Combine: l.Combine,
		NullUnlessAggregated: &l.NullUnlessAggregated, FoldsNulls: &l.FoldsNulls, CombinesNulls: &l.CombinesNulls,
		Compare: l.Compare, Finalize: l.Finalize, MaxSizeBytes: l.MaxSizeBytes,
	}
}
