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
	nulls []bool // numbers only
	at    int    // row after the block
	pos   int
	total int
	fill  func(vals []T, nulls []bool, at int) error
}

// ensure reads the next block if this one is used up.
func (c *cursor[T]) ensure(block int) error {
	if c.pos < len(c.vals) {
		return nil
	}
	n := min(block, c.total-c.at)
	if cap(c.vals) < n {
		c.vals, c.nulls = make([]T, n), make([]bool, n)
	}
	c.vals, c.nulls = c.vals[:n], c.nulls[:n]
	if err := c.fill(c.vals, c.nulls, c.at); err != nil {
		return err
	}
	c.at += n
	c.pos = 0
	return nil
}

// outBlock is how many rows go to the segment writer at a time.
const outBlock = 8192

// gather reads a column in merged order into blocks of at most outBlock rows and gives each to flush. Rows that combine
// are skipped if combine is nil, as key columns are equal in them.
func gather[T any](ctx context.Context, m *merge, fill func(p part) func([]T, []bool, int) error,
	combine func(last *T, lastNull *bool, v T, null bool), flush func([]T, []bool) error,
) error {
	cursors := make([]cursor[T], len(m.parts))
	for i, p := range m.parts {
		cursors[i] = cursor[T]{total: p.length(), fill: fill(p)}
	}
	out, nulls := make([]T, 0, outBlock), make([]bool, 0, outBlock)
	for _, r := range m.rows.runs {
		c := &cursors[r.part]
		if r.count&combineBit != 0 {
			if err := c.ensure(m.block); err != nil {
				return err
			}
			if combine != nil {
				last := len(out) - 1
				combine(&out[last], &nulls[last], c.vals[c.pos], c.nulls[c.pos])
			}
			c.pos++
			continue
		}
		for left := int(r.count); left > 0; {
			if err := c.ensure(m.block); err != nil {
				return err
			}
			if len(out) == outBlock {
				if err := ctx.Err(); err != nil {
					return fmt.Errorf("merge columns: %w", err)
				}
				if err := flush(out, nulls); err != nil {
					return err
				}
				out, nulls = out[:0], nulls[:0]
			}
			n := min(left, len(c.vals)-c.pos, outBlock-len(out))
			out = append(out, c.vals[c.pos:c.pos+n]...)
			nulls = append(nulls, c.nulls[c.pos:c.pos+n]...)
			c.pos += n
			left -= n
		}
	}
	return flush(out, nulls)
}

func (m *merge) writeTime(ctx context.Context, w *segment.Writer) error {
	c, err := w.Long(row.TimeColumn)
	if err != nil {
		return err
	}
	err = gather(ctx, m, func(p part) func([]int64, []bool, int) error {
		return func(vals []int64, _ []bool, at int) error { return p.times(vals, at) }
	}, nil, func(vals []int64, _ []bool) error { return c.AppendBatch(vals, nil) })
	if err != nil {
		return err
	}
	return c.Close()
}

// writeNumbers writes a numeric dimension (col from 0) or a metric (its complement), combining by agg.
func (m *merge) writeNumbers(
	ctx context.Context, w *segment.Writer, col int, name string, t row.Type, agg row.Aggregator,
) error {
	flush, closeColumn, err := numberWriter(w, name, t, m.numbers(col).nullable)
	if err != nil {
		return err
	}
	var mix func(last *uint64, lastNull *bool, v uint64, null bool)
	if col < 0 {
		mix = func(last *uint64, lastNull *bool, v uint64, null bool) {
			switch {
			case null:
			case *lastNull:
				*last, *lastNull = v, false
			default:
				*last = combine(agg, t, *last, v)
			}
		}
	}
	err = gather(ctx, m, func(p part) func([]uint64, []bool, int) error {
		return func(vals []uint64, nulls []bool, at int) error { return p.nums(col, vals, nulls, at) }
	}, mix, flush)
	if err != nil {
		return err
	}
	return closeColumn()
}

// numberWriter opens a column for raw bits.
func numberWriter(w *segment.Writer, name string, t row.Type, nullable bool) (
	flush func([]uint64, []bool) error, end func() error, err error,
) {
	mark := func(nulls []bool) []bool {
		if nullable {
			return nulls
		}
		return nil
	}
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
			return c.AppendBatch(floats[:len(vals)], mark(nulls))
		}, c.Close, nil
	case row.TypeDouble:
		c, err := w.Double(name)
		if err != nil {
			return nil, nil, err
		}
		return func(vals []uint64, nulls []bool) error {
			// The bits of doubles are doubles.
			return c.AppendBatch(unsafe.Slice((*float64)(unsafe.Pointer(unsafe.SliceData(vals))), len(vals)), mark(nulls))
		}, c.Close, nil
	}
	c, err := w.Long(name)
	if err != nil {
		return nil, nil, err
	}
	return func(vals []uint64, nulls []bool) error {
		return c.AppendBatch(unsafe.Slice((*int64)(unsafe.Pointer(unsafe.SliceData(vals))), len(vals)), mark(nulls))
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
	if err := gather(ctx, m, m.entries(d), nil, m.stringFlush(c, dict)); err != nil {
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
	c, err := w.JSON(m.dims[d].Name, segment.JSONOptions{Values: dict})
	if err != nil {
		return err
	}
	shift := uint32(1)
	if dict.hasNull {
		shift = 0
	}
	err = gather(ctx, m, m.entries(d), nil, func(vals []uint32, _ []bool) error {
		for i := range vals {
			vals[i] -= shift
		}
		return c.AppendBatch(vals)
	})
	if err != nil {
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
