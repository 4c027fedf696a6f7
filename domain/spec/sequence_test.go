package spec

import (
	"regexp"
	"slices"
	"testing"
)

func TestBaseSequenceName(t *testing.T) {
	at := func(ms int64) *int64 { return &ms }
	s := mustParse(t, []byte(base))
	offsets := map[string]int64{"0": 25, "1": 25, "10": 3}
	name := s.BaseSequenceName(offsets, nil, nil)
	if !regexp.MustCompile(`^index_kafka_edits_[0-9a-f]{15}$`).MatchString(name) {
		t.Fatalf("name is %s", name)
	}
	for what, body := range map[string][]byte{
		"ioConfig":      with(t, "ioConfig.taskDuration", `"PT1M"`, "ioConfig.topic", `"other"`),
		"taskCount":     with(t, "ioConfig.taskCount", `4`),
		"context":       with(t, "$.context", `{"a":1}`),
		"suspended":     with(t, "$.suspended", `true`),
		"workerThreads": with(t, "tuningConfig.workerThreads", `4`, "tuningConfig.shutdownTimeout", `"PT1S"`),
		"stored form":   s.Canonical(),
	} {
		if got := mustParse(t, body).BaseSequenceName(offsets, nil, nil); got != name {
			t.Errorf("%s changes the name: %s, was %s", what, got, name)
		}
	}
	seen := []string{name}
	for what, other := range map[string]string{
		"dataSchema":   mustParse(t, with(t, "dataSchema.dimensionsSpec", `{"dimensions":["page"]}`)).BaseSequenceName(offsets, nil, nil),
		"tuningConfig": mustParse(t, with(t, "tuningConfig.maxRowsInMemory", `7`)).BaseSequenceName(offsets, nil, nil),
		"offsets":      s.BaseSequenceName(map[string]int64{"0": 25, "1": 26, "10": 3}, nil, nil),
		"partitions":   s.BaseSequenceName(map[string]int64{"0": 25, "1": 25}, nil, nil),
		"minimum":      s.BaseSequenceName(offsets, at(5), nil),
		"maximum":      s.BaseSequenceName(offsets, nil, at(5)),
		"both":         s.BaseSequenceName(offsets, at(5), at(5)),
	} {
		if slices.Contains(seen, other) {
			t.Errorf("%s does not change the name", what)
		}
		seen = append(seen, other)
	}
}

func TestPartitionOrder(t *testing.T) {
	got := sortedPartitions(map[string]int64{"10": 0, "9": 0, "0": 0, "a:1": 0})
	if !slices.Equal(got, []string{"0", "9", "10", "a:1"}) {
		t.Errorf("order is %v", got)
	}
}

func TestRequiredFieldsAreExcluded(t *testing.T) {
	s := mustParse(t, with(t, "dataSchema.metricsSpec", `[
		{"type":"floatSum","name":"f","expression":"\"odd \\\"col\" * 2 + strpos(x, 'text') + y2 + 1e5 + null"},
		{"type":"filtered","aggregator":{"type":"longMax","name":"l","fieldName":"in"},"filter":
			{"type":"and","fields":[{"type":"selector","dimension":"d1"},{"type":"not","field":{"type":"null","column":"d2"}}]}},
		{"type":"cardinality","name":"card","fields":["c1",{"type":"default","dimension":"c2"}]},
		{"type":"expression","name":"e","fields":["e1"],"initialValue":"0","fold":"sum_ + e1 + e2","combine":"e","accumulatorIdentifier":"sum_"},
		{"type":"count","name":"page2"}]`))
	want := []string{"__time", "c1", "c2", "card", "d1", "d2", "e", "e1", "e2", "f", "in", "l", `odd "col`, "page2", "sum_", "ts", "x", "y2"}
	if got := s.DataSchema.DimensionsSpec.DimensionExclusions; !slices.Equal(got, want) {
		t.Errorf("exclusions are %q, want %q", got, want)
	}
}
