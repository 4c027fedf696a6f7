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

// lz4ShortMatch is the longest match whose length fits into the token.
const lz4ShortMatch = lz4MinMatch + 14

// lz4Compressor makes LZ4 blocks that are smaller than those of the format's high compression, which is what Druid
// writes, in a fraction of its time. Blocks have at most 64 KiB, so that places are 16-bit numbers and every earlier place
// of the block may be referred to: all matches cost the same, and of a place only the longest one counts. They are found
// by lz4Finder; the cheapest way through them is then found from the end of the block to its start.
//
// It is used by one goroutine.
type lz4Compressor struct {
	find lz4Finder
	// cost is the bytes that the block takes from a place on, its first token not among them; take is how it goes on there.
	cost [maxBlock + 1]uint32
	take [maxBlock]lz4Step
}

// lz4Step says how a block goes on at a byte that varies: with a literal and those to the next one that varies, or with a
// match.
type lz4Step struct {
	match bool
	after bool   // the match begins behind the byte, with those that do not vary
	n     uint16 // bytes of compact that are matched
	words uint16 // the distance, in words
}

// compress appends src, at most maxBlock bytes, to dst.
func (z *lz4Compressor) compress(dst, src []byte) []byte {
	if len(src) < lz4EndMatch+1 {
		return appendLZ4Literals(dst, src)
	}
	f := &z.find
	if !f.prepare(src) {
		if n := len(src) - 8 - lz4EndLiterals; n >= lz4MinMatch {
			dst = appendLZ4Sequence(dst, src[:8], 8, n)
			src = src[8+n:]
		}
		return appendLZ4Literals(dst, src)
	}
	limit, end := f.n, f.n
	for limit > 0 && f.place(limit-1)+1 >= len(src)-lz4EndMatch {
		limit--
	}
	for f.place(end) > len(src)-lz4EndLiterals {
		end--
	}
	if !f.search(limit, end) {
		return appendLZ4Literals(dst, src)
	}
	z.parse(len(src), limit)
	anchor := 0
	for c := 0; c < limit; {
		s := &z.take[c]
		if !s.match {
			c++
			continue
		}
		at := f.place(c)
		if s.after {
			at++
			c++
		}
		c += int(s.n)
		n := f.place(c) - at
		dst = appendLZ4Sequence(dst, src[anchor:at], int(s.words)*f.word, n)
		anchor = at + n
	}
	return appendLZ4Literals(dst, src[anchor:])
}

// parse fills take from place limit to the start of a block of size bytes.
func (z *lz4Compressor) parse(size, limit int) {
	f := &z.find
	for c := f.n; c >= limit; c-- {
		z.cost[c] = uint32(max(size-f.place(c), 0))
	}
	literals := size - f.place(limit)
	length, from := 0, 0 // of the place behind
	phase, next := limit%f.v, 0
	for c := limit - 1; c >= 0; c-- {
		next = phase
		if phase--; phase < 0 {
			phase = f.v - 1
		}
		gap := f.gap(phase)
		literals += 1 + gap
		cost := z.cost[c+1] + uint32(1+gap)
		if literals >= 15 {
			cost += lz4MoreBytes(literals-15) - lz4MoreBytes(literals-16-gap)
		}
		step := lz4Step{}
		if gap > 0 && c > f.v {
			// What does not vary, and the match behind it.
			dist := f.v
			if length > 0 {
				dist = c + 1 - from
			}
			if n := gap + f.span(next, length); n >= lz4MinMatch && dist <= c {
				if x := z.cost[c+1+length] + 4 + lz4MoreBytes(n-lz4ShortMatch-1); x <= cost {
					cost, literals = x, 1
					step = lz4Step{match: true, after: true, n: uint16(length), words: uint16(dist / f.v)}
				}
			}
		}
		l, s := int(f.length[c]), int(f.from[c])
		if from > 0 && length >= l && f.compact[c] == f.compact[from-1] {
			// The match behind may begin here.
			l, s = length+1, from-1
		}
		length, from = l, s
		if l > 0 {
			if n := f.span(phase, l); n >= lz4MinMatch {
				words := uint16((c - s) / f.v)
				if m := f.short[phase]; n > lz4ShortMatch && f.span(phase, m) >= lz4MinMatch {
					if x := z.cost[c+m] + 3; x <= cost {
						cost, literals = x, 0
						step = lz4Step{match: true, n: uint16(m), words: words}
					}
				}
				if x := z.cost[c+l] + 3 + lz4MoreBytes(n-lz4ShortMatch-1); x <= cost {
					cost, literals = x, 0
					step = lz4Step{match: true, n: uint16(l), words: words}
				}
			}
		}
		z.take[c], z.cost[c] = step, cost
	}
}

// lz4MoreBytes is how many bytes follow the token for a length that exceeds what it has room for by so much.
func lz4MoreBytes(over int) uint32 {
	if over < 0 {
		return 0
	}
	return 1 + uint32(over)/255
}

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
