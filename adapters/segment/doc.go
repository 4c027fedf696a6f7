// Package segment reads and writes Druid segments of format version 9: the
// smoosh container, the lists of columns, the metadata and the columns of
// strings, longs, floats and doubles with their dictionaries and bitmaps, and
// the auto columns, whose type follows from their values.
//
// A [Writer] makes a segment folder. Its columns are written one after the
// other, each streamed: blocks are compressed on a small pool of goroutines
// that the Writer owns, and a column needs memory for its bitmaps and for a
// few blocks, not for its values. A [Reader] maps a folder (or reads an
// index.zip) and decodes columns block by block. It trusts no length and no
// offset: what does not hold is a [*CorruptError].
//
// The package knows bytes, not ingestion: which rows there are, in what order
// and with which nulls is decided by its caller. Other complex
// columns and parts of 2 GiB and more are refused with a [*UnsupportedError]. docs/formats/segment-v9.md describes
// what is written and how it is checked.
//
// It imports the standard library, lz4, zstd, roaring, xxhash and golang.org/x/sys;
// nothing of this project.
package segment
