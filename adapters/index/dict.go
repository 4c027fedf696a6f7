package index

import (
	"bytes"
	"encoding/binary"
	"hash/maphash"
	"math/bits"
)

// dict gives byte strings ids in order of arrival, from 1; id 0 is null and has no bytes. It is an open-addressed table
// over one arena. A slot holds a string of up to 11 bytes itself, so that finding one touches one cache line only; of a
// longer one it holds the hash, and the bytes are compared in the arena.
type dict struct {
	seed  maphash.Seed
	salt  uint64
	slots []dictSlot
	arena []byte
	// ends holds where each id's bytes end; they begin where those of the id before end.
	ends []uint32
}

// dictSlot is small on purpose: what finding strings costs is cache misses, so tables should fit the cache.
type dictSlot struct {
	head uint64 // a short string's first bytes, or a long one's hash
	tail uint32 // its size in the highest byte, dictLong for a long one, above its further bytes
	id   uint32 // 0 is free
}

const (
	dictSlotBytes = 16
	dictMinSlots  = 64
	// dictShort is the longest string that a slot holds.
	dictShort = 11
	dictLong  = 0xff << 24
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

// pack puts a string of up to 11 bytes into head and tail, which no other string has.
func pack(b []byte) (head uint64, tail uint32) {
	n := len(b)
	tail = uint32(n) << 24
	switch {
	case n >= 8:
		// The last n-8 bytes; none if n is 8, as shifting by 64 gives 0.
		return binary.LittleEndian.Uint64(b), tail | uint32(binary.LittleEndian.Uint64(b[n-8:])>>(8*uint(16-n)))
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(b)) | uint64(binary.LittleEndian.Uint32(b[n-4:]))<<32, tail
	case n > 0:
		return uint64(b[0]) | uint64(b[n>>1])<<8 | uint64(b[n-1])<<16, tail
	}
	return 0, tail
}

// hash gives the number by which a head and tail are placed.
func (d *dict) hash(head uint64, tail uint32) uint32 {
	x, y := bits.Mul64(head^d.salt, uint64(tail)^0x9e3779b97f4a7c15)
	x, y = bits.Mul64(x^y^d.salt, 0xe7037ed1a0b428db)
	return uint32(x ^ y)
}

// at is where the search for a hash begins.
func (d *dict) at(hash uint32) uint32 { return hash & uint32(len(d.slots)-1) }

// place is where the search for a head and tail begins.
func (d *dict) place(head uint64, tail uint32) uint32 { return d.at(d.hash(head, tail)) }

// probe is the search for a string of up to 11 bytes.
type probe struct {
	head uint64
	tail uint32
	hash uint32
}

// probe says what a text is searched by.
func (d *dict) probe(text []byte) probe {
	head, tail := pack(text)
	return probe{head, tail, d.hash(head, tail)}
}

// touch reads the slots where searches will begin, and waits for none of them: there is nothing else in the loop, so that
// a core has as many reads under way as it can.
func (d *dict) touch(probes []probe) (touched uint32) {
	slots := d.slots
	mask := uint32(len(slots) - 1)
	for j := range probes {
		touched += slots[probes[j].hash&mask].id
	}
	return touched
}

// find gives the id of a probed text, or 0 and the free slot that it would have.
func (d *dict) find(p *probe) (id, slot uint32) {
	for i := d.at(p.hash); ; i = (i + 1) & uint32(len(d.slots)-1) {
		s := &d.slots[i]
		if s.head == p.head && s.tail == p.tail && s.id != 0 {
			return s.id, i
		}
		if s.id == 0 {
			return 0, i
		}
	}
}

// intern gives the id of b, which it copies if it is new.
func (d *dict) intern(b []byte) uint32 {
	if len(b) > dictShort {
		return d.internLong(b)
	}
	p := d.probe(b)
	id, slot := d.find(&p)
	if id == 0 {
		id = d.add(slot, b, p.head, p.tail)
	}
	return id
}

func (d *dict) internLong(b []byte) uint32 {
	head := maphash.Bytes(d.seed, b)
	for i := d.place(head, dictLong); ; i = (i + 1) & uint32(len(d.slots)-1) {
		s := &d.slots[i]
		if s.id == 0 {
			return d.add(i, b, head, dictLong)
		}
		if s.head == head && s.tail == dictLong && bytes.Equal(d.value(s.id), b) {
			return s.id
		}
	}
}

// add puts a new string into the free slot i.
func (d *dict) add(i uint32, b []byte, head uint64, tail uint32) uint32 {
	id := uint32(len(d.ends))
	d.slots[i] = dictSlot{head, tail, id}
	d.arena = append(d.arena, b...)
	d.ends = append(d.ends, uint32(len(d.arena)))
	if len(d.ends)*4 > len(d.slots)*3 {
		d.grow()
	}
	return id
}

func (d *dict) grow() {
	old := d.slots
	d.slots = make([]dictSlot, 2*len(old))
	for _, s := range old {
		if s.id == 0 {
			continue
		}
		i := d.place(s.head, s.tail)
		for d.slots[i].id != 0 {
			i = (i + 1) & uint32(len(d.slots)-1)
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
