package spec

import (
	"math"
	"slices"
	"time"
)

// Defaults of the tuningConfig.
const (
	defaultMaxRowsInMemory             = 150000
	defaultMaxRowsPerSegment           = 5000000
	defaultMaxTotalRows          int64 = 20000000
	defaultHandoffTimeoutMillis  int64 = 900000
	defaultChatRetries           int64 = 8
	defaultMaxParseExceptions          = math.MaxInt32
	defaultPersistPeriod               = "PT10M"
	defaultHandoffPeriod               = "P2147483647D"
	defaultHTTPTimeout                 = 10 * time.Second
	defaultShutdownTimeout             = 80 * time.Second
	defaultOffsetFetchPeriod           = 30 * time.Second
	defaultRepartitionTransition       = "PT120S"
	defaultMedium                      = "tmpFile"
	noColumnLimit                      = -1

	// noLimit is how a spec asks for the default of maxRowsPerSegment and maxTotalRows.
	noLimit = -1
	// minOffsetFetchPeriod is the least that is used; the JSON keeps what was given.
	minOffsetFetchPeriod = 5 * time.Second
)

// readTuning reads the tuningConfig, which may be missing; if it is there it must name its type.
func readTuning(parts *reader, out *Supervisor) {
	r := newReader(parts.scan, object(), parts.at("tuningConfig"), classTuning, parts.link("tuningConfig"))
	if n := parts.get("tuningConfig"); n != nil {
		if _, ok := parts.scan.typeID(n, r.path, classTuning, "tuningConfig", []string{typeKafka}); !ok {
			return
		}
		r.obj = n
	}
	// Known to older and newer versions, or written by Druid and not read by it.
	r.ignore("type", "buildV9Directly", "basePersistDirectory", "chatThreads", "skipSequenceNumberAvailabilityCheck",
		"repartitionTransitionDuration")
	c := &out.TuningConfig
	out.tuningTree = object(member{"type", str(typeKafka)})
	put := func(ms ...member) { out.tuningTree.members = append(out.tuningTree.members, ms...) }
	put(readMemoryLimits(r, c)...)
	put(readIndexing(r, c)...)
	put(readSupervisorSide(r, c)...)
	put(readParseLimits(r, c)...)
	r.done()
}

// atLeast reads a whole number and refuses one that no task could run with.
func (r *reader) atLeast(name string, def, least int) int {
	v := r.integerOr(name, def)
	if v < least {
		r.fail(name, "%s must be at least %d, it is %d", name, least, v)
	}
	return v
}

func (r *reader) longAtLeast(name string, def, least int64) int64 {
	v := r.longOr(name, def)
	if v < least {
		r.fail(name, "%s must be at least %d, it is %d", name, least, v)
	}
	return v
}

func readMemoryLimits(r *reader, c *TuningConfig) []member {
	if spec := r.child("appendableIndexSpec", "org.apache.druid.segment.incremental.OnheapIncrementalIndex$Spec"); spec != nil {
		spec.ignore("type")
		c.PreserveExistingMetrics = spec.boolOr("preserveExistingMetrics", false)
		spec.done()
	}
	c.MaxRowsInMemory = r.atLeast("maxRowsInMemory", defaultMaxRowsInMemory, 0)
	c.MaxBytesInMemory = r.longOr("maxBytesInMemory", 0)
	c.SkipBytesInMemoryOverheadCheck = r.boolOr("skipBytesInMemoryOverheadCheck", false)
	c.MaxRowsPerSegment = r.integerOr("maxRowsPerSegment", defaultMaxRowsPerSegment)
	if c.MaxRowsPerSegment == noLimit {
		c.MaxRowsPerSegment = defaultMaxRowsPerSegment
	}
	if c.MaxRowsPerSegment < 1 {
		r.fail("maxRowsPerSegment", "maxRowsPerSegment must be at least 1, it is %d", c.MaxRowsPerSegment)
	}
	total := r.long("maxTotalRows")
	c.MaxTotalRows = defaultMaxTotalRows
	if total != nil && *total != noLimit {
		if c.MaxTotalRows = *total; *total < 1 {
			r.fail("maxTotalRows", "maxTotalRows must be at least 1, it is %d", *total)
		}
	}
	return []member{
		{"appendableIndexSpec", object(member{"type", str("onheap")}, member{"preserveExistingMetrics", boolean(c.PreserveExistingMetrics)})},
		{"maxRowsInMemory", integer(c.MaxRowsInMemory)},
		{"maxBytesInMemory", integer(c.MaxBytesInMemory)},
		{"skipBytesInMemoryOverheadCheck", boolean(c.SkipBytesInMemoryOverheadCheck)},
		{"maxRowsPerSegment", integer(c.MaxRowsPerSegment)},
		{"maxTotalRows", orNull(total, integer[int64])},
	}
}

// loosePeriod reads a period that is written back as it was given. It may have months and years, which Druid counts by
// the calendar and which are 30 and 365 days here.
func (r *reader) loosePeriod(name, def string) (*node, time.Duration) {
	p := r.period(name)
	if p == nil {
		fallback, _ := ParsePeriod(def)
		p = &fallback
	}
	ms := p.roughMillis()
	if ms <= 0 {
		r.fail(name, "%s must be %s, it is %s", name, leastText(1), p)
	}
	return str(p.String()), duration(ms)
}

