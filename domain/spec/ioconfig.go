package spec

import (
	"strings"
	"time"
)

// maxReplicas bounds the tasks of one group: each is made and recorded at once, whether there is a worker for it or not.
const maxReplicas = 100

// Defaults of the ioConfig.
const (
	defaultPollTimeout       int64 = 100
	defaultTaskDuration            = time.Hour
	defaultStartDelay              = 5 * time.Second
	defaultPeriod                  = 30 * time.Second
	defaultCompletionTimeout       = 30 * time.Minute
)

const (
	classOverrides = "org.apache.druid.indexing.seekablestream.extension.KafkaConfigOverrides"
	classIdle      = "org.apache.druid.indexing.seekablestream.supervisor.IdleConfig"

	keyBootstrap = "bootstrap.servers"
)

func readIO(r *reader, out *Supervisor) {
	if r == nil {
		return
	}
	c := &out.IOConfig
	r.ignore("type", "stream", "useEarliestSequenceNumber")
	topic, pattern := readTopic(r, c)
	format := readInputFormat(r, &c.InputFormat)
	properties := readConsumerProperties(r, c)
	scaler := readAutoScaler(r, c)
	c.Replicas = r.integerOr("replicas", 1)
	c.givenTaskCount = r.integer("taskCount")
	c.TaskCount = 1
	if c.givenTaskCount != nil {
		c.TaskCount = *c.givenTaskCount
	}
	if c.Scales() {
		c.TaskCount = c.AutoScalerConfig.firstTaskCount() // Druid overwrites the stored value, too
	} else if c.TaskCount < 1 {
		r.fail("taskCount", "taskCount must be at least 1, it is %d", c.TaskCount)
	}
	if c.Replicas < 1 {
		r.fail("replicas", "replicas must be at least 1, it is %d", c.Replicas)
	} else if c.Replicas > maxReplicas {
		r.fail("replicas", "replicas must be at most %d, it is %d", maxReplicas, c.Replicas)
	}
	pollTimeout := r.longOr("pollTimeout", defaultPollTimeout)
	if pollTimeout < 0 {
		r.fail("pollTimeout", "pollTimeout must not be negative, it is %d", pollTimeout)
	}
	c.PollTimeout = duration(pollTimeout)
	c.UseEarliestOffset = r.boolOr("useEarliestOffset", false)
	c.EmitTimeLagMetrics = r.boolOr("emitTimeLagMetrics", false)
	idle := readIdle(r, c)
	c.StopTaskCount = r.integer("stopTaskCount")
	if c.StopTaskCount != nil && *c.StopTaskCount <= 0 {
		r.fail("stopTaskCount", "stopTaskCount must be greater than 0")
	}
	if n := r.get("configOverrides"); n != nil { // Druid's own has no type of them either
		r.scan.typeID(n, r.at("configOverrides"), classOverrides, "configOverrides", nil)
	}
	times := readTimes(r, c)
	r.done()
	out.ioTree = object(
		member{"topic", topic},
		member{"topicPattern", pattern},
		member{"inputFormat", format},
		member{"replicas", integer(c.Replicas)},
		member{"taskCount", integer(c.TaskCount)},
		member{"taskDuration", times.taskDuration},
		member{"consumerProperties", properties},
		member{"autoScalerConfig", scaler},
		member{"pollTimeout", integer(pollTimeout)},
		member{"startDelay", times.startDelay},
		member{"period", times.period},
		member{"useEarliestOffset", boolean(c.UseEarliestOffset)},
		member{"completionTimeout", times.completionTimeout},
		member{"lateMessageRejectionPeriod", times.late},
		member{"earlyMessageRejectionPeriod", times.early},
		member{"lateMessageRejectionStartDateTime", orNull(c.LateMessageRejectionStartDateTime, givenInstantNode)},
		member{"configOverrides", null},
		member{"idleConfig", idle},
		member{"stopTaskCount", orNull(c.StopTaskCount, integer[int])},
		member{"emitTimeLagMetrics", boolean(c.EmitTimeLagMetrics)},
		member{"stream", str(c.Stream())},
		member{"useEarliestSequenceNumber", boolean(c.UseEarliestOffset)},
	)
}

