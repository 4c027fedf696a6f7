package eventstore

import (
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// DuplicateWindow is how long the server knows an event again by its id. A server that starts reads the events of that
	// time once more.
	DuplicateWindow = 2 * time.Minute
	// maxBatchEvents is the server's limit on one atomic batch.
	maxBatchEvents      = 1000
	defaultVerifyEvents = 100_000
	// defaultVerifyAtOpen is more than fits into one block of the server's files, which are 8 MiB: an event with its
	// headers is never below 500 bytes there.
	defaultVerifyAtOpen = 20_000
)

// Storage is where the stream lives.
type Storage string

// The kinds of storage.
const (
	// FileStorage survives restarts; it is the default.
	FileStorage Storage = "file"
	// MemoryStorage does not; it is for tests.
	MemoryStorage Storage = "memory"
)

// Config says which log to open and how.
type Config struct {
	// Stream is the stream's name. Default: "OGHAM".
	Stream string
	// SubjectPrefix is before every subject. Default: "ogham.v1".
	SubjectPrefix string
	// Replicas is 1 (the default), 3 or 5.
	Replicas int
	// Storage defaults to FileStorage.
	Storage Storage
	// Source is the default ce-source. Default: "/ogham".
	Source string
	// Upcasters, where set, names every known event type; others are refused on
	// append and on read. Nil reads and writes any type as it is.
	Upcasters Upcasters
	// CheckpointFile is where the guard keeps the last sequence and its hash,
	// outside JetStream's folder. Empty turns the checkpoint off.
	CheckpointFile string
	// CheckpointEvery is how often it is written. Default: 1 s.
	CheckpointEvery time.Duration
	// VerifyEvents is how many of the newest events are held against their
	// hashes, by Open and VerifyRest together, beside all that are newer than
	// the checkpoint. Default: 100,000, about a second; negative is none. Verify
	// walks the whole log.
	VerifyEvents int
	// VerifyAtOpen is how many of those Open looks at before anything can be
	// appended: no fewer than the server's newest block holds, since damage there
	// could take new events with it. The others are VerifyRest's. Default: 20,000.
	VerifyAtOpen int
	// AttemptTimeout bounds the wait for one acknowledgement. Default: 2 s.
	AttemptTimeout time.Duration
	// AppendTimeout bounds one Append with its retries, beside the context's
	// deadline. Default: 10 s.
	AppendTimeout time.Duration
	// SyncedServer says that the caller knows the server to sync every write, as
	// the embedded one does. Where false, and the server does not tell, Open
	// warns.
	SyncedServer bool
	// SoleProcess says that no other process can reach the log, as with an
	// embedded server that does not listen and holds its folder's lock: a lease
	// left by a process that died is then taken over without waiting for its end.
	SoleProcess bool
	// ReadOnly opens the log for reading: the stream must exist, and Append
	// answers a *ReadOnlyError.
	ReadOnly bool
	// Logger defaults to slog.Default().
	Logger *slog.Logger
}

func (c Config) withDefaults() (Config, error) {
	if c.Stream == "" {
		c.Stream = "OGHAM"
	}
	if !validName(c.Stream) {
		return c, fmt.Errorf("stream name %q: want letters, digits, _ and - only", c.Stream)
	}
	if c.SubjectPrefix == "" {
		c.SubjectPrefix = "ogham.v1"
	}
	for tok := range strings.SplitSeq(c.SubjectPrefix, ".") {
		if !validName(tok) {
			return c, fmt.Errorf("subject prefix %q: want names joined by dots", c.SubjectPrefix)
		}
	}
	if c.Replicas == 0 {
		c.Replicas = 1
	}
	if c.Replicas != 1 && c.Replicas != 3 && c.Replicas != 5 {
		return c, fmt.Errorf("%d replicas: want 1, 3 or 5", c.Replicas)
	}
	switch c.Storage {
	case "":
		c.Storage = FileStorage
	case FileStorage, MemoryStorage:
	default:
		return c, fmt.Errorf("storage %q: want file or memory", c.Storage)
	}
	if c.Source == "" {
		c.Source = "/ogham"
	}
	if c.CheckpointEvery < 0 || c.AttemptTimeout < 0 || c.AppendTimeout < 0 {
		return c, errors.New("event store: negative duration in its configuration")
	}
	if c.VerifyEvents == 0 {
		c.VerifyEvents = defaultVerifyEvents
	}
	if c.VerifyAtOpen == 0 {
		c.VerifyAtOpen = defaultVerifyAtOpen
	}
	c.CheckpointEvery = orDefault(c.CheckpointEvery, time.Second)
	c.AttemptTimeout = orDefault(c.AttemptTimeout, 2*time.Second)
	c.AppendTimeout = orDefault(c.AppendTimeout, 10*time.Second)
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	return c, nil
}

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}

