package spec

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

const base = `{"type":"kafka","spec":{
"dataSchema":{"dataSource":"edits","timestampSpec":{"column":"ts","format":"iso"},"dimensionsSpec":{"dimensions":["page","user"]},
 "metricsSpec":[{"type":"count","name":"count"},{"type":"longSum","name":"sum","fieldName":"added"}],
 "granularitySpec":{"segmentGranularity":"HOUR","queryGranularity":"MINUTE"}},
"ioConfig":{"topic":"edits","inputFormat":{"type":"json"},"consumerProperties":{"bootstrap.servers":"kafka:9092"}},
"tuningConfig":{"type":"kafka"}}}`

// with is the base spec with some members set: path "ioConfig.taskCount" to JSON text; empty text removes the member.
func with(t testing.TB, changes ...string) []byte {
	t.Helper()
	var root map[string]any
	if err := json.Unmarshal([]byte(base), &root); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(changes); i += 2 {
		names := strings.Split(changes[i], ".")
		at := root["spec"].(map[string]any)
		if names[0] == "$" {
			at, names = root, names[1:]
		}
		for _, name := range names[:len(names)-1] {
			next, ok := at[name].(map[string]any)
			if !ok {
				next = map[string]any{}
				at[name] = next
			}
			at = next
		}
		name := names[len(names)-1]
		if changes[i+1] == "" {
			delete(at, name)
			continue
		}
		at[name] = json.RawMessage(changes[i+1])
	}
	body, err := json.Marshal(root)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func problemsOf(t testing.TB, body []byte) *InvalidError {
	t.Helper()
	_, err := Parse(body)
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("error is %v, want an *InvalidError for %s", err, body)
	}
	return invalid
}

func TestTypedFields(t *testing.T) {
	s := mustParse(t, golden(t, "03-create-full/01-create.json").body(t))
	if !s.TuningConfig.PreserveExistingMetrics || len(s.Unsupported()) > 0 {
		t.Errorf("preserveExistingMetrics is %v, and not supported are %v", s.TuningConfig.PreserveExistingMetrics, s.Unsupported())
	}
	io, tuning, schema := s.IOConfig, s.TuningConfig, s.DataSchema
	if io.Topic != "gold_edits_full_topic" || io.IsPattern() || io.Stream() != io.Topic || io.InputFormat.Type != "json" {
		t.Errorf("topic and format: %+v", io)
	}
	if io.TaskCount != 3 || io.Replicas != 1 || *io.StopTaskCount != 2 || !io.UseEarliestOffset {
		t.Errorf("counts: %+v", io)
	}
	if io.TaskDuration != 30*time.Minute || io.StartDelay != 2*time.Second || io.Period != 10*time.Second ||
		io.CompletionTimeout != 45*time.Minute || io.PollTimeout != 250*time.Millisecond ||
		*io.LateMessageRejectionPeriod != 1000*24*time.Hour || *io.EarlyMessageRejectionPeriod != 1000*24*time.Hour {
		t.Errorf("times: %+v", io)
	}
	if !io.IdleConfig.Enabled || io.IdleConfig.InactiveAfterMillis != 600000 {
		t.Errorf("idle: %+v", io.IdleConfig)
	}
	if a := io.AutoScalerConfig; !a.EnableTaskAutoScaler || a.TaskCountMax != 4 || a.LagAggregate != "MAX" ||
		a.LagCollectionInterval != 30*time.Second || a.TriggerScaleOutFractionThreshold != 0.3 {
		t.Errorf("autoscaler: %+v", a)
	}
	if io.ConsumerProperties["fetch.max.bytes"] != json.Number("1048576") || io.ConsumerProperties["client.id"] != "gold" {
		t.Errorf("consumerProperties: %v", io.ConsumerProperties)
	}
	if tuning.MaxRowsInMemory != 100000 || tuning.MaxTotalRows != 15000000 || tuning.IntermediatePersistPeriod != 5*time.Minute ||
		tuning.IntermediateHandoffPeriod != 24*time.Hour || tuning.OffsetFetchPeriod != 20*time.Second ||
		tuning.HandoffConditionTimeout != 10*time.Minute || *tuning.WorkerThreads != 2 || tuning.MaxParseExceptions != 10 {
		t.Errorf("tuning: %+v", tuning)
	}
	if schema.TimestampSpec.Column != "ts" || instantText(*schema.TimestampSpec.MissingValue) != "2026-01-01T00:00:00.000Z" {
		t.Errorf("timestampSpec: %+v", schema.TimestampSpec)
	}
	if len(schema.DimensionsSpec.Dimensions) != 9 || schema.DimensionsSpec.Dimensions[1].MultiValueHandling != "ARRAY" ||
		schema.DimensionsSpec.Dimensions[1].CreateBitmapIndex || !schema.DimensionsSpec.UseSchemaDiscovery {
		t.Errorf("dimensions: %+v", schema.DimensionsSpec)
	}
	if schema.MetricsSpec[1].FieldName != "added" || schema.MetricsSpec[3].FieldName != "" || schema.MetricsSpec[8].Name != "m_filtered" {
		t.Errorf("metrics: %+v", schema.MetricsSpec)
	}
	if g := schema.GranularitySpec; g.QueryGranularity.Name != "FIFTEEN_MINUTE" || g.QueryGranularity.Period != "PT15M" ||
		g.SegmentGranularity.Name != "DAY" || !g.Rollup || schema.TransformSpec.Empty {
		t.Errorf("granularity: %+v", g)
	}
}

