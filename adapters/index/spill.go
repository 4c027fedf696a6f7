package index

import (
	"encoding/binary"
	"math/bits"

	"ogham/domain/row"
)

// spillPart is a part in the spill file.
type spillPart struct {
	file      *spillFile
	rows      int
	low, high int64
	time      spillColumn
	columns   []spillDim
	metrics   []spillNumbers
	complex   map[int]spillBlobs // by metric
}

// spillBlobs says where the aggregates of a complex metric stand, behind each other in the order of the rows.
type spillBlobs struct {
	arena, size int64
	ends        int64
}

// spillColumn is a column of numbers, each minus base in width bytes.
type spillColumn struct {
	at    int64
	width int
	base  uint64
}

type spillNumbers struct {
	spillColumn
	numRange
	nulls int64 // where one bit a row stands, if nullable
}

type spillDim struct {
	spillNumbers // ids in a string column
	dict         *spillDict
}

// spillDict says where a dictionary stands.
type spillDict struct {
	count    int
	hasNull  bool
	ends     int64 // count+1 numbers, the first 0
	arena    int64
	size     int64
	entries  int   // 0 without lists
	listEnds int64 // entries numbers
	elems    int64
	elemN    int
}

// spillBlock is how many rows are written and read at a time; a multiple of eight, for the bits.
const spillBlock = 4096

// spillWriter writes the columns of a frozen index.
type spillWriter struct {
	file  *spillFile
	from  *frozen
	vals  []uint64
	ids   []uint32
	times []int64
	nulls []bool
	out   []byte
}

