package sampler

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"

	"ogham/domain/row"
	"ogham/domain/spec"
)

// Answer is Druid's answer of the sampler; Warnings is ours.
type Answer struct {
	NumRowsRead          int               `json:"numRowsRead"`
	NumRowsIndexed       int               `json:"numRowsIndexed"`
	LogicalDimensions    []json.RawMessage `json:"logicalDimensions"`
	PhysicalDimensions   []json.RawMessage `json:"physicalDimensions"`
	LogicalSegmentSchema []ColumnType      `json:"logicalSegmentSchema"`
	Data                 []DataRow         `json:"data"`
	// Warnings are what was read leniently in the spec.
	Warnings []Warning `json:"warnings,omitempty"`
}

// ColumnType is a column of the segment that would be made.
type ColumnType struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

// DataRow is one row as it came and as it would be stored.
type DataRow struct {
	Input       json.RawMessage `json:"input,omitempty"`
	Parsed      json.RawMessage `json:"parsed,omitempty"`
	Unparseable *bool           `json:"unparseable,omitempty"`
	Error       string          `json:"error,omitempty"`
}

// Warning is a place in the body and what is to be said of it.
type Warning struct {
	Path    string `json:"path"`
	Message string `json:"message"`
}

func (t *sample) answer(r *Result) *Answer {
	a := &Answer{NumRowsIndexed: int(r.Indexed), Data: []DataRow{}}
	t.describe(a, r.Columns)
	rows := r.Rows
	a.NumRowsRead = len(rows) - int(r.ThrownAway)
	size, limit := int64(0), t.req.Config.MaxClientResponseBytes
	for i := range rows {
		x := t.dataRow(&rows[i], r.Columns)
		if x == nil {
			continue // added to an earlier row, or thrown away
		}
		size += int64(len(x.Input) + len(x.Parsed) + len(x.Error))
		a.Data = append(a.Data, *x)
		if limit > 0 && size > limit || len(a.Data) == t.req.Config.NumRows {
			break
		}
	}
	if cut := len(a.Data); limit > 0 && size > limit { // what is not shown is not counted
		a.NumRowsRead, a.NumRowsIndexed = cut, 0
		for _, x := range a.Data {
			if x.Unparseable == nil {
				a.NumRowsIndexed++
			}
		}
	}
	a.NumRowsRead = min(a.NumRowsRead, t.req.Config.NumRows)
	for _, w := range t.req.Spec.Warnings() {
		a.Warnings = append(a.Warnings, Warning{w.Path, w.Message})
	}
	return a
}

// dataRow is nil for a row that has nothing to show.
func (t *sample) dataRow(x *Row, columns []Column) *DataRow {
	if x.Stored == nil && x.Error == "" {
		return nil
	}
	d := &DataRow{Error: sampledText(x.Error)}
	if x.Error != "" {
		yes := true
		d.Unparseable = &yes
	}
	if raw := t.inputs[x.Record]; x.Row >= 0 && x.Row < len(raw) {
		d.Input = raw[x.Row]
	}
	if x.Stored != nil {
		var b bytes.Buffer
		for i, c := range columns {
			key, _ := json.Marshal(c.Name) // a string
			b.WriteByte("{,"[min(i, 1)])
			b.Write(key)
			b.WriteByte(':')
			b.Write(x.Stored[i])
		}
		b.WriteByte('}')
		d.Parsed = b.Bytes()
	}
	return d
}

var place = regexp.MustCompile(` \(Record: \d+(, Line: \d+)?\)$`)

// sampledText is an error as Druid's sampler words it: without the place in the record, and other than a task where a
// record has no row at all.
func sampledText(text string) string {
	text = place.ReplaceAllString(text, "")
	if input, ok := strings.CutPrefix(text, "Unable to parse ["); ok {
		if input, ok = strings.CutSuffix(input, "] as the intermediateRow resulted in empty input row"); ok {
			return "No map object parsed for row [" + input + "]"
		}
	}
	if strings.HasPrefix(text, "Unable to parse row [") && strings.HasSuffix(text, "]") {
		return text + " into JSON"
	}
	return text
}

// describe fills in the columns of the segment: as they were stored, or, where nothing was, as the spec has them.
func (t *sample) describe(a *Answer, columns []Column) {
	d := &t.req.Spec.DataSchema
	if len(columns) == 0 {
		columns = declared(d)
	}
	listed := map[string]spec.Dimension{}
	for _, dim := range d.DimensionsSpec.Dimensions {
		listed[dim.Name] = dim
	}
	a.LogicalDimensions, a.PhysicalDimensions = []json.RawMessage{}, []json.RawMessage{}
	for _, c := range columns {
		a.LogicalSegmentSchema = append(a.LogicalSegmentSchema, ColumnType{c.Name, c.Type})
		if !c.Dimension {
			continue
		}
		dim, ok := listed[c.Name]
		logical, physical := dim.Raw, dim.Raw
		switch {
		case ok:
		case d.DimensionsSpec.UseSchemaDiscovery:
			logical, physical = dimension(c.Name, logicalType(c.Type)), dimension(c.Name, "auto")
		default:
			logical = dimension(c.Name, "string")
			physical = logical
		}
		a.LogicalDimensions = append(a.LogicalDimensions, logical)
		a.PhysicalDimensions = append(a.PhysicalDimensions, physical)
	}
}

// declared are the columns that a segment has in any case.
func declared(d *spec.DataSchema) []Column {
	out := []Column{{Name: row.TimeColumn, Type: "LONG"}}
	for _, dim := range d.DimensionsSpec.Dimensions {
		if dim.Name == row.TimeColumn {
			continue
		}
		out = append(out, Column{Name: dim.Name, Type: columnType(dim.Type), Dimension: true})
	}
	for _, m := range d.MetricsSpec {
		if agg, ok := row.ParseAggregator(m.Type); ok {
			kind := agg.Type()
			if m.Double {
				kind = row.TypeDouble
			}
			out = append(out, Column{Name: m.Name, Type: columnType(kind.String())})
		}
	}
	return out
}

// columnType is the type of the column that a dimension of a spec makes.
func columnType(dimension string) string {
	switch dimension {
	case "long", "float", "double":
		return strings.ToUpper(dimension)
	case "json":
		return "COMPLEX<json>"
	}
	return "STRING"
}

// logicalType is the dimension that a found column would be, were it listed.
func logicalType(column string) string {
	switch column {
	case "STRING", "LONG", "FLOAT", "DOUBLE":
		return strings.ToLower(column)
	case "COMPLEX<json>":
		return "json"
	}
	return "auto"
}

// dimension is a dimension that was found, as Druid writes it.
func dimension(name, kind string) json.RawMessage {
	b, _ := json.Marshal(struct { // strings and a Boolean
		Type               string `json:"type"`
		Name               string `json:"name"`
		MultiValueHandling string `json:"multiValueHandling"`
		CreateBitmapIndex  bool   `json:"createBitmapIndex"`
	}{kind, name, "SORTED_ARRAY", kind != "long" && kind != "float" && kind != "double"})
	return b
}
