package inputformat

import (
	"slices"
	"unicode/utf16"

	"ogham/domain/row"
)

// javaText is text as Druid prints it: what is not UTF-8 is replaced.
func javaText(b []byte) string { return string(row.JavaUTF8(b)) }

// javaHash is the hash of a Java string.
func javaHash(s string) uint32 {
	h := uint32(0)
	for _, r := range s {
		if r >= 0x10000 {
			high, low := utf16.EncodeRune(r)
			h = (h*31+uint32(high))*31 + uint32(low)
			continue
		}
		h = h*31 + uint32(r)
	}
	return h
}

// hashOrder puts names into the order in which a Java HashSet of them is gone through that was made for a number of
// names. Formats whose reader in Druid uses one discover their fields in this order.
func hashOrder[T any](items []T, name func(T) string, madeFor int) {
	buckets := 16
	for buckets < int(float32(madeFor)/0.75)+1 {
		buckets *= 2
	}
	for len(items) > buckets/4*3 {
		buckets *= 2
	}
	bucket := func(x T) int {
		h := javaHash(name(x))
		return int((h ^ h>>16) & uint32(buckets-1))
	}
	slices.SortStableFunc(items, func(a, b T) int { return bucket(a) - bucket(b) })
}
