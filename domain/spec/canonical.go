package spec

import "encoding/json"

// Canonical is the spec as Druid 33 answers it.
func (s *Supervisor) Canonical() json.RawMessage { return nil }

// ID is the supervisor's id, which is the data source's name.
func (s *Supervisor) ID() string { return s.DataSchema.DataSource }

// Equal says whether two specs are the same once defaults are filled in.
func (s *Supervisor) Equal(o *Supervisor) bool { return false }

// WithSuspended returns the same spec, suspended or not.
func (s *Supervisor) WithSuspended(suspended bool) *Supervisor {
	c := *s
	c.Suspended = suspended
	return &c
}

// TaskTuningConfig is the tuningConfig as a task carries it.
func (s *Supervisor) TaskTuningConfig() json.RawMessage { return nil }

// DataSchemaJSON is the dataSchema as a task carries it.
func (s *Supervisor) DataSchemaJSON() json.RawMessage { return nil }

// BaseSequenceName names what a task group reads.
func (s *Supervisor) BaseSequenceName(offsets map[string]int64, minTime, maxTime *int64) string {
	return ""
}

// Warnings tells what was read leniently: unknown fields and values taken for others.
func (s *Supervisor) Warnings() []Problem { return s.warnings }

// Unsupported tells what tasks cannot do yet.
func (s *Supervisor) Unsupported() []Problem { return nil }