func readTopic(r *reader, c *IOConfig) (topic, pattern *node) {
	before := len(r.scan.problems)
	t, p := r.text("topic"), r.text("topicPattern")
	switch {
	case len(r.scan.problems) > before:
	case t == nil && p == nil:
		r.fail("topic", "Either topic or topicPattern must be specified")
	case t != nil && p != nil:
		r.fail("topicPattern", "Only one of topic [%s] or topicPattern [%s] must be specified", *t, *p)
	case t != nil:
		if c.Topic = *t; c.Topic == "" {
			r.fail("topic", "topic must not be empty")
		}
	default:
		if c.TopicPattern = *p; c.TopicPattern == "" {
			r.fail("topicPattern", "topicPattern must not be empty")
			break
		}
		var err error
		if c.topics, err = compileTopicPattern(*p); err != nil {
			r.fail("topicPattern", "topicPattern [%s] %s", *p, err)
		}
	}
	return orNull(t, str), orNull(p, str)
}

func readConsumerProperties(r *reader, c *IOConfig) *node {
	n := r.get("consumerProperties")
	if n == nil {
		r.fail("consumerProperties", "consumerProperties") // Druid names the member and says no more
		return null
	}
	switch n.kind {
	case kindObject:
	case kindArray:
		r.scan.wrongKind(n, r.at("consumerProperties"), classMap+"<java.lang.String,java.lang.Object>")
		return null
	default:
		r.scan.notAnObject(n, r.at("consumerProperties"), classMap)
		return null
	}
	servers := n.get(keyBootstrap)
	switch {
	case servers == nil || servers.kind == kindNull:
		r.fail("consumerProperties", "consumerProperties must contain entry for [%s]", keyBootstrap)
	case servers.kind != kindString || strings.TrimSpace(servers.text) == "":
		r.failPath(memberPath(r.at("consumerProperties"), keyBootstrap), classIO,
			"%s must be text of the form host:port,host:port", keyBootstrap)
	}
	c.ConsumerProperties = n.valueMap()
	c.ConsumerPropertiesRaw = n.encode()
	return n
}

// times are the canonical forms of the ioConfig's periods; they are kept apart from the durations because those cannot
// hold more than 292 years.
type times struct {
	taskDuration, startDelay, period, completionTimeout, late, early *node
}

func readTimes(r *reader, c *IOConfig) times {
	length := func(name string, def time.Duration, least int64, out *time.Duration) *node {
		ms := r.lengthOr(name, def)
		if ms < least {
			r.fail(name, "%s must be %s, it is %s", name, leastText(least), durationText(ms))
		}
		*out = duration(ms)
		return lengthNode(ms)
	}
	optional := func(name string, out **time.Duration) *node {
		ms := r.length(name)
		if ms == nil {
			return null
		}
		if *ms < 0 {
			r.fail(name, "%s must be %s, it is %s", name, leastText(0), durationText(*ms))
		}
		d := duration(*ms)
		*out = &d
		return lengthNode(*ms)
	}
	t := times{
		taskDuration:      length("taskDuration", defaultTaskDuration, 1, &c.TaskDuration),
		startDelay:        length("startDelay", defaultStartDelay, 0, &c.StartDelay),
		period:            length("period", defaultPeriod, 1, &c.Period),
		completionTimeout: length("completionTimeout", defaultCompletionTimeout, 1, &c.CompletionTimeout),
		late:              optional("lateMessageRejectionPeriod", &c.LateMessageRejectionPeriod),
		early:             optional("earlyMessageRejectionPeriod", &c.EarlyMessageRejectionPeriod),
	}
	c.LateMessageRejectionStartDateTime = r.instant("lateMessageRejectionStartDateTime")
	if c.LateMessageRejectionStartDateTime != nil && c.LateMessageRejectionPeriod != nil {
		r.fail("lateMessageRejectionPeriod", "SeekableStreamSupervisorIOConfig does not support both properties "+
			"lateMessageRejectionStartDateTime and lateMessageRejectionPeriod.")
	}
	return t
}

func leastText(least int64) string {
	if least > 0 {
		return "longer than zero"
	}
	return "zero or longer"
}

func lengthNode(ms int64) *node { return str(durationText(ms)) }

func readIdle(io *reader, c *IOConfig) *node {
	r := io.child("idleConfig", classIdle)
	if r == nil {
		return null
	}
	enabled, after := r.boolOr("enabled", false), r.long("inactiveAfterMillis")
	if after != nil && *after <= 0 {
		r.fail("inactiveAfterMillis", "inactiveAfterMillis should be a postive number")
	}
	r.done()
	c.IdleConfig = &IdleConfig{Enabled: enabled}
	if after != nil {
		c.IdleConfig.InactiveAfterMillis = *after
	}
	return object(member{"enabled", boolean(enabled)}, member{"inactiveAfterMillis", orNull(after, integer[int64])})
}
