package segment

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
)

// Codec is how the blocks of a column are compressed; the value is the byte
// that stands in the segment.
type Codec uint8

// The codecs of the format. CodecNone has no blocks at all and is possible for
// numbers only; CodecUncompressed keeps the blocks and their offsets.
const (
	CodecLZF          Codec = 0x00
	CodecLZ4          Codec = 0x01
	CodecZSTD         Codec = 0x02
	CodecNone         Codec = 0xfe
	CodecUncompressed Codec = 0xff
)

var codecNames = map[Codec]string{
	CodecLZF: "lzf", CodecLZ4: "lz4", CodecZSTD: "zstd", CodecNone: "none", CodecUncompressed: "uncompressed",
}

// String returns the name of the codec in an indexSpec.
func (c Codec) String() string {
	if s, ok := codecNames[c]; ok {
		return s
	}
	return fmt.Sprintf("codec(%#x)", uint8(c))
}

func (c Codec) known() bool { _, ok := codecNames[c]; return ok }

func parseCodec(key, name string) (Codec, error) {
	for c, s := range codecNames {
		if s == name {
			return c, nil
		}
	}
	return 0, fmt.Errorf("%s: unknown compression %q", key, name)
}

// IndexSpec says how the columns of a segment are encoded. Its zero value is
// not the default: see [DefaultIndexSpec].
type IndexSpec struct {
	// Bitmap is the type of all bitmaps, roaring or concise.
	Bitmap string
	// DimensionCompression is the codec of string columns.
	DimensionCompression Codec
	// MetricCompression is the codec of __time and of all numeric columns.
	MetricCompression Codec
	// LongEncoding is longs, or auto, which packs what has few different
	// values, or values in a small range.
	LongEncoding string
	// FrontCoding is that of string dictionaries; its zero value is none.
	FrontCoding FrontCoding
	// JSONCompression is the codec of the raw values of nested columns; none
	// means uncompressed, since they have blocks always.
	JSONCompression Codec
	// SegmentLoader is the JSON that factory.json holds: how a historical
	// loads the segment. Empty is the usual way.
	SegmentLoader string
}

// The bitmap types.
const (
	bitmapRoaring = "roaring"
	bitmapConcise = "concise"
)

// The encodings of longs.
const (
	longsPlain = "longs"
	longsAuto  = "auto"
)

// DefaultIndexSpec returns Druid's defaults: roaring, lz4, longs.
func DefaultIndexSpec() IndexSpec {
	return IndexSpec{
		Bitmap: bitmapRoaring, DimensionCompression: CodecLZ4, MetricCompression: CodecLZ4, LongEncoding: longsPlain,
		JSONCompression: CodecLZ4,
	}
}

// ParseIndexSpec reads the indexSpec of an ingestion spec; null and the empty
// message are the defaults.
func ParseIndexSpec(raw json.RawMessage) (IndexSpec, error) {
	s := DefaultIndexSpec()
	if t := bytes.TrimSpace(raw); len(t) == 0 || bytes.Equal(t, []byte("null")) {
		return s, nil
	}
	var j struct {
		Bitmap *struct {
			Type string `json:"type"`
		} `json:"bitmap"`
		DimensionCompression     *string         `json:"dimensionCompression"`
		MetricCompression        *string         `json:"metricCompression"`
		LongEncoding             *string         `json:"longEncoding"`
		JSONCompression          *string         `json:"jsonCompression"`
		SegmentLoader            json.RawMessage `json:"segmentLoader"`
		StringDictionaryEncoding *struct {
			Type          string `json:"type"`
			BucketSize    *int   `json:"bucketSize"`
			FormatVersion *int   `json:"formatVersion"`
		} `json:"stringDictionaryEncoding"`
	}
	if err := json.Unmarshal(raw, &j); err != nil {
		return s, fmt.Errorf("parse indexSpec: %w", err)
	}
	var err error
	for _, c := range []struct {
		key  string
		name *string
		to   *Codec
	}{
		{"dimensionCompression", j.DimensionCompression, &s.DimensionCompression},
		{"metricCompression", j.MetricCompression, &s.MetricCompression},
		{"jsonCompression", j.JSONCompression, &s.JSONCompression},
	} {
		if c.name == nil {
			continue
		}
		if *c.to, err = parseCodec(c.key, *c.name); err != nil {
			return s, err
		}
	}
	if len(j.SegmentLoader) > 0 && string(j.SegmentLoader) != "null" {
		s.SegmentLoader = string(j.SegmentLoader)
	}
	if j.Bitmap != nil {
		s.Bitmap = j.Bitmap.Type
	}
	if j.LongEncoding != nil {
		s.LongEncoding = *j.LongEncoding
	}
	if d := j.StringDictionaryEncoding; d != nil {
		switch d.Type {
		case "utf8":
		case "frontCoded":
			s.FrontCoding = FrontCoding{BucketSize: defaultBucketSize, FormatVersion: defaultFrontVersion}
			if d.BucketSize != nil {
				s.FrontCoding.BucketSize = *d.BucketSize
			}
			if d.FormatVersion != nil {
				s.FrontCoding.FormatVersion = *d.FormatVersion
			}
			if s.FrontCoding.BucketSize == 0 {
				return s, errors.New("indexSpec: bucketSize of stringDictionaryEncoding must be a power of two from 1 to 128")
			}
		default:
			return s, fmt.Errorf("indexSpec: unknown stringDictionaryEncoding %q", d.Type)
		}
	}
	return s, s.validate()
}

func (s IndexSpec) validate() error {
	switch {
	case s.Bitmap != bitmapRoaring && s.Bitmap != bitmapConcise:
		return fmt.Errorf("indexSpec: unknown bitmap type %q", s.Bitmap)
	case s.LongEncoding != longsPlain && s.LongEncoding != longsAuto:
		return fmt.Errorf("indexSpec: unknown longEncoding %q", s.LongEncoding)
	case !s.MetricCompression.known():
		return fmt.Errorf("indexSpec: unknown metricCompression %v", s.MetricCompression)
	case !s.DimensionCompression.known() || s.DimensionCompression == CodecNone:
		return fmt.Errorf("indexSpec: dimensionCompression cannot be %v", s.DimensionCompression)
	case !s.JSONCompression.known():
		return fmt.Errorf("indexSpec: jsonCompression cannot be %v", s.JSONCompression)
	case !s.FrontCoding.valid():
		return fmt.Errorf("indexSpec: front-coded dictionaries need a bucketSize that is a power of two from 1 to 128 and formatVersion 0 or 1")
	}
	return nil
}
