package inputformat

import (
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

// Formats makes parsers. It holds what they share: the clients of schema registries with the schemas that were fetched.
// The zero value is ready; it is safe for concurrent use.
type Formats struct {
	// Env resolves variables that a schema registry's config refers to; nil: there are none.
	Env func(name string) (string, bool)
	// Open gives an inputFormat whose secrets are sealed with them in clear; nil: none is sealed.
	Open func(json.RawMessage) (json.RawMessage, error)

	// TLS follows the stores that a schema registry's config names; nil: they are refused.
	TLS TLSProperties

	registries registries
}

// New makes the parser for an inputFormat and a schema.
func (f *Formats) New(inputFormat json.RawMessage, schema row.Schema) (index.Parser, error) {
	inputFormat, err := f.opened(inputFormat)
	if err != nil {
		return nil, err
	}
	c := config{formats: f, fields: schema.Fields(), discover: schema.DiscoverDimensions, nested: schema.DiscoverTypes}
	return c.format(inputFormat)
}

func (f *Formats) opened(format json.RawMessage) (json.RawMessage, error) {
	if f.Open == nil {
		return format, nil
	}
	return f.Open(format)
}

// New makes a parser that shares nothing with others.
func New(inputFormat json.RawMessage, schema row.Schema) (index.Parser, error) {
	return new(Formats).New(inputFormat, schema)
}

// config says what a parser is made for.
type config struct {
	formats  *Formats
	fields   []string
	discover bool
	// nested says that fields are discovered whatever they hold, exact that the parser must tell itself which are.
	nested, exact bool
}

// typed gives the type of a format.
func typed(inputFormat json.RawMessage) (string, error) {
	var f struct {
		Type string `json:"type"`
	}
	if err := json.Unmarshal(inputFormat, &f); err != nil {
		return "", fmt.Errorf("read inputFormat: %w", err)
	}
	return f.Type, nil
}

func read[T any](inputFormat json.RawMessage) (T, error) {
	var spec T
	if err := json.Unmarshal(inputFormat, &spec); err != nil {
		return spec, fmt.Errorf("read inputFormat: %w", err)
	}
	return spec, nil
}

func (c config) format(inputFormat json.RawMessage) (reader, error) {
	kind, err := typed(inputFormat)
	if err != nil {
		return nil, err
	}
	switch kind {
	case "json":
		return made(c.json, inputFormat)
	case "csv", "tsv":
		return made(func(s delimitedSpec) (reader, error) { return newDelimited(kind, s, c.fields, c.discover) }, inputFormat)
	case "regex":
		return made(func(s regexSpec) (reader, error) { return newRegex(s, c.fields, c.discover) }, inputFormat)
	case "avro_stream", "avro_ocf":
		return made(func(s avroSpec) (reader, error) { return c.avro(kind, s) }, inputFormat)
	case "protobuf":
		return made(c.protobuf, inputFormat)
	case "thrift":
		return made(c.thrift, inputFormat)
	case "kafka":
		if c.exact {
			return nil, &UnsupportedError{What: "kafka within kafka"}
		}
		return made(func(s kafkaSpec) (reader, error) { return newKafka(s, c) }, inputFormat)
	}
	return nil, &UnsupportedError{What: fmt.Sprintf("type %q", kind)}
}

// made reads a format's spec and makes its parser, which is nil after an error.
func made[T any](make func(T) (reader, error), inputFormat json.RawMessage) (reader, error) {
	spec, err := read[T](inputFormat)
	if err != nil {
		return nil, err
	}
	r, err := make(spec)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// jsonSpec is the inputFormat json.
type jsonSpec struct {
	FlattenSpec            *flattenSpec    `json:"flattenSpec"`
	FeatureSpec            map[string]bool `json:"featureSpec"`
	KeepNullColumns        *bool           `json:"keepNullColumns"`
	AssumeNewlineDelimited bool            `json:"assumeNewlineDelimited"`
	UseJSONNodeReader      bool            `json:"useJsonNodeReader"`
}

// json makes the plain parser wherever nothing is asked for that it has not.
func (c config) json(s jsonSpec) (reader, error) {
	features, err := parseFeatures(s.FeatureSpec)
	if err != nil {
		return nil, err
	}
	f := flattening{spec: s.FlattenSpec, nested: c.nested}
	switch {
	case s.KeepNullColumns != nil:
		f.keepNull = *s.KeepNullColumns
	case s.FlattenSpec != nil:
		f.keepNull = s.FlattenSpec.UseFieldDiscovery == nil || *s.FlattenSpec.UseFieldDiscovery
	}
	if s.AssumeNewlineDelimited && s.UseJSONNodeReader {
		return nil, fmt.Errorf("useJsonNodeReader cannot be set to true when assumeNewlineDelimited is true.") //nolint:staticcheck // Druid's words
	}
	found := c.discover && (c.exact || f.keepNull || s.FlattenSpec != nil && !f.discovers())
	if len(s.FlattenSpec.fields()) == 0 && !found && features == 0 && !s.AssumeNewlineDelimited && !s.UseJSONNodeReader {
		p := newJSON(c.fields, c.discover)
		p.rows.Exact = c.discover && c.nested
		return p, nil
	}
	p := &jsonTree{JSON: newJSON(c.fields, c.discover), features: features}
	switch {
	case s.AssumeNewlineDelimited:
		p.mode = jsonLines
	case s.UseJSONNodeReader:
		p.mode = jsonNodes
	}
	p.flat, err = newFlattener(&p.table, f)
	return p, err
}
