package index

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"ogham/adapters/segment"
	"ogham/domain/row"
)

// addSketch adds a row's value, which is in the field slot, to a sketch of druid-datasketches. It returns a detail for a
// value that cannot be used, for which Druid fails the task.
func (m *memory) addSketch(x *memMetric, slot, at int, fresh bool, rows *row.Rows, v *row.Value) (detail string) {
	var before []byte
	if !fresh {
		before = x.blobs.get(at)
		before = before[:len(before):len(before)]
	}
	after, ok := m.sketched(x, before, rows, v)
	if !ok {
		detail = rows.MetricMessage(v, x.field(slot))
	}
	if fresh || len(after) > 0 && (len(before) == 0 || &after[0] != &before[0]) {
		x.blobs.set(at, after, fresh)
	}
	return detail
}

// sketched gives the sketch s with a value in it, changed in place if it has room.
func (m *memory) sketched(x *memMetric, s []byte, rows *row.Rows, v *row.Value) (out []byte, ok bool) {
	if v.Kind <= row.Null {
		return s, true
	}
	if x.Agg == row.AggHLLSketchMerge || x.Sketch.Given {
		return m.mergeGiven(x, s, v)
	}
	switch v.Kind {
	case row.Long:
		return m.hashed(x, s, binary.LittleEndian.AppendUint64(m.text[:0], v.Num)), true
	case row.Double:
		bits := canonical(math.Float64frombits(v.Num))
		return m.hashed(x, s, binary.LittleEndian.AppendUint64(m.text[:0], bits)), true
	case row.String:
		return m.hashed(x, s, sketchText(m.text[:0], v.Text, &x.Metric)), true
	case row.List:
		elems := rows.ListOf(v)
		for i := range elems {
			if elems[i].Kind > row.Null {
				m.state = rows.AppendText(m.state[:0], &elems[i])
				s = m.hashed(x, s, sketchText(m.text[:0], m.state, &x.Metric))
			}
		}
		return s, true
	}
	return s, false
}

// canonical gives the bits of a double with one zero and one NaN, those of Java.
func canonical(f float64) uint64 {
	const javaNaN = 0x7ff8000000000000
	switch {
	case f == 0:
		return 0
	case f != f:
		return javaNaN
	}
	return math.Float64bits(f)
}

// hashed adds a value's bytes, which it keeps the room of; none is no value.
func (m *memory) hashed(x *memMetric, s, value []byte) []byte {
	m.text = value
	switch {
	case len(value) == 0:
		return s
	case x.Agg == row.AggThetaSketch:
		return addTheta(&m.room, s, thetaHash(value), x.Sketch.Size)
	}
	return addHLL(&m.room, s, couponOf(value), x.Sketch.LgK)
}

// mergeGiven adds a sketch that the field has in base64.
func (m *memory) mergeGiven(x *memMetric, s []byte, v *row.Value) (out []byte, ok bool) {
	if v.Kind != row.String {
		return s, false
	}
	given, err := base64.StdEncoding.AppendDecode(m.text[:0], v.Text)
	m.text = given
	if err != nil {
		return s, false
	}
	if x.Agg == row.AggThetaSketch {
		out, err = mergeTheta(&m.room, s, given, x.Sketch.Size)
	} else {
		out, err = mergeHLL(&m.room, s, given, x.Sketch.LgK)
	}
	return out, err == nil
}

// combineSketches combines two sketches, the earlier part's first; both stay as they are.
func combineSketches(m *metricPlan, x, y []byte) []byte {
	if len(y) == 0 {
		return x
	}
	own := append([]byte(nil), x...)
	if m.Agg == row.AggThetaSketch {
		return foldTheta(&room{}, own, y, m.Sketch.Size)
	}
	return foldHLL(&room{}, own, y, m.Sketch.LgK)
}

// sketchWriter opens the column of a sketch.
func sketchWriter(w *segment.Writer, x *metricPlan) (flush func([][]byte) error, end func() error, err error) {
	name := segment.TypeHLLSketch
	if x.Agg == row.AggThetaSketch {
		name = segment.TypeThetaSketch
	}
	c, err := w.Complex(x.Name, name)
	if err != nil {
		return nil, nil, err
	}
	one := make([][]byte, 1)
	return func(vals [][]byte) error {
		for _, v := range vals {
			var err error
			if x.Agg == row.AggThetaSketch {
				one[0] = storeTheta(one[0][:0], v, x.Sketch.Size)
			} else if one[0], err = storeHLL(one[0][:0], v, x.Sketch.Target); err != nil {
				return err
			}
			if err := c.AppendBatch(one); err != nil {
				return err
			}
		}
		return nil
	}, c.Close, nil
}

// sketchMeta fills in the members of the combining form, without those that Druid leaves out.
func sketchMeta(out *segment.MetricMeta, x *row.Metric) {
	if x.Sketch.Intermediate {
		out.Sketch.ShouldFinalize = new(bool)
	}
	if x.Agg == row.AggThetaSketch {
		out.Sketch.Size, out.Sketch.ErrorBoundsStdDev = x.Sketch.Size, x.Sketch.StdDev
		return
	}
	out.Sketch.LgK, out.Sketch.Target = x.Sketch.LgK, x.Sketch.Target
	if x.Sketch.UTF8 {
		out.Sketch.StringEncoding = "utf8"
	}
	if x.Round {
		out.Round = &x.Round
	}
}
