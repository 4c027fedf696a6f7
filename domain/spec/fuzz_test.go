package spec

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzParse checks that no body makes Parse panic, that what is refused has a message and a path, and that what is
// accepted is written so that it is read back as the same spec.
func FuzzParse(f *testing.F) {
	names, err := filepath.Glob(filepath.Join(goldenDir(f), "0[2358]-*", "*.json"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range names {
		if filepath.Base(file) == "scenario.json" {
			continue
		}
		e := golden(f, filepath.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file)))
		if e.Request.Body != nil && e.Request.BodyLength == 0 {
			f.Add([]byte(*e.Request.Body))
		}
	}
	for _, s := range druidSpecs(f) {
		f.Add([]byte(s.Posted))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		s, err := Parse(body)
		if err != nil {
			var invalid *InvalidError
			if !errors.As(err, &invalid) || invalid.Message == "" || len(invalid.Problems) == 0 {
				t.Fatalf("error is %#v", err)
			}
			return
		}
		canonical := s.Canonical()
		if !json.Valid(canonical) || !json.Valid(s.TaskTuningConfig()) {
			t.Fatalf("not JSON: %s", canonical)
		}
		again, err := Parse(canonical)
		if err != nil {
			t.Fatalf("canonical form is refused: %v\n%s", err, canonical)
		}
		if string(again.Canonical()) != string(canonical) || !again.Equal(s) {
			t.Fatalf("canonical form is not stable:\n%s\n%s", canonical, again.Canonical())
		}
		if len(s.Unsupported()) != len(again.Unsupported()) {
			t.Fatalf("unsupported before %v, after %v", s.Unsupported(), again.Unsupported())
		}
		if s.BaseSequenceName(nil, nil, nil) != again.BaseSequenceName(nil, nil, nil) {
			t.Fatal("the sequence name changes")
		}
	})
}

// FuzzMember sets one member of a good spec to any JSON value: most of what is fuzzed here is nearly a spec, so that
// more of it is accepted and written back than of FuzzParse's bodies.
func FuzzMember(f *testing.F) {
	for _, seed := range []struct{ path, value string }{
		{"ioConfig.taskDuration", `"PT1H"`},
		{"ioConfig.taskDuration", `3600000`},
		{"ioConfig.taskCount", `1.5`},
		{"ioConfig.lateMessageRejectionPeriod", `"P1D"`},
		{"ioConfig.lateMessageRejectionStartDateTime", `"2026-01-01T00:00+01"`},
		{"ioConfig.consumerProperties", `{"bootstrap.servers":"a:1","x":1e400,"y":[1.0,{"z":null}]}`},
		{"ioConfig.inputFormat", `{"type":"json","flattenSpec":{"fields":["a",{"type":"tree","name":"t","nodes":["x"]}]}}`},
		{"ioConfig.autoScalerConfig", `{"triggerScaleInFractionThreshold":"1e-9","scaleInStep":"3"}`},
		{"ioConfig.idleConfig", `{"enabled":1,"inactiveAfterMillis":5}`},
		{"ioConfig.topicPattern", `null`},
		{"tuningConfig.intermediatePersistPeriod", `"P1Y2M"`},
		{"tuningConfig.httpTimeout", `"PT0.001S"`},
		{"tuningConfig.indexSpec", `{"bitmap":{"type":"concise"},"jsonCompression":"LZ4","segmentLoader":{"type":"x"}}`},
		{"tuningConfig.maxBytesInMemory", `-9223372036854775808`},
		{"dataSchema.dimensionsSpec", `{"dimensions":["a",{"type":"auto","name":"b","castToType":"LONG"}],"dimensionExclusions":["q",7]}`},
		{"dataSchema.metricsSpec", `[{"type":"stringAny","name":"s","fieldName":"p"},{"type":"javascript","name":"j","fieldNames":["k"]}]`},
		{"dataSchema.granularitySpec", `{"queryGranularity":{"period":"PT1.5S","origin":5},"intervals":["2026/P1Y"]}`},
		{"dataSchema.timestampSpec", `{"column":1.50,"missingValue":0}`},
		{"dataSchema.transformSpec", `{"transforms":[{"type":"expression","name":"t","expression":"a"}],"filter":{"type":"true"}}`},
		{"dataSchema.transformSpec", `{"filter":{"type":"or","fields":[{"type":"in","dimension":"d","values":[1,null,"b"]},{"type":"bound","dimension":"d","upper":3,"ordering":"numeric"}]}}`},
		{"dataSchema.transformSpec", `{"filter":{"type":"selector","dimension":"d","extractionFn":{"type":"lookup","lookup":{"type":"map","map":{"a":1}}}}}`},
		{"dataSchema.transformSpec", `{"filter":{"type":"inType","column":"c","matchValueType":"array<long>","values":[3,"x",1.0,1]}}`},
		{"dataSchema.metricsSpec", `[{"type":"expression","name":"e","fields":["f"],"fold":"f+1"},{"type":"cardinality","name":"c","fields":["a",{"type":"x","dimension":"b"}]}]`},
		{"dataSchema.dataSource", `"ü ?#%+"`},
		{"$.context", `{"a":{"a":1,"a":2},"n":-0,"f":-0.0}`},
		{"$.suspended", `0`},
	} {
		f.Add(seed.path, []byte(seed.value))
	}
	f.Fuzz(func(t *testing.T, path string, value []byte) {
		if !json.Valid(value) || !strings.Contains(path, ".") {
			return
		}
		s, err := Parse(with(t, path, string(value)))
		if err != nil {
			return
		}
		again, err := Parse(s.Canonical())
		if err != nil {
			t.Fatalf("canonical form is refused: %v\n%s", err, s.Canonical())
		}
		if string(again.Canonical()) != string(s.Canonical()) || !again.Equal(s) {
			t.Fatalf("canonical form is not stable:\n%s\n%s", s.Canonical(), again.Canonical())
		}
		if len(s.Unsupported()) != len(again.Unsupported()) {
			t.Fatalf("unsupported before %v, after %v", s.Unsupported(), again.Unsupported())
		}
	})
}
