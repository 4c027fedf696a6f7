package index

import (
	"math"
	"slices"

	"ogham/adapters/segment"
	"ogham/domain/expr"
	"ogham/domain/row"
)

// jsonID gives the id of a value in a json dimension: the dictionary holds the values as the documents that a segment
// stores, so that equal values have one id. ok is false for a value that cannot be cast to the dimension's type; it is null.
func (m *memory) jsonID(d *memDim, rows *row.Rows, v *row.Value) (id uint32, ok bool) {
	if v.Kind <= row.Null {
		return 0, true
	}
	m.smile.Reset()
	if d.caster != nil {
		one, elems, ok := d.caster.Cast(rows, v)
		if !ok || one.IsNull() {
			return 0, ok
		}
		appendCast(&m.smile, d.caster.Type(), one, elems)
	} else {
		appendJSON(&m.smile, rows, v)
	}
	return d.values.intern(m.smile.Bytes()), true
}

// castMessage says that a value cannot be cast to a dimension's type.
func castMessage(d *memDim) string {
	return "Cannot coerce column [" + d.Name + "] input to requested type [" + d.Cast + "]"
}

func appendCast(s *segment.SmileWriter, t expr.Type, one expr.Value, elems []expr.Value) {
	if t.IsArray() {
		s.StartArray()
		for i := range elems {
			appendCast(s, t.Elem(), elems[i], nil)
		}
		s.EndArray()
		return
	}
	switch {
	case one.IsNull():
		s.Null()
	case t == expr.Long:
		s.Long(one.Long())
	case t == expr.Double:
		s.Double(one.Double())
	default:
		s.String(one.TextBytes())
	}
}

// castTypes are the types of columns whose values are cast.
var castTypes = map[string]segment.JSONType{
	"": 0, "STRING": segment.JSONString, "LONG": segment.JSONLong, "DOUBLE": segment.JSONDouble,
	"ARRAY<STRING>": segment.JSONStringArray, "ARRAY<LONG>": segment.JSONLongArray, "ARRAY<DOUBLE>": segment.JSONDoubleArray,
}

func appendJSON(s *segment.SmileWriter, rows *row.Rows, v *row.Value) {
	switch v.Kind {
	case row.String:
		s.String(v.Text)
	case row.Long:
		s.Long(int64(v.Num))
	case row.Double:
		s.Double(math.Float64frombits(v.Num))
	case row.Bool:
		s.Bool(v.Num != 0)
	case row.List:
		s.StartArray()
		elems := rows.ListOf(v)
		for i := range elems {
			appendJSON(s, rows, &elems[i])
		}
		s.EndArray()
	case row.Object:
		s.StartObject()
		members := rows.MembersOf(v)
		for i := range members {
			s.Key(members[i].Key)
			appendJSON(s, rows, &members[i].Value)
		}
		s.EndObject()
	default:
		s.Null()
	}
}

// valueOrder compares the values of a dictionary as a column's type orders them.
func valueOrder(t row.Type) func(a, b []byte) int {
	if t != row.TypeJSON {
		return segment.CompareUTF16
	}
	return func(a, b []byte) int {
		x, y := segment.NewJSONKey(a), segment.NewJSONKey(b)
		return x.Compare(&y)
	}
}

// sortJSON gives the ids of all values, null not among them, in the order of a segment.
func sortJSON(d *dict) []uint32 {
	keys := make([]segment.JSONKey, d.len())
	ids := make([]uint32, 0, d.len()-1)
	for id := uint32(1); int(id) < d.len(); id++ {
		keys[id] = segment.NewJSONKey(d.value(id))
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b uint32) int { return keys[a].Compare(&keys[b]) })
	return ids
}

// rowRanks gives for each rank of a json dimension the rank that rows are ordered by: values that are alike share one, so
// that the dimensions behind decide. nil: all are their own. With rollup alike values are different keys, and it is nil.
func (p *plan) rowRanks(t row.Type, d *sortedDict) []uint32 {
	if t != row.TypeJSON || p.schema.Rollup || d.count < 2 {
		return nil
	}
	var ranks []uint32
	last := segment.NewJSONKey(d.value(1))
	for r := uint32(2); int(r) <= d.count; r++ {
		key := segment.NewJSONKey(d.value(r))
		if alike := key.Alike(&last); alike && ranks == nil {
			ranks = make([]uint32, d.count+1)
			for i := range ranks {
				ranks[i] = uint32(i)
			}
			ranks[r] = r - 1
		} else if alike {
			ranks[r] = ranks[r-1]
		}
		last = key
	}
	return ranks
}

// through maps entries by one table and then by another; nil leaves them.
func through(first, second []uint32) []uint32 {
	if first == nil || second == nil {
		if first == nil {
			return second
		}
		return first
	}
	out := make([]uint32, len(first))
	for i, e := range first {
		out[i] = second[e]
	}
	return out
}
