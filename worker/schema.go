package worker

import (
	"encoding/json"
	"fmt"

	"ogham/domain/calendar"
	"ogham/domain/expr"
	"ogham/domain/filter"
	"ogham/domain/row"
	"ogham/domain/spec"
)

// SchemaOf is what the spec asks a task to do to rows. What tasks cannot do yet is an error that names it; the overlord
// refuses such specs before, so this is met only where versions differ.
func SchemaOf(s *spec.Supervisor, minTime, maxTime *int64) (row.Schema, error) {
	d := &s.DataSchema
	timestamp, err := row.ParseTimestamp(d.TimestampSpec.Column, d.TimestampSpec.Format)
	if err != nil {
		return row.Schema{}, err
	}
	out := row.Schema{
		Timestamp:           timestamp,
		DimensionExclusions: d.DimensionsSpec.DimensionExclusions,
		DiscoverDimensions: len(d.DimensionsSpec.Dimensions) == 0 || d.DimensionsSpec.IncludeAllDimensions ||
			d.DimensionsSpec.UseSchemaDiscovery,
		DiscoverTypes:    d.DimensionsSpec.UseSchemaDiscovery,
		TimePosition:     d.DimensionsSpec.TimePosition(),
		PreserveExisting: s.TuningConfig.PreserveExistingMetrics,
		Rollup:           d.GranularitySpec.Rollup,
		MinTime:          minTime, MaxTime: maxTime,
	}
	if missing := d.TimestampSpec.MissingValue; missing != nil {
		ms := missing.UnixMilli()
		out.Timestamp.MissingValue = &ms
	}
	if !d.TransformSpec.Empty {
		out.TransformSpec = d.TransformSpec.Raw
	}
	if out.Dimensions, err = dimensionsOf(d.DimensionsSpec.Dimensions); err != nil {
		return row.Schema{}, err
	}
	for _, m := range d.MetricsSpec {
		x, err := metricOf(m.Raw)
		if err != nil {
			return row.Schema{}, fmt.Errorf("metric %q: %w", m.Name, err)
		}
		x.Name = m.Name
		out.Metrics = append(out.Metrics, x)
	}
	if out.QueryGranularity, err = granularityOf(d.GranularitySpec.QueryGranularity); err != nil {
		return row.Schema{}, fmt.Errorf("queryGranularity: %w", err)
	}
	if out.SegmentGranularity, err = granularityOf(d.GranularitySpec.SegmentGranularity); err != nil {
		return row.Schema{}, fmt.Errorf("segmentGranularity: %w", err)
	}
	return out, out.Validate()
}

// metricOf is what a task does for an aggregator. Filters around one another must all hold.
func metricOf(raw json.RawMessage) (row.Metric, error) {
	var m struct {
		Type, Name, FieldName, Expression, TimeColumn string
		MaxStringBytes                                int
		IsInputHyperUnique, Round                     bool
		LgK, Size                                     int
		TgtHllType, StringEncoding                    string
		ShouldFinalize, IsInputThetaSketch            *bool
		ErrorBoundsStdDev                             *int
		Filter, Aggregator, Fields                    json.RawMessage
		ByRow                                         bool
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return row.Metric{}, fmt.Errorf("read aggregator: %w", err)
	}
	if m.Type == "filtered" {
		inner, err := metricOf(m.Aggregator)
		switch {
		case err != nil:
			return row.Metric{}, err
		case inner.Filter != "":
			inner.Filter = `{"type":"and","fields":[` + string(m.Filter) + "," + inner.Filter + "]}"
		default:
			inner.Filter = string(m.Filter)
		}
		return inner, nil
	}
	if m.Type == row.AggExpression.String() {
		return expressionOf(raw)
	}
	agg, ok := row.ParseAggregator(m.Type)
	if !ok {
		return row.Metric{}, fmt.Errorf("type %q is not supported", m.Type)
	}
	out := row.Metric{Agg: agg, Name: m.Name, FieldName: m.FieldName, Expression: m.Expression}
	if agg.Complex() {
		out.Sketch = row.Sketch{
			LgK: m.LgK, Target: m.TgtHllType, UTF8: m.StringEncoding == "utf8", Size: m.Size,
			Given:        m.IsInputHyperUnique || m.IsInputThetaSketch != nil && *m.IsInputThetaSketch,
			Intermediate: m.ShouldFinalize != nil && !*m.ShouldFinalize, StdDev: m.ErrorBoundsStdDev,
		}
		out.TimeColumn, out.MaxStringBytes, out.Round = m.TimeColumn, m.MaxStringBytes, m.Round
	}
	if m.Type == "cardinality" {
		var fields []json.RawMessage
		if err := json.Unmarshal(m.Fields, &fields); err != nil {
			return row.Metric{}, fmt.Errorf("read fields: %w", err)
		}
		out.ByRow, out.Fields = m.ByRow, []string{}
		for i, raw := range fields {
			d, err := filter.ParseDimension(raw)
			if err != nil {
				return row.Metric{}, fmt.Errorf("field %d of metric %q: %w", i, m.Name, err)
			}
			out.Fields = append(out.Fields, d.Column)
			if !d.Plain() && out.Named == nil {
				out.Named = make([]string, len(fields))
			}
			if !d.Plain() {
				out.Named[i] = string(raw)
			}
		}
	}
	return out, nil
}

