package kafka

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/pierrec/lz4/v4"
	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// maxBatch is the largest size, in bytes, that a batch is decompressed to: the client's own bound.
	maxBatch = 1 << 30

	lz4Magic = 0x184D2204
	// Bits of a frame's flags.
	lz4Version       = 3 << 6 // 1 in these bits
	lz4Independent   = 1 << 5
	lz4BlockChecksum = 1 << 4
	lz4ContentSize   = 1 << 3
	lz4HasDictionary = 1 << 0
	lz4Stored        = 1 << 31 // of a block's size: its bytes are not compressed
	lz4Window        = 64 << 10
)

var errLZ4Short = errors.New("lz4 frame ends early")

// decompressLZ4 decompresses a batch's LZ4 frame into the memory of dst, or into new memory. The checksums within the
// frame are not looked at: a batch has one of its own, over what is compressed. Java's client reads frames likewise; what
// stands behind the frame does not count there either.
func decompressLZ4(dst, src []byte, most int) ([]byte, error) {
	dst = dst[:0]
	if len(src) < 7 {
		return nil, errLZ4Short
	}
	flags := src[4]
	largest := 1 << (2*(src[5]>>4&7) + 8)
	switch {
	case binary.LittleEndian.Uint32(src) != lz4Magic:
		return nil, errors.New("no lz4 frame")
	case flags&lz4Version != 1<<6:
		return nil, fmt.Errorf("lz4 frame of version %d", flags>>6)
	case flags&lz4HasDictionary != 0:
		return nil, errors.New("lz4 frame needs a dictionary")
	case largest < lz4Window:
		return nil, fmt.Errorf("lz4 frame with blocks of %d bytes", largest)
	}
	src = src[6:]
	if flags&lz4ContentSize != 0 {
		if len(src) < 8 {
			return nil, errLZ4Short
		}
		src = src[8:]
	}
	if len(src) == 0 {
		return nil, errLZ4Short
	}
	src = src[1:] // the header's checksum, which old clients got wrong
	for {
		if len(src) < 4 {
			return nil, errLZ4Short
		}
		head := binary.LittleEndian.Uint32(src)
		size := int(head &^ lz4Stored)
		if src = src[4:]; head == 0 {
			return dst, nil
		}
		if size > len(src) || size > largest {
			return nil, errLZ4Short
		}
		var err error
		if dst, err = appendBlock(dst, src[:size], head&lz4Stored != 0, flags&lz4Independent == 0, largest); err != nil {
			return nil, err
		}
		if len(dst) > most {
			return nil, kgo.ErrMaxDecompress
		}
		if src = src[size:]; flags&lz4BlockChecksum != 0 {
			if len(src) < 4 {
				return nil, errLZ4Short
			}
			src = src[4:]
		}
	}
}

// appendBlock appends the bytes of a block, at most largest. It takes more memory only when there is too little: frames
// with blocks of up to 4 MB are common around much smaller batches.
func appendBlock(dst, block []byte, stored, linked bool, largest int) ([]byte, error) {
	if stored {
		return append(dst, block...), nil
	}
	n := len(dst)
	if n == cap(dst) {
		dst = slices.Grow(dst, lz4Window)
	}
	for {
		var window []byte
		if linked {
			window = dst[max(0, n-lz4Window):n]
		}
		room := min(cap(dst)-n, largest)
		got, err := lz4.UncompressBlockWithDict(block, dst[n:n+room], window)
		if err == nil {
			return dst[:n+got], nil
		}
		if room == largest {
			return nil, fmt.Errorf("lz4 block: %w", err)
		}
		dst = slices.Grow(dst, min(largest, room+room/4+lz4Window))
	}
}
