package autoscale

import (
	"fmt"
	"time"

	"ogham/domain/spec"
)

// Situation is what a decision is made from.
type Situation struct {
	// Samples are the collected lags, oldest first.
	Samples []Sample
	// Groups is the number of active task groups, TaskCount what the spec asks for, Partitions what the topic has.
	Groups, TaskCount, Partitions int
	// LastAction is when the supervisor was scaled last, zero where it never was.
	Now, LastAction time.Time
}

// Decision says how many tasks there should be. TaskCount is what the lags ask for, whether or not it comes to that: 0
// where they ask for nothing.
type Decision struct {
	Scale     bool
	TaskCount int
	// Reason is for people. Where an action is skipped it is Druid's text.
	Reason string
}

// Why nothing is done. The first three are what Druid's metric task/autoScaler/requiredCount carries.
const (
	ReasonAtMax     = "Already at max task count"
	ReasonAtMin     = "Already at min task count"
	ReasonTooSoon   = "minTriggerScaleActionFrequencyMillis not elapsed yet"
	reasonNoLags    = "no lags are collected yet"
	reasonNoTopic   = "the topic has no partitions"
	reasonBetween   = "the lags are between the thresholds"
	reasonUnchanged = "the step leads to the same task count"
)

// Decide is Druid's LagBasedAutoScaler.computeDesiredTaskCount and the check of the frequency behind it: scaling out is
// looked at first, both thresholds include equality, and the bounds are cut to the number of partitions. As in Druid 37 the
// outcome is compared with taskCount: groups may be fewer, and asking again for as many would only restart them all. Fewer
// groups than taskCountMin are never scaled to less than it, as in later versions.
func Decide(c *spec.AutoScalerConfig, s Situation) Decision {
	switch {
	case len(s.Samples) == 0:
		return Decision{Reason: reasonNoLags}
	case s.Partitions <= 0:
		return Decision{Reason: reasonNoTopic}
	}
	d := desired(c, s)
	switch {
	case d.TaskCount == 0:
	case s.Now.Sub(s.LastAction) < c.MinTriggerScaleActionFrequency:
		d.Reason = ReasonTooSoon
	case d.TaskCount == s.Groups, d.TaskCount == s.TaskCount:
		d.Reason = reasonUnchanged
	default:
		d.Scale = true
	}
	return d
}

// desired is what the lags ask for.
func desired(c *spec.AutoScalerConfig, s Situation) Decision {
	n, least, most := len(s.Samples), min(c.TaskCountMin, s.Partitions), min(c.TaskCountMax, s.Partitions)
	var beyond, within int
	for _, p := range s.Samples {
		if p.Lag >= c.ScaleOutThreshold {
			beyond++
		}
		if p.Lag <= c.ScaleInThreshold {
			within++
		}
	}
	switch {
	case fraction(beyond, n) >= c.TriggerScaleOutFractionThreshold:
		if s.Groups == most {
			return Decision{Reason: ReasonAtMax}
		}
		return Decision{
			TaskCount: min(max(s.Groups+c.ScaleOutStep, least), most),
			Reason:    fmt.Sprintf("%d of %d lags were at scaleOutThreshold[%d] or above", beyond, n, c.ScaleOutThreshold),
		}
	case fraction(within, n) >= c.TriggerScaleInFractionThreshold:
		if s.Groups == least {
			return Decision{Reason: ReasonAtMin}
		}
		return Decision{
			TaskCount: max(s.Groups-c.ScaleInStep, least),
			Reason:    fmt.Sprintf("%d of %d lags were at scaleInThreshold[%d] or below", within, n, c.ScaleInThreshold),
		}
	}
	return Decision{Reason: reasonBetween}
}

func fraction(part, all int) float64 { return float64(part) / float64(all) }
