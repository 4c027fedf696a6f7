package segment

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
)

// The internal files beside the columns.
const (
	indexFile    = "index.drd"
	metadataFile = "metadata.drd"
)

// valueType is a column's type as its descriptor names it.
type valueType string

const (
	kindString valueType = "STRING"
	kindLong   valueType = "LONG"
	kindFloat  valueType = "FLOAT"
	kindDouble valueType = "DOUBLE"
)

// width is the bytes of a numeric value.
func (k valueType) width() int {
	if k == kindFloat {
		return 4
	}
	return 8
}

// part is the part type that holds the values.
func (k valueType) part() string {
	switch k {
	case kindLong:
		return "longV2"
	case kindFloat:
		return "floatV2"
	case kindDouble:
		return "doubleV2"
	}
	return "stringDictionary"
}

type typed struct {
	Type string `json:"type"`
}

// descriptor is the JSON in front of every column.
type descriptor struct {
	ValueType         valueType `json:"valueType"`
	HasMultipleValues bool      `json:"hasMultipleValues"`
	Parts             []any     `json:"parts"`
}

// The parts of descriptors, their keys in Druid's order.
type stringPart struct {
	Type      string `json:"type"`
	Bitmap    typed  `json:"bitmapSerdeFactory"`
	ByteOrder string `json:"byteOrder"`
}

type numericPart struct {
	Type      string `json:"type"`
	ByteOrder string `json:"byteOrder"`
	Bitmap    typed  `json:"bitmapSerdeFactory"`
}

type nullPart struct {
	Type    string `json:"type"`
	NumRows int64  `json:"numRows"`
	Bitmap  typed  `json:"bitmapSerdeFactory"`
}

const littleEndian = "LITTLE_ENDIAN"

func newDescriptor(kind valueType, multi bool, bitmap string) descriptor {
	var part any = numericPart{kind.part(), littleEndian, typed{bitmap}}
	if kind == kindString {
		part = stringPart{kind.part(), typed{bitmap}, littleEndian}
	}
	return descriptor{kind, multi, []any{part}}
}

func nullDescriptor(rows int64, bitmap string) descriptor {
	return descriptor{kindString, false, []any{nullPart{"null", rows, typed{bitmap}}}}
}

// sortedMetrics are the metrics in the order of the segment's lists.
func (m Meta) sortedMetrics() []MetricMeta {
	s := slices.Clone(m.Metrics)
	slices.SortFunc(s, func(a, b MetricMeta) int { return CompareUTF16([]byte(a.Name), []byte(b.Name)) })
	return s
}

// writeIndexDrd writes the lists of columns and the interval.
func writeIndexDrd(w *smooshWriter, m Meta, nulls map[string]bool, bitmapType string) error {
	var cols []string
	for _, x := range m.sortedMetrics() {
		cols = append(cols, x.Name)
	}
	cols = append(cols, m.Dimensions...)
	withData := func(names []string) []nullable {
		var l []nullable
		for _, n := range names {
			if !nulls[n] {
				l = append(l, nullable{[]byte(n), false})
			}
		}
		return l
	}
	positions := func(names []string) []nullable {
		var l []nullable
		for _, n := range names {
			l = append(l, nullable{[]byte(n), !nulls[n]})
		}
		return l
	}
	var b []byte
	b = appendIndexed(b, withData(cols))
	b = appendIndexed(b, withData(m.Dimensions))
	b = binary.BigEndian.AppendUint64(b, uint64(m.IntervalStart))
	b = binary.BigEndian.AppendUint64(b, uint64(m.IntervalEnd))
	bitmap := `{"type":"` + bitmapType + `"}`
	b = binary.BigEndian.AppendUint32(b, uint32(len(bitmap)))
	b = append(b, bitmap...)
	b = appendIndexed(b, positions(cols))
	b = appendIndexed(b, positions(m.Dimensions))
	return w.write(b)
}

type nullable struct {
	b    []byte
	null bool
}

// appendIndexed appends a GenericIndexed of a few strings, with the flag that
// Druid computes for such lists.
func appendIndexed(dst []byte, list []nullable) []byte {
	flag, size := byte(1), 0
	for i, e := range list {
		if !e.null {
			size += len(e.b)
		}
		size += 4
		if i > 0 && !list[i-1].null && compareNullable(e.b, e.null, list[i-1].b, false) <= 0 {
			flag = 0
		}
	}
	dst = append(dst, 1, flag)
	dst = binary.BigEndian.AppendUint32(dst, uint32(4+4*len(list)+size))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(list)))
	end := 0
	for _, e := range list {
		if end += 4; !e.null {
			end += len(e.b)
		}
		dst = binary.BigEndian.AppendUint32(dst, uint32(end))
	}
	for _, e := range list {
		if e.null {
			dst = append(dst, 0xff, 0xff, 0xff, 0xff)
			continue
		}
		dst = append(append(dst, 0, 0, 0, 0), e.b...)
	}
	return dst
}

// metadata is the JSON of metadata.drd, its keys in Druid's order.
type metadata struct {
	Container        struct{}        `json:"container"`
	Aggregators      []aggregator    `json:"aggregators"`
	TimestampSpec    json.RawMessage `json:"timestampSpec"`
	QueryGranularity json.RawMessage `json:"queryGranularity"`
	Rollup           bool            `json:"rollup"`
	Ordering         []ordering      `json:"ordering"`
}

type aggregator struct {
	Type      string `json:"type"`
	Name      string `json:"name"`
	FieldName string `json:"fieldName,omitempty"`

	TimeColumn     string `json:"timeColumn,omitempty"`
	MaxStringBytes *int   `json:"maxStringBytes,omitempty"`
	Precomputed    *bool  `json:"isInputHyperUnique,omitempty"`
	SketchMeta
	ExpressionMeta
	Round *bool `json:"round,omitempty"`
}

type ordering struct {
	ColumnName string `json:"columnName"`
	Order      string `json:"order"`
}

func encodeMetadata(m Meta) ([]byte, error) {
	j := metadata{Aggregators: []aggregator{}, TimestampSpec: m.TimestampSpec, QueryGranularity: m.QueryGranularity, Rollup: m.Rollup}
	for _, x := range m.sortedMetrics() {
		field := x.Name
		if x.Expression != (ExpressionMeta{}) { // its expressions name what they read
			field = ""
		}
		j.Aggregators = append(j.Aggregators, aggregator{
			x.Type, x.Name, field, x.TimeColumn, x.MaxStringBytes, x.Precomputed, x.Sketch, x.Expression, x.Round,
		})
	}
	for _, d := range slices.Insert(slices.Clone(m.OrderedDimensions), m.TimePosition, timeColumn) {
		j.Ordering = append(j.Ordering, ordering{d, "ascending"})
	}
	b, err := plainJSON(j)
	if err != nil {
		return nil, fmt.Errorf("encode metadata: %w", err)
	}
	return b, nil
}

// plainJSON encodes without escaping what matters to HTML only.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}
