package overlord

import (
	"context"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
	"ogham/domain/task"
	"ogham/eventstore"
)

// Stream is what a supervisor reads: one topic, whose partitions are named by their numbers, or the topics that match a
// pattern, whose partitions are named "topic:0". Its errors may have the method StreamException() (class, message string), which makes
// them stream exceptions in recentErrors. It is safe for concurrent use.
type Stream interface {
	// Partitions finds what there is. The answer may be maxAge old, so that many may share it.
	Partitions(ctx context.Context, maxAge time.Duration) (Found, error)
	// Earliest and Latest leave out partitions that are not there.
	Earliest(ctx context.Context, partitions []task.Partition) (task.Offsets, error)
	Latest(ctx context.Context, partitions []task.Partition, maxAge time.Duration) (task.Offsets, error)
	// Timestamps returns the timestamps, in milliseconds, of the records at these offsets. Where there is none the
	// partition is left out.
	Timestamps(ctx context.Context, at task.Offsets) (task.Offsets, error)
	Close()
}

// Found is what a stream has now.
type Found struct {
	Partitions []task.Partition
	// TopicIDs are Kafka's ids of the topics, by name. A topic whose broker has no ids is absent.
	TopicIDs map[string]string
}

// Catalog is the projection that knows every supervisor there ever was.
type Catalog interface {
	// Live returns the ids of those that exist or have yet to drain.
	Live() []string
	// Snapshot returns a copy of a supervisor's state that the caller owns; a new state where the id is unknown.
	Snapshot(id string) *supervisor.State
	// WaitFor returns once the log sequence is applied.
	WaitFor(ctx context.Context, sequence uint64) error
}

// Sampler takes measurements that are no facts: the offsets that tasks reached and the ends of the topic.
type Sampler interface {
	Sample(id string, at time.Time, m supervisor.Measurements)
}

// Config is what a Service needs. All fields without a default are required.
type Config struct {
	Store   *eventstore.Store
	NATS    *nats.Conn
	Catalog Catalog
	Sampler Sampler
	// OpenStream makes the client of a supervisor's topic. It does not connect; it fails on client properties that
	// cannot be right.
	OpenStream func(s *spec.Supervisor) (Stream, error)
	Thresholds supervisor.Thresholds
	// Idle is the default of supervisors without an idleConfig of their own.
	Idle spec.IdleConfig
	// NodeID names this process among the candidates for the lead, URL is where its HTTP API is.
	NodeID string
	URL    string
	Logger *slog.Logger
	// Writable says why nothing may be appended now, nil where it may. Default: always.
	Writable func() error
	// Full is told that the log's storage took no more. Default: nobody.
	Full func()
	// Now is the clock, NewID makes the ids of events.
	Now   func() time.Time
	NewID func() string
	// LeaseTTL is how long a lead lasts that is not renewed. Default: 6 s.
	LeaseTTL time.Duration
	// WorkerTimeout is how long a worker may be silent before its tasks are lost. Default: 8 s.
	WorkerTimeout time.Duration
	// OrderTimeout bounds one try of an order to a worker. Default: 5 s.
	OrderTimeout time.Duration
	// MinRunGap is the least time between the beginnings of two runs of a supervisor. Default: 200 ms.
	MinRunGap time.Duration
	// RepartitionDelay is how long after new partitions were found all groups finish. Default: 2 min, as Druid's.
	RepartitionDelay time.Duration
}

func (c *Config) fill() {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&c.LeaseTTL, 6*time.Second)
	def(&c.WorkerTimeout, 8*time.Second)
	def(&c.OrderTimeout, 5*time.Second)
	def(&c.MinRunGap, 200*time.Millisecond)
	def(&c.RepartitionDelay, 2*time.Minute)
	if c.Writable == nil {
		c.Writable = func() error { return nil }
	}
	if c.Full == nil {
		c.Full = func() {}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
}
