package spec

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// druidSpec is a spec that was posted to Druid 33.0.0 with only the Kafka extension loaded, and what Druid said: the spec
// as stored, or the error.
type druidSpec struct {
	Name   string `json:"name"`
	Posted string `json:"posted"`
	Status int    `json:"status"`
	Stored string `json:"stored"`
	Error  string `json:"error"`
}

func druidSpecs(t testing.TB) []druidSpec {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "druid-specs.jsonl.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []druidSpec
	lines := bufio.NewScanner(z)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var s druidSpec
		if err := json.Unmarshal(lines.Bytes(), &s); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	if err := lines.Err(); err != nil || len(all) < 300 {
		t.Fatalf("%d recorded specs: %v", len(all), err)
	}
	return all
}

// firstDifference is the first line in which two specs differ, with the lines around it; empty if they are equal.
func firstDifference(t *testing.T, got, want []byte) string {
	t.Helper()
	a, _ := json.MarshalIndent(comparable(t, got), "", " ")
	b, _ := json.MarshalIndent(comparable(t, want), "", " ")
	as, bs := strings.Split(string(a), "\n"), strings.Split(string(b), "\n")
	for i := range max(len(as), len(bs)) {
		if i >= len(as) || i >= len(bs) || as[i] != bs[i] {
			near := func(lines []string) string {
				return strings.Join(lines[min(len(lines), max(0, i-2)):min(len(lines), i+3)], "")
			}
			return "got  " + near(as) + "\n    want " + near(bs)
		}
	}
	return ""
}

// coreOf is the part of an error that does not depend on Java: what follows `problem: `, or stands before the chain.
func coreOf(text string) string {
	text, _, _ = strings.Cut(text, " (through reference chain")
	if _, problem, ok := strings.Cut(text, "problem: "); ok {
		return problem
	}
	return text
}

// otherwise are the recorded specs that are read in another way here, and why.
var otherwise = map[string]string{
	"gran-arbitrary":        "refused: a supervisor cannot cut time without a segmentGranularity",
	"tuning-index-dim-none": "refused: no segment can be written",
	"io-replicas-neg":       "refused: no task would ever be made",
	"io-scaler-all":         "taskCountStart of Druid 37 is carried out",
	"io-scaler-start-over":  "taskCountStart of Druid 37 is carried out, and checked",
	"io-scaler-stopratio":   "stopTaskCountRatio of Druid 37 is carried out",
	"format-regex-none":     "refused: every task would fail",
	"format-regex-bad":      "refused: every task would fail",
	"format-avro":           "the extension is built in",

	"intprim-neg":     "refused: nobody can say what it means",
	"long-neg":        "refused: nobody can say what it means",
	"double-nan":      "refused: nothing is above or below it",
	"double-inf":      "refused: no share is so large",
	"period-negnum":   "refused: it would be over before it began",
	"period-neg":      "refused: it would be over before it began",
	"period-zero":     "refused: it would be over before it began",
	"period-p":        "refused: it is zero",
	"loose-negnum":    "refused: it would be over before it began",
	"loose-neg":       "refused: it would be over before it began",
	"loose-zero":      "refused: it would be over before it began",
	"loose-p":         "refused: it is zero",
	"instant-week":    "refused: dates have a month and a day",
	"instant-ordinal": "refused: dates have a month and a day",
	"instant-neg":     "refused: years are from 0 to 9999",
	"instant-basic":   "refused: years are from 0 to 9999",
	"instant-big":     "refused: years are from 0 to 9999",
	"servers-empty":   "refused: no run could reach a broker",
	"servers-num":     "refused: no run could reach a broker",
	"servers-list":    "refused: no run could reach a broker",

	"filter-expression-bad":  "refused: every task would fail",
	"filter-expression-none": "refused: every task would fail",
}

// ownWords are the recorded refusals that are Java's and not Druid's; they are refused here in words of our own.
var ownWords = []string{
	"metric-stringFirstFold", "metric-stringFirstFold-bytes", "metric-stringFirstFold-badbytes", "metric-stringLastFold",
	"metric-stringLastFold-bytes", "metric-stringLastFold-badbytes", "metric-hyperUnique-nofield", "metric-null-in-list",
	"filter-regex-bad", "filter-and-none", "dim-null", "dim-exclusions-null", "instant-text-millis", "instant-t24",
	"transforms-null-item", "index-compression-num", "filter-values-text",
}

func TestSpecsAreReadAndWrittenAsByDruid(t *testing.T) {
	met := 0
	for _, c := range druidSpecs(t) {
		s, err := Parse([]byte(c.Posted))
		if otherwise[c.Name] != "" {
			met++
			continue
		}
		switch {
		case slices.Contains(ownWords, c.Name):
			met++
			if err == nil {
				t.Errorf("%s: taken, Druid refuses it: %d %s", c.Name, c.Status, c.Error)
			}
		case c.Status == 200 && err != nil:
			t.Errorf("%s: refused, Druid takes it: %v", c.Name, err)
		case c.Status == 200:
			if diff := firstDifference(t, s.Canonical(), []byte(c.Stored)); diff != "" {
				t.Errorf("%s: %s", c.Name, diff)
			}
			again, err := Parse(s.Canonical())
			if err != nil || string(again.Canonical()) != string(s.Canonical()) {
				t.Errorf("%s: what is written is not read back as the same: %v", c.Name, err)
			}
		case err == nil:
			t.Errorf("%s: taken, Druid refuses it: %d %s", c.Name, c.Status, c.Error)
		default:
			var invalid *InvalidError
			if !errors.As(err, &invalid) || coreOf(invalid.Message) != coreOf(c.Error) {
				t.Errorf("%s: the error is\n    %s\n    want %s", c.Name, coreOf(err.Error()), coreOf(c.Error))
			}
		}
	}
	if want := len(otherwise) + len(ownWords); met != want {
		t.Errorf("%d of %d exceptions were met", met, want)
	}
}
