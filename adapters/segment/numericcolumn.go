package segment

import (
	"encoding/binary"
	"fmt"
	"math"
)

// LongColumn reads a column of longs. It is used by one goroutine.
type LongColumn struct{ numericColumn[int64] }

// FloatColumn reads a column of floats. It is used by one goroutine.
type FloatColumn struct{ numericColumn[float32] }

// DoubleColumn reads a column of doubles. It is used by one goroutine.
type DoubleColumn struct{ numericColumn[float64] }

// Long returns a column of longs, __time among them.
func (r *Reader) Long(name string) (*LongColumn, error) {
	c, err := numeric[int64](r, name, kindLong)
	if err != nil {
		return nil, err
	}
	return &LongColumn{*c}, nil
}

// Float returns a column of floats.
func (r *Reader) Float(name string) (*FloatColumn, error) {
	c, err := numeric[float32](r, name, kindFloat)
	if err != nil {
		return nil, err
	}
	return &FloatColumn{*c}, nil
}

// Double returns a column of doubles.
func (r *Reader) Double(name string) (*DoubleColumn, error) {
	c, err := numeric[float64](r, name, kindDouble)
	if err != nil {
		return nil, err
	}
	return &DoubleColumn{*c}, nil
}

// numericColumn decodes a numeric column, keeping the last block it decoded.
type numericColumn[T int64 | float32 | float64] struct {
	part  *numberPart
	nulls [][]uint64 // a bit per row, in windows that are nil without nulls
	block int        // the block that raw holds, -1 for none
	raw   []byte
	count int
	buf   []byte
}

func numeric[T int64 | float32 | float64](r *Reader, name string, kind valueType) (*numericColumn[T], error) {
	col, err := r.column(name, kind)
	if err != nil {
		return nil, err
	}
	c := &numericColumn[T]{part: col.number, block: -1}
	if len(col.number.nulls) > 0 {
		c.nulls = make([][]uint64, (r.rows+windowRows-1)/windowRows)
		err := decodeBitmap(col.number.bitmapType, name, col.number.nulls, r.rows, c.setNulls)
		if err != nil {
			return nil, err
		}
	}
	return c, nil
}

func (c *numericColumn[T]) setNulls(from, to int) {
	for ; from < to; from++ {
		w := &c.nulls[from/windowRows]
		if *w == nil {
			*w = make([]uint64, windowRows/64)
		}
		(*w)[from%windowRows/64] |= 1 << (from % 64)
	}
}

// Len is the number of rows.
func (c *numericColumn[T]) Len() int { return c.part.rows }

// HasNulls says whether some row is null.
func (c *numericColumn[T]) HasNulls() bool { return c.nulls != nil }

// Read decodes len(dst) rows from row start on. Null rows are 0 in dst and,
// unless nulls is nil, true in nulls, which is as long as dst.
func (c *numericColumn[T]) Read(start int, dst []T, nulls []bool) error {
	if start < 0 || start > c.part.rows || len(dst) > c.part.rows-start || nulls != nil && len(nulls) != len(dst) {
		return fmt.Errorf("read column %q: rows %d to %d of %d", c.part.name, start, start+len(dst), c.part.rows)
	}
	clear(nulls)
	for i := 0; i < len(nulls) && c.nulls != nil; {
		w, in := c.nulls[(start+i)/windowRows], (start+i)%windowRows
		k := min(len(nulls)-i, windowRows-in)
		for j := 0; j < k && w != nil; j++ {
			nulls[i+j] = w[(in+j)/64]>>((in+j)%64)&1 != 0
		}
		i += k
	}
	for len(dst) > 0 {
		if err := c.load(start / c.part.per); err != nil {
			return err
		}
		from := start - c.block*c.part.per
		k := min(len(dst), c.count-from)
		if err := c.decode(dst[:k], from); err != nil {
			return err
		}
		dst, start = dst[k:], start+k
	}
	return nil
}

func (c *numericColumn[T]) load(block int) error {
	if block == c.block {
		return nil
	}
	if c.buf == nil && c.part.codec != CodecNone {
		c.buf = make([]byte, maxBlock)
	}
	c.block = -1
	raw, count, err := c.part.block(block, c.buf)
	if err != nil {
		return err
	}
	c.block, c.raw, c.count = block, raw, count
	return nil
}

// decode reads values of the loaded block, from value from on.
func (c *numericColumn[T]) decode(dst []T, from int) error {
	b, order := c.raw, c.part.order
	switch dst := any(dst).(type) {
	case []int64:
		switch {
		case c.part.packed:
			return c.part.unpack(dst, b, from)
		case order == binary.LittleEndian:
			for i, b := 0, b[8*from:]; i < len(dst); i++ {
				dst[i] = int64(binary.LittleEndian.Uint64(b[8*i:]))
			}
		default:
			for i := range dst {
				dst[i] = int64(order.Uint64(b[8*(from+i):]))
			}
		}
	case []float64:
		for i := range dst {
			dst[i] = math.Float64frombits(order.Uint64(b[8*(from+i):]))
		}
	case []float32:
		for i := range dst {
			dst[i] = math.Float32frombits(order.Uint32(b[4*(from+i):]))
		}
	}
	return nil
}
