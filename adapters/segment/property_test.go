package segment

import (
	"bytes"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"unicode/utf16"

	"github.com/RoaringBitmap/roaring/v2"
	"pgregory.net/rapid"
)

// model is a random segment as plain values.
type model struct {
	spec    IndexSpec
	rows    int
	times   []int64
	longs   nullableColumn[int64]
	floats  nullableColumn[float32]
	doubles nullableColumn[float64]
	dict    list
	single  []uint32
	multi   [][]uint32
	index   bool
}

type nullableColumn[T int64 | float32 | float64] struct {
	vs    []T
	nulls []bool
}

// drawColumn repeats a short random pattern over the rows: long columns are
// wanted for their blocks, not for their entropy.
func drawColumn[T int64 | float32 | float64](t *rapid.T, rows int, g *rapid.Generator[T]) nullableColumn[T] {
	vs := rapid.SliceOfN(g, 1, 50).Draw(t, "values")
	nulls := rapid.SliceOfN(rapid.Bool(), 1, 7).Draw(t, "nulls")
	var c nullableColumn[T]
	for i := range rows {
		c.vs = append(c.vs, vs[i%len(vs)])
		c.nulls = append(c.nulls, nulls[i/3%len(nulls)])
	}
	return c
}

func drawModel(t *rapid.T) model {
	codecs := []Codec{CodecLZ4, CodecLZF, CodecZSTD, CodecUncompressed}
	m := model{
		spec: IndexSpec{
			Bitmap:               rapid.SampledFrom([]string{"roaring", "concise"}).Draw(t, "bitmap"),
			DimensionCompression: rapid.SampledFrom(codecs).Draw(t, "dimensions"),
			MetricCompression:    rapid.SampledFrom(append(codecs, CodecNone)).Draw(t, "metrics"),
			LongEncoding:         rapid.SampledFrom([]string{"longs", "auto"}).Draw(t, "long encoding"),
			FrontCoding: FrontCoding{
				BucketSize:    rapid.SampledFrom([]int{0, 1, 4, 16, 128}).Draw(t, "bucket size"),
				FormatVersion: rapid.IntRange(0, 1).Draw(t, "format version"),
			},
			JSONCompression: rapid.SampledFrom(codecs).Draw(t, "json"),
		},
		index: rapid.Bool().Draw(t, "index"),
		rows:  rapid.OneOf(rapid.IntRange(0, 40), rapid.SampledFrom([]int{8191, 8192, 16385, 65535, 65537, 140_000})).Draw(t, "rows"),
	}
	m.times = drawColumn(t, m.rows, rapid.Int64()).vs
	m.longs = drawColumn(t, m.rows, rapid.Int64())
	m.floats = drawColumn(t, m.rows, rapid.Float32())
	m.doubles = drawColumn(t, m.rows, rapid.Float64())
	words := rapid.SliceOfNDistinct(rapid.String(), 1, rapid.SampledFrom([]int{1, 5, 300}).Draw(t, "cardinality"), rapid.ID[string]).Draw(t, "words")
	words = slices.DeleteFunc(words, func(s string) bool { return s == null })
	slices.SortFunc(words, compareByUTF16)
	m.dict = append(list{null}, words...)
	ids := rapid.SliceOfN(rapid.IntRange(0, len(m.dict)-1), 1, 100).Draw(t, "ids")
	lengths := rapid.SliceOfN(rapid.IntRange(0, 4), 1, 5).Draw(t, "lengths")
	for i := range m.rows {
		m.single = append(m.single, uint32(ids[i%len(ids)]))
		var row []uint32
		for j := range lengths[i%len(lengths)] {
			row = append(row, uint32(ids[(i+j*j)%len(ids)]))
		}
		m.multi = append(m.multi, row)
	}
	return m
}

