package spec

import "testing"

// TestSketchesAreWrittenAsByDruid compares with what Druid's mapper made of aggregators of druid-datasketches.
func TestSketchesAreWrittenAsByDruid(t *testing.T) {
	for given, want := range map[string]string{
		`{"type":"HLLSketchBuild","name":"x","fieldName":"u"}`:     `{"type":"HLLSketchBuild","name":"x","fieldName":"u","lgK":12,"tgtHllType":"HLL_4"}`,
		`{"type":"HLLSketch","name":"x","fieldName":"u","lgK":20}`: `{"type":"HLLSketchMerge","name":"x","fieldName":"u","lgK":20,"tgtHllType":"HLL_4"}`,
		`{"round":true,"type":"HLLSketchMerge","name":"x","fieldName":"u","lgK":14,"tgtHllType":"HLL_8","stringEncoding":"UTF8","shouldFinalize":false}`: `{"type":"HLLSketchMerge","name":"x","fieldName":"u","lgK":14,"tgtHllType":"HLL_8","stringEncoding":"utf8","shouldFinalize":false,"round":true}`,
		`{"type":"thetaSketch","name":"x","fieldName":"u"}`: `{"type":"thetaSketch","name":"x","fieldName":"u","size":16384}`,
		`{"type":"thetaSketch","name":"x","fieldName":"u","size":1024,"isInputThetaSketch":true,"shouldFinalize":false,"errorBoundsStdDev":2}`: `{"type":"thetaSketch","name":"x","fieldName":"u","size":1024,"shouldFinalize":false,"isInputThetaSketch":true,"errorBoundsStdDev":2}`,
	} {
		s := mustParse(t, with(t, "dataSchema.metricsSpec", "["+given+"]"))
		if got := string(s.DataSchema.MetricsSpec[0].Raw); got != want {
			t.Errorf("%s is written as\n%s, want\n%s", given, got, want)
		}
		if problems := s.Unsupported(); len(problems) > 0 {
			t.Errorf("%s is unsupported: %v", given, problems)
		}
	}
}
