package index

import (
	"encoding/base64"
	"fmt"
	"hash/crc32"
	"testing"
)

// sketchOf adds values by their numbers, each stored and loaded again now and then.
func sketchOf(from, to int) *hyperUnique {
	var h hyperUnique
	h.load(nil)
	for i := from; i < to; i++ {
		h.add(fmt.Appendf(nil, "value-%d", i))
		if i%997 == 0 {
			h.load(h.store(nil))
		}
	}
	return &h
}

func sum(b []byte) string { return fmt.Sprintf("%d:%x", len(b), crc32.ChecksumIEEE(b)) }

// TestSketchesAreDruids compares with what Druid's HyperLogLogCollector made of the same values.
func TestSketchesAreDruids(t *testing.T) {
	for n, want := range map[int]string{
		0: "7:3b1bd4ca", 1: "10:5d3d7626", 5: "22:f63e5a12", 100: "301:18a116ef", 127: "376:2b131c5c", 140: "1031:e840e12c",
		3000: "1031:7ae395de", 50000: "1031:85d759a6", 400000: "1031:8ecf9aea",
	} {
		if got := sum(sketchOf(0, n).store(nil)); got != want {
			t.Errorf("sketch of %d values: %s, want %s", n, got, want)
		}
	}
	if got := base64.StdEncoding.EncodeToString(sketchOf(0, 5).store(nil)); got != "AQAABQAAAAIeEAI5EAKsQAMlEAO/AQ==" {
		t.Errorf("sketch of 5 values: %s", got)
	}
}

func TestFoldedSketchesAreDruids(t *testing.T) {
	for _, c := range []struct {
		a, b, c, d int
		want       string
	}{
		{0, 60, 30, 90, "271:a293efdb"}, {0, 3000, 1000, 60000, "1031:ab54c4d2"}, {0, 60000, 50000, 51000, "1031:ab54c4d2"},
		{0, 300000, 300000, 600000, "1031:83f1469d"},
	} {
		h := sketchOf(c.a, c.b)
		h.fold(sketchOf(c.c, c.d))
		if got := sum(h.store(nil)); got != c.want {
			t.Errorf("values %d to %d folded with %d to %d: %s, want %s", c.a, c.b, c.c, c.d, got, c.want)
		}
	}
}

func TestDamagedSketchesLoad(t *testing.T) {
	var h hyperUnique
	for _, b := range [][]byte{{1}, {1, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 1}, {1, 0, 0, 1, 0, 0, 0, 0, 1}, make([]byte, 5000)} {
		h.load(b)
		h.add([]byte("x"))
	}
}
