package segment

import "encoding/binary"

// The portable roaring format, which all RoaringBitmap libraries share. It is
// written by hand: most bitmaps of a segment have a handful of rows, and a
// library's object per bitmap would cost many times the result.
const (
	roaringCookie     = 12346 // no run containers
	roaringRunCookie  = 12347 // some; in the low 16 bits
	roaringOffsetsMin = 4     // with runs, fewer containers have no offsets
	arrayMax          = 4096  // largest cardinality of an array container
	bitmapBytes       = 8192
)

// container is one encoded container: the rows that share the upper 16 bits.
type container struct {
	key  uint16
	card uint16 // cardinality minus 1
	run  bool
	data []byte
}

// appendContainer encodes ascending, unique row numbers as the smallest
// container and reports whether that is one of runs.
func appendContainer(dst []byte, rows []uint16) (_ []byte, run bool) {
	if len(rows) < 4 { // never smaller as runs
		for _, r := range rows {
			dst = binary.LittleEndian.AppendUint16(dst, r)
		}
		return dst, false
	}
	runs := 1
	for i := 1; i < len(rows); i++ {
		if rows[i] != rows[i-1]+1 {
			runs++
		}
	}
	if 2+4*runs < min(2*len(rows), bitmapBytes) {
		return appendRuns(dst, rows, runs), true
	}
	at := len(dst)
	if len(rows) <= arrayMax {
		dst = append(dst, make([]byte, 2*len(rows))...)
		for i, r := range rows {
			binary.LittleEndian.PutUint16(dst[at+2*i:], r)
		}
		return dst, false
	}
	dst = append(dst, make([]byte, bitmapBytes)...)
	bits := dst[at:]
	for _, r := range rows {
		bits[r>>3] |= 1 << (r & 7)
	}
	return dst, false
}

func appendRuns(dst []byte, rows []uint16, runs int) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, uint16(runs))
	first := rows[0]
	for i := 1; i <= len(rows); i++ {
		if i < len(rows) && rows[i] == rows[i-1]+1 {
			continue
		}
		dst = binary.LittleEndian.AppendUint16(dst, first)
		dst = binary.LittleEndian.AppendUint16(dst, rows[i-1]-first)
		if i < len(rows) {
			first = rows[i]
		}
	}
	return dst
}

// containerBytes is the encoded length of a container that starts data.
func containerBytes(card uint16, run bool, data []byte) int {
	switch {
	case run:
		return 2 + 4*int(binary.LittleEndian.Uint16(data))
	case int(card)+1 > arrayMax:
		return bitmapBytes
	}
	return 2 * (int(card) + 1)
}

// appendRoaring appends a bitmap; an empty one is no bytes at all.
func appendRoaring(dst []byte, cs []container) []byte {
	if len(cs) == 0 {
		return dst
	}
	start := len(dst)
	anyRun := false
	for i := range cs {
		anyRun = anyRun || cs[i].run
	}
	le := binary.LittleEndian
	if anyRun {
		dst = le.AppendUint32(dst, roaringRunCookie|uint32(len(cs)-1)<<16)
		at := len(dst)
		dst = append(dst, make([]byte, (len(cs)+7)/8)...)
		for i := range cs {
			if cs[i].run {
				dst[at+i/8] |= 1 << (i % 8)
			}
		}
	} else {
		dst = le.AppendUint32(dst, roaringCookie)
		dst = le.AppendUint32(dst, uint32(len(cs)))
	}
	for i := range cs {
		dst = le.AppendUint16(dst, cs[i].key)
		dst = le.AppendUint16(dst, cs[i].card)
	}
	if !anyRun || len(cs) >= roaringOffsetsMin {
		off := len(dst) - start + 4*len(cs)
		for i := range cs {
			dst = le.AppendUint32(dst, uint32(off))
			off += len(cs[i].data)
		}
	}
	for i := range cs {
		dst = append(dst, cs[i].data...)
	}
	return dst
}

// rowSet collects ascending row numbers, for the nulls of a numeric column.
type rowSet struct {
	any     bool
	key     uint32
	pending []uint16
	data    []byte
	done    []rowSetPart
}

type rowSetPart struct {
	key, card uint16
	run       bool
	size      int
}

func (s *rowSet) add(row int64) {
	key := uint32(row >> 16)
	if s.any && key != s.key {
		s.flush()
	}
	s.any, s.key = true, key
	s.pending = append(s.pending, uint16(row))
}

func (s *rowSet) flush() {
	at := len(s.data)
	var run bool
	s.data, run = appendContainer(s.data, s.pending)
	s.done = append(s.done, rowSetPart{uint16(s.key), uint16(len(s.pending) - 1), run, len(s.data) - at})
	s.pending = s.pending[:0]
}

// encode returns the bitmap.
func (s *rowSet) encode(coder bitmapCoder) []byte {
	if len(s.pending) > 0 {
		s.flush()
	}
	cs := make([]container, len(s.done))
	data := s.data
	for i, p := range s.done {
		cs[i] = container{key: p.key, card: p.card, run: p.run, data: data[:p.size]}
		data = data[p.size:]
	}
	return coder.append(nil, cs)
}
