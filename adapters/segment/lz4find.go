package segment

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/bits"
)

const (
	// lz4Levels is how many lengths of context are looked up at a place.
	lz4Levels = 3
	// lz4TableBits is the size of a level's hash table.
	lz4TableBits = 15
	// lz4Depth bounds the places that are compared at a level.
	lz4Depth = 4
	// lz4LongContext is the longest context that is hashed.
	lz4LongContext = 32
	// lz4Spans is how many lengths of matches are looked up; the others are reckoned.
	lz4Spans = 32
	// A byte of a word at which nothing is found is looked at in every eighth word only, from lz4Cold misses on; misses are
	// counted up to lz4Frozen, and a match makes up for lz4Thaw of them.
	lz4Cold, lz4Frozen, lz4Thaw = 32, 96, 8
	// A block of lz4Sampled places or more of which fewer than one in lz4Hope has a match, judging by every lz4Sample-th,
	// is stored as it is: ids of many values, for one.
	lz4Sampled, lz4Hope, lz4Sample = 8192, 256, 7
)

// lz4Finder finds, for places of a block, the longest match, or nearly so.
//
// Columns hold numbers of a few bytes, most of which are the same in all of a block: the upper bytes of longs. Bytes that
// are the same at their place in every word are left out of the search, which is then of an eighth or a quarter of the
// places. Among what is left, a match as long as chance lets one expect has log2(n)/entropy bytes. So contexts of about
// that many are hashed, and only a few places share one.
type lz4Finder struct {
	// word is the stride in which bytes are looked at, 8 or 4. varying are the bytes of a word that are not always the
	// same; where none is left out, v is 1 and matches need not keep their place in words.
	word, v int
	varying [8]int
	// compact is the n bytes that vary. What is found is in terms of it.
	compact [maxBlock + lz4LongContext]byte
	n       int
	// spans is how many bytes of the block so many of compact, from each of the varying ones, are.
	spans [8][lz4Spans]uint16
	// short is how many of them make at most lz4ShortMatch.
	short [8]int
	// length and from are the match at each place.
	length, from [maxBlock + 1]uint16

	context [lz4Levels]int // ascending
	depth   [lz4Levels]int
	levels  int
	// tables has the newest place, plus one, of each hash; before leads from a place to the one before it.
	tables [lz4Levels][1 << lz4TableBits]uint16
	before [lz4Levels][maxBlock]uint16
	cold   [8]uint8
}

// prepare looks at a block of eight bytes or more; false: it is one word, again and again.
func (f *lz4Finder) prepare(src []byte) bool {
	first := binary.LittleEndian.Uint64(src)
	diff := uint64(0)
	at := 8
	for ; at+8 <= len(src); at += 8 {
		diff |= first ^ binary.LittleEndian.Uint64(src[at:])
	}
	for p := range len(src) - at {
		diff |= uint64(src[at+p]^src[p]) << (8 * p)
	}
	half := uint64(uint32(diff) | uint32(diff>>32) | (uint32(first) ^ uint32(first>>32)))
	f.word = 8
	f.vary(diff)
	if n := f.v; n > 1 {
		if f.vary(half); 2*f.v <= n {
			f.word = 4
		} else {
			f.vary(diff)
		}
	}
	if f.v == 0 {
		return false
	}
	f.pack(src)
	if f.v == f.word {
		f.v = 1
		f.varying[0] = 0
		f.word = 1
	}
	for p := range f.v {
		for k := range lz4Spans {
			n := f.place(p+k) - f.varying[p]
			f.spans[p][k] = uint16(n)
			if n <= lz4ShortMatch {
				f.short[p] = k
			}
		}
	}
	return true
}

// vary notes the bytes that are not 0.
func (f *lz4Finder) vary(diff uint64) {
	f.v = 0
	for p := range 8 {
		if byte(diff>>(8*p)) != 0 {
			f.varying[f.v] = p
			f.v++
		}
	}
}

// place gives the place in the block of byte c of compact.
func (f *lz4Finder) place(c int) int {
	if f.word == 1 {
		return c
	}
	return c/f.v*f.word + f.varying[c%f.v]
}

// gap gives how many bytes there are between a varying one and the next.
func (f *lz4Finder) gap(phase int) int { return int(f.spans[phase][1]) - 1 }

// span gives how many bytes of the block n bytes of compact are.
func (f *lz4Finder) span(phase, n int) int {
	if n < lz4Spans {
		return int(f.spans[phase][n])
	}
	return f.place(phase+n) - f.varying[phase]
}

// pack copies the bytes that vary.
func (f *lz4Finder) pack(src []byte) {
	n := 0
	switch {
	case f.v == f.word:
		n = copy(f.compact[:], src)
	case f.v == 1:
		for at := f.varying[0]; at < len(src); at += f.word {
			f.compact[n] = src[at]
			n++
		}
	default:
		at := 0
		for ; at+f.word <= len(src); at += f.word {
			for _, p := range f.varying[:f.v] {
				f.compact[n] = src[at+p]
				n++
			}
		}
		for _, p := range f.varying[:f.v] {
			if at+p < len(src) {
				f.compact[n] = src[at+p]
				n++
			}
		}
	}
	f.n = n
	clear(f.compact[n : n+lz4LongContext]) // hashed, so that blocks before this one do not matter
}

