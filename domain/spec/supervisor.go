package spec

import (
	"encoding/json"
	"time"
)

// Supervisor is a Kafka supervisor spec with all defaults filled in. It is made by Parse and not changed afterwards, so
// it may be shared between goroutines; its maps, slices and raw messages belong to it and must not be written to.
type Supervisor struct {
	// Type is always "kafka".
	Type         string
	DataSchema   DataSchema
	IOConfig     IOConfig
	TuningConfig TuningConfig
	// Context is copied into the context of each task; nil if the spec has none.
	Context   json.RawMessage
	Suspended bool

	// at is the path of the three parts in what was read: $.spec, or $ in the flat form.
	at          string
	schemaTree  *node
	ioTree      *node
	tuningTree  *node
	contextTree *node
	warnings    []Problem
}

// DataSchema says what the rows of the data source are.
type DataSchema struct {
	DataSource      string
	TimestampSpec   TimestampSpec
	DimensionsSpec  DimensionsSpec
	MetricsSpec     []Metric
	GranularitySpec GranularitySpec
	TransformSpec   TransformSpec
}

// TimestampSpec says where a row's timestamp is.
type TimestampSpec struct {
	Column string
	// Format is as given, "auto" by default; names of formats are compared without case.
	Format string
	// MissingValue stands for an absent or null timestamp; nil if there is none.
	MissingValue *time.Time
	// Raw is the timestampSpec with its defaults, as Druid writes it.
	Raw json.RawMessage
}

// DimensionsSpec says which fields become dimensions. Without listed dimensions every field becomes one, except the
// excluded ones.
type DimensionsSpec struct {
	Dimensions []Dimension
	// DimensionExclusions has the automatic ones too (__time, the timestamp column, metric names and their input
	// fields), sorted, even where the spec has no dimensionsSpec at all.
	DimensionExclusions  []string
	IncludeAllDimensions bool
	UseSchemaDiscovery   bool
	// ForceSegmentSortByTime says that rows are sorted by time first, as they are unless the spec says false; nil: the
	// spec does not say.
	ForceSegmentSortByTime *bool
}

// TimePosition is how many of the listed dimensions rows are sorted by before their time: those before the listed __time,
// or where it is not listed all if the spec does not want rows sorted by time, else none.
func (d *DimensionsSpec) TimePosition() int {
	for i := range d.Dimensions {
		if d.Dimensions[i].Name == timeColumn {
			return i
		}
	}
	if d.ForceSegmentSortByTime != nil && !*d.ForceSegmentSortByTime {
		return len(d.Dimensions)
	}
	return 0
}

// Dimension is one listed dimension.
type Dimension struct {
	// Type is string, long, float, double, json, auto or spatial.
	Type string
	Name string
	// MultiValueHandling is SORTED_ARRAY, ARRAY or SORTED_SET.
	MultiValueHandling string
	CreateBitmapIndex  bool
	// CastToType is the type that an auto dimension's values are cast to: STRING, LONG, DOUBLE, ARRAY<STRING>,
	// ARRAY<LONG> or ARRAY<DOUBLE>. Any other, and the empty one, leave the values as they are.
	CastToType string
	// Coordinates are the fields that a spatial dimension is joined of.
	Coordinates []string
	// Raw is the dimension with its defaults, as Druid writes it.
	Raw json.RawMessage
}

// Metric is one aggregator of the metricsSpec.
type Metric struct {
	Type, Name string
	// FieldName is the input field, empty where the aggregator has none (count) or uses an expression.
	FieldName string
	// Double says of the aggregator expression that its column is one of doubles, not of longs.
	Double bool
	// Raw is the aggregator with its defaults, as Druid writes it.
	Raw json.RawMessage
}

// GranularitySpec says how time is cut.
type GranularitySpec struct {
	SegmentGranularity Granularity
	QueryGranularity   Granularity
	Rollup             bool
}

// Granularity is one way to cut time.
type Granularity struct {
	// Name is the upper-case name where the granularity has one (DAY, FIFTEEN_MINUTE, ALL, NONE), else empty.
	Name string
	// Period is the ISO-8601 period, empty for ALL, NONE and granularities of type duration.
	Period string
	// TimeZone is UTC unless the spec names another.
	TimeZone string
	// Raw is the granularity as Druid writes it.
	Raw json.RawMessage

	// Origin is where the buckets begin, nil unless the spec says so.
	Origin *time.Time
	// DurationMillis is the length of the buckets of type duration, 0 for others.
	DurationMillis int64
}

// TransformSpec is what is done to rows before they are indexed.
type TransformSpec struct {
	// Raw is the transformSpec as Druid writes it.
	Raw json.RawMessage
	// Empty says that there is neither a filter nor a transform.
	Empty bool
}

// InputFormat says how a record's bytes become rows.
type InputFormat struct {
	// Type is json, csv, tsv, kafka or regex; empty where the spec has no inputFormat.
	Type string
	// Raw is the format as Druid writes it, the text null where the spec has none.
	Raw json.RawMessage
}

