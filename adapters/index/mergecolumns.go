package index

import (
	"context"
	"fmt"
	"math"
	"unsafe"

	"ogham/adapters/segment"
	"ogham/domain/row"
)

// cursor reads one column of a part from first to last, in blocks.
type cursor[T any] struct {
	vals  []T
	nulls []bool // of a column with marks
	at    int    // row after the block
	pos   int
	total int
	fill  func(vals []T, nulls []bool, at int) error
}

// read reads the next block.
func (c *cursor[T]) read(block int, marks bool) error {
	n := min(block, c.total-c.at)
	if cap(c.vals) < n {
		c.vals = make([]T, n)
		if marks {
			c.nulls = make([]bool, n)
		}
	}
	c.vals = c.vals[:n]
	if marks {
		c.nulls = c.nulls[:n]
	}
	if err := c.fill(c.vals, c.nulls, c.at); err != nil {
		return err
	}
	c.at += n
	c.pos = 0
	return nil
}

// outBlock is how many rows go to the segment writer at a time.
const outBlock = 8192

// gathered is a column that is brought into merged order.
type gathered[T any] struct {
	fill func(p part) func(vals []T, nulls []bool, at int) error
	// marks says that values come with marks of those that are null; without it nulls is nil throughout.
	marks bool
	// combine adds a value to the one before. It is nil for key columns, which are equal in rows that combine.
	combine func(last *T, lastNull *bool, v T, null bool)
	flush   func(vals []T, nulls []bool) error
}

// gather reads the column in blocks of at most outBlock rows and gives each to flush.
func (g *gathered[T]) gather(ctx context.Context, m *merge) error {
	cursors := make([]cursor[T], len(m.parts))
	for i, p := range m.parts {
		cursors[i] = cursor[T]{total: p.length(), fill: g.fill(p)}
	}
	out, k := make([]T, outBlock), 0
	unmarked := false
	var nulls []bool
	if g.marks {
		nulls = make([]bool, outBlock)
	}
	flush := func() error {
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("merge columns: %w", err)
		}
		n := k
		k = 0
		return g.flush(out[:n], nulls[:min(n, len(nulls))])
	}
	for _, block := range m.rows.runs.blocks {
		for _, word := range block {
			part, left := m.rows.runs.split(word)
			c := &cursors[part]
			if c.pos == len(c.vals) {
				if err := c.read(m.block, g.marks); err != nil {
					return err
				}
			}
			if word&combineBit != 0 {
				switch {
				case g.combine == nil:
				case g.marks:
					g.combine(&out[k-1], &nulls[k-1], c.vals[c.pos], c.nulls[c.pos])
				default:
					g.combine(&out[k-1], &unmarked, c.vals[c.pos], false)
				}
				c.pos++
				continue
			}
			if left == 1 && k < len(out) && !g.marks {
				out[k] = c.vals[c.pos]
				k++
				c.pos++
				continue
			}
			for {
				if k == len(out) {
					if err := flush(); err != nil {
						return err
					}
				}
				n := copy(out[k:min(len(out), k+left)], c.vals[c.pos:])
				if g.marks {
					copy(nulls[k:k+n], c.nulls[c.pos:])
				}
				k += n
				c.pos += n
				if left -= n; left == 0 {
					break
				}
				if c.pos == len(c.vals) {
					if err := c.read(m.block, g.marks); err != nil {
						return err
					}
				}
			}
		}
	}
	return flush()
}

func (m *merge) writeTime(ctx context.Context, w *segment.Writer) error {
	c, err := w.Long(row.TimeColumn)
	if err != nil {
		return err
	}
	g := gathered[int64]{
		fill: func(p part) func([]int64, []bool, int) error {
			return func(vals []int64, _ []bool, at int) error { return p.times(vals, at) }
		},
		flush: func(vals []int64, _ []bool) error { return c.AppendBatch(vals, nil) },
	}
	if err := g.gather(ctx, m); err != nil {
		return err
	}
	return c.Close()
}

// writeNumbers writes a numeric dimension (col from 0) or a metric (its complement), combining by agg.
func (m *merge) writeNumbers(
	ctx context.Context, w *segment.Writer, col int, name string, t row.Type, agg row.Aggregator,
) error {
	flush, closeColumn, err := numberWriter(w, name, t)
	if err != nil {
		return err
	}
	g := gathered[uint64]{
		fill: func(p part) func([]uint64, []bool, int) error {
			return func(vals []uint64, nulls []bool, at int) error { return p.nums(col, vals, nulls, at) }
		},
		marks: m.numbers(col).nullable,
		flush: flush,
	}
	if col < 0 {
		g.combine = func(last *uint64, lastNull *bool, v uint64, null bool) {
			switch {
			case null:
			case *lastNull:
				*last, *lastNull = v, false
			default:
				*last = combine(agg, t, *last, v)
			}
		}
	}
	if err := g.gather(ctx, m); err != nil {
		return err
	}
	return closeColumn()
}

