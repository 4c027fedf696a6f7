package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"ogham/domain/spec"
	"ogham/domain/supervisor"
)

// config is all that a server can be told.
type config struct {
	listen         string
	dataDir        string
	roles          []string
	nats           string
	natsCreds      string
	natsCA         string
	natsListen     string
	natsUser       string
	natsPassword   string
	secretKey      string
	replicas       int
	workerID       string
	nodeID         string
	workerCapacity int
	advertise      string
	logLevel       string
	heartbeat      time.Duration
	properties     properties
	thresholds     supervisor.Thresholds
	idle           spec.IdleConfig
	taskLogs       taskLogConfig
}

// properties are Druid's own settings by name.
type properties map[string]string

// String implements flag.Value.
func (p properties) String() string { return fmt.Sprint(map[string]string(p)) }

// Set implements flag.Value for -D name=value.
func (p properties) Set(s string) error {
	name, value, ok := strings.Cut(s, "=")
	if !ok || name == "" {
		return fmt.Errorf("want name=value, got %q", s)
	}
	p[strings.TrimSpace(name)] = strings.TrimSpace(value)
	return nil
}

// known are the properties of Druid that mean something here.
var known = []string{
	"druid.supervisor.healthinessThreshold", "druid.supervisor.unhealthinessThreshold",
	"druid.supervisor.taskHealthinessThreshold", "druid.supervisor.taskUnhealthinessThreshold",
	"druid.supervisor.maxStoredExceptionEvents",
	"druid.supervisor.idleConfig.enabled", "druid.supervisor.idleConfig.inactiveAfterMillis",
	"druid.storage.type", "druid.storage.storageDirectory", "druid.worker.capacity",
	propLogsType, propLogsDirectory, propLogsKill, propLogsRetain, propLogsFirst, propLogsEvery,
}

// parseConfig reads flags, then the environment (OGHAM_ and the flag's name in capitals) for flags that were not given,
// and Druid's properties from a file and from -D, the latter winning.
func parseConfig(name string, args, env []string, stderr io.Writer, more func(*flag.FlagSet)) (*config, error) {
	c := &config{properties: properties{}}
	fs := flag.NewFlagSet("ogham "+name, flag.ContinueOnError)
	fs.SetOutput(stderr)
	var roles, file string
	fs.StringVar(&c.listen, "listen", "127.0.0.1:8090", "address of the HTTP API")
	fs.StringVar(&c.advertise, "advertise", "", "URL under which other nodes and clients reach this one (default: from -listen)")
	fs.StringVar(&c.dataDir, "data-dir", "./ogham-data", "folder of the log, the projections, running tasks and segments")
	fs.StringVar(&roles, "roles", "overlord,worker", "what this process does: overlord, worker or both")
	fs.StringVar(&c.nats, "nats", "", "URL of an external NATS server with JetStream (default: embedded)")
	fs.StringVar(&c.natsCreds, "nats-creds", "", "credentials file for the external NATS server")
	fs.StringVar(&c.natsCA, "nats-ca", "", "PEM file of the authority that signed the external NATS server's certificate")
	fs.StringVar(&c.natsListen, "nats-listen", "", "open the embedded NATS server at this address; without a user, clients may only subscribe")
	fs.StringVar(&c.natsUser, "nats-user", "", "user that has all rights on the embedded NATS server (password: OGHAM_NATS_PASSWORD)")
	fs.IntVar(&c.replicas, "log-replicas", 1, "copies of the log in an external cluster: 1, 3 or 5")
	fs.StringVar(&c.workerID, "worker-id", "", "this worker's name (default: the node's)")
	fs.StringVar(&c.nodeID, "node-id", "", "this node's name (default: host and port)")
	fs.IntVar(&c.workerCapacity, "worker-capacity", 0, "tasks that run at once (default: druid.worker.capacity, else 4)")
	fs.StringVar(&c.logLevel, "log-level", "info", "debug, info, warn or error")
	fs.DurationVar(&c.heartbeat, "heartbeat", time.Second, "how often a worker tells how its tasks are")
	fs.StringVar(&file, "config", "", "file of Druid's properties (runtime.properties)")
	fs.Var(c.properties, "D", "one of Druid's properties, name=value; may be repeated")
	if more != nil {
		more(fs)
	}
	// Druid's way of writing them, -Dname=value, is taken too.
	for i, a := range args {
		if rest, ok := strings.CutPrefix(a, "-Ddruid."); ok {
			args = slices.Clone(args)
			args[i] = "-D=druid." + rest
		}
	}
	if err := fs.Parse(args); err != nil {
		return nil, err
	}
	if fs.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q", fs.Arg(0))
	}
	if err := fromEnvironment(fs, env); err != nil {
		return nil, err
	}
	for _, e := range env {
		if v, ok := strings.CutPrefix(e, "OGHAM_NATS_PASSWORD="); ok {
			c.natsPassword = v
		}
		if v, ok := strings.CutPrefix(e, "OGHAM_SECRET_KEY="); ok {
			c.secretKey = v
		}
	}
	if file != "" {
		given := maps.Clone(c.properties)
		if err := c.properties.read(file); err != nil {
			return nil, err
		}
		maps.Copy(c.properties, given)
	}
	return c, c.finish(roles)
}

