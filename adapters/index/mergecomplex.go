package index

import (
	"context"
	"encoding/binary"

	"ogham/adapters/segment"
	"ogham/domain/row"
)

// writeComplex writes a metric whose aggregates are more than numbers.
func (m *merge) writeComplex(ctx context.Context, w *segment.Writer, metric int) error {
	x := &m.plan.metrics[metric]
	flush, end, err := complexWriter(w, x)
	if err != nil {
		return err
	}
	g := gathered[[]byte]{
		fill: func(p part) func([][]byte, []bool, int) error {
			return func(vals [][]byte, _ []bool, at int) error { return p.blobs(metric, vals, at) }
		},
		combine: func(last *[]byte, _ *bool, v []byte, _ bool) { *last = combineComplex(x, *last, v) },
		flush:   func(vals [][]byte, _ []bool) error { return flush(vals) },
	}
	if err := g.gather(ctx, m); err != nil {
		return err
	}
	if x.combiner != nil && x.combiner.Err() != nil {
		return x.combiner.Err()
	}
	return end()
}

// complexWriter opens the column of a complex metric.
func complexWriter(w *segment.Writer, x *metricPlan) (flush func([][]byte) error, end func() error, err error) {
	switch {
	case x.Agg == row.AggHyperUnique:
		c, err := w.Complex(x.Name, segment.TypeHyperUnique)
		if err != nil {
			return nil, nil, err
		}
		return c.AppendBatch, c.Close, nil
	case x.Agg.Sketch():
		return sketchWriter(w, x)
	case x.Agg == row.AggExpression:
		return expressionWriter(w, x)
	case x.typ == row.TypeString:
		c, err := w.Complex(x.Name, segment.TypePairLongString)
		if err != nil {
			return nil, nil, err
		}
		docs := make([][]byte, 0, outBlock)
		return func(vals [][]byte) error {
			docs = docs[:0]
			for _, v := range vals {
				docs = append(docs, segment.PairLongString(timeOf(v), v[timedHeader:]))
			}
			return c.AppendBatch(docs)
		}, c.Close, nil
	}
	c, err := w.Pairs(x.Name, pairTypes[x.typ])
	if err != nil {
		return nil, nil, err
	}
	return func(vals [][]byte) error {
		for _, v := range vals {
			if err := c.Append(timeOf(v), v[timedNull] != 0, numberOf(v[timedHeader:])); err != nil {
				return err
			}
		}
		return nil
	}, c.Close, nil
}

var pairTypes = map[row.Type]string{
	row.TypeLong: segment.TypePairLongLong, row.TypeDouble: segment.TypePairLongDouble, row.TypeFloat: segment.TypePairLongFloat,
}

// numberOf gives the bits of a number of 4 or 8 bytes, 0 for none.
func numberOf(b []byte) uint64 {
	switch len(b) {
	case 8:
		return binary.LittleEndian.Uint64(b)
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return 0
}
