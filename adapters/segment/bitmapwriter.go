package segment

import (
	"encoding/binary"
	"math/bits"
)

// windowRows is how many rows are sorted into containers at a time: those that
// share the upper 16 bits of their number.
const windowRows = 1 << 16

// runFlag marks the id of a container of runs in a window.
const runFlag = 1 << 31

// window holds the containers of one window of rows, ascending by id. It is
// all that stays in memory of a column's bitmaps until they are written: eight
// bytes for a value with a single row, two and less per row for frequent ones.
type window struct {
	ids   []uint32 // runFlag: a container of runs
	cards []uint16 // minus 1
	data  []byte   // the containers, one after the other

	next, off int // the reading position of gather
}

// bitmapStream builds the bitmap of each id while the ids of the rows arrive.
type bitmapStream struct {
	pool    *pool
	coder   bitmapCoder
	card    int // ids are below it
	windows []*window

	ids   []uint32
	lows  []uint16 // the row of each id inside of the window, nil where that is its index
	multi bool
	queue []*windowJob
	free  []*windowJob
}

// windowJob carries a window's ids through the pool.
type windowJob struct {
	ids  []uint32
	lows []uint16
	out  *window
	done chan struct{}
}

func newBitmapStream(w *Writer, card int, multi bool) *bitmapStream {
	return &bitmapStream{pool: w.pool, coder: w.bitmapCoder(), card: card, multi: multi}
}

// addRows adds one row per id.
func (b *bitmapStream) addRows(ids []uint32) {
	for len(ids) > 0 {
		if b.ids == nil {
			b.ids = make([]uint32, 0, windowRows)
		}
		k := min(len(ids), windowRows-len(b.ids))
		b.ids = append(b.ids, ids[:k]...)
		ids = ids[k:]
		if len(b.ids) == windowRows {
			b.submit()
		}
	}
}

// addMulti adds one row with several ids; row counts from 0.
func (b *bitmapStream) addMulti(row int64, ids []uint32) {
	low := uint16(row)
	if low == 0 && row > 0 {
		b.submit()
	}
	b.ids = append(b.ids, ids...)
	for range ids {
		b.lows = append(b.lows, low)
	}
}

// submit sends the collected window to the pool. A window of a multi-value
// column may be empty of ids, but holds its place.
func (b *bitmapStream) submit() {
	var j *windowJob
	if n := len(b.free); n > 0 {
		j, b.free = b.free[n-1], b.free[:n-1]
	} else {
		j = &windowJob{done: make(chan struct{}, 1)}
	}
	spareIDs, spareLows := j.ids[:0], j.lows[:0]
	if cap(spareIDs) == 0 && cap(b.ids) > 0 {
		spareIDs = make([]uint32, 0, cap(b.ids))
	}
	j.ids, j.lows, j.out = b.ids, b.lows, &window{}
	b.ids, b.lows = spareIDs, spareLows
	b.windows = append(b.windows, j.out)
	card, multi := b.card, b.multi
	b.pool.submit(func(s *scratch) { s.sort.build(j.out, card, j.ids, j.lows, multi) }, j.done)
	b.queue = append(b.queue, j)
	if len(b.queue) >= b.pool.depth() {
		b.take()
	}
}

func (b *bitmapStream) take() {
	j := b.queue[0]
	b.queue = append(b.queue[:0], b.queue[1:]...)
	<-j.done
	b.free = append(b.free, j)
}

// wait waits for the windows in flight.
func (b *bitmapStream) wait() {
	for len(b.queue) > 0 {
		b.take()
	}
}

// finish ends the last window.
func (b *bitmapStream) finish() {
	if len(b.ids) > 0 {
		b.submit()
	}
	b.wait()
	b.ids, b.lows, b.free = nil, nil, nil
}

// writeTo writes the bitmaps as a GenericIndexed. The ends are written last,
// into the room left for them.
func (b *bitmapStream) writeTo(w *smooshWriter) error {
	head := w.offset()
	if err := writeIndexedHeader(w, 0, b.card, 0); err != nil {
		return err
	}
	ends := make([]byte, 4*b.card)
	if err := w.write(ends); err != nil {
		return err
	}
	g := gatherer{windows: b.windows}
	var el []byte
	at := int64(0)
	for id := range b.card {
		el = b.coder.append(append(el[:0], 0, 0, 0, 0), g.containers(uint32(id)))
		at += int64(len(el))
		if at > maxChunk-4096-4-int64(len(ends)) {
			return &UnsupportedError{Column: w.name, Feature: "writing a part of 2 GiB and more"}
		}
		binary.BigEndian.PutUint32(ends[4*id:], uint32(at))
		if err := w.write(el); err != nil {
			return err
		}
	}
	size := binary.BigEndian.AppendUint32(nil, uint32(4+int64(len(ends))+at))
	if err := w.patch(head+2, size); err != nil {
		return err
	}
	return w.patch(head+10, ends)
}

// gatherIDs is how many ids gather orders at a time, so that what it keeps
// stays in the processor's cache whatever the cardinality.
const gatherIDs = 4096

// gatherer turns windows, each ordered by id, into containers per id. Ids are
// asked for in ascending order, without gaps.
type gatherer struct {
	windows []*window
	base    uint32
	limit   uint32 // ids in [base, limit) are gathered
	from    [gatherIDs + 1]uint32
	cs      []container
}

