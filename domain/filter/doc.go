// Package filter is Druid's native filters, as a transformSpec or a filtered metric applies them to rows that are not in
// columns yet: Parse reads one from JSON, Match says whether it holds for a row. ParseExtraction reads an extraction
// function alone.
//
// The rules are those of Druid 33 for a row whose columns have no declared type. A number is compared as a number where
// the filter has one, and as its text elsewhere; a list matches if one of its elements does, each taken as its text; an
// empty list counts as null. An expression is asked of each element of the lists that it uses as scalars. Logic has three
// values: a filter over a null is unknown where it does not ask for nulls, and so is its negation.
package filter
