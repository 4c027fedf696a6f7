// Package jsonpath compiles and evaluates the JsonPath expressions of flattenSpecs: the dialect of Jayway's JsonPath,
// with filters and functions, as Druid 33 uses it.
//
// Its main type is Path, made by Compile; Read evaluates it over a value of row.Rows, so that every input format that
// makes such values has paths. Druid gives the library a provider of its own, whose habits are kept: null and what is
// absent count as an object without members, an absent member and an element beyond the end of a list are null, and so
// every object has every member for a filter like [?(@.x)].
//
// It imports domain/row for values and nothing else of ours.
package jsonpath
