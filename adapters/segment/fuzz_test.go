package segment

import (
	"bytes"
	"encoding/binary"
	"testing"
)

// FuzzReader damages the contents of whole segments.
func FuzzReader(f *testing.F) {
	for _, g := range goldens(f) {
		if files := filesOf(f, g); len(files["00000.smoosh"]) < 20_000 {
			f.Add(files["meta.smoosh"], files["00000.smoosh"])
		}
	}
	files := complexSegment(f)
	f.Add(files["meta.smoosh"], files["00000.smoosh"])
	f.Fuzz(func(t *testing.T, contents, chunk []byte) {
		checkTyped(t, readAll(zipped{
			"version.bin": {0, 0, 0, 9}, "meta.smoosh": contents, "00000.smoosh": chunk,
		}))
	})
}

// FuzzSmile wants an error or a value that, written and read again, is the
// same, and whose fields can be found.
func FuzzSmile(f *testing.F) {
	var s SmileWriter
	for _, n := range []node{
		{kind: nodeLong, num: 1 << 40}, {kind: nodeDouble, num: 1}, {kind: nodeString, text: []byte("é")},
		{kind: nodeList, elems: []node{{kind: nodeBool, num: 1}, {}, {kind: nodeString, text: bytes.Repeat([]byte("x"), 70)}}},
		{kind: nodeObject, keys: [][]byte{[]byte("a.b"), nil, bytes.Repeat([]byte("k"), 60)}, elems: make([]node, 3)},
		{kind: nodeObject, keys: [][]byte{[]byte("a")}, elems: []node{{kind: nodeObject, keys: [][]byte{[]byte("a")}, elems: make([]node, 1)}}},
	} {
		s.Reset()
		n.appendSmile(&s)
		f.Add(bytes.Clone(s.Bytes()))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		n, err := parseSmile("fuzz", doc)
		checkTyped(t, err)
		if err != nil {
			return
		}
		fields := 0
		w := jsonWalker{emit: func([]byte, *leaf) { fields++ }}
		w.walk(&n)
		var s SmileWriter
		s.Reset()
		n.appendSmile(&s)
		again, err := parseSmile("fuzz", s.Bytes())
		if err != nil || !bytes.Equal(again.appendJSON(nil), n.appendJSON(nil)) {
			t.Fatalf("%x reads as %s, %x as %s (%v)", doc, n.appendJSON(nil), s.Bytes(), again.appendJSON(nil), err)
		}
		k := NewJSONKey(s.Bytes())
		if k.Compare(&k) != 0 {
			t.Fatalf("%x is not equal to itself", s.Bytes())
		}
	})
}

// FuzzBitmap wants ascending rows in range from any bytes.
func FuzzBitmap(f *testing.F) {
	for _, name := range []string{"concise", "rollup", "nulls-empty"} {
		for _, g := range goldens(f) {
			if g.name != name {
				continue
			}
			r := open(f, g.zip())
			for _, c := range r.columns {
				if c.str == nil || c.str.bitmaps == nil {
					continue
				}
				for id := range min(c.str.bitmaps.count, 3) {
					b, _, err := c.str.bitmaps.at(id)
					if err != nil {
						f.Fatal(err)
					}
					f.Add(bytes.Clone(b), r.rows, c.str.bitmapType == "concise")
				}
			}
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, rows int, concise bool) {
		if rows < 0 || rows > maxRows {
			return
		}
		kind := "roaring"
		if concise {
			kind = "concise"
		}
		last := 0
		err := decodeBitmap(kind, "fuzz", b, rows, func(from, to int) {
			if from < last || to <= from || to > rows {
				t.Errorf("rows %d..%d after %d, of %d", from, to, last, rows)
			}
			last = to
		})
		checkTyped(t, err)
	})
}

// FuzzBlock decompresses any bytes, and what it compressed itself.
func FuzzBlock(f *testing.F) {
	for _, c := range []Codec{CodecLZ4, CodecLZF, CodecZSTD, CodecUncompressed} {
		var k compressor
		b, err := k.compress(c, nil, bytes.Repeat([]byte("segment "), 40))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(c), b)
	}
	f.Fuzz(func(t *testing.T, codec uint8, b []byte) {
		c := Codec(codec)
		if out, err := decompress(c, make([]byte, maxBlock), b); err == nil && len(out) > maxBlock {
			t.Errorf("%v: a block of %d bytes", c, len(out))
		}
		if !c.known() || c == CodecNone || len(b) > maxBlock {
			return
		}
		var k compressor
		packed, err := k.compress(c, nil, b)
		if err != nil {
			t.Fatalf("%v: %v", c, err)
		}
		out, err := decompress(c, make([]byte, maxBlock), packed)
		if err != nil || !bytes.Equal(out, b) {
			t.Errorf("%v: %d bytes came back as %d: %v", c, len(b), len(out), err)
		}
	})
}

// FuzzNumbers reads any bytes as the values of a column.
func FuzzNumbers(f *testing.F) {
	for _, g := range goldens(f) {
		if g.name != "long-auto" && g.name != "numeric-dims" {
			continue
		}
		r := open(f, g.zip())
		for name, c := range r.columns {
			if c.number == nil {
				continue
			}
			cur := cursor{b: r.files[name]}
			cur.str32()
			f.Add(bytes.Clone(cur.str32()), c.number.kind == kindLong)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, long bool) {
		kind := kindDouble
		if long {
			kind = kindLong
		}
		n := &numberPart{name: "fuzz", kind: kind, order: binary.LittleEndian}
		v := &cursor{part: "fuzz", b: b}
		n.readValues(v, nil)
		if v.err != nil {
			checkTyped(t, v.err)
			return
		}
		if long {
			checkTyped(t, readSome[int64](n))
			return
		}
		checkTyped(t, readSome[float64](n))
	})
}

func readSome[T int64 | float32 | float64](n *numberPart) error {
	c := &numericColumn[T]{part: n, block: -1}
	vs := make([]T, 1000)
	for at := 0; at < n.rows; at += len(vs) {
		if err := c.Read(at, vs[:min(len(vs), n.rows-at)], nil); err != nil {
			return err
		}
	}
	return nil
}

// FuzzDictionary reads any bytes as a dictionary, plain or front-coded.
func FuzzDictionary(f *testing.F) {
	for _, g := range goldens(f) {
		if g.name != "front-coded" && g.name != "single-string" && g.name != "nulls-empty" {
			continue
		}
		r := open(f, g.zip())
		for name, c := range r.columns {
			if c.str == nil || c.str.allNull {
				continue
			}
			cur := cursor{b: r.files[name]}
			cur.str32()
			cur.take(5)
			f.Add(bytes.Clone(cur.b))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		s := &stringPartData{name: "fuzz"}
		c := &cursor{part: "fuzz", b: b}
		s.readDictionary(c, nil)
		if c.err != nil {
			checkTyped(t, c.err)
			return
		}
		d, err := s.dictionary()
		if err != nil {
			checkTyped(t, err)
			return
		}
		for i := d.Len() - 1; i >= 0; i-- {
			if v, isNull := d.Value(i); isNull && (i > 0 || v != nil) {
				t.Errorf("value %d is null and %q", i, v)
			}
		}
	})
}
