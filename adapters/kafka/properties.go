package kafka

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Lookup finds an environment variable, as os.LookupEnv does.
type Lookup func(name string) (string, bool)

// The limits of a consumer where the properties give none. The fetch limits are far below the Java client's (50 MiB), as
// a task is meant to live in little memory and a fetch of this size, compressed, already keeps it busy for a tenth of a second.
const (
	defaultFetchMaxBytes     = 2 << 20
	defaultPartitionMaxBytes = 512 << 10
	defaultFetchMaxWait      = 500 * time.Millisecond
	defaultRequestTimeout    = 30 * time.Second
	defaultAPITimeout        = 60 * time.Second
	defaultMetadataMaxAge    = 10 * time.Second
	// The client takes no fetch.max.wait.ms below this.
	minFetchMaxWait = 10 * time.Millisecond
)

// Properties are consumerProperties with their secrets resolved, as far as they mean something to us. They hold secrets:
// never print them.
type Properties struct {
	Servers          []string
	ClientID         string
	Rack             string
	ReadUncommitted  bool
	AutoCreateTopics bool
	FetchMinBytes    int32
	FetchMaxBytes    int32
	PartitionBytes   int32
	FetchMaxWait     time.Duration
	RequestTimeout   time.Duration
	// APITimeout (default.api.timeout.ms) bounds everything that Admin does.
	APITimeout time.Duration
	Security   Security
	// Warnings names the properties that have no counterpart here, each with the reason.
	Warnings []string
}

// ParseProperties translates consumerProperties (strings, json.Number, bool, nil, and objects for providers) and resolves
// password providers and druid.dynamic.config.provider through env. The error is a *StreamError: Druid's consumer would
// not have come up either.
func ParseProperties(raw map[string]any, env Lookup) (*Properties, error) {
	values, err := resolve(raw, env)
	if err != nil {
		return nil, streamError(classConfig, err.Error(), err)
	}
	r := &propertyReader{values: values, seen: make(map[string]bool)}
	p := &Properties{
		Servers:          r.list("bootstrap.servers"),
		ClientID:         r.text("client.id", ""),
		Rack:             r.text("client.rack", ""),
		AutoCreateTopics: r.boolean("allow.auto.create.topics", true),
		FetchMinBytes:    r.size("fetch.min.bytes", 1),
		FetchMaxBytes:    r.size("fetch.max.bytes", defaultFetchMaxBytes),
		PartitionBytes:   r.size("max.partition.fetch.bytes", defaultPartitionMaxBytes),
		FetchMaxWait:     r.millis("fetch.max.wait.ms", defaultFetchMaxWait),
		RequestTimeout:   r.millis("request.timeout.ms", defaultRequestTimeout),
		APITimeout:       r.millis("default.api.timeout.ms", defaultAPITimeout),
	}
	switch level := r.text("isolation.level", "read_committed"); strings.ToLower(level) {
	case "read_committed":
	case "read_uncommitted":
		p.ReadUncommitted = true
	default:
		r.bad("isolation.level", level, "must be read_committed or read_uncommitted")
	}
	if len(p.Servers) == 0 {
		r.bad("bootstrap.servers", values["bootstrap.servers"], "must name at least one host:port")
	}
	p.Security = r.security()
	if r.err != nil {
		return nil, streamError(classConfig, r.err.Error(), r.err)
	}
	p.Warnings = r.rest()
	return p, nil
}

// harmless has properties whose meaning is fixed by how tasks work, or that tune what the client does by itself: they
// may be given without a warning.
var harmless = map[string]bool{
	"auto.offset.reset": true, "enable.auto.commit": true, "group.id": true, "metadata.max.age.ms": true,
	"key.deserializer": true, "value.deserializer": true, "max.poll.records": true, "max.poll.interval.ms": true,
	"session.timeout.ms": true, "heartbeat.interval.ms": true, "auto.commit.interval.ms": true,
	"reconnect.backoff.ms": true, "reconnect.backoff.max.ms": true, "retry.backoff.ms": true,
	"retry.backoff.max.ms": true, "receive.buffer.bytes": true, "send.buffer.bytes": true,
	"connections.max.idle.ms": true, "check.crcs": true, "client.dns.lookup": true,
}

// defaultDeserializers are the ones that hand over bytes as they are, which is what happens here in any case.
const byteArrayDeserializer = "org.apache.kafka.common.serialization.ByteArrayDeserializer"

type propertyReader struct {
	values map[string]string
	seen   map[string]bool
	err    error
}

func (r *propertyReader) bad(name, value, reason string) {
	if r.err == nil {
		r.err = fmt.Errorf("Invalid value %s for configuration %s: %s", value, name, reason) //nolint:staticcheck // Kafka's text
	}
}

func (r *propertyReader) text(name, fallback string) string {
	r.seen[name] = true
	if v, ok := r.values[name]; ok && v != "" {
		return v
	}
	return fallback
}

func (r *propertyReader) list(name string) []string {
	var out []string
	for item := range strings.SplitSeq(r.text(name, ""), ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, stripProtocol(item))
		}
	}
	return out
}

// stripProtocol takes the listener name off an address, which the Java client allows (SSL://host:9093).
func stripProtocol(address string) string {
	if i := strings.Index(address, "://"); i >= 0 {
		return address[i+3:]
	}
	return address
}

func (r *propertyReader) boolean(name string, fallback bool) bool {
	switch v := r.text(name, ""); strings.ToLower(strings.TrimSpace(v)) {
	case "":
		return fallback
	case "true":
		return true
	case "false":
		return false
	default:
		r.bad(name, v, "Expected value to be either true or false")
		return fallback
	}
}

func (r *propertyReader) number(name string, fallback, low, high int64) int64 {
	v := r.text(name, "")
	if v == "" {
		return fallback
	}
	n, err := strconv.ParseInt(strings.TrimSpace(v), 10, 64)
	switch {
	case err != nil:
		r.bad(name, v, "Not a number of type INT")
	case n < low || n > high:
		r.bad(name, v, fmt.Sprintf("Value must be at least %d and at most %d", low, high))
	default:
		return n
	}
	return fallback
}

func (r *propertyReader) size(name string, fallback int32) int32 {
	return int32(r.number(name, int64(fallback), 0, 1<<30)) //nolint:gosec // bounded
}

func (r *propertyReader) millis(name string, fallback time.Duration) time.Duration {
	return time.Duration(r.number(name, fallback.Milliseconds(), 0, 1<<40)) * time.Millisecond
}

// rest gives a warning for each property that nobody asked for.
func (r *propertyReader) rest() []string {
	var out []string
	for name, value := range r.values {
		switch {
		case r.seen[name]:
		case strings.HasSuffix(name, ".deserializer") && value != byteArrayDeserializer:
			out = append(out, fmt.Sprintf("consumer property %s is ignored: records are read as bytes, Java classes cannot be loaded", name))
		case harmless[name]:
		default:
			out = append(out, fmt.Sprintf("consumer property %s is ignored: it has no counterpart in this client", name))
		}
	}
	slices.Sort(out)
	return out
}

// valueText is a property's value in its text form, as Druid makes it.
func valueText(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case json.Number:
		return v.String(), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case int:
		return strconv.Itoa(v), nil
	case []any:
		parts := make([]string, len(v))
		for i, item := range v {
			s, err := valueText(item)
			if err != nil {
				return "", err
			}
			parts[i] = s
		}
		return strings.Join(parts, ","), nil
	}
	return "", fmt.Errorf("a value of type %T is not understood", v)
}
