package spec

import (
	"fmt"
	"slices"
	"strings"
)

const classLagBased = "org.apache.druid.indexing.seekablestream.supervisor.autoscaler.LagBasedAutoScalerConfig"

// strategyLagBased is the only autoscaler that Druid 33 has; it takes every other name for this one.
const strategyLagBased = "lagBased"

// Defaults of the lagBased autoscaler.
const (
	defaultScaleFrequencyMillis  int64 = 600000
	defaultLagIntervalMillis     int64 = 30000
	defaultLagRangeMillis        int64 = 600000
	defaultScaleStartDelayMillis int64 = 300000
	defaultScalePeriodMillis     int64 = 60000
	defaultScaleOutThreshold     int64 = 6000000
	defaultScaleInThreshold      int64 = 1000000
	defaultScaleOutFraction            = 0.3
	defaultScaleInFraction             = 0.9
	defaultScaleInStep                 = 1
	defaultScaleOutStep                = 2
	defaultLagAggregate                = "SUM"
)

// Names that are needed for reading and for writing.
const (
	keyFrequency   = "minTriggerScaleActionFrequencyMillis"
	keyInterval    = "lagCollectionIntervalMillis"
	keyRange       = "lagCollectionRangeMillis"
	keyScaleDelay  = "scaleActionStartDelayMillis"
	keyScalePeriod = "scaleActionPeriodMillis"
	keyStart       = "taskCountStart"
	keyStopRatio   = "stopTaskCountRatio"
)

// maxLagPoints bounds the ring of an autoscaler: each decision to scale is stored with all the points that it was made from.
const maxLagPoints = 10_000

func readAutoScaler(io *reader, c *IOConfig) *node {
	r := io.child("autoScalerConfig", classLagBased)
	if r == nil {
		return null
	}
	a := &AutoScalerConfig{EnableTaskAutoScaler: r.boolOr("enableTaskAutoScaler", false)}
	c.AutoScalerConfig = a
	if strategy := r.textOr("autoScalerStrategy", strategyLagBased); strategy != strategyLagBased {
		r.scan.warn(r.at("autoScalerStrategy"), fmt.Sprintf("unknown autoScalerStrategy '%s', taken for lagBased", strategy))
	}
	readTaskCounts(r, a)
	millis := map[string]int64{}
	for _, d := range []struct {
		key string
		def int64
	}{
		{keyFrequency, defaultScaleFrequencyMillis},
		{keyInterval, defaultLagIntervalMillis},
		{keyRange, defaultLagRangeMillis},
		{keyScaleDelay, defaultScaleStartDelayMillis},
		{keyScalePeriod, defaultScalePeriodMillis},
	} {
		millis[d.key] = r.longOr(d.key, d.def)
	}
	if a.EnableTaskAutoScaler {
		checkIntervals(r, millis)
	}
	a.MinTriggerScaleActionFrequency = duration(millis[keyFrequency])
	a.LagCollectionInterval, a.LagCollectionRange = duration(millis[keyInterval]), duration(millis[keyRange])
	a.ScaleActionStartDelay, a.ScaleActionPeriod = duration(millis[keyScaleDelay]), duration(millis[keyScalePeriod])
	a.ScaleOutThreshold = r.longOr("scaleOutThreshold", defaultScaleOutThreshold)
	a.ScaleInThreshold = r.longOr("scaleInThreshold", defaultScaleInThreshold)
	a.TriggerScaleOutFractionThreshold = r.doubleOr("triggerScaleOutFractionThreshold", defaultScaleOutFraction)
	a.TriggerScaleInFractionThreshold = r.doubleOr("triggerScaleInFractionThreshold", defaultScaleInFraction)
	a.ScaleInStep, a.ScaleOutStep = r.integerOr("scaleInStep", defaultScaleInStep), r.integerOr("scaleOutStep", defaultScaleOutStep)
	if a.EnableTaskAutoScaler {
		if a.ScaleInStep < 0 {
			r.fail("scaleInStep", "scaleInStep must not be negative, it is %d", a.ScaleInStep)
		}
		if a.ScaleOutStep < 0 {
			r.fail("scaleOutStep", "scaleOutStep must not be negative, it is %d", a.ScaleOutStep)
		}
	}
	aggregate := readLagAggregate(r, a)
	r.done()
	return object(withOptional([]member{
		{"autoScalerStrategy", str(strategyLagBased)},
		{keyInterval, integer(millis[keyInterval])},
		{keyRange, integer(millis[keyRange])},
		{keyScaleDelay, integer(millis[keyScaleDelay])},
		{keyScalePeriod, integer(millis[keyScalePeriod])},
		{"scaleOutThreshold", integer(a.ScaleOutThreshold)},
		{"scaleInThreshold", integer(a.ScaleInThreshold)},
		{"triggerScaleOutFractionThreshold", double(a.TriggerScaleOutFractionThreshold)},
		{"triggerScaleInFractionThreshold", double(a.TriggerScaleInFractionThreshold)},
		{"taskCountMax", integer(a.TaskCountMax)},
		{"taskCountMin", integer(a.TaskCountMin)},
		{"scaleInStep", integer(a.ScaleInStep)},
		{"scaleOutStep", integer(a.ScaleOutStep)},
		{"enableTaskAutoScaler", boolean(a.EnableTaskAutoScaler)},
		{keyFrequency, integer(millis[keyFrequency])},
		{"lagAggregate", aggregate},
	},
		member{keyStart, orNull(a.TaskCountStart, integer[int])},
		member{keyStopRatio, orNull(a.StopTaskCountRatio, double)},
	)...)
}

