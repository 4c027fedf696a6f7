package index

// slabRows is the number of rows in a full chunk of a column.
const (
	slabBits = 13
	slabRows = 1 << slabBits
	slabMask = slabRows - 1
	minRows  = 64
)

// slab is a column's values in chunks, so that growing copies nothing but a small first chunk. All columns of an index
// have the same capacity: it doubles up to one chunk and goes on chunk by chunk.
type slab[T uint32 | uint64 | int64] struct {
	chunks [][]T
}

// nextCapacity gives the capacity, in rows, that follows one.
func nextCapacity(rows int) int {
	if rows >= slabRows {
		return rows + slabRows
	}
	return max(minRows, 2*rows)
}

// grow brings the slab to a capacity that is rows/per values.
func (s *slab[T]) grow(rows, per int) {
	full := slabRows / per
	for have := s.capacity(); have*per < rows; have = s.capacity() {
		if have < full {
			next := make([]T, min(full, (rows+per-1)/per))
			if have > 0 {
				copy(next, s.chunks[0])
				s.chunks[0] = next
				continue
			}
			s.chunks = append(s.chunks, next)
			continue
		}
		s.chunks = append(s.chunks, make([]T, full))
	}
}

func (s *slab[T]) capacity() int {
	n := 0
	for _, c := range s.chunks {
		n += len(c)
	}
	return n
}

func (s *slab[T]) zero() {
	for _, c := range s.chunks {
		clear(c)
	}
}

func (s *slab[T]) at(row int) T { return s.chunks[row>>slabBits][row&slabMask] }

func (s *slab[T]) ref(row int) *T { return &s.chunks[row>>slabBits][row&slabMask] }

func (s *slab[T]) set(row int, v T) { s.chunks[row>>slabBits][row&slabMask] = v }

// bitset marks rows, 64 a word, in chunks of as many rows as the columns' chunks.
type bitset struct {
	words slab[uint64]
	any   bool
}

const bitsWordBits = slabBits - 6

func (b *bitset) word(row int) *uint64 {
	w := row >> 6
	return &b.words.chunks[w>>bitsWordBits][w&(1<<bitsWordBits-1)]
}

func (b *bitset) put(row int, on bool) {
	bit := uint64(1) << (row & 63)
	w := b.word(row)
	if on {
		*w |= bit
		b.any = true
	} else {
		*w &^= bit
	}
}

func (b *bitset) get(row int) bool { return b.any && *b.word(row)>>(row&63)&1 != 0 }
