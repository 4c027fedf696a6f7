package index

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/apache/datasketches-go/hll"
	"github.com/twmb/murmur3"

	"ogham/domain/row"
)

// An HLL sketch of the extension druid-datasketches is, while rows come, the bytes of the row's aggregate in the library's
// own forms, so that a value is added in place: first a list of up to seven coupons, then a hash set of them, then a
// register of a byte each. Which form it is, the first byte says. A sketch that saw nothing is no bytes at all. A coupon
// has 26 bits of a hash, of which the lowest are a register's number, and above them the register's value.
const (
	hllListHead  = 8
	hllListMost  = 8 // coupons at which the list ends
	hllSetHead   = 12
	hllSetFirst  = 5 // logarithm of a set's first size
	hllDenseHead = 40

	hllInList, hllInSet, hllDense = 2, 3, 10 // the first byte, the header's size in ints

	hllFamily     = 7
	hllFlags      = 5 // where
	hllCompact    = 8
	hllOutOfOrder = 16
	hllMode       = 7 // where
	hllTarget8    = 8 // the mode's bits for registers of a byte

	couponBits = 26
	couponKey  = 1<<couponBits - 1
)

func hllLog(s []byte) int { return int(s[3]) }

// newHLL makes an empty sketch of a form, of n bytes.
func newHLL(r *room, form byte, lgK, n int) []byte {
	s := r.make(n)
	s[0], s[1], s[2], s[3] = form, 1, hllFamily, byte(lgK)
	switch form {
	case hllInList:
		s[4], s[hllMode] = 3, hllTarget8
	case hllInSet:
		s[4], s[hllMode] = hllSetFirst, hllTarget8|1
	default:
		s[hllMode] = hllTarget8 | 2
		setFloat(s[16:], float64(uint64(1)<<lgK))
		binary.LittleEndian.PutUint32(s[32:], 1<<lgK)
	}
	return s
}

func float(b []byte) float64       { return math.Float64frombits(binary.LittleEndian.Uint64(b)) }
func setFloat(b []byte, v float64) { binary.LittleEndian.PutUint64(b, math.Float64bits(v)) }

// couponOf is the coupon of a value's bytes.
func couponOf(value []byte) uint32 {
	low, high := murmur3.SeedSum128(sketchSeed, sketchSeed, value)
	return uint32(min(bits.LeadingZeros64(high), 62)+1)<<couponBits | uint32(low)&couponKey
}

// addHLL adds a coupon in place where there is room.
func addHLL(r *room, s []byte, coupon uint32, lgK int) []byte {
	if len(s) == 0 {
		s = newHLL(r, hllInList, lgK, hllListHead)
	}
	switch s[0] {
	case hllInList:
		return addToList(r, s, coupon)
	case hllInSet:
		return addToSet(r, s, coupon)
	}
	raise(s, coupon)
	return s
}

func addToList(r *room, s []byte, coupon uint32) []byte {
	for at := hllListHead; at < len(s); at += 4 {
		if binary.LittleEndian.Uint32(s[at:]) == coupon {
			return s
		}
	}
	old := s
	s = r.make(len(old) + 4)
	copy(s, old)
	binary.LittleEndian.PutUint32(s[len(old):], coupon)
	if s[6]++; s[6] < hllListMost {
		return s
	}
	if hllLog(s) < 8 {
		return toDense(r, s)
	}
	set := newHLL(r, hllInSet, hllLog(s), hllSetHead+4<<hllSetFirst)
	for at := hllListHead; at < len(s); at += 4 {
		putCoupon(set, binary.LittleEndian.Uint32(s[at:]))
	}
	return set
}

// putCoupon puts a coupon into a set that has room for it, and says whether it is new.
func putCoupon(s []byte, coupon uint32) bool {
	log := s[4]
	mask := uint32(1)<<log - 1
	stride := coupon&couponKey>>log | 1
	for i := coupon & mask; ; i = (i + stride) & mask {
		at := hllSetHead + 4*i
		switch binary.LittleEndian.Uint32(s[at:]) {
		case coupon:
			return false
		case 0:
			binary.LittleEndian.PutUint32(s[at:], coupon)
			binary.LittleEndian.PutUint32(s[8:], binary.LittleEndian.Uint32(s[8:])+1)
			return true
		}
	}
}

func addToSet(r *room, s []byte, coupon uint32) []byte {
	if !putCoupon(s, coupon) || 4*binary.LittleEndian.Uint32(s[8:]) <= 3<<s[4] {
		return s
	}
	if int(s[4]) == hllLog(s)-3 {
		return toDense(r, s)
	}
	old := s
	s = newHLL(r, hllInSet, hllLog(old), hllSetHead+4<<(old[4]+1))
	s[4] = old[4] + 1
	eachCoupon(old, func(c uint32) { putCoupon(s, c) })
	return s
}

