package segment

import (
	"encoding/binary"
	"math/bits"

	"github.com/RoaringBitmap/roaring/v2"
)

// decodeBitmap calls add for ranges of rows, ascending and without overlap, each
// checked to lie below rows. No bytes are the empty bitmap.
func decodeBitmap(kind, part string, b []byte, rows int, add func(from, to int)) error {
	if len(b) == 0 {
		return nil
	}
	d := &bitmapDecoder{cursor: cursor{part: part, b: b}, rows: rows, add: add}
	switch kind {
	case "roaring":
		d.roaring()
	case "concise":
		d.concise()
	default:
		return &UnsupportedError{Column: part, Feature: "bitmap type " + kind}
	}
	return d.err
}

type bitmapDecoder struct {
	cursor
	rows int
	add  func(from, to int)
}

// emit passes a range on.
func (d *bitmapDecoder) emit(from, to int) {
	if from < 0 || to > d.rows {
		d.corrupt("bitmap with row %d of %d", to-1, d.rows)
	}
	if d.err == nil && from < to {
		d.add(from, to)
	}
}

func (d *bitmapDecoder) u16() int {
	if p := d.take(2); p != nil {
		return int(binary.LittleEndian.Uint16(p))
	}
	return 0
}

func (d *bitmapDecoder) u32() uint32 {
	if p := d.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (d *bitmapDecoder) roaring() {
	cookie := d.u32()
	var count int
	var runs []byte
	switch {
	case cookie == roaringCookie:
		n := d.u32()
		if n > 1<<16 {
			d.corrupt("bitmap with %d containers", n)
		}
		count = int(n)
	case cookie&0xffff == roaringRunCookie:
		count = int(cookie>>16) + 1
		runs = d.take(int64(count+7) / 8)
	default:
		d.corrupt("bitmap with cookie %#x", cookie)
	}
	head := d.take(4 * int64(count))
	if runs == nil || count >= roaringOffsetsMin {
		d.take(4 * int64(count))
	}
	last := -1
	for i := 0; i < count && d.err == nil; i++ {
		key := int(binary.LittleEndian.Uint16(head[4*i:]))
		card := int(binary.LittleEndian.Uint16(head[4*i+2:])) + 1
		if key <= last {
			d.corrupt("bitmap with containers out of order")
			return
		}
		last = key
		switch base := key << 16; {
		case runs != nil && runs[i/8]>>(i%8)&1 != 0:
			d.runs(base)
		case card > arrayMax:
			d.bits(base, card)
		default:
			d.array(base, card)
		}
	}
	if d.err == nil && len(d.b) > 0 {
		d.corrupt("%d bytes after a bitmap", len(d.b))
	}
}

func (d *bitmapDecoder) array(base, card int) {
	p := d.take(2 * int64(card))
	last := -1
	for i := 0; i < card && d.err == nil; i++ {
		v := int(binary.LittleEndian.Uint16(p[2*i:]))
		if v <= last {
			d.corrupt("bitmap with rows out of order")
			return
		}
		last = v
		d.emit(base+v, base+v+1)
	}
}

func (d *bitmapDecoder) bits(base, card int) {
	p := d.take(bitmapBytes)
	for i := 0; i < len(p) && d.err == nil; i += 8 {
		for w := binary.LittleEndian.Uint64(p[i:]); w != 0; {
			from := bits.TrailingZeros64(w)
			n := bits.TrailingZeros64(^(w >> from))
			d.emit(base+8*i+from, base+8*i+from+n)
			card -= n
			if from+n == 64 {
				break
			}
			w &^= 1<<(from+n) - 1
		}
	}
	if d.err == nil && card != 0 {
		d.corrupt("bitmap container whose cardinality is off by %d", card)
	}
}

func (d *bitmapDecoder) runs(base int) {
	last := -1
	for n := d.u16(); n > 0 && d.err == nil; n-- {
		from := d.u16()
		to := from + d.u16() + 1
		if from <= last || to > 1<<16 {
			d.corrupt("bitmap with runs out of order")
			return
		}
		last = to - 1
		d.emit(base+from, base+to)
	}
}

// Concise bitmaps: words that cover blocks of 31 rows each.
const (
	conciseBlock   = 31
	conciseLiteral = 1 << 31
	conciseOnes    = 1 << 30
	conciseCount   = 1<<25 - 1
)

func (d *bitmapDecoder) concise() {
	if len(d.b)%4 != 0 {
		d.corrupt("concise bitmap of %d bytes", len(d.b))
		return
	}
	pos := 0
	for len(d.b) > 0 && d.err == nil {
		w := binary.BigEndian.Uint32(d.take(4))
		if w&conciseLiteral != 0 {
			d.literal(pos, w&^conciseLiteral)
			pos += conciseBlock
			continue
		}
		n := int(w&conciseCount) + 1
		first := uint32(0)
		if w&conciseOnes != 0 {
			first = conciseLiteral - 1
		}
		if p := w >> 25 & 31; p > 0 {
			first ^= 1 << (p - 1)
		}
		d.literal(pos, first)
		if w&conciseOnes != 0 {
			d.emit(pos+conciseBlock, pos+n*conciseBlock)
		}
		pos += n * conciseBlock
		if pos > d.rows+conciseBlock {
			d.corrupt("concise bitmap of %d rows, the segment has %d", pos, d.rows)
		}
	}
}

// literal emits the rows of one block of 31.
func (d *bitmapDecoder) literal(pos int, w uint32) {
	for ; w != 0 && d.err == nil; w &= w - 1 {
		row := pos + bits.TrailingZeros32(w)
		d.emit(row, row+1)
	}
}

// toRoaring collects a bitmap into the library's type.
func toRoaring(kind, part string, b []byte, rows int) (*roaring.Bitmap, error) {
	m := roaring.New()
	var few []uint32
	err := decodeBitmap(kind, part, b, rows, func(from, to int) {
		if to-from > 32 {
			m.AddRange(uint64(from), uint64(to))
			return
		}
		for ; from < to; from++ {
			few = append(few, uint32(from))
		}
		if len(few) >= 4096 {
			m.AddMany(few)
			few = few[:0]
		}
	})
	if err != nil {
		return nil, err
	}
	m.AddMany(few)
	return m, nil
}