func TestDefaults(t *testing.T) {
	s := mustParse(t, golden(t, "02-create-minimal/01-create.json").body(t))
	io, tuning := s.IOConfig, s.TuningConfig
	if io.TaskCount != 1 || io.Replicas != 1 || io.TaskDuration != time.Hour || io.StartDelay != 5*time.Second ||
		io.Period != 30*time.Second || io.CompletionTimeout != 30*time.Minute || io.LateMessageRejectionPeriod != nil ||
		io.StopTaskCount != nil || io.IdleConfig != nil || io.AutoScalerConfig != nil {
		t.Errorf("ioConfig: %+v", io)
	}
	if tuning.MaxTotalRows != 20000000 || tuning.MaxRowsPerSegment != 5000000 || tuning.OffsetFetchPeriod != 30*time.Second ||
		tuning.IntermediateHandoffPeriod < 200*365*24*time.Hour || tuning.MaxParseExceptions != 2147483647 {
		t.Errorf("tuningConfig: %+v", tuning)
	}
	if !slices.Equal(s.DataSchema.DimensionsSpec.DimensionExclusions, []string{"__time", "ts"}) {
		t.Errorf("exclusions: %v", s.DataSchema.DimensionsSpec.DimensionExclusions)
	}
	if g := s.DataSchema.GranularitySpec; g.QueryGranularity.Name != "NONE" || g.SegmentGranularity.Name != "DAY" {
		t.Errorf("granularity: %+v", g)
	}
	if s.ID() != "gold_edits_minimal" || s.Context != nil || s.Suspended || !s.WithSuspended(true).Suspended || s.Suspended {
		t.Error("id, context or suspended")
	}
	if s.Equal(s.WithSuspended(true)) || !s.Equal(s.WithSuspended(true).WithSuspended(false)) || s.Equal(nil) {
		t.Error("suspended is part of the spec")
	}
}

func TestNoDimensionsSpecStillExcludes(t *testing.T) {
	s := mustParse(t, with(t, "dataSchema.dimensionsSpec", "null"))
	want := []string{"__time", "added", "count", "sum", "ts"}
	if got := s.DataSchema.DimensionsSpec.DimensionExclusions; !slices.Equal(got, want) {
		t.Errorf("exclusions are %v, want %v", got, want)
	}
}

