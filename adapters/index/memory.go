package index

import (
	"encoding/binary"
	"math"
	"slices"

	"ogham/adapters/segment"
	"ogham/domain/expr"
	"ogham/domain/row"
)

// listBit marks an id of a string column that stands for a list of several values.
const listBit = 1 << 31

// memory is the index of one interval's rows that are not spilled yet. One goroutine fills it; once frozen it is only
// read, by the goroutine that spills it.
type memory struct {
	plan     *plan
	rows     int
	capacity int
	time     slab[int64]
	dims     []memDim
	metrics  []memMetric
	table    rowTable

	// of the row being added
	cells []cell
	list  []uint32
	text  []byte
	smile segment.SmileWriter
	// rowTime is the row's time before it is truncated.
	rowTime int64
	state   []byte
	failed  error // of an aggregator expression; it fails the task
	unique  hyperUnique
	given   hyperUnique
	elems   [][]byte
	named   []namedValue
	room    room

	many many // of rows that are added together
}

// cell is a dimension's value in the row being added: a string's id, or a number's bits.
type cell struct {
	bits uint64
	null bool
}

type memDim struct {
	dimPlan
	ids    slab[uint32] // string and json
	values *dict
	caster *expr.Caster // of a json dimension whose values are cast
	lists  *dict        // of lists of ids, 4 bytes each, little endian
	// hasNull says that a string is null in some row or list.
	hasNull bool
	nums    slab[uint64] // other types
	nulls   bitset
}

type memMetric struct {
	metricPlan
	nums  slab[uint64]
	nulls bitset
	blobs *blobStore // of a complex aggregator, instead of the two
}

func newMemory(p *plan, found []dimPlan) *memory {
	m := &memory{plan: p}
	for _, d := range p.dims {
		m.addDim(d)
	}
	for _, d := range found {
		m.addDim(d)
	}
	for _, mp := range p.metrics {
		x := memMetric{metricPlan: mp}
		if mp.Agg.Complex() {
			x.blobs = &blobStore{}
		}
		m.metrics = append(m.metrics, x)
	}
	return m
}

// hasDict says that rows hold ids of a dictionary.
func hasDict(t row.Type) bool { return t == row.TypeString || t == row.TypeJSON }

// addDim adds a dimension that is null in all rows so far.
func (m *memory) addDim(d dimPlan) {
	md := memDim{dimPlan: d, hasNull: m.rows > 0}
	if hasDict(d.Type) {
		md.values = newDict()
	}
	if d.Cast != "" {
		md.caster, _ = expr.NewCaster(d.Cast)
	}
	md.grow(m.capacity)
	m.dims = append(m.dims, md)
	m.cells = append(m.cells, cell{})
}

func (d *memDim) grow(capacity int) {
	if d.values != nil {
		d.ids.grow(capacity, 1)
		return
	}
	d.nums.grow(capacity, 1)
	d.nulls.words.grow(capacity, 64)
}

// reset forgets all rows and found dimensions and keeps the memory.
func (m *memory) reset() {
	m.rows = 0
	m.dims = m.dims[:len(m.plan.dims)]
	m.cells = m.cells[:len(m.plan.dims)]
	for i := range m.dims {
		d := &m.dims[i]
		if d.values != nil {
			d.values.reset()
		}
		d.lists, d.hasNull = nil, false
		d.nulls.any = false
		d.nulls.words.zero()
	}
	for i := range m.metrics {
		m.metrics[i].nulls.any = false
		m.metrics[i].nulls.words.zero()
		if b := m.metrics[i].blobs; b != nil {
			b.reset()
		}
	}
	m.table.reset()
}

// reserve makes room for one more row.
func (m *memory) reserve() {
	if m.rows < m.capacity {
		return
	}
	m.capacity = nextCapacity(m.capacity)
	m.time.grow(m.capacity, 1)
	for i := range m.dims {
		m.dims[i].grow(m.capacity)
	}
	for i := range m.metrics {
		if b := m.metrics[i].blobs; b != nil {
			b.refs.grow(m.capacity, 1)
			continue
		}
		m.metrics[i].nums.grow(m.capacity, 1)
		m.metrics[i].nulls.words.grow(m.capacity, 64)
	}
}

// sortBytesPerRow is what sorting a row takes on top of its columns: two keys and two row numbers.
const sortBytesPerRow = 24

