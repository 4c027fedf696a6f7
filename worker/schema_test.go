package worker

import (
	"reflect"
	"strings"
	"testing"

	"ogham/domain/row"
	"ogham/domain/spec"
)

func parseSpec(t *testing.T, dataSchema string) *spec.Supervisor {
	t.Helper()
	s, err := spec.Parse([]byte(`{"type":"kafka","spec":{"dataSchema":{"dataSource":"d",` + dataSchema + `},
		"ioConfig":{"topic":"t","inputFormat":{"type":"json"},"consumerProperties":{"bootstrap.servers":"a:1"}}}}`))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSchemaOfSpec(t *testing.T) {
	s := parseSpec(t, `"timestampSpec":{"column":"ts","format":"posix","missingValue":"2026-01-01T00:00:00Z"},
		"dimensionsSpec":{"dimensions":["a",{"type":"string","name":"b","multiValueHandling":"ARRAY","createBitmapIndex":false},{"type":"long","name":"c"}],"dimensionExclusions":["x"]},
		"metricsSpec":[{"type":"count","name":"n"},{"type":"doubleSum","name":"s","fieldName":"f"}],
		"granularitySpec":{"segmentGranularity":{"type":"period","period":"PT6H"},"queryGranularity":"MINUTE","rollup":true}`)
	low, high := int64(5), int64(6)
	got, err := SchemaOf(s, &low, &high)
	if err != nil {
		t.Fatal(err)
	}
	if got.Timestamp.Column != "ts" || *got.Timestamp.MissingValue != 1767225600000 || got.DiscoverDimensions || !got.Rollup || *got.MinTime != 5 || *got.MaxTime != 6 {
		t.Errorf("%+v", got)
	}
	if d := got.Dimensions; len(d) != 3 || d[0].NoBitmap || d[1].MultiValueHandling != row.Array || !d[1].NoBitmap || d[2].Type != row.TypeLong {
		t.Errorf("dimensions %+v", d)
	}
	if m := got.Metrics; len(m) != 2 || m[0].Agg != row.AggCount || m[1].Agg != row.AggDoubleSum || m[1].FieldName != "f" {
		t.Errorf("metrics %+v", m)
	}
	if start, end := got.SegmentGranularity.Bucket(1767225600000 + 1); end-start != 6*3600*1000 {
		t.Errorf("segment granularity: %d", end-start)
	}
	if got.QueryGranularity.Truncate(61_000) != 60_000 {
		t.Error("query granularity")
	}
}

func TestSchemaDiscovers(t *testing.T) {
	got, err := SchemaOf(parseSpec(t, `"timestampSpec":{"column":"ts"}`), nil, nil)
	if err != nil || !got.DiscoverDimensions || !got.Rollup {
		t.Errorf("%+v, %v", got, err)
	}
	listed, err := SchemaOf(parseSpec(t, `"timestampSpec":{"column":"ts"},"dimensionsSpec":{"dimensions":["a"],"includeAllDimensions":true}`), nil, nil)
	if err != nil || !listed.DiscoverDimensions || len(listed.Dimensions) != 1 {
		t.Errorf("%+v, %v", listed, err)
	}
}

func TestSchemaDiscoversTypes(t *testing.T) {
	got, err := SchemaOf(parseSpec(t, `"timestampSpec":{"column":"ts"},
		"dimensionsSpec":{"dimensions":[{"type":"json","name":"j"},{"type":"auto","name":"a"}],"useSchemaDiscovery":true}`), nil, nil)
	if err != nil || !got.DiscoverDimensions || !got.DiscoverTypes || len(got.Dimensions) != 2 ||
		got.Dimensions[0].Type != row.TypeJSON || got.Dimensions[1].Type != row.TypeJSON || got.Dimensions[0].NoBitmap {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestSchemaHasTransformsAndComputedMetrics(t *testing.T) {
	got, err := SchemaOf(parseSpec(t, `"timestampSpec":{"column":"ts"},
		"transformSpec":{"transforms":[{"type":"expression","name":"a","expression":"b + 1"}]},
		"metricsSpec":[{"type":"longSum","name":"s","expression":"x * 2"},
			{"type":"filtered","filter":{"type":"true"},"aggregator":{"type":"filtered","filter":{"type":"false"},"aggregator":{"type":"count","name":"c"}}}]`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(got.TransformSpec), `"expression":"b + 1"`) {
		t.Errorf("transformSpec is %s", got.TransformSpec)
	}
	want := []row.Metric{
		{Agg: row.AggLongSum, Name: "s", Expression: "x * 2"},
		{Agg: row.AggCount, Name: "c", Filter: `{"type":"and","fields":[{"type":"true"},{"type":"false"}]}`},
	}
	if !reflect.DeepEqual(got.Metrics, want) {
		t.Errorf("metrics are %+v, want %+v", got.Metrics, want)
	}
}

func TestSchemaRefusesWhatTasksCannotDo(t *testing.T) {
	for name, part := range map[string]string{
		"dimension": `"timestampSpec":{"column":"ts"},"dimensionsSpec":{"dimensions":[{"type":"auto","name":"__time"}]}`,
		"metric":    `"timestampSpec":{"column":"ts"},"metricsSpec":[{"type":"stringAny","name":"h","fieldName":"f"}]`,
	} {
		s, err := spec.Parse([]byte(`{"type":"kafka","spec":{"dataSchema":{"dataSource":"d",` + part + `},
			"ioConfig":{"topic":"t","inputFormat":{"type":"json"},"consumerProperties":{"bootstrap.servers":"a:1"}}}}`))
		if err != nil {
			continue // refused earlier still
		}
		if _, err := SchemaOf(s, nil, nil); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestSchemaHasSpatialDimensionsAndPreservedMetrics(t *testing.T) {
	got, err := SchemaOf(parseSpec(t, `"timestampSpec":{"column":"ts"},"dimensionsSpec":{"dimensions":["a",{"type":"spatial","name":"s","dims":["x","y"]}],
		"spatialDimensions":[{"dimName":"o","dims":["p"]}]}`), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []row.Dimension{
		{Name: "a"}, {Name: "s", Spatial: true, Coordinates: []string{"x", "y"}}, {Name: "o", Spatial: true, Coordinates: []string{"p"}},
	}
	if !reflect.DeepEqual(got.Dimensions, want) || got.PreserveExisting {
		t.Errorf("dimensions are %+v, preserving %v, want %+v and false", got.Dimensions, got.PreserveExisting, want)
	}
	s := parseSpec(t, `"timestampSpec":{"column":"ts"}`)
	s.TuningConfig.PreserveExistingMetrics = true
	if got, err := SchemaOf(s, nil, nil); err != nil || !got.PreserveExisting {
		t.Errorf("preserving is %v, %v", got.PreserveExisting, err)
	}
}