// compareByUTF16 is the order by its definition.
func compareByUTF16(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

func (m model) write(t *rapid.T, dir string) {
	w, err := Create(dir, Meta{
		IntervalEnd: 1, Dimensions: []string{"single", "multi", "longs"},
		Metrics: []MetricMeta{{Type: "floatSum", Name: "floats"}, {Type: "doubleSum", Name: "doubles"}},
	}, m.spec)
	check(t, err)
	defer w.Abort()
	c, err := w.Long(timeColumn)
	check(t, err)
	check(t, c.AppendBatch(m.times, nil))
	check(t, c.Close())
	c, err = w.Long("longs")
	check(t, err)
	writeNumbers(t, &c.numericWriter, m.longs)
	f, err := w.Float("floats")
	check(t, err)
	writeNumbers(t, &f.numericWriter, m.floats)
	d, err := w.Double("doubles")
	check(t, err)
	writeNumbers(t, &d.numericWriter, m.doubles)
	s, err := w.String("single", StringOptions{Dictionary: m.dict, NoBitmaps: !m.index})
	check(t, err)
	check(t, s.AppendBatch(m.single))
	check(t, s.Close())
	s, err = w.String("multi", StringOptions{Dictionary: m.dict, NoBitmaps: !m.index, MultiValue: true})
	check(t, err)
	for _, row := range m.multi {
		check(t, s.AppendMulti(row))
	}
	check(t, s.Close())
	_, err = w.Close()
	check(t, err)
}

func check(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// writeNumbers appends in batches of growing odd sizes and one by one.
func writeNumbers[T int64 | float32 | float64](t *rapid.T, w *numericWriter[T], c nullableColumn[T]) {
	for at, k := 0, 1; at < len(c.vs); k = k*3 + 1 {
		if c.nulls[at] {
			check(t, w.AppendNull())
		} else {
			check(t, w.Append(c.vs[at]))
		}
		at++
		to := min(at+k, len(c.vs))
		check(t, w.AppendBatch(c.vs[at:to], c.nulls[at:to]))
		at = to
	}
	check(t, w.Close())
}

func readNumbers[T int64 | float32 | float64](t *rapid.T, what string, r *numericColumn[T], c nullableColumn[T], bits func(T) uint64) {
	if r.HasNulls() != slices.Contains(c.nulls, true) {
		t.Fatalf("%s: HasNulls %v", what, r.HasNulls())
	}
	start := 0
	if len(c.vs) > 0 {
		start = rapid.IntRange(0, len(c.vs)-1).Draw(t, "start")
	}
	got, nulls := make([]T, len(c.vs)), make([]bool, len(c.vs))
	check(t, r.Read(start, got[start:], nulls[start:]))
	check(t, r.Read(0, got[:start], nulls[:start]))
	for i, v := range c.vs {
		if c.nulls[i] {
			v = 0
		}
		if nulls[i] != c.nulls[i] || bits(got[i]) != bits(v) {
			t.Fatalf("%s: row %d is %v, null %v; want %v, null %v", what, i, got[i], nulls[i], c.vs[i], c.nulls[i])
		}
	}
}

func (m model) read(t *rapid.T, dir string) {
	r, err := Open(dir)
	check(t, err)
	defer r.Close()
	if r.Rows() != m.rows {
		t.Fatalf("%d rows, want %d", r.Rows(), m.rows)
	}
	longBits := func(v int64) uint64 { return uint64(v) }
	c, err := r.Long(timeColumn)
	check(t, err)
	readNumbers(t, timeColumn, &c.numericColumn, nullableColumn[int64]{m.times, make([]bool, m.rows)}, longBits)
	c, err = r.Long("longs")
	check(t, err)
	readNumbers(t, "longs", &c.numericColumn, m.longs, longBits)
	f, err := r.Float("floats")
	check(t, err)
	readNumbers(t, "floats", &f.numericColumn, m.floats, func(v float32) uint64 { return uint64(math.Float32bits(v)) })
	d, err := r.Double("doubles")
	check(t, err)
	readNumbers(t, "doubles", &d.numericColumn, m.doubles, math.Float64bits)

	s, err := r.String("single")
	check(t, err)
	ids := make([]uint32, m.rows)
	check(t, s.Read(0, ids))
	if !slices.Equal(ids, m.single) {
		t.Fatal("single: ids differ")
	}
	m.readBitmaps(t, s, func(i int) []uint32 { return m.single[i : i+1] })
	s, err = r.String("multi")
	check(t, err)
	ends, ids, err := s.ReadLists(0, m.rows, nil, nil)
	check(t, err)
	from := 0
	for i, row := range m.multi {
		if !slices.Equal(ids[from:ends[i]], row) {
			t.Fatalf("multi: row %d is %v, want %v", i, ids[from:ends[i]], row)
		}
		from = ends[i]
	}
	m.readBitmaps(t, s, func(i int) []uint32 {
		if len(m.multi[i]) == 0 {
			return []uint32{0}
		}
		return m.multi[i]
	})
}

// readBitmaps wants each value's rows, read by us and by the roaring library.
func (m model) readBitmaps(t *rapid.T, s *StringColumn, row func(i int) []uint32) {
	if s.HasBitmaps() != m.index {
		t.Fatalf("HasBitmaps is %v", s.HasBitmaps())
	}
	if !m.index {
		return
	}
	want := make([]*roaring.Bitmap, len(m.dict))
	for i := range want {
		want[i] = roaring.New()
	}
	for i := range m.rows {
		for _, id := range row(i) {
			want[id].Add(uint32(i))
		}
	}
	for id := range want {
		if v, isNull := s.Dictionary().Value(id); isNull != (m.dict[id] == null) || !isNull && string(v) != m.dict[id] {
			t.Fatalf("value %d is %q, want %q", id, v, m.dict[id])
		}
		got, err := s.Bitmap(id)
		check(t, err)
		if !got.Equals(want[id]) {
			t.Fatalf("bitmap of %d is %v, want %v", id, got, want[id])
		}
		b, _, err := s.part.bitmaps.at(id)
		check(t, err)
		if lib := roaring.New(); len(b) > 0 && m.spec.Bitmap == bitmapRoaring {
			if _, err := lib.ReadFrom(bytes.NewReader(b)); err != nil || lib.Validate() != nil || !lib.Equals(want[id]) {
				t.Fatalf("bitmap of %d is not what the library reads: %v, %v", id, err, lib.Validate())
			}
		} else if len(b) == 0 && !want[id].IsEmpty() {
			t.Fatalf("bitmap of %d has no bytes", id)
		}
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	root := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(root, "")
		check(t, err)
		defer os.RemoveAll(dir)
		m := drawModel(t)
		dir = filepath.Join(dir, "segment")
		m.write(t, dir)
		m.read(t, dir)
	})
}

func TestCompareUTF16IsTheOrderOfCodeUnits(t *testing.T) {
	special := rapid.SampledFrom([]string{"", "a", "\uffee", "\U0001f600", "\U0010ffff", "\ue000", "\ud7ff", "é", "\uffff", "\U00010000"})
	text := rapid.Custom(func(t *rapid.T) string {
		return special.Draw(t, "a") + rapid.OneOf(special, rapid.String()).Draw(t, "b") + special.Draw(t, "c")
	})
	rapid.Check(t, func(t *rapid.T) {
		a, b := text.Draw(t, "x"), text.Draw(t, "y")
		got, want := CompareUTF16([]byte(a), []byte(b)), compareByUTF16(a, b)
		if big.NewInt(int64(got)).Sign() != want {
			t.Fatalf("compare %q, %q: %d, want %d", a, b, got, want)
		}
	})
}

func TestHighCardinalityBitmapsAgreeWithTheLibrary(t *testing.T) {
	const rows, card = 200_000, 70_000 // above countedIDs and gatherIDs
	p := newPool()
	defer p.stop()
	b := newBitmapStream(&Writer{pool: p, spec: DefaultIndexSpec()}, card, false)
	want := make([]*roaring.Bitmap, card)
	ids := make([]uint32, rows)
	for i := range ids {
		id := uint32(i*7919+i/3) % card
		if i%5 == 0 {
			id = 69_999
		}
		ids[i] = id
		if want[id] == nil {
			want[id] = roaring.New()
		}
		want[id].Add(uint32(i))
	}
	b.addRows(ids)
	b.finish()
	g := gatherer{windows: b.windows}
	for id := range want {
		got := appendRoaring(nil, g.containers(uint32(id)))
		var lib []byte
		if want[id] != nil {
			want[id].RunOptimize()
			var err error
			if lib, err = want[id].ToBytes(); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, lib) {
			t.Fatalf("bitmap of %d is %x, the library's %x", id, got, lib)
		}
	}
}