// fromEnvironment sets the flags that were not given on the command line.
func fromEnvironment(fs *flag.FlagSet, env []string) error {
	given := map[string]bool{}
	fs.Visit(func(f *flag.Flag) { given[f.Name] = true })
	values := map[string]string{}
	for _, e := range env {
		if k, v, ok := strings.Cut(e, "="); ok {
			values[k] = v
		}
	}
	var err error
	fs.VisitAll(func(f *flag.Flag) {
		key := "OGHAM_" + strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))
		if v, ok := values[key]; ok && !given[f.Name] && err == nil {
			if e := f.Value.Set(v); e != nil {
				err = fmt.Errorf("environment variable %s: %w", key, e)
			}
		}
	})
	return err
}

func (c *config) finish(roles string) error {
	for r := range strings.SplitSeq(roles, ",") {
		r = strings.TrimSpace(r)
		if r != "overlord" && r != "worker" {
			return fmt.Errorf("-roles %q: want overlord, worker or both", roles)
		}
		c.roles = append(c.roles, r)
	}
	host, port, err := net.SplitHostPort(c.listen)
	if err != nil {
		return fmt.Errorf("-listen %q: %w", c.listen, err)
	}
	if err := new(slog.Level).UnmarshalText([]byte(c.logLevel)); err != nil {
		return fmt.Errorf("-log-level %q: want debug, info, warn or error", c.logLevel)
	}
	if c.heartbeat <= 0 {
		return fmt.Errorf("-heartbeat %s: want a time above zero", c.heartbeat)
	}
	if c.nats == "" && !c.is("overlord") {
		return errors.New("a worker alone needs -nats: the embedded server is in the overlord's process")
	}
	if c.nodeID == "" {
		if host == "" || net.ParseIP(host) != nil && net.ParseIP(host).IsUnspecified() {
			if host, err = os.Hostname(); err != nil {
				return fmt.Errorf("find the host's name for -node-id: %w", err)
			}
		}
		c.nodeID = host + ":" + port
	}
	if c.workerID == "" {
		c.workerID = c.nodeID
	}
	if c.dataDir, err = filepath.Abs(c.dataDir); err != nil {
		return fmt.Errorf("-data-dir: %w", err)
	}
	if t := c.properties["druid.storage.type"]; t != "" && t != "local" {
		return fmt.Errorf("druid.storage.type=%s: only local deep storage is done yet", t)
	}
	if err := c.readTaskLogs(); err != nil {
		return err
	}
	return c.druid()
}

// druid reads what Druid's properties set.
func (c *config) druid() error {
	c.thresholds = supervisor.DefaultThresholds
	t := &c.thresholds
	capacity := 4
	for name, to := range map[string]*int{
		"druid.supervisor.healthinessThreshold":       &t.Healthiness,
		"druid.supervisor.unhealthinessThreshold":     &t.Unhealthiness,
		"druid.supervisor.taskHealthinessThreshold":   &t.TaskHealthiness,
		"druid.supervisor.taskUnhealthinessThreshold": &t.TaskUnhealthiness,
		"druid.supervisor.maxStoredExceptionEvents":   &t.MaxStoredExceptionEvents,
		"druid.worker.capacity":                       &capacity,
	} {
		if v, ok := c.properties[name]; ok {
			n, err := strconv.Atoi(v)
			if err != nil || n < 1 {
				return fmt.Errorf("%s=%s: want a whole number, 1 or more", name, v)
			}
			*to = n
		}
	}
	if t.MaxStoredExceptionEvents < max(t.Healthiness, t.Unhealthiness) {
		return errors.New("druid.supervisor.maxStoredExceptionEvents must be >= to max(healthinessThreshold, unhealthinessThreshold)")
	}
	if c.workerCapacity == 0 {
		c.workerCapacity = capacity
	}
	if c.workerCapacity < 1 {
		return fmt.Errorf("-worker-capacity %d: want 1 or more", c.workerCapacity)
	}
	c.idle.InactiveAfterMillis = 600_000
	if v, ok := c.properties["druid.supervisor.idleConfig.enabled"]; ok {
		on, err := strconv.ParseBool(v)
		if err != nil {
			return fmt.Errorf("druid.supervisor.idleConfig.enabled=%s: want true or false", v)
		}
		c.idle.Enabled = on
	}
	if v, ok := c.properties["druid.supervisor.idleConfig.inactiveAfterMillis"]; ok {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < 1 {
			return fmt.Errorf("druid.supervisor.idleConfig.inactiveAfterMillis=%s: want a positive number", v)
		}
		c.idle.InactiveAfterMillis = n
	}
	return nil
}

// ignored names the properties that have no effect, sorted.
func (c *config) ignored() []string {
	var names []string
	for name := range c.properties {
		if !slices.Contains(known, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (c *config) is(role string) bool { return slices.Contains(c.roles, role) }

func (c *config) segmentDir() string {
	if d := c.properties["druid.storage.storageDirectory"]; d != "" {
		if abs, err := filepath.Abs(d); err == nil {
			return abs
		}
		return d
	}
	return filepath.Join(c.dataDir, "segments")
}
