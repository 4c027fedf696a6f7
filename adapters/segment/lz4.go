package segment

import (
	"encoding/binary"
	"math/bits"
)

// The LZ4 block format: a sequence is a token (four bits of literal length, four of match length less lz4MinMatch), more
// length bytes of 255 and less, the literals, and a two-byte offset. A block ends with literals only: the last
// lz4EndLiterals bytes are never matched, and no match begins within its last lz4EndMatch bytes.
const (
	lz4MinMatch    = 4
	lz4EndLiterals = 5
	lz4EndMatch    = 12
)

const (
	// lz4ShortBits and lz4LongBits are the sizes of the two hash tables.
	lz4ShortBits = 13
	lz4LongBits  = 13
	// lz4Depth bounds the places that are compared for one match.
	lz4Depth = 4
	// lz4GoodMatch is long enough to look no further.
	lz4GoodMatch = 64
	// lz4SkipShift is the logarithm of the misses after which the search takes longer steps through what does not compress.
	lz4SkipShift = 5
)

// lz4Compressor makes LZ4 blocks that are about as small as those of the format's high compression, which is what Druid
// writes, in a quarter of its time. Blocks have at most 64 KiB, so that places are 16-bit numbers and every earlier place
// of the block may be referred to. A column's values are short and repeat, so two things find nearly all that a long
// search does: the newest place with the same eight bytes, and a few of those with the same four.
//
// It is used by one goroutine.
type lz4Compressor struct {
	// short has the newest place, plus one, of each hash of four bytes; before leads from a place to the one before it.
	short [1 << lz4ShortBits]uint16
	long  [1 << lz4LongBits]uint16
	prior [maxBlock]uint16
	// filled is the place up to which both tables know the block.
	filled int
}

// compress appends src, at most maxBlock bytes, to dst.
func (z *lz4Compressor) compress(dst, src []byte) []byte {
	if len(src) < lz4EndMatch+1 {
		return appendLZ4Literals(dst, src)
	}
	clear(z.short[:])
	clear(z.long[:])
	z.filled = 0
	last := len(src) - lz4EndMatch
	anchor, misses := 0, 0
	for at := 0; at < last; {
		from, length := z.find(src, at, lz4MinMatch-1)
		if length == 0 {
			misses++
			at += 1 + misses>>lz4SkipShift
			continue
		}
		misses = 0
		for length < lz4GoodMatch && at+1 < last {
			// A longer match one byte on is worth the literal that it costs.
			f, l := z.find(src, at+1, length)
			if l <= length {
				break
			}
			at, from, length = at+1, f, l
		}
		for at > anchor && from > 0 && src[at-1] == src[from-1] {
			at, from, length = at-1, from-1, length+1
		}
		dst = appendLZ4Sequence(dst, src[anchor:at], at-from, length)
		at += length
		anchor = at
	}
	return appendLZ4Literals(dst, src[anchor:])
}

// find returns an earlier place whose bytes are those at the given one for more than least, and for how many; 0 for none.
func (z *lz4Compressor) find(src []byte, at, least int) (from, length int) {
	z.fill(src, at)
	most := len(src) - lz4EndLiterals - at
	if least >= most {
		return 0, 0
	}
	v := binary.LittleEndian.Uint64(src[at:])
	h, g := shortHash(v), longHash(v)
	newest := z.short[h]
	if p := z.long[g]; p != 0 {
		if l := matchLength(src, int(p)-1, at, most); l > least && l >= lz4MinMatch {
			from, length, least = int(p)-1, l, l
		}
	}
	for p, depth := newest, lz4Depth; p != 0 && depth > 0 && least < lz4GoodMatch && least < most; p, depth = z.prior[p-1], depth-1 {
		k := int(p) - 1
		if src[k+least] != src[at+least] {
			continue
		}
		if l := matchLength(src, k, at, most); l > least && l >= lz4MinMatch {
			from, length, least = k, l, l
		}
	}
	z.insert(at, h, g)
	return from, length
}

// fill enters the places before at that a match has passed over.
func (z *lz4Compressor) fill(src []byte, at int) {
	for ; z.filled < at; z.filled++ {
		v := binary.LittleEndian.Uint64(src[z.filled:])
		z.insert(z.filled, shortHash(v), longHash(v))
	}
}

func (z *lz4Compressor) insert(at int, h, g uint32) {
	if z.filled > at {
		return
	}
	z.prior[at] = z.short[h]
	z.short[h], z.long[g] = uint16(at+1), uint16(at+1)
	z.filled = at + 1
}

func shortHash(v uint64) uint32 { return uint32(v) * 2654435761 >> (32 - lz4ShortBits) }

func longHash(v uint64) uint32 { return uint32(v * 0x9e3779b97f4a7c15 >> (64 - lz4LongBits)) }

// matchLength counts the equal bytes at two places, at most most.
func matchLength(src []byte, a, b, most int) int {
	n := 0
	for n+8 <= most {
		if x := binary.LittleEndian.Uint64(src[a+n:]) ^ binary.LittleEndian.Uint64(src[b+n:]); x != 0 {
			return n + bits.TrailingZeros64(x)/8
		}
		n += 8
	}
	for n < most && src[a+n] == src[b+n] {
		n++
	}
	return n
}

func appendLZ4Sequence(dst, literals []byte, offset, length int) []byte {
	match := length - lz4MinMatch
	token := byte(min(match, 15))
	if n := len(literals); n < 15 {
		dst = append(append(dst, byte(n<<4)|token), literals...)
	} else {
		dst = appendLZ4Length(append(dst, 0xf0|token), n-15)
		dst = append(dst, literals...)
	}
	dst = append(dst, byte(offset), byte(offset>>8))
	if match >= 15 {
		dst = appendLZ4Length(dst, match-15)
	}
	return dst
}

func appendLZ4Length(dst []byte, n int) []byte {
	for ; n >= 255; n -= 255 {
		dst = append(dst, 255)
	}
	return append(dst, byte(n))
}

// appendLZ4Literals appends the end of a block: src as it is.
func appendLZ4Literals(dst, src []byte) []byte {
	n := len(src)
	if n < 15 {
		return append(append(dst, byte(n<<4)), src...)
	}
	return append(appendLZ4Length(append(dst, 0xf0), n-15), src...)
}
