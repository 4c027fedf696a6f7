package segment

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// The sizes of values in Druid's estimates, which are those of their text.
const (
	timeEstimate   = 10
	numberEstimate = 8
)

// columnSummary is a column in DumpMetadata's answer.
type columnSummary struct {
	Name              string  `json:"name"`
	Type              string  `json:"type"`
	HasMultipleValues bool    `json:"hasMultipleValues"`
	HasNulls          bool    `json:"hasNulls"`
	Size              int64   `json:"size"`
	Cardinality       *int    `json:"cardinality"`
	MinValue          *string `json:"minValue"`
	MaxValue          *string `json:"maxValue"`
}

// segmentSummary is DumpMetadata's answer.
type segmentSummary struct {
	Intervals        []string              `json:"intervals"`
	Columns          []columnSummary       `json:"columns"`
	Size             int64                 `json:"size"`
	NumRows          int                   `json:"numRows"`
	Aggregators      map[string]aggregator `json:"aggregators"`
	TimestampSpec    json.RawMessage       `json:"timestampSpec"`
	QueryGranularity json.RawMessage       `json:"queryGranularity"`
	Rollup           bool                  `json:"rollup"`
	Ordering         []ordering            `json:"ordering"`
}

// DumpMetadata writes what the segment says about itself and its columns as
// one JSON object. Its fields are those of Druid's dump-segment; sizes are the
// same estimates of the values as text, not bytes of the file.
func (r *Reader) DumpMetadata(w io.Writer) error {
	var m metadata
	if len(r.metadata) > 0 {
		if err := json.Unmarshal(r.metadata, &m); err != nil {
			return corruptf(metadataFile, "%v", err)
		}
	}
	const form = "2006-01-02T15:04:05.000Z"
	s := segmentSummary{
		Intervals: []string{time.UnixMilli(r.start).UTC().Format(form) + "/" + time.UnixMilli(r.end).UTC().Format(form)},
		NumRows:   r.rows, Aggregators: map[string]aggregator{},
		TimestampSpec: m.TimestampSpec, QueryGranularity: m.QueryGranularity, Rollup: m.Rollup, Ordering: m.Ordering,
	}
	for _, a := range m.Aggregators {
		s.Aggregators[a.Name] = a
	}
	for _, info := range r.Columns() {
		c, err := r.summarize(info)
		if err != nil {
			return err
		}
		s.Columns = append(s.Columns, c)
		s.Size += c.Size + int64(r.rows)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return fmt.Errorf("dump metadata: %w", err)
	}
	return nil
}

func (r *Reader) summarize(info ColumnInfo) (columnSummary, error) {
	s := columnSummary{Name: info.Name, Type: info.Type, HasMultipleValues: info.MultiValue, HasNulls: info.HasNulls}
	if c := r.columns[info.Name]; c.err != nil {
		return s, c.err
	}
	if info.Name == timeColumn {
		s.Size = timeEstimate * int64(r.rows)
		return s, nil
	}
	if r.columns[info.Name].complex != nil {
		s.Type = info.Logical
		return s, nil
	}
	if valueType(info.Type) == kindComplex {
		return r.summarizeJSON(info, s)
	}
	if valueType(info.Type) != kindString {
		s.Size = numberEstimate * int64(r.rows)
		return s, nil
	}
	c, err := r.String(info.Name)
	if err != nil {
		return s, err
	}
	n := c.Cardinality()
	s.Cardinality = &n
	for id := range n {
		v, null := c.dict.Value(id)
		text := string(v)
		if id == 0 && !null {
			s.MinValue = &text
		}
		if id == n-1 && !null {
			s.MaxValue = &text
		}
		if c.HasBitmaps() && !null {
			rows, err := c.Bitmap(id)
			if err != nil {
				return s, err
			}
			s.Size += int64(len(v)) * int64(rows.GetCardinality())
		}
	}
	return s, nil
}

// summarizeJSON summarizes an auto column: as a plain one of its type would be,
// as far as Druid's estimates go.
func (r *Reader) summarizeJSON(info ColumnInfo, s columnSummary) (columnSummary, error) {
	c, err := r.JSON(info.Name)
	if err != nil {
		return s, err
	}
	s.Type = info.Logical
	switch {
	case info.Logical == "LONG" || info.Logical == "DOUBLE":
		s.Size = numberEstimate * int64(r.rows)
	case info.Logical == nestedType:
		s.Type = "json"
	case info.Logical != "STRING":
		s.Type = "ARRAY"
	case !c.Indexed():
		s.Cardinality = new(int)
	default:
		return s, c.summarizeStrings(&s)
	}
	return s, nil
}

func (c *JSONColumn) summarizeStrings(s *columnSummary) error {
	n := c.strings.Len()
	s.Cardinality = &n
	for id := 1; id < n; id++ {
		v, _ := c.strings.Value(id)
		rows, err := c.Bitmap(id)
		if err != nil {
			return err
		}
		s.Size += int64(len(v)) * int64(rows.GetCardinality())
		if text := string(v); id == n-1 {
			s.MaxValue = &text
		}
	}
	return nil
}
