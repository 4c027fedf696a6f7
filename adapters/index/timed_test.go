package index

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"ogham/domain/row"
)

// TestALateNonNumberIsAnErrorInAnySplit: whatever is in memory with it, and whatever its time, a value that is no number is
// an error, and not one of the values that the first and last are of.
func TestALateNonNumberIsAnErrorInAnySplit(t *testing.T) {
	for _, c := range []struct{ first, last, want string }{
		{"longFirst", "longLast", `"first":{"lhs":1000,"rhs":4},"last":{"lhs":4000,"rhs":7}`},
		{"doubleFirst", "doubleLast", `"first":{"lhs":1000,"rhs":4.0},"last":{"lhs":4000,"rhs":7.0}`},
		{"floatFirst", "floatLast", `"first":{"lhs":1000,"rhs":4.0},"last":{"lhs":4000,"rhs":7.0}`},
	} {
		for cut := range 7 {
			config := lineConfig(t)
			hour := config.Schema.SegmentGranularity
			first, _ := row.ParseAggregator(c.first)
			last, _ := row.ParseAggregator(c.last)
			config.Schema.QueryGranularity = hour
			config.Schema.Metrics = []row.Metric{
				{Agg: first, Name: "first", FieldName: "x"}, {Agg: last, Name: "last", FieldName: "x"},
			}
			config.MaxSavedParseExceptions = 9
			b := newTestBuilder(t, config)
			records := lines("2000,a,5", "500,a,late", "9000,a,early", "1000,a,4", "4000,a,7", "3000,a,x")
			if err := b.AddBatch(records[:cut]); err != nil {
				t.Fatal(err)
			}
			if err := b.Persist(context.Background()); err != nil {
				t.Fatal(err)
			}
			if err := b.AddBatch(records[cut:]); err != nil {
				t.Fatal(err)
			}
			if n := b.Counters(); n.ProcessedWithError != 3 || n.Processed != 3 {
				t.Errorf("%s cut at %d: %d rows with errors and %d without, want 3 of each", c.first, cut, n.ProcessedWithError, n.Processed)
			}
			built, err := b.Finish(context.Background())
			if err != nil || len(built) != 1 {
				t.Fatal(built, err)
			}
			if got := rowsOf(t, built[0].Dir); !strings.Contains(got, c.want) {
				t.Errorf("%s cut at %d: %s, want %s", c.first, cut, strings.TrimSpace(fmt.Sprint(got)), c.want)
			}
		}
	}
}
