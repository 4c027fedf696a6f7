package inputformat

import (
	"bytes"
	"encoding/json"
	"fmt"

	"ogham/adapters/index"
	"ogham/domain/row"
)

// UnsupportedError is returned by New for a format, or an option of one, that is not implemented.
type UnsupportedError struct {
	What string
}

func (e *UnsupportedError) Error() string { return "inputFormat: " + e.What + " is not supported" }

// New makes the parser for an inputFormat and a schema.
func New(inputFormat json.RawMessage, schema row.Schema) (index.Parser, error) {
	var f struct {
		Type                   string          `json:"type"`
		FlattenSpec            json.RawMessage `json:"flattenSpec"`
		FeatureSpec            map[string]bool `json:"featureSpec"`
		KeepNullColumns        bool            `json:"keepNullColumns"`
		AssumeNewlineDelimited bool            `json:"assumeNewlineDelimited"`
		UseJSONNodeReader      bool            `json:"useJsonNodeReader"`
	}
	if err := json.Unmarshal(inputFormat, &f); err != nil {
		return nil, fmt.Errorf("read inputFormat: %w", err)
	}
	if f.Type != "json" {
		return nil, &UnsupportedError{What: fmt.Sprintf("type %q", f.Type)}
	}
	switch {
	case len(f.FlattenSpec) > 0 && !bytes.Equal(f.FlattenSpec, []byte("null")) && !plainFlatten(f.FlattenSpec):
		return nil, &UnsupportedError{What: "flattenSpec"}
	case len(f.FeatureSpec) > 0:
		return nil, &UnsupportedError{What: "featureSpec"}
	case f.KeepNullColumns && schema.DiscoverDimensions:
		return nil, &UnsupportedError{What: "keepNullColumns with discovered dimensions"}
	case f.AssumeNewlineDelimited:
		return nil, &UnsupportedError{What: "assumeNewlineDelimited"}
	case f.UseJSONNodeReader:
		return nil, &UnsupportedError{What: "useJsonNodeReader"}
	}
	return NewJSON(schema), nil
}

// plainFlatten says whether a flattenSpec asks for nothing but the discovery of top-level fields.
func plainFlatten(raw json.RawMessage) bool {
	var f struct {
		UseFieldDiscovery *bool             `json:"useFieldDiscovery"`
		Fields            []json.RawMessage `json:"fields"`
	}
	// A flattenSpec with field discovery keeps null columns, which matters to discovered dimensions only if there are
	// any nulls; so only the spec that says nothing is plain.
	return json.Unmarshal(raw, &f) == nil && f.UseFieldDiscovery == nil && len(f.Fields) == 0
}
