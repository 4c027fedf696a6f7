package row

import "math"

// Aggregator is a metric's type.
type Aggregator uint8

// The aggregators. Those from AggLongFirst on keep more than a number: the first and last of numbers and strings with the
// time that they are of, HyperLogLog registers and other sketches, and accumulators of any type.
const (
	AggCount Aggregator = iota
	AggLongSum
	AggLongMin
	AggLongMax
	AggDoubleSum
	AggDoubleMin
	AggDoubleMax
	AggFloatSum
	AggFloatMin
	AggFloatMax
	AggLongAny
	AggDoubleAny
	AggFloatAny
	AggLongFirst
	AggLongLast
	AggDoubleFirst
	AggDoubleLast
	AggFloatFirst
	AggFloatLast
	AggStringFirst
	AggStringLast
	AggHyperUnique
	AggHLLSketchBuild
	AggHLLSketchMerge
	AggThetaSketch
	AggExpression
)

var aggregatorNames = [...]string{
	AggCount: "count", AggLongSum: "longSum", AggLongMin: "longMin", AggLongMax: "longMax",
	AggDoubleSum: "doubleSum", AggDoubleMin: "doubleMin", AggDoubleMax: "doubleMax",
	AggFloatSum: "floatSum", AggFloatMin: "floatMin", AggFloatMax: "floatMax",
	AggLongAny: "longAny", AggDoubleAny: "doubleAny", AggFloatAny: "floatAny",
	AggLongFirst: "longFirst", AggLongLast: "longLast", AggDoubleFirst: "doubleFirst", AggDoubleLast: "doubleLast",
	AggFloatFirst: "floatFirst", AggFloatLast: "floatLast", AggStringFirst: "stringFirst", AggStringLast: "stringLast",
	AggHyperUnique: "hyperUnique", AggHLLSketchBuild: "HLLSketchBuild", AggHLLSketchMerge: "HLLSketchMerge",
	AggThetaSketch: "thetaSketch", AggExpression: "expression",
}

// ParseAggregator gives the aggregator for a metricsSpec type; ok is false for one that tasks do not compute. A cardinality
// is a hyperUnique with Fields.
func ParseAggregator(name string) (a Aggregator, ok bool) {
	if name == "cardinality" {
		return AggHyperUnique, true
	}
	for i, n := range aggregatorNames {
		if n == name {
			return Aggregator(i), true
		}
	}
	return 0, false
}

// String gives the name in a metricsSpec.
func (a Aggregator) String() string {
	if int(a) < len(aggregatorNames) {
		return aggregatorNames[a]
	}
	return "unknown"
}

// Combining gives the type of the combining form, which a segment's metadata names: a count is summed when combined.
func (a Aggregator) Combining() string {
	switch a {
	case AggCount:
		return aggregatorNames[AggLongSum]
	case AggHLLSketchBuild:
		return aggregatorNames[AggHLLSketchMerge]
	}
	return a.String()
}

// Complex says whether what is kept is more than a number.
func (a Aggregator) Complex() bool { return a >= AggLongFirst }

// Any says whether any value will do.
func (a Aggregator) Any() bool { return a >= AggLongAny && a <= AggFloatAny }

// Sketch says whether an aggregator is one of the extension druid-datasketches.
func (a Aggregator) Sketch() bool { return a >= AggHLLSketchBuild && a <= AggThetaSketch }

// Timed says whether an aggregator looks at the time of its values.
func (a Aggregator) Timed() bool { return a >= AggLongFirst && a <= AggStringLast }

// Last says, of a timed aggregator, that it keeps the latest value and not the earliest.
func (a Aggregator) Last() bool {
	return a == AggLongLast || a == AggDoubleLast || a == AggFloatLast || a == AggStringLast
}

// Type is the stored column's type, or of a timed aggregator that of its values. That of AggExpression is in its Lambda.
func (a Aggregator) Type() Type {
	switch a {
	case AggDoubleSum, AggDoubleMin, AggDoubleMax, AggDoubleAny, AggDoubleFirst, AggDoubleLast:
		return TypeDouble
	case AggFloatSum, AggFloatMin, AggFloatMax, AggFloatAny, AggFloatFirst, AggFloatLast:
		return TypeFloat
	case AggStringFirst, AggStringLast, AggHyperUnique, AggHLLSketchBuild, AggHLLSketchMerge, AggThetaSketch:
		return TypeString
	default:
		return TypeLong
	}
}

// CombineLong combines two values of a long aggregator; sums wrap around as in Java.
func (a Aggregator) CombineLong(x, y int64) int64 {
	switch a {
	case AggLongMin:
		return min(x, y)
	case AggLongMax:
		return max(x, y)
	case AggLongAny:
		return x
	default:
		return x + y
	}
}

// CombineDouble combines two values of a double aggregator. Go's min and max treat NaN and signed zeros as Java's do.
func (a Aggregator) CombineDouble(x, y float64) float64 {
	switch a {
	case AggDoubleMin:
		return min(x, y)
	case AggDoubleMax:
		return max(x, y)
	case AggDoubleAny:
		return x
	default:
		return x + y
	}
}

// CombineFloat combines two values of a float aggregator, in float precision as Druid does.
func (a Aggregator) CombineFloat(x, y float32) float32 {
	switch a {
	case AggFloatMin:
		return min(x, y)
	case AggFloatMax:
		return max(x, y)
	case AggFloatAny:
		return x
	default:
		return x + y
	}
}

// FirstDouble is what an aggregator holds after its first value: a sum starts at 0.0, so -0.0 becomes 0.0.
func (a Aggregator) FirstDouble(v float64) float64 {
	if a == AggDoubleSum && v == 0 {
		return 0
	}
	return v
}

// FirstFloat is FirstDouble for float aggregators.
func (a Aggregator) FirstFloat(v float32) float32 {
	if a == AggFloatSum && v == 0 {
		return 0
	}
	return v
}

// saturate cuts a double to a long as Java's cast does: NaN is 0, the rest saturates.
func saturate(f float64) int64 {
	switch {
	case f != f:
		return 0
	case f >= math.MaxInt64:
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}
