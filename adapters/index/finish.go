package index

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"ogham/adapters/segment"
	"ogham/domain/row"
)

// Finish merges what was spilled and what is in memory into one segment folder per interval that has rows, by time.
// Afterwards the Builder takes no more rows. After an error no folder of this call is left.
func (b *Builder) Finish(ctx context.Context) ([]Built, error) {
	if err := b.usable(); err != nil {
		return nil, err
	}
	b.over = true
	defer b.publish()
	built, err := b.finish(ctx)
	if err != nil {
		for _, s := range built {
			_ = os.RemoveAll(s.Dir)
		}
		return nil, b.fail(err)
	}
	return built, nil
}

func (b *Builder) finish(ctx context.Context) ([]Built, error) {
	if err := b.waitPersist(); err != nil {
		return nil, err
	}
	b.spare = nil
	if err := b.spill.mapAll(); err != nil {
		return nil, err
	}
	var built []Built
	for i, k := range b.sortedSinks() {
		if k.rows() == 0 {
			continue
		}
		dir := filepath.Join(b.cfg.Dir, fmt.Sprintf("segment-%d", i))
		s, err := b.buildSegment(ctx, k, dir)
		if err != nil {
			_ = os.RemoveAll(dir)
			return built, fmt.Errorf("build segment of %s/%s: %w", row.FormatISO(k.start), row.FormatISO(k.end), err)
		}
		built = append(built, s)
		k.memory, k.parts = nil, nil
	}
	return built, nil
}

// buildSegment merges an interval's parts into a folder.
func (b *Builder) buildSegment(ctx context.Context, k *sink, dir string) (s Built, err error) {
	m, err := b.newMerge(ctx, k)
	if err != nil {
		return s, err
	}
	meta := b.meta(k, m.dims)
	w, err := segment.Create(dir, meta, b.cfg.IndexSpec)
	if err != nil {
		return s, err
	}
	defer w.Abort()
	if err := m.write(ctx, w); err != nil {
		return s, err
	}
	size, err := w.Close()
	if err != nil {
		return s, err
	}
	s = Built{IntervalStart: k.start, IntervalEnd: k.end, Dir: dir, Rows: m.rows.rows, Size: size, Dimensions: meta.Dimensions}
	for _, x := range meta.Metrics {
		s.Metrics = append(s.Metrics, x.Name)
	}
	return s, nil
}

func (b *Builder) meta(k *sink, dims []dimPlan) segment.Meta {
	meta := segment.Meta{
		IntervalStart: k.start, IntervalEnd: k.end, TimestampSpec: b.cfg.TimestampSpecJSON,
		QueryGranularity: b.cfg.QueryGranularityJSON, Rollup: b.cfg.Schema.Rollup, TimePosition: b.cfg.Schema.TimePosition,
	}
	for i, d := range dims {
		meta.Dimensions = append(meta.Dimensions, d.Name)
		if i < len(b.plan.dims) {
			meta.OrderedDimensions = append(meta.OrderedDimensions, d.Name)
		}
	}
	for _, x := range b.plan.metrics {
		meta.Metrics = append(meta.Metrics, metricMeta(&x.Metric))
	}
	return meta
}

// metricMeta is the combining form of a metric.
func metricMeta(x *row.Metric) segment.MetricMeta {
	out := segment.MetricMeta{Type: x.Agg.Combining(), Name: x.Name}
	switch {
	case x.Agg.Timed():
		if out.TimeColumn = x.TimeColumn; out.TimeColumn == "" {
			out.TimeColumn = row.TimeColumn
		}
		if x.Agg.Type() == row.TypeString {
			out.MaxStringBytes = &x.MaxStringBytes
		}
	case x.Agg.Sketch():
		sketchMeta(&out, x)
	case x.Agg == row.AggExpression:
		expressionMeta(&out, &x.Lambda)
	case x.Agg == row.AggHyperUnique:
		out.Precomputed, out.Round = new(bool), &x.Round
	}
	return out
}

