package index

import (
	"encoding/binary"
	"math"
	"unicode/utf8"

	"ogham/domain/row"
)

// A timed aggregate, the first or last of a number or a string, is kept as its time, a byte that is 1 for null, and the
// value: 8 bytes of a number, 4 of a float, or a string's.
const (
	timedHeader = 9
	timedNull   = 8 // where the byte is
)

// The times that stand where no value was seen yet, as Druid has them: for strings its first and last instant.
const (
	noFirstNumber = math.MaxInt64
	noLastNumber  = math.MinInt64
	noFirstString = math.MaxInt64 / 2
	noLastString  = math.MinInt64 / 2
)

// addComplex adds a row's value, which is in the field slot, to an aggregate that is more than a number. It returns a detail for a value that cannot
// be used.
func (m *memory) addComplex(x *memMetric, slot, at int, fresh bool, rows *row.Rows, vals []row.Value) (detail string) {
	switch {
	case x.Agg == row.AggHyperUnique:
		return m.addUnique(x, slot, at, fresh, rows, vals)
	case x.Agg.Sketch():
		return m.addSketch(x, slot, at, fresh, rows, &vals[slot])
	case x.Agg == row.AggExpression:
		return m.addExpression(x, slot, at, fresh, rows, &vals[slot])
	}
	state := m.state[:0]
	if fresh {
		state = appendTimed(state, emptyTime(x.Agg), true)
	} else {
		state = append(state, x.blobs.get(at)...)
	}
	state, detail = m.addTimed(x, slot, state, rows, vals)
	m.state = state
	x.blobs.set(at, state, fresh)
	return detail
}

func appendTimed(dst []byte, time int64, null bool) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, uint64(time))
	if null {
		return append(dst, 1)
	}
	return append(dst, 0)
}

func timeOf(state []byte) int64 { return int64(binary.LittleEndian.Uint64(state)) }

func emptyTime(a row.Aggregator) int64 {
	switch {
	case a == row.AggStringFirst:
		return noFirstString
	case a == row.AggStringLast:
		return noLastString
	case a.Last():
		return noLastNumber
	}
	return noFirstNumber
}

func (m *memory) addTimed(x *memMetric, slot int, state []byte, rows *row.Rows, vals []row.Value) ([]byte, string) {
	v := &vals[slot]
	dropped := v.Kind == row.Missing && x.Filter != "" && slot == x.slot
	if dropped || x.typ == row.TypeString && v.Kind <= row.Null { // strings pass nulls over, numbers keep them
		return state, ""
	}
	time := m.rowTime
	if x.timeSlot >= 0 {
		n, null, ok := rows.ToNumber(&vals[x.timeSlot])
		if !ok {
			return state, rows.MetricMessage(&vals[x.timeSlot], x.TimeColumn)
		}
		if null {
			return state, ""
		}
		time = n.AsLong()
	}
	// A value that is no number is an error whatever its time, and no value of the aggregate: otherwise both would depend on
	// what is in memory with it, as they do in Druid.
	var n row.Number
	null := false
	if x.typ != row.TypeString {
		var ok bool
		if n, null, ok = rows.ToNumber(v); !ok {
			return state, rows.MetricMessage(v, x.field(slot))
		}
	}
	if known := timeOf(state); x.Agg.Last() && time < known || !x.Agg.Last() && time >= known {
		return state, ""
	}
	if x.typ == row.TypeString {
		state = rows.AppendText(appendTimed(state[:0], time, false), v)
		return state[:chop(state[timedHeader:], x.MaxStringBytes)+timedHeader], ""
	}
	state = appendTimed(state[:0], time, null)
	switch {
	case null:
	case x.typ == row.TypeDouble:
		state = binary.LittleEndian.AppendUint64(state, math.Float64bits(n.AsDouble()))
	case x.typ == row.TypeFloat:
		state = binary.LittleEndian.AppendUint32(state, math.Float32bits(n.AsFloat()))
	default:
		state = binary.LittleEndian.AppendUint64(state, uint64(n.AsLong()))
	}
	return state, ""
}

// chop gives the length of the longest prefix of whole characters within so many bytes.
func chop(text []byte, most int) int {
	if len(text) <= most {
		return len(text)
	}
	for most > 0 && !utf8.RuneStart(text[most]) {
		most--
	}
	return most
}

// combineComplex combines two aggregates, the earlier part's first. The result may be one of them.
func combineComplex(m *metricPlan, x, y []byte) []byte {
	a := m.Agg
	switch {
	case a.Sketch():
		return combineSketches(m, x, y)
	case a == row.AggExpression:
		return m.combiner.Combine(x, y)
	case a == row.AggHyperUnique && len(x) == 0:
		return y
	case a == row.AggHyperUnique && len(y) == 0:
		return x
	case a == row.AggHyperUnique:
		var p, q hyperUnique
		p.load(x)
		q.load(y)
		p.fold(&q)
		return p.store(nil)
	case a.Last():
		if timeOf(y) >= timeOf(x) {
			return y
		}
	case timeOf(y) < timeOf(x):
		return y
	}
	return x
}
