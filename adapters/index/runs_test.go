package index

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestARunListGivesBackWhatWasAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		parts := rapid.OneOf(rapid.IntRange(1, 40), rapid.Just(1<<29), rapid.Just(1<<24+1)).Draw(t, "parts")
		l := newRunList(parts)
		var want []uint32 // a row each, with its mark
		for range rapid.IntRange(0, 60).Draw(t, "runs") {
			part := rapid.IntRange(0, parts-1).Draw(t, "part")
			if rapid.IntRange(0, 3).Draw(t, "combine") == 0 {
				l.combine(part)
				want = append(want, uint32(part)|combineBit)
				continue
			}
			n := rapid.IntRange(0, 700).Draw(t, "rows")
			l.add(part, n)
			for range n {
				want = append(want, uint32(part))
			}
		}
		l.end()
		var got []uint32
		for _, block := range l.blocks {
			for _, word := range block {
				part, n := l.split(word)
				if n < 1 {
					t.Fatalf("a run of %d rows", n)
				}
				for range n {
					got = append(got, uint32(part)|word&combineBit)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("%d rows, want %d", len(got), len(want))
		}
	})
}
