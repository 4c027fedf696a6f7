package index

import "math/bits"

// rowTable finds the row of a rollup key: an open-addressed table of row numbers, compared with the columns themselves.
type rowTable struct {
	slots []rowSlot
	used  int
}

type rowSlot struct {
	hash uint32
	row  uint32 // plus one; 0 is free
}

const rowSlotBytes = 8

// find gives the row of the time and the cells of m. If there is none, it notes that the next row of m is it.
func (t *rowTable) find(m *memory, time int64) (at int, found bool) {
	if t.used*2 >= len(t.slots) {
		t.grow()
	}
	h := hashCells(time, m.cells)
	mask := uint32(len(t.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := &t.slots[i]
		if s.row == 0 {
			*s = rowSlot{h, uint32(m.rows) + 1}
			t.used++
			return 0, false
		}
		if s.hash == h && m.equal(int(s.row-1), time) {
			return int(s.row - 1), true
		}
	}
}

// reserve makes room for n more rows.
func (t *rowTable) reserve(n int) {
	for (t.used+n)*2 >= len(t.slots) {
		t.grow()
	}
}

// The constants of the hashes are odd and have no pattern.
const hashOne, hashTwo = 0x9e3779b97f4a7c15, 0xe7037ed1a0b428db

// hashCells mixes time and cells by multiplication with odd constants, folding the high half in. Cells of 0 at the end,
// nulls among them, do not count: a row that came before a dimension was found has the hash of one that lacks it.
func hashCells(time int64, cells []cell) uint32 {
	h := hashTime(time)
	for len(cells) > 0 && cells[len(cells)-1].bits == 0 {
		cells = cells[:len(cells)-1]
	}
	for i := range cells {
		v := cells[i].bits
		if cells[i].null {
			v = ^uint64(0)
		}
		h = hashMix(h, v)
	}
	return hashEnd(h)
}

func hashTime(time int64) uint64 { return uint64(time)*hashOne ^ hashTwo }

func hashMix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^v, hashOne)
	return hi ^ lo ^ hashTwo
}

func hashEnd(h uint64) uint32 {
	hi, lo := bits.Mul64(h, hashTwo)
	return uint32(hi ^ lo)
}

func (t *rowTable) grow() {
	old := t.slots
	t.slots = make([]rowSlot, max(2*minRows, 2*len(old)))
	mask := uint32(len(t.slots) - 1)
	for _, s := range old {
		if s.row == 0 {
			continue
		}
		i := s.hash & mask
		for t.slots[i].row != 0 {
			i = (i + 1) & mask
		}
		t.slots[i] = s
	}
}

// bytes is the memory that the rows take in the table, between two and four slots each; see dict.bytes.
func (t *rowTable) bytes() int64 { return 3 * int64(t.used) * rowSlotBytes }

func (t *rowTable) reset() {
	clear(t.slots)
	t.used = 0
}
