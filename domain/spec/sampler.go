package spec

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// The classes of the sampler that Druid's error texts name.
const (
	classSamplerSpec   = "org.apache.druid.client.indexing.SamplerSpec"
	classKafkaSampler  = "org.apache.druid.indexing.kafka.KafkaSamplerSpec"
	classSamplerConfig = "org.apache.druid.indexing.overlord.sampler.SamplerConfig"
)

// samplerTypes are the samplers that Druid 33 knows with the Kafka extension loaded.
var samplerTypes = []string{"index", "index_parallel", typeKafka}

// The limits of a sample.
const (
	defaultSampleRows          = 200
	maxSampleRows              = 5000
	defaultSampleTimeoutMillis = 10000
	// maxSampleTimeoutMillis bounds how long a request may hold a place of the sampler.
	maxSampleTimeoutMillis = 60000
)

// Sampler asks for a few rows of a topic, as a spec would read them.
type Sampler struct {
	Spec   *Supervisor
	Config SamplerConfig
}

// SamplerConfig bounds a sample.
type SamplerConfig struct {
	// NumRows is the most rows that are read, from 1 to 5000.
	NumRows int
	// Timeout is when the rows read so far are answered, up to a minute.
	Timeout time.Duration
	// MaxBytesInMemory ends the reading when the index has as many bytes, 0 where only the service's own limit holds.
	MaxBytesInMemory int64
	// MaxClientResponseBytes ends the answer's rows behind as many bytes, 0 where they are not counted.
	MaxClientResponseBytes int64
}

// ParseSampler reads the body of a request to the sampler. The error is an *InvalidError with every problem found; paths
// are those of the body, so that the spec's begin with $.spec.
func ParseSampler(body []byte) (*Sampler, error) {
	s := &scan{}
	root := s.open(body, "Request body cannot be empty", "sampler", classSamplerSpec, samplerTypes)
	if root == nil {
		return nil, s.err()
	}
	r := newReader(s, root, "$", classKafkaSampler, "")
	r.ignore("type")
	out := &Sampler{Spec: &Supervisor{Type: typeKafka}}
	switch n := r.get("spec"); {
	case n == nil:
		r.fail("spec", "[spec] is required")
	default:
		if _, ok := s.typeID(n, r.at("spec"), classSpec, "spec", []string{typeKafka}); ok {
			readSupervisor(newReader(s, n, r.at("spec"), classSpec, r.link("spec")), out.Spec)
		}
	}
	readSamplerConfig(r, &out.Config)
	r.done()
	if err := s.problemsOf(out.Spec); err != nil {
		return nil, err
	}
	out.Spec.warnings = s.warnings
	return out, nil
}

func readSamplerConfig(top *reader, c *SamplerConfig) {
	r := top.child("samplerConfig", classSamplerConfig)
	if r == nil {
		r = newReader(top.scan, object(), top.at("samplerConfig"), classSamplerConfig, "")
	}
	c.NumRows = r.integerOr("numRows", defaultSampleRows)
	switch {
	case c.NumRows > maxSampleRows:
		r.fail("numRows", "numRows must be <= %d", maxSampleRows)
	case c.NumRows < 1:
		r.fail("numRows", "numRows must be at least 1, it is %d", c.NumRows)
	}
	timeout := r.integerOr("timeoutMs", defaultSampleTimeoutMillis)
	if timeout <= 0 { // Druid: without an end
		timeout = maxSampleTimeoutMillis
	}
	c.Timeout = time.Duration(min(timeout, maxSampleTimeoutMillis)) * time.Millisecond
	c.MaxBytesInMemory = r.bytes("maxBytesInMemory")
	c.MaxClientResponseBytes = r.bytes("maxClientResponseBytes")
	r.done()
}

// bytes is a member as a number of bytes, or as text with a unit: 10MiB, 1K. It is 0 where there is none.
func (r *reader) bytes(name string) int64 { return r.bytesOr(name, 0) }

func (r *reader) bytesOr(name string, def int64) int64 {
	n := r.get(name)
	if n == nil {
		return def
	}
	text := n.scalarText()
	v, ok := parseBytes(text)
	if n.kind != kindNumber && n.kind != kindString || !ok {
		message := fmt.Sprintf("Invalid format of number: %s", text)
		r.scan.add(r.at(name), message, message)
		return 0
	}
	return v
}

// parseBytes reads a whole number with one of Druid's units: K, M, G, T, P of a thousand, or of 1024 with an i behind.
func parseBytes(text string) (int64, bool) {
	number := strings.TrimSpace(text)
	digits := strings.TrimRight(number, "kKmMgGtTpPiIbB")
	unit := strings.ToLower(number[len(digits):])
	v, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
	if err != nil || v < 0 {
		return 0, false
	}
	unit = strings.TrimSuffix(unit, "b")
	prefix, binary := strings.CutSuffix(unit, "i")
	power := strings.Index("kmgtp", prefix)
	base := int64(1000)
	switch {
	case unit == "":
		return v, true
	case len(prefix) != 1 || power < 0:
		return 0, false
	case binary:
		base = 1024
	}
	for range power + 1 {
		if v > math.MaxInt64/base {
			return 0, false
		}
		v *= base
	}
	return v, true
}
