package index

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// dict gives byte strings ids in order of arrival, from 1; id 0 is null and has no bytes. It is an open-addressed table
// over one arena. A slot holds a string of up to 16 bytes itself, so that finding one touches one cache line only; of a
// longer one it holds the hash and the place in the arena.
type dict struct {
	seed  maphash.Seed
	salt  uint64
	slots []dictSlot
	arena []byte
	// ends holds where each id's bytes end; they begin where those of the id before end.
	ends []uint32
}

type dictSlot struct {
	lo, hi uint64 // the bytes of a short string, or the hash of a long one
	size   uint32
	id     uint32 // 0 is free
	start  uint32
	hash   uint32
}

const (
	dictSlotBytes = 32
	dictMinSlots  = 64
	// dictShort is the longest string that a slot holds.
	dictShort = 16
	// dictMaxArena is where an index is spilled whatever its limits say, since places in an arena are 32 bits.
	dictMaxArena = 1 << 30
)

func newDict() *dict {
	seed := maphash.MakeSeed()
	// The salt keeps those who choose the values from choosing the collisions.
	salt := maphash.Bytes(seed, []byte("salt"))
	return &dict{seed: seed, salt: salt, slots: make([]dictSlot, dictMinSlots), ends: []uint32{0}}
}

// len counts the ids, null among them.
func (d *dict) len() int { return len(d.ends) }

// value gives the bytes of an id; those of null are empty.
func (d *dict) value(id uint32) []byte {
	if id == 0 {
		return nil
	}
	return d.arena[d.ends[id-1]:d.ends[id]]
}

// words packs a string of up to 16 bytes into two words that, with its size, tell it from any other.
func words(b []byte) (lo, hi uint64) {
	n := len(b)
	switch {
	case n >= 8:
		return binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32, 0
	case n > 0:
		return uint64(b[0]) | uint64(b[n>>1])<<8 | uint64(b[n-1])<<16, 0
	}
	return 0, 0
}

// intern gives the id of b, which it copies if it is new.
func (d *dict) intern(b []byte) uint32 {
	if len(b) > dictShort {
		return d.internLong(b)
	}
	lo, hi := words(b)
	x, y := bits.Mul64(lo^d.salt, hi^0x9e3779b97f4a7c15^uint64(len(b)))
	x, y = bits.Mul64(x^y^d.salt, 0xe7037ed1a0b428db)
	h := uint32(x ^ y)
	mask := uint32(len(d.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := &d.slots[i]
		if s.lo == lo && s.hi == hi && s.size == uint32(len(b)) && s.id != 0 {
			return s.id
		}
		if s.id == 0 {
			return d.add(i, b, dictSlot{lo: lo, hi: hi, hash: h})
		}
	}
}

func (d *dict) internLong(b []byte) uint32 {
	h64 := maphash.Bytes(d.seed, b)
	h := uint32(h64)
	mask := uint32(len(d.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		s := &d.slots[i]
		if s.id == 0 {
			return d.add(i, b, dictSlot{lo: h64, hash: h})
		}
		if s.lo == h64 && int(s.size) == len(b) && bytes.Equal(d.arena[s.start:s.start+s.size], b) {
			return s.id
		}
	}
}

// add puts a new string into the free slot i.
func (d *dict) add(i uint32, b []byte, s dictSlot) uint32 {
	s.id, s.start, s.size = uint32(len(d.ends)), uint32(len(d.arena)), uint32(len(b))
	d.slots[i] = s
	d.arena = append(d.arena, b...)
	d.ends = append(d.ends, uint32(len(d.arena)))
	if len(d.ends)*4 > len(d.slots)*3 {
		d.grow()
	}
	return s.id
}

func (d *dict) grow() {
	old := d.slots
	d.slots = make([]dictSlot, 2*len(old))
	mask := uint32(len(d.slots) - 1)
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		i := s.hash & mask
		for d.slots[i].id != 0 {
			i = (i + 1) & mask
		}
		d.slots[i] = s
	}
}

// bytes is the memory that the values take. What is kept beyond that from earlier use does not count: it would make a
// fresh index look full.
func (d *dict) bytes() int64 {
	slots := max(dictMinSlots, 2*len(d.ends))
	return int64(slots)*dictSlotBytes + int64(len(d.arena)) + 4*int64(len(d.ends))
}

// reset forgets all values and keeps the memory for the next ones.
func (d *dict) reset() {
	clear(d.slots)
	d.arena = d.arena[:0]
	d.ends = append(d.ends[:0], 0)
}
