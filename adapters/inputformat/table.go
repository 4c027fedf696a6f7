package inputformat

import "ogham/domain/row"

// table is where a parser puts its rows: a slot for each field that the schema wants, then for each field that was
// discovered.
type table struct {
	slots    map[string]int
	names    []string // of all slots: the schema's fields, then those discovered
	fields   int
	discover bool

	rows row.Rows
}

const (
	// maxDiscovered bounds discovered fields: each is a column of every segment, and a stream that uses values as keys
	// would otherwise fill the memory with them.
	maxDiscovered = 16384
	// keepValues is how many values are kept for the next record; one with thousands of objects gives its memory back.
	keepValues = 1 << 16
	// skipped is the slot of a field that nobody wants.
	skipped = -1
)

func newTable(fields []string, discover bool) table {
	t := table{slots: make(map[string]int, len(fields)), fields: len(fields), discover: discover}
	for i, name := range fields {
		t.slots[name] = i
	}
	t.names = append(t.names, fields...)
	t.rows.Width = max(len(fields), 1)
	return t
}

// Discovered gives the names of the fields beyond the schema's, in the order in which they were met.
func (t *table) Discovered() []string { return t.names[t.fields:] }

func (t *table) reset() {
	if cap(t.rows.Values) > keepValues {
		t.rows.Values = nil
	}
	t.rows.Reset()
}

// newRow adds a row of missing values. It is one of the rows when its parser counts it in rows.Count.
func (t *table) newRow() []row.Value {
	w := t.rows.Width
	n := len(t.rows.Values)
	if n+w > cap(t.rows.Values) {
		grown := make([]row.Value, n, 2*n+w)
		copy(grown, t.rows.Values)
		t.rows.Values = grown
	}
	t.rows.Values = t.rows.Values[:n+w]
	vals := t.rows.Values[n:]
	clear(vals)
	if t.discover {
		if len(t.rows.Order) <= t.rows.Count {
			t.rows.Order = append(t.rows.Order, nil)
		}
		t.rows.Order[t.rows.Count] = t.rows.Order[t.rows.Count][:0]
	}
	return vals
}

// dropRow takes back a row that was not counted.
func (t *table) dropRow() { t.rows.Values = t.rows.Values[:t.rows.Count*t.rows.Width] }

// slot gives the slot of a field, which may be a new one if fields are discovered; skipped: nobody wants it. A new one
// may move the row that is being filled.
func (t *table) slot(name []byte) int {
	if slot, known := t.slots[string(name)]; known {
		return slot
	}
	if t.discover && len(t.names)-t.fields < maxDiscovered {
		return t.discovered(string(name))
	}
	return skipped
}

// set puts a value into a slot of the row that is being filled.
func (t *table) set(slot int, v row.Value) {
	t.rows.Values[t.rows.Count*t.rows.Width+slot] = v
}

// found notes that the row has a field, in the order of discovery.
func (t *table) found(slot int) {
	if t.discover {
		t.rows.Order[t.rows.Count] = append(t.rows.Order[t.rows.Count], int32(slot))
	}
}

// discovered adds a field. Rows get wider by doubling, so that many new fields do not copy them each time.
func (t *table) discovered(name string) int {
	slot := len(t.names)
	t.names = append(t.names, name)
	t.slots[name] = slot
	if slot < t.rows.Width {
		return slot
	}
	from, to := t.rows.Width, 2*t.rows.Width
	rows := len(t.rows.Values) / from
	wide := make([]row.Value, rows*to)
	for r := range rows {
		copy(wide[r*to:], t.rows.Values[r*from:(r+1)*from])
	}
	t.rows.Values, t.rows.Width = wide, to
	return slot
}
