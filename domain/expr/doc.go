// Package expr is Druid's native expression language: Compile turns a text into a Program, whose Eval computes a Value
// from the columns of a row.
//
// The rules of types and nulls are those of Druid 33: null handling as in SQL, three-valued logic, Booleans as longs. A
// Program is immutable; what an evaluation needs besides is in an Env, which one goroutine uses at a time and which keeps
// its memory from row to row. An expression never panics and always ends: nesting, the size of what it makes and the
// number of its steps are bounded, and beyond a bound it fails with an error as for any other reason.
//
// The package knows neither where a row comes from nor what becomes of a value; package transform joins it to rows.
package expr