// IOConfig says where records come from and how tasks are laid out. Periods longer than a time.Duration can hold (292
// years) are cut to the longest one.
type IOConfig struct {
	// Topic is empty where TopicPattern is used.
	Topic        string
	TopicPattern string
	topics       *topicMatcher // of the TopicPattern
	InputFormat  InputFormat
	// ConsumerProperties holds strings, json.Number, bool, nil, []any and map[string]any.
	ConsumerProperties    map[string]any
	ConsumerPropertiesRaw json.RawMessage
	PollTimeout           time.Duration
	Replicas              int
	// TaskCount is what the autoscaler left where one is enabled, and where it begins in a spec that was just posted.
	TaskCount int
	// givenTaskCount is the member as it was read, nil where it was absent.
	givenTaskCount                    *int
	TaskDuration                      time.Duration
	StartDelay                        time.Duration
	Period                            time.Duration
	UseEarliestOffset                 bool
	CompletionTimeout                 time.Duration
	LateMessageRejectionPeriod        *time.Duration
	EarlyMessageRejectionPeriod       *time.Duration
	LateMessageRejectionStartDateTime *time.Time
	AutoScalerConfig                  *AutoScalerConfig
	IdleConfig                        *IdleConfig
	// StopTaskCount is nil where as many tasks may stop at once as there are.
	StopTaskCount      *int
	EmitTimeLagMetrics bool
}

// IsPattern says whether the supervisor reads the topics that match TopicPattern instead of one topic.
func (c IOConfig) IsPattern() bool { return c.TopicPattern != "" }

// Reads reports whether the supervisor reads a topic: its only one, or one whose whole name the pattern matches, as
// Java's Pattern.matcher(topic).matches() does.
func (c IOConfig) Reads(topic string) bool {
	if c.topics != nil {
		return c.topics.matches(topic)
	}
	return c.Topic == topic
}

// Stream is the topic, or the pattern where there is no topic: Druid's `stream` and `source`.
func (c IOConfig) Stream() string {
	if c.IsPattern() {
		return c.TopicPattern
	}
	return c.Topic
}

// IdleConfig says when a supervisor without new records goes idle.
type IdleConfig struct {
	Enabled bool
	// InactiveAfterMillis is 0 for the service's own default.
	InactiveAfterMillis int64
}

// AutoScalerConfig is the lagBased autoscaler's configuration.
type AutoScalerConfig struct {
	EnableTaskAutoScaler       bool
	TaskCountMax, TaskCountMin int
	// TaskCountStart is where the supervisor begins, nil for TaskCountMin. It and StopTaskCountRatio are Druid 37's.
	TaskCountStart *int
	// StopTaskCountRatio is how many of the groups may finish at once, as a part of taskCount; nil where stopTaskCount tells.
	StopTaskCountRatio                  *float64
	MinTriggerScaleActionFrequency      time.Duration
	LagCollectionInterval               time.Duration
	LagCollectionRange                  time.Duration
	ScaleOutThreshold, ScaleInThreshold int64
	TriggerScaleOutFractionThreshold    float64
	TriggerScaleInFractionThreshold     float64
	ScaleActionStartDelay               time.Duration
	ScaleActionPeriod                   time.Duration
	ScaleInStep, ScaleOutStep           int
	// LagAggregate is SUM, MAX or AVERAGE.
	LagAggregate string
}

// TuningConfig says how tasks use memory, when they persist and publish, and how they treat bad rows.
type TuningConfig struct {
	MaxRowsInMemory int
	// MaxBytesInMemory is 0 for the task's own default and negative for no limit.
	MaxBytesInMemory               int64
	SkipBytesInMemoryOverheadCheck bool
	// PreserveExistingMetrics says that rows may have metrics that are aggregated already, by their own names.
	PreserveExistingMetrics bool
	MaxRowsPerSegment       int
	// MaxTotalRows is what tasks use: 20000000 where the spec has none.
	MaxTotalRows              int64
	IntermediatePersistPeriod time.Duration
	MaxPendingPersists        int
	// IndexSpec and IndexSpecForIntermediatePersists have their defaults filled in.
	IndexSpec                        json.RawMessage
	IndexSpecForIntermediatePersists json.RawMessage
	ReportParseExceptions            bool
	// HandoffConditionTimeout is 0 where a task waits for ever.
	HandoffConditionTimeout  time.Duration
	ResetOffsetAutomatically bool
	// WorkerThreads is nil for the default.
	WorkerThreads   *int
	ChatRetries     int64
	HTTPTimeout     time.Duration
	ShutdownTimeout time.Duration
	// OffsetFetchPeriod is what is used: never below five seconds.
	OffsetFetchPeriod         time.Duration
	IntermediateHandoffPeriod time.Duration
	LogParseExceptions        bool
	MaxParseExceptions        int
	MaxSavedParseExceptions   int
	NumPersistThreads         int
	MaxColumnsToMerge         int
}

// Problem is one thing that is wrong, or at least doubtful, in a spec.
type Problem struct {
	// Path is where, as a JSON path: $.spec.ioConfig.taskDuration.
	Path string
	// Message says what, in Druid's words where it has some.
	Message string
}

// InvalidError is returned by Parse for a body that is not a spec, or not one that can run.
type InvalidError struct {
	// Message is the text of the answer's `error` member, in Druid's wire form.
	Message string
	// Problems has every problem found, in the order found; the first one gave Message.
	Problems []Problem
}

// Error returns the wire text of the first problem.
func (e *InvalidError) Error() string { return e.Message }
