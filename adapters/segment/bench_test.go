package segment

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// words is a dictionary of card values of equal length, made without fmt, whose
// cost would hide the writer's.
type words struct {
	card int
	buf  []byte
}

func newWords(card int) *words { return &words{card, []byte("value-00000000")} }

func (d *words) Len() int { return d.card }

func (d *words) Value(i int) ([]byte, bool) {
	for at := len(d.buf) - 1; at > 5; at-- {
		d.buf[at] = byte('0' + i%10)
		i /= 10
	}
	return d.buf, false
}

// BenchmarkWriteSegment writes rows of nine columns: time, five strings of
// growing cardinality, two longs and a double.
func BenchmarkWriteSegment(b *testing.B) {
	const rows, batch = 1_000_000, 4096
	cards := []int{4, 200, 5_000, 100_000, 1_000_000}
	m := Meta{IntervalEnd: 1 << 40, Metrics: []MetricMeta{{Type: "longSum", Name: "l1"}, {Type: "longSum", Name: "l2"}, {Type: "doubleSum", Name: "d"}}}
	for i := range cards {
		m.Dimensions = append(m.Dimensions, fmt.Sprint("s", i))
	}
	root := b.TempDir()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		dir := filepath.Join(root, fmt.Sprint(n))
		n++
		w, err := Create(dir, m, DefaultIndexSpec())
		if err != nil {
			b.Fatal(err)
		}
		r := uint64(1)
		next := func() uint64 { r = r*6364136223846793005 + 1442695040888963407; return r >> 33 }
		longs, doubles, ids := make([]int64, batch), make([]float64, batch), make([]uint32, batch)
		for c, name := range []string{timeColumn, "l1", "l2"} {
			col, err := w.Long(name)
			for at := 0; at < rows && err == nil; at += batch {
				k := min(batch, rows-at)
				for i := range k {
					longs[i] = []int64{1772323200000 + int64(at+i)/100, int64(next() % 1000), int64(next())}[c]
				}
				err = col.AppendBatch(longs[:k], nil)
			}
			if err == nil {
				err = col.Close()
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		col, err := w.Double("d")
		for at := 0; at < rows && err == nil; at += batch {
			k := min(batch, rows-at)
			for i := range k {
				doubles[i] = float64(next()%100000) / 100
			}
			err = col.AppendBatch(doubles[:k], nil)
		}
		if err == nil {
			err = col.Close()
		}
		if err != nil {
			b.Fatal(err)
		}
		for c, card := range cards {
			col, err := w.String(m.Dimensions[c], StringOptions{Dictionary: newWords(card)})
			for at := 0; at < rows && err == nil; at += batch {
				k := min(batch, rows-at)
				for i := range k {
					ids[i] = uint32(next() % uint64(card))
				}
				err = col.AppendBatch(ids[:k])
			}
			if err == nil {
				err = col.Close()
			}
			if err != nil {
				b.Fatal(err)
			}
		}
		size, err := w.Close()
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(size)
		if err := os.RemoveAll(dir); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(rows*n)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkAppend adds values one by one, the slow way.
func BenchmarkAppend(b *testing.B) {
	w, _ := create(b, Meta{Dimensions: []string{"s"}})
	c, err := w.Long(timeColumn)
	if err != nil {
		b.Fatal(err)
	}
	for i := 0; b.Loop(); i++ {
		if err := c.Append(int64(i)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkAppendMulti adds lists of two values.
func BenchmarkAppendMulti(b *testing.B) {
	w, _ := create(b, Meta{Dimensions: []string{"s"}})
	c, err := w.String("s", StringOptions{Dictionary: newWords(1000), MultiValue: true})
	if err != nil {
		b.Fatal(err)
	}
	ids := []uint32{0, 0}
	for i := uint32(0); b.Loop(); i++ {
		ids[0], ids[1] = i%1000, i*7%1000
		if err := c.AppendMulti(ids); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkCompareUTF16 compares words of a common prefix.
func BenchmarkCompareUTF16(b *testing.B) {
	x, y := []byte("https://example.org/a/path"), []byte("https://example.org/a/pbth")
	for b.Loop() {
		if CompareUTF16(x, y) >= 0 {
			b.Fatal("wrong order")
		}
	}
}
