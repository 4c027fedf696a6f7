package spec

import (
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// exchange is one recorded request to Druid 33 and its answer.
type exchange struct {
	Request struct {
		Method     string
		Path       string
		Headers    map[string]string
		Body       *string
		BodyBase64 *string
		BodyLength int
	}
	Response struct {
		Status int
		Body   string
	}
}

func (e exchange) body(t *testing.T) []byte {
	t.Helper()
	switch {
	case e.Request.BodyBase64 != nil:
		b, err := base64.StdEncoding.DecodeString(*e.Request.BodyBase64)
		if err != nil {
			t.Fatalf("decode body: %v", err)
		}
		return b
	case e.Request.Body != nil:
		return []byte(*e.Request.Body)
	}
	return nil
}

// goldenDir is the folder of the recorded exchanges: OGHAM_GOLDENS, the shared folder beside the repository, or the
// copies that came with the package.
func goldenDir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("OGHAM_GOLDENS"); dir != "" {
		return filepath.Join(dir, "http")
	}
	shared := filepath.Join("..", "..", "..", "shared", "goldens", "http")
	if _, err := os.Stat(shared); err == nil {
		return shared
	}
	return filepath.Join("testdata", "http")
}

func golden(t testing.TB, name string) exchange {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(goldenDir(t), name))
	if err != nil {
		t.Fatalf("read golden: %v", err)
	}
	var e exchange
	if err := json.Unmarshal(b, &e); err != nil {
		t.Fatalf("read golden %s: %v", name, err)
	}
	return e
}

// comparable decodes JSON so that equal means equal key for key, with numbers as text and exclusions without order.
func comparable(t testing.TB, body []byte) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("decode %.200s: %v", body, err)
	}
	return sortExclusions(v)
}

func sortExclusions(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = sortExclusions(v[i])
		}
	case map[string]any:
		for k, e := range v {
			if list, ok := e.([]any); ok && k == "dimensionExclusions" {
				slices.SortFunc(list, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
				continue
			}
			v[k] = sortExclusions(e)
		}
	}
	return v
}

func requireSameJSON(t *testing.T, got, want []byte) {
	t.Helper()
	a, _ := json.MarshalIndent(comparable(t, got), "", " ")
	b, _ := json.MarshalIndent(comparable(t, want), "", " ")
	if string(a) == string(b) {
		return
	}
	got2, want2 := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range got2 {
		if i >= len(want2) || got2[i] != want2[i] {
			t.Fatalf("JSON differs at line %d:\n got: %s\nwant: %s", i,
				strings.Join(got2[max(0, i-3):min(len(got2), i+4)], "\n      "),
				strings.Join(want2[max(0, i-3):min(len(want2), i+4)], "\n      "))
		}
	}
	t.Fatalf("JSON differs: %d lines, want %d", len(got2), len(want2))
}

func mustParse(t testing.TB, body []byte) *Supervisor {
	t.Helper()
	s, err := Parse(body)
	if err != nil {
		t.Fatalf("Parse(%.300s): %v", body, err)
	}
	return s
}

func TestCanonicalIsWhatDruidAnswers(t *testing.T) {
	for _, c := range []struct{ posted, answered string }{
		{"02-create-minimal/01-create.json", "02-create-minimal/02-spec.json"},
		{"03-create-full/01-create.json", "03-create-full/02-spec.json"},
		{"03-create-full/17-post-stored-spec-skip-unmodified.json", "03-create-full/02-spec.json"},
		{"03-create-full/19-post-stored-spec-without-legacy-fields.json", "03-create-full/02-spec.json"},
		{"05-update/21-changed-skip.json", "05-update/22-spec-changed.json"},
		{"15-topic-pattern/01-create.json", "15-topic-pattern/02-spec.json"},
	} {
		t.Run(c.posted, func(t *testing.T) {
			s := mustParse(t, withoutNewer(golden(t, c.posted).body(t)))
			requireSameJSON(t, s.Canonical(), []byte(golden(t, c.answered).Response.Body))
			again := mustParse(t, s.Canonical())
			if string(again.Canonical()) != string(s.Canonical()) || !again.Equal(s) {
				t.Fatal("the canonical form read again is another spec")
			}
		})
	}
}

// withoutNewer takes out what the recordings give and Druid 33 does not know.
func withoutNewer(body []byte) []byte {
	return regexp.MustCompile(`, "taskCountStart": 3, "stopTaskCountRatio": 0.5`).ReplaceAll(body, nil)
}

func TestUpdateGoldens(t *testing.T) {
	parse := func(name string) *Supervisor {
		return mustParse(t, golden(t, "05-update/"+name+".json").body(t))
	}
	first, changed := parse("01-create-with-skip"), parse("21-changed-skip")
	schema, order, explicit := parse("30-schema-changed"), parse("32-key-order-changed-skip"), parse("33-explicit-default-added-skip")
	if first.Equal(changed) || changed.Equal(schema) {
		t.Error("specs that differ are equal")
	}
	if !schema.Equal(order) || !schema.Equal(explicit) {
		t.Error("the order of keys or a default that is given makes a spec another one")
	}
	var history []struct{ Spec json.RawMessage }
	if err := json.Unmarshal([]byte(golden(t, "05-update/38-history-after-bad-update.json").Response.Body), &history); err != nil {
		t.Fatal(err)
	}
	requireSameJSON(t, parse("36-topic-to-pattern").Canonical(), history[0].Spec)
	bad := golden(t, "05-update/37-bad-update.json")
	_, err := Parse(bad.body(t))
	requireDruidError(t, err, bad.Response.Body)
}

func TestTaskGoldens(t *testing.T) {
	for posted, task := range map[string]string{
		"02-create-minimal/01-create.json": "02-create-minimal/16-task-spec.json",
		"03-create-full/01-create.json":    "03-create-full/14-task-spec.json",
	} {
		s := mustParse(t, golden(t, posted).body(t))
		var want struct {
			Payload struct{ DataSchema, TuningConfig json.RawMessage }
		}
		if err := json.Unmarshal([]byte(golden(t, task).Response.Body), &want); err != nil {
			t.Fatal(err)
		}
		requireSameJSON(t, s.TaskTuningConfig(), want.Payload.TuningConfig)
		requireSameJSON(t, s.DataSchemaJSON(), want.Payload.DataSchema)
	}
}