// withOptional adds those of the optional members that have a value: Druid 33 does not know them, so a spec without them
// is answered as it answers it.
func withOptional(members []member, optional ...member) []member {
	for _, m := range optional {
		if m.value != null {
			members = append(members, m)
		}
	}
	return members
}

// checkIntervals refuses what Druid finds out when it schedules the autoscaler, with a server error.
func checkIntervals(r *reader, millis map[string]int64) {
	for _, key := range []string{keyInterval, keyRange, keyScalePeriod} {
		if millis[key] <= 0 {
			r.fail(key, "%s must be greater than 0, it is %d", key, millis[key])
		}
	}
	for _, key := range []string{keyScaleDelay, keyFrequency} {
		if millis[key] < 0 {
			r.fail(key, "%s must not be negative, it is %d", key, millis[key])
		}
	}
	if millis[keyInterval] > 0 && millis[keyRange]/millis[keyInterval] >= maxLagPoints {
		r.fail(keyRange, "%s [%d] holds more than %d points of %s [%d]",
			keyRange, millis[keyRange], maxLagPoints, keyInterval, millis[keyInterval])
	}
}

// readTaskCounts reads the bounds, which only count where the autoscaler is enabled.
func readTaskCounts(r *reader, a *AutoScalerConfig) {
	before := len(r.scan.problems)
	most, least := r.integer("taskCountMax"), r.integer("taskCountMin")
	start, ratio := r.integer(keyStart), r.double(keyStopRatio)
	a.TaskCountStart, a.StopTaskCountRatio = start, ratio
	switch {
	case !a.EnableTaskAutoScaler || len(r.scan.problems) > before:
		return
	case most == nil || least == nil:
		r.fail("", "taskCountMax or taskCountMin can't be null!")
		return
	case *most < *least:
		r.fail("taskCountMax", "taskCountMax can't lower than taskCountMin!")
	case *least < 1:
		r.fail("taskCountMin", "taskCountMin must be at least 1, it is %d", *least)
	}
	a.TaskCountMax, a.TaskCountMin = *most, *least
	if start != nil && (*start < *least || *start > *most) {
		r.fail(keyStart, "taskCountMin <= taskCountStart <= taskCountMax")
	}
	if ratio != nil && !(*ratio > 0 && *ratio <= 1) {
		r.fail(keyStopRatio, "0.0 < stopTaskCountRatio <= 1.0")
	}
}

func readLagAggregate(r *reader, a *AutoScalerConfig) *node {
	a.LagAggregate = defaultLagAggregate
	text := r.text("lagAggregate")
	if text == nil {
		return null
	}
	known := []string{"SUM", "MAX", "AVERAGE"}
	if !slices.Contains(known, *text) {
		message := fmt.Sprintf("Cannot deserialize value of type `%s` from String %q: not one of the values accepted for Enum class: [%s]",
			"org.apache.druid.indexing.overlord.supervisor.autoscaler.AggregateFunction", *text, strings.Join(known, ", "))
		r.scan.add(r.at("lagAggregate"), message, message)
	}
	a.LagAggregate = *text
	return str(*text)
}