func readIndexing(r *reader, c *TuningConfig) []member {
	var persist *node
	persist, c.IntermediatePersistPeriod = r.loosePeriod("intermediatePersistPeriod", defaultPersistPeriod)
	c.MaxPendingPersists = r.atLeast("maxPendingPersists", 0, 0)
	index := readIndexSpec(r, "indexSpec", nil)
	spills := readIndexSpec(r, "indexSpecForIntermediatePersists", index)
	c.IndexSpec, c.IndexSpecForIntermediatePersists = index.encode(), spills.encode()
	c.ReportParseExceptions = r.boolOr("reportParseExceptions", false)
	handoff := r.longAtLeast("handoffConditionTimeout", defaultHandoffTimeoutMillis, 0)
	c.HandoffConditionTimeout = duration(handoff)
	c.ResetOffsetAutomatically = r.boolOr("resetOffsetAutomatically", false)
	medium := null
	if f := r.child("segmentWriteOutMediumFactory", "org.apache.druid.segment.writeout.SegmentWriteOutMediumFactory"); f != nil {
		kind := f.textOr("type", defaultMedium)
		if !slices.Contains([]string{defaultMedium, "offHeapMemory", "onHeapMemory"}, kind) {
			f.scan.warn(f.at("type"), "unknown segmentWriteOutMediumFactory '"+kind+"', taken for "+defaultMedium)
			kind = defaultMedium
		}
		medium = object(member{"type", str(kind)})
		f.done()
	}
	return []member{
		{"intermediatePersistPeriod", persist},
		{"maxPendingPersists", integer(c.MaxPendingPersists)},
		{"indexSpec", index},
		{"indexSpecForIntermediatePersists", spills},
		{"reportParseExceptions", boolean(c.ReportParseExceptions)},
		{"handoffConditionTimeout", integer(handoff)},
		{"resetOffsetAutomatically", boolean(c.ResetOffsetAutomatically)},
		{"segmentWriteOutMediumFactory", medium},
	}
}

func readSupervisorSide(r *reader, c *TuningConfig) []member {
	if c.WorkerThreads = r.integer("workerThreads"); c.WorkerThreads != nil && *c.WorkerThreads < 0 {
		r.fail("workerThreads", "workerThreads must not be negative, it is %d", *c.WorkerThreads)
	}
	c.ChatRetries = r.longAtLeast("chatRetries", defaultChatRetries, 0)
	timeout := func(name string, def time.Duration, out *time.Duration) *node {
		ms := r.lengthOr(name, def)
		if ms < 0 {
			r.fail(name, "%s must be %s, it is %s", name, leastText(0), durationText(ms))
		}
		*out = duration(ms)
		return lengthNode(ms)
	}
	http := timeout("httpTimeout", defaultHTTPTimeout, &c.HTTPTimeout)
	shutdown := timeout("shutdownTimeout", defaultShutdownTimeout, &c.ShutdownTimeout)
	fetch := timeout("offsetFetchPeriod", defaultOffsetFetchPeriod, &c.OffsetFetchPeriod)
	c.OffsetFetchPeriod = max(c.OffsetFetchPeriod, minOffsetFetchPeriod)
	var handoff *node
	handoff, c.IntermediateHandoffPeriod = r.loosePeriod("intermediateHandoffPeriod", defaultHandoffPeriod)
	return []member{
		{"workerThreads", orNull(c.WorkerThreads, integer[int])},
		{"chatRetries", integer(c.ChatRetries)},
		{"httpTimeout", http},
		{"shutdownTimeout", shutdown},
		{"offsetFetchPeriod", fetch},
		{"intermediateHandoffPeriod", handoff},
	}
}

func readParseLimits(r *reader, c *TuningConfig) []member {
	c.LogParseExceptions = r.boolOr("logParseExceptions", false)
	c.MaxParseExceptions = r.atLeast("maxParseExceptions", defaultMaxParseExceptions, 0)
	c.MaxSavedParseExceptions = r.atLeast("maxSavedParseExceptions", 0, 0)
	if c.ReportParseExceptions {
		c.MaxParseExceptions, c.MaxSavedParseExceptions = 0, min(1, c.MaxSavedParseExceptions)
	}
	c.NumPersistThreads = max(1, r.integerOr("numPersistThreads", 1))
	c.MaxColumnsToMerge = r.integerOr("maxColumnsToMerge", noColumnLimit)
	return []member{
		{"logParseExceptions", boolean(c.LogParseExceptions)},
		{"maxParseExceptions", integer(c.MaxParseExceptions)},
		{"maxSavedParseExceptions", integer(c.MaxSavedParseExceptions)},
		{"numPersistThreads", integer(c.NumPersistThreads)},
		{"maxColumnsToMerge", integer(c.MaxColumnsToMerge)},
		{"skipSequenceNumberAvailabilityCheck", boolean(false)},
		{"repartitionTransitionDuration", str(defaultRepartitionTransition)},
	}
}
