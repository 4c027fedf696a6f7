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
