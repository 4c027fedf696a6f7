package row

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"ogham/domain/joda"
)

// TimeColumn is the name of the column that holds a row's time.
const TimeColumn = "__time"

// Type is how a column is stored.
type Type uint8

// The column types of dimensions and numeric metrics. A TypeJSON dimension, json or auto in a spec, takes any value; what
// it is stored as follows from the values.
const (
	TypeString Type = iota
	TypeLong
	TypeFloat
	TypeDouble
	TypeJSON
)

// String gives the type's name in Druid's specs and messages.
func (t Type) String() string {
	switch t {
	case TypeLong:
		return "long"
	case TypeFloat:
		return "float"
	case TypeDouble:
		return "double"
	case TypeJSON:
		return "json"
	default:
		return "string"
	}
}

// ParseType gives the column type for a dimension type of a spec; ok is false for a type that there is none for.
func ParseType(name string) (t Type, ok bool) {
	switch name {
	case "", "string":
		return TypeString, true
	case "long":
		return TypeLong, true
	case "float":
		return TypeFloat, true
	case "double":
		return TypeDouble, true
	case "json", "auto":
		return TypeJSON, true
	}
	return TypeString, false
}

// MultiValueHandling is what happens to the order of a string dimension's several values.
type MultiValueHandling uint8

// SortedArray (the default) sorts, SortedSet also drops duplicates, Array keeps the order of arrival.
const (
	SortedArray MultiValueHandling = iota
	SortedSet
	Array
)

// Timestamp says where a row's time comes from.
type Timestamp struct {
	Column string
	Format TimestampFormat
	// Pattern is that of FormatPattern.
	Pattern *joda.Pattern
	// MissingValue, in milliseconds, stands in for a null or absent time; nil: such a row is unparseable.
	MissingValue *int64
}

// Dimension is one listed dimension.
type Dimension struct {
	Name               string
	Type               Type
	MultiValueHandling MultiValueHandling
	NoBitmap           bool
	// Cast is the type that the values of a TypeJSON dimension are cast to, by Druid's name for it: STRING, LONG, DOUBLE
	// or an ARRAY of one of them; empty: they stay as they are.
	Cast string
	// Spatial says that the value is joined of the fields Coordinates, see Spatial.Join.
	Spatial     bool
	Coordinates []string
}

// Metric is one aggregator. FieldName is ignored for AggCount.
type Metric struct {
	Agg       Aggregator
	Name      string
	FieldName string
	// Fields, where they are not nil, make AggHyperUnique a cardinality: it counts the values of these columns, the time among
	// them if it is named, or where ByRow is set their combinations.
	Fields []string
	ByRow  bool
	// Named, where it is not nil, has for each of Fields how it is read, in JSON: a dimension of package filter; empty: as
	// it is.
	Named []string
	// TimeColumn is the field that a timed aggregator takes its time from; empty or __time: the row's own time.
	TimeColumn string
	// MaxStringBytes bounds the bytes of a string that is kept.
	MaxStringBytes int
	// Round is told to queries: whether hyperUnique answers whole numbers.
	Round bool
	// Sketch says what a sketch of the extension druid-datasketches is like.
	Sketch Sketch
	// Lambda says what AggExpression computes.
	Lambda Lambda
	// Expression, where there is no FieldName, computes what is aggregated; package transform gives it a field.
	Expression string
	// Filter, in JSON, is a native filter for the rows that are aggregated; empty: all are.
	Filter string
}

// Sketch is what the aggregators HLLSketchBuild, HLLSketchMerge and thetaSketch have members for.
type Sketch struct {
	// LgK is the logarithm of the number of an HLL sketch's registers, from MinLgK to MaxLgK.
	LgK int
	// Target is the form of an HLL sketch's registers in segments: HLL_4, HLL_6 or HLL_8.
	Target string
	// UTF8 says that strings are hashed in UTF-8 and not in UTF-16.
	UTF8 bool
	// Size is the number of hashes that a theta sketch keeps, a power of two from MinThetaSize to MaxThetaSize.
	Size int
	// Given says that the input of a theta sketch or of hyperUnique is sketches; that of HLLSketchMerge always is.
	Given bool
	// Intermediate and StdDev are told to queries: that they answer the sketch and not its estimate, and how many
	// standard deviations the bounds are apart that stand beside an estimate.
	Intermediate bool
	StdDev       *int
}

// Lambda is what the aggregator expression has members for. Fold computes the accumulator that follows one with a row,
// Combine the accumulator of two.
type Lambda struct {
	Fold, Combine string
	// Initial and InitialCombine are constants that Fold and Combine begin with.
	Initial, InitialCombine string
	// Accumulator is the name of the accumulator in both, Own that of the other one in Combine.
	Accumulator, Own string
	// Derived, where it is not empty, says that Combine was made of Fold as DerivedCombine does. What combines is Fold then,
	// with the other accumulator for this field: the replaced text may mean something else, or nothing.
	Derived string
	// Combined says that the input is accumulators already, in the field Own: Druid takes it so where no fields are given.
	Combined bool
	// FoldsNulls and CombinesNulls say whether rows with a null among the inputs are folded, and null accumulators combined.
	FoldsNulls, CombinesNulls bool
	// Double says that the stored column is one of doubles, not of longs; package transform finds it out.
	Double bool
	// The rest is told to queries.
	NullUnlessAggregated bool
	Compare, Finalize    string
	MaxSizeBytes         int
}

// DerivedCombine is the combine that Druid makes of a fold of one field where none is given: it replaces the field's name
// by the metric's wherever the text has it, be it a part of another name.
func DerivedCombine(fold, field, metric string) string {
	return strings.ReplaceAll(fold, field, metric)
}

