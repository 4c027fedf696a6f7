package main

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"

	"ogham/adapters/tasklogs"
)

// The properties of Druid that say where the logs of tasks are kept, and for how long.
const (
	propLogsType      = "druid.indexer.logs.type"
	propLogsDirectory = "druid.indexer.logs.directory"
	propLogsKill      = "druid.indexer.logs.kill.enabled"
	propLogsRetain    = "druid.indexer.logs.kill.durationToRetain"
	propLogsFirst     = "druid.indexer.logs.kill.initialDelay"
	propLogsEvery     = "druid.indexer.logs.kill.delay"
)

// taskLogConfig is how the logs of tasks are kept.
type taskLogConfig struct {
	dir                  string
	retain, first, every time.Duration
}

// Druid keeps logs for ever unless told otherwise; here they go after a month unless told otherwise, since a full disk
// stops everything. The other defaults are Druid's.
const (
	defaultLogRetain = 30 * 24 * time.Hour
	defaultLogEvery  = 6 * time.Hour
	mostLogFirst     = 5 * time.Minute
)

// readTaskLogs reads the properties about task logs.
func (c *config) readTaskLogs() error {
	if t := c.properties[propLogsType]; t != "" && t != "file" {
		return fmt.Errorf("%s=%s: only file is supported", propLogsType, t)
	}
	l := &c.taskLogs
	l.dir = filepath.Join(c.dataDir, "task-logs")
	if d := c.properties[propLogsDirectory]; d != "" {
		abs, err := filepath.Abs(d)
		if err != nil {
			return fmt.Errorf("%s=%s: %w", propLogsDirectory, d, err)
		}
		l.dir = abs
	}
	l.retain, l.first, l.every = defaultLogRetain, rand.N(mostLogFirst), defaultLogEvery
	for name, to := range map[string]*time.Duration{propLogsRetain: &l.retain, propLogsFirst: &l.first, propLogsEvery: &l.every} {
		if v, ok := c.properties[name]; ok {
			n, err := strconv.ParseInt(v, 10, 64)
			if err != nil || n < 1 || n > int64(100*365*24*time.Hour/time.Millisecond) {
				return fmt.Errorf("%s=%s: want a number of milliseconds, 1 or more", name, v)
			}
			*to = time.Duration(n) * time.Millisecond
		}
	}
	if v, ok := c.properties[propLogsKill]; ok {
		on, err := strconv.ParseBool(v)
		if err != nil {
			return fmt.Errorf("%s=%s: want true or false", propLogsKill, v)
		}
		if !on {
			l.retain = 0
		}
	}
	return nil
}

// startTaskLogs keeps the logs of this process's tasks, and copies of others' where it may lead.
func (a *app) startTaskLogs(nc *nats.Conn) (*tasklogs.Store, error) {
	l := a.cfg.taskLogs
	store, err := tasklogs.Open(tasklogs.Config{
		LiveDir: filepath.Join(a.cfg.dataDir, "task-logs-running"), Dir: l.dir, Node: subjectName(a.cfg.workerID), NATS: nc,
		Collect: a.cfg.is("overlord"), Retain: l.retain, FirstClean: l.first, CleanEvery: l.every, Logger: a.log,
	})
	if err != nil {
		return nil, err
	}
	a.spawn("task logs", store.Run)
	return store, nil
}

// reachable is where other machines reach what listens at addr: the address itself, or this machine's name where it
// listens on all of them.
func reachable(addr net.Addr) (string, error) {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "", fmt.Errorf("the address to listen on: %w", err)
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		if host, err = os.Hostname(); err != nil {
			return "", fmt.Errorf("find the host's name for -advertise: %w", err)
		}
	}
	return net.JoinHostPort(host, port), nil
}

// place is the host and port of a URL under which a worker is reached.
func place(advertised string) (string, int, error) {
	u, err := url.Parse(advertised)
	if err != nil || u.Hostname() == "" {
		return "", 0, fmt.Errorf("-advertise %q: want a URL such as http://host:8090", advertised)
	}
	port := map[string]int{"http": 80, "https": 443}[u.Scheme]
	if p := u.Port(); p != "" {
		if port, err = strconv.Atoi(p); err != nil {
			return "", 0, fmt.Errorf("-advertise %q: %w", advertised, err)
		}
	}
	return u.Hostname(), port, nil
}
