package spec

import (
	"encoding/json"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// refusedHere are specs that Druid takes, or answers 500 for, and that are refused here because no supervisor made from
// them could ever do its work. The value is the path of the problem.
var refusedHere = map[string]string{
	// Druid: 500, a null pointer.
	"002-empty-body": "$",
	"003-no-body":    "$",
	"004-json-null":  "$",
	// Druid: 500 while the supervisor is built.
	"076-bad-topicPattern":   "$.spec.ioConfig.topicPattern",
	"095-taskCount-negative": "$.spec.ioConfig.taskCount",
	// Druid: accepted. Every run fails, or no task is ever made.
	"072-empty-topic":              "$.spec.ioConfig.topic",
	"092-taskCount-0":              "$.spec.ioConfig.taskCount",
	"103-replicas-0":               "$.spec.ioConfig.replicas",
	"107-taskDuration-zero":        "$.spec.ioConfig.taskDuration",
	"067-bad-transform-expression": "$.spec.dataSchema.transformSpec.transforms[0].expression",
	// Druid: accepted, limits below zero.
	"134-maxRowsInMemory-negative":         "$.spec.tuningConfig.maxRowsInMemory",
	"143-maxRowsPerSegment-negative":       "$.spec.tuningConfig.maxRowsPerSegment",
	"153-maxParseExceptions-negative":      "$.spec.tuningConfig.maxParseExceptions",
	"156-maxSavedParseExceptions-negative": "$.spec.tuningConfig.maxSavedParseExceptions",
}

// requireDruidError compares an error with an answer's text: what follows `problem: `, or what stands before the
// reference chain.
func requireDruidError(t *testing.T, err error, answer string) {
	t.Helper()
	var invalid *InvalidError
	if !errors.As(err, &invalid) {
		t.Fatalf("error is %v, want an *InvalidError like %s", err, answer)
	}
	var want struct{ Error string }
	if jsonErr := json.Unmarshal([]byte(answer), &want); jsonErr != nil {
		t.Fatalf("answer %s: %v", answer, jsonErr)
	}
	if strings.HasPrefix(want.Error, "Unexpected end-of-input") {
		if !strings.HasPrefix(invalid.Message, "Unexpected end-of-input") {
			t.Errorf("message %q, want one like %q", invalid.Message, want.Error)
		}
		return
	}
	if invalid.Message != want.Error {
		t.Errorf("message differs\n got %s\nwant %s", invalid.Message, want.Error)
	}
	if len(invalid.Problems) == 0 || invalid.Problems[0].Path == "" || invalid.Problems[0].Message == "" {
		t.Errorf("problems are %v", invalid.Problems)
	}
}

func TestBadSpecGoldens(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(goldenDir(t), "08-bad-spec", "[0-9]*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("no goldens: %v", err)
	}
	slices.Sort(names)
	refused, compared := 0, 0
	for i, file := range names {
		name := strings.TrimSuffix(filepath.Base(file), ".json")
		e := golden(t, "08-bad-spec/"+name+".json")
		if e.Request.Method != "POST" || e.Response.Status == 415 || e.Request.BodyLength > 0 {
			continue // not a spec, refused for its content type, or cut in the recording
		}
		t.Run(name, func(t *testing.T) {
			compared++
			s, err := Parse(e.body(t))
			if path, ok := refusedHere[name]; ok {
				refused++
				var invalid *InvalidError
				if !errors.As(err, &invalid) || invalid.Problems[0].Path != path {
					t.Fatalf("error is %+v, want one at %s", err, path)
				}
				return
			}
			if e.Response.Status != 200 {
				requireDruidError(t, err, e.Response.Body)
				return
			}
			if err != nil {
				t.Fatalf("refused: %v", err)
			}
			stored := golden(t, "08-bad-spec/"+filepath.Base(names[i+1]))
			requireSameJSON(t, s.Canonical(), []byte(stored.Response.Body))
		})
	}
	if refused != len(refusedHere) || compared < 90 {
		t.Errorf("%d exchanges compared, %d of %d exceptions met", compared, refused, len(refusedHere))
	}
}