// eachCoupon gives the coupons of a list or set, or one for each register.
func eachCoupon(s []byte, add func(coupon uint32)) {
	if s[0] == hllDense {
		for i, v := range s[hllDenseHead:] {
			if v != 0 {
				add(uint32(v)<<couponBits | uint32(i))
			}
		}
		return
	}
	coupons(s[hllHead(s[0]):], add)
}

// hllHead is the size of the header of a list or set.
func hllHead(form byte) int {
	if form == hllInSet {
		return hllSetHead
	}
	return hllListHead
}

func coupons(b []byte, add func(coupon uint32)) {
	for ; len(b) > 0; b = b[4:] {
		if c := binary.LittleEndian.Uint32(b); c != 0 {
			add(c)
		}
	}
}

// toDense makes registers of coupons. What the coupons are thought to stand for is where the estimate goes on from.
func toDense(r *room, s []byte) []byte {
	out := newHLL(r, hllDense, hllLog(s), hllDenseHead+1<<hllLog(s))
	eachCoupon(s, func(c uint32) { raise(out, c) })
	setFloat(out[8:], hllEstimate(s))
	return out
}

// raise raises a register, and counts what that says of the number of values.
func raise(s []byte, coupon uint32) {
	registers := s[hllDenseHead:]
	at := coupon & uint32(len(registers)-1)
	old, v := registers[at], byte(coupon>>couponBits)
	if v <= old {
		return
	}
	registers[at] = v
	if s[hllFlags]&hllOutOfOrder == 0 {
		setFloat(s[8:], float(s[8:])+float64(len(registers))/(float(s[16:])+float(s[24:])))
	}
	weigh(s, old, -1)
	weigh(s, v, 1)
	if old == 0 {
		binary.LittleEndian.PutUint32(s[32:], binary.LittleEndian.Uint32(s[32:])-1)
	}
}

// weigh adds the power of two that a register's value stands for to one of two sums, both exact.
func weigh(s []byte, value byte, sign float64) {
	sum := s[16:]
	if value >= 32 {
		sum = s[24:]
	}
	setFloat(sum, float(sum)+math.Ldexp(sign, -int(value)))
}

// foldHLL adds the sketch o, which came later. Where both have registers the order of values is lost, and the estimate
// follows from the registers alone. The registers are as many as the smaller sketch has.
func foldHLL(r *room, s, o []byte, lgK int) []byte {
	switch {
	case len(o) == 0:
		return s
	case o[0] != hllDense:
		eachCoupon(o, func(c uint32) { s = addHLL(r, s, c, lgK) })
		return s
	}
	if hllLog(o) > lgK {
		o = registersOf(o, lgK)
	}
	if len(s) == 0 || s[0] != hllDense {
		out := append([]byte(nil), o...)
		if len(s) > 0 {
			eachCoupon(s, func(c uint32) { raise(out, c) })
		}
		return out
	}
	if hllLog(s) > hllLog(o) {
		s = registersOf(s, hllLog(o))
	}
	s[hllFlags] |= hllOutOfOrder
	setFloat(s[8:], 0)
	eachCoupon(o, func(c uint32) { raise(s, c) })
	return s
}

// registersOf makes 2^lgK registers of as many or more, which may be an image of the library's: what it names beside its
// registers is counted anew, but for the estimate and whether the order of values is lost.
func registersOf(s []byte, lgK int) []byte {
	out := newHLL(&room{}, hllDense, lgK, hllDenseHead+1<<lgK)
	out[hllFlags] = s[hllFlags] & hllOutOfOrder
	eachCoupon(s, func(c uint32) { raise(out, c) })
	copy(out[8:16], s[8:16])
	return out
}

var hllTargets = map[string]hll.TgtHllType{"HLL_4": hll.TgtHllTypeHll4, "HLL_6": hll.TgtHllTypeHll6, "HLL_8": hll.TgtHllTypeHll8}

// storeHLL appends the sketch as Druid stores it: compact, with registers of the width that is asked for.
func storeHLL(dst, s []byte, target string) ([]byte, error) {
	if len(s) == 0 {
		return dst, nil
	}
	kind := hllTargets[target]
	if s[0] != hllDense {
		at := len(dst)
		dst = append(dst, s[:hllHead(s[0])]...)
		dst[at+hllFlags], dst[at+hllMode] = hllCompact, byte(kind)<<2|s[hllMode]&3
		eachCoupon(s, func(c uint32) { dst = binary.LittleEndian.AppendUint32(dst, c) })
		return dst, nil
	}
	if kind == hll.TgtHllTypeHll8 {
		return append(dst, wholeRegisters(s)...), nil
	}
	sketch, err := hll.NewHllSketchFromSlice(s, false)
	if err != nil {
		return nil, fmt.Errorf("read HLL sketch: %w", err)
	}
	if sketch, err = sketch.CopyAs(kind); err != nil {
		// Registers that no values have made, of a sketch that was given, may not fit into fewer bits. They are read in any
		// width; a row must not keep its segment from being written.
		return append(dst, wholeRegisters(s)...), nil
	}
	out, err := sketch.ToCompactSlice()
	if err != nil {
		return nil, fmt.Errorf("write HLL sketch: %w", err)
	}
	return append(dst, out...), nil
}

