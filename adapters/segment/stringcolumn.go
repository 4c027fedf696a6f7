package segment

import (
	"encoding/binary"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
)

// StringColumn reads a string column. It is used by one goroutine.
type StringColumn struct {
	part    *stringPartData
	dict    Dictionary
	ids     *intReader
	offsets *intReader
	bounds  []uint32
}

// String returns a string column. Its whole dictionary is checked first.
func (r *Reader) String(name string) (*StringColumn, error) {
	col, err := r.column(name, kindString)
	if err != nil {
		return nil, err
	}
	c := &StringColumn{part: col.str}
	if c.dict, err = col.str.dictionary(); err != nil {
		return nil, err
	}
	if col.str.ids != nil {
		c.ids = newIntReader(col.str.ids)
	}
	if col.str.offsets != nil {
		c.offsets = newIntReader(col.str.offsets)
	}
	return c, nil
}

func errNoID(name string, id, card int) error {
	return fmt.Errorf("segment column %q: value %d of %d", name, id, card)
}

// Len is the number of rows.
func (c *StringColumn) Len() int { return c.part.rows }

// Cardinality is the number of values, null included.
func (c *StringColumn) Cardinality() int { return c.dict.Len() }

// Dictionary is the column's dictionary, for reading or for writing it again.
func (c *StringColumn) Dictionary() Dictionary { return c.dict }

// MultiValue says whether rows are lists.
func (c *StringColumn) MultiValue() bool { return c.part.multi }

// AllNull says that the column has no data: every row is null.
func (c *StringColumn) AllNull() bool { return c.part.allNull }

// HasBitmaps says whether the column has a bitmap index.
func (c *StringColumn) HasBitmaps() bool { return c.part.bitmaps != nil }

// Bitmap returns the rows that have value id.
func (c *StringColumn) Bitmap(id int) (*roaring.Bitmap, error) { return c.part.bitmap(id) }

// checkRange refuses rows that are not there.
func (c *StringColumn) checkRange(start, n int) error {
	if start < 0 || n < 0 || start > c.part.rows || n > c.part.rows-start {
		return fmt.Errorf("read column %q: rows %d to %d of %d", c.part.name, start, start+n, c.part.rows)
	}
	return nil
}

// Read decodes the ids of len(dst) rows of a single-value column from row
// start on. Every id is below the cardinality.
func (c *StringColumn) Read(start int, dst []uint32) error {
	if err := c.checkRange(start, len(dst)); err != nil {
		return err
	}
	if c.part.multi {
		return fmt.Errorf("read column %q: its rows are lists", c.part.name)
	}
	if c.part.allNull {
		clear(dst)
		return nil
	}
	if err := c.ids.read(start, dst); err != nil {
		return err
	}
	return c.checkIDs(dst)
}

func (c *StringColumn) checkIDs(ids []uint32) error {
	top := uint32(0)
	for _, id := range ids {
		top = max(top, id)
	}
	if len(ids) > 0 && int64(top) >= int64(c.dict.Len()) {
		return corruptf(c.part.name, "id %d, the dictionary has %d values", top, c.dict.Len())
	}
	return nil
}

// ReadLists decodes n rows of any string column from row start on. It appends
// all their ids to ids and, per row, the length of ids after it to ends.
func (c *StringColumn) ReadLists(start, n int, ends []int, ids []uint32) ([]int, []uint32, error) {
	if err := c.checkRange(start, n); err != nil {
		return ends, ids, err
	}
	at := len(ids)
	if !c.part.multi {
		ids = append(ids, make([]uint32, n)...)
		for i := range n {
			ends = append(ends, at+i+1)
		}
		return ends, ids, c.Read(start, ids[at:])
	}
	if n == 0 {
		return ends, ids, nil
	}
	if err := c.readBounds(start, n); err != nil {
		return ends, ids, err
	}
	first := c.bounds[0]
	for i, b := range c.bounds[1:] {
		if b < c.bounds[i] || int64(b) > int64(c.part.ids.n) {
			return ends, ids, corruptf(c.part.name, "row %d ends at value %d of %d", start+i, b, c.part.ids.n)
		}
		ends = append(ends, at+int(b-first))
	}
	// Block by block: the number of values is not believed before they are seen.
	for from, left := int(first), int(c.bounds[n]-first); left > 0; {
		k, to := min(left, maxBlock), len(ids)
		ids = append(ids, make([]uint32, k)...)
		if err := c.ids.read(from, ids[to:]); err != nil {
			return ends, ids, err
		}
		from, left = from+k, left-k
	}
	return ends, ids, c.checkIDs(ids[at:])
}

// readBounds reads where the rows begin among the values, and the last ends.
func (c *StringColumn) readBounds(start, n int) error {
	if cap(c.bounds) < n+1 {
		c.bounds = make([]uint32, n+1)
	}
	c.bounds = c.bounds[:n+1]
	if c.offsets != nil {
		return c.offsets.read(start, c.bounds)
	}
	width := uint32(c.part.ids.width)
	for i := range c.bounds {
		end := uint32(0)
		if row := start + i; row > 0 {
			end = binary.BigEndian.Uint32(c.part.ends[4*row-4:])
		}
		if end%width != 0 {
			return corruptf(c.part.name, "row %d ends inside of an id", start+i-1)
		}
		c.bounds[i] = end / width
	}
	return nil
}
