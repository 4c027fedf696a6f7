package index

import (
	"bytes"
	"hash/maphash"
)

// dict gives byte strings ids in order of arrival, from 1; id 0 is null and has no bytes. It is an open-addressed table
// over one arena: a slot carries place and length, so a hit touches the slot and the bytes and nothing else.
type dict struct {
	seed  maphash.Seed
	slots []dictSlot
	arena []byte
	// ends holds where each id's bytes end; they begin where those of the id before end.
	ends []uint32
}

type dictSlot struct {
	hash, id, start, size uint32
}

const (
	dictSlotBytes = 16
	dictMinSlots  = 64
	// dictMaxArena is where an index is spilled whatever its limits say, since places in an arena are 32 bits.
	dictMaxArena = 1 << 30
)

func newDict() *dict {
	return &dict{seed: maphash.MakeSeed(), slots: make([]dictSlot, dictMinSlots), ends: []uint32{0}}
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

// intern gives the id of b, which it copies if it is new.
func (d *dict) intern(b []byte) uint32 {
	h := uint32(maphash.Bytes(d.seed, b))
	mask := uint32(len(d.slots) - 1)
	i := h & mask
	for {
		s := &d.slots[i]
		if s.id == 0 {
			break
		}
		if s.hash == h && int(s.size) == len(b) && bytes.Equal(d.arena[s.start:s.start+s.size], b) {
			return s.id
		}
		i = (i + 1) & mask
	}
	id := uint32(len(d.ends))
	d.slots[i] = dictSlot{hash: h, id: id, start: uint32(len(d.arena)), size: uint32(len(b))}
	d.arena = append(d.arena, b...)
	d.ends = append(d.ends, uint32(len(d.arena)))
	if len(d.ends)*2 > len(d.slots) {
		d.grow()
	}
	return id
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