func (c Config) jetstreamStorage() jetstream.StorageType {
	if c.Storage == MemoryStorage {
		return jetstream.MemoryStorage
	}
	return jetstream.FileStorage
}

// streamConfig is what the stream must be. Discarding new events rather than
// old ones matters even without a limit: a limit set later must not eat history.
func (c Config) streamConfig() jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name:               c.Stream,
		Description:        "Ogham's log of facts. Do not edit: a change of limits can drop history.",
		Subjects:           []string{c.SubjectPrefix + ".>"},
		Retention:          jetstream.LimitsPolicy,
		Discard:            jetstream.DiscardNew,
		MaxConsumers:       -1,
		MaxMsgs:            -1,
		MaxBytes:           -1,
		MaxMsgsPerSubject:  -1,
		MaxMsgSize:         -1,
		Storage:            c.jetstreamStorage(),
		Replicas:           c.Replicas,
		Duplicates:         DuplicateWindow,
		DenyDelete:         true,
		DenyPurge:          true,
		AllowAtomicPublish: true,
	}
}

// drifts compares every setting that bears on what is kept, and in what order.
// AllowDirect is among them because a direct read may come from a follower that
// lags, and a fence is resolved by reading.
func drifts(want, got jetstream.StreamConfig) []Drift {
	var out []Drift
	diff := func(setting string, w, g any) {
		if ws, gs := fmt.Sprint(w), fmt.Sprint(g); ws != gs {
			out = append(out, Drift{Setting: setting, Want: ws, Got: gs})
		}
	}
	// The server may write -1 where none was asked for, or 0.
	limit := func(setting string, g int64) {
		if g > 0 {
			diff(setting, "unlimited", g)
		}
	}
	diff("subjects", want.Subjects, got.Subjects)
	diff("retention", want.Retention, got.Retention)
	diff("discard", want.Discard, got.Discard)
	diff("discard_new_per_subject", false, got.DiscardNewPerSubject)
	diff("storage", want.Storage, got.Storage)
	diff("num_replicas", want.Replicas, got.Replicas)
	diff("duplicate_window", want.Duplicates, got.Duplicates)
	diff("deny_delete", true, got.DenyDelete)
	diff("deny_purge", true, got.DenyPurge)
	diff("allow_rollup_hdrs", false, got.AllowRollup)
	diff("allow_msg_ttl", false, got.AllowMsgTTL)
	diff("allow_msg_counter", false, got.AllowMsgCounter)
	diff("allow_msg_schedules", false, got.AllowMsgSchedules)
	diff("allow_atomic", true, got.AllowAtomicPublish)
	diff("allow_direct", want.AllowDirect, got.AllowDirect)
	diff("no_ack", false, got.NoAck)
	diff("sealed", false, got.Sealed)
	diff("persist_mode", want.PersistMode, got.PersistMode)
	diff("max_age", want.MaxAge, got.MaxAge)
	diff("subject_delete_marker_ttl", want.SubjectDeleteMarkerTTL, got.SubjectDeleteMarkerTTL)
	diff("mirror", false, got.Mirror != nil)
	diff("sources", 0, len(got.Sources))
	diff("subject_transform", false, got.SubjectTransform != nil)
	limit("max_msgs", got.MaxMsgs)
	limit("max_bytes", got.MaxBytes)
	limit("max_msgs_per_subject", got.MaxMsgsPerSubject)
	limit("max_msg_size", int64(got.MaxMsgSize))
	if got.FirstSeq > 1 {
		diff("first_seq", 1, got.FirstSeq)
	}
	return out
}

// Types lists the known event types in order.
func (u Upcasters) Types() []string { return slices.Sorted(maps.Keys(u)) }