// writePart spills a frozen index.
func writePart(file *spillFile, f *frozen) (*spillPart, error) {
	w := &spillWriter{
		file: file, from: f, vals: make([]uint64, spillBlock), ids: make([]uint32, spillBlock),
		times: make([]int64, spillBlock), nulls: make([]bool, spillBlock),
	}
	p := &spillPart{file: file, rows: f.length()}
	p.low, p.high = f.timeRange()
	var err error
	p.time, err = w.numbers(uint64(p.low), uint64(p.high), func(n, at int) error {
		if err := f.times(w.times[:n], at); err != nil {
			return err
		}
		for i, t := range w.times[:n] {
			w.vals[i] = uint64(t)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for d := range f.dims() {
		sd, err := w.dimension(d)
		if err != nil {
			return nil, err
		}
		p.columns = append(p.columns, sd)
	}
	for i := range f.m.metrics {
		if f.m.metrics[i].blobs != nil {
			if err := w.blobs(p, i); err != nil {
				return nil, err
			}
			p.metrics = append(p.metrics, spillNumbers{})
			continue
		}
		c, err := w.column(^i, f.m.metrics[i].typ)
		if err != nil {
			return nil, err
		}
		p.metrics = append(p.metrics, c)
	}
	return p, file.flush()
}

func (w *spillWriter) dimension(d int) (sd spillDim, err error) {
	if t := w.from.m.dims[d].Type; !hasDict(t) {
		sd.spillNumbers, err = w.column(d, t)
		return sd, err
	}
	dict := w.from.dictionary(d)
	if sd.dict, err = w.dictionary(dict); err != nil {
		return sd, err
	}
	sd.spillColumn, err = w.numbers(0, uint64(dict.entries()-1), func(n, at int) error {
		if err := w.from.ids(d, w.ids[:n], at); err != nil {
			return err
		}
		for i, id := range w.ids[:n] {
			w.vals[i] = uint64(id)
		}
		return nil
	})
	return sd, err
}

// column writes a numeric column: longs as what they exceed the least by, others as their bits.
func (w *spillWriter) column(col int, t row.Type) (c spillNumbers, err error) {
	c.numRange = w.from.numbers(col)
	low, high := uint64(0), ^uint64(0)
	switch {
	case c.low > c.high:
		high = 0
	case t == row.TypeLong:
		low, high = c.low^1<<63, c.high^1<<63
	case t == row.TypeFloat:
		high = 1<<32 - 1
	}
	c.spillColumn, err = w.numbers(low, high, func(n, at int) error {
		if err := w.from.nums(col, w.vals[:n], w.nulls[:n], at); err != nil {
			return err
		}
		for i, null := range w.nulls[:n] {
			if null {
				w.vals[i] = low
			}
		}
		return nil
	})
	if err != nil || !c.nullable {
		return c, err
	}
	c.nulls = w.file.offset()
	for at := 0; at < w.from.length(); at += spillBlock {
		n := min(spillBlock, w.from.length()-at)
		if err := w.from.nums(col, w.vals[:n], w.nulls[:n], at); err != nil {
			return c, err
		}
		out := append(w.out[:0], make([]byte, (n+7)/8)...)
		for i, null := range w.nulls[:n] {
			if null {
				out[i>>3] |= 1 << (i & 7)
			}
		}
		w.out = out
		if err := w.file.write(out); err != nil {
			return c, err
		}
	}
	return c, nil
}

// numbers writes what fill puts into vals, block by block, minus low, in the bytes that high needs.
func (w *spillWriter) numbers(low, high uint64, fill func(n, at int) error) (c spillColumn, err error) {
	c = spillColumn{at: w.file.offset(), base: low, width: widthOf(high - low)}
	for at := 0; at < w.from.length(); at += spillBlock {
		n := min(spillBlock, w.from.length()-at)
		if err := fill(n, at); err != nil {
			return c, err
		}
		out := w.out[:0]
		switch c.width {
		case 1:
			for _, v := range w.vals[:n] {
				out = append(out, byte(v-low))
			}
		case 2:
			for _, v := range w.vals[:n] {
				out = binary.LittleEndian.AppendUint16(out, uint16(v-low))
			}
		case 4:
			for _, v := range w.vals[:n] {
				out = binary.LittleEndian.AppendUint32(out, uint32(v-low))
			}
		default:
			for _, v := range w.vals[:n] {
				out = binary.LittleEndian.AppendUint64(out, v-low)
			}
		}
		w.out = out
		if err := w.file.write(out); err != nil {
			return c, err
		}
	}
	return c, nil
}

// widthOf gives the bytes, 1, 2, 4 or 8, that a number needs.
func widthOf(v uint64) int {
	switch n := bits.Len64(v); {
	case n <= 8:
		return 1
	case n <= 16:
		return 2
	case n <= 32:
		return 4
	}
	return 8
}

func (w *spillWriter) dictionary(d *sortedDict) (*spillDict, error) {
	s := &spillDict{count: d.count, hasNull: d.hasNull, entries: len(d.ends), elemN: len(d.elems)}
	s.arena = w.file.offset()
	ends := make([]uint32, 1, d.count+1)
	for r := 1; r <= d.count; r++ {
		v := d.value(uint32(r))
		if err := w.file.write(v); err != nil {
			return nil, err
		}
		ends = append(ends, ends[r-1]+uint32(len(v)))
	}
	s.size = w.file.offset() - s.arena
	for _, list := range []struct {
		at   *int64
		vals []uint32
	}{{&s.ends, ends}, {&s.listEnds, d.ends}, {&s.elems, d.elems}} {
		if err := w.file.align(); err != nil {
			return nil, err
		}
		*list.at = w.file.offset()
		if err := w.file.write(uint32Bytes(list.vals)); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (w *spillWriter) blobs(p *spillPart, metric int) error {
	s := spillBlobs{arena: w.file.offset()}
	ends := make([]uint32, 1, w.from.length()+1)
	store := w.from.m.metrics[metric].blobs
	for at := range w.from.length() {
		b := store.get(w.from.row(at))
		if err := w.file.write(b); err != nil {
			return err
		}
		ends = append(ends, ends[at]+uint32(len(b)))
	}
	s.size = w.file.offset() - s.arena
	if err := w.file.align(); err != nil {
		return err
	}
	s.ends = w.file.offset()
	if p.complex == nil {
		p.complex = map[int]spillBlobs{}
	}
	p.complex[metric] = s
	return w.file.write(uint32Bytes(ends))
}
