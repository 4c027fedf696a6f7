package segment

import (
	"fmt"
	"sync"

	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// maxBlock is the largest block before compression: the buffer into which
// Druid's reader decompresses.
const maxBlock = 1 << 16

// compressor compresses blocks; it is used by one goroutine.
type compressor struct {
	lz4  lz4Compressor
	lzf  lzfCompressor
	zstd *zstd.Encoder
}

// compress appends src, as one block of codec c, to dst.
func (k *compressor) compress(c Codec, dst, src []byte) ([]byte, error) {
	switch c {
	case CodecUncompressed:
		return append(dst, src...), nil
	case CodecLZ4:
		return k.lz4.compress(dst, src), nil
	case CodecLZF:
		return k.lzf.compress(dst, src), nil
	case CodecZSTD:
		if k.zstd == nil {
			e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault), zstd.WithEncoderCRC(false))
			if err != nil {
				return nil, fmt.Errorf("make zstd encoder: %w", err)
			}
			k.zstd = e
		}
		return k.zstd.EncodeAll(src, dst), nil
	}
	return nil, fmt.Errorf("compress block: %v has no blocks", c)
}

// zstdDecoder is shared: its DecodeAll may be used by many goroutines, and it
// owns none as long as only DecodeAll is called.
var zstdDecoder = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBlock), zstd.WithDecoderLowmem(true))
})

// decompress decodes one block into dst, whose length is the most that the
// block may hold, and returns what it held. The result may alias src.
func decompress(c Codec, dst, src []byte) ([]byte, error) {
	switch c {
	case CodecUncompressed:
		if len(src) > len(dst) {
			return nil, fmt.Errorf("block of %d bytes, at most %d fit", len(src), len(dst))
		}
		return src, nil
	case CodecLZ4:
		n, err := lz4.UncompressBlock(src, dst)
		if err != nil {
			return nil, fmt.Errorf("lz4 block: %w", err)
		}
		return dst[:n], nil
	case CodecLZF:
		return lzfDecompress(dst, src)
	case CodecZSTD:
		d, err := zstdDecoder()
		if err != nil {
			return nil, fmt.Errorf("make zstd decoder: %w", err)
		}
		out, err := d.DecodeAll(src, dst[:0])
		if err != nil {
			return nil, fmt.Errorf("zstd block: %w", err)
		}
		if len(out) > len(dst) {
			return nil, fmt.Errorf("zstd block of %d bytes, at most %d fit", len(out), len(dst))
		}
		return out, nil
	}
	return nil, fmt.Errorf("unknown codec %#x", uint8(c))
}
