package kafka

import (
	"encoding/json"
	"fmt"
	"math"
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
	defaultPollRecords       = 0 // all of a fetch: the client begins the next one when this one is taken whole
	defaultSetupTimeout      = 10 * time.Second
	defaultSetupMost         = 30 * time.Second
	defaultReconnectPause    = 50 * time.Millisecond
	defaultRetryPause        = 100 * time.Millisecond
	defaultBackoffMost       = time.Second
	// The time for a token endpoint to connect and to answer, and the longest pause between two tries.
	defaultLoginTimeout     = 10 * time.Second
	defaultLoginBackoffMost = 10 * time.Second
	// The client keeps an idle connection for a time between these.
	idleLeast = 100 * time.Millisecond
	idleMost  = 15 * time.Minute
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
	PollRecords      int
	SkipCRC          bool
	RequestTimeout   time.Duration
	// APITimeout (default.api.timeout.ms) bounds everything that Admin does.
	APITimeout time.Duration
	Network    Network
	Security   Security
	// Warnings names the properties that have no effect here and should have one, each with the reason.
	Warnings []Warning
}

// Network says how connections are made and kept. Zero stands for the default of the client or the system. The pauses
// before a host is dialled again are Java's in any case: however many ask about a dead broker, it is dialled about once a
// second.
type Network struct {
	ReceiveBuffer, SendBuffer    int // bytes
	SetupTimeout, SetupMost      time.Duration
	ReconnectPause, ReconnectMax time.Duration
	RetryPause, RetryMost        time.Duration
	Idle                         time.Duration
}

// ParseProperties translates consumerProperties (strings, json.Number, bool, nil, and objects for providers) and resolves
// password providers and druid.dynamic.config.provider through env. The error is a *StreamError: Druid's consumer would
// not have come up either.
func ParseProperties(raw map[string]any, env Lookup) (*Properties, error) {
	values, err := resolve(raw, env)
	if err != nil {
		return nil, streamError(classConfig, err.Error(), err)
	}
	p, r := translate(values)
	if len(r.invalid) > 0 {
		return nil, streamError(classConfig, r.invalid[0].Error(), r.invalid[0])
	}
	p.Warnings = r.allWarnings()
	return p, nil
}

// translate reads properties that are texts. The reader has what was invalid and what is not followed.
func translate(values map[string]string) (*Properties, *propertyReader) {
	r := &propertyReader{values: values}
	p := &Properties{
		Servers:          r.servers(),
		ClientID:         r.text("client.id", ""),
		Rack:             r.text("client.rack", ""),
		AutoCreateTopics: r.boolean("allow.auto.create.topics", true),
		FetchMinBytes:    r.size("fetch.min.bytes", 1),
		FetchMaxBytes:    r.size("fetch.max.bytes", defaultFetchMaxBytes),
		PartitionBytes:   r.size("max.partition.fetch.bytes", defaultPartitionMaxBytes),
		FetchMaxWait:     r.millis("fetch.max.wait.ms", defaultFetchMaxWait),
		PollRecords:      int(r.number("max.poll.records", defaultPollRecords, 1, 1<<31-1)),
		SkipCRC:          !r.boolean("check.crcs", true),
		RequestTimeout:   r.millis("request.timeout.ms", defaultRequestTimeout),
		APITimeout:       r.millis("default.api.timeout.ms", defaultAPITimeout),
		Network:          r.network(),
	}
	switch level := r.text("isolation.level", "read_committed"); strings.ToLower(level) {
	case "read_committed":
	case "read_uncommitted":
		p.ReadUncommitted = true
	default:
		r.bad("isolation.level", level, "must be read_committed or read_uncommitted")
	}
	p.Security = r.security()
	return p, r
}

func (r *propertyReader) network() Network {
	n := Network{
		ReceiveBuffer:  int(r.number("receive.buffer.bytes", 0, -1, 1<<31-1)),
		SendBuffer:     int(r.number("send.buffer.bytes", 0, -1, 1<<31-1)),
		SetupTimeout:   r.millis("socket.connection.setup.timeout.ms", defaultSetupTimeout),
		SetupMost:      r.millis("socket.connection.setup.timeout.max.ms", defaultSetupMost),
		ReconnectPause: r.millis("reconnect.backoff.ms", defaultReconnectPause),
		ReconnectMax:   r.millis("reconnect.backoff.max.ms", 0),
		RetryPause:     r.millis("retry.backoff.ms", 0),
		RetryMost:      r.millis("retry.backoff.max.ms", 0),
	}
	if idle := r.text("connections.max.idle.ms", ""); idle != "" {
		wanted := time.Duration(r.number("connections.max.idle.ms", 0, math.MinInt64, 1<<40)) * time.Millisecond
		if wanted < 0 { // never, in Java
			wanted = idleMost
		}
		n.Idle = min(max(wanted, idleLeast), idleMost)
	}
	n.SetupMost = max(n.SetupMost, n.SetupTimeout)
	n.ReconnectPause, n.ReconnectMax = pauses(n.ReconnectPause, n.ReconnectMax, defaultReconnectPause, defaultBackoffMost)
	n.RetryPause, n.RetryMost = pauses(n.RetryPause, n.RetryMost, defaultRetryPause, defaultBackoffMost)
	return n
}

// pauses completes a first and a longest pause by Java's defaults where only one was given. As in Java the longest bounds
// the first.
func pauses(first, most, defaultFirst, defaultMost time.Duration) (time.Duration, time.Duration) {
	switch {
	case first == 0 && most == 0:
		return 0, 0
	case first == 0:
		first = defaultFirst
	case most == 0:
		most = max(defaultMost, first)
	}
	return min(first, most), most
}

type propertyReader struct {
	values   map[string]string
	invalid  []*invalidError
	warnings []Warning
}

// warn notes that a property was given and is not, or not wholly, followed.
func (r *propertyReader) warn(name, reason string) {
	r.warnings = append(r.warnings, Warning{Property: name, Reason: reason})
}

// invalidError is a property whose value cannot be used, in Kafka's words.
type invalidError struct{ name, value, reason string }

func (e *invalidError) Error() string {
	return fmt.Sprintf("Invalid value %s for configuration %s: %s", e.value, e.name, e.reason)
}

func (r *propertyReader) bad(name, value, reason string) {
	r.invalid = append(r.invalid, &invalidError{name, value, reason})
}

func (r *propertyReader) text(name, fallback string) string {
	if v, ok := r.values[name]; ok && v != "" {
		return v
	}
	return fallback
}

// servers are the addresses to begin with.
func (r *propertyReader) servers() []string {
	const name = "bootstrap.servers"
	var out []string
	for item := range strings.SplitSeq(r.text(name, ""), ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, stripProtocol(item))
		}
	}
	if len(out) == 0 {
		r.bad(name, r.values[name], "must name at least one host:port")
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

func (r *propertyReader) fraction(name string, fallback, low, high float64) float64 {
	v := r.text(name, "")
	if v == "" {
		return fallback
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(v), 64)
	switch {
	case err != nil:
		r.bad(name, v, "Not a number of type DOUBLE")
	case !(n >= low && n <= high):
		r.bad(name, v, fmt.Sprintf("Value must be at least %v and at most %v", low, high))
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