func (g *gatherer) containers(id uint32) []container {
	if id >= g.limit {
		g.gather(id)
	}
	return g.cs[g.from[id-g.base]:g.from[id-g.base+1]]
}

func (g *gatherer) gather(base uint32) {
	g.base, g.limit = base, base+gatherIDs
	clear(g.from[:])
	total := 0
	for _, w := range g.windows {
		for _, id := range w.ids[w.next:] {
			if id &^= runFlag; id >= g.limit {
				break
			}
			g.from[id-base+1]++
			total++
		}
	}
	for i := 1; i < len(g.from); i++ {
		g.from[i] += g.from[i-1]
	}
	if cap(g.cs) < total {
		g.cs = make([]container, total+total/2)
	}
	g.cs = g.cs[:total]
	at := g.from
	for key, w := range g.windows {
		for w.next < len(w.ids) {
			id := w.ids[w.next] &^ runFlag
			if id >= g.limit {
				break
			}
			run, card, data := w.ids[w.next]&runFlag != 0, w.cards[w.next], w.data[w.off:]
			n := containerBytes(card, run, data)
			g.cs[at[id-base]] = container{key: uint16(key), card: card, run: run, data: data[:n]}
			at[id-base]++
			w.next++
			w.off += n
		}
	}
}

// windowSorter orders the rows of a window by id. Its buffers are reused.
type windowSorter struct {
	counts  []uint32
	rows    []uint16
	a, b    []uint64
	digits  [1 << radixBits]uint32
	scratch window
}

const (
	radixBits = 11
	// countedIDs is the largest cardinality for which a counter per id is
	// faster than sorting by digits.
	countedIDs = 1 << 14
)

// build fills out from the ids of the window's rows; lows, unless nil, are
// their row numbers. Several equal ids of one row count once.
func (s *windowSorter) build(out *window, card int, ids []uint32, lows []uint16, multi bool) {
	s.scratch.ids, s.scratch.cards, s.scratch.data = s.scratch.ids[:0], s.scratch.cards[:0], s.scratch.data[:0]
	if !multi {
		lows = nil
	}
	if card <= countedIDs {
		s.countSort(card, ids, lows)
	} else {
		s.radixSort(card, ids, lows)
	}
	out.ids = append(make([]uint32, 0, len(s.scratch.ids)), s.scratch.ids...)
	out.cards = append(make([]uint16, 0, len(s.scratch.cards)), s.scratch.cards...)
	out.data = append(make([]byte, 0, len(s.scratch.data)), s.scratch.data...)
}

// emit adds the container of one id.
func (s *windowSorter) emit(id uint32, rows []uint16) {
	w := &s.scratch
	if len(rows) > 1 {
		k := 1
		for _, r := range rows[1:] {
			if r != rows[k-1] {
				rows[k] = r
				k++
			}
		}
		rows = rows[:k]
	}
	var run bool
	if w.data, run = appendContainer(w.data, rows); run {
		id |= runFlag
	}
	w.ids = append(w.ids, id)
	w.cards = append(w.cards, uint16(len(rows)-1))
}

func (s *windowSorter) countSort(card int, ids []uint32, lows []uint16) {
	if cap(s.counts) < card+1 {
		s.counts = make([]uint32, card+1)
	}
	counts := s.counts[:card+1]
	clear(counts)
	for _, id := range ids {
		counts[id+1]++
	}
	for i := 1; i < len(counts); i++ {
		counts[i] += counts[i-1]
	}
	if cap(s.rows) < len(ids) {
		s.rows = make([]uint16, len(ids))
	}
	rows := s.rows[:len(ids)]
	if lows == nil {
		for i, id := range ids {
			rows[counts[id]] = uint16(i)
			counts[id]++
		}
	} else {
		for i, id := range ids {
			rows[counts[id]] = lows[i]
			counts[id]++
		}
	}
	from := uint32(0)
	for id := range card {
		if to := counts[id]; to > from {
			s.emit(uint32(id), rows[from:to])
			from = to
		}
	}
}

func (s *windowSorter) radixSort(card int, ids []uint32, lows []uint16) {
	if cap(s.a) < len(ids) {
		s.a, s.b = make([]uint64, len(ids)), make([]uint64, len(ids))
	}
	a, b := s.a[:len(ids)], s.b[:len(ids)]
	if lows == nil {
		for i, id := range ids {
			a[i] = uint64(id)<<16 | uint64(i)
		}
	} else {
		for i, id := range ids {
			a[i] = uint64(id)<<16 | uint64(lows[i])
		}
	}
	for shift := 16; shift < 16+bits.Len(uint(card-1)); shift += radixBits {
		clear(s.digits[:])
		for _, k := range a {
			s.digits[k>>shift&(1<<radixBits-1)]++
		}
		sum := uint32(0)
		for i, n := range s.digits {
			s.digits[i] = sum
			sum += n
		}
		for _, k := range a {
			d := &s.digits[k>>shift&(1<<radixBits-1)]
			b[*d] = k
			*d++
		}
		a, b = b, a
	}
	rows := s.rows[:0]
	for i := 0; i < len(a); {
		id := a[i] >> 16
		rows = rows[:0]
		for i < len(a) && a[i]>>16 == id {
			rows = append(rows, uint16(a[i]))
			i++
		}
		s.emit(uint32(id), rows)
	}
	s.rows = rows
}