// bytes counts the memory of the index in use by rows, and what sorting them will take. Capacity kept from before does
// not count until rows are in it.
func (m *memory) bytes() int64 {
	perRow := int64(8 + sortBytesPerRow)
	n := int64(0)
	for i := range m.dims {
		d := &m.dims[i]
		if d.values == nil {
			perRow += 9
			continue
		}
		perRow += 4
		n += d.values.bytes()
		if d.lists != nil {
			n += d.lists.bytes()
		}
	}
	perRow += 9 * int64(len(m.metrics))
	for i := range m.metrics {
		if b := m.metrics[i].blobs; b != nil {
			n += int64(len(b.arena))
		}
	}
	return n + perRow*int64(min(m.capacity, m.rows+slabRows)) + m.table.bytes()
}

// full says whether the index must be spilled whatever the limits are.
func (m *memory) full() bool {
	if m.rows >= listBit-1 {
		return true
	}
	for i := range m.dims {
		d := &m.dims[i]
		if d.values != nil && len(d.values.arena) > dictMaxArena || d.lists != nil && len(d.lists.arena) > dictMaxArena {
			return true
		}
	}
	for i := range m.metrics {
		if b := m.metrics[i].blobs; b != nil && len(b.arena) > dictMaxArena {
			return true
		}
	}
	return false
}

// add adds a row at a truncated time. It returns the details of the columns that could not be converted.
func (m *memory) add(rows *row.Rows, vals []row.Value, time int64) (details []string) {
	for i := range m.dims {
		d := &m.dims[i]
		c := &m.cells[i]
		if d.slot >= len(vals) {
			*c = cell{null: d.values == nil}
			d.hasNull = true
			continue
		}
		v := &vals[d.slot]
		if d.Type == row.TypeString {
			id := m.stringID(d, rows, v)
			d.hasNull = d.hasNull || id == 0
			c.bits = uint64(id)
			continue
		}
		if d.Type == row.TypeJSON {
			id, ok := m.jsonID(d, rows, v)
			d.hasNull = d.hasNull || id == 0
			c.bits = uint64(id)
			if !ok {
				details = append(details, castMessage(d))
			}
			continue
		}
		var ok bool
		if *c, ok = numericCell(d.Type, rows, v); !ok {
			details = append(details, rows.DimensionMessage(v, d.Type, d.Name))
		}
	}
	if !m.plan.schema.Rollup {
		return m.addMetrics(m.insert(time), true, rows, vals, details)
	}
	at, found := m.table.find(m, time)
	if !found {
		at = m.insert(time)
	}
	return m.addMetrics(at, !found, rows, vals, details)
}

// insert appends the row of the cells.
func (m *memory) insert(time int64) int {
	m.reserve()
	at := m.rows
	m.rows++
	m.time.set(at, time)
	for i := range m.dims {
		d, c := &m.dims[i], &m.cells[i]
		if d.values != nil {
			d.ids.set(at, uint32(c.bits))
			continue
		}
		d.nums.set(at, c.bits)
		if c.null || d.nulls.any {
			d.nulls.put(at, c.null)
		}
	}
	return at
}

// equal says whether the row at has the time and the cells.
func (m *memory) equal(at int, time int64) bool {
	if m.time.at(at) != time {
		return false
	}
	for i := range m.dims {
		d, c := &m.dims[i], &m.cells[i]
		if d.values != nil {
			if d.ids.at(at) != uint32(c.bits) {
				return false
			}
		} else if d.nums.at(at) != c.bits || d.nulls.get(at) != c.null {
			return false
		}
	}
	return true
}

func (m *memory) addMetrics(at int, fresh bool, rows *row.Rows, vals []row.Value, details []string) []string {
	for i := range m.metrics {
		x := &m.metrics[i]
		slot := x.input(vals)
		if slot < 0 {
			x.count(at, fresh)
			continue
		}
		var detail string
		if x.blobs != nil {
			detail = m.addComplex(x, slot, at, fresh, rows, vals)
		} else {
			detail = x.addNumber(at, fresh, rows, &vals[slot], slot)
		}
		if detail != "" {
			details = append(details, detail)
		}
	}
	return details
}

// count counts a row into the one at.
func (x *memMetric) count(at int, fresh bool) {
	if fresh {
		x.nums.set(at, 1)
	} else {
		*x.nums.ref(at)++
	}
}

