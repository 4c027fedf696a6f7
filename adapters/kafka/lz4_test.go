package kafka

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
	"pgregory.net/rapid"
)

// lz4Frame compresses as a producer does.
func lz4Frame(t interface{ Fatal(...any) }, content []byte, options ...lz4.Option) []byte {
	var out bytes.Buffer
	w := lz4.NewWriter(&out)
	if err := w.Apply(options...); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestEveryFrameOfLZ4IsDecompressed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "word")
		noise := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "noise")
		content := append(bytes.Repeat(word, rapid.IntRange(0, 9000).Draw(t, "times")), noise...)
		size := rapid.SampledFrom([]lz4.BlockSize{lz4.Block64Kb, lz4.Block256Kb, lz4.Block1Mb, lz4.Block4Mb}).Draw(t, "block")
		frame := lz4Frame(t, content, lz4.BlockSizeOption(size),
			lz4.ChecksumOption(rapid.Bool().Draw(t, "content checksum")),
			lz4.BlockChecksumOption(rapid.Bool().Draw(t, "block checksum")),
			lz4.SizeOption(uint64(len(content))*uint64(rapid.IntRange(0, 1).Draw(t, "size"))))
		memory := make([]byte, 0, rapid.IntRange(0, 1<<17).Draw(t, "memory"))
		got, err := decompressLZ4(memory, frame, maxBatch)
		if err != nil || !bytes.Equal(got, content) {
			t.Fatalf("%d bytes in a frame of %d give %d bytes, %v", len(content), len(frame), len(got), err)
		}
		if _, err := decompressLZ4(memory, frame, len(content)-1); len(content) > 0 && !errors.Is(err, kgo.ErrMaxDecompress) {
			t.Fatalf("%d bytes of at most %d: %v", len(content), len(content)-1, err)
		}
		cut := rapid.IntRange(0, len(frame)-1).Draw(t, "cut")
		if got, err := decompressLZ4(memory, frame[:cut], maxBatch); err == nil && !bytes.Equal(got, content) {
			t.Fatalf("the first %d of %d bytes of a frame give %d other bytes", cut, len(frame), len(got))
		}
	})
}

// TestBlocksThatLeanOnThoseBeforeAreDecompressed reads a frame that was made by hand: this library's writer has
// independent blocks only.
func TestBlocksThatLeanOnThoseBeforeAreDecompressed(t *testing.T) {
	frame := []byte{
		0x04, 0x22, 0x4D, 0x18, 1 << 6, 4 << 4, 0,
		6, 0, 0, 0, 0x50, 'h', 'e', 'l', 'l', 'o', // five literals
		// A match of seven bytes, five before, and five literals.
		9, 0, 0, 0, 0x03, 5, 0, 0x50, 'w', 'o', 'r', 'l', 'd',
		0, 0, 0, 0,
	}
	got, err := decompressLZ4(nil, frame, maxBatch)
	if want := "hellohelloheworld"; err != nil || string(got) != want {
		t.Errorf("a frame of linked blocks gives %q, %v, want %q", got, err, want)
	}
}

func FuzzLZ4Frame(f *testing.F) {
	for _, s := range []string{"", "one row", string(bytes.Repeat([]byte(`{"page":"a"}`), 10_000))} {
		f.Add(lz4Frame(f, []byte(s)))
		f.Add(lz4Frame(f, []byte(s), lz4.BlockSizeOption(lz4.Block64Kb), lz4.BlockChecksumOption(true), lz4.SizeOption(uint64(len(s)))))
	}
	f.Fuzz(func(t *testing.T, frame []byte) {
		const most = 1 << 22
		got, err := decompressLZ4(nil, frame, most)
		want, reference := io.ReadAll(io.LimitReader(lz4.NewReader(bytes.NewReader(frame)), most+1))
		// The library also passes over frames of another kind.
		ours := len(frame) >= 4 && binary.LittleEndian.Uint32(frame) == lz4Magic
		if ours && reference == nil && len(want) <= most && (err != nil || !bytes.HasPrefix(want, got)) {
			t.Fatalf("%x gives %d bytes, %v, and with the library %d", frame, len(got), err, len(want))
		}
	})
}