func TestLeniency(t *testing.T) {
	for _, c := range []struct{ path, value, same string }{
		{"ioConfig.taskCount", `"2"`, `2`},
		{"ioConfig.taskCount", `2.9`, `2`},
		{"ioConfig.taskCount", `""`, `1`},
		{"ioConfig.topic", `12`, `"12"`},
		{"ioConfig.topic", `true`, `"true"`},
		{"ioConfig.taskDuration", `1800000`, `"PT30M"`},
		{"ioConfig.taskDuration", `"P1W"`, `"P7D"`},
		{"ioConfig.useEarliestOffset", `"TRUE"`, `true`},
		{"ioConfig.lateMessageRejectionStartDateTime", `1767225600000`, `"2026-01-01"`},
		{"tuningConfig.intermediatePersistPeriod", `600000`, `"PT10M"`},
		{"tuningConfig.maxRowsPerSegment", `-1`, `5000000`},
		{"tuningConfig.numPersistThreads", `-3`, `1`},
		{"tuningConfig.indexSpec", `{"dimensionCompression":"ZSTD","longEncoding":"AUTO"}`, `{"dimensionCompression":"zstd","longEncoding":"auto"}`},
		{"dataSchema.dimensionsSpec", `{"dimensions":["a"]}`, `{"dimensions":[{"type":"decimal","name":"a","multiValueHandling":"sorted_array"}]}`},
		{"dataSchema.granularitySpec.queryGranularity", `{"type":"period","period":"PT15M"}`, `"fifteen_minute"`},
		{"dataSchema.granularitySpec.queryGranularity", `{"type":"all"}`, `"ALL"`},
		{"dataSchema.granularitySpec.queryGranularity", `{"type":"period","period":"P1D","timeZone":"utc"}`, `"day"`},
		{"$.context", `{"a":1,"b":{"c":1.50,"d":[]}}`, `{"b":{"d":[],"c":1.5},"a":1}`},
		{"$.suspended", `"true"`, `true`},
		{"$.suspended", `null`, `false`},
	} {
		a, b := mustParse(t, with(t, c.path, c.value)), mustParse(t, with(t, c.path, c.same))
		if !a.Equal(b) {
			t.Errorf("%s: %s is not read as %s:\n%s\n%s", c.path, c.value, c.same, a.Canonical(), b.Canonical())
		}
	}
}

func TestWrittenForms(t *testing.T) {
	for _, c := range []struct{ path, value, written string }{
		{
			"dataSchema.granularitySpec.queryGranularity", `{"type":"period","period":"PT7M","timeZone":"Europe/Berlin","origin":"2026-01-01"}`,
			`"queryGranularity":{"type":"period","period":"PT7M","timeZone":"Europe/Berlin","origin":"2026-01-01T00:00:00.000Z"}`,
		},
		{
			"dataSchema.granularitySpec.queryGranularity", `{"type":"duration","duration":3600000}`,
			`"queryGranularity":{"type":"duration","duration":3600000,"origin":"1970-01-01T00:00:00.000Z"}`,
		},
		{
			"dataSchema.granularitySpec.queryGranularity", `{"type":"period","period":"P7D"}`,
			`"queryGranularity":{"type":"period","period":"P7D","timeZone":"UTC","origin":null}`,
		},
		{"ioConfig.taskDuration", `"PT1M0.5S"`, `"taskDuration":"PT60.500S"`},
		{"ioConfig.taskDuration", `"P200000D"`, `"taskDuration":"PT17280000000S"`},
		{"tuningConfig.indexSpec", `{"bitmap":{"type":"concise"}}`, `"bitmap":{"type":"concise"}`},
		{"tuningConfig.maxTotalRows", `-1`, `"maxTotalRows":-1`},
		{"tuningConfig.reportParseExceptions", `true`, `"maxParseExceptions":0`},
		{"ioConfig.idleConfig", `{}`, `"idleConfig":{"enabled":false,"inactiveAfterMillis":null}`},
		{
			"$.context", `{"x":1e3,"y":1.0E-5,"z":12345678901234567890,"u":"a\u2028<&>"}`,
			`"context":{"x":1000.0,"y":1.0E-5,"z":12345678901234567890,"u":"a` + "\u2028" + `<&>"}`,
		},
	} {
		if got := mustParse(t, with(t, c.path, c.value)).Canonical(); !strings.Contains(string(got), c.written) {
			t.Errorf("%s %s: no %s in\n%s", c.path, c.value, c.written, got)
		}
	}
}

