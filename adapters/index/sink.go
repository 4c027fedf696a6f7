package index

import "ogham/domain/row"

// sink is one interval: its rows in memory, and its spilled parts in the order in which they were written.
type sink struct {
	start, end int64
	memory     *memory // nil while it has no rows
	parts      []*spillPart
	spilled    int64 // rows in parts and in the spill under way
	found      []dimPlan
	// seen says, per field beyond the schema's, that it is a dimension here or cannot be one.
	seen []bool
}

func (k *sink) rows() int64 {
	if k.memory == nil {
		return k.spilled
	}
	return k.spilled + int64(k.memory.rows)
}

// discover makes dimensions of the row's fields that have their first value here: scalars and lists of scalars, or with
// types every field that is there.
func (k *sink) discover(p *plan, rows *row.Rows, i int) {
	vals := rows.Row(i)
	if !rows.Exact && k.settled(p, vals) {
		return
	}
	names := p.parser.Discovered()
	for len(k.seen) < len(p.extra)+len(names) {
		k.seen = append(k.seen, false)
	}
	for _, slot := range rows.Order[i] {
		f := int(slot) - p.fields
		if f < 0 || k.seen[f] || !rows.Exact && !p.present(rows, &vals[slot]) {
			continue
		}
		k.seen[f] = true
		name := p.foundName(names, f)
		if p.excluded[name] || p.listed[name] || !storable(name) {
			continue
		}
		d := dimPlan{Dimension: row.Dimension{Name: name, Type: p.found}, slot: int(slot)}
		k.found = append(k.found, d)
		k.memory.addDim(d)
	}
}

// foundName gives the name of a field behind the listed ones.
func (p *plan) foundName(discovered []string, f int) string {
	if f < len(p.extra) {
		return p.extra[f]
	}
	return discovered[f-len(p.extra)]
}

// settled says that all fields of the row that have values are known here.
func (k *sink) settled(p *plan, vals []row.Value) bool {
	for f, v := range vals[p.fields:] {
		if v.Kind >= p.least && (f >= len(k.seen) || !k.seen[f]) {
			return false
		}
	}
	return true
}

func (p *plan) present(rows *row.Rows, v *row.Value) bool {
	if p.found == row.TypeJSON {
		return v.Kind != row.Missing
	}
	switch v.Kind {
	case row.Missing, row.Null, row.Object:
		return false
	case row.List:
		return row.Flat(rows.ListOf(v))
	}
	return true
}
