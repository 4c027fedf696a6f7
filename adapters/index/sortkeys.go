package index

import (
	"cmp"
	"math/bits"
	"slices"
	"sort"
)

const (
	// radixBits is the digit of the sort: 2048 counters stay in the first-level cache.
	radixBits = 11
	// smallSort is the number of rows up to which counting digits does not pay.
	smallSort = 512
	// longRun is how many rows a run has on average where merging runs pays.
	longRun = 256
)

// sortKeys sorts keys of so many significant bits, and the numbers beside them, keeping the order of equal keys. Both
// slices may be used up for it.
func sortKeys(keys []uint64, order []uint32, significant int) ([]uint64, []uint32) {
	switch starts, ok := findRuns(keys, len(keys)/longRun+1); {
	case ok:
		mergeRuns(keys, order, starts)
		return keys, order
	case len(keys) <= smallSort:
		return sortFew(keys, order)
	case significant+bits.Len(uint(len(keys))) <= 64:
		return radixPacked(keys, order, significant)
	}
	return radixPairs(keys, order, significant)
}

func sortFew(keys []uint64, order []uint32) ([]uint64, []uint32) {
	places := make([]uint32, len(keys))
	for i := range places {
		places[i] = uint32(i)
	}
	slices.SortStableFunc(places, func(a, b uint32) int { return cmp.Compare(keys[a], keys[b]) })
	sorted, moved := make([]uint64, len(keys)), make([]uint32, len(keys))
	for i, p := range places {
		sorted[i], moved[i] = keys[p], order[p]
	}
	return sorted, moved
}

// findRuns gives where the runs of ascending keys begin; ok is false where there are more than most.
func findRuns(keys []uint64, most int) (starts []int, ok bool) {
	starts = append(starts, 0)
	for i := 1; i < len(keys); i++ {
		if keys[i] < keys[i-1] {
			if len(starts) == most {
				return nil, false
			}
			starts = append(starts, i)
		}
	}
	return starts, true
}

// mergeRuns merges neighbouring runs until one is left. Rows come in order from each partition of a topic, so an index
// has few runs, and only the ends of most overlap.
func mergeRuns(keys []uint64, order []uint32, starts []int) {
	var tailKeys []uint64
	var tailOrder []uint32
	for len(starts) > 1 {
		kept := starts[:0]
		for i := 0; i < len(starts); i += 2 {
			start := starts[i]
			if i+1 < len(starts) {
				end := len(keys)
				if i+2 < len(starts) {
					end = starts[i+2]
				}
				tailKeys, tailOrder = mergePair(keys[start:end], order[start:end], starts[i+1]-start, tailKeys, tailOrder)
			}
			kept = append(kept, start)
		}
		starts = kept
	}
}

// mergePair merges the runs before and from mid. The rows of the first that come after a row of the second are put aside
// into the tails, which it gives back for the next pair.
func mergePair(keys []uint64, order []uint32, mid int, tailKeys []uint64, tailOrder []uint32) ([]uint64, []uint32) {
	first := keys[mid]
	low := sort.Search(mid, func(i int) bool { return keys[i] > first })
	tailKeys, tailOrder = append(tailKeys[:0], keys[low:mid]...), append(tailOrder[:0], order[low:mid]...)
	to, j := low, mid
	for i := 0; i < len(tailKeys); to++ {
		if j < len(keys) && keys[j] < tailKeys[i] {
			keys[to], order[to] = keys[j], order[j]
			j++
			continue
		}
		keys[to], order[to] = tailKeys[i], tailOrder[i]
		i++
	}
	return tailKeys, tailOrder
}

// radixPacked sorts keys with their places in the low bits, so that a row is one word.
func radixPacked(keys []uint64, order []uint32, significant int) ([]uint64, []uint32) {
	low := bits.Len(uint(len(keys)))
	words, spare := make([]uint64, len(keys)), make([]uint64, len(keys))
	for i, k := range keys {
		words[i] = k<<low | uint64(i)
	}
	for shift := low; shift < low+significant; shift += radixBits {
		var count [1 << radixBits]uint32
		if !countDigits(words, shift, &count) {
			continue
		}
		for _, w := range words {
			c := &count[w>>shift&(1<<radixBits-1)]
			spare[*c] = w
			*c++
		}
		words, spare = spare, words
	}
	moved := make([]uint32, len(keys))
	for i, w := range words {
		keys[i], moved[i] = w>>low, order[w&(1<<low-1)]
	}
	return keys, moved
}

// radixPairs sorts keys that leave no room for places.
func radixPairs(keys []uint64, order []uint32, significant int) ([]uint64, []uint32) {
	keys2, order2 := make([]uint64, len(keys)), make([]uint32, len(order))
	for shift := 0; shift < significant; shift += radixBits {
		var count [1 << radixBits]uint32
		if !countDigits(keys, shift, &count) {
			continue
		}
		for i, k := range keys {
			c := &count[k>>shift&(1<<radixBits-1)]
			keys2[*c], order2[*c] = k, order[i]
			*c++
		}
		keys, keys2, order, order2 = keys2, keys, order2, order
	}
	return keys, order
}

// countDigits turns count into where the words of each digit begin; false: all have the same digit.
func countDigits(words []uint64, shift int, count *[1 << radixBits]uint32) bool {
	for _, w := range words {
		count[w>>shift&(1<<radixBits-1)]++
	}
	if count[words[0]>>shift&(1<<radixBits-1)] == uint32(len(words)) {
		return false
	}
	sum := uint32(0)
	for i, n := range count {
		count[i] = sum
		sum += n
	}
	return true
}
