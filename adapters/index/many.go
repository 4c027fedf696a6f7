package index

import (
	"strconv"

	"ogham/domain/row"
)

// many is the scratch of rows that are added together.
type many struct {
	cells  []manyCells // by dimension
	probes []probe
	mixed  []uint64 // of all cells so far
	hashes []uint64
	places []int  // rows of the index
	fresh  []bool // the row is new
	firsts []int  // with rollup: which of the rows added together each new one is
	// trouble has the details of rows with values that could not be converted; it is empty where all could.
	trouble [][]string
	// touched keeps the compiler from leaving out what is read only to be in the cache.
	touched uint32
}

// manyCells are a dimension's values: ids, or numbers' bits with their nulls.
type manyCells struct {
	ids     []uint32
	bits    []uint64
	nulls   []bool
	anyNull bool
}

// details gives those of row j.
func (b *many) details(j int) []string {
	if len(b.trouble) == 0 {
		return nil
	}
	return b.trouble[j]
}

func (b *many) note(j, n int, detail string) {
	if len(b.trouble) == 0 {
		b.trouble = make([][]string, n)
	}
	b.trouble[j] = append(b.trouble[j], detail)
}

// sized gives s with n elements, whatever they are.
func sized[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

// addMany adds rows at truncated times, as add does one by one; at are their places in rows. What add returns is in
// m.many until the next call.
func (m *memory) addMany(rows *row.Rows, at []int, times []int64) {
	b, n := &m.many, len(at)
	b.trouble = b.trouble[:0]
	b.places, b.fresh = sized(b.places, n), sized(b.fresh, n)
	b.cells = sized(b.cells, len(m.dims))
	for i := range m.dims {
		d, c := &m.dims[i], &b.cells[i]
		switch d.Type {
		case row.TypeString:
			c.ids = sized(c.ids, n)
			m.stringIDs(d, c.ids, rows, at)
		case row.TypeJSON:
			c.ids = sized(c.ids, n)
			for j := range at {
				var ok bool
				if c.ids[j], ok = m.jsonID(d, rows, &rows.Values[at[j]*rows.Width+d.slot]); !ok {
					b.note(j, n, castMessage(d))
				}
				d.hasNull = d.hasNull || c.ids[j] == 0
			}
		default:
			m.numericCells(d, c, rows, at)
		}
	}
	if m.plan.schema.Rollup {
		m.findMany(times)
	} else {
		for j := range at {
			b.places[j], b.fresh[j] = m.rows+j, true
		}
	}
	m.insertMany(times)
	for i := range m.metrics {
		m.addMetric(&m.metrics[i], rows, at)
	}
}

func (m *memory) numericCells(d *memDim, c *manyCells, rows *row.Rows, at []int) {
	c.bits, c.nulls, c.anyNull = sized(c.bits, len(at)), sized(c.nulls, len(at)), false
	for j := range at {
		v := &rows.Values[at[j]*rows.Width+d.slot]
		x, ok := numericCell(d.Type, rows, v)
		c.bits[j], c.nulls[j] = x.bits, x.null
		c.anyNull = c.anyNull || x.null
		if !ok {
			m.many.note(j, len(at), rows.DimensionMessage(v, d.Type, d.Name))
		}
	}
}

// shortText gives the text of a value that needs no making.
func shortText(v *row.Value) (text []byte, ok bool) {
	switch v.Kind {
	case row.String:
		return v.Text, len(v.Text) <= dictShort
	case row.Long:
		return v.Text, len(v.Text) <= dictShort && len(v.Text) > 0
	case row.Bool:
		if v.Num != 0 {
			return trueText, true
		}
		return falseText, true
	}
	return nil, false
}

var trueText, falseText = strconv.AppendBool(nil, true), strconv.AppendBool(nil, false)

// stringIDs gives the ids of a string dimension. The slots where the searches begin are read ahead, all at once: what a
// dictionary beyond the cache costs is the wait for them.
func (m *memory) stringIDs(d *memDim, ids []uint32, rows *row.Rows, at []int) {
	b := &m.many
	b.probes = sized(b.probes, len(at))
	probes := b.probes
	for j := range at {
		if text, ok := shortText(&rows.Values[at[j]*rows.Width+d.slot]); ok {
			probes[j] = d.values.probe(text)
		} else {
			probes[j] = probe{tail: dictLong}
		}
	}
	b.touched += d.values.touch(probes)
	for j := range at {
		p := &probes[j]
		v := &rows.Values[at[j]*rows.Width+d.slot]
		if p.tail == dictLong {
			ids[j] = m.stringID(d, rows, v)
			d.hasNull = d.hasNull || ids[j] == 0
			continue
		}
		id, slot := d.values.find(p)
		if id == 0 {
			text, _ := shortText(v)
			id = d.values.add(slot, text, p.head, p.tail)
		}
		ids[j] = id
	}
}

// hashMany mixes times and cells as hashCells does: a row's hash is that of its cells up to the last one that is not 0.
func (m *memory) hashMany(times []int64) {
	b := &m.many
	b.mixed, b.hashes = sized(b.mixed, len(times)), sized(b.hashes, len(times))
	for j, t := range times {
		b.mixed[j] = hashTime(t)
		b.hashes[j] = b.mixed[j]
	}
	for i := range m.dims {
		c := &b.cells[i]
		if m.dims[i].values != nil {
			for j, id := range c.ids {
				b.mixed[j] = hashMix(b.mixed[j], uint64(id))
				if id != 0 {
					b.hashes[j] = b.mixed[j]
				}
			}
			continue
		}
		for j, v := range c.bits {
			if c.nulls[j] {
				b.mixed[j] = hashMix(b.mixed[j], ^uint64(0))
				continue // the bits of a null are 0
			}
			b.mixed[j] = hashMix(b.mixed[j], v)
			if v != 0 {
				b.hashes[j] = b.mixed[j]
			}
		}
	}
	touched := b.touched
	mask := uint32(len(m.table.slots) - 1)
	for j, h := range b.hashes {
		end := hashEnd(h)
		b.hashes[j] = uint64(end)
		touched += m.table.slots[end&mask].row
	}
	b.touched = touched
}

// findMany gives each row its place: that of the row with its key, which may be one of those before it, or the next one.
func (m *memory) findMany(times []int64) {
	b, t := &m.many, &m.table
	t.reserve(len(times))
	m.hashMany(times)
	mask, next := uint32(len(t.slots)-1), m.rows
	b.firsts = b.firsts[:0]
	for j := range times {
		h := uint32(b.hashes[j])
		for i := h & mask; ; i = (i + 1) & mask {
			s := &t.slots[i]
			if s.row == 0 {
				*s = rowSlot{h, uint32(next) + 1}
				t.used++
				b.places[j], b.fresh[j] = next, true
				b.firsts = append(b.firsts, j)
				next++
				break
			}
			if s.hash == h && m.equalMany(int(s.row-1), j, times) {
				b.places[j], b.fresh[j] = int(s.row-1), false
				break
			}
		}
	}
}

// equalMany says whether row j has the key of the row at, which is of the index or, not inserted yet, one before j.
func (m *memory) equalMany(at, j int, times []int64) bool {
	b := &m.many
	if at >= m.rows {
		k := b.firsts[at-m.rows]
		return times[k] == times[j] && m.sameCells(k, j)
	}
	if m.time.at(at) != times[j] {
		return false
	}
	for i := range m.dims {
		d, c := &m.dims[i], &b.cells[i]
		if d.values != nil {
			if d.ids.at(at) != c.ids[j] {
				return false
			}
		} else if d.nums.at(at) != c.bits[j] || d.nulls.get(at) != c.nulls[j] {
			return false
		}
	}
	return true
}

func (m *memory) sameCells(k, j int) bool {
	for i := range m.dims {
		c := &m.many.cells[i]
		if m.dims[i].values != nil {
			if c.ids[k] != c.ids[j] {
				return false
			}
		} else if c.bits[k] != c.bits[j] || c.nulls[k] != c.nulls[j] {
			return false
		}
	}
	return true
}

// insertMany appends the fresh rows, whose places follow each other.
func (m *memory) insertMany(times []int64) {
	b, base := &m.many, m.rows
	for j, at := range b.places {
		if !b.fresh[j] {
			continue
		}
		m.reserve()
		m.rows++
		m.time.set(at, times[j])
	}
	if m.rows == base {
		return
	}
	for i := range m.dims {
		d, c := &m.dims[i], &b.cells[i]
		if d.values != nil {
			for j, at := range b.places {
				if b.fresh[j] {
					d.ids.set(at, c.ids[j])
				}
			}
			continue
		}
		marks := c.anyNull || d.nulls.any
		for j, at := range b.places {
			if !b.fresh[j] {
				continue
			}
			d.nums.set(at, c.bits[j])
			if marks {
				d.nulls.put(at, c.nulls[j])
			}
		}
	}
}

// addMetric adds the rows' inputs of one metric.
func (m *memory) addMetric(x *memMetric, rows *row.Rows, at []int) {
	b := &m.many
	for j, place := range b.places {
		vals := rows.Row(at[j])
		slot := x.input(vals)
		if slot < 0 {
			x.count(place, b.fresh[j])
		} else if detail := x.addNumber(place, b.fresh[j], rows, &vals[slot], slot); detail != "" {
			b.note(j, len(at), detail)
		}
	}
}
