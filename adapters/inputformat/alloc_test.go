package inputformat_test

import "testing"

// TestNoAllocationPerRow: once dictionaries and columns have their size, a row allocates nothing.
func TestNoAllocationPerRow(t *testing.T) {
	// Small batches are read by one goroutine, large ones by several.
	for _, batch := range []int{100, 2000} {
		for _, rollup := range []bool{false, true} {
			records := benchRecords(2000)
			x := benchBuilder(t, rollup, 0)
			add := func() {
				for at := 0; at < len(records); at += batch {
					if err := x.AddBatch(records[at : at+batch]); err != nil {
						t.Fatal(err)
					}
				}
			}
			add()
			perRow := testing.AllocsPerRun(5, add) / float64(len(records))
			// What is left are the chunks of columns, one of 8192 rows at a time, and the batches' counters.
			if perRow > 0.02 {
				t.Errorf("rollup %t, batches of %d: %.3f allocations per row", rollup, batch, perRow)
			}
		}
	}
}
