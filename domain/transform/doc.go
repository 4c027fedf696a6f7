// Package transform applies a spec's transformSpec to rows, and computes what metrics take from expressions and filters.
//
// Compile joins a transformSpec to a schema and gives a Transformer, or nil where there is nothing to do, so that a spec
// without one pays nothing. The order is Druid's: expressions see the raw row and never one another's results; the filter
// sees the row with them; what is neither stored nor filtered on is not computed, and so cannot fail.
package transform
