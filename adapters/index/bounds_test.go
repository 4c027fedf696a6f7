package index

import (
	"context"
	"testing"

	"ogham/domain/row"
)

// TestTimeBoundsHoldFromTheNextBatchOn: rows that came before keep their place.
func TestTimeBoundsHoldFromTheNextBatchOn(t *testing.T) {
	b := newTestBuilder(t, lineConfig(t))
	low, high, later := int64(2000), int64(3000), int64(5000)
	for _, step := range []struct {
		least, most *int64
		records     []Record
		thrown      int64
	}{
		{nil, nil, lines("1000,a,1", "9000,a,1"), 0},
		{&low, &high, lines("1999,b,1", "2000,b,1", "3000,b,1", "3001,b,1"), 2},
		{&low, &later, lines("3001,c,1", "5001,c,1"), 3},
		{nil, &later, lines("1000,d,1", "5001,d,1"), 4},
	} {
		b.SetTimeBounds(step.least, step.most)
		if err := b.AddBatch(step.records); err != nil {
			t.Fatal(err)
		}
		if got := b.Counters().ThrownAway; got != step.thrown {
			t.Errorf("%d rows are thrown away, want %d", got, step.thrown)
		}
	}
	built, err := b.Finish(context.Background())
	if err != nil || len(built) != 1 {
		t.Fatalf("built %+v, %v", built, err)
	}
	want := `{"__time":1000,"w":"a","n":1,"sum":1}` + "\n" + `{"__time":1000,"w":"d","n":1,"sum":1}` + "\n" +
		`{"__time":2000,"w":"b","n":1,"sum":1}` + "\n" + `{"__time":3000,"w":"b","n":1,"sum":1}` + "\n" +
		`{"__time":3001,"w":"c","n":1,"sum":1}` + "\n" + `{"__time":9000,"w":"a","n":1,"sum":1}` + "\n"
	if got := rowsOf(t, built[0].Dir); got != want {
		t.Errorf("rows\n%swant\n%s", got, want)
	}
}

// TestABucketThatBeginsBeforeItsSegmentCountsFromTheSegmentsStart: Druid can allocate no segment for such rows.
func TestABucketThatBeginsBeforeItsSegmentCountsFromTheSegmentsStart(t *testing.T) {
	c := lineConfig(t)
	day, err := row.ParseGranularity("DAY")
	if err != nil {
		t.Fatal(err)
	}
	c.Schema.QueryGranularity = day
	b := newTestBuilder(t, c)
	if err := b.AddBatch(lines("1000,a,1", "3700000,a,2", "3800000,a,3")); err != nil {
		t.Fatal(err)
	}
	built, err := b.Finish(context.Background())
	if err != nil || len(built) != 2 {
		t.Fatalf("built %+v, %v", built, err)
	}
	want := `{"__time":0,"w":"a","n":1,"sum":1}` + "\n" + `{"__time":3600000,"w":"a","n":2,"sum":5}` + "\n"
	if got := rowsOf(t, built[0].Dir) + rowsOf(t, built[1].Dir); got != want {
		t.Errorf("rows\n%swant\n%s", got, want)
	}
}

// TestSegmentsAreOfThePeriodThatWasAskedFor: Druid allocates the next shorter period that has a name.
func TestSegmentsAreOfThePeriodThatWasAskedFor(t *testing.T) {
	c := lineConfig(t)
	period, err := row.PeriodGranularity("PT2H")
	if err != nil {
		t.Fatal(err)
	}
	c.Schema.SegmentGranularity = period
	b := newTestBuilder(t, c)
	if err := b.AddBatch(lines("1000,a,1", "3700000,a,2", "7300000,a,3")); err != nil {
		t.Fatal(err)
	}
	built, err := b.Finish(context.Background())
	if err != nil || len(built) != 2 || built[0].IntervalStart != 0 || built[0].IntervalEnd != 7_200_000 {
		t.Fatalf("built %+v, %v", built, err)
	}
}
