package spec

import (
	"math/bits"
	"slices"
	"strings"
)

const (
	classIndexSpec    = "org.apache.druid.segment.IndexSpec"
	classCompression  = "org.apache.druid.segment.data.CompressionStrategy"
	classLongEncoding = "org.apache.druid.segment.data.CompressionFactory"
	classDictionary   = "org.apache.druid.segment.column.StringEncodingStrategy"

	defaultBucketSize    = 4
	maxBucketSize        = 128
	defaultFrontCodedVer = 0
	maxFrontCodedVer     = 1
)

var (
	compressions  = []string{"lz4", "lzf", "none", "uncompressed", "zstd"}
	longEncodings = []string{"auto", "longs"}
)

// readIndexSpec reads one of the two indexSpecs; fallback stands for a missing one, nil for Druid's defaults.
func readIndexSpec(tuning *reader, name string, fallback *node) *node {
	r := tuning.child(name, classIndexSpec)
	if r == nil {
		if fallback != nil {
			return fallback
		}
		r = newReader(tuning.scan, object(), tuning.at(name), classIndexSpec, "")
	}
	out := object(
		member{"bitmap", readBitmap(r)},
		member{"dimensionCompression", r.enum("dimensionCompression", "lz4", compressions, classCompression, "")},
		member{"stringDictionaryEncoding", readDictionary(r)},
		member{"metricCompression", r.enum("metricCompression", "lz4", compressions, classCompression, "")},
		member{"longEncoding", r.enum("longEncoding", "longs", longEncodings, classLongEncoding, "LongEncodingStrategy")},
	)
	if compression := out.get("dimensionCompression"); compression.text == "none" {
		r.fail("dimensionCompression", "dimensionCompression 'none' cannot be written: 'uncompressed' is what string columns can be")
	}
	for _, extra := range []string{"complexMetricCompression", "jsonCompression"} {
		if r.get(extra) != nil {
			out.members = append(out.members, member{extra, r.enum(extra, "lz4", compressions, classCompression, "")})
		}
	}
	if n := r.get("segmentLoader"); n != nil {
		out.members = append(out.members, member{"segmentLoader", n})
	}
	r.done()
	return out
}

// enum reads one of a few words without regard to case, written in lower case.
func (r *reader) enum(name, def string, known []string, class, inner string) *node {
	text := r.textOr(name, def)
	lower := strings.ToLower(text)
	if !slices.Contains(known, lower) {
		made, constant := class, class
		if inner != "" {
			made, constant = class+"$"+inner, class+"."+inner
		}
		r.failClass(name, made, "No enum constant %s.%s", constant, strings.ToUpper(text))
	}
	return str(lower)
}

// readBitmap takes every type but concise for roaring, as Druid does.
func readBitmap(r *reader) *node {
	id := "roaring"
	if b := r.child("bitmap", "org.apache.druid.segment.data.BitmapSerde$DefaultBitmapSerdeFactory"); b != nil {
		b.ignore("compressRunOnSerialization")
		switch given := b.textOr("type", id); given {
		case id:
		case "concise":
			id = given
		default:
			r.scan.warn(b.at("type"), "unknown bitmap type '"+given+"', taken for roaring")
		}
		b.done()
	}
	return object(member{"type", str(id)})
}

func readDictionary(r *reader) *node {
	const name = "stringDictionaryEncoding"
	utf8 := object(member{"type", str("utf8")})
	n := r.get(name)
	if n == nil {
		return utf8
	}
	id, ok := r.scan.typeID(n, r.at(name), classDictionary, name, []string{"frontCoded", "utf8"})
	if !ok || id == "utf8" {
		return utf8
	}
	d := newReader(r.scan, n, r.at(name), classDictionary+"$FrontCoded", "")
	d.ignore("type")
	size, version := d.integerOr("bucketSize", defaultBucketSize), d.integerOr("formatVersion", defaultFrontCodedVer)
	if size < 1 || size > maxBucketSize || bits.OnesCount(uint(size)) != 1 {
		d.fail("bucketSize", "bucketSize must be a power of two but was[%d]", size)
	}
	if version < 0 || version > maxFrontCodedVer {
		d.fail("formatVersion", "Unknown format version for FrontCodedIndexed [%d], must be [0] or [1]", version)
	}
	d.done()
	return object(member{"type", str(id)}, member{"bucketSize", integer(size)}, member{"formatVersion", integer(version)})
}
