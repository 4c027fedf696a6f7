package segment

import (
	"bytes"
	"encoding/json"
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
	// Bitmap is the bitmap type; roaring is the only one written.
	Bitmap string
	// DimensionCompression is the codec of string columns.
	DimensionCompression Codec
	// MetricCompression is the codec of __time and of all numeric columns.
	MetricCompression Codec
	// LongEncoding is longs or auto; both are written as longs, which every
	// reader takes for either.
	LongEncoding string
}

// DefaultIndexSpec returns Druid's defaults: roaring, lz4, longs.
func DefaultIndexSpec() IndexSpec {
	return IndexSpec{Bitmap: "roaring", DimensionCompression: CodecLZ4, MetricCompression: CodecLZ4, LongEncoding: "longs"}
}

// ParseIndexSpec reads the indexSpec of an ingestion spec; null and the empty
// message are the defaults. What cannot be written is an [*UnsupportedError].
func ParseIndexSpec(raw json.RawMessage) (IndexSpec, error) {
	s := DefaultIndexSpec()
	if t := bytes.TrimSpace(raw); len(t) == 0 || bytes.Equal(t, []byte("null")) {
		return s, nil
	}
	var j struct {
		Bitmap *struct {
			Type string `json:"type"`
		} `json:"bitmap"`
		DimensionCompression     *string `json:"dimensionCompression"`
		MetricCompression        *string `json:"metricCompression"`
		LongEncoding             *string `json:"longEncoding"`
		StringDictionaryEncoding *struct {
			Type string `json:"type"`
		} `json:"stringDictionaryEncoding"`
	}
	if err := json.Unmarshal(raw, &j); err != nil {
		return s, fmt.Errorf("parse indexSpec: %w", err)
	}
	var err error
	if j.DimensionCompression != nil {
		if s.DimensionCompression, err = parseCodec("dimensionCompression", *j.DimensionCompression); err != nil {
			return s, err
		}
	}
	if j.MetricCompression != nil {
		if s.MetricCompression, err = parseCodec("metricCompression", *j.MetricCompression); err != nil {
			return s, err
		}
	}
	if j.Bitmap != nil {
		s.Bitmap = j.Bitmap.Type
	}
	if j.LongEncoding != nil {
		s.LongEncoding = *j.LongEncoding
	}
	if d := j.StringDictionaryEncoding; d != nil && d.Type != "utf8" {
		return s, &UnsupportedError{Feature: fmt.Sprintf("stringDictionaryEncoding %q", d.Type)}
	}
	return s, s.validate()
}

func (s IndexSpec) validate() error {
	switch {
	case s.Bitmap == "concise":
		return &UnsupportedError{Feature: "writing concise bitmaps"}
	case s.Bitmap != "roaring":
		return fmt.Errorf("indexSpec: unknown bitmap type %q", s.Bitmap)
	case s.LongEncoding != "longs" && s.LongEncoding != "auto":
		return fmt.Errorf("indexSpec: unknown longEncoding %q", s.LongEncoding)
	case !s.MetricCompression.known():
		return fmt.Errorf("indexSpec: unknown metricCompression %v", s.MetricCompression)
	case !s.DimensionCompression.known() || s.DimensionCompression == CodecNone:
		return fmt.Errorf("indexSpec: dimensionCompression cannot be %v", s.DimensionCompression)
	}
	return nil
}
