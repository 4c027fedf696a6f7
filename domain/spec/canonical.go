package spec

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
)

// Canonical is the spec exactly as Druid 33 answers it: defaults filled in, periods in its form, and the three parts
// repeated on the top level.
func (s *Supervisor) Canonical() json.RawMessage { return s.tree().encode() }

// MarshalJSON writes the canonical form.
func (s *Supervisor) MarshalJSON() ([]byte, error) { return s.Canonical(), nil }

// UnmarshalJSON reads a spec as Parse does.
func (s *Supervisor) UnmarshalJSON(body []byte) error {
	parsed, err := Parse(body)
	if err != nil {
		return err
	}
	*s = *parsed
	return nil
}

func (s *Supervisor) tree() *node {
	return object(
		member{"type", str(s.Type)},
		member{"spec", object(
			member{"dataSchema", s.schemaTree},
			member{"ioConfig", s.ioTree},
			member{"tuningConfig", s.tuningTree},
		)},
		member{"dataSchema", s.schemaTree},
		member{"tuningConfig", s.tuningTree},
		member{"ioConfig", s.ioTree},
		member{"context", s.contextTree},
		member{"suspended", boolean(s.Suspended)},
	)
}

// ID is the supervisor's id, which is the data source's name.
func (s *Supervisor) ID() string { return s.DataSchema.DataSource }

// Equal says whether two specs are the same, suspended or not included. The order of keys does not matter, nor does
// whether a default was given or filled in.
func (s *Supervisor) Equal(o *Supervisor) bool {
	if s == nil || o == nil {
		return s == o
	}
	return bytes.Equal(s.tree().encodeSorted(), o.tree().encodeSorted())
}

// WithSuspended returns the same spec, suspended or not.
func (s *Supervisor) WithSuspended(suspended bool) *Supervisor {
	c := *s
	c.Suspended = suspended
	return &c
}

// WithConsumerProperties returns the same spec with other consumerProperties, a JSON object: the same client, with its
// secrets in another form.
func (s *Supervisor) WithConsumerProperties(properties json.RawMessage) (*Supervisor, error) {
	n, err := parseTree(properties)
	if err != nil {
		return nil, err
	}
	if n == nil || n.kind != kindObject {
		return nil, errors.New("consumerProperties are not an object")
	}
	c := *s
	c.IOConfig.ConsumerProperties, c.IOConfig.ConsumerPropertiesRaw = n.valueMap(), n.encode()
	c.ioTree = s.ioTree.with("consumerProperties", n)
	return &c, nil
}

// WithInputFormat returns the same spec with another inputFormat: the same format, with its secrets in another form.
func (s *Supervisor) WithInputFormat(format json.RawMessage) (*Supervisor, error) {
	n, err := parseTree(format)
	if err != nil {
		return nil, err
	}
	if n == nil || n.kind != kindObject {
		return nil, errors.New("the inputFormat is not an object")
	}
	c := *s
	c.IOConfig.InputFormat.Raw = n.encode()
	c.ioTree = s.ioTree.with("inputFormat", n)
	return &c, nil
}

// DataSchemaJSON is the dataSchema with its defaults, which is also the form that tasks carry.
func (s *Supervisor) DataSchemaJSON() json.RawMessage { return s.schemaTree.encode() }

// Warnings tells what was read leniently: unknown fields, and values that Druid silently takes for others.
func (s *Supervisor) Warnings() []Problem { return s.warnings }

// WithWarnings returns the same spec with more to tell: what only those know who carry it out.
func (s *Supervisor) WithWarnings(more []Problem) *Supervisor {
	if len(more) == 0 {
		return s
	}
	c := *s
	c.warnings = append(slices.Clone(s.warnings), more...)
	return &c
}
