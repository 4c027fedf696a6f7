package index

import (
	"encoding/base64"
	"encoding/binary"
	"slices"

	"ogham/adapters/segment"
	"ogham/domain/row"
)

// valueSeparator stands between the values of one field, in UTF-16, where combinations are counted; a zero byte stands
// between fields.
const valueSeparator = "\x01\x00"

// addUnique adds a row to the registers of a hyperUnique column. It returns a detail for a value that cannot be used, for
// which Druid fails the task.
func (m *memory) addUnique(x *memMetric, slot, at int, fresh bool, rows *row.Rows, vals []row.Value) (detail string) {
	v := &vals[slot]
	if x.Filter != "" && slot == x.slot && v.Kind == row.Missing { // the filter let no row through so far
		if fresh && len(x.slots) == 0 {
			x.blobs.set(at, nil, true)
			return ""
		}
		if !fresh {
			return ""
		}
		m.unique.load(nil)
		m.setUnique(x, at, true)
		return ""
	}
	if x.Fields == nil && v.Kind <= row.Null && !fresh && len(x.blobs.get(at)) > 0 {
		return ""
	}
	if fresh {
		m.unique.load(nil)
	} else {
		m.unique.load(x.blobs.get(at))
	}
	switch {
	case x.Fields != nil && slot == x.slot && len(x.slots) == 0:
		if fresh {
			x.blobs.set(at, nil, true)
		}
		return ""
	case x.Fields != nil && slot == x.slot && x.ByRow:
		m.addCombination(x, rows, vals)
	case x.Fields != nil && slot == x.slot:
		m.addFields(x, rows, vals)
	case v.Kind <= row.Null:
	case x.Sketch.Given:
		if !m.loadGiven(v) {
			detail = rows.MetricMessage(v, x.field(slot))
			break
		}
		m.unique.fold(&m.given)
	case v.Kind == row.List:
		elems := rows.ListOf(v)
		for i := range elems {
			m.text = rows.AppendText(m.text[:0], &elems[i])
			m.unique.add(m.text)
		}
	default:
		m.text = rows.AppendText(m.text[:0], v)
		m.unique.add(m.text)
	}
	m.setUnique(x, at, fresh)
	return detail
}

func (m *memory) setUnique(x *memMetric, at int, fresh bool) {
	m.state = m.unique.store(m.state[:0])
	x.blobs.set(at, m.state, fresh)
}

// loadGiven reads a sketch that the field has in base64.
func (m *memory) loadGiven(v *row.Value) bool {
	if v.Kind != row.String {
		return false
	}
	given, err := base64.StdEncoding.AppendDecode(m.text[:0], v.Text)
	m.text = given
	if err != nil || !validUnique(given) {
		return false
	}
	m.given.load(given)
	return true
}

// validUnique says whether the bytes are a sketch of version 1, the one that Druid writes, or none.
func validUnique(b []byte) bool {
	if len(b) == 0 {
		return true
	}
	if len(b) < hllHeader || b[0] != 1 || int(binary.BigEndian.Uint16(b[5:])) >= hllRegisters {
		return false
	}
	if len(b) != len(hyperUnique{}) && (len(b)-hllHeader)%3 != 0 {
		return false
	}
	var h hyperUnique
	h.load(b)
	n := 0
	for _, c := range h[hllHeader:] {
		if c&0xf0 != 0 {
			n++
		}
		if c&0x0f != 0 {
			n++
		}
	}
	return n == h.nonZero() && n < hllRegisters
}

// addFields adds each value of each field, in UTF-16.
func (m *memory) addFields(x *memMetric, rows *row.Rows, vals []row.Value) {
	for i, slot := range x.slots {
		if d := x.dimension(i); d != nil {
			for _, v := range m.readNamed(d, slot, rows, vals) {
				if v.some {
					m.text = sketchText(m.text[:0], v.text, &x.Metric)
					m.unique.add(m.text)
				}
			}
			continue
		}
		if slot < 0 {
			m.text = binary.LittleEndian.AppendUint64(m.text[:0], uint64(m.rowTime))
			m.unique.add(m.text)
			continue
		}
		v := &vals[slot]
		switch {
		case v.Kind <= row.Null:
		case v.Kind == row.List:
			elems := rows.ListOf(v)
			for i := range elems {
				m.addUTF16(x, rows, &elems[i])
			}
		default:
			m.addUTF16(x, rows, v)
		}
	}
}

func (m *memory) addUTF16(x *memMetric, rows *row.Rows, v *row.Value) {
	m.state = rows.AppendText(m.state[:0], v)
	m.text = sketchText(m.text[:0], m.state, &x.Metric)
	m.unique.add(m.text)
}

// addCombination adds the values of all fields as one. Those of a list are put in order first.
func (m *memory) addCombination(x *memMetric, rows *row.Rows, vals []row.Value) {
	out := m.text[:0]
	for i, slot := range x.slots {
		if i > 0 {
			out = append(out, 0)
		}
		if d := x.dimension(i); d != nil {
			out = appendNamed(out, m.readNamed(d, slot, rows, vals), &x.Metric)
			continue
		}
		if slot < 0 {
			out = binary.LittleEndian.AppendUint64(out, uint64(m.rowTime))
			continue
		}
		v := &vals[slot]
		switch {
		case v.Kind <= row.Null:
		case v.Kind == row.List:
			m.sortElems(rows, rows.ListOf(v))
			for j, text := range m.elems {
				if j > 0 {
					out = append(out, valueSeparator...)
				}
				out = sketchText(out, text, &x.Metric)
			}
		default:
			m.state = rows.AppendText(m.state[:0], v)
			out = sketchText(out, m.state, &x.Metric)
		}
	}
	m.text = out
	m.unique.add(out)
}

// sortElems puts the texts of a list into elems, in the order of Java's strings. They borrow from state.
func (m *memory) sortElems(rows *row.Rows, elems []row.Value) {
	m.state, m.list, m.elems = m.state[:0], m.list[:0], m.elems[:0]
	for i := range elems {
		m.state = rows.AppendText(m.state, &elems[i])
		m.list = append(m.list, uint32(len(m.state)))
	}
	from := uint32(0)
	for _, end := range m.list {
		m.elems = append(m.elems, m.state[from:end])
		from = end
	}
	slices.SortFunc(m.elems, segment.CompareUTF16)
}
