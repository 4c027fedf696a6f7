package segment

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/pierrec/lz4/v4"
)

// lz4Columns are blocks as the columns of a segment have them.
func lz4Columns() map[string][]byte {
	r := rand.New(rand.NewPCG(1, 2))
	cols := map[string][]byte{}
	long := func(name string, v uint64) {
		if len(cols[name]) < maxBlock {
			cols[name] = binary.LittleEndian.AppendUint64(cols[name], v)
		}
	}
	short := func(name string, v uint16) {
		if len(cols[name]) < maxBlock {
			cols[name] = binary.LittleEndian.AppendUint16(cols[name], v)
		}
	}
	for i := range maxBlock {
		long("times 10 ms apart", uint64(1763596800000+int64(i)*10))
		long("one of 100 longs", uint64(r.IntN(100)))
		long("one of 1000 longs", uint64(r.IntN(1000)))
		long("doubles of three decimals", math.Float64bits(float64(r.IntN(1_000_000))/1000))
		short("ids of 20000", uint16(r.IntN(20000)))
		cols["ids of 10"] = append(cols["ids of 10"], byte(r.IntN(10)))
		cols["ids of 3"] = append(cols["ids of 3"], byte(r.IntN(3)))
		cols["one in ten"] = append(cols["one in ten"], byte(r.IntN(10)/9))
		cols["zeros"] = append(cols["zeros"], 0)
	}
	return cols
}

func TestLZ4BlocksAreSmallerThanThoseOfHighCompression(t *testing.T) {
	var z lz4Compressor
	ours, theirs := 0, 0
	for name, src := range lz4Columns() {
		got := z.compress(nil, src)
		out := make([]byte, len(src))
		if n, err := lz4.UncompressBlock(got, out); err != nil || n != len(src) || !bytes.Equal(out, src) {
			t.Fatalf("%s: %d bytes come back of %d: %v", name, n, len(src), err)
		}
		high := make([]byte, lz4.CompressBlockBound(len(src)))
		n, err := (&lz4.CompressorHC{Level: lz4.Level9}).CompressBlock(src, high)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			n = len(src)
		}
		t.Logf("%-28s %6d bytes, %6d by high compression", name, len(got), n)
		ours, theirs = ours+len(got), theirs+n
	}
	if ours > theirs {
		t.Errorf("%d bytes, %d by high compression", ours, theirs)
	}
}

// Words of different sizes and alphabets, in which some bytes vary and some do not, in blocks that end within a word.
func TestLZ4BlocksOfWordsComeBack(t *testing.T) {
	var z, fresh lz4Compressor
	for i := range 20_000 {
		r := rand.New(rand.NewPCG(1, uint64(i)))
		src := make([]byte, r.IntN(80))
		if i%10 == 0 {
			src = make([]byte, r.IntN(3000))
		}
		word, alphabet, noise := []int{1, 2, 3, 4, 8}[r.IntN(5)], 1+r.IntN(5), []int{0, 1, 30}[r.IntN(3)]
		for at := range src {
			if at%word == 0 || r.IntN(60) < noise {
				src[at] = byte(r.IntN(alphabet))
			}
		}
		got := z.compress(nil, src)
		out := make([]byte, len(src))
		if n, err := lz4.UncompressBlock(got, out); err != nil || n != len(src) || !bytes.Equal(out, src) {
			t.Fatalf("block %d: %v come back as %v: %v", i, src, out[:max(n, 0)], err)
		}
		if i%1000 != 0 {
			continue
		}
		fresh = lz4Compressor{}
		if again := fresh.compress(nil, src); !bytes.Equal(got, again) {
			t.Fatalf("block %d: what a compressor did before shows: %v and %v", i, got, again)
		}
	}
}

func FuzzLZ4Compress(f *testing.F) {
	for _, src := range lz4Columns() {
		f.Add(src[:3000])
	}
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab"))
	var z lz4Compressor
	f.Fuzz(func(t *testing.T, src []byte) {
		src = src[:min(len(src), maxBlock)]
		got := z.compress([]byte("before"), src)
		out := make([]byte, len(src))
		n, err := lz4.UncompressBlock(got[len("before"):], out)
		if err != nil || n != len(src) || !bytes.Equal(out, src) || !bytes.HasPrefix(got, []byte("before")) {
			t.Fatalf("%d bytes come back of %d: %v", n, len(src), err)
		}
		if most := lz4.CompressBlockBound(len(src)); len(got)-len("before") > most {
			t.Fatalf("%d bytes became %d, at most %d are allowed", len(src), len(got), most)
		}
	})
}

func BenchmarkLZ4Compress(b *testing.B) {
	var z lz4Compressor
	for name, src := range lz4Columns() {
		dst := make([]byte, 0, 2*maxBlock)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			b.ReportAllocs()
			for b.Loop() {
				dst = z.compress(dst[:0], src)
			}
		})
	}
}
