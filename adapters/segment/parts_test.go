package segment

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"
)

func TestListsOfVersion2AreRead(t *testing.T) {
	for _, g := range goldens(t) {
		if g.name != "nulls-empty" {
			continue
		}
		files := filesOf(t, g)
		r, err := newReader(files)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		want := dumpRowsOf(t, r)
		// The dictionary of column mixed moves into internal files of two
		// elements each.
		col := r.files["mixed"]
		c := &cursor{part: "mixed", b: col}
		c.str32()
		c.take(5)
		head := col[:len(col)-len(c.b)]
		x := c.indexed(nil)
		if c.err != nil || x.count < 5 {
			t.Fatalf("%d values, %v", x.count, c.err)
		}
		b := binary.BigEndian.AppendUint32(append(slices.Clone(head), 2, 1), 1)
		b = binary.BigEndian.AppendUint32(b, uint32(x.count))
		b = binary.BigEndian.AppendUint32(b, 3)
		b = append(append(b, "big"...), c.b...)
		var ends []byte
		for i := range x.count {
			v, isNull, err := x.at(i)
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("big_value_%d", i/2)
			marker := valueMarker
			if isNull {
				marker = nullMarker
			}
			r.files[name] = append(append(r.files[name], marker...), v...)
			ends = binary.LittleEndian.AppendUint32(ends, uint32(len(r.files[name])))
		}
		r.files["big_header"] = ends
		column, err := r.readColumn("mixed", b)
		if err != nil {
			t.Fatal(err)
		}
		r.columns["mixed"] = column
		sameLines(t, "rows", dumpRowsOf(t, r), want)

		delete(r.files, "big_value_1")
		_, err = r.readColumn("mixed", b)
		if err == nil {
			t.Error("no error without one of the files")
		}
		checkTyped(t, err)
	}
}

func TestBigEndianValuesAreRead(t *testing.T) {
	vs := []float64{1.5, -2, math.Inf(1)}
	var run []byte
	for _, v := range vs {
		run = binary.BigEndian.AppendUint64(run, math.Float64bits(v))
	}
	c := &numericColumn[float64]{block: -1, part: &numberPart{
		kind: kindDouble, order: binary.BigEndian, rows: 3, per: 3, bits: 64, codec: CodecNone, run: run,
	}}
	got := make([]float64, 3)
	if err := c.Read(0, got, nil); err != nil || !slices.Equal(got, vs) {
		t.Errorf("doubles %v, %v", got, err)
	}
	ids := make([]uint32, 2)
	for width, b := range map[int][]byte{2: {1, 2, 3, 4}, 3: {0, 1, 2, 0, 3, 4}, 4: {0, 0, 1, 2, 0, 0, 3, 4}} {
		decodeInts(ids, b, width, false)
		if !slices.Equal(ids, []uint32{0x102, 0x304}) {
			t.Errorf("ids of %d bytes: %x", width, ids)
		}
	}
}

func TestConciseFillsAreRead(t *testing.T) {
	words := func(ws ...uint32) (b []byte) {
		for _, w := range ws {
			b = binary.BigEndian.AppendUint32(b, w)
		}
		return b
	}
	for name, c := range map[string]struct {
		b    []byte
		want []uint32
	}{
		"literal":           {words(1<<31 | 0b101), []uint32{0, 2}},
		"zeros, literal":    {words(1, 1<<31|1), []uint32{62}},
		"zeros with a flip": {words(2 << 25), []uint32{1}},
		"ones with a flip":  {words(1<<30|1<<25, 1<<31|1), append(slices.Collect(seq(1, 31)), 31)},
		"ones":              {words(1<<30 | 1), slices.Collect(seq(0, 62))},
	} {
		m, err := toRoaring("concise", name, c.b, 93)
		if err != nil || !slices.Equal(m.ToArray(), c.want) {
			t.Errorf("%s: %v, %v; want %v", name, m, err, c.want)
		}
	}
	for name, b := range map[string][]byte{
		"ones behind the end": words(1<<30 | 3), "literal behind the end": words(2, 1<<31|1), "cut": {1, 2},
	} {
		_, err := toRoaring("concise", name, b, 93)
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		checkTyped(t, err)
	}
}

func seq(from, to uint32) func(func(uint32) bool) {
	return func(yield func(uint32) bool) {
		for ; from < to && yield(from); from++ {
		}
	}
}

func TestNumbersPrintAsJavas(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.0", math.Copysign(0, -1): "-0.0", 1: "1.0", 0.1: "0.1", 1e-3: "0.001", 1e-4: "1.0E-4", 1e7: "1.0E7",
		9999999: "9999999.0", 1.23456789125e8: "1.23456789125E8", math.MaxFloat64: "1.7976931348623157E308",
		math.SmallestNonzeroFloat64: "4.9E-324", -1.5: "-1.5", math.Inf(-1): `"-Infinity"`,
	} {
		if got := string(appendJavaDouble(nil, v, 64)); got != want {
			t.Errorf("%g prints as %s, want %s", v, got, want)
		}
	}
	if got := string(appendJavaDouble(nil, math.SmallestNonzeroFloat32, 32)); got != "1.4E-45" {
		t.Errorf("smallest float prints as %s", got)
	}
}

func TestLZ4LiteralsAreAValidBlock(t *testing.T) {
	for _, n := range []int{0, 1, 14, 15, 16, 269, 270, 271, 5000} {
		src := make([]byte, n)
		for i := range src {
			src[i] = byte(i * i)
		}
		got, err := decompress(CodecLZ4, make([]byte, maxBlock), appendLZ4Literals(nil, src))
		if err != nil || !slices.Equal(got, src) {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

func TestAppendDoesNotAllocate(t *testing.T) {
	w, _ := create(t, Meta{Dimensions: []string{"s"}})
	c, err := w.Long(timeColumn)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(1000, func() { _ = c.Append(7) }); n != 0 {
		t.Errorf("%v allocations per long", n)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	s, err := w.String("s", StringOptions{Dictionary: list{null, "a"}, MultiValue: true})
	if err != nil {
		t.Fatal(err)
	}
	ids := []uint32{0, 1}
	for range 20000 { // grow the window's buffers
		_ = s.AppendMulti(ids)
	}
	if n := testing.AllocsPerRun(1000, func() { _ = s.AppendMulti(ids) }); n >= 1 {
		t.Errorf("%v allocations per list", n)
	}
}
