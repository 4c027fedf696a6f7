package inputformat_test

import "testing"

// TestNoAllocationPerRow: once dictionaries and columns have their size, a row allocates nothing.
func TestNoAllocationPerRow(t *testing.T) {
	for _, rollup := range []bool{false, true} {
		records := benchRecords(2000)
		x := benchBuilder(t, rollup, 0)
		add := func() {
			for at := 0; at < len(records); at += 100 {
				if err := x.AddBatch(records[at : at+100]); err != nil {
					t.Fatal(err)
				}
			}
		}
		add()
		perRow := testing.AllocsPerRun(5, add) / float64(len(records))
		// What is left are the chunks of columns, one of 8192 rows at a time, and the batches' counters.
		if perRow > 0.02 {
			t.Errorf("rollup %t: %.3f allocations per row", rollup, perRow)
		}
	}
}
