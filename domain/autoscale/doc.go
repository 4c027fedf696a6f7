// Package autoscale owns the arithmetic of Druid's lagBased task autoscaler: the aggregate of a lag, the window of
// collected lags, and the decision. When lags are collected and decisions are made is the overlord's.
//
// [Decide] is a pure function of the configuration and a [Situation], so that a decision that is in the log can be made
// again from the samples that it carries. The package may import domain/spec, domain/supervisor and domain/task.
package autoscale
