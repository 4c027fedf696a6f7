package inputformat

import (
	"bytes"
	"encoding/json"
	"math"
	"unicode/utf8"

	"ogham/adapters/index"
	"ogham/domain/row"
)

// RawRows gives the rows of a record as they come out of it, before any spec says what is done with them: one JSON object
// each. Records of JSON are shown as they are, whatever their flattenSpec makes of them. What cannot be read has no rows.
func (f *Formats) RawRows(inputFormat json.RawMessage, r *index.Record) []json.RawMessage {
	var outer struct {
		Type        string          `json:"type"`
		ValueFormat json.RawMessage `json:"valueFormat"`
	}
	if err := json.Unmarshal(inputFormat, &outer); err != nil {
		return nil
	}
	if outer.Type == "json" {
		return rawObjects(r.Value)
	}
	found := f.foundRows(inputFormat, r)
	if outer.Type != "kafka" {
		return found
	}
	// Nested values of the record's own JSON are not found as dimensions, and still to be shown.
	var inner struct {
		Type string `json:"type"`
	}
	if json.Unmarshal(outer.ValueFormat, &inner) != nil || inner.Type != "json" {
		return found
	}
	objects := rawObjects(r.Value)
	for i := range found {
		if i < len(objects) {
			found[i] = merged(objects[i], found[i])
		}
	}
	return found
}

// rawObjects gives the JSON objects of a text, without white space and with their numbers as they stand.
func rawObjects(text []byte) []json.RawMessage {
	var out []json.RawMessage
	d := json.NewDecoder(bytes.NewReader(bytes.TrimPrefix(text, byteOrderMark)))
	for {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return out
		}
		var b bytes.Buffer
		if len(raw) == 0 || raw[0] != '{' || json.Compact(&b, raw) != nil {
			return out
		}
		out = append(out, b.Bytes())
	}
}

// foundRows reads a record with a schema that wants every field.
func (f *Formats) foundRows(inputFormat json.RawMessage, r *index.Record) []json.RawMessage {
	// No record has a field of this name.
	parser, err := f.New(inputFormat, row.Schema{Timestamp: row.Timestamp{Column: "\x00"}, DiscoverDimensions: true, DiscoverTypes: true})
	if err != nil {
		return nil
	}
	rows, err := parser.Parse(r)
	if err != nil {
		return nil
	}
	names := parser.Discovered()
	out := make([]json.RawMessage, rows.Count)
	for i := range rows.Count {
		vals := rows.Row(i)
		b := []byte{'{'}
		for _, slot := range rows.Order[i] {
			if int(slot) < 1 || int(slot)-1 >= len(names) {
				continue // the time
			}
			if len(b) > 1 {
				b = append(b, ',')
			}
			b = append(appendText(b, names[slot-1]), ':')
			b = appendValue(b, rows, &vals[slot])
		}
		out[i] = append(b, '}')
	}
	return out
}

func appendText(b []byte, s string) []byte {
	if !utf8.ValidString(s) {
		s = javaText([]byte(s))
	}
	text, _ := json.Marshal(s) // a string
	return append(b, text...)
}

func appendValue(b []byte, rows *row.Rows, v *row.Value) []byte {
	switch v.Kind {
	case row.String:
		return appendText(b, string(v.Text))
	case row.Double:
		if f := math.Float64frombits(v.Num); math.IsNaN(f) || math.IsInf(f, 0) {
			return appendText(b, string(rows.AppendText(nil, v)))
		}
		return rows.AppendText(b, v)
	case row.Long, row.Bool:
		return rows.AppendText(b, v)
	case row.List:
		b = append(b, '[')
		for i, e := range rows.ListOf(v) {
			if i > 0 {
				b = append(b, ',')
			}
			b = appendValue(b, rows, &e)
		}
		return append(b, ']')
	case row.Object:
		b = append(b, '{')
		for i, m := range rows.MembersOf(v) {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(appendText(b, string(m.Key)), ':')
			b = appendValue(b, rows, &m.Value)
		}
		return append(b, '}')
	}
	return append(b, "null"...)
}

// merged is the first object with those members of the second that it lacks behind its own.
func merged(first, second json.RawMessage) json.RawMessage {
	var has, all map[string]json.RawMessage
	if json.Unmarshal(first, &has) != nil || json.Unmarshal(second, &all) != nil {
		return first
	}
	b := bytes.TrimSuffix(bytes.Clone(first), []byte("}"))
	d := json.NewDecoder(bytes.NewReader(second))
	_, _ = d.Token() // it was read before
	for d.More() {
		name, _ := d.Token()
		key, _ := name.(string)
		var value json.RawMessage
		if d.Decode(&value) != nil {
			break
		}
		if _, ok := has[key]; ok {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		b = append(append(appendText(b, key), ':'), value...)
	}
	return append(b, '}')
}
