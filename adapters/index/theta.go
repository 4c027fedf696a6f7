package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/apache/datasketches-go/theta"
	"github.com/twmb/murmur3"
)

// A theta sketch holds the distinct hashes below a bound, theta. While rows come it is a table in the bytes of the row's
// aggregate, so that a value is added in place: theta, the number of hashes, the logarithm of the number of slots, and
// the slots of 8 bytes, little endian, 0 for a free one. A sketch that saw nothing is no bytes at all.
//
// With more than size hashes in it, the sketch that is stored keeps the least of them and the next as theta. Hashes are
// dropped only from above that, so what is stored does not depend on the order of rows or on where they were spilled.
const (
	thetaHeader   = 16
	thetaSlots    = 12 // where the logarithm is
	thetaFirstLog = 1
	thetaNone     = math.MaxInt64
	sketchSeed    = 9001
	sketchHash    = 0x93cc // of the seed, as Druid's sketches have it
)

// room makes the bytes of sketches that outgrow theirs. It keeps two, as one grows out of the other.
type room struct{ now, before []byte }

// make gives n zeros, valid until the call after the next.
func (r *room) make(n int) []byte {
	r.now, r.before = r.before, r.now
	r.now = slices.Grow(r.now[:0], n)[:n]
	clear(r.now)
	return r.now
}

func newTheta(r *room, theta uint64, log int) []byte {
	s := r.make(thetaHeader + 8<<log)
	binary.LittleEndian.PutUint64(s, theta)
	s[thetaSlots] = byte(log)
	return s
}

func thetaOf(s []byte) uint64 { return binary.LittleEndian.Uint64(s) }
func thetaCount(s []byte) int { return int(binary.LittleEndian.Uint32(s[8:])) }

// thetaHash is the hash of a value's bytes.
func thetaHash(value []byte) uint64 {
	h, _ := murmur3.SeedSum128(sketchSeed, sketchSeed, value)
	return h >> 1
}

// addTheta adds a hash in place where there is room.
func addTheta(r *room, s []byte, hash uint64, size int) []byte {
	if hash == 0 || hash >= thetaNone { // none that a value has
		return s
	}
	if len(s) == 0 {
		s = newTheta(r, thetaNone, thetaFirstLog)
	}
	if hash >= thetaOf(s) {
		return s
	}
	at, found := findTheta(s, hash)
	if found {
		return s
	}
	slots := (len(s) - thetaHeader) / 8
	if n := thetaCount(s); 4*(n+1) > 3*slots {
		if slots < 2*size {
			s = growTheta(r, s)
		} else if s = trimTheta(r, s, size); hash >= thetaOf(s) {
			return s
		}
		at, _ = findTheta(s, hash)
	}
	putTheta(s, at, hash)
	return s
}

// findTheta gives the slot of a hash, or the free one for it.
func findTheta(s []byte, hash uint64) (at int, found bool) {
	mask := 1<<s[thetaSlots] - 1
	for i := int(hash) & mask; ; i = (i + 1) & mask {
		at = thetaHeader + 8*i
		switch binary.LittleEndian.Uint64(s[at:]) {
		case 0:
			return at, false
		case hash:
			return at, true
		}
	}
}

func putTheta(s []byte, at int, hash uint64) {
	binary.LittleEndian.PutUint64(s[at:], hash)
	binary.LittleEndian.PutUint32(s[8:], uint32(thetaCount(s)+1))
}

func growTheta(r *room, old []byte) []byte {
	s := newTheta(r, thetaOf(old), int(old[thetaSlots])+1)
	for at := thetaHeader; at < len(old); at += 8 {
		if hash := binary.LittleEndian.Uint64(old[at:]); hash != 0 {
			free, _ := findTheta(s, hash)
			putTheta(s, free, hash)
		}
	}
	return s
}

// thetaHashes appends the hashes below theta in ascending order, and lowers theta so that there are size at most.
func thetaHashes(dst []uint64, s []byte, size int) (hashes []uint64, theta uint64) {
	theta = thetaOf(s)
	for at := thetaHeader; at < len(s); at += 8 {
		if hash := binary.LittleEndian.Uint64(s[at:]); hash != 0 && hash < theta {
			dst = append(dst, hash)
		}
	}
	slices.Sort(dst)
	if len(dst) > size {
		dst, theta = dst[:size], dst[size]
	}
	return dst, theta
}

