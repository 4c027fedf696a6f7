package deepstorage

import (
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// SegmentID names a segment as Druid does.
type SegmentID struct {
	// DataSource is the segment's data source.
	DataSource string
	// Start and End are the interval in milliseconds since 1970 UTC.
	Start, End int64
	// Version is the time of the task lock.
	Version string
	// PartitionNum counts up from 0 within interval and version.
	PartitionNum int
}

// NameError says that part of a segment's identity cannot be a folder's name.
type NameError struct {
	// Part tells which part it is.
	Part string
	// Value is what it held.
	Value string
}

// Error implements error.
func (e *NameError) Error() string {
	return fmt.Sprintf("%s %q cannot name a folder of deep storage", e.Part, e.Value)
}

// maxName is the longest name of a folder on the common file systems.
const maxName = 255

// element checks one element of a path. A data source is user input: what could
// leave its folder, or not be named there, is refused and not rewritten, since
// two data sources must never share a folder.
func element(part, v string) (string, error) {
	if v == "" || v == "." || v == ".." || len(v) > maxName || strings.ContainsAny(v, "/\\\x00\n\r") || !filepath.IsLocal(v) {
		return "", &NameError{Part: part, Value: v}
	}
	return v, nil
}

// isoTime is how times stand in paths: always with three digits of
// milliseconds, in UTC.
const isoTime = "2006-01-02T15:04:05.000Z"

// path is the segment's folder below the root, without index/.
func (id SegmentID) path(uuid string) (string, error) {
	ds, err := element("data source", id.DataSource)
	if err != nil {
		return "", err
	}
	if ds == intermediate {
		return "", &NameError{Part: "data source", Value: ds}
	}
	version, err := element("version", id.Version)
	if err != nil {
		return "", err
	}
	if uuid, err = element("push id", uuid); err != nil {
		return "", err
	}
	if id.PartitionNum < 0 {
		return "", &NameError{Part: "partition number", Value: strconv.Itoa(id.PartitionNum)}
	}
	interval := time.UnixMilli(id.Start).UTC().Format(isoTime) + "_" + time.UnixMilli(id.End).UTC().Format(isoTime)
	return filepath.Join(ds, interval, version, strconv.Itoa(id.PartitionNum), uuid), nil
}
