// Package deepstorage puts finished segments where historicals load them from.
//
// [Local] is a folder, shared with the historicals, laid out as Druid's local
// deep storage: ROOT/DATASOURCE/START_END/VERSION/N/UUID/index/. A push appears
// in one rename or not at all, on disk and not only in the page cache, under a
// name that nobody else uses, so that a push which turns out to have lost may
// be deleted again.
//
// The package knows files, not ingestion: which segment is committed, and what
// the descriptor says besides its loadSpec, is its caller's business. Zipped
// segments and remote storages are not here. It imports the standard library;
// nothing of this project.
package deepstorage