func TestFlatSpecAndCopies(t *testing.T) {
	nested := mustParse(t, []byte(base))
	var root map[string]map[string]json.RawMessage
	_ = json.Unmarshal([]byte(base), &root)
	flat := map[string]any{"type": "kafka", "id": "other"}
	for k, v := range root["spec"] {
		flat[k] = v
	}
	body, _ := json.Marshal(flat)
	if !mustParse(t, append(body, " trailing"...)).Equal(nested) {
		t.Error("the flat form is another spec")
	}
	if !mustParse(t, with(t, "$.ioConfig", `{"topic":"ignored"}`)).Equal(nested) {
		t.Error("the nested form does not count")
	}
	twice := strings.Replace(base, `"topic":"edits"`, `"topic":"first","topic":"edits"`, 1)
	if !mustParse(t, []byte(twice)).Equal(nested) {
		t.Error("the last of two members does not count")
	}
}

func TestWarnings(t *testing.T) {
	s := mustParse(t, with(t, "$.hello", `1`, "ioConfig.frobnicate", `true`, "ioConfig.stream", `"x"`,
		"dataSchema.dimensionsSpec", `{"dimensions":[{"type":"decimal","name":"d","odd key":1}]}`))
	var paths []string
	for _, w := range s.Warnings() {
		paths = append(paths, w.Path)
	}
	want := []string{
		"$.spec.dataSchema.dimensionsSpec.dimensions[0].type",
		`$.spec.dataSchema.dimensionsSpec.dimensions[0]["odd key"]`,
		"$.spec.ioConfig.frobnicate", "$.hello",
	}
	if !slices.Equal(paths, want) {
		t.Errorf("warnings at %q, want %q", paths, want)
	}
	if w := mustParse(t, s.Canonical()).Warnings(); len(w) > 0 {
		t.Errorf("the canonical form has warnings: %v", w)
	}
}

func TestAllProblemsAreFound(t *testing.T) {
	e := problemsOf(t, with(t, "ioConfig.taskDuration", `"x"`, "ioConfig.taskCount", `0`, "ioConfig.replicas", `-1`,
		"tuningConfig.httpTimeout", `"P1M"`, "dataSchema.dataSource", `"a/b"`, "$.context", `[]`))
	want := []Problem{
		{"$.spec.dataSchema.dataSource", "Invalid value for field [dataSource]: Value [a/b] cannot contain '/'."},
		{"$.spec.ioConfig.taskCount", "taskCount must be at least 1, it is 0"},
		{"$.spec.ioConfig.replicas", "replicas must be at least 1, it is -1"},
		{"$.spec.ioConfig.taskDuration", `Invalid format: "x"`},
		{"$.spec.tuningConfig.httpTimeout", "Cannot convert to Duration as this period contains months and months vary in length"},
		{"$.context", "Cannot deserialize value of type `java.util.LinkedHashMap<java.lang.String,java.lang.Object>` from Array value (token `JsonToken.START_ARRAY`)"},
	}
	if !slices.Equal(e.Problems, want) {
		t.Errorf("problems are %q, want %q", e.Problems, want)
	}
	if e.Error() != "Cannot construct instance of `org.apache.druid.segment.indexing.DataSchema`, problem: "+want[0].Message {
		t.Errorf("message is %s", e)
	}
}

func TestUnsupportedOptionsAreToldBesideOtherProblems(t *testing.T) {
	e := problemsOf(t, with(t, "ioConfig.taskCount", `0`, "ioConfig.inputFormat", `null`, "dataSchema.dimensionsSpec",
		`{"dimensions":[{"type":"auto","name":"s"},{"name":""}]}`))
	var paths []string
	for _, p := range e.Problems {
		paths = append(paths, p.Path)
	}
	want := []string{"$.spec.dataSchema.dimensionsSpec.dimensions[1].name", "$.spec.ioConfig.taskCount", "$.spec.ioConfig.inputFormat"}
	if !slices.Equal(paths, want) {
		t.Errorf("problems are at %q, want %q", paths, want)
	}
	flat := mustParse(t, []byte(`{"type":"kafka","dataSchema":{"dataSource":"d","timestampSpec":{}},"ioConfig":{"topic":"t","consumerProperties":{"bootstrap.servers":"h:1"}}}`))
	if u := flat.Unsupported(); len(u) != 1 || u[0].Path != "$.ioConfig.inputFormat" {
		t.Errorf("the flat form lacks %v, want its inputFormat by its own path", u)
	}
}
