package worker

import (
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"ogham/worker/fault"
)

// Config says what a Worker is and what it works with.
type Config struct {
	// WorkerID names the worker in subjects: letters, digits, - and _. Required, and the worker's own.
	WorkerID string
	// Incarnation differs for every start. Empty: a random one.
	Incarnation string
	Host        string
	Port        int
	Version     string
	// Capacity is how many tasks run at a time; at least 1.
	Capacity int
	// TaskDir holds a folder per running task and nothing else: it is emptied at the start. Required.
	TaskDir string
	// MemoryBytes bounds the index of one task in memory where its spec does not; 0: 64 MiB.
	MemoryBytes int64
	// NewConsumer, NewBuilder and Pusher are what tasks work with. Required.
	NewConsumer func(ConsumerRequest) (Consumer, error)
	NewBuilder  func(BuilderRequest) (Builder, error)
	Pusher      Pusher
	// Logs keeps what each task writes; nil: tasks write into Logger alone.
	Logs LogStore
	// Mask hides secrets in what a task writes; nil: nothing is hidden.
	Mask func(string) string
	// Grace bounds how long an ordered shutdown waits for the leader to take note of it; 0: 5 s.
	Grace  time.Duration
	Logger *slog.Logger
	// Fault is the text form of fault.Configure, for tests that kill the process. Empty: none.
	Fault string

	// HeartbeatEvery is 1 s unless set.
	HeartbeatEvery time.Duration
	// NoticeTimeout bounds the wait for one answer of the leader; 0: 10 s.
	NoticeTimeout time.Duration
	// RetryFirst and RetryMost bound the pause between two tries (of a notice, of a push, of a failing poll), which
	// doubles from the one to the other; 0: 100 ms and 5 s.
	RetryFirst, RetryMost time.Duration
	// PollFor bounds one poll, and with it the time that an idle task takes to look at its clocks; 0: 500 ms.
	PollFor time.Duration
	// OutOfRangePause is the wait before a position that the stream does not have is tried again; 0: 30 s.
	OutOfRangePause time.Duration
}

const (
	defaultMemoryBytes     = 64 << 20
	defaultGrace           = 5 * time.Second
	defaultHeartbeat       = time.Second
	defaultNoticeTimeout   = 10 * time.Second
	defaultRetryFirst      = 100 * time.Millisecond
	defaultRetryMost       = 5 * time.Second
	defaultPollFor         = 500 * time.Millisecond
	defaultOutOfRangePause = 30 * time.Second
)

func (c *Config) fill() error {
	switch {
	case c.WorkerID == "" || strings.ContainsFunc(c.WorkerID, badInSubject):
		return fmt.Errorf("worker id %q: must be letters, digits, - and _", c.WorkerID)
	case c.Capacity < 1:
		return fmt.Errorf("worker capacity %d: must be at least 1", c.Capacity)
	case c.TaskDir == "":
		return errors.New("worker: no folder for tasks")
	case c.NewConsumer == nil || c.NewBuilder == nil || c.Pusher == nil:
		return errors.New("worker: no consumer, builder or deep storage to work with")
	}
	if err := fault.Configure(c.Fault); err != nil {
		return err
	}
	if c.Incarnation == "" {
		c.Incarnation = rand.Text()
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Mask == nil {
		c.Mask = func(s string) string { return s }
	}
	setDefault(&c.MemoryBytes, defaultMemoryBytes)
	setDefault(&c.Grace, defaultGrace)
	setDefault(&c.HeartbeatEvery, defaultHeartbeat)
	setDefault(&c.NoticeTimeout, defaultNoticeTimeout)
	setDefault(&c.RetryFirst, defaultRetryFirst)
	setDefault(&c.RetryMost, defaultRetryMost)
	setDefault(&c.PollFor, defaultPollFor)
	setDefault(&c.OutOfRangePause, defaultOutOfRangePause)
	return nil
}

func setDefault[T int64 | time.Duration](v *T, fallback T) {
	if *v <= 0 {
		*v = fallback
	}
}

func badInSubject(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_')
}