// merge is one interval's merge: its parts, the merged dictionaries, and the order of the rows.
type merge struct {
	plan  *plan
	parts []part
	dims  []dimPlan
	dicts []*mergedDict // nil for numbers
	rows  *rowMerger
	block int
}

func (b *Builder) newMerge(ctx context.Context, k *sink) (*merge, error) {
	m := &merge{plan: b.plan, dims: slices.Concat(b.plan.dims, k.found)}
	for _, p := range k.parts {
		m.parts = append(m.parts, p)
	}
	if k.memory != nil && k.memory.rows > 0 {
		m.parts = append(m.parts, freeze(k.memory))
	}
	m.block = blockFor(len(m.parts), 0)
	m.mergeDicts()
	low, high := m.parts[0].timeRange()
	for _, p := range m.parts[1:] {
		l, h := p.timeRange()
		low, high = min(low, l), max(high, h)
	}
	keys := planKeys(low, high, b.cfg.Schema.TimePosition, m.dims, func(d int) int { return m.dicts[d].entries() }, m.numbers)
	var err error
	m.rows, err = mergeRows(ctx, m.parts, &keys, b.plan.keyRemap(m), b.cfg.Schema.Rollup)
	return m, err
}

// mergeDicts merges the dictionaries of all dimensions, as many at a time as there are processors: with millions of values
// that is a good part of a merge, and nothing else can begin before.
func (m *merge) mergeDicts() {
	m.dicts = make([]*mergedDict, len(m.dims))
	var wg sync.WaitGroup
	free := make(chan struct{}, runtime.GOMAXPROCS(0))
	for d := range m.dims {
		t := m.dims[d].Type
		if !hasDict(t) {
			continue
		}
		free <- struct{}{}
		wg.Go(func() {
			m.dicts[d] = mergeDicts(m.parts, d, valueOrder(t))
			<-free
		})
	}
	wg.Wait()
}

// keyRemap gives, by part and dimension, what takes a part's entries to the ones that rows are ordered by; nil: they are
// the same.
func (p *plan) keyRemap(m *merge) func(part, dim int) []uint32 {
	maps := make([][][]uint32, len(m.dims))
	for d := range m.dims {
		if m.dicts[d] == nil {
			continue
		}
		ranks := p.rowRanks(m.dims[d].Type, &m.dicts[d].sortedDict)
		for part := range m.parts {
			maps[d] = append(maps[d], through(m.dicts[d].entryRemap(part), ranks))
		}
	}
	return func(part, dim int) []uint32 {
		if maps[dim] == nil {
			return nil
		}
		return maps[dim][part]
	}
}

func (m *merge) numbers(col int) numRange {
	r := emptyRange()
	for _, p := range m.parts {
		r = r.union(p.numbers(col))
	}
	return r
}

// write writes all columns.
func (m *merge) write(ctx context.Context, w *segment.Writer) error {
	if err := m.writeTime(ctx, w); err != nil {
		return err
	}
	byName := make([]int, len(m.plan.metrics))
	for i := range byName {
		byName[i] = i
	}
	slices.SortFunc(byName, func(a, b int) int {
		return segment.CompareUTF16([]byte(m.plan.metrics[a].Name), []byte(m.plan.metrics[b].Name))
	})
	for _, i := range byName {
		x := &m.plan.metrics[i]
		if x.Agg.Complex() {
			if err := m.writeComplex(ctx, w, i); err != nil {
				return err
			}
			continue
		}
		if err := m.writeNumbers(ctx, w, ^i, x.Name, x.typ, x.Agg); err != nil {
			return err
		}
	}
	for d := range m.dims {
		var err error
		switch t := m.dims[d].Type; t {
		case row.TypeString:
			err = m.writeStrings(ctx, w, d)
		case row.TypeJSON:
			err = m.writeJSON(ctx, w, d)
		default:
			err = m.writeNumbers(ctx, w, d, m.dims[d].Name, t, row.AggCount)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
