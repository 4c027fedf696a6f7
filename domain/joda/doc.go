// Package joda formats and reads times by the patterns of Joda-Time's DateTimeFormat, in English, as Druid does.
//
// Compile reads a pattern once; a Pattern is immutable, but for one that Own gave. The names of zones are the short
// ones; their long names (zzzz), by which Joda-Time can only write, are refused. A year of two digits lies within 1946 to 2045, the range that
// Joda-Time has in 2026, whatever the year is: what a task reads must not depend on when it reads it.
package joda
