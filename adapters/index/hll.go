package index

import (
	"encoding/binary"
	"math/bits"

	"github.com/twmb/murmur3"
)

// hyperUnique is a HyperLogLog sketch in the dense form that Druid's hyperUnique keeps: a header of 7 bytes (version 1, register
// offset, number of registers that are not zero, and the value and register of the largest overflow), then 2048
// registers of four bits each, above the offset.
type hyperUnique [hllHeader + hllRegisters/2]byte

const (
	hllHeader    = 7
	hllRegisters = 2048
	// hllSparse is the number of non-zero registers from which on the dense form is stored.
	hllSparse = 128
	hllRange  = 15
)

// load takes a stored sketch; one that does not fit is taken as far as it goes.
func (h *hyperUnique) load(b []byte) {
	clear(h[:])
	h[0] = 1
	if len(b) < hllHeader {
		return
	}
	copy(h[:], b[:hllHeader])
	if len(b) == len(h) {
		copy(h[:], b)
		return
	}
	for b = b[hllHeader:]; len(b) >= 3; b = b[3:] {
		if at := int(binary.BigEndian.Uint16(b)); at >= hllHeader && at < len(h) {
			h[at] = b[2]
		}
	}
}

// store appends the sketch: its bytes that are not zero with their places, or all. Druid leaves room for a place for each
// register, of which two share a byte, so zeros may follow.
func (h *hyperUnique) store(dst []byte) []byte {
	if h.nonZero() >= hllSparse {
		return append(dst, h[:]...)
	}
	size := len(dst) + hllHeader + 3*h.nonZero()
	dst = append(dst, h[:hllHeader]...)
	for at := hllHeader; at < len(h); at++ {
		if h[at] != 0 {
			dst = append(dst, byte(at>>8), byte(at), h[at])
		}
	}
	for len(dst) < size {
		dst = append(dst, 0)
	}
	return dst
}

func (h *hyperUnique) offset() int      { return int(int8(h[1])) }
func (h *hyperUnique) nonZero() int     { return int(binary.BigEndian.Uint16(h[2:])) }
func (h *hyperUnique) setNonZero(n int) { binary.BigEndian.PutUint16(h[2:], uint16(n)) }

// add adds a value by its hash.
func (h *hyperUnique) add(value []byte) {
	var hash [16]byte
	h1, h2 := murmur3.Sum128(value)
	binary.LittleEndian.PutUint64(hash[:], h1)
	binary.LittleEndian.PutUint64(hash[8:], h2)
	bucket := int(binary.BigEndian.Uint16(hash[14:])) & (hllRegisters - 1)
	// The place of the first one bit, from 1, counting each byte from its lowest bit.
	place := 0
	for _, c := range hash[:8] {
		if c != 0 {
			place += bits.TrailingZeros8(c) + 1
			break
		}
		place += 8
	}
	h.set(bucket, place)
}

// set raises a register.
func (h *hyperUnique) set(bucket, place int) {
	offset := h.offset()
	switch {
	case place <= offset:
		return
	case place > offset+hllRange:
		if most := int(int8(h[4])); place > most {
			if most <= offset+hllRange {
				h.set(int(binary.BigEndian.Uint16(h[5:])), most)
			}
			h[4] = byte(place)
			binary.BigEndian.PutUint16(h[5:], uint16(bucket))
		}
		return
	}
	n := h.nonZero()
	at, shift := hllHeader+bucket>>1, 4
	if bucket&1 != 0 {
		shift = 0
	}
	old, v := h[at]>>shift&15, byte(place-offset)
	if old == 0 {
		n++
	}
	if v > old {
		h[at] = h[at]&^(15<<shift) | v<<shift
	}
	h.setNonZero(n)
	if n == hllRegisters {
		h.raise()
	}
}

// raise lowers all registers by one and raises the offset instead.
func (h *hyperUnique) raise() {
	h[1]++
	n := 0
	for at := hllHeader; at < len(h); at++ {
		h[at] -= 0x11
		if h[at]&0xf0 != 0 {
			n++
		}
		if h[at]&0x0f != 0 {
			n++
		}
	}
	h.setNonZero(n)
}

// fold adds another sketch.
func (h *hyperUnique) fold(o *hyperUnique) {
	if h.offset() < o.offset() {
		*h, *o = *o, *h
	}
	diff, n := h.offset()-o.offset(), h.nonZero()
	for at := hllHeader; at < len(h); at++ {
		if o[at] == 0 {
			continue
		}
		high, low := int(h[at]>>4), int(h[at]&15)
		newHigh, newLow := max(high, int(o[at]>>4)-diff), max(low, int(o[at]&15)-diff)
		if high == 0 && newHigh > 0 {
			n++
		}
		if low == 0 && newLow > 0 {
			n++
		}
		h[at] = byte(newHigh<<4 | newLow)
	}
	h.setNonZero(n)
	if n == hllRegisters {
		h.raise()
	}
	h.set(int(binary.BigEndian.Uint16(o[5:])), int(int8(o[4])))
}
