package inputformat

import (
	"encoding/binary"
	"math"
)

// thriftBytes is a record of the binary or the compact protocol. Nothing in it is trusted: lengths are held against what is
// left, and as each value takes a byte at least, so are numbers of elements.
type thriftBytes struct {
	b  []byte
	at int
}

func (t *thriftBytes) take(n int) ([]byte, error) {
	if n < 0 || n > len(t.b)-t.at {
		return nil, errThriftShort
	}
	b := t.b[t.at : t.at+n : t.at+n]
	t.at += n
	return b, nil
}

func (t *thriftBytes) byte() (byte, error) {
	if t.at == len(t.b) {
		return 0, errThriftShort
	}
	t.at++
	return t.b[t.at-1], nil
}

// small reads a bool or a number of one byte, which both protocols write alike.
func (t *thriftBytes) small(wire thriftWire) (int64, error) {
	c, err := t.byte()
	if wire == wireI8 {
		return int64(int8(c)), err
	}
	if c != 1 {
		c = 0
	}
	return int64(c), err
}

// many checks a number of elements.
func (t *thriftBytes) many(n int64) (int, error) {
	if n < 0 || n > int64(len(t.b)-t.at) {
		return 0, errThriftShort
	}
	return int(n), nil
}

func (t *thriftBytes) uuid() ([]byte, error) {
	b, err := t.take(16)
	if err != nil {
		return nil, err
	}
	return thriftUUID(b), nil
}

func (*thriftBytes) fieldEnd() error { return nil }
func (*thriftBytes) listEnd() error  { return nil }
func (*thriftBytes) pairsEnd() error { return nil }

// thriftBinary reads the binary protocol: fixed widths, the highest byte first.
type thriftBinary struct{ thriftBytes }

func (*thriftBinary) begin() error { return nil }
func (*thriftBinary) end()         {}

func (t *thriftBinary) field() (thriftWire, int16, error) {
	wire, err := t.byte()
	if err != nil || wire == 0 {
		return wireStop, 0, err
	}
	id, err := t.integer(wireI16)
	return thriftWire(wire), int16(id), err
}

func (t *thriftBinary) integer(wire thriftWire) (int64, error) {
	switch wire {
	case wireBool, wireI8:
		return t.small(wire)
	case wireI16:
		b, err := t.take(2)
		if err != nil {
			return 0, err
		}
		return int64(int16(binary.BigEndian.Uint16(b))), nil
	case wireI32:
		b, err := t.take(4)
		if err != nil {
			return 0, err
		}
		return int64(int32(binary.BigEndian.Uint32(b))), nil
	}
	b, err := t.take(8)
	if err != nil {
		return 0, err
	}
	return int64(binary.BigEndian.Uint64(b)), nil
}

func (t *thriftBinary) double() (float64, error) {
	n, err := t.integer(wireI64)
	return math.Float64frombits(uint64(n)), err
}

func (t *thriftBinary) text() ([]byte, error) {
	n, err := t.integer(wireI32)
	if err != nil {
		return nil, err
	}
	return t.take(int(n))
}

func (t *thriftBinary) data() ([]byte, error) { return t.text() }

func (t *thriftBinary) size() (int, error) {
	n, err := t.integer(wireI32)
	if err != nil {
		return 0, err
	}
	return t.many(n)
}

func (t *thriftBinary) list() (thriftWire, int, error) {
	elem, err := t.byte()
	if err != nil {
		return 0, 0, err
	}
	n, err := t.size()
	return thriftWire(elem), n, err
}

func (t *thriftBinary) pairs() (key, value thriftWire, n int, err error) {
	types, err := t.take(2)
	if err != nil {
		return 0, 0, 0, err
	}
	n, err = t.size()
	return thriftWire(types[0]), thriftWire(types[1]), n, err
}