// addNumber adds a value, which is in the field slot, to the aggregate of the row at. It returns the detail of one that
// could not be converted.
func (x *memMetric) addNumber(at int, fresh bool, rows *row.Rows, v *row.Value, slot int) (detail string) {
	n, null, ok := rows.ToNumber(v)
	if !ok {
		detail = rows.MetricMessage(v, x.field(slot))
	}
	if x.Agg == row.AggCount { // of rows that were counted before; it is never null
		n, null = row.Number{Long: n.AsLong()}, false
	}
	switch {
	case null && fresh && x.zero:
		x.nums.set(at, 0)
	case null && fresh:
		x.nums.set(at, 0)
		x.nulls.put(at, true)
	case null:
	case fresh || x.nulls.get(at):
		x.nums.set(at, first(x.Agg, x.typ, n))
		if x.nulls.any {
			x.nulls.put(at, false)
		}
	default:
		p := x.nums.ref(at)
		*p = combine(x.Agg, x.typ, *p, first(x.Agg, x.typ, n))
	}
	return detail
}

// first gives the bits of an aggregator after its first value.
func first(a row.Aggregator, t row.Type, n row.Number) uint64 {
	switch t {
	case row.TypeDouble:
		return math.Float64bits(a.FirstDouble(n.AsDouble()))
	case row.TypeFloat:
		return uint64(math.Float32bits(a.FirstFloat(n.AsFloat())))
	}
	return uint64(n.AsLong())
}

// combine combines the bits of two aggregates.
func combine(a row.Aggregator, t row.Type, x, y uint64) uint64 {
	switch t {
	case row.TypeDouble:
		return math.Float64bits(a.CombineDouble(math.Float64frombits(x), math.Float64frombits(y)))
	case row.TypeFloat:
		return uint64(math.Float32bits(a.CombineFloat(math.Float32frombits(uint32(x)), math.Float32frombits(uint32(y)))))
	}
	return uint64(a.CombineLong(int64(x), int64(y)))
}

// numericCell converts a value; all NaNs get the same bits, since they are equal to Druid, and so do all nulls.
func numericCell(t row.Type, rows *row.Rows, v *row.Value) (c cell, ok bool) {
	switch t {
	case row.TypeLong:
		var n int64
		n, c.null, ok = rows.ToLong(v)
		c.bits = uint64(n)
	case row.TypeFloat:
		var f float32
		f, c.null, ok = rows.ToFloat(v)
		if f != f {
			f = float32(math.NaN())
		}
		c.bits = uint64(math.Float32bits(f))
	default:
		var f float64
		f, c.null, ok = rows.ToDouble(v)
		if f != f {
			f = math.NaN()
		}
		c.bits = math.Float64bits(f)
	}
	if c.null {
		c.bits = 0
	}
	return c, ok
}

// stringID gives the id of a value in a string dimension; every value has a text, so none is an error.
func (m *memory) stringID(d *memDim, rows *row.Rows, v *row.Value) uint32 {
	switch v.Kind {
	case row.Missing, row.Null:
		return 0
	case row.String:
		return d.values.intern(v.Text)
	case row.Long:
		if len(v.Text) > 0 {
			return d.values.intern(v.Text)
		}
	case row.List:
		return m.listID(d, rows, rows.ListOf(v))
	}
	return m.textID(d, rows, v)
}

// textID gives the id of the text of a value.
func (m *memory) textID(d *memDim, rows *row.Rows, v *row.Value) uint32 {
	m.text = rows.AppendText(m.text[:0], v)
	return d.values.intern(m.text)
}

// listID gives the id of a list: an empty one is null, one of a single value is that value.
func (m *memory) listID(d *memDim, rows *row.Rows, elems []row.Value) uint32 {
	ids := m.list[:0]
	for i := range elems {
		var id uint32
		if e := &elems[i]; e.Kind == row.List {
			id = m.textID(d, rows, e)
		} else {
			id = m.stringID(d, rows, e)
		}
		d.hasNull = d.hasNull || id == 0
		ids = append(ids, id)
	}
	m.list = ids
	if d.MultiValueHandling != row.Array && len(ids) > 1 {
		slices.SortFunc(ids, func(a, b uint32) int { return compareIDs(d.values, a, b) })
		if d.MultiValueHandling == row.SortedSet {
			ids = slices.Compact(ids)
		}
	}
	switch len(ids) {
	case 0:
		return 0
	case 1:
		return ids[0]
	}
	if d.lists == nil {
		d.lists = newDict()
	}
	b := m.text[:0]
	for _, id := range ids {
		b = binary.LittleEndian.AppendUint32(b, id)
	}
	m.text = b
	return listBit | d.lists.intern(b)
}

// compareIDs orders ids as their values stand in a segment: null first.
func compareIDs(d *dict, a, b uint32) int {
	switch {
	case a == b:
		return 0
	case a == 0:
		return -1
	case b == 0:
		return 1
	}
	return segment.CompareUTF16(d.value(a), d.value(b))
}