// numberWriter opens a column for raw bits. The marks of a column that may have nulls come with them.
func numberWriter(w *segment.Writer, name string, t row.Type) (
	flush func([]uint64, []bool) error, end func() error, err error,
) {
	switch t {
	case row.TypeFloat:
		c, err := w.Float(name)
		if err != nil {
			return nil, nil, err
		}
		floats := make([]float32, outBlock)
		return func(vals []uint64, nulls []bool) error {
			for i, v := range vals {
				floats[i] = math.Float32frombits(uint32(v))
			}
			return c.AppendBatch(floats[:len(vals)], nulls)
		}, c.Close, nil
	case row.TypeDouble:
		c, err := w.Double(name)
		if err != nil {
			return nil, nil, err
		}
		return func(vals []uint64, nulls []bool) error {
			// The bits of doubles are doubles.
			return c.AppendBatch(unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(vals))), len(vals)), nulls)
		}, c.Close, nil
	}
	c, err := w.Long(name)
	if err != nil {
		return nil, nil, err
	}
	return func(vals []uint64, nulls []bool) error {
		return c.AppendBatch(unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(vals))), len(vals)), nulls)
	}, c.Close, nil
}

func (m *merge) writeStrings(ctx context.Context, w *segment.Writer, d int) error {
	dict := m.dicts[d]
	c, err := w.String(m.dims[d].Name, segment.StringOptions{
		Dictionary: dict, MultiValue: dict.ends != nil, NoBitmaps: m.dims[d].NoBitmap, AllNull: dict.count == 0,
	})
	if err != nil || dict.count == 0 {
		if err != nil {
			return err
		}
		return c.Close()
	}
	g := gathered[uint32]{fill: m.entries(d), flush: m.stringFlush(c, dict)}
	if err := g.gather(ctx, m); err != nil {
		return err
	}
	defer forgetter(m.parts)()
	return c.Close()
}

// entries reads a dimension of the parts as entries of its merged dictionary.
func (m *merge) entries(d int) func(p part) func([]uint32, []bool, int) error {
	dict := m.dicts[d]
	partOf := make(map[part]int, len(m.parts))
	for i, p := range m.parts {
		partOf[p] = i
	}
	return func(p part) func([]uint32, []bool, int) error {
		remap := dict.entryRemap(partOf[p])
		return func(vals []uint32, _ []bool, at int) error {
			if d >= p.dims() {
				none := uint32(nullEntry)
				if remap != nil {
					none = remap[nullEntry]
				}
				for i := range vals {
					vals[i] = none
				}
				return nil
			}
			err := p.ids(d, vals, at)
			if remap != nil && err == nil {
				for i, e := range vals {
					vals[i] = remap[e]
				}
			}
			return err
		}
	}
}

// writeJSON writes a json dimension: its entries, less one where there is no null, are places among its values.
func (m *merge) writeJSON(ctx context.Context, w *segment.Writer, d int) error {
	dict := m.dicts[d]
	c, err := w.JSON(m.dims[d].Name, segment.JSONOptions{Values: dict, CastTo: castTypes[m.dims[d].Cast]})
	if err != nil {
		return err
	}
	shift := uint32(1)
	if dict.hasNull {
		shift = 0
	}
	g := gathered[uint32]{fill: m.entries(d), flush: func(vals []uint32, _ []bool) error {
		for i := range vals {
			vals[i] -= shift
		}
		return c.AppendBatch(vals)
	}}
	if err := g.gather(ctx, m); err != nil {
		return err
	}
	return c.Close()
}

// stringFlush turns entries into the segment's ids: ranks, one less where the dictionary has no null.
func (m *merge) stringFlush(c *segment.StringWriter, dict *mergedDict) func([]uint32, []bool) error {
	shift := uint32(1)
	if dict.hasNull {
		shift = 0
	}
	if dict.ends == nil {
		return func(vals []uint32, _ []bool) error {
			if shift > 0 {
				for i := range vals {
					vals[i] -= shift
				}
			}
			return c.AppendBatch(vals)
		}
	}
	var ids []uint32
	return func(vals []uint32, _ []bool) error {
		for _, e := range vals {
			ids = ids[:0]
			for _, rank := range dict.entry(e) {
				ids = append(ids, rank-shift)
			}
			if err := c.AppendMulti(ids); err != nil {
				return err
			}
		}
		return nil
	}
}
