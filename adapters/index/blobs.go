package index

import "math/bits"

// blobStore keeps some bytes for each row, which may change and grow. They lie in an arena, each in a room of a power of
// two; what outgrows its room moves, and the old one is lost until the next reset, at most as much again as is in use.
type blobStore struct {
	refs  slab[uint64] // place<<28 | length
	arena []byte
}

const (
	blobLengthBits = 28
	blobMaxLength  = 1<<blobLengthBits - 1
	minBlobRoom    = 16
)

func blobRoom(n int) int {
	if n <= minBlobRoom {
		return minBlobRoom
	}
	return 1 << bits.Len(uint(n-1))
}

func (b *blobStore) get(row int) []byte {
	ref := b.refs.at(row)
	at := ref >> blobLengthBits
	return b.arena[at : at+ref&blobMaxLength]
}

// set stores the bytes of a row; fresh says that the row has none yet.
func (b *blobStore) set(row int, v []byte, fresh bool) {
	if !fresh {
		ref := b.refs.at(row)
		if at := ref >> blobLengthBits; len(v) <= blobRoom(int(ref&blobMaxLength)) {
			copy(b.arena[at:], v)
			b.refs.set(row, at<<blobLengthBits|uint64(len(v)))
			return
		}
	}
	at := len(b.arena)
	b.arena = append(b.arena, v...)
	b.arena = append(b.arena, make([]byte, blobRoom(len(v))-len(v))...)
	b.refs.set(row, uint64(at)<<blobLengthBits|uint64(len(v)))
}

func (b *blobStore) reset() { b.arena = b.arena[:0] }