// plan chooses the contexts.
func (f *lz4Finder) plan() {
	// The least is that of the shortest match.
	least := lz4MinMatch
	if f.word > 1 {
		least = max(1, lz4MinMatch-(f.word-f.v))
	}
	expected := lz4LongContext
	if h := entropy(f.compact[:f.n]); h*float64(lz4LongContext) > math.Log2(float64(f.n)) {
		expected = int(math.Ceil(math.Log2(float64(f.n)) / h))
	}
	expected = min(max(expected, least+1), lz4LongContext)
	near := min(max(least, expected*4/5), expected-1)
	f.levels = 0
	if near > least {
		f.level(max(least, near/2), 1)
	}
	f.level(near, lz4Depth)
	f.level(expected, lz4Depth)
}

func (f *lz4Finder) level(k, depth int) {
	f.context[f.levels], f.depth[f.levels] = k, depth
	f.levels++
}

// entropy is that of single bytes, in bits.
func entropy(b []byte) float64 {
	var count [256]uint32
	for _, c := range b {
		count[c]++
	}
	h := 0.0
	for _, n := range count {
		if n > 0 {
			h += float64(n) * math.Log2(float64(len(b))/float64(n))
		}
	}
	return h / float64(len(b))
}

// hashMix spreads contexts over the upper bits.
const hashMix = 0x9e3779b97f4a7c15

// longHash mixes the k bytes, more than eight, at the start of b, which has lz4LongContext.
func longHash(b []byte, k int) uint64 {
	_ = b[lz4LongContext-1]
	v := bits.RotateLeft64(binary.LittleEndian.Uint64(b)*hashMix, 31) ^ binary.LittleEndian.Uint64(b[k-8:])
	if k > 16 {
		v = bits.RotateLeft64(v*hashMix, 31) ^ binary.LittleEndian.Uint64(b[8:])
		v = bits.RotateLeft64(v*hashMix, 31) ^ binary.LittleEndian.Uint64(b[k-16:])
	}
	return v * hashMix
}

// enter links the first limit places that share contexts of a level. There is no branch in it, so that the processor
// need not wait for the table.
func (f *lz4Finder) enter(l, limit int) {
	k, table, before := f.context[l], &f.tables[l], f.before[l][:limit]
	clear(table[:])
	b := f.compact[:limit+lz4LongContext]
	// Each byte of a word has its part of the tables, so that matches keep their place in words.
	tableBits := lz4TableBits
	if f.word > 1 {
		tableBits -= bits.Len(uint(f.v - 1))
	}
	shift := uint(64 - tableBits)
	part, parts := uint64(0), uint64(f.v)<<tableBits
	if f.word == 1 {
		parts = 0
	}
	short := uint(64-8*k) & 63
	for c := range before {
		var h uint64
		if k > 8 {
			h = longHash(b[c:c+lz4LongContext], k)
		} else {
			h = binary.LittleEndian.Uint64(b[c:]) << short * hashMix
		}
		slot := &table[(part+h>>(shift&63))&(1<<lz4TableBits-1)]
		before[c], *slot = *slot, uint16(c+1)
		if part += 1 << tableBits; part >= parts {
			part = 0
		}
	}
}

// hopeless says that of the first limit places hardly one begins what stood in the block before. Every lz4Sample-th is
// looked at, at the least of the contexts.
func (f *lz4Finder) hopeless(limit int) bool {
	k, before := f.context[0], &f.before[0]
	found := 0
	for c := 0; c < limit; c += lz4Sample {
		if p := int(before[c]); p > 0 && bytes.Equal(f.compact[p-1:p-1+k], f.compact[c:c+k]) {
			found++
		}
	}
	return found*lz4Sample*lz4Hope < limit
}

// search fills length and from of the first limit places. Matches end by end. It is false where none is worth it.
func (f *lz4Finder) search(limit, end int) bool {
	f.plan()
	f.enter(0, limit)
	if limit >= lz4Sampled && f.hopeless(limit) {
		return false
	}
	for l := 1; l < f.levels; l++ {
		f.enter(l, limit)
	}
	clear(f.cold[:])
	length, from, phase, word := 0, 0, -1, 0
	stride := f.v
	if f.word == 1 {
		stride = 8
	}
	for c := range limit {
		if phase++; phase == stride {
			phase = 0
			word++
		}
		if length > 0 {
			length, from = length-1, from+1
		}
		if length == 0 {
			from = 0
		}
		if cold := &f.cold[phase]; *cold < lz4Cold || word&7 == 0 {
			if n, s := f.longest(c, end-c, length, from); n > length {
				length, from = n, s
				*cold -= min(*cold, lz4Thaw)
			} else if length == 0 && *cold < lz4Frozen {
				*cold++
			}
		}
		f.length[c], f.from[c] = uint16(length), uint16(from)
	}
	return true
}

// longest looks for a match at c that is longer than the carried one, at most most.
func (f *lz4Finder) longest(c, most, length, from int) (int, int) {
	b := f.compact[:]
	v := binary.LittleEndian.Uint64(b[c:])
	for l := f.levels - 1; l >= 0; l-- {
		k := f.context[l]
		if k <= length {
			break
		}
		before := &f.before[l]
		p := before[c]
		for depth := f.depth[l]; p != 0 && depth > 0; depth-- {
			s := int(p) - 1
			p = before[s]
			if b[s+length] != b[c+length] {
				continue
			}
			x := binary.LittleEndian.Uint64(b[s:]) ^ v
			m := bits.TrailingZeros64(x) / 8
			if x == 0 {
				m = matchLength(b, s, c, most)
			}
			if m = min(m, most); m > length {
				if length, from = m, s; m == most {
					return length, from
				}
			}
		}
		if length >= k {
			break
		}
	}
	return length, from
}
