package index

import (
	"testing"

	"ogham/domain/row"
)

// TestFirstAndLastPassFilteredRowsOver adds rows of which a filter dropped the first and the last, as package transform
// marks them, and one that is null.
func TestFirstAndLastPassFilteredRowsOver(t *testing.T) {
	long := func(n uint64) row.Value { return row.Value{Kind: row.Long, Num: n} }
	dropped, null := row.Value{}, row.Value{Kind: row.Null}
	for _, c := range []struct {
		agg  row.Aggregator
		vals []row.Value
		time int64
		null bool
	}{
		{row.AggLongFirst, []row.Value{dropped, long(3), long(4), dropped}, 1, false},
		{row.AggLongLast, []row.Value{dropped, long(3), long(4), dropped}, 2, false},
		{row.AggLongFirst, []row.Value{dropped, null, long(4), dropped}, 1, true},
		{row.AggDoubleLast, []row.Value{dropped, long(3), null, dropped}, 2, true},
		{row.AggStringFirst, []row.Value{dropped, null, long(4), dropped}, 2, false},
		{row.AggStringLast, []row.Value{dropped, long(3), null, dropped}, 1, false},
		{row.AggLongFirst, []row.Value{dropped, dropped}, noFirstNumber, true},
		{row.AggStringLast, []row.Value{dropped}, noLastString, true},
	} {
		x := row.Metric{Agg: c.agg, Name: "x", FieldName: "v", Filter: `{"type":"true"}`, MaxStringBytes: 9}
		m := newMemory(newPlan(row.Schema{Timestamp: row.Timestamp{Column: "t"}, Metrics: []row.Metric{x}}, nil), nil)
		at := m.insert(0)
		for i, v := range c.vals {
			m.rowTime = int64(i)
			if detail := m.addComplex(&m.metrics[0], 1, at, i == 0, &row.Rows{}, []row.Value{{}, v}); detail != "" {
				t.Errorf("%s of %v: %s", c.agg, c.vals, detail)
			}
		}
		state := m.metrics[0].blobs.get(at)
		if timeOf(state) != c.time || (state[timedNull] != 0) != c.null {
			t.Errorf("%s of %v: time %d, null %t, want %d, %t", c.agg, c.vals, timeOf(state), state[timedNull] != 0, c.time, c.null)
		}
	}
}