// trimTheta keeps the least hashes. It happens once in half as many new ones as are kept.
func trimTheta(r *room, old []byte, size int) []byte {
	hashes, theta := thetaHashes(nil, old, size)
	s := newTheta(r, theta, int(old[thetaSlots]))
	for _, hash := range hashes {
		free, _ := findTheta(s, hash)
		putTheta(s, free, hash)
	}
	return s
}

// lowerTheta takes over another sketch's theta, whatever that one says where it has dropped nothing.
func lowerTheta(r *room, s []byte, theta uint64) []byte {
	switch {
	case theta >= thetaNone:
	case len(s) == 0:
		return newTheta(r, theta, thetaFirstLog)
	case theta < thetaOf(s):
		binary.LittleEndian.PutUint64(s, theta)
	}
	return s
}

// foldTheta adds the sketch o.
func foldTheta(r *room, s, o []byte, size int) []byte {
	if len(o) == 0 {
		return s
	}
	s = lowerTheta(r, s, thetaOf(o))
	for at := thetaHeader; at < len(o); at += 8 {
		s = addTheta(r, s, binary.LittleEndian.Uint64(o[at:]), size)
	}
	return s
}

// The flags and sizes of a sketch as it is stored.
const (
	thetaCompact  = 0x1a // read only, compact, ordered
	thetaSingle   = 0x20
	thetaEmpty    = 0x04
	thetaStart    = 24 // of the hashes, where there is a theta
	thetaFamily   = 3
	thetaUpdating = 2 // the family of tables that are still written to
)

// storeTheta appends the sketch as Druid stores it, compact and in order.
func storeTheta(dst, s []byte, size int) []byte {
	if len(s) == 0 {
		return dst
	}
	hashes, theta := thetaHashes(nil, s, size)
	longs, flags := byte(2), byte(thetaCompact)
	switch {
	case theta < thetaNone:
		longs = 3
	case len(hashes) == 1:
		longs, flags = 1, thetaCompact|thetaSingle
	}
	dst = binary.LittleEndian.AppendUint16(append(dst, longs, 3, thetaFamily, 0, 0, flags), sketchHash)
	if longs > 1 {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(len(hashes)))
		dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(1))
	}
	if longs > 2 {
		dst = binary.LittleEndian.AppendUint64(dst, theta)
	}
	for _, hash := range hashes {
		dst = binary.LittleEndian.AppendUint64(dst, hash)
	}
	return dst
}

var errNotTheta = errors.New("not a theta sketch")

// mergeTheta adds a sketch in any of the forms in which libraries write them.
func mergeTheta(r *room, s, given []byte, size int) (out []byte, err error) {
	if len(given) >= thetaStart && given[2]&0x3f == thetaUpdating {
		return mergeUpdating(r, s, given, size)
	}
	defer func() {
		if p := recover(); p != nil { // the library trusts what the bytes say of their length
			out, err = s, fmt.Errorf("%w: %v", errNotTheta, p)
		}
	}()
	if len(given) < 8 || !plausible(given) {
		return s, errNotTheta
	}
	o, err := theta.Decode(given, sketchSeed)
	if err != nil {
		return s, fmt.Errorf("%w: %w", errNotTheta, err)
	}
	if o.IsEmpty() {
		return s, nil
	}
	s = lowerTheta(r, s, o.Theta64())
	for hash := range o.All() {
		s = addTheta(r, s, hash, size)
	}
	return s, nil
}

// plausible says whether the number of hashes that a sketch names can be in it, each in a bit at least.
func plausible(given []byte) bool {
	if longs := given[0] & 0x3f; longs < 2 || given[1] > 3 {
		return true
	}
	return len(given) >= 16 && uint64(binary.LittleEndian.Uint32(given[8:])) <= uint64(len(given))/8
}

// mergeUpdating adds a sketch in the form of a table that is still written to.
func mergeUpdating(r *room, s, given []byte, size int) ([]byte, error) {
	log := given[4]
	if given[1] != 3 || given[0]&0x3f != 3 || log > 26 || len(given) < thetaStart+8<<log ||
		binary.LittleEndian.Uint16(given[6:]) != sketchHash {
		return s, errNotTheta
	}
	if given[5]&thetaEmpty != 0 {
		return s, nil
	}
	bound := min(binary.LittleEndian.Uint64(given[16:]), thetaNone)
	s = lowerTheta(r, s, bound)
	for table := given[thetaStart : thetaStart+8<<log]; len(table) > 0; table = table[8:] {
		if hash := binary.LittleEndian.Uint64(table); hash < bound {
			s = addTheta(r, s, hash, size)
		}
	}
	return s, nil
}
