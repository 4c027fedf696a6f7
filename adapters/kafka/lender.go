package kafka

import (
	"cmp"
	"slices"
	"sync"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	// lendLeast is the size from which memory is lent again; the garbage collector is good enough at what is smaller.
	lendLeast = 16 << 10
	// keptBytes bounds what waits to be lent, of decompressed bytes and of records each.
	keptBytes = 8 << 20
	// firstExpands is how much larger the first batch is thought to be.
	firstExpands = 3
	// lentMost bounds what is noted as lent: nobody says so when the client drops what it holds of a partition.
	lentMost = 4096
)

// lender lends the client the memory of records and of what they were decompressed to, and takes back what the records of
// a poll live in when the next one begins. It knows by their addresses whose memory they are. The client's own pools
// would have each record given back by itself, and all memory cleared. It is safe for concurrent use.
type lender struct {
	others kgo.Decompressor // of all but LZ4

	mu      sync.Mutex // guards what follows
	expands float64    // how many times larger batches are once decompressed, as of late
	bytes   shelf[byte]
	records shelf[kgo.Record]
}

var (
	_ kgo.Decompressor = (*lender)(nil)
	_ kgo.PoolRecords  = (*lender)(nil)
)

// newLender makes one that lends memory again if the polls are whole fetches: the records of a batch must not be split
// over two polls then.
func newLender(whole bool) *lender {
	l := &lender{others: kgo.DefaultDecompressor(), expands: firstExpands}
	l.bytes.reuse, l.records.reuse = whole, whole
	return l
}

// Decompress gives the bytes of a batch; an error says what is damaged, or is kgo.ErrMaxDecompress.
func (l *lender) Decompress(src []byte, codec kgo.CompressionCodecType) ([]byte, error) {
	if codec != kgo.CodecLz4 {
		return l.others.Decompress(src, codec)
	}
	l.mu.Lock()
	dst := l.bytes.take(int(l.expands * float64(len(src))))
	l.mu.Unlock()
	dst, err := decompressLZ4(dst, src, maxBatch)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes.lend(dst)
	l.expands = max(float64(len(dst))/float64(len(src)), l.expands-l.expands/64)
	return dst, nil
}

// GetRecords lends a slice of at least this capacity, whatever is in it: the client sets every field.
func (l *lender) GetRecords(n int) []kgo.Record {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.records.take(n)
	l.records.lend(r)
	return r
}

// PutRecords takes back the records of a batch of which none is handed out.
func (l *lender) PutRecords(r []kgo.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if x := l.records.find(address(unsafe.SliceData(r))); x != nil {
		l.records.restore(*x)
		l.records.lent = slices.DeleteFunc(l.records.lent, func(o loan[kgo.Record]) bool { return o.low == x.low })
	}
}

// use is what is known of the record before.
type use struct {
	slab span
	// settled says that the memory of the slab's records is known, and whose the bytes of all of them are.
	settled bool
}

// note marks the memory of a record that a poll hands out; it tells of the records beside it.
func (l *lender) note(u *use, r *kgo.Record) {
	at := address(r)
	if u.settled && u.slab.has(at) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	*u = use{}
	slab := l.records.find(at)
	if slab != nil {
		u.slab, slab.used = slab.span, true
	}
	b := r.Value
	if len(b) == 0 {
		b = r.Key
	}
	if len(b) == 0 {
		return
	}
	text := l.bytes.find(address(unsafe.SliceData(b)))
	if text != nil {
		text.used = true
	}
	if slab != nil {
		slab.borrows, u.settled = text != nil, true
	}
}

// reclaim takes back what was noted.
func (l *lender) reclaim() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bytes.reclaim(nil)
	l.records.reclaim(func(x loan[kgo.Record]) {
		if !x.borrows {
			clear(x.mem[:cap(x.mem)]) // they would keep a whole answer of the broker
		}
	})
}

// span is a stretch of memory.
type span struct{ low, high uintptr }

func (s span) has(at uintptr) bool { return at-s.low < s.high-s.low }

func address[T any](p *T) uintptr { return uintptr(unsafe.Pointer(p)) }

// shelf is memory of one kind: what waits to be lent, and what is lent, by address.
type shelf[T any] struct {
	reuse bool
	free  [][]T
	size  int // bytes that are free
	lent  []loan[T]
}

type loan[T any] struct {
	span
	mem []T
	// used says that a poll handed it out; borrows, of records, that their bytes are lent too.
	used, borrows bool
}

// take gives memory for n elements. Where all that is free is too small, one of it goes for the new one, which has some room
// over, as batches are of about one size.
func (s *shelf[T]) take(n int) []T {
	last := len(s.free) - 1
	for i := last; i >= 0; i-- {
		if m := s.free[i]; cap(m) >= n || i == 0 {
			s.free[i] = s.free[last]
			s.free[last] = nil
			s.free = s.free[:last]
			s.size -= sizeOf(m)
			if cap(m) >= n {
				return m
			}
		}
	}
	return make([]T, 0, n+n/8)
}

// lend notes memory as lent.
func (s *shelf[T]) lend(m []T) {
	size := sizeOf(m)
	if !s.reuse || size < lendLeast {
		return
	}
	if len(s.lent) == lentMost {
		s.lent = s.lent[:0]
	}
	low := address(unsafe.SliceData(m))
	i, _ := s.place(low)
	s.lent = slices.Insert(s.lent, i, loan[T]{span: span{low, low + uintptr(size)}, mem: m})
}

// place finds the first loan from an address on.
func (s *shelf[T]) place(at uintptr) (int, bool) {
	return slices.BinarySearchFunc(s.lent, at, func(x loan[T], at uintptr) int { return cmp.Compare(x.low, at) })
}

// find gives the loan that an address is in, nil if it is in none.
func (s *shelf[T]) find(at uintptr) *loan[T] {
	i, exact := s.place(at)
	if !exact {
		i--
	}
	if i < 0 || !s.lent[i].has(at) {
		return nil
	}
	return &s.lent[i]
}

// reclaim takes back what is used; tidy sees each.
func (s *shelf[T]) reclaim(tidy func(loan[T])) {
	s.lent = slices.DeleteFunc(s.lent, func(x loan[T]) bool {
		if x.used {
			if tidy != nil {
				tidy(x)
			}
			s.restore(x)
		}
		return x.used
	})
}

func (s *shelf[T]) restore(x loan[T]) {
	if s.size < keptBytes {
		s.free = append(s.free, x.mem[:0])
		s.size += sizeOf(x.mem)
	}
}

func sizeOf[T any](m []T) int {
	var t T
	return cap(m) * int(unsafe.Sizeof(t))
}
