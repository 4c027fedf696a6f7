package index

import "encoding/binary"

func (p *spillPart) length() int                  { return p.rows }
func (p *spillPart) dims() int                    { return len(p.columns) }
func (p *spillPart) timeRange() (low, high int64) { return p.low, p.high }

func (p *spillPart) numbersOf(col int) *spillNumbers {
	if col >= 0 {
		return &p.columns[col].spillNumbers
	}
	return &p.metrics[^col]
}

func (p *spillPart) numbers(col int) numRange { return p.numbersOf(col).numRange }

// dictionary views a dictionary in the mapped file.
func (p *spillPart) dictionary(dim int) *sortedDict {
	d, m := p.columns[dim].dict, p.file.mapped
	ends := bytesUint32(m[d.ends : d.ends+4*int64(d.count+1)])
	arena := m[d.arena : d.arena+d.size]
	out := &sortedDict{
		count: d.count, hasNull: d.hasNull,
		value: func(r uint32) []byte { return arena[ends[r-1]:ends[r]] },
	}
	if d.entries > 0 {
		out.ends = bytesUint32(m[d.listEnds : d.listEnds+4*int64(d.entries)])
		out.elems = bytesUint32(m[d.elems : d.elems+4*int64(d.elemN)])
	}
	return out
}

// load reads a column's bytes for n rows into the end of a slice of 8-byte numbers and gives them.
func (p *spillPart) load(c *spillColumn, n, at int) ([]byte, error) {
	raw := make([]byte, n*c.width)
	return raw, p.file.read(raw, c.at+int64(at)*int64(c.width))
}

// each gives the numbers of a column to set.
func (p *spillPart) each(c *spillColumn, n, at int, set func(i int, v uint64)) error {
	raw, err := p.load(c, n, at)
	if err != nil {
		return err
	}
	switch c.width {
	case 1:
		for i, b := range raw {
			set(i, c.base+uint64(b))
		}
	case 2:
		for i := range n {
			set(i, c.base+uint64(binary.LittleEndian.Uint16(raw[2*i:])))
		}
	case 4:
		for i := range n {
			set(i, c.base+uint64(binary.LittleEndian.Uint32(raw[4*i:])))
		}
	default:
		for i := range n {
			set(i, c.base+binary.LittleEndian.Uint64(raw[8*i:]))
		}
	}
	return nil
}

func (p *spillPart) times(dst []int64, at int) error {
	return p.each(&p.time, len(dst), at, func(i int, v uint64) { dst[i] = int64(v) })
}

func (p *spillPart) ids(dim int, dst []uint32, at int) error {
	return p.each(&p.columns[dim].spillColumn, len(dst), at, func(i int, v uint64) { dst[i] = uint32(v) })
}

func (p *spillPart) nums(col int, dst []uint64, nulls []bool, at int) error {
	c := p.numbersOf(col)
	if err := p.each(&c.spillColumn, len(dst), at, func(i int, v uint64) { dst[i] = v }); err != nil {
		return err
	}
	clear(nulls)
	if !c.nullable || len(nulls) == 0 {
		return nil
	}
	first := at >> 3
	raw := make([]byte, (at+len(dst)+7)>>3-first)
	if err := p.file.read(raw, c.nulls+int64(first)); err != nil {
		return err
	}
	for i := range nulls {
		bit := at + i - first<<3
		nulls[i] = raw[bit>>3]>>(bit&7)&1 != 0
	}
	return nil
}

// blobs views aggregates in the mapped file.
func (p *spillPart) blobs(metric int, dst [][]byte, at int) error {
	s, m := p.complex[metric], p.file.mapped
	ends := bytesUint32(m[s.ends : s.ends+4*int64(p.rows+1)])
	arena := m[s.arena : s.arena+s.size]
	for i := range dst {
		dst[i] = arena[ends[at+i]:ends[at+i+1]]
	}
	return nil
}
