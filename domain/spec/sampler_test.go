package spec

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestSamplerRequests(t *testing.T) {
	body := func(more string) []byte { return fmt.Appendf(nil, `{"type":"kafka","spec":%s%s}`, base, more) }
	s, err := ParseSampler(body(``))
	if err != nil {
		t.Fatal(err)
	}
	if want := (SamplerConfig{NumRows: 200, Timeout: 10 * time.Second}); s.Config != want || !s.Spec.Equal(mustParse(t, []byte(base))) {
		t.Errorf("without a samplerConfig: %+v, want %+v and the spec", s.Config, want)
	}
	s, err = ParseSampler(body(`,"samplerConfig":{"numRows":"5000","timeoutMs":0,"maxBytesInMemory":"2MiB","maxClientResponseBytes":3,"x":1},"y":2`))
	if want := (SamplerConfig{5000, time.Minute, 2 << 20, 3}); err != nil || s.Config != want || len(s.Spec.Warnings()) != 2 {
		t.Fatalf("%v %+v, want %+v and two warnings", err, s, want)
	}
	for text, path := range map[string]string{
		``: "$", `null`: "$", `{`: "$", `{"type":"index"}`: "$.type", `{"type":"kafka"}`: "$.spec",
		`{"type":"kafka","spec":{}}`: "$.spec", `{"type":"kafka","spec":{"type":"kafka"}}`: "$.spec.dataSchema",
		string(body(`,"samplerConfig":{"numRows":5001}`)):                       "$.samplerConfig.numRows",
		string(body(`,"samplerConfig":{"maxBytesInMemory":"2 boxes"}`)):         "$.samplerConfig.maxBytesInMemory",
		string(body(`,"samplerConfig":{"maxClientResponseBytes":"99999999P"}`)): "$.samplerConfig.maxClientResponseBytes",
	} {
		_, err := ParseSampler([]byte(text))
		var invalid *InvalidError
		if !errors.As(err, &invalid) || invalid.Problems[0].Path != path {
			t.Errorf("%s: %v, want a problem at %s", text, err, path)
		}
	}
}

func TestBytesWithUnits(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "12": 12, " 1K ": 1000, "1k": 1000, "1Ki": 1024, "1KiB": 1024, "1KB": 1000, "3GiB": 3 << 30, "2p": 2e15} {
		if got, ok := parseBytes(text); !ok || got != want {
			t.Errorf("%q is %d (%v), want %d", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "K", "-1", "1.5K", "1X", "1KK", "1iK", "9999999T"} {
		if got, ok := parseBytes(text); ok {
			t.Errorf("%q is taken for %d bytes", text, got)
		}
	}
}
