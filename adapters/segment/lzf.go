package segment

import (
	"encoding/binary"
	"errors"
)

// LZF: a block is a list of chunks, each "ZV", a kind and its lengths.
const (
	lzfMaxChunk    = 0xffff
	lzfStored      = 0
	lzfPacked      = 1
	lzfHashBits    = 13
	lzfMaxDistance = 1 << 13
	lzfMaxLiteral  = 32
	lzfMinMatch    = 3
	lzfMaxMatch    = 2 + 7 + 255
)

var errLZF = errors.New("lzf block is damaged")

// lzfCompressor finds matches by one hash of three bytes, without chains.
type lzfCompressor struct {
	table [1 << lzfHashBits]int32
	buf   []byte
}

func (z *lzfCompressor) compress(dst, src []byte) []byte {
	for len(src) > 0 {
		chunk := src[:min(len(src), lzfMaxChunk)]
		src = src[len(chunk):]
		z.buf = z.pack(z.buf[:0], chunk)
		if len(z.buf)+2 < len(chunk) {
			dst = append(dst, 'Z', 'V', lzfPacked)
			dst = binary.BigEndian.AppendUint16(dst, uint16(len(z.buf)))
			dst = binary.BigEndian.AppendUint16(dst, uint16(len(chunk)))
			dst = append(dst, z.buf...)
			continue
		}
		dst = append(dst, 'Z', 'V', lzfStored)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(chunk)))
		dst = append(dst, chunk...)
	}
	return dst
}

// pack appends the inside of a compressed chunk to dst.
func (z *lzfCompressor) pack(dst, src []byte) []byte {
	clear(z.table[:])
	anchor, i := 0, 0
	for i+lzfMinMatch <= len(src) {
		h := lzfHash(src[i:])
		at := int(z.table[h]) - 1
		z.table[h] = int32(i + 1)
		if at < 0 || i-at > lzfMaxDistance || src[at] != src[i] || src[at+1] != src[i+1] || src[at+2] != src[i+2] {
			i++
			continue
		}
		n := lzfMinMatch
		for n < lzfMaxMatch && i+n < len(src) && src[at+n] == src[i+n] {
			n++
		}
		dst = lzfLiterals(dst, src[anchor:i])
		dst = lzfMatch(dst, n, i-at-1)
		i += n
		anchor = i
	}
	return lzfLiterals(dst, src[anchor:])
}

func lzfHash(p []byte) uint32 {
	v := uint32(p[0])<<16 | uint32(p[1])<<8 | uint32(p[2])
	return v * 2654435761 >> (32 - lzfHashBits)
}

func lzfLiterals(dst, lit []byte) []byte {
	for len(lit) > 0 {
		n := min(len(lit), lzfMaxLiteral)
		dst = append(append(dst, byte(n-1)), lit[:n]...)
		lit = lit[n:]
	}
	return dst
}

func lzfMatch(dst []byte, n, distance int) []byte {
	n -= 2
	if n < 7 {
		return append(dst, byte(n<<5|distance>>8), byte(distance))
	}
	return append(dst, byte(7<<5|distance>>8), byte(n-7), byte(distance))
}

// lzfDecompress decodes the chunks of src into dst and returns the part used.
func lzfDecompress(dst, src []byte) ([]byte, error) {
	at := 0
	for len(src) > 0 {
		if len(src) < 5 || src[0] != 'Z' || src[1] != 'V' {
			return nil, errLZF
		}
		kind, n := src[2], int(binary.BigEndian.Uint16(src[3:]))
		src = src[5:]
		switch kind {
		case lzfStored:
			if n > len(src) || n > len(dst)-at {
				return nil, errLZF
			}
			at += copy(dst[at:], src[:n])
		case lzfPacked:
			if len(src) < 2 {
				return nil, errLZF
			}
			size := int(binary.BigEndian.Uint16(src))
			src = src[2:]
			if n > len(src) || size > len(dst)-at || !lzfUnpack(dst[at:at+size], src[:n]) {
				return nil, errLZF
			}
			at += size
		default:
			return nil, errLZF
		}
		src = src[n:]
	}
	return dst[:at], nil
}

// lzfUnpack fills dst from the inside of a compressed chunk and reports
// whether the two fit exactly.
func lzfUnpack(dst, src []byte) bool {
	at := 0
	for len(src) > 0 {
		c := int(src[0])
		src = src[1:]
		if c < 32 {
			n := c + 1
			if n > len(src) || n > len(dst)-at {
				return false
			}
			at += copy(dst[at:], src[:n])
			src = src[n:]
			continue
		}
		n := c>>5 + 2
		if c>>5 == 7 {
			if len(src) == 0 {
				return false
			}
			n += int(src[0])
			src = src[1:]
		}
		if len(src) == 0 {
			return false
		}
		from := at - ((c&31)<<8 | int(src[0])) - 1
		src = src[1:]
		if from < 0 || n > len(dst)-at {
			return false
		}
		for range n {
			dst[at] = dst[from]
			at++
			from++
		}
	}
	return at == len(dst)
}
