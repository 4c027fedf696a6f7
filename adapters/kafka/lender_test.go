package kafka

import (
	"testing"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kgo"
)

// batchOf has the lender give the memory of n records, each with ten of the bytes.
func batchOf(l *lender, n int, text []byte) []kgo.Record {
	r := l.GetRecords(n)[:n]
	for i := range r {
		r[i] = kgo.Record{Value: text[10*i : 10*i+10]}
	}
	return r
}

func note(l *lender, records []kgo.Record) {
	var u use
	for i := range records {
		l.note(&u, &records[i])
	}
}

func TestMemoryIsLentAgainOnceItsRecordsWereHandedOut(t *testing.T) {
	const n = 2000
	l := newLender(true)
	text := make([]byte, 10*n, 20*n)
	l.bytes.lend(text)
	compressed, plain := batchOf(l, n, text), batchOf(l, n, make([]byte, 10*n))
	waiting := batchOf(l, n, make([]byte, 10*n))
	note(l, compressed[5:])
	note(l, plain)
	l.reclaim()
	if len(l.records.free) != 2 || len(l.bytes.free) != 1 || unsafe.SliceData(l.bytes.free[0]) != unsafe.SliceData(text) {
		t.Fatalf("taken back: records of %d batches, bytes of %d, want those of 2 and of 1", len(l.records.free), len(l.bytes.free))
	}
	if plain[7].Value != nil || compressed[7].Value == nil || waiting[7].Value == nil {
		t.Errorf("values are there (not compressed, compressed, not handed out): %t, %t, %t, want false, true, true",
			plain[7].Value != nil, compressed[7].Value != nil, waiting[7].Value != nil)
	}
	if again := l.bytes.take(20 * n); unsafe.SliceData(again) != unsafe.SliceData(text) {
		t.Errorf("other bytes are lent than those that were taken back")
	}
	if more := l.bytes.take(20 * n); unsafe.SliceData(more) == unsafe.SliceData(text) {
		t.Errorf("the same bytes are lent twice")
	}
	note(l, waiting)
	l.reclaim()
	if len(l.records.lent) != 0 {
		t.Errorf("records of %d batches are still lent", len(l.records.lent))
	}
}

func TestMemoryOfUnwantedRecordsIsTakenBackAtOnce(t *testing.T) {
	l := newLender(true)
	wanted, unwanted := batchOf(l, 200, make([]byte, 2000)), batchOf(l, 200, make([]byte, 2000))
	note(l, wanted)
	l.PutRecords(unwanted)
	if len(l.records.free) != 1 || unsafe.SliceData(l.records.free[0]) != unsafe.SliceData(unwanted) || len(l.records.lent) != 1 {
		t.Errorf("%d are free and %d lent, want the unwanted ones free and the others lent", len(l.records.free), len(l.records.lent))
	}
}

func TestNothingIsLentAgainWherePollsSplitBatches(t *testing.T) {
	l := newLender(false)
	note(l, batchOf(l, 2000, make([]byte, 20000)))
	l.reclaim()
	if len(l.records.free) != 0 || len(l.records.lent) != 0 {
		t.Errorf("%d are free and %d lent", len(l.records.free), len(l.records.lent))
	}
}