// wholeRegisters is a sketch with registers of a byte; one that was merged names the least of them.
func wholeRegisters(s []byte) []byte {
	out := append([]byte(nil), s...)
	if s[hllFlags]&hllOutOfOrder == 0 {
		return out
	}
	least, n := byte(math.MaxUint8), uint32(0)
	for _, v := range s[hllDenseHead:] {
		if v < least {
			least, n = v, 0
		}
		if v == least {
			n++
		}
	}
	out[6] = least
	binary.LittleEndian.PutUint32(out[32:], n)
	return out
}

// hllEstimate is the number of values that a sketch is thought to have seen.
func hllEstimate(s []byte) float64 {
	b, err := storeHLL(nil, s, "HLL_8")
	if err != nil || len(b) == 0 {
		return 0
	}
	sketch, err := hll.NewHllSketchFromSlice(b, false)
	if err != nil {
		return 0
	}
	n, err := sketch.GetEstimate()
	if err != nil {
		return 0
	}
	return n
}

var errNotHLL = errors.New("not an HLL sketch")

// mergeHLL adds a sketch in any form that libraries write.
func mergeHLL(r *room, s, given []byte, lgK int) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil { // the library trusts what the bytes say of their length
			out, err = s, fmt.Errorf("%w: %v", errNotHLL, p)
		}
	}()
	size, ok := hllSize(given)
	if !ok || len(given) < size {
		return s, errNotHLL
	}
	if form := given[0] & 0x3f; form != hllDense {
		coupons(given[hllHead(form):size], func(c uint32) { s = addHLL(r, s, c, lgK) })
		return s, nil
	}
	sketch, err := hll.NewHllSketchFromSlice(append([]byte(nil), given...), true)
	if err != nil {
		return s, fmt.Errorf("%w: %w", errNotHLL, err)
	}
	if sketch.IsEmpty() {
		return s, nil
	}
	if sketch, err = sketch.CopyAs(hll.TgtHllTypeHll8); err != nil {
		return s, fmt.Errorf("%w: %w", errNotHLL, err)
	}
	o, err := sketch.ToUpdatableSlice()
	if err != nil {
		return s, fmt.Errorf("%w: %w", errNotHLL, err)
	}
	return foldHLL(r, s, registersOf(o, hllLog(o)), lgK), nil
}

// hllSize is how many bytes a given sketch says that it has; ok is false for one that cannot be.
func hllSize(b []byte) (size int, ok bool) {
	if len(b) < hllListHead || b[1] != 1 || b[2] != hllFamily || b[3] < 4 || b[3] > 21 || b[hllMode]>>2&3 == 3 {
		return 0, false
	}
	lgK, compact := hllLog(b), b[hllFlags]&hllCompact != 0
	switch mode := b[hllMode] & 3; {
	case mode == 0 && b[0]&0x3f == hllInList:
		return hllListHead + 4*int(b[6]), b[6] <= hllListMost
	case mode == 1 && b[0]&0x3f == hllInSet && len(b) >= hllSetHead:
		if n := binary.LittleEndian.Uint32(b[8:]); compact {
			return hllSetHead + 4*int(n), n <= 1<<lgK
		}
		return hllSetHead + 4<<(b[4]&31), b[4] <= 21
	case mode == 2 && b[0]&0x3f == hllDense && len(b) >= hllDenseHead:
		return denseSize(b, lgK, compact)
	}
	return 0, false
}

func denseSize(b []byte, lgK int, compact bool) (size int, ok bool) {
	switch b[hllMode] >> 2 {
	case 2:
		return hllDenseHead + 1<<lgK, true
	case 1:
		return hllDenseHead + 3<<(lgK-2) + 1, true
	}
	exceptions := binary.LittleEndian.Uint32(b[36:])
	if exceptions > 1<<lgK || b[4] > 21 {
		return 0, false
	}
	if size = hllDenseHead + 1<<(lgK-1); compact || exceptions == 0 {
		return size + 4*int(exceptions), true
	}
	return size + 4<<b[4], true
}

// sketchText gives the bytes that a string has in a sketch's hash.
func sketchText(dst []byte, text []byte, m *row.Metric) []byte {
	if m.Sketch.UTF8 || m.Agg == row.AggThetaSketch {
		return append(dst, text...)
	}
	for _, c := range string(text) {
		if c >= 0x10000 {
			c -= 0x10000
			dst = binary.LittleEndian.AppendUint16(dst, uint16(0xd800+c>>10))
			c = 0xdc00 + c&0x3ff
		}
		dst = binary.LittleEndian.AppendUint16(dst, uint16(c))
	}
	return dst
}
