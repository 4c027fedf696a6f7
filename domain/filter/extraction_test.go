package filter

import (
	"bufio"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
)

// TestExtractionsAreDruids has the recorded extraction functions applied to the values of extractionvalues.json. A value
// that is a number is a time of the column __time.
func TestExtractionsAreDruids(t *testing.T) {
	data, err := os.ReadFile("testdata/extractionvalues.json")
	if err != nil {
		t.Fatal(err)
	}
	var values []json.RawMessage
	if err := json.Unmarshal(data, &values); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("testdata/extractions.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	tried := 0
	for lines.Scan() {
		var want struct {
			X   json.RawMessage
			Out []*string
			Err string
		}
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		checkExtraction(t, want.X, want.Err, want.Out, values)
		tried++
	}
	if err := lines.Err(); err != nil || tried < 80 {
		t.Errorf("%d functions were tried, want 80 or more (%v)", tried, err)
	}
}

// unbuilt are parts of the functions that are refused, for the reason that their refusal gives.
var unbuilt = []string{
	`"locale": "lt"`, `"EEEE", "locale": "fr"`, `"locale": "de_DE"`, `"granularity": "all"`, `"javascript"`, `"resultFormat": "yyyy/MM"}`,
	`"resultFormat": "MMM d, yyyy"}`, `"joda": false`,
}

func checkExtraction(t *testing.T, fn json.RawMessage, refused string, want []*string, values []json.RawMessage) {
	t.Helper()
	filter := &Filter{}
	p := &parser{filter: filter, names: map[string]int{}}
	x := p.extraction(fn, "")
	var unsupported *Unsupported
	switch {
	case errors.As(p.err, &unsupported) && slices.ContainsFunc(unbuilt, func(part string) bool { return strings.Contains(string(fn), part) }):
	case p.err != nil && refused == "" && !fails(want):
		t.Errorf("%s is refused: %v", fn, p.err)
		return
	case p.err == nil && refused != "":
		t.Errorf("%s is taken, Druid refuses it: %s", fn, refused)
	}
	if p.err != nil || refused != "" {
		return
	}
	for i, raw := range values {
		in := argument{some: string(raw) != "null"}
		if err := json.Unmarshal(raw, &in.text); err != nil {
			in.text, in.time = string(raw), true
		}
		out, ok := x.apply(filter, in)
		if want[i] != nil && strings.HasPrefix(*want[i], "ERR") {
			continue
		}
		switch {
		case ok != (want[i] != nil):
			t.Errorf("%s makes %q of %s (%t), Druid %v", fn, out, raw, ok, want[i])
		case ok && "S:"+out != *want[i]:
			t.Errorf("%s makes %q of %s, Druid %q", fn, out, raw, *want[i])
		}
	}
}

// fails says that Druid fails on each text or on each that the function is for, which is where it is refused.
func fails(want []*string) bool {
	failed := 0
	for _, w := range want {
		if w != nil && strings.HasPrefix(*w, "ERR") {
			failed++
		}
	}
	return failed >= 2
}