// The bounds of sketches. Druid takes greater theta sketches, of up to 2^26 hashes, half a gigabyte each.
const (
	MinLgK, MaxLgK             = 4, 21
	MinThetaSize, MaxThetaSize = 1 << 4, 1 << 22
)

// Computed gives a metric a field that no input has, for a value that is computed for it.
func (m *Metric) Computed() string { return "\x00" + m.Name + "\x00" + m.FieldName }

// Field is the name of the input field as messages have it.
func (m *Metric) Field() string {
	if strings.HasPrefix(m.FieldName, "\x00") {
		return m.FieldName[strings.LastIndexByte(m.FieldName, 0)+1:]
	}
	return m.FieldName
}

// timeField is the input field that the time comes from, empty where it is the row's own.
func (m *Metric) timeField() string {
	if m.Agg.Timed() && m.TimeColumn != TimeColumn {
		return m.TimeColumn
	}
	return ""
}

// Schema is what a task does to rows. The zero value is not useful: Timestamp.Column must be set.
type Schema struct {
	Timestamp           Timestamp
	Dimensions          []Dimension
	DimensionExclusions []string
	// TimePosition is how many of the dimensions rows are sorted by before their time; 0: by time first.
	TimePosition int
	// DiscoverDimensions makes every other top-level scalar (or list of scalars) a string dimension, in order of first
	// appearance: no dimensions are listed, or includeAllDimensions is set.
	DiscoverDimensions bool
	// DiscoverTypes, with DiscoverDimensions, makes every other top-level field, whatever its value, a dimension of type
	// auto instead.
	DiscoverTypes bool
	Metrics       []Metric
	// PreserveExisting says that a metric is aggregated from the field of its own name where a row has it, already
	// aggregated, and from its input only where it has not.
	PreserveExisting   bool
	Rollup             bool
	QueryGranularity   Granularity
	SegmentGranularity Granularity
	// TransformSpec, in JSON, is what package transform does to rows; empty: nothing.
	TransformSpec json.RawMessage
	// Extra names fields that a transformSpec reads beside those of the schema, or writes.
	Extra []string
	// MinTime and MaxTime bound the message time; a row before MinTime or after MaxTime is thrown away.
	MinTime, MaxTime *int64
}

// Validate reports the first contradiction: an empty or doubled name, a metric named like a dimension.
func (s *Schema) Validate() error {
	if s.Timestamp.Column == "" {
		return errors.New("timestamp column is empty")
	}
	if s.TimePosition < 0 || s.TimePosition > len(s.Dimensions) {
		return fmt.Errorf("the time stands behind %d of %d dimensions", s.TimePosition, len(s.Dimensions))
	}
	seen := make(map[string]string, len(s.Dimensions)+len(s.Metrics)+1)
	seen[TimeColumn] = "the time column"
	add := func(kind, name string) error {
		if name == "" {
			return fmt.Errorf("a %s has an empty name", kind)
		}
		if other, ok := seen[name]; ok {
			return fmt.Errorf("%s %q has the name of %s", kind, name, other)
		}
		seen[name] = "another " + kind
		return nil
	}
	for _, d := range s.Dimensions {
		if err := add("dimension", d.Name); err != nil {
			return err
		}
	}
	for _, m := range s.Metrics {
		if err := add("metric", m.Name); err != nil {
			return err
		}
		if m.Agg != AggCount && m.Agg != AggExpression && m.Fields == nil && m.FieldName == "" && m.Expression == "" {
			return fmt.Errorf("metric %q has no fieldName", m.Name)
		}
	}
	return nil
}

// Fields gives the distinct names of the input fields that the schema reads: the timestamp column first, then
// dimensions, then metric inputs, then what is extra. A parser delivers each row's values in this order.
func (s *Schema) Fields() []string {
	names, _ := s.fields()
	return names
}

// Listed is how many of Fields are not extra; fields behind them may be discovered as dimensions.
func (s *Schema) Listed() int {
	_, listed := s.fields()
	return listed
}

func (s *Schema) fields() (names []string, listed int) {
	seen := make(map[string]bool)
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			names = append(names, name)
		}
	}
	add(s.Timestamp.Column)
	for _, d := range s.Dimensions {
		add(d.Name)
		for _, name := range d.Coordinates {
			add(name)
		}
	}
	for i := range s.Metrics {
		m := &s.Metrics[i]
		if s.PreserveExisting {
			add(m.Name)
		}
		if m.FieldName != "" && m.Agg != AggCount {
			add(m.FieldName)
		}
		for _, name := range m.Fields {
			if name != TimeColumn {
				add(name)
			}
		}
		if field := m.timeField(); field != "" {
			add(field)
		}
	}
	listed = len(names)
	for _, name := range s.Extra {
		add(name)
	}
	return names, listed
}

// Excluded gives the names that are never discovered as dimensions: the listed exclusions, the time columns, the metrics
// and their input fields, the coordinates of spatial dimensions.
func (s *Schema) Excluded() map[string]bool {
	out := map[string]bool{TimeColumn: true, s.Timestamp.Column: true}
	for _, name := range s.DimensionExclusions {
		out[name] = true
	}
	for _, d := range s.Dimensions {
		for _, name := range d.Coordinates {
			out[name] = true
		}
	}
	for i := range s.Metrics {
		m := &s.Metrics[i]
		out[m.Name] = true
		if m.Agg != AggCount {
			out[m.FieldName] = true
		}
		for _, name := range m.Fields {
			out[name] = true
		}
		if field := m.timeField(); field != "" {
			out[field] = true
		}
	}
	return out
}