// thriftCompact reads the compact protocol: numbers of variable length, ids as their distance from the one before.
type thriftCompact struct {
	thriftBytes
	id      int16   // of the last field
	last    []int16 // the same of the structs around this one
	flag    int64   // of a bool whose value stands in its field's head
	flagged bool
}

// compactWires are the types of the compact protocol. The first two are the values of a bool.
var compactWires = [...]thriftWire{
	0, wireBool, wireBool, wireI8, wireI16, wireI32, wireI64, wireDouble, wireString, wireList, wireSet, wireMap, wireStruct, wireUUID,
}

func compactWire(c byte) (thriftWire, error) {
	if c == 0 || int(c) >= len(compactWires) {
		return 0, errThriftBad
	}
	return compactWires[c], nil
}

func (t *thriftCompact) begin() error {
	t.last = append(t.last, t.id)
	t.id = 0
	return nil
}

func (t *thriftCompact) end() {
	t.id = t.last[len(t.last)-1]
	t.last = t.last[:len(t.last)-1]
}

func (t *thriftCompact) field() (thriftWire, int16, error) {
	head, err := t.byte()
	if err != nil || head&15 == 0 {
		return wireStop, 0, err
	}
	wire, err := compactWire(head & 15)
	if err != nil {
		return 0, 0, err
	}
	if delta := head >> 4; delta != 0 {
		t.id += int16(delta)
	} else {
		id, err := t.zigzag()
		if err != nil || id != int64(int16(id)) {
			return 0, 0, errThriftBad
		}
		t.id = int16(id)
	}
	if wire == wireBool {
		t.flagged, t.flag = true, int64(2-head&15) // 1 is true, 2 is false
	}
	return wire, t.id, nil
}

func (t *thriftCompact) varint() (uint64, error) {
	v, n := binary.Uvarint(t.b[t.at:])
	if n <= 0 {
		return 0, errThriftShort
	}
	t.at += n
	return v, nil
}

func (t *thriftCompact) zigzag() (int64, error) {
	v, err := t.varint()
	return int64(v>>1) ^ -int64(v&1), err
}

func (t *thriftCompact) integer(wire thriftWire) (int64, error) {
	switch wire {
	case wireBool:
		if t.flagged {
			t.flagged = false
			return t.flag, nil
		}
		return t.small(wire)
	case wireI8:
		return t.small(wire)
	case wireI16:
		n, err := t.zigzag()
		return int64(int16(n)), err
	case wireI32:
		n, err := t.zigzag()
		return int64(int32(n)), err
	}
	return t.zigzag()
}

func (t *thriftCompact) double() (float64, error) {
	b, err := t.take(8)
	if err != nil {
		return 0, err
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(b)), nil
}

func (t *thriftCompact) text() ([]byte, error) {
	n, err := t.varint()
	if err != nil || n > math.MaxInt32 {
		return nil, errThriftShort
	}
	return t.take(int(n))
}

func (t *thriftCompact) data() ([]byte, error) { return t.text() }

func (t *thriftCompact) size() (int, error) {
	n, err := t.varint()
	if err != nil || n > math.MaxInt32 {
		return 0, errThriftShort
	}
	return t.many(int64(n))
}

func (t *thriftCompact) list() (elem thriftWire, n int, err error) {
	head, err := t.byte()
	if err != nil {
		return 0, 0, err
	}
	if n = int(head >> 4); n == 15 {
		n, err = t.size()
	} else {
		n, err = t.many(int64(n))
	}
	if err != nil || n == 0 {
		return 0, 0, err
	}
	elem, err = compactWire(head & 15)
	return elem, n, err
}

func (t *thriftCompact) pairs() (key, value thriftWire, n int, err error) {
	if n, err = t.size(); err != nil || n == 0 {
		return 0, 0, 0, err
	}
	types, err := t.byte()
	if err != nil {
		return 0, 0, 0, err
	}
	if key, err = compactWire(types >> 4); err != nil {
		return 0, 0, 0, err
	}
	value, err = compactWire(types & 15)
	return key, value, n, err
}
