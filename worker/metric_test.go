package worker

import (
	"reflect"
	"testing"

	"ogham/domain/row"
)

// TestACardinalityIsAHyperUniqueOfItsFields reads the aggregator as the spec writes it, alone and within a filter.
func TestACardinalityIsAHyperUniqueOfItsFields(t *testing.T) {
	const inner = `{"type":"cardinality","name":"c","fields":[{"type":"LegacyDimensionSpec","dimension":"a"},` +
		`{"type":"default","dimension":"b"}],"byRow":true,"round":true}`
	want := row.Metric{Agg: row.AggHyperUnique, Name: "c", Fields: []string{"a", "b"}, ByRow: true, Round: true}
	filtered := want
	filtered.Filter = `{"type":"true"}`
	for raw, want := range map[string]row.Metric{
		inner: want, `{"type":"filtered","filter":{"type":"true"},"aggregator":` + inner + `}`: filtered,
	} {
		if got, err := metricOf([]byte(raw)); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v, want %+v", raw, got, err, want)
		}
	}
}

func TestMetricOfAnExpressionHasItsMembers(t *testing.T) {
	x, err := metricOf([]byte(`{"type":"filtered","name":"f","filter":{"type":"true"},"aggregator":{"type":"expression","name":"m","fields":["a"],
		"accumulatorIdentifier":"acc","initialValue":"1","initialCombineValue":"2","isNullUnlessAggregated":false,"shouldAggregateNullInputs":true,
		"shouldCombineAggregateNullInputs":false,"fold":"acc + a","combine":"acc + m","compare":"o1 - o2","finalize":"o","maxSizeBytes":77}}`))
	if err != nil {
		t.Fatal(err)
	}
	want := row.Metric{Agg: row.AggExpression, Name: "m", Filter: `{"type":"true"}`, Lambda: row.Lambda{
		Fold: "acc + a", Combine: "acc + m", Initial: "1", InitialCombine: "2", Accumulator: "acc", Own: "m", FoldsNulls: true,
		Compare: "o1 - o2", Finalize: "o", MaxSizeBytes: 77,
	}}
	if !reflect.DeepEqual(x, want) {
		t.Errorf("the metric is %+v, want %+v", x, want)
	}
}