// expressionOf is what a task does for the aggregator expression, whose members the spec has filled in.
func expressionOf(raw json.RawMessage) (row.Metric, error) {
	var m struct {
		Name                                              string
		Fields                                            []string
		AccumulatorIdentifier, InitialValue               string
		InitialCombineValue                               string
		Fold, Combine, Compare, Finalize                  string
		IsNullUnlessAggregated, ShouldAggregateNullInputs bool
		ShouldCombineAggregateNullInputs                  bool
		MaxSizeBytes                                      int
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return row.Metric{}, fmt.Errorf("read aggregator: %w", err)
	}
	derived := ""
	if len(m.Fields) == 1 && m.Combine == row.DerivedCombine(m.Fold, m.Fields[0], m.Name) {
		derived = m.Fields[0]
	}
	return row.Metric{Agg: row.AggExpression, Name: m.Name, Lambda: row.Lambda{
		Derived: derived, Fold: m.Fold, Combine: m.Combine, Initial: m.InitialValue, InitialCombine: m.InitialCombineValue,
		Accumulator: m.AccumulatorIdentifier, Own: m.Name, Combined: len(m.Fields) == 0,
		FoldsNulls: m.ShouldAggregateNullInputs, CombinesNulls: m.ShouldCombineAggregateNullInputs,
		NullUnlessAggregated: m.IsNullUnlessAggregated, Compare: m.Compare, Finalize: m.Finalize, MaxSizeBytes: m.MaxSizeBytes,
	}}, nil
}

func dimensionsOf(listed []spec.Dimension) ([]row.Dimension, error) {
	var out []row.Dimension
	for _, d := range listed {
		if d.Name == row.TimeColumn { // it only says where rows are sorted by their time
			continue
		}
		kind, ok := row.ParseType(d.Type)
		spatial := d.Type == "spatial" // stored as the text that is joined
		if !ok && !spatial {
			return nil, fmt.Errorf("dimension %q: type %q is not supported", d.Name, d.Type)
		}
		cast := d.CastToType
		if _, ok := expr.NewCaster(cast); !ok { // Druid leaves values as they are for any other type
			cast = ""
		}
		handling := row.SortedArray
		switch d.MultiValueHandling {
		case "ARRAY":
			handling = row.Array
		case "SORTED_SET":
			handling = row.SortedSet
		}
		// The flag means something for strings only: numbers have no bitmaps.
		noBitmap := kind == row.TypeString && !d.CreateBitmapIndex
		out = append(out, row.Dimension{
			Name: d.Name, Type: kind, MultiValueHandling: handling, NoBitmap: noBitmap, Spatial: spatial, Coordinates: d.Coordinates,
			Cast: cast,
		})
	}
	return out, nil
}

func granularityOf(g spec.Granularity) (row.Granularity, error) {
	switch {
	case g.DurationMillis > 0:
		return row.DurationGranularity(g.DurationMillis, g.Origin.UnixMilli())
	case g.Name != "":
		return row.ParseGranularity(g.Name)
	}
	loc, ok := calendar.Zone(g.TimeZone)
	if !ok {
		return row.Granularity{}, fmt.Errorf("time zone %q is not known", g.TimeZone)
	}
	var origin *int64
	if g.Origin != nil {
		ms := g.Origin.UnixMilli()
		origin = &ms
	}
	return row.ZonedGranularity(g.Period, loc, origin)
}
